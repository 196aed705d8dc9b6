"`mnist_course doctor` on a sound environment and on broken ones: what it says, what it tells one to do, and how it ends"
import json, os, shutil, subprocess, sys

import pytest
from checks import ROOT


def doctor(*args, cwd, **env):
    "Exit code of a process of its own, and what it found: name -> finding"
    code = 'import sys; from mnist_course.tools.cli import main; main(sys.argv[1:])'
    r = subprocess.run([sys.executable, '-c', code, 'doctor', '--json', *args], cwd=cwd, capture_output=True, text=True,
                       env=os.environ|{'PYTHONPATH': str(ROOT)}|env)
    assert r.stderr=='', r.stderr
    return r.returncode, {f['what']: f for f in json.loads(r.stdout)}


def stops(found): return {what for what,f in found.items() if f['state']=='stop'}


def test_a_sound_environment(tmp_path):
    code, found = doctor(cwd=tmp_path)
    assert (code, stops(found))==(0, set()), found
    assert {'Python', 'PyTorch', 'torchvision', 'JupyterLab', 'fonts', 'cache', 'data', 'ports', 'packages of course'}<=set(found)
    assert all(f['todo'] for f in found.values() if f['state']!='well')


TORCH = """
from types import SimpleNamespace as N
__version__, version = '2.15.0', N(cuda=None)
cuda, backends = N(is_available=lambda: False, device_count=lambda: 0), N(mps=N(is_available=lambda: False))
def ones(n): return N(sum=lambda: N(item=lambda: n))
"""

def planted(folder, package=ROOT, **sources):
    "Modules that Python finds before the real ones; a light torch among them, where torch is not the point"
    (folder/'planted').mkdir(exist_ok=True)
    for name,source in {'torch': TORCH, 'torchvision': "__version__ = '0.29.2'", **sources}.items(): (folder/'planted'/f'{name}.py').write_text(source)
    return dict(PYTHONPATH=os.pathsep.join([str(folder/'planted'), str(package)]))


def test_a_broken_torch_stops_and_hides_nothing_else(tmp_path):
    code, found = doctor(cwd=tmp_path, **planted(tmp_path, torch="raise OSError('libcudart.so.12: cannot open shared object file')"))
    assert (code, stops(found))==(1, {'PyTorch'})
    assert 'libcudart' in found['PyTorch']['found'] and 'pip install' in found['PyTorch']['todo']
    assert found['data']['state']==found['Python']['state']=='well'


def test_a_torchvision_for_another_torch_stops(tmp_path):
    code, found = doctor(cwd=tmp_path, **planted(tmp_path, torchvision="raise RuntimeError('operator torchvision::nms does not exist')"))
    assert (code, stops(found))==(1, {'torchvision'}) and 'nms' in found['torchvision']['found']


def test_missing_and_wrong_packages_stop(tmp_path):
    "A newer fastcore, and no fastai: as a metadata finder that stands before the real one tells"
    source = """
from importlib import metadata
real = metadata.version
def version(name):
    if name=='fastai': raise metadata.PackageNotFoundError(name)
    return '9.0' if name=='fastcore' else real(name)
metadata.version = version
"""
    code, found = doctor(cwd=tmp_path, **planted(tmp_path, sitecustomize=source))
    assert code==1 and stops(found)=={'packages of the package', 'packages of course'}
    assert 'fastcore 9.0, wanted' in found['packages of the package']['found'] and found['packages of course']['found']=='missing: fastai'


@pytest.mark.parametrize('module, source, said', [
    ('scipy', "raise ImportError('libopenblas.so: cannot open shared object file')", 'scipy: ImportError: libopenblas.so'),
    ('pandas', 'import os; os._exit(132)', 'pandas: it ends Python, with 132'),
    ('fastai', "raise SystemExit", 'fastai: SystemExit'),
    ('PIL', "import nothing_of_this_name", "PIL: ModuleNotFoundError: No module named 'nothing_of_this_name'")])
