"The table of faults, and how many of them were survived; `tests/conftest.py` brings it into the process that reports"
from collections import defaultdict

FAULTS = {
    1: 'idx: wrong magic number', 2: 'idx: a byte short', 3: 'idx: a byte long', 4: 'idx: empty', 5: 'idx: not gzip, though .gz',
    6: "a flipped byte in the package's own data", 7: 'counts differ', 8: 'a label of 200', 9: 'three dimensions for two',
    10: 'a gzip bomb', 11: 'sample folder: killed midway', 12: 'sample folder: two at once', 13: 'sample folder: read-only cache',
    14: 'sample folder: disk full', 15: 'paths with spaces, umlauts, emoji',
    16: 'save: killed', 17: 'save: disk full', 18: 'save: folder gone', 19: 'checkpoint: truncated', 20: 'checkpoint: empty',
    21: 'checkpoint: a page of HTML', 22: 'checkpoint: one bit flipped', 23: 'a malicious pickle', 24: 'another architecture',
    25: 'another class count', 26: 'a format from the future', 27: 'resume after SIGKILL', 28: 'resume without the random state',
    29: 'NaN or inf in data', 30: 'NaN or inf in the loss', 31: 'a rate of 1e9, and a stale checkpoint', 32: 'an empty set',
    33: 'a batch larger than the set', 34: 'wrong shape, dtype, labels', 35: 'Ctrl-C in an epoch, twice', 36: 'the same seed twice',
    37: 'gradients with a wrong sign or scale', 38: 'logs that cannot be written', 39: 'unknown command, option, recipe, rung',
    40: 'settings that make no sense', 41: 'a missing file', 42: 'an output folder that is a file',
    43: 'closed pipe, no terminal, narrow, dumb, no colour, no UTF-8', 44: 'lessons out of order, twice, elsewhere',
    45: 'stale, unclean, uncollected, early exit', 46: 'a wheel, offline', 47: 'an sdist, and an editable install',
    48: 'Python 3.11, 3.12, 3.13',
    49: 'two runs, one folder', 50: 'a run killed while it holds a folder', 51: "a replaced file's mode, a new one's", 52: "a replaced file's owner",
    53: 'a symlink, a dangling one, a loop', 54: 'a device, a pipe, a socket, a folder in place of a file',
    55: 'private notebooks and tables', 56: 'a disk full at 20 moments of a logged run', 57: 'a run of minutes killed ten times',
    58: 'Ctrl-C at random moments of each command', 59: 'SIGTERM at random moments of each command',
    60: 'a signal where Python ignores errors', 61: 'what was kept, said', 62: 'a signal that a library takes for an error',
    63: 'two runs, one table',
    65: 'resumed with other pictures or labels',
    66: 'resumed with another loss, activation, range of pixels, recipe',
    67: 'resumed with another seed',
    68: 'a right digest: a header that cannot be',
    69: 'a right digest: a record that cannot be',
    70: 'a right digest: random states that are none',
    71: 'a right digest: settings and memory of no such optimizer',
    72: 'a right digest: 200 changes anywhere',
    73: "a right digest: a model's header that cannot be",
    74: 'weights that are nan',
    75: 'an error while an error is tidied up after',
    76: 'a loss that is not one number',
    77: 'a batch of one in batch normalisation',
    78: 'a parameter that nothing uses',
    79: '1.5 passes, a batch size of True, metrics in quotes, pictures not flattened',
    80: 'a search for a rate without a range',
    81: 'a search where the loss only rises',
    82: 'a rate at the end of its range',
    83: 'a named pipe or a device as a picture or a model', 84: 'a picture through a pipe: empty, none, a terminal, twice',
    85: 'kinds of pictures that are decoded in Python', 86: 'a JPEG of very many scans', 87: 'a TIFF of very many strips',
    88: 'save_numpy: metrics, a threshold', 89: 'save_numpy: tensors of no layer', 90: 'save_numpy: classes, nan in the page',
    91: 'save_numpy: settings, shapes, nan or inf in weights', 92: 'a bad picture among many', 93: 'a worker killed by the system',
    94: 'many pictures in several processes: SIGKILL', 95: 'a picture without bytes, or with too many',
    96: 'labels that unpack to more than there are pictures', 97: 'a prefix that is a pattern', 98: 'sample folder: an emptied PNG',
    99: 'idx: web page, pointer, zip, other bytes', 100: 'pictures on their side', 101: 'labels from 1', 102: 'a zip that unpacks to gigabytes',
    103: 'libsvm: parts that count differently', 104: 'a pixel that is no number', 105: 'npz: pickled objects',
    106: 'a header that could not be read back', 107: 'a fit that is refused', 108: 'a checkpoint for a fresh Learner', 109: 'a loader that can be gone through once',
    110: 'a method named almost like a moment', 111: 'a layer of another width',
    112: 'two runs, one place of curves, one site, one reset notebook, one table', 113: "a pipe among a learner's copies",
    114: 'a table that is begun anew and not finished', 115: 'a link that leads nowhere, as a hint',
    116: 'resumed with other weights of classes, or another set to validate', 117: 'a right digest: memory whose next step is nan',
    118: 'frozen layers, a detached loss, numbers of two types', 119: 'a metric that gives nothing',
    120: 'a search for a rate on a loss below 0, and one without a step', 121: 'npz: more than the memory holds',
}
came = defaultdict(lambda: {'with': [], 'without': []})   # number -> outcomes of its tests


def pytest_runtest_logreport(report):    # in the process that counts, where tests run in several
    if report.when!='call' and report.outcome=='passed': return
    for n,protection in {tuple(value) for name,value in report.user_properties if name=='fault'}: came[n][protection].append(report.outcome)


def survived(n): return all(came[n][k] and set(came[n][k])<={'passed'} for k in ('with', 'without'))
def not_tried(n): return not survived(n) and came[n]['with'] and all(set(came[n][k])<={'passed','skipped'} for k in ('with', 'without'))


def pytest_terminal_summary(terminalreporter):
    if not came: return
    for n in FAULTS:
        if not_tried(n): terminalreporter.write_line(f'fault {n}, {FAULTS[n]}: not tried here, or not all of it (pytest -rs says why)')
        elif not survived(n): terminalreporter.write_line(f'fault {n}, {FAULTS[n]}: {came[n]["with"] or "no test"}, control {came[n]["without"] or "missing"}')
    left = [n for n in FAULTS if not_tried(n)]
    terminalreporter.write_line(f'faults survived {sum(map(survived, FAULTS))}/{len(FAULTS)}' + f', not tried here: {left}'*bool(left))
