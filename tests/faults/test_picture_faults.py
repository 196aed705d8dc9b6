"Faults 83 to 95: pictures and networks by command that hang, take all day, make no sense, or would take the others with them"
import io, json, multiprocessing, os, pty, signal, struct, subprocess, sys, threading, time
from types import MappingProxyType
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from checks import ROOT
from damage import mutant
from PIL import Image
from torch import nn

from mnist_course import page
from mnist_course.core import numpy_forward, pictures
from mnist_course.persist import read_tensors, write_tensors
from mnist_course.recipes import Pixels
from mnist_course.speed_answer import save_numpy
from mnist_course.tools import cli_read
from mnist_course.tools.cli_app import run_command
from mnist_course.your_digits import find_model, predict

PICTURES, NUMPY, READ = 'mnist_course.core.pictures', 'mnist_course.core.numpy_forward', 'mnist_course.tools.cli_read'
command = Path(sys.executable).parent/'mnist_course'


def drawn(x=0):
    "A drawn 1"
    a = np.full((60,60), 230, np.uint8)
    a[15:45,27+x:32+x] = 20
    return Image.fromarray(a)


def as_bytes(picture, kind='PNG', **options):
    picture.save(file := io.BytesIO(), kind, **options)
    return file.getvalue()


# What is no file

@pytest.fixture
def pipe(tmp_path):
    "A named pipe; whoever opens it is not kept waiting for ever, so that the control ends"
    os.mkfifo(path := tmp_path/'pipe.png')
    done = threading.Event()
    def let_go():
        while not done.wait(.05):
            with suppress(OSError): os.close(os.open(path, os.O_WRONLY|os.O_NONBLOCK))    # an error while nobody reads
    helper = threading.Thread(target=let_go)
    helper.start()
    yield path
    done.set()
    helper.join()


@pytest.mark.fault(83, without={f'{PICTURES}._check_file': 'lambda path: None'})
def test_a_named_pipe_or_a_device_is_refused_before_it_is_opened(pipe):
    for path in (pipe, '/dev/zero', '/dev/null'):
        code, out, err = run_command('predict', path)
        assert (code, out)==(2, '') and err.startswith(f'mnist_course: {path}: a pipe or a device: ') and err.count('\n')==1, err


@pytest.mark.fault(83, without=mutant(f'{NUMPY}.read_numpy', 'if Path(path).exists() and not', 'if False and not'))
def test_a_named_pipe_as_a_model_of_the_page_is_refused(pipe, tmp_path):
    code, _, err = run_command('draw', '--no-browser', '--out', tmp_path/'d.html', '--model', pipe)
    assert code==2 and f'{pipe}: a pipe or a device' in err and not (tmp_path/'d.html').exists()


@pytest.fixture
def stdin(monkeypatch):
    "Bytes come through a pipe, as from another program; or a terminal is there, where nobody types"
    opened = []
    def set_to(data):
        theirs, mine = os.pipe() if data is not None else pty.openpty()[::-1]
        opened.extend([os.fdopen(theirs, 'r'), os.fdopen(mine, 'wb')])
        if data is not None:
            opened[1].write(data)
            opened[1].close()
        monkeypatch.setattr(sys, 'stdin', opened[0])
    yield set_to
    for file in opened: file.close()


@pytest.mark.fault(84, without={f'{READ}.sources': 'lambda pictures: pictures'})
@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'TIFF', 'WEBP'])
def test_a_picture_comes_through_a_pipe_among_files(stdin, tmp_path, kind):
    drawn().save(tmp_path/'one.png')
    stdin(as_bytes(drawn(), kind))
    code, out, err = run_command('predict', tmp_path/'one.png', '-', tmp_path/'one.png', '-')
    assert [line.split(': ')[1][0] for line in out.splitlines()]==['1']*3 and out.splitlines()[1].startswith('-: 1')
    assert code==2 and err=='mnist_course: standard input: it can be read once, and - stands there twice\n'


