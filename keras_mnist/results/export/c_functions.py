"""What a network written in C computes with: one function for each kind of operation, and none that is not called.

Images have the channels last. In the text, WEIGHT is the type of kernels; what stands in SCALED(...) is there for
kernels of whole numbers alone.
"""

TYPES = """\
typedef struct {
  int rows, columns, channels;
} shape;
"""

WINDOW = """\
typedef struct {
  int height, width, down, across, top, left, dilation_down, dilation_across;
} window;
"""

CONVOLUTION = """\
/* Pixels beyond the edge are zeros; the kernel is (rows, columns, inputs, outputs). */
static void convolution(const float *in, shape from, float *restrict out, shape to, window w, const WEIGHT *kernel,
                        SCALED(const float *scale, )const float *bias) {
  for (int y = 0; y < to.rows; y++)
    for (int x = 0; x < to.columns; x++, out += to.channels) {
      for (int o = 0; o < to.channels; o++) out[o] = 0;
      for (int i = 0; i < w.height; i++)
        for (int j = 0; j < w.width; j++) {
          const int row = y * w.down - w.top + i * w.dilation_down;
          const int column = x * w.across - w.left + j * w.dilation_across;
          if (row < 0 || row >= from.rows || column < 0 || column >= from.columns) continue;
          const float *pixel = in + (row * from.columns + column) * from.channels;
          const WEIGHT *weights = kernel + (i * w.width + j) * from.channels * to.channels;
          for (int c = 0; c < from.channels; c++, weights += to.channels)
            for (int o = 0; o < to.channels; o++) out[o] += pixel[c] * weights[o];
        }
      for (int o = 0; o < to.channels; o++) out[o] = out[o] SCALED(* scale[o] )+ bias[o];
    }
}
"""

DEPTHWISE = """\
/* The same where each input gives outputs of its own; the kernel is (rows, columns, outputs). */
static void depthwise(const float *in, shape from, float *restrict out, shape to, window w, const WEIGHT *kernel,
                      SCALED(const float *scale, )const float *bias) {
  const int each = to.channels / from.channels;
  for (int y = 0; y < to.rows; y++)
    for (int x = 0; x < to.columns; x++, out += to.channels) {
      for (int o = 0; o < to.channels; o++) out[o] = 0;
      for (int i = 0; i < w.height; i++)
        for (int j = 0; j < w.width; j++) {
          const int row = y * w.down - w.top + i * w.dilation_down;
          const int column = x * w.across - w.left + j * w.dilation_across;
          if (row < 0 || row >= from.rows || column < 0 || column >= from.columns) continue;
          const float *pixel = in + (row * from.columns + column) * from.channels;
          const WEIGHT *weights = kernel + (i * w.width + j) * to.channels;
          for (int o = 0; o < to.channels; o++) out[o] += pixel[o / each] * weights[o];
        }
      for (int o = 0; o < to.channels; o++) out[o] = out[o] SCALED(* scale[o] )+ bias[o];
    }
}
"""

MAX_POOL = """\
static void max_pool(const float *in, shape from, float *out, shape to, window w) {
  for (int y = 0; y < to.rows; y++)
    for (int x = 0; x < to.columns; x++)
      for (int c = 0; c < to.channels; c++) {
        float most = -INFINITY;
        for (int row = y * w.down - w.top; row < y * w.down - w.top + w.height; row++)
          for (int column = x * w.across - w.left; column < x * w.across - w.left + w.width; column++) {
            if (row < 0 || row >= from.rows || column < 0 || column >= from.columns) continue;
            const float value = in[(row * from.columns + column) * from.channels + c];
            if (value > most) most = value;
          }
        *out++ = most;
      }
}
"""

AVERAGE_POOL = """\
/* What lies beyond the edge does not count. */
static void average_pool(const float *in, shape from, float *out, shape to, window w) {
  for (int y = 0; y < to.rows; y++)
    for (int x = 0; x < to.columns; x++)
      for (int c = 0; c < to.channels; c++) {
        float sum = 0;
        int count = 0;
        for (int row = y * w.down - w.top; row < y * w.down - w.top + w.height; row++)
          for (int column = x * w.across - w.left; column < x * w.across - w.left + w.width; column++) {
            if (row < 0 || row >= from.rows || column < 0 || column >= from.columns) continue;
            sum += in[(row * from.columns + column) * from.channels + c];
            count++;
          }
        *out++ = sum / (float)count;
      }
}
"""

GLOBAL_AVERAGE = """\
static void global_average(const float *in, shape from, float *out) {
  const int pixels = from.rows * from.columns;
  for (int c = 0; c < from.channels; c++) {
    out[c] = 0;
    for (int p = 0; p < pixels; p++) out[c] += in[p * from.channels + c];
    out[c] /= (float)pixels;
  }
}
"""

SCALE = """\
static void scale(float *values, int count, int channels, const float *factor, const float *offset) {
  for (int i = 0; i < count; i++) values[i] = values[i] * factor[i % channels] + offset[i % channels];
}
"""

ADD = """\
static void add(float *values, const float *others, int count) {
  for (int i = 0; i < count; i++) values[i] += others[i];
}
"""

RELU = """\
static void relu(float *values, int count) {
  for (int i = 0; i < count; i++)
    if (values[i] < 0) values[i] = 0;
}
"""

SIGMOID = """\
static void sigmoid(float *values, int count) {
  for (int i = 0; i < count; i++) values[i] = 1 / (1 + expf(-values[i]));
}
"""

TANH = """\
static void hyperbolic_tangent(float *values, int count) {
  for (int i = 0; i < count; i++) values[i] = tanhf(values[i]);
}
"""

SOFTMAX = """\
static void softmax(float *values, int count, int classes) {
  for (const float *end = values + count; values < end; values += classes) {
    float most = values[0], sum = 0;
    for (int c = 1; c < classes; c++)
      if (values[c] > most) most = values[c];
    for (int c = 0; c < classes; c++) sum += values[c] = expf(values[c] - most);
    for (int c = 0; c < classes; c++) values[c] /= sum;
  }
}
"""
# By the kind of operation; a dense layer is a convolution of single pixels.
FUNCTIONS = {
    "convolution": CONVOLUTION,
    "dense": CONVOLUTION,
    "depthwise": DEPTHWISE,
    "max_pool": MAX_POOL,
    "average_pool": AVERAGE_POOL,
    "global_average": GLOBAL_AVERAGE,
    "scale": SCALE,
    "add": ADD,
    "relu": RELU,
    "sigmoid": SIGMOID,
    "tanh": TANH,
    "softmax": SOFTMAX,
}
