"Faults 49 to 64: two runs in one folder, what a replaced file was, and runs that are interrupted, killed or out of room at any moment"
import contextlib, io, json, os, random, re, shutil, signal, stat, subprocess, sys, tempfile, time, traceback
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import torch
from damage import disk, fork, kill_when, mutant

from mnist_course.convnet import best_net, train_best
from mnist_course.core.files import held
from mnist_course.core.guards import in_any_case
from mnist_course.data import Digits
from mnist_course.learner import Callback
from mnist_course.persist import read_tensors
from mnist_course.tools import cli, cli_app    # the import of `cli` makes the commands known
from mnist_course.tools.cli_app import run_command

MOMENTS = int(os.environ.get('MOMENTS', 0))    # so many for each command, as `MOMENTS=50 pytest tests/faults/test_run_faults.py`
RUN = 'from mnist_course.tools.cli import main; main()'    # as the command does: the process is ours to its end
TINY = ['train', 'mlp-64-64', '--bs', '50', '--valid', '100']
WRITE = 'mnist_course.core.files.write_atomic'


def contents(folder): return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob('*')) if p.is_file()}


@pytest.fixture
def tiny(monkeypatch):
    "400 pictures in MNIST's place"
    dice = torch.Generator().manual_seed(0)
    def digits(n): return Digits(torch.randint(0, 256, (n,28,28), dtype=torch.uint8, generator=dice), torch.arange(n)%10)
    data = digits(400), digits(100)
    monkeypatch.setattr('mnist_course.recipes.load_mnist', lambda: data)
    return data


# Two runs, one folder

alone = {'mnist_course.core.files.held': '__import__("contextlib").nullcontext', 'mnist_course.classroom.copies.held': '__import__("contextlib").nullcontext'}

@pytest.mark.fault(49, without=alone)
@pytest.mark.parametrize('args', [[*TINY, '--epochs', '1', '--out', 'two'], ['ladder', '--rungs', 'guess', '--out', 'two'], ['start', 'two']])
def test_a_second_run_in_a_folder_is_refused_and_touches_nothing(tmp_path, tiny, monkeypatch, args):
    folder = tmp_path/'two'
    folder.mkdir()
    (folder/'history.csv').write_text('of the first')
    monkeypatch.chdir(tmp_path)
    with held(folder):
        before = contents(folder)
        assert run_command(*args)==(2, '', 'mnist_course: another run writes to two: wait until it has ended, or name another\n')
        assert contents(folder)==before
    assert sorted(contents(folder))==['history.csv']


