"""What learners hand in besides a tidy notebook: other endings, old formats, magics, cells that end the program"""
import json, re

import pytest
from mnist_course.classroom.cells import answer_of
from mnist_course.classroom.copies import answers_in, fill, find_cell, learner_copy, scan, start_course
from mnist_course.classroom.sandbox import judge_apart
from mnist_course.classroom.wire import decode, encode
from mnist_course.core.files import find_lessons, read_lesson, write_notebook
from mnist_course.exercises import exercises_of, find_exercise
from mnist_course.exercises.judge import verdict_on_error
from mnist_course.exercises.outline import places_of

LESSON = find_lessons()[0]/'03_loss.ipynb'
EXERCISES = exercises_of(LESSON)
ANSWERS = answers_in(read_lesson(LESSON), EXERCISES)


@pytest.fixture
def nb(): return fill(learner_copy(LESSON), EXERCISES, ANSWERS)


def cell_of(nb, number): return find_cell(nb, next(ex for ex in EXERCISES if ex.number==number))


def format_3(nb):
    cells = [dict(cell_type='code', input=c['source'], outputs=[], language='python') if c['cell_type']=='code'
             else dict(cell_type=c['cell_type'], source=[c['source']]) for c in nb['cells']]
    return json.dumps(dict(metadata={}, nbformat=3, nbformat_minor=0, worksheets=[dict(cells=cells)])).encode()


@pytest.mark.parametrize('name', ['03_loss.ipynb.txt', '03_loss.ipynb.json', '03_loss.json', '03_loss.ipynb (1)', 'Lösung von Zoë.ipynb'])
def test_a_notebook_under_any_ending_counts(nb, name, tmp_path):
    write_notebook(tmp_path/name, nb)
    assert scan(tmp_path).copies=={'03_loss': [tmp_path/name]}


@pytest.mark.parametrize('written', [lambda text: b'\xef\xbb\xbf'+text, lambda text: text.decode().encode('utf-16'),
                                     lambda text: format_3(json.loads(text))], ids=['BOM','UTF-16','nbformat 3'])
def test_other_encodings_and_the_old_format_are_read(nb, written, tmp_path):
    write_notebook(tmp_path/'03_loss.ipynb', nb)
    (tmp_path/'03_loss.ipynb').write_bytes(written((tmp_path/'03_loss.ipynb').read_bytes()))
    read = read_lesson(tmp_path/'03_loss.ipynb')
    assert answers_in(read, EXERCISES).keys()==ANSWERS.keys()
    write_notebook(tmp_path/'again.ipynb', read)
    pytest.importorskip('nbformat').read(tmp_path/'again.ipynb', as_version=4)


@pytest.mark.parametrize('name,why', [('03_loss.py', 'a script'), ('03_loss.ipynb.html', 'a printout'), ('answers.py', 'a script'), ('Aufgabe 3.docx', 'a printout')])
def test_what_is_no_notebook_any_more_is_named(name, why, tmp_path):
    (tmp_path/name).write_text('x = 1')
    found = scan(tmp_path)
    assert not found.copies and [(p.name, why in said, '.ipynb' in said) for p,said in found.others]==[(name, True, True)]


def test_what_a_notebook_imports_or_shows_is_nobodys_fault(nb, tmp_path):
    write_notebook(tmp_path/'03_loss.ipynb', nb)
    for name in ('helper.py', 'sketch.png', 'notes.md', 'table.json'): (tmp_path/name).write_text('')
    assert not scan(tmp_path).others


def test_marks_of_a_conflict_are_told(nb, tmp_path):
    path = write_notebook(tmp_path/'03_loss.ipynb', nb)
    lines = path.read_text(encoding='utf-8').splitlines()
    path.write_text('\n'.join([*lines[:40], '<<<<<<< HEAD', '=======', '>>>>>>> theirs', *lines[40:]]), encoding='utf-8')
    found = scan(tmp_path)
    assert found.broken=={'03_loss': [path]} and 'conflict' in found.others[0][1]


@pytest.mark.parametrize('magic', ['%%writefile loss.py', '%%bash', '%%timeit', '# mine\n%%script python', '%%html'])
def test_a_magic_that_keeps_python_away_is_named(nb, magic):
    cell = cell_of(nb, '03.4')
    cell['source'] = f"{magic}\n{cell['source']}"
    answer = answer_of(nb, places_of('03_loss')[3])
    error = answer.error or answer.broken
    for e in (error, decode(encode(error))):    # judged here, and sent by a process that judges nothing
        said = verdict_on_error(find_exercise('03.4'), e).text
        begins = 'It ends with an error' if magic[0]=='#' else 'Its cell begins with %%'    # below another line it is no Python at all
        assert said.startswith(begins) and said.endswith('leave out that line.'), said


@pytest.mark.parametrize('magic', ['%%time', '%%capture out', '%%prun'])
def test_a_magic_that_runs_its_cell_is_none_of_these(nb, magic):
    cell = cell_of(nb, '03.4')
    cell['source'] = f"{magic}\n{cell['source']}"
    answer = answer_of(nb, places_of('03_loss')[3])
    assert answer.found and not answer.broken


@pytest.mark.parametrize('kind', ['markdown', 'raw'])
def test_an_answer_in_a_cell_of_another_kind_is_named(nb, kind):
    cell_of(nb, '03.4')['cell_type'] = kind
    answer = answer_of(nb, places_of('03_loss')[3])
    assert f'a {kind} cell' in str(answer.error or answer.broken)


def test_a_child_that_a_cell_forks_ends_for_good(nb, tmp_path):
    "Or the judge would go on twice"
    cell, seen = cell_of(nb, '03.4'), tmp_path/'seen'
    cell['source'] = f"import os\nif not (child := os.fork()): os._exit(0)\nos.waitpid(child, 0)\n{cell['source']}"
    answer = answer_of(nb, places_of('03_loss')[3])
    with open(seen, 'a') as f: f.write('here\n')
    assert answer.found and seen.read_text()=='here\n'


@pytest.mark.parametrize('name', ['03_loss_notes.txt', '03_loss_results.json', 'about 03_loss.txt'])
def test_what_only_bears_a_lessons_name_is_no_copy(name, tmp_path):
    (tmp_path/name).write_text('{}')
    assert not scan(tmp_path).broken and not scan(tmp_path).others


ENDS = ['import os; os._exit(0)', 'from os import _exit; _exit(3)', 'import os; os.abort()', 'import signal; signal.raise_signal(9)',
        'import sys; sys.exit()', 'quit()']


def test_a_cell_that_ends_the_program_costs_no_other_exercise(nb, count):
    "Each in the first line of 03.4's cell, all judged at once"
    jobs = []
    for line in ENDS:
        mine = json.loads(json.dumps(nb))
        cell = cell_of(mine, '03.4')
        cell['source'] = f"{line}\n{cell['source']}"
        jobs += [(mine, place) for place in places_of('03_loss')[3:5]]
    said = [(v.number, v.status) for v in judge_apart(jobs)]
    assert sorted(said)==[('03.4','wrong')]*len(ENDS) + [('03.5','done')]*len(ENDS)
    count("cells that end the program, and cost no other exercise", len(ENDS))


def test_the_page_for_teachers_counts_as_the_command_does(tmp_path):
    "Its output is what the code gives today"
    due = len([p for p in start_course(tmp_path/'mine') if p.suffix=='.ipynb'])
    page = read_lesson(LESSON.parent/'classroom'/'teaching.ipynb')
    shown = re.findall(r'(\d+) notebooks written', json.dumps(page))
    assert shown==[str(due)]
