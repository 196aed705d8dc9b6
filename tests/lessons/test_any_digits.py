"""Every layout of MNIST's relatives, written by its own writers and read by `load_any`; what peers make of the same files; and files
that are damaged or something else. The run ends with the table's sums."""
import bz2, gzip, struct, zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from idx_files import idx
from PIL import Image

from mnist_course.any_digits import KINDS, chances, load_any, turned
from mnist_course.core.idx import read_array
from mnist_course.data import load_idx, load_mnist

N, M = 120, 60
CODES = {'>u1': 8, '>i1': 9, '>i2': 11, '>i4': 12, '>f4': 13, '>f8': 14}
DIGITS = tuple('0123456789')


@pytest.fixture(scope='module')
def mnist():
    "Pictures and labels to train on and to test with, as arrays"
    train, test = load_mnist()
    return train.images[:N].numpy(), train.labels[:N].numpy(), test.images[:M].numpy(), test.labels[:M].numpy()


def swapped(images): return turned(images, 4)
def small(images, side): return np.stack([np.array(Image.fromarray(p[4:24,4:24]).resize((side,side), Image.BOX)) for p in images])
def spread(labels, k): return np.arange(len(labels))%k    # labels of another set, all of them there


# Writers: each gets a folder and (images, labels) twice, and gives the path to read

def four(folder, names, data, suffix='', labels_as='u1'):
    "Four idx files, written by idx2numpy where it can"
    idx2numpy = pytest.importorskip('idx2numpy')
    for name,array in zip(names, data):
        raw = idx2numpy.convert_to_string(array.astype('u1' if array.ndim==3 else labels_as))
        (folder/f'{name}{suffix}').write_bytes(gzip.compress(raw, 1) if suffix else raw)
    return folder

MNIST = 'train-images-idx3-ubyte', 'train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'
def named(name): return tuple(n.replace('t10k', 'test').replace('train', f'{name}-train', 1) if 'train' in n else f'{name}-'+n.replace('t10k', 'test') for n in MNIST)
KANNADA = tuple(f'{k}_kannada_MNIST_{s}-idx{3 if k=="X" else 1}-ubyte' for s in ('train','test') for k in 'Xy')
QMNIST = 'qmnist-train-images-idx3-ubyte', 'qmnist-train-labels-idx2-int', 'qmnist-test-images-idx3-ubyte', 'qmnist-test-labels-idx2-int'

def sub(folder, name):
    (folder/name).mkdir(parents=True)
    return folder/name

def plain(folder, d): return four(folder, MNIST, d)
def gzipped(folder, d): return four(sub(folder, 'MNIST/raw'), MNIST, d, '.gz').parent
def dotted(folder, d): return four(folder, [n.replace('-idx', '.idx') for n in MNIST], d)
def misnamed(folder, d):
    for name,array in zip(MNIST, d): (folder/name).write_bytes(gzip.compress(idx(array.astype('u1'))))
    return folder
def no_digits(d): return d[0], spread(d[1], 10), d[2], spread(d[3], 10)    # as clothes are: pictures in which the convnet can't read the labels
def fashion(folder, d): return four(sub(folder, 'fashion-mnist'), MNIST, no_digits(d), '.gz')
def kmnist(folder, d): return four(sub(folder, 'KMNIST'), MNIST, no_digits(d), '.gz')
def kannada(folder, d): return four(folder, KANNADA, d, '.gz')
def on_its_side(folder, d): return four(folder, MNIST, (255-turned(d[0], 3), d[1], 255-turned(d[2], 3), d[3]))

def emnist(name, first=0):
    def write(folder, d): return four(folder, named(f'emnist-{name}'), (swapped(d[0]), d[1]+first, swapped(d[2]), d[3]+first), '.gz')
    return write

def all_six(folder, d):
    for name,k in (('balanced', 47), ('byclass', 62), ('digits', 10)): emnist(name)(folder, (d[0], spread(d[1], k), d[2], spread(d[3], k)))
    return emnist('letters', 1)(folder, d)/'emnist-letters'

