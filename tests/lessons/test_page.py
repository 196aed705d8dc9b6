"""The page to draw on, in a browser without a window: what it computes, what it says to drawn digits, and that it asks nobody for anything.

    PYTHONPATH=tests python tests/lessons/test_page.py shots    # write the pictures of the lesson, nbs/images/page/*.png
"""
import math, sys
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
from browser import ARGS, CHROMIUM
from checks import ROOT

SCREENS = {'desktop': (1280,800), 'phone': (390,844)}


def arc(cx, cy, rx, ry, start, end, n=14):
    "Points on an ellipse; degrees run clockwise from the right, as y points down"
    angles = [math.radians(start+(end-start)*i/n) for i in range(n+1)]
    return [(cx+rx*math.cos(a), cy+ry*math.sin(a)) for a in angles]

# Each digit as strokes, each stroke as points, in a square of side 1
STROKES = {
    0: [arc(.5, .5, .2, .32, -90, 270)],
    1: [[(.42,.28), (.52,.18), (.5,.82)]],
    2: [arc(.5, .36, .19, .18, -170, 40)+[(.32,.8), (.72,.8)]],
    3: [arc(.47, .34, .18, .16, -150, 90)+arc(.47, .66, .21, .17, -90, 140)],
    4: [[(.38,.2), (.3,.55), (.7,.54)], [(.64,.22), (.6,.82)]],
    5: [[(.68,.2), (.38,.2), (.36,.46)]+arc(.48, .62, .2, .18, -110, 130)],
    6: [[(.6,.16), (.44,.34)]+arc(.5, .64, .18, .18, -160, 200)],
    7: [[(.3,.22), (.7,.22), (.46,.82)]],
    8: [arc(.5, .34, .15, .15, 60, -240)+arc(.5, .66, .18, .17, -120, 240)],
    9: [arc(.48, .35, .17, .16, -20, -380)+[(.64,.4), (.58,.82)]],
}


def draw(page, strokes, pad='#pad'):
    "By the mouse, as a person would: press, move, let go"
    box = page.locator(pad).bounding_box()
    at = lambda p: (box['x']+p[0]*box['width'], box['y']+p[1]*box['height'])
    for first, *rest in strokes:
        page.mouse.move(*at(first))
        page.mouse.down()
        for p in rest: page.mouse.move(*at(p))
        page.mouse.up()


def answers(page):
    "What each rung says, once the page has drawn it"
    page.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20))))')
    return page.locator('.rung .digit b').all_inner_texts()


def until(page, condition, seconds=15):
    "Waits for it to become true; `wait_for_function` would evaluate text in the page, which its policy forbids"
    for _ in range(20*seconds):
        if page.evaluate(condition): return
        page.wait_for_timeout(50)
    raise TimeoutError(condition)


def test_file_is_small_and_self_contained(file):
    text = file.read_text(encoding='utf-8')
    assert len(text.encode())<2_500_000
    assert not any(s in text for s in ('http:', 'https:', 'src=', '@import', 'url(', 'fetch(', '/* page.css */', '/* scripts */', '/* models */', '/* digits */'))


@pytest.mark.parametrize('screen', SCREENS)
def test_drawn_digits_are_read_by_the_convnet(open_page, screen):
    page, read = open_page(SCREENS[screen]), {}
    for digit,strokes in STROKES.items():
        draw(page, strokes)
        read[digit] = answers(page)[-1]
        page.keyboard.press('c')
    assert read=={d: str(d) for d in STROKES}


@pytest.fixture(scope='module')
def thousand():
    from mnist_course.data import load_mnist
    return load_mnist()[1][:1000]


def as_torch(path):
    "A file by `save_numpy` as layers of torch"
    from torch import nn
    from mnist_course.convnet import GlobalMax
    from mnist_course.persist import read_tensors
    from mnist_course.recipes import Pixels
    tensors, header = read_tensors(path, 'numpy')
    def layer(i, kind, **d):
        w, b = (tensors.get(f'{i}.{part}') for part in ('weight','bias'))
        made = dict(pixels=lambda: Pixels(d['mean'], d['std']), flatten=nn.Flatten, unflatten=lambda: nn.Unflatten(1, d['shape']),
                    relu=lambda: nn.LeakyReLU(d.get('slope', 0.)), max_pool=lambda: nn.MaxPool2d(d['size']), global_max=GlobalMax,
                    softmax=lambda: nn.Softmax(1), linear=lambda: nn.Linear(w.shape[1], w.shape[0]),
                    conv=lambda: nn.Conv2d(w.shape[1], w.shape[0], w.shape[2], d['stride'], d['padding']))[kind]()
        if w is not None: made.load_state_dict(dict(weight=w.float(), bias=b.float()))
        return made
    return nn.Sequential(*(layer(i, **d) for i,d in enumerate(header['layers']))).eval()


