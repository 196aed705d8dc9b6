"What a Learner says and keeps: misspelt callbacks, the best epoch, tables and logs that stay whole, threads that die"
import ast, csv, errno, importlib, os, pkgutil, threading, warnings
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from checks import code_cells, notebooks
from torch import nn

import mnist_course
from mnist_course import convnet
from mnist_course.learner import (MOMENTS, Callback, CancelBatchException, CancelEpochException, CancelFitException, CancelTrainException,
                                  CancelValidException, DataLoaders, Learner, LRFinder, Recorder, SkipValidation)
from mnist_course.persist import CheckpointCallback, CSVLogger, JSONLogger, Resume, read_tensors
from mnist_course.sgd import DataLoader
from mnist_course.softmax import accuracy, cross_entropy


def learner(metrics=accuracy, cbs=None):
    torch.manual_seed(0)
    x, y = torch.rand(20,28,28), torch.arange(20)%10
    net = nn.Sequential(nn.Flatten(), nn.Linear(784,10))
    return Learner(DataLoaders(DataLoader((x,y), 10), DataLoader((x,y), 20)), net, cross_entropy, metrics=metrics, cbs=cbs)

def fit(learn, n=1, **kwargs):
    with learn.no_bar(): learn.fit(n, **kwargs)
    return learn


# Tables

def trained(minutes, seed, n_valid, members, **changes):
    "What `train_best` gives, in no time"
    x, y = torch.rand(20,28,28), torch.arange(20)%10
    dls = DataLoaders(*[DataLoader((x,y), 20)]*2)
    learn = SimpleNamespace(model=nn.Sequential(nn.Flatten(), nn.Linear(784,10)), dls=dls, recorder=SimpleNamespace(losses=[1.]))
    return SimpleNamespace(learn=learn, n_params=7850, accuracy=.1)


def full(*args): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

@pytest.mark.parametrize('place', ['csv.DictWriter.writerows', 'os.fsync', 'os.replace'])
def test_a_table_of_runs_keeps_its_rows_when_a_write_fails(tmp_path, monkeypatch, place):
    monkeypatch.setattr(convnet, 'train_best', trained)
    path = tmp_path/'best.csv'
    convnet.best_runs(path, 5, range(2), 1)
    before = path.read_bytes()
    with monkeypatch.context() as broken, pytest.raises(OSError, match='No space left'):
        broken.setattr(place, full)
        convnet.best_runs(path, 5, range(3), 1)
    assert path.read_bytes()==before and list(tmp_path.iterdir())==[path]
    rows = convnet.best_runs(path, 5, range(3), 1)
    assert [r['seed'] for r in rows]==['0','1','2'] and path.read_bytes().startswith(before)


@pytest.mark.parametrize('log', [CSVLogger, JSONLogger])
def test_a_log_keeps_its_rows_when_a_write_fails(tmp_path, monkeypatch, log):
    "Half a line would be worse than none"
    path = tmp_path/'log'
    class Fill(Callback):
        def before_epoch(self):
            if self.learn.epoch==2: monkeypatch.setattr('os.fsync', full)
    with pytest.warns(UserWarning, match='cannot write to .*No space left') as said: learn = fit(learner(), 4, cbs=[log(path), Fill()])
    assert len(said)==1 and len(learn.recorder.values)==4
    rows = path.read_text().splitlines()
    assert len(rows)==2+(log is CSVLogger) and (rows[-1][-1]=='}' if log is JSONLogger else rows[-1].count(',')==rows[0].count(','))


def test_a_log_goes_on_after_resume(tmp_path):
    fit(learner(), 2, cbs=[CheckpointCallback(tmp_path), CSVLogger(tmp_path/'log.csv')])
    before = (tmp_path/'log.csv').read_text()
    fit(learner(), 3, cbs=[Resume(tmp_path/'last.safetensors'), CSVLogger(tmp_path/'log.csv')])
    after = (tmp_path/'log.csv').read_text()
    assert after.startswith(before) and [r['epoch'] for r in csv.DictReader(after.splitlines())]==['1','2','3']


# The best epoch

def figures(name, values):
    "A metric of this name that is `values`, one after the other"
    left = iter(values)
    def metric(preds, targs): return torch.tensor(next(left))
    metric.__name__ = name
    return metric

