"`mnist_course train` as somebody uses it: interrupted, resumed, on a full disk, with logs that cannot be written"
import re, resource, signal, subprocess, sys, time
from pathlib import Path

import pytest
import torch

from mnist_course.persist import read_tensors

command = Path(sys.executable).parent/'mnist_course'
SMALL = ['train', 'mlp-64-64', '--bs', '500', '--valid', '50000']        # 10,000 pictures to train on: an epoch is a fraction of a second


def start(*args, cwd, **kwargs):
    return subprocess.Popen([command, *map(str, args)], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kwargs)


def call(*args, cwd, **kwargs):
    p = start(*args, cwd=cwd, **kwargs)
    return (*p.communicate(timeout=150), p.returncode)


def epochs_done(folder):
    log = folder/'history.csv'
    return len(log.read_text().splitlines())-1 if log.exists() else 0


def interrupt_after(n, folder, cwd, sig, *args):
    "Train until `n` epochs are on record, then send a signal"
    p = start(*SMALL, *args, cwd=cwd)
    end = time.monotonic()+120
    while epochs_done(folder)<n and p.poll() is None and time.monotonic()<end: time.sleep(.01)
    p.send_signal(sig)
    return (*p.communicate(timeout=60), p.returncode)


def same(a, b):
    (a,_), (b,_) = read_tensors(a), read_tensors(b)
    return [k for k in a if k!='recorder.times' and not torch.equal(a[k], b[k])]==[] and a.keys()==b.keys()


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    "The folder of a run that nobody interrupted"
    folder = tmp_path_factory.mktemp('undisturbed')
    out, err, rc = call(*SMALL, '--epochs', '6', '--out', 'whole', cwd=folder)
    assert rc==0, err
    return folder/'whole'


@pytest.mark.parametrize('sig, code', [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_run_goes_on_to_the_same_model(tmp_path, whole, sig, code):
    cut = tmp_path/'cut'
    out, err, rc = interrupt_after(2, cut, tmp_path, sig, '--epochs', '6', '--out', 'cut')
    assert rc==code and not (cut/'model.safetensors').exists()
    if sig==signal.SIGINT:
        assert 'Traceback' not in err and '--resume' in err and err.rstrip().endswith('mnist_course: interrupted')
    assert 1<=read_tensors(cut/'last.safetensors', 'checkpoint')[1]['epoch']<6
    out, err, rc = call(*SMALL, '--epochs', '6', '--out', 'cut', '--resume', '--seed', '5', cwd=tmp_path)
    assert rc==0, err
    for name in ('model','last','best'): assert same(cut/f'{name}.safetensors', whole/f'{name}.safetensors'), name
    assert epochs_done(cut)==6


def test_another_seed_gives_another_model(tmp_path, whole):
    "So the runs above are not equal whatever happens"
    out, err, rc = call(*SMALL, '--epochs', '6', '--out', 'other', '--seed', '5', cwd=tmp_path)
    assert rc==0 and not same(tmp_path/'other'/'model.safetensors', whole/'model.safetensors')


def test_a_disk_that_is_full_ends_in_one_line_and_keeps_what_was_there(tmp_path):
    out, err, rc = call(*SMALL, '--epochs', '1', '--out', 'kept', cwd=tmp_path)
    before = {p.name: p.read_bytes() for p in (tmp_path/'kept').glob('*.safetensors')}
    assert rc==0 and len(before)==3
    def full(): resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))                      # no file may grow beyond 100 kB
    out, err, rc = call(*SMALL, '--epochs', '2', '--out', 'kept', '--resume', cwd=tmp_path, preexec_fn=full)
    said = [line for line in err.splitlines() if line.startswith('mnist_course:')]
    assert rc==2 and 'Traceback' not in err and len(said)==1 and 'not saved, what was there is unchanged' in said[0], err
    assert {p.name: p.read_bytes() for p in (tmp_path/'kept').glob('*.safetensors')}==before
    assert not [p for p in (tmp_path/'kept').iterdir() if p.name.endswith('.part')]


def test_resume_wants_the_same_data_and_takes_another_rate(tmp_path):
    out, err, rc = call(*SMALL, '--epochs', '1', '--out', 'm', cwd=tmp_path)
    assert rc==0, err
    out, err, rc = call('train', 'mlp-64-64', '--bs', '3000', '--epochs', '2', '--out', 'm', '--resume', cwd=tmp_path)      # 20 batches too, of other pictures
    assert rc==2 and 'batch size: 500; now 3000' in err, err
    out, err, rc = call(*SMALL, '--epochs', '2', '--out', 'm', cwd=tmp_path)
    assert rc==2 and '--resume' in err and '--replace' in err, err
    out, err, rc = call(*SMALL, '--epochs', '2', '--lr', '.01', '--out', 'm', '--resume', cwd=tmp_path)
    assert rc==0 and read_tensors(tmp_path/'m'/'model.safetensors')[1]['recipe']['lr']==.01, err
    assert (tmp_path/'m'/'history.csv').read_text().splitlines()[2].split(',')[4]=='0.01'


def test_logs_that_cannot_be_written_warn_once(tmp_path):
    (tmp_path/'file').write_text('mine')
    out, err, rc = call(*SMALL, '--epochs', '2', '--out', 'm', '--log', 'file/runs', cwd=tmp_path)
    assert rc==0 and err.count('cannot write to')==1 and 'Traceback' not in err, err
    assert (tmp_path/'m'/'model.safetensors').exists() and (tmp_path/'file').read_text()=='mine'


def test_log_is_what_tensorboard_reads(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    out, err, rc = call(*SMALL, '--epochs', '2', '--out', 'm', '--log', 'runs', cwd=tmp_path)
    assert rc==0, err
    tags = EventAccumulator(str(tmp_path/'runs'/'m'/'valid')).Reload().Tags()
    assert {'loss','accuracy'}<=set(tags['scalars']) and tags['images']==['worst errors']
    assert re.search(r'0\.\d{4} of 50,000 training pictures held out \(95 % interval', out)


def test_a_loss_that_is_nan_stops_and_names_where(tmp_path):
    out, err, rc = call('train', 'mlp-490', '--lr', '1e20', '--out', 'm', cwd=tmp_path)
    assert rc==2 and re.search(r'the loss is (nan|inf) in epoch 1, batch \d+ of 2000, at a rate of 1e\+20', err), err
    assert 'Traceback' not in err and not (tmp_path/'m'/'model.safetensors').exists()