@pytest.mark.fault(84, without={f'{READ}.piped_picture': "lambda: __import__('io').BytesIO(b'what is typed in time')"})
@pytest.mark.parametrize('there', [True, False])
def test_a_terminal_is_not_waited_for(stdin, monkeypatch, there):
    "Nor is standard input that is closed"
    if there: stdin(None)
    else: monkeypatch.setattr(sys, 'stdin', None)
    code, out, err = run_command('predict', '-')
    assert (code, out)==(2, '') and 'standard input: no picture is piped into it' in err and err.count('\n')==1


@pytest.mark.fault(84, without={f'{READ}.piped_picture': "lambda: __import__('io').BytesIO(__import__('sys').stdin.buffer.read())"})
@pytest.mark.parametrize('data, said', [(b'', 'standard input: empty, where a picture was expected'),
                                        (b'no picture', 'standard input: no picture that can be read: it is none of PNG')])
def test_a_pipe_without_a_picture_gets_one_line(stdin, data, said):
    stdin(data)
    code, out, err = run_command('predict', '-')
    assert (code, out)==(2, '') and said in err and err.count('\n')==1


@pytest.mark.fault(95, without={f'{PICTURES}._check_file': 'lambda path: None'})
@pytest.mark.parametrize('size, said', [(0, 'the file is empty'), (pictures.MAX_BYTES+1, 'a file of 400 MB: expected at most 400 MB')])
def test_a_file_without_an_end_or_a_beginning_is_not_read(tmp_path, size, said):
    with open(tmp_path/'one.png', 'wb') as f: f.truncate(size)
    with pytest.raises(ValueError, match=f'one.png: .*{said}'): predict(tmp_path/'one.png')


# What would take all day

def plain(path):
    with open(path, 'w') as f: f.write('P1\n1500 1400\n'+('0'*1500+'\n')*1400)

def odd_white(path): Path(path).write_bytes(b'P5\n1500 1400\n100\n'+b'd'*1500*1400)

def runs(path):
    "A BMP of 8 bits in runs"
    w, h = 1500, 1400
    data = (b''.join(bytes((min(255, w-x), 230)) for x in range(0, w, 255))+b'\0\0')*h+b'\0\1'
    head = struct.pack('<IiiHHIIiiII', 40, w, h, 1, 8, 1, len(data), 0, 0, 256, 0)
    Path(path).write_bytes(b'BM'+struct.pack('<IHHI', 1078+len(data), 0, 0, 1078)+head+bytes(1024)+data)


@pytest.mark.fault(85, without={f'{PICTURES}.PYTHON_PIXELS': '10**9'})
@pytest.mark.parametrize('write', [plain, odd_white, runs])
def test_kinds_that_pillow_decodes_in_python_are_refused_where_they_are_large(tmp_path, write):
    write(path := tmp_path/'one.picture')
    with pytest.raises(ValueError, match='one.picture: 1500x1400 pixels in a kind of (PPM|BMP) that takes long'): pictures.read_picture(path)


def test_small_ones_of_these_kinds_are_read(tmp_path):
    grey = np.asarray(drawn())
    (tmp_path/'one.pgm').write_text('P2\n60 60\n255\n'+' '.join(map(str, grey.ravel())))
    assert predict(tmp_path/'one.pgm')[0].digit==1


@pytest.mark.fault(86, without=mutant(f'{PICTURES}._check_size', 'if n*scans>MAX_PIXELS*MAX_SCANS:', 'if False:'))
def test_a_jpeg_that_sends_its_pixels_again_and_again_is_refused(tmp_path):
    data = as_bytes(Image.new('L', (1000,1000), 230), 'JPEG', progressive=True)
    last = data[data.rindex(b'\xff\xda'):-2]
    (tmp_path/'one.jpg').write_bytes(data[:-2]+1300*last+data[-2:])
    with pytest.raises(ValueError, match='one.jpg: 1000x1000 pixels in 1306 scans'): pictures.read_picture(tmp_path/'one.jpg')


