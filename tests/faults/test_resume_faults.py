"""Faults 65 to 82, 116, 117 and 120: a run that goes on with something else than it began with, a file whose digest is right and whose contents are not,
errors that hide the one before, and a search for a rate that has none to give"""
import copy, math, warnings
from functools import partial

import numpy as np
import pytest
import torch
from damage import dice
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from learners import same, state, weights
from torch import nn

from mnist_course import learner as learner_module
from mnist_course import persist, sgd
from mnist_course.learner import Callback, DataLoaders, Learner, LRFinder
from mnist_course.optimizer import SGD, Adam
from mnist_course.recipes import RECIPES, Pixels
from mnist_course.sgd import DataLoader, train_epoch
from mnist_course.softmax import accuracy, cross_entropy

CHECK_RUN = 'mnist_course.persist.check_run'


def data(n=40, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.rand(n, 28, 28, generator=g), torch.arange(n)%10


def net(act=nn.ReLU, pixels=(0.,1.)): return nn.Sequential(Pixels(*pixels), nn.Linear(784,8), act(), nn.Linear(8,10))

def learner(xy=None, model=None, loss=cross_entropy, opt=Adam, seed=1, metrics=accuracy, bs=10, held_out=None, **kwargs):
    torch.manual_seed(0)
    xy = data() if xy is None else xy
    dls = DataLoaders(DataLoader(xy, bs, shuffle=True, seed=seed, **kwargs), DataLoader(held_out or data(20, 1), 20))
    return Learner(dls, model or net(), loss, opt, metrics=metrics)

def fit(learn, n=1, **kwargs):
    with learn.no_bar(): learn.fit(n, **kwargs)
    return learn


@pytest.fixture
def saved(tmp_path):
    "A run of two epochs, its file and what it holds"
    path = tmp_path/'last.safetensors'
    persist.save_checkpoint(path, fit(learner(), 2))
    return path


def rewrite(path, change, kind='checkpoint'):
    "The file with other contents and the digest that belongs to them"
    tensors, header = persist.read_tensors(path, kind)
    tensors, header = copy.deepcopy((tensors, header))
    change(header, tensors)
    persist.write_tensors(path, tensors, header)


def refused(path, change, said, make=learner):
    "Such a file is refused in a line that names file and field, by a new Learner and by one that has trained; neither is changed"
    if change: rewrite(path, change)
    for learn in (make(), fit(make())):
        learn.recorder._open(learn.metrics)    # as a fit begins
        before = state(learn)
        with pytest.raises(ValueError) as e: persist.load_checkpoint(path, learn)
        assert str(path.name) in str(e.value) and said in str(e.value) and '\n' not in str(e.value), e.value
        assert state(learn)==before


# A resumed run knows its run

def shuffled(xy): return xy[0], xy[1][torch.randperm(40, generator=torch.Generator().manual_seed(3))]

@pytest.mark.fault(65, without={CHECK_RUN: 'lambda *args: None'})
@pytest.mark.parametrize('make, said', [
    (lambda: learner(data(40, 5)), 'made with digest of the pictures: '), (lambda: learner(shuffled(data())), 'made with digest of the labels: ')])
def test_other_pictures_or_labels_are_not_gone_on_with(saved, make, said): refused(saved, None, said, make)


@pytest.mark.fault(66, without={CHECK_RUN: 'lambda *args: None'})
@pytest.mark.parametrize('make, said', [
    (lambda: learner(loss=nn.CrossEntropyLoss()), 'made with loss: cross_entropy; now CrossEntropyLoss('),
    (lambda: learner(model=net(nn.Tanh)), 'made with layer 2: ReLU; now Tanh'),
    (lambda: learner(model=net(pixels=(.5,.5))), 'made with layer 0: Pixels settings=mean=0.0, std=1.0; now Pixels settings=mean=0.5, std=0.5')])
def test_another_loss_activation_or_range_of_pixels_is_not_gone_on_with(saved, make, said): refused(saved, None, said, make)


def weighted(last=2.): return nn.CrossEntropyLoss(torch.tensor([1.]*9+[last]))

@pytest.mark.fault(116, without={CHECK_RUN: 'lambda *args: None'})
@pytest.mark.parametrize('make', [lambda: learner(loss=weighted(3.)), lambda: learner(loss=nn.CrossEntropyLoss())])
def test_other_weights_of_classes_are_not_gone_on_with(tmp_path, make):
    path = tmp_path/'last.safetensors'
    persist.save_checkpoint(path, fit(learner(loss=weighted()), 2))
    refused(path, None, "made with weights in the loss: {'weight': ", make)
    assert same(weights(fit(learner(loss=weighted()), 4, cbs=persist.Resume(path)).model), weights(fit(learner(loss=weighted()), 4).model))


@pytest.mark.fault(116, without={CHECK_RUN: 'lambda *args: None'})
@pytest.mark.parametrize('xy, said', [(data(20, 2), 'digest of the pictures to validate: '), ((data(20, 1)[0], data(20, 1)[1].flip(0)), 'digest of the labels to validate: ')])
def test_another_set_to_validate_is_not_gone_on_with(saved, xy, said): refused(saved, None, f'made with {said}', lambda: learner(held_out=xy))


@pytest.mark.fault(66, without={CHECK_RUN: 'lambda *args: None'})
def test_another_recipe_is_not_gone_on_with(tmp_path):
    recipe = RECIPES['mlp-64-64']
    fit(learner(), cbs=persist.CheckpointCallback(tmp_path, recipe=recipe))
    other = persist.CheckpointCallback(tmp_path/'other', recipe=RECIPES['mlp-490'])
    with pytest.raises(ValueError, match='made with recipe: mlp-64-64; now mlp-490. Give the same'):
        fit(learner(), 2, cbs=[other, persist.Resume(tmp_path/'last.safetensors')])
    again = persist.CheckpointCallback(tmp_path, recipe=recipe)
    assert len(fit(learner(), 2, cbs=[again, persist.Resume(tmp_path/'last.safetensors')]).recorder.values)==2


@pytest.mark.fault(67, without={'mnist_course.persist.say_seed': 'lambda path, then, now: now'})
def test_another_seed_is_said_to_play_no_part_and_plays_none(saved):
    whole = fit(learner(), 4)
    with pytest.warns(UserWarning, match='last.safetensors: the seed 7 is not taken: the run goes on as it began, with seed 1'):
        learn = fit(learner(seed=7), 4, cbs=persist.Resume(saved))
    assert same(weights(learn.model), weights(whole.model)) and learn.dls.train.seed==1
    persist.save_checkpoint(saved, learn)
    assert persist.kept_seed(saved)==1


def old(header, tensors): header['run'] = {k: header['run'][k] for k in ('batches an epoch','batch size','pictures to train on','metrics')}

def before_it_was_asked(header, tensors):
    for name in ('digest of the pictures to validate','digest of the labels to validate','weights in the loss'): del header['run'][name]

@pytest.mark.parametrize('change', [None, old, before_it_was_asked])
def test_the_same_run_goes_on_and_so_does_one_from_an_older_version(saved, change):
    if change: rewrite(saved, change)
    whole = fit(learner(), 4)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        learn = fit(learner(), 4, cbs=persist.Resume(saved))
    assert same(weights(learn.model), weights(whole.model)) and learn.recorder.losses==whole.recorder.losses


def test_what_is_unknown_is_not_held_against_a_run(tmp_path):
    "torch's loader has no tensors to look at; a layer that counts its calls is the same layer afterwards"
    class Counts(nn.Module):
        def __init__(self): super().__init__(); self.calls = 0
        def forward(self, x): self.calls += 1; return x
    def make():
        torch.manual_seed(0)
        dl = torch.utils.data.DataLoader(list(zip(*data())), 10)
        return Learner(DataLoaders(dl, dl), nn.Sequential(Counts(), nn.Flatten(), nn.Linear(784,10)), cross_entropy, Adam)
    persist.save_checkpoint(tmp_path/'f', fit(make()))
    assert len(fit(make(), 2, cbs=persist.Resume(tmp_path/'f')).recorder.values)==2


# A right digest on wrong contents

def put(*keys_value):
    *keys, last, value = keys_value
    def change(header, tensors):
        for k in keys: header = header[k]
        header[last] = value
    return change

def drop(*keys):
    *keys, last = keys
    def change(header, tensors):
        for k in keys: header = header[k]
        del header[last]
    return change

def tensor(name, make):
    def change(header, tensors): tensors[name] = make(tensors[name])
    return change


HEADERS = [(put('epoch', v), 'epoch') for v in ('x', -3, 10**9, True, None, 1.5, [2])] + [
    (put('n_epoch', 'x'), 'n_epoch'), (put('run', None), 'run'), (put('run', [1]), 'run'), (put('state', None), 'state'), (drop('state'), 'state'),
    (put('state', []), 'state'), *[(drop('state', k), f'state.{k}') for k in ('model','opt','random','recorder')],
    *[(put('state', k, v), f'state.{k}') for k in ('model','opt','random','recorder') for v in ('x', 3, [1], {'__tensor__': 'model.1.bias'})],
    *[(drop('run', k), f'run says no {k}') for k in ('batches an epoch','batch size','pictures to train on','metrics')],
    (put('run', 'layers', 'x'), 'run.layers'), (put('run', 'seed', 'x'), 'run.seed'), (put('run', 'loss', 5), 'loss'), (put('run', 'metrics', 3), 'metrics'),
    (put('state', 'model', '1.bias', {'__tensor__': 'nowhere'}), 'state'), (put('state', 'model', '1.bias', {'__tensor__': [1]}), 'state'),
    (put('state', 'model', '1.bias', 7), 'state.model.1.bias')]

@pytest.mark.fault(68, without={'mnist_course.persist._check_fits': 'lambda *args: None', 'mnist_course.persist._state':
                                'lambda path, tree, tensors: mnist_course.persist.put_tensors(tree, tensors)'})
@pytest.mark.parametrize('i', range(len(HEADERS)))
def test_a_header_that_says_what_cannot_be_is_refused(saved, i): refused(saved, *HEADERS[i])


RECORDS = [(drop('state','recorder',k), f'state.recorder.{k}') for k in ('values','times','losses','lrs','ends')] + [
    *[(put('state','recorder',k,v), f'state.recorder.{k}') for k in ('losses','ends') for v in (5, [1], 'x')],
    (tensor('recorder.values', lambda t: t[:1]), 'state.recorder.values'), (tensor('recorder.values', lambda t: t[:,:2]), 'state.recorder.values'),
    (tensor('recorder.lrs', lambda t: t[1:]), 'state.recorder.lrs'), (tensor('recorder.ends', lambda t: t.flip(0)), 'state.recorder.ends'),
    (tensor('recorder.ends', lambda t: t+.5), 'state.recorder.ends'), (tensor('recorder.losses', lambda t: t.float()), 'state.recorder.losses')]

@pytest.mark.fault(69, without={'mnist_course.persist.check_record': 'lambda *args: None'})
@pytest.mark.parametrize('i', range(len(RECORDS)))
def test_a_record_that_cannot_be_is_refused(saved, i): refused(saved, *RECORDS[i])


RANDOM = [(tensor(f'random.{k}', f), f'state.random.{k}') for k in ('torch','loader0')
          for f in (lambda t: t[:-1], lambda t: t.float(), lambda t: torch.full_like(t, 255))] + [
    (put('state','random','torch',5), 'state.random.torch'), (put('state','random','loader7',5), 'state.random'), (drop('state','random','loader0'), 'state.random')]

@pytest.mark.fault(70, without={'mnist_course.persist._check_random': 'lambda *args: None'})
@pytest.mark.parametrize('i', range(len(RANDOM)))
def test_random_numbers_of_another_kind_are_refused(saved, i): refused(saved, *RANDOM[i])


unchecked = {'mnist_course.persist.check_opt_state': 'lambda *args: None'}
LRS = 'x', math.nan, math.inf, -1, True, None, [1]
OPT = [(put('state','opt','settings','step',5), 'state.opt.settings'), (put('state','opt','settings','params',[]), 'state.opt.settings'),
       *[(put('state','opt','settings','lr',v), 'state.opt.settings.lr') for v in LRS], (put('state','opt','settings','mom',1.), 'state.opt.settings.mom'),
       (put('state','opt','memory','zero_grad',{}), 'state.opt.memory'), (put('state','opt','memory','state',[]), 'state.opt.memory.state'),
       (put('state','opt','memory','state','9',[1,2,3]), 'state.opt.memory.state'), (put('state','opt','memory','state','0',[1]), 'state.opt.memory.state.0'),
       (put('state','opt','memory','state','0',0,'x'), 'state.opt.memory.state.0.0'), (put('state','opt','memory','state','0',0,-1), 'state.opt.memory.state.0.0'),
       (put('state','opt','memory','state','0',1,None), 'state.opt'), (put('state','opt','kind','x'), 'kind'), (drop('state','opt','settings'), 'state.opt.settings'),
       (put('state','opt','shapes',5), 'shapes'), (tensor('opt.memory.state.0.1', lambda t: t[:1]), 'state.opt.memory.state.0.1'),
       (tensor('opt.memory.state.0.2', lambda t: t[None]), 'state.opt.memory.state.0.2'), (tensor('opt.memory.state.1.1', lambda t: t.double()), 'state.opt.memory.state.1.1')]

@pytest.mark.fault(71, without=unchecked)
@pytest.mark.parametrize('i', range(len(OPT)))
def test_settings_and_memory_of_no_such_optimizer_are_refused(saved, i): refused(saved, *OPT[i])


TORCHS = [(put('state','opt','param_groups',[]), 'state.opt.param_groups'), (put('state','opt','param_groups',0,'step',5), 'state.opt.param_groups.0'),
          (put('state','opt','param_groups',0,'params',[0]), 'state.opt.param_groups.0.params'), (put('state','opt','param_groups',0,'betas',[.9]), 'betas'),
          (put('state','opt','param_groups',0,'lr','x'), 'param_groups.0.lr'), (put('state','opt','state','0',[]), 'state.opt.state.0'),
          (tensor('opt.state.0.exp_avg', lambda t: t[:1]), 'state.opt.state.0.exp_avg'), (drop('state','opt','state','0','exp_avg'), 'state.opt.state.0')]

@pytest.mark.fault(71, without=unchecked)
@pytest.mark.parametrize('i', range(len(TORCHS)))
def test_a_state_of_no_such_optimizer_of_torch_is_refused(tmp_path, i):
    path, make = tmp_path/'last.safetensors', partial(learner, opt=torch.optim.AdamW)
    persist.save_checkpoint(path, fit(make(), 2))
    assert len(fit(make(), 3, cbs=persist.Resume(path)).recorder.values)==3
    refused(path, *TORCHS[i], make)


NEGATIVE = {Adam: 'opt.memory.state.0.2', torch.optim.AdamW: 'opt.state.0.exp_avg_sq'}

@pytest.mark.fault(117, without=unchecked)
@pytest.mark.parametrize('opt', NEGATIVE)
def test_a_mean_of_squares_below_0_is_refused(tmp_path, opt):
    path, make = tmp_path/'last.safetensors', partial(learner, opt=opt)
    persist.save_checkpoint(path, fit(make(), 2))
    refused(path, tensor(NEGATIVE[opt], lambda t: -t-1), f'no state that {opt.__name__} can go on with: a step with it makes weights nan', make)


@pytest.mark.parametrize('opt', NEGATIVE)
def test_a_learner_whose_own_memory_is_nan_takes_a_sound_state(tmp_path, opt):
    path, make = tmp_path/'last.safetensors', partial(learner, opt=opt)
    persist.save_checkpoint(path, fit(make(), 2))
    learn, sound = fit(make()), weights(make().model)
    fit(learn, cbs=type('Spoils', (Callback,), dict(after_loss=lambda self: self.learn.training and setattr(self.learn, 'loss', self.learn.loss*math.nan)))())
    learn.model.load_state_dict(sound)    # weights are put back, the optimizer still has nan in its memory
    persist.load_checkpoint(path, learn)
    assert same(weights(learn.model), weights(fit(make(), 2).model))


def places(tree, at=()):
    "Every place in a header"
    yield at
    for k,v in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else (): yield from places(v, (*at, k))

JSON = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.integers(), st.floats(), st.text(max_size=3), st.lists(st.integers(0, 2), max_size=3),
                 st.dictionaries(st.text(max_size=2), st.integers(), max_size=2), st.just({'__tensor__': 'recorder.ends'}))
