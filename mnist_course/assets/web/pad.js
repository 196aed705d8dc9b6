// A canvas to draw on, of the page and of the notebook's pad. Each stroke goes onto two canvases, one to look at and
// one for the models. `changed(resting)` is called after each change.
//
// A stroke is {kind, width, points}: its kind is 'pen' or 'eraser', its points are places [x, y]. An eraser's stroke
// stands in the same list, between those that it wiped over and those that came later, so undo needs to know nothing
// of it. Places are multiples of 1/8: a link then carries exactly what was drawn.
const SIDE = 140, GRID = 8;                    // side of the drawing in its own units, and the parts of a unit
const PEN = 11, ERASER = 24;                   // widths in the same units

function makePad(pad, changed) {
  const ink = document.createElement('canvas');
  const strokes = [], past = [];               // the strokes now, and as they were before each step that undo takes back
  const tool = {kind: 'pen', width: PEN};      // what the next stroke is drawn with
  ink.width = ink.height = SIDE;
  const inkPen = ink.getContext('2d', {willReadFrequently: true}), padPen = pad.getContext('2d');
  let style = getComputedStyle(pad), picture = null;

  // What an eraser does: for the models it takes ink away, on the pad it paints the ground.
  function drawLine({kind, width}, a, b) {
    const erases = kind === 'eraser';
    for (const [pen, side] of [[inkPen, SIDE], [padPen, pad.width]]) {
      pen.globalCompositeOperation = erases && pen === inkPen ? 'destination-out' : 'source-over';
      pen.lineCap = pen.lineJoin = 'round';
      pen.strokeStyle = pen === inkPen ? '#fff' : erases ? style.backgroundColor : style.color;
      pen.lineWidth = width * side / SIDE;
      pen.beginPath();
      pen.moveTo(a[0] * side / SIDE, a[1] * side / SIDE);
      pen.lineTo(b[0] * side / SIDE + .01, b[1] * side / SIDE);      // after a tap a and b are one, and a line without length leaves no dot
      pen.stroke();
    }
  }

  // The pad paints its own ground: saved, a picture of light ink on nothing would be a white page.
  function redraw() {
    const side = Math.round(pad.clientWidth * (window.devicePixelRatio || 1));
    if (side && pad.width !== side) pad.width = pad.height = side;
    style = getComputedStyle(pad);
    inkPen.clearRect(0, 0, SIDE, SIDE);
    padPen.globalCompositeOperation = 'source-over';
    padPen.fillStyle = style.backgroundColor;
    padPen.fillRect(0, 0, pad.width, pad.width);
    if (picture && !strokes.length) drawPicture();
    for (const stroke of strokes) stroke.points.forEach((p, i) => drawLine(stroke, stroke.points[Math.max(0, i - 1)], p));
  }

  // 28x28 numbers in [0,1] on the empty pad, until one draws. Nobody drew them, so `drawn` doesn't have them.
  function drawPicture() {
    const each = pad.width / 28;
    padPen.fillStyle = style.color;
    picture.forEach((v, i) => {
      const x = Math.round(i % 28 * each), y = Math.round(Math.floor(i / 28) * each);
      padPen.globalAlpha = v;
      padPen.fillRect(x, y, Math.round((i % 28 + 1) * each) - x, Math.round((Math.floor(i / 28) + 1) * each) - y);
    });
    padPen.globalAlpha = 1;
  }

  function showPicture(pixels) {               // what was drawn comes back by undo
    if (strokes.length) step([]);
    picture = pixels;
    redraw();
    changed(true);
  }

  function place(event) {
    const box = pad.getBoundingClientRect(), onGrid = v => Math.round(v * SIDE * GRID) / GRID;
    return [onGrid((event.clientX - box.left) / box.width), onGrid((event.clientY - box.top) / box.height)];
  }

  // One pointer draws, and a second finger does nothing. But whoever writes with a pen rests the hand: where a palm was
  // first, the pen drives it out, and what the palm drew goes with it. From then on the palm draws nothing on this drawing.
  let pointer = null;                          // {id, type} of the one that draws
  let penned = false, bare = null;             // is the drawing a pen's? and how many steps there were before the palm came
  const touching = new Set();                  // a palm comes in several pieces
  pad.addEventListener('pointerdown', event => {
    const turnedRound = event.button === 5 || (event.buttons & 32) > 0;      // a pen's other end, or its eraser button
    if (event.button > 0 && !turnedRound) return;
    const {pointerId: id, pointerType: type} = event;
    if (type === 'touch') touching.add(id);
    if (type === 'pen' && pointer?.type !== 'pen' && bare !== null) takeBack(bare);
    if (pointer || type === 'touch' && penned && strokes.length) return;
    penned = type === 'pen' || penned && strokes.length > 0;
    bare = type === 'touch' ? bare ?? past.length : null;
    pointer = {id, type};
    pad.setPointerCapture(pointer.id);
    const at = place(event), {kind, width} = turnedRound || tool.kind === 'eraser' ? {kind: 'eraser', width: ERASER} : tool;
    past.push([...strokes]);
    strokes.push({kind, width, points: [at]});
    if (picture) redraw(); else drawLine(strokes.at(-1), at, at);      // the first stroke hides a picture
    changed(false);
  });
  pad.addEventListener('pointermove', event => {
    if (event.pointerId !== pointer?.id) return;
    const stroke = strokes.at(-1), events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      const at = place(one);
      drawLine(stroke, stroke.points.at(-1), at);
      stroke.points.push(at);
    }
    changed(false);
  });
  for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'])
    pad.addEventListener(end, event => { touching.delete(event.pointerId); if (!touching.size) bare = null; });
  for (const end of ['pointerup', 'lostpointercapture'])
    pad.addEventListener(end, event => { if (event.pointerId === pointer?.id) { pointer = picture = null; changed(true); } });

  // The system has found that a touch was none: of a palm, say, or of a gesture that is its own.
  pad.addEventListener('pointercancel', event => {
    if (event.pointerId !== pointer?.id) return;
    takeBack();
    changed(true);
  });

  function takeBack(steps = past.length - 1) { // as if the stroke that is being drawn, or all after so many steps, had never begun
    if (steps < past.length) strokes.splice(0, strokes.length, ...past[steps]);
    past.length = Math.min(past.length, steps);
    pointer = null;
    redraw();
  }

  new ResizeObserver(redraw).observe(pad);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);

  function replaceStrokes(others) {
    strokes.splice(0, strokes.length, ...others);
    picture = pointer = null;
    redraw();
    changed(true);
  }

  function step(others) {                      // a change that undo takes back
    past.push([...strokes]);
    replaceStrokes(others);
  }

  function clear() { if (strokes.length) step([]); else if (picture) replaceStrokes([]); }
  function undo() { if (past.length) replaceStrokes(past.pop()); }

  function drawn() {                           // ink in [0,1], row by row
    const rgba = inkPen.getImageData(0, 0, SIDE, SIDE).data, out = new Float32Array(SIDE * SIDE);
    for (let i = 0, at = 3; i < out.length; i++, at += 4) if (rgba[at]) out[i] = rgba[at] / 255;
    return out;
  }

  return {strokes, tool, drawn, redraw, clear, undo, step, showPicture, shown: () => picture, canUndo: () => past.length > 0};
}

// Ctrl+Z takes the last step back, C clears. True if the key was one of them. Sliders and other inputs keep their keys
// to themselves. On a button C does nothing either, but Ctrl+Z does: whoever clicked Undo has the focus there.
function padKeys(event, clear, undo) {
  const key = event.key.toLowerCase(), control = event.ctrlKey || event.metaKey, {target} = event;
  if (event.altKey || target.isContentEditable || target.closest?.('input, select, textarea')) return false;
  if (key === 'z' && control && !event.shiftKey) { event.preventDefault(); undo(); return true; }
  if (key === 'c' && !control && !target.closest?.('button, [role=tab]')) { clear(); return true; }
  return false;
}

// A picture of 28x28 bytes or shares, white on black.
function showSeen(canvas, pixels, most) {
  const pen = canvas.getContext('2d'), image = pen.createImageData(28, 28);
  for (let i = 0; i < 784; i++) image.data.fill(Math.round(255 * pixels[i] / most), 4 * i, 4 * i + 3), image.data[4 * i + 3] = 255;
  pen.putImageData(image, 0, 0);
}

function percent(p) { return p > .9995 ? '>\u202f99.9\u202f%' : `${(100 * p).toFixed(1)}\u202f%`; }
