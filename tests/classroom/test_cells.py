"The notebook that ticked is the notebook that is graded: submissions in a real kernel, and by `answer_of`"
import ast, re
from collections import Counter
from functools import cache

import nbformat, pytest, torch
from checks import ROOT, notebooks
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient

from mnist_course.classroom.cells import answer_of, imports_needed
from mnist_course.classroom.copies import answers_in, fill, find_cell, learner_copy
from mnist_course.classroom.isolated import Worker, why_no_wall
from mnist_course.core.files import read_lesson
from mnist_course.exercises import exercises_of, find_exercise
from mnist_course.exercises.judge import judge
from mnist_course.exercises.outline import places_of

LESSONS = {p.stem: p for p in sorted((ROOT/'nbs').glob('[0-9]*.ipynb')) if places_of(p)}

# A submission: the cells that stand in the place of an exercise's cell and its check

ANSWER, STUB, CHECK, OWN = '#| export\n#| exercise\n', '<stub>', '<check>', '<own>'
IMPORT = 'from mnist_course.check import check\n'
AFTER = '# by hand, in the kernel alone\n'    # a learner who never wrote a check into the notebook, and tries it once
LINEAR = 'def linear1(xb, weights, bias): return xb@weights + bias'
SIGMOID = 'def sigmoid(x): return 1/(1+torch.exp(-x.clamp(min=-80)))'
LOW = ANSWER + SIGMOID.replace('-80', 'low')    # it asks for a `low` of -80
STEP = '''@torch.no_grad()
def step(self):
    for p in self.params:
        if p.grad is None: continue
        if p not in self.sums: self.sums[p] = torch.zeros_like(p)
        p.add_(self.sums[p].mul_(self.mom).add_(p.grad), alpha=-self.lr)
'''
SGD = '''class SGD(BasicOptim):
    def __init__(self, params, lr, mom=0.):
        super().__init__(params, lr)
        check_hypers(mom=mom)
        self.mom, self.sums = mom, {}
'''

def linear(body, above=''): return ANSWER + above + f'def linear1(xb, weights, bias): return {body}'

