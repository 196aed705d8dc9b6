"""The exercises: every copy hides its answers, every answer is judged rightly, and nothing of a learner's is lost.

`python -m mnist_course.classroom.grade` proves them all and prints the count.
"""
import json, os, re, subprocess, sys, time
from pathlib import Path

import pytest
from checks import ROOT, copy_repo
from layers import stem

from mnist_course.classroom.copies import answers_in, copy_of, fill, find_cell, learner_copy, reset_exercise, start_course, stub
from mnist_course.classroom.grade import check_folder, find_copies, grade, prove_course
from mnist_course.classroom.sandbox import judge_copy, run_cells
from mnist_course.core.files import read_lesson, write_notebook
from mnist_course.exercises import EXERCISES, exercises_of, find_exercise
from mnist_course.exercises.judge import Case, outcome, prove, trials_of
from mnist_course.exercises.outline import NUMBERS, places_of

LESSONS = sorted(p for p in (ROOT/'nbs').glob('[0-9][0-9]*.ipynb') if places_of(p))


def lesson_of(number): return next(p for p in LESSONS if number in [place.number for place in places_of(p)])
def squeezed(text): return re.sub(r'\s', '', text)
def ours(path): return answers_in(read_lesson(path), exercises_of(path))


# The exercises themselves

def test_every_exercise_is_proved_in_its_notebook(count):
    "Each has a cell `test_eq(prove(...), (mistakes, variants))`, which nbdev_test runs: every mistake found by name, every variant done"
    caught = accepted = 0
    for path in LESSONS:
        nb = ROOT/'nbs'/'exercises'/f'{stem(path)}.ipynb'
        sources = [c['source'] for c in read_lesson(nb)['cells'] if c['cell_type']=='code' and '#| slow' not in c['source']]
        proved = [tuple(map(int, m.groups())) for source in sources for m in re.finditer(r'^test_eq\(prove\(\w+\), \((\d+),(\d+)\)\)$', source, flags=re.M)]
        assert proved==[(len(e.mistakes), len(e.variants)) for e in exercises_of(path)], nb.name
        caught, accepted = caught+sum(n for n,_ in proved), accepted+sum(n for _,n in proved)
    for n,what in ((len(EXERCISES), 'exercises'), (caught, 'planted mistakes, each caught and named'), (accepted, 'variants of right answers, each accepted')): count(what, n)
    assert caught>=5*len(EXERCISES) and accepted>=2*len(EXERCISES)


def test_the_proof_of_a_whole_course_counts_and_fails(tmp_path):
    "On a course of one lesson; and on one whose answer is wrong"
    path = tmp_path/'00_data.ipynb'
    path.write_bytes((ROOT/'nbs'/path.name).read_bytes())
    assert prove_course(tmp_path).startswith('2 exercises, ')
    nb = read_lesson(path)
    cell = find_cell(nb, find_exercise('00.1'))
    cell['source'] = cell['source'].replace('torch.isin(', '~torch.isin(')
    write_notebook(path, nb)
    with pytest.raises(AssertionError, match='00.1'): prove_course(tmp_path)


def test_the_directives_are_those_of_the_exercises():
    "In the order of the numbers, with the methods that the judge seals; two or more in each lesson that has any"
    for path in LESSONS:
        found = re.findall(r'^#\|\s*exercise\b(.*)\n', '\n'.join(c['source'] for c in read_lesson(path)['cells']), flags=re.M)
        due = [ex.methods or tuple(ex.name.split('.')[1:]) for ex in exercises_of(path)]
        assert [tuple(names.split()) for names in found]==due and len(due)>=2, path.name
    others = set((ROOT/'nbs').rglob('*.ipynb')) - set(LESSONS)
    assert not [p for p in others if p.parent==ROOT/'nbs' and re.search(r'"#\| *exercise', p.read_text(encoding='utf-8'))]


def test_what_must_be_refused_stands_in_the_task():
    "Wherever a right answer raises, the cell that learners get speaks of an error; a hint alone would not do"
    for path in LESSONS:
        for ex in exercises_of(path):
            refused = [case.title for case,seed in trials_of(ex, 1) if isinstance(outcome(case, ex.oracle, seed), Exception)]
            task = find_cell(learner_copy(path), ex)['source'].replace('NotImplementedError', '')
            assert not refused or re.search(r'[Ee]rror|[Rr]aises|[Rr]efuse', task), f'{ex.number} {ex.name}: {refused}'