FREE = {'package','kind','format'}    # not of the state

@pytest.fixture(scope='module')
def one(tmp_path_factory):
    "A good file's tensors and header, and a folder"
    folder = tmp_path_factory.mktemp('hypothesis')
    persist.save_checkpoint(folder/'f', fit(learner(), 2))
    return folder, persist.read_tensors(folder/'f', 'checkpoint')


@pytest.mark.fault(72, without={'mnist_course.persist._check_fits': 'lambda *args: None'})
def test_two_hundred_changes_anywhere_in_a_header_are_refused_or_harmless(one, monkeypatch):
    """Of a file that loads, the Learner has what the file says and trains on; of one that doesn't, a `ValueError` names the file, and the
    Learner is as it was to the bit"""
    folder, (tensors, header) = one
    monkeypatch.setattr(persist, 'write_atomic', lambda path, data: path.write_bytes(data))    # no disk need be waited for
    learn, outcomes = learner(), []
    learn.recorder._open(learn.metrics)
    @settings(max_examples=200, phases=[Phase.explicit, Phase.generate])
    @given(st.sampled_from([at for at in places(header) if at and at[0] not in FREE]), JSON)
    def change(at, value):
        mine, part = copy.deepcopy(header), None
        part = mine
        for k in at[:-1]: part = part[k]
        part[at[-1]] = value
        persist.write_tensors(folder/'g', tensors, mine)
        before = state(learn)
        target = learn
        try: persist.load_checkpoint(folder/'g', target, random=False)
        except ValueError as e:
            assert str(folder/'g') in str(e) and state(learn)==before
            outcomes.append('refused')
        else:
            assert all(isinstance(v, (int,float)) for v in vars(target.opt).values() if not isinstance(v, (dict,list)))
            assert callable(target.opt.step) and len(target.recorder.values)==2
            xb, yb = next(iter(target.dls.valid))
            target.loss_func(target.model(xb), yb).backward()
            target.opt.step(); target.opt.zero_grad()
            outcomes.append('taken')
    change()
    assert outcomes.count('refused')>=100


