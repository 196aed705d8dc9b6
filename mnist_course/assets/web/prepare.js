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
    for (const [j, share] of parts) for (let y = 0; y < newH; y++) out[y * newW + x] += share * half[y * w + j];
  });
  return out;
}

// The smallest box that holds all pixels above `least`, or null.
function bounds(image, h, w, least) {
  let top = h, bottom = -1, left = w, right = -1;
  for (let y = 0, i = 0; y < h; y++) for (let x = 0; x < w; x++, i++) if (image[i] > least) {
    if (y < top) top = y;
    if (y > bottom) bottom = y;
    if (x < left) left = x;
    if (x > right) right = x;
  }
  return bottom < 0 ? null : {top, left, h: bottom - top + 1, w: right - left + 1};
}

// The same box with `rim` more on each side, as far as the picture reaches.
function widen({top, left, h, w}, rim, allH, allW) {
  const y = Math.max(0, top - rim), x = Math.max(0, left - rim);
  return {top: y, left: x, h: Math.min(allH, top + h + rim) - y, w: Math.min(allW, left + w + rim) - x};
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
  for (let i = 0; i < n; i++) if (image[i] === 0) blank++;
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
  for (let j = 0; j < image.length && top[0] < 1; j++) {      // nothing is above 1
    const v = image[j];
    if (!(v > top[0])) continue;
    let i = 0;
    for (; i + 1 < k && top[i + 1] < v; i++) top[i] = top[i + 1];
    top[i] = v;
  }
  return top.reduce((a, b) => a + b) / k;
}

// Is the strongest ink, smoothed, no more than noise? Where as many pixels as count are well above it, there is no need
// to smooth them all: of nearly all drawings the first few rows are enough.
function isNoise(image, h, w, k) {
  let clear = 0;
  for (let y = 1; y < h - 1; y++) for (let x = 1, i = y * w + 1; x < w - 1; x++, i++) if (image[i] > .3) {
    const sum = image[i - w - 1] + image[i - w] + image[i - w + 1] + image[i - 1] + image[i] + image[i + 1] + image[i + w - 1] + image[i + w] + image[i + w + 1];
    if (sum > 9 * .11 && ++clear === k) return false;
  }
  return meanOfGreatest(smooth(image, h, w), k) < .1;
}

// The strongest ink becomes 1; groups of touching pixels with less than 3 % of the largest one's ink are specks.
// Returned is null for an empty page: one whose strongest ink, smoothed, is noise.
function findStrokes(image, h, w) {
  const n = h * w, k = Math.min(n, 20);
  if (isNoise(image, h, w, k)) return null;
  const peak = meanOfGreatest(image, k), ink = new Float32Array(n);
  for (let i = 0; i < n; i++) ink[i] = Math.min(1, image[i] / peak);

  const group = new Uint16Array(n), held = [0], stack = new Int32Array(n);
  for (let seed = 0; seed < n; seed++) if (ink[seed] > .3005 && !group[seed]) {
    const g = held.length;
    let waiting = 1, sum = 0;
    group[seed] = g;
    stack[0] = seed;
    while (waiting) {
      const at = stack[--waiting], x = at % w, y = (at - x) / w;
      sum += ink[at];
      for (let v = y > 0 ? y - 1 : 0; v <= y + 1 && v < h; v++) for (let u = x > 0 ? x - 1 : 0; u <= x + 1 && u < w; u++) {
        const to = v * w + u;
        if (!group[to] && ink[to] > .3005) { group[to] = g; stack[waiting++] = to; }
      }
    }
    held.push(sum);
  }
  const most = Math.max(...held), mask = new Uint8Array(n);
  const kept = held.map((sum, g) => g && sum >= .03 * most ? 1 : 0);
  for (let i = 0; i < n; i++) mask[i] = kept[group[i]];
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

// The digit is cut out, its longer side made 20 pixels, and its centre of mass put at pixel (14,14) of 28x28. Most of a
// page is bare: the part that has ink, with a rim, gives the same in a third of the time.
function prepare(image, pageH, pageW) {
  const out = new Float32Array(784), page = toInk(image), inked = bounds(page, pageH, pageW, 0);
  if (!inked) return out;
  const part = widen(inked, 5, pageH, pageW), {h, w} = part, found = findStrokes(cut(page, pageW, part), h, w);
  if (!found) return out;
  const strokes = bounds(found.mask, h, w, 0), rim = Math.max(1, Math.floor(Math.max(strokes.h, strokes.w) / 20 + .5));
  const around = widen(strokes, rim, h, w), ink = cut(found.ink, w, around), mask = cut(found.mask, w, around);
  const near = nearMask(mask, around.h, around.w, rim);                   // strokes have soft edges
  for (let i = 0; i < ink.length; i++) if (!near[i]) ink[i] = 0;
  const box = bounds(ink, around.h, around.w, .1003);
  const digit = thicken(cut(ink, around.w, box), cut(mask, around.w, box), box.h, box.w);

  const longer = Math.max(digit.h, digit.w), fit = n => Math.max(1, Math.floor(n * 20 / longer + .5));
  const oh = fit(digit.h), ow = fit(digit.w), small = resize(digit.ink, digit.h, digit.w, oh, ow);
  const top = small.slice().sort().reverse().subarray(0, 10), full = top.reduce((a, b) => a + b) / top.length;
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
