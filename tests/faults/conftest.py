"""Every fault is met twice: with the protection, when nothing may be lost, and with the protection taken away, when the same
test has to fail. So no check here is empty. The run ends with `faults survived N/N`; a fault of the table (FAULTS) without a
test, or without a control, is not survived.

    @pytest.mark.fault(16, without={'mnist_course.persist.write_atomic': 'lambda path, data: Path(path).write_bytes(data)'})
    def test_killed_while_saving(tmp_path, prelude): ...

`without` gives names and what stands in for them, as Python source: here they are patched in, and a test that starts a process
runs `prelude` in it first. Or `without` is a function that gets the test's `monkeypatch`, for other protections.
"""
from collections import defaultdict
from pathlib import Path

import pytest

FAULTS = {
    1: 'idx: wrong magic number', 2: 'idx: a byte short', 3: 'idx: a byte long', 4: 'idx: empty', 5: 'idx: not gzip, though .gz',
    6: "a flipped byte in the package's own data", 7: 'counts differ', 8: 'a label of 200', 9: 'three dimensions for two',
    10: 'a gzip bomb', 11: 'sample folder: killed midway', 12: 'sample folder: two at once', 13: 'sample folder: read-only cache',
    14: 'sample folder: disk full', 15: 'paths with spaces, umlauts, emoji',
    16: 'save: killed', 17: 'save: disk full', 18: 'save: folder gone', 19: 'checkpoint: truncated', 20: 'checkpoint: empty',
    21: 'checkpoint: a page of HTML', 22: 'checkpoint: one bit flipped', 23: 'a malicious pickle', 24: 'another architecture',
    25: 'another class count', 26: 'a format from the future', 27: 'resume after SIGKILL', 28: 'resume without the random state',
    29: 'NaN or inf in data', 30: 'NaN or inf in the loss', 31: 'a rate of 1e9, and a stale checkpoint', 32: 'an empty set',
    33: 'a batch larger than the set', 34: 'wrong shape, dtype, labels', 35: 'Ctrl-C in an epoch, twice', 36: 'the same seed twice',
    37: 'gradients with a wrong sign or scale', 38: 'logs that cannot be written', 39: 'unknown command, option, recipe, rung',
    40: 'settings that make no sense', 41: 'a missing file', 42: 'an output folder that is a file',
    43: 'closed pipe, no terminal, narrow, dumb, no colour, no UTF-8', 44: 'lessons out of order, twice, elsewhere',
    45: 'stale, unclean, uncollected, early exit', 46: 'a wheel, offline', 47: 'an sdist, and an editable install',
    48: 'Python 3.11, 3.12, 3.13',
}
came = defaultdict(lambda: {'with': [], 'without': []})   # number -> outcomes of its tests


def pytest_configure(config):
    config.addinivalue_line('markers', 'fault(*numbers, without): rows of the table, and how to take the protection away')


def pytest_generate_tests(metafunc):
    if metafunc.definition.get_closest_marker('fault'): metafunc.parametrize('protection', ['with', 'without'], indirect=True)


@pytest.fixture(autouse=True)
def protection(request): return getattr(request, 'param', 'with')


def lines(without): return ['from pathlib import Path'] + [f'import {k.rpartition(".")[0]}; {k} = {v}' for k,v in without.items()]


@pytest.fixture
def prelude(request, protection):
    "Source that takes the protection away in another process; nothing where it stays"
    marker = request.node.get_closest_marker('fault')
    without = marker.kwargs['without'] if marker else None
    return '\n'.join(lines(without))+'\n' if protection=='without' and isinstance(without, dict) else ''


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    marker = pyfuncitem.get_closest_marker('fault')
    if not marker or pyfuncitem.callspec.params['protection']=='with': return (yield)
    patch, without = pytest.MonkeyPatch(), marker.kwargs['without']
    try:
        if callable(without): without(patch)    # an error here is a mistake in the control, and shows as one
        else:
            for name, source in without.items(): patch.setattr(name, eval(source, {'Path': Path}))
        try: yield
        except pytest.skip.Exception: raise
        except (Exception, pytest.fail.Exception): return True   # without its protection the test fails, as it should
    finally: patch.undo()
    pytest.fail('the control is empty: this test passes without the protection too')


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    marker = item.get_closest_marker('fault')
    if marker: report.user_properties += [('fault', (n, item.callspec.params['protection'])) for n in marker.args]
    return report


def pytest_runtest_logreport(report):    # in the process that counts, where tests run in several
    if report.when!='call' and report.outcome=='passed': return
    for n,protection in {tuple(value) for name,value in report.user_properties if name=='fault'}: came[n][protection].append(report.outcome)


def survived(n): return all(came[n][k] and set(came[n][k])<={'passed'} for k in ('with', 'without'))
def not_tried(n): return not survived(n) and came[n]['with'] and all(set(came[n][k])<={'passed','skipped'} for k in ('with', 'without'))


def pytest_terminal_summary(terminalreporter):
    if not came: return
    for n in FAULTS:
        if not_tried(n): terminalreporter.write_line(f'fault {n}, {FAULTS[n]}: not tried here, or not all of it (pytest -rs says why)')
        elif not survived(n): terminalreporter.write_line(f'fault {n}, {FAULTS[n]}: {came[n]["with"] or "no test"}, control {came[n]["without"] or "missing"}')
    left = [n for n in FAULTS if not_tried(n)]
    terminalreporter.write_line(f'faults survived {sum(map(survived, FAULTS))}/{len(FAULTS)}' + f', not tried here: {left}'*bool(left))
