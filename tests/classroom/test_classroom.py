"The classroom: verdicts that arrive whatever happens, a table that says whose rows it has, and what a check has to load"
import json, os, shutil, signal, subprocess, sys, threading, time
from pathlib import Path

import pytest
from checks import ROOT

import mnist_course
import mnist_course.tools.cli    # its import makes the commands known
from mnist_course.classroom import grade as grading, sandbox
from mnist_course.classroom.copies import answers_in, fill, learner_copy, start_course
from mnist_course.classroom.grade import check_folder, grade
from mnist_course.classroom.sandbox import judge_apart
from mnist_course.core.files import read_csv, read_lesson, write_notebook
from mnist_course.exercises import exercises_of, find_exercise
from mnist_course.exercises.outline import NUMBERS, Place, Verdict, places_of
from mnist_course.tools.cli_app import run_command

LESSONS = [p for p in sorted((ROOT/'nbs').glob('[0-9]*.ipynb')) if places_of(p)]
LOSS, GRADIENTS = ROOT/'nbs'/'03_loss.ipynb', ROOT/'nbs'/'02_gradients.ipynb'
LINEAR, SIGMOID = find_exercise('03.2'), find_exercise('03.3')
RIGHT = 'return xb@weights + bias'


def copy_with(body, extra=''):
    "Lesson 03 with this body as the answer to 03.2, and a cell before all others"
    nb = fill(learner_copy(LOSS), exercises_of(LOSS), {'03.2': f'#| export\n#| exercise\ndef linear1(xb, weights, bias):\n    {body}'})
    if extra: nb['cells'].insert(0, dict(cell_type='code', source=extra))
    return nb


def solved(path):
    "A copy of a lesson with the lesson's own answers"
    return fill(learner_copy(path), exercises_of(path), answers_in(read_lesson(path), exercises_of(path)))


@pytest.fixture(scope='module')
def untouched(tmp_path_factory):
    "A learner's folder as `mnist_course start` writes it, with all lessons"
    folder = tmp_path_factory.mktemp('course')/'untouched'
    start_course(folder, lessons=ROOT/'nbs')
    return folder


@pytest.fixture
def notebook():
    "This process has a thread more, as a notebook's kernel has"
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield
    over.set()
    thread.join()


def python(code, *args, **env):
    "What a fresh process without threads prints last, as JSON"
    env = {k: v for k,v in os.environ.items() if k!='OMP_NUM_THREADS'} | dict(PYTHONPATH=str(ROOT)) | env
    r = subprocess.run([sys.executable, '-c', code, *map(str, args)], cwd=ROOT, env=env, capture_output=True, text=True, timeout=170)
    assert r.returncode==0, r.stdout+r.stderr
    return json.loads(r.stdout.splitlines()[-1])


# What was graded, and what is graded again

@pytest.fixture
def course(tmp_path, monkeypatch):
    "The package's modules in a folder of their own, to change them; and the learners that are judged, in order"
    shutil.copytree(ROOT/'mnist_course', tmp_path/'mnist_course', ignore=shutil.ignore_patterns('assets', '__pycache__'))
    monkeypatch.setattr(mnist_course, '__file__', str(tmp_path/'mnist_course'/'__init__.py'))
    judged = []
    begin = grading._Class.begin
    def begun(self, name):
        judged.append(name)
        return begin(self, name)
    monkeypatch.setattr(grading._Class, 'begin', begun)
    for name in ('ann','bob'): (tmp_path/'class'/name).mkdir(parents=True)
    def again():
        grading._code_digest.cache_clear()
        before = len(judged)
        rows = grade(tmp_path/'class', tmp_path/'grades.csv')
        return judged[before:], rows
    yield again
    grading._code_digest.cache_clear()


