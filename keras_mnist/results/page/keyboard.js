// Everything that a pointer does, with keys: a pen on the sheet, and short cuts for the buttons.

const PEN_STEP = 1 / 28; // of the sheet's side
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Arrows move a pen that the space bar puts down and lifts, while the sheet has the focus.
class KeyboardPen {
  constructor(sheet, ring) {
    this.sheet = sheet;
    this.ring = ring;
    this.point = [0.5, 0.25];
    sheet.canvas.addEventListener("keydown", (event) => this.press(event));
    sheet.canvas.addEventListener("blur", () => this.lift());
    this.show();
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") this.sheet.stroke ? this.lift() : this.sheet.beginStroke(this.point);
    else if (event.key in DIRECTIONS) this.move(DIRECTIONS[event.key]);
    else return;
    event.preventDefault(); // the page stays where it is
    this.show();
  }

  move(direction) {
    this.point = this.point.map((part, axis) => Math.min(Math.max(part + direction[axis] * PEN_STEP, 0), 1));
    if (this.sheet.stroke) this.sheet.extendStroke([this.point]);
  }

  lift() {
    if (this.sheet.stroke && this.sheet.pointer === null) this.sheet.endStroke();
    this.show();
  }

  show() {
    [this.ring.style.left, this.ring.style.top] = this.point.map((part) => `${part * 100}%`);
    this.ring.classList.toggle("down", this.sheet.stroke !== null);
  }
}

function listenToShortCuts(actions) {
  document.addEventListener("keydown", (event) => {
    const name = shortCut(event);
    if (!(name in actions)) return;
    event.preventDefault();
    actions[name]();
  });
}

function shortCut(event) {
  if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === "z" && !event.shiftKey ? "undo" : "";
  if (event.altKey) return "";
  return { Backspace: "undo", Escape: "clear", Delete: "clear" }[event.key] || event.key;
}
