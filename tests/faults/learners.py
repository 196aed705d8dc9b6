"What a Learner is at a moment, to be compared with what it is later"
import json

import torch

from mnist_course import persist


def weights(model): return {name: w.clone() for name,w in model.state_dict().items()}
def same(a, b): return a.keys()==b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def state(learn):
    "All that a checkpoint could change, as one digest"
    tensors = {}
    rec = {name: [float(v) for row in getattr(learn.recorder, name) for v in (row if isinstance(row, list) else [row])] for name in persist._records}
    parts = [learn.model.state_dict(), None if learn.opt is None else [persist.opt_state(learn.opt), [*map(str, vars(learn.opt))]],
             persist.random_state(learn.dls), rec, getattr(learn.dls.train, 'seed', None)]
    return persist.digest({'': json.dumps(persist.take_tensors(parts, '', tensors))}, tensors)
