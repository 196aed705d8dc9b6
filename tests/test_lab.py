"""A learner's copy in JupyterLab, in a browser without a window: a mistake, its diagnosis, the mended line and its tick.

It is skipped where playwright, jupyterlab or a Chromium is missing.
"""
import json, os, re, shutil, signal, socket, subprocess, sys, time
from contextlib import suppress

import pytest
from checks import ROOT

from mnist_course.check import answers_in, exercises_of, fill, read_lesson, start_course, write_notebook

CHROMIUM = next((p for name in ('chromium','chromium-browser','google-chrome') if (p := shutil.which(name))), None)
ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync']
LESSON = '03_loss.ipynb'
BEGIN, WRONG, RIGHT = 'raise NotImplementedError', 'return 1/(1+torch.exp(x))', 'return 1/(1+torch.exp(-x.clamp(min=-80)))'


@pytest.fixture
def page():
    sync_api = pytest.importorskip('playwright.sync_api', reason='playwright is not installed')
    if CHROMIUM is None: pytest.skip('no chromium on the path')
    sync_api.expect.set_options(timeout=60_000)    # in milliseconds, for a busy machine; what comes sooner goes on sooner
    with sync_api.sync_playwright() as p:
        b = p.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        page = b.new_page(viewport=dict(width=1280, height=900))
        page.set_default_timeout(60_000)
        yield page
        b.close()
    sync_api.expect.set_options(timeout=5_000)


@pytest.fixture
def folder(tmp_path):
    "Fresh copies of the lessons; in 03 the two exercises before the sigmoid are done"
    start_course(tmp_path/'mine', lessons=ROOT/'nbs')
    exercises, path = exercises_of(LESSON), tmp_path/'mine'/LESSON
    write_notebook(path, fill(read_lesson(path), exercises[:2], answers_in(read_lesson(ROOT/'nbs'/LESSON), exercises)))
    return path.parent


@pytest.fixture
def lab(tmp_path, folder):
    "Address and token of a JupyterLab that serves the copies, with settings of its own: those of a user who wants no news"
    pytest.importorskip('jupyterlab', reason='jupyterlab is not installed')
    settings = tmp_path/'config'/'lab'/'user-settings'/'@jupyterlab'/'apputils-extension'/'notification.jupyterlab-settings'
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    places = {f'JUPYTER_{k}_DIR': str(tmp_path/k.lower()) for k in ('CONFIG','DATA','RUNTIME')}
    env = os.environ | places | dict(IPYTHONDIR=str(tmp_path/'ipython'), PYTHONPATH=str(ROOT))
    with socket.create_server(('127.0.0.1',0)) as s: port = s.getsockname()[1]
    command = f'-m jupyterlab --no-browser --allow-root --ServerApp.port={port} --ServerApp.root_dir=.'.split()
    with open(tmp_path/'log', 'w') as log:
        server = subprocess.Popen([sys.executable, *command], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  start_new_session=True)
    try: yield wait_for_server(server, tmp_path)
    finally:
        for sig in (signal.SIGTERM, signal.SIGKILL):    # the first lets it end its kernels; the second is for what is left of its group
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(server.pid, sig)
                server.wait(15)


def wait_for_server(server, tmp_path):
    "What it writes about itself once it listens"
    info, end = tmp_path/'runtime'/f'jpserver-{server.pid}.json', time.monotonic()+60
    while True:
        try: found = json.loads(info.read_text())
        except (FileNotFoundError, ValueError): assert server.poll() is None and time.monotonic()<end, (tmp_path/'log').read_text()
        else: return f"http://127.0.0.1:{found['port']}", found['token']
        time.sleep(.1)


def test_a_learner_sees_a_diagnosis_mends_it_and_sees_the_tick(page, lab, folder):
    from playwright.sync_api import expect
    address, token = lab
    def code(text): return page.locator('.jp-Notebook .jp-CodeCell', has=page.locator('.cm-content', has_text=text))
    def idle(): expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status=idle]')).to_be_attached()
    def run(cell):
        cell.locator('.cm-line').first.click()
        page.keyboard.press('Shift+Enter')
    def write(cell, old, new):
        cell.locator('.cm-line', has_text=old).click()
        for key in ('Home','Shift+End'): page.keyboard.press(key)
        page.keyboard.type(new)
        expect(cell.locator('.cm-line').last).to_have_text('    '+new)
    def judged(*parts):
        "What is shown when the exercise and its check have run"
        run(task)
        run(check)
        for part in parts: expect(check.locator('.jp-OutputArea-output')).to_contain_text(part)
        return check.locator('.jp-OutputArea-output').inner_text()

    page.goto(f'{address}/lab/tree/{LESSON}?token={token}')
    task, check, before = code('x:Tensor, # Any numbers'), code('check(sigmoid)'), code('far = torch.tensor')
    idle()
    task.locator('.cm-line').first.click()
    page.locator('.lm-MenuBar-item', has_text='Run').click()
    page.locator('.lm-Menu-item', has_text='Run All Above Selected Cell').click()
    expect(before.locator('.jp-InputPrompt')).to_have_text(re.compile(r'\d'))    # it is the last above: no error stopped the run
    idle()

    assert '✗' not in judged('○ 03.3 sigmoid: not written yet')
    write(task, BEGIN, WRONG)
    assert '✓' not in judged('✗ 03.3 sigmoid: Turned round', 'input: x = ', 'came: ', 'expected: ')
    write(task, WRONG, RIGHT)
    assert '✗' not in judged('✓ 03.3 sigmoid')

    with page.expect_response(lambda r: r.request.method=='PUT' and LESSON in r.url) as saved: page.keyboard.press('Control+s')
    nb = read_lesson(folder/LESSON)
    assert saved.value.ok and RIGHT in answers_in(nb, exercises_of(LESSON))['03.3'] and 'copy' in nb['metadata']['mnist_course']
