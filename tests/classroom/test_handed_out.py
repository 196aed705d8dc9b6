"Learners get lessons, the map, pictures and tables. Notebooks with answers, planted mistakes and tools stay here"
import inspect, json, posixpath, re, subprocess, sys, tarfile, zipfile
from pathlib import Path

import pytest
from checks import ROOT, copy_repo, notebooks

from mnist_course.classroom.copies import start_course
from mnist_course.core.files import copy_lessons, lesson_files
from mnist_course.exercises import EXERCISES

KEPT = {'exercises', 'classroom', 'tools', 'moved', 'core'}    # folders of notebooks that nobody is handed
DUE = {p.as_posix() for p in lesson_files(ROOT/'nbs')}


def cells_of(text): return [(''.join(c['source']), json.dumps(c.get('outputs', []), ensure_ascii=False)) for c in json.loads(text)['cells']]
def lines_of(source): return {line.strip() for line in source.splitlines() if len(line.strip())>25}


def source_of(f):
    "Its text; of a class that is made in a loop, that of its parts"
    try: return inspect.getsource(f)
    except OSError: return '\n'.join(inspect.getsource(part) for part in vars(f).values() if inspect.isfunction(part))


@pytest.fixture(scope='module')
def secrets():
    "Lines of planted mistakes and of right answers of other kinds, as far as no lesson has them"
    planted = set().union(*(lines_of(source_of(f)) for ex in EXERCISES.values() for f in [*ex.mistakes, *ex.variants]))
    taught = {line for p in (ROOT/'nbs').glob('*.ipynb') for source,_ in cells_of(p.read_text(encoding='utf-8')) for line in lines_of(source)}
    return planted - taught


def told(files, secrets):
    "Path of a notebook -> lines of `secrets` that stand in it, in a source or in what it shows"
    found = {}
    for path,text in files.items():
        if not path.endswith('.ipynb'): continue
        cells = cells_of(text)
        lines = set().union(*(lines_of(source) for source,_ in cells)) & secrets
        shown = ''.join(outputs for _,outputs in cells)
        lines |= {line for line in secrets if json.dumps(line, ensure_ascii=False)[1:-1] in shown}
        if lines: found[path] = sorted(lines)
    return found


def wrong_with(files, secrets):
    "What should not have been handed out, and what is missing; nothing where all is well"
    strangers = [f'{path} is handed out' for path in sorted(files.keys()-DUE)]
    kept = [f'{path} lies in a folder that stays here' for path in sorted(files) if KEPT & set(Path(path).parts[:-1][:1])]
    return [*strangers, *kept, *(f'{path} is missing' for path in sorted(DUE-files.keys())), *(f'{path} tells {lines}' for path,lines in told(files, secrets).items())]


def content(read, names, before):
    "Paths below a folder of an archive -> text, or nothing for what is no text"
    inside = {n.split(before, 1)[1]: n for n in names if before in n and not n.endswith('/')}
    return {path: read(n).decode() if path.endswith('.ipynb') else '' for path,n in inside.items()}


def in_folder(folder): return {p.relative_to(folder).as_posix(): p.read_text(encoding='utf-8') if p.suffix=='.ipynb' else '' for p in folder.rglob('*') if p.is_file()}


def of_wheel(path):
    with zipfile.ZipFile(path) as wheel: return content(wheel.read, wheel.namelist(), 'mnist_course/lessons/'), wheel.namelist()


def of_sdist(path):
    with tarfile.open(path) as tar:
        files = [m.name for m in tar.getmembers() if m.isfile()]
        return content(lambda n: tar.extractfile(n).read(), files, '/nbs/'), files


# What is handed out

def test_the_wheel_hands_out_lessons_alone(built, secrets):
    files, everything = of_wheel(next(built.glob('*.whl')))
    assert wrong_with(files, secrets)==[]
    assert not [n for n in everything if n.endswith('.ipynb') and not n.startswith('mnist_course/lessons/')]


def test_the_sdist_hands_out_lessons_alone(built, secrets):
    files, everything = of_sdist(next(built.glob('*.tar.gz')))
    assert wrong_with(files, secrets)==[]
    assert not [n for n in everything if n.endswith('.ipynb') and '/nbs/' not in n]


def test_start_hands_out_lessons_alone(tmp_path, secrets):
    start_course(tmp_path/'mine', lessons=ROOT/'nbs')
    assert wrong_with(in_folder(tmp_path/'mine'), secrets)==[]


def links_of(text):
    "Files of the course that a notebook's prose and outputs link to or show, as seen from its folder"
    cells = json.loads(text)['cells']
    prose = [''.join(c['source']) for c in cells if c['cell_type']=='markdown']
    shown = [''.join(o['data'][kind]) for c in cells for o in c.get('outputs', [])
             for kind in ('text/markdown', 'text/html') if kind in o.get('data', {})]
    found = set()
    for piece in [*prose, *shown]:
        piece = re.sub(r'```.*?```|`[^`\n]*`', '', piece, flags=re.S)    # code may look like a link
        found |= set(re.findall(r'\]\(([^)#\s]+)', piece)) | set(re.findall(r'(?:src|href)="([^"#]+)', piece))
    return {posixpath.normpath(target) for target in found if not re.match('[a-z]+:', target)}


def dead_links(files):
    "Path of a notebook -> what it links to and is not among `files`"
    dead = {path: links_of(text) - files.keys() for path,text in files.items() if path.endswith('.ipynb')}
    return {path: sorted(targets) for path,targets in dead.items() if targets}


