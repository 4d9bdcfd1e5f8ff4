// What each kind of operation of results/graph.py does to the values of one image: a flat array, row by row, a pixel's
// channels together. Values are doubles, so that nothing of the difference from Keras, which rounds to single ones, is
// made here.

// Call `visit` with the index of each pixel of the input that lies under the window of one output pixel, and with the
// pixel's index in the window.
function eachPixelUnder(step, [rows, columns], [height, width], row, column, visit) {
  const [down, across] = step.dilation ?? [1, 1];
  const top = row * step.strides[0] - step.padding[0];
  const left = column * step.strides[1] - step.padding[1];
  for (let i = 0; i < rows; i++) {
    const y = top + i * down;
    if (y < 0 || y >= height) continue;
    for (let j = 0; j < columns; j++) {
      const x = left + j * across;
      if (x >= 0 && x < width) visit(y * width + x, i * columns + j);
    }
  }
}

function eachOutputPixel(step, visit) {
  const [height, width] = step.shape;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) visit(row, column, row * width + column);
  }
}

// Add to `sums` what the channels of one pixel, multiplied by a part of a kernel (inputs x outputs), give.
function addProducts(sums, firstSum, values, firstValue, kernel, firstWeight, [inputs, outputs]) {
  for (let input = 0; input < inputs; input++) {
    const value = values[firstValue + input];
    if (value === 0) continue; // after a ReLU, half of the work
    const weight = firstWeight + input * outputs;
    for (let output = 0; output < outputs; output++) sums[firstSum + output] += value * kernel[weight + output];
  }
}

function convolution(step, [values], [shape]) {
  const { kernel, bias } = step.weights;
  const [rows, columns, inputs, outputs] = kernel.shape;
  const sums = new Float64Array(step.shape[0] * step.shape[1] * outputs);
  eachOutputPixel(step, (row, column, pixel) => {
    const to = pixel * outputs;
    sums.set(bias.values, to);
    eachPixelUnder(step, [rows, columns], shape, row, column, (source, index) => {
      addProducts(sums, to, values, source * inputs, kernel.values, index * inputs * outputs, [inputs, outputs]);
    });
  });
  return sums;
}

function depthwise(step, [values], [shape]) {
  const { kernel, bias } = step.weights;
  const [rows, columns, outputs] = kernel.shape;
  const inputs = shape[2];
  const each = outputs / inputs;
  const sums = new Float64Array(step.shape[0] * step.shape[1] * outputs);
  eachOutputPixel(step, (row, column, pixel) => {
    const to = pixel * outputs;
    sums.set(bias.values, to);
    eachPixelUnder(step, [rows, columns], shape, row, column, (source, index) => {
      for (let output = 0; output < outputs; output++) {
        const value = values[source * inputs + Math.floor(output / each)];
        sums[to + output] += value * kernel.values[index * outputs + output];
      }
    });
  });
  return sums;
}

function dense({ weights: { kernel, bias } }, [values]) {
  const [inputs, outputs] = kernel.shape;
  const rows = values.length / inputs;
  const sums = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    sums.set(bias.values, row * outputs);
    addProducts(sums, row * outputs, values, row * inputs, kernel.values, 0, kernel.shape);
  }
  return sums;
}

function maxPool(step, [values], [shape]) {
  const channels = shape[2];
  const result = new Float64Array(step.shape[0] * step.shape[1] * channels).fill(-Infinity);
  eachOutputPixel(step, (row, column, pixel) => {
    eachPixelUnder(step, step.pool, shape, row, column, (source) => {
      for (let channel = 0; channel < channels; channel++) {
        const to = pixel * channels + channel;
        result[to] = Math.max(result[to], values[source * channels + channel]);
      }
    });
  });
  return result;
}

function averagePool(step, [values], [shape]) {
  const channels = shape[2];
  const result = new Float64Array(step.shape[0] * step.shape[1] * channels);
  eachOutputPixel(step, (row, column, pixel) => {
    let count = 0;
    eachPixelUnder(step, step.pool, shape, row, column, (source) => {
      count += 1;
      for (let channel = 0; channel < channels; channel++) {
        result[pixel * channels + channel] += values[source * channels + channel];
      }
    });
    for (let channel = 0; channel < channels; channel++) result[pixel * channels + channel] /= count;
  });
  return result;
}

function globalAverage(step, [values], [shape]) {
  const channels = shape.at(-1);
  const result = new Float64Array(channels);
  values.forEach((value, index) => (result[index % channels] += value));
  return result.map((sum) => sum / (values.length / channels));
}

function scale({ weights: { scale, offset } }, [values]) {
  const channels = scale.values.length;
  return values.map((value, index) => value * scale.values[index % channels] + offset.values[index % channels]);
}

function softmax(step, [values]) {
  const channels = step.shape.at(-1);
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

const OPERATIONS = {
  convolution,
  depthwise,
  dense,
  scale,
  max_pool: maxPool,
  average_pool: averagePool,
  global_average: globalAverage,
  add: (step, inputs) => inputs[0].map((_, index) => inputs.reduce((sum, values) => sum + values[index], 0)),
  reshape: (step, [values]) => values,
  relu: (step, [values]) => values.map((value) => Math.max(value, 0)),
  sigmoid: (step, [values]) => values.map((value) => 1 / (1 + Math.exp(-value))),
  softmax,
  tanh: (step, [values]) => values.map(Math.tanh),
};