@pytest.mark.fault(49, without=alone)
def test_of_two_runs_at_once_one_is_refused_and_the_other_goes_on(tmp_path, tiny, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first, last = begin_fork([*TINY, '--epochs', '100000', '--out', 'two'], tmp_path), tmp_path/'two'/'last.safetensors'
    end = time.monotonic()+60
    while not last.exists() and time.monotonic()<end: time.sleep(.01)
    try:
        code, out, err = run_command('train', 'softmax-regression', '--bs', '50', '--valid', '100', '--epochs', '1', '--out', 'two', '--replace')
        assert code==2 and err=='mnist_course: another run writes to two: wait until it has ended, or name another\n'
    finally:
        os.kill(first, signal.SIGINT)
        code = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    assert code==130 and 'Kept: two/last.safetensors.' in (tmp_path/'err').read_text()
    assert read_tensors(last)[1]['run']['recipe'] in (None, 'mlp-64-64') and not (tmp_path/'two'/'.lock').exists()


def left_behind(patch):
    "A hold that a file makes, and not the system"
    from contextlib import contextmanager
    @contextmanager
    def by_file(path):
        os.close(os.open(Path(path)/'.lock', os.O_CREAT | os.O_EXCL))
        yield
    patch.setitem(globals(), 'held', by_file)

@pytest.mark.fault(50, without=left_behind)
def test_a_killed_run_lets_its_folder_go(tmp_path):
    def work():
        with held(tmp_path):
            (tmp_path/'begun').touch()
            time.sleep(100)
    assert kill_when(fork(work), (tmp_path/'begun').exists)==-signal.SIGKILL
    assert (tmp_path/'.lock').exists()
    with held(tmp_path): pass
    assert sorted(contents(tmp_path))==['begun']


# What a replaced file was

def sure(old, new):
    "`without` for a part of `write_atomic`, wherever it is used here"
    return {WRITE: mutant(WRITE, old, new)[WRITE]}

def write(path, data):
    from mnist_course.core import files
    files.write_atomic(path, data)

renamed = {WRITE: 'lambda path, data: (Path(f"{path}.new").write_bytes(data), Path(f"{path}.new").replace(path))'}

@pytest.mark.fault(51, without=renamed)
@pytest.mark.parametrize('mode', [0o600, 0o444, 0o640, 0o755])
def test_a_replaced_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path/'model'
    path.write_bytes(b'old')
    path.chmod(mode)
    before = os.umask(0o077 if mode==0o755 else 0o022)
    try: write(path, b'new')
    finally: os.umask(before)
    assert (stat.S_IMODE(path.stat().st_mode), path.read_bytes())==(mode, b'new')


@pytest.mark.fault(51, without=sure('_private if old else None', 'None'))
def test_a_private_file_is_private_while_it_is_written_too(tmp_path, monkeypatch):
    path, seen = tmp_path/'model', []
    path.write_bytes(b'old')
    path.chmod(0o600)
    monkeypatch.setattr('mnist_course.core.files._hold', lambda f: seen.append(stat.S_IMODE(os.fstat(f.fileno()).st_mode)))
    write(path, b'new')
    assert seen==[0o600]


@pytest.mark.fault(51, without=sure('_private if old else None', '_private'))
@pytest.mark.parametrize('umask', [0o022, 0o027])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path, umask):
    before = os.umask(umask)
    try: write(tmp_path/'new', b'new')
    finally: os.umask(before)
    assert stat.S_IMODE((tmp_path/'new').stat().st_mode)==0o666 & ~umask


@pytest.mark.fault(52, without=sure('if old: _make_alike(f, old)', 'if old: os.fchmod(f.fileno(), old.st_mode & 0o777)'))
def test_root_writes_for_the_owner(tmp_path):
    if os.geteuid(): pytest.skip('only root can write for somebody else')
    path = tmp_path/'grades.csv'
    path.write_bytes(b'old')
    os.chown(path, 1234, 2345)
    path.chmod(0o640)
    write(path, b'new')
    s = path.stat()
    assert (s.st_uid, s.st_gid, stat.S_IMODE(s.st_mode))==(1234, 2345, 0o640)


@pytest.mark.fault(53, without=sure('Path(os.path.realpath(path)) if path.is_symlink() else path', 'path'))
@pytest.mark.parametrize('target', ['elsewhere/model', 'elsewhere/not yet', 'link to a link'])
def test_a_symlink_is_followed(tmp_path, target):
    (tmp_path/'elsewhere').mkdir()
    (tmp_path/'elsewhere'/'model').write_bytes(b'old')
    (tmp_path/'link to a link').symlink_to('elsewhere/model')
    (tmp_path/'link').symlink_to(target)
    write(tmp_path/'link', b'new')
    assert os.readlink(tmp_path/'link')==target and (tmp_path/target).read_bytes()==b'new'
    assert (tmp_path/'link to a link').is_symlink()


@pytest.mark.fault(53, without=sure('except OSError as e:', 'except ZeroDivisionError as e:'))
@pytest.mark.parametrize('target', ['gone/model', 'link'])
def test_a_symlink_into_nowhere_is_refused_in_a_sentence(tmp_path, target):
    (tmp_path/'link').symlink_to(target)
    with pytest.raises(OSError, match='not saved, what was there is unchanged: ') as e: write(tmp_path/'link', b'new')
    assert e.value.filename==str(tmp_path/'link') and os.readlink(tmp_path/'link')==target and len(list(tmp_path.iterdir()))==1


replaced = sure('if (old := _stat(path)) and not stat.S_ISREG(old.st_mode): return _write_plainly(path, data, old.st_mode)', 'old = None')

