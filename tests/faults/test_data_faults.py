"Faults 1 to 15, 96 to 105 and 121: data files that are not what they claim to be or mean, and a folder of pictures that is not written to its end"
import gzip, os, resource, shutil, signal, zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from damage import dice, disk, ended, fork, kill_when, mutant, quick, read_only, run
from hypothesis import given, settings
from hypothesis import strategies as st
from idx_files import fill, idx, kinds, small, write

from mnist_course import data
from mnist_course.core.idx import IDX_TYPES
from mnist_course.data import Digits

HEADER, NUMBERS, UNZIP = (f'mnist_course.core.idx.{name}' for name in ('idx_header', 'idx_numbers', 'unzipped'))
some = np.arange(48, dtype=np.uint8).reshape(3,4,4)


# One file

magic_test = r"""if zeros!=b'\0\0' or code not in IDX_TYPES or dims!=(ndim or dims) or not 0<dims<33:"""
unchecked_magic = mutant(HEADER, magic_test, 'if False:')
lengths = """if n>room: raise bad(f'at most {room:,}' if is_gzip else f'{room:,}')
    data, got = np.empty(n, 'u1'), 0
    places = memoryview(data)
    while got<n and (more := f.readinto(places[got:got+2**20])): got += more
    if got<n: raise bad(f'{got:,}')
"""
any_length = mutant(NUMBERS, lengths, '\n'.join(line for line in lengths.splitlines() if 'raise' not in line).strip()+'\n')

@pytest.mark.fault(1, without=unchecked_magic)
@quick
@given(small, st.integers(0, 2**32-1) | st.integers(2048, 2052))
def test_another_magic_number_is_refused(folder, array, magic):
    if magic in (code*256+array.ndim for code in IDX_TYPES): return    # numbers of another type
    write(folder/'magic', magic.to_bytes(4,'big') + idx(array)[4:])
    with pytest.raises(ValueError, match=rf'magic: expected magic number {2048+array.ndim} .* {array.ndim} dim.*, found {magic}\b'):
        data.read_idx(folder/'magic', array.ndim)


@pytest.mark.fault(2, without=any_length)
@quick
@given(small, st.data())
def test_a_file_cut_off_anywhere_is_refused(folder, array, choice):
    for name in kinds('cut'):
        write(folder/name, idx(array))
        whole = (folder/name).read_bytes()
        (folder/name).write_bytes(whole[:choice.draw(st.integers(0, len(whole)-1))])
        with pytest.raises(ValueError, match=f'{name}: expected .*, found'): data.read_idx(folder/name, array.ndim)


@pytest.mark.fault(2, without=mutant(UNZIP, 'EOFError', 'ZeroDivisionError'))
def test_every_cut_of_a_gzip_file_is_refused(folder):
    write(folder/'each.gz', idx(some))
    whole = (folder/'each.gz').read_bytes()
    for n in range(len(whole)):
        (folder/'each.gz').write_bytes(whole[:n])
        with pytest.raises(ValueError, match='each.gz: expected .*, found'): data.read_idx(folder/'each.gz', 3)


@pytest.mark.fault(3, without=mutant(NUMBERS, 'if f.read(1):', 'if False:'))
@quick
@given(small, st.binary(min_size=1, max_size=9))
def test_a_longer_file_is_refused(folder, array, more):
    for name in kinds('long'):
        write(folder/name, idx(array)+more)
        with pytest.raises(ValueError, match=rf'{name}: expected {array.size} bytes .*, found more'): data.read_idx(folder/name, array.ndim)


@pytest.mark.fault(4, without=mutant(HEADER, 'if len(head) < 4 + 4*(ndim or 0):', 'if False:'))
def test_an_empty_file_is_refused(folder):
    for name in kinds('empty'):
        for raw in {b'', gzip.compress(b'') if name.endswith('.gz') else b''}:
            (folder/name).write_bytes(raw)
            with pytest.raises(ValueError, match=f'{name}: expected 16 bytes of header, found 0: the file is cut off'): data.read_idx(folder/name, 3)


@pytest.mark.fault(5, without=mutant(UNZIP, r"raw.read(2)==b'\x1f\x8b'", "path.suffix=='.gz'"))
@quick
@given(st.binary(max_size=60))
def test_a_name_says_nothing_about_gzip(folder, noise):
    "Plain, though it is named .gz; zipped, though it is not; noise under either name is refused"
    (folder/'plain.gz').write_bytes(idx(some))
    (folder/'zipped').write_bytes(gzip.compress(idx(some)))
    for name in ('plain.gz', 'zipped'): assert (data.read_idx(folder/name, 3).numpy()==some).all()
    for name in kinds('noise'):
        (folder/name).write_bytes(noise)
        with pytest.raises(ValueError, match=f'{name}: expected .*, found'): data.read_idx(folder/name, 3)


