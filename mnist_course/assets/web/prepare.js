// Lesson 15's `prepare` for a drawing, step by step under the same names. What a photo needs and a drawing doesn't
// is left out: turning it upright, evening out the light, taking away lines on the paper.
// Pictures are Float32Arrays with numbers in [0,1], row by row; `h` and `w` are their height and width.

// What each old pixel gives to each new one, as lists of [old pixel, share].
function area_weights(n_in, n_out) {
  const scale = n_in / n_out;
  return Array.from({length: n_out}, (_, i) => {
    const from = scale < 1 ? Math.floor((i + .5) * scale - 1.5) : Math.floor(i * scale);
    const to = scale < 1 ? Math.ceil((i + .5) * scale + .5) : Math.ceil((i + 1) * scale), parts = [];
    for (let j = Math.max(0, from); j <= Math.min(n_in - 1, to); j++) {
      const share = scale < 1 ? 1 - Math.abs(j + .5 - (i + .5) * scale) : Math.min((i + 1) * scale, j + 1) - Math.max(i * scale, j);
      if (share > 0) parts.push([j, share]);
    }
    const sum = parts.reduce((s, [, share]) => s + share, 0);
    return parts.map(([j, share]) => [j, share / sum]);
  });
}

// A picture made smaller or larger, anti-aliased.
function resize(image, h, w, new_h, new_w) {
  const half = new Float32Array(new_h * w), out = new Float32Array(new_h * new_w);
  area_weights(h, new_h).forEach((parts, y) => {
    for (const [j, share] of parts) for (let x = 0; x < w; x++) half[y * w + x] += share * image[j * w + x];
  });
  area_weights(w, new_w).forEach((parts, x) => {
    for (let y = 0; y < new_h; y++) for (const [j, share] of parts) out[y * new_w + x] += share * half[y * w + j];
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

// The strongest ink becomes 1; groups of touching pixels with less than 3 % of the largest one's ink are specks.
function find_strokes(image, h, w) {
  const n = h * w, ink = new Float32Array(n), counts = new Uint32Array(256);
  for (let i = 0; i < n; i++) {
    ink[i] = image[i];
    counts[Math.round(image[i] * 255)]++;
  }
  const k = Math.min(n, Math.max(20, Math.floor(n / 500)));
  let peak = 0, left = k;
  for (let b = 255; left > 0; b--) {
    const some = Math.min(left, counts[b]);
    peak += some * b / 255 / k;
    left -= some;
  }
  if (peak < .1) return null;
  for (let i = 0; i < n; i++) ink[i] = Math.min(1, ink[i] / peak);

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
function near_mask(mask, h, w, rim) {
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
  const out = new Float32Array(784), found = find_strokes(image, h, w);
  if (!found) return out;
  const strokes = bounds(h, w, i => found.mask[i]), rim = Math.max(1, Math.floor(Math.max(strokes.h, strokes.w) / 20 + .5));
  const {ink} = found, near = near_mask(found.mask, h, w, rim);
  for (let i = 0; i < ink.length; i++) if (!near[i]) ink[i] = 0;       // strokes have soft edges
  const box = bounds(h, w, i => ink[i] > .1);
  const digit = thicken(cut(ink, w, box), cut(found.mask, w, box), box.h, box.w);

  const longer = Math.max(digit.h, digit.w), fit = n => Math.max(1, Math.floor(n * 20 / longer + .5));
  const oh = fit(digit.h), ow = fit(digit.w), small = resize(digit.ink, digit.h, digit.w, oh, ow);
  const top = [...small].sort((a, b) => b - a).slice(0, 10), full = top.reduce((a, b) => a + b) / top.length;
  let sum = 0, y = 0, x = 0;
  small.forEach((v, i) => {
    small[i] = v = Math.min(1, v / full);                              // full ink is 1 again
    sum += v;
    y += v * Math.floor(i / ow);
    x += v * (i % ow);
  });
  const place = (mass, n) => Math.min(Math.max(Math.trunc(14 - mass / sum + .5), 0), 28 - n);
  const down = place(y, oh), right = place(x, ow);
  small.forEach((v, i) => { out[(down + Math.floor(i / ow)) * 28 + right + i % ow] = Math.floor(v * 255 + .5) / 255; });
  return out;
}
