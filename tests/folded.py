"""Which tests of a lesson a reader sees. The first below a piece shows what it does; those that follow it, and refusals, fold away;
so do the cell that installs the package where it is missing, and code that only draws a map (`#| echo: false`).

    python tests/folded.py     # fold them in all lessons, and unfold what is due to be seen

JupyterLab shows the first line of a folded cell and opens it at a click. It runs as any other, and so does a learner's copy.
"""
import ast, json, re
from functools import cache

from checks import ROOT, notebooks

from mnist_course.tools.site import is_test

FOLD = {'source_hidden': True}
LESSONS = [p for p in notebooks() if p.parent==ROOT/'nbs' and p.stem!='index']


def _tree(source):
    try: return ast.parse(re.sub(r'^[ \t]*[%!].*$', '', source, flags=re.M))
    except SyntaxError: return ast.Module([], [])


@cache
def made(source):
    "Names that a cell gives a value to at its top level"
    names = {n.name for n in _tree(source).body if isinstance(n, ast.FunctionDef|ast.ClassDef)}
    return names | {n.id for s in _tree(source).body if isinstance(s, ast.Assign) for t in s.targets for n in ast.walk(t) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


@cache
def used(source): return {n.id for n in ast.walk(_tree(source)) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def due(cells):
    "Ids of the cells that are to be folded"
    whole = [c | dict(source=''.join(c['source'])) for c in cells]
    tests = [c['cell_type']=='code' and not re.match(r'#\|\s*hide\b', c['source']) and is_test(c) for c in whole]
    def refuses(c): return re.search(r'\b(test_fail|refuses)\(', c['source'])
    fold = {c['id'] for i,c in enumerate(whole) if tests[i] and (refuses(c) or tests[i-1]) or c['id']=='elsewhere-install' or re.match(r'#\|\s*echo: false', c['source'])}
    seen = [(i, c) for i,c in enumerate(whole) if c['cell_type']=='code' and c['id'] not in fold]
    def needed(i, c):    # a reader has to see where a later cell's names come from
        later = set().union(*(used(d['source']) for j,d in seen if j>i))
        again = set().union(set(), *(made(d['source']) for j,d in seen))
        return bool((made(c['source'])-again) & later)
    return fold - {c['id'] for i,c in enumerate(whole) if c['id'] in fold and c['id']!='elsewhere-install' and needed(i, c)}


def folded(cells): return {c['id'] for c in cells if c['metadata'].get('jupyter')==FOLD}


def fold(path):
    "Write a lesson whose cells are folded as they are due"
    text = path.read_text(encoding='utf-8')
    nb = json.loads(text)
    for c in nb['cells']: c['metadata'].pop('jupyter', None)
    fold = due(nb['cells'])
    for c in nb['cells']:
        if c['id'] in fold: c['metadata']['jupyter'] = FOLD
    new = json.dumps(nb, sort_keys=True, indent=1, ensure_ascii=False)+'\n'
    if new!=text: path.write_text(new, encoding='utf-8')
    return len(folded(nb['cells']))


if __name__=='__main__':
    for path in LESSONS: print(path.stem, fold(path))
