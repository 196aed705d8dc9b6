"""The page's section "Watch it learn", alone in a page of its own: that it trains as Python does, and what one can do with it.

    PYTHONPATH=tests python tests/lessons/test_page_watch.py shot    # write the picture of the lesson, nbs/images/page/watch.png
"""
import json, re, sys
from itertools import islice
from pathlib import Path

import pytest
from browser import ARGS, CHROMIUM
from checks import ROOT
from mnist_course.page_watch import DIGITS, random_numbers, shuffled, train_shared, watch_data

WEB = ROOT/'mnist_course'/'assets'/'web'
SIZES = [784,10], [784,30,10]
SCREENS = {'desktop': (1280,900), 'phone': (390,844)}


def watch_page(**settings):
    "HTML with the section and nothing else"
    part = lambda name: (WEB/name).read_text(encoding='utf-8')
    styles, scripts = (part('page.css')+part('watch.css'), '\n'.join(map(part, ('pad.js', 'digits.js', 'train.js', 'watch.js'))))
    policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
    return f'''<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Watch it learn</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,"><style>{styles} main {{ display: block; }}</style></head>
<body><main><h1>A page</h1><section id="watch"></section></main><script>{scripts}</script><script>
const data = {json.dumps(watch_data() | settings)};
let watch = null;
makeWatch(document.getElementById('watch'), data).then(made => {{ watch = made; }});
</script></body></html>'''


@pytest.fixture
def open_watch(browser, tmp_path):
    "Opens the section; at the end nothing must have been asked for, and nothing complained of"
    opened, told = [], []
    def open_one(size=(1280,900), settings=None, **options):
        path = tmp_path/f'{len(opened)}.html'
        path.write_text(watch_page(**(settings or {})), encoding='utf-8')
        context = browser.new_context(viewport=dict(width=size[0], height=size[1]), **options)
        page = context.new_page()
        page.on('console', lambda m: told.append(f'{m.type}: {m.text}'))
        page.on('pageerror', lambda e: told.append(f'error: {e}'))
        page.on('request', lambda r: told.append(f'request: {r.url}') if r.url!=path.as_uri() and not r.url.startswith('data:') else None)
        page.goto(path.as_uri())
        until(page, 'Boolean(watch)')
        opened.append(context)
        return page
    yield open_one
    for context in opened: context.close()
    assert told==[]


@pytest.fixture(scope='module')
def digits():
    from mnist_course.data import load_mnist
    from mnist_course.page_watch import watch_digits
    return watch_digits(load_mnist()[0])


def button(page, name): return page.get_by_role('button', name=name, exact=True)
def slider(page): return page.get_by_role('slider')
def steps(page): return page.evaluate('watch.training().losses.length')
def text(page, selector): return page.locator(f'#watch {selector}').first.inner_text().replace('\u202f', '')


def until(page, condition, seconds=30, **options):
    "Wait for it; the page's policy forbids playwright's own way, which is `eval`"
    for _ in range(50*seconds):
        if page.evaluate(condition, **options): return
        page.wait_for_timeout(20)
    pytest.fail(f'never true: {condition}')


def train(page, n):
    "So many steps without drawing, the last one by the button"
    page.evaluate(f'for (let i = 1; i < {n}; i++) watch.training().step(.1)')
    button(page, 'Step').click()


def pictures(page):
    "The pixels of all pictures of weights, as text"
    return page.evaluate("[...document.querySelectorAll('.pictures canvas')].map(c => c.toDataURL()).join()")


# The same numbers

FIFTY = '''async ({sizes, lr, seed}) => {
    const t = makeTraining(await unpackDigits(data.digits), {...data, sizes, seed});
    for (let i = 0; i < 50; i++) t.step(lr);
    return {losses: t.losses, layers: t.layers.map(({weight, bias}) => [[...weight], [...bias]]), learned: t.kept[1].learned, held: t.kept[1].held}; }'''


def fifty_here(digits, sizes, lr=.1, seed=0):
    "Model and losses after 50 steps in Python"
    steps = list(islice(train_shared(digits[:1000], sizes, lr, seed=seed), 50))
    return steps[-1][0], [loss for _,loss in steps]


def distances(there, model, losses):
    "How far losses and weights of the page are from Python's, at most"
    import torch
    theirs = torch.cat([torch.tensor(part) for layer in there['layers'] for part in layer])
    ours = torch.cat([p.detach().flatten() for p in model.parameters()])
    assert len(ours)==len(theirs) and len(losses)==len(there['losses'])==50
    return max(abs(a-b) for a,b in zip(losses, there['losses'])), (ours-theirs).abs().max().item()


