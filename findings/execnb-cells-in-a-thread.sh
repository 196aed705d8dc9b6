#!/usr/bin/env bash
# execnb 0.3.4, which nbdev 3 tests notebooks with, runs the cells of a `CaptureShell` in a thread of their own, where Python lets
# nobody install a handler for a signal: a cell that sets an alarm, as in every Jupyter kernel it may, ends in a ValueError.
# execnb 0.1.18, which nbdev 2 uses, runs the same cell in the main thread, and it passes.
# Seen, on Python 3.11:
#   execnb 0.1.18: in the main thread: True; handler installed
#   execnb 0.3.4: in the main thread: False; ValueError: signal only works in main thread of the main interpreter
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/old"
python3 -m venv "$folder/new"
"$folder/old/bin/pip" install -q execnb==0.1.18 fastcore==1.12.47 ipython==9.15.0
"$folder/new/bin/pip" install -q execnb==0.3.4 fastcore==2.2.41 ipython==9.15.0
cat > "$folder/cell.py" <<'END'
import sys
from importlib.metadata import version
from execnb.shell import CaptureShell
cell = """import signal, threading
where = threading.current_thread() is threading.main_thread()
try: signal.signal(signal.SIGALRM, signal.SIG_DFL); said = 'handler installed'
except ValueError as e: said = f'ValueError: {e}'
print(f'in the main thread: {where}; {said}')"""
for out in CaptureShell().run(cell): print(f"execnb {version('execnb')}:", ''.join(out['text']).strip())
END
seen=$(for which in old new; do "$folder/$which/bin/python" "$folder/cell.py" 2>/dev/null; done)
echo "$seen"
[ "$seen" = "execnb 0.1.18: in the main thread: True; handler installed
execnb 0.3.4: in the main thread: False; ValueError: signal only works in main thread of the main interpreter" ]