@pytest.mark.fault(54, without=replaced)
def test_a_device_is_written_to_and_never_replaced(tmp_path):
    node = tmp_path/'null'
    try: os.mknod(node, stat.S_IFCHR | 0o666, os.makedev(1, 3))    # a second /dev/null
    except PermissionError: node = Path(os.devnull) if os.geteuid() else pytest.skip('no device can be made here')
    before = os.stat(node)
    write(node, b'gone')
    assert stat.S_ISCHR(os.stat(node).st_mode) and os.stat(node).st_ino==before.st_ino


@pytest.mark.fault(54, without=replaced)
def test_a_pipe_that_is_read_gets_the_bytes_and_one_that_is_not_is_refused(tmp_path):
    pipe, much = tmp_path/'pipe', b'x'*1_000_000    # more than a pipe holds
    os.mkfifo(pipe)
    with pytest.raises(OSError, match='it is a pipe that nobody reads; name a file'): write(pipe, much)
    reader = fork(lambda: (tmp_path/'got').write_bytes(pipe.open('rb').read()))
    end = time.monotonic()+60
    while time.monotonic()<end:
        with suppress(OSError):
            write(pipe, much)
            break
        time.sleep(.01)
    os.waitpid(reader, 0)
    assert (tmp_path/'got').read_bytes()==much and stat.S_ISFIFO(os.stat(pipe).st_mode)


@pytest.mark.fault(54, without=replaced)
def test_a_folder_or_a_socket_is_refused_in_a_sentence(tmp_path):
    import socket
    (tmp_path/'folder').mkdir()
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(tmp_path/'socket'))
        for name in ('folder', 'socket'):
            with pytest.raises(OSError, match=f'it is a {name}; name a file'): write(tmp_path/name, b'x')
    assert sorted(p.name for p in tmp_path.iterdir())==['folder', 'socket']


@pytest.mark.fault(55, without=renamed)
def test_a_notebook_that_is_reset_and_a_table_of_grades_stay_private(tmp_path):
    from mnist_course.classroom.copies import reset_exercise, start_course
    from mnist_course.core.files import find_lessons
    from mnist_course.tools.ladder import write_csv
    shutil.copytree(find_lessons()[0], tmp_path/'lessons', ignore=lambda d, names: [n for n in names if not n.startswith('03')])
    folder = tmp_path/'mine'
    start_course(folder, lessons=tmp_path/'lessons')
    book, grades = folder/'03_loss.ipynb', tmp_path/'grades.csv'
    book.chmod(0o600)
    reset_exercise(folder, '03.2', tmp_path/'lessons')
    grades.write_text('learner\n')
    grades.chmod(0o600)
    write(grades, b'learner\nada\n')
    write_csv([], grades)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (book, grades)]==[0o600, 0o600]


# Out of room

@pytest.mark.fault(56, without={'mnist_course.persist.write_atomic': 'lambda path, data: Path(path).write_bytes(data)'})
def test_a_disk_that_is_full_at_any_of_20_moments_keeps_the_last_whole_checkpoint(tmp_path, tiny, monkeypatch):
    "Each time a little more room is left, so that the disk is full at another point of the run"
    monkeypatch.setattr('mnist_course.persist.worst_errors', lambda *args: [])    # to draw them takes longer than all the rest
    ends = []
    for i in range(20):
        with disk(tmp_path/f'disk{i}', 'size=4m') as full:
            (full/'fill').write_bytes(bytes(4*2**20 - 40_000 - i*120_000))
            code, out, err = run_command(*TINY, '--epochs', 2, '--out', full/'run', '--log', full/'log')
            said = [line for line in err.splitlines() if line.startswith('mnist_course:') and 'training goes on without it' not in line]
            last = full/'run'/'last.safetensors'
            ends.append((code, read_tensors(last, 'checkpoint')[1]['epoch'] if last.exists() else 0))
            if code: assert code==2 and len(said)==1 and 'No space left on device' in said[0] and 'Traceback' not in err, err
            else: assert said==[] and ends[-1]==(0, 2), err
            assert not list(full.rglob('*.part')) and not list(full.rglob('.lock'))
    assert {code for code,_ in ends}=={0, 2} and len(set(ends))>2, ends


# A run of minutes, killed ten times

