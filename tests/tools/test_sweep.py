"A sweep by several processes, some of them killed: no finished trial is lost or done twice, and the test pictures stay shut"
import json, os, signal, subprocess, sys, time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import pytest
import torch
from idx_files import idx

optuna = pytest.importorskip('optuna', reason='optuna is not installed')

from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage
from optuna.trial import TrialState

from mnist_course.core.without import how_to_install
from mnist_course.data import Digits, load_mnist
from mnist_course.recipes import get_recipe, train_recipe
from mnist_course.tools import sweep
from mnist_course.tools.cli import main  # noqa: F401  all commands are known now
from mnist_course.tools.cli_app import run_command
from mnist_course.tools.sweep import DONE, MendingLock, Sweep, Watch, open_journal, open_study, run_sweep, run_trial, take_trial

FEW = replace(get_recipe('mlp-64-64'), n_epoch=2)
SETTINGS = ['sweep', 'mlp-64-64', '--epochs', 2, '--valid', 300, '--search', 'lr']

# A worker that stops in its first trial from number `n` on, until a file is there ('wait'), or for good ('hang')
SLOW = '''
import sys, time
from pathlib import Path
from mnist_course.tools import sweep
from mnist_course.tools.cli import main
(how, n, marker), real = sys.argv[1:4], sweep.ReportCallback.after_epoch
def slow(self):
    real(self)
    if self.trial.number<int(n): return
    if how=='hang':
        Path(marker).touch()
        time.sleep(600)
    while not Path(marker).exists(): time.sleep(.02)
sweep.ReportCallback.after_epoch = slow
main(sys.argv[4:])
'''


@pytest.fixture(scope='module')
def pictures(): return load_mnist()[0][:600]


@pytest.fixture(scope='module')
def data(pictures, tmp_path_factory):
    "A data set of which only the training files can be read"
    folder = tmp_path_factory.mktemp('data')
    for kind,t in (('images-idx3', pictures.images), ('labels-idx1', pictures.labels.byte())):
        (folder/f'train-{kind}-ubyte').write_bytes(idx(t.numpy()))
        (folder/f't10k-{kind}-ubyte').write_bytes(b'these are no pictures')
    return folder


@pytest.fixture
def job(pictures, tmp_path): return Sweep(FEW, pictures, tmp_path/'study', 300, dict(lr=(.001/32, .032)))


def start(*args): return subprocess.Popen([sys.executable, '-c', SLOW, *map(str, args)], stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path, p):
    end = time.monotonic()+120
    while not path.exists() and p.poll() is None and time.monotonic()<end: time.sleep(.02)
    assert path.exists(), p.communicate()


def trials(file): return optuna.load_study(storage=open_journal(file), study_name='sweep').trials
def finished(file): return {t.number: (t.params, t.value, t.intermediate_values) for t in trials(file) if t.state in DONE}


def test_two_workers_and_one_is_killed(data, tmp_path):
    file, hung = tmp_path/'study', tmp_path/'hung'
    line = [*SETTINGS, '--data', data, '--study', file, '--trials', 8, '--json']
    doomed, other = start('hang', 2, hung, *line), start('wait', 3, hung, *line)
    wait_for(hung, doomed)
    before, (held,) = finished(file), [t for t in trials(file) if t.state==TrialState.RUNNING and t.user_attrs['worker'].endswith(f':{doomed.pid}')]
    assert before
    doomed.kill()
    doomed.communicate()
    out, err = other.communicate(timeout=120)
    assert other.returncode==0, err
    after, told = finished(file), json.loads(out)
    assert {n: after[n] for n in before}==before                                                     # none is lost
    assert len(after)==8 and len({str(params) for params,*_ in after.values()})==8                   # nor done twice
    assert [t.number for t in trials(file) if t.state==TrialState.FAIL]==[held.number]
    again, = [t for t in trials(file) if t.user_attrs.get('again')==held.number]
    assert again.state in DONE and again.params==held.params
    assert len(told['trials'])==9 and told['own_trial']['settings']==dict(lr=.001) and told['best']['accuracy']>=told['own_trial']['accuracy']


