"""What a check asks for, the task says: a hint alone would not do"""
import re

import pytest
from mnist_course.classroom.copies import find_cell, learner_copy
from mnist_course.exercises import find_exercise
from mnist_course.core.files import find_lessons
from mnist_course.exercises.outline import NUMBERS

# Exercise, a planted mistake that breaks the duty, and how the task speaks of it
DUTIES = [('03.3', 'flat_at_0', 'a quarter at 0'), ('06.1', 'loss_not_kept', r'`self\.pred`.*`self\.loss`'), ('06.1', 'moments_silent', r'before_step.*after_step'),
          ('06.2', 'back_to_training_mode', 'stays in evaluation mode'), ('07.1', 'nan_hidden', 'nan should stay a nan'),
          ('07.2', 'blocks', r'side by side in one `nn\.Sequential`'), ('07.3', 'uniform_weights', 'normal distribution'),
          ('07.3', 'bias_expected', 'without biases'), ('08.1', 'digits_lost', 'no small number'),
          ('10.1', 'stumbles_over_none', 'With no answers at all'), ('11.1', 'no_source', 'with `def`'),
          ('11.2', 'names_alone', 'what that is in the file and what in the network'),
          ('11.2', 'missing_somewhere', 'missing there'), ('12.4', 'biased_in_the_running', r'count/\(count-1\)')]


def task_of(number):
    "The text above an exercise and its cell, as a learner gets them; no check, and no hint"
    ex = find_exercise(number)
    lesson = next(lesson for n,lesson in NUMBERS.values() if n==number)
    nb = learner_copy(find_lessons()[0]/f'{lesson}.ipynb')
    cell = find_cell(nb, ex)
    at = next(i for i,c in enumerate(nb['cells']) if c['id']==cell['id'])
    above = next((c['source'] for c in reversed(nb['cells'][:at]) if c['cell_type']=='markdown'), '')
    return ex, ' '.join(f"{above}\n{cell['source']}".split())


@pytest.mark.parametrize('number,mistake,words', DUTIES)
def test_a_duty_stands_in_the_task(number, mistake, words):
    ex, task = task_of(number)
    assert mistake in {m.__name__ for m in ex.mistakes}, f'{number}: no mistake is called {mistake}'
    assert re.search(words, task), f'{number}: the task does not say {words!r}'