@pytest.mark.fault(86, without=mutant(f'{PICTURES}._scans', '!=0xd9', '!=0x100'))
def test_scans_in_a_film_behind_the_picture_do_not_count(tmp_path):
    "A phone's 'motion photo' has a film after its JPEG, and bytes in it look like anything"
    (tmp_path/'one.jpg').write_bytes(as_bytes(drawn().resize((1500,1500)), 'JPEG')+b'\xff\xda\0\x02'*10**6)
    assert predict(tmp_path/'one.jpg')[0].digit==1


@pytest.mark.fault(87, without={f'{PICTURES}.MAX_PARTS': '10**9'})
@pytest.mark.parametrize('big', [False, True])
def test_a_tiff_cut_into_very_many_strips_is_refused(tmp_path, big):
    Image.new('L', (1,60_000), 230).save(path := tmp_path/'one.tif', tiffinfo={278: 1}, big_tiff=big)
    with pytest.raises(ValueError, match='one.tif: a TIFF of 60,000 strips'): pictures.read_picture(path)


# Files by save_numpy with a right digest, which make no sense

@pytest.fixture
def saved(tmp_path):
    "Writes a file by `save_numpy` with other fields or tensors in it"
    path = tmp_path/'mine.safetensors'
    torch.manual_seed(0)
    save_numpy(path, nn.Sequential(Pixels(), nn.Linear(784,10)), metrics=dict(accuracy=.5))
    tensors, header = read_tensors(path, 'numpy')
    def write(new_tensors=MappingProxyType({}), **fields):
        write_tensors(path, {k: t for k,t in (tensors|dict(new_tensors)).items() if t is not None}, header|fields)
        return path
    write.layers = header['layers']
    return write


def refused(path, said):
    "By `predict` and `draw`, in one line that names the file and the field"
    drawn().save(path.with_name('one.png'))
    for args in (('predict', path.with_name('one.png'), '--model', path), ('draw', '--no-browser', '--out', path.with_name('d.html'), '--model', path)):
        code, out, err = run_command(*args)
        assert (code, out)==(2, '') and err.startswith(f'mnist_course: {path}: ') and said in err and err.count('\n')==1, err
    assert not path.with_name('d.html').exists()


NAN = float('nan')

@pytest.mark.fault(88, without={f'{NUMPY}.check_numpy_header': 'lambda header: None'})
@pytest.mark.parametrize('metrics', [['accuracy'], 'high', 3])
def test_metrics_are_figures_by_name(saved, metrics): refused(saved(metrics=metrics), 'metrics is')


@pytest.mark.fault(88, without={f'{NUMPY}.check_numpy_header': 'lambda header: None'})
@pytest.mark.parametrize('sure', [NAN, 5, -1, True, float('inf'), 'much', None])
def test_the_threshold_is_a_probability(saved, sure): refused(saved(metrics=dict(sure_from=sure)), 'sure_from is')


@pytest.mark.fault(89, without={f'{NUMPY}._check_arrays': 'lambda layers, arrays: None'})
@pytest.mark.parametrize('name', ['99.weight', 'evil', '2.other', '0.weight', '-1.bias', '2.weight.weight'])
def test_every_tensor_belongs_to_a_layer(saved, name): refused(saved({name: torch.ones(10)}), f'tensor {name!r} belongs to no layer')


@pytest.mark.fault(90, without={f'{NUMPY}.check_numpy_header': 'lambda header: None'})
@pytest.mark.parametrize('classes', [[NAN]*10, [float('inf')]*10, [None]*10, [[1]]*10, [True]*10, [{}]*10, '0123456789', {}, [], None])
def test_classes_are_names_or_finite_numbers(saved, classes): refused(saved(classes=classes), 'classes is')


