"What is built from a clone can be used without it"
import email, json, os, subprocess, sys, tarfile, zipfile
from importlib.metadata import version
from pathlib import Path

import pip
from checks import ROOT

names = [f'{split}-{kind}-ubyte.gz' for split in ('train','t10k') for kind in ('images-idx3','labels-idx1')]
lessons = sorted(p.name for p in (ROOT/'nbs').glob('*.ipynb'))


def sources(pattern):
    "Files of the package, as paths in the repository"
    found = (ROOT/'mnist_course').rglob(pattern) if '/' not in pattern else (ROOT/'mnist_course').glob(pattern)
    return {p.relative_to(ROOT).as_posix() for p in found if p.is_file() and '__pycache__' not in p.parts}


def test_sdist_holds_the_sources(built):
    with tarfile.open(next(built.glob('*.tar.gz'))) as tar: inside = {n.split('/', 1)[-1] for n in tar.getnames()}
    due = {'settings.ini', 'setup.py', 'constraints.txt', 'LICENSE', 'README.md', 'CONTRIBUTING.md', *sources('*.py'), *sources('assets/*/*')}
    assert {'mnist_course/assets/mnist/LICENSE', 'mnist_course/assets/mnist/SHA256SUMS', 'mnist_course/exercises/loss.py'} <= due
    assert due | {f'mnist_course/assets/mnist/{n}' for n in names} | {f'nbs/{n}' for n in lessons} <= inside


def test_wheel_holds_data_modules_and_lessons(built):
    "The wheel is made from the sdist, so this holds the sdist to being enough"
    with zipfile.ZipFile(next(built.glob('*.whl'))) as wheel: inside = set(wheel.namelist())
    due = sources('*.py') | sources('assets/*/*')
    assert {'mnist_course/assets/models/small-convnet.safetensors', 'mnist_course/assets/web/page.html', 'mnist_course/assets/web/widget.js',
            'mnist_course/core/__init__.py', 'mnist_course/tools/cli.py'} <= due
    assert due | {f'mnist_course/assets/mnist/{n}' for n in names} | {f'mnist_course/lessons/{n}' for n in lessons} <= inside


def test_metadata_has_the_layers(built):
    with zipfile.ZipFile(next(built.glob('*.whl'))) as wheel:
        meta = email.message_from_bytes(wheel.read(next(n for n in wheel.namelist() if n.endswith('METADATA'))))
        scripts = wheel.read(next(n for n in wheel.namelist() if n.endswith('entry_points.txt'))).decode()
    assert set(meta.get_all('Provides-Extra'))=={'lessons','course','cluster','heic','data','site','dev'} and meta['Requires-Python']=='>=3.11'
    layers = {extra: set() for extra in ('', 'lessons', 'course', 'cluster', 'heic', 'data', 'site', 'dev')}
    for need in meta.get_all('Requires-Dist'):
        name, _, extra = need.partition('; extra == ')
        layers[extra.strip('\'"')].add(name.split('<')[0].split('>')[0].strip())
    assert {'torch','numpy','pillow','matplotlib','safetensors','fastcore','typer','rich'} <= layers['']
    assert not layers[''] & {'fastai','fastbook','jupyter','nbdev','torchvision','pytest'}
    assert {'jupyterlab','pandas'} <= layers['lessons'] <= layers['course'] and not layers['lessons'] & {'fastai','fastbook','torchvision','scikit-learn','tensorboard'}
    assert {'fastai','fastbook','jupyter','torchvision'} <= layers['course'] and {'sphinx','myst-nb'} <= layers['site']
    assert layers['course'] | layers['cluster'] | layers['heic'] | layers['data'] | layers['site'] | {'nbdev','execnb','pytest','hypothesis'} <= layers['dev']
    assert 'mnist_course = mnist_course.tools.cli:main' in scripts.replace('=', ' = ').replace('  ', ' ')


def test_wheel_works_without_the_clone(built, tmp_path):
    "Unpacked somewhere else, it finds its own data, lessons, models and parts of the page"
    with zipfile.ZipFile(next(built.glob('*.whl'))) as wheel: wheel.extractall(tmp_path)
    code = """
import mnist_course, sys
from pathlib import Path
from mnist_course.data import load_mnist
here = Path(mnist_course.__file__).parent
print(here, len(load_mnist()[0]), len(list((here/'lessons').glob('*.ipynb'))))
from mnist_course.page import write_page, find_reader
assert len(write_page('draw.html').read_bytes())>1_000_000 and find_reader()[1]==list(range(10))
"""
    out = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, env=os.environ|{'PYTHONPATH':str(tmp_path)}, capture_output=True, text=True, check=True).stdout
    assert out.split()==[str(tmp_path/'mnist_course'), '60000', str(len(lessons))]


