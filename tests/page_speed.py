"""How long the page's models take, beside another page in turns: for each drawn digit the time of all answers, with preparing.

    PYTHONPATH=tests python tests/page_speed.py OTHER.html [ROUNDS]    # OTHER: a page that another commit's `write_page` wrote

No test looks at these times: they depend on the machine and on what else it does.
"""
import sys, tempfile
from pathlib import Path
from statistics import median

from browser import ARGS, CHROMIUM
from lessons.test_page import STROKES, draw

# Version 0.1.0 wrote its functions as Python does; `repeats` answers from the same drawing, in ms
MEASURE = '''repeats => {
    const input = typeof modelInput === 'function' ? modelInput : model_input;
    const all = typeof answerAll === 'function' ? answerAll : answer_all, times = [], prepared = [];
    for (let i = 0; i < repeats; i++) {
        const start = performance.now(), image = input(), between = performance.now();
        all(image);
        times.push(performance.now() - start);
        prepared.push(between - start);
    }
    return [times, prepared]; }'''

# A promise and no `wait_for_function`, which evaluates a string: our page's policy forbids it
FIRST_PAINT = '''() => new Promise(done => new PerformanceObserver(list => {
    for (const entry of list.getEntriesByName('first-contentful-paint')) done(entry.startTime);
}).observe({type: 'paint', buffered: true}))'''


def first_paint(browser, file):
    "Milliseconds from the start of loading to the first picture, in a context of its own"
    context = browser.new_context(viewport=dict(width=1280, height=800))
    page = context.new_page()
    page.goto(file.as_uri())
    ms = page.evaluate(FIRST_PAINT)
    context.close()
    return ms


def compare(files, rounds=10, repeats=20):
    "Of each file: times of all answers, of preparing alone, and to first paint, as lists in ms; the files take turns"
    from playwright.sync_api import sync_playwright
    times, prepared, paints = ([[] for _ in files] for _ in range(3))
    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        pages = [browser.new_page(viewport=dict(width=1280, height=800)) for _ in files]
        for page,file in zip(pages, files):
            page.goto(file.as_uri())
            page.wait_for_selector('.rung')
            page.wait_for_timeout(1000)                          # compiled, as under a drawing hand
        for strokes in STROKES.values():
            for page in pages:
                page.bring_to_front()
                page.keyboard.press('c')
                draw(page, strokes)
            for _ in range(rounds):
                for i,page in enumerate(pages):
                    some, first = page.evaluate(MEASURE, repeats)
                    times[i] += some
                    prepared[i] += first
        for _ in range(rounds):
            for i,file in enumerate(files): paints[i].append(first_paint(browser, file))
        browser.close()
    return times, prepared, paints


def main(other, rounds=10):
    from mnist_course.page import write_page
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(other).resolve(), write_page(Path(folder)/'draw.html')]
        found = compare(files, int(rounds))
    for name,*lists in zip(('the other','this one'), *found):
        all_six, prepared, paint = map(median, lists)
        print(f'{name:9}  {all_six:.2f} ms for all answers with preparing ({prepared:.2f} ms), the median of {len(lists[0])}; '
              f'first paint after {paint:.0f} ms, the median of {len(lists[2])}')


if __name__=='__main__':
    if len(sys.argv)<2: sys.exit(__doc__)
    main(*sys.argv[1:])
