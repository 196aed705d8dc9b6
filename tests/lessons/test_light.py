"""The light way in: `pip install -e '.[lessons]'` brings JupyterLab and what the lessons build on. They run there from top to bottom.

    python tests/lessons/test_light.py 00 06       # those lessons, here, with all that the extra doesn't bring out of sight
    python tests/lessons/test_light.py             # all of them
    python tests/lessons/test_light.py sizes       # what each layer takes on disk, with and without PyTorch
    python tests/lessons/test_light.py times       # from `git clone` to lesson 00's first cell, by each layer, in turns
    python tests/lessons/test_light.py times torch==2.13.0    # and with that build of PyTorch installed before the light one

Everything that the extra does not require, directly or by way of others, is hidden from the kernel. The tests take a few
lessons, others with each commit; all of them where the environment has REHEARSE=all.
"""
import hashlib, os, re, subprocess, sys, tempfile, time
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from checks import ROOT

LESSONS = [p for p in sorted((ROOT/'nbs').glob('[0-9][0-9]*.ipynb')) if not p.stem.startswith(('14_', '00b_any_digits_files'))]   # fastai's own lesson, and other makers' files
TURNS = 6    # a commit looks at one lesson in so many, but always at those that leave something out and are short
ALWAYS = {'01_similarity', '10_evaluate'}

BLOCK = '''from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, path=None, target=None: None if name.split('.')[0] in HIDDEN else find(name, path, target)
'''

# fastcore's test_eq and test_close let shapes pass that can be broadcast (findings/fastcore-test-broadcasts.sh): here they don't
STRICT = '''import fastcore.imports, fastcore.test
def strict(f):
    def same_shape(a, b, *args, **kwargs):
        shapes = [tuple(x.shape) for x in (a, b) if hasattr(x, 'shape')]
        if len(set(shapes))>1: raise TypeError(f'shapes {shapes} are compared')
        return f(a, b, *args, **kwargs)
    return same_shape
fastcore.imports.array_equal, fastcore.test.is_close = map(strict, (fastcore.imports.array_equal, fastcore.test.is_close))'''


def key(name): return re.sub(r'[-_.]+', '-', name).lower()


def closure(name, extras=()):
    "What a distribution requires, directly or by way of others, as installed here"
    seen, todo = set(), [(name, frozenset(extras))]
    while todo:
        name, extras = at = todo.pop()
        if at in seen: continue
        seen.add(at)
        try: required = distribution(name).requires or []
        except PackageNotFoundError: continue
        for r in map(Requirement, required):
            if r.marker is None or any(r.marker.evaluate({'extra': e}) for e in (*extras, '')): todo.append((key(r.name), frozenset(r.extras)))
    return {name for name,_ in seen}


def hidden():
    "Top-level modules of what is installed here and the light layer lacks"
    light = closure('mnist-course', ['lessons'])
    return sorted(m for m,owners in packages_distributions().items() if not {key(o) for o in owners} & light and not m.startswith('_'))


def run_light(path, folder, lacks=None, change=lambda source: source):
    "Run a lesson in a kernel that can't see what the layer lacks -> its notebook, with outputs; raises where a cell stops"
    import nbformat
    from nbclient import NotebookClient
    folder, lacks = Path(folder), hidden() if lacks is None else lacks
    (folder/'sitecustomize.py').write_text(f'HIDDEN = set({lacks!r})\n{BLOCK}', encoding='utf-8')
    nb = nbformat.reads(path.read_text(encoding='utf-8'), as_version=4)
    nb.cells = [c for c in nb.cells if not (c.cell_type=='code' and re.search(r'^#\| *slow', c.source, flags=re.M))]
    for c in nb.cells: c.source = change(c.source)
    nb.cells.insert(0, nbformat.v4.new_code_cell(STRICT))
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([str(folder), str(ROOT)]), OMP_NUM_THREADS='1')
    NotebookClient(nb, timeout=600, startup_timeout=300, kernel_name='python3', resources=dict(metadata=dict(path=str(path.parent)))).execute(env=env)
    return nb


def left_out(nb):
    "Its words about what it lacks: the first line, and one for each cell that is shorter"
    said = [line for c in nb.cells if c.cell_type=='code' for o in c.outputs if o.output_type=='stream' for line in o.text.splitlines()]
    return [line for line in said if line.startswith('not installed: ')], [line for line in said if line.startswith('left out, for want of ')]


def drawn(path):
    head = subprocess.run(['git', 'rev-parse', 'HEAD'], cwd=ROOT, capture_output=True, text=True).stdout
    return path.stem in ALWAYS or os.environ.get('REHEARSE')=='all' or hashlib.sha256(f'{head} {path.stem}'.encode()).digest()[0]%TURNS==0


