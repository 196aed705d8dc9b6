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
