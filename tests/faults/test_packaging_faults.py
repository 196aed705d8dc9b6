"What is built is used away from the clone, without a network; what is stale, unclean or not run at all is caught"
import json, os, re, shutil, subprocess, sys, sysconfig, venv
from pathlib import Path

import pytest
import checks
from checks import ROOT, copy_repo
from filelock import FileLock
from mnist_course.data import load_mnist
from PIL import Image

HERE = sys.modules[__name__]


def shell(*command, cwd, timeout=170, **env):
    env = {k: v for k,v in os.environ.items() if k!='PYTHONPATH'} | dict(OMP_NUM_THREADS='1') | env
    return subprocess.run(list(map(str, command)), cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)


def offline():
    "How to start a process in a network namespace without a route"
    how = ['unshare', '-n'] if os.geteuid()==0 else ['unshare', '-rn']
    if not shutil.which('unshare') or shell(*how, 'true', cwd='/').returncode: pytest.skip('no network namespace may be made here')
    connect = 'import socket; socket.create_connection(("192.0.2.1", 80), 2)'
    assert 'unreachable' in shell(*how, sys.executable, '-c', connect, cwd='/').stderr
    return how


def spoil(package): pass


def lose_data(package): shutil.rmtree(package/'assets'/'mnist')


no_data = dict(without=lambda patch: patch.setattr(HERE, 'spoil', lose_data))


