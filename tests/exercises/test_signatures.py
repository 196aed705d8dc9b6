"""A tick lets the lesson call the answer as it does: what is given by name or left out in a lesson or in the package has its name and its default, and all else is free"""
import ast, inspect, re
from functools import cache, partial

import pytest
from checks import ROOT
from mnist_course.classroom.copies import learner_copy
from mnist_course.exercises import EXERCISES, find_exercise
from mnist_course.exercises.judge import calls_of, judge
from mnist_course.exercises.outline import NUMBERS

FUNCTIONS = [name for name in NUMBERS if '.' not in name]    # a method of the Learner is called by the Learner
PACKAGE = [p for p in (ROOT/'mnist_course').rglob('*.py') if not {'exercises', 'classroom'} & set(p.parts)]


# What the lessons and the package rely on

@cache
def texts(lesson):
    "Code of a learner's copy, where each cell that is no Python is an empty tree"
    sources = [c['source'] for c in learner_copy(ROOT/'nbs'/f'{lesson}.ipynb')['cells'] if c['cell_type']=='code']
    return [ast.parse(re.sub(r'^([ \t]*)[%!].*$', r'\1pass', s, flags=re.M)) for s in sources]


@cache
def tree(path): return ast.parse(path.read_text(encoding='utf-8'))


def trees(ex):
    "Where its name means our function: its lesson, its module, and modules that import it from there"
    module = ex.own.__module__.split('.')[-1]
    def imports_it(n): return isinstance(n, ast.ImportFrom) and (n.module or '').split('.')[-1]==module and any(a.name==ex.name for a in n.names)
    return texts(ex.lesson) + [tree(p) for p in PACKAGE if p.stem==module or any(map(imports_it, ast.walk(tree(p))))]


def relied_on(ex):
    "Names of the parameters that are given by name somewhere, and of those that are left out somewhere"
    params = [p for p in inspect.signature(ex.own).parameters.values() if p.name!='self']
    by_name, left_out = set(), set()
    for n in (n for t in trees(ex) for n in ast.walk(t) if isinstance(n, ast.Call)):
        is_partial = bool(n.args) and ast.unparse(n.func).split('.')[-1]=='partial' and getattr(n.args[0], 'id', '')==ex.name
        if not is_partial and getattr(n.func, 'id', '')!=ex.name: continue
        named, stars = {k.arg for k in n.keywords}, any(isinstance(a, ast.Starred) for a in n.args)
        by_name |= named & {p.name for p in params}
        open_end = is_partial or None in named or stars and not any(p.kind is p.VAR_POSITIONAL for p in params)
        rest = [p for i,p in enumerate(params) if p.name not in named and (i>=len(n.args) or p.kind is p.KEYWORD_ONLY)]
        left_out |= set() if open_end else {p.name for p in rest if p.default is not p.empty}
    return by_name, left_out


@pytest.mark.parametrize('name', FUNCTIONS)
def test_what_a_lesson_relies_on_is_what_its_exercise_says(name):
    ex = EXERCISES[name]
    assert relied_on(ex)==(set(ex.by_name), set(ex.left_out)), ex.number


# Right answers with another signature

def with_params(ex, change):
    "A right answer whose parameters are those of ours, each after `change(name, default)` has given its new name and default"
    answer, params, gone = ex.variants[0], [p for p in inspect.signature(ex.own).parameters.values()], False
    scope, heads, args = dict(answer=answer), [], []
    for p in reversed(params):
        name, default = change(p.name, p.default)
        gone = gone or p.default is not default and default is p.empty    # those before it lose theirs as well, or this would be no Python
        star = '*' if p.kind is p.VAR_POSITIONAL else ''
        has_default = default is not p.empty and not (gone and p.kind is not p.KEYWORD_ONLY)
        scope[f'default_{p.name}'] = default
        heads.insert(0, star+name + f'=default_{p.name}'*has_default)
        args.insert(0, f'{p.name}={name}' if p.kind is p.KEYWORD_ONLY else star+name)
    head, call = ', '.join(heads), ', '.join(args)
    if isinstance(answer, type): exec(f'class mutant(answer):\n    def __init__(self, {head}): super().__init__({call})', scope)
    else: exec(f'def mutant({head}): return answer({call})', scope)
    return scope['mutant']


def renamed(ex, which): return with_params(ex, lambda name, default: (name+'_of_mine'*(name in which), default))
def without_default(ex, which): return with_params(ex, lambda name, default: (name, inspect.Parameter.empty if name==which else default))


