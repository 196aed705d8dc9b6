// The pad in a notebook: drawing happens here, reading in Python. `pixels` goes there, `answer` comes back.
function render({model, el}) {
  el.innerHTML = `<div class="mnist-pad">
    <div><canvas class="pad" tabindex="0" role="img" aria-label="Drawing area. Draw one digit with mouse, finger or pen."></canvas>
      <div class="buttons"><button type="button" class="undo" aria-keyshortcuts="Control+Z">Undo</button>
        <button type="button" class="clear" aria-keyshortcuts="C">Clear</button>
        <button type="button" class="erase" aria-pressed="false">Eraser</button></div></div>
    <div class="result"><b class="digit" aria-hidden="true"></b><p role="status" aria-live="polite"></p>
      <canvas class="seen" width="28" height="28" role="img" aria-label="The 28 by 28 pixels that the network gets"></canvas></div></div>`;
  const $ = name => el.querySelector(name), stop = new AbortController(), {signal} = stop;
  const {strokes, tool, drawn, redraw, clear, undo, canUndo} = makePad($('.pad'), changed);
  let timer = null, speak = null;

  // While the pen moves, seven times a second; when it rests, at once
  function changed(resting) {
    show();
    if (resting) send(); else timer ??= setTimeout(send, 150);
  }
  function send() {
    clearTimeout(timer);
    timer = null;
    model.set('pixels', strokes.length ? Array.from(drawn(), v => Math.round(255 * v)) : []);
    model.save_changes();
  }

  function show() {
    const {digit = null, probability, runners_up = [], sure, seen = [], note = ''} = strokes.length ? model.get('answer') : {};
    $('.undo').disabled = !canUndo();
    $('.clear').disabled = !strokes.length;
    $('.digit').textContent = digit ?? '';
    $('.digit').classList.toggle('unsure', !sure);
    showSeen($('.seen'), seen.length ? seen : new Uint8Array(784), 255);
    const others = runners_up.map(([d, p]) => `${d}\u00a0(${percent(p)})`).join(', ');
    const words = !strokes.length ? 'Draw a digit.' : digit === null ? note : `${sure ? '' : 'Not sure: '}${digit},\u00a0${percent(probability)}. Then ${others}.`;
    clearTimeout(speak);                       // a screen reader would hear every change, so it waits until the pen rests
    speak = setTimeout(() => { $('[role=status]').textContent = words; }, 150);
  }

  $('.clear').addEventListener('click', clear);
  $('.undo').addEventListener('click', undo);
  $('.erase').addEventListener('click', () => {
    tool.kind = tool.kind === 'pen' ? 'eraser' : 'pen';
    $('.erase').setAttribute('aria-pressed', tool.kind === 'eraser');
  });
  addEventListener('keydown', event => {       // before JupyterLab, where C copies the cell
    if (el.contains(event.target) && padKeys(event, clear, undo)) event.stopImmediatePropagation();
  }, {signal, capture: true});
  addEventListener('resize', redraw, {signal});
  const theme = new MutationObserver(redraw);
  theme.observe(document.body, {attributes: true, attributeFilter: ['class', 'data-jp-theme-light']});
  model.on('change:answer', show);
  show();
  return () => { stop.abort(); theme.disconnect(); model.off('change:answer', show); };
}
export default {render};
