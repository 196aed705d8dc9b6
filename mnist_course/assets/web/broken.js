// Breaking a model: units silenced, noise on its weights. The whole model stays as it was, so it can be mended.

// Numbers with mean 0 and spread 1, from two even ones each: the same for the same seed.
function normalNumbers(seed) {
  const random = randomNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function spread(numbers) {
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  return Math.sqrt(numbers.reduce((s, v) => s + (v - mean) ** 2, 0) / numbers.length);
}

// A copy of a model: noise is a share of the spread that the weights of a layer have; silent are texts 'layer.channel'.
// A unit is silent if all its weights and its bias are 0.
function breakModel(whole, {noise = 0, seed = 0, silent = new Set()}) {
  const normal = normalNumbers(seed);
  const layers = whole.layers.map((layer, i) => {
    if (!layer.weight) return layer;
    const by = noise * spread(layer.weight.data), n = layer.weight.shape[0], size = layer.weight.data.length / n;
    const weight = {...layer.weight, data: noise ? layer.weight.data.map(w => w + by * normal()) : layer.weight.data.slice()};
    const bias = {...layer.bias, data: layer.bias.data.slice()};
    for (let o = 0; o < n; o++) if (silent.has(`${i}.${o}`)) {
      weight.data.fill(0, o * size, (o + 1) * size);
      bias.data[o] = 0;
    }
    return {...layer, weight, bias};
  });
  return {...whole, layers};
}

// The layer whose weights made the channel that one sees in layer i: it or one before it, until the order changes.
function ownerOf(model, i) {
  while (i >= 0 && !model.layers[i].weight && !['flatten', 'unflatten', 'pixels'].includes(model.layers[i].kind)) i--;
  return i >= 0 && model.layers[i].weight ? i : -1;
}

// What a model reads in each of the real digits, a few at a time so that drawing goes on meanwhile.
async function readAll(model, digits, isOff) {
  const readings = [];
  for (let i = 0; i < digits.n; i++) {
    if (i % 8 === 7) await new Promise(done => setTimeout(done));
    if (isOff()) return null;
    readings.push(winnerOf(model, forward(model, realPicture(i))));
  }
  return readings;
}
