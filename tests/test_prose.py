"What the lessons say: their numbers come from a cell, and their sentences can be read aloud"
import csv, json, re

import pytest

import prose_numbers, voice


def test_numbers_in_prose_come_from_a_cell(): assert prose_numbers.report()==[]


def notebook(prose, code='', out=''):
    return json.dumps(dict(cells=[dict(cell_type='markdown', source=[prose]), dict(cell_type='code', source=[code], outputs=[dict(text=[out])])]))


@pytest.mark.parametrize('prose, code, out', [
    ('That is 0.9514 right.', '', '0.95143'), ('It gets 95.1 % right.', '', 'accuracy 0.9514'), ('All 12,396 pictures.', 'test_eq(len(x), 12_396)', ''),
    ('Between 0.964 and 0.975.', '', '0.9648 to 0.9747'), ('The numbers −8 and 1e-6.', 'f(-8, 1e-6)', ''), ('A shape of (128,784).', 'x.shape==(128,784)', ''),
    ('See lesson 05 (He, 2015) and `lr=.3`.', '', ''), ('*Try:* a rate of 77.', '', '')])
def test_a_number_that_a_cell_shows_is_bound(prose, code, out, monkeypatch):
    monkeypatch.setattr(prose_numbers, 'pages', lambda: {'99_x': notebook(prose, code, out)})
    assert prose_numbers.unbound()==[]


@pytest.mark.parametrize('prose, code, out', [('That is 0.9514 right.', '', '0.9534'), ('All 12,397 pictures.', 'len(x)', '12,395'), ('About 87 %.', '', '0.91')])
def test_a_number_that_no_cell_shows_is_found(prose, code, out, monkeypatch):
    monkeypatch.setattr(prose_numbers, 'pages', lambda: {'99_x': notebook(prose, code, out)})
    assert [n for _,n,_ in prose_numbers.unbound()]==[prose_numbers.numbers(prose)[0]]
    assert any(line.startswith('99_x: ') for line in prose_numbers.report())


def test_an_exception_that_nothing_needs_is_found(monkeypatch):
    monkeypatch.setattr(prose_numbers, 'listed', lambda: {('03_loss', '31,415'): 'none'})
    assert 'prose_numbers.csv: 03_loss, 31,415: needs no exception any more' in prose_numbers.report()


def test_voice_counts_what_is_read_aloud():
    text = '# A heading; no\n\nYou see `a; b` here; because. For example, we [link](x;y).\n\n```sh\nyou; you\n```\n\n| you | ; |\n\n- One item'
    assert voice.prose(text)==['You see code here; because. For example, we link.', 'One item']
    n, words, you, we, because, example, semicolons = voice.measure(voice.prose(text))
    assert (n, words)==(11, 11/3) and [round(v*n/1000) for v in (you, we, because, example, semicolons)]==[1,1,1,1,1]


def test_the_lessons_keep_their_voice():
    "Far from the figures that they have, so that a rewritten page may differ, but not back to seven semicolons and half a `you` in a thousand words"
    for name,text in voice.pages().items():
        n, words, you, we, because, example, semicolons = voice.measure(voice.paragraphs_of(text))
        assert 11.5<words<22 and you>4 and because>.5 and semicolons<2, name


# What each lesson has: what you can do after it, how long it takes to read, questions, where to go on; and the glossary on the map

LESSONS = {name: [''.join(c['source']) for c in json.loads(text)['cells'] if c['cell_type']=='markdown'] for name,text in voice.pages().items() if name!='index'}
PARTS = {'00b_any_digits_files', '13_speed_answer', '13_speed_by_hand', '16_page_watch'}    # companions of a lesson have three questions

@pytest.mark.parametrize('name', LESSONS)
def test_a_lesson_says_what_it_is_for_and_how_long_it_takes(name):
    "The reading time is that of its text at 200 words a minute"
    opening = next(s for s in LESSONS[name] if '*It takes:*' in s)
    words = voice.measure([p for s in LESSONS[name] for p in voice.prose(s)])[0]
    assert re.search(r'^\*After this (?:lesson|notebook) you can\* .{40,}\.$', opening, flags=re.M)
    assert abs(int(re.search(r'about (\d+) minutes to read', opening)[1])-words/200)<=1


@pytest.mark.parametrize('name', LESSONS)
def test_a_lesson_ends_with_questions_and_where_to_go_on(name):
    questions, refs = LESSONS[name][-2:]
    asked = re.findall(r'^<details><summary>([^\n]+\?)</summary>\n\n([^\n]+)\n\n</details>$', questions, flags=re.M)
    assert questions.startswith('## Questions\n') and len(asked)==(3 if name in PARTS else 5)==questions.count('<details>')
    assert all(1<=len(voice.sentences([answer]))<=4 for _,answer in asked)
    assert refs.startswith('## If you want to go on\n') and len(re.findall(r'^- ', refs, flags=re.M))==3


def glossary():
    with open(voice.ROOT/'nbs'/'results'/'glossary.csv', newline='', encoding='utf-8') as f: return list(csv.DictReader(f))


def set_in(name):
    "Words that a lesson sets in italics or bold, lower case"
    text = '\n'.join(re.sub(r'`[^`]*`', '', s) for s in LESSONS[name] if not s.startswith(('## Questions', '## If you want')))
    return {m.lower() for m in re.findall(r'(?<![\w*])\*{1,2}([^*\n]+?)\*{1,2}(?![\w*])', text)}


def test_the_glossary_names_the_lesson_that_brings_each_word():
    "Sorted, each word once, set in italics in its lesson and in none before, unless the glossary has that meaning too"
    rows, places = glossary(), {name: set_in(name) for name in LESSONS}
    words = [r['word'].lower() for r in rows]
    assert words==sorted(set(words)) and all(r['meaning'] for r in rows)
    known = {(r['in_lesson'].lower(), r['lesson']) for r in rows}
    for r in rows:
        word = r['in_lesson'].lower()
        assert word in places[r['lesson']], r
        assert all((word, name) in known for name in LESSONS if name<r['lesson'] and word in places[name]), r


@pytest.mark.parametrize('name', LESSONS)
def test_nothing_is_said_twice(name):
    "A sentence of some length that comes again is a slip of an edit"
    lines = [line for source in LESSONS[name] for line in voice.prose(source) if len(line)>60]
    assert sorted(set(lines))==sorted(lines)


def test_the_map_shows_the_whole_glossary():
    cells = json.loads(voice.pages()['index'])['cells']
    shown = '\n'.join(''.join(o['data'].get('text/markdown', [])) for c in cells for o in c.get('outputs', []) if 'data' in o)
    assert all(f"| {r['word']} | {r['meaning']} | [" in shown for r in glossary())


@pytest.mark.parametrize('path', sorted((voice.ROOT/'nbs').glob('[0-9][0-9]*.ipynb')), ids=lambda p: p.stem)
def test_colours_are_of_a_cycle_that_colour_blind_readers_can_tell_apart(path):
    "Matplotlib's petroff10, made for that (M. A. Petroff, 2021, arXiv 2107.02270): a lesson that draws takes it, and no name of another cycle"
    code = [''.join(c['source']) for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if c['cell_type']=='code']
    assert not [s for s in code if 'tab:' in s]
    assert any("plt.style.use('petroff10')" in s for s in code)==any('matplotlib.pyplot' in s for s in code)
