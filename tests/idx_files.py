"idx files as MNIST's are, for the tests of what reads them and of what happens when they are damaged"
import gzip

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

small = st.integers(1,3).flatmap(
    lambda n: arrays(np.uint8, array_shapes(min_dims=n, max_dims=n, min_side=0, max_side=5)))


def idx(array): return np.array([2048+array.ndim, *array.shape], '>u4').tobytes() + array.tobytes()
def kinds(name): return name, f'{name}.gz'
def write(path, raw): path.write_bytes(gzip.compress(raw, mtime=0) if path.suffix=='.gz' else raw)


def fill(folder, images, labels, suffix='', test='t10k'):
    "The four files of a data set: the same pictures to train on and to test with"
    for split in ('train', test):
        write(folder/f'{split}-images-idx3-ubyte{suffix}', idx(images))
        write(folder/f'{split}-labels-idx1-ubyte{suffix}', idx(labels))
