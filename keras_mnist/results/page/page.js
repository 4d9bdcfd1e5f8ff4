// The page as a whole: whatever is drawn is brought to MNIST's form, predicted, and shown.

const find = (name) => document.getElementById(name);
const data = JSON.parse(find("data").textContent);
const networks = data.networks.map(readNetwork);

function percent(share) {
  const number = share < 0.0005 ? "0" : (share * 100).toFixed(1);
  return `${share > 0.9995 ? "> 99.9" : number} %`; // 100 % would be more than any network knows
}

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
    const pixels = preprocess(this.sheet.grey(), SHEET_SIZE, SHEET_SIZE);
    const blank = pixels === null;
    document.body.classList.toggle("blank", blank);
    find("undo").disabled = this.sheet.marks.length === 0;
    find("clear").disabled = blank;
    this.show(pixels ?? new Uint8Array(SIDE * SIDE), blank);
  }

  show(pixels, blank) {
    const values = forward(this.network, pixels);
    const answer = blank ? new Float64Array(10) : values.at(-1);
    showBars(this.bars, answer, blank);
    showAnswer(answer, blank);
    paintDigit(find("seen"), pixels);
    this.layers.paint(blank ? values.map((part) => part.map(() => 0)) : values);
    this.look(pixels, answer, blank);
  }

  // Occlusion takes a hundred answers: it waits until the hand rests.
  look(pixels, answer, blank) {
    const [digit] = ranking(answer);
    clearTimeout(this.rest);
    find("looks").classList.add("stale");
    if (blank) return showLosses(pixels, null);
    const version = this.version;
    this.rest = setTimeout(async () => {
      find("spoken").textContent = `Predicts ${digit}, ${percent(answer[digit])} sure`;
      const found = await occlusion(this.network, pixels, digit, () => version === this.version);
      if (found) showLosses(pixels, found, digit);
    }, 150);
  }
}

function makeBars(list) {
  return Array.from({ length: 10 }, (_, digit) => {
    const [fill, share] = [element("i", {}), element("span", { className: "share" })];
    const track = element("span", { className: "track" }, fill);
    const row = element("li", {}, element("b", {}, String(digit)), track, share);
    list.append(row);
    return { row, fill, share };
  });
}

function showBars(bars, answer, blank) {
  const [first] = ranking(answer);
  bars.forEach(({ row, fill, share }, digit) => {
    row.classList.toggle("first", !blank && digit === first);
    fill.style.setProperty("--share", answer[digit]);
    share.textContent = blank ? "" : percent(answer[digit]);
  });
}

function showAnswer(answer, blank) {
  const [first, second] = ranking(answer);
  find("digit").textContent = blank ? "?" : first;
  find("sure").textContent = blank ? "Nothing drawn" : `${percent(answer[first])} sure`;
  find("second").textContent = blank ? "Draw a digit, or take one from below." : runnerUp(second, answer[second]);
}

function runnerUp(digit, share) {
  if (share < 0.0005) return "No other digit comes near.";
  return `${share > 0.3 ? "It may as well be" : "Next comes"} ${digit}, ${percent(share)}.`;
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
