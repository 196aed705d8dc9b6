"Faults 16 to 28: a save that is cut off, a file that is damaged or wants to do harm, and a run that goes on in another process"
import errno, json, os, pickle, shutil, signal, time
from pathlib import Path

import numpy as np
import pytest
import torch
from damage import dice, disk, ended, fork, kill_when, mutant, quick, read_only, run
from hypothesis import given
from hypothesis import strategies as st
from learners import same, state, weights
from torch import nn

from mnist_course import persist
from mnist_course.core import numpy_forward
from mnist_course.learner import DataLoaders, Learner
from mnist_course.optimizer import Adam
from mnist_course.sgd import DataLoader
from mnist_course.softmax import cross_entropy
from mnist_course.speed_answer import save_numpy

SAVE, READ, LOAD = 'mnist_course.persist.write_atomic', 'mnist_course.persist.read_tensors', 'mnist_course.persist.load_model'
plainly = {SAVE: 'lambda path, data: Path(path).write_bytes(data)'}

def unsafe(old, new):
    "`without` for a part of `write_atomic`, which `persist` has from `core.files`"
    made_in = 'mnist_course.core.files.write_atomic'
    return {SAVE: mutant(made_in, old, new)[made_in]}


def net(classes=10, hidden=16): return nn.Sequential(nn.Flatten(), nn.Linear(784,hidden), nn.ReLU(), nn.Linear(hidden,classes))

def learner(classes=10, hidden=16):
    x, y = torch.rand(20,28,28, generator=torch.Generator().manual_seed(0)), torch.arange(20)%classes
    return Learner(DataLoaders(DataLoader((x,y), 10), DataLoader((x,y), 10)), net(classes, hidden), cross_entropy, Adam)

def trained(**kwargs):
    learn = learner(**kwargs)
    with learn.no_bar(): learn.fit(1)
    return learn


@pytest.fixture
def kept(tmp_path):
    "A good file of yesterday's, with its bytes"
    path = tmp_path/'kept'/'m.safetensors'
    path.parent.mkdir()
    persist.save_model(path, net())
    return path, path.read_bytes()


# Cut off while saving

def after_a_change(path):
    "For `kill_when`: true some looks after `path` has changed for the first time, however busy the machine is"
    before, looks = path.stat().st_mtime_ns, dice.randrange(20)
    def ready():
        nonlocal looks
        looks -= path.stat().st_mtime_ns!=before
        return looks<0
    return ready


@pytest.mark.fault(16, without=plainly)
def test_killed_at_a_hundred_moments_of_saving_the_file_is_whole(tmp_path):
    path, big, other = tmp_path/'m.safetensors', net(hidden=500), net(hidden=500)
    persist.save_model(path, big)
    first = path.read_bytes()
    persist.save_model(path, other)
    second = path.read_bytes()
    def save():
        while True:
            for model in (big, other): persist.save_model(path, model)
    for _ in range(100):
        assert kill_when(fork(save), after_a_change(path))==-signal.SIGKILL
        assert path.read_bytes() in (first, second)
    time.sleep(1.1)    # what is younger may still be somebody's
    persist.save_model(path, big)
    assert path.read_bytes()==first and list(tmp_path.iterdir())==[path]


@pytest.mark.fault(16, without=mutant('mnist_course.core.files._sweep', 'left.unlink()', 'pass'))
def test_what_a_killed_save_left_behind_is_swept_away_by_the_next(kept, monkeypatch):
    path, good = kept
    monkeypatch.setattr('os.replace', lambda *args: time.sleep(100))    # it is killed just before the new file takes the place
    saving = fork(lambda: persist.save_model(path, net()))
    assert kill_when(saving, lambda: len(list(path.parent.iterdir()))==2)==-signal.SIGKILL
    monkeypatch.undo()
    assert path.read_bytes()==good
    time.sleep(1.1)
    persist.save_model(path, net())
    assert list(path.parent.iterdir())==[path] and path.read_bytes()!=good