def train_best_here(folder, result):
    "Two members of 70 batches each, in passes of six and fewer; the clock counts batches"
    class Clock(Callback):
        def now(self): return len(self.learn.recorder.losses)
    torch.set_num_threads(1)
    torch.manual_seed(os.getpid())
    dice, clock = torch.Generator().manual_seed(1), Clock()
    def digits(n): return Digits(torch.randint(0, 256, (n,28,28), dtype=torch.uint8, generator=dice), torch.arange(n)%10)
    run = train_best(140/60, data=(digits(60), digits(50)), layers=partial(best_net, 4), bs=10, members=2, cbs=clock, clock=clock.now, folder=folder)
    result.write_bytes(b''.join(t.numpy().tobytes() for t in run.learn.model.state_dict().values())
                       + json.dumps([run.learn.recorder.losses, run.accuracy]).encode())

def passes(folder): return sum(int(p.stem.rpartition('pass')[2]) for p in folder.glob('*-pass*.safetensors'))


@pytest.fixture(scope='module')
def undisturbed(tmp_path_factory):
    file = tmp_path_factory.mktemp('whole')/'whole'
    assert os.waitpid(fork(lambda: train_best_here(None, file)), 0)[1]==0
    return file.read_bytes()


@pytest.mark.fault(57, without={'mnist_course.persist.lay_out': 'lambda opt: None'})
def test_train_best_killed_ten_times_ends_bit_for_bit_as_an_undisturbed_one(tmp_path, undisturbed):
    dice, folder = random.Random(0), tmp_path/'kept'
    for _ in range(10):
        due, looks = passes(folder)+1, dice.randrange(5)
        def ready(due=due):
            nonlocal looks
            looks -= passes(folder)>=due
            return looks<0
        assert kill_when(fork(lambda: train_best_here(folder, tmp_path/'early')), ready)==-signal.SIGKILL
    last = fork(lambda: train_best_here(folder, tmp_path/'resumed'))
    assert os.waitpid(last, 0)[1]==0 and not (tmp_path/'early').exists()
    assert (tmp_path/'resumed').read_bytes()==undisturbed


@pytest.mark.fault(63, without={'mnist_course.convnet.held': '__import__("contextlib").nullcontext'})
def test_two_runs_lose_no_row_of_a_table(tmp_path, monkeypatch):
    from mnist_course import convnet
    def slow(*args, **kwargs):
        (tmp_path/'begun').touch()
        time.sleep(100)
    monkeypatch.setattr(convnet, 'train_best', slow)
    path = tmp_path/'runs.csv'
    first = fork(lambda: convnet.best_runs(path, 5, [0], 1))
    end = time.monotonic()+60
    while not (tmp_path/'begun').exists() and time.monotonic()<end: time.sleep(.01)
    monkeypatch.setattr(convnet, 'train_best', lambda *args, **kwargs: pytest.fail('it has begun'))
    try:
        with pytest.raises(OSError, match='another run writes to .*runs.csv'): convnet.best_runs(path, 5, [1], 1)
    finally: kill_when(first, lambda: True)
    with pytest.raises(pytest.fail.Exception): convnet.best_runs(path, 5, [1], 1)    # now it may


# Interrupted

def adopt():
    "From now on, whoever loses its parent below us is our child"
    import ctypes
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)

def children(): return {int(n) for f in Path('/proc/self/task').glob('*/children') for n in f.read_text().split()}

def listens(pid):
    "Does a process catch SIGTERM?"
    try: caught = next(line for line in Path(f'/proc/{pid}/status').read_text().splitlines() if line.startswith('SigCgt:'))
    except (OSError, StopIteration): return True
    return bool(int(caught.split()[1], 16) >> signal.SIGTERM-1 & 1)

def begin_fork(args, cwd):
    "A command in a fork, which has imported all that we have"
    (cwd/'tmp').mkdir(exist_ok=True)
    pid = os.fork()
    if pid: return pid
    code = 99
    try:
        os.setsid()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)    # it is pytest's
        signal.signal(signal.SIGINT, signal.default_int_handler)    # a shell lets what it starts in the background ignore it
        os.chdir(cwd)
        tempfile.tempdir = str(cwd/'tmp')
        for n,name in enumerate(('out','err'), 1): os.dup2(os.open(cwd/name, os.O_WRONLY|os.O_CREAT|os.O_TRUNC), n)
        sys.stdin, sys.stdout, sys.stderr = open(os.devnull), os.fdopen(1, 'w', closefd=False), os.fdopen(2, 'w', closefd=False)
        call = cli_app._call
        def begun(*given):
            (cwd/'tmp'/'begun').touch()
            return call(*given)
        cli_app._call = begun
        cli.main(list(map(str, args)))
    except SystemExit as e: code = e.code
    except BaseException: traceback.print_exc()
    finally:
        with suppress(Exception): sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)

