// The sum behind a number: which inputs made it, and by which weights. `outs` is what `forward` gave, `i` the number
// of a layer, `unit` a place in what that layer gave.
const KINDS = {pixels: 'Shifted and scaled', linear: 'Weighted sums', conv: 'Convolution', relu: 'Below zero cut off', max_pool: 'Largest of each square',
               global_max: 'Largest of each map', scale: 'Scaled', softmax: 'Probabilities'};

// A place in a layer, in words.
function unitName({shape}, unit) {
  if (shape.length < 3) return `unit ${unit}`;
  const [, h, w] = shape, map = Math.floor(unit / (h * w)), at = unit % (h * w);
  return `${shape[0] > 1 ? `map ${map}, ` : ''}row ${Math.floor(at / w)}, column ${at % w}`;
}

// Weighted sums: of each input its place, its value and its weight; where a kernel lies beside the picture nothing is added.
function weightedInputs({kind, weight, stride = 1, padding = 0}, x, out, unit) {
  const terms = [], size = weight.data.length / weight.shape[0];
  if (kind === 'linear') {
    for (let j = 0; j < size; j++) terms.push({at: j, value: x.data[j], weight: weight.data[unit * size + j]});
    return terms;
  }
  const [c, h, w] = x.shape, [, oh, ow] = out.shape, k = weight.shape[2];
  const o = Math.floor(unit / (oh * ow)), top = Math.floor(unit % (oh * ow) / ow) * stride - padding, left = unit % ow * stride - padding;
  for (let i = 0; i < c; i++) for (let ky = 0; ky < k; ky++) for (let kx = 0; kx < k; kx++) {
    const row = top + ky, col = left + kx, inside = row >= 0 && row < h && col >= 0 && col < w;
    terms.push({at: inside ? (i * h + row) * w + col : -1, value: inside ? x.data[(i * h + row) * w + col] : 0,
                weight: weight.data[o * size + (i * k + ky) * k + kx]});
  }
  return terms;
}

// Which channel of its layer a unit belongs to: it has one bias, and can be silenced as a whole.
function channelOf({shape}, unit) { return shape.length < 3 ? unit : Math.floor(unit / (shape[1] * shape[2])); }

// {terms, bias, result} for a weighted sum, {values, result} for what only chooses or bends.
function explain(model, outs, i, unit) {
  const layer = model.layers[i], x = outs[i], out = outs[i + 1], result = out.data[unit], channel = channelOf(out, unit);
  if (['linear', 'conv'].includes(layer.kind)) return {terms: weightedInputs(layer, x, out, unit), bias: layer.bias.data[channel], result};
  if (layer.kind === 'scale') return {terms: [{at: unit, value: x.data[unit], weight: layer.weight.data[channel]}], bias: layer.bias.data[channel], result};
  if (layer.kind === 'max_pool') {
    const [, h, w] = x.shape, [, oh, ow] = out.shape, {size} = layer, values = [];
    const top = Math.floor(unit % (oh * ow) / ow) * size, left = unit % ow * size;
    for (let v = 0; v < size; v++) for (let u = 0; u < size; u++) values.push(x.data[(channel * h + top + v) * w + left + u]);
    return {values, result};
  }
  if (layer.kind === 'global_max') {
    const each = x.shape[1] * x.shape[2];
    return {values: [...x.data.subarray(unit * each, (unit + 1) * each)], result};
  }
  if (layer.kind === 'softmax') return {values: x.data.length === 1 ? [0, x.data[0]] : [...x.data], result};
  return {values: [x.data[unit]], result};
}

function shortNumber(v) { return (Math.abs(v) >= 100 ? v.toFixed(0) : Math.abs(v) >= 10 ? v.toFixed(1) : v.toFixed(2)).replace('-', '−'); }

// The sum in a sentence.
function sumInWords(layer, {terms, values, bias, result}, unit) {
  const n = shortNumber;
  if (terms) {
    const added = terms.filter(t => t.value * t.weight !== 0), sum = added.reduce((s, t) => s + t.value * t.weight, 0);
    if (!added.length) return `All ${terms.length} products are 0; with the bias of ${n(bias)} that is ${n(result)}.`;
    const products = added.length === 1 ? 'One product' : `${added.length} of ${terms.length} products aren’t 0 and`;
    return `${products} ${added.length === 1 ? 'makes' : 'make'} ${n(sum)}; with the bias of ${n(bias)} that is ${n(result)}.`;
  }
  if (layer.kind === 'relu') return values[0] > 0 ? `${n(values[0])} is above zero and stays.` : `${n(values[0])} isn’t above zero: it becomes ${n(result)}.`;
  if (layer.kind === 'softmax') return `The score ${n(values[unit])}, set against all ${values.length} scores, is a share of ${percent(result)}.`;
  if (values.length > 1) return `The largest of ${values.map(n).join(', ')} is ${n(result)}.`;
  return `${n(values[0])} becomes ${n(result)}.`;
}