@pytest.mark.fault(15, without={'glob.escape': 'str'})
@pytest.mark.parametrize('name', ['mit Leerzeichen [1]', 'Übung [!a]', '🔢[*]'])
def test_a_name_that_is_hard_to_spell_is_saved_read_and_swept(tmp_path, name):
    left = tmp_path/f'.{name}.0a1b2c3d.part'
    left.touch()
    os.utime(left, (0,0))
    model = net()
    persist.save_model(tmp_path/name, model)
    assert list(tmp_path.iterdir())==[tmp_path/name] and same(weights(persist.load_model(tmp_path/name, net())), weights(model))


@pytest.mark.fault(16, without={'mnist_course.core.files._hold': 'lambda f: None'})
def test_a_save_in_another_process_is_not_swept_away(kept, monkeypatch):
    path, _ = kept
    with monkeypatch.context() as slow:
        slow.setattr('os.fsync', lambda f: time.sleep(100))
        saving = fork(lambda: persist.save_model(path, net()))
    end = time.monotonic()+10
    while len(list(path.parent.iterdir()))<2 and time.monotonic()<end: time.sleep(.01)
    time.sleep(1.1)
    persist.save_model(path, net())
    try: assert len(list(path.parent.iterdir()))==2
    finally: kill_when(saving, lambda: True)


@pytest.mark.fault(17, without=plainly)
def test_a_full_disk_keeps_the_good_file(tmp_path):
    with disk(tmp_path/'disk', 'size=1m') as full:
        path = full/'m.safetensors'
        persist.save_model(path, net(hidden=200))
        good = path.read_bytes()
        for hidden in (200, 2000):
            with pytest.raises(OSError, match='not saved, what was there is unchanged: No space left on device') as e:
                persist.save_model(path, net(hidden=hidden))
            assert (e.value.errno, e.value.filename)==(errno.ENOSPC, str(path))
            assert path.read_bytes()==good and list(full.iterdir())==[path]
        assert same(weights(persist.load_model(path, net(hidden=200))), persist.read_tensors(path)[0])


@pytest.mark.fault(17, without=unsafe('with suppress(OSError): part.unlink()', 'pass'))
def test_a_full_disk_has_its_room_back(tmp_path):
    with disk(tmp_path/'disk', 'size=1m') as full:
        with pytest.raises(OSError): persist.save_model(full/'m.safetensors', net(hidden=2000))
        assert list(full.iterdir())==[]
        persist.save_model(full/'m.safetensors', net(hidden=200))


unnamed = unsafe('except OSError as e:', 'except ZeroDivisionError as e:')

@pytest.mark.fault(18, without=unnamed)
def test_a_folder_that_is_gone_or_closed_is_named(tmp_path):
    path = tmp_path/'gone'/'m.safetensors'
    with pytest.raises(OSError, match='not saved') as e: persist.save_model(path, net())
    assert e.value.filename==str(path) and not path.parent.exists()
    with disk(tmp_path/'disk', 'size=1m') as closed:
        path = closed/'m.safetensors'
        persist.save_model(path, net())
        good = path.read_bytes()
        read_only(closed)
        with pytest.raises(OSError, match='not saved, what was there is unchanged: Read-only file system') as e: persist.save_model(path, net())
        assert e.value.filename==str(path) and path.read_bytes()==good and list(closed.iterdir())==[path]


@pytest.mark.fault(18, without=unnamed)
def test_a_folder_that_goes_while_training_is_named(tmp_path):
    learn, cb = learner(), persist.CheckpointCallback(tmp_path/'run')
    class Remove(persist.Callback):
        def after_train(self): self.learn.epoch and shutil.rmtree(tmp_path/'run')
    with learn.no_bar(), pytest.raises(OSError, match='not saved') as e: learn.fit(3, cbs=[cb, Remove()])
    assert e.value.filename in (str(cb.best_file), str(cb.last_file)) and len(learn.recorder.values)==2


# Damaged files

