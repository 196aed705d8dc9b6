"""A learner's copy in a real JupyterLab, in a browser without a window: a mistake, its diagnosis, and the tick.

Needs jupyterlab, playwright for Python and a Chromium: Debian's `chromium`, or what `playwright install chromium` gets.
"""
import json, os, re, secrets, shutil, socket, subprocess, sys, time, urllib.request

import pytest
from checks import ROOT

from mnist_course.check import start_course

LESSON, BEGIN = '03_loss.ipynb', 'raise NotImplementedError'
WRONG, RIGHT = 'return 1/(1+torch.exp(x))', 'return 1/(1+torch.exp(-x.clamp(min=-80)))'
ARGS = ('--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking '
        '--disable-component-update --disable-sync').split()


@pytest.fixture
def browser():
    api = pytest.importorskip('playwright.sync_api', reason='playwright is not installed: pip install playwright')
    pytest.importorskip('jupyterlab', reason='jupyterlab is not installed')
    with api.sync_playwright() as p:
        path = shutil.which('chromium') or p.chromium.executable_path
        if not os.path.exists(path): pytest.skip('there is no Chromium: playwright install chromium')
        browser = p.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()


@pytest.fixture
def lab(tmp_path):
    "Address and token of a JupyterLab that serves fresh copies, with settings of its own"
    folder, token = tmp_path/'lessons', secrets.token_hex(8)
    start_course(folder, lessons=ROOT/'nbs')
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    places = {f'JUPYTER_{k}_DIR': str(tmp_path/k.lower()) for k in ('CONFIG','RUNTIME')} | dict(
        JUPYTERLAB_SETTINGS_DIR=str(tmp_path/'settings'), JUPYTERLAB_WORKSPACES_DIR=str(tmp_path/'workspaces'))
    options = f'--no-browser --allow-root --ServerApp.port={port} --IdentityProvider.token={token} --ServerApp.root_dir={folder}'
    with open(tmp_path/'lab.txt', 'w') as log:
        server = subprocess.Popen([sys.executable, '-m', 'jupyterlab', *options.split()], stdout=log, stderr=log,
                                  cwd=folder, env=os.environ | places | dict(PYTHONPATH=str(ROOT)))
    address, end = f'http://127.0.0.1:{port}', time.monotonic()+90
    try:
        while True:
            try: urllib.request.urlopen(f'{address}/api?token={token}', timeout=5).close(); break
            except OSError:
                assert server.poll() is None and time.monotonic()<end, (tmp_path/'lab.txt').read_text()
                time.sleep(.3)
        yield address, token, folder
    finally:
        server.terminate()
        try: server.wait(20)
        except subprocess.TimeoutExpired: server.kill()


class Notebook:
    "One notebook in JupyterLab, as a learner uses it"
    def __init__(self, page, address, token, lesson):
        self.page = page
        page.goto(f'{address}/lab/workspaces/test/tree/{lesson}?token={token}&reset')
        page.wait_for_selector('.jp-Notebook .jp-Cell', timeout=90_000)
        self.idle()

    def idle(self):
        self.page.wait_for_selector('.jp-Notebook-ExecutionIndicator[data-status=idle]', state='attached', timeout=120_000)

    def cell(self, text):
        found = self.page.locator('.jp-Notebook .jp-CodeCell').filter(has=self.page.locator('.cm-content', has_text=text))
        found.first.wait_for(state='attached')
        assert found.count()==1, f'{text!r}: expected one cell, found {found.count()}'
        return found

    def run(self, text):
        "Shift+Enter in the cell with this text; what it shows, once it has its number"
        cell = self.cell(text)
        prompt = cell.locator('.jp-InputPrompt').first
        before, end = prompt.inner_text(), time.monotonic()+120
        cell.scroll_into_view_if_needed()
        cell.locator('.cm-line').first.click()
        self.page.keyboard.press('Shift+Enter')
        while (now := prompt.inner_text())==before or not re.search(r'\d', now):
            assert time.monotonic()<end, f'still running: {text}'
            self.page.wait_for_timeout(50)
        self.idle()
        self.page.wait_for_timeout(200)
        return '\n'.join(o.text_content() for o in cell.locator('.jp-OutputArea-output').all())

    def write(self, text, old, new):
        "Put `new` where the line with `old` is, key by key"
        line = self.cell(text).locator('.cm-line').filter(has_text=old).first
        line.scroll_into_view_if_needed()
        line.click()
        for key in ('Home','Shift+End'): self.page.keyboard.press(key)
        self.page.keyboard.type(new, delay=5)
        self.cell(new)


def test_a_learner_sees_the_diagnosis_and_then_the_tick(browser, lab):
    address, token, folder = lab
    page = browser.new_page(viewport=dict(width=900, height=1000))
    page.set_default_timeout(30_000)
    nb = Notebook(page, address, token, LESSON)
    nb.run('from collections.abc')    # the cell with the exported imports
    task, check = 'x:Tensor, # Any numbers', 'check(sigmoid)'
    nb.run(task)
    assert '○ 03.3 sigmoid: not written yet' in nb.run(check)
    nb.write(task, BEGIN, WRONG)
    nb.run(task)
    shown = nb.run(check)
    assert '✗ 03.3 sigmoid: Turned round' in shown and all(f'{part}:' in shown for part in ('input','came','expected'))
    nb.write(task, WRONG, RIGHT)
    nb.run(task)
    shown = nb.run(check)
    assert '✓ 03.3 sigmoid' in shown and '✗' not in shown
    page.keyboard.press('Control+s')
    end = time.monotonic()+20
    while not any(RIGHT in ''.join(c['source']) for c in json.loads((folder/LESSON).read_text(encoding='utf-8'))['cells']):
        assert time.monotonic()<end, 'the answer was not saved'
        page.wait_for_timeout(200)
