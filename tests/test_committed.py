"The committed notebooks are what a reader on a code host sees: run, whole, light, and silent about the machine that ran them"
import csv, json, os, re, subprocess, sys

import nbformat
import pytest
from checks import ROOT, copy_repo, notebooks
from folded import due, folded

every = pytest.mark.parametrize('nb', notebooks(), ids=lambda p: p.stem)
lessons = [nb for nb in notebooks() if re.match(r'\d\d[a-z]?_', nb.name)]    # as 03_loss, or 11b_more
machine = re.compile(r'(?<![\w.])/(?:root|home|work|tmp|Users|private|var|opt|mnt|workspace)/|[A-Z]:\\\\?Users|site-packages|ipykernel_\d+')


def faults(nb):
    "What is wrong with a notebook as committed"
    raw = nb.read_text(encoding='utf-8')
    content = json.loads(raw)
    cells, found = content['cells'], []
    code = [c for c in cells if c['cell_type']=='code']
    outputs = [o for c in code for o in c['outputs']]
    title = ''.join(cells[0]['source']).strip()
    if len(raw.encode())>500_000: found.append(f'{len(raw.encode())//1000} kB: more than 500')
    if cells[0]['cell_type']!='markdown' or not re.fullmatch(r'# [^\n]+\n\n> [^\n]+', title): found.append('first cell: expected a title and a sentence after ">" only')
    if not outputs: found.append('no outputs: not run')
    if any(o['output_type']=='error' for o in outputs): found.append('an error among the outputs')
    if any(o.get('name')=='stderr' for o in outputs): found.append('a warning, or other text on stderr, among the outputs')
    if any(''.join(o.get('data', {}).get('text/plain', '')).startswith('interactive(') for o in outputs): found.append('a slider among the outputs: dead without a kernel')
    if any(c.get('execution_count') is not None for c in code): found.append('execution counts: not cleaned')
    if set(content['metadata'])-{'kernelspec'} or any(set(c['metadata'])-{'alt','jupyter'} for c in cells): found.append('metadata: not cleaned')
    if len({c.get('id') for c in cells})!=len(cells): found.append('cells without an id of their own')
    shown = [json.dumps({k: v for k,v in o.get('data', {}).items() if not k.startswith('image/')} | {'text': o.get('text')}) for o in outputs]
    found += [f'a path of one machine: {m[0]}' for text in [*shown, *(''.join(c['source']) for c in cells)] for m in machine.finditer(text)]
    return found


@every
def test_notebook_is_fit_to_be_read(nb): assert faults(nb)==[]


@pytest.mark.parametrize('nb', lessons, ids=lambda p: p.stem)
def test_lesson_has_pictures_and_prose(nb):
    "Two pictures or more, unless it is a part of another, as `00b_any_digits_files`; no page-long cell, as much prose as it takes"
    is_part = any(nb.stem.startswith(f'{other.stem}_') for other in nb.parent.glob('*.ipynb'))
    cells = json.loads(nb.read_text(encoding='utf-8'))['cells']
    images = [o for c in cells if c['cell_type']=='code' for o in c['outputs'] if 'image/png' in o.get('data', {})]
    prose = [c for c in cells if c['cell_type']=='markdown']
    longest = max(len(''.join(c['source']).splitlines()) for c in cells if c['cell_type']=='code')
    assert (len(images)>=2 and len(prose)>=12 or is_part) and longest<=60


def without_alt(cells):
    "Ids of cells that show a picture and have no words for whom can't see it, or hardly any"
    def pictures(c): return [o for o in c.get('outputs', []) if any(k.startswith('image/') for k in o.get('data', {}))]
    return [c['id'] for c in cells if pictures(c) and len(c['metadata'].get('alt', ''))<30]


@every
def test_pictures_are_told_in_words(nb):
    "In the metadata of the cell that draws them, which nbdev_clean keeps (settings.ini) and nbconvert's classic template puts into the page"
    cells = json.loads(nb.read_text(encoding='utf-8'))['cells']
    assert without_alt(cells)==[]
    for c in cells: c['metadata'] = {}
    assert not any('image/png' in o.get('data', {}) for c in cells for o in c.get('outputs', [])) or without_alt(cells)