MODELS = [(put('recipe', v), 'recipe') for v in ('mlp-64-64', [1], 3, True, {'lr': 1}, {'name': 5}, {'name': None})] + [
    (put('classes', 'x'), 'classes'), (put('classes', None), 'classes'), (put('metrics', [1]), 'metrics'), (put('metrics', 'x'), 'metrics'), (drop('metrics'), 'metrics')]

@pytest.mark.fault(73, without={'mnist_course.persist.check_model_header': 'lambda *args: None'})
@pytest.mark.parametrize('i', range(len(MODELS)))
def test_a_models_header_that_says_what_cannot_be_is_refused(tmp_path, i):
    path, model = tmp_path/'m.safetensors', RECIPES['mlp-64-64'].model()
    persist.save_model(path, model, RECIPES['mlp-64-64'], dict(accuracy=.9))
    rewrite(path, MODELS[i][0], 'model')
    before = weights(model)
    for load in (lambda: persist.load_model(path), lambda: persist.load_model(path, model)):
        with pytest.raises(ValueError, match=f'm.safetensors: {MODELS[i][1]}'): load()
    assert same(weights(model), before)


@pytest.mark.fault(73, without={'mnist_course.persist.check_model_header': 'lambda *args: None'})
def test_such_a_model_in_the_place_of_the_best_does_not_stop_a_run(tmp_path):
    cb = persist.CheckpointCallback(tmp_path)
    fit(learner(), cbs=cb)
    rewrite(cb.best_file, put('metrics', [1]), 'model')
    assert fit(learner(), 2, cbs=[persist.Resume(cb.last_file), again := persist.CheckpointCallback(tmp_path)]) and again.best is not None


