// A network as Python wrote it down: from an image to the values of each step, and to ten probabilities.

const SIDE = 28;

// Give each step its weights in place of their first index and count.
function readNetwork(written) {
  const bytes = Uint8Array.from(atob(written.weights), (letter) => letter.charCodeAt(0));
  const numbers = new Float64Array(new Float32Array(bytes.buffer));
  const part = ([first, count]) => numbers.subarray(first, first + count);
  const steps = written.steps.map((step) => {
    const arrays = ["kernel", "bias", "scale", "offset"].filter((name) => name in step);
    return { ...step, ...Object.fromEntries(arrays.map((name) => [name, part(step[name])])) };
  });
  return { ...written, steps };
}

// The values of every step for an image of 28x28 pixels of 0..255.
function forward(network, pixels) {
  const values = [];
  for (const step of network.steps) {
    const inputs = step.inputs.map((number) => values[number]);
    const shapes = step.inputs.map((number) => network.steps[number].shape);
    values.push(step.kind === "image" ? new Float64Array(pixels) : LAYERS[step.kind](step, inputs, shapes));
  }
  return values;
}

function answerOf(network, values) {
  const answer = values[network.answer];
  return network.logits ? softmax(answer) : answer;
}

function probabilities(network, pixels) {
  return answerOf(network, forward(network, pixels));
}

// Digits from the most probable to the least.
function ranking(answer) {
  return Array.from(answer.keys()).sort((one, other) => answer[other] - answer[one]);
}
