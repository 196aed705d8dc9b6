"The page's pad: pens and palms, the eraser, pictures that one saves, links that carry a drawing, several digits at once"
import re
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from test_page import SCREENS, STROKES, answers, draw, strokes, until

# Sends pointer events to a canvas as a browser does: `fire(type, x, y, id, kind, more)`, x and y as shares of its width
FIRE = '''const pad = document.querySelector('#pad, .mnist-pad .pad'), box = pad.getBoundingClientRect();
    pad.setPointerCapture = () => {};
    const fire = (type, x, y, id, kind, more = {}) => pad.dispatchEvent(new PointerEvent(type, {pointerId: id, pointerType: kind, bubbles: true,
        cancelable: true, clientX: box.left + x * box.width, clientY: box.top + y * box.height, button: type === 'pointermove' ? -1 : 0, ...more}));
    const pen = (strokes, more) => { for (const s of strokes) {
        fire('pointerdown', ...s[0], 7, 'pen', more);
        for (const p of s.slice(1)) fire('pointermove', ...p, 7, 'pen', more);
        fire('pointerup', ...s.at(-1), 7, 'pen', more); } };'''


def fire(page, code, strokes=()): page.evaluate(f'STROKES => {{ {FIRE} {code} }}', [[list(p) for p in s] for s in strokes])


def take(page, tool): page.locator(f'#tools [value={tool}]').check()


def seen(page): return page.evaluate('[...modelInput()]')


def as_image(url):
    from PIL import Image
    return Image.open(BytesIO(b64decode(url.split(',')[1])))


def test_a_touch_that_is_cancelled_was_none(open_page):
    "The system finds that it was a palm: its stroke goes, and so does its step"
    page = open_page(has_touch=True)
    fire(page, "fire('pointerdown', .9, .9, 5, 'touch'); fire('pointermove', .5, .9, 5, 'touch')")
    assert strokes(page)==1
    fire(page, "fire('pointercancel', .5, .9, 5, 'touch')")
    assert strokes(page)==0 and set(answers(page))=={''} and page.locator('#undo').is_disabled()
    assert not page.evaluate('drawn().some(v => v > 0)')
    fire(page, 'pen(STROKES)', STROKES[4])
    assert strokes(page)==2 and answers(page)[-1]=='4'
    fire(page, "fire('pointerdown', .1, .9, 5, 'touch'); fire('pointercancel', .1, .9, 5, 'touch')")
    page.keyboard.press('Control+z')
    assert strokes(page)==1                                      # the pen's last stroke went, not the palm's


@pytest.mark.parametrize('digit', [1, 4, 7])
def test_a_pen_drives_out_a_palm_that_rests(open_page, digit):
    page = open_page(has_touch=True)
    fire(page, 'pen(STROKES)', STROKES[digit])
    alone = seen(page)
    page.keyboard.press('c')
    fire(page, """fire('pointerdown', .93, .93, 5, 'touch'); fire('pointermove', .8, .95, 5, 'touch');
        pen(STROKES); fire('pointermove', .7, .95, 5, 'touch'); fire('pointerup', .7, .95, 5, 'touch')""", STROKES[digit])
    assert strokes(page)==len(STROKES[digit]) and seen(page)==alone and answers(page)[-1]==str(digit)
    for _ in STROKES[digit]: page.keyboard.press('Control+z')
    page.keyboard.press('Control+z')                             # what was cleared comes back; of the palm there is no step
    assert strokes(page)==len(STROKES[digit])


def test_a_palm_that_comes_while_the_pen_draws_does_nothing(open_page):
    page = open_page(has_touch=True)
    fire(page, """fire('pointerdown', ...STROKES[0][0], 7, 'pen'); fire('pointerdown', .9, .9, 5, 'touch'); fire('pointermove', .5, .9, 5, 'touch');
        for (const p of STROKES[0]) fire('pointermove', ...p, 7, 'pen'); fire('pointercancel', .5, .9, 5, 'touch'); fire('pointerup', .5, .8, 7, 'pen')""", STROKES[7])
    assert strokes(page)==1 and answers(page)[-1]=='7'


