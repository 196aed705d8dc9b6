"""Several processes train as one does, and whatever goes wrong with one of them is an error in time for all.

No test here asks a clock: where an answer must come in time, a pool's limit or a process's would end it otherwise.
"""
import os, signal, socket, subprocess, sys, time

import idx_files
import pytest
import torch
import torch.distributed as dist
from torch import nn

pytest.importorskip('cloudpickle', reason='cloudpickle is not installed')

from mnist_course.core.hands import Hands, PeerLost, process_group
from mnist_course.data import load_mnist, to_float
from mnist_course.learner import Callback, DataLoaders, Learner
from mnist_course.many_hands import DistributedCallback, ShardLoader, mean_gradient, ring_all_reduce, star_all_reduce, train_together
from mnist_course.optimizer import SGD
from mnist_course.persist import CheckpointCallback, Resume, read_tensors
from mnist_course.recipes import get_recipe, train_recipe
from mnist_course.sgd import DataLoader
from mnist_course.softmax import accuracy, cross_entropy
from mnist_course.tools.cli_app import test_refused as refused
from mnist_course.tools.cli_many import _first_cause, launch

TIMEOUT = 8    # seconds that the processes wait for one another


@pytest.fixture(scope='module')
def hands():
    with Hands(2, timeout=TIMEOUT, limit=300) as pool: yield pool


def few(recipe, steps=50):
    train, test = load_mnist()
    return train[:steps*recipe.bs], test[:301]

def weights(model): return torch.cat([p.detach().flatten() for p in model.parameters()])

def together(name, **settings):
    recipe = get_recipe(name)
    run = train_together(recipe, data=few(recipe), bar=False, **(dict(n_epoch=1) | settings))
    return weights(run.learn.model), run.accuracy, run.loss

def alone(name, **settings):
    recipe = get_recipe(name)
    run = train_recipe(recipe, data=few(recipe), bar=False, **(dict(n_epoch=1) | settings))
    return weights(run.learn.model), run.accuracy, run.loss

def convolutions():
    torch.manual_seed(0)
    return nn.Sequential(nn.Unflatten(1, (1,28)), nn.Conv2d(1,8,5,stride=2), nn.ReLU(), nn.Conv2d(8,8,3,stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(200,10))

def fit(make, loader, cbs=(), n_epoch=1, sizes=(1600,32)):
    train = load_mnist()[0][:sizes[0]]
    x, y = to_float(train.images), train.labels
    learn = Learner(DataLoaders(loader((x,y), bs=sizes[1], shuffle=True, seed=0), loader((x,y), bs=300)), make(), cross_entropy, SGD, lr=.1, metrics=accuracy, cbs=cbs)
    with learn.no_bar(): learn.fit(n_epoch)
    return weights(learn.model), learn.recorder.values[-1], [float(loss) for loss in learn.recorder.losses]

def fit_shared(*args, **kwargs): return fit(args[0], ShardLoader, [DistributedCallback(**kwargs)], *args[1:])


# Twins

@pytest.mark.parametrize('name', ['mlp-64-64', 'mlp-490'])
def test_two_processes_get_the_weights_of_one(hands, name, record_property):
    one, two = alone(name), hands(together, name)
    record_property('largest difference', (one[0]-two[0][0]).abs().max().item())
    assert (one[0]-two[0][0]).abs().max()<1e-6 and torch.equal(two[0][0], two[1][0])
    assert all(abs(t[1]-one[1])<1e-6 and abs(t[2]-one[2])<1e-5 for t in two)
    assert (weights(get_recipe(name).model())-one[0]).abs().max()>1e-3    # it has learnt something, so the test can fail


def test_a_convolutional_net_without_batch_norm_gets_the_weights_of_one_process(hands):
    one, two = fit(convolutions, DataLoader), hands(fit_shared, convolutions)
    assert (one[0]-two[0][0]).abs().max()<1e-6
    assert max(abs(a-b) for a,b in zip(one[1], two[1][1]))<1e-6    # train loss, valid loss, accuracy
    assert len(one[2])==50 and max(abs(a-b) for a,b in zip(one[2], two[1][2]))<1e-5    # and the curve


def normed():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784,30), nn.BatchNorm1d(30), nn.ReLU(), nn.Linear(30,10))

