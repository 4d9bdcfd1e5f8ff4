// Where a network looks: hide a patch of the image, and see how much of its answer is lost. Patch by patch.

const PATCH = 6; // pixels: about two strokes wide
const HOP = 2;
const TURN = 10; // milliseconds of work before the page may draw again

// For each pixel the evidence for a digit that is lost with the patches that hide it, on average, and the probability
// that is left without the worst patch. Null as soon as `wanted` says that the drawing has changed meanwhile.
async function occlusion(network, pixels, digit, wanted) {
  const before = probabilities(network, pixels)[digit];
  const [lost, times] = [new Float64Array(pixels.length), new Float64Array(pixels.length)];
  let [worst, pause] = [before, performance.now() + TURN];
  for (const patch of patches()) {
    const rest = probabilityWithout(network, pixels, patch, digit) ?? before;
    worst = Math.min(worst, rest);
    for (const index of patch) {
      lost[index] += evidence(before) - evidence(rest);
      times[index] += 1;
    }
    if (performance.now() > pause) {
      await new Promise((resume) => setTimeout(resume));
      if (!wanted()) return null;
      pause = performance.now() + TURN;
    }
  }
  return { before, worst, lost: lost.map((sum, index) => sum / times[index]) };
}

// Log-odds: from 99.99 % to 99 % much is lost, which the probabilities would hide.
function evidence(probability) {
  const share = Math.min(Math.max(probability, 1e-6), 1 - 1e-6);
  return Math.log(share / (1 - share));
}

// The indices of the pixels of each patch.
function patches() {
  const starts = Array.from({ length: (SIDE - PATCH) / HOP + 1 }, (_, number) => number * HOP);
  const offsets = Array.from({ length: PATCH * PATCH }, (_, n) => Math.floor(n / PATCH) * SIDE + (n % PATCH));
  return starts.flatMap((row) => starts.map((column) => offsets.map((offset) => row * SIDE + column + offset)));
}

// A digit's probability with a patch made black; null for one that is black already.
function probabilityWithout(network, pixels, patch, digit) {
  if (patch.every((index) => pixels[index] === 0)) return null;
  const hidden = pixels.slice();
  for (const index of patch) hidden[index] = 0;
  return probabilities(network, hidden)[digit];
}