def test_words_for_a_picture_reach_the_page():
    from nbconvert import HTMLExporter
    page = HTMLExporter(template_name='classic').from_notebook_node(nbformat.read(ROOT/'nbs'/'13_speed_answer.ipynb', as_version=4))[0]
    assert page.count('alt="')==3 and 'No description has been provided' not in page


@pytest.mark.parametrize('nb', lessons, ids=lambda p: p.stem)
def test_refusals_and_more_tests_are_folded(nb):
    "By `python tests/folded.py`; nbdev_clean keeps it (settings.ini)"
    cells = json.loads(nb.read_text(encoding='utf-8'))['cells']
    assert folded(cells)==due(cells)
    assert len(folded(cells))<sum(c['cell_type']=='code' for c in cells)/4    # most of what a lesson does is seen


def test_the_test_that_teaches_is_seen():
    def cell(i, source, **more): return dict(cell_type='code', id=i, source=source, metadata={}, outputs=[]) | more
    cells = [cell('def', '#| export\ndef f(x): return x'), cell('first', 'test_eq(f(1), 1)'), cell('edge', 'test_eq(f(0), 0)'),
             cell('shown', 'f(2)', outputs=[1]), cell('fails', 'test_fail(lambda: f())'), cell('hidden', '#| hide\ntest_fail(f)')]
    assert due(cells)=={'edge','fails'}


def test_lessons_are_what_lies_at_the_top():
    assert lessons==[nb for nb in notebooks() if nb.parent==ROOT/'nbs' and nb.stem!='index'] and len(lessons)>=19


def plant(content, fault):
    cell = dict(cell_type='code', source=['1'], outputs=[], metadata={}, execution_count=None, id='planted')
    content['cells'].append(cell)
    if fault=='error': cell['outputs'] = [dict(output_type='error', ename='E', evalue='', traceback=[])]
    if fault=='stderr': cell['outputs'] = [dict(output_type='stream', name='stderr', text=['UserWarning'])]
    if fault=='slider': cell['outputs'] = [dict(output_type='display_data', data={'text/plain': ['interactive(children=(IntSlider(value=12),))']})]
    if fault=='path': cell['outputs'] = [dict(output_type='stream', name='stdout', text=['/home/me/mnist'])]
    if fault=='path in prose': cell['source'] = ['open("/Users/me/x")']
    if fault=='size': cell['source'] = ['#'*500_000]
    if fault=='count': cell['execution_count'] = 3
    if fault=='metadata': cell['metadata'] = {'tags': ['x']}
    if fault=='title': content['cells'][0]['source'].append('\n\nand more')
    if fault=='unrun':
        for c in content['cells']:
            if c['cell_type']=='code': c['outputs'] = []
    return content


@pytest.mark.parametrize('fault, said', [('none', []), ('error', ['error']), ('stderr', ['stderr']), ('slider', ['dead without a kernel']), ('path', ['machine']), ('path in prose', ['machine']),
    ('size', ['more than 500']), ('count', ['counts']), ('metadata', ['metadata']), ('title', ['first cell']), ('unrun', ['not run'])])
def test_a_planted_fault_is_caught(tmp_path, fault, said):
    "In a notebook without any"
    sound = dict(metadata={'kernelspec': {}}, cells=[
        dict(cell_type='markdown', source=['# A\n', '\n', '> b'], metadata={}, id='a'),
        dict(cell_type='code', source=['2'], outputs=[dict(output_type='stream', name='stdout', text=['/data/7.png'])], metadata={}, execution_count=None, id='b')])
    (tmp_path/'x.ipynb').write_text(json.dumps(plant(sound, fault)))
    found = faults(tmp_path/'x.ipynb')
    assert len(found)==len(said) and all(s in f for s,f in zip(said, found))


def names_of_machines(root):
    "Files beside the notebooks in which a path of one machine or the address of a registry stands"
    files = [root/f for f in ('README.md','CONTRIBUTING.md','constraints.txt','settings.ini','setup.py','.ci/run')]
    one = re.compile(r'(?<![\w.])/(root|home|work|Users)/|https?://[^\s)]*/simple|--(extra-)?index-url'
                     r'|download\.pytorch\.org')
    files += sorted((root/'mnist_course').rglob('*.py'))
    return [f.relative_to(root).as_posix() for f in files if one.search(f.read_text(encoding='utf-8'))]