def test_with_batch_norm_they_differ_and_all_processes_still_agree(hands):
    one, two = fit(normed, DataLoader), hands(fit_shared, normed)
    assert (one[0]-two[0][0]).abs().max()>1e-4 and torch.equal(two[0][0], two[1][0]) and two[0][1]==two[1][1]


def by_ddp(name):
    recipe = get_recipe(name)
    train, _ = few(recipe)
    torch.manual_seed(0)
    model = nn.parallel.DistributedDataParallel(recipe.model())
    opt = recipe.opt_func(model.parameters(), lr=recipe.lr)
    for xb,yb in ShardLoader((train.images, train.labels), bs=recipe.bs, shuffle=True, seed=0):
        recipe.loss_func(model(xb), yb).backward()
        opt.step()
        opt.zero_grad()
    return weights(model)

@pytest.mark.parametrize('name', ['mlp-64-64', 'mlp-490'])
def test_ddp_gets_the_same_weights(hands, name):
    assert (hands(together, name)[0][0]-hands(by_ddp, name)[0]).abs().max()<1e-6


def test_unequal_shares_count_by_their_rows(hands):
    "A batch of 33 is 17 and 16; the last has 1,000 % 33 = 10. A mean of means would differ"
    one, two = fit(convolutions, DataLoader, (), 1, (1000,33)), hands(fit_shared, convolutions, 1, (1000,33))
    assert (one[0]-two[0][0]).abs().max()<1e-6
    g, h = torch.ones(3), torch.zeros(3)
    assert mean_gradient([g,h], [17,16])[0]!=.5


def count_messages(k):
    sent = []
    def counting(flat): sent.append(len(flat)); dist.all_reduce(flat)
    w = fit(convolutions, ShardLoader, [DistributedCallback(counting, k)])[0]
    return len(sent), w

def test_accumulated_gradients_travel_once(hands):
    assert [hands(count_messages, k)[0][0] for k in (1,2,4)]==[50,25,13]


def sum_by(f, n):
    flat = torch.arange(float(n))*(dist.get_rank()+1)
    return f(flat), flat

@pytest.mark.parametrize('n', [1, 2, 7, 1000])
def test_star_and_ring_add_up_however_long_the_row(hands, n):
    for f in (star_all_reduce, ring_all_reduce):
        for _,flat in hands(sum_by, f, n): assert torch.equal(flat, 3*torch.arange(float(n)))
    if n%2==0: assert [sent for sent,_ in hands(sum_by, ring_all_reduce, n)]==[4*n]*2


# Resuming

def to_the_end(folder, n_epoch, resume=False):
    recipe = get_recipe('mlp-64-64')
    cbs = [CheckpointCallback(folder, recipe=recipe), *([Resume(folder/'last.safetensors')] if resume else [])]
    if dist.get_rank() and resume: cbs[-1].path = folder/'nowhere'    # another machine has no such file
    return together('mlp-64-64', n_epoch=n_epoch, cbs=cbs)[0]

def test_a_run_goes_on_from_the_checkpoint_of_process_0_also_alone(hands, tmp_path):
    whole = hands(to_the_end, tmp_path/'whole', 2)[0]
    hands(to_the_end, tmp_path/'half', 1)
    assert sorted(p.name for p in (tmp_path/'half').iterdir())==['last.safetensors']    # of process 0 alone; without held-out pictures there is no best
    assert torch.equal(hands(to_the_end, tmp_path/'half', 2, True)[1], whole)
    hands(to_the_end, tmp_path/'one', 1)
    last = alone('mlp-64-64', n_epoch=2, cbs=Resume(tmp_path/'one'/'last.safetensors'))[0]    # one process goes on for two
    assert (last-whole).abs().max()<1e-5


# Faults, each with the seconds it took

def timed(pool, record_property, f, *args):
    pool(dist.get_rank)    # they have started and met
    start = time.perf_counter()
    replies = pool.ask(f, *args)
    record_property('seconds', round(time.perf_counter()-start, 1))
    assert not any(isinstance(r, TimeoutError) for r in replies)
    return replies