def qmnist(folder, d):
    "The label, then seven numbers about who wrote it and where it lies in NIST's archive"
    def table(labels): return np.stack([labels, *(np.arange(len(labels))*k for k in range(7))], 1)
    return four(folder, QMNIST, (d[0], table(d[1]), d[2], table(d[3])), '.gz', 'i4')

def keras(folder, d):
    np.savez(folder/'mnist.npz', **dict(zip(('x_train','y_train','x_test','y_test'), d)))
    return folder/'mnist.npz'

def four_npz(folder, d):
    for name,array in zip(('kmnist-train-imgs', 'kmnist-train-labels', 'kmnist-test-imgs', 'kmnist-test-labels'), d): np.savez(folder/f'{name}.npz', array)
    return folder

def medmnist(folder, d):
    def colours(images): return np.stack([images, images//2, images//4], -1)
    np.savez(folder/'pathmnist.npz', train_images=colours(d[0]), train_labels=d[1][:,None], val_images=colours(d[2][:9]), val_labels=d[3][:9,None],
             test_images=colours(d[2]), test_labels=d[3][:,None])
    return folder/'pathmnist.npz'

def mat(folder, d):
    savemat = pytest.importorskip('scipy.io').savemat
    def part(images, labels): return dict(images=swapped(images).reshape(len(images), -1), labels=labels[:,None]+1, writers=np.arange(len(labels))[:,None])
    savemat(folder/'emnist-letters.mat', {'dataset': dict(train=part(*d[:2]), test=part(*d[2:]), mapping=np.array([[i+1, 65+i, 97+i] for i in range(26)]))}, do_compression=True)
    return folder/'emnist-letters.mat'

def libsvm(pack, base=1):
    def write(folder, d):
        dump = pytest.importorskip('sklearn.datasets').dump_svmlight_file
        for name,images,labels in (('usps', *d[:2]), ('usps.t', *d[2:])):
            dump(small(images, 16).reshape(len(images), -1)/127.5-1, labels+1, str(folder/name), zero_based=not base)
            if pack:
                (folder/f'{name}.bz2').write_bytes(bz2.compress((folder/name).read_bytes()))
                (folder/name).unlink()
        return folder
    return write

def h5(folder, d):
    h5py = pytest.importorskip('h5py')
    with h5py.File(folder/'usps.h5', 'w') as f:
        for split,images,labels in (('train', *d[:2]), ('test', *d[2:])):
            f[f'{split}/data'], f[f'{split}/target'] = (small(images, 16).reshape(len(images), -1)/255).astype('f4'), labels
    return folder/'usps.h5'

def csv(names, first=True, header=True, names_of='mnist', extra=False):
    def write(folder, d):
        pd = pytest.importorskip('pandas')
        for split,images,labels in (('train', *d[:2]), ('test', *d[2:])):
            frame = pd.DataFrame(images.reshape(len(images), -1), columns=names)
            frame.insert(0 if first else 784, 'label', labels)
            frame.to_csv(folder/f'{names_of}_{split}.csv', index=False, header=header)
        if extra: frame.drop(columns='label').to_csv(folder/'sample_test.csv', index=False)
        return folder
    return write

PIXELS, CROSSES = [f'pixel{i}' for i in range(784)], [f'{i}x{j}' for i in range(1,29) for j in range(1,29)]
by_name = sorted(PIXELS)

def csv_by_name(folder, d):
    pd = pytest.importorskip('pandas')
    frame = pd.DataFrame(d[0].reshape(N, -1), columns=PIXELS)[by_name].assign(label=d[1])
    frame.to_csv(folder/'train.csv.gz', index=False)
    return folder/'train.csv.gz'

def parquet(folder, d):
    datasets = pytest.importorskip('datasets')
    for split,images,labels in (('train', *d[:2]), ('test', *d[2:])):
        made = datasets.Dataset.from_dict({'image': [Image.fromarray(p) for p in images], 'label': labels.tolist()})
        made = made.cast_column('image', datasets.Image()).cast_column('label', datasets.ClassLabel(names=list(DIGITS)))
        made.to_parquet(sub(folder, f'mnist/{split}')/f'{split}-00000-of-00001.parquet')
    return folder

def pngs(train, test, change=lambda p: p, suffix='png', name=str):
    def write(folder, d):
        for split,images,labels in ((train, *d[:2]), (test, *d[2:])):
            for i,(image,label) in enumerate(zip(images, labels)):
                place = folder/split/name(label)
                place.mkdir(parents=True, exist_ok=True)
                Image.fromarray(change(image)).save(place/f'{i:05}.{suffix}')
            if test is None: break
        return folder
    return write

def zipped(folder, d):
    inside = pngs('training', 'testing')(sub(folder, 'in'), d)
    with zipfile.ZipFile(folder/'mnist_png.zip', 'w') as z:
        for f in sorted(inside.rglob('*.png')): z.write(f, f'mnist_png/{f.relative_to(inside)}')
        z.writestr('__MACOSX/._mnist_png', b'\0\5\x16\7')
    return folder/'mnist_png.zip'

def bunch(folder, d):
    from sklearn.utils import Bunch
    return Bunch(data=np.round(small(d[0], 8)/255*16).reshape(N, -1), target=d[1], images=np.round(small(d[0], 8)/255*16))


# The table: what writes it; how many classes, and their names; what `notes` has to say; whether pictures come back to the byte

LETTERS, UPPER = tuple('ABCDEFGHIJKLMNOPQRSTUVWXYZ'), KINDS['emnist'].classes
side = 'turned: rows and columns swapped, because EMNIST'
by_folder = 'because a folder is called'
ask, sixth = "which way up, and is ink light? I can't tell", 'every sixth picture is kept back'
TABLE = {
    'idx, MNIST': (plain, 10, DIGITS, [], True),
    'idx, MNIST, gzipped, a folder deeper': (gzipped, 10, DIGITS, [], True),
    'idx, dots in the names': (dotted, 10, DIGITS, [], True),
    'idx, gzipped without .gz': (misnamed, 10, DIGITS, [], True),
    'idx, quarter turned and dark on light': (on_its_side, 10, DIGITS, ['turned: turned a quarter to the left', 'dark on light'], True),
    'idx, Fashion-MNIST': (fashion, 10, KINDS['fashion'].classes[0], [by_folder], True),
    'idx, KMNIST': (kmnist, 10, KINDS['kmnist'].classes[0], [by_folder], True),
    'idx, Kannada-MNIST': (kannada, 10, DIGITS, [], True),
    'idx, QMNIST': (qmnist, 10, DIGITS, ['labels: the first of 8 columns'], True),
    'idx, EMNIST digits': (emnist('digits'), 10, DIGITS, [side], True),
    'idx, EMNIST mnist': (emnist('mnist'), 10, DIGITS, [side], True),
    'idx, EMNIST letters': (emnist('letters', 1), 26, LETTERS, [side, 'labels: 1 to 26 became 0 to 25'], True),
    'idx, EMNIST balanced': (emnist('balanced'), 47, UPPER[2], [side], True),
    'idx, EMNIST bymerge': (emnist('bymerge'), 47, UPPER[2], [side], True),
    'idx, EMNIST byclass': (emnist('byclass'), 62, UPPER[3], [side], True),
    'idx, one of EMNIST in one folder': (all_six, 26, LETTERS, [side, 'labels: 1 to 26 became 0 to 25'], True),
    'npz, Keras': (keras, 10, DIGITS, [], True),
    'npz, KMNIST in four files': (four_npz, 10, KINDS['kmnist'].classes[0], [], True),
    'npz, MedMNIST in colours': (medmnist, 9, DIGITS[:9], ['colour: ', 'valid: 9 pictures', ask], False),
    'mat, EMNIST letters': (mat, 26, LETTERS, [side, 'labels: 1 to 26'], True),
    'libsvm, USPS': (libsvm(False), 10, DIGITS, ['labels: 1 to 10', 'range: -1 to 1', 'size: 16x16 became 28x28'], False),
    'libsvm, USPS, bz2': (libsvm(True), 10, DIGITS, ['labels: 1 to 10', 'range: -1 to 1', 'size: 16x16 became 28x28'], False),
    'libsvm, USPS, counted from 0': (libsvm(False, base=0), 10, DIGITS, ['labels: 1 to 10', 'range: -1 to 1', 'size: 16x16'], False),
    'HDF5, USPS': (h5, 10, DIGITS, ['range: 0 to 1', 'size: 16x16'], False),
    'CSV, label first, pixel0': (csv(PIXELS), 10, DIGITS, [], True),
    'CSV, label first, 1x1': (csv(CROSSES), 10, DIGITS, [], True),
    'CSV, label last': (csv(PIXELS, first=False), 10, DIGITS, [], True),
    'CSV, no header, label first': (csv(PIXELS, header=False), 10, DIGITS, ['labels: taken from the first column'], True),
    'CSV, no header, label last': (csv(PIXELS, first=False, header=False), 10, DIGITS, ['labels: taken from the last column'], True),
    'CSV, pixels sorted by name': (csv_by_name, 10, DIGITS, ['columns: put in the order', sixth], True),
    'Parquet, Hugging Face': (parquet, 10, DIGITS, [], True),
    'pictures, fastai: training, testing': (pngs('training', 'testing'), 10, DIGITS, [], True),
    'pictures, fastai: train, valid': (pngs('train', 'valid'), 10, DIGITS, [], True),
    'pictures, torchvision: no split': (pngs('.', None), 10, DIGITS, [sixth], True),
    'pictures, dark on light': (pngs('train', 'test', lambda p: 255-p, 'bmp'), 10, DIGITS, ['dark on light'], True),
    'pictures, digits with names': (pngs('train', 'test', name=lambda label: f'class {label}'), 10, tuple(f'class {i}' for i in DIGITS), ['labels: '], True),
    'pictures, classes with names': (pngs('train', 'test', name=lambda label: 'shape '+'abcdefghij'[label]), 10, tuple(f'shape {c}' for c in 'abcdefghij'), ['labels: ', ask], True),
    'zip of pictures': (zipped, 10, DIGITS, [], True),
    'scikit-learn, Bunch': (bunch, 10, DIGITS, ['range: 0 to 16', 'size: 8x8 became 28x28', sixth], False),
}


def kept(d, has_test, by_class):
    "What comes back: the parts as they were, or class by class; or five in six of the first and the rest of it"
    if by_class:
        order, other = np.argsort(d[1], kind='stable'), np.argsort(d[3], kind='stable')
        d = d[0][order], d[1][order], d[2][other], d[3][other]
    if has_test: return d[:2], d[2:]
    back = np.arange(N)%6==5
    return (d[0][~back], d[1][~back]), (d[0][back], d[1][back])


@pytest.mark.parametrize('row', TABLE)
def test_layouts(row, mnist, tmp_path_factory, count):
    write, k, classes, notes, to_the_byte = TABLE[row]
    x, y, xt, yt = mnist
    d = mnist if k==10 else (x, spread(y, k), xt, spread(yt, k))
    shown = no_digits(mnist) if by_folder in notes else d
    path = write(tmp_path_factory.mktemp('set'), d)
    found = load_any(path)
    count('layouts read')
    said = '\n'.join(found[0].notes)
    expected = kept(shown, sixth not in said, 'pictures' in row)
    for part,(images,labels) in zip(found, expected):
        assert part.images.dtype==torch.uint8 and part.images.shape==(len(labels),28,28)
        if to_the_byte: assert (part.images.numpy()==images).all()
        elif k==10: assert divmod(chances(part.images.numpy(), labels, most=40).argmax(), 8)==(0,0)
    count('layouts upright, ink high')
    for part,(_,labels) in zip(found, expected):
        assert part.labels.dtype==torch.int64 and part.labels.tolist()==labels.tolist() and part.classes==classes
    count('layouts with the right labels and names')
    assert all(n in said for n in notes) and len(found[0].notes)==len(notes), found[0].notes
    count('layouts that said what was changed, and nothing else')


def test_as_is_changes_nothing(mnist, tmp_path):
    train, test = load_any(emnist('letters', 1)(tmp_path, mnist), as_is=True)
    assert (train.images.numpy()==swapped(mnist[0])).all() and train.labels.tolist()==(mnist[1]+1).tolist() and len(test)==M and train.notes==()


def test_the_writers_of_qmnist_are_kept(mnist, tmp_path):
    train, test = load_any(qmnist(tmp_path, mnist))
    assert train.extra.shape==(N,8) and train[5:7].extra[:,3].tolist()==[10,12] and test.extra[:,0].tolist()==mnist[3].tolist()


def test_another_size(mnist, tmp_path):
    train, _ = load_any(plain(tmp_path, mnist), size=20)
    assert train.images.shape==(N,20,20) and train.notes==('size: 28x28 became 20x20',)


# Two real sets, whole

FASHION = Path('/usr/share/datasets/fashion-mnist')

@pytest.mark.skipif(not FASHION.is_dir(), reason="no Fashion-MNIST here (Debian's package dataset-fashion-mnist)")
def test_fashion_mnist_whole(count):
    train, test = load_any(FASHION)
    assert (len(train), len(test), train.notes) == (60_000, 10_000, ()) and train.classes[9]=='Ankle boot'
    for ours,theirs in zip((train, test), load_idx(FASHION)): assert torch.equal(ours.images, theirs.images) and torch.equal(ours.labels, theirs.labels)
    assert train.labels.bincount().tolist()==[6000]*10
    count('pictures of real sets read whole', 70_000)


def test_scikit_learns_digits_whole(count):
    sk = pytest.importorskip('sklearn.datasets')
    bunch = sk.load_digits()
    file = Path(sk.__file__).parent/'data'/'digits.csv.gz'
    a, b = load_any(bunch), load_any(file)
    for one,two in zip(a, b): assert torch.equal(one.images, two.images) and torch.equal(one.labels, two.labels)
    assert sum(map(len, a))==1797 and [n for n in b[0].notes if 'last column' in n] and chances(a[0].images.numpy(), a[0].labels.numpy(), most=40).argmax()==0
    count('pictures of real sets read whole', 1797)


# Twins: what others read in files of ours, and where they differ

def raw(folder, mnist, names=MNIST, place='MNIST/raw'): return four(sub(folder, place), names, mnist)

def test_torchvision_reads_the_same(mnist, tmp_path, count):
    tv = pytest.importorskip('torchvision.datasets')
    raw(tmp_path, mnist)
    theirs = tv.MNIST(tmp_path, train=True)
    assert torch.equal(load_any(tmp_path)[0].images, theirs.data) and torch.equal(load_any(tmp_path)[0].labels, theirs.targets)
    count('peers that read the same pixels')


def test_torchvision_leaves_emnist_on_its_side(mnist, tmp_path, count):
    "torchvision 0.29: `EMNIST` gives pictures as they lie, and letters from 1 with 'N/A' as name of 0"
    tv = pytest.importorskip('torchvision.datasets')
    raw(tmp_path, (swapped(mnist[0]), spread(mnist[1], 26)+1, swapped(mnist[2]), spread(mnist[3], 26)+1), named('emnist-letters'), 'EMNIST/raw')
    theirs, ours = tv.EMNIST(tmp_path, 'letters', train=True), load_any(tmp_path)[0]
    assert torch.equal(ours.images.mT, theirs.data) and torch.equal(ours.labels+1, theirs.targets) and len(theirs.classes)==27 and len(ours.classes)==26
    count('peers that differ as the table says')


def test_torchvision_reads_qmnist_the_same(mnist, tmp_path, count):
    tv = pytest.importorskip('torchvision.datasets')
    qmnist(sub(tmp_path, 'QMNIST/raw'), mnist)
    for f in (tmp_path/'QMNIST'/'raw').iterdir(): f.with_suffix('').write_bytes(gzip.decompress(f.read_bytes()))
    theirs, ours = tv.QMNIST(tmp_path, 'train', compat=False), load_any(tmp_path)[0]
    assert torch.equal(ours.images, theirs.data) and torch.equal(ours.extra.long(), theirs.targets.long())
    count('peers that read the same pixels')


def test_python_mnist_turns_emnist_upright_unasked(mnist, tmp_path, count):
    "python-mnist 0.7: after `select_emnist` pictures come upright, in lists"
    peer = pytest.importorskip('mnist')
    raw(tmp_path, mnist, place='plain')
    m = peer.MNIST(str(tmp_path/'plain'))
    images, labels = m.load_training()
    assert (np.array(images, 'u1').reshape(-1,28,28)==mnist[0]).all() and list(labels)==mnist[1].tolist()
    count('peers that read the same pixels')
    emnist('digits')(sub(tmp_path, 'emnist'), mnist)
    m = peer.MNIST(str(tmp_path/'emnist'), gz=True)
    m.select_emnist('digits')
    assert (np.array(m.load_training()[0], 'u1').reshape(-1,28,28)==load_any(tmp_path/'emnist')[0].images.numpy()).all()
    count('peers that differ as the table says')


@pytest.mark.parametrize('dtype', CODES)
def test_idx2numpy_reads_and_writes_the_same(dtype, tmp_path, count):
    peer = pytest.importorskip('idx2numpy')
    array = np.random.default_rng(0).integers(0, 100, (3,2,4,5)).astype(dtype)
    (tmp_path/'ours').write_bytes(struct.pack('>HBB4I', 0, CODES[dtype], 4, *array.shape) + array.tobytes())
    assert (peer.convert_from_file(str(tmp_path/'ours'))==array).all() and (read_array(tmp_path/'ours')==array).all()
    peer.convert_to_file(str(tmp_path/'theirs'), array.astype(array.dtype.newbyteorder('=')))
    assert (read_array(tmp_path/'theirs')==array).all()
    count('peers that read the same pixels')


def test_idx2numpy_cannot_write_what_it_read(tmp_path, count):
    "idx2numpy 1.2.3: a big-endian int32 array, as it reads one, is of an unsupported type when it is written"
    peer = pytest.importorskip('idx2numpy')
    (tmp_path/'a').write_bytes(struct.pack('>HBBI', 0, 12, 1, 3) + np.arange(3, dtype='>i4').tobytes())
    with pytest.raises(Exception, match='(?i)type'): peer.convert_to_file(str(tmp_path/'b'), peer.convert_from_file(str(tmp_path/'a')))
    count('peers that differ as the table says')


def test_torchvision_refuses_a_file_of_no_pictures(tmp_path, count):
    "torchvision 0.29: ValueError; ours reads it"
    codec = pytest.importorskip('torchvision.datasets.mnist')
    (tmp_path/'none').write_bytes(idx(np.zeros((0,28,28), 'u1')))
    assert read_array(tmp_path/'none').shape==(0,28,28)
    with pytest.raises(ValueError): codec.read_image_file(str(tmp_path/'none'))
    count('peers that differ as the table says')


# Damaged and foreign files

def broken(name, content): return lambda folder: ((folder/name).write_bytes(content), folder/name)[1]
def in_set(name, content, suffix=''):
    "A whole set of idx files, but for one"
    def write(folder):
        four(folder, MNIST, tuple(a[:30] for a in small_set()), suffix)
        (folder/f'{name}{suffix}').write_bytes(content)
        return folder
    return write

def small_set():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (30,28,28)), rng.integers(0, 10, 30), rng.integers(0, 256, (12,28,28)), rng.integers(0, 10, 12)

def png(folder, content=b'', name='train/3/a.png'):
    pngs('train', 'test')(folder, small_set_bytes())
    sub_ = folder/Path(name).parent
    sub_.mkdir(parents=True, exist_ok=True)
    (folder/name).write_bytes(content)
    return folder

def small_set_bytes(): x, y, xt, yt = small_set(); return x.astype('u1'), y, xt.astype('u1'), yt

def zip_of(names, crypt=False):
    def write(folder):
        with zipfile.ZipFile(folder/'a.zip', 'w') as z:
            for n in names: z.writestr(n, b'x')
        return folder/'a.zip'
    return write

def npz(**arrays):
    def write(folder):
        np.savez(folder/'a.npz', **arrays)
        return folder/'a.npz'
    return write

def text(content, name='a.csv'): return broken(name, content.encode())

HEADER = ','.join(['label', *PIXELS])
ROW = ','.join(['3']+['0']*784)
images, labels = idx(small_set()[0].astype('u1')), idx(small_set()[1].astype('u1'))
BROKEN = {
    'a web page among idx files': (in_set(MNIST[0], b'<!DOCTYPE html><html>404</html>'), MNIST[0], 'a web page'),
    'a web page named .gz': (in_set(MNIST[0], b'<html>403</html>'*9, '.gz'), MNIST[0], 'a web page'),
    'a Git LFS pointer': (in_set(MNIST[0], b'version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9\n', '.gz'), MNIST[0], 'git lfs pull'),
    'an AppleDouble file in its place': (in_set(MNIST[1], b'\0\5\x16\7\0\2\0\0Mac OS X        '), MNIST[1], 'AppleDouble'),
    'a zip in its place': (in_set(MNIST[0], b'PK\3\4'+bytes(60)), MNIST[0], 'a zip archive'),
    'little-endian': (in_set(MNIST[0], struct.pack('<4I', 2051, 30, 28, 28)+images[16:]), MNIST[0], 'little-endian'),
    'gzipped twice': (in_set(MNIST[0], gzip.compress(gzip.compress(images)), '.gz'), MNIST[0], 'unzip it once more'),
    'cut off': (in_set(MNIST[0], images[:-9]), MNIST[0], 'found 23,511'),
    'cut off, gzipped': (in_set(MNIST[0], gzip.compress(images)[:5000], '.gz'), MNIST[0], 'damaged'),
    'too long': (in_set(MNIST[0], images+b'!'), MNIST[0], 'found more'),
    'empty': (in_set(MNIST[1], b''), MNIST[1], 'found 0'),
    'zeros': (in_set(MNIST[1], bytes(99)), MNIST[1], 'nothing but zeros'),
    'fewer labels than images': (in_set(MNIST[1], idx(np.zeros(29, 'u1'))), MNIST[1], '29 labels'),
    'labels in the place of images': (in_set(MNIST[0], labels), 'train-', 'without a partner'),
    'a picture of no pixels': (in_set(MNIST[0], idx(np.zeros((30,0,0), 'u1'))), MNIST[0], 'expected pictures'),
    'two gigabytes promised': (in_set(MNIST[0], struct.pack('>4I', 2051, 30, 2**13, 2**13)), MNIST[0], 'found 0'),
    'forty gigabytes promised': (in_set(MNIST[0], struct.pack('>4I', 2051, 30, 2**16, 2**14)), MNIST[0], 'claims'),
    'a dimension too many': (in_set(MNIST[0], bytes([0,0,8,99])+bytes(400)), MNIST[0], 'expected'),
    'two sets in one folder': (lambda f: all_six(f, small_set_bytes()).parent, 'emnist-letters', 'name one'),
    'an npz cut off': (lambda f: broken('b.npz', keras(f, small_set()).read_bytes()[:-400])(sub(f, 'cut')), 'b.npz', 'expected'),
    'an npz of pickled objects': (npz(x_train=np.array([{}]*3, object), y_train=np.arange(3)), 'a.npz', 'cannot be read'),
    'an npz with fewer labels': (npz(x_train=np.zeros((3,28,28)), y_train=np.arange(2)), 'a.npz', 'found 3 in x_train, 2 in y_train'),
    'an npz without labels': (npz(x_train=np.zeros((3,28,28))), 'a.npz', 'expected pictures and labels'),
    'not a number in it': (npz(x_train=np.full((3,28,28), np.nan), y_train=np.arange(3)), '', 'found nan in picture 0'),
    'labels with fractions': (npz(x_train=np.zeros((3,28,28)), y_train=np.array([0,.5,1])), '', 'whole numbers'),
    'pictures of text': (npz(x_train=np.full((3,28,28), 'a'), y_train=np.arange(3)), '', 'expected numbers as pixels'),
    'four channels': (npz(x_train=np.zeros((3,28,28,4)), y_train=np.arange(3)), 'x_train', 'shape (3, 28, 28, 4)'),
    'HDF5 cut off': (broken('a.h5', b'\x89HDF\r\n\x1a\n'+bytes(99)), 'a.h5', 'HDF5'),
    'MATLAB cut off': (broken('a.mat', b'MATLAB 5.0 MAT-file, Platform: x'+bytes(99)), 'a.mat', 'MATLAB'),
    'Parquet cut off': (broken('a.parquet', b'PAR1'+bytes(99)), 'a.parquet', 'Parquet'),
    'a CSV with a short row': (text(f'{HEADER}\n{ROW}\n3,1\n'), 'a.csv', 'row 2'),
    'a CSV with a long row': (text(f'{HEADER}\n{ROW}\n{ROW},1,1\n'), 'a.csv', 'expected'),
    'a CSV with words for pixels': (text(f'{HEADER}\n'+ROW.replace('3,0,0', '3,a,b')+'\n'), 'a.csv', 'found text'),
    'a CSV with a hole': (text(f'{HEADER}\n'+ROW.replace('3,0,0', '3,,0')+'\n'), 'a.csv', 'row 1'),
    'a CSV of a header alone': (text(f'{HEADER}\n'), 'a.csv', 'expected'),
    'a CSV of 99 columns': (text(','.join('9'*99)+'\n'), 'a.csv', '99 columns'),
    'a CSV with no labels': (text(','.join(['0']*784)+'\n'), 'a.csv', 'column of labels'),
    'libsvm with an index too high': (text('1 1:1 99999999:1\n', 'a'), 'a', 'found index 99999999'),
    'libsvm with words': (text('1 1:1 256:no\n', 'a'), 'a', 'libsvm'),
    'bzip2 cut off': (broken('a.bz2', bz2.compress(b'1 1:1 256:1\n'*999)[:-20]), 'a.bz2', 'expected'),
    'an emptied PNG': (lambda f: png(f), 'a.png', 'expected a picture'),
    'text named PNG': (lambda f: png(f, b'Hello!'), 'a.png', 'expected a picture'),
    'a picture beside the classes': (lambda f: png(f, (pngs('train', 'test')(sub(f, 's'), small_set_bytes())/'train').rglob('*.png').__next__().read_bytes(), 'a.png'), 'a.png', 'a folder for each class'),
    'a zip that leads out': (zip_of(['../../evil']), 'a.zip', 'leads out of it'),
    'a zip of nothing known': (zip_of(['README']), 'a.zip', 'expected a data set'),
    'a zip cut off': (broken('a.zip', b'PK\3\4'+bytes(99)), 'a.zip', 'expected a zip archive'),
    'a PDF': (broken('a.pdf', b'%PDF-1.7 ...'), 'a.pdf', 'found a PDF'),
    'a picture by itself': (broken('a.png', b'\x89PNG\r\n\x1a\n'), 'a.png', 'found a PNG picture'),
    'an empty folder': (lambda f: sub(f, 'empty'), 'empty', 'an empty folder'),
    'nothing': (lambda f: f/'no'/'thing', 'thing', 'check the path'),
}


@pytest.mark.parametrize('case', BROKEN)
def test_damaged_or_foreign(case, tmp_path_factory, count):
    write, file, words = BROKEN[case]
    path = write(tmp_path_factory.mktemp('broken'))
    with pytest.raises((ValueError, FileNotFoundError)) as e: load_any(path)
    said = str(e.value)
    assert '\n' not in said and (file or 'a.npz') in said and words in said, said
    assert not any(p.name=='evil' for p in tmp_path_factory.getbasetemp().rglob('evil'))
    count('damaged or foreign files refused in a line that names them')