def installed(folder, *what):
    "A fresh environment that sees the libraries of this one, but not its mnist_course, with `what` installed into it"
    venv.create(folder, with_pip=False)
    site = next(folder.glob('lib/python*/site-packages'))
    (site/'libraries.pth').write_text(sysconfig.get_path('purelib')+'\n')       # read after its own; the .pth files there are not
    python = folder/'bin'/'python'
    r = shell(python, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index', '--no-build-isolation', *what, cwd=folder)
    assert r.returncode==0, r.stdout+r.stderr
    return folder/'bin', site


def climbs(where_bin, site, folder, *args):
    "The command runs offline, on data of its own, and finds its lessons"
    where = 'import mnist_course, pathlib; print(pathlib.Path(mnist_course.__file__).parent)'
    package = Path(shell(where_bin/'python', '-c', where, cwd=folder).stdout.strip())
    assert ROOT not in package.parents
    spoil(package)
    r = shell(*offline(), where_bin/'mnist_course', 'ladder', *args, cwd=folder)
    assert r.returncode==0 and (folder/'mnist_ladder'/'ladder.csv').exists(), r.stderr
    find = 'from mnist_course.core.files import find_lessons; print(len(list(find_lessons()[0].glob("*.ipynb"))))'
    assert int(shell(where_bin/'python', '-c', find, cwd=folder).stdout)==len(list((ROOT/'nbs').glob('*.ipynb')))


@pytest.mark.fault(46, **no_data)
def test_a_wheel_climbs_the_ladder_offline(built, tmp_path):
    climbs(*installed(tmp_path/'new', next(built.glob('*.whl'))), tmp_path, '--rungs', 'guess,pixel-l2,simple-net,fast')


@pytest.mark.fault(47, **no_data)
@pytest.mark.parametrize('kind', ['sdist', 'editable'])
def test_an_sdist_and_an_editable_install_do_too(built, tmp_path, kind):
    what = [next(built.glob('*.tar.gz'))] if kind=='sdist' else ['-e', copy_repo(tmp_path/'repo')]
    climbs(*installed(tmp_path/'new', *what), tmp_path, '--rungs', 'guess,pixel-l2')


LIBRARIES = 'import torch, safetensors, fastcore, typer, nbclient, pytest, hypothesis'
NOTEBOOKS = '03_loss', '07_mlp', 'classroom/cells'
RUN = """import sys, nbformat, nbclient
nbclient.NotebookClient(nbformat.read(sys.argv[1], 4), timeout=300).execute()"""


def interpreter(version):
    "That Python, on the path or where pyenv keeps it; None if there is none"
    kept = Path(os.environ.get('PYENV_ROOT') or Path.home()/'.pyenv')/'versions'
    is_it = f'import sys; sys.exit(sys.version_info[:2]!={tuple(map(int, version.split(".")))})'
    for python in (shutil.which(f'python{version}'), *sorted(kept.glob(f'{version}.*/bin/python'))):
        if python and shell(python, '-c', is_it, cwd='/').returncode==0: return python


def with_libraries(version, built, base):
    "That Python with the libraries, where OTHER_PYTHONS is set in an environment made for it, which processes that test side by side share"
    if f'{sys.version_info[0]}.{sys.version_info[1]}'==version: return sys.executable
    python = interpreter(version) or pytest.skip(f'no Python {version} here')
    if shell(python, '-c', LIBRARIES, cwd='/').returncode==0: return python
    if not os.environ.get('OTHER_PYTHONS'): pytest.skip(f'this Python {version} lacks the libraries; with OTHER_PYTHONS=1 they are installed, some 5.5 GB')
    folder, what = base/f'python{version}', [f"{next(built.glob('*.whl'))}[lessons]", 'pytest', 'pytest-timeout', 'hypothesis']
    with FileLock(f'{folder}.lock'):
        if not (folder/'done').exists():
            for command in (['venv', folder], ['pip', 'install', '-q', '--no-compile', '-c', ROOT/'constraints.txt', *what]):
                r = shell(folder/'bin'/'python' if command[0]=='pip' else python, '-m', *command, cwd=base, timeout=500)
                assert r.returncode==0, r.stderr
            (folder/'done').touch()
    return folder/'bin'/'python'


@pytest.mark.timeout(900)
@pytest.mark.fault(48, **no_data)
@pytest.mark.parametrize('version', ['3.11', '3.12', '3.13'])
def test_other_pythons_install_import_and_test(built, tmp_path_factory, tmp_path, version, count):
    "The wheel: commands, fast tests, and three notebooks"
    base = tmp_path_factory.getbasetemp()
    python = with_libraries(version, built, base.parent if 'PYTEST_XDIST_WORKER' in os.environ else base)
    r = shell(sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index', '--no-compile', '--target', tmp_path, next(built.glob('*.whl')), cwd=tmp_path)
    assert r.returncode==0, r.stderr
    spoil(tmp_path/'mnist_course')
    def runs(*args, cwd=tmp_path):
        r = shell(python, *args, cwd=cwd, PYTHONPATH=str(tmp_path))
        assert r.returncode==0, r.stdout+r.stderr
        return r.stdout
    Image.fromarray(255-load_mnist()[1].images[0].numpy()).save(tmp_path/'seven.png')    # dark ink on light paper
    for command,said in (('doctor', version), ('ladder --rungs guess,pixel-l2', 'pixel-l2'), ('predict seven.png', '7')):
        assert said in runs('-m', 'mnist_course.tools.cli', *command.split()), command
    (tmp_path/'tests').mkdir()    # they look for the package beside their own folder
    for name in ('lessons/test_data.py', 'checks.py', 'conftest.py', 'count.py', 'idx_files.py'): shutil.copy(ROOT/'tests'/name, tmp_path/'tests')
    runs('-m', 'pytest', '-q', '-x', tmp_path/'tests')
    if python==sys.executable: return    # nbdev_test has run them
    repo = copy_repo(tmp_path/'repo')
    for name in NOTEBOOKS:
        runs('-c', RUN, f'{Path(name).name}.ipynb', cwd=(repo/'nbs'/name).parent)
        count('notebooks run by other Pythons')


# What CI must not take for green

blind = {'checks.changed_by_rebuild': 'lambda repo: []', 'checks.not_completed': 'lambda log, root=None: []'}


@pytest.mark.fault(45, without=blind)
def test_a_notebook_that_leaves_early_with_0_is_not_counted(tmp_path):
    repo = copy_repo(tmp_path/'repo')
    cell = dict(cell_type='code', source=['import os; os._exit(0)'], outputs=[], metadata={}, execution_count=None, id='00000001')
    nb = repo/'nbs'/'02_gradients.ipynb'
    nb.write_text(json.dumps(json.loads(nb.read_text()) | dict(cells=[cell])))
    r = shell(Path(sys.executable).parent/'nbdev_test', '--path', nb, '--do_print', cwd=repo, PYTHONPATH=str(repo))
    assert r.returncode!=0 or 'nbs/02_gradients.ipynb' in checks.not_completed(r.stdout, repo), r.stdout


@pytest.mark.fault(45, without=blind)
def test_no_notebook_collected_is_not_green():
    assert len(checks.not_completed('No files were eligible for testing\n'))==len(checks.notebooks())


@pytest.mark.fault(45, without=blind)
def test_a_stale_export_and_an_unclean_notebook_are_caught(tmp_path):
    repo = copy_repo(tmp_path/'repo')
    module, nb = repo/'mnist_course'/'data.py', repo/'nbs'/'01_similarity.ipynb'
    module.write_text(module.read_text().replace('def keep(', 'def keep_these('))
    nb.write_text(nb.read_text().replace('"language_info": {}', '').replace('"metadata": {}', '"metadata": {"scrolled": true}', 1))
    assert checks.changed_by_rebuild(repo)==['mnist_course/data.py', 'nbs/01_similarity.ipynb']


# Lessons

LESSONS = '''
import copy, sys, nbformat
from nbclient import NotebookClient
sys.path.insert(0, sys.argv[1])
from checks import same
def printed(nb): return [''.join(o.text for o in c.outputs if o.output_type=='stream' and o.name=='stdout') for c in nb.cells if c.cell_type=='code']
for path in sys.argv[2:]:
    nb = nbformat.read(path, 4)
    run = NotebookClient(copy.deepcopy(nb), kernel_name='python3', timeout=120).execute()
    for i,(was,now) in enumerate(zip(printed(nb), printed(run))):
        if not same(' '.join(was.split()), ' '.join(now.split())): sys.exit(f'{path}, code cell {i}: {was!r}, now {now!r}')
'''


def read(path): return path.read_text(encoding='utf-8')


def unseeded(path): return re.sub(r'(Generator\(\))\.manual_seed\([^)]*\)', r'\1', path.read_text(encoding='utf-8'))


@pytest.mark.fault(44, without=lambda patch: patch.setattr(HERE, 'read', unseeded))
def test_lessons_out_of_order_twice_from_another_folder_show_the_same(tmp_path):
    names = ['03_loss.ipynb', '02_gradients.ipynb', '03_loss.ipynb']
    for name in set(names): (tmp_path/name).write_text(read(ROOT/'nbs'/name), encoding='utf-8')
    r = shell(sys.executable, '-c', LESSONS, ROOT/'tests', *names, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert r.returncode==0, r.stdout[-500:]+r.stderr[-2000:]


def test_no_pin_is_known_to_be_vulnerable():
    "By pip-audit, where it is installed and its source answers; else left out, with a line that says so"
    audit = shutil.which('pip-audit', path=f'{Path(sys.executable).parent}:{os.environ["PATH"]}')
    if not audit: pytest.skip('supply chain left out: pip-audit is not installed here')
    r = shell(audit, '-f', 'json', '-r', ROOT/'constraints.txt', '--no-deps', '--disable-pip', '--progress-spinner', 'off', cwd=ROOT)
    try: found = json.loads(r.stdout)['dependencies']
    except ValueError: pytest.skip('supply chain left out: the source of pip-audit does not answer')
    asked = [d for d in found if 'vulns' in d]
    if len(asked)<len(found)/2: pytest.skip(f'supply chain left out: the source of pip-audit knows {len(asked)} of {len(found)} packages')
    assert [(d['name'], d['version'], [v['id'] for v in d['vulns']]) for d in asked if d['vulns']]==[]
