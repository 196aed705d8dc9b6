"The command line as somebody uses it: another process, its exit code, what it writes where"
import csv, io, os, re, shlex, shutil, signal, subprocess, sys
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from checks import ROOT

from mnist_course.classroom.copies import fill, learner_copy
from mnist_course.core.files import write_notebook
from mnist_course.exercises import exercises_of
from mnist_course.tools import cli_app
from mnist_course.tools.cli import main
from mnist_course.tools.cli_app import run_command

command = Path(sys.executable).parent/'mnist_course'


def call(*args, cwd, **env):
    return subprocess.run([command, *map(str, args)], cwd=cwd, env=os.environ|env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


def test_commands_start_where_signals_are_missing(tmp_path):
    "As on Windows, which knows neither SIGHUP nor SIGALRM"
    code = 'import signal; del signal.SIGHUP, signal.SIGALRM; from mnist_course.tools.cli import main; main(["recipes"])'
    r = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, env=os.environ|{'PYTHONPATH': str(ROOT)}, capture_output=True, text=True, timeout=120)
    assert (r.returncode, r.stderr)==(0, '') and 'mlp-64-64' in r.stdout


@pytest.mark.parametrize('args, said', [
    (['ladder','--rungs','pixel-l3'], ['pixel-l3', 'pixel-l1']),            # names what there is
    (['ladder','--rungs','guess,simple-nett'], ['simple-nett', 'simple-net']),
    (['ladder','--rungs',''], ['rung']),
    (['ladder','--rungs','guess','--seed','pi'], ['pi']),
    (['ladder','--rungs','guess','--seed','-1'], ['-1']),
    (['ladder','--rungs','guess','--device','abacus'], ['abacus', 'cpu']),
    (['ladder','--rungs','guess','--device','cuda:99'], ['cuda:99', 'cpu']),
    (['ladder','--rungs','guess','--out','file/deep'], ['file']),           # `file` is a file
    (['ladder','--rungs','guess','--out','file'], ['file']),
    (['train'], ['NAME', 'train --help']),
    (['train','mlp-49'], ['mlp-49', 'did you mean mlp-490?', 'softmax-regression']),
    (['train','mlp-490','--epochs','0'], ['--epochs', '1 or more']),
    (['train','mlp-490','--epochs','1.5'], ['--epochs', '1.5']),
    (['train','mlp-490','--lr','-1'], ['--lr', 'above 0']),
    (['train','mlp-490','--lr','nan'], ['--lr', 'above 0']),
    (['train','mlp-490','--bs','0'], ['--bs', '1 or more']),
    (['train','mlp-490','--bs','60001'], ['60001', '60000']),
    (['train','mlp-490','--valid','60000'], ['--valid', '60000']),
    (['train','mlp-490','--seed','-1'], ['-1']),
    (['train','mlp-490','--device','cuda:99'], ['cuda:99', 'cpu']),
    (['train','mlp-490','--out','file'], ['file']),
    (['train','mlp-490','--resume','--out','.'], ['nothing to resume']),
    (['bench','mlp-65-65'], ['did you mean mlp-64-64?']),
    (['lessons','--folder','nowhere'], ['nowhere']),
    (['check','nowhere'], ['no folder nowhere', 'no lesson or exercise', '00 (00.1 to 00.2)', '15 (15.1 to 15.3)']),
    (['check','99'], ['no folder 99', 'choose from 00 (00.1']),
    (['check','03.9'], ['03.9', '03 (03.1 to 03.5)']),
    (['check','16'], ['lesson 16_page has no exercises', 'nothing to check']),
    (['check','03'], ['no folder my_lessons', 'mnist_course start my_lessons']),
    (['check','03','03'], ['no folder 03', 'name the folder with your copies first']),
    (['check','nowhere','03'], ['no folder nowhere']),
    (['check','.','03.9'], ["'03.9'", '03 (03.1 to 03.5)']),
    (['check','.','nowhere'], ["'nowhere'", 'choose from 00 (00.1']),
    (['check','file'], ['file is a file, not a folder']),
    (['lader'], ['lader']),
    (['ladder','--sead','1'], ['sead']),
    (['ladder','extra'], ['extra']),
], ids=lambda v: ' '.join(v) if isinstance(v, list) else None)
def test_bad_input_is_one_line_and_code_2(tmp_path, monkeypatch, capfd, args, said):
    (tmp_path/'file').write_text('mine')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as e: main(args)
    out, err = capfd.readouterr()
    assert e.value.code==2, out+err
    assert len(err.strip().splitlines())==1 and out=='', out+err
    assert 'Traceback' not in err and all(s in err for s in said), err
    assert not re.search(r'start [0-9.]+\b', err), err    # no advice to make a folder "03"
    assert [p.name for p in tmp_path.iterdir()]==['file'] and (tmp_path/'file').read_text()=='mine'


