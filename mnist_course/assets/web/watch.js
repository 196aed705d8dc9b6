// "Watch it learn": a model trains in the page (train.js) on the digits that ship in it (digits.js), a step at a time or
// running, and shows its loss, its weights as pictures, and how many digits it reads correctly.

// An element with attributes and content; `addTag` puts it below another one.
function makeTag(tag, attributes = {}, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...content);
  return element;
}
function addTag(parent, ...described) { return parent.appendChild(makeTag(...described)); }

// What never changes is built once: controls, curves, slider, and places for pictures and numbers.
function buildWatch(section, {models, rates, lr, epochs, learn, bs}, heldOut) {
  const parts = {}, many = n => n.toLocaleString('en');
  section.classList.add('watch');
  if (!section.hasAttribute('aria-labelledby')) section.setAttribute('aria-labelledby', 'watch-title');      // a tab may name it already
  section.textContent = '';
  addTag(section, 'h2', {id: 'watch-title'}, 'Watch it learn');
  addTag(section, 'p', {class: 'intro'}, `A model that knows nothing yet learns from ${many(learn)} digits, ${bs} in each step. Once it has seen all `
    + `of them, an epoch is over. ${many(heldOut)} other digits, which it never learns from, tell how good it is.`);

  const controls = addTag(section, 'div', {class: 'controls'}), kinds = addTag(controls, 'fieldset', {class: 'kinds', 'aria-label': 'Model'});
  parts.kinds = models.map(({name, sizes}, i) => {
    const label = addTag(kinds, 'label'), radio = addTag(label, 'input', {type: 'radio', name: 'watch-kind', value: i});
    addTag(label, 'span', {}, `${name} `, makeTag('small', {}, sizes.join('‑')));
    return radio;
  });
  const rate = addTag(controls, 'label', {class: 'rate'}, 'Learning rate ');
  parts.rate = addTag(rate, 'select');
  for (const r of rates) addTag(parts.rate, 'option', r === lr ? {value: r, selected: ''} : {value: r}, String(r));
  const buttons = addTag(controls, 'div', {class: 'watch-buttons'}), button = text => addTag(buttons, 'button', {type: 'button'}, text);
  [parts.run, parts.step, parts.reset] = ['Run', 'Step', 'Reset'].map(button);
  parts.status = addTag(section, 'p', {class: 'spoken', role: 'status', 'aria-live': 'polite'});

  const left = addTag(section, 'div', {class: 'column'}), right = addTag(section, 'div', {class: 'column'});
  const progress = addTag(left, 'div', {class: 'progress'}), curve = () => {
    const figure = addTag(progress, 'figure'), caption = addTag(figure, 'figcaption');
    return [caption, addTag(figure, 'canvas', {role: 'img'})];
  };
  [parts.lossText, parts.lossCurve] = curve();
  [parts.rightText, parts.rightCurve] = curve();
  const scrub = addTag(progress, 'div', {class: 'scrub'});
  parts.epoch = addTag(scrub, 'input', {type: 'range', id: 'watch-epoch', min: 0, max: epochs, step: 1, value: 0, disabled: ''});
  parts.epochText = makeTag('span', {'aria-hidden': 'true'});
  addTag(scrub, 'label', {for: 'watch-epoch'}, 'Look back: ', parts.epochText);

  const weights = addTag(right, 'div', {class: 'weights'});
  parts.weightsTitle = addTag(weights, 'h3');
  parts.weights = addTag(weights, 'div', {role: 'img'});
  parts.weightsText = addTag(weights, 'p', {class: 'note'});

  const batch = addTag(left, 'div', {class: 'batch'});
  addTag(batch, 'h3', {id: 'watch-batch'}, `The next ${bs} digits`);
  parts.batchText = addTag(batch, 'p');
  const choice = addTag(batch, 'div', {class: 'choice', role: 'radiogroup', 'aria-labelledby': 'watch-batch'});
  parts.batch = Array.from({length: bs}, (_, i) => {
    const label = addTag(choice, 'label'), radio = addTag(label, 'input', {type: 'radio', name: 'watch-digit', value: i});
    const picture = addTag(label, 'canvas', {width: 28, height: 28, 'aria-hidden': 'true'});
    return {label, radio, picture, mark: addTag(label, 'span', {'aria-hidden': 'true'})};
  });
  parts.batch[0].radio.checked = true;
  parts.story = addTag(batch, 'div', {class: 'story'});

  const one = addTag(right, 'div', {class: 'one'}), table = addTag(one, 'table');
  parts.oneTitle = addTag(table, 'caption');
  const head = addTag(addTag(table, 'thead'), 'tr'), body = addTag(table, 'tbody');
  for (const name of ['Digit', 'Score', 'Probability', 'Slope']) addTag(head, 'th', {scope: 'col'}, name);
  parts.rows = Array.from({length: 10}, (_, digit) => {
    const row = addTag(body, 'tr');
    addTag(row, 'th', {scope: 'row'}, String(digit));
    return {row, cells: [addTag(row, 'td'), addTag(row, 'td'), addTag(row, 'td')]};
  });
  return parts;
}

