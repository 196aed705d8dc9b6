"""`DrawingPad` in a real JupyterLab: drawn on by pointer events, read in the kernel, shown on the pad.

    PYTHONPATH=tests python tests/lessons/test_pad.py    # write the picture of the lesson, nbs/images/page/pad.png
"""
import json, sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from browser import ARGS, CHROMIUM, jupyterlab
from checks import ROOT
from test_page import STROKES, draw

CELL = '''from mnist_course.page import DrawingPad
pad = DrawingPad()
pad'''


@contextmanager
def serve(folder):
    "Address of a JupyterLab with one notebook"
    code = lambda source: dict(cell_type='code', source=source, outputs=[], metadata={}, execution_count=None, id=str(len(source)))
    nb = dict(nbformat=4, nbformat_minor=5, metadata=dict(kernelspec=dict(name='python3', display_name='Python 3', language='python')),
              cells=[code(CELL), code("print('kept:', pad.answer.digit)")])
    (folder/'work').mkdir()
    (folder/'work'/'pad.ipynb').write_text(json.dumps(nb))
    with jupyterlab(folder/'work', folder/'own') as (address, token): yield f'{address}/lab/tree/pad.ipynb?token={token}&reset'


@pytest.fixture(scope='module')
def lab(tmp_path_factory):
    for module in ('jupyterlab','anywidget'): pytest.importorskip(module, reason=f'{module} is not installed')
    with serve(tmp_path_factory.mktemp('lab')) as address: yield address


def open_lab(browser, lab, **options):
    "The notebook with its first cell run, and the pad in view; what the browser complains of goes into the list"
    from playwright.sync_api import TimeoutError as Slow
    page, errors = browser.new_context(viewport=dict(width=1000, height=760), **options).new_page(), []
    page.set_default_timeout(80_000)
    page.on('pageerror', lambda e: errors.append(str(e)))
    page.on('console', lambda m: errors.append(m.text) if m.type=='error' and 'mnist' in m.text else None)
    page.goto(lab)
    page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status=idle]', state='attached')
    for _ in range(4):                                           # a kernel that has just begun may lose a cell
        page.wait_for_timeout(1000)
        page.locator('.jp-Notebook .jp-CodeCell .cm-line').first.click()
        page.keyboard.press('Shift+Enter')
        try: page.wait_for_selector('.mnist-pad .pad', timeout=20_000); break
        except Slow: pass
    else: pytest.fail('no pad: '+' '.join(page.locator('.jp-OutputArea').all_inner_texts()+errors))
    return page, errors


def shows(page, text, seconds=30):
    "Until the pad's line begins so"
    page.wait_for_function("t => document.querySelector('.mnist-pad [role=status]').textContent.startsWith(t)", arg=text, timeout=1000*seconds)


def test_a_drawn_digit_is_read_in_the_kernel(browser, lab):
    page, errors = open_lab(browser, lab)
    cells = page.locator('.jp-Notebook .jp-CodeCell')
    shows(page, 'Draw a digit.')
    draw(page, STROKES[3], '.mnist-pad .pad')
    shows(page, '3,')
    assert page.locator('.mnist-pad .digit').inner_text()=='3'
    ink = page.evaluate("(c => c.getContext('2d').getImageData(0, 0, 28, 28).data.filter((v, i) => i % 4 == 0 && v > 128).length)(document.querySelector('.mnist-pad .seen'))")
    assert 30<ink<250                                            # of 784: what the network got
    page.keyboard.press('c')                                     # the pad has the focus: nobody copies a cell
    shows(page, 'Draw a digit.')
    page.keyboard.press('Control+z')                             # to clear was a step like any other
    shows(page, '3,')
    page.locator('.mnist-pad .undo').focus()
    page.keyboard.press('c')                                     # the pad's own buttons mind other keys
    assert page.locator('.mnist-pad .clear').is_enabled()
    page.locator('.mnist-pad .clear').click()
    shows(page, 'Draw a digit.')
    draw(page, STROKES[4], '.mnist-pad .pad')
    shows(page, '4,')
    page.keyboard.press('Control+z')
    page.wait_for_function("!document.querySelector('.mnist-pad [role=status]').textContent.startsWith('4')", timeout=30_000)
    page.locator('.mnist-pad .undo').click()
    shows(page, 'Draw a digit.')
    draw(page, STROKES[7], '.mnist-pad .pad')
    shows(page, '7,')
    cells.nth(1).locator('.cm-line').first.click()
    page.keyboard.press('Shift+Enter')
    page.wait_for_function("document.querySelector('.jp-Notebook').textContent.includes('kept: 7')")
    assert cells.count()<=3 and errors==[]
    page.locator('.mnist-pad .pad').focus()
    page.keyboard.press('Control+b')                             # JupyterLab's own keys still work
    page.wait_for_selector('#jp-left-stack', state='hidden')
    page.context.close()