def test_so_it_is_in_a_process_of_its_own_with_a_narrow_terminal(tmp_path):
    r = call('ladder', '--rungs', 'pixel-l3', cwd=tmp_path, COLUMNS='30', TERM='dumb')
    assert (r.returncode, r.stdout, list(tmp_path.iterdir()))==(2, '', [])
    assert len(r.stderr.strip().splitlines())==1 and 'choose from' in r.stderr


def test_ladder_writes_the_folder_it_names(tmp_path):
    out = tmp_path/'näch ste'/'ladder'
    r = call('ladder', '--rungs', 'pixel-l2,guess', '--out', out, cwd=tmp_path)
    assert r.returncode==0, r.stderr
    assert '0.9661' in r.stdout and 'ladder.csv' in r.stdout+r.stderr
    with open(out/'ladder.csv', newline='', encoding='utf-8') as f: rows = list(csv.DictReader(f))
    assert [(x['rung'], x['accuracy']) for x in rows]==[('guess', f'{1028/2038:.6f}'), ('pixel-l2', f'{1969/2038:.6f}')]
    assert (out/'ladder.png').read_bytes().startswith(b'\x89PNG') and len(list(out.iterdir()))==2


def test_the_same_seed_gives_the_same_ladder(tmp_path):
    for out in 'ab':
        with pytest.raises(SystemExit) as e: main(['ladder', '--rungs', 'linear-learner', '--seed', '3', '--out', str(tmp_path/out)])
        assert not e.value.code
    a, b = (next(csv.DictReader(open(tmp_path/out/'ladder.csv', encoding='utf-8'))) for out in 'ab')
    assert a|dict(seconds=0)==b|dict(seconds=0) and a['seed']=='3'


def test_help_explains_each_command(tmp_path):
    r = call('--help', cwd=tmp_path)
    assert r.returncode==0 and all(c in r.stdout for c in ('ladder','train','recipes','lessons','bench'))
    r = call('ladder', '--help', cwd=tmp_path)
    assert r.returncode==0 and all(o in r.stdout for o in ('--rungs','--seed','--device','--out'))


# check: what one may type, and what one sees

@pytest.fixture(scope='module')
def begun(tmp_path_factory):
    "A folder with lessons 03 and 13_speed in it; 03.2 is right, 03.3 is turned round, and 13 is untouched"
    folder, path = tmp_path_factory.mktemp('begun'), ROOT/'nbs'/'03_loss.ipynb'
    answers = {'03.2': '#| export\n#| exercise\ndef linear1(xb, weights, bias): return xb@weights + bias',
               '03.3': '#| export\n#| exercise\ndef sigmoid(x): return 1/(1+torch.exp(x))'}
    (folder/'my_lessons').mkdir()
    write_notebook(folder/'my_lessons'/'lesson 3.ipynb', fill(learner_copy(path), exercises_of(path), answers))
    write_notebook(folder/'my_lessons'/'13_speed.ipynb', learner_copy(ROOT/'nbs'/'13_speed.ipynb'))
    return folder


@pytest.mark.parametrize('line', ['03', '3', '03_loss', 'my_lessons 03', 'my_lessons 3', 'my_lessons 03_loss', 'my_lessons 03_loss.ipynb'])
def test_a_named_lesson_shows_what_its_check_cells_show(begun, monkeypatch, line):
    monkeypatch.chdir(begun)
    code, out, err = run_command('check', *line.split())
    marks = [said[:6] for said in out.splitlines() if said[0:1] in ('✓','✗','○')]
    assert (code, marks)==(1, ['○ 03.1', '✓ 03.2', '✗ 03.3', '○ 03.4', '○ 03.5']), out+err
    full, table = out.split('\n03  ')
    assert 'came' in full and 'expected' in full and 'expected' not in table and table.startswith('○ ✓ ✗ ○ ○        1 of 5\n')
    assert out.count('Turned round')==1 and table.splitlines()[-1]=='1 done, 1 wrong, 3 not begun. Next: 03.1 init_params'


def test_a_map_of_all_shows_the_first_sentence_alone(begun, monkeypatch):
    monkeypatch.chdir(begun)
    code, out, _ = run_command('check')
    assert code==1 and 'Turned round' in out and 'expected' not in out and '✓ 03.2' not in out


