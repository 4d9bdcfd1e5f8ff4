// The values of every layer as a row of small pictures.

const KIND_NAMES = {
  convolution: "Convolution",
  depthwise: "Depthwise convolution",
  dense: "Dense",
  max_pool: "Max pooling",
  average_pool: "Average pooling",
  global_average: "Global average pooling",
  scale: "scaling",
  add: "Sum",
  relu: "ReLU",
  sigmoid: "sigmoid",
  tanh: "tanh",
};
const NOT_SHOWN = ["input", "reshape", "softmax"]; // the answer is shown as bars elsewhere
const JOINED = ["relu", "sigmoid", "tanh", "scale"]; // shown in place of the step before, which looks much the same

// The numbers of the steps to show: each layer once, after its activation.
function shownSteps({ steps }) {
  const goesOn = (number) => steps.some((step) => JOINED.includes(step.kind) && step.inputs.includes(number));
  const worth = (step, number) => !NOT_SHOWN.includes(step.kind) && !goesOn(number);
  return steps.flatMap((step, number) => (worth(step, number) ? [number] : []));
}

function stepName(network, number) {
  const step = network.steps[number];
  const size = step.pool ?? (["convolution", "depthwise"].includes(step.kind) ? step.weights.kernel.shape.slice(0, 2) : []);
  const name = [KIND_NAMES[step.kind], size.join(" × ")].filter(Boolean).join(" ");
  const before = network.steps[step.inputs[0]];
  const joined = JOINED.includes(step.kind) && before.kind in KIND_NAMES;
  return joined ? `${stepName(network, step.inputs[0])}, ${name}` : name[0].toUpperCase() + name.slice(1);
}

class LayerPictures {
  constructor(list) {
    this.list = list;
  }

  // Make room for the pictures of a network.
  show(network) {
    this.network = network;
    this.rows = shownSteps(network).map((number) => this.row(number));
    this.list.replaceChildren(...this.rows.map((row) => row.item));
  }

  row(number) {
    const { shape, name } = this.network.steps[number];
    const isImage = shape.length === 3 && shape[0] > 1;
    const count = isImage ? shape[2] : 1;
    const canvases = Array.from({ length: count }, () => document.createElement("canvas"));
    const maps = element("div", { className: isImage ? "maps" : "maps values" }, ...canvases);
    const title = element("h3", {}, stepName(this.network, number));
    const facts = element("p", { className: "fact", title: name }, shape.join(" × "));
    return { number, canvases, item: element("li", {}, element("div", {}, title, facts), maps) };
  }

  paint(values) {
    for (const { number, canvases } of this.rows) {
      const of = values[number];
      const [height, width] = canvases.length > 1 ? this.network.steps[number].shape : [1, of.length];
      const largest = of.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
      canvases.forEach((canvas, channel) => {
        paintPixels(canvas, width, height, (index) => heat(of[index * canvases.length + channel] / largest));
      });
    }
  }
}