SUBMISSIONS = [
    ('03.2', 'right', ANSWER+LINEAR, CHECK),
    ('03.2', 'not begun', STUB, CHECK),
    ('03.2', 'a constant above', 'ONE = 1.0', linear('(xb@weights + bias)*ONE'), CHECK),
    ('03.2', 'a constant of a constant', 'TWO = 2.', 'ONE = TWO/2', linear('(xb@weights + bias)*ONE'), CHECK),
    ('03.2', 'a lambda above', 'mul = lambda a, b: a@b', linear('mul(xb, weights) + bias'), CHECK),
    ('03.2', 'a lambda as the answer', ANSWER+'linear1 = lambda xb, weights, bias: xb@weights + bias', IMPORT+"check(linear1, '03.2')"),
    ('03.2', 'a star import', 'from torch import *', linear('matmul(xb, weights) + bias'), CHECK),
    ('03.2', 'an import in another cell', 'from torch import matmul as mm', linear('mm(xb, weights) + bias'), CHECK),
    ('03.2', 'the answer below its stub', STUB, LINEAR, CHECK),
    ('03.2', 'the answer above its stub', LINEAR, STUB, CHECK),
    ('03.2', 'the answer below the check', STUB, CHECK, LINEAR, AFTER+'check(linear1)'),
    ('03.2', 'a wrong answer below the check', STUB, CHECK, LINEAR.replace('+', '-'), AFTER+'check(linear1)'),
    ('03.2', 'no check', ANSWER+LINEAR, AFTER+IMPORT+'check(linear1)'),
    ('03.2', 'a helper below, above the check', linear('mul(xb, weights) + bias'), 'def mul(a, b): return a@b', CHECK),
    ('03.2', 'a helper below the check', linear('mul(xb, weights) + bias'), CHECK, 'def mul(a, b): return a@b'),
    ('03.2', 'a try-out line that fails', ANSWER+LINEAR+'\nprint(linear1(train_x[:2], weights, bias))', CHECK),
    ('03.2', 'a try-out line that works', ANSWER+LINEAR+'\nprint(linear1(torch.ones(1,2), torch.ones(2,1), torch.ones(1)))', CHECK),
    ('03.2', 'a SyntaxError in another cell', 'x = (', ANSWER+LINEAR, 'return 3 if', CHECK),
    ('03.2', 'an unfinished line', linear('xb@(weights + bias'), CHECK),
    ('03.2', 'an indentation error', ANSWER+'def linear1(xb, weights, bias):\nreturn xb@weights + bias', CHECK),
    ('03.2', 'an unfinished line below a right answer', ANSWER+LINEAR, LINEAR+'(', CHECK),
    ('03.2', 'a question behind', ANSWER+LINEAR+'\n\ntorch.matmul?', CHECK),
    ('03.2', 'a question in front', ANSWER+LINEAR+'\n\n?torch.matmul', CHECK),
    ('03.2', 'a magic with a result', ANSWER+LINEAR+'\n\nt = %timeit -o -n1 -r1 1+1', CHECK),
    ('03.2', 'a shell line with a result', ANSWER+LINEAR+'\n\nf = !ls\nn = len(f)', CHECK),
    ('03.2', 'magics above', ANSWER+'%matplotlib inline\n!ls\n'+LINEAR, CHECK),
    ('03.2', 'time of a cell', '%%time\n'+ANSWER+LINEAR, CHECK),
    ('03.2', 'a captured cell', '%%capture\n'+ANSWER+LINEAR, CHECK),
    ('03.2', 'timeit of a cell', '%%timeit -n1 -r1\n'+LINEAR, CHECK),
    ('03.2', 'a cell in another language', '%%html\n<b>linear1</b>', ANSWER+LINEAR, CHECK),
    ('03.2', 'time of a line', '%time ONE = 1.', 'TWO = %time ONE*2', linear('(xb@weights + bias)*TWO*ONE/2'), CHECK),
    ('03.2', 'a magic inside a function', ANSWER+'def linear1(xb, weights, bias):\n    %time y = xb@weights\n    return y + bias', CHECK),
    ('03.2', 'await', ANSWER+LINEAR+'\nawait __import__("asyncio").sleep(0)', CHECK),
    ('03.2', 'a decorator', 'import functools\ndef loud(f):\n  @functools.wraps(f)\n  def g(*a): return f(*a)\n  return g', ANSWER+'@loud\n'+LINEAR, CHECK),
    ('03.2', 'a decorator that is not there', ANSWER+'@loud\n'+LINEAR, CHECK),
    ('03.2', 'comments alone', '# linear1 = 3', '', ANSWER+LINEAR, '# del linear1\n', CHECK),
    ('03.2', 'a hint of no known name', ANSWER+LINEAR.replace('xb,', 'xb:Matrix,'), CHECK),
    ('03.2', 'hints that nobody reads', 'from __future__ import annotations', ANSWER+LINEAR.replace('xb,', 'xb:Matrix,'), CHECK),
    ('03.2', 'another use of the name later', ANSWER+LINEAR, CHECK, 'linear1 = 3'),
    ('03.2', 'another use of the name, unchecked', ANSWER+LINEAR, AFTER+IMPORT+'check(linear1)', 'linear1 = 3'),
    ('03.2', 'worse after the check', ANSWER+LINEAR, CHECK, LINEAR.replace('+', '-')),
    ('03.2', 'worse after the check, and checked', ANSWER+LINEAR, CHECK, LINEAR.replace('+', '-'), CHECK),
    ('03.2', 'better after a check', ANSWER+LINEAR.replace('+', '-'), CHECK, LINEAR, 'check(linear1)'),
    ('03.2', 'another name', STUB, LINEAR.replace('linear1', 'mine'), IMPORT+"check(mine, '03.2')"),
    ('03.2', 'another name, in words', STUB, LINEAR.replace('linear1', 'mine'), IMPORT+"check(number='linear1', f=mine)"),
    ('03.2', 'wrong: no bias', linear('xb@weights'), CHECK),
    ('03.2', 'wrong: nothing comes', ANSWER+LINEAR.replace('return', 'y ='), CHECK),
    ('03.2', 'wrong: an error', linear('xb@weights.T + bias'), CHECK),
    ('03.2', 'wrong: the name of another cell', 'X = torch.ones(3, 2)', linear('X@weights + bias'), CHECK),
    ('03.2', 'the check in its cell', ANSWER+LINEAR+'\n'+IMPORT+'check(linear1)'),
    ('03.2', 'the check by another name', ANSWER+LINEAR, IMPORT[:-1]+' as verify\nverify(linear1)'),
    ('03.2', 'IPython by its name', ANSWER+'from IPython import get_ipython\nget_ipython().run_line_magic("matplotlib", "inline")\n'+LINEAR, CHECK),
    ('03.2', 'display', ANSWER+'display(torch.ones(1))\n'+LINEAR, CHECK),
    ('03.2', 'lines from Windows', (ANSWER+LINEAR).replace('\n', '\r\n'), CHECK),
    ('03.2', 'the stub once more', ANSWER+LINEAR, STUB, CHECK),
    ('03.2', 'an error between two versions', ANSWER+LINEAR+'\n1/0\n'+LINEAR.replace('+', '-'), CHECK),
    ('03.2', 'an error above', ANSWER+'assert 1==2\n'+LINEAR, CHECK),
    ('03.2', 'the end of everything above', ANSWER+'import sys\nsys.exit()\n'+LINEAR, CHECK),
    ('03.3', 'an import in a cell below', ANSWER+SIGMOID.replace('torch.exp(', 'math.e**('), 'import math', CHECK),
    ('03.3', 'a global that is set', 'low = 0\ndef set_low():\n  global low\n  low = -80', 'set_low()', LOW, CHECK),
    ('03.3', 'a global that is not set', 'low = 0\ndef set_low():\n  global low\n  low = -80', LOW, CHECK),
    ('03.3', 'a walrus', 'print(low := -80)', LOW, CHECK),
    ('03.3', 'a walrus among others', 'max([low := -10*n for n in range(9)])', LOW, CHECK),
    ('03.3', 'match', 'match "a", -80:\n  case "b", _: low = 0\n  case "a", low: pass', LOW, CHECK),
    ('03.3', 'a loop', 'for low in range(0, -81, -1): pass', LOW, CHECK),
    ('03.3', 'try', 'try: import nowhere as low\nexcept ImportError: low = -80', LOW, CHECK),
    ('03.3', 'with', 'with torch.no_grad(): low = torch.tensor(-80.)', LOW, CHECK),
    ('03.3', 'a tuple, and a change', 'low, *others = -40, 1, 2', 'low *= 2', LOW, CHECK),
    ('03.3', 'an item', 'sizes = {}', 'sizes["low"] = -80', LOW.replace('low', 'sizes["low"]'), CHECK),
    ('03.3', 'an attribute', 'class sizes: low = 0', 'sizes.low = -80', LOW.replace('low', 'sizes.low'), CHECK),
    ('03.3', 'an attribute by name', 'class sizes: low = 0', 'setattr(sizes, "low", -80)', LOW.replace('low', 'sizes.low'), CHECK),
    ('03.3', 'a list', 'lows = []', 'lows.append(-80)', LOW.replace('low', 'lows[0]'), CHECK),
    ('03.3', 'a list that stays empty', 'lows = []', LOW.replace('low', 'lows[0]'), CHECK),
    ('03.3', 'a default', 'LEAST = -80', ANSWER+SIGMOID.replace('(x)', '(x, low=LEAST)', 1).replace('-80', 'low'), CHECK),
    ('03.2', 'a default that is not there', ANSWER+LINEAR.replace('bias)', 'bias, one=ONE)'), CHECK),
    ('03.3', 'recursion', 'def power(n): return 2*power(n-1) if n else 1', 'low = -power(6) - 16', LOW, CHECK),
    ('03.3', 'an awaited constant', 'async def find(): return -80', 'low = await find()', LOW, CHECK),
    ('03.3', 'semicolons', 'a = 1; low = -80;', LOW, CHECK),
    ('03.3', 'made by a function', ANSWER+f'def make():\n  {SIGMOID}\n  return sigmoid\nsigmoid = make()', IMPORT+"check(sigmoid, '03.3')"),
    ('03.3', 'an object', ANSWER+SIGMOID.replace('def sigmoid(x)', 'class S:\n  def __call__(self, x)')+'\nsigmoid = S()', IMPORT+"check(sigmoid, '03.3')"),
    ('03.3', 'partial', 'from functools import partial', ANSWER+'def s(low, x): return 1/(1+torch.exp(-x.clamp(min=low)))\nsigmoid = partial(s, -80)',
     IMPORT+"check(sigmoid, '03.3')"),
    ('03.3', "the package's own", 'from mnist_course.loss import sigmoid', CHECK),
    ('03.3', 'wrong: the sign', ANSWER+SIGMOID.replace('-x', 'x'), CHECK),
    ('03.4', 'uses the sigmoid below', ANSWER+'def mnist_loss(preds, targets):\n  _check_shapes(preds, targets)\n  p = sigmoid(preds)\n'
     '  return torch.where(targets==1, 1-p, p).mean()', CHECK),
    ('03.4', 'wrong: no sigmoid', ANSWER+'def mnist_loss(preds, targets): return torch.where(targets==1, 1-preds, preds).mean()', CHECK),
    ('00.2', 'wrong: 256', ANSWER+'def to_float(images): return images.float()/256 if images.dtype==torch.uint8 else images', CHECK),
    ('00.2', 'a constant', 'WHITE = 255', ANSWER+'def to_float(images): return images.float()/WHITE if images.dtype==torch.uint8 else images', CHECK),
    ('01.2', 'a helper', 'def apart(a, b): return (a-b).abs()', ANSWER+'def mnist_distance(a, b): return apart(a, b).mean((-1,-2))', CHECK),
    ('04.1', 'wrong: the graph stays', ANSWER+'def calc_grad(xb, yb, model, loss_func):\n  loss = loss_func(model(xb), yb)\n  loss.backward()\n  return loss', CHECK),
    ('05.2', 'a class', ANSWER+SGD+re.sub('^', '    ', STEP, flags=re.M), CHECK),
    ('05.2', 'no base', 'del BasicOptim', ANSWER+SGD, CHECK),
    ('05.2', 'a method put in later', STUB, STEP+'SGD.step = step', CHECK),
    ('05.2', 'a method put in after the check', STUB, CHECK, STEP+'SGD.step = step', AFTER+'check(SGD)'),
    ('05.2', 'a method patched in', 'from fastcore.basics import patch', STUB, '@patch\n'+STEP.replace('(self)', '(self:SGD)'), CHECK),
    ('05.3', 'wrong: not in place', ANSWER+'def running_mean(avg, x, mom): return mom*avg + (1-mom)*x', CHECK),
    ('06.1', 'a method, not begun', STUB, CHECK),
    ('06.1', 'a method', OWN, CHECK),
    ('07.1', 'right', ANSWER+'def relu(x): return torch.where(x<=0, 0, x)', CHECK),
    ('08.1', 'wrong: overflows', ANSWER+'def softmax(x, dim=-1): return x.exp()/x.exp().sum(dim, keepdim=True)', CHECK),
]


