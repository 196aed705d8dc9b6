"The generated files are those that the notebooks make, and CI's counts and comparisons can fail"
import json
from subprocess import run

import pytest
from checks import ROOT, changed_by_rebuild, copy_repo, not_completed, notebooks, readme_command, same, stale_outputs


@pytest.fixture
def repo(tmp_path): return copy_repo(tmp_path/'repo')


def test_a_fresh_build_changes_nothing(repo): assert changed_by_rebuild(repo)==[]


def test_planted_drift_is_caught(repo):
    module, nb, readme = repo/'mnist_course'/'data.py', repo/'nbs'/'01_similarity.ipynb', repo/'README.md'
    module.write_text(module.read_text().replace('def keep(', 'def keep_these('))       # edited by hand
    readme.write_text(readme.read_text()+'one more line\n')                             # so was this
    content = json.loads(nb.read_text())
    content['metadata']['language_info'] = {'version': '3.11.4'}                        # saved by an editor, not cleaned
    nb.write_text(json.dumps(content))
    assert changed_by_rebuild(repo)==['README.md', 'mnist_course/data.py', 'nbs/01_similarity.ipynb']


def test_a_new_export_without_nbdev_export_is_caught(repo):
    nb = repo/'nbs'/'07_mlp.ipynb'
    content = json.loads(nb.read_text())
    content['cells'].append(dict(cell_type='code', source=['#| export\n', 'def forgotten(): pass'], outputs=[], metadata={}, execution_count=None, id='f0490773'))
    nb.write_text(json.dumps(content))
    assert 'mnist_course/mlp.py' in changed_by_rebuild(repo)


def log_of(nbs): return ''.join(f'Starting {p}\n- Completed {p}\n' for p in nbs) + 'Success.\n'


def test_every_notebook_must_complete():
    assert len(notebooks())>=10
    assert not_completed(log_of(notebooks()))==[]
    assert not_completed(log_of(notebooks()[1:]))==[str(notebooks()[0].relative_to(ROOT))]
    assert len(not_completed('No files were eligible for testing\n'))==len(notebooks())


def test_nbdev_test_prints_what_the_count_reads(repo):
    "Were its wording to change, the count would fail here and not pass there"
    from sys import executable
    from pathlib import Path
    r = run([Path(executable).parent/'nbdev_test', '--path', 'nbs/tools/readme.ipynb', '--do_print'], cwd=repo, capture_output=True, text=True, timeout=100)
    assert r.returncode==0, r.stderr
    left = not_completed(r.stdout, repo)
    assert 'nbs/tools/readme.ipynb' not in left and len(left)==len(notebooks(repo))-1


def test_a_failing_lesson_fails_nbdev_test(repo):
    from sys import executable
    from pathlib import Path
    nb = repo/'nbs'/'02_gradients.ipynb'
    content = json.loads(nb.read_text())
    content['cells'] = [dict(cell_type='code', source=['assert 1==2'], outputs=[], metadata={}, execution_count=None, id='00000001')]
    nb.write_text(json.dumps(content))
    r = run([Path(executable).parent/'nbdev_test', '--path', 'nbs/02_gradients.ipynb', '--do_print'], cwd=repo, capture_output=True, text=True, timeout=100)
    assert r.returncode!=0 and '02_gradients.ipynb' in r.stderr


def test_outputs_of_another_code_are_caught(tmp_path):
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook, new_output
    def cell(source, text): return new_code_cell(source, outputs=[new_output('stream', text=text)] if text else [])
    nb = new_notebook(cells=[cell('print("as it was")', 'as it was\n'), cell('1;', ''), cell('print(0.97)', '0.9701\n'),
                             cell('print("b")', 'a\n'), cell('print(0.5)', '0.97\n'), cell('print("new")', ''), cell('1;', 'gone\n'),
                             cell('#| slow\nopen("table", "w"); print("b")', 'a\n'),    # would take minutes, and write a table
                             cell('#| eval: false\nprint("a slider")', '')])               # nobody is there to move it
    nbformat.write(nb, tmp_path/'x.ipynb')
    assert [int(s.split(':')[0].split()[-1]) for s in stale_outputs(tmp_path/'x.ipynb')]==[3,4,5,6]
    assert not (tmp_path/'table').exists()


@pytest.mark.parametrize('old, new, is_same', [
    ('accuracy 0.9671', 'accuracy 0.9671', True), ('accuracy 0.9671', 'accuracy 0.9676', True), ('accuracy 0.9671', 'accuracy 0.9271', False),
    ('tensor([1, 2])', 'tensor([1, 3])', False), ('12,396 pictures', '12,396 pictures', True), ('12,396 pictures', '16,000 pictures', False),
    ('epoch seconds 1 0.03', 'epoch seconds 1 0.09', True), ('epoch seconds 1 0.03', 'epoch minutes 1 0.03', False),
    ('image/png', '', False), ('a', 'a b', False), ('-1e-05', '1e-05', True), ('-0.5', '0.5', False)])
def test_what_counts_as_the_same_output(old, new, is_same): assert same(old, new)==is_same


def test_readme_holds_one_line_for_each_command():
    course, tests = readme_command('the course'), readme_command('the tests')
    assert "-c constraints.txt -e '.[course]'" in course and course.endswith('mnist_course ladder --fast')
    assert "-c constraints.txt -e '.[dev]'" in tests and tests.endswith('pytest -n 2')
    assert '--do_print' in tests                     # the count of notebooks needs it
    with pytest.raises(ValueError, match='expected one block'): readme_command('the dance')


def test_every_link_of_readme_leads_somewhere():
    import re
    links = re.findall(r'\]\((?!https?:|#|mailto:)([^)#\s]+)', (ROOT/'README.md').read_text())
    assert len(links)>10 and [link for link in links if not (ROOT/link).exists()]==[]