def as_page(without): return mutant('mnist_course.page.page_text', 'allow_nan=False', without)

@pytest.mark.fault(90, without=as_page('allow_nan=True'))
@pytest.mark.parametrize('where', ['classes', 'layers'])
def test_no_nan_gets_into_the_json_of_a_page(saved, where):
    "JSON.parse would refuse it, and the page would fail whole"
    packed = page.pack_model(saved())
    with pytest.raises(ValueError, match='JSON'): page.page_text([packed | {where: [NAN]}])


def layer(saved, i, **settings): return [saved.layers[k] | (settings if k==i else {}) for k in range(len(saved.layers))]

@pytest.mark.fault(91, without={f'{NUMPY}.check_numpy_header': 'lambda header: None', f'{NUMPY}._try_layers': 'lambda layers, n_out: None'})
@pytest.mark.parametrize('i, settings, said', [(0, dict(std=0), 'layers.0.std is 0'), (0, dict(mean=NAN), 'layers.0.mean is nan'), (0, dict(std='1'), "layers.0.std is '1'"),
                                               (3, dict(kind='lstm'), 'layers.3 is'), (3, dict(kind=['softmax']), 'layers.3 is'),
                                               (1, dict(kind='max_pool', size=0), 'layers.1.size is 0'), (1, dict(kind='max_pool', size=True), 'layers.1.size is True'),
                                               (1, dict(kind='unflatten', shape=[1,10**9,10**9]), 'layers.1.shape is')])
def test_settings_of_layers_are_what_they_say(saved, i, settings, said): refused(saved(layers=layer(saved, i, **settings)), said)


@pytest.mark.fault(91, without={f'{NUMPY}._check_arrays': 'lambda layers, arrays: None', f'{NUMPY}._try_layers': 'lambda layers, n_out: None'})
@pytest.mark.parametrize('name, tensor, said', [('2.weight', torch.full((10,784), NAN), "tensor '2.weight' has numbers that are nan"), ('2.bias', torch.full((10,), float('inf')), 'nan or infinite'),
                                                ('2.bias', torch.ones(1), "tensor '2.bias' has shape (1,)"), ('2.bias', None, "tensor '2.bias' is missing"),
                                                ('2.weight', torch.ones(10,784,1), "tensor '2.weight' has shape"), ('2.bias', torch.ones(10).int(), 'expected floats')])
def test_tensors_are_finite_and_of_their_layers_shape(saved, name, tensor, said): refused(saved({name: tensor}), said)


@pytest.mark.fault(91, without={f'{NUMPY}._try_layers': 'lambda layers, n_out: None'})
def test_layers_fit_one_another(saved):
    with pytest.raises(ValueError, match=r'mine.safetensors: .*layers.2, linear with weights of shape \(10, 196\), does not fit an input of shape \(784,\)'):
        numpy_forward.load_numpy(saved({'2.weight': torch.ones(10,196)}))


# Many pictures

def one_by_one(patch):
    "As a loop would read them that does not expect anything to go wrong"
    def read_all(found, model, split=False):
        for source in found: yield predict(source, model=find_model(model)), None
    patch.setattr(cli_read, 'read_all', read_all)


@pytest.fixture
def many(tmp_path):
    names = [f'{i:03}.png' for i in range(230)]
    for i,name in enumerate(names): drawn(i%9-4).save(tmp_path/name)
    (tmp_path/names[100]).write_text('no picture')
    (tmp_path/names[101]).unlink()
    return [tmp_path/name for name in names]


@pytest.mark.fault(92, without=one_by_one)
@pytest.mark.parametrize('n', [105, 230])    # here, and in other processes
def test_a_bad_picture_among_many_loses_none_of_the_others(many, n):
    code, out, err = run_command('predict', *many[:n])
    assert [line.split(': ')[0] for line in out.splitlines()]==[str(p) for i,p in enumerate(many[:n]) if i not in (100,101)]
    assert code==2 and err.count('\n')==2 and '100.png: no picture' in err and '101.png' in err
    assert all(': 1 ' in line for line in out.splitlines())


