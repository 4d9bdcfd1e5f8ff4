// What each kind of layer does to the values of one image: a flat array, row by row, a pixel's channels together.
// Values are doubles, so that nothing of the difference from Keras, which rounds to single ones, is made here.

const ACTIVATIONS = {
  linear: (value) => value,
  relu: (value) => Math.max(value, 0),
  leaky_relu: (value) => (value < 0 ? 0.2 * value : value),
  elu: (value) => (value < 0 ? Math.expm1(value) : value),
  silu: (value) => value / (1 + Math.exp(-value)),
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
  tanh: Math.tanh,
};

function softmax(values, channels = values.length) {
  const result = new Float64Array(values.length);
  for (let start = 0; start < values.length; start += channels) {
    const row = values.subarray(start, start + channels);
    const largest = row.reduce((one, other) => Math.max(one, other));
    const powers = row.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((one, other) => one + other);
    result.set(powers.map((power) => power / sum), start);
  }
  return result;
}

function activate(values, name, channels) {
  if (name === "linear") return values;
  return name === "softmax" ? softmax(values, channels) : values.map(ACTIVATIONS[name]);
}

// The first pixel under a window that stands at the very beginning: negative where Keras pads with zeros.
// It puts the odd zero at the end.
function firstPixel(step, axis, inputSize) {
  if (step.padding === "valid") return 0;
  const reach = (step.size[axis] - 1) * (step.dilation ? step.dilation[axis] : 1) + 1;
  const missing = (step.shape[axis] - 1) * step.strides[axis] + reach - inputSize;
  return -Math.floor(Math.max(missing, 0) / 2);
}

// Call `visit` with the index of each pixel of the input that lies under the window of one output pixel, and with the
// pixel's place in the window.
function eachPixelUnder(step, [height, width], row, column, visit) {
  const [stepDown, stepRight] = step.dilation || [1, 1];
  const top = firstPixel(step, 0, height) + row * step.strides[0];
  const left = firstPixel(step, 1, width) + column * step.strides[1];
  for (let down = 0; down < step.size[0]; down++) {
    const y = top + down * stepDown;
    if (y < 0 || y >= height) continue;
    for (let right = 0; right < step.size[1]; right++) {
      const x = left + right * stepRight;
      if (x >= 0 && x < width) visit(y * width + x, down * step.size[1] + right);
    }
  }
}

function eachOutputPixel(step, visit) {
  const [height, width] = step.shape;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) visit(row, column, row * width + column);
  }
}

// Add to `sums` what some values, multiplied by a part of a kernel (inputs x outputs), give.
function addProducts(sums, firstSum, values, firstValue, inputs, kernel, firstWeight, outputs, ofAll) {
  for (let input = 0; input < inputs; input++) {
    const value = values[firstValue + input];
    if (value === 0) continue; // after a ReLU, half of the work
    const weight = firstWeight + input * ofAll;
    for (let output = 0; output < outputs; output++) sums[firstSum + output] += value * kernel[weight + output];
  }
}

function convolution(step, [values], [shape]) {
  const [outputs, inputs] = [step.shape[2] / step.groups, shape[2] / step.groups];
  const sums = new Float64Array(step.shape[0] * step.shape[1] * step.shape[2]);
  eachOutputPixel(step, (row, column, pixel) => {
    sums.set(step.bias, pixel * step.shape[2]);
    eachPixelUnder(step, shape, row, column, (source, place) => {
      for (let group = 0; group < step.groups; group++) {
        const from = source * shape[2] + group * inputs;
        const to = pixel * step.shape[2] + group * outputs;
        const weight = place * inputs * step.shape[2] + group * outputs;
        addProducts(sums, to, values, from, inputs, step.kernel, weight, outputs, step.shape[2]);
      }
    });
  });
  return activate(sums, step.activation, step.shape[2]);
}

function linear(step, [values], [shape]) {
  const [inputs, outputs] = [shape.at(-1), step.shape.at(-1)];
  const rows = values.length / inputs;
  const sums = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    sums.set(step.bias, row * outputs);
    addProducts(sums, row * outputs, values, row * inputs, inputs, step.kernel, 0, outputs, outputs);
  }
  return activate(sums, step.activation, outputs);
}

function maxPooling(step, [values], [shape]) {
  const channels = shape[2];
  const result = new Float64Array(step.shape[0] * step.shape[1] * channels).fill(-Infinity);
  eachOutputPixel(step, (row, column, pixel) => {
    eachPixelUnder(step, shape, row, column, (source) => {
      for (let channel = 0; channel < channels; channel++) {
        const to = pixel * channels + channel;
        result[to] = Math.max(result[to], values[source * channels + channel]);
      }
    });
  });
  return result;
}

// Pixels beyond the edge do not count: neither do they for Keras.
function averagePooling(step, [values], [shape]) {
  const channels = shape[2];
  const result = new Float64Array(step.shape[0] * step.shape[1] * channels);
  eachOutputPixel(step, (row, column, pixel) => {
    let count = 0;
    eachPixelUnder(step, shape, row, column, (source) => {
      count += 1;
      for (let channel = 0; channel < channels; channel++) {
        result[pixel * channels + channel] += values[source * channels + channel];
      }
    });
    for (let channel = 0; channel < channels; channel++) result[pixel * channels + channel] /= count;
  });
  return result;
}

// A pooling whose one window is the whole image.
function overAll(pooling) {
  return (step, inputs, [shape]) => {
    const size = [shape[0], shape[1]];
    return pooling({ size, strides: size, padding: "valid", shape: [1, 1, shape[2]] }, inputs, [shape]);
  };
}

// One product and one sum for each channel.
function channels({ scale, offset }, [values]) {
  return values.map((value, index) => value * scale[index % scale.length] + offset[index % scale.length]);
}

function relu(step, [values]) {
  const most = step.most ?? Infinity;
  return values.map((value) =>
    value >= step.threshold ? Math.min(value, most) : step.slope * (value - step.threshold)
  );
}

const LAYERS = {
  convolution,
  linear,
  maxPooling,
  averagePooling,
  globalMaxPooling: overAll(maxPooling),
  globalAveragePooling: overAll(averagePooling),
  channels,
  relu,
  activation: (step, [values]) => activate(values, step.activation, step.shape.at(-1)),
  sum: (step, inputs) => inputs[0].map((_, index) => inputs.reduce((sum, values) => sum + values[index], 0)),
  sameValues: (step, [values]) => values,
};
