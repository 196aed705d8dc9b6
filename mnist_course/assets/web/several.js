// Several digits at once: lesson 15's `split_digits` for a drawing, under the same names. Boxes are
// {top, bottom, left, right, groups}; bottom and right are the first row and column that are no longer part of it.

// Groups of touching pixels of a mask, numbered from 1, and the box of each.
function findGroups(mask, h, w) {
  const group = new Uint16Array(h * w), boxes = [], stack = [];
  for (let seed = 0; seed < h * w; seed++) if (mask[seed] && !group[seed]) {
    const box = {top: h, bottom: 0, left: w, right: 0, groups: [boxes.length + 1]};
    group[seed] = boxes.push(box);
    stack.push(seed);
    while (stack.length) {
      const at = stack.pop(), y = Math.floor(at / w), x = at - y * w;
      box.top = Math.min(box.top, y); box.bottom = Math.max(box.bottom, y + 1);
      box.left = Math.min(box.left, x); box.right = Math.max(box.right, x + 1);
      for (let v = Math.max(0, y - 1); v <= Math.min(h - 1, y + 1); v++) for (let u = Math.max(0, x - 1); u <= Math.min(w - 1, x + 1); u++)
        if (mask[v * w + u] && !group[v * w + u]) { group[v * w + u] = boxes.length; stack.push(v * w + u); }
    }
  }
  return [group, boxes];
}

// Groups above one another that are close and unlike in height are one digit, a 5 and its bar; so are those that overlap.
function joinBoxes(boxes) {
  for (let i = 0; i < boxes.length; i++) for (let j = 0; j < i; j++) {
    const a = boxes[i], b = boxes[j], heights = [a.bottom - a.top, b.bottom - b.top], tall = Math.max(...heights), low = Math.min(...heights);
    const above = Math.min(a.right, b.right) - Math.max(a.left, b.left) > .4 * Math.min(a.right - a.left, b.right - b.left);
    const gap = Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom);
    if (above && (gap < .25 * tall && low < .5 * tall || gap < -.1 * low)) {
      const joined = {top: Math.min(a.top, b.top), bottom: Math.max(a.bottom, b.bottom), left: Math.min(a.left, b.left),
                      right: Math.max(a.right, b.right), groups: [...a.groups, ...b.groups]};
      return joinBoxes([...boxes.filter(box => box !== a && box !== b), joined]);
    }
  }
  return boxes;
}

// Line by line, each from left to right: what has its middle within the height of a line's first box is in that line.
function readingOrder(boxes) {
  const lines = [];
  for (const box of [...boxes].sort((a, b) => a.top + a.bottom - b.top - b.bottom)) {
    const middle = (box.top + box.bottom) / 2, line = lines.find(([first]) => first.top <= middle && middle <= first.bottom);
    if (line) line.push(box); else lines.push([box]);
  }
  return lines.flatMap(line => line.sort((a, b) => a.left - b.left));
}

// The digits of a drawing, each prepared by itself, 28x28 numbers in [0,1]. Dots and dashes are no digits.
function splitDigits(grey, h, w) {
  const found = findStrokes(toInk(grey), h, w);
  if (!found) return [];
  const [group, all] = findGroups(found.mask, h, w), boxes = joinBoxes(all);
  const tallest = Math.max(...boxes.map(box => box.bottom - box.top));
  const digits = readingOrder(boxes.filter(box => box.bottom - box.top >= .3 * tallest));
  return digits.map(box => {
    const mine = group.map(g => box.groups.includes(g) ? 1 : 0);
    const rim = Math.max(1, Math.floor(Math.max(box.bottom - box.top, box.right - box.left) / 20 + .5));
    const near = nearMask(mine, h, w, rim), others = group.map((g, i) => g && !mine[i] ? 1 : 0);
    return prepare(grey.map((v, i) => near[i] && !others[i] ? v : 0), h, w);
  });
}
