"""Behaviour of peers, formats and versions that good guesses miss, where this course meets it.

Each test is named after the behaviour; its docstring says why, in which version it was seen, and where.
A test that fails after an upgrade of a peer says that the peer has changed: look at what of ours leans on it.
"""
import numpy as np
import pytest
import torch
from torch import nn

from mnist_course.data import Digits, to_float


def pictures(n=6): return torch.randint(0, 256, (n,28,28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_distances_of_bytes_wrap_in_scipy_and_not_in_lesson_01():
    "SciPy 1.17.1: `cityblock` and `euclidean` of uint8 rows wrap at 256 ([0,255] against [255,0]: 256 for 510); `cdist` is right. Lesson 01 divides by 255 first"
    distance = pytest.importorskip('scipy.spatial.distance')
    from mnist_course.similarity import mnist_distance, rms_distance
    a, b = np.array([0,255], np.uint8), np.array([255,0], np.uint8)
    assert distance.cdist([a], [b], 'cityblock').item()==510 and distance.cityblock(a.astype(int), b.astype(int))==510
    x, y = (torch.from_numpy(np.resize(v, (1,2,2))) for v in (a, b))
    assert mnist_distance(to_float(x), to_float(y)).item()==1. and rms_distance(to_float(x), to_float(y)).item()==1.


@pytest.mark.parametrize('view', [lambda a: a.t(), lambda a: a[:,::2], lambda a: a.expand(3,4,4)[1:]], ids=['transposed', 'strided', 'expanded'])
def test_views_reach_a_file_in_their_own_order(view, tmp_path):
    "safetensors 0.8.0: its NumPy side writes a strided array in the order of memory, right shape and wrong numbers, without an error. Ours makes copies in order first (lesson 11, `write_tensors`)"
    from mnist_course.persist import read_tensors, write_tensors
    a = view(torch.arange(16.).view(4,4))
    write_tensors(tmp_path/'a.safetensors', {'a': a}, dict(kind='test'))
    assert torch.equal(read_tensors(tmp_path/'a.safetensors')[0]['a'], a)


def test_a_transposed_layer_answers_alike_from_numpy(tmp_path):
    "The same on the way to `save_numpy`: `SoftmaxNet` keeps its weights the other way round, so that they are written as transposed views"
    from mnist_course.core.numpy_forward import load_numpy
    from mnist_course.recipes import RECIPES
    from mnist_course.speed_answer import save_numpy
    net, x = RECIPES['random-256'].model().eval(), pictures()
    save_numpy(tmp_path/'a.safetensors', net)
    with torch.no_grad(): due = net(x)
    assert np.allclose(load_numpy(tmp_path/'a.safetensors')(x.numpy()), due.numpy(), atol=1e-5)


def test_libsvm_text_read_whole_has_one_base(tmp_path):
    "scikit-learn 1.9.1, `load_svmlight_file`: from 0 or from 1 is guessed from each file alone, so a test part without ink in the first column moves by a pixel. `load_any` reads both parts with one base"
    dump = pytest.importorskip('sklearn.datasets').dump_svmlight_file
    from mnist_course.any_digits import load_any
    rng = np.random.default_rng(0)
    train, test = rng.uniform(-1, 1, (40,256)).round(3), rng.uniform(-1, 1, (20,256)).round(3)
    test[:,0] = 0    # which libsvm's text leaves out
    for name,x in (('usps', train), ('usps.t', test)): dump(x, np.arange(len(x))%10+1, str(tmp_path/name), zero_based=False)
    raw = load_any(tmp_path, as_is=True)
    for part,x in zip(raw, (train, test)): assert np.allclose(part.images.numpy(), x, atol=1e-6)


@pytest.mark.parametrize('i', [np.int64(3), np.uint8(3), np.array(3), torch.tensor(3)], ids=['int64', 'uint8', '0-d array', '0-d tensor'])
def test_whole_numbers_of_any_make_are_one_place(i):
    "NumPy 2.4 and torch 2.15: a NumPy integer and a tensor without dimensions are no `int`, and index a tensor all the same. `Digits` gave a ValueError about a shape at f70cbe1"
    d = Digits(pictures(), torch.arange(6))
    assert d[i][1]==3 and torch.equal(d[i][0], d.images[3])


def test_an_array_of_bytes_is_places_and_no_mask():
    "torch 2.15: a uint8 array as an index is taken for a mask (the old meaning), so that places 1 and 2 end in an error about its shape. `Digits` takes places"
    d = Digits(pictures(), torch.arange(6))
    assert d[np.array([1,2], np.uint8)].labels.tolist()==[1,2]


def test_whole_numbers_are_no_pixels_unless_they_are_bytes():
    "f70cbe1: `to_float` lets int64 pixels from 0 to 255 pass as they are, as it does with any numbers but bytes. Before a run `check_digits` refuses them, and says `byte()`; `float()` would leave them at 255"
    from mnist_course.recipes import check_digits
    with pytest.raises(ValueError, match=r'found torch.int64: use images.byte\(\)'): check_digits(Digits(pictures().long(), torch.arange(6)))


def test_a_learning_rate_that_is_a_tensor_is_changed_in_place():
    "torch 2.15: a scheduler writes into the caller's own tensor. Our `set_hyper` puts a new number into the groups and leaves the caller's alone"
    from mnist_course.learner import get_hyper
    from mnist_course.optimizer import set_hyper
    lr = torch.tensor(.5)
    opt = torch.optim.SGD(nn.Linear(2,2).parameters(), lr=lr)
    set_hyper(opt, 'lr', .25)
    assert lr.item()==.5 and get_hyper(opt, 'lr')==.25


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int32])
def test_targets_are_int64_or_refused_in_our_words(dtype):
    "torch 2.15: `F.cross_entropy` takes uint8 targets and refuses int32, with a sentence about scalar types. Ours takes int64 alone, and says `targets.long()`"
    from mnist_course.softmax import cross_entropy
    with pytest.raises(ValueError, match=r'use targets.long\(\)'): cross_entropy(torch.rand(3,4), torch.tensor([0,1,2], dtype=dtype))


