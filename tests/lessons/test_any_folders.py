"""Folders and tables as people keep them: writers above or below the classes, thumbnails, labels in a table beside the pictures, pictures
counted along the last axis, columns that are no pixel. Each is read right, with a line that says what was taken, or refused with a way out."""
import gzip, io, json, pickle, re, zipfile

import numpy as np
import pytest
import torch
from any_sets import four, npz, pngs, rows, same, table    # noqa: F401  `d` is a fixture
from idx_files import idx
from PIL import Image

from mnist_course.any_digits import load_any

SETS = ('train', 0), ('test', 2)

def read(path, d, ordered=True):
    "Train and test, once they are what they should be; folders give pictures class by class"
    train, test = got = load_any(path)
    for part,at in zip(got, (0, 2)):
        if ordered: assert same(part, *d[at:at+2])
        else: assert sorted(zip(map(bytes, part.images.numpy()), part.labels.tolist()))==sorted(zip(map(bytes, d[at]), d[at+1].tolist()))
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
    (lambda c, i: f'{c}/{"anna ben cleo".split()[i%3]}', 'folders: anna, ben, cleo taken together in each class'),
    (lambda c, i: f'all/{c}/writer{i%3}', BELOW), (lambda c, i: f'2023-{i%2}/{c}', 'folders: 2023-0, 2023-1 taken together'),
    (lambda c, i: f'{c}/writer{c}{i%2}', 'folders: writer00, writer01, writer10, … taken together in each class'), (lambda c, i: f'{c}/{i:05}', 'folders: 00000, 00001, 00002, … taken together in each class')])
def test_writers_have_folders_of_their_own(place, says, d, tmp_path):
    deep(d, tmp_path, place)
    assert list(read(tmp_path, d, ordered=False)[0].notes)==[says]


@pytest.mark.parametrize('place', [lambda c, i: f'class_{c}/writer{i%3}', lambda c, i: f'class_{c}/{"anna ben".split()[i%2]}', lambda c, i: f'fold{i%5}/class_{c}', lambda c, i: f'{i%5}/class_{c}'])
def test_a_word_before_a_digit_says_what_is_the_class(place, d, tmp_path):
    deep(d, tmp_path, place)
    train, _ = read(tmp_path, d, ordered=False)
    assert train.classes==tuple(f'class_{i}' for i in range(10))


def test_letters_have_a_t(d, tmp_path):
    letters = 'rst'
    for i,p in enumerate(d[0][:60]):
        folder = tmp_path/letters[i%3]/f'writer{i//3%2}'
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(p).save(folder/f'{i}.png')
    assert load_any(tmp_path)[0].classes==tuple(letters)


@pytest.mark.parametrize('names', ['+-', 'xy'])
def test_any_word_may_be_a_class(names, d, tmp_path):
    pngs(tmp_path, d[0][:40], [names[i%2] for i in range(40)])
    assert load_any(tmp_path)[0].classes==tuple(names)


def test_a_flat_part_beside_digits_is_no_digit(d, tmp_path):
    pngs(tmp_path, *d[:2])
    pngs(tmp_path, d[2][:9], ['test']*9)
    train, _ = load_any(tmp_path)
    assert train.classes==tuple('0123456789') and 'test: 9 pictures without a class left out' in train.notes


def test_words_above_the_same_classes_are_sets_and_what_is_advised_works(d, tmp_path):
    deep(d, tmp_path, lambda c, i: f'{"anna ben".split()[i%2]}/{c}')
    with pytest.raises(ValueError, match='expected one data set, found anna, ben; put all pictures of a class into one folder, or name one, as ') as e: load_any(tmp_path)
    load_any(str(e.value).rpartition('name one, as ')[2])


def test_thumbnails_below_a_class_are_left_out(d, tmp_path):
    for split,at in SETS:
        pngs(tmp_path/split, *d[at:at+2])
        for c in {*d[at+1].tolist()}: pngs(tmp_path/split/str(c), d[0][:1], ['thumbs'], lambda p, i: Image.fromarray(p).resize((8,8)))
    assert read(tmp_path, d, ordered=False)[0].notes[0]=='test/0/thumbs, test/1/thumbs, test/2/thumbs, …: left out, since the folders above hold pictures themselves'


@pytest.mark.parametrize('below', [['more'], [*'0123456789']])
def test_more_than_thumbnails_below_a_class_is_refused(below, d, tmp_path):
    for i,p in enumerate(d[0][:60]):
        for folder in (tmp_path/'scans', tmp_path/'scans'/below[i%len(below)]):
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(p).save(folder/(f'{i}.png' if len(below)>1 or folder.name=='scans' else f'turned {i}.png'))
    with pytest.raises(ValueError, match='scans: expected pictures of one class, found some in the folder and others below it, in'): load_any(tmp_path)


def test_a_picture_beside_the_classes_is_no_class(d, tmp_path):
    pngs(tmp_path/'train', *d[:2])
    Image.fromarray(d[0][0]).save(tmp_path/'train'/'plot.png')
    with pytest.raises(ValueError, match=r'plot\.png: expected a folder for each class, found a picture beside them'): load_any(tmp_path)