def test_nothing_names_a_machine(): assert names_of_machines(ROOT)==[]


def test_a_machine_named_in_any_folder_is_found(tmp_path):
    repo = copy_repo(tmp_path/'repo')
    for name in ('loss.py', 'tools/ladder.py'):
        with open(repo/'mnist_course'/name, 'a') as f: f.write('\nhere = "/home/me/mnist"\n')
    assert names_of_machines(repo)==['mnist_course/loss.py', 'mnist_course/tools/ladder.py']


@pytest.mark.parametrize('table, columns', [('results/recipes/recipes.csv', ['recipe','seconds','mean','min','max']), ('results/ladder/ladder.csv', ['rung','accuracy'])])
def test_the_map_shows_the_tables_that_were_measured(table, columns):
    "Its stored outputs may be older than the tables"
    with open(ROOT/'nbs'/table, newline='', encoding='utf-8') as f: rows = list(csv.DictReader(f))
    cells = json.loads((ROOT/'nbs'/'index.ipynb').read_text(encoding='utf-8'))['cells']
    text = '\n'.join(''.join(o['data'].get('text/markdown', [])) for c in cells for o in c.get('outputs', []) if 'data' in o)
    shown = [{cell.strip() for cell in line.split('|')} for line in text.splitlines() if line.startswith('|')]
    for r in rows:
        due = {r[c] if c!='accuracy' else f'{float(r[c]):.4f}' for c in columns}
        if r.get('task', '3 vs 7')=='3 vs 7': assert any(due<=line for line in shown), due


def test_readme_is_a_front_page():
    "A picture, three lines, the two commands, the lessons, then the rest; what is longer is on the map"
    lines = (ROOT/'README.md').read_text(encoding='utf-8').splitlines()
    assert len(lines)<=110
    places = [next(i for i,line in enumerate(lines) if line.startswith(start)) for start in ('# ', '![', '<!-- the course:', '<!-- the tests:', '## The lessons', '## Licence')]
    assert places==sorted(places) and places[1]<10 and places[4]<40


def git(repo, *args):
    "Run git as somebody without settings and without an active environment; its exit status and what it says"
    env = {k: v for k,v in os.environ.items() if not k.startswith(('GIT_', 'JUPYTER_', 'XDG_'))} | dict(HOME=str(repo.parent), GIT_CONFIG_GLOBAL=os.devnull, PATH='/usr/local/bin:/usr/bin:/bin', GIT_MERGE_AUTOEDIT='no')
    r = subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *map(str, args)], cwd=repo, env=env, capture_output=True, text=True)
    return r.returncode, r.stdout + r.stderr


def lines_by_git(repo):
    "Names of files whose lines end otherwise in the repository than .gitattributes says"
    out = git(repo, 'ls-files', '--eol')[1].splitlines()
    return [line.split('\t')[1] for line in out if not line.startswith(('i/lf', 'i/-text', 'i/none')) and 'attr/-text' not in line]


def test_lines_end_as_gitattributes_says(cloned):
    assert lines_by_git(cloned)==[]
    (cloned/'README.md').write_bytes(b'as on Windows\r\n')
    git(cloned, 'add', 'README.md')
    assert lines_by_git(cloned)==[] and git(cloned, 'show', ':README.md')==(0, 'as on Windows\n')
    said = git(cloned, 'check-attr', 'text', 'merge', '--', 'nbs/images/page/pad.png', 'mnist_course/assets/mnist/t10k-labels-idx1-ubyte.gz', 'nbs/18_golf.ipynb')[1]
    assert re.findall(r'(?<=text: )\w+', said)==['unset', 'unset', 'auto'] and said.endswith('18_golf.ipynb: merge: nbdev-merge\n')


@pytest.fixture
def cloned(tmp_path):
    "A copy as a repository of its own, with an environment where README puts it"
    repo = copy_repo(tmp_path/'a repo')
    (repo/'.venv').symlink_to(sys.prefix)
    for args in (['init', '-qb', 'main'], ['add', '.', ':!.venv'], ['commit', '-qm', 'first']): assert git(repo, *args)[0]==0
    with open(repo/'.git'/'info'/'exclude', 'a') as f: f.write('/.venv\n')    # a link, which .gitignore's pattern for folders lets through
    return repo


