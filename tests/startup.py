"""How long a learner waits: for the first check in a notebook, and for `mnist_course check`. Prints a table, asserts nothing.

    python tests/startup.py                         # this clone
    python tests/startup.py --base FOLDER           # beside another clone, in turns, which evens out what else the machine does
    python tests/startup.py --base FOLDER --turns 9

Seconds are medians. Those on the processor count all child processes, and are steadier on a busy machine.
"""
import argparse, json, os, resource, subprocess, sys, tempfile, time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent

CELL = """
import json, sys, time
import torch
if {lesson}: from mnist_course.data import threes_and_sevens
def sigmoid(x): return 1/(1+torch.exp(-x.clamp(min=-80)))
wall, cpu = time.perf_counter(), time.process_time()
from mnist_course.check import check
verdict = check(sigmoid)
wall, cpu = time.perf_counter()-wall, time.process_time()-cpu
assert verdict.status=='done', verdict
print(json.dumps([wall, cpu, len([m for m in sys.modules if m.split('.')[0]=='mnist_course'])]))
"""

COMMAND = 'import sys; from mnist_course.{cli} import main; main(sys.argv[1:])'

FILL = """
import sys
from pathlib import Path
from mnist_course.check import answers_in, exercises_of, fill, read_lesson, write_notebook
copy, lesson, how = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
right = answers_in(read_lesson(lesson), exercises_of(lesson))
if how=='half': right = {n: right[n] for n in list(right)[:2]}
write_notebook(copy, fill(read_lesson(copy), exercises_of(copy), right))
"""


def python(code, *args, side, cwd):
    "Run code on one clone; its stdout, and seconds by the clock and on the processor"
    env = {k: v for k,v in os.environ.items() if k not in ('OMP_NUM_THREADS','PYTHONDONTWRITEBYTECODE')} | dict(PYTHONPATH=str(side))
    spent = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    cpu, wall = spent(), time.perf_counter()
    r = subprocess.run([sys.executable, '-c', code, *map(str, args)], cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    wall, cpu = time.perf_counter()-wall, spent()-cpu
    if r.returncode and 'Next: ' not in r.stdout: raise SystemExit(r.stdout+r.stderr)    # else not all is done
    return r.stdout, wall, cpu


def mnist_course(*args, side, cwd):
    "The command; in version 0.1.0 it was a module of another name"
    cli = 'tools.cli' if (side/'mnist_course'/'tools').is_dir() else 'cli'
    return python(COMMAND.format(cli=cli), *args, side=side, cwd=cwd)


def folders(side, tmp):
    "A learner's folders made by this clone: untouched, with two answers in lesson 03, with all five"
    made = {}
    for how in ('untouched','half','all'):
        made[how] = tmp/how
        mnist_course('start', made[how], side=side, cwd=tmp)
        if how!='untouched': python(FILL, made[how]/'03_loss.ipynb', side/'nbs'/'03_loss.ipynb', how, side=side, cwd=tmp)
    return made


def cell(lesson): return lambda side, tmp: json.loads(python(CELL.format(lesson=lesson), side=side, cwd=tmp)[0])
def command(how, *lesson, again=False):
    def run(side, tmp):
        if not again: (tmp/how/'.checked.json').unlink(missing_ok=True)    # what was done before
        return mnist_course('check', tmp/how, *lesson, side=side, cwd=tmp)[1:]
    return run

def bare(side, tmp): return python('import torch', side=side, cwd=tmp)[1:]


MEASURED = {'import torch, and nothing else': bare,
            'first check, after import torch': cell(False),
            'first check, after the imports of lesson 03': cell(True),
            'check FOLDER 03, untouched': command('untouched', '03'),
            'check FOLDER 03, two of five answered': command('half', '03'),
            'check FOLDER 03, two of five answered, again': command('half', '03', again=True),
            'check FOLDER 03, all answered': command('all', '03'),
            'check FOLDER 03, all answered, again': command('all', '03', again=True),
            'check FOLDER, all lessons, five answered': command('all')}


def compare(sides, turns):
    "Pairs of a title and, for each clone, what each turn gave"
    with tempfile.TemporaryDirectory() as tmp:
        places = {name: Path(tmp)/name for name in sides}
        for name,side in sides.items():
            places[name].mkdir()
            folders(side, places[name])
        for what in MEASURED.values():    # what has to be compiled and read from disk once
            for name,side in sides.items(): what(side, places[name])
        for title,what in MEASURED.items(): yield title, in_turns(what, sides, places, turns)


def in_turns(what, sides, places, turns):
    found = {name: [] for name in sides}
    for _ in range(turns):
        for name,side in sides.items(): found[name].append(what(side, places[name]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--base', type=Path, help='another clone, as of an earlier commit')
    parser.add_argument('--turns', type=int, default=7)
    args = parser.parse_args()
    sides = ({'base': args.base.resolve()} if args.base else {}) | {'here': ROOT}
    print(f'{"":52}' + ''.join(f'{name+" s":>9}{"cpu s":>8}{"modules":>9}' for name in sides) + ('    here/base: s, cpu' if args.base else ''))
    for title,found in compare(sides, args.turns):
        middle = {name: [median(column) for column in zip(*runs)] for name,runs in found.items()}
        row = ''.join(f'{m[0]:9.2f}{m[1]:8.2f}{m[2] if len(m)>2 else "":>9}' for m in middle.values())
        ratio = f'{middle["here"][0]/middle["base"][0]:14.2f}{middle["here"][1]/middle["base"][1]:6.2f}' if args.base else ''
        print(f'{title:52}{row}{ratio}', flush=True)


if __name__=='__main__': main()
