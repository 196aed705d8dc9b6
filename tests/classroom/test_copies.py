"A copy is known by what is in it, whatever its file is called; one that cannot be read stops nobody; and no copy asks for our words"
import ast, io, json, os, socket, tokenize
from pathlib import Path

import pytest
from checks import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_course.classroom import copies, submitted
from mnist_course.classroom.copies import answers_in, copy_of, fill, find_cell, is_begun, learner_copy, lesson_copies, reset_exercise, scan, start_course
from mnist_course.classroom.grade import check_folder, find_copies
from mnist_course.core.files import read_lesson, write_notebook
from mnist_course.exercises import exercises_of, find_exercise
from mnist_course.exercises.outline import OUTLINE, places_of

LESSONS = sorted(p for p in (ROOT/'nbs').glob('[0-9][0-9]*.ipynb'))
WITH_EXERCISES = [p for p in LESSONS if places_of(p)]
LOSS, SGD = ROOT/'nbs'/'03_loss.ipynb', ROOT/'nbs'/'04_sgd.ipynb'
RIGHT = '#| export\n#| exercise\ndef linear1(xb, weights, bias): return xb@weights + bias'
NAMES = ['lesson 3 final.ipynb', 'Ada_03.ipynb', 'Copy of 03_loss.ipynb', 'Kopie von 03_loss.ipynb', '03-loss.ipynb', '03_Loss (1).ipynb', 'Untitled.ipynb',
         'doejane_12345_678901_03_loss.ipynb', 'doejane_LATE_12345_678901_03_loss-2.ipynb', 'Jane Doe_12345_assignsubmission_file_03_loss.ipynb',
         'Jane Doe_12345_assignsubmission_file_/03_loss.ipynb', 'My Drive/Colab Notebooks/課題３.ipynb', '04_sgd.ipynb', 'a.b/c.d.IPYNB', 'nothing to see.ipynb.ipynb']


def code(source): return dict(cell_type='code', source=source)
def markdown(source): return dict(cell_type='markdown', source=source)


def put(path, nb, at=None):
    "A notebook, or text, or bytes, as a file, changed at this second"
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(nb, dict): write_notebook(path, nb)
    elif isinstance(nb, bytes): path.write_bytes(nb)
    else: path.write_text(nb, encoding='utf-8')
    if at is not None: os.utime(path, (at, at))
    return path


def untouched(path=LOSS): return learner_copy(path)
def begun(answer=RIGHT): return fill(untouched(), exercises_of(LOSS), {'03.2': answer})
def plain(nb): return nb | dict(metadata={})    # as some tools save it
def older(nb): return nb | dict(metadata=dict(mnist_course=dict(copy=nb['metadata']['mnist_course']['copy'])))
def colab(nb): return dict(cells=[{k: v for k,v in c.items() if k!='id'} for c in nb['cells']], metadata=dict(colab=dict(provenance=[])), nbformat=4, nbformat_minor=0)
def reasons(folder): return {p.name: why for p,why in scan(folder).others}


# Known by what is in it

@pytest.mark.parametrize('saved', [dict, plain, older, colab])
@pytest.mark.parametrize('name', NAMES)
def test_a_renamed_copy_is_found(tmp_path, name, saved):
    path = put(tmp_path/name, saved(begun()))
    found = scan(tmp_path)
    assert found.copies=={'03_loss': [path]} and found.others==found.no_exercises==[] and found.broken=={}
    assert lesson_copies(tmp_path, '03')==lesson_copies(tmp_path, '03_loss')==[path] and lesson_copies(tmp_path, '04')==[]
    assert copy_of(tmp_path, '03.2')[0]==path and find_copies(tmp_path, '03')=={'03_loss': path}


def test_by_the_name_alone_it_is_not_found(tmp_path, monkeypatch):
    "It is what is inside that finds them"
    for name in NAMES: put(tmp_path/name, colab(begun()))
    monkeypatch.setattr(copies, 'kin_of', lambda nb, path: submitted.Kin(submitted.named_for(path), True))
    found = scan(tmp_path)
    assert {p.relative_to(tmp_path).as_posix() for p in found.copies['03_loss']}=={'03_Loss (1).ipynb', 'Jane Doe_12345_assignsubmission_file_/03_loss.ipynb'}
    assert found.copies['04_sgd']==[tmp_path/'04_sgd.ipynb'] and len(found.others)==len(NAMES)-3