def test_a_changed_lesson_is_graded_again_and_an_unchanged_one_is_not(course, tmp_path):
    "Most right answers are functions of the lessons, so it isn't enough to look at the judge"
    assert course()[0]==['ann','bob'] and course()[0]==[]
    for module in ('loss.py', 'data.py', 'exercises/loss.py', 'core/files.py'):
        path = tmp_path/'mnist_course'/module
        path.write_text(path.read_text()+'\n# mended\n')
        assert course()[0]==['ann','bob'] and course()[0]==[], module


def test_another_version_of_the_course_grades_again(course, monkeypatch):
    course()
    monkeypatch.setattr(mnist_course, '__version__', '9.9')
    assert course()[0]==['ann','bob'] and course()[0]==[]


def test_another_library_below_the_course_grades_again(course, monkeypatch):
    "As `check` does: a verdict may depend on PyTorch, NumPy and Python"
    course()
    below = grading._below()
    monkeypatch.setattr(grading, '_below', lambda: [*below[:-1], 'another version'])
    assert course()[0]==['ann','bob'] and course()[0]==[]


def test_rows_of_learners_who_are_gone_stay_and_are_returned(course, tmp_path):
    course()
    shutil.rmtree(tmp_path/'class'/'bob')
    judged, rows = course()
    assert judged==[] and [r['learner'] for r in rows]==['ann','bob'] and grading.gone(rows, tmp_path/'class')==['bob']
    assert [list(map(str, r.values())) for r in rows]==[list(r.values()) for r in read_csv(tmp_path/'grades.csv')]
    (tmp_path/'class'/'bob').mkdir()
    judged, rows = course()
    assert judged==[] and grading.gone(rows, tmp_path/'class')==[]    # it was elsewhere, and is as it was


def test_the_command_counts_the_rows_of_the_table(course, tmp_path):
    course()
    shutil.rmtree(tmp_path/'class'/'bob')
    code, out, _ = run_command('grade', tmp_path/'class', '--out', tmp_path/'grades.csv')
    assert code==0 and out.startswith(f'1 learner, and 1 row of a learner whose folder is gone (bob), in {tmp_path}')
    assert len(read_csv(tmp_path/'grades.csv'))==2


def test_a_new_exercise_does_not_drop_who_is_gone(course, tmp_path):
    "A table of fewer columns, as before an exercise was added"
    course()
    lines = (tmp_path/'grades.csv').read_text().splitlines()
    new = lines[0].rsplit(',', 1)[1]
    (tmp_path/'grades.csv').write_text('\n'.join(line.rsplit(',', 1)[0] for line in lines)+'\n')
    shutil.rmtree(tmp_path/'class'/'bob')
    judged, rows = course()
    assert judged==[] and [(r['learner'], r[new]) for r in rows]==[('ann','not begun'), ('bob','')]


# Verdicts as they come

def served(monkeypatch):
    "The process that judges for a notebook, once there is one"
    started, popen = [], subprocess.Popen
    def start(*args, **kwargs):
        started.append(popen(*args, **kwargs))
        return started[-1]
    monkeypatch.setattr(sandbox.subprocess, 'Popen', start)
    return started


def children(pid): return [int(n) for n in Path(f'/proc/{pid}/task/{pid}/children').read_text().split()]


def test_a_notebook_gets_each_verdict_as_it_comes(tmp_path, notebook):
    "The second answer waits until the first verdict is here: only who hands on at once gets both"
    wait = f'import os, time\n    while not os.path.exists({str(tmp_path/"go")!r}): time.sleep(.01)\n    {RIGHT}'
    verdicts = judge_apart([(copy_with(RIGHT), LINEAR), (copy_with(wait), LINEAR)], workers=1, seconds=100)
    first = next(verdicts)
    (tmp_path/'go').touch()
    assert [first.status, *(v.status for v in verdicts)]==['done','done']


linux = pytest.mark.skipif(not sys.platform.startswith('linux'), reason='/proc tells who is whose child')


@linux
def test_a_notebook_that_has_seen_enough_ends_all(notebook, monkeypatch):
    started = served(monkeypatch)
    verdicts = judge_apart([(copy_with(RIGHT), LINEAR), (copy_with('while True: pass'), LINEAR)], workers=2, seconds=100)
    assert next(verdicts).status=='done'
    looping = children(started[0].pid)
    verdicts.close()
    assert len(looping)==1 and started[0].returncode is not None and not any(Path(f'/proc/{pid}').exists() for pid in looping)