def same_as_torch(page, nets, images):
    "Of each net: how many digits differ, how far the probabilities are apart at most"
    import torch
    theirs = torch.tensor(page.evaluate('''images => models.map(model => images.map(image =>
        [...forward(model, Float32Array.from(image, v => v/255)).at(-1).data]))''', images.flatten(1).tolist()))
    with torch.no_grad(): ours = torch.stack([net(images) for net in nets])
    found = [(int((o.argmax(1)!=t.argmax(1)).sum()), (o-t).abs().max().item()) for o,t in zip(ours, theirs, strict=True)]
    for differ,far in found: print(f'{len(images)-differ} of {len(images)} the same, probabilities within {far:.1e}')
    return found


def test_forward_gives_what_torch_gives(open_page, thousand):
    "The page's probabilities for 1,000 test pictures against torch's own, for each model that ships"
    from mnist_course.page import ON_PAGE
    from mnist_course.your_digits import MODELS
    nets = [as_torch(MODELS/f'{name}.safetensors') for name,*_ in ON_PAGE]
    for (name,*_), (differ,far) in zip(ON_PAGE, same_as_torch(open_page(), nets, thousand.images), strict=True):
        assert differ==0 and far<1e-3, name


def test_nets_trained_in_torch_answer_alike_on_the_page(open_page, thousand, tmp_path):
    "From the learner's own torch net, batch normalisation and all, by `save_numpy` and `mnist_course draw --model` to the page"
    import torch
    from torch import nn
    from mnist_course.tools.cli_read import draw as command
    from mnist_course.convnet import convnet
    from mnist_course.page import ON_PAGE
    from mnist_course.recipes import Pixels, get_recipe
    from mnist_course.speed_answer import save_numpy
    from mnist_course.doubt import small_convnet
    torch.manual_seed(0)
    nets = [nn.Sequential(Pixels(.13,.31), *layers) for layers in (convnet(), small_convnet(), get_recipe('mlp-64-64').layers())]
    for i,net in enumerate(nets):
        opt = torch.optim.Adam(net.parameters(), 3e-3)
        for xb,yb in zip(thousand.images.split(50), thousand.labels.split(50)):
            nn.functional.cross_entropy(net(xb), yb).backward()
            opt.step()
            opt.zero_grad()
        save_numpy(tmp_path/f'mine-{i}.safetensors', net.eval(), metrics=dict(accuracy=.5))
    command(tmp_path/'draw.html', [tmp_path/f'mine-{i}.safetensors' for i in range(len(nets))], False)
    page = open_page(path=tmp_path/'draw.html')
    names = page.locator('.rung .name').all_inner_texts()
    assert len(names)==len(ON_PAGE)+len(nets) and names[-1].startswith('mine-2') and '50.0 %' in names[-1]
    page.evaluate(f'models = models.slice({len(ON_PAGE)})')
    found = same_as_torch(page, [nn.Sequential(net, nn.Softmax(1)) for net in nets], thousand.images)
    assert all(differ==0 and far<1e-3 for differ,far in found)


