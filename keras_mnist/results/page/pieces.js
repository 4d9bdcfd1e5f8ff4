// Pieces of ink: which pixels hang together, and which of them belong to a digit.
// A box is {top, left, bottom, right}; bottom and right lie just beyond it.

// A pixel belongs to the piece nearest to it, and counts if that is at most two pixels away: the soft edges of
// strokes. Where to look for it [row, column], nearest first, and of those alike the first that SciPy finds.
const NEIGHBOURS = [
  [0, -1], [-1, 0], [1, 0], [0, 1], [-1, -1], [1, -1], [-1, 1], [1, 1], [0, -2], [-2, 0], [2, 0], [0, 2],
];
const REACH = 2; // pixels

// The ink of each digit alone, from left to right, in a box around it that begins at the picture's column `left`.
function digitsOf(ink) {
  const { labels, boxes } = piecesOf(ink);
  const groups = groupsOf(boxes, alongTheEdge(labels, boxes.length, ink));
  return groups.map((pieces) => {
    const isOwn = new Uint8Array(boxes.length + 1);
    for (const piece of pieces) isOwn[piece + 1] = 1;
    return inkOfPieces(ink, labels, isOwn, union(pieces.map((piece) => boxes[piece])));
  });
}

// The number of the piece that each pixel of a mask belongs to, from 1 on, 0 for none, and each piece's box.
function piecesOf({ mask, rows, columns }) {
  const labels = new Int32Array(mask.length);
  const boxes = [];
  for (let index = 0; index < mask.length; index++) {
    if (mask[index] === 0 || labels[index] > 0) continue;
    boxes.push(fill(mask, labels, index, boxes.length + 1, rows, columns));
  }
  return { labels, boxes };
}

// Label all pixels that hang together with the first, corners included; their box.
function fill(mask, labels, first, label, rows, columns) {
  const box = { top: rows, left: columns, bottom: 0, right: 0 };
  const waiting = [first];
  labels[first] = label;
  while (waiting.length > 0) {
    const index = waiting.pop();
    const [row, column] = [Math.floor(index / columns), index % columns];
    widen(box, row, column);
    for (let y = Math.max(row - 1, 0); y <= Math.min(row + 1, rows - 1); y++) {
      for (let x = Math.max(column - 1, 0); x <= Math.min(column + 1, columns - 1); x++) {
        const neighbour = y * columns + x;
        if (mask[neighbour] === 0 || labels[neighbour] > 0) continue;
        labels[neighbour] = label;
        waiting.push(neighbour);
      }
    }
  }
  return box;
}

function widen(box, row, column) {
  if (row < box.top) box.top = row;
  if (row >= box.bottom) box.bottom = row + 1;
  if (column < box.left) box.left = column;
  if (column >= box.right) box.right = column + 1;
}

function union(boxes) {
  const [top, left] = ["top", "left"].map((side) => Math.min(...boxes.map((box) => box[side])));
  const [bottom, right] = ["bottom", "right"].map((side) => Math.max(...boxes.map((box) => box[side])));
  return { top, left, bottom, right };
}

// Whether each piece lies along the edge of the picture, as a table does beside the paper.
function alongTheEdge(labels, count, { rows, columns }) {
  const times = new Array(count + 1).fill(0);
  for (const label of edgeOf({ values: labels, rows, columns })) times[label] += 1;
  return times.slice(1).map((pixels) => pixels > EDGE_SHARE * Math.min(rows, columns));
}

// The ink of some pieces and its soft edge, as shares of the fullest.
function inkOfPieces(ink, labels, isOwn, box) {
  const [top, left] = [box.top, box.left].map((start) => Math.max(start - REACH, 0));
  const rows = Math.min(box.bottom + REACH, ink.rows) - top;
  const columns = Math.min(box.right + REACH, ink.columns) - left;
  const values = new Float64Array(rows * columns);
  for (let index = 0, row = top; row < top + rows; row++) {
    for (let column = left; column < left + columns; column++, index++) {
      const strength = strengthOf(ink, row * ink.columns + column);
      if (strength > 0 && isOwn[nearestLabel(labels, ink, row, column)]) values[index] = strength;
    }
  }
  const [, full] = extremes(values);
  for (let index = 0; index < values.length; index++) values[index] /= full;
  return { values, rows, columns, left };
}

function nearestLabel(labels, { rows, columns }, row, column) {
  const own = labels[row * columns + column];
  if (own > 0) return own;
  for (const [down, right] of NEIGHBOURS) {
    const [y, x] = [row + down, column + right];
    if (y < 0 || y >= rows || x < 0 || x >= columns) continue;
    if (labels[y * columns + x] > 0) return labels[y * columns + x];
  }
  return 0;
}
