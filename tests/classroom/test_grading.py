"""Grading: nobody writes their own verdict, nothing outlives the run, a class of any size is recognised at once, and any executor will do.

The tries are harmless: where one gets through, it leaves a word in a file or ticks an exercise.
"""
import csv, os, signal, socket, subprocess, sys, time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest, torch
from checks import ROOT

from mnist_course.classroom import grade as grading, isolated
from mnist_course.classroom.copies import answers_in, fill, find_cell, is_begun, is_untouched, learner_copy
from mnist_course.classroom.grade import grade, uncounted
from mnist_course.classroom.isolated import Worker, wants_wall, why_no_wall
from mnist_course.core.files import read_csv, read_lesson, write_notebook
from mnist_course.exercises import exercises_of, find_exercise
from mnist_course.exercises.outline import Place, places_of

LOSS = ROOT/'nbs'/'03_loss.ipynb'
OURS = answers_in(read_lesson(LOSS), exercises_of(LOSS))
HEAD = '#| export\n#| exercise\ndef linear1(xb, weights, bias):\n    import os, sys\n    '
LINEAR = Place('03.2', 'linear1', '03_loss')
walled = pytest.mark.skipif(bool(why_no_wall()) and not os.environ.get('NEEDS_WALL'), reason=why_no_wall() or 'there is a wall')    # CI needs one
WAYS = [pytest.param(True, marks=walled, id='walled'), pytest.param(False, id='open')]


def copy_with(linear1=None, **answers):
    "Lesson 03 with an answer to 03.2 (the body of a function, or a whole cell) and to others, as x03_3"
    if linear1 and not linear1.startswith('#'): linear1 = HEAD+linear1
    given = ({'03.2': linear1} if linear1 else {}) | {n.replace('_', '.').lstrip('x'): a for n,a in answers.items()}
    return fill(learner_copy(LOSS), exercises_of(LOSS), given)


@walled
def test_there_is_a_wall(): assert why_no_wall()==''


def submit(folder, nb, name='03_loss.ipynb'):
    folder.mkdir(parents=True, exist_ok=True)
    return write_notebook(folder/name, nb)


RIGHT = copy_with(OURS['03.2'])

# Tries to get a tick, or to spoil somebody else's work

BODIES = {
    'the oracle': 'from mnist_course.exercises import EXERCISES; return EXERCISES["linear1"].oracle(xb, weights, bias)',
    'a variant': 'from mnist_course.exercises import EXERCISES; return EXERCISES["linear1"].variants[0](xb, weights, bias)',
    "the package's own": 'from mnist_course.loss import linear1 as own; return own(xb, weights, bias)',
    'its code': 'import types, mnist_course.loss as m; return types.FunctionType(m.linear1.__code__, vars(m))(xb, weights, bias)',
    'its old code': 'import gc, types, mnist_course.loss as m; f = [c for c in gc.get_objects() if isinstance(c, types.CodeType) and c.co_name=="linear1" and "PermissionError" not in c.co_names]; return types.FunctionType(f[0], vars(m))(xb, weights, bias)',
    'its text': 'import mnist_course.loss as m; ns = dict(vars(m)); exec(open(m.__file__).read(), ns); return ns["linear1"](xb, weights, bias)',
    'its text by inspect': 'import inspect, mnist_course.loss as m; ns = dict(vars(m)); exec(inspect.getsource(m), ns); return ns["linear1"](xb, weights, bias)',
    'its loader': 'import mnist_course.loss as m; ns = {}; exec(m.__spec__.loader.sources["mnist_course/loss.py"], ns); return ns["linear1"](xb, weights, bias)',
    'a module anew': 'import importlib, mnist_course.loss as m; importlib.reload(m); return m.linear1(xb, weights, bias)',
    'the old name': 'from mnist_course.check import exercises_of; return exercises_of("03")[1].oracle(xb, weights, bias)',
    'the lessons': 'import json, mnist_course.loss as m; from mnist_course.core.files import find_lessons; cells = json.load(open(find_lessons()[0]/"03_loss.ipynb"))["cells"]; ns = dict(vars(m)); exec(next(s for c in cells if "def linear1" in (s := "".join(c["source"]))), ns); return ns["linear1"](xb, weights, bias)',
    'another judge': 'import mnist_course.exercises.judge as j; j.same = lambda *a: True; return 1',
    'a judge that agrees': 'import mnist_course.exercises.judge as j; j.judge = j.conclude = lambda *a: "done"; return 1',
    'a verdict': 'from mnist_course.exercises.outline import Verdict; return Verdict("03.2", "linear1", "done", "Right.")',
    'equal to all': 'return type("Same", (), {"__eq__": lambda a, b: True, "shape": (1,)})()',
    'its verdict into the pipe': 'os.write(3, b\'{"number":"03.2","name":"linear1","status":"done","text":"t"}\\n\'); os._exit(0)',
    "another's verdict": 'os.write(3, b\'{"number":"learner","name":"x","status":"Ada","text":"t"}\\n\'); os._exit(0)',
    'no message': 'os.write(3, b\'{"got": [1, 2, 3]}\\n\'); os._exit(0)',
    'a message of another kind': 'os.write(3, b\'{"got": "abc", "bases": 5}\\n\'); os._exit(0)',
    'a message too many': 'os.write(3, b\'{"got": []}\\n\')\n    return 1',
    'all pipes': '[os.write(fd, b\'{"came": "{}"}\\n\') for fd in range(3, 30) if os.path.exists(f"/proc/self/fd/{fd}")]; os._exit(0)',
    'the parent': 'os.kill(os.getppid(), 9); return 1',
    'everybody': 'os.kill(-1, 9); return 1',
    "the parent's memory": 'open(f"/proc/{os.getppid()}/mem", "r+b").write(b"done"); return 1',
    "the parent's pipes": 'open(f"/proc/{os.getppid()}/fd/1", "w").write(\'{"came": "{}"}\\n\'); return 1',
    'a trace': 'sys.settrace(lambda frame, *a: frame.f_locals.update(status="done")); return 1',
    'frames above': 'f = sys._getframe()\n    while f: f.f_locals.update(got=[], expected=[]); f = f.f_back\n    return 1',
    'a loop': 'while True: pass',
    'much output': 'while True: print("x"*10**6)',
    'much memory': 'return b"x"*(50*2**30)',
}


