// The paper of a picture: its grey level where it is even, else what remains of the picture without its strokes.
// A picture is {values, rows, columns}: 0..255, row by row.

const EVEN_PAPER = 4; // grey levels by which even paper may vary along the edge of a picture
const STROKE_SHARE = 0.3; // a stroke in uneven light is thinner than this share of the picture's shorter side

// The values along the edge of a picture: first and last row, first and last column.
function edgeOf({ values, rows, columns }) {
  const sides = Array.from({ length: rows }, (_, row) => [values[row * columns], values[(row + 1) * columns - 1]]);
  return [...values.subarray(0, columns), ...values.subarray((rows - 1) * columns), ...sides.flat()];
}

// The grey level of paper that is alike along the edge of the picture; null if it is not.
function evenPaper(picture) {
  const edge = edgeOf(picture);
  const paper = median(edge);
  const alike = edge.filter((value) => Math.abs(value - paper) <= EVEN_PAPER).length;
  return alike / edge.length > 0.9 ? paper : null;
}

// By how many grey levels each pixel differs from even paper, towards the ink.
function contrastOnEvenPaper({ values }, paper) {
  const [darkest, brightest] = extremes(values);
  const sign = paper - darkest > brightest - paper ? -1 : 1;
  const contrast = new Float64Array(values.length);
  for (let index = 0; index < contrast.length; index++) {
    contrast[index] = Math.max(sign * (values[index] - paper), 0);
  }
  return contrast;
}

// The same where the light differs from place to place.
function contrastOnUnevenPaper(picture) {
  const half = rounded((STROKE_SHARE * Math.min(picture.rows, picture.columns)) / 2);
  const grey = Float64Array.from(picture.values);
  if (!isBrightPaper(picture)) {
    const paper = withoutPeaks({ ...picture, values: grey }, half);
    return grey.map((value, index) => value - paper[index]);
  }
  const paper = withoutPeaks({ ...picture, values: grey.map((value) => -value) }, half);
  // A share of the light that falls there: ink in a shadow is as dark as any.
  return grey.map((value, index) => 255 * (1 - value / Math.max(-paper[index], 1)));
}

// A picture without what is brighter than its surroundings and narrower than a window that reaches `half` pixels far.
function withoutPeaks(picture, half) {
  const lowest = largestAround({ ...picture, values: picture.values.map((value) => -value) }, half);
  return largestAround({ ...picture, values: lowest.map((value) => -value) }, half);
}

// The largest value in the square window around each pixel, as far as it lies in the picture.
function largestAround({ values, rows, columns }, half) {
  const along = new Float64Array(values.length);
  for (let row = 0; row < rows; row++) slideLargest(values, along, row * columns, columns, 1, half);
  const result = new Float64Array(values.length);
  for (let column = 0; column < columns; column++) slideLargest(along, result, column, rows, columns, half);
  return result;
}

// The same along one line of `length` values, each `step` after the one before it.
function slideLargest(values, result, start, length, step, half) {
  const candidates = new Int32Array(length); // indices whose values fall: the first is the largest in the window
  let [first, end] = [0, 0];
  for (let index = 0; index < length + half; index++) {
    if (index < length) {
      const value = values[start + index * step];
      while (end > first && values[start + candidates[end - 1] * step] <= value) end -= 1;
      candidates[end++] = index;
    }
    const centre = index - half;
    if (centre < 0) continue;
    if (candidates[first] < centre - half) first += 1;
    result[start + centre * step] = values[start + candidates[first] * step];
  }
}

// Whether what differs from its surroundings is darker than they are, in a picture made small.
function isBrightPaper(picture) {
  const few = blockMeans(picture, Math.max(1, Math.floor(Math.min(picture.rows, picture.columns) / 32)));
  const around = mediansAround(few, ...[few.rows, few.columns].map((length) => Math.floor(length / 2) + 1));
  return few.values.reduce((sum, value, index) => sum + (value - around[index]) ** 3, 0) < 0;
}

// The mean of each square of `side` pixels that has its middle in the picture.
function blockMeans(picture, side) {
  const [down, across] = [picture.rows, picture.columns].map((length) => {
    return Math.ceil((length - Math.floor(side / 2)) / side);
  });
  const { values, columns } = mirrored(picture, 0, 0, down * side, across * side);
  const means = new Float64Array(down * across);
  values.forEach((value, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    means[Math.floor(row / side) * across + Math.floor(column / side)] += value / side ** 2;
  });
  return { values: means, rows: down, columns: across };
}

// The median of the window around each pixel; of an even number the upper one.
function mediansAround(picture, height, width) {
  const [top, left] = [height, width].map((length) => -Math.floor(length / 2));
  const room = mirrored(picture, top, left, picture.rows + height - 1, picture.columns + width - 1);
  const window = new Float64Array(height * width);
  return picture.values.map((_, index) => {
    const first = Math.floor(index / picture.columns) * room.columns + (index % picture.columns);
    for (let row = 0; row < height; row++) {
      const start = first + row * room.columns;
      window.set(room.values.subarray(start, start + width), row * width);
    }
    return nthSmallest(window, Math.floor(window.length / 2));
  });
}

// A part of a picture that begins at (top, left) and may lie beyond its edge, where it goes on as its mirror image.
function mirrored(picture, top, left, rows, columns) {
  const within = (at, length) => (at < 0 ? -1 - at : at < length ? at : 2 * length - 1 - at);
  const values = new Float64Array(rows * columns);
  for (let index = 0; index < values.length; index++) {
    const row = within(top + Math.floor(index / columns), picture.rows);
    values[index] = picture.values[row * picture.columns + within(left + (index % columns), picture.columns)];
  }
  return { values, rows, columns };
}