class Faulty(Callback):
    order = -70
    def __init__(self, what): self.what = what
    def before_batch(self):
        if not (self.learn.training and self.learn.iter==5 and dist.get_rank()==1): return
        if self.what=='dies': os._exit(7)
        if self.what=='is killed': os.kill(os.getpid(), signal.SIGKILL)
        if self.what=='raises': raise ValueError('an error of its own')
        if self.what=='sleeps': time.sleep(2*TIMEOUT)

def with_fault(what):
    recipe = get_recipe('mlp-64-64')
    train_together(recipe, data=few(recipe), n_epoch=1, bar=False, cbs=Faulty(what))

@pytest.mark.parametrize('what,other', [('dies', ChildProcessError), ('is killed', ChildProcessError), ('sleeps', PeerLost)])
def test_a_process_that_goes_missing_in_the_middle_is_missed_in_time(hands, record_property, what, other):
    survivor, lost = timed(hands, record_property, with_fault, what)
    assert isinstance(survivor, PeerLost) and 'in epoch 1, batch' in str(survivor) and '--resume' in str(survivor)
    assert isinstance(lost, other)
    assert hands(dist.get_rank)==[0,1]    # the next call has new processes


def test_an_error_of_one_is_told_and_the_other_does_not_hang(record_property):
    with Hands(2, timeout=TIMEOUT, limit=300) as pool:
        survivor, lost = timed(pool, record_property, with_fault, 'raises')
        assert isinstance(survivor, PeerLost) and str(lost)=='an error of its own'


def uneven():
    for i in range(3+(dist.get_rank()==0)):
        from mnist_course.core.hands import peers_answer
        with peers_answer(f'batch {i+1}'): dist.all_reduce(torch.ones(10))
    time.sleep(1.5*TIMEOUT)

def test_a_loop_with_uneven_batches_ends_with_an_error(record_property):
    "Without the callback, which sees it beforehand"
    with Hands(2, timeout=TIMEOUT, limit=300) as pool:
        first, second = timed(pool, record_property, uneven)
        assert isinstance(first, PeerLost) and 'batch 4' in str(first) and second is None


def odd(what):
    rank, x, y = dist.get_rank(), torch.rand(64,784), torch.arange(64)%10
    n = {'batches': 32+8*rank, 'rows': 32-rank}.get(what, 64)
    class Rows(list): pass
    if what=='uneven rows unseen': dl = Rows([(x[:8-rank], y[:8-rank])])    # as many batches, and no attributes
    elif what=='seed': dl = ShardLoader((x,y), bs=8, shuffle=True, seed=rank)
    elif what=='size': dl = DataLoader((x[:8*(2+rank)],)*2, bs=2+rank)
    else: dl = DataLoader((x[:n], y[:n]), bs=8)
    net = nn.Linear(784, 10+(rank if what=='layers' else 0))
    learn = Learner(DataLoaders(dl, dl), net, cross_entropy, SGD, cbs=DistributedCallback())
    with learn.no_bar(): learn.fit(1+(rank if what=='epochs' else 0))

@pytest.mark.parametrize('what,word', [('batches','batches an epoch'), ('rows','the number of rows'), ('seed','has seed 1, and process 0 has 0'), ('size','batch size'),
                                       ('layers','layers'), ('epochs','epochs'), ('uneven rows unseen','use ShardLoader')])
def test_what_differs_is_named_by_every_process_before_anything_hangs(hands, record_property, what, word):
    for reply in timed(hands, record_property, odd, what): assert isinstance(reply, ValueError) and word in str(reply), reply
    assert hands(odd, 'nothing')==[None,None]    # the control: the same loaders without the fault


def unlike(what):
    "One run in which process 1 has been told something else; `what` is how it differs"
    rank, recipe = dist.get_rank(), get_recipe('mlp-64-64')
    train, test = few(recipe, 3)
    if rank:
        if what=='pictures': train = train[list(range(1, len(train)))+[0]]
        if what=='labels': train.labels[5] = (train.labels[5]+1)%10
        if what=='pictures to judge on': test = test[:300]
        if what=='recipe': recipe = get_recipe('mlp-490')
    said = dict(lr=.5) if what=='lr' else dict(bs=16) if what=='batch size' else dict(n_epoch=2) if what=='epochs' else {}
    if rank and what=='loss': said = dict(loss_func=nn.CrossEntropyLoss(label_smoothing=.1))
    if rank and what=='optimizer': said = dict(opt_func=SGD)
    seed, held = 3*rank*(what=='seed'), 32*rank*(what=='pictures held out')
    run = train_together(recipe, seed, n_valid=held, data=(train, test), bar=False, **(dict(n_epoch=1) | (said if rank else {})))
    return weights(run.learn.model)