def no_checksum(patch):
    "gzip without its checksum; the eight bytes that hold it are passed over"
    patch.setattr('gzip._GzipReader._read_eof', lambda reader: reader._fp.read(8))


def mutate(raw, choice):
    "A few bytes turned, lost, added or said twice"
    raw, at, n = bytearray(raw), choice.draw(st.integers(0, len(raw)-1)), choice.draw(st.integers(1, 9))
    how = choice.draw(st.sampled_from(['turn', 'lose', 'add', 'twice']))
    if how=='turn': raw[at] ^= choice.draw(st.integers(1, 255))
    if how=='lose': del raw[at:at+n]
    if how=='add': raw[at:at] = choice.draw(st.binary(min_size=n, max_size=n))
    if how=='twice': raw[at:at] = raw[at:at+n]
    return bytes(raw)


@pytest.mark.fault(2, 3, 5, without=no_checksum)
@settings(quick, max_examples=300)
@given(st.data())
def test_any_mutation_of_a_valid_file_loads_the_same_or_is_refused(folder, choice):
    write(folder/'mutated.gz', idx(some))
    (folder/'mutated.gz').write_bytes(mutate((folder/'mutated.gz').read_bytes(), choice))
    try: assert (data.read_idx(folder/'mutated.gz', 3).numpy()==some).all()
    except ValueError as e: assert 'mutated.gz: expected' in str(e)


# The package's own data

@pytest.fixture
def own(tmp_path, monkeypatch):
    "The package's data in another place, unread so far by this process"
    shutil.copytree(Path(data.__file__).parent/'assets'/'mnist', tmp_path/'assets'/'mnist')
    monkeypatch.setattr(data, 'files', lambda package: tmp_path)
    monkeypatch.setattr(data, '_held', [])
    return tmp_path/'assets'/'mnist'


@pytest.mark.fault(6, without={'mnist_course.data._hold_to_sums': 'lambda folder, splits: None'})
def test_one_pixel_of_the_packages_own_data_is_missed(own):
    file = own/'t10k-images-idx3-ubyte.gz'
    raw = bytearray(gzip.decompress(file.read_bytes()))
    raw[5_000_000] ^= 1
    file.write_bytes(gzip.compress(raw, 1))
    with pytest.raises(ValueError, match='t10k-images-idx3-ubyte: expected SHA-256 0fa7898d.*, found .{64}. .*reinstall the package'): data.load_mnist()


@pytest.mark.fault(6, without=no_checksum)
def test_a_turned_byte_in_the_packages_own_files_is_missed(own, monkeypatch):
    monkeypatch.setattr(data, '_held', [True])    # also where it was sound when this process first read it
    file = own/'t10k-labels-idx1-ubyte.gz'
    whole = file.read_bytes()
    for at in dice.sample(range(100, len(whole)), 5):
        file.write_bytes(whole[:at] + bytes([whole[at]^1]) + whole[at+1:])
        with pytest.raises(ValueError, match='t10k-labels-idx1-ubyte.gz: expected .*reinstall the package'): data.load_mnist()


# Files that don't go together

SPLIT, TOGETHER = 'mnist_course.data._load_split', 'mnist_course.data._hold_together'
unchecked = {'mnist_course.data.Digits.__post_init__': 'lambda digits: None'}

@pytest.mark.fault(7, without=mutant(TOGETHER, 'if n!=m:', 'if False:') | unchecked)
@quick
@given(st.integers(0,5), st.integers(0,5))
def test_counts_that_differ_are_named(folder, n, m):
    if n==m: return
    fill(folder, np.zeros((n,2,2), np.uint8), np.zeros(m, np.uint8))
    with pytest.raises(ValueError, match=f'expected as many .* found {n} images in train-images-idx3-ubyte, {m} labels in train-labels'):
        data.load_idx(folder)


@pytest.mark.fault(7, without=unchecked)
def test_digits_takes_no_counts_that_differ():
    with pytest.raises(ValueError, match='3 images but 2 labels'): Digits(torch.zeros(3,2,2), torch.zeros(2))


