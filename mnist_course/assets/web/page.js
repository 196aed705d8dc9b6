// The page: strokes, what the models see, and their answers.
const $ = id => document.getElementById(id);
let models = [], rows = [], due = false, speak = 0, chosen = -1;
let latest = {image: new Float32Array(784), all: []};      // the last picture, and what came out of each layer of each model

const {strokes, tool, drawn, redraw, clear, undo, step, showPicture, shown, canUndo} = makePad($('pad'), answerSoon);
$('clear').addEventListener('click', clear);
$('undo').addEventListener('click', undo);
addEventListener('keydown', event => padKeys(event, clear, undo));
addEventListener('resize', redraw);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', answerSoon);

const TOOLS = {thin: {kind: 'pen', width: 6}, medium: {kind: 'pen', width: PEN}, wide: {kind: 'pen', width: 18}, eraser: {kind: 'eraser', width: ERASER}};
$('tools').addEventListener('change', event => Object.assign(tool, TOOLS[event.target.value]));
Object.assign(tool, TOOLS[document.querySelector('[name=tool]:checked').value]);        // a browser may remember what was chosen

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

// From the drawing to 28x28 numbers in [0,1]; a real digit needs no preparing.
function modelInput() {
  const {right, down, turn, size} = settings(), picture = strokes.length ? null : shown();
  let small = picture;
  if (!picture) {
    const grey = drawn();
    small = $('prepare').checked ? prepare(grey, SIDE, SIDE) : resize(grey, SIDE, SIDE, 28, 28);
  }
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

// Answers
function makeRow(model) {
  const row = addTag($('rungs'), 'li', {class: 'rung'}), name = addTag(row, 'div', {class: 'name'}, model.name);
  addTag(name, 'span', {class: 'note'}, model.note);
  const took = addTag(name, 'span', {class: 'took'}), digit = addTag(row, 'div', {class: 'digit'});
  const best = addTag(digit, 'b'), sure = addTag(digit, 'span'), bars = addTag(row, 'div', {class: 'bars', 'aria-hidden': 'true'});
  const each = model.classes.map(c => { const bar = addTag(bars, 'div', {class: 'bar', title: c}); addTag(bar, 'i'); bar.append(c); return bar; });
  row.classList.toggle('words', model.classes.some(c => String(c).length > 2));
  row.classList.toggle('many', model.classes.length > 12);
  return {row, took, best, sure, bars: each, why: addTag(row, 'canvas', {class: 'why', 'aria-hidden': 'true'}), times: []};
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

// All answers to one picture; the last model has the last word. `took(i, ms)` is told how long each needed.
function answerAll(image, took = () => {}) {
  return models.map((model, i) => {
    const start = performance.now(), outs = forward(model, image);
    took(i, performance.now() - start);
    return outs;
  });
}

function argmax(probs) { return probs.indexOf(Math.max(...probs)); }

// The class that a model gives the greatest probability, as text.
function winnerOf(model, outs) { return String(model.classes[argmax(outs.at(-1).data)]); }

// A browser's clock ticks too rarely for one answer of some models: so the mean of the last thirty.
function addTime({times}, ms) {
  times.push(ms);
  if (times.length > 30) times.shift();
}

// To a picture without ink there is no answer: nothing is drawn, or no more than a speck.
function answer() {
  due = false;
  const picture = strokes.length ? null : shown();
  $('undo').disabled = !canUndo();
  $('clear').disabled = !strokes.length && !picture;
  $('save').disabled = $('clear').disabled;
  $('copy').disabled = !strokes.length;
  if (!models.length) return;
  const start = performance.now();
  const image = strokes.length || picture ? modelInput() : new Float32Array(784), empty = !image.some(v => v > 0);
  const all = answerAll(image, (i, ms) => { if (!empty) addTime(rows[i], ms); });
  const took = performance.now() - start, last = models.at(-1), verdict = winnerOf(last, all.at(-1)), sure = Math.max(...all.at(-1).at(-1).data);
  latest = {image, all};
  readColours();
  if (isOpen('answers')) models.forEach((model, i) => showRow(rows[i], model, all[i], verdict, empty));
  lightUp();
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
    markChosen($('gallery'), chosenNow());
    if (!found) return line.append('Draw something.');
    const [name, digit, sure, agree] = found, label = chosenNow() < 0 ? '' : `This is a ${realDigits.labels[chosen]}. `;
    const others = models.length - agree, rest = others ? `${others} of ${models.length} ${others > 1 ? 'see' : 'sees'} something else.` : 'All agree.';
    line.append(label, `${name} reads `, bold(digit), `, ${sure}. `, models.length > 1 ? rest : '');
    const number = readNumber();
    if (number.length > 1) line.append(` As ${number.length} digits: `, bold(number.join('')), '.');
    rows.forEach(({row, took, times}, i) => {
      took.textContent = `${(times.reduce((a, b) => a + b, 0) / times.length).toFixed(2)} ms`;
      row.classList.toggle('broken', Boolean(isBroken(i)));
    });
  }, 150);
}

