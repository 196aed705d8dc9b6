"""The judge: whatever an answer returns there is a verdict, what is alike is not the same, and a diagnosis says what is wrong and where"""
import decimal, types
from collections import OrderedDict, defaultdict, namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mnist_course.exercises.diagnosis import facts, guess
from mnist_course.exercises.judge import Case, Exercise, InputChanged, judge, outcome, recognise, same, show, slope
from torch import Tensor, inf, nan, tensor


def own(x): raise AssertionError('the package has it sealed')
def numbers(g): return dict(x=torch.randn(3, generator=g))
def exercise(oracle, make=numbers, **kwargs): return Exercise('99.1', own, 'Right.', [Case(make)], oracle, **kwargs)


def said(answer, oracle, **kwargs): return judge(exercise(oracle, **kwargs), answer, seed=1)


def doubled(x):
    "That is twice the number"
    return 2*x


def calmly(f, *args, **kwargs):
    "What `f` gives; where it raises, a failure without the error itself, which pytest would stumble over"
    try: return f(*args, **kwargs)
    except BaseException as e: kind = type.__dict__['__name__'].__get__(type(e))
    pytest.fail(f'{f.__name__} raised {kind}', pytrace=False)


# Whatever comes back: objects that raise at any question

def refuse(*args, **kwargs): raise ValueError('ask me nothing')
def leave(*args, **kwargs): raise SystemExit


class Vicious(BaseException): "Not even an Exception"


def rage(*args, **kwargs): raise Vicious


QUESTIONS = '__str__ __repr__ __eq__ __ne__ __len__ __bool__ __iter__ __hash__ __getitem__ __contains__ __format__ __float__ __neg__'.split()


def sulking(base=object, do=refuse, *extra):
    "A class of `base` that answers nothing, attributes like `shape` and `__class__` included"
    names = dict.fromkeys(QUESTIONS, do) | {n: property(do) for n in ('shape', 'dtype', '__name__', *extra)}
    return type('Sulking', (base,), names)


class Sly(type):
    "A class whose own name cannot be asked for"
    __name__ = property(refuse)


class Liar(list):
    "Says what it is not, and how many it has"
    __class__ = property(lambda self: Tensor)
    def __len__(self): return 10**12
    def __iter__(self):
        while True: yield self


class Agrees:
    def __eq__(self, other): return True
    def __hash__(self): return 1


class Loud(str):
    def __str__(self): return Loud('!')
    split = replace = strip = refuse


class SaysLoud:
    def __repr__(self): return Loud('loud')


class Strict(Tensor):
    "Refuses every function of torch"
    @classmethod
    def __torch_function__(cls, func, kinds, args=(), kwargs=None): raise RuntimeError('not with me')


class Faceless(Tensor): shape = property(refuse)


class NumpyFaceless(np.ndarray): shape = property(refuse)


def itself(kind=list):
    held = []
    held += [held]*4
    return held if kind is list else {'me': held}


def error(do, base=ValueError):
    "An error that cannot be asked for its words"
    return type('Unspeakable', (base,), dict.fromkeys(('__str__', '__repr__'), do))()


ODD = {
    **{f'{do.__name__} {base.__name__}': lambda do=do, base=base: sulking(base, do)()
       for do in (refuse, leave, rage) for base in (object, list, dict, set, int, float, str, ValueError)},
    'no class': lambda: type('NoClass', (), {'__class__': property(refuse)})(),
    'no class, a list': lambda: type('NoClass', (list,), {'__class__': property(refuse)})([1., 2., 3.]),
    'an empty tuple': lambda: sulking(tuple)(), 'no name': lambda: Sly('Nameless', (), {})(), 'a nameless class': lambda: Sly('Nameless', (), {}),
    'liar': lambda: Liar([1., 2., 3.]), 'agrees': Agrees, 'agrees with all': lambda: [Agrees()]*3, 'agreeing keys': lambda: {Agrees(): 1},
    'loud': lambda: Loud('loud'), 'says loud': SaysLoud, 'itself': itself, 'itself in a dict': lambda: itself(dict),
    'strict tensor': lambda: torch.ones(3).as_subclass(Strict), 'faceless tensor': lambda: torch.zeros(3).as_subclass(Faceless),
    'faceless array': lambda: np.zeros(3).view(NumpyFaceless), 'sparse': lambda: torch.ones(3).to_sparse(), 'csr': lambda: torch.ones(3, 3).to_sparse_csr(),
    'huge': lambda: torch.zeros(1, 1).expand(10**6, 10**6), 'huge sparse': lambda: torch.sparse_coo_tensor([[0],[0]], [1.], (10**6, 10**6)),
    'huge array': lambda: np.broadcast_to(0., (10**6, 10**6)), 'meta': lambda: torch.ones(3, device='meta'), 'complex': lambda: torch.ones(3)*1j,
    'conjugate': lambda: (torch.ones(3)*1j).conj(), 'quantized': lambda: torch.quantize_per_tensor(torch.ones(3), .1, 0, torch.qint8),
    'nested': lambda: torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), 'bools': lambda: torch.ones(3).bool(), 'no numbers': lambda: torch.ones(0),
    'objects': lambda: np.array([None, 'a', sulking()()], dtype=object), 'texts': lambda: np.array(['a','b','c']), 'dates': lambda: np.array(['2020-01-01'], 'M8'),
    'records': lambda: np.zeros(3, [('a', 'f4')]), 'masked': lambda: np.ma.masked_array([1., 2., 3.], [0, 1, 0]), 'decimal': lambda: decimal.Decimal('nan'),
    'large': lambda: 10**400, 'longer than it may be written': lambda: 10**5000, 'generator': lambda: (i for i in range(3)), 'endless': lambda: iter(int, 1),
    'a function': lambda: print, 'a class': lambda: sulking(), 'a module': lambda: torch.nn.Linear(1, 1), 'a Python module': lambda: torch, 'type': lambda: type,
    'nothing': lambda: None, 'a range': lambda: range(10**12), 'unspeakable': lambda: error(refuse), 'in place of an answer': lambda: NotImplemented,
    'a place': lambda: types.SimpleNamespace(a=1), 'surrogate': lambda: '\ud800', 'deep': lambda: deep(2000), 'wide': lambda: dict.fromkeys(range(10**5)),
}


