"""Of each lesson on the site: milliseconds to its first paint from disk, beside a blank page in turns, and how much it loads.

    PYTHONPATH=tests python tests/site_speed.py _site [ROUNDS]    # _site: what `mnist_course site` wrote

Asked were 400 ms, and 1.5 MB for the median lesson, which tests/tools/test_site.py holds. No test looks at the times.
"""
import sys, tempfile
from pathlib import Path
from statistics import median
from urllib.parse import unquote, urlsplit

from browser import ARGS, CHROMIUM
from checks import ROOT
from page_speed import FIRST_PAINT


def visit(browser, file):
    "First paint in ms, and bytes of all files loaded, in a context whose cache is empty"
    context, asked = browser.new_context(viewport=dict(width=1280, height=800)), set()
    page = context.new_page()
    page.on('request', lambda r: asked.add(urlsplit(r.url).path))
    page.goto(file.as_uri())
    ms = page.evaluate(FIRST_PAINT)
    context.close()
    return ms, sum(Path(unquote(p)).stat().st_size for p in asked if Path(unquote(p)).is_file())


def main(site, rounds=5):
    from playwright.sync_api import sync_playwright
    lessons = sorted(p.stem for p in (ROOT/'nbs').glob('[0-9][0-9]*.ipynb'))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as p:
        blank = Path(folder)/'blank.html'
        blank.write_text('<!doctype html><title>blank</title>nothing', encoding='utf-8')
        files = [blank, *(Path(site).resolve()/f'{stem}.html' for stem in lessons)]
        browser = p.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        visit(browser, blank)                                            # the browser's own start
        seen = [[visit(browser, f) for f in files] for _ in range(rounds)]
        browser.close()
    rows = [(f.stem, median(turn[i][0] for turn in seen), seen[0][i][1]) for i,f in enumerate(files)]
    for name,ms,size in rows: print(f'{name:24} {ms:6.0f} ms {size/1e6:6.2f} MB')
    _,times,sizes = zip(*rows[1:])
    print(f'{len(lessons)} lessons, {rounds} times each: first paint {median(times):.0f} ms in the middle, {max(times):.0f} at most; {median(sizes)/1e6:.2f} MB in the middle, {max(sizes)/1e6:.2f} at most')


if __name__=='__main__': main(sys.argv[1], *map(int, sys.argv[2:3]))
