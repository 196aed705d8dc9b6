"""Sets as people have them: a damaged cell, one coloured picture, parts with names of their own, folders with misleading names, a part in
another range. Each is read right, with a line that says what was changed, or refused in a line that names the place. And what is advised works."""
import bz2, gzip, json, re, tarfile, zipfile

import numpy as np
import pytest
from any_sets import M, N, by_class, four, npz, pngs, rows, same, table
from PIL import Image

from mnist_course.any_digits import KINDS, load_any
from mnist_course.any_digits_files import layout_of
from mnist_course.core.pictures import as_picture
from mnist_course.tools.cli_data import traps

# One picture among others that are made otherwise

def red(p): return Image.merge('RGB', [Image.fromarray(p)]*3).copy()
def coloured(p): im = red(p); im.putpixel((0,0), (200,0,0)); return im
def white_on_nothing(p): im = Image.new('RGBA', (28,28), (255,255,255,0)); im.putalpha(Image.fromarray(p)); return im
def black_on_nothing(p): im = Image.new('RGBA', (28,28), (0,0,0,0)); im.putalpha(Image.fromarray(p)); return im
MADE = {'colour': (coloured, 60, 'colour: '), 'grey as RGB': (red, 0, ''), 'opaque RGBA': (lambda p: red(p).convert('RGBA'), 0, ''),
        'palette': (lambda p: Image.fromarray(p).convert('P'), 0, ''), '16 bits': (lambda p: Image.fromarray(p.astype('u2')*257), 0, 'range: 0 to 65535 became 0 to 255 in train'),
        'white ink on nothing': (white_on_nothing, 1, ''), 'black ink on nothing': (black_on_nothing, 1, 'ink: dark on light became light on dark in 1 of 90 pictures of train'),
        'one bit': (lambda p: Image.fromarray(p).convert('1', dither=0), 128, ''), 'another size': (lambda p: Image.fromarray(p).resize((56,56), 0), 128, 'size: '),
        'CMYK': (lambda p: red(p).convert('CMYK'), 2, '')}

@pytest.mark.parametrize('share', [1, 2])
@pytest.mark.parametrize('kind', MADE)
def test_pictures_made_in_several_ways(kind, share, d, tmp_path):
    "One of them, or every second one"
    make, off, says = MADE[kind]
    def change(p, i): return make(p) if (i==7 if share==1 else i%2) else Image.fromarray(p)
    pngs(tmp_path/'train', *d[:2], change, 'tif' if kind=='CMYK' else 'png')
    pngs(tmp_path/'test', *d[2:])
    train, test = load_any(tmp_path)
    x, y = by_class(*d[:2])
    assert np.abs(train.images.numpy().astype(int)-x).max()<=off and train.labels.tolist()==y.tolist() and same(test, *by_class(*d[2:]))
    assert [n for n in train.notes if (n.startswith(says) or share==2 and n.split(' in ')[0]==says.split(' in ')[0]) and says] == list(train.notes)


def test_photos_that_lie_on_their_side_are_turned_as_the_camera_noted(d, tmp_path):
    turns = {1: 0, 6: 1, 8: -1, 3: 2}
    for split,x,y in (('train', *d[:2]), ('test', *d[2:])):
        for i,(p,label) in enumerate(zip(x, y)):
            exif, code = Image.Exif(), [*turns][i%4]
            exif[0x112] = code
            (tmp_path/split/str(label)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.rot90(p, turns[code])).save(tmp_path/split/str(label)/f'{i:05}.png', exif=exif)
    train, test = load_any(tmp_path)
    assert same(train, *by_class(*d[:2])) and same(test, *by_class(*d[2:])) and train.notes[0]=='turned: 67 pictures of train as the camera noted in the file'


# Tables

LETTER = 400
def cell(row, column, value):
    def change(lines):
        cells = lines[row].split(',')
        cells[column] = value
        lines[row] = ','.join(cells)
    return change
DAMAGED = {'a letter for a pixel': (cell(50, 1+LETTER, 'O'), "found text in row 50, column 402 (pixel400): 'O'"),
           'a letter in the first row': (cell(1, 1, 'x'), "found text in row 1, column 2 (pixel0): 'x'"), 'in the last column': (cell(9, 784, '1O'), "row 9, column 785 (pixel783): '1O'"),
           'nothing for a pixel': (cell(50, 12, ''), 'found none in row 50, column 13 (pixel11)'), 'nan': (cell(3, 12, 'nan'), 'row 3, column 13 (pixel11)'),
           'nothing for a label': (cell(50, 0, ''), 'found none in row 50, column 1 (label)'), 'a letter for a label': (cell(50, 0, 'O'), "found 'O' in row 50, column 1 (label); if it is a class, give the others names too"),
           'None for a label': (cell(50, 0, 'None'), "found 'None' in row 50, column 1 (label)"), 'half a label': (cell(50, 0, '3.5'), 'found fractions: 3.5 for picture 49'),
           'a label far off': (cell(50, 0, '200'), 'expected labels like the others, 0 to 9, found 200 (1 time); is it damaged? If it is a class, number it 10'), 'no label, as -1': (cell(50, 0, '-1'), 'expected labels from 0, found -1'),
           'a comma too many': (lambda lines: lines.__setitem__(50, lines[50]+','), 'Expected 785 fields in line 51, saw 786'),
           'cut off': (lambda lines: lines.__setitem__(slice(-1, None), [lines[-1][:300]]), 'found none in row 90, column '),
           'two tables in one': (lambda lines: lines.insert(40, lines[0]), "found text in row 40, column 2 (pixel0): 'pixel0'")}

