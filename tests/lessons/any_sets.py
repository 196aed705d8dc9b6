"Pictures with labels, written as people write them; and whether what is read is the same"
import numpy as np
from idx_files import idx
from PIL import Image

N, M = 90, 40


def same(got, images, labels=None):
    return tuple(got.images.shape)==images.shape and (got.images.numpy()==images).all() and (labels is None or [got.classes[i] for i in got.labels.tolist()]==[str(v) for v in labels])

def by_class(images, labels): return (order := np.argsort(labels, kind='stable')) is not None and (images[order], labels[order])

def npz(path, x, y, xt, yt): np.savez(path, x_train=x, y_train=y, x_test=xt, y_test=yt)

def four(folder, x, y, xt, yt, names='{}', test='t10k'):
    folder.mkdir(parents=True, exist_ok=True)
    for split,images,labels in (('train', x, y), (test, xt, yt)):
        (folder/f'{names.format(split)}-images-idx3-ubyte').write_bytes(idx(np.ascontiguousarray(images)))
        (folder/f'{names.format(split)}-labels-idx1-ubyte').write_bytes(idx(labels.astype('u1')))
    return folder

def pngs(folder, images, labels, change=lambda p, i: Image.fromarray(p), suffix='png'):
    for i,(p,label) in enumerate(zip(images, labels)):
        (folder/str(label)).mkdir(parents=True, exist_ok=True)
        change(p, i).save(folder/str(label)/f'{i:05}.{suffix}')
    return folder

def rows(x, y, names=True, sep=','):
    "Lines of a table"
    top = [sep.join(['label', *(f'pixel{i}' for i in range(784))])] if names else []
    return top + [sep.join(map(str, [label, *p.ravel()])) for p,label in zip(x, y)]

def table(path, lines):
    path.write_text('\n'.join(lines)+'\n')
    return path
