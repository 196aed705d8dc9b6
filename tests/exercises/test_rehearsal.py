"Whatever gets a tick lets the rest of the lesson's copy run to its end; `rehearsal.py` says how that is tried"
import pytest
from checks import ROOT
from rehearsal import affected, answers_of, depends, has_its_turn, kept, rehearse, rounds

from mnist_course.exercises import exercises_of, find_exercise
from mnist_course.exercises.outline import places_of

LESSONS = sorted(p for p in (ROOT/'nbs').glob('[0-9][0-9]*.ipynb') if places_of(p))
RUNS = [(path, k) for path in LESSONS for k in range(rounds(path))]


@pytest.mark.timeout(900)
@pytest.mark.parametrize('path,k', RUNS, ids=[f'{path.stem}-{k}' for path,k in RUNS])
def test_what_gets_a_tick_lets_the_lesson_run(path, k, tmp_path, count):
    answers, row = answers_of(path, k), kept().get((path.stem, k))
    if row and row['digest']==depends(path, k) and not has_its_turn(path, k, row):
        return count('variants more, in copies that ran to their end before, and nothing they depend on has changed since', len(answers))
    ended = rehearse(path, answers, tmp_path)
    count('variants of right answers, each in a copy whose cells ran to the end', len(answers))
    count('cells of these copies', ended.ran)
    assert not ended.stopped


def test_every_variant_has_its_turn():
    tried = [(path.stem, number, f.__qualname__) for path,k in RUNS for number,f in answers_of(path, k).items()]
    there = [(path.stem, ex.number, f.__qualname__) for path in LESSONS for ex in exercises_of(path) for f in ex.variants]
    assert sorted(tried)==sorted(there)


# Controls: what has to stop

@pytest.mark.parametrize('number,mistake', [('01.3', 'farthest'), ('02.2', 'uphill')])
def test_a_wrong_answer_stops_it(number, mistake, tmp_path, count):
    path = next(p for p in LESSONS if number in [place.number for place in places_of(p)])
    answer = next(m for m in find_exercise(number).mistakes if m.__name__==mistake)
    assert rehearse(path, {number: answer}, tmp_path).stopped
    count('wrong answers or wordings that stop such a copy, as they should')


def test_a_cell_that_asks_for_our_words_stops_it(tmp_path, monkeypatch, count):
    "As the lessons themselves do, with `test_fail(..., contains='shape')`; their copies have lost that"
    monkeypatch.setattr('mnist_course.classroom.copies.any_wording', lambda source: source)
    path = LESSONS[1]
    assert rehearse(path, answers_of(path, 0), tmp_path).stopped
    count('wrong answers or wordings that stop such a copy, as they should')


def test_cells_are_chosen_by_their_names():
    cells = ['import torch', 'w = torch.ones(3)', 'z = torch.zeros(3)', 'def relu(x): return x.clamp(0)', 'z.sum()', 'y = relu(w)',
             'w.add_(1)', 'show_image(z)', 'def late(): return later+y', 'later = 1', 'print(y)']
    assert affected(cells, {'relu'})==[0, 1, 3, 5, 6, 8, 9, 10]
    assert affected(cells, {'nobody'})==[0]