@pytest.mark.parametrize('lr', [.1, .3])
@pytest.mark.parametrize('sizes', SIZES, ids=['softmax', 'hidden'])
def test_fifty_steps_are_those_of_python(open_watch, digits, sizes, lr):
    there = open_watch().evaluate(FIFTY, dict(sizes=sizes, lr=lr, seed=0))
    model, losses = fifty_here(digits, sizes, lr)
    of_losses, of_weights = distances(there, model, losses)
    print(f'losses within {of_losses:.1e}, weights within {of_weights:.1e}')
    assert of_losses<1e-4 and of_weights<1e-4
    from mnist_course.data import to_float
    from mnist_course.softmax import accuracy
    for part, share in ((digits[:1000], there['learned']), (digits[1000:], there['held'])):
        assert abs(accuracy(model(to_float(part.images).flatten(1)), part.labels).item()-share)<1.5/len(part)    # a tie may go either way


@pytest.mark.parametrize('sizes', SIZES, ids=['softmax', 'hidden'])
def test_another_seed_or_rate_is_noticed(open_watch, digits, sizes):
    "What the test above allows is little: these differ by a hundred times as much"
    there = open_watch().evaluate(FIFTY, dict(sizes=sizes, lr=.1, seed=0))
    assert min(distances(there, *fifty_here(digits, sizes, seed=1)))>1e-2
    assert min(distances(there, *fifty_here(digits, sizes, lr=.11)))>1e-3


def test_random_numbers_and_orders_are_the_same_to_the_last_bit(open_watch):
    page = open_watch()
    for seed in (0, 1, 42, 2**31, 2**32-1):
        draw = random_numbers(seed)
        assert page.evaluate('seed => { const draw = randomNumbers(seed); return Array.from({length: 2000}, draw); }', seed)==[draw() for _ in range(2000)]
        assert page.evaluate('seed => [...shuffled(1000, randomNumbers(seed))]', seed)==shuffled(1000, random_numbers(seed))


def test_digits_come_out_as_they_went_in(open_watch, digits):
    page = open_watch()
    pixels, labels = page.evaluate('unpackDigits(data.digits).then(d => [d.images.join(), d.labels.join()])')
    assert pixels==','.join(map(str, digits.images.flatten().tolist())) and labels==','.join(map(str, digits.labels.tolist()))
    assert page.evaluate('unpackDigits({...data.digits, n: 3}).catch(e => e.message)')=='1176000 bytes for 3 pictures: expected 2352'


def test_the_section_is_small():
    assert len(json.dumps(watch_data()))<500_000 and DIGITS.stat().st_size<400_000


def test_no_name_is_defined_twice_on_the_page():
    "The scripts become one, in which a second function of a name would silently replace the first"
    names = [(name, file.name) for file in sorted(WEB.glob('*.js')) if file.name!='widget.js'
             for name in re.findall(r'^(?:async )?(?:function|const|let) (\w+)', file.read_text(encoding='utf-8'), re.M)]
    known = dict(names)
    assert [(name, file, known[name]) for name,file in names if known[name]!=file]==[] and len(known)>60


# What one can do

def test_step_run_pause_reset(open_watch):
    page = open_watch()
    assert text(page, '.progress figcaption')=='Loss of each batch' and slider(page).is_disabled()
    assert text(page, '.weights h3')=='Its weights for each digit, all 0 so far'
    empty = pictures(page)
    button(page, 'Step').click()
    assert steps(page)==1 and text(page, '.progress figcaption')=='Loss of each batch, 2.303 in step 1' and pictures(page)!=empty
    assert page.get_by_role('status').inner_text()=='Step 1: the loss was 2.303.'
    button(page, 'Run').click()
    until(page, 'watch.training().losses.length > 5')
    button(page, 'Pause').click()
    at = steps(page)
    page.wait_for_timeout(120)
    assert steps(page)==at and button(page, 'Run').is_visible()
    assert page.get_by_role('status').inner_text().startswith(f'Paused. Step {at}, loss ')
    button(page, 'Run').click()
    button(page, 'Reset').click()
    page.wait_for_timeout(120)
    assert steps(page)==0 and pictures(page)==empty and slider(page).is_disabled()