def test_no_other_cell_defines_what_an_exercise_asks_for():
    "Or a copy that has lost the exercise's cell would be judged by the lesson's own demonstration"
    for path in LESSONS:
        nb = learner_copy(path)
        asked = {ex.name.partition('.')[0]: find_cell(nb, ex)['id'] for ex in exercises_of(path)}
        defined = [(m[1], c['id']) for c in nb['cells'] if c['cell_type']=='code' for m in re.finditer(r'^(?:def|class) (\w+)', c['source'], flags=re.M)]
        others = {(path.stem, name) for name,cell in defined if name in asked and cell!=asked[name]}
        assert not others - {('06_learner','Learner')}, others


@pytest.mark.parametrize('number', ['03.3', '03.4'])
def test_an_answer_whose_cell_is_gone_is_not_there(number):
    ex, path = find_exercise(number), lesson_of(number)
    nb = fill(learner_copy(path), exercises_of(path), ours(path))
    nb['cells'].remove(find_cell(nb, ex))
    v = judge_copy(nb, ex)
    assert v.status=='wrong' and f'No cell here defines `{ex.name}`' in v.text, v


@pytest.mark.parametrize('number,duty', [('03.2', 'of the kind that the pixels have'), ('04.4', 'gradients are switched off'), ('05.5', 'add `eps` after taking the root')])
def test_a_duty_stands_above_its_cell(number, duty):
    "What the check asks for, and neither signature nor docstring say"
    path, ex = lesson_of(number), find_exercise(number)
    nb = learner_copy(path)
    at = nb['cells'].index(find_cell(nb, ex))
    above = [c['source'] for c in nb['cells'][:at] if c['cell_type']=='markdown']
    assert any(duty in text for text in above[-3:]), above[-3:]


def test_a_toothless_exercise_is_caught(monkeypatch):
    "Planted: an exercise whose only case tells nothing"
    ex = find_exercise('03.4')
    monkeypatch.setattr(ex, 'cases', [Case(lambda g: {}, lambda f: 1)])
    with pytest.raises(AssertionError, match='no_sigmoid'): prove(ex)


# The copies

@pytest.mark.parametrize('path', LESSONS, ids=lambda p: p.stem)
def test_a_copy_has_no_answer_in_it(path):
    "Neither in its sources, nor in an output, nor in metadata; and no earlier version in the lesson passes"
    lesson, copy = read_lesson(path), learner_copy(path)
    everything = squeezed(json.dumps(copy, ensure_ascii=False)).replace('\\n', '').replace('\\"', '"')
    for ex in exercises_of(path):
        source = find_cell(lesson, ex)['source']
        kept = stub(source, ex).splitlines()
        body = squeezed(re.sub(r'\s+#.*', '', '\n'.join(line for line in source.splitlines() if line not in kept)))
        assert len(body)>8 and body not in everything, ex.name
    for c in copy['cells']:
        names = [ex for ex in exercises_of(path) if re.search(rf'^(def|class) {ex.name}\b', c['source'], flags=re.M)]
        for ex in names:
            if '#| exercise' in c['source']: continue
            tried = fill(learner_copy(path), [ex], {ex.number: '#| export\n#| exercise\n'+c['source']})
            assert judge_copy(tried, ex).status!='done', f'{ex.name} is solved by an earlier cell:\n{c["source"]}'


@pytest.mark.parametrize('path', LESSONS, ids=lambda p: p.stem)
def test_the_check_below_each_exercise_finds_it(path):
    "The cell as it stands in the copy, run where the answers are filled in"
    exercises = exercises_of(path)
    copy = fill(learner_copy(path), exercises, ours(path))
    scope, errors = run_cells(copy)
    assert not errors
    checks = [c['source'] for c in copy['cells'] if c['source'].startswith('from mnist_course.check import check')]
    for ex,source in zip(exercises, checks, strict=True):
        before, last = source.rsplit('\n', 1)
        exec(before, scope)
        verdict = eval(last, scope)
        assert (verdict.number, verdict.status)==(ex.number, 'done'), verdict
    assert judge_copy(read_lesson(path), exercises[-1]).status=='done'    # the lesson itself, without a check in it


def test_copies_are_valid_notebooks(tmp_path):
    import nbformat
    for path in start_course(tmp_path/'mine', lessons=ROOT/'nbs'):
        if path.suffix=='.ipynb': nbformat.validate(nbformat.read(path, as_version=4))


def test_untouched_copies_have_nothing_done(tmp_path):
    start_course(tmp_path/'mine', lessons=ROOT/'nbs')
    verdicts = list(check_folder(tmp_path/'mine'))
    assert sorted(v.number for v in verdicts)==[number for number,_ in NUMBERS.values()]
    assert {v.status for v in verdicts}=={'not begun'}


