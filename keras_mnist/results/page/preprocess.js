// A clean drawing of one digit in MNIST's form, step by step as keras_mnist/data/preprocess.py brings it there.
// Shadows, specks and paper with lines, which Python removes from photographs, are not on this page's sheet.

const BOX = 20; // the longer side of a digit, in pixels
const CENTRE = 14; // where MNIST's training images have their centre of mass
const FAINTEST = 12; // grey levels between paper and the faintest ink
const FULL = 0.99; // so much of the ink is at most as dark as what counts as full ink
const FAINT = 0.1; // pixels with less of the full ink are no part of a digit's box

// A picture of 0..255, dark on bright or bright on dark, as 28x28 pixels; null if nothing is drawn.
function preprocess(picture, width, height) {
  const ink = inkOf(picture, width, height);
  if (ink === null) return null;
  return centred(brightened(areaAverage(square(ink, width, boundingBox(ink, width)))));
}

// How much of the full ink lies on each pixel, 0..1; null if there is none.
function inkOf(picture, width, height) {
  const ink = contrastOf(picture, median(edgeOf(picture, width, height)));
  const full = fullInk(ink);
  if (full === null) return null;
  for (let index = 0; index < ink.length; index++) ink[index] = Math.min(ink[index] / full, 1);
  return ink;
}

// By how many grey levels each pixel differs from the paper, towards the ink.
function contrastOf(picture, paper) {
  let [darkest, brightest] = [255, 0];
  for (const value of picture) {
    darkest = Math.min(darkest, value);
    brightest = Math.max(brightest, value);
  }
  const sign = paper - darkest > brightest - paper ? -1 : 1;
  const contrast = new Float64Array(picture);
  for (let index = 0; index < contrast.length; index++) {
    contrast[index] = Math.max(sign * (contrast[index] - paper), 0);
  }
  return contrast;
}

// The contrast that a share FULL of the visible pixels do not exceed, by counting: sorting would take too long.
function fullInk(contrast) {
  const counts = new Uint32Array(256);
  for (const value of contrast) counts[Math.round(value)] += 1;
  const visible = counts.subarray(FAINTEST + 1).reduce((sum, count) => sum + count, 0);
  let [level, rest] = [FAINTEST, FULL * (visible - 1)];
  while (level < 255 && rest >= 0) rest -= counts[++level];
  return visible > 0 ? level : null;
}

function edgeOf(picture, width, height) {
  const columns = Array.from({ length: height }, (_, row) => [picture[row * width], picture[(row + 1) * width - 1]]);
  return [...picture.subarray(0, width), ...picture.subarray((height - 1) * width), ...columns.flat()];
}

function median(values) {
  const sorted = Float64Array.from(values).sort();
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}

function boundingBox(ink, width) {
  let [top, bottom, left, right] = [Infinity, -1, width, -1];
  for (let index = 0; index < ink.length; index++) {
    if (ink[index] <= FAINT) continue;
    bottom = Math.floor(index / width);
    top = Math.min(top, bottom);
    left = Math.min(left, index % width);
    right = Math.max(right, index % width);
  }
  return { top, left, rows: bottom - top + 1, columns: right - left + 1 };
}

// The box in the middle of a square of its longer side.
function square(ink, width, { top, left, rows, columns }) {
  const side = Math.max(rows, columns);
  const [above, before] = [rows, columns].map((length) => Math.floor((side - length) / 2));
  const pixels = new Float64Array(side * side);
  for (let row = 0; row < rows; row++) {
    const start = (top + row) * width + left;
    pixels.set(ink.subarray(start, start + columns), (above + row) * side + before);
  }
  return { pixels, side };
}

// Each of 20x20 pixels is the mean over its area, parts of pixels included.
function areaAverage({ pixels, side }) {
  const places = areaShares(side);
  return averageAndTurn(averageAndTurn(pixels, side, places), BOX, places);
}

// 20 rows in place of all, as the columns of the result: called twice, it treats both axes and turns them back.
function averageAndTurn(pixels, columns, places) {
  const result = new Float64Array(columns * BOX);
  places.forEach((rows, place) => {
    for (const [row, share] of rows) {
      for (let column = 0; column < columns; column++) {
        result[column * BOX + place] += pixels[row * columns + column] * share;
      }
    }
  });
  return result;
}

// For each of 20 places along an axis, the pixels that lie in it and the share of the place that each covers.
function areaShares(side) {
  const length = side / BOX;
  return Array.from({ length: BOX }, (_, place) => {
    const [start, end] = [place * length, (place + 1) * length];
    const shares = [];
    for (let pixel = Math.floor(start); pixel < Math.min(end, side); pixel++) {
      shares.push([pixel, (Math.min(end, pixel + 1) - Math.max(start, pixel)) / length]);
    }
    return shares;
  });
}

function brightened(pixels) {
  const brightest = Math.max(...pixels);
  return pixels.map((value) => (value * 255) / brightest);
}

// 28x28 with the centre of mass where the training images have it, as nearly as whole pixels and the border allow.
function centred(box) {
  const [down, right] = centreOfMass(box).map((centre) => {
    return Math.min(Math.max(CENTRE - Math.floor(centre + 0.5), 0), SIDE - BOX);
  });
  const image = new Uint8Array(SIDE * SIDE);
  box.forEach((value, index) => {
    const [row, column] = [Math.floor(index / BOX) + down, (index % BOX) + right];
    image[row * SIDE + column] = Math.round(value);
  });
  return image;
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