@pytest.fixture(scope='module')
def worker():
    w = Worker(isolate=not why_no_wall(), seconds=8)
    yield w
    w.end()


@pytest.mark.parametrize('name', BODIES)
def test_no_try_earns_a_tick_and_the_next_is_judged(name, worker, count):
    if why_no_wall() and name in ('its text', 'its text by inspect', 'the lessons', 'everybody', 'the parent', "the parent's memory", "the parent's pipes", 'a module anew'):
        pytest.skip('without a wall these are open')
    (v,) = worker.judge(copy_with(BODIES[name]), [LINEAR])
    assert v.status=='wrong' and (v.number, v.name)==('03.2', 'linear1') and v.text, v
    (after,) = worker.judge(RIGHT, [LINEAR])
    assert after.status=='done', after
    count('tries to write a verdict or to reach another submission, none of which did')


@pytest.mark.parametrize('name', ['the oracle', 'a variant', "the package's own", 'its code', 'its text', 'its text by inspect', 'a module anew', 'the old name', 'the lessons'])
def test_control_where_nothing_is_sealed_the_same_tries_give_the_right_answer(name):
    exec(HEAD+BODIES[name], space := {})
    xb, weights, bias = torch.rand(4,784), torch.rand(784,1), torch.rand(1)
    assert space['linear1'](xb, weights, bias).allclose(xb@weights + bias)


@pytest.mark.timeout(400)
def test_every_right_answer_gets_its_tick_from_the_process_that_grades(worker, count):
    "Which has the cases of the exercises, and neither their oracles nor their planted mistakes"
    wrong = []
    for path in sorted(p for p in (ROOT/'nbs').glob('[0-9][0-9]*.ipynb') if places_of(p)):
        nb = fill(learner_copy(path), exercises_of(path), answers_in(read_lesson(path), exercises_of(path)))
        wrong += [v for v in worker.judge(nb, places_of(path)) if v.status!='done']
        count('right answers that get their tick from the process that grades', len(places_of(path)))
    assert not wrong, '\n'.join(map(str, wrong))


