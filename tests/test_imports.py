"The ladder rule, and what an import costs"
import json, subprocess, sys

import pytest
from checks import ROOT, code_cells, copy_repo, course_imports, ladder_breaks, notebooks


def test_lessons_import_only_from_lower_lessons(): assert ladder_breaks()==[]


def test_the_rule_sees_the_lessons_imports():
    "It is not green because it parses nothing"
    seen = {nb.stem: {m for source in code_cells(nb) for m,_ in course_imports(source)} for nb in notebooks()}
    assert 'data' in seen['01_similarity'] and {'optimizer','sgd'} <= seen['06_learner']


@pytest.mark.parametrize('cell, said', [
    ('from mnist_course.learner import Learner', 'learner is lesson 06, not below 03'),
    ('import mnist_course.mlp as m', 'mlp is lesson 07, not below 03'),
    ('def f():\n    from mnist_course import sgd', 'sgd is lesson 04, not below 03'),
    ('from mnist_course.loss import mnist_loss', 'loss is lesson 03, not below 03'),
    ('from mnist_course.data import *', 'star import from data'),
    ('%matplotlib inline\nfrom mnist_course.tools.readme import main', 'readme is no lesson'),
])
def test_a_planted_import_is_caught(tmp_path, cell, said):
    nb = copy_repo(tmp_path/'repo')/'nbs'/'03_loss.ipynb'
    content = json.loads(nb.read_text())
    content['cells'].append(dict(cell_type='code', source=cell.splitlines(True), outputs=[], metadata={}, execution_count=None, id='planted'))
    nb.write_text(json.dumps(content))
    assert [b for b in ladder_breaks(tmp_path/'repo') if said in b]==[f'03_loss.ipynb: {said}']


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
    assert len([m for m in loaded if m.startswith('mnist_course')])<=9


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