@pytest.mark.parametrize('path', WITH_EXERCISES, ids=lambda p: p.stem)
def test_every_lesson_is_known_without_name_and_metadata_untouched_or_solved(tmp_path, path):
    solved = fill(learner_copy(path), exercises_of(path), answers_in(read_lesson(path), exercises_of(path)))
    nothing, all_done = put(tmp_path/'a.ipynb', plain(learner_copy(path))), put(tmp_path/'b.ipynb', plain(solved))
    assert scan(tmp_path).copies=={path.stem: [all_done, nothing]}
    assert not is_begun(learner_copy(path), path.stem) and is_begun(solved, path.stem)
    assert learner_copy(path)['metadata']['mnist_course']['lesson']==path.stem


KINDS = {'hints': lambda c: c['cell_type']=='markdown' and c['source'].startswith('**Exercise'), 'checks': lambda c: '\ncheck(' in c['source'],
         'directives': lambda c: '#| exercise' in c['source'], 'stubs': lambda c: 'raise NotImplementedError("Exercise' in c['source']}

@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('path', WITH_EXERCISES, ids=lambda p: p.stem)
def test_each_trace_of_an_exercise_is_enough(path, kind):
    cells = [c for c in learner_copy(path)['cells'] if KINDS[kind](c)]
    if kind=='stubs': cells = [code(c['source'].replace('#| exercise', '#')) for c in cells]
    assert len(cells)>=2 and submitted.kin_of(dict(cells=cells), Path('x.ipynb'))==([path.stem], True)


def test_the_lessons_are_found_among_all_notebooks_of_a_clone():
    found = scan(ROOT/'nbs')
    assert {lesson: paths[0] for lesson,paths in found.copies.items()}=={p.stem: p for p in WITH_EXERCISES}
    assert {p.name for p in found.no_exercises}=={'index.ipynb', '00b_any_digits.ipynb', '00b_any_digits_files.ipynb', '11b_watching.ipynb', '12b_record.ipynb', '14b_doubt.ipynb', '16_page.ipynb', '16_page_watch.ipynb'}


def test_what_start_writes_is_all_accounted_for(tmp_path):
    start_course(tmp_path/'mine', lessons=ROOT/'nbs')
    found = scan(tmp_path/'mine')
    assert {lesson: [p.name for p in paths] for lesson,paths in found.copies.items()}=={lesson: [f'{lesson}.ipynb'] for lesson in OUTLINE}
    assert [p.name for p in found.no_exercises]==['00b_any_digits.ipynb', '00b_any_digits_files.ipynb', '11b_watching.ipynb', '12b_record.ipynb', '14b_doubt.ipynb', '16_page.ipynb', '16_page_watch.ipynb', 'index.ipynb'] and found.others==[]


@pytest.mark.parametrize('cells', [
    [], [markdown('# My notes on sigmoid and linear1')], [code('def sigmoid(x): return 1/(1+(-x).exp())\nsigmoid(0)')], [code('from mnist_course.loss import *')],
    [code("answer = '''\n#| exercise\ndef sigmoid(x): pass'''")], [code('check(mine)\nchecked(sigmoid)')], [markdown('#| exercise\ndef sigmoid(x): pass')],
    [markdown('**Exercise 99.9:** none')], [code('raise NotImplementedError("Exercise 99.9: write f")')]])
def test_what_is_no_copy_is_named_as_such(tmp_path, cells):
    put(tmp_path/'notes.ipynb', dict(cells=cells))
    put(tmp_path/'deep'/'03.ipynb', begun())
    assert reasons(tmp_path)=={'notes.ipynb': 'it has no exercise of the course in it'} and list(scan(tmp_path).copies)==['03_loss']


def test_a_renamed_copy_is_judged_and_reset(tmp_path):
    path = put(tmp_path/'mail'/'lesson 3 final.ipynb', colab(begun()))
    put(tmp_path/'03_loss.ipynb', untouched())
    assert {v.number: v.status for v in check_folder(tmp_path, '03')}=={'03.2': 'done', **{f'03.{i}': 'not begun' for i in (1,3,4,5)}}
    assert reset_exercise(tmp_path, '03.2', ROOT/'nbs')==path and not is_begun(read_lesson(path), '03_loss')


# Of several, one counts

def counting(folder, lesson='03'): return [p.relative_to(folder).as_posix() for p in lesson_copies(folder, lesson)]

