"""Folders and tables as people keep them: writers above or below the classes, thumbnails, labels in a table beside the pictures, pictures
counted along the last axis, columns that are no pixel. Each is read right, with a line that says what was taken, or refused with a way out."""
import gzip, io, json, pickle, re, zipfile

import numpy as np
import pytest
import torch
from any_sets import by_class, four, npz, pngs, rows, same, table    # noqa: F401  `d` is a fixture
from idx_files import idx
from PIL import Image

from mnist_course.any_digits import load_any

SETS = ('train', 0), ('test', 2)

def read(path, d, ordered=True):
    "Train and test, once they are what they should be; folders give pictures class by class"
    train, test = got = load_any(path)
    for part,at in zip(got, (0, 2)):
        x, y = d[at:at+2] if ordered else by_class(*d[at:at+2])
        if ordered: assert same(part, x, y)
        else: assert sorted(p.tobytes() for p in part.images.numpy())==sorted(p.tobytes() for p in x) and sorted(part.labels.tolist())==y.tolist()
    return train, test


# Folders

def deep(d, folder, place):
    for split,at in SETS:
        for i,(p,label) in enumerate(zip(*d[at:at+2])):
            file = folder/split/place(label, i)/f'{i:05}.png'
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(p).save(file)

BELOW, ABOVE = 'folders: writer0, writer1, writer2 taken together in each class', 'folders: writer0, writer1, writer2 taken together'
@pytest.mark.parametrize('place, says', [
    (lambda c, i: f'{c}/writer{i%3}', BELOW), (lambda c, i: f'writer{i%3}/{c}', ABOVE), (lambda c, i: f'{c}/images', 'folders: images taken together in each class'),
    (lambda c, i: f'{c}/{"anna ben cleo".split()[i%3]}', 'folders: anna, ben, cleo taken together in each class')])
def test_writers_have_folders_of_their_own(place, says, d, tmp_path):
    deep(d, tmp_path, place)
    assert list(read(tmp_path, d, ordered=False)[0].notes)==[says]


def test_words_above_the_same_classes_are_sets_and_what_is_advised_works(d, tmp_path):
    deep(d, tmp_path, lambda c, i: f'{"anna ben".split()[i%2]}/{c}')
    with pytest.raises(ValueError, match='expected one data set, found anna, ben; put all pictures of a class into one folder, or name one, as ') as e: load_any(tmp_path)
    load_any(str(e.value).rpartition('name one, as ')[2])


def test_thumbnails_below_a_class_are_left_out(d, tmp_path):
    for split,at in SETS:
        pngs(tmp_path/split, *d[at:at+2])
        for c in {*d[at+1].tolist()}: pngs(tmp_path/split/str(c), d[0][:1], ['thumbs'], lambda p, i: Image.fromarray(p).resize((8,8)))
    assert read(tmp_path, d, ordered=False)[0].notes[0]=='test/0/thumbs, test/1/thumbs, test/2/thumbs, …: left out, since the folders above hold pictures themselves'


def test_a_picture_beside_the_classes_is_no_class(d, tmp_path):
    pngs(tmp_path/'train', *d[:2])
    Image.fromarray(d[0][0]).save(tmp_path/'train'/'plot.png')
    with pytest.raises(ValueError, match=r'plot\.png: expected a folder for each class, found a picture beside them'): load_any(tmp_path)


@pytest.mark.parametrize('folders', [('train', 'test'), ('images',)])
def test_a_folder_without_classes_is_no_class_itself(folders, d, tmp_path):
    for name in folders: pngs(tmp_path, d[0][:9], [name]*9)
    with pytest.raises(ValueError, match='expected a folder for each class, or a table with the name and the label of each picture, found all pictures in'): load_any(tmp_path)


def test_links_are_followed_once(d, tmp_path):
    npz(tmp_path/'digits.npz', *d)
    (tmp_path/'course').mkdir()
    (tmp_path/'course'/'data').symlink_to(tmp_path, target_is_directory=True)    # and so round
    read(tmp_path/'course', d)


# A table of labels beside the pictures

def flat(folder, images, first=0):
    folder.mkdir(parents=True, exist_ok=True)
    for i,p in enumerate(images): Image.fromarray(p).save(folder/f'{i+first}.png')

@pytest.mark.parametrize('top, line', [('id,label', '{i},{y}'), ('file;writer;digit', '{i}.png;ann{i};{y}'), ('"image"\t"class"', '"train/{i}.png"\t"{y}"'), ('', '{i}.png {y}')])
def test_labels_stand_in_a_table_for_each_part(top, line, d, tmp_path):
    for split,at in SETS:
        flat(tmp_path/split, d[at])
        lines = [top]*bool(top) + [line.replace('train', split).format(i=i, y=y) for i,y in enumerate(d[at+1])]
        table(tmp_path/(f'{split}.csv' if top else f'{split}.txt'), lines)
    table(tmp_path/'sample_submission.csv', ['id,label', *(f'{i},0' for i in range(len(d[3])))])
    train, _ = read(tmp_path, d)
    assert [n for n in train.notes if n.startswith('labels: taken from ')]


