// How thick strokes are, and thicker ones, as in keras_mnist/data/strokes.py. A digit is {values, rows, columns}: its
// ink, 0..1, cropped to it.

const FINE = 160; // pixels of the longer side, up to which a digit is enlarged to be measured
const FAR = 1e20; // more than any distance in a picture, squared

// The width of a digit's strokes as a share of its longer side.
function strokeWidth(digit) {
  const longer = Math.max(digit.rows, digit.columns);
  const fine = enlarged(digit, Math.max(1, rounded(FINE / longer)));
  const distances = distancesTo(padded(fine, 1), (value) => value <= 0.5);
  let [sum, count] = [0, 0];
  for (let index = 0; index < distances.length; index++) {
    sum += distances[index];
    if (distances[index] > 0) count += 1;
  }
  // Across a stroke the distance to its edge grows from 0 to half the width: a quarter of it on average.
  return count > 0 ? (4 * (sum / count) - 1) / Math.max(fine.rows, fine.columns) : 0;
}

// A digit with strokes that reach further by so many pixels on all sides, in a larger picture.
function thicker(digit, pixels) {
  const room = padded(digit, Math.ceil(pixels) + 1);
  const distances = distancesTo(room, (value) => value > 0.5);
  return { ...room, values: distances.map((distance) => Math.min(Math.max(pixels + 1 - distance, 0), 1)) };
}

function padded({ values, rows, columns }, margin) {
  const width = columns + 2 * margin;
  const result = new Float64Array((rows + 2 * margin) * width);
  for (let row = 0; row < rows; row++) {
    result.set(values.subarray(row * columns, (row + 1) * columns), (row + margin) * width + margin);
  }
  return { values: result, rows: rows + 2 * margin, columns: width };
}

// So many times as large, with values in between in proportion; beyond its edge there is no ink.
function enlarged(digit, times) {
  if (times === 1) return digit;
  const source = padded(digit, 1);
  const [rows, columns] = [digit.rows * times, digit.columns * times];
  const values = new Float64Array(rows * columns);
  const [across, down] = [columns, rows].map((length) => coordinatesBetween(length, times));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      values[row * columns + column] = valueBetween(source, down[row], across[column]);
    }
  }
  return { values, rows, columns };
}

// For each of `length` pixels the one before its middle in the picture that is smaller and padded, and how far beyond
// that one's middle it lies.
function coordinatesBetween(length, times) {
  return Array.from({ length }, (_, index) => {
    const exact = (index + 0.5) / times + 0.5;
    return [Math.floor(exact), exact - Math.floor(exact)];
  });
}

function valueBetween({ values, columns }, [row, down], [column, across]) {
  const first = row * columns + column;
  const upper = values[first] * (1 - across) + values[first + 1] * across;
  const lower = values[first + columns] * (1 - across) + values[first + columns + 1] * across;
  return upper * (1 - down) + lower * down;
}

// The distance of each pixel from the nearest one whose value passes a test (Felzenszwalb and Huttenlocher, 2012).
function distancesTo({ values, rows, columns }, test) {
  const squares = new Float64Array(values.length);
  for (let index = 0; index < values.length; index++) squares[index] = test(values[index]) ? 0 : FAR;
  const envelope = new Envelope(Math.max(rows, columns));
  for (let column = 0; column < columns; column++) envelope.lower(squares, column, rows, columns);
  for (let row = 0; row < rows; row++) envelope.lower(squares, row * columns, columns, 1);
  for (let index = 0; index < values.length; index++) squares[index] = Math.sqrt(squares[index]);
  return squares;
}

// What lies lowest of the parabolas that stand on the points of a line.
class Envelope {
  constructor(longest) {
    this.heights = new Float64Array(longest);
    this.feet = new Int32Array(longest); // the parabolas that are lowest somewhere
    this.begins = new Float64Array(longest + 1); // from where on each of them is
  }

  // Replace each value of a line by the least of (distance squared + value) over all its points.
  lower(values, start, length, step) {
    const { heights, feet, begins } = this;
    let last = -1;
    for (let index = 0; index < length; index++) {
      heights[index] = values[start + index * step];
      let begin = -Infinity;
      while (last >= 0 && (begin = this.crossing(feet[last], index)) <= begins[last]) last -= 1;
      if (last < 0) begin = -Infinity;
      feet[++last] = index;
      begins[last] = begin;
    }
    begins[last + 1] = Infinity;
    for (let index = 0, current = 0; index < length; index++) {
      while (begins[current + 1] < index) current += 1;
      values[start + index * step] = (index - feet[current]) ** 2 + heights[feet[current]];
    }
  }

  // Where the parabola of a later point becomes the lower one.
  crossing(one, other) {
    return (this.heights[other] + other ** 2 - this.heights[one] - one ** 2) / (2 * (other - one));
  }
}