@pytest.mark.fault(74, without={'mnist_course.persist.warn_of_nan': 'lambda *args: None'})
def test_weights_that_are_nan_are_told_of_when_they_are_loaded(tmp_path, saved):
    "They are loaded: whoever looks for the reason needs them. A mask of `-inf` is sound"
    path, model = tmp_path/'m.safetensors', nn.Linear(4,2)
    model.register_buffer('mask', torch.tensor([0., -math.inf]))
    persist.save_model(path, model)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        persist.load_model(path, model)
    model.bias.data[1] = math.nan
    persist.save_model(path, model)
    with pytest.warns(UserWarning, match='m.safetensors: nan or infinite numbers in bias: no answer'): persist.load_model(path, model)
    rewrite(saved, tensor('model.1.weight', lambda t: t*math.inf))
    with pytest.warns(UserWarning, match='last.safetensors: nan or infinite numbers in model.1.weight'): fit(learner(), 2, cbs=persist.Resume(saved))


# The first error is the one that is shown

class Fails(Callback):
    def after_loss(self): raise RuntimeError('first')

class Stumbles(Callback):
    def __init__(self, error=None): self.error = error or OSError('second')
    def cleanup_fit(self): raise self.error


def exit_stack(patch):
    "As it was: whatever fails last is what is shown"
    from contextlib import ExitStack, contextmanager
    @contextmanager
    def ends_in_turn(ends):
        try: yield
        finally:
            with ExitStack() as stack:
                for end in reversed(list(ends)): stack.callback(end)
    patch.setattr(learner_module, 'in_any_case', ends_in_turn)


