"Fixtures that several files here share: a few pictures with labels; the page, written once a file, and opened in a browser without a window"
import pytest
from any_sets import M, N

from mnist_course.data import load_mnist


@pytest.fixture(scope='module')
def d():
    "Pictures and labels to train on and to test with, as arrays; each class is in both"
    train, test = load_mnist()
    return train.images[:N].numpy(), train.labels[:N].numpy(), test.images[:M].numpy(), test.labels[:M].numpy()


@pytest.fixture(scope='module')
def file(tmp_path_factory):
    from mnist_course.page import write_page
    return write_page(tmp_path_factory.mktemp('page')/'draw.html')


@pytest.fixture
def open_page(browser, file):
    "Opens the page; at the end nothing must have been asked for, and nothing complained of"
    opened, told = [], []
    def open_one(size=(1280,800), path=file, fragment='', **options):
        context = browser.new_context(viewport=dict(width=size[0], height=size[1]), **options)
        page = context.new_page()
        page.on('console', lambda m: told.append(f'{m.type}: {m.text}'))
        page.on('pageerror', lambda e: told.append(f'error: {e}'))
        page.on('request', lambda r: None if r.url.startswith((path.as_uri(), 'data:')) else told.append(f'request: {r.url}'))
        page.goto(path.as_uri()+fragment)
        page.wait_for_selector('.rung')
        opened.append(context)
        return page
    yield open_one
    for context in opened: context.close()
    assert told==[]
