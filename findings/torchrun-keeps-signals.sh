#!/usr/bin/env bash
# torch 2.15.0: `torch.distributed.run.run(...)`, called from Python, leaves its handlers of SIGTERM, SIGINT, SIGHUP and SIGQUIT behind.
# Guess: handlers are as they were once the call has come back, as after `subprocess.run`.
# Seen: all four stay changed, after a run that ended well. From then on Ctrl-C raises torch's SignalException, which no
# `except KeyboardInterrupt` catches, and whoever set a handler of their own has lost it.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q torch==2.15.0 numpy==2.4.6
echo 'pass' >"$place/nothing.py"
OMP_NUM_THREADS=1 "$place/env/bin/python" - "$place/nothing.py" >"$place/seen" 2>/dev/null <<'PYTHON'
import signal, sys

import torch
from torch.distributed.run import get_args_parser, run

names = 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'
def handlers(): return [signal.getsignal(getattr(signal, name)) for name in names]
before = handlers()
run(get_args_parser().parse_args(['--standalone', '--nproc-per-node', '1', sys.argv[1]]))
print('torch', torch.__version__.split('+')[0])
for name,old,new in zip(names, before, handlers()): print(f'{name}: {"as before" if old==new else new.__module__}')
PYTHON
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
torch 2.15.0
SIGTERM: torch.distributed.elastic.multiprocessing.api
SIGINT: torch.distributed.elastic.multiprocessing.api
SIGHUP: torch.distributed.elastic.multiprocessing.api
SIGQUIT: torch.distributed.elastic.multiprocessing.api
SEEN
