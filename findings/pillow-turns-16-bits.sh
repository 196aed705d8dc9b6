#!/usr/bin/env bash
# Pillow 12.3.0: a 16-bit picture (mode I;16) that is turned or moved with BILINEAR or BICUBIC comes back black but for noise.
# Guess: the same picture as in mode F, rounded. `resize` on the same mode is right to the number, and so is NEAREST.
# Seen: a square of 40,000, turned by 30 degrees; its middle is 0, and no pixel has more than 8 bits. No error and no warning.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q pillow==12.3.0 numpy==2.4.6
"$place/env/bin/python" - >"$place/seen" <<'PYTHON'
import numpy as np
import PIL
from PIL import Image

print('Pillow', PIL.__version__)
square = np.zeros((40, 40), np.uint16)
square[12:28, 12:28] = 40000
deep, exact = Image.fromarray(square), Image.fromarray(square.astype(np.float32))
for name in ('NEAREST', 'BILINEAR', 'BICUBIC'):
    how = Image.Resampling[name]
    turned, due = np.array(deep.rotate(30, how)), np.array(exact.rotate(30, how))
    moved = np.array(deep.transform((40, 40), Image.Transform.AFFINE, (1, 0, .5, 0, 1, .5), how))
    print(f'{name}: {deep.mode}, middle {turned[20, 20]}, due {due[20, 20]:.0f}; more than 8 bits: {(turned>255).sum()>0}; moved: {moved[20, 20]}')
small = np.array(deep.resize((20, 20), Image.Resampling.BILINEAR))
print('resized:', small[10, 10])
PYTHON
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
Pillow 12.3.0
NEAREST: I;16, middle 40000, due 40000; more than 8 bits: True; moved: 40000
BILINEAR: I;16, middle 0, due 40000; more than 8 bits: False; moved: 0
BICUBIC: I;16, middle 0, due 40000; more than 8 bits: False; moved: 0
resized: 40000
SEEN