TOPS = {
    "Ada's notebook": 'import os\nseen = [p for p in (PLACE, "/proc/1/root"+PLACE, "/proc/1/cwd") if os.path.exists(os.path.join(os.path.dirname(p), "class", "Ada"))]\ndef linear1(xb, weights, bias): return xb@weights + bias + 7*len(seen)',
    "what others left": 'import os\nseen = os.listdir("/tmp")\ndef linear1(xb, weights, bias): return xb@weights + bias + 7*any("word" in name for name in seen)',
    'a file outside': 'import torch\ntorch.save(torch.ones(3), PLACE)',
    'a file by safetensors': 'import torch, safetensors.torch\nsafetensors.torch.save_file(dict(a=torch.ones(3)), PLACE)',
    'a database': 'import sqlite3\nsqlite3.connect(PLACE).execute("create table t (a)")',
    'a folder descriptor': 'import os\nfd = os.open(os.path.dirname(PLACE), os.O_RDONLY)\nos.open("word", os.O_CREAT|os.O_WRONLY, dir_fd=fd)',
    'a named pipe': 'import os\nos.mkfifo(PLACE)',
    'the network': 'import socket\ns = socket.create_connection(("127.0.0.1", PORT), 2)\ns.sendall(b"a greeting")',
    'the environment': 'def linear1(xb, weights, bias):\n    import os\n    raise ValueError(os.environ["A_SECRET"])',
    'a process that stays': 'import ctypes, os, time\npid = ctypes.CDLL(None).fork()\nif not pid:\n    os.setsid()\n    for _ in range(600): time.sleep(.1)\n    os._exit(0)',
}


@walled
@pytest.mark.parametrize('name', TOPS)
def test_a_wall_keeps_in_what_is_inside(name, tmp_path, monkeypatch, count):
    "No file outside is read or written, no greeting arrives, nothing stays; and the right answer below is judged all the same"
    monkeypatch.setenv('A_SECRET', 'a mark of the teacher')
    (tmp_path/'class'/'Ada').mkdir(parents=True)
    with socket.create_server(('127.0.0.1', 0)) as server:
        server.settimeout(.2)
        source = TOPS[name].replace('PLACE', repr(str(tmp_path/'word'))).replace('PORT', str(server.getsockname()[1]))
        submit(tmp_path/'class'/'Eve', copy_with(f"{OURS['03.2']}\n\n{source}"))
        submit(tmp_path/'class'/'Ada', RIGHT)
        before = running()
        rows = grade(tmp_path/'class', tmp_path/'grades.csv', 1, seconds=20, lesson='03', isolate=True)
        with pytest.raises(OSError): server.accept()
    assert [r['status'] for r in rows]==['graded']*2 and rows[1]['03.2']==('wrong' if name=='the environment' else 'done')
    assert not (tmp_path/'word').exists() and running()<=before
    page = (tmp_path/'grades_feedback'/'Eve.md').read_text()
    assert 'a mark of the teacher' not in page and 'Ada' not in page
    count('tries to write a verdict or to reach another submission, none of which did')


def running():
    "Processes that run submissions and have lost their parent, or are children of this one"
    found = set()
    for p in Path('/proc').glob('[0-9]*'):
        try: ours, parent = b'mnist_course.classroom.worker' in (p/'cmdline').read_bytes(), int((p/'stat').read_text().rpartition(')')[2].split()[1])
        except (OSError, ValueError): continue
        if ours and parent in (1, os.getpid()): found.add(p.name)
    return found


@walled
def test_without_a_wall_the_same_tries_get_through(tmp_path, count):
    "The negative control: what the wall keeps in does go out where there is none"
    source = TOPS['a file by safetensors'].replace('PLACE', repr(str(tmp_path/'word')))
    submit(tmp_path/'class'/'Eve', copy_with(f"{OURS['03.2']}\n\n{source}"))
    grade(tmp_path/'class', tmp_path/'grades.csv', 1, lesson='03', isolate=False)
    assert (tmp_path/'word').exists()
    count('tries that get through where there is no wall, as they should')


def test_isolation_that_cannot_be_had_is_an_error(tmp_path, monkeypatch):
    "Never a silent fallback"
    submit(tmp_path/'class'/'Ada', RIGHT)
    monkeypatch.setattr(isolated, 'why_no_wall', lambda: 'no such tool')
    with pytest.raises(OSError, match='no isolation: no such tool'): grade(tmp_path/'class', tmp_path/'grades.csv', 1, isolate=True)
    assert not (tmp_path/'grades.csv').exists()
    assert wants_wall(None) is False


# Odd submissions