@pytest.mark.parametrize('line, code, marks', [
    ('03.2', 0, ['✓ 03.2']), ('my_lessons 3.2', 0, ['✓ 03.2']), ('linear1', 0, ['✓ 03.2']), ('my_lessons 03.3', 1, ['✗ 03.3']), ('03.1', 1, ['○ 03.1']),
    ('13_speed', 1, ['○ 13.1','○ 13.2','○ 13.3']), ('13', 1, [f'○ 13.{i}' for i in range(1, 8)])])
def test_one_exercise_or_one_of_several_lessons_of_a_number(begun, monkeypatch, line, code, marks):
    "The exit code is that of what was named"
    monkeypatch.chdir(begun)
    found, out, err = run_command('check', *line.split())
    assert (found, [said[:6] for said in out.splitlines() if said[0:1] in ('✓','✗','○')])==(code, marks), out+err
    assert re.search(r'^(03|13)  [✓✗○ ]+\d of \d$', out, flags=re.M)


@pytest.mark.parametrize('what', [SystemExit(129), GeneratorExit(), KeyboardInterrupt()], ids=lambda e: type(e).__name__)
def test_a_command_gives_the_signals_back_whatever_comes_out_of_it(what, monkeypatch):
    "Or the next command of the same process, and each of its forks, would not hear them"
    def fails(args, ending): raise what
    monkeypatch.setattr(cli_app, '_call', fails)
    before = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    with redirect_stderr(io.StringIO()), pytest.raises(BaseException) as e: cli_app.main([])
    assert e.type in (type(what), SystemExit) and [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]==before


def test_a_folder_with_the_name_of_a_lesson_is_a_folder(tmp_path, monkeypatch):
    (tmp_path/'03').mkdir()
    monkeypatch.chdir(tmp_path)
    code, out, err = run_command('check', '03')
    assert (code, out)==(2, '') and 'no copies of the lessons in 03' in err and list(tmp_path.iterdir())==[tmp_path/'03'] and not list((tmp_path/'03').iterdir())


def test_help_says_what_check_understands(tmp_path):
    r = call('check', '--help', cwd=tmp_path)
    said = ' '.join(r.stdout.replace('│', ' ').split())
    assert r.returncode==0 and all(s in said for s in ('03, 13_speed or 03.2', 'mnist_course check 03.2', 'Name a lesson or an exercise, and you see what its check cells show'))


@pytest.fixture
def copies(begun, tmp_path, monkeypatch):
    "We are in a folder of copies that is not called my_lessons"
    here = tmp_path/'my_copies'
    shutil.copytree(begun/'my_lessons', here)
    monkeypatch.chdir(here)
    return here


@pytest.mark.parametrize('line', ['03.3', 'linear1', '', 'lesson\\ 3.ipynb', '../my_copies/lesson\\ 3.ipynb', '03 ../my_copies'])
def test_copies_in_the_current_folder_are_found(copies, line):
    code, out, err = run_command('check', *shlex.split(line))
    assert '03  ○ ✓ ✗ ○ ○ ' in out and code==(0 if line=='linear1' else 1), out+err
    assert 'start' not in err and not (copies/'my_lessons').exists() and (copies/'.checked.json').exists()


def test_an_exercise_is_begun_again_in_the_current_folder(copies):
    assert run_command('reset', '03.2')[0]==0
    assert '03  ○ ○ ✗ ○ ○ ' in run_command('check', '03')[1]


def test_it_says_what_is_judged(copies):
    "A whole lesson, also where one exercise is named; another that is wrong keeps its line in the map"
    code, out, err = run_command('check', '03.2')
    assert code==0 and 'the 5 exercises of lesson 03_loss' in err and '\n    ✗ 03.3 sigmoid: Turned round' in out, out+err


def test_where_nothing_is_nothing_is_judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path/'notes.ipynb').write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    code, out, err = run_command('check', '03')
    assert code==2 and 'Judging' not in out+err and 'no folder my_lessons' in err
    assert 'is not a copy of a lesson' in run_command('check', 'notes.ipynb')[2]