def test_constraints_hold_what_is_known_to_break():
    "Each requirement of each layer is pinned, within its bounds, and nothing names an index"
    from configparser import ConfigParser
    from packaging.requirements import Requirement
    parser = ConfigParser(delimiters=['='])
    parser.read(ROOT/'settings.ini', encoding='utf-8')
    lines = (ROOT/'constraints.txt').read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.lstrip().startswith('#')]
    here = {r.name: str(r.specifier)[2:] for r in pins if not r.marker or r.marker.evaluate()}
    for layer in ('requirements','lessons_requirements','course_requirements','dev_requirements'):
        for r in map(Requirement, parser['DEFAULT'][layer].split()): assert r.specifier.contains(here[r.name], prereleases=True), r
    assert here['execnb'].startswith('0.1.') and here['fastcore'].startswith('1.') and here['nbdev'].startswith('2.')
    assert all(str(r.specifier).startswith('==') for r in pins) and not [line for line in lines if '://' in line or line.startswith('-')]


def test_readme_names_the_pinned_torch():
    "The line for the small build holds the versions of constraints.txt"
    pins = [line.split(' ')[0] for line in (ROOT/'constraints.txt').read_text().splitlines() if line.startswith(('torch==','torchvision=='))]
    assert len(pins)==2 and all(f' {pin} ' in (ROOT/'README.md').read_text(encoding='utf-8') for pin in pins)


# Colab's own packages, or nearly: other versions than ours, and all admissible
THEIRS = dict(torch='2.6.0', torchvision='0.21.0', numpy='2.0.2', pillow='11.1.0', scipy='1.14.1', matplotlib='3.10.0', safetensors='0.5.3',
              fastcore='1.7.29', filelock='3.17.0', typer='0.15.1', rich='13.9.4', ipython='7.34.0')

def planned(tmp_path, wheel, installed, *more):
    "What pip would install beside packages of these versions: name -> version; no index, so anything else has nowhere to come from"
    place = tmp_path/'lib'
    for name,number in installed.items():
        info = place/f'{name}-{number}.dist-info'
        info.mkdir(parents=True)
        (info/'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: {number}\n')
        (info/'RECORD').write_text('')
        (info/'INSTALLER').write_text('pip\n')
    (place/'pip').symlink_to(Path(pip.__file__).parent)
    code = f"import sys; sys.path[:] = [p for p in sys.path if not p.endswith('site-packages')] + [{str(place)!r}]; from pip._internal.cli.main import main; sys.exit(main())"
    r = subprocess.run([sys.executable, '-I', '-c', code, 'install', '--dry-run', '--quiet', '--no-index', '--report', '-', str(wheel), *more], capture_output=True, text=True, cwd=tmp_path)
    return r.returncode, {i['metadata']['name'].replace('-', '_'): i['metadata']['version'] for i in json.loads(r.stdout)['install']} if not r.returncode else r.stderr


def test_an_environment_with_other_admissible_versions_stays_as_it_is(built, tmp_path):
    "As on Colab: the package comes on its own, and torch, torchvision and numpy are not touched"
    assert planned(tmp_path, next(built.glob('*.whl')), THEIRS)==(0, {'mnist_course': version('mnist_course')})


def test_a_version_that_is_too_old_would_be_replaced(built, tmp_path):
    code, said = planned(tmp_path, next(built.glob('*.whl')), THEIRS|{'numpy': '1.20.0'})
    assert code and 'numpy' in said


def test_torch_torchvision_and_numpy_are_refused_rather_than_replaced(built, tmp_path):
    "Where a version that fits could be had: the cell that installs names the one that is there"
    for number in ('2.1.0', '1.20.0'):
        with zipfile.ZipFile(tmp_path/f'numpy-{number}-py3-none-any.whl', 'w') as wheel:
            wheel.writestr(f'numpy-{number}.dist-info/METADATA', f'Metadata-Version: 2.1\nName: numpy\nVersion: {number}\n')
            wheel.writestr(f'numpy-{number}.dist-info/WHEEL', 'Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n')
            wheel.writestr(f'numpy-{number}.dist-info/RECORD', '')
    wheel, there, offered = next(built.glob('*.whl')), THEIRS | {'numpy': '1.20.0', 'torch': '2.6.0+cu124'}, ('-f', tmp_path)
    assert planned(tmp_path/'free', wheel, there, *offered)==(0, {'mnist_course': version('mnist_course'), 'numpy': '2.1.0'})
    code, said = planned(tmp_path/'held', wheel, there, *offered, 'numpy==1.20.0', 'torch==2.6.0+cu124')
    assert code and 'ERROR: Cannot install' in said and 'numpy==1.20.0' in said
    assert planned(tmp_path/'fits', wheel, there | {'numpy': '2.0.2'}, *offered, 'numpy==2.0.2', 'torch==2.6.0+cu124')==(0, {'mnist_course': version('mnist_course')})


