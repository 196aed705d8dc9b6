"Every test has three minutes at most; hypothesis draws the same examples each time, so that a failure stays one"
import os

import pytest
from hypothesis import settings

os.environ.setdefault('OMP_NUM_THREADS', '1')
settings.register_profile('course', deadline=None, derandomize=True, max_examples=60)
settings.load_profile('course')


def pytest_collection_modifyitems(items):
    for item in items: item.add_marker(pytest.mark.timeout(180))
