"The layers, and what an import costs"
import json, subprocess, sys

import pytest
from checks import ROOT, copy_repo
from layers import all_imports, breaks, picture, places


def test_arrows_point_down_and_nothing_goes_round(): assert breaks()==[]


def test_the_rule_sees_what_is_imported():
    "It is not green because it parses nothing"
    found = all_imports()[1]
    assert 'data' in found['similarity'] and {'optimizer','data'} <= found['learner'] and {'tools.cli_train','tools.cli_read'} <= found['tools.cli']
    assert {'exercises.outline', 'core.files'} <= found['classroom.copies']
    assert 'tools.ladder' in found['tools.cli_train']    # this one inside a function
    assert 'exercises.*' in found['exercises'] and 'lessons.*' in found['classroom.mine']    # and these by a name made of parts
    assert len(places())==len(found)>60


@pytest.mark.parametrize('module, source, said', [
    ('core.files', 'from mnist_course.data import Digits', 'lessons lies above core'),
    ('core.files', 'from .compute import seeded', 'core imports nothing of ours'),
    ('core.layouts', 'from .files import held', 'core imports nothing of ours'),
    ('core.layouts_names', 'from .layouts import read_npz', 'a circle'),
    ('loss', 'from .learner import Learner', 'lesson 06 is not below 03'),
    ('loss', 'import mnist_course.mlp as m', 'lesson 07 is not below 03'),
    ('loss', 'def f():\n    from mnist_course import sgd', 'lesson 04 is not below 03'),
    ('loss', 'from .tools.ladder import RUNGS', 'tools lies above lessons'),
    ('loss', 'from .exercises.judge import judge', 'exercises lies above lessons'),
    ('loss', 'from mnist_course.data import *', 'star import from data'),
    ('exercises.loss', 'from .. import learner', 'lesson 06 lies above its own'),
    ('exercises.loss', 'from . import sgd', "another lesson's exercises"),
    ('exercises.judge', 'from ..classroom.grade import grade', 'classroom lies above exercises'),
    ('classroom.grade', 'def f():\n    from ..tools.ladder import csv', 'tools lies above classroom'),
    ('classroom.grade', 'from ..tools.cli import main', 'tools lies above classroom'),
    ('tools.ladder', 'from .cli_app import app', 'nobody imports the command line'),
    ('tools.ladder', 'from ..judge import judge', 'moved lies above tools'),
    ('classroom.copies', 'from .sandbox import run_cells', 'a circle'),
    ('tools.timing', 'def f():\n    from .comparisons import COMPARISONS', 'a circle'),
    ('exercises.outline', 'from . import EXERCISES', 'a circle'),
    ('exercises.outline', 'from ..speed import fast_net', 'what all exercises share imports no lesson'),
    ('exercises.judge', 'from ..learner import Learner', 'what all exercises share imports no lesson'),
    ('exercises.given', 'from .. import data', 'what all exercises share imports no lesson'),
    ('exercises', 'from ..data import Digits', 'what all exercises share imports no lesson'),
    ('exercises.loss', 'from . import EXERCISES', "another lesson's exercises"),
    ('exercises.loss', 'import_module(f"mnist_course.exercises.{name}")', "another lesson's exercises"),
    ('loss', 'from importlib import import_module\nimport_module("mnist_course.tools.ladder")', 'tools lies above lessons'),
    ('loss', 'import importlib\nimportlib.import_module(".tools.ladder", "mnist_course")', 'tools lies above lessons'),
    ('loss', 'def f(): return resolve_name("mnist_course.sgd:DataLoader")', 'lesson 04 is not below 03'),
    ('loss', '__import__("mnist_course.tools." + name)', 'tools lies above lessons'),
    ('core.files', 'import_module(f"mnist_course.{lesson}")', 'lessons lies above core'),
])
def test_a_planted_import_is_caught(module, source, said):
    assert [b for b in breaks(planted={module: source}) if said in b]


