"""What .ci/run and the tests both hold the repository to. Each check returns what is wrong, and nothing when all is well.

    python tests/checks.py command tests   # README's command whose comment begins with "the tests"
    python tests/checks.py completed LOG   # notebooks that `nbdev_test --do_print` did not complete
    python tests/checks.py rebuild         # files that a fresh export, clean or README build changes
    python tests/checks.py outputs         # cells whose committed outputs are not those of their code; runs all but slow cells
"""
import hashlib, json, os, re, shutil, subprocess, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def notebooks(root=ROOT):
    "Every notebook of the course, wherever it lies under nbs/"
    return sorted(p for p in (root/'nbs').rglob('*.ipynb') if '.ipynb_checkpoints' not in p.parts)


def copy_repo(to, root=ROOT):
    "A copy of the working tree without what git ignores, to plant mistakes in"
    ignore = shutil.ignore_patterns('.git', '.venv*', '*.egg-info', '__pycache__', '.*_cache', '.hypothesis', '.ipynb_checkpoints', 'build', 'dist')
    return Path(shutil.copytree(root, to, ignore=ignore))


# The README's commands

def readme_command(name, root=ROOT):
    "The one line of the code block that follows the comment `<!-- name: ...`"
    found = re.findall(rf'^<!-- {re.escape(name)}:[^\n]*-->\n+```sh\n(.*?)\n```$', (root/'README.md').read_text(encoding='utf-8'), flags=re.M|re.S)
    if len(found)!=1 or '\n' in found[0]: raise ValueError(f'README.md: expected one block of one line under "<!-- {name}:", found {found}')
    return found[0]


# The number of notebooks that ran

def not_completed(log, root=ROOT):
    "Notebooks without a '- Completed' line in the log of `nbdev_test --do_print`; it prints no count, and passes when it finds none"
    done = [Path(m).parts for m in re.findall(r'- Completed (\S.*\.ipynb)', log)]
    inside = {p.relative_to(root) for p in notebooks(root)}
    done = {Path(*parts[i:]) for parts in done for i,part in enumerate(parts) if part=='nbs'}    # paths, for two folders may have one name
    return sorted(map(str, inside-done))


# The code of a notebook

def code_cells(nb):
    "Python of each code cell; magics and shell lines become calls, as IPython has it"
    from IPython.core.inputtransformer2 import TransformerManager
    cells = json.loads(nb.read_text(encoding='utf-8'))['cells']
    return [TransformerManager().transform_cell(''.join(c['source'])) for c in cells if c['cell_type']=='code']


# What a fresh build changes

def snapshot(root):
    "The digest of every file that is made, or that makes others"
    made = [root/'README.md', *(p for d in ('nbs','mnist_course') for p in (root/d).rglob('*'))]
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in made if p.is_file() and not {'__pycache__', '.ipynb_checkpoints'} & set(p.parts)}


def changed_by_rebuild(root=ROOT):
    "Files that change when modules, notebooks and README are made afresh"
    tools = Path(sys.executable).parent
    before = snapshot(root)
    for command in ([tools/'nbdev_export'], [tools/'nbdev_clean'], [sys.executable, '-m', 'mnist_course.tools.elsewhere'],
                    [sys.executable, '-m', 'mnist_course.tools.readme']):
        r = subprocess.run(command, cwd=root, env=os.environ|{'PYTHONPATH':str(root)}, capture_output=True, text=True)
        if r.returncode: raise RuntimeError(f'{command} failed:\n{r.stdout}{r.stderr}')
    after = snapshot(root)
    return sorted(f for f in before|after if before.get(f)!=after.get(f))


# Whether the committed outputs are those of the code

number = re.compile(r'(?<![A-Za-z_])-?\d[\d,]*\.?\d*(?:e[+-]?\d+)?')


def shown(cell):
    "What a reader sees below a cell: text with its white space folded, pictures by their kind"
    streams = ''.join(o['text'] for o in cell['outputs'] if o['output_type']=='stream')
    data = [v if not kind.startswith('image/') else kind for o in cell['outputs'] for kind,v in sorted(o.get('data', {}).items())]
    return ' '.join(' '.join([streams, *map(str, data)]).replace('─', '').split())


def same(old, new, tol=.02):
    "Equal but for the last digits, which another processor may round differently; where times are shown, numbers are free"
    a, b = number.findall(old), number.findall(new)
    if number.sub('#', old)!=number.sub('#', new): return False
    if re.search(r'\b(seconds|median s|ms)\b', old): return True
    return all(x==y or abs(float(x.replace(',',''))-float(y.replace(',',''))) <= tol*max(1e-3, abs(float(x.replace(',','')))) for x,y in zip(a, b))


def stale_outputs(nb):
    "Cells of a notebook that show something else when it is run again, in a kernel of its own; not those marked `slow`, or `eval: false` as sliders are"
    import nbformat
    from nbclient import NotebookClient
    old, new = (nbformat.read(nb, as_version=4) for _ in range(2))
    for c in new.cells:    # they take minutes, and write the tables in results/
        if c.cell_type=='code' and re.search(r'^#\| *(slow\b|eval: *false)', c.source, flags=re.M): c.source = ''
    NotebookClient(new, timeout=300, kernel_name='python3', resources={'metadata':{'path':str(nb.parent)}}).execute()
    code = [(i,a,b) for i,(a,b) in enumerate(zip(old.cells, new.cells)) if a.cell_type=='code' and a.source==b.source]
    return [f'{nb.name}, cell {i}: committed {shown(a)[:150]!r}, now {shown(b)[:150]!r}' for i,a,b in code if not same(shown(a), shown(b))]


def all_stale_outputs(root=ROOT, workers=2):
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context
    os.environ['OMP_NUM_THREADS'] = '1'
    with ProcessPoolExecutor(workers, mp_context=get_context('spawn'), max_tasks_per_child=1) as pool:  # zmq's sockets outlive no fork
        return sum(pool.map(stale_outputs, notebooks(root)), [])


if __name__=='__main__':
    what, *rest = sys.argv[1:] or ['?']
    if what=='command': sys.exit(print(readme_command(*rest)))
    if what=='completed':
        wrong = not_completed(Path(rest[0]).read_text(encoding='utf-8', errors='replace'))
        print(f'{len(notebooks())-len(wrong)} of {len(notebooks())} notebooks completed')
    elif what=='rebuild':
        wrong = changed_by_rebuild()
        print(f'{len(wrong)} files changed by a fresh export, clean and README build')
    elif what=='outputs':
        wrong = all_stale_outputs()
        print(f'{len(wrong)} cells show something else than their code does')
    else: sys.exit(__doc__)
    for w in wrong: print('  '+w)
    sys.exit(bool(wrong))
