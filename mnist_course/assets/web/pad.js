// A canvas to draw on, of the page and of the notebook's pad. Each stroke is a list of points; it goes onto two
// canvases, one to look at and one for the models. `changed(resting)` is called after each change.
const SIDE = 140, PEN = 11;                    // side of the drawing and width of the pen, in its own units

function make_pad(pad, changed) {
  const ink = document.createElement('canvas'), strokes = [];
  ink.width = ink.height = SIDE;
  const inkPen = ink.getContext('2d', {willReadFrequently: true}), padPen = pad.getContext('2d');

  function pens() {
    return [[inkPen, SIDE, '#fff'], [padPen, pad.width, getComputedStyle(pad).color]];
  }

  function draw_line(a, b) {
    for (const [pen, side, colour] of pens()) {
      pen.lineCap = pen.lineJoin = 'round';
      pen.strokeStyle = colour;
      pen.lineWidth = PEN * side / SIDE;
      pen.beginPath();
      pen.moveTo(a[0] * side / SIDE, a[1] * side / SIDE);
      pen.lineTo(b[0] * side / SIDE, b[1] * side / SIDE);
      pen.stroke();
    }
  }

  function redraw() {
    const side = Math.round(pad.clientWidth * (window.devicePixelRatio || 1));
    if (side && pad.width !== side) pad.width = pad.height = side;
    for (const [pen, n] of pens()) pen.clearRect(0, 0, n, n);
    for (const stroke of strokes) stroke.forEach((p, i) => draw_line(stroke[Math.max(0, i - 1)], p));
  }

  function place(event) {
    const box = pad.getBoundingClientRect();
    return [(event.clientX - box.left) * SIDE / box.width, (event.clientY - box.top) * SIDE / box.height];
  }

  let pointer = null;                          // the one that draws; a second finger does nothing
  pad.addEventListener('pointerdown', event => {
    if (pointer !== null || event.button > 0) return;
    pointer = event.pointerId;
    pad.setPointerCapture(pointer);
    const at = place(event);
    strokes.push([at]);
    draw_line(at, at);
    changed(false);
  });
  pad.addEventListener('pointermove', event => {
    if (event.pointerId !== pointer) return;
    const stroke = strokes.at(-1), events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      const at = place(one);
      draw_line(stroke.at(-1), at);
      stroke.push(at);
    }
    changed(false);
  });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'])
    pad.addEventListener(end, event => { if (event.pointerId === pointer) { pointer = null; changed(true); } });

  new ResizeObserver(redraw).observe(pad);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

  function drop(n) {                           // the last n strokes
    strokes.splice(Math.max(0, strokes.length - n));
    pointer = null;
    redraw();
    changed(true);
  }

  function drawn() {                           // ink in [0,1], row by row
    const rgba = inkPen.getImageData(0, 0, SIDE, SIDE).data, out = new Float32Array(SIDE * SIDE);
    for (let i = 0; i < out.length; i++) out[i] = rgba[4 * i + 3] / 255;
    return out;
  }

  return {strokes, drawn, redraw, clear: () => drop(strokes.length), undo: () => drop(1)};
}

// Ctrl+Z takes the last stroke back, C all of them. True if the key was one of them.
function pad_keys(event, clear, undo) {
  const key = event.key.toLowerCase(), held = event.ctrlKey || event.metaKey;
  if (held && !event.shiftKey && key === 'z') { event.preventDefault(); undo(); return true; }
  if (key === 'c' && !held && !event.altKey) { clear(); return true; }
  return false;
}

// A picture of 28x28 bytes or shares, as opaque as there is ink.
function show_seen(canvas, pixels, most) {
  const pen = canvas.getContext('2d'), image = pen.createImageData(28, 28);
  for (let i = 0; i < 784; i++) image.data.set([255, 255, 255, 255 * pixels[i] / most], 4 * i);
  pen.putImageData(image, 0, 0);
}

function percent(p) { return p > .9995 ? '>\u202f99.9\u202f%' : `${(100 * p).toFixed(1)}\u202f%`; }