# Where a real pip would fetch the package: keeps what it was asked for, then unpacks the wheel, or fails as it does without internet
PIP = """import os, sys, zipfile
open('asked.txt', 'w').write(' '.join(sys.argv[1:]))
if os.environ['WHEEL']: zipfile.ZipFile(os.environ['WHEEL']).extractall(os.environ['PLACE'])
else: sys.exit("  error: subprocess-exited-with-error\\n      fatal: unable to access 'https://github.com/': Could not resolve host\\nERROR: Failed to build")
"""

def opened(tmp_path, wheel, then=''):
    "Run the cell that opens lesson 18 in `tmp_path/'open'`, on a Python without packages but two that were there"
    place, cell = tmp_path/'lib', next(c for c in json.loads((ROOT/'nbs'/'18_golf.ipynb').read_text(encoding='utf-8'))['cells'] if c['id']=='elsewhere-install')
    for name in ('torch-2.6.0+cu124', 'numpy-2.0.2'):
        (place/f'{name}.dist-info').mkdir(parents=True)
        (place/f'{name}.dist-info'/'METADATA').write_text('Metadata-Version: 2.1\nName: {}\nVersion: {}\n'.format(*name.split('-')))
    (place/'pip').mkdir()
    (place/'pip'/'__init__.py').touch()
    (place/'pip'/'__main__.py').write_text(PIP)
    (tmp_path/'open').mkdir(exist_ok=True)
    env = os.environ | {'PYTHONPATH': str(place), 'PLACE': str(place), 'WHEEL': str(wheel)}
    return subprocess.run([sys.executable, '-S', '-c', '\n'.join([''.join(cell['source']), then])], cwd=tmp_path/'open', env=env, capture_output=True, text=True)


def test_a_lesson_on_its_own_gets_the_package_and_the_tables(built, tmp_path):
    "As on Colab, by its installing cell, beside a folder of the package's name; what lies in results/ stays"
    (tmp_path/'open'/'mnist_course'/'nbs').mkdir(parents=True)    # a clone, or what is left of one
    own = tmp_path/'open'/'results'/'recipes'/'recipes.csv'
    own.parent.mkdir(parents=True)
    own.write_text('mine')
    r = opened(tmp_path, next(built.glob('*.whl')), 'import mnist_course; print(mnist_course.__file__)')
    assert r.returncode==0 and r.stdout.strip()==str(tmp_path/'lib'/'mnist_course'/'__init__.py'), r.stderr
    asked = (tmp_path/'open'/'asked.txt').read_text()
    assert asked.startswith('install -q mnist_course @ git+https://') and asked.endswith(' torch==2.6.0+cu124 numpy==2.0.2')
    there, due = ({p.relative_to(f).as_posix() for p in (f/'results').rglob('*') if p.is_file()} for f in (tmp_path/'open', ROOT/'nbs'))
    assert there==due and 'results/golf/golf.csv' in there and own.read_text()=='mine'
    assert {p.name for p in (tmp_path/'open').iterdir()}=={'asked.txt', 'mnist_course', 'results'}


def test_a_lesson_on_its_own_without_internet_says_so_in_one_line(tmp_path):
    r = opened(tmp_path, '')
    assert r.returncode==1 and len(r.stderr.splitlines())==1 and 'Could not resolve host)' in r.stderr and '"Settings, Internet"' in r.stderr and 'links above' in r.stderr


def test_where_the_package_is_nothing_is_installed(built, tmp_path):
    "Nor are tables copied"
    with zipfile.ZipFile(next(built.glob('*.whl'))) as wheel: wheel.extractall(tmp_path/'lib')
    r = opened(tmp_path, '')
    assert r.returncode==0 and not list((tmp_path/'open').iterdir()), r.stderr


def test_binder_and_codespaces_install_what_is_there():
    "Their files name the layer and the constraints of this repository, and a Python that the course is tried on"
    lines = [line for line in (ROOT/'binder'/'requirements.txt').read_text().splitlines() if not line.startswith('#')]
    assert lines==['-c ../constraints.txt', '-e .[lessons]'] and (ROOT/'binder'/'runtime.txt').read_text()=='python-3.11\n'
    box = json.loads((ROOT/'.devcontainer'/'devcontainer.json').read_text())
    assert box['image'].startswith('python:3.11') and "pip install -c constraints.txt -e '.[lessons]'" in box['postCreateCommand']