@walled
def test_a_wall_shows_an_environment_that_lies_in_tmp(tmp_path, monkeypatch):
    "What is installed below /tmp is there behind the wall, and the rest of /tmp is not"
    lib = tmp_path/'lib'
    (lib/'x-1.dist-info').mkdir(parents=True)
    (lib/'there.txt').write_text('seen')
    (tmp_path/'beside.txt').write_text('hidden')
    monkeypatch.syspath_prepend(str(lib))
    code = f"from pathlib import Path; print(Path({str(lib/'there.txt')!r}).read_text(), Path({str(tmp_path/'beside.txt')!r}).exists()); Path('/tmp/mine').write_text('')"
    r = subprocess.run([*isolated.wall(), sys.executable, '-c', code], capture_output=True, text=True)
    assert (r.returncode, r.stdout)==(0, 'seen False\n'), r.stderr


def test_without_a_wall_the_command_says_so(tmp_path, monkeypatch):
    "By default; whoever says --no-isolate knows"
    import mnist_course.tools.cli  # noqa: F401 - which knows all commands
    from mnist_course.tools.cli_app import run_command
    monkeypatch.setattr(isolated, 'why_no_wall', lambda: 'no bubblewrap here')
    submit(tmp_path/'class'/'ada', copy_with())
    said = [run_command('grade', str(tmp_path/'class'), '--lesson', '03', '--out', str(tmp_path/f'{i}.csv'), *more)[2] for i,more in enumerate([[], ['--no-isolate']])]
    assert 'not shut in' in said[0] and 'no bubblewrap here' in said[0] and 'not shut in' not in said[1]


def test_an_archive_in_a_learners_folder_is_named(tmp_path):
    submit(tmp_path/'class'/'ada', copy_with())
    (tmp_path/'class'/'ada'/'deep').mkdir()
    (tmp_path/'class'/'ada'/'deep'/'Work.ZIP').write_bytes(b'PK')
    grade(tmp_path/'class', tmp_path/'t.csv', workers=1, lesson='03')
    assert uncounted(tmp_path/'t.csv')=={'ada': [['deep/Work.ZIP', 'an archive: unpack it there, and grade again']]}


def test_odd_submissions_lose_nobody_elses_grade(tmp_path):
    "Names that are too long, no UTF-8, or a formula; huge, linked and broken notebooks; and who comes after them is graded"
    here = tmp_path/'class'
    submit(here/'Ada', RIGHT)
    for name in ('=1+1', '-2+3', 'x'*250, 'c\rr', 'Max [late]', '<img src=x>', *([os.fsdecode(b'M\xfc'*40)] if sys.platform.startswith('linux') else [])): submit(here/name, RIGHT)
    (here/'Huge').mkdir()
    with open(here/'Huge'/'03_loss.ipynb', 'wb') as f: f.truncate(20*2**30)
    (here/'Link').mkdir()
    (here/'Link'/'03_loss.ipynb').symlink_to(here/'Ada'/'03_loss.ipynb')
    submit(here/'Zoe', RIGHT)
    for _ in range(2):
        rows = {r['learner']: r for r in grade(here, tmp_path/'grades.csv', 1, lesson='03')}
        assert len(rows)==len(list(here.iterdir())) and {rows[n]['03.2'] for n in ('Ada','Zoe','=1+1','-2+3','x'*250)}=={'done'}
        assert rows['Link']['03.2']!='done' and rows['Huge']['03.2']!='done'
        with open(tmp_path/'grades.csv', newline='', encoding='utf-8') as f: table = list(csv.reader(f))
        assert len(table)==len(rows)+1 and not [c for row in table for c in row if c[:1] in ('=','+','-','@')]
    pages = list((tmp_path/'grades_feedback').glob('*.md'))
    assert len(pages)==len(rows) and not [p for p in pages if '<img' in p.read_text()]
    assert {'Huge','Link'} <= uncounted(tmp_path/'grades.csv').keys()


def test_a_right_answer_counts_under_any_file_name(tmp_path):
    submit(tmp_path/'class'/'Ada', RIGHT, 'my homework (2).ipynb')
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', 1, lesson='03')
    assert row['03.2']=='done' and 'my homework (2).ipynb' in (tmp_path/'grades_feedback'/'Ada.md').read_text()


def test_time_that_ran_out_has_a_column(tmp_path):
    submit(tmp_path/'class'/'Ada', copy_with('while True: pass', x03_3=OURS['03.3']))
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', 1, lesson='03', seconds=3, weights={'03.3': 2})
    assert (row['03.2'], row['03.3'], row['timeouts'], row['points'])==('wrong', 'done', 1, '2')


