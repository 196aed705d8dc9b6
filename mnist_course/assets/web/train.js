// Training in the page: lessons 04 to 08 for a batch of n pictures. Numbers lie in Float32Arrays, row by row.
// A layer is {nIn, nOut, weight, bias}: `weight` has a row of nIn numbers for each of its nOut outputs, as in PyTorch.

// Random numbers in [0,1), the same in Python: whole numbers of 32 bits, stirred (the recipe is known as mulberry32).
function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6D2B79F5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

// The numbers 0 to n-1 in random order: from the last place down, each changes places with one before it or with itself.
function shuffled(n, random) {
  const order = Uint32Array.from({length: n}, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

// Layers for sizes such as [784, 30, 10]. A single layer can begin with zeros. Hidden units that began alike would stay
// alike, so with them all is random, in the range that PyTorch's nn.Linear takes: up to 1/sqrt(nIn).
function firstLayers(sizes, random) {
  return sizes.slice(1).map((nOut, i) => {
    const nIn = sizes[i], most = sizes.length > 2 ? 1 / Math.sqrt(nIn) : 0;
    const draw = n => Float32Array.from({length: n}, () => most && most * (2 * random() - 1));
    return {nIn, nOut, weight: draw(nIn * nOut), bias: draw(nOut)};
  });
}

function copyLayers(layers) {
  return layers.map(layer => ({...layer, weight: layer.weight.slice(), bias: layer.bias.slice()}));
}

// Each output is a weighted sum of the inputs, plus a bias. Inputs that are 0 add nothing and are passed over.
function linearForward(x, {nIn, nOut, weight, bias}) {
  const n = x.length / nIn, out = new Float32Array(n * nOut), lit = [];
  for (let row = 0; row < n; row++) {
    lit.length = 0;
    for (let i = 0; i < nIn; i++) if (x[row * nIn + i] !== 0) lit.push(i);
    for (let o = 0; o < nOut; o++) {
      let sum = bias[o];
      for (const i of lit) sum += weight[o * nIn + i] * x[row * nIn + i];
      out[row * nOut + o] = sum;
    }
  }
  return out;
}

// From the slopes of the loss for a layer's outputs to those for its weights and biases, by the chain rule: a weight's
// slope is that of its output times its input, added up over the batch.
function linearBackward(x, slopes, {nIn, nOut}) {
  const n = x.length / nIn, weight = new Float32Array(nIn * nOut), bias = new Float32Array(nOut);
  for (let row = 0; row < n; row++) for (let i = 0; i < nIn; i++) {
    const input = x[row * nIn + i];
    if (input !== 0) for (let o = 0; o < nOut; o++) weight[o * nIn + i] += slopes[row * nOut + o] * input;
  }
  slopes.forEach((slope, k) => { bias[k % nOut] += slope; });
  return {weight, bias};
}

// And to those for its inputs, which are the outputs of the layer before: each output's slope times the weight on the way.
function inputSlopes(slopes, {nIn, nOut, weight}) {
  const n = slopes.length / nOut, out = new Float32Array(n * nIn);
  for (let row = 0; row < n; row++) for (let o = 0; o < nOut; o++) {
    const slope = slopes[row * nOut + o];
    for (let i = 0; i < nIn; i++) out[row * nIn + i] += slope * weight[o * nIn + i];
  }
  return out;
}

// What is below 0 becomes 0; where that happened, no slope comes back.
function reluForward(x) { return x.map(v => v > 0 ? v : 0); }
function reluBackward(out, slopes) { return slopes.map((slope, i) => out[i] > 0 ? slope : 0); }

// Ten scores a picture become ten probabilities; the greatest is taken off first, so that exp can't overflow.
function softmaxRows(scores, classes = 10) {
  const probs = new Float32Array(scores.length);
  for (let from = 0; from < scores.length; from += classes) {
    const row = scores.subarray(from, from + classes), top = Math.max(...row), exps = Array.from(row, v => Math.exp(v - top));
    const sum = exps.reduce((a, b) => a + b);
    exps.forEach((e, i) => { probs[from + i] = e / sum; });
  }
  return probs;
}

// The surprise at the right digits: minus the log of their probability, computed from the scores, on average.
function crossEntropy(scores, labels, classes = 10) {
  let total = 0;
  labels.forEach((label, i) => {
    const row = scores.subarray(i * classes, (i + 1) * classes), top = Math.max(...row);
    total += Math.log(row.reduce((sum, v) => sum + Math.exp(v - top), 0)) - (row[label] - top);
  });
  return total / labels.length;
}

// Its slopes with respect to the scores: probability less 1 for the right digit, probability for the others, over n.
function crossEntropyBackward(probs, labels, classes = 10) {
  const slopes = probs.map(p => p / labels.length);
  labels.forEach((label, i) => { slopes[i * classes + label] -= 1 / labels.length; });
  return slopes;
}

// Outputs of every layer, the pictures first and the scores last; ReLU between layers.
function forwardLayers(x, layers) {
  const outs = [x];
  layers.forEach((layer, i) => {
    const out = linearForward(outs.at(-1), layer);
    outs.push(i < layers.length - 1 ? reluForward(out) : out);
  });
  return outs;
}

// Slopes of the loss for all weights and biases, from the last layer back to the first.
function backwardLayers(outs, labels, layers) {
  let slopes = crossEntropyBackward(softmaxRows(outs.at(-1)), labels);
  const grads = [];
  for (let i = layers.length - 1; i >= 0; i--) {
    grads[i] = linearBackward(outs[i], slopes, layers[i]);
    if (i > 0) slopes = reluBackward(outs[i], inputSlopes(slopes, layers[i]));
  }
  return grads;
}

// A step downhill: each weight less learning rate times slope. Returns the loss before it.
function sgdStep(x, labels, layers, lr) {
  const outs = forwardLayers(x, layers), grads = backwardLayers(outs, labels, layers);
  layers.forEach((layer, i) => {
    for (const part of ['weight', 'bias']) {
      const params = layer[part], slopes = grads[i][part];
      for (let k = 0; k < params.length; k++) params[k] -= lr * slopes[k];
    }
  });
  return crossEntropy(outs.at(-1), labels);
}

// Which of ten scores is the greatest, for each picture.
function readDigits(scores, classes = 10) {
  return Array.from({length: scores.length / classes}, (_, i) => {
    const row = scores.subarray(i * classes, (i + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}

function shareRight(x, labels, layers) {
  const read = readDigits(forwardLayers(x, layers).at(-1));
  return read.filter((digit, i) => digit === labels[i]).length / labels.length;
}

// Pictures and labels from `digits`, those at the given places; pixels as shares of 255.
function batchOf(digits, places) {
  const x = new Float32Array(places.length * 784), y = new Uint8Array(places.length);
  places.forEach((place, row) => {
    for (let i = 0; i < 784; i++) x[row * 784 + i] = digits.images[place * 784 + i] / 255;
    y[row] = digits.labels[place];
  });
  return {x, y, places};
}

// A model in training: step by step, batch after batch, in a new order each epoch. The first `learn` digits are to learn
// from, the others to judge. After each epoch the weights are kept, with how many are read correctly.
function makeTraining(digits, {sizes, learn, bs, seed}) {
  const random = randomNumbers(seed), layers = firstLayers(sizes, random);
  const range = (from, to) => Uint32Array.from({length: to - from}, (_, i) => from + i);
  const learned = batchOf(digits, range(0, learn)), held = batchOf(digits, range(learn, digits.n));
  const perEpoch = Math.floor(learn / bs), losses = [], kept = [];
  let order = null, batch = null;

  function keep() {
    kept.push({layers: copyLayers(layers), learned: shareRight(learned.x, learned.y, layers), held: shareRight(held.x, held.y, layers)});
  }

  function nextBatch() {
    const at = losses.length % perEpoch;
    if (at === 0) order = shuffled(learn, random);
    batch = batchOf(digits, order.subarray(at * bs, (at + 1) * bs));
  }

  function step(lr) {
    losses.push(sgdStep(batch.x, batch.y, layers, lr));
    if (losses.length % perEpoch === 0) keep();
    nextBatch();
    return losses.at(-1);
  }

  keep();
  nextBatch();
  return {layers, losses, kept, perEpoch, step, batch: () => batch};
}
