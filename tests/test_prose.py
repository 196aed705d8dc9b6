"What the lessons say: their numbers come from a cell, and their sentences can be read aloud"
import json

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