def test_killed_alone_and_started_again(data, job, tmp_path):
    "In the middle of a line, at that"
    worker = start('hang', 2, tmp_path/'hung', *SETTINGS, '--data', data, '--study', job.file, '--trials', 4)
    wait_for(tmp_path/'hung', worker)
    worker.kill()
    worker.communicate()
    before = finished(job.file)
    with open(job.file, 'ab') as f: f.write(b'{"op_code":6,"worker_id":"e1b2')
    run_sweep(job, 4)
    after = finished(job.file)
    assert len(before)==2 and len(after)==4 and {n: after[n] for n in before}==before
    assert [t.state.name for t in trials(job.file)]==['COMPLETE', 'COMPLETE', 'FAIL', *[t.state.name for t in trials(job.file)[3:]]]
    assert trials(job.file)[3].params==trials(job.file)[2].params                                    # the lost one comes first
    alone = run_sweep(replace(job, file=tmp_path/'alone'), 3)                                         # and an undisturbed worker tries the same
    assert [t.params for t in alone.trials]==[t.params for t in trials(job.file)[:3]]


def test_half_a_line_would_cost_all_that_follows(job):
    "The control of the test before: with Optuna's own lock, the next line is glued to it"
    run_sweep(job, 1)
    whole = job.file.read_bytes()
    def load(lock):
        job.file.write_bytes(whole+b'{"op_code":6,"wor')
        storage = JournalStorage(JournalFileBackend(str(job.file), lock_obj=lock(str(job.file))))
        return optuna.load_study(storage=storage, study_name='sweep')
    with pytest.raises((ValueError, AttributeError)): load(JournalFileOpenLock).ask()                 # it misses its own trial already
    study = load(MendingLock)
    study.ask()
    assert [t.state.name for t in study.trials]==['COMPLETE', 'RUNNING']
    assert [t.state.name for t in trials(job.file)]==['COMPLETE', 'RUNNING']


def test_ctrl_c_keeps_what_is_finished(data, job, monkeypatch):
    real = sweep.ReportCallback.after_epoch
    def pressed(self): return real(self) if self.trial.number<1 else signal.raise_signal(signal.SIGINT)
    monkeypatch.setattr(sweep.ReportCallback, 'after_epoch', pressed)
    code, out, err = run_command(*SETTINGS, '--data', data, '--study', job.file, '--trials', 3)
    assert (code, out)==(130, '') and err.splitlines()[0]==f'Kept: 1 finished trial in {job.file}. The same command goes on.'
    assert [t.state.name for t in trials(job.file)]==['COMPLETE', 'FAIL', 'WAITING']
    study = open_study(job)
    assert take_trial(study, job, 3, Watch())[1]==study.trials[1].params and study.trials[2].user_attrs['tries']==0


def test_a_worker_of_another_machine_is_missed_after_its_patience(job):
    study = open_study(job)
    trial, settings = take_trial(study, job, 1, Watch())
    trial.set_user_attr('who', ['another machine', 1, '5'])
    patient, hasty = Watch(), Watch(patience=-1)
    assert take_trial(study, job, 1, patient)=='wait'
    other, same = take_trial(study, job, 1, hasty)
    assert same==settings and other.user_attrs['again']==0 and other.user_attrs['own']
    assert run_trial(study, job, trial, settings).state==TrialState.FAIL                             # it was alive after all: what it has comes too late
    assert run_trial(study, job, other, same).state==TrialState.COMPLETE
    assert len(finished(job.file))==1


@pytest.mark.parametrize('locked', [True, False])
def test_the_last_trial_is_taken_once(job, monkeypatch, locked):
    "And without the lock, two workers that ask at the same moment would both get one"
    open_study(job)
    if not locked: monkeypatch.setattr(sweep, 'one_at_a_time', nullcontext)
    both, real = Barrier(2), optuna.study.Study.ask
    def ask(self):
        if not locked: both.wait()
        return real(self)
    monkeypatch.setattr(optuna.study.Study, 'ask', ask)
    with ThreadPoolExecutor(2) as pool: got = list(pool.map(lambda _: take_trial(open_study(job), job, 1, Watch()), range(2)))
    assert sum(g!='wait' for g in got)==(1 if locked else 2)


@pytest.mark.parametrize('guarded', [True, False])
def test_a_hopeless_rate_is_cut(job, monkeypatch, guarded):
    "And without Optuna's word for it, the trial would go on to its end"
    if not guarded: monkeypatch.setattr(optuna.trial.Trial, 'should_prune', lambda self: False)
    study = open_study(job)
    for lr in (.002, .003, job.space['lr'][0]): study.enqueue_trial(dict(lr=lr))
    run_sweep(job, 4)
    *good, hopeless = trials(job.file)
    assert {t.state for t in good}=={TrialState.COMPLETE} and all(len(t.intermediate_values)==2 for t in good)
    assert hopeless.params['lr']==job.space['lr'][0]
    assert (hopeless.state, len(hopeless.intermediate_values))==((TrialState.PRUNED, 1) if guarded else (TrialState.COMPLETE, 2))