PAGE = 'nbs/tools/elsewhere.ipynb'

def change(repo, **texts):
    "Commit other sources for some cells of a notebook"
    nb = json.loads((repo/PAGE).read_text(encoding='utf-8'))
    for c in nb['cells']: c['source'] = [texts[c['id']]] if c['id'] in texts else c['source']
    (repo/PAGE).write_text(json.dumps(nb, indent=1, ensure_ascii=False)+'\n', encoding='utf-8')
    assert git(repo, 'commit', '-qam', 'change')[0]==0


def merged(repo, ours, theirs):
    "Two branches, each with its own sources of cells, as git merges them: its exit status, and the notebook's text"
    git(repo, 'switch', '-qc', 'theirs')
    change(repo, **theirs)
    git(repo, 'switch', '-q', 'main')
    change(repo, **ours)
    code, said = git(repo, 'merge', 'theirs')
    return code, (repo/PAGE).read_text(encoding='utf-8'), said


def hooks(repo, *args):
    r = subprocess.run(['bash', repo/'.ci'/'hooks', *args], capture_output=True, text=True, env=os.environ | {'HOME': str(repo.parent)})
    return r.returncode, r.stdout + r.stderr


@pytest.mark.parametrize('installed', [False, True])
def test_changes_in_different_cells_are_merged(cloned, installed):
    "With nbdev's driver, and in a clone that has none"
    if installed: assert hooks(cloned)==(0, 'Hooks are installed.\n')
    code, text, said = merged(cloned, dict(ew000001='ours'), dict(ew000005='theirs'))
    assert code==0 and 'not found' not in said, said
    sources = {c['id']: ''.join(c['source']) for c in json.loads(text)['cells']}
    assert sources['ew000001']=='ours' and sources['ew000005']=='theirs' and git(cloned, 'status', '--porcelain')==(0, '')


def test_a_conflict_ends_in_a_notebook_that_opens(cloned):
    "It holds both cells, and the change beside them, between marks that are cells too; without the driver it is no notebook"
    assert hooks(cloned)[0]==0
    code, text, said = merged(cloned, dict(ew000001='ours', ew000003='more of ours'), dict(ew000001='theirs', ew000005='more of theirs'))
    assert code==1 and 'CONFLICT' in said
    sources = [''.join(c['source']) for c in nbformat.reads(text, as_version=4).cells]
    assert sources[1:6]==['`<<<<<<< HEAD`', 'ours', '`=======`', 'theirs', '`>>>>>>> theirs`'] and {'more of ours', 'more of theirs'}<=set(sources)
    assert git(cloned, 'merge', '--abort')[0]==0 and hooks(cloned, 'off')==(0, 'Hooks are removed.\n')
    assert git(cloned, 'merge', 'theirs')[0]==1
    with pytest.raises(ValueError): json.loads((cloned/PAGE).read_text(encoding='utf-8'))


def test_hooks_are_registered_in_the_clone_alone_and_go_again(cloned):
    for _ in range(2): assert hooks(cloned)[0]==0    # a second time as the first
    driver = git(cloned, 'config', '--get', 'merge.nbdev-merge.driver')[1]
    assert driver==f"'{cloned/'.venv'/'bin'/'nbdev_merge'}' %O %A %B %P\n" and 'nbdev_trust' in (cloned/'.git'/'hooks'/'post-merge').read_text()
    assert git(cloned, 'status', '--porcelain')==(0, '') and not (cloned.parent/'.jupyter').exists()
    assert hooks(cloned, 'off')[0]==0 and not (cloned/'.git'/'hooks'/'post-merge').exists() and not (cloned/'.gitconfig').exists()
    assert [line for line in (cloned/'.git'/'config').read_text().splitlines() if 'nbdev' in line or 'gitconfig' in line]==[]


def test_a_hook_of_ones_own_stays(cloned):
    own = cloned/'.git'/'hooks'/'post-merge'
    own.parent.mkdir(exist_ok=True)
    own.write_text('#!/bin/sh\necho mine\n')
    code, said = hooks(cloned)
    assert code==2 and "not nbdev's" in said and 'mine' in own.read_text()
    assert hooks(cloned, 'off')[0]==0 and 'mine' in own.read_text()
