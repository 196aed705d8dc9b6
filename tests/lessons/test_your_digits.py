"What pictures and `predict` cost: memory for the largest pictures that it takes, and libraries"
import os, subprocess, sys

import numpy as np
import pytest
from checks import ROOT
from PIL import Image, features

ASK = r'''
import re, sys
from mnist_course.your_digits import predict
answer, = predict(sys.argv[1])
most = re.search(r'VmHWM:\s*(\d+) kB', open('/proc/self/status').read()) if sys.platform=='linux' else '00'
print(answer.digit, int(most[1])//1024, 'torch' in sys.modules)
'''
FORMATS = dict(rgb=('png', 400), rgba=('png', 400), sixteen=('png', 400), jpeg=('jpg', 150), progressive=('jpg', 400), webp=('webp', 700))    # most megabytes


def asked(path):
    "Digit, megabytes, and whether torch was imported, from a process of its own"
    r = subprocess.run([sys.executable, '-c', ASK, path], env=os.environ|{'PYTHONPATH': str(ROOT)}, capture_output=True, text=True, check=True)
    digit, megabytes, torch = r.stdout.split()
    return int(digit), int(megabytes), torch=='True'


@pytest.mark.skipif(sys.platform!='linux', reason='no /proc that tells the memory')
@pytest.mark.parametrize('kind', FORMATS)
def test_forty_million_pixels_stay_within_the_stated_memory(tmp_path, kind):
    ending, most = FORMATS[kind]
    if kind=='webp' and not features.check('webp'): pytest.skip('Pillow without WebP')
    page = np.full((6300,6300), 230, np.uint8)
    page[2000:5000,3000:3300] = 20
    modes = dict(rgba='RGBA', sixteen='I;16')
    picture = Image.fromarray(page.astype(np.uint16)*256 if kind=='sixteen' else page)
    if kind!='sixteen': picture = picture.convert(modes.get(kind, 'RGB'))
    picture.save(path := tmp_path/f'one.{ending}', compress_level=1, progressive=kind=='progressive', subsampling=0)
    digit, megabytes, torch = asked(path)
    assert (digit, torch)==(1, False) and megabytes<most, megabytes


def test_a_photo_is_answered_with_few_libraries(tmp_path):
    "NumPy, Pillow and SciPy's ndimage, and neither torch nor what draws, trains or makes commands"
    page = np.full((900,700), 230, np.uint8)
    page[200:700,300:360] = 20
    Image.fromarray(page).save(path := tmp_path/'one.png')
    code = 'import sys\nfrom mnist_course.your_digits import predict\nprint(predict(sys.argv[1])[0].digit, *{m.split(".")[0] for m in sys.modules})'
    r = subprocess.run([sys.executable, '-c', code, path], env=os.environ|{'PYTHONPATH': str(ROOT)}, capture_output=True, text=True, check=True)
    digit, *roots = r.stdout.split()
    assert digit=='1' and {'numpy','PIL','scipy','mnist_course'} <= set(roots)
    assert not set(roots) & {'torch','matplotlib','fastai','torchvision','typer','rich','IPython','pandas','sklearn'}


def test_reading_a_picture_needs_numpy_pillow_and_scipy_alone():
    "Of the course it loads nothing else: core lies below all lessons"
    code = 'import sys\nimport mnist_course.core.pictures\nprint(*sys.modules)'
    r = subprocess.run([sys.executable, '-c', code], env=os.environ|{'PYTHONPATH': str(ROOT)}, capture_output=True, text=True, check=True)
    modules = r.stdout.split()
    assert {m for m in modules if m.startswith('mnist_course')}=={'mnist_course', 'mnist_course.core', 'mnist_course.core.pictures'}
    assert not {m.split('.')[0] for m in modules} & {'torch','matplotlib','safetensors','fastcore','fastai','typer','IPython'}


def test_lesson_15_hands_on_what_has_moved():
    from mnist_course import your_digits
    from mnist_course.core import pictures
    for name in ('MAX_PIXELS', 'SIDE', 'FORMATS', 'TURNS', 'read_picture', 'fake_photo', 'disc'):
        assert getattr(your_digits, name) is getattr(pictures, name)