def test_a_run_steps_by_frames_and_says_little(open_watch):
    "A few steps a frame at most, so that the page answers in between; a screen reader isn't told each of them"
    page = open_watch()
    page.evaluate('''() => { said = 0; frames = 0;
        new MutationObserver(() => said++).observe(document.querySelector('#watch [role=status]'), {childList: true, characterData: true, subtree: true});
        const tick = () => { frames++; requestAnimationFrame(tick); }; requestAnimationFrame(tick); }''')
    button(page, 'Run').click()
    until(page, 'watch.training().losses.length >= 60')
    assert page.evaluate('said')==0
    button(page, 'Pause').click()
    assert page.evaluate('said')==1 and steps(page)<=4*(page.evaluate('frames')+2)


def test_looking_back(open_watch):
    page = open_watch()
    train(page, 50)
    first, share = pictures(page), text(page, '.held')
    train(page, 70)
    latest = pictures(page)
    assert text(page, '.scrub span')=='now, after step 120' and slider(page).input_value()=='3' and latest!=first
    slider(page).focus()
    page.keyboard.press('ArrowLeft')
    assert text(page, '.scrub span')=='after epoch 2' and 'after epoch 2' in text(page, '.progress figure:nth-child(2) figcaption')
    page.keyboard.press('ArrowLeft')
    assert pictures(page)==first and text(page, '.held')==share and 'in step 50' in text(page, '.progress figcaption')
    assert slider(page).get_attribute('aria-valuetext').startswith('after epoch 1, ') and text(page, '.batch p').startswith('Then it read')
    page.keyboard.press('Home')
    assert text(page, '.scrub span')=='before the first step' and text(page, '.weights h3').endswith('all 0 so far') and steps(page)==120
    page.keyboard.press('End')                                   # beyond now there is nothing
    assert pictures(page)==latest and slider(page).input_value()=='3'
    page.keyboard.press('Home')
    button(page, 'Step').click()                                 # goes on from now, not from then
    assert steps(page)==121 and text(page, '.scrub span')=='now, after step 121'


def test_looking_back_pauses_a_run(open_watch):
    page = open_watch()
    train(page, 50)
    button(page, 'Run').click()
    until(page, 'watch.training().losses.length > 52')
    slider(page).focus()
    page.keyboard.press('Home')
    at = steps(page)
    page.wait_for_timeout(120)
    assert steps(page)==at and button(page, 'Run').is_visible() and text(page, '.scrub span')=='before the first step'


def test_a_run_pauses_when_its_tab_is_left(open_watch):
    page = open_watch()
    button(page, 'Run').click()
    until(page, 'watch.training().losses.length > 2')
    page.evaluate("document.getElementById('watch').hidden = true")
    page.wait_for_timeout(60)
    at = steps(page)
    page.wait_for_timeout(120)
    assert steps(page)==at
    page.evaluate("document.getElementById('watch').hidden = false")
    assert button(page, 'Run').is_visible()


def test_a_run_ends_and_can_begin_again(open_watch):
    page = open_watch(settings=dict(epochs=2))
    train(page, 97)
    button(page, 'Run').click()
    until(page, "document.querySelector('.watch-buttons button').textContent === 'Run again'")
    assert steps(page)==100 and button(page, 'Step').is_disabled()
    assert page.get_by_role('status').inner_text().startswith('Done. Step 100, ')
    button(page, 'Run again').click()
    until(page, 'watch.training().losses.length > 1')
    assert steps(page)<90 and button(page, 'Step').is_enabled()


def test_the_other_model_and_another_rate(open_watch):
    page = open_watch()
    button(page, 'Step').click()
    page.get_by_role('radio', name='A hidden layer').check()
    assert steps(page)==0 and text(page, '.weights h3')=='The weights of its 30 hidden units' and page.locator('.pictures canvas').count()==30
    page.get_by_label('Learning rate').select_option('1')
    before = page.evaluate('[...watch.training().layers[1].bias]')
    button(page, 'Step').click()
    far = page.evaluate('[...watch.training().layers[1].bias]')
    page.get_by_label('Learning rate').select_option('0.01')
    button(page, 'Reset').click()
    button(page, 'Step').click()
    near = page.evaluate('[...watch.training().layers[1].bias]')
    for a,b,c in zip(before, far, near): assert abs((b-a)-100*(c-a))<1e-4