@pytest.mark.parametrize('copy', ids=['to fill in', 'to read'], argvalues=[
    lambda to: start_course(to, lessons=ROOT/'nbs'), lambda to: copy_lessons(ROOT/'nbs', to)])
def test_each_link_of_what_is_handed_out_leads_to_what_is_handed_out(tmp_path, copy):
    copy(tmp_path/'mine')
    assert dead_links(in_folder(tmp_path/'mine'))=={}


def test_each_link_works_in_a_clone():
    "The map's to other folders too"
    for path in DUE:
        if path.endswith('.ipynb'):
            targets = links_of((ROOT/'nbs'/path).read_text(encoding='utf-8'))
            assert [t for t in targets if not (ROOT/'nbs'/t).exists()]==[], path


def test_a_dead_link_is_found():
    files = {path: text for path,text in in_folder(ROOT/'nbs').items() if path in DUE}
    assert {'tools/ladder.ipynb', '../LICENSE'} < set(dead_links(files)['index.ipynb'])    # which learners' copies drop
    source = '[a](core/files.ipynb#b), [c](00_data.ipynb), `d[e](f)`, ![g](images/h.png)'
    planted = json.dumps(dict(cells=[dict(cell_type='markdown', source=[source])]))
    assert dead_links(files | {'03_loss.ipynb': planted})['03_loss.ipynb']==['core/files.ipynb', 'images/h.png']


def test_the_list_needs_no_library():
    "setup.py asks for it where only setuptools is installed"
    code = f'import sys; sys.path.insert(0, {str(ROOT)!r}); from mnist_course.core.files import lesson_files; print(len(lesson_files(sys.argv[1])))'
    r = subprocess.run([sys.executable, '-I', '-S', '-c', code, ROOT/'nbs'], capture_output=True, text=True)
    assert r.stdout.strip()==str(len(DUE)), r.stderr


# It is not green because it sees nothing

def test_there_is_something_to_keep(secrets):
    inside = {p.relative_to(ROOT/'nbs').parts[0] for p in notebooks() if p.parent!=ROOT/'nbs'}
    assert KEPT==inside and len(secrets)>300 and len(DUE)>30
    told_here = told(in_folder(ROOT/'nbs'/'exercises'), secrets)
    assert len(told_here)>=18 and set().union(*told_here.values())==secrets


def planted(repo, secrets):
    "Notebooks with an answer, in places where one might be overlooked; their paths"
    nb = json.loads((repo/'nbs'/'index.ipynb').read_text(encoding='utf-8'))
    nb['cells'] = [dict(cell_type='code', id='planted', metadata={}, outputs=[], execution_count=None, source=[min(secrets)])]
    paths = ['answers.ipynb', 'exercises/more.ipynb', 'images/answers.ipynb', 'results/ladder/answers.ipynb', 'new_folder/17_answers.ipynb',
             'images/.ipynb_checkpoints/one-checkpoint.png', '.ipynb_checkpoints/03_loss-checkpoint.ipynb']
    for path in paths:
        (repo/'nbs'/path).parent.mkdir(parents=True, exist_ok=True)
        (repo/'nbs'/path).write_text(json.dumps(nb))
    return paths


def test_what_is_planted_is_found(secrets):
    files = in_folder(ROOT/'nbs')
    nb = json.dumps(dict(cells=[dict(source=[], outputs=[dict(text=min(secrets))])]))
    wrong = wrong_with({p: text for p,text in files.items() if p in DUE} | {'03_loss.ipynb': nb, 'core/files.ipynb': files['core/files.ipynb']}, secrets)
    assert wrong==['core/files.ipynb is handed out', 'core/files.ipynb lies in a folder that stays here', f'03_loss.ipynb tells {[min(secrets)]}']
    assert wrong_with({p: text for p,text in files.items() if p in DUE-{'index.ipynb'}}, secrets)==['index.ipynb is missing']


def test_a_clone_with_leftovers_hands_out_no_more(tmp_path, secrets):
    "More notebooks, and the lists and folders of a build by an older setup.py, which took all of nbs/"
    repo = copy_repo(tmp_path/'repo')
    paths = planted(repo, secrets)
    (repo/'mnist_course.egg-info').mkdir()
    (repo/'mnist_course.egg-info'/'SOURCES.txt').write_text('\n'.join(['setup.py', 'nbs/tools/cli.ipynb', *(f'nbs/{p}' for p in paths)]))
    old = repo/'build'/'lib'/'mnist_course'/'lessons'/'tools'
    old.mkdir(parents=True)
    (old/'cli.ipynb').write_bytes((repo/'nbs'/'tools'/'cli.ipynb').read_bytes())
    for command in (['sdist', '-d', tmp_path], ['build_py']):
        r = subprocess.run([sys.executable, 'setup.py', '-q', *map(str, command)], cwd=repo, capture_output=True, text=True)
        assert r.returncode==0, r.stdout+r.stderr
    assert wrong_with(of_sdist(next(tmp_path.glob('*.tar.gz')))[0], secrets)==[]
    assert wrong_with(in_folder(repo/'build'/'lib'/'mnist_course'/'lessons'), secrets)==[]
    start_course(tmp_path/'mine', lessons=repo/'nbs')
    assert wrong_with(in_folder(tmp_path/'mine'), secrets)==[]
