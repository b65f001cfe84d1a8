// A picture on a canvas, with boxes or a heat map over it.

const MOST_HEIGHT = 0.75;  // of the window
const HEAT_ALPHA = 0.62;

/// Draws `scene` as large as the stage allows, sharp on dense screens.
export function drawScene(canvas, stage, { image, boxes, heat, active }) {
  const scale = Math.min(stage.clientWidth / image.naturalWidth, MOST_HEIGHT * innerHeight / image.naturalHeight,
                         Math.max(1, 320 / Math.min(image.naturalWidth, image.naturalHeight)) * 1.5);
  const width = Math.round(image.naturalWidth * scale);
  const height = Math.round(image.naturalHeight * scale);
  const density = devicePixelRatio || 1;
  canvas.width = width * density;
  canvas.height = height * density;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(density, density);
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, width, height);
  pen.drawImage(image, 0, 0, width, height);
  if (heat) drawHeat(pen, heat, width, height);
  for (const box of boxes) if (box !== active) drawBox(pen, box, scale, Boolean(active));
  if (active) drawBox(pen, active, scale, false);
}

function drawBox(pen, box, scale, faint) {
  const [x0, y0, x1, y1] = box.box.map(v => v * scale);
  pen.globalAlpha = faint ? 0.25 : 1;
  pen.lineWidth = 3;
  pen.strokeStyle = box.colour;
  pen.strokeRect(x0, y0, x1 - x0, y1 - y0);
  const text = `${box.label} ${(100 * box.score).toFixed(0)} %`;
  pen.font = "600 13px system-ui, sans-serif";
  const wide = pen.measureText(text).width + 12;
  const top = y0 >= 22 ? y0 - 22 : y0;
  pen.fillStyle = box.colour;
  pen.fillRect(x0 - 1.5, top, wide, 22);
  pen.fillStyle = "#fff";
  pen.fillText(text, x0 + 5, top + 15.5);
  pen.globalAlpha = 1;
}

// The map is a small picture that the browser enlarges smoothly.
function drawHeat(pen, { heat, rows, columns }, width, height) {
  const small = new OffscreenCanvas(columns, rows);
  const values = heat.flat();
  const least = Math.min(...values), most = Math.max(...values);
  const data = new ImageData(columns, rows);
  values.forEach((value, i) => data.data.set(warmth(most > least ? (value - least) / (most - least) : 0), 4 * i));
  small.getContext("2d").putImageData(data, 0, 0);
  pen.imageSmoothingEnabled = true;
  pen.imageSmoothingQuality = "high";
  pen.globalAlpha = HEAT_ALPHA;
  pen.drawImage(small, 0, 0, width, height);
  pen.globalAlpha = 1;
}

// From dark blue over violet and orange to yellow (after matplotlib's "inferno").
const STOPS = [[0, 0, 24], [70, 12, 100], [160, 40, 95], [229, 92, 48], [252, 165, 10], [252, 255, 164]];

function warmth(value) {
  const at = value * (STOPS.length - 1);
  const i = Math.min(Math.floor(at), STOPS.length - 2);
  const mix = STOPS[i].map((v, k) => v + (STOPS[i + 1][k] - v) * (at - i));
  return [...mix, 255];
}