@pytest.mark.fault(8, without=mutant(SPLIT, 'labels.max().item()>=n_classes', 'labels.max().item()>=256'))
@quick
@given(st.integers(10,255), st.integers(0,4))
def test_a_label_out_of_range_is_named_with_its_place(folder, label, place):
    labels = np.zeros(5, np.uint8)
    labels[place] = label
    fill(folder, np.zeros((5,2,2), np.uint8), labels)
    with pytest.raises(ValueError, match=f'train-labels-idx1-ubyte: expected labels 0 to 9, found {label} at index {place}'): data.load_idx(folder)
    assert data.load_idx(folder, n_classes=256)[0].labels[place]==label


@pytest.mark.fault(9, without=unchecked_magic)
def test_pictures_in_the_place_of_labels_are_refused(folder):
    write(folder/'three', idx(some))
    with pytest.raises(ValueError, match='three: expected magic number 2050 for unsigned bytes in 2 dimensions, found 2051 for 3'):
        data.read_idx(folder/'three', 2)


@pytest.mark.fault(9, without=unchecked)
@pytest.mark.parametrize('images, labels, found', [((3,4), (3,), '3, 4'), ((3,1,4,4), (3,), '3, 1, 4, 4'), ((3,4,4), (3,1), '3, 1')])
def test_a_dimension_too_many_or_too_few_is_named(images, labels, found):
    with pytest.raises(ValueError, match=rf'(images|labels): expected shape \(n,.*\), found \({found}\)'): Digits(torch.zeros(images), torch.zeros(labels))


# A bomb

def with_little_memory(files, out):
    used = int(Path('/proc/self/statm').read_text().split()[0])*resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used+2**26, used+2**26))
    for file in files:
        with pytest.raises(ValueError) as e: data.read_idx(file, 3)
        with open(out, 'a') as f: print(e.value, file=f)


unpacks_first = 'lambda path, ndim: __import__("gzip").open(path).read()'

@pytest.mark.skipif(not Path('/proc/self/statm').exists(), reason='no /proc here')
@pytest.mark.fault(10, without={'mnist_course.data.read_idx': unpacks_first})
def test_ten_gigabytes_behind_a_small_header_are_never_unpacked(tmp_path):
    "With 64 MB of memory to spare: once the header says what comes, once it says 8 bytes, once 2 GB are said and none come"
    zeros, out = gzip.compress(bytes(2**20), mtime=0), tmp_path/'out'
    for name, shape in ('claims.gz', [60_000, 2**9, 2**9]), ('hides.gz', [2,2,2]):
        write(tmp_path/name, np.array([2051, *shape], '>u4').tobytes())
        with open(tmp_path/name, 'ab') as f: f.write(zeros*10*1024)
    write(tmp_path/'lacks', np.array([2051, 2, 2**15, 2**15-1], '>u4').tobytes())
    files = [tmp_path/name for name in ('claims.gz', 'hides.gz', 'lacks')]
    assert ended(fork(lambda: with_little_memory(files, out)))==0
    claims, hides, lacks = out.read_text().splitlines()
    assert 'claims.gz: expected at most 2,147,483,648 bytes of data, found a header that claims 15,728,640,000' in claims
    assert hides.endswith('hides.gz: expected 8 bytes of data for shape [2, 2, 2], found more')
    assert 'lacks: expected 2,147,418,112 bytes' in lacks and lacks.endswith('found 0')


# The folder of PNGs

counts = {'train/3': 6131, 'train/7': 6265, 'valid/3': 1010, 'valid/7': 1028}
def is_whole(folder): return {sub: len(list((folder/sub).glob('*.png'))) for sub in counts}==counts
def others(folder): return [f.name for f in folder.iterdir() if f.name not in ('sample', 'sample.lock')]

MAKE = 'mnist_course.data._make_sample'
rename = """_write_sample(part)
            part.rename(folder)"""

@pytest.mark.fault(11, without=mutant(MAKE, rename, '_write_sample(folder)'))
def test_killed_at_three_moments_the_sample_is_whole_in_the_end(tmp_path):
    folder = tmp_path/'sample'
    for moment in (dice.randint(1, 500), dice.randint(500, 3000), dice.randint(3000, 6000)):
        writer = fork(lambda: data.sample_folder(folder))
        assert kill_when(writer, lambda moment=moment: sum(len(names) for *_, names in os.walk(tmp_path))>=moment)==-signal.SIGKILL
        assert not folder.exists()
    assert data.sample_folder(folder)==folder and is_whole(folder) and others(tmp_path)==[]


