"Faults 112 to 115: places that two runs share, pipes among notebooks, and tables that are written for hours"
import os, shutil, threading

import pytest
from checks import ROOT
from damage import mutant
from test_run_faults import contents, tiny  # noqa: F401    # a fixture

from mnist_course.classroom.copies import reset_exercise, start_course
from mnist_course.core.files import held
from mnist_course.tools import cli  # noqa: F401    # its import makes the commands known
from mnist_course.tools import other_sets, photos, site
from mnist_course.tools.cli_app import run_command

FREE = '__import__("contextlib").nullcontext'


@pytest.fixture
def one(tmp_path_factory):
    "A course of one lesson"
    folder = tmp_path_factory.mktemp('lessons')
    shutil.copy(ROOT/'nbs'/'03_loss.ipynb', folder)
    return folder


def said(place): return f'another run writes to {place}: wait until it has ended, or name another'


# Two runs, one place

@pytest.mark.fault(112, without={'mnist_course.core.files.held': FREE})
def test_curves_of_two_runs_do_not_mix(tmp_path, tiny, monkeypatch):    # noqa: F811
    monkeypatch.chdir(tmp_path)
    args = ['train', 'softmax-regression', '--bs', '50', '--epochs', '1', '--log', 'runs', '--out']
    (tmp_path/'runs'/'two').mkdir(parents=True)
    with held(tmp_path/'runs'/'two'):
        assert run_command(*args, 'b/two')==(2, '', f'mnist_course: {said("runs/two")}\n')
        assert run_command(*args, 'b/other')[0]==0
    assert not (tmp_path/'b'/'two').exists() and not contents(tmp_path/'runs'/'two')
    assert run_command(*args, 'runs/two')[0]==0    # curves and models in one folder: it is held once
    (tmp_path/'file').touch()
    code, _, err = run_command(*args[:-2], 'file', '--out', 'c')    # a log may fail, and stops nothing
    assert code==0 and 'training goes on without it' in err


@pytest.mark.fault(112, without={'mnist_course.tools.site.held': FREE})
@pytest.mark.parametrize('made', [False, True])
def test_a_site_is_built_by_one_run_at_a_time(tmp_path, monkeypatch, made):
    out, began = tmp_path/'site', []
    def build(root, src, commands):
        began.append(contents(out) if made else [])
        if len(began)==1:
            with pytest.raises(OSError, match=f'another run writes to {out}: wait'): site.build_site(tmp_path, out)
        raise ZeroDivisionError
    monkeypatch.setattr(site, 'write_source', build)
    if made: out.mkdir()
    (tmp_path/'.site-site.lock').touch()    # left by a run that was killed
    with pytest.raises(ZeroDivisionError): site.build_site(tmp_path, out)
    assert len(began)==1 and not began[0] and not list(tmp_path.glob('.site-*'))    # no file of ours is open in a folder that is going to be renamed


@pytest.mark.fault(112, without={'mnist_course.classroom.copies.held': FREE})
def test_two_resets_lose_no_answer(tmp_path, one):
    start_course(tmp_path, lessons=one)
    before = (tmp_path/'03_loss.ipynb').read_bytes()
    with held(tmp_path), pytest.raises(OSError, match='another run writes to '): reset_exercise(tmp_path, '03.2', one)
    assert (tmp_path/'03_loss.ipynb').read_bytes()==before
    reset_exercise(tmp_path, '03.2', one)


tables = {f'mnist_course.tools.{name}.held': FREE for name in ('other_sets', 'photos')}

@pytest.mark.fault(112, without=tables)
@pytest.mark.parametrize('write', [lambda path: other_sets.other_sets(path, []), lambda path: photos.save_photos(path, 1)])
def test_a_table_is_filled_by_one_run_at_a_time(tmp_path, monkeypatch, write):
    monkeypatch.setattr(photos, 'PHOTOS', {})
    with held(tmp_path/'t.csv'), pytest.raises(OSError, match='another run writes to '): write(tmp_path/'t.csv')
    write(tmp_path/'t.csv')


# What is read, and what is begun

whatever = mutant('mnist_course.classroom.copies._read_if_whole', 'path.is_file()', 'True') | {'mnist_course.core.files.read_whole': 'lambda path: Path(path).read_bytes()'}

@pytest.mark.fault(113, without=whatever)    # where one of both is left, nobody waits
def test_a_pipe_among_the_copies_is_not_waited_for(tmp_path, one):
    start_course(tmp_path, lessons=one)
    pipe = tmp_path/'03_loss.ipynb'
    pipe.unlink()
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: os.close(os.open(pipe, os.O_WRONLY)), daemon=True)    # waits until somebody reads
    writer.start()
    try:
        written = start_course(tmp_path, True, one)
        assert writer.is_alive() and [p.name for p in written]==['03_loss-new.ipynb']
    finally:
        os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
        writer.join(10)


@pytest.mark.fault(114, without=mutant('mnist_course.tools.photos.save_photos', 'with held(path):', "with path.open('w'):"))
def test_a_table_that_fails_at_its_first_row_leaves_the_old_one(tmp_path):
    (tmp_path/'t.csv').write_text('old')
    with pytest.raises(TypeError): photos.save_photos(tmp_path/'t.csv', None)    # so many photos of each digit: it fails as soon as it begins
    assert contents(tmp_path)=={'t.csv': b'old'}


@pytest.mark.fault(115, without=mutant('mnist_course.tools.cli_app._about_file', 'near and near!=path.name', 'near'))
def test_a_link_that_leads_nowhere_is_no_hint(tmp_path):
    (tmp_path/'net.safetensors').symlink_to('nowhere')
    code, _, err = run_command('draw', '--no-browser', '--out', tmp_path/'x.html', '--model', tmp_path/'net.safetensors')
    assert (code, err)==(2, f'mnist_course: {tmp_path}/net.safetensors: no such file or directory\n')
