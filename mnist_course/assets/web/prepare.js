// Lesson 15's `prepare` for a drawing, step by step under the same names: `find_strokes` is findStrokes here. What a
// photo needs and a drawing doesn't is left out: turning it upright, evening out the light, guessing whether ink is
// dark, taking away lines on the paper. A test holds both to the same 28x28 pixels, and to the same empty pages.
// Pictures are Float32Arrays with numbers in [0,1], row by row; `h` and `w` are their height and width.

// What each old pixel gives to each new one, as lists of [old pixel, share].
function areaWeights(nIn, nOut) {
  const scale = nIn / nOut;
  return Array.from({length: nOut}, (_, i) => {
    const from = scale < 1 ? Math.floor((i + .5) * scale - 1.5) : Math.floor(i * scale);
    const to = scale < 1 ? Math.ceil((i + .5) * scale + .5) : Math.ceil((i + 1) * scale), parts = [];
    for (let j = Math.max(0, from); j <= Math.min(nIn - 1, to); j++) {
      const share = scale < 1 ? 1 - Math.abs(j + .5 - (i + .5) * scale) : Math.min((i + 1) * scale, j + 1) - Math.max(i * scale, j);
      if (share > 0) parts.push([j, share]);
    }
    const sum = parts.reduce((s, [, share]) => s + share, 0);
    return parts.map(([j, share]) => [j, share / sum]);
  });
}

// A picture made smaller or larger, anti-aliased.
function resize(image, h, w, newH, newW) {
  const half = new Float32Array(newH * w), out = new Float32Array(newH * newW);
  areaWeights(h, newH).forEach((parts, y) => {
    for (const [j, share] of parts) for (let x = 0; x < w; x++) half[y * w + x] += share * image[j * w + x];
  });
  areaWeights(w, newW).forEach((parts, x) => {
    for (let y = 0; y < newH; y++) for (const [j, share] of parts) out[y * newW + x] += share * half[y * w + j];
  });
  return out;
}

// The smallest box that holds all pixels for which `test` is true, or null.
function bounds(h, w, test) {
  let top = h, bottom = -1, left = w, right = -1;
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) if (test(y * w + x)) {
    if (y < top) top = y;
    if (y > bottom) bottom = y;
    if (x < left) left = x;
    if (x > right) right = x;
  }
  return bottom < 0 ? null : {top, left, h: bottom - top + 1, w: right - left + 1};
}

function cut(image, w, box) {
  const out = new image.constructor(box.h * box.w);
  for (let y = 0; y < box.h; y++) {
    const start = (box.top + y) * w + box.left;
    out.set(image.subarray(start, start + box.w), y * box.w);
  }
  return out;
}

function median(image) {
  const n = image.length;
  let blank = 0;
  for (const v of image) if (v === 0) blank++;
  if (blank > n / 2) return 0;                 // nearly always, and without sorting
  const sorted = image.slice().sort();
  return (sorted[Math.floor((n - 1) / 2)] + sorted[Math.floor(n / 2)]) / 2;
}

// Ink is what is lighter than the paper, as a share of what is possible. The paper is what most pixels show: 0,
// unless more than half of the pad is drawn on.
function toInk(grey) {
  const paper = median(grey), most = Math.max(.2, 1 - paper);
  return paper === 0 ? grey : grey.map(v => Math.min(1, Math.max(0, (v - paper) / most)));
}

// Each pixel as the mean of 3x3; beyond the edge the pixels of the edge stand once more.
function smooth(image, h, w) {
  const rows = new Float32Array(h * w), out = new Float32Array(h * w);
  for (let y = 0; y < h; y++) for (let x = 0, i = y * w; x < w; x++, i++)
    rows[i] = (image[i - w * (y > 0)] + image[i] + image[i + w * (y < h - 1)]) / 3;
  for (let y = 0; y < h; y++) for (let x = 0, i = y * w; x < w; x++, i++)
    out[i] = (rows[i - (x > 0)] + rows[i] + rows[i + (x < w - 1)]) / 3;
  return out;
}

function meanOfGreatest(image, k) {
  const top = new Float32Array(k);             // the greatest so far, in order, the least of them first
  for (const v of image) if (v > top[0]) {
    let i = 0;
    for (; i + 1 < k && top[i + 1] < v; i++) top[i] = top[i + 1];
    top[i] = v;
  }
  return top.reduce((a, b) => a + b) / k;
}