@pytest.mark.parametrize('what', ['recipe','lr','batch size','epochs','seed','loss','optimizer','pictures held out','pictures','labels','pictures to judge on'])
def test_processes_that_were_told_otherwise_say_so_and_none_trains(hands, record_property, what):
    for reply in timed(hands, record_property, unlike, what):
        assert isinstance(reply, ValueError) and f'process 1 has {"" if what.split()[0] not in ("pictures","labels") or "held" in what else "a digest of "}{what} ' in str(reply), reply
        assert 'start all with the same' in str(reply)
    first, second = hands(unlike, 'nothing')    # the control
    assert torch.equal(first, second)


def fits_with(lr):
    x, y = torch.rand(64,784), torch.arange(64)%10
    learn = Learner(DataLoaders(*[DataLoader((x,y), bs=8)]*2), nn.Linear(784,10), cross_entropy, SGD, cbs=DistributedCallback())
    with learn.no_bar(): learn.fit(1, lr[dist.get_rank()])

def test_a_learner_of_ones_own_compares_rates_too(hands):
    for reply in hands.ask(fits_with, [.1, .2]): assert isinstance(reply, ValueError) and 'process 1 has lr 0.2, and process 0 has 0.1' in str(reply), reply
    assert hands(fits_with, [.1, .1])==[None,None]


def other_weights():
    torch.manual_seed(dist.get_rank())    # two seeds for the weights are mended and not refused
    make = lambda: nn.Sequential(nn.Flatten(), nn.Linear(784,10))
    return fit(make, ShardLoader, [DistributedCallback()], 1, (320,32))[0]

def test_two_seeds_of_weights_become_those_of_process_0(hands):
    first, second = hands(other_weights)
    assert torch.equal(first, second)


def test_a_taken_port_and_an_address_without_an_answer_are_errors(record_property):
    "In a process of its own, since PyTorch remembers where it has met"
    with socket.create_server(('127.0.0.1', 0)) as taken:
        for rank,port in ((0, taken.getsockname()[1]), (1, 1)):
            with pytest.raises(ConnectionError, match=f'process {rank} has not met the others at tcp://127.0.0.1:{port} within 2 s'):
                with process_group(2, init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2): pass


def test_threads_that_crowd_a_machine_are_warned_of(monkeypatch):
    from mnist_course.many_hands import _check_threads
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '2')
    monkeypatch.setattr(torch, 'get_num_threads', lambda: os.cpu_count())
    with pytest.warns(UserWarning, match='set OMP_NUM_THREADS='): _check_threads()


def test_outside_of_a_group_the_callback_says_so():
    with pytest.raises(ValueError, match='is in no group'): fit(normed, DataLoader, [DistributedCallback()], 1, (64,32))


# The command

def test_a_launcher_that_ignores_its_signal_says_so_in_its_code(monkeypatch):
    "As under nohup: torchrun has ended the workers, and no model is there"
    from torch.distributed.elastic.multiprocessing.api import SignalException
    def hung_up(args): raise SignalException('x', signal.SIGHUP)
    monkeypatch.setattr('torch.distributed.run.run', hung_up)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit) as e: launch(2, ['train','mlp-490'])
    finally: signal.signal(signal.SIGHUP, before)
    assert e.value.code==128+signal.SIGHUP


@pytest.mark.parametrize('code,said', [(255, 'process 0 ended with code 255'), (200, 'process 0 ended with code 200'), (137, 'ended by SIGKILL'), (-15, 'ended by SIGTERM'), (128, 'code 128')])
def test_the_code_of_a_worker_is_a_signal_or_a_number(code, said):
    from types import SimpleNamespace
    assert said in str(_first_cause({0: SimpleNamespace(message='', timestamp=0, exitcode=code)}))


def command(*args, env=None, **kwargs):
    return subprocess.run([sys.executable, '-m', 'mnist_course.tools.cli', *map(str, args)], capture_output=True, text=True, timeout=400,
                          env=os.environ | (env or {}), **kwargs)