@pytest.mark.parametrize('case', DAMAGED)
def test_a_damaged_cell_is_named(case, d, tmp_path):
    change, says = DAMAGED[case]
    lines = rows(*d[:2])
    change(lines)
    with pytest.raises(ValueError, match=re.escape(says)) as e: load_any(table(tmp_path/'a.csv', lines))
    assert str(tmp_path/'a.csv') in str(e.value) and '\n' not in str(e.value)


@pytest.mark.parametrize('column,value', [(401, 'O'), (12, '')])
def test_a_damaged_cell_without_a_header_is_named(column, value, d, tmp_path):
    lines = rows(*d[:2], names=False)
    cell(49, column, value)(lines)
    with pytest.raises(ValueError, match=f'row 50, column {column+1}'): load_any(table(tmp_path/'a.csv', lines))


def quoted(lines): return [','.join(f'"{c}"' for c in line.split(',')) for line in lines]
WRITTEN = {'plain': lambda x, y: rows(x, y), 'semicolons': lambda x, y: rows(x, y, sep=';'), 'tabs': lambda x, y: rows(x, y, sep='\t'), 'bars': lambda x, y: rows(x, y, sep='|'),
           'tabs without header': lambda x, y: rows(x, y, False, '\t'), 'blanks': lambda x, y: rows(x, y, False, ' '), 'quotes': lambda x, y: quoted(rows(x, y)),
           'empty lines': lambda x, y: '\n\n'.join(rows(x, y)).split('\n'), 'empty lines above': lambda x, y: ['', '', *rows(x, y)], 'a comment above': lambda x, y: ['# mine', *rows(x, y)],
           'a comma at each end': lambda x, y: [r+',' for r in rows(x, y)], 'a comma at each end but of the header': lambda x, y: [rows(x, y)[0], *(r+',' for r in rows(x, y)[1:])],
           'a comma at each end, no header': lambda x, y: [r+',' for r in rows(x, y, False)], 'decimal commas': lambda x, y: [r.replace('.', ',') for r in rows(np.round(x/255., 4), y, sep=';')],
           'labels as floats': lambda x, y: rows(x, y.astype(float)), 'names of files': lambda x, y: ['file,'+rows(x, y)[0], *(f'{i}.png,{r}' for i,r in enumerate(rows(x, y)[1:]))],
           'a number in the header': lambda x, y: [rows(x, y)[0].replace('pixel19,', '19,'), *rows(x, y)[1:]],
           'a header of numbers': lambda x, y: [','.join(map(str, range(785))), *rows(x, y, False)], 'from 1': lambda x, y: [','.join(map(str, range(1, 786))), *rows(x, y, False)],
           'as pandas writes an array': lambda x, y: [','+','.join(map(str, range(785))), *(f'{i},{r}' for i,r in enumerate(rows(x, y, False)))]}

@pytest.mark.parametrize('case', WRITTEN)
def test_tables_as_people_write_them(case, d, tmp_path):
    lines = WRITTEN[case](*d[:2])
    for encoding in ('utf-8', 'utf-8-sig', 'utf-16') if case=='plain' else ('utf-8',):
        (tmp_path/'a.csv').write_text('\n'.join(lines)+'\n', encoding=encoding)
        train, test = load_any(tmp_path/'a.csv')
        back = np.arange(N)%6==5
        assert same(train, d[0][~back], d[1][~back]) and same(test, d[0][back], d[1][back])


@pytest.mark.parametrize('place', ['first', 'last'])
def test_the_column_of_labels_is_told_beside_one_that_is_left_out(place, d, tmp_path):
    lines = ['id,'+','.join(f'p{i}' for i in range(785))] + [','.join(map(str, [i, label, *p.ravel()] if place=='first' else [i, *p.ravel(), label])) for i,(p,label) in enumerate(zip(*d[:2]))]
    assert f'labels: taken from the {place} column, which no header names' in load_any(table(tmp_path/'a.csv', lines))[0].notes


def test_a_class_may_be_called_NA(d, tmp_path):
    "Where the others have names too"
    names = np.array(['NA', *'abcdefghi'])
    train, _ = load_any(table(tmp_path/'a.csv', rows(d[0], names[d[1]])))
    assert train.classes==('NA', *'abcdefghi')


@pytest.mark.parametrize('word,times,is_class', [('other', 2, True), ('no digit', 3, True), ('other', 1, False), ('O', 2, False), ('?', 2, False), ('none', 3, False)])
def test_a_rare_word_among_numbers_is_a_class_and_a_letter_is_damage(word, times, is_class, d, tmp_path):
    labels = np.array([i%3 for i in range(N)], object)
    labels[:times] = word
    path = table(tmp_path/'a.csv', rows(d[0], labels))
    if is_class: assert sorted(load_any(path)[0].classes)==['0', '1', '2', word]
    else:
        with pytest.raises(ValueError, match=f'expected a label in each row, found {re.escape(repr(word))} in row 1, .*; if it is a class'): load_any(path)


# What the parts are called

def csvs(a, b):
    def write(folder, d):
        table(folder/a, rows(*d[:2]))
        table(folder/b, rows(*d[2:]))
    return write

def npys(folder, d):
    for name,a in zip(('x_tr', 'y_tr', 'x_te', 'y_te'), d): np.save(folder/f'{name}.npy', a)

