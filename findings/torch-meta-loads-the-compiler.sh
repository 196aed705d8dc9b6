#!/usr/bin/env bash
# torch 2.15.0: the first sum or product of tensors on the device `meta`, which hold no numbers, imports torch._dynamo and all that it needs.
# Guess: such a tensor is the cheapest there is, as nothing is computed. Making one, or sending one there, is cheap indeed.
# Seen: more than 500 modules more in the process, for a product of two numbers that aren't there. On a CPU the same product loads none.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q torch==2.15.0 numpy==2.4.6
OMP_NUM_THREADS=1 "$place/env/bin/python" - >"$place/seen" <<'PYTHON'
import sys
import torch

def loaded(what, f):
    before = len(sys.modules)
    f()
    n = len(sys.modules)-before
    print(f'{what}: {"more than 500" if n>500 else n} modules, torch._dynamo {"is" if "torch._dynamo" in sys.modules else "is not"} there')

print('torch', torch.__version__.split('+')[0])
loaded('a product on the CPU', lambda: torch.ones(2)*2)
loaded('a tensor sent to meta', lambda: torch.ones(2).to('meta'))
loaded('a product on meta', lambda: torch.ones(2, device='meta')*2)
PYTHON
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
torch 2.15.0
a product on the CPU: 0 modules, torch._dynamo is not there
a tensor sent to meta: 0 modules, torch._dynamo is not there
a product on meta: more than 500 modules, torch._dynamo is there
SEEN
