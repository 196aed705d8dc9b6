"""Tick and lesson agree: a copy whose exercises hold other right answers than ours runs to its end.

    python tests/exercises/rehearsal.py                # all that has changed since it last ran to its end; keeps it in rehearsed.csv
    python tests/exercises/rehearsal.py 05             # every variant that lesson 05 accepts, one after the other
    python tests/exercises/rehearsal.py 05 1           # the second variant of each exercise that has one
    python tests/exercises/rehearsal.py 05 Adam=forget # with a planted mistake, to see the lesson stop

Each answer goes into a learner's copy in the place of ours, and every error it raises says "no" in place of what the variant
says. Then the cells run that use an answer, by their names, and those that these need. A cell that stops is a case that the
check lacks, or asks for more than the task. Cells marked `#| slow` are left out, as in the lessons.

All runs take half an hour of processor time, most of it the training of nets. So rehearsed.csv keeps a digest of what each
depends on: the copy's cells, the variants, all modules below the lesson, the libraries' versions and this file. The
tests run what is short, what has changed, and of the rest one in eight, another eighth with each commit; all of it where
the environment has REHEARSE=all.
"""
import ast, csv, functools, hashlib, inspect, json, multiprocessing, os, re, subprocess, sys, tempfile, time, types
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from checks import ROOT
from layers import all_imports, module_of

from mnist_course.classroom.copies import answers_in, fill, find_cell, learner_copy
from mnist_course.core.files import copy_lessons, read_lesson
from mnist_course.exercises import exercises_of
from mnist_course.exercises.outline import lessons_of


# Which cells use an answer

class Names(NamedTuple):
    made:set     # What a cell gives a value to, or changes
    used:set     # What it asks for


def root(node):
    "The name that `a.b[c].d` begins with"
    while isinstance(node, ast.Attribute|ast.Subscript|ast.Call): node = node.func if isinstance(node, ast.Call) else node.value
    return getattr(node, 'id', '')


def names_of(source):
    "What a cell makes and uses; a call for its effect, as `opt.step()`, changes what it is called on and what it is given"
    try: tree = ast.parse(re.sub(r'^([ \t]*)[%!].*$', r'\1pass', source, flags=re.M))
    except SyntaxError: return Names(set(), set())
    made = set()
    for n in ast.walk(tree):
        if isinstance(n, ast.FunctionDef|ast.ClassDef): made.add(n.name)
        elif isinstance(n, ast.Import|ast.ImportFrom): made |= {(a.asname or a.name).split('.')[0] for a in n.names}
        elif isinstance(n, ast.Name|ast.Attribute|ast.Subscript) and not isinstance(n.ctx, ast.Load): made.add(root(n))
        elif isinstance(n, ast.Expr) and isinstance(n.value, ast.Call) and not re.match('test_|show|print|display|plt', root(n.value)):
            made |= {root(n.value), *map(root, n.value.args)}
    return Names(made-{''}, {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)})


def affected(sources, answers):
    "Places of the cells that use one of `answers`, and of all that these need, in order"
    names, reached, found = list(map(names_of, sources)), set(answers), set()
    for i,n in enumerate(names):
        if n.used & reached or n.made & reached:
            found.add(i)
            reached |= n.made
    todo = list(found)
    while todo:
        needed = names[todo.pop()].used
        more = {j for j,n in enumerate(names) if n.made & needed} - found    # those below too: a function may use what comes later
        found |= more
        todo += more
    always = {i for i,s in enumerate(sources) if re.search(r'^\s*(import|from) ', s, flags=re.M)}
    return sorted(found | always)


# An answer of another kind in a copy

class Scope(dict):
    "Globals of a variant: what the copy has, at the time of the call, and behind it what its own module has"
    def __init__(self, copy, module): super().__init__(); self.places = copy, module
    def __contains__(self, name): return any(name in place for place in self.places)    # asked where a function is sent to another process
    def __missing__(self, name):
        for place in self.places:
            if name in place: return place[name]
        raise KeyError(name)


def moved(f, copy, cell=None):
    "A function whose globals are those of the copy; `cell` is what `super()` looks into"
    free = [cell if name=='__class__' and cell else c for name,c in zip(f.__code__.co_freevars, f.__closure__ or ())]
    new = types.FunctionType(f.__code__, Scope(copy, f.__globals__), f.__name__, f.__defaults__, tuple(free))
    new.__kwdefaults__, new.__doc__ = f.__kwdefaults__, f.__doc__
    return new


def no_words(e, f):
    "The error that `f` itself raised, in other words; another one as it is"
    tb = e.__traceback__.tb_next
    ours = tb and tb.tb_frame.f_code is f.__code__ and not tb.tb_next
    return type(e)('no') if ours and type(e) in (ValueError, TypeError, KeyError, IndexError, RuntimeError) else e