def test_a_file_of_the_learners_can_be_imported(tmp_path):
    submit(tmp_path/'class'/'Ada', copy_with('from my_helper import product; return product(xb, weights) + bias'))
    (tmp_path/'class'/'Ada'/'my_helper.py').write_text('def product(a, b): return a@b')
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', 1, lesson='03')
    assert row['03.2']=='done'


def test_one_lesson_leaves_the_others_as_they_were(tmp_path):
    submit(tmp_path/'class'/'Ada', RIGHT)
    grade(tmp_path/'class', tmp_path/'grades.csv', 1, lesson='03')
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', 1, lesson='02')
    assert row['03.2']=='done' and row['02.1']=='not begun' and row['04.1']==''


@walled
def test_nothing_stays_in_the_folder_that_submissions_may_write_to(tmp_path):
    "What one writes into /tmp, the next does not find, and it takes no room from them"
    fills = f"{OURS['03.2']}\n\nimport torch, safetensors.torch\nfor i in range(30):\n    try: safetensors.torch.save_file(dict(a=torch.ones(10**6)), f'/tmp/word{{i}}')\n    except Exception: break"
    looks = f"{OURS['03.2']}\n\nimport os\nfound = [n for n in os.listdir('/tmp') if n.startswith('word')]\nif found: linear1 = None"
    submit(tmp_path/'class'/'Ada', copy_with(fills))
    submit(tmp_path/'class'/'Eve', copy_with(looks))
    rows = grade(tmp_path/'class', tmp_path/'grades.csv', 1, lesson='03', isolate=True)
    assert [r['03.2'] for r in rows]==['done', 'done'], rows


def test_points_are_those_of_the_lesson_that_was_asked_for(tmp_path):
    submit(tmp_path/'class'/'Ada', RIGHT)
    (first,) = grade(tmp_path/'class', tmp_path/'grades.csv', executor=AtOnce(), lesson='03')
    start = fill(learner_copy(next((ROOT/'nbs').glob('02_*.ipynb'))), exercises_of('02'), answers_in(read_lesson(next((ROOT/'nbs').glob('02_*.ipynb'))), exercises_of('02')))
    write_notebook(tmp_path/'class'/'Ada'/'02_gradients.ipynb', start)
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', executor=AtOnce(), lesson='02')
    assert (first['points'], row['points'], row['done'], row['03.2'])==('1', '2', 2, 'done')


def test_a_lesson_that_nobody_handed_in_costs_no_other_lesson_its_points(tmp_path):
    "Graded, then another lesson that is not there, then the first again, as for a second gradebook"
    submit(tmp_path/'class'/'Ada', RIGHT)
    rows = [grade(tmp_path/'class', tmp_path/'grades.csv', executor=AtOnce(), lesson=lesson)[0] for lesson in ('03', '04', '03')]
    assert [(r['status'], r['points']) for r in rows]==[('graded', '1'), ('nothing handed in', ''), ('graded', '1')]
    assert '03_loss.ipynb' in (tmp_path/'grades_feedback'/'Ada.md').read_text()


def test_a_lesson_that_could_not_be_graded_costs_no_other_lesson_its_verdicts(tmp_path):
    submit(tmp_path/'class'/'Ada', RIGHT)
    grade(tmp_path/'class', tmp_path/'grades.csv', executor=AtOnce(), lesson='03')
    class Fails:
        def submit(self, *args): raise RuntimeError('the cluster is gone')
    lesson = next((ROOT/'nbs').glob('02_*.ipynb'))
    write_notebook(tmp_path/'class'/'Ada'/lesson.name, read_lesson(lesson) | dict(metadata=learner_copy(lesson)['metadata']))
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', executor=Fails(), lesson='02')
    assert row['03.2']=='done' and row['02.1']=='' and row['points']=='' and 'the cluster is gone' in row['status']


def test_a_helper_beside_a_notebook_counts_for_what_is_known(tmp_path):
    class Sees(AtOnce):
        def submit(self, *args):
            seen.append(1)
            return super().submit(*args)
    seen = []
    submit(tmp_path/'class'/'Ada', RIGHT)
    for text in ('a = 1', 'a = 1', 'a = 22'):
        if not (helper := tmp_path/'class'/'Ada'/'helper.py').exists() or helper.read_text()!=text: helper.write_text(text)
        grade(tmp_path/'class', tmp_path/'grades.csv', executor=Sees(), lesson='03')
    assert len(seen)==2