@pytest.mark.parametrize('folders', [('train', 'test'), ('images',)])
def test_a_folder_without_classes_is_no_class_itself(folders, d, tmp_path):
    for name in folders: pngs(tmp_path, d[0][:9], [name]*9)
    with pytest.raises(ValueError, match='expected a folder for each class, or a table with the name and the label of each picture, found all pictures in'): load_any(tmp_path)


@pytest.mark.parametrize('more', [{}, {'again': 'train/3'}, {'a_few': 'test'}, {'up': '.'}, {'other': '../elsewhere/test'}])
def test_a_link_leads_to_a_part_and_to_nothing_twice(more, d, tmp_path):
    "`test` lies elsewhere. Links into the folder, around it, and to strangers add nothing"
    here, there = tmp_path/'here', tmp_path/'elsewhere'
    pngs(here/'train', *d[:2])
    pngs(there/'test', *d[2:])
    (here/'test').symlink_to(there/'test', target_is_directory=True)
    for name,target in more.items(): (here/name).symlink_to(here/target, target_is_directory=True)
    read(here, d, ordered=False)


def test_two_folders_that_link_to_each_other_are_read_once(d, tmp_path):
    for name,at,part,other in (('one', 0, 'test', 'two'), ('two', 2, 'train', 'one')):
        pngs(tmp_path/name, d[at], d[at+1])
        (tmp_path/name/part).symlink_to(tmp_path/other, target_is_directory=True)
    read(tmp_path/'one', d, ordered=False)


def test_a_folder_that_is_nothing_but_links(d, tmp_path):
    for name in ('digits', 'course'): (tmp_path/name).mkdir()
    npz(tmp_path/'digits'/'digits.npz', *d)
    (tmp_path/'course'/'data').symlink_to(tmp_path/'digits', target_is_directory=True)
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
    with pytest.raises(ValueError, match=r'mine\.csv: expected one label and one part for 0\.png, found 3 and 5'): load_any(tmp_path)


COLUMNS = {'boxes': ('file,x,y,w,h,label', '{n},1,2,3,4,{y}'), 'two labels': ('file,label,digit', '{n},{y},{y}'), 'paths': ('file,label', '/photos/ann/{n},{y}'), 'backslashes': ('file,label', 'C:\\my\\{n},{y}'),
           'is_valid': ('file,label,is_valid', '{n},{y},{t}'), 'spaces': ('file, label', '{n} , {y} ')}

@pytest.mark.parametrize('case', COLUMNS)
def test_a_table_has_other_columns_and_other_names(case, d, tmp_path):
    top, line = COLUMNS[case]
    flat(tmp_path/'images', [*d[0], *d[2]])
    table(tmp_path/'labels.csv', [top, *(line.format(n=f'{i}.png', y=y, t=i>=len(d[1])) for i,y in enumerate([*d[1], *d[3]]))])
    train, test = load_any(tmp_path)
    assert len(train)+len(test)==len(d[1])+len(d[3]) and same(train[:5], d[0][:5], d[1][:5])
    if case=='is_valid': assert same(test, *d[2:])


@pytest.mark.parametrize('name', ['labels.csv', 'metadata.csv'])
def test_a_table_in_each_part_speaks_of_that_part(name, d, tmp_path):
    for split,at in SETS:
        flat(tmp_path/split, d[at])
        table(tmp_path/split/name, ['file_name,label', *(f'{i}.png,{y}' for i,y in enumerate(d[at+1]))])
    read(tmp_path, d)


def test_a_table_of_everything_and_one_for_each_part(d, tmp_path):
    flat(tmp_path/'images', [*d[0], *d[2]])
    lines = [f'{i}.png,{y}' for i,y in enumerate([*d[1], *d[3]])]
    for name,part in (('all', lines), ('train', lines[:len(d[1])]), ('test', lines[len(d[1]):])): table(tmp_path/f'{name}.csv', ['file,label', *part])
    read(tmp_path, d)


def test_an_example_of_an_answer_and_a_table_of_writers_are_no_labels(d, tmp_path):
    for split,at in SETS: flat(tmp_path/split, d[at])
    table(tmp_path/'trainLabels.csv', ['id,label', *(f'{i},{y}' for i,y in enumerate(d[1]))])
    table(tmp_path/'sampleSubmission.csv', ['id,label', *(f'{i},0' for i in range(len(d[3])))])
    table(tmp_path/'test.csv', ['file,writer', *(f'{i}.png,{i%3}' for i in range(len(d[3])))])
    train, test = load_any(tmp_path)
    assert len(train)+len(test)==len(d[1]) and f'{len(d[3])} pictures without a label left out' in train.notes


def test_folders_that_only_share_out_the_pictures_are_no_classes(d, tmp_path):
    for i,p in enumerate(d[0]): flat(tmp_path/f'images_{i//50:03}', [p], i)
    table(tmp_path/'labels.csv', ['file,label', *(f'{i}.png,{y}' for i,y in enumerate(d[1]))])
    train, test = load_any(tmp_path)
    assert train.classes==tuple('0123456789') and len(train)+len(test)==len(d[1])