def test_the_layer_lacks_what_only_comparisons_need_and_has_jupyterlab():
    lacks = hidden()
    assert {'fastai','fastbook','torchvision','sklearn','spacy','nbdev'} <= set(lacks)
    assert not {'torch','numpy','pandas','matplotlib','jupyterlab','ipykernel','anywidget','ipywidgets','mnist_course'} & set(lacks)


@pytest.mark.timeout(600)
@pytest.mark.parametrize('path', LESSONS, ids=lambda p: p.stem)
def test_a_lesson_runs_to_its_end_in_the_light_layer(path, tmp_path, count):
    "It says in one line what it lacks, if anything, and leaves out only cells that need that"
    if not drawn(path): pytest.skip('has its turn with another commit')
    first, cells = left_out(run_light(path, tmp_path))
    assert len(first)==('skip_without(' in path.read_text(encoding='utf-8')) and bool(cells)<=bool(first)
    count('lessons run in the light layer')


def test_without_its_first_line_a_lesson_stops(tmp_path):
    from nbclient.exceptions import CellExecutionError
    with pytest.raises(CellExecutionError, match="No module named 'sklearn'"):
        run_light(ROOT/'nbs'/'01_similarity.ipynb', tmp_path, change=lambda s: re.sub(r'^skip_without\(.*', '', s, flags=re.M))


def test_two_shapes_are_not_equal_there(tmp_path):
    from nbclient.exceptions import CellExecutionError
    with pytest.raises(CellExecutionError, match=re.escape('shapes [(2,), (3, 2)] are compared')):
        run_light(ROOT/'nbs'/'02_gradients.ipynb', tmp_path, change=lambda s: 'test_eq(torch.ones(2), torch.ones(3,2))' if s.startswith('test_eq(') else s)


def megabytes(names):
    "What distributions take on disk, by their lists of files; compiled modules left out"
    files = {Path(f.locate()) for name in names for f in distribution(name).files or [] if not str(f).endswith('.pyc')}
    return sum(p.stat().st_size for p in files if p.is_file())/1e6


def sizes():
    "Layer -> megabytes without what PyTorch brings, and with it"
    torch = closure('torch')
    for layer in ('', 'lessons', 'course', 'dev'):
        names = {n for n in closure('mnist-course', [layer] if layer else []) if found(n)} - {'mnist-course'}
        print(f"{layer or 'the package alone':18} {len(names):4} packages, {megabytes(names-torch):6.0f} MB, with torch {megabytes(names|{n for n in torch if found(n)}):6.0f} MB")


FIRST = """import nbformat, nbclient
nb = nbformat.read('nbs/00_data.ipynb', 4)
nb.cells = [c for c in nb.cells if c.cell_type=='code'][:2]    # the one that installs where nothing is installed, and the first
nbclient.NotebookClient(nb, resources={'metadata': {'path': 'nbs'}}).execute()"""


def times(*torch, reps=2):
    "Seconds from `git clone` to lesson 00's first cell in a new environment, with pip's cache as it is; prints each, then the ratio of the best"
    ways = {"README's": ("-c constraints.txt -e .[course]",), 'light': ("--no-compile -c constraints.txt -e .[lessons]",)}
    if torch: ways[f"light, after {' '.join(torch)}"] = (f"--no-compile {' '.join(torch)}", '--no-compile -e .[lessons]')
    best = dict.fromkeys(ways, float('inf'))
    for _ in range(reps):
        for way,installs in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                steps = [['git', 'clone', '-q', ROOT, 'it'], [sys.executable, '-m', 'venv', 'it/.venv'],
                         *(['.venv/bin/pip', 'install', '-q', *what.split()] for what in installs), ['.venv/bin/python', '-c', FIRST]]
                start = time.monotonic()
                for i,step in enumerate(steps): subprocess.run(step, cwd=Path(folder, 'it') if i>1 else folder, check=True)
                best[way] = min(best[way], took := time.monotonic()-start)
            print(f'{way:30} {took:5.0f} s', flush=True)
    for way,took in best.items(): print(f"{way:30} {took/best[next(iter(best))]:5.2f} of README's")


def found(name):
    try: return bool(distribution(name))
    except PackageNotFoundError: return False


def main(*asked):
    if asked==('sizes',): return sizes()
    if asked[:1]==('times',): return times(*asked[1:])
    for path in LESSONS:
        if asked and not path.stem.startswith(asked): continue
        with tempfile.TemporaryDirectory() as folder:
            try: first, cells = left_out(run_light(path, folder))
            except Exception as e: first, cells = ['STOPPED'], str(e).splitlines()
        print(path.stem, *first, *cells, sep='\n    ', flush=True)


if __name__=='__main__': main(*sys.argv[1:])
