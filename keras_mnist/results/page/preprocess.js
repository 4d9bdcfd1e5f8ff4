// Any picture of one digit in MNIST's form, step by step as keras_mnist/data/preprocess.py does it.

const BOX = 20; // the longer side of a digit, in pixels
const CENTRE = 14; // where the centre of mass of MNIST's training images lies

// A picture of 0..255 as 28x28 pixels; null if nothing is drawn.
function preprocess(picture, width, height) {
  const ink = brightOnBlack(picture, width, height);
  const box = boundingBox(ink, width, height);
  if (box === null) return null;
  const square = cropToSquare(ink, width, box);
  return centred(brightened(averaged(square.pixels, square.side)));
}

// Paper is what the edge of a picture shows.
function brightOnBlack(picture, width, height) {
  const edge = picture.filter((_, index) => {
    const [row, column] = [Math.floor(index / width), index % width];
    return row === 0 || row === height - 1 || column === 0 || column === width - 1;
  });
  const light = edge.reduce((sum, value) => sum + value, 0) / edge.length > 127;
  return light ? picture.map((value) => 255 - value) : picture;
}

function boundingBox(ink, width, height) {
  const box = { top: height, bottom: -1, left: width, right: -1 };
  for (let index = 0; index < ink.length; index++) {
    if (ink[index] === 0) continue;
    const [row, column] = [Math.floor(index / width), index % width];
    Object.assign(box, { top: Math.min(box.top, row), bottom: Math.max(box.bottom, row) });
    Object.assign(box, { left: Math.min(box.left, column), right: Math.max(box.right, column) });
  }
  return box.bottom < 0 ? null : box;
}

// The box in the middle of a square of its longer side.
function cropToSquare(ink, width, box) {
  const [rows, columns] = [box.bottom - box.top + 1, box.right - box.left + 1];
  const side = Math.max(rows, columns);
  const [down, right] = [Math.floor((side - rows) / 2), Math.floor((side - columns) / 2)];
  const pixels = new Float64Array(side * side);
  for (let row = 0; row < rows; row++) {
    const start = (box.top + row) * width + box.left;
    pixels.set(ink.subarray(start, start + columns), (down + row) * side + right);
  }
  return { pixels, side };
}

// 20x20 means over areas; a pixel that lies across a border counts on both sides in its shares.
function averaged(pixels, side) {
  const shares = areaShares(side);
  const result = new Float64Array(BOX * BOX);
  shares.forEach((rows, row) =>
    shares.forEach((columns, column) => {
      let sum = 0;
      for (const [y, high] of rows) for (const [x, wide] of columns) sum += pixels[y * side + x] * high * wide;
      result[row * BOX + column] = sum;
    })
  );
  return result;
}

// For each of the 20 places along an axis, the pixels that lie in it and the share of the place that each covers.
function areaShares(side) {
  const width = side / BOX;
  return Array.from({ length: BOX }, (_, place) => {
    const [start, end] = [place * width, (place + 1) * width];
    const shares = [];
    for (let pixel = Math.floor(start); pixel < Math.min(Math.ceil(end), side); pixel++) {
      shares.push([pixel, (Math.min(end, pixel + 1) - Math.max(start, pixel)) / width]);
    }
    return shares;
  });
}

function brightened(pixels) {
  const brightest = Math.max(...pixels);
  return pixels.map((value) => (value * 255) / brightest);
}

// 28x28, with the centre of mass as near as whole pixels allow to where the training images have it.
function centred(box) {
  const [row, column] = centreOfMass(box).map((centre) => shift(centre));
  const result = new Uint8Array(SIDE * SIDE);
  for (let y = 0; y < BOX; y++) {
    for (let x = 0; x < BOX; x++) result[(y + row) * SIDE + x + column] = Math.round(box[y * BOX + x]);
  }
  return result;
}

// All of the box stays inside the image.
function shift(centre) {
  return Math.min(Math.max(Math.round(CENTRE - centre), 0), SIDE - BOX);
}

function centreOfMass(box) {
  let [sum, rows, columns] = [0, 0, 0];
  box.forEach((value, index) => {
    sum += value;
    rows += value * Math.floor(index / BOX);
    columns += value * (index % BOX);
  });
  return [rows / sum, columns / sum];
}