def test_the_one_that_is_begun_counts_and_of_those_the_newest(tmp_path):
    put(tmp_path/'03_loss.ipynb', untouched(), 50)
    put(tmp_path/'03_loss (1).ipynb', begun(), 20)
    assert counting(tmp_path)==['03_loss (1).ipynb', '03_loss.ipynb']
    put(tmp_path/'mail'/'x.ipynb', colab(begun(RIGHT+' + 0')), 30)
    assert counting(tmp_path)==['mail/x.ipynb', '03_loss (1).ipynb', '03_loss.ipynb']
    os.utime(tmp_path/'03_loss (1).ipynb', (30.5, 30.5))
    assert counting(tmp_path)==['03_loss (1).ipynb', 'mail/x.ipynb', '03_loss.ipynb']


def test_ties_and_untouched_ones_keep_their_order(tmp_path):
    names = ['03_loss.ipynb', '03_loss-Copy1.ipynb', 'deep/03.ipynb', '03_loss-new.ipynb']
    for at, name in enumerate(names): put(tmp_path/name, untouched(), at)
    assert counting(tmp_path)==names
    for name in names: put(tmp_path/name, begun(), 7)
    assert counting(tmp_path)==names


@pytest.mark.parametrize('begin', [
    lambda nb: fill(nb, exercises_of(LOSS), {'03.5': '#| export\n#| exercise\ndef batch_accuracy('}),    # half a line is work too
    lambda nb: nb | dict(cells=[*nb['cells'], code('def linear1(xb, weights, bias): return xb@weights')]),
    lambda nb: nb | dict(cells=[code('linear1 = torch.addmm') if c is find_cell(nb, find_exercise('03.2')) else c for c in nb['cells']])],
    ids=['half an answer', 'in a cell below', 'without its directive'])
def test_each_way_to_begin_counts(tmp_path, begin):
    put(tmp_path/'03_loss.ipynb', untouched(), 9)
    put(tmp_path/'z.ipynb', begin(untouched()), 1)
    assert counting(tmp_path)==['z.ipynb', '03_loss.ipynb']


def test_a_whole_copy_comes_before_a_scratch_pad(tmp_path):
    put(tmp_path/'03_loss.ipynb', begun(), 1)
    pad = put(tmp_path/'tries.ipynb', dict(cells=[code(RIGHT.replace('+', '-')), code('check(linear1)')]), 9)
    assert counting(tmp_path)==['03_loss.ipynb', 'tries.ipynb']
    put(tmp_path/'03_loss.ipynb', untouched(), 1)
    assert copy_of(tmp_path, '03.2')[0]==pad    # better than nothing


def test_two_lessons_in_one_notebook_are_both_found(tmp_path):
    path = put(tmp_path/'all of it.ipynb', dict(cells=untouched()['cells'] + untouched(SGD)['cells']))
    assert scan(tmp_path).copies=={'03_loss': [path], '04_sgd': [path]}


def test_what_an_update_has_written_counts_as_soon_as_something_in_it_is_begun(tmp_path):
    nb = begun()
    nb['metadata']['mnist_course'] = ['odd']
    put(tmp_path/'03_loss.ipynb', nb, 1)
    written = start_course(tmp_path, update=True, lessons=ROOT/'nbs')
    assert tmp_path/'03_loss-new.ipynb' in written
    assert counting(tmp_path)==['03_loss-new.ipynb', '03_loss.ipynb']


# What cannot be read

UNREAD = {'empty': ('', 'it is empty'), 'text': ('an evening of work', 'it is not JSON'), 'bytes': (b'\xff\xfe\0', 'it is not JSON'),
          'half': ('{"cells": [', 'it is not JSON'), 'nested': ('['*10**5, 'it is nested too deep'), 'list': ('[1]', 'it is JSON, but not a notebook'),
          'number': ('1'*5000, 'it is not JSON'), 'version 3': ('{"worksheets": [{"cells": 7}]}', 'it is JSON, but not a notebook'),
          'no source': ('{"cells": [{"cell_type": "code"}]}', 'it is JSON, but not a notebook'), 'cells': ('{"cells": 7}', 'it is JSON, but not a notebook'),
          'conflict': ('<<<<<<< HEAD\n{}', 'git has left the marks of a conflict in it, as <<<<<<<: keep one of the two versions, and hand that in')}

@pytest.mark.parametrize('kind', UNREAD)
def test_a_broken_notebook_is_named_with_its_reason_and_stops_nobody(tmp_path, kind):
    text, why = UNREAD[kind]
    good, bad = put(tmp_path/'Ada.ipynb', begun()), put(tmp_path/'03_loss.ipynb', text)
    found = scan(tmp_path)
    assert (found.copies, found.others, found.broken)==({'03_loss': [good]}, [(bad, why)], {'03_loss': [bad]})
    assert lesson_copies(tmp_path, '03')==[good, bad]