@pytest.mark.fault(12, 15, without={'mnist_course.data.FileLock': 'lambda path: __import__("contextlib").nullcontext()'})
def test_two_at_once_both_succeed_in_a_path_that_is_hard_to_spell(tmp_path):
    folder = tmp_path/'Meine Übung'/'3 & 7 🔢'/'sample'
    both = [fork(lambda: data.sample_folder(folder)) for _ in range(2)]
    assert [ended(p) for p in both]==[0,0]
    assert is_whole(folder) and others(folder.parent)==[]
    made = (folder/'train'/'3'/'10000.png').stat().st_mtime_ns
    assert data.sample_folder(folder)==folder and (folder/'train'/'3'/'10000.png').stat().st_mtime_ns==made    # nothing is written twice


@pytest.mark.fault(13, without=mutant('mnist_course.data.sample_folder', 'if e.errno is None: raise', 'raise'))
def test_a_read_only_cache_is_named(tmp_path):
    with disk(tmp_path/'cache', 'size=1m') as cache:
        read_only(cache)
        for folder in (cache/'sample', cache/'deep'/'sample'):
            with pytest.raises(OSError, match='Read-only file system|sample not written') as e: data.sample_folder(folder)
            assert e.value.filename==str(folder) and 'name a folder' in e.value.strerror
        assert list(cache.iterdir())==[]


@pytest.mark.fault(14, without=mutant(MAKE, 'finally: shutil.rmtree(part, ignore_errors=True)', 'finally: pass'))
def test_a_full_disk_is_named_and_nothing_half_made_stays(tmp_path):
    with disk(tmp_path/'cache', 'size=1m') as cache:
        with pytest.raises(OSError, match='sample not written: No space left on device; name a folder') as e: data.sample_folder(cache/'sample')
        assert e.value.filename==str(cache/'sample') and not (cache/'sample').exists() and others(cache)==[]
        (cache/'mine').write_bytes(bytes(900_000))    # and there is room again


# Names

names = st.text(st.characters(exclude_categories=('Cs', 'Cc'), exclude_characters='/'), min_size=1, max_size=20) | st.sampled_from(
    ['mit Leerzeichen', 'Übung', '🔢', '[1]*?', '%41', "it's", '-n', '~', '$HOME', '#', 'e\u0301'])

def as_ascii(patch):
    "As if names were turned into ASCII on their way"
    patch.setattr('mnist_course.data.Path', lambda path: Path(str(path).encode('ascii', 'replace').decode()))

@pytest.mark.fault(15, without=as_ascii)
@quick
@given(names.filter(lambda name: name not in ('.', '..')))
def test_any_name_of_a_folder_will_do(tmp_path_factory, name):
    folder = tmp_path_factory.mktemp('names')/name
    folder.mkdir()
    fill(folder, some, np.array([3,7,1], np.uint8))
    assert data.load_idx(folder)[0].labels.tolist()==[3,7,1]


# Other people's sets

ANY, FILES, LAYOUTS = 'mnist_course.any_digits', 'mnist_course.any_digits_files', 'mnist_course.core.layouts'

def labels_first(name, old):
    "Without the comparison of headers"
    return mutant(name, old, 'if False:')

GROWN = """
import sys
def most():
    with open('/proc/self/status') as f: return next(int(line.split()[1])*1024 for line in f if line.startswith('VmHWM'))
from mnist_course.any_digits import load_any
from mnist_course.data import load_idx
for load in (load_idx, load_any):
    before = most()
    try: load(sys.argv[1])
    except ValueError as e: print(load.__name__, most()-before, e, sep='|')
"""

def bomb(folder, n=2**28):
    "A set of six pictures, and a labels file of n zeros in a thousandth of the bytes"
    fill(folder, np.zeros((6,28,28), np.uint8), np.zeros(6, np.uint8), '.gz')
    file = folder/'train-labels-idx1-ubyte.gz'
    with gzip.open(file, 'wb') as f:
        f.write(np.array([2049, n], '>u4').tobytes())
        for _ in range(n//2**24): f.write(bytes(2**24))
    return file

@pytest.mark.fault(96, without=labels_first('mnist_course.data._hold_together', 'if n!=m:')
                   | labels_first(f'{FILES}._from_idx', 'if heads[images][0]!=heads[labels][0]:'))
@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='no /proc here')
def test_labels_that_unpack_to_more_than_there_are_pictures_cost_nothing(tmp_path, prelude):
    "The peak grows by less than three times the file's size; what it claims is a thousand times that, and eight times as much as int64"
    file = bomb(tmp_path)
    out, err, code = run(prelude+GROWN, tmp_path)
    assert code==0, err
    for line in out.splitlines():
        _, grown, said = line.split('|')
        assert 'expected as many images as labels, found 6 images' in said and int(grown) < 3*file.stat().st_size
    assert out.count('|')==4