function bold(text) {
  const b = document.createElement('b');
  b.textContent = text;
  return b;
}

// The digits of the drawing, left to right, as the last model reads them; with one digit there is nothing to split.
function readNumber() {
  if (!strokes.length || !$('prepare').checked) return [];
  const digits = splitDigits(drawn(), SIDE, SIDE);
  return digits.length < 2 ? [] : digits.map(digit => winnerOf(models.at(-1), forward(models.at(-1), digit)));
}

function answerSoon() {
  if (due) return;
  due = true;
  requestAnimationFrame(answer);
}

// Views
function isOpen(view) { return !$(view).hidden; }

let watching = false;
makeTabs($('tabs'), view => {
  $('main').classList.toggle('full', view === 'watch');
  if (view === 'inside' && models.length) showInside();
  if (view === 'real' && !$('gallery').childElementCount) showGallery($('gallery'), pickReal).then(() => markChosen($('gallery'), chosenNow()));
  if (view === 'watch' && !watching) {
    watching = true;
    makeWatch($('watch'), JSON.parse($('digits').textContent));
  }
  redraw();
  answerSoon();
});

// A real digit as the input, until one draws.
function pickReal(i) {
  chosen = i;
  showPicture(realPicture(i));
}

function chosenNow() { return shown() && !strokes.length ? chosen : -1; }

// Save, and the link
$('save').addEventListener('click', () => {
  saveCanvas($('pad'), 'drawing.png');
  saveCanvas($('seen'), '28x28.png');
});

function tell(text) { $('told').textContent = text; }

$('copy').addEventListener('click', async () => {
  const hash = packLink(strokes, settings(), $('prepare').checked);
  if (hash.length > LONGEST) return tell('This drawing is too long for a link. A simpler one fits.');
  history.replaceState(null, '', `#${hash}`);
  tell(await copyText(location.href) ? 'Copied: the link carries your drawing.' : 'The address of this page now carries your drawing: copy it from there.');
});

function openLink() {
  const hash = location.hash.slice(1);
  if (!hash) return;
  const found = unpackLink(hash);
  if (!found) return tell('This link carries no drawing that can be read; it may have been cut short. Nothing of yours is lost.');
  tell('');
  for (const s of sliders) s.value = found.settings[s.id];
  $('prepare').checked = found.prepared;
  showSettings();
  step(found.strokes);
}
addEventListener('hashchange', openLink);

// First the page, then the models: reading them takes some milliseconds that nobody should wait for.
function load() {
  models = JSON.parse($('models').textContent).map(readModel);
  rows = models.map(makeRow);
  prepareInside();
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
openLink();
addEventListener('DOMContentLoaded', () => requestAnimationFrame(() => setTimeout(load)));
