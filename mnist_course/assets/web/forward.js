// A trained network as a list of layers, and what each kind of layer does.
// Numbers travel as {shape, data}: data is a Float32Array, shape [channels, rows, columns] or [numbers].

// Pixels in [0,1] are shifted and scaled as in training.
function pixels(x, {mean = 0, std = 1}) {
  return {shape: x.shape, data: x.data.map(v => (v - mean) / std)};
}

// Each output is a weighted sum of all inputs, plus a bias. A pixel that is 0 adds nothing, whatever its weight.
function linear(x, {weight, bias}) {
  const n = x.data.length, out = Float32Array.from(bias.data);
  const lit = [];
  for (let i = 0; i < n; i++) if (x.data[i] !== 0) lit.push(i);
  for (let o = 0; o < out.length; o++) {
    let sum = 0;
    for (const i of lit) sum += weight.data[o * n + i] * x.data[i];
    out[o] += sum;
  }
  return {shape: [out.length], data: out};
}

// A kernel is laid on every place of the picture, multiplied and added up. What lies under it and isn't 0 is
// collected once for each place, and serves all kernels.
function conv(x, {weight, bias, stride = 1, padding = 0}) {
  const [c, h, w] = x.shape, [n, , k] = weight.shape, size = c * k * k, from = x.data, weights = weight.data;
  const oh = Math.floor((h + 2 * padding - k) / stride) + 1, ow = Math.floor((w + 2 * padding - k) / stride) + 1;
  const out = new Float32Array(n * oh * ow), lit = new Float32Array(size), at = new Int32Array(size);
  for (let y = 0; y < oh; y++) for (let p = 0; p < ow; p++) {
    let found = 0;
    for (let i = 0; i < c; i++) for (let ky = 0; ky < k; ky++) for (let kx = 0; kx < k; kx++) {
      const row = y * stride + ky - padding, col = p * stride + kx - padding;
      if (row < 0 || row >= h || col < 0 || col >= w) continue;
      const v = from[(i * h + row) * w + col];
      if (v !== 0) { lit[found] = v; at[found++] = (i * k + ky) * k + kx; }
    }
    for (let o = 0; o < n; o++) {
      let sum = bias.data[o];
      for (let j = 0; j < found; j++) sum += lit[j] * weights[o * size + at[j]];
      out[(o * oh + y) * ow + p] = sum;
    }
  }
  return {shape: [n, oh, ow], data: out};
}

// What is below 0 becomes 0, or a small share of itself.
function relu(x, {slope = 0}) {
  return {shape: x.shape, data: x.data.map(v => v > 0 ? v : slope * v)};
}

// The largest number of each square, squares side by side.
function maxPool(x, {size}) {
  const [c, h, w] = x.shape, oh = Math.floor(h / size), ow = Math.floor(w / size);
  const out = new Float32Array(c * oh * ow).fill(-Infinity);
  for (let i = 0; i < c; i++) for (let y = 0; y < oh * size; y++) for (let p = 0; p < ow * size; p++) {
    const to = (i * oh + Math.floor(y / size)) * ow + Math.floor(p / size), v = x.data[(i * h + y) * w + p];
    if (v > out[to]) out[to] = v;
  }
  return {shape: [c, oh, ow], data: out};
}

// The largest number of each channel, wherever it is.
function globalMax(x) {
  const [c, h, w] = x.shape, out = new Float32Array(c).fill(-Infinity);
  x.data.forEach((v, i) => { const to = Math.floor(i / (h * w)); if (v > out[to]) out[to] = v; });
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