def deep(n):
    held = []
    for _ in range(n): held = [held]
    return held


EXPECTED = {'tensor': lambda x: x**2, 'list': lambda x: [x, 1., 'two'], 'dict': lambda x: dict(a=[x, dict(b=True)], c=None), 'refusal': refuse, 'set': lambda x: {1, 2, 3},
            'none': lambda x: None, 'empty': lambda x: []}


RIGHT = {('nothing','none'), *((f'{do} list','empty') for do in ('refuse','leave','rage')), ('an empty tuple','empty')}    # it is an empty list


@pytest.mark.parametrize('odd', ODD)
def test_whatever_comes_back_there_is_a_verdict(odd):
    "Alone and inside lists and dicts, next to what was expected; with a known mistake to compare with"
    make = ODD[odd]
    wraps = [lambda x, o: o, lambda x, o: [x, o, 'two'], lambda x, o: dict(a=[x, dict(b=o)], c=None), lambda x, o: {'a': o, make: 1}]
    for oracle,right in EXPECTED.items():
        for wrap in wraps:
            v = calmly(judge, exercise(right, mistakes=[doubled]), lambda x, wrap=wrap: wrap(x, make()), rounds=1)
            assert v.status=='wrong' or (odd, oracle) in RIGHT, f'{oracle}: {v}'
            assert type(v.text) is type(v.facts) is str and len(v.facts)<6500
            assert repr(v).encode('utf-8', 'replace')


@pytest.mark.parametrize('do', [refuse, leave, rage], ids=lambda f: f.__name__)
@pytest.mark.parametrize('base', [ValueError, PermissionError, NotImplementedError, NameError, MemoryError, SystemExit, Vicious, RuntimeError, InputChanged])
def test_errors_that_cannot_be_asked_for_their_words(do, base):
    def answer(x): raise error(do, base)
    for oracle in (torch.square, refuse): assert calmly(said, answer, oracle, mistakes=[doubled]).status in ('wrong', 'done')
    assert calmly(said, answer, torch.square, mistakes=[refuse]).status=='wrong'


def test_what_is_not_an_exception_is_a_wrong_answer_as_well():
    "But a KeyboardInterrupt is the learner's, who wants it to end"
    text = calmly(said, rage, torch.square).text
    assert 'ends with an error' in text and 'Vicious' in text
    assert calmly(said, rage, refuse).status=='wrong'
    def stop(x): raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): said(stop, torch.square)


def odd_values(x):
    "A plan with the odd things in it; hypothesis itself would ask them too much"
    if isinstance(x, (list, tuple)): return type(x)(map(odd_values, x))
    if isinstance(x, dict): return {k: odd_values(v) for k,v in x.items()}
    return ODD[x]() if isinstance(x, str) and x in ODD else x


def plans(odd):
    return st.recursive(st.sampled_from([*odd, 1, -2., True, None, 'a', nan, inf]) | st.builds(torch.ones, st.integers(0, 3)),
                        lambda inside: st.lists(inside, max_size=3) | st.lists(inside, max_size=3).map(tuple) | st.dictionaries(st.sampled_from('abc'), inside), max_leaves=5)


@given(plans(ODD), plans(sorted(ODD.keys() - {'itself', 'itself in a dict', 'deep', 'wide'})))    # no oracle gives these
@settings(max_examples=200)
def test_no_pair_of_values_upsets_it(a, b):
    a, b = odd_values(a), odd_values(b)
    assert type(calmly(same, a, b)) is bool
    for f,*args in ((show, a), (show, b), (guess, a, b), (guess, b, a)): assert type(calmly(f, *args)) is str


@pytest.mark.parametrize('text', ['Exercise ', 'Exercise', 'Exercise one', ''])
def test_a_stub_of_no_exercise_is_an_error_like_others(text):
    def answer(x): raise NotImplementedError(text)
    assert 'ends with an error' in said(answer, torch.square).text