def begin_process(args, cwd):
    "A command as from a terminal"
    env = os.environ | dict(TMPDIR=str(cwd/'tmp'))
    (cwd/'tmp').mkdir(exist_ok=True)
    with open(cwd/'out', 'w') as out, open(cwd/'err', 'w') as err:
        p = subprocess.Popen([sys.executable, '-c', RUN, *map(str, args)], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    p.returncode = 0    # we wait for it ourselves
    return p.pid

def ended_within(pid, seconds):
    "How a child ended; one that does not is killed, and nothing stays behind"
    end = time.monotonic()+seconds
    while not (done := os.waitpid(pid, os.WNOHANG))[0]:
        if time.monotonic()>end:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
        time.sleep(.005)
    return os.waitstatus_to_exitcode(done[1])

def interrupt(args, cwd, sig, delay, real=False):
    "Begin a command, interrupt it after so many seconds, and see what is left: its exit code and what it said"
    adopt()
    before = children()
    pid = (begin_process if real else begin_fork)(args, cwd)
    end, begun = time.monotonic()+60, cwd/'tmp'/'begun'
    while not (listens(pid) if real else begun.exists()) and time.monotonic()<end: time.sleep(.002)
    begun.unlink(missing_ok=True)
    time.sleep(delay)
    with suppress(ProcessLookupError): os.kill(pid, sig)
    code, end = ended_within(pid, 60), time.monotonic()+10
    while (left := children()-before) and time.monotonic()<end:
        for n in left:
            with suppress(ChildProcessError): os.waitpid(n, os.WNOHANG)
        time.sleep(.02)
    for n in left: os.kill(n, signal.SIGKILL)
    return code, (cwd/'err').read_text(), left

def are_whole(folder):
    "A file that is neither what it was nor what it was to be fails here"
    for p in (p for p in folder.rglob('*') if p.is_file()):
        assert not p.name.endswith('.part') and (p.name!='.lock' or 'feedback' in p.parent.name), p
        if p.suffix=='.ipynb': assert json.loads(p.read_text())['cells'], p
        if p.suffix=='.json': json.loads(p.read_text())
        if p.suffix=='.safetensors': read_tensors(p)
        if p.suffix in ('.csv','.html','.png'): assert p.stat().st_size, p
        if p.suffix=='.html' and p.parent==folder: assert p.read_text().rstrip().endswith('</html>'), p

@pytest.fixture(scope='module')
def copies(tmp_path_factory):
    "A learner's copy of two lessons, and a class of two learners"
    from mnist_course.classroom.copies import start_course
    from mnist_course.core.files import find_lessons
    tmp = tmp_path_factory.mktemp('copies')
    shutil.copytree(find_lessons()[0], tmp/'lessons', ignore=lambda d, names: [n for n in names if n[:2] not in ('00','03')])
    start_course(tmp/'mine', lessons=tmp/'lessons')
    for p in (tmp/'mine').glob('*.ipynb'):    # the answers of the lesson itself: there is something to judge
        shutil.copy(tmp/'lessons'/p.name, p)
    for name in ('ada','zoe'): shutil.copytree(tmp/'mine', tmp/'class'/name)
    return tmp

# Command, about how long it takes (s), and what it says is kept
COMMANDS = {
    'train': ([*TINY, '--epochs', '100000', '--out', 'run', '--log', 'log'], 1.5, r'Kept: run/last\.safetensors\. The same with --resume goes on\.|Nothing is kept yet\.'),
    'ladder': (['ladder', '--rungs', 'simple-net,softmax-regression', '--out', 'ladder'], 2., r'Nothing is kept: the table is written at the end\.'),
    'bench': (['bench', 'loader', '--reps', '1000'], 1., r'Nothing is kept: the figures are printed at the end\.'),
    'start': (['start', 'lessons'], 1.5, r'Kept: \d+ new notebooks in lessons\. The same command writes the rest\.'),
    'check': (['check', 'mine'], 2., r'Nothing is kept of this check: what is done is remembered at its end\.'),
    'grade': (['grade', 'class', '--no-isolate'], 2., r'Kept: grades\.csv, with all that was graded\. The same command goes on\.|Nothing is graded yet\.'),
    'draw': (['draw', '--no-browser'], 1., r'No file is left half-written\.'),
}
OVER = {'check': 1}    # what a command that nobody interrupts ends with, where it isn't 0: not all exercises are done
ENDS = {signal.SIGINT: (130, 'mnist_course: interrupted'), signal.SIGTERM: (143, 'mnist_course: ended by SIGTERM')}

def interrupt_at_random(name, sig, tmp_path, copies, moments, real=False):
    "So many moments of a command; how many hit it"
    args, seconds, says = COMMANDS[name]
    dice, hits = random.Random(f'{name} {sig}'), 0
    for i in range(moments):
        cwd = tmp_path/str(i)
        cwd.mkdir()
        for part in ('mine','class'):
            if part in args: shutil.copytree(copies/part, cwd/part)
        delay = dice.uniform(0, seconds*(4 if real else 1))*(i>0)    # at once, and somewhere in the run
        code, err, left = interrupt(args, cwd, sig, delay, real)
        due, last = ENDS[sig]
        assert code in (due, OVER.get(name, 0)) and not left and 'Traceback' not in err and not any(word in err for word in ('Exception ignored', 'a fault of mnist_course')), (code, left, err)
        if code==due:
            said = [line for line in err.splitlines() if line.strip()]
            assert said[-1:]==[last] and re.fullmatch(f'{says}|No file is left half-written.', said[-2]), (code, err, (cwd/'out').read_text(), shutil.disk_usage(cwd))
            hits += 1
        are_whole(cwd)
        assert not list((cwd/'tmp').iterdir()), list((cwd/'tmp').iterdir())
        shutil.rmtree(cwd)
    print(f'{name}, {sig.name}: {hits} of {moments} moments in the middle of the run')
    return hits


@pytest.mark.fault(58, 59, without={'mnist_course.tools.cli_app.Ending.begin': 'lambda self: None'})
@pytest.mark.parametrize('name', COMMANDS)
def test_a_command_that_is_interrupted_ends_in_order(tmp_path, tiny, copies, name):
    for sig in (signal.SIGTERM, signal.SIGINT):
        (tmp_path/sig.name).mkdir()
        assert interrupt_at_random(name, sig, tmp_path/sig.name, copies, 2)


@pytest.mark.skipif(not MOMENTS, reason='MOMENTS=50 tries so many moments of each command, in processes of their own')
@pytest.mark.timeout(3600)
@pytest.mark.parametrize('name', COMMANDS)
@pytest.mark.parametrize('sig', ENDS)
def test_any_moment(tmp_path, copies, name, sig): assert interrupt_at_random(name, sig, tmp_path, copies, MOMENTS, real=True)>0


def mutant_ending(patch):
    def again(self, signum, frame): raise KeyboardInterrupt
    patch.setattr(cli_app.Ending, '_again', again)

@contextlib.contextmanager
def listening():
    "An `Ending` that has the signals to itself"
    ending, alarm = cli_app.Ending(), signal.signal(signal.SIGALRM, signal.SIG_DFL)
    ending.begin()
    try: yield ending
    finally:
        ending.close()
        ending.restore()
        signal.signal(signal.SIGALRM, alarm)

class Tidy:
    def __del__(self): os.kill(os.getpid(), signal.SIGTERM)

def caught():
    with suppress(KeyboardInterrupt): os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.fault(60, without={'mnist_course.tools.cli_app.Ending._remind': 'lambda self, seconds: None'})
@pytest.mark.parametrize('lose', [Tidy, caught])
def test_an_interrupt_that_python_or_a_library_drops_comes_again(lose):
    with listening() as ending:
        with pytest.raises(KeyboardInterrupt):
            lose()
            for _ in range(200): time.sleep(.01)
    assert ending.code==143


@pytest.mark.fault(60, without=mutant_ending)
def test_an_interrupt_that_is_on_its_way_disturbs_no_tidying_up():
    tidied = 0
    with listening():
        with pytest.raises(KeyboardInterrupt):
            try: os.kill(os.getpid(), signal.SIGTERM)
            finally:
                for _ in range(80):
                    time.sleep(.01)
                    tidied += 1
    assert tidied==80


@pytest.mark.fault(60, without=mutant_ending)
def test_an_interrupt_that_is_on_its_way_disturbs_no_callback_that_tidies_up():
    tidied = []
    def slowly():
        for _ in range(80): time.sleep(.01)
        tidied.append('slowly')
    with listening():
        with pytest.raises(KeyboardInterrupt) as raised:
            with in_any_case([slowly, slowly]): os.kill(os.getpid(), signal.SIGTERM)
    assert tidied==['slowly']*2 and not hasattr(raised.value, '__notes__')


@pytest.mark.fault(61, without={'mnist_course.tools.cli_train.kept': 'lambda what: __import__("contextlib").nullcontext()'})
@pytest.mark.parametrize('epochs', [1, 3])
def test_what_is_said_to_be_kept_is_there(tmp_path, tiny, monkeypatch, epochs):
    from mnist_course import persist
    left, save = epochs, persist.save_checkpoint
    def stop(*args):
        nonlocal left
        left -= 1
        if not left: os.kill(os.getpid(), signal.SIGTERM)
        save(*args)
    monkeypatch.setattr(persist, 'save_checkpoint', stop)
    code, out, err = run_command(*TINY, '--epochs', 5, '--out', tmp_path/'run')
    assert code==143 and err.splitlines()[-1]=='mnist_course: ended by SIGTERM'
    last = tmp_path/'run'/'last.safetensors'
    if epochs==1: assert err.splitlines()[-2]=='Nothing is kept yet.' and not last.exists()
    else: assert err.splitlines()[-2]==f'Kept: {last}. The same with --resume goes on.' and read_tensors(last)[1]['epoch']==epochs-1


@pytest.mark.fault(62, without={'mnist_course.tools.cli_app._call': 'lambda args, ending: 1'})
def test_an_interrupt_that_a_library_turns_into_an_error_is_still_one(monkeypatch):
    def wrapped():
        try: os.kill(os.getpid(), signal.SIGTERM)
        except BaseException: raise ImportError('numpy cannot be imported') from None
    cli_app.app.command('wrapped', hidden=True)(wrapped)
    try: assert cli_app.run_command('wrapped')==(143, '', 'No file is left half-written.\nmnist_course: ended by SIGTERM\n')
    finally: cli_app.app.registered_commands.pop()


def to_todays_stderr(patch):
    patch.setattr(cli_app.Ending, 'err', property(lambda self: sys.stderr, lambda self, stream: None), raising=False)

@pytest.mark.fault(62, without=to_todays_stderr)
def test_an_interrupt_tells_on_the_stderr_that_was_there_at_the_beginning(monkeypatch):
    def redirected():
        monkeypatch.setattr(sys, 'stderr', io.StringIO())    # as a library's, whose `with` the interrupt never leaves
        os.kill(os.getpid(), signal.SIGTERM)
    cli_app.app.command('redirected', hidden=True)(redirected)
    try: assert cli_app.run_command('redirected')==(143, '', 'No file is left half-written.\nmnist_course: ended by SIGTERM\n')
    finally: cli_app.app.registered_commands.pop()


class NotWritable(io.StringIO):
    "As a stream is once its `reconfigure` was interrupted: its encoder is gone"
    def write(self, text): raise io.UnsupportedOperation('not writable')

@pytest.mark.fault(62, without={'mnist_course.tools.cli_app.os.write': 'lambda fd, data: len(data)'})
def test_an_interrupt_tells_where_the_stream_no_longer_writes(monkeypatch, capfd):
    def ended(): os.kill(os.getpid(), signal.SIGTERM)
    cli_app.app.command('ended', hidden=True)(ended)
    monkeypatch.setattr(sys, 'stderr', NotWritable())
    try:
        with pytest.raises(SystemExit): cli_app.main(['ended'])
    finally: cli_app.app.registered_commands.pop()
    assert capfd.readouterr().err.endswith('No file is left half-written.\nmnist_course: ended by SIGTERM\n')