@pytest.mark.skipif(os.name!='posix', reason='pipes, devices and links as POSIX has them')
@pytest.mark.timeout(100)
def test_what_is_no_file_is_not_opened(tmp_path, monkeypatch):
    (mine := tmp_path/'mine').mkdir()
    outside = put(tmp_path/'other'/'03_loss.ipynb', begun())
    good = put(mine/'Ada.ipynb', begun())
    os.mkfifo(mine/'03_loss.ipynb')
    (mine/'folder.ipynb').mkdir()
    with open(mine/'large.ipynb', 'wb') as f: f.truncate(50*2**20+1)
    with socket.socket(socket.AF_UNIX) as s:
        monkeypatch.chdir(mine)    # the name of a socket must be short
        s.bind('socket.ipynb')
        links = {'theirs': outside, 'device': '/dev/zero', 'gone': 'gone', 'round': 'round.ipynb', 'up': '..', 'inside': 'Ada.ipynb'}
        for name, to in links.items(): (mine/f'{name}.ipynb').symlink_to(to)
        (mine/'all of theirs').symlink_to(outside.parent)
        (mine/'circle').symlink_to('.')
        found = scan(mine)
    out, nowhere, none = 'it is a link that leads out of the folder', 'it is a link that leads nowhere', 'it is a pipe or a device, not a file'
    assert {p.stem: why for p,why in found.others}=={'03_loss': none, 'socket': none, 'folder': 'it is a folder', 'large': 'it is larger than 50 MB',
                                                      'theirs': out, 'device': out, 'up': out, 'gone': nowhere, 'round': nowhere}
    assert set(found.copies['03_loss'])=={good, mine/'inside.ipynb'} and found.broken=={}
    (tmp_path/'link').symlink_to(mine)    # the folder itself may be a link
    assert tmp_path/'link'/'Ada.ipynb' in scan(tmp_path/'link').copies['03_loss']


@pytest.mark.skipif(not hasattr(os, 'geteuid') or os.geteuid()==0, reason='root may read everything')
def test_what_nobody_may_read_is_named(tmp_path):
    put(tmp_path/'a.ipynb', begun()).chmod(0)
    put(tmp_path/'closed'/'b.ipynb', begun()).parent.chmod(0)
    try: assert [why.split(':')[0] for _,why in scan(tmp_path).others]==['it cannot be opened', 'it is a folder that cannot be opened']
    finally: (tmp_path/'closed').chmod(0o700)


def test_a_file_that_cannot_be_opened_is_named(tmp_path, monkeypatch):
    put(tmp_path/'a.ipynb', begun())
    def refuse(path): raise PermissionError(13, 'Permission denied', str(path))
    monkeypatch.setattr(submitted, 'read_lesson', refuse)
    assert reasons(tmp_path)=={'a.ipynb': 'it cannot be opened: permission denied'}


def test_hidden_folders_and_files_are_left_out(tmp_path):
    for name in ('.ipynb_checkpoints/03_loss-checkpoint.ipynb', '.git/a.ipynb', 'x/.hidden/b.ipynb', '__MACOSX/._03_loss.ipynb', '.03_loss.ipynb'): put(tmp_path/name, begun())
    assert scan(tmp_path)==copies.Found()


def test_a_thousand_folders_deep_is_not_too_deep(tmp_path, monkeypatch):
    "Python's own recursion ends there"
    monkeypatch.chdir(tmp_path)
    for _ in range(1100):
        os.mkdir('d')
        os.chdir('d')
    Path('03.ipynb').write_text(json.dumps(begun()))
    try: assert [p.name for p in scan(tmp_path).copies['03_loss']]==['03.ipynb']
    finally:    # `shutil.rmtree` calls itself
        os.remove('03.ipynb')
        for _ in range(1100):
            os.chdir('..')
            os.rmdir('d')



def test_each_notebook_is_read_once_and_in_no_other_way(tmp_path, monkeypatch):
    for i, nb in enumerate([begun(), untouched(), untouched(SGD), dict(cells=[])]): put(tmp_path/f'{i}.ipynb', nb)
    put(tmp_path/'4.ipynb', 'text')
    opened, read = [], submitted.read_lesson
    monkeypatch.setattr(submitted, 'read_lesson', lambda path: opened.append(path.name) or read(path))
    monkeypatch.setattr(copies, 'read_lesson', None)
    scan(tmp_path)
    assert sorted(opened)==[f'{i}.ipynb' for i in range(5)]


