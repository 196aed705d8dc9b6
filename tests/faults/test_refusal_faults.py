"""Faults 106 to 111, 118 and 119: what is refused is refused at once and changes nothing, and all that is taken can be given back"""
import math, os, warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from learners import state
from torch import nn

from mnist_course import learner as learner_module
from mnist_course import persist
from mnist_course.core import runs
from mnist_course.learner import Callback, DataLoaders, Learner
from mnist_course.mlp import mlp
from mnist_course.optimizer import SGD, Adam
from mnist_course.persist import load_checkpoint, load_model, read_tensors, save_checkpoint, save_model
from mnist_course.recipes import get_recipe
from mnist_course.sgd import DataLoader
from mnist_course.softmax import accuracy, cross_entropy
from mnist_course.speed_answer import save_numpy

dice = torch.Generator().manual_seed(0)
X, Y = torch.rand(40, 784, generator=dice), torch.arange(40)%10

def learner(model=None, metrics=accuracy, loaders=None, **kwargs):
    torch.manual_seed(0)
    dls = DataLoaders(*(loaders or [DataLoader((X,Y), 8, shuffle=True, seed=1), DataLoader((X,Y), 20)]))
    return Learner(dls, model or mlp(784,4,10), cross_entropy, SGD, .1, metrics=metrics, **kwargs)

def fit(learn, *args, **kwargs):
    with learn.no_bar(): learn.fit(*(args or (1,)), **kwargs)
    return learn


# What save takes load takes

plain = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers(), st.just(10**400), st.just(-10**300),
                  st.builds(np.float32, st.floats(width=32)), st.builds(lambda n: torch.arange(n%4), st.integers(0)), st.sets(st.integers()), st.builds(np.int64, st.integers(-9,9)),
                  st.builds(lambda n: np.arange(n%3)*1j, st.integers(0)), st.just(object()))
tree = st.recursive(plain, lambda inner: st.one_of(st.lists(inner), st.tuples(inner), st.dictionaries(st.one_of(st.text(), st.integers(), st.none()), inner)), max_leaves=8)

def equal(a, b):
    "Equal, where nan is equal to nan"
    if isinstance(a, dict): return isinstance(b, dict) and a.keys()==b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list): return isinstance(b, list) and len(a)==len(b) and all(map(equal, a, b))
    return type(a)==type(b) and (a==b or isinstance(a, float) and math.isnan(a) and math.isnan(b))

def as_it_was(recipe, classes, metrics, weights):
    "How the header was made before it was checked"
    return dict(kind='model', recipe=recipe and dict(name=recipe.name), classes=list(classes), metrics=metrics or {})

@pytest.mark.fault(106, without=lambda patch: patch.setattr(persist, 'model_header', as_it_was))
def test_all_that_save_model_takes_load_model_takes(tmp_path):
    model, taken = get_recipe('softmax-regression').model(), []
    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    @given(metrics=tree, classes=st.one_of(tree, st.lists(plain, min_size=10, max_size=10), st.just(range(5)), st.just(range(10)), st.just('abcdefghij')),
           recipe=st.sampled_from([None, 'softmax-regression', 'mlp-65', 5]))
    def look(metrics, classes, recipe):
        file = tmp_path/'m.safetensors'
        file.unlink(missing_ok=True)
        try: save_model(file, model, recipe, metrics, classes)
        except ValueError as e:
            assert not file.exists() and '\n' not in str(e).strip()
            return
        header = read_tensors(file, 'model')[1]
        load_model(file) if recipe else load_model(file, get_recipe('softmax-regression').model())
        again = tmp_path/'again.safetensors'
        save_model(again, model, recipe, header['metrics'], header['classes'])    # what was read can be written again
        assert equal(read_tensors(again)[1], header)
        taken.append(header)
    look()
    save_model(tmp_path/'m.safetensors', model, 'softmax-regression', dict(a=np.float32(.5), b=[1,(2,None)]), np.arange(10))    # not all is refused
    assert read_tensors(tmp_path/'m.safetensors')[1]['metrics']==dict(a=.5, b=[1,[2,None]]) and load_model(tmp_path/'m.safetensors')


@pytest.mark.parametrize('classes,metrics,said', [(range(5), {}, '5 classes for 10 probabilities'), ([[1]]*10, {}, 'classes is'), (range(10), [1,2], 'metrics'), (range(10), {'sure_from': 3}, 'sure_from is 3'),
                                                  (range(10), {'a': 1j}, 'a complex can stand in no file'), (None, {}, 'classes is None')])
def test_save_numpy_refuses_what_it_could_not_read(tmp_path, classes, metrics, said):
    with pytest.raises(ValueError, match=said): save_numpy(tmp_path/'n.safetensors', get_recipe('softmax-regression').model(), classes, metrics)
    assert not (tmp_path/'n.safetensors').exists()