def test_copies_with_our_answers_export_the_same_modules(tmp_path):
    repo, mine = copy_repo(tmp_path/'repo'), tmp_path/'mine'
    start_course(mine, lessons=ROOT/'nbs')
    def changed(answers):
        for path in LESSONS:
            write_notebook(repo/'nbs'/path.name, fill(read_lesson(mine/path.name), exercises_of(path), answers(path)))
        r = subprocess.run([Path(sys.executable).parent/'nbdev_export'], cwd=repo, capture_output=True, text=True)
        assert r.returncode==0, r.stderr
        return {p.stem for p in (ROOT/"mnist_course").glob('*.py') if (repo/'mnist_course'/p.name).read_bytes()!=p.read_bytes()}
    assert changed(lambda path: {})=={stem(p) for p in LESSONS}
    assert changed(ours)==set()


def test_a_copy_works_in_jupyter(tmp_path):
    "A kernel runs the exported cells and the checks of a copy with one right answer and one wrong one"
    import nbformat
    from nbclient import NotebookClient
    path = lesson_of('03.2')
    answers = {'03.2': ours(path)['03.2'], '03.3': ours(path)['03.3'].replace('torch.exp(-', 'torch.exp(')}
    nb = fill(learner_copy(path), exercises_of(path), answers)
    wanted = '#| export', 'from mnist_course.check import check'
    nb['cells'] = [c for c in nb['cells'] if c['source'].startswith(wanted)]
    nb = nbformat.from_dict(nb)
    NotebookClient(nb, timeout=120, kernel_name='python3', resources={'metadata':{'path':str(tmp_path)}}).execute()
    shown = [c.outputs[0].data['text/plain'] for c in nb.cells if c.source.startswith(wanted[1])]
    assert [text[:6] for text in shown]==['○ 03.1', '✓ 03.2', '✗ 03.3', '○ 03.4', '○ 03.5'] and 'Turned round' in shown[2]


# A learner's work, and a teacher's

def submit(folder, **answers):
    "A submission of lesson 03 alone, with an answer to 03.2 if one is given"
    folder.mkdir(parents=True)
    path = lesson_of('03.2')
    given = {'03.2': answers['linear1']} if answers else {}
    return write_notebook(folder/path.name, fill(learner_copy(path), exercises_of(path), given))


def test_a_run_that_was_interrupted_goes_on(tmp_path):
    for name in ('Ada','Blaise','Chung'): submit(tmp_path/'class'/name)
    seen = []
    def stop(done, n, name):
        seen.append(name)
        if name=='Blaise': raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): grade(tmp_path/'class', tmp_path/'grades.csv', progress=stop)
    table = (tmp_path/'grades.csv').read_text(encoding='utf-8')
    assert table.count('\n')==2 and 'Ada' in table
    page = tmp_path/'grades_feedback'/'Ada.md'
    page.write_text('as it was')
    rows = grade(tmp_path/'class', tmp_path/'grades.csv')
    assert [r['learner'] for r in rows]==['Ada','Blaise','Chung'] and page.read_text()=='as it was'


def test_a_run_that_was_killed_goes_on_and_leaves_no_process(tmp_path):
    "SIGKILL while an answer loops: the child ends with its parent, and what was graded is kept"
    if not sys.platform.startswith('linux'): pytest.skip('elsewhere a child ends only when its own time is over')
    loop = "#| export\n#| exercise\ndef linear1(xb, weights, bias):\n    import os\n    with open('pid', 'w') as f: print(os.getpid(), file=f)\n    while True: pass"
    submit(tmp_path/'class'/'Ada')
    mine = submit(tmp_path/'class'/'Blaise', linear1=loop)
    code = f"from mnist_course.classroom.grade import grade; grade({str(tmp_path/'class')!r}, {str(tmp_path/'grades.csv')!r}, 1, isolate=False, seconds=1000)"
    run = subprocess.Popen([sys.executable, '-c', code], env=os.environ | dict(TMPDIR=str(tmp_path)))
    def looping():
        "What the answer has written into the folder of its process: the number of that process"
        return ''.join(p.read_text() for p in tmp_path.rglob('mnist_course_*/pid')).split('\n')[:-1]
    try:
        while not (pids := looping()) and run.poll() is None: time.sleep(.1)
    finally: run.kill()
    run.wait()
    assert len(pids)==1
    while Path(f'/proc/{pids[0]}').exists(): time.sleep(.1)    # pytest's own limit ends this, if nothing else does
    table = (tmp_path/'grades.csv').read_text(encoding='utf-8')
    assert 'Ada' in table and 'Blaise' not in table
    path = lesson_of('03.2')
    write_notebook(mine, fill(learner_copy(path), exercises_of(path), {'03.2': ours(path)['03.2']}))
    page = tmp_path/'grades_feedback'/'Ada.md'
    page.write_text('as it was')
    rows = grade(tmp_path/'class', tmp_path/'grades.csv', isolate=False, seconds=1000)    # as in the run that was killed
    assert [(r['learner'], int(r['done'])) for r in rows]==[('Ada', 0), ('Blaise', 1)] and page.read_text()=='as it was'


