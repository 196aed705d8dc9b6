"""Ctrl-C and SIGTERM at random moments of each long command, in a scratch folder of its own. By hand, since it takes a while:

    python tests/faults/moments.py 50                    every command, 50 moments each
    python tests/faults/moments.py 10 train ladder       two of them
    python tests/faults/moments.py 20 sweep --seed 3     other moments

A moment is well met if the command ends with 130 or 143 (or 0, where it was over already), its last lines say what was kept and what
has ended it, no process is left, no `.part` lies about, and each safetensors, PNG, CSV and notebook there is whole. A process that is
ended before Python has begun to listen, in the first imports, dies of the signal itself, and has written nothing: those are counted apart.
"""
import argparse, os, random, shutil, signal, subprocess, sys, tempfile, time
from collections import Counter
from pathlib import Path

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from idx_files import fill

HERE = Path(__file__).parents[2]


def commands(scratch):
    "Each with the seconds within which it is interrupted: from before it listens to its end or well into its work"
    dice, small = np.random.default_rng(0), scratch/'set'
    small.mkdir()
    fill(small, dice.integers(0, 256, (600,28,28), dtype=np.uint8), dice.integers(0, 10, 600, dtype=np.uint8))
    few = ['--data', small]
    return {
        'train': ['train', 'mlp-64-64', *few, '--epochs', 2000, '--valid', 100, '--out', 'run', '--log', 'logs'],
        'processes': ['train', 'mlp-64-64', *few, '--epochs', 2000, '--processes', 2, '--out', 'run'],
        'ladder': ['ladder', '--fast', '--rungs', 'pixel-l1,mlp-64-64,mlp-490', *few, '--out', 'ladder'],
        'sweep': ['sweep', 'mlp-64-64', *few, '--valid', 100, '--epochs', 20, '--trials', 500, '--study', 's.journal'],
        'bench': ['bench', '--quick'],
        'site': ['site', '--out', scratch/'work'/'site'],    # in a clone of the course
        'grade': ['grade', scratch/'copies', '--out', 'table.csv'],
    }


def inside(folder):
    "Processes of the command that works there, whatever their session"
    found = []
    for p in psutil.process_iter():
        try:
            if p.environ().get('MOMENTS')==str(folder) and p.status()!=psutil.STATUS_ZOMBIE: found.append(p)
        except (psutil.Error, OSError): continue
    return found


def half_written(folder):
    "Files that are not whole"
    import json
    from mnist_course.persist import read_tensors
    from PIL import Image
    bad = [f'{p.name} is left' for p in folder.rglob('*.part')]
    for p in (p for p in folder.rglob('*') if p.is_file()):
        try:
            if p.suffix=='.safetensors': read_tensors(p)
            elif p.suffix=='.png': Image.open(p).load()
            elif p.suffix=='.ipynb': json.loads(p.read_text())
            elif p.suffix=='.csv' and p.read_bytes()[-1:]!=b'\n': raise ValueError('half a line')
        except Exception as e: bad.append(f'{p.name}: {type(e).__name__}: {e}')
    return bad


def moment(args, folder, signum, seconds, whole):
    "Start a command, end it after so many seconds, and say what became of it: '' if all is well"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    env = os.environ | dict(PYTHONPATH=str(HERE), OMP_NUM_THREADS='1', MOMENTS=str(folder))
    p = subprocess.Popen([sys.executable, '-m', 'mnist_course.tools.cli', *map(str, args)], cwd=HERE if args[0]=='site' else folder, env=env, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, errors='replace', start_new_session=True, restore_signals=True,
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
    time.sleep(seconds)
    over = p.poll() is not None
    if not over: (os.killpg if whole else os.kill)(p.pid, signum)
    try: out, err = p.communicate(timeout=90)
    except subprocess.TimeoutExpired:
        left = [' '.join(q.cmdline())[-80:] for q in inside(folder)]
        for q in inside(folder): q.kill()
        p.kill()
        p.communicate()
        return 'wrong', f'still there after 90 s: {left}'
    time.sleep(.3)
    left, lines = inside(folder), [line for line in err.replace('\r', '\n').splitlines() if line.strip()]
    wrong = half_written(folder) + [f'left behind: {" ".join(q.cmdline())[-80:]}' for q in left]
    for q in left: q.kill()
    if p.returncode==0: kind = 'over already'
    elif p.returncode==-signum or p.returncode==1 and 'KeyboardInterrupt' in err and 'mnist_course: ' not in err: kind = 'before it listens'
    else: kind = 'ended'
    if kind=='before it listens': wrong += [f'it has written {f.name}' for f in folder.rglob('*') if f.is_file()]
    if kind=='ended':
        told = {signal.SIGINT: 'mnist_course: interrupted', signal.SIGTERM: 'mnist_course: ended by SIGTERM'}[signum]
        if p.returncode!=128+signum: wrong.append(f'code {p.returncode}')
        if lines[-1:]!=[told] or len(lines)<2: wrong.append(f'it says {lines[-3:]}')
        if 'Traceback' in err+out: wrong.append('a traceback')
    return ('wrong' if wrong else kind), '; '.join(wrong)


def main():
    parser = argparse.ArgumentParser(description='Signals at random moments of each long command')
    parser.add_argument('n', type=int, help='moments of each command')
    parser.add_argument('names', nargs='*', help='only these commands')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--within', type=float, default=14, help='seconds in which the moments lie')
    asked = parser.parse_args()
    scratch, dice = Path(tempfile.mkdtemp(prefix='moments')), random.Random(asked.seed)
    try:
        all_of_them = commands(scratch)
        for name in asked.names or all_of_them:
            if name=='grade' and not (scratch/'copies').exists():
                subprocess.run([sys.executable, '-m', 'mnist_course.tools.cli', 'start', scratch/'copies'/'ada'], check=True, stdout=subprocess.DEVNULL,
                               env=os.environ | dict(PYTHONPATH=str(HERE)), cwd=scratch)
            counts = Counter()
            for _ in range(asked.n):
                signum, seconds, whole = dice.choice([signal.SIGINT, signal.SIGTERM]), dice.uniform(.5, asked.within), dice.random()<.3
                kind, why = moment(all_of_them[name], scratch/'work', signum, seconds, whole)
                counts[kind] += 1
                if why: print(f'{name} {signum.name}{" to all" if whole else ""} after {seconds:.2f} s: {why}', flush=True)
            print(f'{name}: {sum(counts.values())-counts["wrong"]}/{asked.n} well met ({", ".join(f"{n} {k}" for k,n in sorted(counts.items()))})', flush=True)
    finally: shutil.rmtree(scratch, ignore_errors=True)


if __name__=='__main__': main()