@pytest.mark.fault(93, without=mutant(f'{READ}.read_all', 'except BrokenProcessPool: pass', 'except ZeroDivisionError: pass'))
def test_when_the_system_kills_a_worker_its_pictures_are_read_here(many):
    before, found = set(multiprocessing.active_children()), []
    for one in cli_read.read_all(many, 'small-convnet'):
        if not found: os.kill((set(multiprocessing.active_children())-before).pop().pid, signal.SIGKILL)
        found.append(one)
    assert [error is None for _,error in found]==[i not in (100,101) for i in range(230)]


def session(sid):
    "Processes of a session that are alive"
    found = []
    for stat in Path('/proc').glob('[0-9]*/stat'):
        with suppress(OSError):
            state, _, _, its, *_ = stat.read_text().rpartition(') ')[2].split()
            if int(its)==sid and state!='Z': found.append(stat.parent.name)
    return found


def stopped(many, prelude, sig, to_all):
    "Start on 2,000 pictures, and send a signal once some are read; exit code, whether it said that it was interrupted, processes that are left"
    code = f'{prelude}if __name__=="__main__":\n    from mnist_course.tools.cli import main\n    main()\n'
    (many[0].parent/'run.py').write_text(code)
    env = os.environ|{'PYTHONPATH': f'{ROOT}{os.pathsep}{Path(__file__).parent}'}
    p = subprocess.Popen([sys.executable, many[0].parent/'run.py', 'predict', *many[:100]*20], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, env=env, start_new_session=True)
    try:
        p.stdout.readline()
        assert len(session(p.pid))>=3
        if to_all: os.killpg(p.pid, sig)
        else: p.send_signal(sig)
        _, err = p.communicate(timeout=60)
        end = time.monotonic()+20
        while session(p.pid) and time.monotonic()<end: time.sleep(.1)
        assert 'Traceback' not in err, err
        return p.returncode, 'mnist_course: interrupted\n' in err, session(p.pid)
    finally:
        for pid in session(p.pid):
            with suppress(ProcessLookupError): os.kill(int(pid), signal.SIGKILL)


several = pytest.mark.skipif(sys.platform!='linux' or len(os.sched_getaffinity(0))<2, reason='no /proc, or one processor alone')

@several
@pytest.mark.fault(94, without={f'{READ}._begin_worker': "__import__('bare_worker').begin"})
def test_killed_by_force_it_leaves_no_process(many, prelude):
    assert stopped(many, prelude, signal.SIGKILL, False)==(-signal.SIGKILL, False, [])


@several
@pytest.mark.parametrize('sig, to_all, code, said', [(signal.SIGINT, True, 130, True), (signal.SIGINT, False, 130, True), (signal.SIGTERM, False, 143, False)])
def test_a_signal_leaves_no_process(many, sig, to_all, code, said):
    assert stopped(many, '', sig, to_all)==(code, said, [])


@pytest.mark.fault(92, without={f'{READ}._bar': "lambda as_json, n: __import__('rich.progress', fromlist='x').Progress(disable=True)"})
def test_a_bar_shows_how_far_it_is_and_the_answers_stay_clean(many, prelude):
    mine, theirs = pty.openpty()
    code = prelude + 'import sys; from mnist_course.tools.cli import main; main()'
    p = subprocess.Popen([sys.executable, '-c', code, 'predict', '--json', *map(str, many[:30])], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, env=os.environ|{'TERM': 'xterm'})
    os.close(theirs)
    shown = b''
    out = p.stdout.read()
    with suppress(OSError):
        while part := os.read(mine, 10_000): shown += part
    os.close(mine)
    assert p.wait(100)==0 and len(json.loads(out))==30
    assert b'reading' in shown and b'%' in shown
