"Every test has three minutes at most, unless it says otherwise; hypothesis draws the same examples each time, so that a failure stays one"
import os, signal, subprocess, sys
from pathlib import Path

import count as counting
import pytest
from checks import copy_repo
from hypothesis import settings

os.environ.setdefault('OMP_NUM_THREADS', '1')
settings.register_profile('course', deadline=None, derandomize=True, max_examples=60)
settings.load_profile('course')


def pytest_configure(config):
    "Where tests run in several processes, the one that reports collects none, and would not load what lies in tests/faults"
    config.pluginmanager.register(counting)
    if (Path(__file__).parent/'faults').is_dir():
        from faults import count
        config.pluginmanager.register(count)


def pytest_collection_modifyitems(items):
    for item in items:
        if not item.get_closest_marker('timeout'): item.add_marker(pytest.mark.timeout(180))


def run(*command, cwd):
    r = subprocess.run([sys.executable, *map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=170)
    assert r.returncode==0, r.stdout+r.stderr
    return r.stdout


@pytest.fixture
def count(record_property):
    "`count('learners recognised', 1000)`: the run ends with the sums, of tests that passed"
    return lambda what, n=1: record_property('count', (what, n))


@pytest.fixture(scope='session')
def built(tmp_path_factory):
    "A wheel and an sdist of a copy of the repository; the wheel is made from the sdist"
    tmp = tmp_path_factory.mktemp('built')
    repo = copy_repo(tmp/'repo')
    run('setup.py', '-q', 'sdist', '-d', tmp, cwd=repo)
    run('-m', 'pip', 'wheel', '-q', '--no-deps', '--no-build-isolation', '--no-index', '-w', tmp, next(tmp.glob('*.tar.gz')), cwd=tmp)
    return tmp


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    "A folder that all tests of a file share"
    return tmp_path_factory.mktemp('folder')


@pytest.fixture(scope='module')
def browser():
    "Chromium, or a word why not"
    from browser import ARGS, CHROMIUM
    sync_api = pytest.importorskip('playwright.sync_api', reason='playwright is not installed')
    if CHROMIUM is None: pytest.skip('no chromium on the path')
    with sync_api.sync_playwright() as p:
        b = p.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield b
        b.close()


if signal.getsignal(signal.SIGINT)==signal.SIG_IGN: signal.signal(signal.SIGINT, signal.default_int_handler)    # so a shell starts what runs in the background

ENDING = [getattr(signal, name) for name in ('SIGINT','SIGTERM','SIGHUP') if hasattr(signal, name)]

@pytest.fixture(autouse=True)
def signals_stay():
    "A test that leaves a signal to another fails, and the next one hears it all the same"
    before = {s: signal.getsignal(s) for s in ENDING}
    yield
    left = {s.name: now for s in ENDING if (now := signal.getsignal(s)) is not before[s]}
    for s in ENDING: signal.signal(s, before[s])
    assert not left, f'signals that were not given back: {left}'
