#!/usr/bin/env bash
# fastcore 1.14.5: test_eq and test_close let arrays of different shapes pass, if one can be broadcast to the other. So an empty array
# equals any array of length one, and is close to it, whatever stands in it.
# Guess: as numpy.array_equal and numpy.testing have it, another shape is another value. (Where it isn't a test of arrays, fastcore does so: [] and [1] differ.)
# Seen: they pass (for torch's tensors too), and test_ne, which should pass, fails.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q fastcore==1.14.5 numpy==2.4.6
"$place/env/bin/python" - >"$place/seen" <<'PYTHON'
import fastcore, numpy as np
from fastcore.test import test_close, test_eq, test_ne

def passes(test, a, b):
    try: test(a, b)
    except AssertionError: return False
    return True

print('fastcore', fastcore.__version__)
pairs = {'an empty array and [1]': (np.array([]), np.array([1.])), 'ones of (2,) and of (3,2)': (np.ones(2), np.ones((3,2))),
         'an empty list and [1]': ([], [1.])}
for name,(a,b) in pairs.items():
    print(f'{name}: test_eq', passes(test_eq, a, b), 'test_ne', passes(test_ne, a, b), 'numpy.array_equal', np.array_equal(a, b))
for name in list(pairs)[:2]: print(f'{name}: test_close', passes(test_close, *pairs[name]))
def strict(a, b): np.testing.assert_allclose(a, b)
print('numpy.testing.assert_allclose', passes(strict, *pairs['ones of (2,) and of (3,2)']))
PYTHON
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
fastcore 1.14.5
an empty array and [1]: test_eq True test_ne False numpy.array_equal False
ones of (2,) and of (3,2): test_eq True test_ne False numpy.array_equal False
an empty list and [1]: test_eq False test_ne True numpy.array_equal False
an empty array and [1]: test_close True
ones of (2,) and of (3,2): test_close True
numpy.testing.assert_allclose False
SEEN
