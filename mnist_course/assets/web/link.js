// A link that carries the drawing: its strokes as a row of small whole numbers, these as bytes, the bytes as letters.
// A stroke is written as its first place and, from there on, the step from each place to the next. Steps are small, so
// most of them need a single byte.
const VERSION = 'a', LONGEST = 20_000;         // the first letter of each link, and how many letters it may have
const FARTHEST = 10 * SIDE;                    // nobody draws farther than that from the pad

// A whole number in bytes of seven bits, the lowest first; 128 is added where more follow.
function putNumber(bytes, n) {
  for (; n > 127; n = Math.floor(n / 128)) bytes.push(n % 128 + 128);
  bytes.push(n);
}
function signed(n) { return n < 0 ? -2 * n - 1 : 2 * n; }               // 0, -1, 1, -2, … as 0, 1, 2, 3, …
function unsigned(n) { return n % 2 ? -(n + 1) / 2 : n / 2; }

// Two bytes that no longer fit when letters were lost, changed or exchanged.
function checkSum(bytes) {
  let a = 1, b = 0;
  for (const byte of bytes) { a = (a + byte) % 251; b = (b + a) % 251; }
  return [a, b];
}

// The drawing, and what it is moved, turned and resized by, as the part of an address after its #.
function packLink(strokes, {right, down, turn, size}, prepared) {
  const bytes = [], put = n => putNumber(bytes, n);
  [2 * right, 2 * down, turn, size - 100].forEach(n => put(signed(Math.round(n))));
  put(prepared ? 1 : 0);
  put(strokes.length);
  for (const {kind, width, points} of strokes) {
    put(2 * width + (kind === 'eraser' ? 1 : 0));
    put(points.length);
    points.forEach(([x, y], i) => {
      const [x0, y0] = points[i - 1] ?? [0, 0];
      put(signed(Math.round((x - x0) * GRID)));
      put(signed(Math.round((y - y0) * GRID)));
    });
  }
  const letters = btoa(String.fromCharCode(...checkSum(bytes)) + bytes.map(b => String.fromCharCode(b)).join(''));
  return VERSION + letters.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

// What such a part says, or null where it is none of ours, or damaged: nothing is taken from it then.
function unpackLink(text) {
  if (text.length > LONGEST || !/^a[\w-]+$/.test(text)) return null;
  let bytes;
  try { bytes = Uint8Array.from(atob(text.slice(1).replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0)); } catch { return null; }
  const rest = bytes.subarray(2), sum = checkSum(rest);
  if (bytes.length < 2 || sum[0] !== bytes[0] || sum[1] !== bytes[1]) return null;
  let at = 0, whole = true;
  function get(least, most) {                  // the next number; it must lie in this range
    let n = 0;
    for (let factor = 1; ; factor *= 128) {
      if (at >= rest.length || factor > 2 ** 28) { whole = false; return least; }
      const byte = rest[at++];
      n += byte % 128 * factor;
      if (byte < 128) break;
    }
    if (n < least || n > most) whole = false;
    return Math.min(most, Math.max(least, n));
  }
  const within = (least, most) => {
    const n = unsigned(get(0, 2 ** 28));
    if (n < least || n > most) whole = false;
    return n;
  };
  const right = within(-16, 16) / 2, down = within(-16, 16) / 2, turn = within(-45, 45), size = within(-60, 40) + 100;
  const prepared = get(0, 1) === 1, strokes = [];
  for (let left = get(0, rest.length); left > 0 && whole; left--) {
    const tool = get(2, 127), points = [];
    let x = 0, y = 0;
    for (let n = get(1, rest.length); n > 0 && whole; n--) {
      x += unsigned(get(0, 2 ** 28));
      y += unsigned(get(0, 2 ** 28));
      if (Math.max(Math.abs(x), Math.abs(y)) > FARTHEST * GRID) whole = false;
      points.push([x / GRID, y / GRID]);
    }
    strokes.push({kind: tool % 2 ? 'eraser' : 'pen', width: Math.floor(tool / 2), points});
  }
  return whole && at === rest.length ? {strokes, settings: {right, down, turn, size}, prepared} : null;
}

// Into the clipboard; where the browser has none for us, the old way through a field of text.
async function copyText(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* the old way */ }
  const field = addTag(document.body, 'textarea');
  field.value = text;
  field.select();
  const done = document.execCommand('copy');
  field.remove();
  return done;
}