def parquet(path, x, y, names=None):
    pa, pq = pytest.importorskip('pyarrow'), pytest.importorskip('pyarrow.parquet')
    from io import BytesIO
    def packed(p): Image.fromarray(p).save(out := BytesIO(), 'PNG'); return dict(bytes=out.getvalue(), path=None)
    path.parent.mkdir(parents=True, exist_ok=True)
    label = dict(names=names, _type='ClassLabel') if names else dict(dtype='int64', _type='Value')
    t = pa.table(dict(image=list(map(packed, x)), label=[int(v) for v in y]))
    pq.write_table(t.replace_schema_metadata(dict(huggingface=json.dumps(dict(info=dict(features=dict(image=dict(_type='Image'), label=label)))))), path)

def hub(old, new='test-00000-of-00001-c9a7e1d1b2c3d4e5'):
    def write(folder, d):
        parquet(folder/f'data/{old}.parquet', *d[:2])
        parquet(folder/f'data/{new}.parquet', *d[2:])
    return write

def shards(kind):
    def write(folder, d):
        for n,at in ((1, 0), (2, 30), (10, 60)):
            piece = [a[at:at+30] for a in d[:2]]
            if kind=='npz': np.savez(folder/f'train_{n}.npz', x=piece[0], y=piece[1])
            elif kind=='csv': table(folder/f'train_{n}.csv', rows(*piece))
            else: parquet(folder/f'train-{n}.parquet', *piece)
        if kind=='npz': np.savez(folder/'test.npz', x=d[2], y=d[3])
        elif kind=='csv': table(folder/'test.csv', rows(*d[2:]))
        else: parquet(folder/'test-1.parquet', *d[2:])
    return write

def mats(folder, d):
    savemat = pytest.importorskip('scipy.io').savemat
    for name,x,y in (('train', *d[:2]), ('test', *d[2:])): savemat(folder/f'{name}.mat', dict(X=x, y=y[:,None]))

def h5s(folder, d):
    h5py = pytest.importorskip('h5py')
    for name,x,y in (('train', *d[:2]), ('test', *d[2:])):
        with h5py.File(folder/f'{name}_digits.h5', 'w') as f: f[f'{name}_set_x'], f[f'{name}_set_y'] = x, y

def two_npz(a, b):
    def write(folder, d):
        np.savez(folder/a, x=d[0], y=d[1])
        np.savez(folder/b, x=d[2], y=d[3])
    return write

def npys_in_folders(names):
    def write(folder, d):
        for name,a in zip(names, d): (folder/name).parent.mkdir(exist_ok=True), np.save(folder/name, a)
    return write

def idx_test(folder, d): four(folder, *d, test='test')
def capitals(folder, d):
    for f in [*four(folder, *d).iterdir()]: f.rename(folder/f.name.upper())

PARTS = {'Hugging Face, with hashes': hub('train-00000-of-00001-b42a4a5b2ae2c5a0'), 'Hugging Face, without': hub('train-00000-of-00001', 'test-00000-of-00001'),
         'Hugging Face, validation': hub('train-00000-of-00001-b42a4a5b2ae2c5a0', 'validation-00000-of-00001-00aa11bb22cc33dd'), 'shards of Parquet': shards('parquet'), 'shards of CSV': shards('csv'),
         'shards of npz': shards('npz'), 'mnist_test.csv': csvs('train.csv', 'mnist_test.csv'), 'my_train.csv': csvs('my_train.csv', 'test.csv'), 'training, testing': csvs('training.csv', 'testing.csv'),
         'val': csvs('digits_train.csv', 'val.csv'), 'tr, te': csvs('mnist_tr.csv', 'mnist_te.csv'), 'tra, tes': csvs('optdigits.tra', 'optdigits.tes'), 'trn, tst': csvs('a.trn.csv', 'a.tst.csv'),
         'train, t10k': csvs('train.csv', 't10k.csv'), 'latest': csvs('latest_train.csv', 'latest_test.csv'), 'npz': two_npz('my_train.npz', 'test.npz'), 'four npy': npys, 'npy in folders of a part': npys_in_folders(['train/images.npy', 'train/labels.npy', 'test/images.npy', 'test/labels.npy']),
         'npy in folders of a kind': npys_in_folders(['images/train.npy', 'labels/train.npy', 'images/test.npy', 'labels/test.npy']), 'two mat': mats, 'two h5': h5s,
         'idx, test': idx_test, 'idx in capitals': capitals}

@pytest.mark.parametrize('case', PARTS)
def test_both_parts_are_found_and_pieces_stay_in_order(case, d, tmp_path):
    PARTS[case](tmp_path, d)
    train, test = load_any(tmp_path)
    assert same(train, *d[:2]) and same(test, *d[2:]) and not any(n.startswith('test: ') for n in train.notes)


def test_a_test_part_of_another_set_is_not_taken(d, tmp_path):
    csvs('train.csv', 'a_test.csv')(tmp_path, d)
    table(tmp_path/'b_test.csv', rows(*d[2:]))
    train, _ = load_any(tmp_path)
    assert len(train)==75 and 'sets: a, b left out' in train.notes


def test_arrays_without_names_are_not_guessed(d, tmp_path):
    np.savez(tmp_path/'a.npz', *d)
    with pytest.raises(ValueError, match=r'a\.npz: expected names that say which pictures go with which labels, found arr_0, arr_2; call them x_train'): load_any(tmp_path/'a.npz')


# What folders are called