SMALL = 'train mlp-64-64 --valid 58400 --bs 32'.split()    # 1,600 pictures, 50 steps an epoch

def model(folder): return read_tensors(folder/'model.safetensors', 'model')[0]

def test_bad_numbers_of_processes_and_devices_are_refused():
    refused('train mlp-490 --processes 0', '--processes', "'0'", '1 or more')
    refused('train mlp-490 --processes two', "'two' is not a whole number")
    refused('train mlp-490 --processes 31', '--processes 31 and --bs 30', 'leaves some of 31 processes without one')
    refused('train mlp-490 --processes 2 --bs 59999', 'the last has 1, too few for 2')
    refused('train mlp-490 --processes 2 --timeout 0', '--timeout', 'above 0')
    if not torch.cuda.is_available(): refused('train mlp-490 --processes 2 --device cuda', "device 'cuda' is not available: this machine has cpu")


def test_gpus_are_counted(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 1)
    refused('train mlp-490 --processes 2 --device cuda', '2 processes need a GPU each, and this machine has 1')


@pytest.mark.parametrize('rank', [0, 1])
def test_an_endpoint_nobody_answers_is_one_line_and_2(tmp_path, rank, port):
    "Process 1 finds nobody there; process 0 listens, and nobody comes"
    r = command(*SMALL, '--out', tmp_path/'run', '--timeout', 3, env=dict(RANK=str(rank), WORLD_SIZE='2', MASTER_ADDR='127.0.0.1', MASTER_PORT=port))
    assert r.returncode==2 and len(r.stderr.splitlines())==1, r.stderr
    assert f'process {rank} has not met the others at 127.0.0.1:{port} within 3 s' in r.stderr and not (tmp_path/'run').exists()