@pytest.mark.fault(75, without=exit_stack)
def test_an_error_in_tidying_up_does_not_hide_the_one_before(tmp_path):
    learn = learner()
    own = list(learn.cbs)
    with pytest.raises(RuntimeError, match='first') as e: fit(learn, cbs=[Stumbles(), Fails(), Stumbles(KeyError('third'))])
    assert [n.partition('failed too: ')[2] for n in e.value.__notes__]==['OSError: second', "KeyError: 'third'"]
    assert [cb for cb in learn.cbs if cb not in own]==[] and len(fit(learn).recorder.values)==1
    with pytest.raises(OSError, match='second') as e: fit(learn, cbs=Stumbles(OSError('second')))    # alone, it is the first
    with pytest.raises(KeyboardInterrupt) as e: fit(learn, cbs=[Fails(), Stumbles(KeyboardInterrupt())])    # nor does an error hide Ctrl-C
    assert str(e.value.__context__)=='first'


@pytest.mark.fault(76, without=lambda patch: patch.setattr(learner_module, 'one_number', lambda v, name: v.detach()))
@pytest.mark.parametrize('loss', [nn.CrossEntropyLoss(reduction='none'), lambda p, y: p.square()])
def test_a_loss_that_is_not_one_number_says_its_shape(loss):
    shape = r'\(10, 10\)' if not isinstance(loss, nn.Module) else r'\(10,\)'
    for work in (fit, lambda learn: learn.validate(dl=DataLoader(data(10), 10)), lambda learn: learn.lr_find(show_plot=False)):
        with pytest.raises(ValueError, match=rf"the loss has shape {shape}: expected one number, .*reduction='mean'"): work(learner(loss=loss))