@pytest.mark.timeout(100)
@pytest.mark.parametrize('cells', [
    [code('#| exercise\n'+'\n'*300_000)], [code('\n'*300_000+'def linear1('), code('#| exercise\ndef linear1(x): pass')],
    [code('def linear1(x): pass')]*20_000 + [code('1')]*20_000 + [markdown('**Exercise 03.2: `linear1`.**')],
    [code('#| exercise\n'+'('*10**5+'linear1'), code('-'*10**5 + 'linear1')], [code('#| exercise\nlinear1 = "\ud800\0"')]],
    ids=['blank lines', 'blank lines above', 'many cells', 'nested', 'odd characters'])
def test_a_source_that_is_made_to_be_slow_or_to_fail_is_neither(tmp_path, cells):
    for name in 'ab': put(tmp_path/f'{name}.ipynb', json.dumps(dict(cells=[markdown('**Exercise 03.1:'), *cells])))
    assert list(scan(tmp_path).copies)==['03_loss']


pieces = st.sampled_from(['#| exercise\n', '#| exercise step\n', 'def linear1(x): pass', 'class SGD: pass\n', 'check(sigmoid)', '**Exercise 03.2:', '(', '"', '\n', '\r', '\0',
                          '\x0c', '\ud800', 'raise NotImplementedError("Exercise 03.2: write linear1")', 'sigmoid = 1\n', '    ', 'import *', 'def step(self): pass', 'async '])
values = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(['03_loss', 'code', 'index']),
                      lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(['mnist_course', 'lesson', 'copy', 'cells', 'source']), inner, max_size=3), max_leaves=6)
sources = st.lists(pieces, max_size=8).map(''.join)
cells = st.fixed_dictionaries(dict(cell_type=st.sampled_from(['code', 'markdown']) | values, source=sources | st.lists(sources, max_size=3) | values))
made_up = values | st.fixed_dictionaries(dict(cells=st.lists(cells, max_size=4) | values, metadata=values | st.fixed_dictionaries(dict(mnist_course=values))))

@settings(max_examples=150, deadline=None)
@given(st.lists(made_up, min_size=2, max_size=3))
def test_nothing_that_is_in_a_notebook_raises_an_error(tmp_path_factory, made):
    folder = tmp_path_factory.mktemp('made')
    for i, nb in enumerate(made): put(folder/f'03_{i}.ipynb', json.dumps(nb))
    found = scan(folder)
    named = {p for paths in found.copies.values() for p in paths} | {p for p,_ in found.others} | set(found.no_exercises)
    assert {p.name for p in named}=={f'03_{i}.ipynb' for i in range(len(made))} and all(why for _,why in found.others)


# No copy asks for our words

def test_fails_in(source): return [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call) and getattr(n.func, 'id', '')=='test_fail']
test_fails_in.__test__ = False
def worded(nb): return [k.value for c in nb['cells'] if 'test_fail' in c['source'] and c['cell_type']=='code' for call in test_fails_in(c['source']) for k in call.keywords if k.arg=='contains']


def without_wording(source):
    "The syntax tree, as text, without what a copy leaves out"
    tree = ast.parse(source)
    for n in ast.walk(tree):
        if isinstance(n, ast.Call) and getattr(n.func, 'id', '')=='test_fail': n.keywords = [k for k in n.keywords if k.arg!='contains']
    return ast.dump(tree)


def comments(source): return [t.string for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type==tokenize.COMMENT]


@pytest.mark.parametrize('path', LESSONS, ids=lambda p: p.stem)
def test_a_copy_asks_for_an_error_in_any_words_and_changes_nothing_else(path):
    lesson, copy = read_lesson(path), learner_copy(path)
    assert worded(lesson) and worded(copy)==[]
    after = {c['id']: c['source'] for c in copy['cells']}
    stubs = {c['id'] for c in lesson['cells'] if c['cell_type']=='code' and '#| exercise' in c['source']}
    assert 'elsewhere-links' not in after    # they open the lesson, with its answers
    for c in (c for c in lesson['cells'] if c['id']!='elsewhere-links'):
        before, now = c['source'], after[c['id']]
        if c['id'] in stubs: continue
        if 'contains' not in before or c['cell_type']!='code': assert now==before; continue
        assert ast.dump(ast.parse(now))==without_wording(before) and comments(now)==comments(before)
        kept = iter(before)
        assert all(letter in kept for letter in now), now    # letters were taken out, and none put in or moved


def test_a_copy_with_our_words_in_it_is_noticed(monkeypatch):
    monkeypatch.setattr(copies, 'any_wording', lambda source: source)
    assert worded(learner_copy(LOSS))