def test_a_finger_draws_and_the_dark_theme_is_followed(browser, lab):
    page, errors = open_lab(browser, lab, has_touch=True)
    shows(page, 'Draw a digit.')
    colour = "getComputedStyle(document.querySelector('.mnist-pad .pad')).color"
    light = page.evaluate(colour)
    page.evaluate('''() => { const pad = document.querySelector('.mnist-pad .pad'), box = pad.getBoundingClientRect();
        const send = (type, x, y) => pad.dispatchEvent(new PointerEvent(type, {pointerId: 5, pointerType: 'touch', bubbles: true,
            clientX: box.left+x*box.width, clientY: box.top+y*box.height}));
        pad.setPointerCapture = () => {};
        send('pointerdown', .5, .2); send('pointermove', .5, .5); send('pointermove', .5, .8); send('pointerup', .5, .8); }''')
    shows(page, '1,')
    page.evaluate('''() => { const pad = document.querySelector('.mnist-pad .pad'), box = pad.getBoundingClientRect();
        const send = (type, id, kind, x, y, buttons = 1) => pad.dispatchEvent(new PointerEvent(type, {pointerId: id, pointerType: kind, bubbles: true,
            buttons, clientX: box.left+x*box.width, clientY: box.top+y*box.height}));
        document.querySelector('.mnist-pad .clear').click();
        send('pointerdown', 5, 'touch', .9, .9); send('pointermove', 5, 'touch', .5, .9);        // a palm, and then a pen
        send('pointerdown', 7, 'pen', .3, .2); for (const [x, y] of [[.7, .2], [.5, .5], [.45, .8]]) send('pointermove', 7, 'pen', x, y);
        send('pointerup', 7, 'pen', .45, .8); send('pointercancel', 5, 'touch', .5, .9); }''')
    shows(page, '7,')
    page.locator('.mnist-pad .erase').click()
    assert page.locator('.mnist-pad .erase').get_attribute('aria-pressed')=='true'
    draw(page, [[(.2,.2), (.8,.2)], [(.2,.25), (.8,.25)]], '.mnist-pad .pad')                   # without its bar it is a 1
    shows(page, '1,')
    page.locator('.lm-MenuBar-item', has_text='Settings').click()
    page.locator('.lm-Menu-item', has_text='Theme').first.hover()
    page.locator('.lm-Menu-item', has_text='JupyterLab Dark').first.click()
    page.wait_for_function(f'() => {colour} !== "{light}"')
    page.wait_for_function('''() => { const pad = document.querySelector('.mnist-pad .pad'), n = pad.width;
        return Math.min(...pad.getContext('2d').getImageData(n/2, n/2, 1, 1).data.slice(0, 3)) > 180; }''')    # light ink
    assert errors==[]
    page.context.close()


def shot(out=ROOT/'nbs'/'images'/'page'/'pad.png'):
    "The lesson's picture"
    import tempfile
    from io import BytesIO
    from PIL import Image
    from playwright.sync_api import sync_playwright
    with sync_playwright() as p, tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as address:
        b = p.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page, _ = open_lab(b, address)
        page.keyboard.press('Control+b')                         # no list of files
        draw(page, STROKES[3], '.mnist-pad .pad')
        shows(page, '3,')
        page.mouse.move(2, 2)
        page.wait_for_timeout(800)
        png = page.locator('.jp-Notebook .jp-CodeCell').first.screenshot()
        Image.open(BytesIO(png)).convert('RGB').quantize(64, dither=Image.Dither.NONE).save(out, optimize=True)
        b.close()


if __name__=='__main__': shot(*map(Path, sys.argv[1:]))
