"Faults 1 to 15: idx files that are not what they claim to be, and a folder of pictures that is not written to its end"
import gzip, os, resource, shutil, signal
from pathlib import Path

import numpy as np
import pytest
import torch
from damage import dice, disk, ended, fork, kill_when, mutant, quick, read_only
from hypothesis import given, settings
from hypothesis import strategies as st
from idx_files import fill, idx, kinds, small, write

from mnist_course import data
from mnist_course.data import Digits

READ = 'mnist_course.data.read_idx'
some = np.arange(48, dtype=np.uint8).reshape(3,4,4)


# One file

@pytest.mark.fault(1, without=mutant(READ, 'if magic != 2048+ndim:', 'if False:'))
@quick
@given(small, st.integers(0, 2**32-1) | st.integers(2048, 2052))
def test_another_magic_number_is_refused(folder, array, magic):
    if magic==2048+array.ndim: return
    write(folder/'magic', magic.to_bytes(4,'big') + idx(array)[4:])
    with pytest.raises(ValueError, match=rf'magic: expected magic number {2048+array.ndim} .* {array.ndim} dim.*, found {magic}\b'):
        data.read_idx(folder/'magic', array.ndim)


@pytest.mark.fault(2, without=mutant(READ, 'if len(data)!=n:', 'if len(data)>n:'))
@quick
@given(small, st.data())
def test_a_file_cut_off_anywhere_is_refused(folder, array, choice):
    for name in kinds('cut'):
        write(folder/name, idx(array))
        whole = (folder/name).read_bytes()
        (folder/name).write_bytes(whole[:choice.draw(st.integers(0, len(whole)-1))])
        with pytest.raises(ValueError, match=f'{name}: expected .*, found'): data.read_idx(folder/name, array.ndim)


@pytest.mark.fault(2, without=mutant(READ, 'EOFError', 'ZeroDivisionError'))
def test_every_cut_of_a_gzip_file_is_refused(folder):
    write(folder/'each.gz', idx(some))
    whole = (folder/'each.gz').read_bytes()
    for n in range(len(whole)):
        (folder/'each.gz').write_bytes(whole[:n])
        with pytest.raises(ValueError, match='each.gz: expected .*, found'): data.read_idx(folder/'each.gz', 3)


@pytest.mark.fault(3, without=mutant(READ, 'n+1-len(data)', 'n-len(data)'))
@quick
@given(small, st.binary(min_size=1, max_size=9))
def test_a_longer_file_is_refused(folder, array, more):
    for name in kinds('long'):
        write(folder/name, idx(array)+more)
        with pytest.raises(ValueError, match=rf'{name}: expected {array.size} bytes .*, found more'): data.read_idx(folder/name, array.ndim)


@pytest.mark.fault(4, without=mutant(READ, 'if len(head) < 4 + 4*ndim: raise', 'if False: raise'))
def test_an_empty_file_is_refused(folder):
    for name in kinds('empty'):
        for raw in {b'', gzip.compress(b'') if name.endswith('.gz') else b''}:
            (folder/name).write_bytes(raw)
            with pytest.raises(ValueError, match=f'{name}: expected 16 bytes of header, found 0: the file is cut off'): data.read_idx(folder/name, 3)


@pytest.mark.fault(5, without=mutant(READ, 'gzip.BadGzipFile, ', ''))
@quick
@given(st.just(idx(some)) | st.binary(min_size=1, max_size=60))
def test_a_file_that_is_not_gzip_is_refused(folder, raw):
    (folder/'plain.gz').write_bytes(raw)
    with pytest.raises(ValueError, match='plain.gz: expected a whole gzip file, found a damaged one'): data.read_idx(folder/'plain.gz', 3)


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

SPLIT = 'mnist_course.data._load_split'
unchecked = {'mnist_course.data.Digits.__post_init__': 'lambda digits: None'}

@pytest.mark.fault(7, without=mutant(SPLIT, 'if len(images)!=len(labels):', 'if False:') | unchecked)
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


@pytest.mark.fault(8, without=mutant(SPLIT, 'labels>=n_classes', 'labels>=256'))
@quick
@given(st.integers(10,255), st.integers(0,4))
def test_a_label_out_of_range_is_named_with_its_place(folder, label, place):
    labels = np.zeros(5, np.uint8)
    labels[place] = label
    fill(folder, np.zeros((5,2,2), np.uint8), labels)
    with pytest.raises(ValueError, match=f'train-labels-idx1-ubyte: expected labels 0 to 9, found {label} at index {place}'): data.load_idx(folder)
    assert data.load_idx(folder, n_classes=256)[0].labels[place]==label


@pytest.mark.fault(9, without=mutant(READ, 'if magic != 2048+ndim:', 'if False:'))
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
@pytest.mark.fault(10, without={READ: unpacks_first})
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