def test_a_loss_that_is_no_tensor_says_what_it_is():
    with pytest.raises(ValueError, match='the loss is 0.5: expected a tensor'): fit(learner(loss=lambda p, y: .5))
    with pytest.raises(ValueError, match='the metric per_row has shape'):
        def per_row(p, y): return p.argmax(1)==y
        fit(learner(metrics=per_row))


@pytest.mark.parametrize('loss', [lambda p, y: cross_entropy(p, y)[None], nn.CrossEntropyLoss(), lambda p, y: cross_entropy(p, y).reshape(1,1)])
def test_a_loss_of_one_element_is_taken_as_torch_takes_it(loss):
    plain = fit(learner(), 2)
    learn = fit(learner(loss=loss), 2)
    assert torch.allclose(torch.tensor(learn.recorder.values), torch.tensor(plain.recorder.values), atol=1e-5)
    assert all(type(v)==float for v in learn.recorder.losses)


def bn_net(): return nn.Sequential(nn.Flatten(), nn.Linear(784,8), nn.BatchNorm1d(8), nn.Linear(8,10))

@pytest.mark.fault(77, without=lambda patch: patch.setattr(learner_module, 'explained', lambda e, xb: e))
def test_a_last_batch_of_one_says_drop_last():
    for work in (fit, lambda learn: learn.lr_find(show_plot=False)):
        with pytest.raises(ValueError, match='a batch of 1 is too small for batch normalisation, .*drop_last=True') as e: work(learner(data(41), bn_net()))
        assert 'more than 1 value per channel' in str(e.value.__cause__)
    fit(learner(data(41), bn_net(), drop_last=True))
    fit(learner(data(41), nn.Sequential(nn.Unflatten(1, (1,28)), nn.Conv2d(1,3,3), nn.BatchNorm2d(3), nn.Flatten(), nn.LazyLinear(10))))   # enough pixels


@pytest.mark.fault(78, without={'mnist_course.sgd.check_used': 'lambda params: None'})
def test_a_parameter_that_the_model_does_not_use_is_named_before_any_moves():
    w, unused = torch.zeros(784, 10, requires_grad=True), torch.zeros(3, requires_grad=True)
    with pytest.raises(ValueError, match=r'parameter 1, shape \(3,\), has no gradient, because the model does not use it'):
        train_epoch(lambda x: x.flatten(1)@w, DataLoader(data(), 10), cross_entropy, [w, unused], .1)
    assert not w.any()
    train_epoch(lambda x: x.flatten(1)@w, DataLoader(data(), 10), cross_entropy, [w], .1)
    assert w.any()


class Seen(Callback):
    def __init__(self): self.n = 0
    def after_pred(self): self.n += 1

def no_guards(patch):
    for module in (learner_module, sgd):
        for name in ('check_count','check_function','check_loss','check_pictures'):
            if hasattr(module, name): patch.setattr(module, name, lambda *args, **kwargs: args[1] if len(args)>1 else None)