def test_a_palm_in_several_pieces_leaves_nothing(open_page):
    "A piece that was lifted before the pen came goes with the one that rests, and pieces that come later draw nothing"
    page = open_page(has_touch=True)
    fire(page, 'pen(STROKES)', STROKES[4])
    alone = seen(page)
    page.keyboard.press('c')
    fire(page, """const tap = (x, y, id) => { fire('pointerdown', x, y, id, 'touch'); fire('pointermove', x - .1, y, id, 'touch'); };
        tap(.9, .9, 5); tap(.8, .95, 6); fire('pointerup', .8, .9, 5, 'touch'); tap(.95, .8, 8); fire('pointerup', .95, .8, 8, 'touch');
        pen(STROKES.slice(0, 1)); tap(.9, .7, 9); fire('pointerup', .8, .7, 9, 'touch'); pen(STROKES.slice(1)); tap(.9, .9, 10);
        for (const id of [6, 10]) fire('pointerup', .9, .9, id, 'touch')""", STROKES[4])
    assert strokes(page)==len(STROKES[4]) and seen(page)==alone and answers(page)[-1]=='4'
    page.keyboard.press('c')
    fire(page, "fire('pointerdown', .5, .2, 5, 'touch'); fire('pointermove', .5, .8, 5, 'touch'); fire('pointerup', .5, .8, 5, 'touch')")
    assert strokes(page)==1 and answers(page)[-1]=='1'           # a new drawing may be a finger's
    fire(page, 'pen(STROKES)', [[(.1,.1), (.12,.1)]])
    assert strokes(page)==2                                      # whose strokes no pen takes away once it has left


def test_a_second_pen_or_mouse_does_not_drive_out_a_pen(open_page):
    page = open_page(has_touch=True)
    fire(page, "fire('pointerdown', .5, .2, 7, 'pen'); fire('pointerdown', .1, .1, 8, 'mouse'); fire('pointerdown', .1, .1, 9, 'pen'); fire('pointerup', .5, .2, 7, 'pen')")
    assert strokes(page)==1


def test_the_eraser_takes_ink_away(open_page):
    "By its button, and by a pen's other end; undo brings the ink back to the bit"
    page = open_page()
    draw(page, STROKES[8])
    before, ink = seen(page), page.evaluate('drawn().reduce((a, b) => a + b)')
    upper = [[(.3+.02*i, .3) for i in range(20)], [(.3+.02*i, .2) for i in range(20)]]
    take(page, 'eraser')
    draw(page, upper)
    assert page.evaluate('drawn().reduce((a, b) => a + b)')<.8*ink and seen(page)!=before
    rubbed = page.evaluate('[...drawn()]')
    page.evaluate('redraw()')
    assert page.evaluate('[...drawn()]')==rubbed                 # drawn anew, it is the same
    for _ in upper: page.locator('#undo').click()
    assert seen(page)==before
    take(page, 'medium')
    for more in ('{buttons: 32}', '{button: 5, buttons: 32}'):
        fire(page, f'pen(STROKES, {more})', upper)
        assert page.evaluate("strokes.map(s => s.kind).join()")=='pen,eraser,eraser'
        assert page.evaluate('[...drawn()]')==rubbed or page.evaluate('drawn().reduce((a, b) => a + b)')<.8*ink
        for _ in upper: page.locator('#undo').click()
    fire(page, 'pen(STROKES, {button: 2, buttons: 2})', upper)   # the button at its side is no eraser
    assert strokes(page)==1 and seen(page)==before