def damaged(path, raw, match):
    "None of our readers takes `raw`, and the model stays as it was"
    path.write_bytes(raw)
    model = net()
    before = weights(model)
    with pytest.raises(ValueError, match=f'{path.name}: damaged.*{match}') as e: persist.load_model(path, model)
    assert same(weights(model), before)
    return str(e.value)


@pytest.mark.fault(19, without=mutant(READ, 'except Exception as e: raise', 'except ZeroDivisionError as e: raise'))
@quick
@given(st.data())
def test_a_file_cut_off_anywhere_is_damaged(tmp_path_factory, choice):
    path = tmp_path_factory.mktemp('cut')/'m.safetensors'
    persist.save_model(path, net())
    whole = path.read_bytes()
    damaged(path, whole[:choice.draw(st.integers(0, len(whole)-1))], '')


not_asked = mutant('mnist_course.persist._read_header', "if data[8:9]!=b'{': raise", 'if False: raise')

@pytest.mark.fault(20, without=not_asked)
def test_an_empty_file_is_called_empty(kept): damaged(kept[0], b'', 'it is empty')


@pytest.mark.fault(21, without=not_asked)
@pytest.mark.parametrize('page', [b'<!DOCTYPE html><html>404 Not Found</html>', b'<html>\n', b'<?xml version="1.0"?><Error/>'])
def test_a_web_page_is_called_one(kept, page): damaged(kept[0], page, 'it begins like a web page')


undigested = mutant(READ, 'if found!=expected:', 'if False:')

@pytest.mark.fault(22, without=undigested)
def test_one_bit_of_a_weight_is_damage_with_both_digests(kept):
    path, whole = kept
    expected = json.loads(json.loads(whole[8:8+int.from_bytes(whole[:8], 'little')])['__metadata__']['mnist_course'])['sha256']
    start = 8+int.from_bytes(whole[:8], 'little')
    for at in dice.sample(range(start, len(whole)), 50):
        said = damaged(path, whole[:at] + bytes([whole[at] ^ 1<<dice.randrange(8)]) + whole[at+1:], 'its SHA-256 should be')
        assert f'should be {expected}, and is' in said and expected not in said.split('and is')[1]


@pytest.mark.fault(22, without=undigested)
def test_one_bit_of_a_checkpoint_leaves_the_learner_as_it_was(tmp_path):
    path, learn = tmp_path/'last.safetensors', trained()
    persist.save_checkpoint(path, learn)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    learn = trained()
    before = state(learn)
    with pytest.raises(ValueError, match='last.safetensors: damaged: its SHA-256 should be'): persist.load_checkpoint(path, learn)
    assert state(learn)==before


@pytest.mark.fault(22, without=mutant('mnist_course.core.numpy_forward.read_numpy', 'if sha.hexdigest()!=expected:', 'if False:'))
def test_one_bit_of_a_file_for_numpy_is_damage(tmp_path):
    path = tmp_path/'net.safetensors'
    save_numpy(path, net().eval())
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ValueError, match='net.safetensors: damaged.*its SHA-256 should be .{64}, and is .{64}'): numpy_forward.load_numpy(path)


# A file that wants to do harm

class Bird:
    def __init__(self, canary): self.canary = canary
    def __reduce__(self): return Path.touch, (self.canary,)


def pickles(canary, folder):
    "A pickle that touches the canary, in all the ways that models are pickled"
    bird = {'0.weight': Bird(canary)}
    for protocol in range(pickle.HIGHEST_PROTOCOL+1): yield pickle.dumps(bird, protocol)
    for new in (True, False):
        torch.save(bird, folder/'made', _use_new_zipfile_serialization=new)
        yield (folder/'made').read_bytes()
    for save in (np.save, np.savez):
        with open(folder/'made', 'wb') as f: save(f, np.array([bird], object))
        yield (folder/'made').read_bytes()


NAMES = ['model.pt', 'model.pth', 'model.pkl', 'model.bin', 'model.ckpt', 'model.npy', 'model.npz', 'model.safetensors', 'model']
readers = [lambda path: persist.load_model(path, net()), lambda path: persist.load_model(path), lambda path: persist.load_checkpoint(path, learner()),
           persist.read_tensors, lambda path: learner().fit(1, cbs=persist.Resume(path)), numpy_forward.load_numpy]