def test_one_table_names_the_parts(d, tmp_path):
    flat(tmp_path/'images', [*d[0], *d[2]])
    split = ['train']*len(d[0])+['test']*len(d[2])
    table(tmp_path/'labels.csv', ['name,label,split', *(f'{i}.png,{y},{s}' for i,(y,s) in enumerate(zip([*d[1], *d[3]], split)))])
    read(tmp_path, d)


def test_what_a_table_and_a_folder_lack_is_said(d, tmp_path):
    flat(tmp_path, d[0][:20])
    table(tmp_path/'labels.csv', ['name,label', *(f'{i}.png,{y}' for i,y in enumerate(d[1][:15], 3))])
    assert {*load_any(tmp_path)[0].notes} > {'labels: taken from labels.csv', '5 pictures without a label left out'}
    table(tmp_path/'labels.csv', ['name,label', *(f'{i}.png,{y}' for i,y in enumerate(d[1][:22]))])
    assert 'labels.csv: 2 rows without a picture left out' in load_any(tmp_path)[0].notes


def test_two_tables_that_disagree_are_refused(d, tmp_path):
    flat(tmp_path, d[0][:20])
    for name,label in (('labels.csv', 3), ('mine.csv', 5)): table(tmp_path/name, ['name,label', *(f'{i}.png,{label}' for i in range(20))])
    with pytest.raises(ValueError, match=r"mine\.csv: expected '3' for 0\.png, as in another table, found '5'"): load_any(tmp_path)


def test_folders_of_classes_need_no_table(d, tmp_path):
    for split,at in SETS: pngs(tmp_path/split, *d[at:at+2])
    table(tmp_path/'results.csv', ['name,label', *(f'{i:05}.png,0' for i in range(20))])
    read(tmp_path, d, ordered=False)


# Arrays

def last_axis(folder, d): np.savez(folder/'a.npz', X_train=np.moveaxis(d[0], 0, -1), y_train=d[1], X_test=np.moveaxis(d[2], 0, -1), y_test=d[3])
def columns(folder, d):
    from scipy.io import savemat
    savemat(folder/'a.mat', dict(X_train=d[0].reshape(len(d[0]), -1).T, y_train=d[1][None], X_test=d[2].reshape(len(d[2]), -1).T, y_test=d[3][None]))
def matlab7(folder, d):
    import h5py
    with h5py.File(folder/'a.mat', 'w', userblock_size=512) as f:    # arrays as MATLAB writes them: 28x28xn there is n x 28 x 28 here, each on its side
        for split,at in SETS: f[f'X_{split}'], f[f'y_{split}'] = np.ascontiguousarray(d[at].transpose(0,2,1)), d[at+1][None].astype(float)
    with open(folder/'a.mat', 'r+b') as f: f.write(b'MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Mon Nov 30 09:00:00 2026 HDF5 schema 1.00 .')
def words_in_hdf5(folder, d):
    import h5py
    with h5py.File(folder/'a.h5', 'w') as f:
        for split,at in SETS: f[f'{split}/images'], f[f'{split}/labels'] = d[at], [str(v) for v in d[at+1]]
def bytes_in_parquet(folder, d):
    import pandas as pd
    for split,at in SETS: pd.DataFrame(dict(image=[p.tobytes() for p in d[at]], label=d[at+1])).to_parquet(folder/f'{split}.parquet')
def by_number(folder, d):
    for name,a in (('bilder_lernen', d[0]), ('ziffern_lernen', d[1]), ('bilder_test', d[2]), ('ziffern_test', d[3])): (folder/name).write_bytes(idx(a.astype('u1')))
def per_cent(folder, d): npz(folder/'a.npz', d[0]/2.55, d[1], d[2]/2.55, d[3])

@pytest.mark.parametrize('write', [last_axis, columns, matlab7, words_in_hdf5, bytes_in_parquet, by_number, per_cent])
def test_arrays_that_are_kept_in_other_ways(write, d, tmp_path):
    write(tmp_path, d)
    train, _ = read(tmp_path, d)
    if write in (last_axis, columns, matlab7): assert 'X_train: pictures were counted along the last axis' in train.notes


