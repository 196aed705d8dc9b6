#!/usr/bin/env bash
# safetensors 0.8.0: the dict that load makes of bytes (safetensors.numpy and .torch) has its names in an order that changes from process to process.
# Guess: the order in which they were saved, or at least that of load_file, which reads the same bytes from a file.
# Seen: eight processes read one file. load gives several orders, load_file one (that of the bytes: the widest type first, then by name),
# safe_open(...).keys() one (by name). So who pairs tensors with parameters by place, or writes what was read, gets another result each time.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q safetensors==0.8.0 numpy==2.4.6
"$place/env/bin/python" - "$place/some.safetensors" >"$place/seen" <<'PYTHON'
import subprocess, sys
import numpy as np
import safetensors
from safetensors.numpy import save_file

path = sys.argv[1]
names = [f'{i}.{what}' for i in (2, 10, 0, 4) for what in ('weight', 'bias')]
save_file({name: np.ones(2, 'float32') for name in names} | {'steps': np.ones(2, 'int64')}, path)
ways = {'load': "load(open(path, 'rb').read())", 'load_file': 'load_file(path)', 'safe_open': "safe_open(path, 'np').keys()"}
code = "import sys; from safetensors import safe_open; from safetensors.numpy import load, load_file; path = sys.argv[1]; print(*{})"
print('safetensors', safetensors.__version__)
for way,how in ways.items():
    orders = {subprocess.check_output([sys.executable, '-c', code.format(how), path], text=True) for _ in range(8)}
    alike = len({tuple(sorted(order.split())) for order in orders})==1
    print(f'{way}:', 'one order' if len(orders)==1 else 'several orders', 'of the same names' if alike else 'of other names')
    if len(orders)==1: print('   ', orders.pop().strip())
print('saved as', *names, 'steps')
PYTHON
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
safetensors 0.8.0
load: several orders of the same names
load_file: one order of the same names
    steps 0.bias 0.weight 10.bias 10.weight 2.bias 2.weight 4.bias 4.weight
safe_open: one order of the same names
    0.bias 0.weight 10.bias 10.weight 2.bias 2.weight 4.bias 4.weight steps
saved as 2.weight 2.bias 10.weight 10.bias 0.weight 0.bias 4.weight 4.bias steps
SEEN
