"The command line as somebody uses it: another process, its exit code, what it writes where"
import csv, os, subprocess, sys
from pathlib import Path

import pytest

from mnist_course.tools.cli import main

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
