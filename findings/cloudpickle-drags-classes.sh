#!/usr/bin/env bash
# cloudpickle 3.1.2 with torch 2.15.0: whether a function can be sent to another process depends on the name of an attribute in it.
# Guess: two functions that differ in the name of an attribute of their argument can both be pickled, or neither.
# Seen: a function of a notebook or script that uses `torch` and reads `data.names` goes; the same with `data.classes` is refused,
# because `torch.classes` is a loaded module of that name, is taken to be meant, and can't be pickled.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q cloudpickle==3.1.2 torch==2.15.0 numpy==2.4.6
"$place/env/bin/python" - >"$place/seen" <<'PYTHON'
import cloudpickle, torch

def count_names(data): return torch.tensor(len(data.names))
def count_classes(data): return torch.tensor(len(data.classes))

print('cloudpickle', cloudpickle.__version__, 'torch', torch.__version__.split('+')[0])
for f in (count_names, count_classes):
    try: cloudpickle.dumps(f)
    except TypeError as e: print(f'{f.__name__}: {e}')
    else: print(f'{f.__name__}: sent')
PYTHON
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
cloudpickle 3.1.2 torch 2.15.0
count_names: sent
count_classes: cannot pickle '_Classes' object
SEEN
