"""How long pictures take: 40 million pixels in every format that Pillow writes and we read, and many pictures in one command.

    PYTHONPATH=tests python tests/picture_speed.py formats [NAME ...]    # seconds and most megabytes of a `predict` of each
    PYTHONPATH=tests python tests/picture_speed.py many [SMALL PHOTOS]   # 5,000 drawings of 28x28, then 100 photos, one call each

The formats take about ten minutes and up to 500 MB in the folder for temporary files. No test looks at these times: they depend
on the machine and on what else it does.
"""
import os, re, subprocess, sys, tempfile, time
from pathlib import Path

import numpy as np
from checks import ROOT
from PIL import Image

SIDE = 6320    # squared it is just below 40 million
ASK = r'''
import re, sys, time
from mnist_course.your_digits import find_model, predict
net, start, busy = find_model("small-convnet"), time.perf_counter(), time.process_time()
try: said = str(predict(sys.argv[1], model=net)[0])
except ValueError as e: said = str(e)
seconds, busy = time.perf_counter()-start, time.process_time()-busy
print(f"{seconds:.1f} s, {busy:.1f} s busy", int(re.search(r'VmHWM:\s*(\d+) kB', open('/proc/self/status').read())[1])//1024, 'MB', said, sep='|')
'''


def page(kind, h=SIDE, w=SIDE):
    "A thick 1 on paper: plain paper, or paper with a camera's noise, which packs badly"
    grey = np.full((h,w), 230, np.uint8)
    if kind=='noise': grey = (grey-np.random.default_rng(0).integers(0, 40, (h,w), np.uint8))
    grey[h//3:2*h//3+1,w*9//20:w//2+1] = 20
    return grey


def saved(mode, ending, **options):
    "Writes a picture by Pillow"
    def write(path, grey):
        if mode=='I;16': picture = Image.fromarray(grey.astype(np.uint16)*257)
        elif mode=='F': picture = Image.fromarray(grey.astype(np.float32)/255)
        elif mode=='I': picture = Image.fromarray(grey.astype(np.int32)*2**23)
        else: picture = Image.fromarray(grey).convert(mode)
        picture.save(path, **options)
    return ending, write


def netpbm(magic, top, digits):
    "Writes a PGM with a header of our own: plain, or with a white that is none of the usual"
    def write(path, grey):
        with open(path, 'wb') as f:
            f.write(f'{magic}\n{grey.shape[1]} {grey.shape[0]}\n{top}\n'.encode())
            for rows in np.array_split(grey, 64):
                if magic=='P2': f.write(''.join(f'{v} ' for v in rows.ravel().tolist()).encode())
                else: f.write((rows.astype(np.uint32)*top//255).astype('>u2' if digits==2 else 'u1').tobytes())
    return 'pgm', write


def runs(path, grey):
    "Writes a BMP of 8 bits with runs, as Windows packs them; Pillow reads these in Python"
    from struct import pack
    h, w = grey.shape
    row = b''.join(bytes((min(255, w-x), 230)) for x in range(0, w, 255))+b'\0\0'
    data = row*h+b'\0\1'
    palette = b''.join(bytes((i,i,i,0)) for i in range(256))
    head = pack('<IiiHHIIiiII', 40, w, h, 1, 8, 1, len(data), 0, 0, 256, 0)
    Path(path).write_bytes(b'BM'+pack('<IHHI', 54+1024+len(data), 0, 0, 54+1024)+head+palette+data)


FORMATS = {'PNG, grey': saved('L', 'png'), 'PNG, RGB': saved('RGB', 'png'), 'PNG, RGBA': saved('RGBA', 'png'), 'PNG, grey and alpha': saved('LA', 'png'),
           'PNG, palette': saved('P', 'png'), 'PNG, palette, transparent': saved('P', 'png', transparency=0),
           'PNG, 1 bit': saved('1', 'png'), 'PNG, 16 bits': saved('I;16', 'png'),
           'JPEG, grey': saved('L', 'jpg'), 'JPEG': saved('RGB', 'jpg', quality=95, subsampling=0), 'JPEG, progressive': saved('RGB', 'jpg', quality=95, subsampling=0, progressive=True),
           'JPEG, CMYK': saved('CMYK', 'jpg'), 'GIF': saved('L', 'gif'),
           'BMP, grey': saved('L', 'bmp'), 'BMP, RGB': saved('RGB', 'bmp'), 'BMP, RGBA': saved('RGBA', 'bmp'), 'BMP, 1 bit': saved('1', 'bmp'), 'BMP, runs': ('bmp', runs),
           'PGM': saved('L', 'pgm'), 'PPM': saved('RGB', 'ppm'), 'PBM': saved('1', 'pbm'), 'PGM, 16 bits': saved('I;16', 'pgm'), 'PFM': saved('F', 'pfm'),
           'PGM, white is 100': netpbm('P5', 100, 1), 'PGM, white is 1000': netpbm('P5', 1000, 2), 'PGM, plain': netpbm('P2', 255, 3),
           'WebP': saved('RGB', 'webp'), 'WebP, lossless': saved('RGB', 'webp', lossless=True, method=0), 'WebP, lossless, RGBA': saved('RGBA', 'webp', lossless=True, method=0),
           'TIFF, grey': saved('L', 'tif'), 'TIFF, RGB': saved('RGB', 'tif'), 'TIFF, RGBA': saved('RGBA', 'tif'), 'TIFF, CMYK': saved('CMYK', 'tif'), 'TIFF, YCbCr': saved('YCbCr', 'tif'),
           'TIFF, LAB': saved('LAB', 'tif'), 'TIFF, 1 bit': saved('1', 'tif'), 'TIFF, 16 bits': saved('I;16', 'tif'), 'TIFF, 32 bits': saved('I', 'tif'), 'TIFF, float': saved('F', 'tif'),
           **{f'TIFF, {name}': saved(mode, 'tif', compression=name) for name,mode in
              dict(tiff_lzw='RGB', tiff_adobe_deflate='RGB', packbits='RGB', jpeg='RGB', lzma='RGB', zstd='RGB', group3='1', group4='1', tiff_ccitt='1', webp='RGB').items()},
           'HEIC': saved('RGB', 'heic')}


def measure(path):
    "Seconds, megabytes and the answer, from a process of its own that has two minutes"
    env = os.environ|{'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    try: r = subprocess.run([sys.executable, '-c', ASK, path], env=env, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired: return 'more than 120 s'
    return r.stdout.strip() or r.stderr.strip()[-200:]


def formats(*names):
    with tempfile.TemporaryDirectory() as folder:
        if any(n.startswith('HEIC') for n in names or FORMATS):
            import pillow_heif
            pillow_heif.register_heif_opener()
        for name in names or FORMATS:
            ending, write = FORMATS[name]
            for kind in ('plain', 'noise'):
                path = Path(folder)/f'one.{ending}'
                try: write(path, page(kind))
                except Exception as e:
                    print(f'{name:28} cannot be written: {e}', flush=True)
                    break
                print(f'{name:28} {kind:6} {path.stat().st_size/1e6:6.1f} MB  {measure(path).replace(str(path), "FILE")}', flush=True)
                path.unlink()
        if names: return
        for h,w in ((1,SIDE*SIDE), (SIDE*SIDE,1)):
            for ending in ('png', 'pgm', 'tif', 'bmp'):
                path = Path(folder)/f'thin.{ending}'
                Image.fromarray(page('plain', h, w)).save(path)
                print(f'{w}x{h}.{ending:24} {path.stat().st_size/1e6:6.1f} MB  {measure(path).replace(str(path), "FILE")}', flush=True)
                path.unlink()


def many(small=5000, photos=100):
    from mnist_course.core.scenes import PHOTOS, photo_of
    from mnist_course.data import load_mnist
    images, kinds = load_mnist()[1].images.numpy(), list(PHOTOS)
    command = [str(Path(sys.executable).parent/'mnist_course'), 'predict']
    for what,n in (('drawings', int(small)), ('photos', int(photos))):
        with tempfile.TemporaryDirectory() as folder:
            names = [f'{i:05}.{"png" if what=="drawings" else "jpg"}' for i in range(n)]
            for i,name in enumerate(names):
                if what=='drawings': Image.fromarray(255-np.roll(images[i%len(images)], i%7-3, 1)).save(Path(folder)/name)
                else: photo_of(i%10, kinds[i%len(kinds)], i).convert('RGB').save(Path(folder)/name, quality=90)
            start = time.perf_counter()
            r = subprocess.run([*command, *names], cwd=folder, env=os.environ|{'OMP_NUM_THREADS': '1'}, capture_output=True, text=True)
            seconds, lines = time.perf_counter()-start, r.stdout.splitlines()
        in_order = [re.match(r'\d{5}\.\w+', line)[0] for line in lines]==names
        print(f'{n} {what}: {seconds:.1f} s, {len(lines)} answers, in order: {in_order}, exit {r.returncode}', flush=True)


if __name__=='__main__':
    if sys.argv[1:2]==['formats']: formats(*sys.argv[2:])
    elif sys.argv[1:2]==['many']: many(*sys.argv[2:])
    else: sys.exit(__doc__)