trusting = '__import__("torch").load(path, weights_only=False), {}'

@pytest.mark.fault(23, without={READ: f'lambda path, kind=None: ({trusting})', 'mnist_course.core.numpy_forward.read_numpy': f'lambda path: ({trusting})'})
def test_a_pickle_is_never_run_under_any_name(tmp_path):
    canary = tmp_path/'canary'
    for raw in pickles(canary, tmp_path):
        for name in NAMES:
            (tmp_path/name).write_bytes(raw)
            for reader in readers:
                try: reader(tmp_path/name)
                except Exception as e: said = e
                else: said = None
                assert not canary.exists()
                assert isinstance(said, ValueError) and f'{name}: damaged, or no file' in str(said)
                assert not [word for word in ('weights_only', 'allow_pickle', 'unsafe', 'trust') if word in str(said)]


@pytest.mark.fault(23, without={READ: f'lambda path, kind=None: ({trusting})'})
def test_a_pickle_in_the_place_of_an_earlier_best_model_is_never_run(tmp_path):
    "`CheckpointCallback` looks into the file after `Resume`"
    learn, cb, canary = learner(), persist.CheckpointCallback(tmp_path/'run'), tmp_path/'canary'
    with learn.no_bar(): learn.fit(1, cbs=cb)
    good = cb.last_file.read_bytes()
    for raw in pickles(canary, tmp_path):
        cb.last_file.write_bytes(good)
        cb.best_file.write_bytes(raw)
        learn, again = learner(), persist.CheckpointCallback(tmp_path/'run')
        with learn.no_bar(): learn.fit(2, cbs=[persist.Resume(cb.last_file), again])
        assert not canary.exists()


# Sound files, for something else

unasked = mutant(LOAD, 'if wrong: raise', 'if False: raise')

@pytest.mark.fault(24, without=unasked)
def test_another_architecture_is_named_layer_by_layer(kept):
    deep = nn.Sequential(nn.Flatten(), nn.Linear(784,16), nn.ReLU(), nn.Linear(16,16), nn.ReLU(), nn.Linear(16,10))
    for model, said in (net(hidden=20), '1.weight is 16x784 float32 in the file, 20x784 float32 in the network'), (deep, '5.weight is missing in the file, 10x16'):
        before = weights(model)
        with pytest.raises(ValueError, match=f'm.safetensors: made for another network: .*{said}'): persist.load_model(kept[0], model)
        assert same(weights(model), before)


@pytest.mark.fault(25, without=unasked)
def test_another_class_count_is_named_and_the_model_untouched(kept):
    model = net(5)
    before = weights(model)
    with pytest.raises(ValueError, match='3.weight is 10x16 float32 in the file, 5x16 float32 in the network; 3.bias is 10 float32 in the file, 5 '):
        persist.load_model(kept[0], model)
    assert same(weights(model), before)


@pytest.mark.fault(24, 25, without={'mnist_course.persist._check_fits': 'lambda *args: None'})
@pytest.mark.parametrize('other', [dict(hidden=20), dict(classes=5)])
def test_a_checkpoint_of_another_network_leaves_the_learner_as_it_was(tmp_path, other):
    path, learn = tmp_path/'last.safetensors', trained(**other)
    persist.save_checkpoint(path, trained())
    before = state(learn)
    with pytest.raises(ValueError, match=r'last.safetensors: made for another network: \d.weight is \d+x\d+ float32 in the file, \d+x\d+ '):
        persist.load_checkpoint(path, learn)
    assert state(learn)==before