@pytest.mark.fault(97, without=mutant('mnist_course.data.load_idx', "any(file.name.startswith(f'{prefix}t10k-images') for file in folder.iterdir())",
                                      "any(folder.glob(f'{prefix}t10k-images*'))"))
@pytest.mark.parametrize('prefix', ['[a]', 'what?', '**', '[!b]'])
def test_a_prefix_is_no_pattern(tmp_path, prefix):
    for split in ('train', 't10k'):
        write(tmp_path/f'{prefix}{split}-images-idx3-ubyte', idx(some))
        write(tmp_path/f'{prefix}{split}-labels-idx1-ubyte', idx(np.array([3,7,1], np.uint8)))
    assert len(data.load_idx(tmp_path, prefix=prefix)[1])==3
    (tmp_path/'other').mkdir()
    for name in ('at10k-images-idx3-ubyte', 'what1t10k-images-idx3-ubyte'): write(tmp_path/'other'/name, idx(some))
    for split in ('train', 'test'):
        write(tmp_path/'other'/f'{prefix}{split}-images-idx3-ubyte', idx(some))
        write(tmp_path/'other'/f'{prefix}{split}-labels-idx1-ubyte', idx(np.array([3,7,1], np.uint8)))
    assert len(data.load_idx(tmp_path/'other', prefix=prefix)[1])==3


@pytest.mark.fault(98, without=mutant('mnist_course.data._is_whole', 'e.stat().st_size>66', 'True'))
def test_an_emptied_png_is_no_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(data, '_sample_counts', {'train/3': 2})
    (tmp_path/'train'/'3').mkdir(parents=True)
    for name in '12': PIL.Image.fromarray(some[0]).save(tmp_path/'train'/'3'/f'{name}.png')
    assert data._is_whole(tmp_path)
    (tmp_path/'train'/'3'/'2.png').write_bytes(b'')
    with pytest.raises(FileExistsError, match='expected the whole sample or nothing'): data.sample_folder(tmp_path)


FOREIGN = {b'<!DOCTYPE html><html>': 'a web page', b'version https://git-lfs.github.com/spec/v1': 'git lfs pull', b'PK\3\4'+bytes(30): 'a zip archive',
           b'\0\5\x16\7'+bytes(30): 'AppleDouble', np.array([2051,3,4,4], '<u4').tobytes()+bytes(48): 'little-endian', bytes(60): 'nothing but zeros',
           np.array([3075,3,4,4], '>u4').tobytes(): 'expected', np.array([3074,3,4], '>u4').tobytes()+bytes(48): '32-bit integers in 2 dimensions'}

@pytest.mark.fault(99, without={'mnist_course.core.idx.what_is': 'lambda start: ""'})
def test_a_foreign_file_is_called_what_it_is(folder):
    for raw,words in FOREIGN.items():
        for name in kinds('foreign'):
            write(folder/name, raw)
            with pytest.raises(ValueError, match=f'{name}: .*{words}'): data.read_idx(folder/name, 3)


def some_digits(n=100):
    test = data.load_mnist()[1][:n]
    return test.images.numpy(), test.labels.numpy()

@pytest.mark.fault(100, without={f'{ANY}._turn': 'lambda images, labels, classes, kind: (images, [])'})
def test_pictures_that_lie_on_their_side_are_turned(tmp_path):
    from mnist_course.any_digits import load_any
    x, y = some_digits()
    for name in ('emnist-digits', 'unheard-of'):
        (tmp_path/name).mkdir()
        for split in ('train', 'test'):
            write(tmp_path/name/f'{name}-{split}-images-idx3-ubyte', idx(np.ascontiguousarray(x.swapaxes(1,2))))
            write(tmp_path/name/f'{name}-{split}-labels-idx1-ubyte', idx(y.astype('u1')))
        found = load_any(tmp_path/name)[0]
        assert (found.images.numpy()==x).all() and 'rows and columns swapped' in found.notes[0]