def test_only_an_error_says_that_memory_is_short():
    class Says:
        def __str__(self): return "can't allocate memory"
    assert 'memory' not in guess(Says(), 1) and 'memory' not in guess("can't allocate memory", 1)
    for e in (MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory"), torch.OutOfMemoryError('CUDA out of memory')):
        assert 'more memory than there is' in guess(e, 1)


@pytest.mark.parametrize('value', [lambda x: (x**2).requires_grad_(), lambda x: torch.nn.Parameter(x**2), lambda x: (x**2).as_subclass(Faceless),
                                   lambda x: (x**2).to_sparse(), lambda x: torch.complex(x**2, x).real, lambda x: (x**2)[:,None].expand(3, 2)[:,0]])
def test_right_numbers_in_another_kind_of_tensor_are_right(value):
    assert said(value, torch.square).status=='done'


def test_lists_and_dicts_count_by_what_they_hold():
    assert said(lambda x: Liar([x, 1]), lambda x: [x, 1]).status=='done'
    assert said(lambda x: Liar([x, 1]), lambda x: [Liar([x]), 1]).status=='wrong'
    for kind in (OrderedDict, defaultdict): assert said(lambda x, kind=kind: kind(None, a=x) if kind is defaultdict else kind(a=x), lambda x: dict(a=x)).status=='done'
    assert same(namedtuple('Pair', 'a b')(1, 2), [1, 2]) and not same(sulking(list)([1]), [])


# What is alike and not the same

@pytest.mark.parametrize('a, b', [
    (len, print), (len, len), (doubled, doubled), (int, float), (int, int), (torch.nn.ReLU(), torch.nn.ReLU()), (torch.relu, 'relu'),
    (iter([1]), iter([1])), ((i for i in [1]), [1]), (range(2), [0, 1]), (map(int, [1]), [1]), (dict(a=1).keys(), ['a']), (torch, np),
    (True, 1), (False, 0.), (tensor([True, False]), tensor([1, 0])), (np.array([True]), np.array([1.])), (np.True_, 1), ({1}, {True}), ({1: 'a'}, {True: 'a'}), ([True], [1]),
    ('1', 1), ('1.0', 1.), (b'a', 'a'), (np.array(['1']), np.array([1])), ({'1': 0}, {1: 0}), ({1, 2}, [1, 2]), ({1}, {1.5}), ({1}, {'1'}), (frozenset({1}), {1}),
    (1, tensor(1)), (True, tensor(True)), (nan, tensor(nan)), (1+2j, tensor(1+2j)), (tensor([1., 2.]), tensor([1., 2.]).double()), (tensor([3]), tensor([3.])),
    (np.arange(2), np.arange(2.)), (None, 0), ([None], [0]), ([None], [nan]), ([None, 1.], np.array([nan, 1.])), ([], None), ([], {}), ({}, None), ('', None), ([], torch.ones(0)), (np.ones(0), torch.ones(0)),
    (10_000, 10_001), (tensor([70_000]), tensor([70_003])), (2**60, 2**60+1), (1+2j, 1+3j), (tensor([1+2j]), tensor([1+3j])), (1j, 1.), (nan, inf), (inf, -inf)])
def test_alike_is_not_the_same(a, b):
    assert not same(a, b) and not same(b, a) and not same([a], [b]) and not same(dict(x=b), dict(x=a))


@pytest.mark.parametrize('a, b', [
    (1, 1.), (np.float32(.5), .5), (True, np.True_), (tensor([1, 2]).byte(), tensor([1, 2])), (np.ones(2, np.float32), np.ones(2)), (.5, np.array(.5)), ([1, (2, None)], ([1, [2, None]])), ('a', np.str_('a')), ({1, 'a'}, {'a', 1}),
    ({np.int64(3): 1}, {3: 1}), (dict(a=1, b=2), dict(b=2, a=1)), (nan, np.float32(nan)), (tensor(1+2j), tensor(1+2j)), (None, None), (b'a', b'a'), (torch.float32, torch.float32),
    (tensor([1., 2.]), tensor([1.00001, 2.])), (2**60, 2**60)])
def test_the_same_in_other_words(a, b): assert same(a, b) and same(b, a) and same([a], (b,))


def test_an_exercise_whose_answer_is_a_function_is_refused():
    "And so is one whose oracle gives what can be looked at only once, or stumbles itself"
    for given_back in (torch.square, [torch.nn.ReLU()], dict(f=print), (i for i in ())):
        with pytest.raises(RuntimeError, match='nothing can be compared with'): said(lambda x: print, lambda x, r=given_back: r)
    def misspelt(x): return nosuch    # noqa: F821
    with pytest.raises(RuntimeError, match='nosuch'): said(torch.square, misspelt)


def test_a_mistake_that_returns_a_function_is_not_every_function():
    def uncalled(x):
        "It is not called"
        return x.square
    assert said(lambda x: x.exp, torch.square, mistakes=[uncalled]).mistake==''


def test_a_function_among_the_inputs_has_not_been_changed():
    def make(g): return dict(x=torch.randn(3, generator=g), f=lambda t: t+1)
    assert said(lambda x, f: f(x), lambda x, f: x+1, make=make).status=='done'
    assert 'changes its input' in said(lambda x, f: x.add_(1), lambda x, f: x+1, make=make).text


def test_to_refuse_is_to_raise():
    "Neither to return an error, nor to change the input, nor to call oneself for ever"
    def for_ever(x): return for_ever(x)
    for answer,text in ((lambda x: ValueError('no'), 'write `raise`'), (lambda x: x.zero_(), 'changes its input'), (for_ever, 'RecursionError'),
                        (lambda x: nosuch, 'nosuch'), (lambda x: x, 'should be refused')):    # noqa: F821
        v = said(answer, refuse)
        assert v.status=='wrong' and text in v.text, v
    assert said(lambda x: int('no'), refuse).status=='done'
    case = Case(numbers)
    assert not isinstance(outcome(case, lambda x: ValueError(), 1), Exception)


def test_recognise_finds_nothing_where_nothing_is_wrong():
    ex = exercise(torch.square, mistakes=[doubled])
    assert recognise(ex, [(ex.cases[0], 1)], [torch.ones(3)], [torch.ones(3)]) is None


# By which factor?

@pytest.mark.parametrize('got, expected, factor', [
    ([0., 2., 4.], [0., 1., 2.], '2'), ([0, 0, 9], [0, 0, 3], '3'), ([nan, 2., 4.], [nan, 1., 2.], '2'), ([inf, 2., 4.], [inf, 1., 2.], '2'), ([-inf, inf, -4.], [inf, -inf, 2.], '-2'),
    ([0., -3., 6.], [0., 1., -2.], '-3'), ([50, 0, -100], [100, 0, -200], '0.5'), ([[0., 1e-9]], [[0., 1.]], '1e-09'), ([0., 784.], [0., 1.], '784'), ([2e30, 0.], [1e30, 0.], '2')])
def test_everything_is_so_many_times_too_large(got, expected, factor):
    for kind in (torch.tensor, np.array):
        assert guess(kind(got), kind(expected))==f'Everything is {factor} times what it should be.'
    assert guess(tensor(got, dtype=torch.float64), tensor(expected, dtype=torch.float64)).startswith(f'Everything is {factor} ')


@pytest.mark.parametrize('got, expected', [
    ([0., 2., 5.], [0., 1., 2.]), ([1., 2.], [0., 1.]), ([0., 0.], [1., 2.]), ([1., 2.], [0., 0.]), ([inf, 2.], [-inf, 1.]), ([nan, 2.], [1., nan]), ([2., 4.], [1., inf]),
    ([2e6, 5.], [1e6, 1.]), ([2e-5, 5e-6], [1e-5, 1e-6]), ([20_001, 2], [10_000, 1]), ([3*10**8, 4], [10**8, 1]), ([4.], [2.]), (4., 2.), ([True, True], [True, False]), ([-1., 2.], [1., 2.])])
def test_no_factor_that_fits_only_some(got, expected):
    "Nor one of a single number, which any would fit; nor 1"
    for kind in (torch.tensor, np.array): assert 'times' not in guess(kind(got), kind(expected))


@pytest.mark.parametrize('got, expected', [([0., -1., 2.], [0., 1., -2.]), ([0, 5], [0, -5]), ([nan, -inf, 3.], [nan, inf, -3.]), ([-2.], [2.])])
def test_the_sign_is_turned(got, expected):
    assert guess(tensor(got), tensor(expected))=='The sign is reversed.' and guess(-2., 2.)=='The sign is reversed.'


@given(st.lists(st.integers(-50, 50) | st.just(0), min_size=2, max_size=6), st.integers(-9, 9).filter(lambda k: k not in (-1, 0, 1)), st.integers(0, 5), st.booleans())
def test_a_factor_is_found_if_it_is_there_and_only_then(xs, k, place, spoilt):
    got, place = [k*x for x in xs], place % len(xs)
    if spoilt: got[place] += 1
    if same(tensor(got), tensor(xs)): return
    text = guess(tensor(got), tensor(xs))
    if not spoilt: assert text==f'Everything is {k} times what it should be.'
    elif 'times' in text:
        ratio = float(text.split()[2])
        assert all(abs(g-ratio*x)<=1e-3*abs(g) for g,x in zip(got, xs)), text


# What is wrong in a list or a dict, and where

half, two = tensor(.5), tensor(2.)


@pytest.mark.parametrize('got, expected, text', [
    ((half, tensor(nan)), (half, two), 'Look at `[1]`: there is a nan in it'), ([1., 2., nan], [1., 2., 3.], 'Look at `[2]`: there is a nan'), (nan, 3., 'There is a nan'),
    (dict(a=dict(x=[0., nan])), dict(a=dict(x=[0., 1.])), "Look at `a['x'][1]`: there is a nan"), ([1., inf], [1., 2.], 'Look at `[1]`: there is an infinity'),
    ([1, 2], [1, 2, 3], 'Look at `[2]`: it is missing, and should be 3'), ([1, 3], [1, 2, 3], 'Look at `[1]`: it is missing, and should be 2'), ([], [1], 'Look at `[0]`: it is missing'),
    ([2, 3], [1, 2, 3], 'Look at `[0]`: it is missing'), ([1, 4], [1, 2, 3, 4], 'Look at `[1]`: it is missing'), ([1, 2, 3, 9], [1, 2, 3], 'Look at `[3]`: it is one too many'),
    ([1, 9, 2, 3], [1, 2, 3], 'Look at `[1]`: it is one too many'), ([7, 8], [1, 2, 3], 'The length is 2, and should be 3'), ([[7, 8]], [[1, 2, 3]], 'Look at `[0]`: the length is 2'),
    (dict(a=1), dict(a=1, b=2), 'Look at `b`: it is missing, and should be 2'), (dict(a=1, b=2, c=3), dict(a=1, b=2), 'Look at `c`: it is one too many'),
    (dict(a=dict(x=[])), dict(a=dict(x=[], y=1)), "Look at `a['y']`: it is missing"), ({3: 'a'}, {3: 'b'}, "Look at `[3]`: it is 'a', and should be 'b'"),
    ({'two words': 1}, {'two words': 2}, 'Look at two words: it is 1, and should be 2'), ({'a b': {'c d': [1, 2]}}, {'a b': {'c d': [1, 3]}}, 'Look at a b, c d [1]: it is 2'), (dict(a={1: [0, 5]}), dict(a={1: [0, 6]}), 'Look at `a[1][1]`: it is 5, and should be 6'),
    ([1, 2, 3], [[1, 2], [3]], 'Look at `[0]`: a number came back, and it should be a list'), ([[1, 2], [3]], [1, 2, 3], 'Look at `[0]`: a list came back, and it should be a number'),
    ([[1], 2], [1, 2], 'Look at `[0]`: it is right, but lies inside a list'), ([1, 2], [[1], 2], 'Look at `[0]`: it is right, but should lie inside a list'),
    ((two,), two, 'It is right, but lies inside a list or tuple'), (two, [two], 'It is right, but should lie inside'), ([[1, 2, 3]], [1, 2, 3], 'It is right, but lies inside'),
    (dict(a=[half, torch.ones(2, 1)]), dict(a=[half, torch.ones(2)]), 'Look at `a[1]`: the shape is (2, 1), and should be (2,)'), ([np.ones(2)], [torch.ones(2)], 'Look at `[0]`: a NumPy array'),
    (torch.ones(3), tensor([1., 1., 3.]), 'Not what was expected: 1 of 3 numbers differs; the first, at [2], is 1 and should be 3.'), (dict(g=[-torch.ones(2)]), dict(g=[torch.ones(2)]), 'Look at `g[0]`: the sign is reversed'), ([torch.ones(2)*2], [torch.ones(2)], 'Look at `[0]`: everything is 2 times'),
    ([1, None], [1, 2], 'Look at `[1]`: None came back, and it should be a number'), ([1, 2], [1, None], 'Look at `[1]`: a number came back, and it should be None'),
    ([1], dict(a=1), 'A list came back, and it should be a dict'), (dict(a=1), [1], 'A dict came back, and it should be a list'), (1, [1, 2], 'A number came back, and it should be a list'),
    ([True], [1], 'Look at `[0]`: it is True or False, and should be numbers'), (1, True, 'Numbers came back, and it should be True or False'), ('1', 1, 'A string came back'),
    (1., torch.ones(3), 'A number came back, and it should be a tensor'), (torch.ones(3), 1., 'A tensor came back, and it should be a number'), (two, 2., 'A tensor came back, and it should be a plain number: `.item()`'), ({1}, [1], 'A set came back'),
    ((i for i in [1]), [1], 'It holds nothing until'), (map(abs, [1]), [1], 'It holds nothing until'), (range(2), [0, 1], 'A range came back'), (torch.relu, two, 'It is a function, and'),
    ([len], [1], 'Look at `[0]`: it is a function'), (torch.nn.ReLU, two, 'It is a class'), (torch.nn.ReLU(), two, 'It is a ReLU'), (torch.ones(1, device='meta'), torch.ones(1), 'It lies on the device'),
    (None, two, 'Nothing came back. Is there a `return`?'), (torch.ones(2).double(), torch.ones(2), 'The numbers are right, but they are float64 and should be float32'), (None, [1], 'Nothing came back. Is there a `return`?'), (None, tensor([1]), 'Nothing came back. Is there a `return`?'),
    ((half, two), (two, half), 'Look at `[0]`: it is 0.5, and should be 2'), ('a', 'b', 'Not what was expected.'), ([ValueError('x')], [1], 'Look at `[0]`: an error came back')])
def test_what_is_wrong_and_where(got, expected, text):
    assert guess(got, expected).startswith(text)


def test_the_verdict_says_where():
    v = said(lambda x: dict(a=dict(x=[x, 2*x])), lambda x: dict(a=dict(x=[x, x])))
    assert v.text=="Look at `a['x'][1]`: everything is 2 times what it should be."


def test_what_is_shown_tells_the_difference():
    assert show(tensor([True, False])).startswith('[True, False]') and show(tensor([1, 0])).startswith('[1, 0]')
    assert show(tensor(123_456))=='123456' and show(np.True_)==show(True)=='True'
    assert show(itself()).count('…')<300 and len(show(dict.fromkeys(range(10**4), 'a'*100)))<=2000
    assert show(torch.zeros(1, 1).expand(10**6, 10**6))=='[0, 0, 0, 0, 0, …] of shape (1000000, 1000000)'


# What is shown beside the sentence

def came_and_expected(got, expected):
    "The two lines, without their beginnings"
    return [line.partition(': ')[2] for line in facts({}, '', got, expected).splitlines()[1:3]]


@pytest.mark.parametrize('got, expected', [
    (torch.tensor([0.]*5+[1., .5]), torch.tensor([0.]*5+[1., 1.])), (.05, 0.), (1., 1.0002), (tensor(1.), 1.), (torch.ones(2).double(), torch.ones(2)), (1, True),
    ([tensor([1., 2.])]*3, [tensor([1., 2.])]*2+[tensor([1., 2.001])]), (dict(a=1e-9), dict(a=2e-9)), (np.arange(9), np.arange(9.)), (ValueError('a'), InputChanged('a'))])
def test_came_and_expected_are_never_two_equal_lines(got, expected):
    came, due = came_and_expected(got, expected)
    assert came!=due


def test_the_place_that_differs_is_shown_with_both_numbers():
    "Also where the first five numbers agree; and nothing is rounded to 0"
    got = torch.zeros(3, 4)
    got[2, 1] = .05
    assert facts({}, '', got, torch.zeros(3, 4)).splitlines()[-1]=='differs: 1 of 12 numbers; at [2, 1] came 0.05, expected 0'
    assert came_and_expected(.05, 0.)==['0.05', '0']


@given(plans(ODD), plans(sorted(ODD.keys() - {'itself', 'itself in a dict', 'deep', 'wide'})))
@settings(max_examples=100)
def test_no_pair_of_values_upsets_what_is_shown(a, b):
    a, b = odd_values(a), odd_values(b)
    lines = calmly(facts, dict(x=a), 'a title', a, b).splitlines()
    assert 3<=len(lines)<=4 and all(len(line)<=150 for line in lines)


# Which kind of number

def test_a_value_without_a_gradient_is_not_called_nothing():
    ex = Exercise('99.1', own, 'Right.', [Case(numbers, slope, 'the slope')], torch.square)
    for answer in (lambda x: (x**2).detach(), lambda x: (x**2).sum().item(), lambda x: torch.tensor((x**2).detach().numpy())):
        assert 'no gradient flows back' in judge(ex, answer).text
    assert judge(ex, lambda x: None).text.startswith('Nothing came back')


def test_inputs_that_a_case_names_must_stay_as_they_are():
    def step(f, x): return f(x) is None
    for keeps,text in (((), 'Right.'), (('x',), 'it changes its input `x`')):
        assert text in judge(Exercise('99.1', own, 'Right.', [Case(numbers, step, keeps=keeps)], lambda x: 5 if x is None else 1), lambda x: x.mul_(2).sum()).text


# On whose functions an answer stands

def namespace(source):
    "A learner's notebook"
    scope = dict(__name__='__main__', torch=torch)
    exec(source, scope)
    return scope


WRONG_LOG = 'def log_softmax(x, dim=-1): return x - x.exp().sum(dim, keepdim=True).log()\n'
MINE = {'08.4': ('cross_entropy', WRONG_LOG+'def nll_loss(log_probs, targets): return 5\ndef cross_entropy(scores, targets): return nll_loss(log_softmax(scores), targets)'),
        '05.5': ('Adam', '''
from mnist_course.optimizer import BasicOptim
def running_mean(avg, x, mom): return avg.mul_(mom).add_(x.mul_(1-mom))
def debias(avg, mom, t): return 0
class Adam(BasicOptim):
    def __init__(self, params, lr=1e-3, mom=.9, sqr_mom=.999, eps=1e-8):
        super().__init__(params, lr)
        self.mom, self.sqr_mom, self.eps, self.state = mom, sqr_mom, eps, {}
    @torch.no_grad()
    def step(self):
        for p in self.params:
            if p.grad is None: continue
            t, avg, sqr = self.state.get(p, (0, torch.zeros_like(p), torch.zeros_like(p)))
            t += 1
            running_mean(avg, p.grad, self.mom)
            running_mean(sqr, p.grad**2, self.sqr_mom)
            self.state[p] = t, avg, sqr
            p -= self.lr*debias(avg, self.mom, t)/(debias(sqr, self.sqr_mom, t).sqrt()+self.eps)
''')}


@pytest.mark.parametrize('number', MINE)
def test_a_right_answer_that_stands_on_a_wrong_one_is_right(number):
    from mnist_course.exercises import find_exercise
    name, source = MINE[number]
    scope = namespace(source)
    before = dict(scope)
    assert judge(find_exercise(number), scope[name]).status=='done'
    assert scope==before    # the learner's own are back


def test_a_name_that_stands_for_something_else_is_left_alone():
    "`from mnist_course import softmax` brings the module, and an answer may well use it"
    from mnist_course.exercises import find_exercise
    scope = namespace('from mnist_course import softmax\ndef log_softmax(x, dim=-1): return x - x.amax(dim, keepdim=True) + softmax.softmax(x, dim).amax(dim, keepdim=True).log()')
    assert judge(find_exercise('08.2'), scope['log_softmax']).status=='done'
    scope = namespace("sigmoid = 3.\ndef mnist_loss(predictions, targets):\n    assert predictions.shape==targets.shape\n    p = predictions.sigmoid()\n    return torch.where(targets==1, 1-p, p).mean()*sigmoid/3")
    assert judge(find_exercise('03.4'), scope['mnist_loss']).status=='done'


def test_a_class_that_is_built_on_a_wrong_one_says_so():
    from mnist_course.exercises import find_exercise
    scope = namespace('''
class BasicOptim:
    def __init__(self, params, lr): self.params, self.lr = list(params), lr
    def step(self): pass
    def zero_grad(self): pass
class SGD(BasicOptim):
    def __init__(self, params, lr, mom=0.):
        super().__init__(params, lr)
        self.mom, self.sums = mom, {}
    @torch.no_grad()
    def step(self):
        for p in self.params:
            if p.grad is None: continue
            self.sums[p] = self.mom*self.sums.get(p, torch.zeros_like(p)) + p.grad
            p -= self.lr*self.sums[p]
''')
    assert judge(find_exercise('05.2'), scope['SGD']).text=='05.1 BasicOptim is not right yet, and this one uses it. Fix that one first.'


# What an answer leaves behind, and mistakes that it cannot have

@pytest.mark.parametrize('number,source,words', [
    ('02.2', '''
def sgd_step(params, lr):
    torch.set_grad_enabled(False)
    for p in params:
        if p.grad is None: continue
        p -= lr*p.grad
        p.grad = None
''', 'gradients switched off'),
    ('03.3', 'def sigmoid(x):\n    torch.manual_seed(0)\n    return torch.sigmoid(x)', 'seeds the random numbers'),
    ('03.3', 'def sigmoid(x):\n    torch.set_default_dtype(torch.float64)\n    return torch.sigmoid(x)', 'default dtype'),
])
def test_what_an_answer_leaves_behind_costs_its_tick(number, source, words):
    from mnist_course.exercises import find_exercise
    ex = find_exercise(number)
    before = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_rng_state()
    v = judge(ex, namespace(source)[ex.name])
    assert v.status=='wrong' and words in v.text, v
    assert (torch.is_grad_enabled(), torch.get_default_dtype())==before[:2] and torch.equal(torch.get_rng_state(), before[2])


@pytest.mark.parametrize('number,source,not_said', [
    ('03.2', 'def linear1(xb, weights, bias): return (xb@weights + bias).detach()', 'bias is missing'),
    ('03.2', 'def linear1(xb, weights, bias): return torch.tensor(xb.numpy()@weights.detach().numpy()) + bias.detach()', 'bias is missing'),
])
def test_no_mistake_is_named_that_fails_where_the_answer_is_right(number, source, not_said):
    from mnist_course.exercises import find_exercise
    ex = find_exercise(number)
    v = judge(ex, namespace(source)[ex.name])
    assert v.status=='wrong' and not_said not in v.text, v


def test_a_notebook_that_has_another_default_dtype_keeps_it():
    "Which the learner has set before, and the answer has not touched"
    torch.set_default_dtype(torch.float64)
    try:
        v = said(lambda x: x*x, torch.square)
        assert v.status=='done' and torch.get_default_dtype()==torch.float64, v
    finally: torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize('number', ['13.4', '17.3'])
def test_an_answer_without_a_return_is_told_so(number):
    "Also where our own code is the first to stumble over its None; an error of the answer's own stays what it is"
    from mnist_course.exercises import find_exercise
    def forgets(*args, **kwargs): pass
    def stumbles(*args, **kwargs): return dict().get(0)[0]
    assert 'Nothing came back' in judge(find_exercise(number), forgets).text
    assert 'Nothing came back' not in judge(find_exercise(number), stumbles).text


# Whoever holds an earlier answer that is wrong

WRONG_SIGMOID = 'def sigmoid(x): return 1/(1+torch.exp(x))\n'
CHECKED = '    if preds.shape!=targets.shape: raise ValueError\n'
MEAN = '    p = {}(preds)\n    return torch.where(targets==1, 1-p, p).mean()\n'
HOLDERS = {
    'its name': WRONG_SIGMOID+'def mnist_loss(preds, targets):\n'+CHECKED+MEAN.format('sigmoid'),
    'an alias': WRONG_SIGMOID+'sig = sigmoid\ndef mnist_loss(preds, targets):\n'+CHECKED+MEAN.format('sig'),
    'an alias of what it was before': WRONG_SIGMOID+'sig = sigmoid\ndef sigmoid(x): return x.sigmoid()\ndef mnist_loss(preds, targets):\n'+CHECKED+MEAN.format('sig'),
    'a default': WRONG_SIGMOID+'def mnist_loss(preds, targets, f=sigmoid):\n'+CHECKED+MEAN.format('f'),
    'a default by name alone': WRONG_SIGMOID+'def mnist_loss(preds, targets, *, f=sigmoid):\n'+CHECKED+MEAN.format('f'),
    'the default of a helper': WRONG_SIGMOID+'def squeeze(x, f=sigmoid): return f(x)\ndef mnist_loss(preds, targets):\n'+CHECKED+MEAN.format('squeeze'),
    'a list': WRONG_SIGMOID+'known = [sigmoid]\ndef mnist_loss(preds, targets):\n'+CHECKED+MEAN.format('known[0]'),
    'a partial': WRONG_SIGMOID+'from functools import partial\nsig = partial(sigmoid)\ndef mnist_loss(preds, targets):\n'+CHECKED+MEAN.format('sig'),
    'a function around it': WRONG_SIGMOID+'def make(f):\n  def mnist_loss(preds, targets):\n'+(CHECKED+MEAN.format('f')).replace('    ', '      ')+'  return mnist_loss\nmnist_loss = make(sigmoid)\n',
    'a lambda': 'sigmoid = lambda x: 1/(1+torch.exp(x))\nsig = sigmoid\ndef mnist_loss(preds, targets):\n'+CHECKED+MEAN.format('sig'),
    'a decorated one': 'import functools\ndef loud(f):\n    @functools.wraps(f)\n    def g(x): return f(x)\n    return g\n@loud\n'+WRONG_SIGMOID+'sig = sigmoid\ndef mnist_loss(preds, targets):\n'+CHECKED+MEAN.format('sig'),
}


@pytest.mark.parametrize('holder', HOLDERS)
def test_a_right_answer_is_right_whoever_holds_a_wrong_one_for_it(holder):
    "And the learner's own is wrong again afterwards"
    from mnist_course.exercises import find_exercise
    scope = namespace(HOLDERS[holder])
    codes = {name: f.__code__ for name,f in scope.items() if isinstance(f, types.FunctionType)}
    assert judge(find_exercise('03.4'), scope['mnist_loss']).status=='done'
    assert {name: f.__code__ for name,f in scope.items() if isinstance(f, types.FunctionType)}==codes
    if 'before' not in holder: assert judge(find_exercise('03.3'), scope['sigmoid']).mistake=='mirrored'


def test_a_wrong_answer_stays_wrong_whatever_it_holds():
    "Negative control: only functions of earlier exercises are set right"
    from mnist_course.exercises import find_exercise
    for source in ('def squash(x): return 1/(1+torch.exp(x))\ndef mnist_loss(preds, targets, f=squash):\n'+CHECKED+MEAN.format('f'),
                   HOLDERS['a default'].replace('1-p, p', 'p, 1-p')):
        assert judge(find_exercise('03.4'), namespace(source)['mnist_loss']).status=='wrong'


@pytest.mark.parametrize('number,source,status', [
    ('03.3', 'def sigmoid(x): return 1/(1+torch.exp(-x.clamp(min=-80)))', 'done'),
    ('03.2', 'def linear1(xb, weights, bias): return xb@weights + bias', 'done'),
    ('03.1', 'def init_params(size, std=1., generator=None, device="cpu"): return (torch.randn(size, generator=generator)*std).to(device).requires_grad_()', 'done'),
    ('03.5', 'def batch_accuracy(preds, targets):\n    assert preds.shape==targets.shape\n    return torch.tensor(((preds>0)==targets).float().mean().item())', 'done'),
    ('03.2', 'def linear1(xb, weights, bias): return (xb@weights + bias).to(torch.get_default_dtype())', 'wrong'),
])
def test_a_notebook_with_another_default_dtype_is_judged_as_any_other(number, source, status):
    "The same verdict, in the same words, whether it was set or not; the answers are tried in another process than the oracle when grading"
    from mnist_course.exercises import find_exercise
    from mnist_course.exercises.judge import conclude, trials_of, try_answer
    ex, said = find_exercise(number), []
    for dtype in (torch.float32, torch.float64):
        torch.set_default_dtype(dtype)
        try:
            f = namespace(source)[ex.name]
            said.append(repr(judge(ex, f, seed=1)))
            got = try_answer(ex, f, trials := trials_of(ex, seed=1))
            assert torch.get_default_dtype()==dtype
        finally: torch.set_default_dtype(torch.float32)
        said.append(repr(conclude(ex, trials, got)))    # as the process that holds the oracle does
    assert len(set(said))==1 and judge(ex, f).status==status, said


@pytest.mark.parametrize('got, expected, advice', [
    (tensor([1., 2.]), tensor([1, 2]), 'as `.long()`'), (tensor([4.9, 2.]), tensor([2, 8]), 'whole ones, here [2, 8]'),
    (tensor([1, 2]), tensor([1., 2.]), 'as `.float()`'), (tensor([1, 0]), tensor([.5, .25]), 'decimal ones, here [0.5, 0.25]'),
    (tensor([True, False]), tensor([1., 0.]), '`.float()`'), (tensor([True, False]), tensor([8, 5]), 'numbers, here [8, 5]')])
def test_a_conversion_is_advised_only_where_it_is_all_that_is_missing(got, expected, advice):
    assert advice in guess(got, expected), guess(got, expected)


NOT_IN_PLACE = '    params = [params] if isinstance(params, torch.Tensor) else list(params)\n    if any(p.grad is None for p in params): raise ValueError\n'


@pytest.mark.parametrize('number,source,words,not_said', [
    ('02.2', 'def sgd_step(params, lr):\n'+NOT_IN_PLACE+'    for p in params:\n        p.sub(lr*p.grad)\n        p.grad.zero_()', 'where they were', 'cleared before'),
    ('02.2', 'def sgd_step(params, lr):\n'+NOT_IN_PLACE+'    for p in params:\n        p.grad.zero_()\n        p.data -= lr*p.grad', 'step first', 'set to None'),
    ('02.2', 'def sgd_step(params, lr):\n'+NOT_IN_PLACE+'    for p in [p.detach().clone() for p in params]: p -= lr*p.grad', 'a clone has none', 'is set to None before'),
    ('00.2', 'def to_float(images): return images', 'Bytes come back as bytes', 'name in quotes'),
    ('00.1', 'def keep(digits, *classes):\n    if any(not (digits.labels==c).any() for c in classes): return ValueError(str(classes))\n    return digits[torch.isin(digits.labels, torch.tensor(classes))]', 'It returns an error', 'ends with'),
    ('04.3', 'def train_epoch(model, dl, loss_func, params, lr):\n    for xb,yb in dl: sgd_step(params, lr)', "name 'sgd_step' is not defined", 'did you mean'),
    ('00.2', 'def to_float(images):\n    if images.dtype==torch.uint8: images.float()/255\n    return images', 'give back', 'name in quotes'),
])
def test_a_diagnosis_says_nothing_that_is_false_of_this_answer(number, source, words, not_said):
    from mnist_course.exercises import find_exercise
    ex = find_exercise(number)
    v = judge(ex, namespace(source)[ex.name])
    assert v.status=='wrong' and words in v.text and not_said not in v.text, v
