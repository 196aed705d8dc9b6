"What the faults are made with: full and read-only disks, processes that are killed, and one line of our code taken away"
import inspect, os, random, signal, subprocess, sys, time, traceback
from contextlib import contextmanager
from importlib import import_module

import pytest
from checks import ROOT
from hypothesis import Phase, settings


def mutant(name, old, new):
    "`without` for a part of a function: `name` as it would be with `new` in the place of `old`"
    module, function = name.rsplit('.', 1)
    source = inspect.getsource(getattr(import_module(module), function))
    assert source.count(old)==1, f'{name}: {old!r} stands there {source.count(old)} times'
    source = source.replace(old, new)
    return {name: f'(lambda g: (exec({source!r}, g), g[{function!r}])[1])(dict(vars(__import__("sys").modules[{module!r}])))'}


@contextmanager
def disk(place, options):
    "A small file system in memory at `place`, as `size=1m`; gone afterwards"
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', options, 'tmpfs', str(place)], capture_output=True, text=True)
    if mounted.returncode: pytest.skip(f'no file system can be mounted here: {mounted.stderr.strip()}')
    try: yield place
    finally: subprocess.run(['umount', '--lazy', str(place)], check=True)


def read_only(place): subprocess.run(['mount', '-o', 'remount,ro', str(place)], check=True)


def start(code, *args):
    "Python code in a process of its own"
    return subprocess.Popen([sys.executable, '-c', code, *map(str, args)], cwd=ROOT, env=os.environ|{'PYTHONPATH': str(ROOT)},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(code, *args):
    p = start(code, *args)
    return (*p.communicate(timeout=100), p.returncode)


def fork(work):
    "Do `work` in a fork of this process, which knows all that this one has imported; its number"
    pid = os.fork()
    if pid: return pid
    code = 1
    try:
        work()
        code = 0
    except BaseException: traceback.print_exc()
    finally: os._exit(code)


def ended(pid): return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_when(pid, ready):
    "SIGKILL a process as soon as `ready()`; how it ended"
    end = time.monotonic()+100
    while not ready() and not os.waitid(os.P_PID, pid, os.WEXITED|os.WNOHANG|os.WNOWAIT) and time.monotonic()<end: time.sleep(.002)
    os.kill(pid, signal.SIGKILL)
    return ended(pid)


dice = random.Random(0)
quick = settings(max_examples=40, phases=[Phase.explicit, Phase.generate])    # a control need not fail in the shortest way