def start(*args, env):
    return subprocess.Popen([sys.executable, '-m', 'mnist_course.tools.cli', *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | env)

@pytest.fixture
def port():
    "A free port, ours until the test is over: it is bound, so that nobody else gets it, and a process that we tell may still listen there"
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(('127.0.0.1', 0))
        yield str(s.getsockname()[1])

@pytest.fixture(scope='module')
def sets(tmp_path_factory):
    "Two small data sets of the same size"
    train, test = load_mnist()
    made = []
    for name,first in (('one',0), ('other',100)):
        folder = tmp_path_factory.mktemp(name)
        for split,d in (('train',train), ('t10k',test)):
            idx_files.write(folder/f'{split}-images-idx3-ubyte', idx_files.idx(d.images[first:first+200].numpy()))
            idx_files.write(folder/f'{split}-labels-idx1-ubyte', idx_files.idx(d.labels[first:first+200].numpy().astype('u1')))
        made.append(folder)
    return made

@pytest.mark.parametrize('what,words', [('nothing', None), ('lr', 'has lr 0.5, and process 0 has 0.01'), ('seed', 'has seed 3, and process 0 has 0'),
                                        ('data', 'has a digest of pictures'), ('world', 'has a group of 3, and process 0 has 2')])
@pytest.mark.timeout(300)
def test_commands_with_other_settings_name_them_and_leave_nothing(tmp_path, sets, port, what, words):
    ps = []
    for rank in (0,1):
        other = rank and what
        args = ['train', 'softmax-regression', '--data', sets[other=='data'], '--epochs', 1, '--bs', 50, '--timeout', 60, '--out', tmp_path/'run']
        args += {'lr': ['--lr','.5'], 'seed': ['--seed',3]}.get(other, [])
        ps.append(start(*args, env=dict(RANK=str(rank), WORLD_SIZE='3' if other=='world' else '2', MASTER_ADDR='127.0.0.1', MASTER_PORT=port)))
    for p in ps:
        out, err = p.communicate(timeout=200)
        if words is None: assert p.returncode==0, err
        else: assert p.returncode==2 and err.count('\n')==1 and f'process 1 {words}' in err and 'start all with the same' in err, err
    assert (tmp_path/'run').exists()==(words is None)


@pytest.mark.parametrize('signum', [None, signal.SIGTERM])
def test_an_open_port_that_never_answers_ends_in_time(tmp_path, signum):
    "`communicate` would give up otherwise"
    with socket.create_server(('127.0.0.1', 0)) as mute:
        env = dict(RANK='1', WORLD_SIZE='2', MASTER_ADDR='127.0.0.1', MASTER_PORT=str(mute.getsockname()[1]))
        p = start(*SMALL, '--out', tmp_path/'run', '--timeout', 300 if signum else 3, env=env)
        if signum:
            mute.settimeout(200)
            called = mute.accept()    # it is waiting now
            time.sleep(1)
            p.send_signal(signum)
        out, err = p.communicate(timeout=200)
        if signum: called[0].close()
    if signum: assert p.returncode==143 and err.endswith('mnist_course: ended by SIGTERM\n'), err
    else: assert p.returncode==2 and err.count('\n')==1 and '(no answer from there)' in err, err


def all_of(pid):
    import psutil
    return psutil.Process(pid).children(recursive=True)

@pytest.mark.timeout(600)
@pytest.mark.parametrize('signum', [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_to_the_launcher_ends_all_and_says_what_is_kept(tmp_path, signum):
    import psutil
    p = start(*SMALL, '--epochs', 1000, '--processes', 2, '--out', tmp_path/'run', env={})
    last = tmp_path/'run'/'last.safetensors'
    while not last.exists() and p.poll() is None: time.sleep(.05)
    workers = all_of(p.pid)
    assert len(workers)>=2
    p.send_signal(signum)
    out, err = p.communicate(timeout=200)    # a worker that lives on would hold the pipe
    gone, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    read_tensors(last, 'checkpoint')
    if signum!=signal.SIGKILL:
        assert p.returncode==128+signum, err
        assert err.splitlines()[-2:]==[f'Kept: {last}. The same with --resume goes on.', 'mnist_course: '+{15: 'ended by SIGTERM', 2: 'interrupted'}[signum]], err


@pytest.mark.timeout(600)    # eight processes are started
def test_two_processes_by_the_command_a_kill_and_a_resumed_end(tmp_path):
    "The same files as one process has, the same weights, and after a kill in the middle the same end"
    settings = [*SMALL, '--epochs', 6]
    r = command(*settings, '--processes', 2, '--out', tmp_path/'two')
    assert r.returncode==0 and [(r.stdout+r.stderr).count(word) for word in ('train_loss','Model: ')]==[1,1], r.stdout+r.stderr    # one of them prints
    assert sorted(p.name for p in (tmp_path/'two').iterdir())==['best.safetensors', 'history.csv', 'last.safetensors', 'model.safetensors']
    p = subprocess.Popen([sys.executable, '-m', 'mnist_course.tools.cli', *map(str, settings), '--processes', '2', '--out', tmp_path/'cut'],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    import psutil
    while not (tmp_path/'cut'/'last.safetensors').exists() and p.poll() is None: time.sleep(.05)
    ranks = [c for c in psutil.Process(p.pid).children(recursive=True) if c.environ().get('RANK')=='1']
    ranks[0].kill()
    out, err = p.communicate(timeout=300)
    lines = [line for line in err.splitlines() if line.startswith('mnist_course: ')]
    assert p.returncode==2 and len(lines)==1 and 'process 1 was ended by SIGKILL' in lines[0] and '--resume' in lines[0], err
    read_tensors(tmp_path/'cut'/'last.safetensors', 'checkpoint')    # whole
    r = command(*settings, '--processes', 2, '--out', tmp_path/'cut', '--resume')
    assert r.returncode==0, r.stderr
    two, cut = model(tmp_path/'two'), model(tmp_path/'cut')
    assert all(torch.equal(two[name], cut[name]) for name in two)


def test_an_error_in_the_processes_is_one_line(tmp_path):
    r = command(*SMALL, '--lr', '1e30', '--epochs', 1, '--processes', 2, '--out', tmp_path/'run')
    lines = [line for line in r.stderr.splitlines() if line.startswith('mnist_course: ')]
    assert r.returncode==2 and len(lines)==1 and 'in epoch 1, batch' in lines[0] and 'Traceback' not in r.stderr, r.stderr


def test_signals_belong_to_whom_they_belonged_when_torchrun_has_ended():
    "torch 2.15's `run` puts handlers of its own in their place, and leaves them there"
    def handlers(): return [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)]
    before = handlers()
    with pytest.raises(ChildProcessError): launch(1, ['recipes', '--nonsense'])
    assert handlers()==before
