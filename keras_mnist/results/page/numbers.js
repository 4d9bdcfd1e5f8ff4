// Figures of many numbers, to the last bit as NumPy computes them: thresholds stand and fall with it.

// The number at an index in the order of all, which are parted around it (quickselect): sorting would take too long.
function nthSmallest(values, index) {
  let [first, last] = [0, values.length - 1];
  while (first < last) {
    const pivot = values[(first + last) >> 1];
    let [low, high] = [first, last];
    while (low <= high) {
      while (values[low] < pivot) low++;
      while (values[high] > pivot) high--;
      if (low > high) break;
      const kept = values[low];
      values[low++] = values[high];
      values[high--] = kept;
    }
    if (index <= high) last = high;
    else if (index >= low) first = low;
    else break;
  }
  return values[index];
}

// The number that a share of all do not exceed, between two of them in proportion; brings `values` into disorder.
function quantile(values, share) {
  const exact = share * (values.length - 1);
  const [below, above] = [Math.floor(exact), Math.ceil(exact)].map((whole) => nthSmallest(values, whole));
  const part = exact - Math.floor(exact);
  return part < 0.5 ? below + (above - below) * part : above - (above - below) * (1 - part);
}

function median(values) {
  return quantile(values, 0.5);
}

// As Python rounds: a half to the even neighbour.
function rounded(value) {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

const BINS = 256;

// The threshold that parts numbers into two classes, each as alike within itself as can be (Otsu, 1979).
function otsu(values) {
  const [least, most] = extremes(values);
  if (least === most) return least - 1;
  const edges = Array.from({ length: BINS }, (_, bin) => bin * ((most - least) / BINS) + least).concat(most);
  const counts = histogram(values, edges);
  const totals = counts.map((count, bin) => (count * (edges[bin] + edges[bin + 1])) / 2);
  const [allCounts, all] = [counts, totals].map((parts) => parts.reduce((sum, part) => sum + part, 0));
  let [below, total, threshold, largest] = [0, 0, most, -1];
  for (let bin = 0; bin < BINS - 1; bin++) {
    below += counts[bin];
    total += totals[bin];
    const above = allCounts - below;
    const between = below * above * (total / below - (all - total) / above) ** 2;
    if (between > largest) [largest, threshold] = [between, edges[bin + 1]];
  }
  return threshold;
}

function extremes(values) {
  let [least, most] = [Infinity, -Infinity];
  for (let index = 0; index < values.length; index++) {
    if (values[index] < least) least = values[index];
    if (values[index] > most) most = values[index];
  }
  return [least, most];
}

// How many numbers lie between each edge and the next.
function histogram(values, edges) {
  const [least, most] = [edges[0], edges[BINS]];
  const counts = new Array(BINS).fill(0);
  for (const value of values) {
    let bin = Math.min(Math.floor(((value - least) / (most - least)) * BINS), BINS - 1);
    // The division rounds, and may miss by one.
    if (value < edges[bin]) bin -= 1;
    else if (value >= edges[bin + 1] && bin < BINS - 1) bin += 1;
    counts[bin] += 1;
  }
  return counts;
}
