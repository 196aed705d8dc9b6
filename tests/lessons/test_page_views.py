"The page's views: real digits to choose, every layer lit with the sums behind it, models that one breaks; what axe-core says of all of them"
import numpy as np
import pytest
from test_page import SCREENS, STROKES, answers, draw, strokes, until

VIEWS = 'answers', 'inside', 'real', 'watch'


def show(page, view):
    page.locator(f'#tab-{view}').click()
    assert page.locator(f'#{view}').is_visible()
    if view=='real': page.wait_for_selector('#gallery button')
    if view=='watch': page.wait_for_selector('#watch button')
    if view=='inside': page.wait_for_selector('#layers canvas')


def test_tabs_by_keys(open_page):
    page = open_page()
    page.locator('#tab-answers').focus()
    for key,view in (('ArrowRight','inside'), ('ArrowRight','real'), ('End','watch'), ('ArrowRight','answers'), ('ArrowLeft','watch'), ('Home','answers')):
        page.keyboard.press(key)
        assert page.evaluate('document.activeElement.id')==f'tab-{view}'
        assert [page.locator(f'#{v}').is_visible() for v in VIEWS]==[v==view for v in VIEWS]
        assert page.locator('[role=tab][aria-selected=true]').count()==1
    page.keyboard.press('Tab')
    assert page.evaluate("document.activeElement.closest('[role=tablist]')") is None


def test_a_real_digit_is_the_input_until_one_draws(open_page):
    "The hard ones first; its label is shown, all models answer to its very pixels, undo brings the drawing back"
    from mnist_course.data import load_mnist
    from mnist_course.page import hard_first, readings
    test = load_mnist()[1]
    images, labels = test.images.numpy(), test.labels.numpy()
    read = readings(images)
    first = hard_first(labels, read)[0]
    page = open_page()
    draw(page, STROKES[4])
    show(page, 'real')
    digits = page.locator('#gallery button')
    assert digits.count()==96
    digits.first.click()
    said = answers(page)
    assert (np.array(page.evaluate('[...latest.image]'))*255).round().reshape(28,28).tolist()==images[first].tolist()
    until(page, f"$('verdict').textContent.startsWith('This is a {labels[first]}. Convnet reads {read[first,-1]}')")
    assert digits.first.get_attribute('aria-pressed')=='true' and strokes(page)==0
    show(page, 'answers')
    assert answers(page)==[str(r) for r in read[first]] and said is not None
    page.locator('#undo').click()
    assert answers(page)[-1]=='4' and strokes(page)==2 and page.evaluate('shown()') is None
    show(page, 'real')
    digits.nth(95).click()
    until(page, "$('verdict').textContent.startsWith('This is a')")
    page.evaluate('scrollTo(0, 0)')
    draw(page, STROKES[7])
    show(page, 'answers')
    assert answers(page)[-1]=='7' and strokes(page)==1
    until(page, "$('verdict').textContent.startsWith('Convnet reads 7')")


def test_clear_takes_a_real_digit_away(open_page):
    page = open_page()
    show(page, 'real')
    page.locator('#gallery button').nth(90).click()
    answers(page)
    assert page.locator('#clear').is_enabled() and page.evaluate('latest.image.some(v => v > 0)')
    page.locator('#clear').click()
    answers(page)
    assert not page.evaluate('latest.image.some(v => v > 0)') and page.locator('#clear').is_disabled()


def test_a_cancelled_touch_brings_a_real_digit_back(open_page):
    page = open_page(has_touch=True)
    show(page, 'real')
    page.locator('#gallery button').nth(90).click()
    answers(page)
    before = page.evaluate('[...latest.image]')
    page.evaluate('''() => { const pad = $('pad'), box = pad.getBoundingClientRect(); pad.setPointerCapture = () => {};
        for (const type of ['pointerdown', 'pointermove', 'pointercancel']) pad.dispatchEvent(new PointerEvent(type,
            {pointerId: 5, pointerType: 'touch', bubbles: true, clientX: box.left + 9, clientY: box.top + 9})); }''')
    answers(page)
    assert page.evaluate('[...latest.image]')==before


def test_every_layer_is_lit(open_page):
    "A strip for each layer that changes numbers; each shows what came out of it while one draws"
    page = open_page()
    show(page, 'inside')
    names = page.locator('.strip-name').all_inner_texts()
    kinds = page.evaluate("models.at(-1).layers.map(l => l.kind).filter(k => !['pixels', 'flatten', 'unflatten'].includes(k))")
    assert len(names)==len(kinds)==11 and names[0].startswith('Convolution') and '16 kernels of 5×5' in names[0]
    pictures = "[...document.querySelectorAll('#layers canvas')].map(c => c.toDataURL())"
    empty = page.evaluate(pictures)
    draw(page, STROKES[3])
    answers(page)
    three = page.evaluate(pictures)
    assert all(a!=b for a,b in zip(empty, three))
    draw(page, STROKES[1])
    answers(page)
    assert sum(a!=b for a,b in zip(three, page.evaluate(pictures)))>=10
    page.locator('#which').select_option('One wide layer')
    assert [n.split('\n')[0] for n in page.locator('.strip-name').all_inner_texts()]==['Weighted sums','Below zero cut off','Weighted sums','Probabilities']


