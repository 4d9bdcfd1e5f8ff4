// Which pieces of ink, given by their boxes, are one digit, and which are dirt, as in keras_mnist/data/strokes.py.

const MOST_PIECES = 60; // long ones, which digits may be
const DIGIT_SHARE = 0.4; // a digit is at least this share of the longest piece of ink
const PIECE_SHARE = 0.03; // a piece of a digit is this long,
const PIECE_GAP = 0.12; // and this near to it, as shares of its length
const EDGE_SHARE = 0.3; // what lies along the picture's edge for this share of its shorter side is no digit
const DIRT_SHARE = 0.25; // unless all else is shorter than this share of it
const OVERLAP = 0.4; // pieces above each other by this share of the narrower are one digit

// The pieces of each digit from left to right, as indices of their boxes; none if they are as many as of a text.
function groupsOf(boxes, isDirt) {
  const lengths = boxes.map(lengthOf);
  const clean = withoutDirt(lengths, isDirt);
  const longest = Math.max(...clean.map((index) => lengths[index]));
  const main = clean.filter((index) => lengths[index] >= DIGIT_SHARE * longest);
  if (main.length > MOST_PIECES) return [];
  const groups = groupsOfLong(main, boxes);
  const small = clean.filter((index) => lengths[index] < DIGIT_SHARE * longest && lengths[index] >= PIECE_SHARE * longest);
  small.sort((one, other) => lengths[other] - lengths[one]);
  for (const index of small) join(index, groups, boxes);
  return groups;
}

// The indices of the pieces that are no dirt: all of them where a digit fills the picture up to its edge.
function withoutDirt(lengths, isDirt) {
  const all = [...lengths.keys()];
  const clean = all.filter((index) => !isDirt[index]);
  const longest = Math.max(0, ...clean.map((index) => lengths[index]));
  return longest < DIRT_SHARE * Math.max(...lengths) ? all : clean;
}

function groupsOfLong(indices, boxes) {
  const groups = [];
  const middle = (index) => boxes[index].left + boxes[index].right;
  for (const index of indices.sort((one, other) => middle(one) - middle(other))) {
    const group = groups.find((pieces) => areOneDigit(union(pieces.map((piece) => boxes[piece])), boxes[index]));
    if (group) group.push(index);
    else groups.push([index]);
  }
  return groups;
}

// Add a small piece to the digit that it belongs to, if there is one.
function join(index, groups, boxes) {
  const gaps = groups.map((group) => Math.min(...group.map((piece) => gapBetween(boxes[piece], boxes[index]))));
  const gap = Math.min(...gaps);
  const nearest = groups[gaps.indexOf(gap)];
  const size = lengthOf(union(nearest.map((piece) => boxes[piece])));
  // The smaller a piece is, the nearer it has to be.
  if (gap <= PIECE_GAP * Math.min(size, 4 * lengthOf(boxes[index]))) nearest.push(index);
}

function lengthOf({ top, left, bottom, right }) {
  return Math.max(bottom - top, right - left);
}

function gapBetween(one, other) {
  const rows = Math.max(one.top - other.bottom, other.top - one.bottom, 0);
  const columns = Math.max(one.left - other.right, other.left - one.right, 0);
  return Math.hypot(rows, columns);
}

// Whether two long pieces are above each other, or follow each other in a slanting line.
function areOneDigit(one, other) {
  const rows = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  const columns = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const height = Math.min(one.bottom - one.top, other.bottom - other.top);
  const width = Math.min(one.right - one.left, other.right - other.left);
  return columns >= OVERLAP * width || (rows < OVERLAP * height && -columns < OVERLAP * height);
}