def test_a_loader_without_shuffling_draws_nothing():
    "torch 2.15: its DataLoader draws from the global generator at each `iter()`, even unshuffled. Ours draws when it shuffles, so that twins who share a seed stay together"
    from mnist_course.sgd import DataLoader
    d, before = Digits(pictures(), torch.arange(6)), torch.get_rng_state()
    list(DataLoader((d.images, d.labels), bs=2))
    assert torch.equal(torch.get_rng_state(), before)
    next(iter(torch.utils.data.DataLoader(list(zip(d.images, d.labels)), batch_size=2)))
    assert not torch.equal(torch.get_rng_state(), before)


def test_sixteen_bits_are_read_as_what_they_are():
    "torchvision 0.29.2: `to_tensor` makes int16 of 16-bit pictures, with -25536 for 40000. Lesson 15's `read_picture` has 40000/65535"
    from PIL import Image
    from mnist_course.core.pictures import read_picture
    grey = read_picture(Image.fromarray(np.full((30,30), 40000, np.uint16)))
    assert abs(grey-40000/65535).max()<.003


def test_an_idx_file_of_no_pictures_is_read(tmp_path):
    "torchvision 0.29.2: its reader raises ValueError for zero pictures; ours reads them"
    from mnist_course.data import read_idx
    (tmp_path/'a').write_bytes(bytes([0,0,8,3]) + np.array([0,28,28], '>u4').tobytes())
    assert read_idx(tmp_path/'a', 3).shape==(0,28,28)


def test_gradients_add_until_they_are_cleared():
    "micrograd 0.1.0: a second `backward` adds into inner nodes too (12 where the derivative is 6). Ours, which is torch's, adds into the leaves alone: lesson 04 clears them"
    from mnist_course.sgd import calc_grad
    w = torch.tensor(3., requires_grad=True)
    for _ in range(2): calc_grad(w, None, lambda x: x**2, lambda p,_: p)
    assert w.grad==12


def test_a_function_that_says_classes_cannot_travel_beside_torch(tmp_path):
    "cloudpickle 3 with torch 2.15: a function of `__main__` that reads an attribute called `classes` drags `torch.classes` along, an object that can't be pickled. So lesson 17's functions, which travel, ask `class_count`"
    cloudpickle = pytest.importorskip('cloudpickle')
    from mnist_course.many_hands import train_together
    assert 'classes' not in train_together.__code__.co_names
    names = dict(torch=torch, __name__='__main__')
    exec('def f(d): return torch.arange(len(d.classes))\ndef g(d): return torch.arange(len(d))', names)
    cloudpickle.dumps(names['g'])
    with pytest.raises(TypeError, match='_Classes'): cloudpickle.dumps(names['f'])
