// A network as Python wrote it down: from an image to the values of each step, the last of which are its answer.

const SIDE = 28;

// Give each array of weights its values.
function readNetwork(written) {
  const bytes = Uint8Array.from(atob(written.weights), (letter) => letter.charCodeAt(0));
  const numbers = new Float64Array(new Float32Array(bytes.buffer));
  for (const array of written.steps.flatMap((step) => Object.values(step.weights))) {
    const size = array.shape.reduce((one, other) => one * other, 1);
    array.values = numbers.subarray(array.first, array.first + size);
  }
  return written;
}

// The values of every step for an image of 28x28 pixels of 0..255.
function forward(network, pixels) {
  const values = [];
  for (const step of network.steps) {
    const inputs = step.inputs.map((number) => values[number]);
    const shapes = step.inputs.map((number) => network.steps[number].shape);
    values.push(step.kind === "input" ? new Float64Array(pixels) : OPERATIONS[step.kind](step, inputs, shapes));
  }
  return values;
}

function probabilities(network, pixels) {
  return forward(network, pixels).at(-1);
}

// Digits from the most probable to the least.
function ranking(answer) {
  return Array.from(answer.keys()).sort((one, other) => answer[other] - answer[one]);
}