def test_sums_are_those_of_the_layers(open_page):
    "For all models, layers and some hundred units: what `explain` adds up, or chooses from, is what `forward` gave"
    page = open_page()
    draw(page, STROKES[3])
    answers(page)
    checked = page.evaluate('''() => { const random = randomNumbers(3), out = {}; let far = 0;
        models.forEach((model, m) => model.layers.forEach((layer, i) => { if (isShown(layer)) for (let k = 0; k < 40; k++) {
            const outs = latest.all[m], unit = Math.floor(random() * outs[i + 1].data.length), sum = explain(model, outs, i, unit);
            const made = sum.terms ? sum.terms.reduce((s, t) => s + t.value * t.weight, sum.bias)
                : layer.kind === 'relu' ? Math.max(sum.values[0], (layer.slope || 0) * sum.values[0])
                : layer.kind === 'softmax' ? Math.exp(sum.values[unit]) / sum.values.reduce((s, v) => s + Math.exp(v), 0) : Math.max(...sum.values);
            far = Math.max(far, Math.abs(made - outs[i + 1].data[unit]) / (1 + Math.abs(made)));
            if (sum.result !== outs[i + 1].data[unit]) far = Infinity;
            if (sum.terms) for (const t of sum.terms) if (t.at >= 0 && t.value !== outs[i].data[t.at]) far = Infinity;
            out[layer.kind] = (out[layer.kind] || 0) + 1; } }));
        return [out, far]; }''')
    print(checked)
    assert checked[1]<1e-4 and set(checked[0])=={'linear','conv','relu','max_pool','global_max','softmax'}


def test_a_unit_shows_its_sum(open_page):
    "To the mouse and to the keys: what it is called, the sum in words, its products; a screen reader hears the words"
    page = open_page()
    draw(page, STROKES[3])
    show(page, 'inside')
    canvas = page.locator('#layers canvas').first
    canvas.hover(position=dict(x=24, y=24))
    title, words = (page.locator(f'#unit {tag}').inner_text() for tag in ('h3','p'))
    assert title=='Convolution: map 0, row 12, column 12' and 'products aren’t 0' in words
    cells = page.locator('#unit table tr').all_inner_texts()
    assert cells[-1].startswith('sum') and cells[-2].startswith('bias') and 3<=len(cells)<=9
    number = lambda text: float(text.split('\t')[-1].replace('−','-'))
    assert abs(sum(map(number, cells[:-1]))-number(cells[-1]))<.06          # as they are shown, with two decimals
    page.locator('#unit-said').get_by_text(title).wait_for(state='attached')
    canvas.focus()
    for key, place in (('ArrowRight','map 0, row 12, column 13'), ('ArrowDown','map 0, row 13, column 13'), ('ArrowLeft','map 0, row 13, column 12')):
        page.keyboard.press(key)
        assert page.locator('#unit h3').inner_text()==f'Convolution: {place}'
    for _ in range(12): page.keyboard.press('ArrowRight')
    assert page.locator('#unit h3').inner_text()=='Convolution: map 1, row 13, column 0'    # over the gap
    page.keyboard.press('Tab')
    assert page.locator('#unit h3').inner_text().startswith('Largest of each square: map 0, row 0')
    page.keyboard.press('Shift+Tab')
    draw(page, STROKES[1])
    answers(page)
    assert page.locator('#unit h3').inner_text()!=''             # while one draws, the sum is the new drawing's


def zeros(page, kind, n): return page.evaluate(f"latest.all.at(-1)[1 + models.at(-1).layers.findIndex(l => l.kind === '{kind}')].data.slice(0, {n}).every(v => v === 0)")


