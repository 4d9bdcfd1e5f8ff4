// The page as a whole: whatever is drawn is brought to MNIST's form, predicted, and shown. Of several digits side by
// side all are predicted, and one is looked into: the one that the hand is at.

const find = (name) => document.getElementById(name);
const data = JSON.parse(find("data").textContent);
const networks = data.networks.map(readNetwork);

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

class Page {
  constructor() {
    this.version = 0; // of the drawing: what is computed for an older one is thrown away
    this.bars = makeBars(find("bars"));
    this.layers = new LayerPictures(find("layers"));
    this.sheet = new Sheet(find("sheet"), () => this.schedule());
    this.pen = new KeyboardPen(this.sheet, find("pen"));
    this.choose(networks[0]);
  }

  choose(network) {
    this.network = network;
    find("title").textContent = network.title;
    find("facts").textContent = network.facts;
    find("parameters").textContent = network.parameters.toLocaleString("en");
    this.layers.show(network);
    this.schedule();
  }

  // Predict once before the next frame, however many points have come.
  schedule() {
    this.version += 1;
    if (!this.scheduled) requestAnimationFrame(() => this.predict());
    this.scheduled = true;
  }

  predict() {
    this.scheduled = false;
    const digits = preprocess(this.sheet.grey());
    document.body.classList.toggle("blank", digits.length === 0);
    find("undo").disabled = this.sheet.marks.length === 0;
    find("clear").disabled = this.sheet.visible().length === 0;
    clearTimeout(this.rest);
    if (digits.length > 0) this.show(digits, nearestDigit(digits, this.sheet.lastColumn()));
    else this.showNothing();
  }

  show(digits, current) {
    const { pixels } = digits[current];
    const values = forward(this.network, pixels);
    const answers = digits.map((digit, number) => {
      return number === current ? values.at(-1) : probabilities(this.network, digit.pixels);
    });
    showBars(this.bars, answers[current]);
    showAnswer(answers, current);
    paintDigit(find("seen"), pixels);
    this.layers.paint(values);
    this.look(pixels, answers[current]);
  }

  showNothing() {
    const pixels = new Uint8Array(SIDE * SIDE);
    showBars(this.bars, null);
    showNoAnswer();
    paintDigit(find("seen"), pixels);
    this.layers.paint(forward(this.network, pixels).map((part) => part.map(() => 0)));
    showLosses(pixels, null);
  }

  // Occlusion takes a hundred answers: it waits until the hand rests.
  look(pixels, answer) {
    const [digit] = ranking(answer);
    find("looks").classList.add("stale");
    const version = this.version;
    this.rest = setTimeout(async () => {
      find("spoken").textContent = `Predicts ${find("digit").textContent}, ${find("sure").textContent}`;
      const found = await occlusion(this.network, pixels, digit, () => version === this.version);
      if (found) showLosses(pixels, found, digit);
    }, 150);
  }
}

// The digit that lies where the pen is; the first where there is none.
function nearestDigit(digits, column) {
  const distances = digits.map(({ left, right }) => (column === null ? 0 : Math.max(left - column, column - right)));
  return distances.indexOf(Math.min(...distances));
}

function showLosses(pixels, found, digit) {
  paintLosses(find("looks"), pixels, found ? found.lost : new Float64Array(pixels.length));
  find("looks").classList.remove("stale");
  find("loss").textContent = found
    ? `With the brightest part hidden, ${digit} falls to ${percent(found.worst)}.`
    : "Bright: what the answer depends on most.";
}

function makeGallery(list, page) {
  const taken = {};
  const digits = data.gallery.map(({ digit, pixels }) => ({ digit, pixels: fromBase64(pixels) }));
  for (const { digit, pixels } of digits) {
    const canvas = element("canvas", {});
    paintDigit(canvas, pixels);
    const button = element("button", { type: "button", title: `A handwritten ${digit}` }, canvas);
    button.setAttribute("aria-label", `Start from a handwritten ${digit}`);
    button.addEventListener("click", () => page.sheet.add({ pixels }));
    list.append(element("li", {}, button));
  }
  // The next of all that show a digit, at each press of its key.
  return (digit) => {
    const all = digits.filter((each) => each.digit === digit);
    taken[digit] = ((taken[digit] ?? -1) + 1) % all.length;
    page.sheet.add({ pixels: all[taken[digit]].pixels });
  };
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function makeChoice(group, page) {
  group.hidden = networks.length < 2;
  networks.forEach((network, number) => {
    const input = element("input", { type: "radio", name: "network", checked: number === 0 });
    input.addEventListener("change", () => page.choose(network));
    group.append(element("label", {}, input, element("span", {}, network.name)));
  });
}

function start() {
  const page = new Page();
  const take = makeGallery(find("gallery"), page);
  makeChoice(find("networks"), page);
  const digits = Array.from({ length: 10 }, (_, digit) => [digit, () => take(digit)]);
  const actions = { undo: () => page.sheet.undo(), clear: () => page.sheet.clear() };
  find("undo").addEventListener("click", actions.undo);
  find("clear").addEventListener("click", actions.clear);
  listenToShortCuts({ ...actions, ...Object.fromEntries(digits) });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => page.sheet.paint());
}

start();
