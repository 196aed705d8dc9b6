// Pictures as files. A link with `download` saves what it leads to, and nothing leaves the page.
function saveCanvas(canvas, name) {
  const link = document.createElement('a');
  link.href = canvas.toDataURL('image/png');
  link.download = name;
  link.click();
}
