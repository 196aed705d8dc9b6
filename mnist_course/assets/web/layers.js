// Every layer of a model, lit: one strip for each, and the sum behind the number that one points at.
let strips = [], pointed = null;               // pointed: {i, unit}, the layer and the place in what it gave

// Layers that only put the same numbers in another order, or leave them alone, have nothing to show.
function isShown({kind, mean = 0, std = 1}) { return KINDS[kind] && !(kind === 'pixels' && mean === 0 && std === 1); }

function stripTitle(layer, out) {
  const {kind, weight, size} = layer, [n, h, w] = out.shape;
  if (kind === 'conv') return [`Convolution`, `${n} kernels of ${weight.shape[2]}×${weight.shape[3]}`];
  if (kind === 'max_pool') return [`Largest of ${size}×${size}`, `${n} maps of ${h}×${w}`];
  if (kind === 'linear') return ['Weighted sums', `${n} of ${weight.shape[1]} numbers each`];
  return [KINDS[kind], out.shape.length < 3 ? `${n} numbers` : `${n} maps of ${h}×${w}`];
}

// How large a number of a layer is shown, and how many maps stand side by side, in a place that is `room` pixels wide.
function stripSize({shape}, room) {
  const [n, h, w] = shape.length === 3 ? shape : [shape[0], 1, 1], gap = h > 1 ? 1 : 0;
  const zoom = h === 1 ? (n > 16 ? 8 : 24) : w > 28 ? 1 : w > 8 ? 2 : w > 4 ? 3 : 4;
  const fit = Math.max(1, Math.floor((room + gap * zoom) / ((w + gap) * zoom))), rows = Math.ceil(n / fit);
  return {zoom, cols: Math.ceil(n / rows)};
}

function makeStrips(place, model, outs, silence) {
  place.textContent = '';
  const room = Math.max(260, (place.clientWidth || 690) - (place.clientWidth > 560 ? 180 : 0));
  strips = model.layers.map((layer, i) => ({layer, i})).filter(({layer}) => isShown(layer)).map(({layer, i}) => {
    const out = outs[i + 1], {zoom, cols} = stripSize(out, room), tiles = tile(out, cols), [title, note] = stripTitle(layer, out);
    const row = addTag(place, 'div', {class: 'strip'}), name = addTag(row, 'div', {class: 'strip-name'}, title);
    addTag(name, 'span', {class: 'note'}, note);
    const frame = addTag(row, 'div', {class: 'strip-frame'});
    const canvas = addTag(frame, 'canvas', {tabindex: 0, role: 'application', 'aria-roledescription': 'layer',
      'aria-label': `${title}, ${note}. Arrow keys go from number to number, Enter silences a unit.`});
    const mark = addTag(frame, 'i', {class: 'mark', hidden: ''});
    canvas.style.width = `${tiles.width * zoom}px`;
    canvas.style.height = `${tiles.height * zoom}px`;
    const strip = {i, layer, canvas, mark, tiles, zoom, cols};
    listen(strip, silence);
    return strip;
  });
}

// Mouse, finger and keys all do the same: they point at a number; a click or Enter silences what it belongs to.
function listen(strip, silence) {
  const {canvas, tiles, i} = strip;
  const under = event => {
    const box = canvas.getBoundingClientRect();
    return numberAt(tiles, Math.floor((event.clientX - box.left) / box.width * tiles.width), Math.floor((event.clientY - box.top) / box.height * tiles.height));
  };
  for (const kind of ['pointermove', 'pointerdown']) canvas.addEventListener(kind, event => pointAt(i, under(event)));
  canvas.addEventListener('click', event => {            // a finger can't point without tapping: it silences by the button
    const unit = under(event);
    if (unit >= 0 && event.pointerType !== 'touch') silence(i, unit);
  });
  canvas.addEventListener('focus', () => { if (pointed?.i !== i && canvas.matches(':focus-visible')) pointAt(i, 0); });
  canvas.addEventListener('keydown', event => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const unit = pointed?.i === i ? pointed.unit : 0, [x, y] = placeOf(tiles, unit);
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); return silence(i, unit); }
    const [dx, dy] = {ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1]}[event.key] ?? [0, 0];
    if (!dx && !dy) return;
    event.preventDefault();
    for (let step = 1; step < 3; step++) {               // over the gap between two maps
      const to = [x + step * dx, y + step * dy];
      if (to.some(v => v < 0) || to[0] >= tiles.width || to[1] >= tiles.height) return;
      const found = numberAt(tiles, ...to);
      if (found >= 0) return pointAt(i, found);
    }
  });
}

