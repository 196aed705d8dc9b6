// MNIST's digits come as text: their bytes deflated, as a zip file has them, then in base64. To unpack takes a few
// milliseconds, and the browser does it beside everything else: so what comes back is a promise.
async function unpackDigits({n, pictures, labels}) {
  const deflated = Uint8Array.from(atob(pictures), c => c.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate'));
  const images = new Uint8Array(await new Response(stream).arrayBuffer());
  if (images.length !== n * 784) throw new Error(`${images.length} bytes for ${n} pictures: expected ${n * 784}`);
  return {n, images, labels: Uint8Array.from(labels, Number)};
}

// One of them: 784 bytes, row by row, 0 for paper to 255 for ink.
function pictureOf(digits, i) { return digits.images.subarray(784 * i, 784 * (i + 1)); }
