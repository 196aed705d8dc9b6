// The page: strokes, what the models see, and their answers.
const $ = id => document.getElementById(id);
let models = [], rows = [], due = false, speak = 0;

const {strokes, drawn, redraw, clear, undo, canUndo} = makePad($('pad'), answerSoon);
$('clear').addEventListener('click', clear);
$('undo').addEventListener('click', undo);
addEventListener('keydown', event => padKeys(event, clear, undo));
addEventListener('resize', redraw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', answerSoon);

// Sliders: what they are set to, in words and in numbers
const sliders = ['right', 'down', 'turn', 'size'].map($);
const units = {right: v => `${v} px`, down: v => `${v} px`, turn: v => `${v}°`, size: v => `${v} %`};
function settings() { return Object.fromEntries(sliders.map(s => [s.id, +s.value])); }
function showSettings() {
  for (const s of sliders) {
    const text = units[s.id](s.value);
    s.nextElementSibling.textContent = text.replace('-', '−');
    s.setAttribute('aria-valuetext', text);
  }
  $('reset').disabled = sliders.every(s => s.value === s.defaultValue) && $('prepare').checked;
}
for (const s of [...sliders, $('prepare')]) s.addEventListener('input', () => { showSettings(); answerSoon(); });
$('reset').addEventListener('click', () => {
  for (const s of sliders) s.value = s.defaultValue;
  $('prepare').checked = true;
  showSettings();
  answerSoon();
});

// From the drawing to 28x28 numbers in [0,1]
function modelInput() {
  const grey = drawn();
  const small = $('prepare').checked ? prepare(grey, SIDE, SIDE) : resize(grey, SIDE, SIDE, 28, 28);
  const {right, down, turn, size} = settings();
  return right || down || turn || size !== 100 ? warp(small, right, down, turn, size / 100) : small;
}

// A picture moved, turned and resized about its middle; a new pixel mixes the four old ones around its place.
function warp(image, right, down, turn, size) {
  const out = new Float32Array(784), cos = Math.cos(turn * Math.PI / 180) / size, sin = Math.sin(turn * Math.PI / 180) / size;
  const at = (y, x) => y < 0 || x < 0 || y > 27 || x > 27 ? 0 : image[28 * y + x];
  for (let y = 0; y < 28; y++) for (let x = 0; x < 28; x++) {
    const dy = y - 13.5 - down, dx = x - 13.5 - right;
    const v = 13.5 + cos * dy - sin * dx, u = 13.5 + sin * dy + cos * dx;
    const y0 = Math.floor(v), x0 = Math.floor(u), b = v - y0, a = u - x0;
    out[28 * y + x] = (1 - b) * ((1 - a) * at(y0, x0) + a * at(y0, x0 + 1)) + b * ((1 - a) * at(y0 + 1, x0) + a * at(y0 + 1, x0 + 1));
  }
  return out;
}

// Pictures of "why"
function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).split(',').map(Number); }

function paint(canvas, width, height, value) {          // value(x, y) in [-1,1]: above 0 speaks for, below against
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const pen = canvas.getContext('2d'), image = pen.createImageData(width, height), [plus, minus] = whyColours;
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const v = value(x, y), i = 4 * (y * width + x), c = v > 0 ? plus : minus;
    image.data.set([c[0], c[1], c[2], Math.min(255, Math.abs(v) * 255)], i);
  }
  pen.putImageData(image, 0, 0);
}
let whyColours = [[0, 0, 0], [0, 0, 0]];

function drawWhy(canvas, model, outs, winner, empty) {
  const first = model.layers.findIndex(layer => layer.weight), {weight} = model.layers[first] ?? {};
  if (empty || !weight) return paint(canvas, 28, 28, () => 0);
  const last = model.layers.findLastIndex(layer => layer.weight);
  if (first === last && weight.shape.length === 2 && weight.shape[1] === 784) {            // a linear model
    const n = weight.shape[0], x = outs[first].data, why = new Float32Array(784);
    for (let i = 0; i < 784; i++) {
      if (n === 1) { why[i] = (winner ? 1 : -1) * weight.data[i] * x[i]; continue; }
      let mean = 0;
      for (let o = 0; o < n; o++) mean += weight.data[784 * o + i] / n;
      why[i] = (weight.data[784 * winner + i] - mean) * x[i];
    }
    const top = why.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-9);
    return paint(canvas, 28, 28, (x, y) => why[28 * y + x] / top);
  }
  const next = model.layers.findIndex((layer, i) => i > first && layer.weight);
  const bend = model.layers.findIndex((layer, i) => i > first && (next < 0 || i < next) && ['relu', 'softmax'].includes(layer.kind));
  const {shape, data} = outs[1 + (bend < 0 ? first : bend)];                                // a network's first layer
  const [n, h, w] = shape.length === 3 ? shape : [shape[0], 1, 1];
  const cols = Math.ceil(Math.sqrt(n)), gap = h > 1 ? 1 : 0;
  const top = data.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-9);
  paint(canvas, cols * (w + gap) - gap, Math.ceil(n / cols) * (h + gap) - gap, (x, y) => {
    const col = Math.floor(x / (w + gap)), row = Math.floor(y / (h + gap)), px = x - col * (w + gap), py = y - row * (h + gap), o = row * cols + col;
    return px < w && py < h && o < n ? data[(o * h + py) * w + px] / top : 0;
  });
}

