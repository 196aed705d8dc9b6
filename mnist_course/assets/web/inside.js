// "Look inside": the layers of one model, lit, and what becomes of its answers when one breaks it.
const whole = [], damage = [];                 // of each model: as it came, and what was done to it since
let which = 0, inspecting = 0;

function prepareInside() {
  for (const model of models) {
    whole.push(model);
    damage.push({noise: 0, seed: 1, silent: new Set()});
    addTag($('which'), 'option', {value: whole.length - 1}, model.name);
  }
  which = models.length - 1;
  $('which').value = which;
  $('which').addEventListener('change', () => { which = +$('which').value; pointed = null; showInside(); });
  $('noise').addEventListener('input', () => { damage[which].noise = $('noise').value / 100; breakIt(); });
  $('other-noise').addEventListener('click', () => { damage[which].seed++; breakIt(); });
  $('mend').addEventListener('click', () => { Object.assign(damage[which], {noise: 0, silent: new Set()}); breakIt(); });
  addEventListener('resize', () => { if (isOpen('inside')) showInside(); });
}

function isBroken(i) { return damage[i] && (damage[i].noise > 0 || damage[i].silent.size > 0); }

// Click or Enter on a unit: silent if it wasn't, and the other way round.
function silence(i, unit) {
  const owner = ownerOf(whole[which], i);
  if (owner < 0) return;
  const key = `${owner}.${channelOf(latest.all[which][i + 1], unit)}`, {silent} = damage[which];
  if (!silent.delete(key)) silent.add(key);
  breakIt();
}

function isSilent(i, unit) {
  const {silent} = damage[which], owner = silent.size ? ownerOf(whole[which], i) : -1;
  return owner >= 0 && silent.has(`${owner}.${channelOf(latest.all[which][i + 1], unit)}`);
}

function breakIt() {
  models[which] = isBroken(which) ? breakModel(whole[which], damage[which]) : whole[which];
  showDamage();
  answerSoon();
  compareSoon();
}

function showDamage() {
  const {noise, silent} = damage[which], text = `${Math.round(100 * noise)} %`;
  $('noise').value = 100 * noise;
  $('noise').setAttribute('aria-valuetext', `${text} of the spread of the weights`);
  $('noise-set').textContent = text;
  $('other-noise').disabled = !noise;
  $('mend').disabled = !isBroken(which);
}

// Another model, or another width of the page: the strips are made anew.
function showInside() {
  if (!latest.all.length) return;
  makeStrips($('layers'), models[which], latest.all[which], silence);
  showDamage();
  lightUp();
  showPointed();
  compareSoon();
}

// After each answer, if the view is open
function lightUp() {
  if (!isOpen('inside')) return;
  if (!strips.length) return showInside();
  paintStrips(latest.all[which], isSilent);
  if (pointed) showPointed();
}

function showPointed() {
  markPointed();
  if (!pointed) { $('unit').textContent = ''; return; }
  const {i, unit} = pointed, place = $('unit'), hadFocus = place.contains(document.activeElement);
  sayLater($('unit-said'), showSum(place, models[which], latest.all[which], pointed) + (isSilent(i, unit) ? ' It is silent.' : ''));
  if (ownerOf(whole[which], i) < 0) return;
  const button = addTag(place, 'button', {type: 'button'}, isSilent(i, unit) ? 'Let it speak again' : 'Silence this unit');
  button.addEventListener('click', () => silence(i, unit));
  if (hadFocus) button.focus();
}

// In words for a screen reader, once nobody points or draws any more
let saying = 0;
function sayLater(line, text) {
  clearTimeout(saying);
  saying = setTimeout(() => { if (line.textContent !== text) line.textContent = text; }, 400);
}

// Which answers turned: what the broken model reads in the drawing and in the real digits, beside the whole one.
function compareSoon() {
  clearTimeout(inspecting);
  inspecting = setTimeout(compare, 250);
}

async function compare() {
  const me = inspecting, i = which, place = $('turned'), isOff = () => me !== inspecting || i !== which;
  if (!isBroken(i)) { place.textContent = ''; return; }
  const digits = await readReal();
  whole[i].readings ??= await readAll(whole[i], digits, () => false);
  const before = whole[i].readings, after = await readAll(models[i], digits, isOff);
  if (!after) return;
  const right = readings => readings.filter((reading, j) => +reading === digits.labels[j]).length;
  const turned = before.map((reading, j) => j).filter(j => before[j] !== after[j]);
  place.textContent = '';
  const {silent, noise} = damage[i], done = [silent.size && `${silent.size} silent`, noise && `${Math.round(100 * noise)} % noise`].filter(Boolean).join(', ');
  addTag(place, 'h3', {}, `${done}: ${turned.length} of ${digits.n} real digits are read otherwise`);
  addTag(place, 'p', {class: 'note'}, `${right(after)} are read correctly, and ${right(before)} were before.`);
  const list = addTag(place, 'div', {class: 'gallery'});
  for (const j of turned.slice(0, 40)) {
    const button = digitButton(j, `${before[j]} → ${after[j]}`, `A ${digits.labels[j]}: read as ${before[j]} before, as ${after[j]} now`);
    button.addEventListener('click', () => pickReal(j));
    list.append(button);
  }
}