def test_save_numpy_takes_numpys_own_numbers(tmp_path):
    from mnist_course.core.numpy_forward import load_numpy, read_numpy
    save_numpy(tmp_path/'n.safetensors', get_recipe('softmax-regression').model(), np.arange(10), dict(accuracy=np.float32(.5), n=torch.tensor(3), rows=np.arange(2)))
    assert read_numpy(tmp_path/'n.safetensors')[0]['metrics']==dict(accuracy=.5, n=3, rows=[0,1]) and load_numpy(tmp_path/'n.safetensors').classes==list(range(10))
    with pytest.raises(ValueError, match='give the path first'): save_numpy(get_recipe('softmax-regression').model(), tmp_path/'n.safetensors')


# A fit that is refused changes nothing

class Good(Callback): pass

class Wide(Callback):
    after_batch = 5

REFUSED = [dict(cbs=[Good(), bad]) for bad in ('x', Good, 5, None, lambda: 0, Wide())] + [dict(lr='a'), dict(lr=-1), dict(n_epoch=0), dict(loss_func=None)]

def everything(learn):
    return state(learn), [*learn.cbs], learn.opt, {k: v for k,v in vars(learn).items() if k not in ('model','dls','cbs','opt','recorder')}

@pytest.mark.fault(107, without={'mnist_course.learner.check_callbacks': 'lambda cbs, moments: None'})
def test_a_refused_fit_leaves_the_learner_as_it_was():
    for asked in REFUSED:
        for begun in (False, True):
            learn = fit(learner()) if begun else learner()
            n, settings = asked.get('n_epoch', 1), {k: v for k,v in asked.items() if k in ('cbs','lr')}
            if 'loss_func' in asked: learn.loss_func = None
            before = everything(learn)
            with pytest.raises(ValueError) as e: fit(learn, n, **settings)
            assert everything(learn)==before and '\n' not in str(e.value), asked
            learn.loss_func = cross_entropy
            fit(learn)    # and it still works

def test_a_class_where_an_object_belongs_is_told():
    for make, said in ((lambda: learner(cbs=Good), 'make one of it first, as Good()'), (lambda: learner(model=nn.Linear), 'make one of it first, as Linear'),
                       (lambda: Learner(mlp(784,4,10), DataLoaders([1],[1]), cross_entropy), 'expected a network of torch.nn'), (lambda: Learner(([1],[1]), mlp(784,4,10), cross_entropy), 'expected DataLoaders')):
        with pytest.raises(ValueError, match=said.replace('(', r'\(').replace(')', r'\)')): make()
    from mnist_course.your_digits import predict
    with pytest.raises(ValueError, match='the class Linear: make one of it first'): predict(np.zeros((28,28), 'u1'), model=nn.Linear)


# A checkpoint for a fresh Learner

def by_the_record(learn): return KNOWN(learn) | dict(metrics=learn.recorder.metric_names[2:])
KNOWN = runs.run_settings

@pytest.mark.fault(108, without=lambda patch: patch.setattr(persist, 'run_settings', by_the_record))
def test_a_fresh_learner_takes_a_checkpoint_with_metrics(tmp_path):
    def error(preds, targs): return 1-accuracy(preds, targs)
    for metrics in (accuracy, [accuracy, error], None):
        straight, first, fresh = fit(learner(metrics=metrics), 3), fit(learner(metrics=metrics), 1), learner(metrics=metrics)
        save_checkpoint(tmp_path/'c', first)
        assert load_checkpoint(tmp_path/'c', fresh)==1 and state(fresh)==state(first)
        assert fresh.recorder.metric_names==first.recorder.metric_names
        again = fit(learner(metrics=metrics), 3, cbs=persist.Resume(tmp_path/'c'))
        assert again.recorder.values==straight.recorder.values
    with pytest.raises(ValueError, match="made with metrics: \\[\\]; now \\['accuracy'\\]"): load_checkpoint(tmp_path/'c', learner())
    with pytest.raises(ValueError, match='no optimizer before its first fit'): save_checkpoint(tmp_path/'d', learner())


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='named pipes')
def test_a_pipe_in_the_place_of_a_file_is_told_at_once(tmp_path):
    os.mkfifo(tmp_path/'last.safetensors')
    for load in (lambda: load_checkpoint(tmp_path/'last.safetensors', learner()), lambda: load_model(tmp_path/'last.safetensors'), lambda: read_tensors(tmp_path/'last.safetensors')):
        with pytest.raises(ValueError, match='last.safetensors: a pipe or a device'): load()

@pytest.mark.parametrize('opt', [SGD, Adam])
def test_a_number_that_no_float_holds_is_refused_by_the_field(tmp_path, opt):
    learn = learner()
    learn.opt_func = opt
    save_checkpoint(tmp_path/'c', fit(learn))
    tensors, header = read_tensors(tmp_path/'c')
    for name in header['state']['opt']['settings']:
        bad = header | dict(state=header['state'] | dict(opt=header['state']['opt'] | dict(settings=header['state']['opt']['settings'] | {name: 10**400})))
        persist.write_tensors(tmp_path/'d', tensors, bad)
        before = state(learn)
        with pytest.raises(ValueError, match='/d: '): load_checkpoint(tmp_path/'d', learn)
        assert state(learn)==before


# Loaders, moments, widths