def drawing(kind, rng):
    "One that somebody might draw, or just not: ink as bytes (140,140), soft at the edges as a browser's"
    from PIL import Image, ImageDraw
    page = Image.new('L', (560,560))
    pen, points = ImageDraw.Draw(page), lambda n: [tuple(p) for p in rng.uniform(28, 532, (n,2))]
    if kind in ('stroke','faint'): pen.line(points(4), 255, 44, joint='curve')
    if kind=='scribble': pen.line(points(rng.integers(4, 60)), 255, 44)
    if kind=='thin': pen.line(points(2), 255, int(rng.integers(2, 12)))
    if kind=='upright': pen.line([(x := int(rng.integers(4, 136))*4, 80), (x, 400)], 255, int(rng.integers(2, 12)))
    if kind=='dots':
        for x,y in points(rng.integers(1, 4)): pen.ellipse([x-(r := rng.uniform(1, 16)), y-r, x+r, y+r], 255)
    ink = np.asarray(page.resize((140,140), Image.Resampling.BOX)).astype(float)
    if kind=='faint': ink *= rng.uniform(.04, .3)
    if kind=='noise': ink += rng.normal(0, rng.uniform(2, 60), ink.shape)
    if kind=='speckled': ink += 255*(rng.random(ink.shape)<10**rng.uniform(-4, -1))
    if kind=='nearly empty':
        y, x = rng.integers(0, 135, 2)
        ink[y:y+rng.integers(1, 7), x:x+rng.integers(1, 7)] = rng.uniform(1, 255)
    return ink.clip(0, 255).round().astype(np.uint8)

DRAWINGS = 'stroke', 'faint', 'scribble', 'thin', 'upright', 'dots', 'noise', 'speckled', 'nearly empty'


def prepared_here(drawings):
    "What Python makes of each, bytes (n,28,28): all 0 where it finds no ink"
    from mnist_course.your_digits import prepare
    def one(drawing):
        try: return prepare(drawing, leave_out=('light','invert','lines'))    # the steps of lesson 16's `read_drawing`
        except ValueError as e:
            assert 'no ink found' in str(e)
            return np.zeros((28,28), np.uint8)
    return np.stack([one(d) for d in drawings])


def prepared_there(page, drawings):
    "The same by the page"
    text = b64encode(np.stack(drawings).tobytes()).decode()
    found = page.evaluate("""text => { const all = Uint8Array.from(atob(text), c => c.charCodeAt(0)), out = [];
        for (let i = 0; i < all.length; i += 19600) out.push([...prepare(Float32Array.from(all.subarray(i, i+19600), v => v/255), 140, 140)]);
        return out; }""", text)
    return (np.array(found)*255).round().astype(np.uint8).reshape(-1,28,28)


def test_prepare_is_the_twin_of_lesson_15s(open_page):
    "756 drawings of nine kinds: the same ones are empty to both, and of the others no pixel is more than 1 of 255 apart"
    page, rng, empty = open_page(), np.random.default_rng(0), {}
    for kind in DRAWINGS:
        drawings = [drawing(kind, rng) for _ in range(84)]
        ours, theirs = prepared_here(drawings), prepared_there(page, drawings)
        blank = [~some.any((1,2)) for some in (ours, theirs)]
        assert blank[0].tolist()==blank[1].tolist(), kind
        assert np.abs(ours.astype(int)-theirs).max()<=1, kind
        empty[kind] = int(blank[0].sum())
    print('of 84 drawings of each kind are empty:', empty)
    assert empty['stroke']==0 and all(5<empty[kind]<79 for kind in ('faint','noise','nearly empty'))    # both answers are tried


def as_drawing(photo):
    "A photo as if somebody had drawn it on the pad, paper and all: ink as bytes (140,140)"
    from PIL import Image
    from mnist_course.core.pictures import read_picture
    ink = Image.fromarray(((1-read_picture(photo, side=280))*255).round().astype(np.uint8))
    return np.asarray(ink.resize((140,140), Image.Resampling.BOX))


DEAR = 'A4 page, 8 mm', 'A4 page, 15 mm', 'tablet, thin pen', 'sheet on a desk'    # half a second each
CHEAP = {'light ink, transparent': 40, 'marker, cut out closely': 12}              # a fiftieth or a twentieth; most others, a fifteenth

@pytest.mark.parametrize('part', range(9))
def test_photos_as_drawings_are_prepared_alike(open_page, part, count):
    """1,450 photos of all 36 kinds, which with the 756 drawings make more than 2,000 scenes: noise, frames, desks and shadows, where
    thresholds decide. 112 s of processor time in nine parts, nearly all of it for making the photos"""
    from mnist_course.core.scenes import PHOTOS, photo_of
    page = open_page()
    for kind in list(PHOTOS)[part::9]:
        n = 1 if kind in DEAR else CHEAP.get(kind, 2 if kind=='screenshot' else 3)
        drawings = [as_drawing(photo_of(digit, kind, seed)) for digit in range(10) for seed in range(n)]
        ours, theirs = prepared_here(drawings), prepared_there(page, drawings)
        assert ours.any((1,2)).tolist()==theirs.any((1,2)).tolist(), kind
        assert np.abs(ours.astype(int)-theirs).max()<=1, kind
        count('photos prepared alike in Python and in JavaScript', len(drawings))


