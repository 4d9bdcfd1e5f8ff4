// Numbers as small pictures, one pixel each.

// From black through embers to light, and for what is below zero to blue.
const WARM = [[0, 0, 0], [72, 16, 96], [186, 54, 85], [249, 142, 9], [252, 255, 190]];
const COLD = [[0, 0, 0], [30, 90, 200], [150, 205, 255]];

function blend(colours, share) {
  const exact = Math.min(Math.max(share, 0), 1) * (colours.length - 1);
  const first = Math.min(Math.floor(exact), colours.length - 2);
  return colours[first].map((part, index) => part + (colours[first + 1][index] - part) * (exact - first));
}

// Made once: tens of thousands of pixels change colour with every point that is drawn.
const STEPS = 255;
const HEAT = Array.from({ length: 2 * STEPS + 1 }, (_, index) => {
  const share = index / STEPS - 1;
  return share < 0 ? blend(COLD, -share) : blend(WARM, share);
});

// `share` is -1..1: a value as a part of the largest one.
function heat(share) {
  return HEAT[Math.round((share + 1) * STEPS)];
}

// Fill a canvas pixel by pixel; `colour` gives (red, green, blue) for the index of each.
function paintPixels(canvas, width, height, colour) {
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  for (let index = 0; index < width * height; index++) {
    const [red, green, blue] = colour(index);
    picture.data[index * 4] = red;
    picture.data[index * 4 + 1] = green;
    picture.data[index * 4 + 2] = blue;
    picture.data[index * 4 + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

function paintDigit(canvas, pixels) {
  paintPixels(canvas, SIDE, SIDE, (index) => [pixels[index], pixels[index], pixels[index]]);
}

// The digit, dark, and over it in colour what the answer loses without each part.
function paintLosses(canvas, pixels, lost) {
  const most = Math.max(...lost, 0.5); // a smaller loss is hardly one
  paintPixels(canvas, SIDE, SIDE, (index) => {
    const glow = Math.max(lost[index], 0) / most;
    return heat(glow).map((part) => Math.max(part, pixels[index] * 0.4));
  });
}