def no_digits(d): return d[0], np.arange(N)%10, d[2], np.arange(M)%10    # as clothes are: pictures in which the convnet can't read the labels

@pytest.mark.parametrize('place', ['emnist-project/mine', 'emnist', 'fashion-vs-digits/digits', 'fashion-mnist', 'kmnist-lab', 'kmnist/raw', 'KMNIST'])
@pytest.mark.parametrize('kind', ['idx', 'png', 'npz'])
def test_digits_stay_digits_whatever_their_folder_is_called(place, kind, d, tmp_path, monkeypatch):
    folder = tmp_path/place
    folder.mkdir(parents=True)
    if kind=='idx': four(folder, *d)
    elif kind=='npz': npz(folder/'numbers.npz', *d)
    else: pngs(folder/'train', *d[:2]), pngs(folder/'test', *d[2:])
    monkeypatch.chdir(folder)
    expected = by_class(*d[:2]) if kind=='png' else d[:2]
    for path in (folder, '.'):
        train, _ = load_any(path)
        assert same(train, *expected) and train.classes==tuple('0123456789')
    said = [n for n in train.notes if n.startswith('set: digits as any others, though a folder is called')]
    assert len(said)==(place.rpartition('/')[2] in ('emnist', 'fashion-mnist', 'raw', 'KMNIST')) and len(train.notes)==len(said)


@pytest.mark.parametrize('place,kind', [('fashion-mnist', 'fashion'), ('FashionMNIST/raw', 'fashion'), ('kmnist', 'kmnist')])
def test_a_folder_names_what_no_picture_contradicts(place, kind, d, tmp_path, monkeypatch):
    monkeypatch.chdir(four(tmp_path/place, *no_digits(d)))
    for path in (tmp_path/place, '.'):
        train, _ = load_any(path)
        assert train.classes==KINDS[kind].classes[0] and train.notes==(f'set: taken for {KINDS[kind].title}, because a folder is called {place.partition("/")[0]}',)


@pytest.mark.parametrize('place', ['USPS', 'qmnist'])
def test_a_folder_of_digits_may_be_called_after_digits(place, d, tmp_path):
    (tmp_path/place).mkdir()
    npz(tmp_path/place/'data.npz', *d)
    train, _ = load_any(tmp_path/place)
    assert same(train, *d[:2]) and not train.notes


def test_each_change_has_a_reason_of_its_own(d, tmp_path):
    y, yt = np.arange(N)%26+1, np.arange(M)%26+1
    notes = load_any(four(tmp_path, 255-d[0], y, 255-d[2], yt, 'emnist-letters-{}', 'test'))[0].notes
    assert notes[1:]==('turned: rows and columns swapped, because EMNIST keeps its pictures on their side', 'ink: dark on light became light on dark (EMNIST has light ink)')


def test_the_name_of_a_file_counts_for_sure(d, tmp_path):
    csvs('fashion-mnist_train.csv', 'fashion-mnist_test.csv')(tmp_path, d)
    assert load_any(tmp_path)[0].classes==KINDS['fashion'].classes[0]
    (tmp_path/'kmnist').mkdir()
    npz(tmp_path/'kmnist'/'mnist.npz', *d)
    for path in (tmp_path/'kmnist', tmp_path/'kmnist'/'mnist.npz'): assert load_any(path)[0].classes==tuple('0123456789')


def test_upright_digits_in_files_of_emnists_names_stay_upright(d, tmp_path):
    assert same(load_any(four(tmp_path, *d, 'emnist-digits-{}', 'test'))[0], *d[:2])


# Names of classes