def test_the_edge_between_empty_and_not_is_the_same(open_page):
    "One drawing, fainter and fainter: all 256 steps"
    ink = drawing('stroke', np.random.default_rng(0))
    fainter = [(ink*(i/255)).round().astype(np.uint8) for i in range(256)]
    ours, theirs = prepared_here(fainter), prepared_there(open_page(), fainter)
    assert ours.any((1,2)).tolist()==theirs.any((1,2)).tolist()
    assert 15<(~ours.any((1,2))).sum()<40 and np.abs(ours.astype(int)-theirs).max()<=1


def test_blown_up_digits_are_prepared_alike(open_page, thousand):
    "1,000 test pictures as drawings, of many sizes and off the middle: the same digit for each, by Python and by the page"
    from PIL import Image
    from mnist_course.core.numpy_forward import load_numpy
    from mnist_course.page import ON_PAGE
    from mnist_course.your_digits import MODELS
    net, rng = load_numpy(MODELS/f'{ON_PAGE[-1][0]}.safetensors'), np.random.default_rng(0)
    page, ours, theirs = open_page(), [], []
    for some in np.split(thousand.images.numpy(), 20):
        drawings = np.zeros((50,140,140), np.uint8)
        for image,to in zip(some, drawings, strict=True):
            n = int(rng.integers(50, 141))                        # sides, and where it goes
            y, x = rng.integers(0, 141-n, 2)
            to[y:y+n, x:x+n] = np.asarray(Image.fromarray(image).resize((n,n), Image.Resampling.BICUBIC))
        ours.append(prepared_here(drawings))
        theirs.append(prepared_there(page, drawings))
    ours, theirs = np.concatenate(ours), np.concatenate(theirs)
    assert np.abs(ours.astype(int)-theirs).max()<=1
    assert (net(ours).argmax(1)==net(theirs).argmax(1)).all()