def test_a_table_of_somebody_elses_is_put_aside(tmp_path):
    submit(tmp_path/'class'/'Ada', RIGHT)
    (tmp_path/'grades.csv').write_text('learner,mark\nZoe,17\n')
    grade(tmp_path/'class', tmp_path/'grades.csv', executor=AtOnce(), lesson='03')
    (aside,) = tmp_path.glob('grades-edited*.csv')
    assert aside.read_text()=='learner,mark\nZoe,17\n'


def test_two_runs_with_one_table_are_refused(tmp_path):
    submit(tmp_path/'class'/'Ada', RIGHT)
    class Again(AtOnce):
        def submit(self, *args):
            with pytest.raises(ValueError, match='another run writes to'): grade(tmp_path/'class', tmp_path/'grades.csv', executor=AtOnce())
            return super().submit(*args)
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', executor=Again(), lesson='03')
    assert row['03.2']=='done'


def test_who_handed_in_nothing_has_no_points(tmp_path):
    (tmp_path/'class'/'Ada').mkdir(parents=True)
    (tmp_path/'class'/'Eve').mkdir()
    (tmp_path/'class'/'Eve'/'03_loss.ipynb').write_text('{"cells"')
    rows = grade(tmp_path/'class', tmp_path/'grades.csv', executor=AtOnce(), lesson='03')
    assert [(r['status'], r['points']) for r in rows]==[('nothing handed in', ''), ('no copy that can be read', '')]
    assert 'What counted' not in (tmp_path/'grades_feedback'/'Eve.md').read_text()


@pytest.mark.parametrize('raised,shown', [('KeyError(torch.nn.Parameter(torch.ones(2)))', 'KeyError'), ('KeyError("k"*200)', 'KeyError'), ('KeyError()', 'KeyError'),
                                          ('ExceptionGroup("two", [ValueError("a")])', 'ExceptionGroup')])
def test_errors_of_every_kind_arrive(raised, shown, worker):
    (v,) = worker.judge(copy_with(f'raise {raised}'), [LINEAR])
    assert v.status=='wrong' and shown in v.text+v.facts and 'pipe' not in v.text, v


@pytest.mark.parametrize('cell', ['#| export\n#| exercise\nlinear1 = lambda xb, weights, bias: xb@weights + bias', '#| exercise\nimport torch.nn.functional as F\nlinear1 = lambda xb, w, b: F.linear(xb, w.t(), b)',
                                  find_cell(learner_copy(LOSS), find_exercise('03.2'))['source']+'\n\ndef linear1(xb, weights, bias): return xb@weights + bias'])
def test_an_answer_of_another_form_is_begun_and_kept(cell, tmp_path):
    "A lambda, a name given to something, a second definition below the stub"
    nb = learner_copy(LOSS)
    find_cell(nb, find_exercise('03.2'))['source'] = cell
    assert not is_untouched(nb, find_exercise('03.2')) and is_begun(nb, '03_loss')
    submit(tmp_path/'class'/'Ada', nb)
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', 1, lesson='03', isolate=False)
    assert row['03.2']=='done'


def test_an_answer_under_another_name_with_its_number_is_begun():
    nb = learner_copy(LOSS)
    check = nb['cells'][nb['cells'].index(find_cell(nb, find_exercise('03.2')))+2]
    check['source'] = "from mnist_course.check import check\nmine = lambda xb, weights, bias: xb@weights + bias\ncheck(mine, '03.2')"
    assert not is_untouched(nb, find_exercise('03.2'))


@pytest.mark.parametrize('cell,words', [('def sigmoid(x):\nreturn 1', 'expected an indented block'), ('print(undefined_zz)\ndef sigmoid(x): return 1', 'undefined_zz'),
                                        ('from nosuch.mymath import sigmoid', 'nosuch')])
def test_an_error_in_the_cell_is_what_is_told_and_not_what_stood_above(cell, words, tmp_path):
    nb = learner_copy(LOSS)
    find_cell(nb, find_exercise('03.3'))['source'] = f'#| export\n#| exercise\n{cell}'
    submit(tmp_path/'class'/'Ada', nb)
    grade(tmp_path/'class', tmp_path/'grades.csv', 1, lesson='03', isolate=False)
    assert words in (tmp_path/'grades_feedback'/'Ada.md').read_text()