def reworded(f):
    "The same function; the errors that it raises say `no`"
    if inspect.isgeneratorfunction(f):
        def g(*args, **kwargs):
            try: yield from f(*args, **kwargs)
            except Exception as e: raise no_words(e, f) from None
    else:
        def g(*args, **kwargs):
            try: return f(*args, **kwargs)
            except Exception as e: raise no_words(e, f) from None
    return functools.wraps(f)(g)


def parts_of(answer, ex, stub):
    "What a learner would have written of a class: the methods that are asked for, and what these need and the copy lacks"
    ours = [c for c in answer.__mro__ if c.__module__.startswith('mnist_course.exercises.')]
    parts = {name: x for c in reversed(ours) for name,x in vars(c).items() if name not in ('__dict__', '__weakref__', '__module__', '__doc__')}
    return {name: x for name,x in parts.items() if name in ex.methods or not hasattr(stub, name)}


def finish(stub, answer, ex, copy):
    "Put the methods of a class into that of the copy"
    cell = types.CellType(stub)
    def one(x):
        if inspect.isfunction(x): return reworded(moved(x, copy, cell))
        if isinstance(x, staticmethod|classmethod): return type(x)(one(x.__func__))
        if isinstance(x, property): return property(*[f and moved(f, copy, cell) for f in (x.fget, x.fset, x.fdel)], x.__doc__)
        return x
    for name,x in parts_of(answer, ex, stub).items(): setattr(stub, name, one(x))


def put(copy, ex, answer):
    "Into the copy's names, under the name of the exercise"
    first, _, method = ex.name.partition('.')
    if method: setattr(copy[first], method, reworded(moved(answer, copy)))
    elif isinstance(answer, type): finish(copy[first], answer, ex, copy)
    elif inspect.isfunction(answer): copy[first] = reworded(moved(answer, copy))
    else: copy[first] = answer    # torch's own function


# A copy, from its first cell to its last

class Ended(NamedTuple):
    stopped:list # (cell, error, its first lines) of each cell that did not run to its end
    ran:int      # Cells that ran
    slow:list    # (cell, seconds of processor time) of those that took long
    seconds:float # Processor time in all


def rounds(path):
    "Number of runs that put each variant of a lesson in once"
    return max(len(ex.variants) for ex in exercises_of(path))


def answers_of(path, k):
    "Number of an exercise -> its k-th variant, for those that have one. The others are answered as in the lesson"
    return {ex.number: ex.variants[k] for ex in exercises_of(path) if k<len(ex.variants)}


def cells_of(path, answers):
    "The code of a copy whose other exercises are answered as in the lesson: id -> source of the cells to run; number -> id of its cell"
    exercises, nb = exercises_of(path), learner_copy(path)
    others = [ex for ex in exercises if ex.number not in answers]
    fill(nb, others, answers_in(read_lesson(path), others))
    places = {ex.number: find_cell(nb, ex)['id'] for ex in exercises if ex.number in answers}
    code = {c['id']: c['source'] for c in nb['cells'] if c['cell_type']=='code' and not c['id'].endswith('-check')
            and not re.search(r'^#\|\s*(slow\b|eval:\s*false)', c['source'], flags=re.M)}
    run = affected(list(code.values()), {ex.name.split('.')[0] for ex in exercises if ex.number in answers})
    return {cell: source for i,(cell,source) in enumerate(code.items()) if i in run}, places


def run_copy(path, answers, folder):
    "Run the cells of a copy that use these answers, in a kernel's way, inside `folder`"
    from execnb.shell import CaptureShell
    cells, places = cells_of(path, answers)
    at = {places[ex.number]: ex for ex in exercises_of(path) if ex.number in places}
    if not at.keys()<=cells.keys(): raise ValueError(f'{path.stem}: cells of exercises are left out: {at.keys()-cells.keys()}')
    os.environ['IN_TEST'] = '1'    # as nbdev_test does
    copy_lessons(ROOT/'nbs', folder)    # lessons show tables that were handed out with them
    os.chdir(folder)
    shell, stopped, slow, start = CaptureShell(), [], [], time.process_time()
    for cell,source in cells.items():
        begun = time.process_time()
        shell.run(source)
        if cell in at and not shell.exc: put(shell.user_ns, at[cell], answers[at[cell].number])
        if shell.exc: stopped.append((cell, f'{type(shell.exc).__name__}: {shell.exc}'[:400], source[:200]))
        shell.exc = None
        if (spent := time.process_time()-begun)>5: slow.append((cell, round(spent, 1)))
    return Ended(stopped, len(cells), slow, round(time.process_time()-start, 1))


def rehearse(path, answers, folder):
    "The same in a process of its own, for lessons set switches of torch, and variants are changed on the way"
    queue = (context := multiprocessing.get_context('fork')).SimpleQueue()
    process = context.Process(target=lambda: queue.put(tuple(run_copy(path, answers, folder))))
    process.start()
    while process.is_alive() and queue.empty(): process.join(.2)
    if queue.empty(): raise RuntimeError(f'{path.stem}: the process ended with {process.exitcode}, without a word')
    ended = Ended(*queue.get())
    process.join()
    return ended


# What need not run again

