"`--data PATH` as somebody uses it: trained on, gone on with, asked, drawn on, measured"
import json, os, re

import numpy as np
import pytest
from PIL import Image

from mnist_course.core.numpy_forward import file_kind
from mnist_course.data import load_mnist
from mnist_course.persist import load_model, read_tensors
from mnist_course.tools.cli_app import run_command
from mnist_course.tools import cli  # noqa: F401  for its commands
from mnist_course.tools.ladder import Job, train_in_a_second
from mnist_course.your_digits import predict

NAMES = [f'sign {c}' for c in 'abcdefghijkl']    # twelve classes


def write_set(path, n=1500, names=NAMES, first=0):
    digits = load_mnist()[1]
    x, y = digits.images[first:first+n].numpy(), np.array(names)[(digits.labels[first:first+n].numpy()*7+np.arange(n)%3)%len(names)]
    np.savez(path, x_train=x[:n*2//3], y_train=y[:n*2//3], x_test=x[n*2//3:], y_test=y[n*2//3:])
    return path, x


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    "A set of twelve classes, and the folder of a run on it"
    folder = tmp_path_factory.mktemp('sets')
    data, x = write_set(folder/'signs.npz')
    code, out, err = run_command('train', 'mlp-64-64', '--data', data, '--epochs', 2, '--valid', 200, '--out', folder/'run')
    assert code==0, err
    return folder, x


def test_a_model_has_a_score_and_a_name_for_each_class(trained):
    folder, _ = trained
    for name in ('model', 'best'):
        header = read_tensors(folder/'run'/f'{name}.safetensors', 'model')[1]
        assert header['classes']==NAMES and header['recipe']['network']=='784-64-64-12, ReLU'
        assert load_model(folder/'run'/f'{name}.safetensors')[-1].out_features==12


def test_predict_says_the_name(trained):
    folder, x = trained
    Image.fromarray(x[0]).save(folder/'one.png')
    code, out, err = run_command('predict', folder/'one.png', '--model', folder/'run'/'model.safetensors', '--json', '--show')
    row, = json.loads(out)
    assert (code, err)==(0, '') and row['digit'] in NAMES and {r['digit'] for r in row['runners_up']}<set(NAMES)
    assert row['seen']==x[0].tolist()             # 28x28, of a set whose classes are no digits: just as it lies


def test_the_page_shows_the_names(trained):
    folder, _ = trained
    code, out, err = run_command('draw', '--out', folder/'d.html', '--model', folder/'run'/'model.safetensors', '--no-browser')
    assert code==0, err
    text = (folder/'d.html').read_text()
    assert json.dumps(NAMES, separators=(',',':')) in text and '% of the held-out pictures' in text


def test_evaluate_names_each_class(trained):
    folder, _ = trained
    code, out, err = run_command('evaluate', folder/'run'/'model.safetensors', '--data', folder/'signs.npz', '--json')
    told = json.loads(out)
    assert (code, err)==(0, '') and [row['name'] for row in told['classes']]==NAMES and told['pictures']==500
    assert sum(row['pictures']*row['right'] for row in told['classes'])==pytest.approx(500*told['accuracy'])


def test_a_run_knows_its_data(trained):
    folder, _ = trained
    before = {p.name: p.read_bytes() for p in (folder/'run').glob('*.safetensors')}
    other, _ = write_set(folder/'others.npz', first=1)
    fewer, _ = write_set(folder/'fewer.npz', names=NAMES[:5])
    for data in (['--data', other], ['--data', fewer], []):
        code, out, err = run_command('train', 'mlp-64-64', *data, '--epochs', 3, '--valid', 200, '--out', folder/'run', '--resume')
        assert code==2 and err.count('\n')==1 and re.search('made (for another network|with (digest|batches))', err), err
    assert {p.name: p.read_bytes() for p in (folder/'run').glob('*.safetensors')}==before


def test_several_processes_share_a_set(trained):
    folder, _ = trained
    code, out, err = run_command('train', 'softmax-regression', '--data', folder/'signs.npz', '--epochs', 1, '--processes', 2, '--out', folder/'two')
    assert code==0 and read_tensors(folder/'two'/'model.safetensors')[1]['classes']==NAMES, err


@pytest.mark.parametrize('line, said', [
    ('train random-256 --data {0}/none', 'none: expected a data set, found nothing'),
    ('ladder --data {0}/none', 'none: expected a data set, found nothing'),
    ('evaluate mlp-490 --data {0}/none', 'none: expected a data set, found nothing'),
    ('evaluate mlp-490 --data {0}/signs.npz', 'mlp-490 answers with 10 classes, 0, 1, 2, …; {0}/signs.npz has 12 classes, sign a'),
    ('evaluate {0}/run/model.safetensors', 'model.safetensors answers with 12 classes, sign a, sign b, sign c, …; MNIST has 10 classes'),
    ('evaluate {0}/run/last.safetensors', 'kind checkpoint'),
    ('train mlp-490 --data {0}/signs.npz --valid 1000', '--valid 1000 leaves nothing to train on: give less than 1000'),
    ('ladder --data {0}/signs.npz --rungs simple-net', 'simple-net: for sets with threes and sevens'),
    ('train mlp-490 --data {0}/whole.npz', 'whole.npz: no test pictures in it'),
    ('ladder --data {0}/whole.npz', 'whole.npz: no test pictures in it'),
])
def test_refusals_are_one_line(trained, monkeypatch, tmp_path, line, said):
    folder, x = trained
    monkeypatch.chdir(tmp_path)
    np.savez(folder/'whole.npz', x=x, y=np.arange(len(x))%10)
    code, out, err = run_command(*line.format(folder).split())
    assert (code, out, err.count('\n'))==(2, '', 1) and said.format(folder) in err, err
    assert list(tmp_path.iterdir())==[]


def test_what_is_said_of_a_best_model_is_of_held_out_pictures(trained):
    from mnist_course.page import pack_model
    for name in ('model', 'best'): assert pack_model(trained[0]/'run'/f'{name}.safetensors')['note'].endswith('held-out pictures')


def test_a_picture_gets_the_same_answer_the_second_time(trained):
    "A module of torch's tells how many classes it has before it is asked, and twelve are no digits"
    folder, x = trained
    first, second = predict(x[0], x[0], model=load_model(folder/'run'/'model.safetensors'))
    assert (first.digit, first.probability)==(second.digit, second.probability) and (first.seen==second.seen).all()


def test_no_advice_for_digits_is_given_of_other_things(trained, tmp_path):
    folder, x = trained
    Image.fromarray(255-np.hstack([x[0], x[1]]), 'L').resize((560,280)).save(tmp_path/'two.png')
    code, out, err = run_command('predict', tmp_path/'two.png', '--model', folder/'run'/'model.safetensors')
    assert code==0 and '--split' not in out, out+err


def test_a_pipe_is_no_model_and_nobody_waits_for_it(tmp_path):
    if not hasattr(os, 'mkfifo'): pytest.skip('no named pipes here')
    os.mkfifo(tmp_path/'pipe')
    assert file_kind(tmp_path/'pipe')==''


def test_the_last_rung_takes_a_set_of_forty():
    digits = load_mnist()[0]
    predict_all, n = train_in_a_second(Job(digits[:40], epochs=3))
    assert predict_all(digits[40:60].images).shape==(20,) and n>10_000


def test_the_folder_of_a_run_stands_for_its_model(tmp_path):
    import shutil
    from mnist_course.your_digits import MODELS, find_model
    shutil.copy(MODELS/'mlp-64-64.safetensors', tmp_path/'model.safetensors')
    assert find_model(tmp_path)[1]==find_model('mlp-64-64')[1]
    with pytest.raises(ValueError, match='no network'): find_model(tmp_path/'empty')