def other(default):
    "Another value of the kind"
    if isinstance(default, bool): return not default
    return default*3+1 if isinstance(default, int) else default*3+.25 if isinstance(default, float) else None


def declared(field): return [(name, p) for name in FUNCTIONS for p in getattr(EXERCISES[name], field)]


@pytest.mark.parametrize('name', FUNCTIONS)
def test_whatever_nobody_calls_by_name_may_have_another_one(name):
    ex = EXERCISES[name]
    free = [p.name for p in inspect.signature(ex.own).parameters.values() if p.name not in ('self', *ex.by_name)]
    for f in (with_params(ex, lambda *same: same), renamed(ex, free)):
        v = judge(ex, f, rounds=1)
        assert v.status=='done', f'{free}: {v}'


@pytest.mark.parametrize('name,param', declared('by_name'))
def test_another_name_where_the_lesson_gives_it_by_name_is_refused(name, param):
    v = judge(EXERCISES[name], renamed(EXERCISES[name], [param]), rounds=1)
    assert v.status=='wrong' and f'`{param}`' in v.text and f'{param}=…' in v.text and v.mistake=='' and len(v.lines())<=10, v


@pytest.mark.parametrize('name,param', declared('left_out'))
def test_a_lost_default_that_the_lesson_needs_is_refused(name, param):
    v = judge(EXERCISES[name], without_default(EXERCISES[name], param), rounds=1)
    assert v.status=='wrong' and f'`{param}`' in v.text and f'`{param}=' in v.text and v.mistake=='' and len(v.lines())<=10, v


# Defaults that no value shows: where it is random, each seed is as good
UNSEEN = {('DataLoader','seed'), ('DataLoader','device'), ('init_params','device'), ('hold_out','seed')}


@pytest.mark.parametrize('name,param', [pair for pair in declared('left_out') if pair not in UNSEEN])
def test_another_default_than_the_task_gives_is_refused(name, param):
    ex = EXERCISES[name]
    default = inspect.signature(ex.own).parameters[param].default
    if other(default) is None: pytest.skip(f'{param}={default}')
    v = judge(ex, with_params(ex, lambda n, d: (n, other(d) if n==param else d)), rounds=1)
    assert v.status=='wrong' and f'`{param}`' in v.text and f'`{param}={default}`' in v.text, v


@pytest.mark.parametrize('eps', [1e-3, 1e-4, 1e-7, 1e-8])
def test_the_default_step_of_finite_diff_is_seen(eps):
    "With which the lesson holds slopes against those of autograd, to eight places"
    ex = EXERCISES['finite_diff']
    v = judge(ex, with_params(ex, lambda name, default: (name, eps if name=='eps' else default)), rounds=1)
    assert 'its default has to be `eps=1e-06`' in v.text, v


@pytest.mark.parametrize('number,source', [
    ('02.2', 'def sgd_step(params, **settings): return other(params, settings["lr"]) if "lr" in settings else None'),
    ('12.1', 'def shift(images, down=None, right=None): return other(images, down or 0, right or 0)'),
    ('12.1', 'def shift(*args, **kwargs): return other(*args, **kwargs)'),
    ('12.1', 'class Shift:\n    def __call__(self, images, down=0, right=0): return other(images, down, right)\nshift = Shift()'),
    ('12.1', 'class Shift:\n    def move(self, images, down=0, right=0): return other(images, down, right)\nshift = Shift().move'),
    ('12.1', 'shift = partial(lambda images, down, right: other(images, down, right), down=0, right=0)'),
    ('10.1', 'def confusion_matrix(a, b, /, n_classes=10): return other(a, b, n_classes)'),
])
def test_other_ways_to_take_such_a_call_are_right_or_told_so(number, source):
    ex = find_exercise(number)
    scope = dict(other=ex.variants[0], partial=partial)
    exec(source, scope)
    v = judge(ex, scope[ex.name], rounds=1)
    if 'settings' in source or 'partial(' in source: assert v.status=='wrong', v    # what can be given by name alone cannot be given by position
    else: assert v.status=='done', v


def test_there_are_as_many_ways_to_call_as_this(count):
    exercises = [EXERCISES[name] for name in FUNCTIONS]
    count('parameters given by name', sum(len(ex.by_name) for ex in exercises))
    count('parameters left out', sum(len(ex.left_out) for ex in exercises))
    assert sum(len(calls_of(ex)) for ex in exercises)>=30
