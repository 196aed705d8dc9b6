"Training goes wrong: it stops where it does, says where, and what was good stays"
import inspect, math, signal, subprocess, sys, textwrap

import pytest
import torch

from mnist_course import speed_by_hand
from mnist_course.data import Digits
from mnist_course.learner import Callback, DataLoaders, Learner
from mnist_course.mlp import mlp
from mnist_course.optimizer import SGD
from mnist_course.persist import CheckpointCallback, StopOnNaN, load_model
from mnist_course.recipes import RECIPES, train_recipe
from mnist_course.sgd import DataLoader
from mnist_course.softmax import accuracy, cross_entropy
from mnist_course.speed_by_hand import HANDS, InkLoader, train_hand

HERE = sys.modules[__name__]


def rows(n=64, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.rand(n, 784, generator=g), torch.randint(10, (n,), generator=g)


def learner(x, y, lr=.1, cbs=None, loss_func=cross_entropy, bs=8):
    torch.manual_seed(0)
    dls = DataLoaders(DataLoader((x, y), bs), DataLoader(rows(32, 1), 32))
    return Learner(dls, mlp(784,16,10), loss_func, SGD, lr, metrics=accuracy, cbs=cbs)


def fit(learn, n=1, **kwargs):
    with learn.no_bar(): learn.fit(n, **kwargs)


def digits(n=64, shape=(28,28), labels=None):
    g = torch.Generator().manual_seed(0)
    images = torch.randint(256, (n,*shape), generator=g, dtype=torch.uint8)
    return Digits(images, torch.randint(10, (n,), generator=g) if labels is None else labels)


class Once(Callback):
    "Do something in one batch of one epoch, while it is in training"
    order = 1
    def __init__(self, work, epoch=1, batch=2): self.work, self.epoch, self.batch = work, epoch, batch
    def after_pred(self):
        if self.learn.training and (self.learn.epoch, self.learn.iter)==(self.epoch, self.batch): self.work(self.learn)


no_stop = {'mnist_course.persist.StopOnNaN.after_loss': 'lambda self: None'}


def stops(folder, spoil, bad, cure):
    "Spoiled in its second epoch, a run stops there, and its best weights are those of its first"
    checkpoint = CheckpointCallback(folder)
    learn = learner(*rows(), cbs=[checkpoint, StopOnNaN()])
    with pytest.raises(FloatingPointError) as e: fit(learn, 3, cbs=Once(spoil))
    assert f'the loss is {bad} in epoch 2, batch 3 of 8, at a rate of 0.1: {cure}' in str(e.value)
    assert str(checkpoint.last_file) in str(e.value)
    best = load_model(checkpoint.best_file, mlp(784,16,10))
    fit(twin := learner(*rows()), 1)
    assert all(torch.equal(a, b) for a,b in zip(best.parameters(), twin.model.parameters()))
    checkpoint.load_best()
    assert all(p.isfinite().all() for p in learn.model.parameters())


@pytest.mark.fault(29, without=no_stop)
@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_bad_data_stop_the_run_and_are_named(tmp_path, value):
    def spoil(learn):
        learn.xb[3,5] = value
        learn.pred = learn.model(learn.xb)
    stops(tmp_path, spoil, 'nan', 'its data hold nan or infinite values')


@pytest.mark.fault(30, without=no_stop)
@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_a_bad_loss_stops_the_run(tmp_path, value):
    def spoil(learn): learn.pred = learn.pred + learn.pred.new_tensor([value] + [0]*9)
    stops(tmp_path, spoil, 'nan', 'try a smaller rate')


@pytest.mark.fault(31, without=no_stop)
def test_a_rate_of_1e9_stops_at_once():
    learn = learner(*rows(), lr=1e9, cbs=StopOnNaN(), loss_func=lambda p, y: (p-y[:,None]).pow(2).mean())
    with pytest.raises(FloatingPointError, match=r'(nan|inf) in epoch 1, batch \d of 8, at a rate of 1e\+09'): fit(learn)


@pytest.mark.fault(31, without={'mnist_course.persist.CheckpointCallback.load_best':
                                'lambda self: mnist_course.persist.load_model(self.best_file, self.learn.model)'})
def test_what_an_earlier_run_left_is_not_taken_for_the_best(tmp_path):
    fit(learner(*rows(), cbs=CheckpointCallback(tmp_path)))
    kept = (tmp_path/'best.safetensors').read_bytes()
    checkpoint = CheckpointCallback(tmp_path)
    learn = learner(*rows(), cbs=[checkpoint, StopOnNaN()])
    with pytest.raises(FloatingPointError) as e: fit(learn, cbs=Once(lambda learn: setattr(learn, 'pred', learn.pred*math.nan), 0, 0))
    assert 'last good state' not in str(e.value)
    with pytest.raises(ValueError, match='this run has saved no best model'): checkpoint.load_best()
    assert (tmp_path/'best.safetensors').read_bytes()==kept


@pytest.mark.fault(32, without={'mnist_course.recipes.check_digits': 'lambda d: d', 'mnist_course.sgd._as_xy': 'lambda d: d'})
def test_an_empty_set_is_refused():
    with pytest.raises(ValueError, match='the data set is empty'): DataLoader((torch.zeros(0,784), torch.zeros(0).long()))
    with pytest.raises(ValueError, match='no pictures'): train_recipe(RECIPES['mlp-64-64'], data=(digits()[:0], digits()), bar=False)


def without_batch_checks(patch):
    patch.setattr(DataLoaders, '__init__', lambda self, *dls: vars(self).update(loaders=list(dls), device=torch.device('cpu')))


@pytest.mark.fault(33, without=without_batch_checks)
def test_a_batch_larger_than_the_set_is_refused():
    with pytest.raises(ValueError, match='64 rows make no whole batch of 65'): DataLoader(rows(), 65, drop_last=True)
    with pytest.raises(ValueError, match='bs is 32: expected 1 to 9'): train_hand('mlp-64-64', data=(digits(9), digits()))
    theirs = torch.utils.data.DataLoader(list(zip(*rows(9))), 32, drop_last=True)     # torch's own gives no batch, silently
    with pytest.raises(ValueError, match='loader 0 gives no batch'): fit(Learner(DataLoaders(theirs, theirs), mlp(784,10), cross_entropy))


@pytest.mark.fault(34, without={'mnist_course.recipes.check_digits': 'lambda d: d',
                                'mnist_course.speed_by_hand.check_digits': 'lambda d: d'})
@pytest.mark.parametrize('made, said', [
    (lambda: digits(shape=(28,27)), 'expected 28x28 pixels each, found (28, 27)'),
    (lambda: Digits(digits().images.long(), digits().labels), 'found torch.int64: use images.byte()'),
    (lambda: digits(labels=torch.zeros(64)), 'labels: expected int64'),
    (lambda: digits(labels=torch.tensor([0]*63+[10])), 'labels: expected 0 to 9, found 10 at index 63'),
    (lambda: digits(labels=torch.tensor([0]*63+[-1])), 'labels: expected 0 to 9, found -1 at index 63')])
@pytest.mark.parametrize('train', [lambda data, seen: train_recipe(RECIPES['mlp-64-64'], data=data, bar=False, cbs=seen),
                                   lambda data, seen: train_hand('mlp-64-64', data=data)], ids=['learner', 'by hand'])
def test_wrong_shape_type_or_label_is_refused_before_the_first_batch(train, made, said):
    class Seen(Callback):
        def before_batch(self): pytest.fail('a batch was trained on')
    with pytest.raises(ValueError) as e: train((made(), digits()), Seen())
    assert said in str(e.value)


@pytest.mark.fault(35, without={'mnist_course.learner.Learner.remove_cbs': 'lambda self, cbs: None'})
def test_ctrl_c_twice_leaves_a_learner_that_goes_on():
    learn, interrupt = learner(*rows()), lambda learn: signal.raise_signal(signal.SIGINT)
    own = list(learn.cbs)
    class Impatient(Callback):        # a second Ctrl-C, while the first is being cleaned up after
        order = -99
        def cleanup_fit(self): signal.raise_signal(signal.SIGINT)
    for cbs in ([Once(interrupt)], [Once(interrupt), Impatient()]):
        with pytest.raises(KeyboardInterrupt): fit(learn, 3, cbs=cbs)
        rec = learn.recorder
        assert [cb for cb in learn.cbs if cb not in own]==[]
        assert (len(rec.values), len(rec.losses), len(rec.lrs), rec.ends)==(1, 10, 10, [8])
        assert all(type(loss)==float and math.isfinite(loss) for loss in rec.losses)
    fit(learn, 2)
    assert len(learn.recorder.values)==2 and len(learn.recorder.losses)==16
    assert learn.recorder.values[-1][0]<rec.values[0][0]


@pytest.mark.fault(36, without={'mnist_course.recipes.torch.manual_seed': 'lambda seed: None'})
def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    data = digits(600), digits()
    def weights(seed):
        run = train_recipe(RECIPES['mlp-64-64'], seed, data=data, bar=False, n_epoch=2)
        return torch.cat([p.detach().flatten() for p in run.learn.model.parameters()])
    a, b, c = map(weights, (3,3,4))
    assert torch.equal(a, b) and not torch.equal(a, c)


# Gradients by hand

MUTANTS = [
    ('softmax-regression', 'HandSoftmax.step', 'np.subtract(z, y', 'np.add(z, y'),
    ('softmax-regression', 'HandSoftmax.step', 'np.subtract(self.w, self.grad', 'np.add(self.w, self.grad'),
    ('softmax-regression', 'HandSoftmax.step', 'np.multiply(z, self.rate', 'np.multiply(z, self.rate*2'),
    ('softmax-regression', 'HandSoftmax.step', 'np.multiply(z, self.scale', 'np.multiply(z, 1'),
    *[('mlp-64-64', name, old, new) for name,old,new in [
        ('HandNet.backward', 'np.subtract(self.a[-1], y', 'np.add(self.a[-1], y'),
        ('HandNet.backward', '1/self.bs', '1'),
        ('HandNet.backward', 'np.dot(d.T, self.a[i]', 'np.dot(-d.T, self.a[i]'),
        ('HandNet.backward', 'np.dot(d, self.small[2*i]', 'np.dot(-d, self.small[2*i]'),
        ('HandNet.backward', 'np.add.reduce(d, 0', 'np.mean(d, 0'),
        ('HandNet.first_grad', 'alpha=1/255', 'alpha=1'),
        ('HandNet.first_grad', 'x.T', '-x.T'),
        ('HandNet.forward', 'alpha=1/255', 'alpha=2/255'),
        ('HandNet.bend_back', 'self.a[i]>0', 'self.a[i]<=0'),
        ('HandAdam.step', 'if end<self.end', 'if False')]],
    ('mlp-490', 'HandNet.bend_back', 'h, self.slope, True', 'h, -self.slope, False'),
    ('mlp-490', 'HandMomentum.step', 'alpha=1/255)', 'alpha=2/255)'),
    ('mlp-490', 'HandMomentum.step', 'alpha=-self.lr', 'alpha=self.lr'),
    ('mlp-490', 'HandMomentum.step', 'np.subtract(self.rest, g', 'np.add(self.rest, g'),
]


def mutate(patch, name, old, new):
    "Our own source with one thing changed, in the place of the original"
    cls, method = name.split('.')
    source = textwrap.dedent(inspect.getsource(getattr(getattr(speed_by_hand, cls), method)))
    assert source.count(old)==1, f'{name} has {source.count(old)} times {old!r}'
    scope = {}
    exec(source.replace(old, new), vars(speed_by_hand), scope)
    patch.setattr(getattr(speed_by_hand, cls), method, scope[method])


def strokes():
    "Two batches of pictures with ink in the middle; the second has less"
    images = digits(32).images*(torch.rand(32, 28, 28, generator=torch.Generator().manual_seed(1))<.3)
    images[:,:,:4], images[16:,14:] = 0, 0
    return Digits(images, digits(32).labels)


def by_hand(recipe):
    "What a net by hand takes for the gradient of its second batch, as the module's parameters, and that batch in order"
    torch.manual_seed(0)
    model, data = recipe.model(), strokes()
    loader, before = InkLoader(data, 16), [p.detach().clone() for p in model.parameters()]
    net = HANDS[recipe.name](model, loader, 1.)
    order, start = (loader.pixels, len(loader.pixels)+1), net.flat.clone() if recipe.name=='mlp-64-64' else None
    halves = [(i, i+16) for i in (0,16)]
    if recipe.name!='mlp-64-64': halves = halves[1:]                  # a step's difference is its gradient
    with torch.inference_mode():
        for a,b in halves:
            if recipe.name=='mlp-64-64' and a: net.flat.copy_(start)
            net.step(torch.from_numpy(loader.rows[a:b]).float(), loader.targets[a:b].numpy(), loader.ends[a:b].max().item())
        if recipe.name=='mlp-64-64': net.flat.copy_(net.grad)
    net.write()
    after = [p.detach().clone() for p in model.parameters()]
    grads = after if recipe.name=='mlp-64-64' else [a-b for a,b in zip(before, after)]
    with torch.no_grad():
        for p,b in zip(model.parameters(), before): p.copy_(b)
    if recipe.name=='mlp-64-64': grads[0][:,[i for i in range(784) if i not in set(order[0].tolist())]] = 0
    return grads, model, data[16:]


def twin(recipe, model, data):
    "The same gradient by autograd"
    loss = recipe.loss_func(model(data.images), data.labels)
    return torch.autograd.grad(loss, list(model.parameters()))


def differs(a, b, tol): return bool(((a-b).abs()>tol*b.abs().max()).any())


def wrong_by_twin(grads, recipe, model, data):
    return any(differs(g, t, 1e-4) for g,t in zip(grads, twin(recipe, model, data)))


def wrong_by_differences(grads, recipe, model, data, n=24, eps=1e-5):
    "Slopes at some weights of each layer, in float64; half of the first layer's under ink"
    model = model.double()
    ink = data.images.flatten(1).any(0).nonzero().flatten()
    def loss(): return recipe.loss_func(model(data.images.double()/255), data.labels).item()
    g, found = torch.Generator().manual_seed(0), []
    with torch.no_grad():
        for grad,p in zip(grads, model.parameters()):
            rows, cols = (torch.randint(k, (n,), generator=g) for k in (len(p), len(ink) if p.shape[1:]==(784,) else p[0].numel()))
            if p.shape[1:]==(784,): cols = torch.cat([ink[cols[::2]], torch.randint(784, (n//2,), generator=g)])
            slopes = []
            for i,j in zip(rows.tolist(), cols.tolist()):
                w, old = p.view(len(p), -1), p.view(len(p), -1)[i,j].item()
                w[i,j] = old+eps; up = loss()
                w[i,j] = old-eps; down = loss()
                w[i,j] = old
                slopes.append((up-down)/(2*eps))
            found.append(differs(grad.view(len(p), -1)[rows, cols].double(), torch.tensor(slopes).double(), 1e-3))
    return any(found)


@pytest.mark.fault(37, without=lambda patch: patch.setattr(HERE, 'differs', lambda a, b, tol: False))
@pytest.mark.parametrize('recipe, name, old, new', MUTANTS, ids=lambda v: v.replace(' ', ''))
def test_a_mutant_of_a_gradient_is_caught_twice(monkeypatch, recipe, name, old, new):
    recipe = RECIPES[recipe]
    def caught(): return [check(*by_hand(recipe)[:1], recipe, *by_hand(recipe)[1:]) for check in (wrong_by_twin, wrong_by_differences)]
    assert caught()==[False, False]
    mutate(monkeypatch, name, old, new)
    assert caught()==[True, True]


LOGGED = '''
import warnings, torch
from mnist_course.learner import DataLoaders, Learner
from mnist_course.mlp import mlp
from mnist_course.persist import CSVLogger, JSONLogger, TensorBoardCallback
from mnist_course.sgd import DataLoader
from mnist_course.softmax import accuracy, cross_entropy
import resource
x, y = torch.rand(64, 784), torch.arange(64)%10
dl = DataLoader((x, y), 8)
learn = Learner(DataLoaders(dl, dl), mlp(784, 16, 10), cross_entropy, metrics=accuracy)
if FULL: resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
with learn.no_bar(), warnings.catch_warnings(record=True) as said:
    warnings.simplefilter('always', UserWarning)
    learn.fit(3, cbs=LOG)
print(len(learn.recorder.values), [str(w.message) for w in said if 'cannot write' in str(w.message)])
'''


@pytest.mark.fault(38, without={'mnist_course.persist.LogCallback.log': 'lambda self, work, *args: work(*args)'})
@pytest.mark.parametrize('log', ["CSVLogger('{}/h.csv')", "JSONLogger('{}/h.jsonl')", "TensorBoardCallback('{}/runs')"])
@pytest.mark.parametrize('fault', ['full', 'not a folder'])
def test_logs_that_cannot_be_written_cost_one_warning(tmp_path, prelude, log, fault):
    if fault!='full': (tmp_path/'there').write_text('mine')
    else: (tmp_path/'there').mkdir()
    script = prelude + LOGGED.replace('FULL', str(fault=='full')).replace('LOG)', log.format(tmp_path/'there') + ')')
    r = subprocess.run([sys.executable, '-c', script], cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert r.returncode==0 and r.stdout.startswith('3 [') and r.stdout.count('cannot write to')==1, r.stdout+r.stderr
    assert 'Traceback' not in r.stderr