@linux
def test_a_judge_that_dies_is_told_of(notebook, monkeypatch):
    started = served(monkeypatch)
    verdicts = judge_apart([(copy_with(RIGHT), LINEAR), (copy_with('while True: pass'), LINEAR)], workers=1, seconds=100)
    assert next(verdicts).status=='done'
    os.kill(started[0].pid, signal.SIGKILL)
    with pytest.raises(RuntimeError, match='ended by signal 9 after 1 of 2 exercises'): list(verdicts)


def test_a_judge_that_cannot_begin_says_why(notebook, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)    # where a fresh Python looks first
    (tmp_path/'mnist_course.py').write_text('raise MemoryError("not enough")')
    with pytest.raises(RuntimeError, match='with exit code 1 after 0 of 1 exercises: MemoryError: not enough'): list(judge_apart([(copy_with(RIGHT), LINEAR)]))


class Written(sandbox._Run):
    "A run without a process: the test writes what it sends"
    def end(self): os.close(self.pipe)


def test_a_verdict_that_came_while_nobody_looked_is_not_late(monkeypatch):
    "Whoever takes the first verdict may do something else for long; the time of the second is over by then"
    line, ends = sandbox._as_line(Verdict('03.2', 'linear1', 'done', 'Right.')), []
    def start(nb, ex, seconds, *more):
        end, write = os.pipe()
        ends.append(write)
        if len(ends)==1: os.write(write, line)
        return Written(0, end, '', ex, time.monotonic() + (100 if len(ends)==1 else 0))
    monkeypatch.setattr(sandbox, '_start', start)
    verdicts = sandbox._judge_here(iter([({}, LINEAR)]*2), 2, 100, 4)
    first = next(verdicts)
    os.write(ends[1], line)
    assert [first.status, *(v.status for v in verdicts)]==['done','done']
    for end in ends: os.close(end)


LIMITS = """
import json, sys
from mnist_course.classroom import sandbox
from mnist_course.core.files import read_lesson
from mnist_course.exercises.outline import Place
start, linear1 = sandbox._start, Place('03.2', 'linear1', '03_loss')
endless, right = map(read_lesson, sys.argv[1:])
def start_with(nb, ex, seconds, *more): return start(nb, ex, 2 if nb is endless else seconds, *more)
sandbox._start = start_with
verdicts = list(sandbox.judge_apart([(endless, linear1), (right, linear1)], workers=2, seconds=100))
print(json.dumps({v.status: v.text for v in verdicts}))
"""

def test_limits_end_what_never_ends_and_the_others_are_judged(tmp_path):
    "The answer that never ends has little time, and the one that must come to its end has much"
    endless = write_notebook(tmp_path/'endless.ipynb', copy_with('import time; time.sleep(600)'))
    verdicts = python(LIMITS, endless, write_notebook(tmp_path/'right.ipynb', copy_with(RIGHT)))
    assert verdicts.keys()=={'done','wrong'} and 'ran longer than' in verdicts['wrong']


# Verdicts whatever is in them

ODD = {'a long line': f'return "{"x"*70_000}" + 1',
       'a long name': 'raise ValueError("y"*10**6)',
       'half a character': 'raise ValueError("half of one: \\ud83d")',
       'half a character in a line': 'return "\ud83d" + 1',
       'many of them': f'return "{chr(0xd83d)*70_000}" + 1',
       'no words': 'class Silent(Exception):\n        def __str__(self): raise RuntimeError("no")\n    raise Silent'}


