"The command line meets what makes no sense: one line, exit code 2, nothing begun, nothing left behind"
import os, pty, re, subprocess, sys
from pathlib import Path

import pytest

from mnist_course.tools import cli_app
from mnist_course.tools.cli import main

command = Path(sys.executable).parent/'mnist_course'


def call(*args, cwd, **kwargs):
    env = os.environ | kwargs.pop('env', {})
    return subprocess.run([*map(str, args)], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=100, **kwargs)


@pytest.fixture
def refused(tmp_path, monkeypatch, capfd):
    "Call with bad arguments, which must be refused before any work begins"
    def begun(*args, **kwargs): pytest.fail('work has begun')
    for work in ('tools.ladder.run_ladder', 'recipes.train_recipe'): monkeypatch.setattr(f'mnist_course.{work}', begun)
    (tmp_path/'file').write_text('mine')
    monkeypatch.chdir(tmp_path)
    def refused(line, *said):
        with pytest.raises(SystemExit) as e: main(line.split())
        out, err = capfd.readouterr()
        assert e.value.code==2 and out=='' and len(err.strip().splitlines())==1, out+err
        assert 'Traceback' not in err and all(s in err for s in said), err
        assert [p.name for p in tmp_path.iterdir()]==['file'] and (tmp_path/'file').read_text()=='mine'
    return refused


@pytest.mark.fault(39, without={'mnist_course.tools.cli_app.explain': 'lambda e: (1, "failed")'})
@pytest.mark.parametrize('line, said', [
    ('lader', "Did you mean 'ladder'"), ('ladder --sead 1', "Did you mean '--seed'?"), ('ladder extra', 'extra'), ('train', 'NAME')])
def test_an_unknown_command_or_option_names_the_nearest(refused, line, said): refused(line, said, '--help')


@pytest.mark.fault(39, without={'mnist_course.core.choices.get_close_matches': 'lambda *args, **kwargs: []'})
@pytest.mark.parametrize('line, said', [
    ('train mlp-49', 'did you mean mlp-490?'), ('ladder --rungs pixel-l3', 'did you mean pixel-l'),
    ('ladder --rungs guess,simple-nett', 'did you mean simple-net?'), ('bench mlp-65-65', 'did you mean mlp-64-64?')])
def test_an_unknown_recipe_or_rung_names_the_nearest(refused, line, said): refused(line, said, 'choose from')


def no_checks(patch):
    for check in (cli_app.whole_number, cli_app.count_of, cli_app.rate): patch.setattr(check, '__code__', (lambda text: float(text) if 'n' in text or '.' in text else int(text)).__code__)
    patch.setattr('mnist_course.tools.cli_train.check_sizes', lambda *args: None)
    patch.setattr('mnist_course.core.compute.check_seed', lambda seed: seed)
    patch.setattr('mnist_course.core.compute.find_device', lambda device: device)


@pytest.mark.fault(40, without=no_checks)
@pytest.mark.parametrize('line, said', [
    ('train mlp-490 --epochs 0', ['--epochs', '1 or more']), ('train mlp-490 --epochs 1.5', ['--epochs', '1.5']),
    ('train mlp-490 --lr -1', ['--lr', 'above 0']), ('train mlp-490 --lr nan', ['--lr', 'above 0']), ('train mlp-490 --lr inf', ['--lr', 'above 0']),
    ('train mlp-490 --bs 0', ['--bs', '1 or more']), ('train mlp-490 --bs 60001', ['60001', '60000']),
    ('train mlp-490 --valid 60000', ['--valid', '60000']), ('train mlp-490 --seed -1', ['-1', 'give a whole number']),
    ('train mlp-490 --device cuda:99', ['cuda:99', 'cpu']), ('ladder --rungs guess --seed 3.5', ['3.5']),
    ('ladder --rungs guess --seed -1', ['-1']), ('ladder --rungs guess --device abacus', ['abacus', 'cpu'])])
def test_a_setting_that_makes_no_sense_is_refused(refused, line, said): refused(line, *said)


@pytest.mark.fault(41, without={'mnist_course.tools.cli_app.explain': 'lambda e: (1, "failed")'})
@pytest.mark.parametrize('line', ['lessons --folder nowhere', 'ladder --mine nowhere', 'check nowhere', 'grade nowhere.ipynb'])
def test_a_missing_file_is_named(refused, line): refused(line, 'nowhere')


