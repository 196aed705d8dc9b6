"""What reading a set costs: `load_any` on Fashion-MNIST's four gzipped files beside another clone's `load_idx`, in turns. Prints, asserts nothing.

    python tests/data_speed.py --base FOLDER                # FOLDER is a clone, as of an earlier commit
    python tests/data_speed.py --base FOLDER --turns 15 --data /usr/share/datasets/fashion-mnist

Seconds are those of the call, by the clock and on the processor. Memory is what the process's peak grew by during the call, in units of
what all pictures and labels hold as they are handed over. A process of its own for each call; medians.
Debian's package dataset-fashion-mnist holds the files. The last lines are `read_idx`'s peaks on a plain file and on a gzipped one, and
what a labels file of 2 MB that unpacks to 2 GB costs before it is refused.
"""
import argparse, gzip, json, os, subprocess, sys, tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent

CALL = """
import json, resource, sys, time, torch
def peak():
    with open('/proc/self/status') as f: return next(int(line.split()[1])*1024 for line in f if line.startswith('VmHWM'))
def now():
    with open('/proc/self/status') as f: return next(int(line.split()[1])*1024 for line in f if line.startswith('VmRSS'))
{imports}
open('/proc/self/clear_refs', 'w').write('5')    # the peak counts from here
before, wall, cpu = now(), time.perf_counter(), time.process_time()
refused = ''
try: found = {call}
except ValueError as e: found, refused = [], str(e)
wall, cpu, most = time.perf_counter()-wall, time.process_time()-cpu, peak()
tensors = [t for d in found for t in ([d.images, d.labels] if hasattr(d, 'images') else [d])]
print(json.dumps([wall, cpu, most-before, sum(t.numel()*t.element_size() for t in tensors), refused]))
"""


def once(side, imports, call, *args):
    "Seconds by the clock and on the processor, bytes that the peak grew by, bytes handed over, and why it was refused"
    env = os.environ | dict(PYTHONPATH=str(side), OMP_NUM_THREADS='1')
    r = subprocess.run([sys.executable, '-c', CALL.format(imports=imports, call=call), *map(str, args)], env=env, cwd=side, capture_output=True, text=True)
    if r.returncode: raise SystemExit(r.stdout+r.stderr)
    return json.loads(r.stdout)


def compare(sides, turns, data):
    "Of each side what every turn gave, in turns"
    found = {name: [] for name in sides}
    for _ in range(turns):
        for name,(side,module,call) in sides.items(): found[name].append(once(side, f'from mnist_course.{module} import {call}', f'{call}(sys.argv[1])', data))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--base', type=Path, required=True, help='another clone, as of an earlier commit')
    parser.add_argument('--data', type=Path, default=Path('/usr/share/datasets/fashion-mnist'))
    parser.add_argument('--turns', type=int, default=9)
    args = parser.parse_args()
    if not args.data.is_dir(): raise SystemExit(f"{args.data}: no data here; Debian's package dataset-fashion-mnist holds them")
    sides = dict(base=(args.base.resolve(), 'data', 'load_idx'), here=(ROOT, 'any_digits', 'load_any'), load_idx=(ROOT, 'data', 'load_idx'))
    found = compare(sides, args.turns, args.data)
    middle = {name: [median(column) for column in list(zip(*runs))[:4]] for name,runs in found.items()}
    for name,(wall,cpu,grew,held) in middle.items():
        print(f'{name:9} {sides[name][2]:9} {wall:6.3f} s {cpu:6.3f} cpu s   peak {grew/2**20:7.1f} MB, {grew/held:5.2f} of what it hands over')
    for name in ('here', 'load_idx'):
        a, b = middle[name], middle['base']
        print(f'{sides[name][2]} here / load_idx of base: {a[0]/b[0]:.2f} of the time, {a[1]/b[1]:.2f} on the processor, {a[2]/b[2]:.2f} of the peak')
    with tempfile.TemporaryDirectory() as tmp: alone(Path(tmp), args.data)


def alone(tmp, data):
    "One file: the peak of `read_idx`, and of a set whose labels are a bomb"
    zipped = data/'train-images-idx3-ubyte.gz'
    (tmp/'plain').write_bytes(gzip.decompress(zipped.read_bytes()))
    for name,file in (('plain', tmp/'plain'), ('gzipped', zipped)):
        _, _, grew, held, _ = once(ROOT, 'from mnist_course.data import read_idx', '[read_idx(sys.argv[1])]', file)
        print(f'read_idx, {name}: peak {grew/held:.2f} of its bytes')
    for f in data.iterdir(): (tmp/f.name).symlink_to(f)
    bomb = tmp/'train-labels-idx1-ubyte.gz'
    bomb.unlink()
    with gzip.open(bomb, 'wb', 9) as f:
        f.write((2049).to_bytes(4, 'big') + (2**31).to_bytes(4, 'big'))
        for _ in range(2**7): f.write(bytes(2**24))
    for module,call in (('data', 'load_idx'), ('any_digits', 'load_any')):
        _, _, grew, _, why = once(ROOT, f'from mnist_course.{module} import {call}', f'{call}(sys.argv[1])', tmp)
        print(f'{call}, labels that unpack to 2 GB from {bomb.stat().st_size:,} bytes: peak grew by {grew:,} bytes; {why.replace(str(tmp), "")}')


if __name__=='__main__': main()