def test_layers_that_no_model_of_ours_has(open_page, tmp_path):
    "Strides, padding, scales that were not folded, leaky ReLU, a single score: against torch itself"
    import torch
    from torch import nn
    from mnist_course.page import pack_model, write_page
    from mnist_course.recipes import Pixels
    from mnist_course.speed_answer import save_numpy
    torch.manual_seed(0)
    net = nn.Sequential(Pixels(.13,.3), nn.Unflatten(1, (1,28,28)), nn.BatchNorm2d(1), nn.Conv2d(1,6,5,stride=2,padding=2), nn.LeakyReLU(.1),
                        nn.Conv2d(6,7,3,stride=3,padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(28,1)).eval()
    net[2].running_mean += .2
    save_numpy(tmp_path/'odd.safetensors', net, classes='73')
    page = open_page(path=write_page(tmp_path/'odd.html', [pack_model(tmp_path/'odd.safetensors')]))
    x = torch.rand(20,28,28)
    with torch.no_grad(): ours = net(x).sigmoid()[:,0]
    theirs = page.evaluate('images => images.map(image => forward(models[0], Float32Array.from(image)).at(-1).data[1])', x.flatten(1).tolist())
    assert (ours-torch.tensor(theirs)).abs().max()<1e-3 and ours.std()>1e-3


def test_a_burst_of_moves_is_answered_once(open_page):
    "However many points a frame brings, the models are asked once in it; how long that takes is printed"
    page = open_page()
    draw(page, STROKES[3])
    answers(page)
    asked, ms = page.evaluate('''async () => { let asked = 0;
        const one = answerAll, frame = () => new Promise(done => requestAnimationFrame(done));
        answerAll = image => { asked++; return one(image); };
        for (let i = 0; i < 100; i++) answerSoon();
        await frame(); await frame();
        const times = [], start = () => performance.now();
        for (let i = 0; i < 200; i++) { const from = start(); one(modelInput()); times.push(start()-from); }
        return [asked, times.sort((a,b) => a-b)[100]]; }''')
    print(f'{ms:.2f} ms for a drawing')
    assert asked==1


def test_the_page_is_painted_before_the_models_are_read(open_page):
    page = open_page()
    page.add_init_script("addEventListener('DOMContentLoaded', () => requestAnimationFrame(() => { firstFrame = [models.length, $('rungs').childElementCount]; }))")
    page.reload()
    page.wait_for_selector('.rung')
    assert page.evaluate('firstFrame')==[0,0]
    page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")


def test_buttons_and_keys(open_page):
    page = open_page()
    assert page.locator('#undo').is_disabled() and answers(page)[-1]==''
    draw(page, STROKES[4])
    assert answers(page)[-1]=='4'
    page.keyboard.press('Control+z')
    assert page.evaluate('strokes.length')==1
    page.locator('#undo').click()
    assert answers(page)[-1]=='' and page.locator('#clear').is_disabled()
    draw(page, STROKES[7])
    page.locator('#clear').focus()
    page.keyboard.press('Enter')
    assert answers(page)[-1]=='' and page.evaluate('strokes.length')==0


def strokes(page): return page.evaluate('strokes.length')


def test_clear_is_a_step_that_undo_takes_back(open_page):
    page = open_page()
    draw(page, STROKES[4])
    page.keyboard.press('c')
    assert answers(page)[-1]=='' and strokes(page)==0 and page.locator('#clear').is_disabled()
    page.keyboard.press('c')                                     # nothing to clear is no step
    page.keyboard.press('Control+z')
    assert answers(page)[-1]=='4' and strokes(page)==2
    page.locator('#clear').click()
    draw(page, STROKES[7])
    assert answers(page)[-1]=='7' and strokes(page)==1
    page.locator('#undo').click()
    page.locator('#undo').click()
    assert answers(page)[-1]=='4' and strokes(page)==2
    page.locator('#undo').click()
    page.keyboard.press('Control+z')                             # the focus is on Undo: Ctrl+Z means the same there
    assert answers(page)[-1]=='' and strokes(page)==0 and page.locator('#undo').is_disabled()


def test_c_on_a_control_clears_nothing(open_page):
    "And on a slider or the box to tick, Ctrl+Z takes no stroke back"
    page = open_page()
    draw(page, STROKES[4])
    page.evaluate("$('turn').value = 5; $('turn').dispatchEvent(new Event('input'))")    # so that Reset is enabled
    for control in ('right', 'down', 'turn', 'size', 'prepare', 'reset', 'undo', 'clear'):
        page.locator(f'#{control}').focus()
        assert page.evaluate('document.activeElement.id')==control
        page.keyboard.press('c')
        if control not in ('reset','undo','clear'): page.keyboard.press('Control+z')
        assert (control, strokes(page), answers(page)[-1])==(control, 2, '4')


def test_c_with_another_key_held_clears_nothing(open_page):
    "Ctrl+C copies, Alt and Meta are the browser's"
    page = open_page()
    draw(page, STROKES[4])
    for key in ('Control+c', 'Alt+c', 'Meta+c', 'Control+Alt+z', 'Control+Shift+z'): page.keyboard.press(key)
    assert strokes(page)==2


def test_a_tap_leaves_a_dot(open_page):
    page = open_page()
    draw(page, [[(.5,.5)]])
    assert strokes(page)==1 and 60<page.evaluate('drawn().reduce((a, b) => a + b)')<130    # the pen is 11 wide
    assert answers(page)[-1]!=''


def test_a_speck_gets_no_answer(open_page):
    "To Python such a page is empty; the models would all say something of 784 zeros"
    page = open_page()
    page.evaluate("strokes.push({kind: 'pen', width: 11, points: [[-3.2, -3.2]]}); redraw(); answer()")
    assert strokes(page)==1 and page.evaluate('drawn().some(v => v > 0)')
    assert set(answers(page))=={''} and page.locator('#clear').is_enabled()
    draw(page, STROKES[7])
    assert answers(page)[-1]=='7'


def test_result_is_said(open_page):
    page = open_page()
    line = page.get_by_role('status')
    assert line.get_attribute('aria-live')=='polite'
    draw(page, STROKES[7])
    page.wait_for_timeout(400)
    assert line.inner_text().startswith('Convnet reads 7, ')
    page.keyboard.press('c')
    page.wait_for_timeout(400)
    assert line.inner_text()=='Draw something.'


def test_sliders_change_what_the_models_see(open_page):
    page = open_page()
    draw(page, STROKES[3])
    before = page.evaluate('[...modelInput()]')
    moved = page.evaluate("[...warp(Float32Array.from(modelInput()), 3, 0, 0, 1)]")
    assert max(abs(moved[28*y+x+3]-before[28*y+x]) for y in range(28) for x in range(25))<1e-6
    page.locator('#right').focus()
    for _ in range(6): page.keyboard.press('ArrowRight')      # half a pixel each
    after = page.evaluate('[...modelInput()]')
    assert max(abs(a-b) for a,b in zip(after, moved))<1e-6
    assert page.locator('#right-set').inner_text()=='3 px'
    page.locator('#reset').click()
    assert page.evaluate('[...modelInput()]')==before


@pytest.mark.parametrize('screen', SCREENS)
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_nothing_is_cut_off(open_page, screen, scheme):
    page = open_page(SCREENS[screen], color_scheme=scheme)
    draw(page, STROKES[8])
    answers(page)
    assert page.evaluate('document.documentElement.scrollWidth<=innerWidth')
    cut = page.evaluate('''() => [...document.querySelectorAll('main *')].filter(e => e.clientWidth && e.scrollWidth > e.clientWidth+1).map(e => e.outerHTML.slice(0, 80))''')
    assert cut==[]
    if screen=='desktop': assert page.evaluate('document.documentElement.scrollHeight<=innerHeight')


def test_touch_draws(open_page):
    "A finger's events draw, and a second finger does nothing"
    page = open_page(SCREENS['phone'], has_touch=True)
    page.evaluate('''() => { const box = pad.getBoundingClientRect();
        const send = (type, id, x, y) => pad.dispatchEvent(new PointerEvent(type, {pointerId: id, pointerType: 'touch', bubbles: true,
            clientX: box.left+x*box.width, clientY: box.top+y*box.height}));
        pad.setPointerCapture = () => {};
        send('pointerdown', 5, .5, .2); send('pointermove', 5, .5, .5); send('pointerdown', 6, .1, .1); send('pointermove', 6, .9, .1);
        send('pointermove', 5, .5, .8); send('pointerup', 5, .5, .8); }''')
    assert page.evaluate('strokes.length')==1 and answers(page)[-1]=='1'
    assert page.evaluate("getComputedStyle(pad).touchAction")=='none'


def shots(out=ROOT/'nbs'/'images'/'page'):
    "The lesson's pictures"
    from playwright.sync_api import sync_playwright
    from mnist_course.page import write_page
    import tempfile
    out.mkdir(exist_ok=True)
    with sync_playwright() as p, tempfile.TemporaryDirectory() as folder:
        b = p.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        file = write_page(Path(folder)/'draw.html')
        def shot(name, digit, size=(1280,800), set_to=None, full=False, point=None, **options):
            page = b.new_context(viewport=dict(width=size[0], height=size[1]), **options).new_page()
            page.goto(file.as_uri())
            page.wait_for_selector('.rung')
            if digit is not None: draw(page, STROKES[digit])
            for slider,value in (set_to or {}).items(): page.evaluate(f"$('{slider}').value = {value}; $('{slider}').dispatchEvent(new Event('input'))")
            page.mouse.move(2, 2)
            if point:
                page.locator('#tab-inside').click()
                page.locator('#layers canvas').nth(point[0]).hover(position=dict(x=point[1], y=point[2]))
            page.wait_for_timeout(400)
            print(name, answers(page))
            page.screenshot(path=out/f'{name}.png', full_page=full)
        shot('three', 3)
        shot('moved', 3, set_to=dict(right=5, turn=12))
        shot('phone', 7, size=(390,844), color_scheme='dark')
        shot('inside', 3, size=(1280,1020), point=(3, 71, 31))
        if out!=ROOT/'nbs'/'images'/'page':
            shot('empty', None); shot('dark', 8, color_scheme='dark'); shot('phone_light', 5, size=(390,844), full=True)
        b.close()


if __name__=='__main__':
    if sys.argv[1:2]!=['shots']: sys.exit(__doc__)
    shots(*map(Path, sys.argv[2:]))