def test_one_digit_in_numbers(open_watch):
    page = open_watch()
    train(page, 30)
    page.locator('.choice label').nth(3).click()
    page.keyboard.press('ArrowRight')                            # the fifth of the batch
    named = page.evaluate("document.activeElement.getAttribute('aria-label')")
    label = re.match(r'a (\d), read (correctly|as \d)$', named)[1]
    assert text(page, 'caption')==f'This {label} in numbers'
    rows = [[float(cell.replace('−', '-')) for cell in row.split('\t')] for row in page.locator('#watch tbody tr').all_inner_texts()]
    assert [row[0] for row in rows]==list(range(10)) and abs(sum(row[2] for row in rows)-1)<.006 and abs(sum(row[3] for row in rows))<.006
    for digit, (_, _, p, slope) in enumerate(rows): assert abs(slope-(p-(digit==int(label))))<.0011
    assert f'−log {rows[int(label)][2]:.3f} = ' in text(page, '.story p:nth-child(2)')
    marks = page.locator('.choice span').all_inner_texts()
    assert text(page, '.batch p').startswith(f"It reads {marks.count('✓')} of 20 correctly") and 0<marks.count('✓')<20


def test_fewer_moves_for_those_who_ask(open_watch):
    page = open_watch(reduced_motion='reduce')
    train(page, 5)
    before = pictures(page)
    button(page, 'Run').click()
    until(page, 'watch.training().losses.length > 15')
    assert pictures(page)==before or steps(page)>=50
    until(page, 'watch.training().losses.length >= 50')
    assert pictures(page)!=before


@pytest.mark.parametrize('screen', SCREENS)
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_nothing_is_cut_off(open_watch, screen, scheme):
    page = open_watch(SCREENS[screen], color_scheme=scheme)
    for kind in ('Softmax regression', 'A hidden layer'):
        page.get_by_role('radio', name=kind).check()
        train(page, 60)
        assert page.evaluate('document.documentElement.scrollWidth<=innerWidth')
        cut = page.evaluate('''() => [...document.querySelectorAll('main *')].filter(e => e.clientWidth && e.scrollWidth > e.clientWidth+1).map(e => e.outerHTML.slice(0, 80))''')
        assert cut==[]


def test_dark_colours_are_followed(open_watch):
    page = open_watch()
    train(page, 10)
    light = pictures(page)
    page.emulate_media(color_scheme='dark')
    until(page, "light => [...document.querySelectorAll('.pictures canvas')].map(c => c.toDataURL()).join() !== light", arg=light)


def test_all_has_a_name(open_watch):
    "Each control by its role and name, each picture by what it shows"
    page = open_watch()
    train(page, 50)
    assert page.get_by_role('group', name='Model').get_by_role('radio').count()==2
    assert page.get_by_role('radiogroup', name='The next 20 digits').get_by_role('radio').count()==20
    assert page.get_by_role('region', name='Watch it learn').count()==1 and slider(page).is_enabled()
    assert page.get_by_role('slider', name='Look back').count()==1 and page.get_by_role('table', name=re.compile('in numbers$')).count()==1
    images = [image.get_attribute('aria-label') for image in page.get_by_role('img').all()]
    assert len(images)==3 and all(len(name)>40 for name in images) and 'over 50 steps' in images[0]


def shot(out=ROOT/'nbs'/'images'/'page'/'watch.png'):
    "The lesson's picture"
    import tempfile
    from io import BytesIO
    from PIL import Image
    from playwright.sync_api import sync_playwright
    with sync_playwright() as p, tempfile.TemporaryDirectory() as folder:
        b = p.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = b.new_context(viewport=dict(width=1180, height=1000)).new_page()
        file = Path(folder)/'watch.html'
        file.write_text(watch_page(), encoding='utf-8')
        page.goto(file.as_uri())
        until(page, 'Boolean(watch)')
        train(page, 310)
        page.locator('.choice .wrong').first.click()
        page.evaluate('document.activeElement.blur()')
        page.mouse.move(2, 2)
        page.evaluate("document.querySelector('h1').remove()")
        box = page.locator('#watch').bounding_box()
        png = page.screenshot(clip=dict(x=box['x']-16, y=box['y']-16, width=box['width']+32, height=box['height']+32), full_page=True)
        Image.open(BytesIO(png)).convert('RGB').quantize(96, dither=Image.Dither.NONE).save(out, optimize=True)
        b.close()


if __name__=='__main__':
    if sys.argv[1:2]!=['shot']: sys.exit(__doc__)
    shot(*map(Path, sys.argv[2:]))
