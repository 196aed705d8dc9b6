"""Which tests of a lesson a reader sees. The first below a piece shows what it does; those that follow it, and refusals, fold away;
so does the cell that installs the package where it is missing.

    python tests/folded.py     # fold them in all lessons, and unfold what is due to be seen

JupyterLab shows the first line of a folded cell and opens it at a click. It runs as any other, and so does a learner's copy.
"""
import json, re

from checks import ROOT, notebooks

from mnist_course.tools.site import is_test

FOLD = {'source_hidden': True}
LESSONS = [p for p in notebooks() if p.parent==ROOT/'nbs' and p.stem!='index']


def due(cells):
    "Ids of the cells that are to be folded"
    whole = [c | dict(source=''.join(c['source'])) for c in cells]
    tests = [c['cell_type']=='code' and not re.match(r'#\|\s*hide\b', c['source']) and is_test(c) for c in whole]
    def refuses(c): return re.search(r'\b(test_fail|refuses)\(', c['source'])
    return {c['id'] for i,c in enumerate(whole) if tests[i] and (refuses(c) or tests[i-1]) or c['id']=='elsewhere-install'}    # nobody reads that one


def folded(cells): return {c['id'] for c in cells if c['metadata'].get('jupyter')==FOLD}


def fold(path):
    "Write a lesson whose cells are folded as they are due"
    text = path.read_text(encoding='utf-8')
    nb = json.loads(text)
    for c in nb['cells']: c['metadata'].pop('jupyter', None)
    for c in nb['cells']:
        if c['id'] in due(nb['cells']): c['metadata']['jupyter'] = FOLD
    new = json.dumps(nb, sort_keys=True, indent=1, ensure_ascii=False)+'\n'
    if new!=text: path.write_text(new, encoding='utf-8')
    return len(folded(nb['cells']))


if __name__=='__main__':
    for path in LESSONS: print(path.stem, fold(path))
