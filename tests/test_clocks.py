"No assertion depends on a time, and one that did would be found"
import pytest
from checks import ROOT
from clocks import all_timed, timed_assertions


def test_no_assertion_depends_on_a_time(): assert all_timed(ROOT)==[]


@pytest.mark.parametrize('source', [
    'start = time.perf_counter()\nf()\nassert time.perf_counter()-start<2',
    'def seconds(f):\n    start = time.process_time(); f()\n    return time.process_time()-start\nratios = [seconds(f)/seconds(g) for _ in range(9)]\nassert median(ratios)>30',
    'took = {name: timeit.repeat(f) for name,f in work.items()}\nfor name,t in took.items(): test_close(min(t), 1, eps=.1)',
    'spent = []\nfor _ in range(3):\n    start = monotonic(); f()\n    spent.append(monotonic()-start)\nif min(spent)>1: raise AssertionError',
    'run = train()\nassert run.seconds<60', 'report = measure(add)\nassert report.ratio>1.2', 'assert rows["fast"]["seconds"]<rows["slow"]["seconds"]',
    'def both():\n    start = time.time()\n    acc = f()\n    return acc, time.time()-start\nacc, late = both()\nassert late<1',
    'micros = lambda f: min(timeit.repeat(f))\nassert micros(a)<micros(b)', 't = get_ipython().run_line_magic("timeit", "-o f()")\nassert t.best<1',
    'spent = {}\nspent["a"] = time.perf_counter()\ntest_eq(max(spent.values())<1, True)', 'total = 0\ntotal += time.thread_time()\nassert total<1'])
def test_a_planted_time_is_found(source): assert len(timed_assertions(source))==1


@pytest.mark.parametrize('source', [
    'start = time.perf_counter()\nprint(time.perf_counter()-start)\nassert f()==1',
    'end = time.monotonic()+9\nwhile not ready() and time.monotonic()<end: time.sleep(.1)\nassert ready()',
    'run = Run(accuracy, time.process_time()-start)\nassert run.accuracy>.9', 'spent = [time.time() for _ in range(3)]\nassert len(spent)==3',
    'def both():\n    start = time.time()\n    acc = f()\n    return acc, time.time()-start\nacc, late = both()\nassert acc>.9',
    'report = Report([.4,.3], [.1,.2])\nassert report.ratio==2', 'assert run.seconds>0', 'start = time.time()\nstart = 5\nassert start==5',
    'for name,t in {"a": time.time()}.items(): assert name', 'if time.monotonic()>end: raise TimeoutError("nobody answers")'])
def test_what_depends_on_none_is_not(source): assert timed_assertions(source)==[]