// The strongest ink becomes 1; groups of touching pixels with less than 3 % of the largest one's ink are specks.
// Returned is null for an empty page: one whose strongest ink, smoothed, is noise.
function findStrokes(image, h, w) {
  const n = h * w, k = Math.min(n, Math.max(20, Math.floor(n / 500)));
  const peak = meanOfGreatest(image, k), soft = meanOfGreatest(smooth(image, h, w), k);
  if (soft < .1) return null;
  const ink = new Float32Array(n);
  for (let i = 0; i < n; i++) ink[i] = Math.min(1, image[i] / peak);

  const group = new Uint16Array(n), held = [0], stack = [];
  for (let seed = 0; seed < n; seed++) if (ink[seed] > .3 && !group[seed]) {
    group[seed] = held.push(0) - 1;
    stack.push(seed);
    while (stack.length) {
      const at = stack.pop(), y = Math.floor(at / w), x = at - y * w;
      held[group[seed]] += ink[at];
      for (let v = Math.max(0, y - 1); v <= Math.min(h - 1, y + 1); v++) for (let u = Math.max(0, x - 1); u <= Math.min(w - 1, x + 1); u++)
        if (!group[v * w + u] && ink[v * w + u] > .3) { group[v * w + u] = group[seed]; stack.push(v * w + u); }
    }
  }
  const most = Math.max(...held), mask = new Uint8Array(n);
  for (let i = 0; i < n; i++) if (group[i] && held[group[i]] >= .03 * most) mask[i] = 1;
  return {ink, mask};
}

// Where a pixel of the mask is within `rim` rows and columns: rows first, then columns.
function nearMask(mask, h, w, rim) {
  const rows = new Uint8Array(h * w), out = new Uint8Array(h * w);
  for (let i = 0; i < h * w; i++) if (mask[i]) {
    const x = i % w, row = i - x;
    if (x && mask[i - 1] && x < w - 1 && mask[i + 1]) { rows[i] = 1; continue; }      // inside a run, its ends reach further
    rows.fill(1, row + Math.max(0, x - rim), row + Math.min(w, x + rim + 1));
  }
  for (let x = 0; x < w; x++) for (let y = 0, last = -Infinity; y < h + rim; y++) {
    if (y < h && rows[y * w + x]) last = y;
    if (y >= rim && y - rim < h && last >= y - 2 * rim) out[(y - rim) * w + x] = 1;
  }
  return out;
}

// Strokes that would be narrower than 1.8 of the 20 pixels are made wider.
function thicken(ink, mask, h, w) {
  const scale = Math.max(h, w) / 20;
  let area = 0, edge = 0;
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
    const i = y * w + x;
    if (!mask[i]) continue;
    area++;
    if (!y || !x || y === h - 1 || x === w - 1 || !mask[i - 1] || !mask[i + 1] || !mask[i - w] || !mask[i + w]) edge++;
  }
  const r = scale > 1.2 ? Math.trunc((1.8 * scale - 2 * area / Math.max(edge, 1)) / 2 + .5) : 0;
  if (r <= 0) return {ink, h, w};
  const H = h + 2 * r, W = w + 2 * r, out = new Float32Array(H * W);
  for (let dy = -r; dy <= r; dy++) for (let dx = -r; dx <= r; dx++) {
    if (dy * dy + dx * dx > r * r + .5) continue;
    for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) {
      const v = ink[y * w + x], to = (y + r + dy) * W + x + r + dx;
      if (v > out[to]) out[to] = v;
    }
  }
  return {ink: out, h: H, w: W};
}

// The digit is cut out, its longer side made 20 pixels, and its centre of mass put at pixel (14,14) of 28x28.
function prepare(image, h, w) {
  const out = new Float32Array(784), found = findStrokes(toInk(image), h, w);
  if (!found) return out;
  const strokes = bounds(h, w, i => found.mask[i]), rim = Math.max(1, Math.floor(Math.max(strokes.h, strokes.w) / 20 + .5));
  const {ink} = found, near = nearMask(found.mask, h, w, rim);
  for (let i = 0; i < ink.length; i++) if (!near[i]) ink[i] = 0;       // strokes have soft edges
  const box = bounds(h, w, i => ink[i] > .1);
  const digit = thicken(cut(ink, w, box), cut(found.mask, w, box), box.h, box.w);

  const longer = Math.max(digit.h, digit.w), fit = n => Math.max(1, Math.floor(n * 20 / longer + .5));
  const oh = fit(digit.h), ow = fit(digit.w), small = resize(digit.ink, digit.h, digit.w, oh, ow);
  const top = [...small].sort((a, b) => b - a).slice(0, 10), full = top.reduce((a, b) => a + b) / top.length;
  const bytes = Uint8Array.from(small, v => 255 * Math.min(1, v / full) + .5);       // full ink is 1 again
  let sum = 0, y = 0, x = 0;
  bytes.forEach((v, i) => {
    sum += v;
    y += v * Math.floor(i / ow);
    x += v * (i % ow);
  });
  const place = (mass, n) => Math.min(Math.max(Math.trunc(14 - mass / sum + .5), 0), 28 - n);
  const down = place(y, oh), right = place(x, ow);
  bytes.forEach((v, i) => { out[(down + Math.floor(i / ow)) * 28 + right + i % ow] = v / 255; });
  return out;
}