def test_the_module_is_the_command(tmp_path):
    r = subprocess.run([sys.executable, '-m', 'mnist_course.tools.cli', 'check', 'nowhere', '03'], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert r.returncode==2 and r.stderr=='mnist_course: no folder nowhere: name the folder with your copies first, then the lesson\n'


# grade: what one may type, and what it says

@pytest.fixture
def room(tmp_path, monkeypatch):
    "A class of one, who has handed in a right answer to 03.2, and a notebook that counts for nothing"
    path, answer = ROOT/'nbs'/'03_loss.ipynb', '#| export\n#| exercise\ndef linear1(xb, weights, bias): return xb@weights + bias'
    (tmp_path/'class'/'ann').mkdir(parents=True)
    write_notebook(tmp_path/'class'/'ann'/'03_loss.ipynb', fill(learner_copy(path), exercises_of(path), {'03.2': answer}))
    (tmp_path/'class'/'ann'/'no\x1b[2J\nte.ipynb').write_text('mine')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(table): return list(csv.DictReader(open(table, newline='', encoding='utf-8')))


def test_lessons_and_points_go_by_the_words_of_check(room):
    for lesson,points in (('3', '3.2=2'), ('03', 'linear1=2'), ('03_loss', '03.2=2')):
        code, out, err = run_command('grade', 'class', '--lesson', lesson, '--points', points, '--out', f'{lesson}.csv')
        assert (code, [r['points'] for r in rows(room/f'{lesson}.csv')])==(0, ['2']), out+err


@pytest.mark.parametrize('line, said', [
    ('--lesson 03.2', "'03.2' is a single exercise: name its lesson, 03_loss"), ('--lesson linear1', 'name its lesson, 03_loss'), ('--lesson 99', "no lesson '99'"),
    ('--lesson 03 --points 04.1=2', 'exercise 04.1 is not in lesson 03_loss'), ('--lesson 13_speed --points 13.4=2', 'exercise 13.4 is not in lesson 13_speed'),
    ('--points 3=2', "'3' is a lesson"), ('--points 3.2=1 --points linear1=2', 'exercise 03.2 is given points twice'), ('--points 3.2', "'3.2'")])
def test_grade_refuses_in_one_line(room, line, said):
    code, out, err = run_command('grade', 'class', *line.split())
    assert (code, out, err.count('\n'))==(2, '', 1) and said in err, err
    assert [p.name for p in room.iterdir()]==['class']


def test_pages_of_feedback_in_the_folder_of_the_submissions_are_no_learner(room):
    book, how = room/'book.csv', ['grade', 'class', '--lesson', '03', '--out', 'class/grades.csv', '--into', 'book.csv', '--column', 'Lesson 3']
    book.write_text('"First name","Last name","Email address","Lesson 3"\nAnn,Lee,ann@example.org,\n')
    for _ in range(2):
        code, out, err = run_command(*how)
        assert code==0 and '1 learner in' in out and '1 marks in' in out, out+err
    assert book.read_text().splitlines()[1]=='Ann,Lee,ann@example.org,1'


def test_a_table_that_was_edited_is_put_aside_and_that_is_said(room):
    how = ['grade', 'class', '--lesson', '03', '--out', 'marks [1].csv']
    assert 'changed since' not in run_command(*how)[2]
    table = room/'marks [1].csv'
    edited = table.read_text().replace(',1,', ',5,', 1)
    table.write_text(edited)
    err = run_command(*how)[2]
    assert 'marks [1].csv had been changed since the last run: that version is now marks [1]-edited1.csv' in err
    assert (room/'marks [1]-edited1.csv').read_text()==edited
    assert 'changed since' not in run_command(*how)[2]


def test_names_do_not_command_the_terminal(room):
    (room/'class'/'bob\x1b]0;x\x07').mkdir()
    (room/'class'/'ann\nzip\x1b[31m.zip').write_text('')
    code, out, err = run_command('grade', 'class', '--lesson', '03')
    assert code==0 and r'ann: not counted: no\x1b[2J\nte.ipynb (' in err and r'folder of a learner: ann\nzip\x1b[31m.zip' in err and r'now bob\x1b]0;x\x07' in err, err
    shutil.rmtree(room/'class'/'bob\x1b]0;x\x07')
    _, out, again = run_command('grade', 'class', '--lesson', '03')
    assert r'gone (bob\x1b' in out or 'gone (bob ' in out, out
    assert not re.search(r'[\x00-\x09\x0b-\x1f\x7f-\x9f]', out+err+again)


def test_who_is_gone_is_not_named_on_every_run(room):
    run_command('grade', 'class', '--lesson', '03')
    (room/'class'/'ann').rename(room/'class'/'bea')
    _, out, err = run_command('grade', 'class', '--lesson', '03')
    assert 'gone (ann)' in out and 'bea: not counted' in err and 'ann: not counted' not in err, out+err


def test_help_fits_into_eighty_columns():
    "No line of a command's text is wrapped once more by a terminal of the usual width"
    from mnist_course.tools.cli import app
    long = {c.callback.__name__: line.strip() for c in app.registered_commands for line in (c.callback.__doc__ or '').splitlines() if len(line.strip())>78}
    assert not long
