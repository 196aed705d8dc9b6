#!/usr/bin/env bash
# torch 2.15.0: a tensor compared with a tuple by == is Python's False, and by != its True, whatever stands in it.
# Guess: element by element, as NumPy does and as == with a number does, or a TypeError, as `<` and `torch.eq` raise.
# Seen: one False, also where all elements are equal. Used as a mask it's no error either: the result is empty, with one more axis.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q torch==2.15.0 numpy==2.4.6
OMP_NUM_THREADS=1 "$place/env/bin/python" - >"$place/seen" <<'PYTHON'
import numpy as np
import torch

labels = torch.tensor([3, 7, 3])

def outcome(f):
    try: return f()
    except TypeError as e: return type(e).__name__

print('torch', torch.__version__.split('+')[0])
print('== a number:', (labels==3).tolist())
print('== a tuple of the same numbers:', labels==(3, 7, 3), 'and !=:', labels!=(3, 7, 3))
print('== that tuple in NumPy:', (labels.numpy()==(3, 7, 3)).tolist())
print('< a tuple:', outcome(lambda: labels<(3, 7, 3)), 'torch.eq:', outcome(lambda: torch.eq(labels, (3, 7, 3))))
print('as a mask:', tuple(labels[labels==(3, 7, 3)].shape))
PYTHON
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
torch 2.15.0
== a number: [True, False, True]
== a tuple of the same numbers: False and !=: True
== that tuple in NumPy: [True, True, True]
< a tuple: TypeError torch.eq: TypeError
as a mask: (0, 3)
SEEN
