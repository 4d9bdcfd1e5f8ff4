// Any picture of digits in MNIST's form, step by step as keras_mnist/data/preprocess.py brings it there.

const BOX = 20; // the longer side of a digit, in pixels
const CENTRE = 14; // where MNIST's training images have their centre of mass
const HALF = 0.5 + 1e-6; // so that of symmetric digits all go the same way, however their sums are rounded
const FAINT = 0.1; // pixels with less of the full ink are no part of a digit's box
const THINNEST = 0.078; // width of strokes as a share of the longer side, of MNIST's thinnest 2 %,
const USUAL = 0.131; // and the median

// The digits of a picture {values, rows, columns}, 0..255 row by row, from left to right: the 28x28 pixels of each,
// and its left and right end. None if nothing is drawn, or as much as on a page of text.
function preprocess(picture) {
  const ink = findInk(picture);
  if (ink === null) return [];
  return digitsOf(ink).map(cropped).map((digit) => ({ ...digit, pixels: mnistForm(ofUsualWidth(digit)) }));
}

// A digit's ink without the empty rows and columns around it.
function cropped({ values, rows, columns, left = 0 }) {
  const box = { top: rows, left: columns, bottom: 0, right: 0 };
  for (let index = 0, row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, index++) if (values[index] > FAINT) widen(box, row, column);
  }
  const [height, width] = [box.bottom - box.top, box.right - box.left];
  const kept = new Float64Array(height * width);
  for (let row = 0; row < height; row++) {
    const start = (box.top + row) * columns + box.left;
    kept.set(values.subarray(start, start + width), row * width);
  }
  return { values: kept, rows: height, columns: width, left: left + box.left, right: left + box.right };
}

// A digit whose strokes are not thinner than MNIST's.
function ofUsualWidth(digit) {
  const width = strokeWidth(digit);
  if (width >= THINNEST) return digit;
  return cropped(thicker(digit, ((USUAL - width) / 2) * Math.max(digit.rows, digit.columns)));
}

// A digit's ink, cropped to it, as 28x28 pixels of 0..255.
function mnistForm(digit) {
  return centred(brightened(areaAverage(squared(digit))));
}

// In the middle of a square of its longer side.
function squared({ values, rows, columns }) {
  const side = Math.max(rows, columns);
  const [above, before] = [rows, columns].map((length) => Math.floor((side - length) / 2));
  const pixels = new Float64Array(side * side);
  for (let row = 0; row < rows; row++) {
    pixels.set(values.subarray(row * columns, (row + 1) * columns), (above + row) * side + before);
  }
  return { pixels, side };
}

// Each of 20x20 pixels is the mean over its area, parts of pixels included.
function areaAverage({ pixels, side }) {
  const shares = areaShares(side);
  return averageAndTurn(averageAndTurn(pixels, side, shares), BOX, shares);
}

// 20 rows in place of all, as the columns of the result: called twice, it treats both axes and turns them back.
function averageAndTurn(pixels, columns, shares) {
  const result = new Float64Array(columns * BOX);
  shares.forEach((rows, index) => {
    for (const [row, share] of rows) {
      for (let column = 0; column < columns; column++) {
        result[column * BOX + index] += pixels[row * columns + column] * share;
      }
    }
  });
  return result;
}

// For each of 20 parts of an axis, the pixels that lie in it and the share of the part that each covers.
function areaShares(side) {
  const length = side / BOX;
  return Array.from({ length: BOX }, (_, index) => {
    const [start, end] = [index * length, (index + 1) * length];
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
    return Math.min(Math.max(CENTRE - Math.floor(centre + HALF), 0), SIDE - BOX);
  });
  const image = new Uint8Array(SIDE * SIDE);
  box.forEach((value, index) => {
    const [row, column] = [Math.floor(index / BOX) + down, (index % BOX) + right];
    image[row * SIDE + column] = rounded(value);
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