@pytest.mark.parametrize('change', [lambda f: f.insert(1, 'writer', np.arange(len(f))%9), lambda f: f.insert(0, 'Größe', np.arange(len(f))%3), lambda f: f.insert(1, 'writer', 'ann')])
def test_a_column_that_is_no_pixel_is_left_out(change, d, tmp_path):
    import pandas as pd
    for split,at in SETS:
        f = pd.DataFrame(d[at].reshape(len(d[at]), -1), columns=[f'pixel{i}' for i in range(784)])
        f.insert(0, 'label', d[at+1])
        change(f)
        f.to_csv(tmp_path/f'{split}.csv', index=False, encoding='cp1252')
    train, _ = read(tmp_path, d)
    assert len(train.notes)==1 and re.fullmatch('columns: (writer|Größe) left out', train.notes[0])


# Names of classes

@pytest.mark.parametrize('names', [[f'class_{i}' for i in range(10)], [f'Ziffer {i}' for i in range(10)], 'null eins zwei drei vier fünf sechs sieben acht neun'.split(),
                                   'cero uno dos tres cuatro cinco seis siete ocho nueve'.split()])
def test_digits_that_are_called_otherwise_are_digits(names, d, tmp_path):
    "So dark ink on their side is told from light ink upright"
    npz(tmp_path/'a.npz', 255-d[0].transpose(0,2,1), np.array(names)[d[1]], 255-d[2].transpose(0,2,1), np.array(names)[d[3]])
    train, test = load_any(tmp_path)
    assert same(train, d[0], np.array(names)[d[1]]) and same(test, d[2], np.array(names)[d[3]]) and any(n.startswith('ink: ') for n in train.notes)


def test_one_class_is_called_by_its_name(d, tmp_path):
    pngs(tmp_path, d[0][d[1]==3], [3]*int((d[1]==3).sum()))
    assert 'labels: 3 became 0' in load_any(tmp_path)[0].notes


# What is read by others only

def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        for name,text in files.items(): z.writestr(name, text)
    return out.getvalue()

def torch_file():
    out = io.BytesIO()
    torch.save((torch.zeros(3,28,28), torch.arange(3)), out)
    return out.getvalue()

def with_password():
    data = bytearray(zipped(**{'a.csv': 'label'}))
    for mark,at in ((b'PK\3\4', 6), (b'PK\1\2', 8)): data[data.index(mark)+at] |= 1
    return bytes(data)

ELSEWHERE = {'a.xlsx': (lambda: zipped(**{'xl/workbook.xml': '<a/>'}), 'a spreadsheet: export it as CSV'), 'a.pt': (torch_file, 'tensors of PyTorch: np.savez'), 'a.dat': (torch_file, 'tensors of PyTorch'),
             'a.pkl.gz': (lambda: gzip.compress(pickle.dumps([1, 2])), 'a Python pickle, which can run code when it is opened'), 'a.jsonl': (lambda: json.dumps(dict(image=[0]*784, label=3)).encode(), 'JSON: '),
             'a.arff': (lambda: b'@RELATION digits\n@DATA\n'+b','.join([b'0']*785), 'an ARFF file: '), 'a.zip': (with_password, 'found one with a password; unpack it, and give the folder'),
             '3/a.heic': (lambda: b'\0\0\0\x18ftypheic', "a photo of Apple's kind: export it as JPEG"), '3/a.svg': (lambda: b'<svg/>', 'a drawing without pixels: export it as PNG')}

@pytest.mark.parametrize('name', ELSEWHERE)
def test_what_others_read_comes_with_a_way_out(name, tmp_path):
    make, says = ELSEWHERE[name]
    (tmp_path/name).parent.mkdir(exist_ok=True)
    (tmp_path/name).write_bytes(make())
    for path in {tmp_path, tmp_path/name}:
        with pytest.raises(ValueError) as e: load_any(path)
        assert says in str(e.value) and '\n' not in str(e.value)


def test_objects_in_an_archive_come_with_a_way_out(tmp_path):
    np.savez(tmp_path/'a.npz', x_train=np.array([{}, 1], dtype=object), y_train=np.arange(2))
    with pytest.raises(ValueError, match='save them as numbers, as np.stack makes them of a list'): load_any(tmp_path)


def test_a_part_to_test_with_alone_is_refused_with_a_way_out(d, tmp_path):
    table(tmp_path/'mnist_test.csv', rows(*d[2:]))
    with pytest.raises(ValueError, match='expected a part to train on, found mnist_test.csv; if there is nothing else, call it something without test'): load_any(tmp_path)
    (tmp_path/'mnist_test.csv').rename(tmp_path/'digits.csv')
    assert list(map(len, load_any(tmp_path)))==[34, 6]
    four(tmp_path/'idx', *d)
    for file in (tmp_path/'idx').glob('train*'): file.unlink()
    with pytest.raises(ValueError, match='expected a part to train on, found t10k-images'): load_any(tmp_path/'idx')
