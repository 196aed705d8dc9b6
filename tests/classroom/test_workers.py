"""What a class costs: a notebook is sent once, what is right is computed once, and nobody gets another's line.

All of it is counted. How long it takes, `tests/grading_speed.py` shows.
"""
import subprocess, sys, tempfile, threading, time

import pytest
from checks import ROOT
from test_grading import LINEAR, OURS, RIGHT, copy_with, submit

from mnist_course.classroom import isolated
from mnist_course.classroom.grade import grade
from mnist_course.classroom.isolated import Worker, why_no_wall
from mnist_course.exercises import judge as judging
from mnist_course.exercises.outline import Place

PLACES = [LINEAR, Place('03.3', 'sigmoid', '03_loss'), Place('03.4', 'mnist_loss', '03_loss')]
THREE = copy_with(OURS['03.2'], x03_3=OURS['03.3'].replace('-x', 'x'), x03_4=OURS['03.4'])


@pytest.fixture
def worker():
    w = Worker(isolate=not why_no_wall(), seconds=20)
    yield w
    w.end(for_good=True)


def statuses(worker, nb, places=PLACES): return [v.status for v in worker.judge(nb, places)]


def test_a_notebook_is_sent_once_for_all_its_exercises(worker, monkeypatch):
    sent, send = [], Worker._send
    monkeypatch.setattr(Worker, '_send', lambda self, text: (sent.append(text), send(self, text)))
    assert statuses(worker, THREE)==['done', 'wrong', 'done']
    assert statuses(worker, THREE)==['done', 'wrong', 'done']
    assert len(sent)==3    # the package, and each notebook


def test_what_is_right_is_computed_once_for_a_class(worker, monkeypatch, count):
    "Whatever the learners handed in: neither the oracle nor a known mistake is tried twice on one input"
    tried, outcome = [], judging.outcome
    def counted(case, f, seed):
        tried.append((id(case), id(f), seed))
        return outcome(case, f, seed)
    monkeypatch.setattr(judging, 'outcome', counted)
    isolated._kept.cache_clear()
    wrong = copy_with('return xb@weights')
    for nb,due in ((RIGHT, 'done'), (wrong, 'wrong'), (RIGHT, 'done'), (wrong, 'wrong'), (copy_with('return xb'), 'wrong')):
        assert statuses(worker, nb, [LINEAR])==[due]
    isolated._kept.cache_clear()
    assert len(tried)==len(set(tried))>0
    count('times the oracle or a known mistake was tried for five submissions', len(tried))


def test_all_learners_of_a_run_are_tried_on_the_same_inputs_and_those_of_the_next_run_on_others(tmp_path):
    "Else somebody's luck would count, and a page of feedback would tell what comes the next time"
    for name in ('Ada', 'Zoe'): submit(tmp_path/'class'/name, copy_with('return xb@weights'))
    def seen(table):
        grade(tmp_path/'class', tmp_path/table, 2, lesson='03')
        return [(tmp_path/table.replace('.csv', '_feedback')/f'{name}.md').read_text().partition('input:')[2] for name in ('Ada', 'Zoe')]
    ada, zoe = seen('one.csv')
    assert ada==zoe!='' and seen('two.csv')!=[ada, zoe]


def test_who_takes_only_the_first_verdict_leaves_no_line_to_the_next_learner(worker):
    judged = worker.judge(THREE, PLACES)
    assert next(judged).status=='done'
    judged.close()
    assert statuses(worker, copy_with('return xb'), [LINEAR])==['wrong']
    assert statuses(worker, THREE)==['done', 'wrong', 'done']


def test_a_worker_that_dies_in_the_middle_of_a_notebook_loses_no_exercise(worker):
    judged = worker.judge(THREE, PLACES)
    assert next(judged).status=='done'
    worker.process.kill()
    worker.process.wait()
    assert [v.status for v in judged]==['wrong', 'done']


def test_a_worker_without_a_wall_that_is_killed_leaves_no_folder(tmp_path, monkeypatch):
    "Its answers' folders lie in one, which is ours"
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    worker = Worker(isolate=False, seconds=60)
    def look(): list(worker.judge(copy_with('import time, pathlib\npathlib.Path("here").touch()\ntime.sleep(60)'), [LINEAR]))
    asked = threading.Thread(target=look, daemon=True)
    asked.start()
    end = time.monotonic()+60
    while not list(tmp_path.rglob('here')) and time.monotonic()<end: time.sleep(.01)
    assert len(list(tmp_path.iterdir()))==1
    worker.end(for_good=True)
    asked.join(30)
    assert not list(tmp_path.iterdir())


def test_an_exercise_never_sees_the_one_before_it(worker):
    "The exercises of a notebook share a job, and nothing else: each has a process and a `/tmp` of its own"
    leaves = OURS['03.2']+'\n\nimport builtins, os, tempfile\nseen = getattr(builtins, "word", None) or os.path.exists(tempfile.gettempdir()+"/a_word_for_the_next")\nbuiltins.word = 1\ntry: open(tempfile.gettempdir()+"/a_word_for_the_next", "w").close()\nexcept OSError: pass\nif seen: linear1 = None'
    nb = copy_with(leaves, x03_3=OURS['03.3']+'\n\nassert linear1 is not None')
    assert statuses(worker, nb, [LINEAR, PLACES[1], LINEAR])==['done']*3


def test_processes_begin_before_torch_is_imported_here():
    "It is imported while they import it too"
    code = 'import sys, mnist_course.classroom.grade, mnist_course.classroom.isolated as i; i.Worker(False); print("torch" in sys.modules)'
    r = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert r.stdout=='False\n'