// Answers
function makeRow(model) {
  const row = document.createElement('li');
  row.className = 'rung';
  const add = (parent, tag, name, text = '') => {
    const one = document.createElement(tag);
    one.className = name;
    one.textContent = text;
    return parent.appendChild(one);
  };
  add(add(row, 'div', 'name', model.name), 'span', 'note', model.note);
  const digit = add(row, 'div', 'digit'), best = add(digit, 'b', ''), sure = add(digit, 'span', '');
  const bars = add(row, 'div', 'bars');
  bars.setAttribute('aria-hidden', 'true');
  const each = model.classes.map(c => { const bar = add(bars, 'div', 'bar'); bar.append(document.createElement('i'), c); return bar; });
  const why = add(row, 'canvas', 'why');
  why.setAttribute('aria-hidden', 'true');
  $('rungs').append(row);
  return {row, best, sure, bars: each, why};
}

function showRow({row, best, sure, bars, why}, model, outs, verdict, empty) {
  const probs = outs.at(-1).data, winner = argmax(probs);
  best.textContent = empty ? '' : model.classes[winner];
  sure.textContent = empty ? '' : percent(probs[winner]);
  row.classList.toggle('other', !empty && String(model.classes[winner]) !== verdict);
  bars.forEach((bar, i) => {
    bar.classList.toggle('top', !empty && i === winner);
    bar.firstChild.style.setProperty('--p', empty ? 0 : probs[i].toFixed(4));
  });
  drawWhy(why, model, outs, winner, empty);
}

// All answers to one picture; the last model has the last word.
function answerAll(image) { return models.map(model => forward(model, image)); }

function argmax(probs) { return probs.indexOf(Math.max(...probs)); }

// The class that a model gives the greatest probability, as text.
function winnerOf(model, outs) { return String(model.classes[argmax(outs.at(-1).data)]); }

// To a picture without ink there is no answer: nothing is drawn, or no more than a speck.
function answer() {
  due = false;
  $('undo').disabled = !canUndo();
  $('clear').disabled = !strokes.length;
  if (!models.length) return;
  const start = performance.now();
  const image = strokes.length ? modelInput() : new Float32Array(784), all = answerAll(image);
  const took = performance.now() - start, empty = !image.some(v => v > 0);
  const last = models.at(-1), verdict = winnerOf(last, all.at(-1)), sure = Math.max(...all.at(-1).at(-1).data);
  whyColours = [colour('--for'), colour('--against')];
  models.forEach((model, i) => showRow(rows[i], model, all[i], verdict, empty));
  showSeen($('seen'), image, 1);
  $('time').textContent = empty ? '' : `All answers took ${took.toFixed(1)} ms.`;
  const agree = all.filter((outs, i) => winnerOf(models[i], outs) === verdict).length;
  say(empty ? null : [last.name, verdict, percent(sure), agree]);
}

// The result in words. A screen reader would hear every change, so it waits until the pen rests.
function say(found) {
  clearTimeout(speak);
  speak = setTimeout(() => {
    const line = $('verdict');
    line.textContent = '';
    if (!found) return line.append('Draw something.');
    const [name, digit, sure, agree] = found, bold = document.createElement('b');
    bold.textContent = digit;
    const rest = agree === models.length ? 'All agree.' : `${models.length - agree} of ${models.length} see something else.`;
    line.append(`${name} reads `, bold, `, ${sure}. `, models.length > 1 ? rest : '');
  }, 150);
}

function answerSoon() {
  if (due) return;
  due = true;
  requestAnimationFrame(answer);
}

// First the page, then the models: reading them takes some milliseconds that nobody should wait for.
function load() {
  models = JSON.parse($('models').textContent).map(readModel);
  rows = models.map(makeRow);
  answerSoon();
  warmUp(30);
}

// A browser compiles what has run a few times: better now than under the first stroke.
function warmUp(rounds) {
  answerAll(Float32Array.from({length: 784}, (_, i) => i % 5 ? 0 : .5));
  if (rounds > 1) setTimeout(warmUp, 0, rounds - 1);
}
showSettings();
redraw();
addEventListener('DOMContentLoaded', () => requestAnimationFrame(() => setTimeout(load)));