CAPS, CLOTHES = tuple('ABCDEFGHIJKLMNOPQRSTUVWXYZ'), ['Top', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Boot']

@pytest.mark.parametrize('k', [10, 25, 26])
@pytest.mark.parametrize('first', [0, 1])
def test_some_of_the_letters_keep_their_names(k, first, d, tmp_path):
    four(tmp_path, d[0], np.arange(N)%k+first, d[2], np.arange(M)%k+first, 'emnist-letters-{}', 'test')
    train, test = load_any(tmp_path)
    assert [train.classes[i] for i in train.labels.tolist()]==[CAPS[i%k] for i in range(N)] and test.classes==train.classes


@pytest.mark.parametrize('place,name,k,classes', [('letters-project/d', 'emnist-digits-{}', 10, '0123456789'), ('digits/e', 'emnist-balanced-{}', 40, '0123456789'+''.join(CAPS)+'abdefghnqrt'),
                                                  ('letters', 'emnist-mnist-{}', 10, '0123456789'), ('letters', 'emnist-{}', 26, CAPS), ('emnist_letters/gzip', '{}', 20, CAPS), ('letters-project', 'emnist-{}', 20, [str(i) for i in range(20)])])
def test_the_innermost_name_says_which_of_emnists_sets_it_is(place, name, k, classes, d, tmp_path):
    "A folder counts where the files say nothing, if it is called nothing else"
    train, _ = load_any(four(tmp_path/place, d[0], d[1] if k==10 else np.arange(N)%k, d[2], d[3] if k==10 else np.arange(M)%k, name, 'test'))
    assert train.classes==tuple(classes)


@pytest.mark.parametrize('kept', [(5,6,7,8,9), (0,1,2), (3,7)])
def test_some_of_the_classes_of_a_parquet_file_keep_their_names(kept, d, tmp_path):
    on, on_test = np.isin(d[1], kept), np.isin(d[3], kept)
    parquet(tmp_path/'train-0.parquet', d[0][on], d[1][on], CLOTHES)
    parquet(tmp_path/'test-0.parquet', d[2][on_test], d[3][on_test], CLOTHES)
    train, test = load_any(tmp_path)
    assert [train.classes[i] for i in train.labels.tolist()]==[CLOTHES[v] for v in d[1][on]] and [test.classes[i] for i in test.labels.tolist()]==[CLOTHES[v] for v in d[3][on_test]]


def test_fewer_names_than_labels_are_told(d, tmp_path):
    parquet(tmp_path/'a.parquet', *d[:2], CLOTHES[:5])
    with pytest.raises(ValueError, match=r'a\.parquet: expected labels below 5, as many as there are names for classes, found 9'): load_any(tmp_path/'a.parquet')


def test_folders_1_and_01_are_two_classes(d, tmp_path):
    names = np.array(['0', '1', '01', *'3456789'])
    train, _ = load_any(pngs(tmp_path, d[0], names[d[1]]))
    assert sorted(train.classes)==sorted(names) and (train.labels==train.classes.index('01')).sum() + (train.labels==train.classes.index('1')).sum()>9
    train, _ = load_any(pngs(tmp_path/'padded', d[0], [f'{v:02}' for v in d[1]]))
    assert train.classes==tuple('0123456789')


def test_ten_digits_and_others(d, tmp_path):
    pngs(tmp_path/'train', *d[:2])
    pngs(tmp_path/'train', d[0][:5], ['other']*5)
    pngs(tmp_path/'test', 255-d[2], d[3])
    train, test = load_any(tmp_path)
    assert train.classes==(*'0123456789', 'other') and len(train)==N+5 and same(test, *by_class(*d[2:]))


def test_classes_of_the_test_part_alone_are_told(d, tmp_path):
    npz(tmp_path/'a.npz', d[0], d[1], d[2], d[3]+1)
    assert 'classes: 10 stands in test only, so nobody can learn it' in load_any(tmp_path/'a.npz')[0].notes


@pytest.mark.parametrize('high,low', [(1, 0), (1., 0.), (1., -1.)])
def test_rows_with_a_single_one_are_labels(high, low, d, tmp_path):
    def hot(y): return np.where(np.eye(10)>0, high, low)[y]
    npz(tmp_path/'a.npz', d[0], hot(d[1]), d[2], hot(d[3]))
    train, test = load_any(tmp_path/'a.npz')
    assert same(train, *d[:2]) and same(test, *d[2:]) and train.extra is None and train.notes==('labels: rows of 10 with a single one became its place',)


def test_25_columns_of_labels_are_no_pictures(d, tmp_path):
    npz(tmp_path/'a.npz', d[0], np.eye(25)[np.arange(N)%25], d[2], np.eye(25)[np.arange(M)%25])
    assert load_any(tmp_path/'a.npz')[0].labels.tolist()==[i%25 for i in range(N)]


@pytest.mark.parametrize('value,says', [(200, 'expected labels like the others, 0 to 9, found 200'), (-1, 'expected labels from 0, found -1'), (None, 'found None for picture 5 of train'),
                                        (np.nan, 'found nan for picture 5 of train'), (1e30, 'found 1e+30 for picture 5 of train'), (np.inf, 'found inf for picture 5 of train'), (2**64-1, 'found 18446744073709551615 for picture 5 of train')])
def test_a_label_that_is_none_is_refused(value, says, d):
    y = d[1].astype({float: float, int: object if value==2**64-1 else np.int64}.get(type(value), object))
    if value==2**64-1: y = y.astype(np.uint64)
    y[5] = value
    with pytest.raises(ValueError, match=re.escape(says)): load_any(dict(data=d[0], target=y))


def test_a_test_part_without_labels_is_left_out(d, tmp_path):
    npz(tmp_path/'a.npz', d[0], d[1], d[2], d[3]*0-1)
    train, _ = load_any(tmp_path/'a.npz')
    assert train.classes==tuple('0123456789') and 'x_test: no labels, left out' in train.notes


# Each part for itself

MADE_BY = {'floats': lambda x: x/255., 'floats to 255': lambda x: x.astype(float), '-1 to 1': lambda x: x/127.5-1, '16 bits': lambda x: x.astype('u2')*257, '12 bits': lambda x: x.astype('u2')*16,
           'big-endian': lambda x: x.astype('>i4'), 'bytes': lambda x: x, 'a smooth scaling': lambda x: x/255*1.02-.005}

@pytest.mark.parametrize('train', MADE_BY)
@pytest.mark.parametrize('test', ['bytes', 'floats', '16 bits'])
def test_each_part_has_its_own_range(train, test, d, tmp_path):
    npz(tmp_path/'a.npz', MADE_BY[train](d[0]), d[1], MADE_BY[test](d[2]), d[3])
    for got,images in zip(load_any(tmp_path/'a.npz'), d[::2]): assert np.abs(got.images.numpy().astype(int)-images).max()<=5


def test_odd_ranges_are_shared(d, tmp_path):
    "Standardised pictures: a test part that lacks the strongest ink gets no stronger"
    def standard(x): return (x/255-.13)/.31
    npz(tmp_path/'a.npz', standard(d[0]), d[1], standard(d[2]//2), d[3])
    assert abs(int(load_any(tmp_path/'a.npz')[1].images.max())-127)<=1


@pytest.mark.parametrize('low,high,levels', [(0, 1.2, 255), (0, 2, 255), (-.5, .5, 255), (-.52, .53, 255), (0, 2, 2), (0, 3, 3), (0, 7, 7), (0, 15, 15), (0, 16, 16)])
def test_ranges_that_people_use(low, high, levels, d, tmp_path):
    "Few levels of grey are whole numbers"
    def made(x): return (np.round(x/255*levels)).astype('u1') if levels<255 else x/255*(high-low)+low
    npz(tmp_path/'a.npz', made(d[0]), d[1], made(d[2]), d[3])
    for got,images in zip(load_any(tmp_path/'a.npz'), d[::2]): assert np.abs(got.images.numpy()-np.round(np.round(images/255*levels)*255/levels)).max()<=16


@pytest.mark.parametrize('way', ['inverted', 'turned'])
@pytest.mark.parametrize('part', [0, 2])
def test_one_part_that_lies_otherwise(part, way, d, tmp_path):
    parts = [*d]
    parts[part] = 255-d[part] if way=='inverted' else np.rot90(d[part], 1, (1,2))
    train, test = load_any(four(tmp_path, *parts))
    assert same(train, *d[:2]) and same(test, *d[2:]) and len(train.notes)==1 and f' in {["train", "", "test"][part]} ' in train.notes[0]


def test_clothes_of_which_one_part_is_inverted(d, tmp_path):
    x, y, xt, yt = no_digits(d)
    train, test = load_any(four(tmp_path/'fashion-mnist', x, y, 255-xt, yt))
    assert same(train, x) and same(test, xt) and any(n.startswith('ink: dark on light became light on dark in test') for n in train.notes)


# What is advised works

def emnist_all(folder, d):
    for name in ('digits', 'letters', 'balanced', 'mnist'): four(folder, *d, f'emnist-{name}-{{}}', 'test')
    return folder
def zipped(write):
    def pack(folder, d):
        write(folder/'in'/'gzip', d)
        with zipfile.ZipFile(folder/'a.zip', 'w') as z:
            for f in sorted((folder/'in').rglob('*')): z.write(f, f.relative_to(folder/'in'))
        return folder/'a.zip'
    return pack
def torchvisions(folder, d): return [four(folder/f'{name}/raw', *d) for name in ('MNIST', 'FashionMNIST', 'KMNIST')] and folder
def several_mats(folder, d):
    savemat = pytest.importorskip('scipy.io').savemat
    folder.mkdir(parents=True, exist_ok=True)
    for name in ('digits', 'mnist', 'letters'):
        savemat(folder/f'emnist-{name}.mat', {'dataset': {s: dict(images=x.reshape(len(x), -1), labels=y[:,None]) for s,x,y in (('train', *d[:2]), ('test', *d[2:]))}})
    return folder
def several_npz(folder, d): npz(folder/'mnist.npz', *d), npz(folder/'fashion.npz', *d); return folder
def several_csv(folder, d): csvs('a_train.csv', 'a_test.csv')(folder, d), csvs('b_train.csv', 'b_test.csv')(folder, d); return folder
def nameless(folder, d): csvs('train.csv', 'test.csv')(folder, d), csvs('b_train.csv', 'b_test.csv')(folder, d); return folder
def two_copies(folder, d): return four(folder/'new', *d) and four(folder/'old', *d).parent
def two_trees(folder, d): return [pngs(folder/n/s, x, y) for n in ('mine', 'hers') for s,x,y in (('train', *d[:2]), ('test', *d[2:]))] and folder
def two_configs(folder, d): return [hub('train-0', 'test-0')(folder/n, d) for n in ('mnist', 'fashion_mnist')] and folder
SEVERAL = dict(emnist=emnist_all, torchvision=torchvisions, mats=several_mats, npz=several_npz, csv=several_csv, nameless=nameless, copies=two_copies, trees=two_trees, configs=two_configs,
               zip_of_idx=zipped(emnist_all), zip_of_mats=zipped(several_mats), zip_of_copies=zipped(two_copies))

@pytest.mark.parametrize('case', SEVERAL)
def test_what_is_advised_works(case, d, tmp_path):
    path = SEVERAL[case](tmp_path, d)
    with pytest.raises(ValueError, match='expected one data set, found') as e: load_any(path)
    advice = str(e.value).rpartition('name one, as ')[2]
    train, test = load_any(advice)
    assert len(train)==N and len(test)==M and advice.startswith(str(path))
    if case=='emnist':
        for name in ('digits', 'letters', 'balanced', 'mnist'): assert len(load_any(path/f'emnist-{name}')[0])==N
        with pytest.raises(FileNotFoundError): load_any(path/'emnist-nothing')
    if 'zip' in case:
        with pytest.raises(ValueError, match=f'expected a data set called nothing, found .*name one, as {re.escape(str(path))}/'): load_any(path/'nothing')


def test_a_copy_in_a_folder_below_is_left_out(d, tmp_path):
    four(four(tmp_path, *d)/'old', d[0][::-1], d[1], *d[2:])
    train, _ = load_any(tmp_path)
    assert same(train, *d[:2]) and train.notes==('sets: old left out',)


@pytest.mark.parametrize('kind', ['folder', 'zip', 'zip of pictures'])
@pytest.mark.parametrize('name', ['valid', 'test', 'images.npz', 'train_labels'])
def test_what_is_not_there_is_not_read(kind, name, d, tmp_path):
    "A name that says no more than which part it is stands for no set"
    if 'pictures' in kind: pngs(tmp_path/'in'/'0', *d[:2])
    else: (tmp_path/'in').mkdir(), csvs('train.csv', 'test_1.csv')(tmp_path/'in', d)
    path = tmp_path/'in'
    if 'zip' in kind:
        path = tmp_path/'a.zip'
        with zipfile.ZipFile(path, 'w') as z: [z.write(f, f.relative_to(tmp_path/'in')) for f in sorted((tmp_path/'in').rglob('*.*'))]
    with pytest.raises((ValueError, FileNotFoundError), match=f'{re.escape(str(path/name))}: expected a data set, found nothing; check the path'): load_any(path/name)


# What lies beside a set, and what is none

@pytest.mark.parametrize('beside', ['notes.csv', 'cache.npz', 'model.h5', 'few.csv', 'train/3/a.csv'])
def test_files_beside_folders_of_pictures(beside, d, tmp_path):
    pngs(tmp_path/'train', *d[:2])
    pngs(tmp_path/'test', *d[2:])
    if beside=='cache.npz': np.savez(tmp_path/beside, a=np.zeros(3))
    elif beside=='few.csv': table(tmp_path/beside, rows(d[0][:3], d[1][:3]))
    else: (tmp_path/beside).write_bytes(b'\x89HDF\r\n\x1a\n'+bytes(50) if beside=='model.h5' else b'file,'+b'c,'*20+b'\n')
    train, test = load_any(tmp_path)
    assert same(train, *by_class(*d[:2])) and len(test)==M and (any('left out' in n for n in train.notes) or beside in ('notes.csv', 'train/3/a.csv'))


@pytest.mark.parametrize('beside', ['README.md', 'results.npz', 'history.npy', 'weights.h5'])
def test_files_beside_tables(beside, d, tmp_path):
    csvs('train.csv', 'test.csv')(tmp_path, d)
    if beside=='README.md': (tmp_path/beside).write_text('# Digits\n\n'+'Written by Ann, Bob, Cem, Dan, Eva, Fay, Gus, Hal, Ida, Jan, Kai, Lea, Max, Ned, Oda, Pia, and me.\n'*3)
    elif beside=='results.npz': np.savez(tmp_path/beside, loss=np.zeros(3))
    elif beside=='history.npy': np.save(tmp_path/beside, np.array([dict(loss=.1)]))
    else:
        with pytest.importorskip('h5py').File(tmp_path/beside, 'w') as f: f['dense/kernel'] = np.zeros((3,4))
    train, test = load_any(tmp_path)
    assert same(train, *d[:2]) and same(test, *d[2:]) and train.notes==(() if beside=='README.md' else (f'{beside}: no pictures with labels, left out',))


@pytest.mark.parametrize('pixels', [784, 3*64*64])
def test_a_table_is_one_by_a_row_of_numbers(pixels, tmp_path):
    "Names of columns may take up all that is looked at"
    path = table(tmp_path/'a.csv', [','.join(['label', *(f'pixel{i}' for i in range(pixels))]), *(','.join([str(i), *['7']*pixels]) for i in range(3))])
    assert layout_of(path)=='CSV' and layout_of(table(tmp_path/'b.txt', ['a, '*40]*9))==''


def test_pictures_without_a_part_are_told(d, tmp_path):
    pngs(tmp_path/'train', *d[:2])
    pngs(tmp_path, d[0][:5], ['unknown']*5)
    assert 'other: 5 pictures of no part left out' in load_any(tmp_path)[0].notes


def test_labels_with_a_single_one_are_a_trap_of_their_own():
    assert traps(['labels: rows of 10 with a single one became its place'])==['labels are rows of zeros with a single one: whoever needs a number has to take its place']


def test_plots_beside_a_file_are_no_set(d, tmp_path):
    npz(tmp_path/'mnist.npz', *d)
    pngs(tmp_path/'plots', d[0][:4], ['a', 'b']*2)
    assert same(load_any(tmp_path)[0], *d[:2])


def test_half_a_download_and_a_checksum_are_left_alone(d, tmp_path):
    four(tmp_path, *d)
    for name in ('t10k-images-idx3-ubyte.gz.part', 'train-images-idx3-ubyte.md5', 'idx1 notes.txt'): (tmp_path/name).write_bytes(b'\x1f\x8bjunk' if 'part' in name else b'notes')
    assert same(load_any(tmp_path)[0], *d[:2])


def test_class_above_split(d, tmp_path):
    for split,x,y in (('train', *d[:2]), ('test', *d[2:])):
        for i,(p,label) in enumerate(zip(x, y)):
            (tmp_path/str(label)/split).mkdir(parents=True, exist_ok=True)
            Image.fromarray(p).save(tmp_path/str(label)/split/f'{i:05}.png')
    train, test = load_any(tmp_path)
    assert same(train, *by_class(*d[:2])) and same(test, *by_class(*d[2:]))


def test_a_zip_for_each_part(d, tmp_path):
    for split,x,y in (('train', *d[:2]), ('test', *d[2:])):
        pngs(tmp_path/'in'/split, x, y)
        with zipfile.ZipFile(tmp_path/f'{split}.zip', 'w') as z:
            for f in sorted((tmp_path/'in'/split).rglob('*.png')): z.write(f, f.relative_to(tmp_path/'in'/split))
    import shutil
    shutil.rmtree(tmp_path/'in')
    train, test = load_any(tmp_path)
    assert same(train, *by_class(*d[:2])) and same(test, *by_class(*d[2:]))


def test_loaders_results_are_taken(d):
    for given in ((d[0], d[1]), ((d[0], d[1]), (d[2], d[3]))):
        train, test = load_any(given)
        assert len(train)+len(test)==(N if given[0] is d[0] else N+M)


def gzipped_pickle(folder): (folder/'a.pkl.gz').write_bytes(gzip.compress(b'\x80\4abc'*99)); return folder/'a.pkl.gz'
def tar(folder):
    (folder/'a').write_text('a')
    with tarfile.open(folder/'a.tar.gz', 'w:gz') as t: t.add(folder/'a')
    return folder/'a.tar.gz'
def cut(folder): (folder/'a.bz2').write_bytes(bz2.compress(b'1 1:1 256:1\n'*999)[:-20]); return folder/'a.bz2'
def cut_table(folder): (folder/'a.csv.gz').write_bytes(gzip.compress(b'1,'*3000)[:-9]); return folder
def array(name, shape):
    def write(folder): np.savez(folder/'a.npz', x_train=np.zeros(shape), y_train=np.arange(shape[0])); return folder/'a.npz'
    return write
NONE = {'RGBA': (array('a', (12,28,28,4)), r'a\.npz: x_train: expected pictures, grey or in three colours, found shape \(12, 28, 28, 4\)'),
        '3-D': (array('a', (12,28,28,28)), r'a\.npz: x_train: expected pictures'), 'bzip2 cut off': (cut, r'a\.bz2: expected a whole bzip2 file'), 'a pickle': (gzipped_pickle, 'found a Python pickle, which can run code when it is opened'),
        'a tar': (tar, 'found a tar archive: unpack it'), 'a list': (lambda f: [1, 2], 'found a list'), 'a number': (lambda f: 5, "expected a folder, a file, or what scikit-learn's loaders give, found an int"),
        'an array': (lambda f: np.zeros((3,28,28)), 'found a ndarray'), 'gzip cut off': (cut_table, r'a\.csv\.gz: expected a whole gzip file'), 'nothing': (lambda f: None, 'found nothing'), 'no name': (lambda f: '', 'found nothing'), 'fewer labels': (lambda f: dict(data=np.zeros((3,784)), target=np.arange(2)), r'shapes \(3, 784\) and \(2,\)')}

@pytest.mark.parametrize('case', NONE)
def test_what_is_no_set_is_called_what_it_is(case, tmp_path):
    write, says = NONE[case]
    with pytest.raises(ValueError, match=says): load_any(write(tmp_path))


@pytest.mark.parametrize('size', [0, 28., '28', True, 1000, None])
def test_a_size_is_a_whole_number(size, d):
    with pytest.raises(ValueError, match='size: expected 1 to 512 pixels, a whole number, found'): load_any((d[0], d[1]), size=size)


def test_numbers_as_they_are_in_any_byte_order(d, tmp_path):
    npz(tmp_path/'a.npz', d[0].astype('>i4'), d[1].astype('>i8'), *d[2:])
    train, _ = load_any(tmp_path/'a.npz', as_is=True)
    assert (train.images.numpy()==d[0]).all() and train.labels.tolist()==d[1].tolist()


@pytest.mark.parametrize('shape', [(784,), (1,784), (784,1), (1,28,28), (28,28,1)])
def test_a_row_is_a_picture(shape, d): assert (as_picture(d[0][0].reshape(shape))==d[0][0]).all()


@pytest.mark.parametrize('train, test', [('訓練','テスト'), ('обучение','тест'), ('entraînement','essai'), ('Training','Prüfung'), ('训练集','测试集')])
def test_parts_are_told_apart_in_other_languages(train, test, d, tmp_path):
    pngs(tmp_path/train, *d[:2])
    pngs(tmp_path/test, *d[2:])
    assert list(map(len, load_any(tmp_path)))==[len(d[1]), len(d[3])]


def test_two_sets_with_names_of_any_letters_are_not_mixed(d, tmp_path):
    for name,x,y in (('ένα',d[0],d[1]), ('δύο',d[2],d[3])): pngs(tmp_path/name, x, y)
    with pytest.raises(ValueError, match='expected one data set'): load_any(tmp_path)


def test_a_shuffled_frame_of_pandas_in_parquet(d, tmp_path):
    pd = pytest.importorskip('pandas')
    frame = pd.DataFrame(d[0].reshape(len(d[0]), -1), columns=[f'pixel{i}' for i in range(784)]).assign(label=d[1])
    frame.index = np.random.default_rng(0).permutation(len(frame))
    frame.to_parquet(tmp_path/'a.parquet')
    train, test = load_any(tmp_path/'a.parquet')
    assert len(train)+len(test)==len(d[0]) and (train.images[0].numpy()==d[0][0]).all()


@pytest.mark.parametrize('n, parts, says', [(1, [1,0], 'nothing can be kept'), (4, [3,1], 'the last picture is kept'), (6, [5,1], 'every sixth picture is kept')])
def test_what_is_kept_back_of_a_few_pictures_is_what_is_said(n, parts, says, d, tmp_path):
    pngs(tmp_path, d[0][:n], d[1][:n])
    found = load_any(tmp_path)
    assert list(map(len, found))==parts and any(says in note for note in found[0].notes)


def test_thumbnails_of_a_file_server_are_no_class(d, tmp_path):
    pngs(tmp_path, d[0][:12], [3,7]*6)
    pngs(tmp_path/'3'/'@eaDir', d[0][:4], ['SYNO']*4)
    assert load_any(tmp_path)[0].classes==('3','7')
