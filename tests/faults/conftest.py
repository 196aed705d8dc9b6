"""Every fault is met twice: with the protection, when nothing may be lost, and with the protection taken away, when the same
test has to fail. So no check here is empty. The run ends with `faults survived N/N` (`count.py`); a fault of its table without a
test, or without a control, is not survived.

    @pytest.mark.fault(16, without={'mnist_course.persist.write_atomic': 'lambda path, data: Path(path).write_bytes(data)'})
    def test_killed_while_saving(tmp_path, prelude): ...

`without` gives names and what stands in for them, as Python source: here they are patched in, and a test that starts a process
runs `prelude` in it first. Or `without` is a function that gets the test's `monkeypatch`, for other protections.
"""
from pathlib import Path

import pytest

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
