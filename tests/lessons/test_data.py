"The pictures in the package, any folder of idx files, the folder of PNGs; damage to them is in tests/faults"
import gzip, hashlib, json, os, subprocess, sys
from pathlib import Path

import numpy as np
import pytest
import torch
from checks import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from idx_files import fill, idx, kinds, small, write

from mnist_course.data import load_idx, load_mnist, read_idx, sample_folder

mnist = ROOT/'mnist_course'/'assets'/'mnist'
canonical = {
    'train-images-idx3-ubyte': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    'train-labels-idx1-ubyte': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    't10k-images-idx3-ubyte':  '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    't10k-labels-idx1-ubyte':  'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
}


# The pictures in the package

@pytest.mark.parametrize('name', canonical)
def test_files_are_the_canonical_ones(name):
    assert hashlib.sha256(gzip.decompress((mnist/f'{name}.gz').read_bytes())).hexdigest()==canonical[name]


def test_load_mnist_needs_no_network(tmp_path):
    "In a process that cannot open a socket"
    code = """
import json, socket
class Refuse(socket.socket):
    def __init__(self, *args, **kwargs): raise RuntimeError('somebody asked for the network')
socket.socket = Refuse
from mnist_course.data import load_mnist
train, test = load_mnist()
print(json.dumps([len(train), len(test), str(train.images.dtype), str(test.labels.dtype), train.labels.bincount().tolist()]))
"""
    r = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, env=os.environ|{'PYTHONPATH':str(ROOT)}, capture_output=True, text=True)
    assert r.returncode==0, r.stderr
    assert json.loads(r.stdout)==[60_000, 10_000, 'torch.uint8', 'torch.int64', [5923,6742,5958,6131,5842,5421,5918,6265,5851,5949]]


# Any idx file, whole or not

@given(small)
def test_read_idx_gives_back_what_was_written(folder, array):
    for name in kinds('some'):
        write(folder/name, idx(array))
        back = read_idx(folder/name, array.ndim)
        assert back.dtype==torch.uint8 and back.shape==array.shape and (back.numpy()==array).all()


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_read_idx_meets_noise_with_a_value_error(folder, noise):
    for name in kinds('noise'):
        (folder/name).write_bytes(noise)
        with pytest.raises(ValueError, match='noise'): read_idx(folder/name, 3)


@given(st.integers(1,9).flatmap(lambda n: st.tuples(arrays(np.uint8, (n,3,2)), arrays(np.uint8, n, elements=st.integers(0,9)))),
       st.sampled_from(['', '.gz']))
def test_load_idx_reads_any_folder(tmp_path_factory, pair, suffix):
    images, labels = pair
    folder = tmp_path_factory.mktemp('some set')
    fill(folder, images, labels, suffix)
    for digits in load_idx(folder):
        assert (digits.images.numpy()==images).all() and digits.labels.tolist()==labels.tolist()
        assert digits.labels.dtype==torch.int64


@given(st.integers(0,255), st.integers(1,11), st.integers(0,4))
def test_load_idx_keeps_to_the_range_of_labels(tmp_path_factory, label, n_classes, place):
    folder, labels = tmp_path_factory.mktemp('labels'), np.zeros(5, np.uint8)
    labels[place] = label
    fill(folder, np.zeros((5,2,2), np.uint8), labels)
    if label<n_classes: assert load_idx(folder, n_classes)[0].labels[place]==label
    else:
        with pytest.raises(ValueError, match=f'labels-idx1-ubyte: expected labels 0 to {n_classes-1}, found {label} at index {place}'):
            load_idx(folder, n_classes)


@pytest.mark.parametrize('gone', ['train-images-idx3-ubyte', 't10k-labels-idx1-ubyte'])
def test_load_idx_names_the_file_that_is_missing(tmp_path, gone):
    fill(tmp_path, np.zeros((3,2,2), np.uint8), np.zeros(3, np.uint8))
    (tmp_path/gone).unlink()
    with pytest.raises((ValueError, FileNotFoundError)) as e: load_idx(tmp_path)
    assert str(tmp_path) in str(e.value) and gone.split('-')[1] in str(e.value)


# The folder of PNGs

counts = {'train/3':6131, 'train/7':6265, 'valid/3':1010, 'valid/7':1028}


def test_the_pngs_are_the_pictures(tmp_path):
    from PIL import Image
    folder, d = sample_folder(tmp_path/'sample'), dict(zip(('train','valid'), load_mnist()))
    for sub in counts:
        split, label = sub.split('/')
        names = {int(p.stem) for p in (folder/sub).iterdir()}
        assert names==set((d[split].labels==int(label)).nonzero()[:,0].tolist())
        for i in sorted(names)[::500]: assert (np.array(Image.open(folder/sub/f'{i}.png'))==d[split].images[i].numpy()).all()


@pytest.mark.skipif(not hasattr(os, 'setuid'), reason='no users here')
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    "As an ordinary user, also where the tests run as root"
    import tempfile, shutil
    place = Path(tempfile.mkdtemp())   # pytest's own folder cannot be entered by others
    try:
        (place/'closed').mkdir(mode=0o555)
        place.chmod(0o755)
        code = """
import os, sys
from mnist_course.data import sample_folder
if os.getuid()==0: os.setuid(65534)
try: sample_folder(sys.argv[1])
except OSError as e: print(e)
"""
        for path in (place/'closed'/'sample', place/'closed'/'deep'/'sample'):
            r = subprocess.run([sys.executable, '-c', code, str(path)], cwd=ROOT, capture_output=True, text=True)
            assert r.returncode==0 and str(place/'closed') in r.stdout, r.stdout+r.stderr
    finally: shutil.rmtree(place)


def test_a_file_in_the_way_is_named(tmp_path):
    (tmp_path/'file').write_text('mine')
    with pytest.raises(OSError, match='file'): sample_folder(tmp_path/'file'/'sample')
    assert (tmp_path/'file').read_text()=='mine'