// Numbers as text, with a true minus sign.
function decimals(v, n = 2) {
  if (!Number.isFinite(v)) return 'no number';
  const text = Math.abs(v).toFixed(n);
  return v < 0 && +text ? `−${text}` : text;
}
function shareText(p) { return `${(100 * p).toFixed(1)}\u202f%`; }

// The page's colours as its style sheet has them at present, dark or light.
function watchColours() {
  const style = getComputedStyle(document.documentElement), get = name => style.getPropertyValue(name).trim();
  const numbers = name => get(name).split(',').map(Number);
  return {text: get('--text'), soft: get('--soft'), line: get('--line'), bar: get('--bar'), accent: get('--accent'), doubt: get('--doubt'),
    plus: numbers('--for'), minus: numbers('--against')};
}

// Weights as a picture: above 0 in the colour that speaks for something, below 0 in the other one.
function paintWeights(canvas, weights, most, {plus, minus}) {
  const pen = canvas.getContext('2d'), image = pen.createImageData(28, 28), {data} = image;
  for (let i = 0; i < 784; i++) {
    const [red, green, blue] = weights[i] > 0 ? plus : minus;
    data[4 * i] = red;
    data[4 * i + 1] = green;
    data[4 * i + 2] = blue;
    data[4 * i + 3] = 255 * Math.min(1, Math.abs(weights[i]) / most);
  }
  pen.putImageData(image, 0, 0);
}

// Curves over epochs. `lines` are {points: [[x, y], …], colour, width}; a thin upright line marks what is shown.
const CURVE = {left: 46, right: 10, top: 8, bottom: 22};
function drawCurves(canvas, colours, {lines, xMax, yMax, ticks, tickText, mark}) {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return;
  const size = [width, height].map(v => Math.round(v * ratio));
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const pen = canvas.getContext('2d'), {left, right, top, bottom} = CURVE;
  const x = v => left + v / xMax * (width - left - right), y = v => height - bottom - Math.min(v / yMax, 1) * (height - top - bottom);
  const line = (points, colour, thick) => {
    pen.beginPath();
    for (const [a, b] of points) pen.lineTo(x(a), y(b));
    pen.strokeStyle = colour;
    pen.lineWidth = thick;
    pen.lineJoin = 'round';
    pen.stroke();
  };
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = '12px system-ui, sans-serif';
  pen.fillStyle = colours.soft;
  pen.textBaseline = 'middle';
  for (const tick of ticks) {
    line([[0, tick], [xMax, tick]], colours.line, 1);
    pen.textAlign = 'right';
    pen.fillText(tickText(tick), left - 7, y(tick));
  }
  pen.textAlign = 'center';
  for (let tick = 0; x(tick) < x(xMax) - 60; tick += 5) pen.fillText(tick, x(tick), height - 8);      // 60: room for the last
  pen.textAlign = 'right';
  pen.fillText(`epoch ${xMax}`, x(xMax) + 6, height - 8);
  line([[mark, 0], [mark, yMax]], colours.text, 1);
  for (const {points, colour, width: thick} of lines) {
    const known = points.filter(([, v]) => Number.isFinite(v));
    line(known, colour, thick);
    if (known.length === 1) { pen.fillStyle = colour; pen.fillRect(x(known[0][0]) - 2, y(known[0][1]) - 2, 4, 4); }
  }
}

