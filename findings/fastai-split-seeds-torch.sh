#!/usr/bin/env bash
# fastai 2.8.7: `RandomSplitter(seed=42)` seeds PyTorch's global generator, not only its own draw.
# Guess: the seed of a split decides which rows are held out, and nothing else.
# Seen: after the split, numbers drawn from two different global seeds are equal. So "three seeds" of a network, each split with
# the same seed, begin with the same weights, and a spread over seeds comes out as none.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q torch==2.15.0 torchvision==0.29.2 fastai==2.8.7
OMP_NUM_THREADS=1 "$place/env/bin/python" -W ignore - >"$place/seen" 2>/dev/null <<'PYTHON'
import fastai, torch
from fastai.data.transforms import RandomSplitter
from torch import nn

def first_weight(seed, split):
    torch.manual_seed(seed)
    if split: RandomSplitter(seed=42)(range(10))
    return round(nn.Linear(1, 1).weight.item(), 4)

print('fastai', fastai.__version__)
for split in (False, True): print('after a split:' if split else 'without one:', len({first_weight(seed, split) for seed in range(3)}), 'different weights from three seeds')
PYTHON
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
fastai 2.8.7
without one: 3 different weights from three seeds
after a split: 1 different weights from three seeds
SEEN