@cache
def prepared(number):
    "The lesson's copy with the package's answers to its other exercises; the place of this one; what words stand for"
    ex = find_exercise(number)
    path = LESSONS[ex.lesson]
    own, nb = answers_in(read_lesson(path), exercises_of(path)), learner_copy(path)
    stub = find_cell(nb, ex)['source']
    fill(nb, exercises_of(path), {n: source for n,source in own.items() if n!=number})
    i = nb['cells'].index(find_cell(nb, ex))
    return nb['cells'], i, {STUB: stub, CHECK: nb['cells'][i+2]['source'], OWN: own[number]}


def copy_of(number, sources):
    "The copy with a submission, as the learner's notebook is; and the submission's own cells"
    old, i, texts = prepared(number)
    new = [dict(cell_type='code', source=texts.get(s, s), metadata={}) for s in sources]
    return dict(cells=[*old[:i], *new, *old[i+3:]], metadata={}), old[:i], new


def is_light(cell):
    "A cell of the lesson that defines or imports, and trains nothing"
    source = cell['source']
    if re.search(r'^#\|\s*(export|exercise)', source, flags=re.M): return True
    is_import = 'fastai' not in source and all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.parse(source).body)
    return is_import and 'check' not in source


def in_a_kernel(submissions):
    "What the checks say in one kernel, which forgets everything between two submissions: tick, cross, circle, or nothing"
    forget = ('import gc, torch\ngc.freeze()\ntorch.set_default_dtype(torch.float32)\n'    # `%reset` collects garbage: not in all of PyTorch
              'get_ipython().compile.reset_compiler_flags()\n%reset -f')
    sources, owners = [], []
    for n,(number, _, *texts) in enumerate(submissions):
        _, above, new = copy_of(number, texts)
        light = [c['source'] for c in above if c['cell_type']=='code' and is_light(c)]
        mine = ['\n'.join([forget, *light]), *(c['source'] for c in new)]
        sources, owners = sources+mine, owners+[n]*len(mine)
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
    NotebookClient(nb, timeout=100, allow_errors=True, kernel_name='python3', resources=dict(metadata=dict(path=str(ROOT)))).execute()
    said = {}
    for n,cell in zip(owners, nb.cells):
        shown = '\n'.join(o.get('text') or o.get('data', {}).get('text/plain', '') for o in cell.outputs)
        for mark in re.findall(rf'^([✓✗○]) {submissions[n][0]} ', shown, flags=re.M): said[n] = mark
    return [said.get(n, '') for n in range(len(submissions))]