# A class of any size

class AtOnce:
    "An executor that judges nothing: the same verdicts for all"
    def submit(self, f, copies, *rest):
        future = Future()
        future.set_result([dict(number=p.number, name=p.name, status='done', text='Right.', mistake='', facts='') for c in copies for p in c['places']])
        return future


class Nobody:
    def submit(self, *args): raise AssertionError('somebody is graded again')


@pytest.fixture(scope='module')
def thousand(tmp_path_factory):
    "A thousand learners with a right answer in lesson 03, graded"
    here = tmp_path_factory.mktemp('thousand')
    text = submit(here/'one', RIGHT).read_bytes()
    for i in range(1000):
        (here/'class'/f'learner {i:04}').mkdir(parents=True)
        (here/'class'/f'learner {i:04}'/'03_loss.ipynb').write_bytes(text)
    rows = grade(here/'class', here/'grades.csv', executor=AtOnce())
    assert [r['done'] for r in rows]==[1]*1000
    return here


def test_a_thousand_who_are_graded_already_are_recognised_by_a_look_at_their_files(thousand, monkeypatch, count):
    "Counted: nothing is judged, no notebook is read, and the table is written once"
    read, written = [], []
    monkeypatch.setattr(grading, 'read_lesson', lambda p: read.append(p))
    monkeypatch.setattr(grading, 'scan', lambda p: read.append(p))
    save = grading.Ledger.save
    monkeypatch.setattr(grading.Ledger, 'save', lambda self, *args, **how: (written.append(1), save(self, *args, **how)))
    began = time.perf_counter()
    rows = grade(thousand/'class', thousand/'grades.csv', executor=Nobody())
    count(f'learners recognised, in {time.perf_counter()-began:.2f} s', len(rows))
    assert len(rows)==1000 and read==[] and written==[1]


def test_one_who_hands_in_again_is_the_only_one_graded(thousand):
    submit(thousand/'class'/'learner 0500', copy_with('return 1'))
    seen = []
    class Sees(AtOnce):
        def submit(self, f, copies, *rest):
            seen.append(copies)
            return super().submit(f, copies, *rest)
    grade(thousand/'class', thousand/'grades.csv', executor=Sees())
    assert len(seen)==1


KILLED = """
import sys
sys.path.insert(0, sys.argv[1])
from test_grading import AtOnce, grade
from mnist_course.classroom.grade import Ledger
Ledger.every = 0
grade(sys.argv[2], sys.argv[3], executor=AtOnce())
"""