def best_epoch(folder, name, values, **kwargs):
    cb = CheckpointCallback(folder, name, **kwargs)
    fit(learner(figures(name, values)), len(values), cbs=cb)
    kept = read_tensors(cb.best_file, 'model')[1]['metrics']
    assert kept[name]==cb.best
    return kept['epoch']


def test_of_an_error_rate_the_lowest_is_kept(tmp_path): assert best_epoch(tmp_path, 'error_rate', [.5,.1,.3])==2
def test_of_an_accuracy_the_highest_is_kept(tmp_path): assert best_epoch(tmp_path, 'accuracy', [.5,.1,.7])==3
def test_what_is_better_can_be_said(tmp_path):
    assert best_epoch(tmp_path/'a', 'rmse', [.5,.1,.3], lower=True)==2
    assert best_epoch(tmp_path/'b', 'rmse', [.5,.1,.3])==1
    assert best_epoch(tmp_path/'c', 'errors_found', [.5,.1,.7], lower=False)==3

def test_an_error_rate_that_is_nan_is_never_the_best(tmp_path): assert best_epoch(tmp_path, 'error_rate', [float('nan'),.5,float('nan'),.4])==4

def test_after_resume_the_lowest_error_rate_is_still_the_best(tmp_path):
    cb = CheckpointCallback(tmp_path, 'error_rate')
    fit(learner(figures('error_rate', [.5,.1])), 2, cbs=cb)
    again = CheckpointCallback(tmp_path, 'error_rate')
    fit(learner(figures('error_rate', [.3])), 3, cbs=[Resume(cb.last_file), again])
    assert again.best==cb.best and read_tensors(cb.best_file)[1]['metrics']['epoch']==2


@pytest.mark.parametrize('name', ['valid_loss','train_loss','error_rate','top_3_error','accuracy','rmse','perplexity','errors','Loss'])
def test_the_rule_is_fastais(tmp_path, name):
    warnings.filterwarnings('ignore', category=FutureWarning)
    numpy, tracker = pytest.importorskip('numpy'), pytest.importorskip('fastai.callback.tracker')
    theirs = tracker.TrackerCallback(monitor=name).comp
    assert theirs in (numpy.less, numpy.greater) and CheckpointCallback(tmp_path, name).lower==(theirs is numpy.less)


# Moments

class Loud(Callback):
    def after_bacth(self): pass

def said(work):
    "The warnings of a piece of work"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        work()
    assert all(w.category is UserWarning for w in caught)
    return [str(w.message) for w in caught]


TYPO = 'Loud.after_bacth is never called: did you mean after_batch?'

@pytest.mark.parametrize('work', [
    lambda: learner(cbs=Loud()), lambda: learner().add_cbs([Loud()]), lambda: fit(learner(), cbs=Loud()), lambda: learner().validate(cbs=Loud()),
    lambda: fit(learner(cbs=[Callback(), Loud()]))], ids=['constructor', 'add_cbs', 'fit', 'validate', 'once'])
def test_a_misspelt_moment_is_named_where_a_callback_comes_in(work): assert said(work)==[TYPO]


def test_one_cycle_and_the_search_for_a_rate_name_it_too():
    learn = learner()
    with learn.no_bar(): assert said(lambda: learn.fit_one_cycle(1, cbs=Loud()))==[TYPO]
    assert said(lambda: learn.lr_find(num_it=40, show_plot=False))==[]


@pytest.mark.parametrize('name, near', [('before_epcoh','before_epoch'), ('after_valid','after_validate'), ('cleanup_fits','cleanup_fit'), ('before_backward','before_batch')])
def test_the_nearest_moment_is_proposed(name, near):
    assert said(lambda: learner(cbs=type('Mine', (Callback,), {name: lambda self: None})()))==[f'Mine.{name} is never called: did you mean {near}?']


def test_a_moment_like_no_other_gets_no_proposal():
    assert said(lambda: learner(cbs=type('Mine', (Callback,), dict(cleanup_zzzzzzzzzzzzzzzzzzzzz=lambda self: None))()))==[
        'Mine.cleanup_zzzzzzzzzzzzzzzzzzzzz is never called: the loop has no such moment']


class Harmless(Callback):
    "Nothing here is a method that somebody expects the loop to call"
    after_words, before_noon = 3, None
    def __init__(self): self.after_all = lambda: None
    def _after_bacth(self): pass
    def afterwards(self): pass
    def before(self): pass
    def note_after_epoch(self): pass
    @property
    def after_sale(self): raise AssertionError('read')
    def after_epoch(self): pass
    def after_cancel_batch(self): pass