def by_cells(submission, only=lambda c: True):
    "What the grade says: the mark of the judge's verdict on `answer_of`, or nothing where there is nothing to judge"
    number, _, *texts = submission
    nb, *_ = copy_of(number, [t for t in texts if not t.startswith(AFTER)])
    nb['cells'] = [c for c in nb['cells'] if only(c)]
    answer = answer_of(nb, find_exercise(number), seconds=20)
    return repr(judge(find_exercise(number), answer.value))[0] if answer.found else ''


@pytest.fixture(scope='module')
def kernel(): return in_a_kernel(SUBMISSIONS)


@pytest.mark.timeout(300)
def test_the_grade_says_what_the_kernel_says(kernel, count):
    assert len({(n, what) for n,what,*_ in SUBMISSIONS})==len(SUBMISSIONS)>=60
    assert min(Counter(kernel).get(mark, 0) for mark in ('✓','✗','○',''))>=3, Counter(kernel)
    apart = [f'{number} {what}: kernel {k!r}, grade {g!r}' for s,k in zip(SUBMISSIONS, kernel)
             if (g := by_cells(s))!=k for number,what in [s[:2]]]
    assert not apart, '\n'.join(apart)
    count("submissions on which a kernel's tick and the grade agree", len(SUBMISSIONS))


