// Digits of MNIST's to choose from, the hard ones first.
let realDigits = null;                         // {n, images, labels, readings} once they are unpacked

// Unpacked when they are first asked for. `readings` has a figure for each model that ships: what it reads.
async function readReal() {
  const packed = JSON.parse($('real-digits').textContent);
  realDigits ??= {...await unpackDigits(packed), readings: packed.readings};
  return realDigits;
}

function realPicture(i) { return Float32Array.from(pictureOf(realDigits, i), v => v / 255); }

// A button with a digit on it; `below` stands under the picture, `label` is what it is called.
function digitButton(i, below, label) {
  const button = document.createElement('button'), picture = addTag(button, 'canvas', {width: 28, height: 28, 'aria-hidden': 'true'});
  button.type = 'button';
  button.className = 'real';
  button.setAttribute('aria-label', label);
  addTag(button, 'span', {'aria-hidden': 'true'}, below);
  showSeen(picture, pictureOf(realDigits, i), 255);
  return button;
}

async function showGallery(place, choose) {
  const {n, labels, readings} = await readReal();
  for (let i = 0; i < n; i++) {
    const wrong = [...readings[i]].filter(reading => +reading !== labels[i]).length;
    const known = wrong ? `read wrong by ${wrong} of ${readings[i].length} models` : 'read correctly by all models';
    const button = digitButton(i, wrong ? `${labels[i]} · ${wrong} wrong` : labels[i], `A ${labels[i]}, ${known}`);
    button.addEventListener('click', () => choose(i));
    button.setAttribute('aria-pressed', 'false');
    place.append(button);
  }
}

// Which one is the input now; none if -1.
function markChosen(place, chosen) {
  [...place.children].forEach((button, i) => button.setAttribute('aria-pressed', i === chosen));
}