def test_a_library_that_is_there_and_cannot_be_imported_stops(tmp_path, module, source, said):
    code, found = doctor(cwd=tmp_path, **planted(tmp_path, **{module: source}))
    assert code==1 and 'imports' in stops(found) and said in found['imports']['found']
    assert found['data']['state']==found['packages of lessons']['state']=='well'


def test_a_torch_that_ends_the_process_stops_and_hides_nothing_else(tmp_path):
    "As where it is built for a newer processor"
    code, found = doctor(cwd=tmp_path, **planted(tmp_path, torch='import os, signal; os.kill(os.getpid(), signal.SIGILL)'))
    assert (code, stops(found))==(1, {'PyTorch'}) and 'ends Python, with -4' in found['PyTorch']['found']


@pytest.mark.parametrize('name', ['random.py', 'scipy.py', 'torch/__init__.py'])
def test_a_file_with_the_name_of_a_module_stops(tmp_path, name):
    "Beside the notebook, as a kernel sees it; the command itself starts elsewhere"
    here = tmp_path/'here'
    (here/name).parent.mkdir(parents=True)
    (here/name).write_text('')
    (here/'mine.py').write_text('')
    r = subprocess.run([sys.executable, '-P', '-c', 'from mnist_course.tools.cli import main; main(["doctor", "--json"])'], cwd=here, capture_output=True, text=True,
                       env=os.environ|planted(tmp_path))
    found = {f['what']: f for f in json.loads(r.stdout)}
    assert r.returncode==1 and found['names']['state']=='stop' and name.partition('/')[0] in found['names']['found'] and 'mine' not in found['names']['found']


def test_a_full_disk_and_closed_output(tmp_path, monkeypatch):
    from mnist_course.tools.doctor import check_folder
    monkeypatch.setattr(shutil, 'disk_usage', lambda folder: shutil._ntuple_diskusage(10**9, 10**9, 0))
    assert check_folder('this folder', tmp_path).state=='stop'
    r = subprocess.run(['bash', '-c', f'"{sys.executable}" -m mnist_course.tools.cli doctor >&-'], cwd=ROOT, capture_output=True, text=True)
    assert (r.returncode, r.stderr)==(0, '')


def test_damaged_data_stop(tmp_path):
    "A copy of the package in which one file of MNIST is cut short"
    shutil.copytree(ROOT/'mnist_course', tmp_path/'mnist_course', ignore=shutil.ignore_patterns('__pycache__'))
    file = tmp_path/'mnist_course'/'assets'/'mnist'/'train-labels-idx1-ubyte.gz'
    file.write_bytes(file.read_bytes()[:-9])
    code, found = doctor(cwd=tmp_path, **planted(tmp_path, package=tmp_path))
    assert (code, stops(found))==(1, {'data'}) and 'train-labels-idx1-ubyte' in found['data']['found'] and 'reinstall' in found['data']['todo']


def test_a_cache_that_cannot_be_written_stops(tmp_path):
    (tmp_path/'cache').write_text('a file where a folder ought to be')
    code, found = doctor(cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path/'cache'), MPLCONFIGDIR=str(tmp_path/'mpl'), **planted(tmp_path))
    assert (code, stops(found))==(1, {'cache'}) and str(tmp_path/'cache') in found['cache']['found']


def test_no_jupyterlab_and_no_port_stop(monkeypatch):
    import socket
    from importlib import metadata
    from mnist_course.tools.doctor import CHECKS, doctor_text, examine
    real = metadata.version
    def version(name):
        if name=='jupyterlab': raise metadata.PackageNotFoundError(name)
        return real(name)
    monkeypatch.setattr(metadata, 'version', version)
    def refused(self, address): raise OSError('not allowed')
    monkeypatch.setattr(socket.socket, 'bind', refused)
    out = doctor_text(examine({name: CHECKS[name] for name in ('Python', 'JupyterLab', 'ports')}))
    assert '✗ JupyterLab' in out and '✗ ports' in out and out.endswith('2 things would stop a lesson.')


@pytest.mark.parametrize('version, state', [((3,10,9), 'stop'), ((3,12,1), 'well'), ((3,15,0), 'note')])
def test_python(version, state):
    from mnist_course.tools.doctor import check_python
    assert check_python(version).state==state