class Answers(Callback):
    def __getattr__(self, name):
        if not name.startswith(('before_','after_','cleanup_')): raise AttributeError(name)
        return lambda: None

def test_what_is_private_or_no_method_is_let_pass():
    assert said(lambda: fit(learner(cbs=[Harmless(), Answers()])))==[]


def test_what_is_inherited_is_called_no_more_than_the_rest():
    class Quiet(Loud): pass
    assert said(lambda: learner(cbs=Quiet()))==[TYPO.replace('Loud', 'Quiet')]


class Listen(Callback):
    order = -100
    def __init__(self): self.heard = []
    def __getattr__(self, name):
        if not name.startswith(('before_','after_','cleanup_')): raise AttributeError(name)
        return lambda: self.heard.append(name)

def test_the_moments_are_those_of_the_loop():
    "Each is heard in some run, and nothing else is"
    listen = Listen()
    fit(learner(), cbs=listen)
    for moment, exc in [('before_batch', CancelBatchException), ('before_train', CancelTrainException), ('before_validate', CancelValidException),
                        ('before_epoch', CancelEpochException), ('before_fit', CancelFitException)]:
        def cancel(self, exc=exc): raise exc
        fit(learner(), cbs=[listen, type('Cancel', (Callback,), {moment: cancel})()])
    assert set(listen.heard)==set(MOMENTS) and len(MOMENTS)==len(set(MOMENTS))


def below(cls): return {cls}.union(*(below(c) for c in cls.__subclasses__()))

def test_no_callback_of_the_package_has_a_misspelt_moment():
    for found in pkgutil.walk_packages(mnist_course.__path__, 'mnist_course.'):
        if not found.name.endswith(('fastai_twin','__main__')): importlib.import_module(found.name)
    own = {c for c in below(Callback) if c.__module__.startswith('mnist_course.')}
    assert len(own)>15 and {Recorder, LRFinder, SkipValidation, CheckpointCallback} <= own
    for cls in own: assert said(partial(learner().add_cbs, cls.__new__(cls)))==[], cls


def test_no_callback_of_a_lesson_has_a_misspelt_moment():
    "The planted one in lesson 06 aside"
    wrong = []
    for nb in notebooks():
        for cell in code_cells(nb):
            for node in ast.walk(ast.parse(cell)):
                if isinstance(node, ast.ClassDef) and any('Callback' in ast.unparse(b) for b in node.bases):
                    wrong += [f'{nb.name}: {node.name}.{f.name}' for f in node.body if isinstance(f, ast.FunctionDef)
                              and f.name.startswith(('before_','after_','cleanup_')) and f.name not in MOMENTS]
    assert wrong==['06_learner.ipynb: Loud.after_bacth']


# Callbacks and metrics as lists

def test_all_callbacks_can_be_taken_off_at_once():
    learn = learner(cbs=[Callback(), Callback()])
    learn.remove_cbs(learn.cbs)
    assert learn.cbs==[]


def test_a_list_of_metrics_stays_its_owners():
    mine = [accuracy]
    learn = learner(mine)
    learn.metrics.append(figures('other', [.1]))
    assert mine==[accuracy]


# Threads

def test_only_tensorboards_threads_die_without_a_traceback(tmp_path, monkeypatch):
    pytest.importorskip('tensorboard')
    from mnist_course.persist import TensorBoardCallback
    heard = []
    monkeypatch.setattr(threading, 'excepthook', lambda args: heard.append((type(args.thread).__name__, str(args.exc_value))))
    (tmp_path/'runs').mkdir()
    class Break(Callback):
        order = 71    # after the log
        def after_epoch(self):
            if self.learn.epoch==0:
                for file in tmp_path.glob('runs/*/*'): file.unlink()
                for folder in tmp_path.glob('runs/*'): folder.rmdir()
                (tmp_path/'runs').rmdir()
                (tmp_path/'runs').touch()
    for _ in range(2):    # what is put in for threads is put in once, however many runs there are
        with pytest.warns(UserWarning, match='TensorBoardCallback cannot write to') as caught:
            fit(learner(), 3, cbs=[TensorBoardCallback(tmp_path/'runs'), Break()])
        assert len(caught)==1 and heard==[]
        (tmp_path/'runs').unlink()
    def fail(): raise KeyError('mine')
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert heard==[('Thread', "'mine'")]
