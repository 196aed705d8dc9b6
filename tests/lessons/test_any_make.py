"Numbers as a tensor, an array, a list: taken where pictures and classes are due, or refused in a sentence. Here, for a learner's own answer need not"
import re

import numpy as np
import pytest
import torch

from mnist_course.evaluate import confusion_matrix
from mnist_course.sgd import DataLoader

NUMBERS = np.arange(6.), np.arange(6)
PAIRS = {'arrays': NUMBERS, 'pairs': list(zip(*NUMBERS)), 'a tensor and a list': (torch.tensor(NUMBERS[0]), NUMBERS[1].tolist()),
         'another byte order': (NUMBERS[0].astype('>f4'), NUMBERS[1])}


@pytest.mark.parametrize('dset', PAIRS.values(), ids=PAIRS)
def test_a_loader_takes_numbers_of_any_make(dset):
    assert [b.tolist() for b in next(iter(DataLoader(dset, bs=np.int64(2), seed=np.int64(0))))]==[[0.,1.], [0,1]]


@pytest.mark.parametrize('dset,says', [((x for x in NUMBERS), 'the data set is a generator: give a list of pairs'), ((*NUMBERS, NUMBERS[0]), 'expected x and y, found 3 parts'),
                                       ((NUMBERS[0], list('abcdef')), 'y: expected numbers')])
def test_a_loader_refuses_what_is_no_data_set(dset, says):
    with pytest.raises(ValueError, match=re.escape(says)): DataLoader(dset)


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="device 'gpu' is not available: this machine has"): DataLoader(NUMBERS, device='gpu')


@pytest.mark.parametrize('kind', [list, np.array, lambda v: np.array(v, np.int32), torch.tensor, lambda v: list(np.array(v))])
def test_classes_of_any_make_are_counted(kind):
    assert torch.equal(confusion_matrix(kind([0,1,2]), kind([0,1,2]), np.int64(3)), torch.eye(3).long())


@pytest.mark.parametrize('wrong,says', [(torch.tensor([0,1,2]).int(), 'use preds.long()'), ([.5]*3, 'found torch.float32'),
                                        (list('abc'), 'preds: expected numbers'), (3, 'found torch.int64, ()')])
def test_what_is_no_row_of_classes_is_refused(wrong, says):
    with pytest.raises(ValueError, match=re.escape(says)): confusion_matrix(wrong, [0,1,2], 3)
