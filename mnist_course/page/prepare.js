// What lesson 15's `prepare` does, for a drawing: light on dark already, and clean.

// Mean of the pixels that fall into each new one; those on an edge count by their share.
function shares(old, n) {
  return Array.from({length: n}, (_, i) => {
    const from = i * old / n, to = (i + 1) * old / n, parts = [];
    for (let j = Math.floor(from); j < Math.min(old, Math.ceil(to)); j++)
      parts.push([j, (Math.min(to, j + 1) - Math.max(from, j)) * n / old]);
    return parts;
  });
}
function shrink(image, h, w, new_h, new_w) {
  const half = new Float32Array(h * new_w), out = new Float32Array(new_h * new_w);
  shares(w, new_w).forEach((parts, x) => {
    for (let y = 0; y < h; y++) for (const [j, share] of parts) half[y * new_w + x] += share * image[y * w + j];
  });
  shares(h, new_h).forEach((parts, y) => {
    for (let x = 0; x < new_w; x++) for (const [j, share] of parts) out[y * new_w + x] += share * half[j * new_w + x];
  });
  return out;
}

// The digit is cut out, its longer side made 20 pixels, and its centre of mass put into the middle of 28x28.
function prepare(image, h, w) {
  let top = h, bottom = -1, left = w, right = -1;
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) if (image[y * w + x] > .1) {
    if (y < top) top = y; if (y > bottom) bottom = y; if (x < left) left = x; if (x > right) right = x;
  }
  const out = new Float32Array(784);
  if (bottom < 0) return out;
  const ch = bottom - top + 1, cw = right - left + 1, cut = new Float32Array(ch * cw);
  for (let y = 0; y < ch; y++) for (let x = 0; x < cw; x++) cut[y * cw + x] = image[(top + y) * w + left + x];
  const longer = Math.max(ch, cw), nh = Math.max(1, Math.round(20 * ch / longer)), nw = Math.max(1, Math.round(20 * cw / longer));
  const small = shrink(cut, ch, cw, nh, nw);
  let sum = 0, my = 0, mx = 0;
  for (let y = 0; y < nh; y++) for (let x = 0; x < nw; x++) { const v = small[y * nw + x]; sum += v; my += v * y; mx += v * x; }
  const down = Math.round(13.5 - my / sum), over = Math.round(13.5 - mx / sum);
  for (let y = 0; y < nh; y++) for (let x = 0; x < nw; x++) {
    const Y = y + down, X = x + over;
    if (Y >= 0 && X >= 0 && Y < 28 && X < 28) out[28 * Y + X] = small[y * nw + x];
  }
  return out;
}