KEPT = Path(__file__).with_name('rehearsed.csv')
LIBRARIES = 'torch', 'numpy', 'scipy', 'pillow', 'matplotlib', 'fastai', 'fastcore', 'scikit-learn', 'ipython'


def only_variants(source):
    "What is left of a module of exercises without planted mistakes, cases and hints: variants, and what they use"
    body = [n for n in ast.parse(source).body]
    def uses(n): return {x.id for x in ast.walk(n) if isinstance(x, ast.Name)}
    def binds(n): return {n.name} if isinstance(n, ast.FunctionDef|ast.ClassDef) else {x.id for x in ast.walk(n) if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)}
    def is_variant(n): return any(getattr(x, 'attr', '') in ('variant', 'variants') for d in getattr(n, 'decorator_list', [n] if isinstance(n, ast.Expr) else []) for x in ast.walk(d))
    kept = [n for n in body if is_variant(n)]
    wanted = set().union(*map(uses, kept)) - {name for n in body if isinstance(n, ast.Assign) and 'exercise' in uses(n) for name in binds(n)}
    while more := [n for n in body if n not in kept and binds(n) & wanted]:
        kept += more
        wanted = wanted.union(*map(uses, more))
    for n in body:
        if isinstance(n, ast.Import|ast.ImportFrom): n.names = [a for a in n.names if (a.asname or a.name).split('.')[0] in wanted]
    return '\n'.join(ast.unparse(n) for n in body if n in kept or getattr(n, 'names', None))


def depends(path, k):
    "A digest of all that a run depends on"
    _, imported, _ = all_imports()
    below = todo = {module_of(path)}
    while todo: below, todo = below|todo, {other for m in todo for other in imported.get(m, ())} - below
    files = [ROOT/'mnist_course'/f'{m.replace(".", "/")}.py' for m in sorted(below)]
    answers = answers_of(path, k)
    variants = sorted({Path(inspect.getfile(inspect.unwrap(f))) for f in answers.values() if hasattr(f, '__code__') or isinstance(f, type)})
    parts = [cells_of(path, answers), [p.read_text(encoding='utf-8') for p in [*files, Path(__file__)] if p.exists()],
             [only_variants(p.read_text(encoding='utf-8')) for p in variants],
             sys.version_info[:2], [version(library) for library in LIBRARIES]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def kept():
    "(lesson, k) -> its row: the digest of its last run, what it counted, and the seconds of processor time that it took"
    if not KEPT.exists(): return {}
    with KEPT.open(newline='', encoding='utf-8') as f: return {(r['lesson'], int(r['k'])): r for r in csv.DictReader(f)}


def has_its_turn(path, k, row):
    "Does a run whose digest is the same run all the same?"
    head = subprocess.run(['git', 'rev-parse', 'HEAD'], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    drawn = hashlib.sha256(f'{head} {path.stem} {k}'.encode()).digest()[0]%8==0
    return drawn or float(row['seconds'])<15 or os.environ.get('REHEARSE')=='all'


def rehearse_all():
    "Run what has changed, and keep what ran to its end"
    rows = kept()
    for path in (p for p in sorted((ROOT/'nbs').glob('[0-9][0-9]*.ipynb')) if lessons_of(p)):
        for k in range(rounds(path)):
            if rows.get((path.stem, k), {}).get('digest')==(digest := depends(path, k)): continue
            ended = tell(path, k, answers_of(path, k))
            rows.pop((path.stem, k), None)
            if not ended.stopped: rows[path.stem, k] = dict(lesson=path.stem, k=k, digest=digest, answers=len(answers_of(path, k)), cells=ended.ran, seconds=ended.seconds)
            with KEPT.open('w', newline='', encoding='utf-8') as f:
                w = csv.DictWriter(f, ['lesson', 'k', 'digest', 'answers', 'cells', 'seconds'], lineterminator='\n')
                w.writeheader()
                w.writerows(rows[at] for at in sorted(rows))


def tell(path, k, answers):
    "Run a copy, and say how it went"
    with tempfile.TemporaryDirectory() as folder: ended = rehearse(path, answers, folder)
    for stop in ended.stopped: print(*stop, sep='\n    ')
    print(f'{path.stem} {k}: {len(answers)} answers, {ended.ran} cells, {len(ended.stopped)} stopped, {ended.seconds:.0f} s; slow: {ended.slow}', flush=True)
    return ended


def main(lesson=None, *asked):
    if lesson is None: return rehearse_all()
    path = next(p for p in sorted((ROOT/'nbs').glob(f'{lesson}*.ipynb')) if lessons_of(p))
    planted = {name: mistake for name,mistake in (a.split('=') for a in asked if '=' in a)}
    if planted: tell(path, 'planted', {ex.number: next(m for m in ex.mistakes if m.__name__==planted[ex.name]) for ex in exercises_of(path) if ex.name in planted})
    else:
        for k in map(int, asked or range(rounds(path))): tell(path, k, answers_of(path, k))


if __name__=='__main__': main(*sys.argv[1:])
