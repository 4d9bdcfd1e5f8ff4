// The sheet to draw on: marks are kept, so that each can be taken back, and painted anew whenever one changes.
// Ink is opaque on a transparent canvas: its alpha is the picture, and the colour follows the theme.

const SHEET_SIZE = 560; // pixels of its canvas
const READ_SIZE = 280; // in which it is read: MNIST's longer sides were about 100 pixels before they became 20
const MARGIN = 1; // pixels of paper around it: a stroke along its edge is drawn like any other
const BRUSH = 0.09; // of the sheet's side: MNIST's strokes, 2.7 of 20 pixels, where a digit fills two thirds

class Sheet {
  constructor(canvas, changed) {
    this.canvas = canvas;
    this.changed = changed;
    this.marks = [];
    this.stroke = this.pointer = null; // under way; a stroke of the keyboard's has no pointer
    this.context = contextOf(canvas, SHEET_SIZE);
    this.reader = contextOf(document.createElement("canvas"), READ_SIZE + 2 * MARGIN);
    this.listen();
  }

  listen() {
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.follow(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.canvas.addEventListener(name, (event) => this.finish(event));
    }
  }

  begin(event) {
    if (this.pointer !== null || event.button !== 0) return; // a second finger, or another button
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(this.pointer); // strokes may leave the sheet and come back
    this.beginStroke(this.pointOf(event));
  }

  follow(event) {
    if (event.pointerId !== this.pointer) return;
    const all = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    this.extendStroke((all.length ? all : [event]).map((each) => this.pointOf(each)));
  }

  finish(event) {
    if (event.pointerId === this.pointer) this.endStroke();
  }

  // Where a pointer is, as fractions of the sheet.
  pointOf(event) {
    const frame = this.canvas.getBoundingClientRect();
    return [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
  }

  beginStroke(point) {
    this.stroke = { points: [point] };
    this.add(this.stroke);
  }

  extendStroke(points) {
    this.stroke.points.push(...points);
    this.paint();
  }

  endStroke() {
    this.stroke = this.pointer = null;
  }

  // A mark: a stroke {points}, a picture {pixels} of 28x28 that takes the place of all before it, or {blank}.
  add(mark) {
    this.marks.push(mark);
    this.paint();
  }

  undo() {
    this.endStroke();
    this.marks.pop();
    this.paint();
  }

  clear() {
    this.endStroke();
    if (this.visible().length) this.add({ blank: true }); // which undo takes back too
  }

  visible() {
    const last = this.marks.findLastIndex((mark) => mark.blank || mark.pixels);
    return this.marks.slice(Math.max(last, 0)).filter((mark) => !mark.blank);
  }

  paint() {
    const ink = getComputedStyle(this.canvas).color;
    this.context.clearRect(0, 0, SHEET_SIZE, SHEET_SIZE);
    for (const mark of this.visible()) {
      if (mark.pixels) paintEnlarged(this.context, mark.pixels, ink);
      else paintStroke(this.context, mark.points, ink);
    }
    this.changed();
  }

  // The drawing as Python reads pictures: ink bright on black.
  grey() {
    const side = READ_SIZE + 2 * MARGIN;
    this.reader.clearRect(0, 0, side, side);
    this.reader.drawImage(this.canvas, MARGIN, MARGIN, READ_SIZE, READ_SIZE);
    const { data } = this.reader.getImageData(0, 0, side, side);
    const values = new Uint8Array(side * side);
    for (let index = 0; index < values.length; index++) values[index] = data[index * 4 + 3];
    return { values, rows: side, columns: side };
  }

  // The column of that picture where the pen is, or was lifted; null where a stroke is not the last mark.
  lastColumn() {
    const last = this.visible().at(-1);
    return last && last.points ? last.points.at(-1)[0] * READ_SIZE + MARGIN : null;
  }
}

function contextOf(canvas, side) {
  canvas.width = canvas.height = side;
  return canvas.getContext("2d", { willReadFrequently: true });
}

function paintStroke(context, points, ink) {
  const [first, ...rest] = points.map(([x, y]) => [x * SHEET_SIZE, y * SHEET_SIZE]);
  Object.assign(context, { strokeStyle: ink, lineWidth: BRUSH * SHEET_SIZE, lineCap: "round", lineJoin: "round" });
  context.beginPath();
  context.moveTo(...first);
  for (const point of rest.length ? rest : [first]) context.lineTo(...point); // to itself: a dot
  context.stroke();
}

function paintEnlarged(context, pixels, ink) {
  const small = element("canvas", { width: SIDE, height: SIDE });
  const pen = small.getContext("2d");
  pen.fillStyle = ink;
  pixels.forEach((brightness, index) => {
    pen.globalAlpha = brightness / 255;
    pen.fillRect(index % SIDE, Math.floor(index / SIDE), 1, 1);
  });
  context.imageSmoothingQuality = "high";
  context.drawImage(small, 0, 0, SHEET_SIZE, SHEET_SIZE);
}