@pytest.mark.fault(109, without={'mnist_course.learner.check_loader': 'lambda i, dl: None'})
def test_an_iterator_as_a_loader_is_refused():
    batches = [(X[:8], Y[:8])]
    for dl in (iter(batches), (b for b in batches), map(tuple, batches), zip(X, Y)):
        with pytest.raises(ValueError, match='gives its batches only once'): learner(loaders=[dl, batches])
        with pytest.raises(ValueError, match='loader 1'): learner(loaders=[batches, dl])
    assert math.isfinite(fit(learner(loaders=[batches, batches]), 2).recorder.values[1][0])

@pytest.mark.fault(110, without={'mnist_course.learner.warn_of_typos': 'lambda cb, moments: None'})
def test_a_method_named_almost_like_a_moment_is_warned_of():
    for name,meant in dict(befor_fit='before_fit', begin_fit='before_fit', After_epoch='after_epoch', after_epochs='after_epoch', BEFORE_BATCH='before_batch', aftr_step='after_step',
                           beforeBatch='before_batch', clean_up_fit='cleanup_fit', on_before_step='before_step').items():
        cb = type('C', (Callback,), {name: lambda self: None})()
        with pytest.warns(UserWarning, match=f'C.{name} is never called: did you mean {meant}'): learner(cbs=cb)

def test_every_callback_of_the_course_is_named_well():
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        kinds = [c for module in (learner_module, persist) for c in vars(module).values() if isinstance(c, type) and issubclass(c, Callback)]
        for kind in kinds: learner_module.warn_of_typos(kind.__new__(kind), learner_module.MOMENTS)
        learner_module.warn_of_typos(type('C', (Callback,), dict.fromkeys(('log','load_best','no_sync','plot','write','step','fit','reset','batch_size'), lambda self: 0))(), learner_module.MOMENTS)
    assert len(kinds)>8

@pytest.mark.fault(111, without={'mnist_course.learner.explained': 'lambda e, xb: e', 'mnist_course.learner.check_pictures': 'lambda *args: None'})
def test_a_layer_of_another_width_is_told_in_numbers():
    x = X.view(40,28,28)
    for model,xs,said in ((nn.Linear(100,10), X, '100 numbers, and each example has shape \\(784,\\)'), (nn.Sequential(nn.Flatten(), nn.Linear(100,10)), x, 'takes rows of 100 numbers, and gets rows of 784'),
                          (nn.Sequential(nn.Linear(784,5), nn.Linear(6,10)), X, 'takes rows of 6 numbers, and gets rows of 5'), (nn.Sequential(nn.Identity(), nn.Linear(784,10)), x, 'takes rows of 784 numbers.*flatten')):
        with pytest.raises(ValueError, match=said): fit(learner(model, loaders=[DataLoader((xs,Y), 8), DataLoader((xs,Y), 8)]))


# What a step needs

def apart(how): return lambda pred, y: how(cross_entropy(pred, y))

def losing(loss_func, model=None, xs=X):
    learn = learner(model, loaders=[DataLoader((xs,Y), 8), DataLoader((xs,Y), 8)])
    learn.loss_func = loss_func
    return learn

NO_GRADIENT = 'the loss has no gradient: all layers are frozen, or it was worked out apart from the model'

@pytest.mark.fault(118, without={'mnist_course.learner.explained': 'lambda e, xb, loss_func=None: e'})
@pytest.mark.parametrize('make, said', [
    (lambda: losing(cross_entropy, mlp(784,4,10).requires_grad_(False)), NO_GRADIENT), (lambda: losing(apart(torch.Tensor.detach)), NO_GRADIENT),
    (lambda: losing(lambda pred, y: (pred.argmax(1)!=y).float().mean()), NO_GRADIENT),
    (lambda: losing(cross_entropy, xs=X.double()), 'a layer gets numbers of type Double, and its weights are Float: bring both to one type'),
    (lambda: losing(cross_entropy, mlp(784,4,10).double()), 'a layer gets numbers of type Float, and its weights are Double: bring both to one type')])
def test_no_gradient_and_two_types_are_told(make, said):
    with pytest.raises(ValueError, match=said): fit(make())

def test_one_type_and_one_layer_that_is_free_are_enough():
    model = mlp(784,4,10).requires_grad_(False)
    list(model.parameters())[-1].requires_grad_()
    for learn in (losing(cross_entropy, mlp(784,4,10).double(), X.double()), losing(cross_entropy, model)): assert math.isfinite(fit(learn).recorder.values[0][0])


@pytest.mark.fault(119, without={'mnist_course.learner.as_tensor': 'lambda name, v: __import__("torch").as_tensor(v)'})
def test_a_metric_that_gives_nothing_is_named():
    def shown(pred, y): (pred.argmax(1)==y).float().mean()    # its return is forgotten
    with pytest.raises(ValueError, match='the metric shown: expected numbers, as a tensor, an array or lists of one length, found a NoneType'): fit(learner(metrics=shown))
    for gives in (np.float64(.5), .5, torch.tensor([.5])):
        assert fit(learner(metrics=lambda pred, y, gives=gives: gives)).recorder.values[0][2]==.5