def test_killed_at_any_moment_the_table_is_whole(tmp_path):
    "Five kills while it is written all the time; each is a table, and the last run has everybody once"
    text = submit(tmp_path/'one', RIGHT).read_bytes()
    names = [f'learner {i:02}' for i in range(60)]
    for name in names:
        (tmp_path/'class'/name).mkdir(parents=True)
        (tmp_path/'class'/name/'03_loss.ipynb').write_bytes(text)
    env = os.environ | dict(PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT/'tests')]))
    out, seen = tmp_path/'grades.csv', []
    ends = []
    for n in range(5):
        run = subprocess.Popen([sys.executable, '-c', KILLED, str(Path(__file__).parent), tmp_path/'class', out], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while run.poll() is None and len(read_csv(out))<=(seen[-1] if seen else 0): time.sleep(.01)
        time.sleep(.02*n)
        run.send_signal(signal.SIGKILL)
        ends.append(run.wait())
        table = read_csv(out)
        assert [r['learner'] for r in table]==sorted({r['learner'] for r in table} & set(names)) and all(r['03.2']=='done' for r in table)
        seen.append(len(table))
    assert ends.count(-signal.SIGKILL)>=3    # of five: some may have come to their end before
    rows = grade(tmp_path/'class', out, executor=AtOnce())
    assert [r['learner'] for r in rows]==names==[r['learner'] for r in read_csv(out)] and seen==sorted(seen)
    assert not list(tmp_path.glob('grades-edited*'))


def test_a_table_that_somebody_edited_is_put_aside(thousand):
    out = thousand/'grades.csv'
    out.write_text(out.read_text().replace(',done,', ',99,', 1))
    grade(thousand/'class', out, executor=AtOnce())
    (aside,) = thousand.glob('grades-edited*.csv')
    assert ',99,' in aside.read_text() and ',99,' not in out.read_text()


# Other executors

@pytest.mark.parametrize('make', [ThreadPoolExecutor, ProcessPoolExecutor])
def test_any_executor_grades(make, tmp_path):
    for name,nb in (('Ada', RIGHT), ('Zoe', copy_with('return xb@weights'))): submit(tmp_path/'class'/name, nb)
    with make(1) as executor: rows = grade(tmp_path/'class', tmp_path/'grades.csv', executor=executor, lesson='03')
    assert [(r['learner'], r['03.2']) for r in rows]==[('Ada','done'), ('Zoe','wrong')]
    grading.end_workers()


def test_an_executor_whose_jobs_are_no_futures_grades(tmp_path):
    "submitit's, which runs each job in a process of its own here, and on a cluster that has Slurm as one of its jobs"
    submitit = pytest.importorskip('submitit')
    for name,nb in (('Ada', RIGHT), ('Zoe', copy_with('return xb@weights'))): submit(tmp_path/'class'/name, nb)
    executor = submitit.LocalExecutor(tmp_path/'jobs')
    executor.update_parameters(timeout_min=2)
    rows = grade(tmp_path/'class', tmp_path/'grades.csv', executor=executor, lesson='03')
    assert [(r['learner'], r['03.2'], r['status']) for r in rows]==[('Ada', 'done', 'graded'), ('Zoe', 'wrong', 'graded')]


def test_a_verdict_without_a_wall_is_not_trusted_where_one_is_asked_for(tmp_path, monkeypatch):
    submit(tmp_path/'class'/'Ada', RIGHT)
    out, seen = tmp_path/'grades.csv', []
    class Sees(AtOnce):
        def submit(self, *args):
            seen.append(1)
            return super().submit(*args)
    monkeypatch.setattr('mnist_course.classroom.isolated.why_no_wall', lambda: '')
    for isolate in (False, False, True, True, False): grade(tmp_path/'class', out, isolate=isolate, executor=Sees(), lesson='03')
    assert len(seen)==2    # at first, and where a wall is asked for


def test_an_executor_that_fails_loses_one_learner_who_is_graded_the_next_time(tmp_path):
    class Fails:
        def submit(self, *args):
            future = Future()
            future.set_exception(RuntimeError('the machine is gone'))
            return future
    submit(tmp_path/'class'/'Ada', RIGHT)
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', executor=Fails(), lesson='03')
    assert row['status']=='not graded: RuntimeError: the machine is gone' and row['03.2']==''
    (row,) = grade(tmp_path/'class', tmp_path/'grades.csv', executor=AtOnce(), lesson='03')
    assert row['status']=='graded' and row['03.2']=='done'


def test_a_cluster_loses_a_worker_and_nobody(tmp_path, count):
    "A real scheduler and two workers of Dask; one worker is killed while it grades"
    pytest.importorskip('distributed')
    from distributed import Client
    names = [f'learner {i}' for i in range(8)]
    for name in names: submit(tmp_path/'class'/name, copy_with('import time; time.sleep(.3); return xb@weights + bias'))
    with socket.create_server(('127.0.0.1', 0)) as s: port = s.getsockname()[1]
    env = os.environ | dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    address, quiet = f'tcp://127.0.0.1:{port}', dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path, env=env)
    killed, processes = [], [subprocess.Popen([sys.executable, '-m', 'distributed.cli.dask_scheduler', '--host', '127.0.0.1', '--port', str(port), '--no-dashboard'], **quiet)]
    start = lambda: subprocess.Popen([sys.executable, '-m', 'distributed.cli.dask_worker', address, '--nthreads', '1', '--no-nanny', '--no-dashboard'], **quiet)
    try:
        processes += [start(), start()]
        with Client(address, timeout=60) as client:
            client.wait_for_workers(2, timeout=60)
            def kill(done, n, name):
                if done>=2 and not killed:
                    assert processes[1].poll() is None
                    processes[1].kill()
                    killed.append(processes[1].wait())
            rows = grade(tmp_path/'class', tmp_path/'grades.csv', executor=client.get_executor(), progress=kill, lesson='03')
    finally:
        for p in processes: p.kill()
        for p in processes: p.wait()
    assert killed==[-9]
    assert [(r['learner'], r['03.2'], r['status']) for r in rows]==[(name, 'done', 'graded') for name in names]
    assert [r['learner'] for r in read_csv(tmp_path/'grades.csv')]==names
    count('learners graded by a cluster that lost a worker on the way, each once', len(names))
