"""A learner's copy in JupyterLab, in a browser without a window: a mistake, its diagnosis, the mended line and its tick.

It is skipped where playwright, jupyterlab or a Chromium is missing.
"""
import re
from contextlib import suppress

import pytest
from browser import jupyterlab
from checks import ROOT

from mnist_course.classroom.copies import answers_in, exercises_of, fill, read_lesson, start_course, write_notebook

LESSON = '03_loss.ipynb'
BEGIN, WRONG, RIGHT = 'raise NotImplementedError', 'return 1/(1+torch.exp(x))', 'return 1/(1+torch.exp(-x.clamp(min=-80)))'


@pytest.fixture
def page(browser):
    from playwright.sync_api import expect
    expect.set_options(timeout=60_000)    # in milliseconds, for a busy machine; what comes sooner goes on sooner
    page = browser.new_page(viewport=dict(width=1280, height=900))
    page.set_default_timeout(60_000)
    yield page
    page.close()
    expect.set_options(timeout=5_000)


@pytest.fixture
def folder(tmp_path):
    "Fresh copies of the lessons; in 03 the two exercises before the sigmoid are done"
    start_course(tmp_path/'mine', lessons=ROOT/'nbs')
    exercises, path = exercises_of(LESSON), tmp_path/'mine'/LESSON
    write_notebook(path, fill(read_lesson(path), exercises[:2], answers_in(read_lesson(ROOT/'nbs'/LESSON), exercises)))
    return path.parent


@pytest.fixture
def lab(tmp_path, folder):
    pytest.importorskip('jupyterlab', reason='jupyterlab is not installed')
    with jupyterlab(folder, tmp_path/'own') as there: yield there


def test_a_learner_sees_a_diagnosis_mends_it_and_sees_the_tick(page, lab, folder):
    from playwright.sync_api import expect
    address, token = lab
    def code(text): return page.locator('.jp-Notebook .jp-CodeCell', has=page.locator('.cm-content', has_text=text))
    def idle(): expect(page.locator('.jp-Notebook-ExecutionIndicator[data-status=idle]')).to_be_attached()
    def go_to(cell, line):
        line.click()
        expect(cell).to_have_class(re.compile('jp-mod-active'))
        expect(cell.locator('.cm-editor')).to_have_class(re.compile('cm-focused'))
    def begun(cell, act):
        "What `act` does runs a cell; again where nothing begins, as a page that is still being set up may take a click and forget it"
        prompt = cell.locator('.jp-InputPrompt')
        before = prompt.inner_text()
        for _ in range(4):
            act()
            with suppress(AssertionError):
                expect(prompt).not_to_have_text(before, timeout=15_000)
                break
        expect(prompt).not_to_have_text(before)
        expect(prompt).to_have_text(re.compile(r'\d'))
    def run(cell):
        def press():
            go_to(cell, cell.locator('.cm-line').first)
            page.keyboard.press('Shift+Enter')
        begun(cell, press)
    def write(cell, old, new):
        go_to(cell, cell.locator('.cm-line', has_text=old))
        for key in ('Home','Shift+End'): page.keyboard.press(key)
        page.keyboard.type(new)
        expect(cell.locator('.cm-line').last).to_have_text('    '+new)
    def judged(*parts):
        "What is shown when the exercise and its check have run"
        run(task)
        run(check)
        for part in parts: expect(check.locator('.jp-OutputArea-output')).to_contain_text(part)
        return check.locator('.jp-OutputArea-output').inner_text()

    def run_above(cell):
        go_to(cell, cell.locator('.cm-line').first)
        page.locator('.lm-MenuBar-item', has_text='Run').click()
        page.locator('.lm-Menu-item', has_text='Run All Above Selected Cell').click()

    page.goto(f'{address}/lab/tree/{LESSON}?token={token}')
    task, check, before = code('x:Tensor, # Any numbers'), code('check(sigmoid)'), code('far = torch.tensor')
    idle()
    begun(before, lambda: run_above(task))    # it is the last above: no error stopped the run
    idle()

    assert '✗' not in judged('○ 03.3 sigmoid: not written yet')
    write(task, BEGIN, WRONG)
    assert '✓' not in judged('✗ 03.3 sigmoid: Turned round', 'input: x = ', 'came: ', 'expected: ')
    write(task, WRONG, RIGHT)
    assert '✗' not in judged('✓ 03.3 sigmoid')

    with page.expect_response(lambda r: r.request.method=='PUT' and LESSON in r.url) as saved: page.keyboard.press('Control+s')
    nb = read_lesson(folder/LESSON)
    assert saved.value.ok and RIGHT in answers_in(nb, exercises_of(LESSON))['03.3'] and 'copy' in nb['metadata']['mnist_course']
