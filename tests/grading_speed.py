"""How long grading takes, beside an earlier commit and in turns with it. Prints a table, asserts nothing.

    python tests/grading_speed.py --base FOLDER                # 100 learners, each with one lesson, on two processes at a time
    python tests/grading_speed.py --base FOLDER --learners 30

The lessons go round: the first learner hands in 00, the second 01, and so on; every second one has all exercises of it right,
the others have the first one alone. Each clone grades copies that it has made itself. The learners are graded in portions, now
by one clone and then by the other, which evens out what else the machine does. Here submissions are shut in where that works.
"""
import argparse, tempfile
from pathlib import Path

from startup import ROOT, mnist_course, python

HAND_IN = """
import json, sys
from pathlib import Path
from mnist_course.check import answers_in, exercises_of, fill, read_lesson, write_notebook
start, folder, first, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
lessons = [p for p in sorted(Path(sys.argv[5]).glob('[0-9][0-9]*.ipynb')) if exercises_of(p)]
n = 0
for i in range(first, last):
    lesson = lessons[i%len(lessons)]
    right = answers_in(read_lesson(lesson), exercises_of(lesson))
    if i%2: right = dict(list(right.items())[:1])
    (folder/f'learner {i:03}').mkdir(parents=True)
    write_notebook(folder/f'learner {i:03}'/lesson.name, fill(read_lesson(start/lesson.name), exercises_of(lesson), right))
    n += len(right)
print(n)
"""


def portions(learners, n):
    return [(a, min(a+n, learners)) for a in range(0, learners, n)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--base', type=Path, required=True, help='another clone, as of an earlier commit')
    parser.add_argument('--learners', type=int, default=100)
    parser.add_argument('--portion', type=int, default=25)
    args = parser.parse_args()
    sides, total = {'base': args.base.resolve(), 'here': ROOT}, {}
    with tempfile.TemporaryDirectory() as tmp:
        for name,side in sides.items():
            (Path(tmp)/name).mkdir()
            mnist_course('start', Path(tmp)/name/'start', side=side, cwd=tmp)
        for a,b in portions(args.learners, args.portion):
            for name,side in sides.items():
                place = Path(tmp)/name
                answers = int(python(HAND_IN, place/'start', place/f'class{a}', a, b, side/'nbs', side=side, cwd=tmp)[0])
                _, wall, cpu = mnist_course('grade', place/f'class{a}', '--out', place/f'grades{a}.csv', '--workers', 2, side=side, cwd=tmp)
                row = (place/f'grades{a}.csv').read_text().count(',done')
                old = total.get(name, (0, 0, 0, 0))
                total[name] = old[0]+answers, old[1]+row, old[2]+wall, old[3]+cpu
                print(f'learners {a:3} to {b-1:3}, {name}: {answers} answers, {row} done, {wall:.1f} s, {cpu:.1f} s of processor time', flush=True)
    for name,(answers,done,wall,cpu) in total.items(): print(f'{name}: {answers} answers, {done} done, {wall:.1f} s, {cpu:.1f} s of processor time')
    print(f'here/base: {total["here"][2]/total["base"][2]:.2f} of the seconds, {total["here"][3]/total["base"][3]:.2f} of those on the processor')


if __name__=='__main__': main()