def test_a_damaged_label_in_a_table_is_named(d, tmp_path):
    flat(tmp_path, d[0])
    table(tmp_path/'labels.csv', ['file,label', *(f'{i}.png,{"O" if i==7 else y}' for i,y in enumerate(d[1]))])
    with pytest.raises(ValueError, match=r"labels\.csv: expected a label in each row, found 'O' in row 9, label"): load_any(tmp_path)
    with pytest.raises(ValueError, match='found text; if it names pictures, give the folder that they are in'): load_any(tmp_path/'labels.csv')


def test_a_text_for_each_picture_is_no_table(d, tmp_path):
    flat(tmp_path/'images', d[0][:30])
    (tmp_path/'labels').mkdir()
    for i in range(30): table(tmp_path/'labels'/f'{i}.txt', ['3 0.5 0.5 1 1', '7 0.5 0.5 1 1'])
    with pytest.raises(ValueError, match='found all pictures in images'): load_any(tmp_path)


@pytest.mark.parametrize('name, says', [('labels.xlsx', 'labels.xlsx is a spreadsheet'), ('metadata.jsonl', 'metadata.jsonl is JSON')])
def test_a_table_that_others_read_comes_with_a_way_out(name, says, d, tmp_path):
    flat(tmp_path/'images', d[0][:20])
    (tmp_path/name).write_bytes(zipped(**{'[Content_Types].xml': ''}) if name.endswith('xlsx') else b'{"file_name": "0.png", "label": 3}')
    with pytest.raises(ValueError, match=says): load_any(tmp_path)


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
def names_of_classes(folder, d):
    import h5py
    with h5py.File(folder/'a.h5', 'w') as f:
        for split,at in SETS: f[f'{split}/images'], f[f'{split}/labels'] = d[at], d[at+1]
        f['classes'] = [*'0123456789']
        f['writers'] = np.array(['Jürgen'.encode('latin-1')], 'S')
def floats_in_parquet(folder, d):
    import pandas as pd
    for split,at in SETS: pd.DataFrame(dict(image=[(p/np.float32(255)).astype('<f4').tobytes() for p in d[at]], label=d[at+1])).to_parquet(folder/f'{split}.parquet')
def per_cent(folder, d): npz(folder/'a.npz', d[0]/2.55, d[1], d[2]/2.55, d[3])

@pytest.mark.parametrize('write', [last_axis, columns, matlab7, words_in_hdf5, names_of_classes, bytes_in_parquet, floats_in_parquet, by_number, per_cent])
def test_arrays_that_are_kept_in_other_ways(write, d, tmp_path):
    write(tmp_path, d)
    train, _ = read(tmp_path, d)
    if write in (last_axis, columns, matlab7): assert 'X_train: pictures were counted along the last axis' in train.notes


@pytest.mark.parametrize('more', [dict(ids=np.arange(90)), dict(writer=np.arange(90)%3), dict(bbox=np.zeros((90,4))), dict(numbers=np.arange(90))])
def test_what_is_no_label_is_not_taken_for_one(more, d, tmp_path):
    np.savez(tmp_path/'a.npz', images=d[0], **more)
    with pytest.raises(ValueError, match='expected (pictures and labels|labels for images), found'): load_any(tmp_path)


def test_floats_that_happen_to_end_at_100_are_no_per_cent(d, tmp_path):
    npz(tmp_path/'a.npz', d[0].astype('f4'), d[1], np.minimum(d[2].astype('f4'), 100), d[3])
    assert load_any(tmp_path)[1].images.max()==100


@pytest.mark.parametrize('n', [1, 2])
def test_a_few_flat_pictures_are_pictures(n, d, tmp_path):
    npz(tmp_path/'a.npz', d[0].reshape(90, 784), d[1], d[2][:n].reshape(n, 784), d[3][:n])
    assert same(load_any(tmp_path)[1], d[2][:n], d[3][:n])


def test_words_far_down_a_table_may_be_of_windows(d, tmp_path):
    lines = [f'acht,{",".join(map(str, d[0][0].ravel()))}']*700 + [f'fünf,{",".join(map(str, d[0][1].ravel()))}']*700
    (tmp_path/'a.csv').write_bytes('\n'.join(['label,'+','.join(f'pixel{i}' for i in range(784)), *lines]).encode('cp1252'))
    assert load_any(tmp_path)[0].classes==('acht', 'fünf')


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

ELSEWHERE = {'a.xlsx': (lambda: zipped(**{'[Content_Types].xml': '<a/>'}), 'a spreadsheet: export it as CSV'), 'a.pt': (torch_file, 'tensors of PyTorch: np.savez'), 'a.dat': (torch_file, 'tensors of PyTorch'),
             'a.pkl.gz': (lambda: gzip.compress(pickle.dumps([1, 2])), 'a Python pickle, which can run code when it is opened'), 'a.jsonl': (lambda: json.dumps(dict(image=[0]*784, label=3)).encode(), 'JSON: '),
             'a.arff': (lambda: b'@RELATION digits\n@DATA\n'+b','.join([b'0']*785), 'an ARFF file: '), 'a.zip': (with_password, 'expected an archive without a password, found one with; unpack it'),
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