@pytest.mark.parametrize('lesson, module', [('03_loss', 'loss'), ('12b_record', 'convnet')])
def test_a_planted_import_in_a_cell_is_caught(tmp_path, lesson, module):
    "In a lesson all cells count, exported or not, also in a notebook that goes on with another's module"
    nb = copy_repo(tmp_path/'repo')/'nbs'/f'{lesson}.ipynb'
    content = json.loads(nb.read_text())
    content['cells'].append(dict(cell_type='code', source=['%matplotlib inline\n', 'from mnist_course.tools.readme import main'], outputs=[], metadata={}, execution_count=None, id='planted'))
    nb.write_text(json.dumps(content))
    assert breaks(tmp_path/'repo')==[f'{module} -> tools.readme: tools lies above lessons']


def test_the_picture_of_the_layers_is_that_of_the_imports():
    assert picture() in (ROOT/'CONTRIBUTING.md').read_text(encoding='utf-8'), 'python tests/layers.py prints it'


def test_modules_are_short_and_name_nothing_twice():
    "Under 500 lines each, but for nbdev's own index; at the top of a module a name is defined once"
    import ast
    from collections import Counter
    for p in sorted((ROOT/'mnist_course').rglob('*.py')):
        if p.name=='_modidx.py': continue
        source = p.read_text(encoding='utf-8')
        assert source.count('\n')<500, f'{p.name}: {source.count(chr(10))} lines'
        defined = Counter(n.name for n in ast.parse(source).body if isinstance(n, (ast.FunctionDef, ast.ClassDef)))
        defined += Counter(t.id for n in ast.parse(source).body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name))
        twice = [name for name,n in defined.items() if n>1]
        assert not twice, f'{p.name}: {twice}'


def python(code, *args):
    r = subprocess.run([sys.executable, '-c', code, *args], capture_output=True, text=True, cwd=ROOT, timeout=100)
    assert r.returncode==0, r.stderr
    return r.stdout


cost = """
import json, sys
import torch
before = set(sys.modules)
import mnist_course.learner
print(json.dumps(sorted(set(sys.modules)-before)))
"""

def test_learner_is_light():
    "Neither fastai nor pyplot, and of ours the lessons below it alone"
    loaded = json.loads(python(cost))
    roots = {m.split('.')[0] for m in loaded}
    assert 'mnist_course' in roots and not roots & {'fastai','fastbook','nbdev','torchvision','scipy','pandas','typer'}
    assert 'matplotlib.pyplot' not in loaded
    assert len([m for m in loaded if m.startswith('mnist_course')])<=11


def test_the_numpy_forward_never_imports_torch():
    "Nor does the package by itself: a digit is read in a process that knows NumPy alone"
    for module in ('mnist_course', 'mnist_course.core.numpy_forward'):
        loaded = json.loads(python(f'import json, sys, {module}; print(json.dumps(sorted(sys.modules)))'))
        assert module in loaded and not {'torch','fastai','matplotlib','PIL','fastcore'} & {m.split('.')[0] for m in loaded}


def test_predict_never_imports_torch():
    "Neither does a photo's way through lesson 15, from the file to the answer"
    code = """
import sys, tempfile
from pathlib import Path
from PIL import Image, ImageDraw
from mnist_course.your_digits import predict
page = Image.new('RGB', (200,300), 'white')
ImageDraw.Draw(page).line([(50,60),(150,60),(90,240)], fill='navy', width=14)
with tempfile.TemporaryDirectory() as folder:
    page.save(Path(folder)/'7.jpg')
    print(predict(Path(folder)/'7.jpg')[0].digit, bool({'torch','fastai','matplotlib'} & set(sys.modules)))
"""
    assert python(code).split()==['7', 'False']


def test_the_page_never_imports_torch():
    "Nor the widget's library, until there is a pad"
    code = "import sys; from mnist_course.page import course_models, page_text; page_text(course_models()); print({'torch','anywidget','ipywidgets'} & set(sys.modules))"
    assert python(code).strip()=='set()'