@pytest.mark.fault(79, without=no_guards)
@pytest.mark.parametrize('make, said', [
    (lambda cb: fit(learner(), 1.5, cbs=cb), 'n_epoch is 1.5: expected a whole number of passes, 1 or more'),
    (lambda cb: fit(learner(), True, cbs=cb), 'n_epoch is True: expected a whole number of passes'),
    (lambda cb: fit(learner(bs=True), cbs=cb), 'bs is True: expected a whole number of rows, 1 or more'),
    (lambda cb: fit(learner(metrics='accuracy'), cbs=cb), "metrics is 'accuracy': pass the function itself, without quotes: accuracy"),
    (lambda cb: fit(learner(loss=nn.CrossEntropyLoss), cbs=cb), 'make one of the class first: CrossEntropyLoss()'),
    (lambda cb: fit(learner(model=nn.Linear(784,10)), cbs=cb), 'each example has shape (28, 28): flatten the pictures, as with nn.Sequential(nn.Flatten(), model)')])
def test_what_makes_no_sense_is_one_sentence_before_the_first_batch(make, said):
    seen = Seen()
    with pytest.raises(ValueError) as e: make(seen)
    assert said in str(e.value) and '\n' not in str(e.value) and seen.n==0


def test_a_loss_may_come_later():
    learn = learner(loss=None)
    learn.loss_func = cross_entropy
    assert fit(learn).recorder.values==fit(learner()).recorder.values


def brings(moment): return type('Brings', (Callback,), {moment: lambda self: setattr(self.learn, 'loss_func', cross_entropy)})()

class OwnBatch(Learner):
    def _do_batch(self):
        self.pred = self.model(self.xb)
        self.loss = cross_entropy(self.pred, self.yb)
        self('after_loss')
        if self.training: self.loss.backward(); self.opt.step(); self.opt.zero_grad()

@pytest.mark.parametrize('cb', [None, *map(brings, ('before_fit','before_epoch','before_train','before_batch','after_pred'))])
def test_a_loss_may_come_from_a_callback_or_a_learner_of_ones_own(cb):
    due = fit(learner()).recorder.values
    learn = learner(loss=None)
    if cb is None: learn = OwnBatch(learn.dls, learn.model, None, Adam, metrics=learn.metrics)
    assert fit(learn, cbs=cb).recorder.values==due


def test_no_loss_at_all_is_one_sentence_whoever_listens():
    for cb in (None, Seen()):
        with pytest.raises(ValueError, match='^loss_func is None: expected a function$'): fit(learner(loss=None), cbs=cb)
    late = learner(loss=None)
    late.loss_func = 'accuracy'
    with pytest.raises(ValueError, match="loss_func is 'accuracy': pass the function itself, without quotes: accuracy"): fit(late, cbs=Seen())


def test_metrics_that_come_later_are_looked_at_too():
    learn = learner()
    learn.metrics.append('accuracy')
    with pytest.raises(ValueError, match="metrics is 'accuracy'"): fit(learn)


class Own(nn.Module):
    def __init__(self): super().__init__(); self.lin = nn.Linear(784,10)
    def forward(self, x): return self.lin(x.flatten(1))

class Flattens(Callback):
    def before_batch(self): self.learn.xb = self.learn.xb.flatten(1)

@pytest.mark.parametrize('work', [
    lambda: fit(learner(model=Own())), lambda: fit(learner(model=nn.Linear(784,10)), cbs=Flattens()),
    lambda: fit(learner(model=nn.Sequential(nn.Flatten(), nn.Linear(784,10)))),
    lambda: fit(learner((data()[0].double(), data()[1]), net().double()), cbs=ToDouble()), lambda: fit(learner(model=frozen()), 2), lambda: fit(learner(), np.int64(1))],
    ids=['flattens itself', 'a callback flattens', 'flatten', 'float64', 'frozen', 'numpy number'])
def test_what_is_sound_stays_so(work): assert math.isfinite(work().recorder.values[-1][0])

class ToDouble(Callback):
    def before_batch(self): self.learn.xb = self.learn.xb.double()

def frozen():
    torch.manual_seed(0)
    model = net()
    model[1].requires_grad_(False)
    return model


def test_a_run_with_frozen_layers_goes_on(tmp_path):
    def make(): return learner(model=frozen(), opt=partial(SGD, mom=.9))
    persist.save_checkpoint(tmp_path/'f', fit(make(), 2))
    assert same(weights(fit(make(), 4, cbs=persist.Resume(tmp_path/'f')).model), weights(fit(make(), 4).model))


# A search for a rate

def as_it_was(patch):
    "The rate of the steepest slope wherever it lies"
    def steepest(lrs, losses):
        losses, lrs = torch.tensor(losses), torch.tensor(lrs)
        best = max(losses.nan_to_num(math.inf).argmin().item(), 2)+1
        return lrs[torch.gradient(losses[:best], spacing=(lrs[:best].log(),))[0].argmin()].item()
    patch.setattr(learner_module, 'steepest', steepest)
    for name in ('check_range','check_count'): patch.setattr(learner_module, name, lambda *args, **kwargs: args[1])