@pytest.mark.parametrize('where', ['forked', 'from a notebook'])
def test_long_and_odd_verdicts_arrive(where, request):
    if where=='from a notebook': request.getfixturevalue('notebook')
    jobs = [(copy_with(body), LINEAR) for body in ODD.values()]
    verdicts = list(judge_apart(jobs, workers=1))
    for name,v in zip(ODD, verdicts, strict=True):
        assert v.status=='wrong' and 'ended its process' not in v.text and 'error' in v.text, (name, v.text[:200])
        assert len(v.text)+len(v.facts)<10_000
        v.text.encode()    # it can be printed, and written to a file


def test_long_facts_arrive():
    "A verdict of the judge itself, with more than a pipe holds"
    code = """
import json
from mnist_course.classroom import sandbox
from mnist_course.exercises.outline import Place, Verdict
def judge_copy(nb, ex, seconds): return Verdict(ex.number, ex.name, 'wrong', 'a'*200_000, 'mistake', 'facts: \\ud83d ' + '\\U0001f600'*200_000)
sandbox.judge_copy = judge_copy
(v,) = sandbox.judge_apart([(dict(cells=[]), Place('03.2', 'linear1', '03_loss'))])
print(json.dumps([v.status, v.mistake, v.text[:9], v.facts[:9], len(v.text)+len(v.facts)]))
"""
    status, mistake, text, facts, n = python(code)
    assert (status, mistake, text)==('wrong', 'mistake', 'a'*9) and facts.startswith('facts: ') and n<10_000


# What a check has to load

FIRST_CHECK = """
import json, sys
import torch
before = set(sys.modules)
from mnist_course.check import check
def sigmoid(x): return 1/(1+torch.exp(-x.clamp(min=-80)))
assert check(sigmoid).status=='done'
print(json.dumps(sorted(set(sys.modules)-before)))
"""

def parts(loaded): return {m.rsplit('.')[-1] for m in loaded if m.startswith('mnist_course.exercises.')} - {'judge','values','outline','given'}


def test_a_first_check_loads_few_modules_and_no_heavy_library():
    loaded = python(FIRST_CHECK)
    assert len([m for m in loaded if m.split('.')[0]=='mnist_course'])<=10
    assert not {'pandas','matplotlib','scipy','typer','rich','fastai','sklearn','torchvision','safetensors'} & {m.split('.')[0] for m in loaded}
    assert parts(loaded)=={'loss'}


WRONG_STEP = '#| export\n#| exercise\ndef sgd_step(params, lr): pass'
COMMAND = """
import json, sys
from mnist_course.tools.cli import main
try: main(sys.argv[1:])
except SystemExit as e: code = e.code
print(json.dumps([code or 0, sorted(sys.modules)]))
"""

def test_the_command_loads_the_exercises_of_its_lesson_and_only_when_something_changed(tmp_path):
    "At first it judges; then all is done and unchanged; then one answer has changed"
    (mine := tmp_path/'mine').mkdir()
    write_notebook(mine/GRADIENTS.name, solved(GRADIENTS))
    (mine/'.checked.json').write_text('no JSON')
    code, loaded = python(COMMAND, 'check', mine, '02')
    assert code==0 and 'torch' in loaded and parts(loaded)=={'gradients'}
    assert not {'pandas','matplotlib','scipy','fastai','nbformat'} & {m.split('.')[0] for m in loaded}
    code, loaded = python(COMMAND, 'check', mine, '02')
    assert code==0 and not {'torch','numpy'} & set(loaded) and parts(loaded)==set()
    write_notebook(mine/GRADIENTS.name, fill(learner_copy(GRADIENTS), exercises_of(GRADIENTS), {'02.2': WRONG_STEP}))
    code, loaded = python(COMMAND, 'check', mine, '02')
    assert code==1 and 'torch' in loaded


def test_what_nobody_has_touched_needs_no_torch(untouched):
    code, loaded = python(COMMAND, 'check', untouched)
    assert code==1 and not {'torch','numpy'} & set(loaded) and parts(loaded)==set()


