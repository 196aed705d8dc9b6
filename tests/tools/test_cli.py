"The command line as somebody uses it: another process, its exit code, what it writes where"
import csv, os, re, subprocess, sys
from pathlib import Path

import pytest
from checks import ROOT

from mnist_course.classroom.copies import fill, learner_copy
from mnist_course.core.files import write_notebook
from mnist_course.exercises import exercises_of
from mnist_course.tools.cli import main
from mnist_course.tools.cli_app import run_command

command = Path(sys.executable).parent/'mnist_course'


def call(*args, cwd, **env):
    return subprocess.run([command, *map(str, args)], cwd=cwd, env=os.environ|env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)


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
    (['check','16'], ['no folder 16', '15 (15.1 to 15.3)']),               # a lesson without exercises
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


def test_a_folder_with_the_name_of_a_lesson_is_a_folder(tmp_path, monkeypatch):
    (tmp_path/'03').mkdir()
    monkeypatch.chdir(tmp_path)
    code, out, _ = run_command('check', '03')
    assert code==1 and '\n13  ' in out and list(tmp_path.iterdir())==[tmp_path/'03'] and not list((tmp_path/'03').iterdir())


def test_help_says_what_check_understands(tmp_path):
    r = call('check', '--help', cwd=tmp_path)
    said = ' '.join(r.stdout.replace('│', ' ').split())
    assert r.returncode==0 and all(s in said for s in ('03, 13_speed or 03.2', 'mnist_course check 03.2', 'Name a lesson or an exercise, and you see what its check cells show'))