@pytest.mark.fault(41, without={'mnist_course.tools.cli_train.check_run': 'lambda *args: None'})
def test_nothing_to_resume_is_said(refused): refused('train mlp-490 --resume --out .', 'nothing to resume')


@pytest.mark.fault(42, without={'mnist_course.core.files.ready_folder': 'Path', 'mnist_course.tools.ladder.ready_folder': 'Path'})
@pytest.mark.parametrize('line', ['ladder --rungs guess --out file', 'ladder --rungs guess --out file/deep', 'train mlp-490 --out file'])
def test_a_folder_that_is_a_file_is_refused(refused, line): refused(line, 'cannot write to file', 'name another folder')


@pytest.mark.fault(39, without={'sys.argv': '__import__("sys").argv + ["--debug"]'})
def test_a_traceback_comes_with_debug_alone(tmp_path, prelude):
    code = prelude + 'from mnist_course.tools.cli import main; main()'
    plain, debug = (call(sys.executable, '-c', code, 'train', 'mlp-49', *more, cwd=tmp_path, stdout=subprocess.PIPE) for more in ([], ['--debug']))
    assert (plain.returncode, debug.returncode)==(2, 2)
    assert 'Traceback' not in plain.stderr and 'Traceback' in debug.stderr and 'did you mean mlp-490?' in debug.stderr


# Terminals

RUN = 'import sys; from mnist_course.tools.cli import main; main(sys.argv[1:])'


@pytest.mark.fault(43, without={'mnist_course.tools.cli.main': 'lambda args: [print("x"*9**6), sys.stdout.flush()]'})
def test_a_pipe_that_closes_early_shows_no_traceback(tmp_path, prelude):
    for line in ('ladder --rungs guess', 'recipes'):
        read, write = os.pipe()
        os.close(read)                                     # as `| head -1` once it has its line
        try: r = call(sys.executable, '-c', prelude+RUN, *line.split(), cwd=tmp_path, stdout=write)
        finally: os.close(write)
        assert 'Traceback' not in r.stderr and 'Exception ignored' not in r.stderr and 'Error' not in r.stderr, r.stderr


def in_terminal(cwd, prelude, *args, **env):
    "What a command shows in a terminal of its own"
    here, there = pty.openpty()
    p = subprocess.Popen([sys.executable, '-c', prelude+RUN, *args], cwd=cwd, env=os.environ|env, stdin=there, stdout=there, stderr=there)
    os.close(there)
    seen = b''
    try:
        while more := os.read(here, 9999): seen += more
    except OSError: pass                                  # how the end of a terminal looks
    finally: os.close(here)
    return seen.decode(), p.wait(60)


@pytest.mark.fault(43, without={'rich.console.Console.print': 'lambda self, *args, **kwargs: print("\\x1b[31m"+"-"*90)'})
@pytest.mark.parametrize('env', [dict(COLUMNS='20'), dict(TERM='dumb', COLUMNS='20'), dict(NO_COLOR='1', COLUMNS='20')])
def test_a_narrow_dumb_or_colourless_terminal_stays_readable(tmp_path, prelude, env):
    out, code = in_terminal(tmp_path, prelude, 'recipes', **env)
    table = re.sub(r'\x1b\[[\d;?]*[a-zA-Z]', '', out).replace('\r', '').split('\n\n')[0].splitlines()
    assert code==0 and 'Traceback' not in out and table[0].startswith('recip')
    if len(env)>1: assert not re.search(r'\x1b\[(\d+;)*[349]\d', out)       # no colour
    assert max(map(len, table))<=(80 if 'TERM' in env else 20)              # rich takes a dumb terminal for 80 columns


@pytest.mark.fault(43, without={'mnist_course.tools.cli.main': 'lambda args: mnist_course.tools.cli.app(args)'})
@pytest.mark.parametrize('encoding', ['ascii', 'latin-1'])
def test_a_locale_without_utf8_stops_nothing(tmp_path, prelude, encoding):
    env = dict(PYTHONIOENCODING=encoding, PYTHONUTF8='0', PYTHONCOERCECLOCALE='0', LC_ALL='POSIX')
    for line, rc in (('train mlp-490→', 2), ('recipes', 0), ('ladder --rungs guess', 0)):
        r = call(sys.executable, '-c', prelude+RUN, *line.split(), cwd=tmp_path, stdout=subprocess.PIPE, env=env)
        assert r.returncode==rc and 'Traceback' not in r.stderr, r.stderr