// The section itself. It comes back as a promise, since the digits have to be unpacked first.
async function makeWatch(section, data) {
  const digits = await unpackDigits(data.digits), {models, epochs, learn, bs, seed} = data;
  const parts = buildWatch(section, data, digits.n - learn);
  let kind = 0, training, running = false, lastStep = 0, chosen = 0, colours = watchColours();
  let lookedAt = null;                         // an epoch, or null for now

  const fewerMoves = matchMedia('(prefers-reduced-motion: reduce)');           // who wants that sees one change an epoch
  const done = () => training.losses.length >= epochs * training.perEpoch;
  const now = () => training.losses.length / training.perEpoch;
  const shownLayers = () => lookedAt === null ? training.layers : training.kept[lookedAt].layers;
  const mean = numbers => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  function say(text) { parts.status.textContent = text; }

  function reset() {
    training = makeTraining(digits, {sizes: models[kind].sizes, learn, bs, seed});
    running = false;
    lookedAt = null;
    buildWeights();
    show();
  }

  // Controls. Run takes about sixty steps a second, between the frames of the screen, so that the page can draw and answer;
  // where drawing is slow, a few steps a frame.
  function run() {
    if (done()) reset();
    running = true;
    lookedAt = null;
    lastStep = performance.now();
    show();
    requestAnimationFrame(frame);
  }
  function frame() {
    if (!running) return;
    if (section.hidden) return pause();        // nobody watches: the pad needs the time
    const time = performance.now(), due = Math.min(4, Math.round((time - lastStep) / 16)), epoch = training.kept.length;
    if (due) lastStep = time;
    for (let i = 0; i < due && !done(); i++) training.step(+parts.rate.value);
    if (done()) return pause();
    if (due && (!fewerMoves.matches || training.kept.length > epoch)) show();
    requestAnimationFrame(frame);
  }
  function pause() {
    if (!running) return;
    running = false;
    show();
    say(`${done() ? 'Done' : 'Paused'}. ${summary()}`);
  }
  function step() {
    running = false;
    lookedAt = null;
    training.step(+parts.rate.value);
    show();
    say(`Step ${training.losses.length}: the loss was ${decimals(training.losses.at(-1), 3)}.`);
  }
  function lookBack() {
    running = false;
    const epoch = +parts.epoch.value;
    lookedAt = epoch < now() ? epoch : null;
    show();
  }
  function summary() {
    const {held} = training.kept.at(-1), at = training.losses.length;
    if (!at) return 'Nothing learned yet.';
    return `Step ${at}, loss ${decimals(training.losses.at(-1), 3)}. After epoch ${training.kept.length - 1}, ${shareText(held)} of the other digits were read correctly.`;
  }

  parts.run.addEventListener('click', () => running ? pause() : run());
  parts.step.addEventListener('click', step);
  parts.reset.addEventListener('click', () => { reset(); say('Reset. Nothing learned yet.'); });
  parts.epoch.addEventListener('input', lookBack);
  parts.kinds.forEach((radio, i) => radio.addEventListener('change', () => { kind = i; reset(); say(`${models[i].name}. Nothing learned yet.`); }));
  parts.batch.forEach(({radio}, i) => radio.addEventListener('change', () => { chosen = i; show(); }));
  new ResizeObserver(() => { if (training) showCurves(); }).observe(parts.lossCurve);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { colours = watchColours(); show(); });

  // A picture for each row of the first layer's weights: a digit's, or a hidden unit's.
  let pictures = [];
  function buildWeights() {
    const {nOut} = training.layers[0], hidden = training.layers.length > 1;
    parts.weights.textContent = '';
    parts.weights.className = hidden ? 'pictures hidden' : 'pictures';
    pictures = Array.from({length: nOut}, (_, i) => {
      const box = addTag(parts.weights, 'div');
      return {picture: addTag(box, 'canvas', {width: 28, height: 28}), text: addTag(box, 'span', {}, hidden ? '' : String(i))};
    });
    const [plus, minus] = hidden ? ['wakes the unit up', 'keeps it quiet. Below it, the digit for which it speaks most'] : ['speaks for the digit', 'speaks against it'];
    parts.weightsText.replaceChildren(makeTag('span', {class: 'blue'}, 'Blue'), `: ink here ${plus}; `, makeTag('span', {class: 'orange'}, 'orange'), `: ink here ${minus}.`);
  }

  function showWeights(layers) {
    const [{weight}, last] = layers, most = Math.max(.05, .7 * weight.reduce((m, w) => Math.max(m, Math.abs(w)), 0));
    pictures.forEach(({picture, text}, i) => {
      paintWeights(picture, weight.subarray(784 * i, 784 * (i + 1)), most, colours);
      if (!last) return;
      const out = Array.from({length: last.nOut}, (_, digit) => last.weight[digit * last.nIn + i]);
      text.textContent = out.indexOf(Math.max(...out));
    });
    const what = last ? `The weights of its ${pictures.length} hidden units` : 'Its weights for each digit';
    parts.weightsTitle.textContent = weight.some(w => w !== 0) ? what : `${what}, all 0 so far`;
    parts.weights.setAttribute('aria-label', `${what}: ${pictures.length} pictures of 28 by 28 weights, ${timeText()}`);
  }

  function timeText() {
    if (lookedAt !== null) return lookedAt ? `after epoch ${lookedAt}` : 'before the first step';
    const at = training.losses.length;
    return !at ? 'before the first step' : at % training.perEpoch ? `now, after step ${at}` : `now, after epoch ${now()}`;
  }

  function showCurves() {
    const {losses, kept, perEpoch} = training, mark = lookedAt ?? now(), epochMeans = [];
    for (let e = 0; e < kept.length - 1; e++) epochMeans.push([e + .5, mean(losses.slice(e * perEpoch, (e + 1) * perEpoch))]);
    const yMax = Math.max(2.5, Math.ceil(losses.reduce((m, v) => v > m ? v : m, 0)));
    const ticks = [0, 1, 2].map(t => yMax > 3 ? t * Math.floor(yMax / 2) : t);
    drawCurves(parts.lossCurve, colours, {xMax: epochs, yMax, ticks, tickText: String, mark, lines: [
      {points: losses.map((v, i) => [i / perEpoch, v]), colour: colours.bar, width: 1},
      {points: epochMeans, colour: colours.accent, width: 2}]});
    drawCurves(parts.rightCurve, colours, {xMax: epochs, yMax: 1, ticks: [0, .5, 1], tickText: t => `${100 * t}\u202f%`, mark, lines: [
      {points: kept.map(({learned}, e) => [e, learned]), colour: colours.doubt, width: 1.5},
      {points: kept.map(({held}, e) => [e, held]), colour: colours.accent, width: 2}]});
  }

  // Figures: at the epoch looked at, or now.
  function showFigures() {
    const {losses, kept, perEpoch} = training, at = lookedAt ?? kept.length - 1, {learned, held} = kept[at];
    const steps = lookedAt === null ? losses.length : lookedAt * perEpoch, loss = losses[steps - 1];
    parts.lossText.replaceChildren('Loss of each batch', ...steps ? [', ', makeTag('b', {}, decimals(loss, 3)), ` in step ${steps}`] : []);
    parts.rightText.replaceChildren(`Read correctly, ${at ? `after epoch ${at}` : 'before the first step'}: `, makeTag('b', {class: 'held'}, shareText(held)),
      ' of the other digits, ', makeTag('b', {class: 'learned'}, shareText(learned)), ' of those it learns from');
    parts.lossCurve.setAttribute('aria-label', steps ? `Curve of the loss over ${losses.length} steps, from ${decimals(losses[0], 2)} to ${decimals(losses.at(-1), 2)}`
      : 'Curve of the loss, still empty');
    parts.rightCurve.setAttribute('aria-label', `Curves of the share read correctly over ${kept.length - 1} epochs: other digits ${shareText(kept[0].held)} to `
      + `${shareText(kept.at(-1).held)}, those it learns from ${shareText(kept[0].learned)} to ${shareText(kept.at(-1).learned)}`);
    parts.epoch.disabled = kept.length < 2;
    parts.epoch.value = lookedAt ?? Math.ceil(now());
    parts.epochText.textContent = timeText();
    parts.epoch.setAttribute('aria-valuetext', `${timeText()}, ${shareText(held)} of the other digits read correctly`);
    parts.run.textContent = running ? 'Pause' : done() ? 'Run again' : 'Run';
    parts.step.disabled = done();
  }

  let painted = null;                          // the batch whose pictures are on the page

  // The batch that the next step learns from, as the weights shown read it.
  function showBatch(layers) {
    const {x, y, places} = training.batch(), scores = forwardLayers(x, layers).at(-1), read = readDigits(scores);
    const right = read.filter((digit, i) => digit === y[i]).length;
    parts.batch.forEach(({label, radio, picture, mark}, i) => {
      if (places !== painted) showSeen(picture, pictureOf(digits, places[i]), 255);
      const good = read[i] === y[i];
      label.className = good ? 'good' : 'wrong';
      mark.textContent = good ? '✓' : read[i];
      radio.setAttribute('aria-label', good ? `a ${y[i]}, read correctly` : `a ${y[i]}, read as ${read[i]}`);
    });
    painted = places;
    const reads = lookedAt === null ? 'It reads' : 'Then it read', loss = decimals(crossEntropy(scores, y), 3);
    parts.batchText.textContent = `${reads} ${right} of ${bs} correctly, with a loss of ${loss}. Choose one:`;
    showOne(scores.subarray(10 * chosen, 10 * (chosen + 1)), y[chosen], layers);
  }

  // One picture of it in numbers: score, probability, loss and slope.
  function showOne(scores, label, layers) {
    const probs = softmaxRows(scores), slopes = crossEntropyBackward(probs, [label]), read = probs.indexOf(Math.max(...probs));
    parts.oneTitle.textContent = `This ${label} in numbers`;
    parts.rows.forEach(({row, cells: [score, prob, slope]}, digit) => {
      row.className = digit === label ? 'right' : digit === read ? 'read' : '';
      score.textContent = decimals(scores[digit]);
      prob.textContent = decimals(probs[digit], 3);
      prob.style.setProperty('--p', probs[digit].toFixed(4));
      slope.textContent = decimals(slopes[digit], 3);
    });
    const [what, input] = layers.length > 1 ? ['what the hidden units say', 'input'] : ['pixels', 'pixel'], p = decimals(probs[label], 3);
    const lines = [`Each score is a weighted sum of ${what}, plus a bias. Softmax makes ten probabilities of the scores, 1 in sum.`,
      `The loss asks for the right digit alone: −log ${p} = ${decimals(crossEntropy(scores, [label]), 3)}.`,
      `Its slope for a score is the probability, less 1 for the right digit: ${p} − 1 = ${decimals(slopes[label], 3)}. `
      + `A step takes learning rate times slope times ${input} off each weight, averaged over the ${bs} digits. `
      + `So the score of the ${label} rises, and the others fall.`];
    parts.story.replaceChildren();
    for (const line of lines) addTag(parts.story, 'p', {}, line);
  }

  function show() {
    const layers = shownLayers();
    showCurves();
    showFigures();
    showWeights(layers);
    showBatch(layers);
  }

  parts.kinds[0].checked = true;
  reset();
  return {run, pause, step, reset, show, training: () => training};
}
