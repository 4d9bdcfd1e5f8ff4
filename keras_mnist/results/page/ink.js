// What is drawn on what, step by step as keras_mnist/data/ink.py finds it: in any light, in both polarities.
// Loops in place of `map` and `filter`, here as wherever a picture's pixels are many: it runs with every point drawn.

const FAINTEST = 12; // grey levels between paper and the faintest ink
const FAINT_SHARE = 0.2; // of the darkest ink, below which there is none on even paper
const NOISE_FACTOR = 8; // ink stands out from the noise by so many deviations
const SOFT_EDGE = 3; // pixels around ink that are not sure to be paper

// The contrast of each pixel to its paper, from where on it is ink and what is full ink, and a mask of where there
// surely is some; null if nothing is drawn. A picture is {values, rows, columns}: 0..255, row by row.
function findInk(picture) {
  const paper = evenPaper(picture);
  const contrast = paper === null ? contrastOnUnevenPaper(picture) : contrastOnEvenPaper(picture, paper);
  const floor = Math.max(FAINTEST, NOISE_FACTOR * noiseOf(contrast, picture.columns));
  const visible = selected(contrast, above(contrast, floor), 1);
  if (visible.length < 4) return null;
  const range = paper === null ? rangeOnUnevenPaper : rangeOnEvenPaper;
  return { ...picture, contrast, ...range({ ...picture, values: contrast }, floor, visible) };
}

// The deviation of a pixel from its neighbour, of which most are paper.
function noiseOf(contrast, columns) {
  const differences = new Float64Array((contrast.length / columns) * (columns - 1));
  let [count, unlike] = [0, 0];
  for (let row = 0; row < contrast.length; row += columns) {
    for (let index = row + 1; index < row + columns; index++) {
      const difference = Math.abs(contrast[index] - contrast[index - 1]);
      differences[count++] = difference;
      if (difference > 0) unlike += 1;
    }
  }
  if (unlike < count / 2 - 1 || count === 0) return 0; // as on the sheet: no need to look for the median
  return (1.4826 * median(differences)) / Math.SQRT2;
}

function rangeOnEvenPaper({ values }, floor, visible) {
  const full = quantile(visible, 0.99);
  return { low: 0, full, mask: above(values, Math.max(floor, FAINT_SHARE * full)) };
}

function rangeOnUnevenPaper(contrast, floor, visible) {
  const mask = above(contrast.values, Math.max(floor, otsu(visible)));
  const paper = selected(contrast.values, largestAround({ ...contrast, values: mask }, SOFT_EDGE), 0);
  const full = quantile(selected(contrast.values, mask, 1), 0.9);
  // What the paper reaches, such as its lines, is no ink.
  const low = paper.length > 0 ? Math.min(quantile(paper, 0.99), full / 2) : 0;
  return { low, full, mask };
}

function above(values, threshold) {
  const mask = new Uint8Array(values.length);
  for (let index = 0; index < values.length; index++) if (values[index] > threshold) mask[index] = 1;
  return mask;
}

// The values where a mask is `wanted`.
function selected(values, mask, wanted) {
  const kept = new Float64Array(values.length);
  let count = 0;
  for (let index = 0; index < values.length; index++) if (mask[index] === wanted) kept[count++] = values[index];
  return kept.subarray(0, count);
}

// How much of the full ink lies on a pixel, 0..1.
function strengthOf({ contrast, low, full }, index) {
  return Math.min(Math.max((contrast[index] - low) / (full - low), 0), 1);
}