def find(**kwargs): return learner(opt=SGD, bs=4).lr_find(show_plot=False, **kwargs)

@pytest.mark.fault(80, without=as_it_was)
@pytest.mark.parametrize('wrong, said', [
    (dict(start_lr=0), 'start_lr is 0 and end_lr is 10.0: expected two numbers above 0'), (dict(start_lr=0, end_lr=1), 'expected two numbers above 0'),
    (dict(start_lr=1, end_lr=1e-5), 'the smaller one first'), (dict(start_lr=1, end_lr=1), 'the smaller one first'),
    (dict(start_lr=math.nan), 'start_lr is nan'), (dict(end_lr=math.inf), 'end_lr is inf'), (dict(start_lr=-1), 'start_lr is -1'),
    (dict(num_it=3), 'num_it is 3: expected a whole number of batches, enough for a curve, 10 or more'), (dict(num_it=50.5), 'num_it is 50.5')])
def test_a_range_without_rates_is_a_sentence(wrong, said):
    with pytest.raises(ValueError) as e: find(**wrong)
    assert said in str(e.value)
    if 'num_it' not in wrong:
        with pytest.raises(ValueError): LRFinder(**wrong)


@pytest.mark.fault(81, without=as_it_was)
def test_a_loss_that_only_rises_gives_no_rate():
    learn = learner(opt=SGD, bs=4)
    before = weights(learn.model)
    with pytest.raises(ValueError, match=r'the loss only rises, from .* at a rate of 1e\+03: begin with a smaller start_lr'):
        learn.lr_find(1e3, 1e8, show_plot=False)
    assert same(weights(learn.model), before) and learn.opt is None
    with pytest.raises(ValueError, match='the loss is nan from the start, at a rate of 1e-05: check data and model'):
        learner((data()[0]*math.nan, data()[1])).lr_find(show_plot=False)


def four_times_the_best(patch):
    def after_step(self):
        self.mean = self.smooth*self.mean + (1-self.smooth)*self.learn.loss.item()
        self.lrs.append(self.lr)
        self.losses.append(self.mean/(1-self.smooth**len(self.lrs)))
        if not self.losses[-1] <= 4*min(self.losses) or len(self.lrs)==self.num_it: raise learner_module.CancelFitException
    patch.setattr(LRFinder, 'after_step', after_step)

@pytest.mark.fault(120, without=four_times_the_best)
@pytest.mark.parametrize('below', [3, 10])
def test_a_loss_below_0_that_falls_gives_a_rate(below):
    "The same rate as where it is above 0: less a constant, it has the same slopes"
    def find(loss): return learner(loss=loss, opt=SGD, bs=40).lr_find(1e-3, 1., num_it=40, show_plot=False)
    rate = find(lambda pred, y: cross_entropy(pred, y)-below)
    assert 1e-3<rate<1 and math.isclose(rate, find(cross_entropy), rel_tol=1e-3)


def without_its_sentence(patch):
    found = learner_module.steepest
    patch.setattr(learner_module, 'steepest', lambda lrs, losses: found(lrs, losses) if losses else math.nan)

@pytest.mark.fault(120, without=without_its_sentence)
def test_a_search_that_a_callback_ends_before_its_first_step_is_told():
    class Ends(Callback):
        def before_batch(self): raise learner_module.CancelFitException
    learn = learner()
    learn.add_cbs(Ends())
    before = weights(learn.model)
    with pytest.raises(ValueError, match='no rate was tried: a callback ends the search before its first step'): learn.lr_find(show_plot=False)
    assert same(weights(learn.model), before) and learn.opt is None


@pytest.mark.fault(82, without=as_it_was)
@pytest.mark.parametrize('start, end', [(1e-5,10), (1e-4,1e-2), (1e-2,1.), (1e-5,1e-3)])
def test_the_rate_that_is_found_is_never_an_end_of_the_range(start, end):
    "At the low ends of these ranges the first losses jump about; at the high ends the loss still falls"
    lrs = [start*(end/start)**(i/29) for i in range(30)]
    for _ in range(30):
        losses = [10-i/5+dice.uniform(-1, 1) if i<20 else 6-(i-20)**2/9 for i in range(30)]
        losses[1] = losses[0]-3    # one good batch
        rate = learner_module.steepest(lrs, losses)
        assert lrs[0]<rate<lrs[-1]
    assert start<learner(opt=SGD, bs=40).lr_find(start, end, show_plot=False)<end    # one batch is all, so that the loss falls on and on
