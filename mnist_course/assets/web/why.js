// Pictures of "why": what spoke for an answer, and what against it.
let whyColours = [[0, 0, 0], [0, 0, 0]];

function readColours() { whyColours = [colour('--for'), colour('--against')]; }

function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).split(',').map(Number); }

function paint(canvas, width, height, value) {          // value(x, y) in [-1,1]: above 0 speaks for, below against
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const pen = canvas.getContext('2d'), image = pen.createImageData(width, height), {data} = image, [plus, minus] = whyColours;
  for (let y = 0, i = 0; y < height; y++) for (let x = 0; x < width; x++, i += 4) {
    const v = value(x, y), c = v > 0 ? plus : minus;
    data[i] = c[0]; data[i + 1] = c[1]; data[i + 2] = c[2];
    data[i + 3] = Math.min(255, Math.abs(v) * 255);
  }
  pen.putImageData(image, 0, 0);
}

// The greatest number, whatever its sign; never 0, as it is divided by.
function greatest(numbers) {
  let most = 1e-9;
  for (let i = 0; i < numbers.length; i++) most = Math.max(most, Math.abs(numbers[i]));
  return most;
}

// Where the numbers of a layer stand when its maps lie side by side; a list of numbers is maps of one pixel.
function tile({shape}, cols = 0) {
  const [n, h, w] = shape.length === 3 ? shape : [shape[0], 1, 1], gap = h > 1 ? 1 : 0;
  cols ||= Math.ceil(Math.sqrt(n));
  return {n, h, w, gap, cols, width: cols * (w + gap) - gap, height: Math.ceil(n / cols) * (h + gap) - gap};
}

// The place in the list of numbers that is shown at (x, y), or -1 between two maps.
function numberAt({n, h, w, gap, cols}, x, y) {
  const col = Math.floor(x / (w + gap)), row = Math.floor(y / (h + gap)), px = x - col * (w + gap), py = y - row * (h + gap);
  const map = row * cols + col;
  return px < w && py < h && map < n ? (map * h + py) * w + px : -1;
}

// The other way round: where a number is shown.
function placeOf({h, w, gap, cols}, i) {
  const map = Math.floor(i / (h * w)), at = i % (h * w);
  return [map % cols * (w + gap) + at % w, Math.floor(map / cols) * (h + gap) + Math.floor(at / w)];
}

function paintMaps(canvas, out, cols = 0) {
  const tiles = tile(out, cols), top = greatest(out.data);
  paint(canvas, tiles.width, tiles.height, (x, y) => {
    const i = numberAt(tiles, x, y);
    return i < 0 ? 0 : out.data[i] / top;
  });
}

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
    const top = greatest(why);
    return paint(canvas, 28, 28, (x, y) => why[28 * y + x] / top);
  }
  const next = model.layers.findIndex((layer, i) => i > first && layer.weight);
  const bend = model.layers.findIndex((layer, i) => i > first && (next < 0 || i < next) && ['relu', 'softmax'].includes(layer.kind));
  paintMaps(canvas, outs[1 + (bend < 0 ? first : bend)]);                                   // a network's first layer
}
