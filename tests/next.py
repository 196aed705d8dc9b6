"""The same notebooks under the newest nbdev, fastcore and fastai, whose commands have dashes. `.ci/next` makes the environment.

    python tests/next.py export          # modules that nbdev 3 makes otherwise than nbdev 2 has made them
    python tests/next.py notebooks       # run every notebook by nbdev-test; those that fail
    python tests/next.py notebooks 04 14 # those whose names begin so
"""
import ast, re, subprocess, sys, tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks import ROOT, copy_repo, notebooks

TOOLS = Path(sys.executable).parent
SLOW = 900    # seconds that a notebook may take before it counts as failed


def plain(text):
    "A module without the address of its docs, which nbdev 3 adds to the docstring, and without the white space around it"
    return re.sub(r'\n\nDocs: \S+?(?=""")', '', text).strip()


def known(text):
    "What a `_modidx.py` knows: names and their files; its settings and its addresses of docs are those of the configuration file"
    syms = ast.literal_eval(ast.parse(text).body[0].value)['syms']
    return {module: {name: file for name,(_,file) in names.items()} for module,names in syms.items() if names}


def differences(old, new):
    "Files of two copies of the package that differ in more than that"
    files = {p.relative_to(folder).as_posix() for folder in (old, new) for p in folder.rglob('*.py')}
    def same(name):
        texts = [(folder/name).read_text(encoding='utf-8') if (folder/name).exists() else None for folder in (old, new)]
        if None in texts: return False
        compare = known if name=='_modidx.py' else plain
        return compare(texts[0])==compare(texts[1])
    return sorted(name for name in files if not same(name)), len(files)


def changed_by_next_export():
    "Modules that a fresh export by nbdev 3 changes, and the number of all"
    with tempfile.TemporaryDirectory() as tmp:
        repo = copy_repo(Path(tmp)/'repo')
        r = subprocess.run([TOOLS/'nbdev-export'], cwd=repo, capture_output=True, text=True)
        if r.returncode: raise RuntimeError(f'nbdev-export failed:\n{r.stdout}{r.stderr}')
        return differences(ROOT/'mnist_course', repo/'mnist_course')


def complaint(path):
    "What is said of a notebook that nbdev-test, run by itself, doesn't complete; '' of one that it does"
    try: r = subprocess.run([TOOLS/'nbdev-test', path, '--n-workers', '1'], cwd=ROOT, capture_output=True, text=True, timeout=SLOW)
    except subprocess.TimeoutExpired: return f'more than {SLOW} s'
    said = r.stdout + r.stderr
    return said[-2000:] if r.returncode or 'Success' not in said else ''


def failing(paths):
    "Notebooks with a complaint, and it; two run at a time"
    with ThreadPoolExecutor(2) as pool:
        for path,said in zip(paths, pool.map(complaint, paths)):
            if said: yield path, said
            else: print('passed', path.relative_to(ROOT), flush=True)


if __name__=='__main__':
    what, *begin = sys.argv[1:] or ['?']
    if what=='export':
        wrong, n = changed_by_next_export()
        print(f'{n-len(wrong)} of {n} modules are the same under nbdev 3')
        for name in wrong: print('  '+name)
    elif what=='notebooks':
        chosen = [p for p in notebooks() if not begin or p.name.startswith(tuple(begin))]
        wrong = list(failing(chosen))
        for path,said in wrong: print(f'FAILED {path.relative_to(ROOT)}\n{said}')
        print(f'{len(chosen)-len(wrong)} of {len(chosen)} notebooks passed')
    else: sys.exit(__doc__)
    sys.exit(bool(wrong))