def test_the_eraser_shows_the_ground_on_the_pad(open_page):
    page = open_page(color_scheme='dark')
    def middle():
        image = as_image(page.evaluate("$('pad').toDataURL()"))
        return image.getpixel((image.width//2, image.height//2))
    ground = middle()
    draw(page, STROKES[1])
    assert middle()!=ground and ground[3]==255
    take(page, 'eraser')
    draw(page, [[(.3,.5), (.7,.5)]])
    assert middle()==ground


def test_pens_have_three_widths(open_page):
    page, ink = open_page(), []
    for width in ('thin', 'medium', 'wide'):
        take(page, width)
        draw(page, STROKES[1])
        ink.append(page.evaluate('drawn().reduce((a, b) => a + b)'))
        assert answers(page)[-1]=='1'
        page.locator('#clear').click()
    assert ink[0]*1.4<ink[1]<ink[2]/1.4
    page.locator('#undo').click()
    assert page.evaluate('drawn().reduce((a, b) => a + b)')==ink[-1]


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_saved_pictures_carry_their_ground(open_page, scheme):
    "“Save image as” on either canvas, in light and dark, gives a picture without holes that lesson 15 reads"
    from mnist_course.your_digits import predict
    page = open_page(color_scheme=scheme)
    for digit in (3, 4, 7, 0):
        draw(page, STROKES[digit])
        answers(page)
        for canvas in ('pad', 'seen'):
            image = as_image(page.evaluate(f"$('{canvas}').toDataURL()"))
            assert image.convert('RGBA').getextrema()[3]==(255,255)
            assert predict(image)[0].digit==digit, (canvas, digit)
        page.keyboard.press('c')


def test_save_gives_two_pictures(open_page, tmp_path):
    from mnist_course.your_digits import predict
    page, downloads = open_page(accept_downloads=True), []
    assert page.locator('#save').is_disabled()
    draw(page, STROKES[5])
    assert answers(page)[-1]=='5'
    page.on('download', lambda d: downloads.append(d))
    page.locator('#save').click()
    for _ in range(50):
        if len(downloads)==2: break
        page.wait_for_timeout(100)
    names = sorted(d.suggested_filename for d in downloads)
    assert names==['28x28.png', 'drawing.png']
    for d in downloads:
        d.save_as(tmp_path/d.suggested_filename)
        assert predict(tmp_path/d.suggested_filename)[0].digit==5


# Links

def link(page): return page.evaluate("packLink(strokes, settings(), $('prepare').checked)")


def test_a_link_carries_the_drawing(open_page):
    "The same strokes, and so the same 28x28 pixels to the bit, in another window of another size"
    page = open_page()
    draw(page, STROKES[8])
    take(page, 'eraser')
    draw(page, [[(.3,.3), (.45,.3)]])
    take(page, 'thin')
    draw(page, STROKES[1])
    for slider,value in dict(right=1.5, down=-2, turn=-12, size=90).items(): page.evaluate(f"$('{slider}').value = {value}")
    page.locator('#copy').click()
    until(page, "$('told').textContent")
    address = page.url
    assert re.fullmatch(r'.*draw\.html#a[\w-]{20,600}', address)
    other = open_page(SCREENS['phone'], fragment=address[address.index('#'):], color_scheme='dark', device_scale_factor=2)
    answers(other)
    assert other.evaluate('JSON.stringify(strokes)')==page.evaluate('JSON.stringify(strokes)')
    assert other.evaluate('settings()')==page.evaluate('settings()') and seen(other)==seen(page) and any(seen(other))
    other.locator('#undo').click()
    assert strokes(other)==0


def test_the_link_is_copied(open_page):
    page = open_page(permissions=['clipboard-read', 'clipboard-write'])
    draw(page, STROKES[2])
    page.locator('#copy').click()
    page.get_by_text('Copied: the link carries your drawing.').wait_for()
    assert page.evaluate('navigator.clipboard.readText()')==page.url and '#a' in page.url


def test_a_link_opened_over_a_drawing_loses_nothing(open_page):
    page = open_page()
    draw(page, STROKES[7])
    seven = link(page)
    page.keyboard.press('c')
    draw(page, STROKES[4])
    page.evaluate(f"location.hash = '{seven}'")
    until(page, 'strokes.length===1')
    assert answers(page)[-1]=='7'
    page.keyboard.press('Control+z')
    assert answers(page)[-1]=='4'


BROKEN = {'cut short': lambda a: a[:-7], 'a letter changed': lambda a: a[:20]+('A' if a[20]!='A' else 'B')+a[21:], 'longer': lambda a: a+'AAAA',
          'two letters exchanged': lambda a: next(a[:i]+a[i+1]+a[i]+a[i+2:] for i in range(20, 99) if a[i]!=a[i+1]),
          'of another version': lambda a: 'b'+a[1:], 'empty': lambda a: 'a', 'no letters': lambda a: '%00%F0',
          'markup': lambda a: '<img src=x onerror=alert(1)>', 'a word': lambda a: 'answers', 'far too long': lambda a: 'a'+'A'*3_000_000}

def test_a_broken_link_is_refused_and_loses_nothing(open_page):
    page = open_page()
    draw(page, STROKES[4])
    good, before = link(page), page.evaluate('JSON.stringify(strokes)')
    for name,spoil in BROKEN.items():
        page.evaluate("tell('')")
        page.evaluate('hash => { location.hash = hash; }', spoil(good))
        until(page, "$('told').textContent.startsWith('This link carries no drawing that can be read')")
        assert (name, page.evaluate('JSON.stringify(strokes)'))==(name, before)
    assert answers(page)[-1]=='4' and not page.locator('#undo').is_disabled()
    page.keyboard.press('Control+z')
    assert strokes(page)==1                                      # no step was added either


def test_a_drawing_that_a_link_cannot_hold_is_said(open_page):
    page = open_page()
    page.evaluate("step([{kind: 'pen', width: 11, points: Array.from({length: 30000}, (_, i) => [i * 37 % 140, i * 91 % 140])}])")
    page.locator('#copy').click()
    page.get_by_text('too long for a link').wait_for()
    assert '#' not in page.url
    assert page.evaluate("unpackLink(packLink(strokes, settings(), true))") is None       # nor is one opened that somebody else made


def test_any_bytes_are_refused_or_read_whole(open_page):
    "4,000 links with some numbers changed and the sum made right again: no error, and what is taken can be sent on"
    page = open_page()
    found = page.evaluate('''() => { const random = randomNumbers(1), out = [0, 0];
        const good = packLink([{kind: 'pen', width: 11, points: [[20, 30.5], [22, 31], [90, 20]]}, {kind: 'eraser', width: 24, points: [[3, 4]]}], settings(), true);
        const letters = bytes => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        const bytes = [...atob(good.slice(1).replaceAll('-', '+').replaceAll('_', '/'))].map(c => c.charCodeAt(0)).slice(2);
        for (let i = 0; i < 4000; i++) {
            const changed = [...bytes];
            for (let j = 0; j <= i % 4; j++) changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
            const text = 'a' + letters([...checkSum(changed), ...changed]), read = unpackLink(text);
            if (!read) { out[0]++; continue; }
            out[1]++;
            const again = unpackLink(packLink(read.strokes, read.settings, read.prepared));
            if (JSON.stringify(again) !== JSON.stringify(read)) throw new Error(text);
            if (!read.strokes.flatMap(s => s.points).flat().every(v => Math.abs(v) <= 1400)) throw new Error(text);
        }
        return out; }''')
    print('refused and read:', found)
    assert found[0]>1000 and found[1]>100


# Several digits

def number(*digits):
    "Strokes of digits side by side"
    n = len(digits)
    return [[((k+x)/n, .5+(y-.5)*1.3/n) for x,y in stroke] for k,d in enumerate(digits) for stroke in STROKES[d]]


def test_several_digits_are_read_one_by_one(open_page):
    page = open_page()
    take(page, 'thin')
    for digits in ((4,2), (1,0,7), (3,3)):
        draw(page, number(*digits))
        answers(page)
        page.get_by_text(f'As {len(digits)} digits: '+''.join(map(str, digits))).wait_for()
        page.keyboard.press('c')
    draw(page, STROKES[4])
    page.get_by_text('Convnet reads 4').wait_for()
    assert ' digits: ' not in page.locator('#verdict').inner_text()


def split_here(ink):
    "A drawing's digits by the functions of lesson 15, without the steps for photos, bytes (n,28,28)"
    from mnist_course.your_digits import box_up, find_strokes, join_boxes, reading_order
    from scipy import ndimage
    ink, groups = find_strokes(ink/255)
    found = [(i+1, at) for i,at in enumerate(ndimage.find_objects(groups)) if at]
    boxes = join_boxes((y.start, y.stop, x.start, x.stop, {i}) for i,(y,x) in found)
    tallest = max(bottom-top for top,bottom,*_ in boxes)
    return np.stack([box_up(ink, np.isin(groups, list(b[4]))) for b in reading_order(b for b in boxes if b[1]-b[0]>=.3*tallest)])


BAR = [[(.34,.3), (.62,.3)], [(.36,.42)]+STROKES[5][0][3:]]      # a 5 whose bar doesn't touch it

@pytest.mark.parametrize('name, strokes, n', [('42', number(4,2), 2), ('107', number(1,0,7), 3), ('5869', number(5,8,6,9), 4), ('a 5 and its bar', BAR, 1),
    ('two lines', [[(x, .5*y) for x,y in s] for s in number(1,7)]+[[(x, .5+.5*y) for x,y in s] for s in number(4,2)], 4),
    ('a 3 and a dot', [*STROKES[3], [(.9,.9), (.91,.9)]], 1)])
def test_digits_are_split_as_in_lesson_15(open_page, name, strokes, n):
    "The page's `splitDigits` finds what Python's functions find: as many, in the same order, the same pixels"
    page = open_page()
    take(page, 'thin')
    draw(page, strokes)
    ours = split_here((np.array(page.evaluate('[...drawn()]'))*255).round().reshape(140,140))
    theirs = (np.array(page.evaluate('splitDigits(drawn(), SIDE, SIDE).map(d => [...d])'))*255).round().reshape(-1,28,28)
    assert ours.shape==theirs.shape==(n,28,28)
    assert np.abs(ours.astype(int)-theirs).max()<=1