def test_a_teacher_trusts_nothing_that_is_handed_in(tmp_path):
    "A file that claims everything is done"
    (mine := tmp_path/'class'/'mine').mkdir(parents=True)
    write_notebook(mine/'03_loss.ipynb', copy_with('return xb@weights'))
    mark = grading._mark(read_lesson(mine/'03_loss.ipynb'), Place('03.2', 'linear1', '03_loss'), {})
    grading._remember(mine/'.checked.json', {'03.2': (mark, Verdict('03.2', 'linear1', 'done', 'Believe me.'))})
    assert {v.number: v.status for v in check_folder(mine, '03', kept=mine/'.checked.json')}['03.2']=='done'
    assert grade(mine.parent, tmp_path/'grades.csv')[0]['03.2']=='wrong'


# What the children share

REPORT = """
import json, os, sys, threading
from dataclasses import replace
from mnist_course.classroom import sandbox
from mnist_course.classroom.copies import is_untouched
from mnist_course.core.files import read_lesson
from mnist_course.exercises.outline import places_of
judge_copy = sandbox.judge_copy
def reported(*args):
    before = set(sys.modules)
    verdict = judge_copy(*args)
    return replace(verdict, facts=' '.join(sorted(set(sys.modules)-before)))
sandbox.judge_copy = reported
jobs = [(nb, place) for path in sys.argv[1:] for nb in [read_lesson(path)] for place in places_of(path) if not is_untouched(nb, place)]
verdicts = list(sandbox.judge_apart(jobs))
print(json.dumps([[v.status for v in verdicts], [v.facts for v in verdicts if v.facts], threading.active_count(), sorted(sys.modules)]))
"""

def test_a_child_imports_nothing_that_its_parent_has_not(tmp_path):
    "In no lesson, which has all answers in it; nor where a learner imports more, in an exported cell or for a helper"
    more = copy_with(f'plt, PIL, stats, keep\n    {RIGHT}', '#| export\nimport matplotlib.pyplot as plt, PIL.ImageDraw\nfrom scipy import stats')
    more['cells'].insert(1, dict(cell_type='code', source='from safetensors import numpy as st'))
    more['cells'].insert(2, dict(cell_type='code', source='#| export\ndef keep(): return st'))
    write_notebook(tmp_path/'03_more.ipynb', more)
    statuses, loaded, threads, parent = python(REPORT, *LESSONS, tmp_path/'03_more.ipynb')
    assert statuses==['done']*(len(NUMBERS)+1) and loaded==[] and threads==1
    assert {'matplotlib.pyplot','PIL.ImageDraw','scipy.stats','safetensors.numpy'} <= set(parent)


def test_a_file_of_the_learners_runs_in_a_child_alone(tmp_path):
    "It lies where Python looks, and leaves a trace"
    (tmp_path/'my_helper.py').write_text('import os\nwhere = os.getpid()')
    write_notebook(tmp_path/'03_loss.ipynb', copy_with(f'import my_helper\n    {RIGHT}', '#| export\nimport my_helper'))
    statuses, loaded, _, parent = python(REPORT, tmp_path/'03_loss.ipynb', PYTHONPATH=f'{ROOT}{os.pathsep}{tmp_path}')
    assert statuses==['done'] and 'my_helper' in loaded[0].split() and 'my_helper' not in parent


def test_an_import_that_starts_a_thread_is_made_in_another_process(tmp_path):
    "A fork and threads don't go together"
    (tmp_path/'starts_one.py').write_text('import threading, time\nthreading.Thread(target=time.sleep, args=(99,), daemon=True).start()')
    write_notebook(tmp_path/'03_loss.ipynb', copy_with(f'starts_one\n    {RIGHT}', '#| export\nimport starts_one'))
    installed = REPORT.replace('judge_copy = sandbox.judge_copy\n', 'judge_copy = sandbox.judge_copy\nfrom mnist_course.classroom import cells\ncells._is_installed = bool\n', 1)
    statuses, _, threads, parent = python(installed, tmp_path/'03_loss.ipynb', PYTHONPATH=f'{ROOT}{os.pathsep}{tmp_path}')
    assert statuses==['done'] and threads==2 and 'starts_one' in parent
