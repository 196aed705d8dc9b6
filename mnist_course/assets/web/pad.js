// A canvas to draw on, of the page and of the notebook's pad. Each stroke is a list of points; it goes onto two
// canvases, one to look at and one for the models. `changed(resting)` is called after each change.
const SIDE = 140, PEN = 11;                    // side of the drawing and width of the pen, in its own units

function makePad(pad, changed) {
  const ink = document.createElement('canvas');
  const strokes = [], past = [];               // the strokes now, and as they were before each step that undo takes back
  ink.width = ink.height = SIDE;
  const inkPen = ink.getContext('2d', {willReadFrequently: true}), padPen = pad.getContext('2d');

  function pens() {
    return [[inkPen, SIDE, '#fff'], [padPen, pad.width, getComputedStyle(pad).color]];
  }

  function drawLine(a, b) {
    for (const [pen, side, colour] of pens()) {
      pen.lineCap = pen.lineJoin = 'round';
      pen.strokeStyle = colour;
      pen.lineWidth = PEN * side / SIDE;
      pen.beginPath();
      pen.moveTo(a[0] * side / SIDE, a[1] * side / SIDE);
      pen.lineTo(b[0] * side / SIDE + .01, b[1] * side / SIDE);      // after a tap a and b are one, and a line without length leaves no dot
      pen.stroke();
    }
  }

  function redraw() {
    const side = Math.round(pad.clientWidth * (window.devicePixelRatio || 1));
    if (side && pad.width !== side) pad.width = pad.height = side;
    for (const [pen, n] of pens()) pen.clearRect(0, 0, n, n);
    for (const stroke of strokes) stroke.forEach((p, i) => drawLine(stroke[Math.max(0, i - 1)], p));
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
    past.push([...strokes]);
    strokes.push([at]);
    drawLine(at, at);
    changed(false);
  });
  pad.addEventListener('pointermove', event => {
    if (event.pointerId !== pointer) return;
    const stroke = strokes.at(-1), events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      const at = place(one);
      drawLine(stroke.at(-1), at);
      stroke.push(at);
    }
    changed(false);
  });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'])
    pad.addEventListener(end, event => { if (event.pointerId === pointer) { pointer = null; changed(true); } });

  new ResizeObserver(redraw).observe(pad);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

  function replaceStrokes(others) {
    strokes.splice(0, strokes.length, ...others);
    pointer = null;
    redraw();
    changed(true);
  }

  function clear() {                           // a step like any other: undo brings the strokes back
    if (!strokes.length) return;
    past.push([...strokes]);
    replaceStrokes([]);
  }

  function undo() { if (past.length) replaceStrokes(past.pop()); }

  function drawn() {                           // ink in [0,1], row by row
    const rgba = inkPen.getImageData(0, 0, SIDE, SIDE).data, out = new Float32Array(SIDE * SIDE);
    for (let i = 0; i < out.length; i++) out[i] = rgba[4 * i + 3] / 255;
    return out;
  }

  return {strokes, drawn, redraw, clear, undo, canUndo: () => past.length > 0};
}

// Ctrl+Z takes the last step back, C clears. True if the key was one of them. Sliders and other inputs keep their keys
// to themselves. On a button C does nothing either, but Ctrl+Z does: whoever clicked Undo has the focus there.
function padKeys(event, clear, undo) {
  const key = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey, {target} = event;
  if (event.altKey || target.isContentEditable || target.closest?.('input, select, textarea')) return false;
  if (key === 'z' && control && !event.shiftKey) { event.preventDefault(); undo(); return true; }
  if (key === 'c' && !control && !target.closest?.('button')) { clear(); return true; }
  return false;
}

// A picture of 28x28 bytes or shares, as opaque as there is ink.
function showSeen(canvas, pixels, most) {
  const pen = canvas.getContext('2d'), image = pen.createImageData(28, 28);
  for (let i = 0; i < 784; i++) image.data.set([255, 255, 255, 255 * pixels[i] / most], 4 * i);
  pen.putImageData(image, 0, 0);
}

function percent(p) { return p > .9995 ? '>\u202f99.9\u202f%' : `${(100 * p).toFixed(1)}\u202f%`; }