function pointAt(i, unit) {
  if (unit < 0 || (pointed?.i === i && pointed.unit === unit)) return;
  pointed = {i, unit};
  showPointed();
}

// Painted while one draws.
function paintStrips(outs, isSilent) {
  for (const {i, canvas, tiles, cols} of strips) {
    paintMaps(canvas, outs[i + 1], cols);
    const pen = canvas.getContext('2d');
    pen.fillStyle = getComputedStyle(canvas).color;
    for (let map = 0; map < tiles.n; map++) if (isSilent(i, map * tiles.h * tiles.w)) {
      const [x, y] = placeOf(tiles, map * tiles.h * tiles.w), side = Math.min(tiles.w, tiles.h);
      for (let d = 0; d < side; d++) { pen.fillRect(x + d, y + d, 1, 1); pen.fillRect(x + side - 1 - d, y + d, 1, 1); }
    }
  }
}

function markPointed() {
  for (const {i, mark, tiles, zoom} of strips) {
    mark.hidden = pointed?.i !== i;
    if (mark.hidden) continue;
    const [x, y] = placeOf(tiles, pointed.unit);
    Object.assign(mark.style, {left: `${x * zoom - 2}px`, top: `${y * zoom - 2}px`, width: `${zoom + 4}px`, height: `${zoom + 4}px`});
  }
}

// The sum: in words, as three pictures, and the products that count most. Returns the words.
function showSum(place, model, outs, {i, unit}) {
  const layer = model.layers[i], out = outs[i + 1], sum = explain(model, outs, i, unit), n = shortNumber;
  place.textContent = '';
  const title = `${KINDS[layer.kind]}: ${unitName(out, unit)}`, words = sumInWords(layer, sum, unit);
  addTag(place, 'h3', {}, title);
  addTag(place, 'p', {}, words);
  if (!sum.terms) return `${title}. ${words}`;
  const {terms, bias, result} = sum, products = terms.map(t => t.value * t.weight), row = addTag(place, 'div', {class: 'sum'});
  const shape = layer.kind === 'conv' ? [outs[i].shape[0], ...layer.weight.shape.slice(2)] : squareOf(terms.length);
  for (const [name, data] of [['inputs', terms.map(t => t.value)], ['× weights', terms.map(t => t.weight)], ['= products', products]]) {
    const figure = addTag(row, 'figure'), canvas = addTag(figure, 'canvas', {'aria-hidden': 'true'});
    paintMaps(canvas, {shape, data});
    addTag(figure, 'figcaption', {'aria-hidden': 'true'}, name);
  }
  const order = products.map((p, j) => j).filter(j => products[j] !== 0).sort((a, b) => Math.abs(products[b]) - Math.abs(products[a]));
  const first = order.slice(0, 6), rest = order.slice(6).reduce((s, j) => s + products[j], 0), table = addTag(row, 'table');
  const line = (...cells) => { const tr = addTag(table, 'tr'); cells.forEach((cell, k) => addTag(tr, k ? 'td' : 'th', k ? {} : {scope: 'row'}, cell)); };
  for (const j of first) line(unitName(outs[i], terms[j].at), `${n(terms[j].value)} × ${n(terms[j].weight)}`, n(products[j]));
  if (order.length > 6) line(`${order.length - 6} more`, '', n(rest));
  line('bias', '', n(bias));
  line('sum', '', n(result));
  return `${title}. ${words}`;
}

// A list of numbers as a picture: a square where it fills one.
function squareOf(n) {
  const side = Math.round(Math.sqrt(n));
  return side * side === n ? [1, side, side] : [n];
}