def npz(path, x, y): np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)

@pytest.mark.fault(101, without={f'{ANY}.number_labels': 'lambda labels, names=None, where="": (labels, tuple(map(str, range(1+max(map(max, labels))))), [])'})
def test_labels_from_one_become_labels_from_zero(tmp_path):
    from mnist_course.any_digits import load_any
    npz(tmp_path/'a.npz', np.zeros((26,28,28), np.uint8), np.arange(26)+1)
    train, _ = load_any(tmp_path/'a.npz')
    assert train.labels.tolist()==list(range(26)) and len(train.classes)==26 and 'labels: 1 to 26 became 0 to 25' in train.notes


@pytest.mark.fault(102, without=mutant(f'{FILES}._unzip', 'if n>2**31 or len(names)>300_000:', 'if False:')
                   | {f'{LAYOUTS}.zipfile.ZipFile.namelist': 'lambda z: []'})
def test_a_zip_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path):
    from mnist_course.any_digits import load_any
    with zipfile.ZipFile(tmp_path/'a.zip', 'w') as z: z.writestr('readme', b'')
    raw = (tmp_path/'a.zip').read_bytes()
    at = raw.index(b'PK\1\2')+24    # the size that the directory claims
    (tmp_path/'a.zip').write_bytes(raw[:at] + (2**32-2).to_bytes(4, 'little') + raw[at+4:])
    with pytest.raises(ValueError, match=r'a.zip: expected at most 2 GB in 300,000 files, found 4,294,967,294 bytes'): load_any(tmp_path/'a.zip')


@pytest.mark.fault(103, without=mutant(f'{LAYOUTS}_tables.read_libsvm', 'zero_based=low==0', 'zero_based="auto"'))
def test_all_parts_of_libsvm_text_count_from_the_same_number(tmp_path):
    "scikit-learn 1.9 guesses from each part, also where `n_features` is given: a part without index 0 would move by a pixel"
    from mnist_course.core.layouts_tables import read_libsvm
    a, b = read_libsvm({'train': b'1 0:1 15:1\n', 'test': b'1 1:1 15:1\n'}, 'usps')
    assert a.images[0].nonzero()[0].tolist()==[0,15] and b.images[0].nonzero()[0].tolist()==[1,15]


@pytest.mark.fault(104, without=mutant(f'{ANY}.to_bytes', "if p.dtype.kind=='f' and not np.isfinite(p).all():", 'if False:'))
@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_a_pixel_that_is_no_number_is_named(tmp_path, value):
    from mnist_course.any_digits import load_any
    x = np.zeros((20,28,28))
    x[7,3,3] = value
    npz(tmp_path/'a.npz', x, np.arange(20)%10)
    with pytest.raises(ValueError, match=f'a.npz: expected finite pixels, found {value} in picture 7'): load_any(tmp_path/'a.npz')


class Trap:
    def __init__(self, file): self.file = str(file)
    def __reduce__(self): return open, (self.file, 'w')    # what unpickling would do: make a file

@pytest.mark.fault(105, without=mutant(f'{LAYOUTS}.read_npz', 'allow_pickle=False', 'allow_pickle=True'))
def test_objects_in_an_npz_are_never_unpickled(tmp_path):
    from mnist_course.any_digits import load_any
    file = tmp_path/'sprung'
    np.savez(tmp_path/'a.npz', x_train=np.array([Trap(file)], dtype=object), y_train=np.arange(1))
    with pytest.raises(ValueError, match='a.npz: expected a NumPy archive'): load_any(tmp_path/'a.npz')
    assert not file.exists()


no_sentence = mutant('mnist_course.core.layouts_names.reading', 'except MemoryError: raise ValueError(', 'except MemoryError: raise MemoryError(')

@pytest.mark.fault(121, without={'mnist_course.core.layouts.reading': no_sentence['mnist_course.core.layouts_names.reading']})
def test_an_npz_that_claims_more_than_the_memory_holds_is_refused(tmp_path, monkeypatch):
    from mnist_course.core import layouts
    def load(path, **kwargs): raise MemoryError('Unable to allocate 1.0 TiB for an array')
    np.savez(tmp_path/'a.npz', x_train=some, y_train=np.arange(3))
    monkeypatch.setattr(layouts.np, 'load', load)
    with pytest.raises(ValueError, match='a.npz: expected a NumPy archive .*, found one that claims more than the memory holds'): layouts.read_npz(tmp_path/'a.npz')
