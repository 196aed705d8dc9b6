// A trained network as a list of layers, and what each kind of layer does.
// Numbers travel as {shape, data}: data is a Float32Array, shape [channels, rows, columns] or [numbers].

// Pixels in [0,1] are shifted and scaled as in training.
function pixels(x, {mean = 0, std = 1}) {
  if (mean === 0 && std === 1) return x;
  const out = new Float32Array(x.data.length);
  for (let i = 0; i < out.length; i++) out[i] = (x.data[i] - mean) / std;
  return {shape: x.shape, data: out};
}

// The work of nearly all layers: `found` inputs that aren't 0, each times its weight, summed up for each output, from
// the bias on. Four inputs at once: each sum is then fetched and put back once for all four.
function addUp(found, values, at, weights, bias, sums) {
  const n = sums.length;
  sums.set(bias);
  let j = 0;
  for (; j + 4 <= found; j += 4) {
    const p = values[j], q = values[j + 1], r = values[j + 2], s = values[j + 3];
    const a = at[j] * n, b = at[j + 1] * n, c = at[j + 2] * n, d = at[j + 3] * n;
    for (let o = 0; o < n; o++) sums[o] += p * weights[a + o] + q * weights[b + o] + r * weights[c + o] + s * weights[d + o];
  }
  for (; j < found; j++)                       // what is left when their number is no multiple of four
    for (let o = 0, a = at[j] * n; o < n; o++) sums[o] += values[j] * weights[a + o];
}

// Weights come with a row for each output. To be read one after another here, those of one input must stand side by
// side: that is the matrix turned over. Done once for each layer, and kept.
const turnedOver = new WeakMap();
function turned(weight, n) {
  let other = turnedOver.get(weight);
  if (!other) {
    const size = weight.data.length / n;
    other = new Float32Array(weight.data.length);
    for (let o = 0; o < n; o++) for (let i = 0; i < size; i++) other[i * n + o] = weight.data[o * size + i];
    turnedOver.set(weight, other);
  }
  return other;
}

// Each output is a weighted sum of all inputs, plus a bias. A pixel that is 0 adds nothing, whatever its weight.
function linear(x, {weight, bias}) {
  const n = bias.data.length, from = x.data, out = new Float32Array(n);
  const lit = new Float32Array(from.length), at = new Int32Array(from.length);
  let found = 0;
  for (let i = 0; i < from.length; i++) if (from[i] !== 0) { lit[found] = from[i]; at[found++] = i; }
  const sums = new Float64Array(n);
  addUp(found, lit, at, turned(weight, n), bias.data, sums);
  out.set(sums);
  return {shape: [n], data: out};
}

// A kernel is laid on every place of the picture, multiplied and added up. What lies under it and isn't 0 is
// collected once for each place, and serves all kernels.
function conv(x, {weight, bias, stride = 1, padding = 0}) {
  const [c, h, w] = x.shape, [n, , k] = weight.shape, size = c * k * k, from = x.data, weights = turned(weight, n);
  const oh = Math.floor((h + 2 * padding - k) / stride) + 1, ow = Math.floor((w + 2 * padding - k) / stride) + 1;
  const out = new Float32Array(n * oh * ow), lit = new Float32Array(size), at = new Int32Array(size), sums = new Float64Array(n);
  for (let y = 0; y < oh; y++) for (let p = 0; p < ow; p++) {
    const top = y * stride - padding, left = p * stride - padding;
    let found = 0;
    for (let i = 0; i < c; i++) for (let ky = 0; ky < k; ky++) {
      const row = top + ky;
      if (row < 0 || row >= h) continue;
      for (let kx = 0; kx < k; kx++) {
        const col = left + kx;
        if (col < 0 || col >= w) continue;
        const v = from[(i * h + row) * w + col];
        if (v !== 0) { lit[found] = v; at[found++] = (i * k + ky) * k + kx; }
      }
    }
    addUp(found, lit, at, weights, bias.data, sums);
    for (let o = 0, to = y * ow + p; o < n; o++, to += oh * ow) out[to] = sums[o];
  }
  return {shape: [n, oh, ow], data: out};
}

// What is below 0 becomes 0, or a small share of itself.
function relu(x, {slope = 0}) {
  const out = new Float32Array(x.data.length);
  for (let i = 0; i < out.length; i++) out[i] = x.data[i] > 0 ? x.data[i] : slope * x.data[i];
  return {shape: x.shape, data: out};
}

// The largest number of each square, squares side by side.
function maxPool(x, {size}) {
  const [c, h, w] = x.shape, oh = Math.floor(h / size), ow = Math.floor(w / size), from = x.data;
  const out = new Float32Array(c * oh * ow);
  for (let i = 0, to = 0; i < c; i++) for (let y = 0; y < oh; y++) for (let p = 0; p < ow; p++, to++) {
    let most = -Infinity;
    for (let v = 0; v < size; v++) for (let u = 0, at = (i * h + y * size + v) * w + p * size; u < size; u++, at++)
      if (from[at] > most) most = from[at];
    out[to] = most;
  }
  return {shape: [c, oh, ow], data: out};
}

// The largest number of each channel, wherever it is.
function globalMax(x) {
  const [c, h, w] = x.shape, each = h * w, out = new Float32Array(c).fill(-Infinity);
  for (let i = 0; i < c * each; i++) {
    const to = Math.floor(i / each);
    if (x.data[i] > out[to]) out[to] = x.data[i];
  }
  return {shape: [c], data: out};
}

// Each channel times a factor, plus a summand: a batch normalisation that could not be folded.
function scale(x, {weight, bias}) {
  const each = x.data.length / weight.data.length;
  return {shape: x.shape, data: x.data.map((v, i) => {
    const c = Math.floor(i / each);
    return v * weight.data[c] + bias.data[c];
  })};
}

// Pictures as rows and rows as pictures: the numbers stay where they are.
function flatten(x) { return {shape: [x.data.length], data: x.data}; }
function unflatten(x, {shape}) { return {shape, data: x.data}; }

// Scores become shares of 1; the greatest is taken off first, so that exp can't overflow.
function softmax(x) {
  const scores = x.data.length === 1 ? [0, x.data[0]] : [...x.data];     // a single score: of the second of two
  const top = Math.max(...scores), exps = scores.map(v => Math.exp(v - top));
  const sum = exps.reduce((a, b) => a + b);
  return {shape: [exps.length], data: Float32Array.from(exps, v => v / sum)};
}

// What the files call each kind of layer.
const LAYERS = {pixels, linear, conv, relu, max_pool: maxPool, global_max: globalMax, scale, flatten, unflatten, softmax};

// A network answers by passing the picture from layer to layer. Returned is what came out of each: the last are
// the probabilities, and the pictures of "why" are drawn from the first.
function forward(model, image) {
  const outs = [{shape: [1, 28, 28], data: image}];
  for (const layer of model.layers) outs.push(LAYERS[layer.kind](outs.at(-1), layer));
  return outs;
}

// Weights come as text: whole numbers of 16 bits in base64, and what to multiply them by.
function decode({shape, step, base64}) {
  const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
  return {shape, data: Float32Array.from(new Int16Array(bytes.buffer), v => v * step)};
}

function readModel(text) {
  const layers = text.layers.map(layer => {
    const arrays = Object.entries(layer).filter(([, v]) => v && v.base64 !== undefined);
    return {...layer, ...Object.fromEntries(arrays.map(([name, v]) => [name, decode(v)]))};
  });
  return {...text, layers};
}