@pytest.mark.timeout(400)
def test_the_process_that_runs_submissions_ticks_what_the_kernel_ticks(kernel, count):
    "The same notebooks, sent to the process that `grade` starts; what it says of a missing answer is another matter"
    worker, apart = Worker(isolate=not why_no_wall()), []
    try:
        for (number, what, *texts),k in zip(SUBMISSIONS, kernel):
            nb, *_ = copy_of(number, [t for t in texts if not t.startswith(AFTER)])
            place = next(p for p in places_of(find_exercise(number).lesson) if p.number==number)
            (v,) = worker.judge(nb, [place])
            if (v.status=='done')!=(k=='✓'): apart.append(f'{number} {what}: kernel {k!r}, grade {v}')
    finally: worker.end()
    assert not apart, '\n'.join(apart)
    count("submissions that grade's own process ticks where the kernel does, and nowhere else", len(SUBMISSIONS))


@pytest.mark.timeout(300)
def test_the_comparison_notices_what_is_left_out(kernel, count):
    "With the cells of exercises and checks alone, and imports, which is what a simpler grader would run"
    def simple(cell): return cell['cell_type']=='code' and re.search(r'#\| *exercise|check\(|^(import|from) ', cell['source'])
    some = list(zip(SUBMISSIONS, kernel))[::3]
    apart = sum(by_cells(s, simple)!=k for s,k in some)
    assert apart>=8
    count(f'of {len(some)} on which they differ where other cells are left out, as they should', apart)


def test_what_python_understands_ipython_leaves_as_it_is():
    "So a cell need not go through IPython where Python alone understands it"
    sources = [c['source'] for p in notebooks() for c in read_lesson(p)['cells'] if c['cell_type']=='code']
    sources += [text for _,_,*texts in SUBMISSIONS for text in texts]
    plain = 0
    for source in sources:
        try: tree = ast.dump(ast.parse(source))
        except SyntaxError: continue
        assert ast.dump(ast.parse(TransformerManager().transform_cell(source)))==tree, source
        plain += 1
    assert plain>1500 and plain<len(sources)    # some hold magics


@pytest.mark.timeout(300)
def test_no_lesson_trains_to_have_its_answers(monkeypatch):
    "All exercises of all lessons, with the package's answers and with none; nothing goes backward"
    steps, backward = [], torch.Tensor.backward
    monkeypatch.setattr(torch.Tensor, 'backward', lambda *args, **kwargs: (steps.append(1), backward(*args, **kwargs)))
    torch.ones(1, requires_grad=True).sum().backward()
    assert steps.pop() and not steps
    n = 0
    for path in LESSONS.values():
        exercises = exercises_of(path)
        lesson = read_lesson(path)
        for nb in (learner_copy(path), fill(learner_copy(path), exercises, answers_in(lesson, exercises)), lesson):
            for ex in exercises:
                answer = answer_of(nb, ex)
                assert answer.found and answer.value.__qualname__==ex.name and answer.cell is not None, (ex.number, answer)
                n += 1
    assert n==3*63 and not steps


def test_imports_of_a_copy():
    "What the answers import, and not what the lesson draws and trains with; a learner's own file is not imported beforehand"
    nb, *_ = copy_of('03.2', ['from torch import matmul as mm\nimport mine', linear('mm(xb, weights) + mine.bias'), CHECK])
    found = [ast.unparse(n) for n in imports_needed(nb, [find_exercise('03.2')])]
    assert 'from torch import matmul as mm' in found and not [line for line in found if 'mine' in line or 'pyplot' in line]