def test_units_are_silenced_and_mended(open_page):
    page = open_page()
    draw(page, STROKES[3])
    show(page, 'inside')
    sound, image = page.evaluate('latest.all.map(outs => [...outs.at(-1).data])'), page.evaluate('[...latest.image]')
    canvas = page.locator('#layers canvas').first
    assert not zeros(page, 'conv', 576) and page.locator('#mend').is_disabled()
    canvas.click(position=dict(x=24, y=24))
    answers(page)
    assert zeros(page, 'conv', 576)                              # all of its map, bias and all
    broken = page.evaluate('latest.all.map(outs => [...outs.at(-1).data])')
    assert broken[-1]!=sound[-1] and broken[:-1]==sound[:-1] and page.evaluate('[...latest.image]')==image
    page.get_by_role('button', name='Let it speak again').wait_for()
    page.keyboard.press('Shift+Tab')
    canvas.focus()
    page.keyboard.press('Enter')
    answers(page)
    assert page.evaluate('latest.all.map(outs => [...outs.at(-1).data])')==sound and page.locator('#mend').is_disabled()
    canvas.hover(position=dict(x=76, y=24))
    page.get_by_role('button', name='Silence this unit').click()
    page.locator('#layers canvas').nth(2).click(position=dict(x=6, y=6))    # a map after pooling and ReLU: the kernel that made it
    answers(page)
    assert page.evaluate('[...damage.at(-1).silent]')==['3.1','3.0'] and zeros(page, 'conv', 2*576)
    page.locator('#mend').click()
    answers(page)
    assert page.evaluate('latest.all.map(outs => [...outs.at(-1).data])')==sound


def test_noise_is_seeded_and_turns_answers(open_page):
    page = open_page()
    draw(page, STROKES[3])
    show(page, 'inside')
    answers(page)
    probs = "[...latest.all.at(-1).at(-1).data]"
    sound = page.evaluate(probs)
    def noise(share):
        page.evaluate(f"$('noise').value = {share}; $('noise').dispatchEvent(new Event('input'))")
        answers(page)
        return page.evaluate(probs)
    much = noise(150)
    assert much!=sound and noise(50) not in (much, sound) and noise(150)==much
    page.get_by_text('real digits are read otherwise').wait_for()
    heading = page.locator('#turned h3').inner_text()
    assert heading.startswith('150 % noise: ') and int(heading.split()[3])==min(96, int(heading.split()[3]))>10
    turned = page.locator('#turned button')
    label, before, after = page.evaluate("(b => b.getAttribute('aria-label').match(/\\d/g))(document.querySelector('#turned button'))")
    assert before!=after and turned.first.inner_text()==f'{before} → {after}'
    turned.first.click()
    until(page, f"$('verdict').textContent.startsWith('This is a {label}. Convnet reads {after}')")
    page.locator('#other-noise').click()
    answers(page)
    page.locator('#undo').click()
    answers(page)
    assert page.evaluate(probs) not in (much, sound)
    page.locator('#mend').click()
    answers(page)
    assert page.evaluate(probs)==sound and noise(0)==sound
    until(page, "!$('turned').textContent")


def test_each_answer_says_how_long_it_took(open_page):
    page = open_page()
    draw(page, STROKES[3])
    until(page, "document.querySelector('.took').textContent")
    assert all(t.endswith(' ms') and float(t.split()[0])>=0 for t in page.locator('.took').all_inner_texts())
    assert page.locator('.took').count()==6


def axe():
    "The script of axe-core, as a package of Python's brings it"
    return pytest.importorskip('axe_playwright_python.base', reason='axe-playwright-python is not installed').AXE_SCRIPT


@pytest.mark.parametrize('scheme', ['light', 'dark'])
@pytest.mark.parametrize('screen', SCREENS)
def test_axe_finds_nothing_serious(open_page, screen, scheme):
    "In each view, with a drawing, a unit pointed at and a model broken"
    source, page = axe(), open_page(SCREENS[screen], color_scheme=scheme)
    page.evaluate(source)
    draw(page, STROKES[3])
    found = {}
    for view in VIEWS:
        show(page, view)
        if view=='inside':
            page.locator('#layers canvas').first.click(position=dict(x=24, y=24))
            page.wait_for_selector('#turned h3')
        page.wait_for_timeout(300)
        for v in page.evaluate('axe.run(document, {resultTypes: ["violations"]})')['violations']:
            print(view, v['impact'], v['id'], [n['html'][:120] for n in v['nodes'][:3]])
            found.setdefault(v['impact'], []).append((view, v['id']))
    assert not found.get('serious') and not found.get('critical')


@pytest.mark.parametrize('screen', SCREENS)
def test_no_view_is_cut_off(open_page, screen):
    page = open_page(SCREENS[screen])
    draw(page, STROKES[8])
    for view in VIEWS:
        show(page, view)
        if view=='inside': page.locator('#layers canvas').first.click(position=dict(x=24, y=24))
        page.wait_for_timeout(400)
        assert page.evaluate('document.documentElement.scrollWidth<=innerWidth'), view
        cut = page.evaluate("""() => [...document.querySelectorAll('main *')].filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 1
            && !e.matches('.spoken')).map(e => e.outerHTML.slice(0, 90))""")
        assert cut==[], view
