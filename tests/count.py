"What tests have counted, told at the end of a run: a test asks for the fixture `count` and says `count('learners recognised', 1000)`"
from collections import Counter

came = Counter()


def pytest_runtest_logreport(report):    # in the process that reports, where tests run in several
    if report.when=='call' and report.passed:
        for what,n in (value for name,value in report.user_properties if name=='count'): came[what] += n


def pytest_terminal_summary(terminalreporter):
    for what,n in came.items(): terminalreporter.write_line(f'counted: {n} {what}')