@pytest.mark.fault(26, without=mutant('mnist_course.persist._read_header', "if header['format']>FORMAT:", 'if False:'))
def test_a_format_from_the_future_is_named_with_both_versions(tmp_path, monkeypatch):
    path, model = tmp_path/'m.safetensors', net()
    with monkeypatch.context() as future:
        future.setattr(persist, 'FORMAT', 2)
        future.setattr(persist, 'digest', lambda header, tensors: 'one that we do not know')
        future.setattr('mnist_course.__version__', '9.0')
        persist.save_model(path, net())
    before = weights(model)
    with pytest.raises(ValueError, match='m.safetensors: format version 2, by mnist_course 9.0; .*, here, knows up to 1: install a newer one'):
        persist.load_model(path, model)
    assert same(weights(model), before)


@pytest.mark.fault(26, without=mutant('mnist_course.core.numpy_forward.read_numpy', "if (header.get('kind'), header.get('format'))!=('numpy', 1):", 'if False:'))
def test_a_format_from_the_future_is_named_for_numpy_too(tmp_path, monkeypatch):
    with monkeypatch.context() as future:
        future.setattr(persist, 'FORMAT', 2)
        future.setattr(persist, 'digest', lambda header, tensors: 'one that we do not know')
        save_numpy(tmp_path/'net.safetensors', net().eval())
    with pytest.raises(ValueError, match='net.safetensors: .*format 2: expected kind numpy, format 1'): numpy_forward.load_numpy(tmp_path/'net.safetensors')


# A run that goes on

train = """
import torch
from torch import nn
from mnist_course.learner import DataLoaders, Learner
from mnist_course.optimizer import Adam
from mnist_course.persist import CheckpointCallback, Resume, save_model
from mnist_course.sgd import DataLoader
from mnist_course.softmax import accuracy, cross_entropy

torch.set_num_threads(1)
torch.manual_seed(0)
x, y = torch.rand(1000,28,28), torch.arange(1000)%10
model = nn.Sequential(nn.Flatten(), nn.Linear(784,32), nn.ReLU(), nn.Dropout(.3), nn.Linear(32,10))
dls = DataLoaders(DataLoader((x,y), 50, shuffle=True, seed=1), DataLoader((x,y), 500))
learn = Learner(dls, model, cross_entropy, Adam, lr=.003, metrics=accuracy)
keep = CheckpointCallback(folder)
if resume: torch.manual_seed(5)
with learn.no_bar(): learn.fit(40, cbs=[keep, *[Resume(keep.last_file)]*resume])
save_model(folder/'model.safetensors', model)
"""
anew = 'import sys; from pathlib import Path; folder, resume = Path(sys.argv[1]), True'

def forked(folder, resume): return fork(lambda: exec(train, dict(folder=folder, resume=resume)))

def epochs(file):
    try: return persist.read_tensors(file, 'checkpoint')[1]['epoch']
    except FileNotFoundError: return 0


def killed(folder, kills):
    "A run that is killed so many times, each time in the middle"
    last = folder/'last.safetensors'
    for i in range(kills):
        due = epochs(last)+dice.randint(2, 6)
        assert kill_when(forked(folder, i>0), lambda due=due: epochs(last)>=due)==-signal.SIGKILL and 1<=epochs(last)<40


def files(folder):
    "All tensors that a run has left, but for the seconds that it took"
    return {f'{name} {k}': t for name in ('last','best','model')
            for k,t in persist.read_tensors(folder/f'{name}.safetensors')[0].items() if k!='recorder.times'}


@pytest.fixture(scope='module')
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp('whole')
    assert ended(forked(folder, False))==0
    return files(folder)


@pytest.mark.fault(27, without={'mnist_course.persist.load_opt_state': 'lambda opt, state: None'})
def test_a_run_that_is_killed_thrice_ends_bit_for_bit_as_one_that_is_not(tmp_path, prelude, whole):
    killed(tmp_path, 3)
    out, err, rc = run(prelude+anew+train, tmp_path)    # to its end, in a fresh process
    assert rc==0 and same(files(tmp_path), whole), err


@pytest.mark.fault(28, without={'mnist_course.persist.load_random_state': 'lambda dls, state: None'})
def test_it_takes_the_random_state_to_be_so(tmp_path, whole):
    killed(tmp_path, 1)
    assert ended(forked(tmp_path, True))==0 and same(files(tmp_path), whole)