def test_odd_submissions_lose_nobody_elses_grade(tmp_path):
    "Nested JSON, a name that is no UTF-8, half a character in a source, a second copy, a zip"
    here, right = tmp_path/'class', ours(lesson_of('03.2'))['03.2']
    submit(here/'Ada', linear1=right)
    submit(here/'Blaise').write_text('['*100_000)
    submit(here/'Chung', linear1=right).with_stem('03_loss-Copy1').write_text('no notebook')
    dana = submit(here/'Dana', linear1='#| export\n#| exercise\ndef linear1(*args): raise ValueError("HALF")')
    dana.write_text(dana.read_text(encoding='utf-8').replace('HALF', '\\ud800'), encoding='utf-8')
    if sys.platform.startswith('linux'): submit(here/os.fsdecode(b'M\xfcller'), linear1=right)
    (here/'Eve.zip').write_bytes(b'PK')
    rows = grade(here, tmp_path/'grades.csv')
    assert {r['learner']: r['03.2'] for r in rows}.items()>={'Ada': 'done', 'Blaise': 'wrong', 'Chung': 'done', 'Dana': 'wrong'}.items()
    assert all(r['03.2']=='done' for r in rows if r['learner'].startswith('M'))
    assert len(list((tmp_path/'grades_feedback').glob('*.md')))==len(rows)


@pytest.mark.parametrize('path', LESSONS, ids=lambda p: p.stem)
def test_a_cell_is_found_without_its_directive_and_not_where_it_is_gone(path):
    for ex in exercises_of(path):
        copy = learner_copy(path)
        cell = find_cell(copy, ex)
        cell['source'] = re.sub(r'^#\|\s*exercise.*\n', '', cell['source'], flags=re.M)
        assert find_cell(copy, ex) is cell, ex.name
        copy['cells'].remove(cell)
        assert find_cell(copy, ex) is None, ex.name


def test_reset_brings_back_what_is_lost_and_copies_hide_nothing(tmp_path):
    start_course(tmp_path/'mine', lessons=ROOT/'nbs')
    path = tmp_path/'mine'/'03_loss.ipynb'
    (tmp_path/'mine'/'03_loss-Copy1.ipynb').write_bytes(path.read_bytes())
    assert find_copies(tmp_path/'mine', '03')['03_loss']==copy_of(tmp_path/'mine', '03.2')[0]==path
    for _ in range(2):
        nb = read_lesson(path)
        nb['cells'].remove(find_cell(nb, find_exercise('03.2')))
        write_notebook(path, nb)
        reset_exercise(tmp_path/'mine', '03.2', ROOT/'nbs')
    nb = read_lesson(path)
    ids = [c['id'] for c in nb['cells']]
    assert len(set(ids))==len(ids) and sum(c['source'].startswith('**Exercise 03.2') for c in nb['cells'])==1
    assert [c['source'] for c in nb['cells']]==[c['source'] for c in learner_copy(lesson_of('03.2'))['cells']]


def test_the_ladder_runs_on_a_class_with_a_helper_and_an_attribute(tmp_path):
    from mnist_course.classroom.mine import solved
    from mnist_course.tools.own_ladder import ladder_on
    start_course(tmp_path/'mine', lessons=ROOT/'nbs')
    path = lesson_of('05.2')
    exercises = {ex.name: ex.number for ex in exercises_of(path)}
    answers = ours(path)
    source = answers[exercises['BasicOptim']]
    source = source.replace('    @torch.no_grad()\n    def step(', '    def _moved(self, p): return self.lr*p.grad*self.one\n    one = 1\n\n'
                            '    @torch.no_grad()\n    def step(').replace('p.add_(p.grad, alpha=-self.lr)', 'p -= self._moved(p)')
    assert 'self._moved(p)' in source
    write_notebook(tmp_path/'mine'/path.name, fill(learner_copy(path), exercises_of(path), answers | {exercises['BasicOptim']: source}))
    mine = solved(tmp_path/'mine')
    assert 'BasicOptim' in mine
    result, yours, _, errors = ladder_on(mine, ['linear-optim'], fast=True)[0]
    assert not errors and 'BasicOptim' in yours