def test_the_recipes_own_trial_is_never_cut(job, monkeypatch):
    monkeypatch.setattr(optuna.trial.Trial, 'should_prune', lambda self: True)
    run_sweep(job, 2)
    assert [t.state.name for t in trials(job.file)]==['COMPLETE', 'PRUNED']


def test_the_test_pictures_are_never_read(data, pictures, job, tmp_path, monkeypatch):
    "Garbage in their place, or nothing, or a `load_mnist` that fails: all the same. Used, such pictures would show"
    def told(out): return [(t['settings'], t['reported']) for t in json.loads(out)['trials']]
    code, out, err = run_command(*SETTINGS, '--data', data, '--study', tmp_path/'with', '--trials', 2, '--json')
    assert code==0, err
    bare = tmp_path/'bare'
    bare.mkdir()
    for file in data.glob('train-*'): (bare/file.name).write_bytes(file.read_bytes())
    assert told(run_command(*SETTINGS, '--data', bare, '--study', tmp_path/'without', '--trials', 2, '--json')[1])==told(out)
    opened = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event=='open' else None)
    def fail(): raise AssertionError('the test pictures were asked for')
    for module in (sys.modules['mnist_course.data'], sys.modules['mnist_course.recipes']): monkeypatch.setattr(module, 'load_mnist', fail)
    assert len(sweep.training_pictures())==60_000
    run_sweep(job, 1)
    assert [f for f in opened if 'train-images' in f] and not [f for f in opened if 't10k' in f]
    nowhere = Digits(torch.full((50,28,28), torch.nan), torch.zeros(50, dtype=torch.long))
    asked = train_recipe(FEW, data=(pictures, nowhere), bar=False)
    assert asked.loss!=asked.loss                                                                    # nan: had it looked, we would know


@pytest.mark.parametrize('what, said', [
    ('notes',    'is not a study of Optuna: name another file with --study'),
    ('one line', 'is not a study of Optuna'),
    ('damaged',  'is damaged'),
    ('foreign',  'is a study of another program'),
    ('folder',   'is a folder: name a file'),
    ('nowhere',  'there is no folder'),
    ('recipe',   "is a sweep with other settings (recipe: 'mlp-490' there, 'mlp-64-64' here)"),
    ('pictures', 'is a sweep with other settings (pictures: '),
])
def test_a_study_that_cannot_be_gone_on_with_is_refused_and_left_alone(data, job, tmp_path, what, said):
    file = tmp_path/'study'
    if what=='notes': file.write_text('milk\nbread')
    if what=='one line': file.write_text('{"milk": 1}')
    if what=='damaged': file.write_text('{"op_code":0,"worker_id":"a","study_name":"sweep","directions":[2]}\n{"op_code":4,\n{"op_code":4}\n')
    if what=='foreign': optuna.create_study(storage=JournalStorage(JournalFileBackend(str(file))), study_name='tea')
    if what=='folder': file.mkdir()
    if what=='nowhere': file = tmp_path/'no'/'study'
    if what=='recipe': open_study(replace(job, recipe=replace(get_recipe('mlp-490'), n_epoch=2)))
    if what=='pictures': open_study(replace(job, digits=job.digits[1:]))
    before = file.read_bytes() if file.is_file() else None
    code, out, err = run_command(*SETTINGS, '--data', data, '--study', file)
    assert (code, out, err.count('\n'))==(2, '', 1) and said in err and str(file) in err, err
    assert (file.read_bytes() if file.is_file() else None)==before
    assert not list(tmp_path.glob('*.lock'))


@pytest.mark.parametrize('args, said', [
    ('sweep mlp-64 --trials 2', "unknown recipe 'mlp-64': did you mean mlp-64-64?"),
    ('sweep mlp-64-64 --trials 0', "'0' is too few; give 1 or more"),
    ('sweep mlp-64-64 --trials few', "'few' is not a whole number"),
    ('sweep mlp-64-64 --search mom', "mlp-64-64 has no setting 'mom': choose from lr, bs"),
    ('sweep mlp-64-64 --search ,', "has no setting ''"),
    ('sweep mlp-64-64 --valid 60000', '--valid 60000 leaves nothing to train on'),
    ('sweep mlp-64-64 --valid 59990', 'more than the 10 pictures'),
    ('sweep mlp-64-64 --plot a.svg', '--plot a.svg: expected a name that ends in .png'),
    ('sweep mlp-64-64 --seed -1', 'seed -1 is out of range'),
    ('sweep random-256', 'random-256 is never trained'),
])
def test_bad_input_is_one_line_and_code_2(tmp_path, monkeypatch, args, said):
    monkeypatch.chdir(tmp_path)
    code, out, err = run_command(*args.split())
    assert (code, out, err.count('\n'))==(2, '', 1) and said in err, err
    assert not list(tmp_path.iterdir())


def test_without_optuna_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, 'optuna', None)
    said = f"mnist_course: sweep needs optuna, which is not installed: {how_to_install('cluster')}\n"
    assert run_command('sweep', 'mlp-490')==(2, '', said) and not list(tmp_path.iterdir())


def test_no_other_module_loads_optuna():
    root = Path(sweep.__file__).parent.parent
    named = {p.relative_to(root).as_posix() for p in root.rglob('*.py') if 'optuna' in p.read_text(encoding='utf-8')}
    assert named-{'_modidx.py'}=={'tools/sweep.py', 'tools/cli_sweep.py'}


@pytest.mark.parametrize('left', ['file', 'dead', 'link'])
def test_a_lock_that_a_dead_worker_left_is_taken_away(tmp_path, left, monkeypatch):
    "A limit of pytest would end a wait without end"
    study, lock = tmp_path/'s.journal', tmp_path/'s.journal.lock'
    if left=='link': lock.symlink_to('nowhere')
    else: lock.write_text(json.dumps([sweep.identity()[0], 2**22+1, '5']) if left=='dead' else '')
    if left!='dead': monkeypatch.setattr(sweep.OwnedLock.__init__, '__defaults__', (1,))    # seconds, for one of whom we know nothing
    open_journal(study)
    assert study.exists() and not lock.is_symlink() and not lock.exists()


def test_the_lock_of_one_who_lives_is_respected(tmp_path):
    lock = sweep.OwnedLock(tmp_path/'s')
    lock.acquire()
    other, took = sweep.OwnedLock(tmp_path/'s', 60), []
    thread = Thread(target=lambda: took.append(other.acquire()))
    thread.start()
    thread.join(1)
    assert not took
    lock.release()
    thread.join()
    assert took==[True]


OWNER = '''import sys
from mnist_course.tools.sweep import OwnedLock
lock = OwnedLock(sys.argv[1], 60)
lock.acquire()
print(lock.lock.stat().st_ino, flush=True)
sys.stdin.readline()
lock.release()'''

@pytest.mark.parametrize('lives', [True, False])
def test_a_lock_is_taken_from_the_dead_and_from_nobody_who_lives(tmp_path, lives):
    "A limit of pytest would end a wait without end"
    with subprocess.Popen([sys.executable, '-c', OWNER, str(tmp_path/'s')], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        theirs, other, took = int(owner.stdout.readline()), sweep.OwnedLock(tmp_path/'s', .2), []
        if not lives: owner.kill()
        thread = Thread(target=lambda: took.append(other.acquire()))
        thread.start()
        thread.join(2 if lives else 60)
        if lives:
            assert not took and other.lock.stat().st_ino==theirs
            print(file=owner.stdin, flush=True)
        thread.join(60)
        assert took==[True] and owner.wait()==(0 if lives else -9)    # whoever lost it would have ended with an error
    other.release()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('alive', [None, True])
def test_who_has_lost_a_lock_leaves_the_next_owners_alone(tmp_path, monkeypatch, alive):
    "To one elsewhere, of whom we know nothing, or to its own thread, which a call that was interrupted has left waiting for itself"
    first, second, third = (sweep.OwnedLock(tmp_path/'s', n) for n in (60, .1, 60))
    monkeypatch.setattr(sweep, 'is_alive', lambda who: alive)
    first.acquire(); second.acquire()
    with pytest.raises(RuntimeError, match='s.lock is gone'): first.release()
    assert not third._take()
    second.release()
    assert third._take()


def test_a_lock_whose_journal_is_gone_is_given_back(tmp_path):
    with pytest.raises(FileNotFoundError): sweep.MendingLock(tmp_path/'s').acquire()
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='named pipes')
def test_a_pipe_as_a_study_or_as_its_lock_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path/'pipe')
    with pytest.raises(ValueError, match='pipe is a pipe or a device, not a file: name another file with --study'): open_journal(tmp_path/'pipe')
    os.mkfifo(tmp_path/'s.lock')
    with pytest.raises(ValueError, match='s.lock is in the way of a lock, and is none: remove it'): open_journal(tmp_path/'s')
