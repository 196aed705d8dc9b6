"The site, built once: what it shows and hides, where its links lead, what it asks for, its search, and how it looks to a phone and to axe-core"
import html, json, os, re, shutil, signal, subprocess, sys
from collections import Counter
from functools import cache
from pathlib import Path
from statistics import median
from urllib.parse import unquote, urlsplit

import pytest
from checks import ROOT, notebooks

pytest.importorskip('sphinx_book_theme', reason='the extra `site` is not installed')
pytestmark = pytest.mark.timeout(420)    # the first one builds it; a second process waits for that

LESSONS = sorted(p.stem for p in (ROOT/'nbs').glob('[0-9][0-9]*.ipynb'))
FIVE = 'index', '04_sgd', 'api/mnist_course.sgd', 'commands', 'draw'


@pytest.fixture(scope='session')
def site(tmp_path_factory):
    "The whole site, which processes that test side by side share"
    from filelock import FileLock
    from mnist_course.tools import cli
    from mnist_course.tools.cli_site import all_commands
    from mnist_course.tools.site import build_site
    assert cli
    base = tmp_path_factory.getbasetemp()
    if 'PYTEST_XDIST_WORKER' in os.environ: base = base.parent
    with FileLock(base/'site.lock'):
        if not (base/'site').exists(): build_site(ROOT, base/'site', all_commands())    # a warning is an error
    return base/'site'


@cache
def pages(site): return {p: p.read_text(encoding='utf-8') for p in sorted(site.rglob('*.html'))}


def text_of(source): return html.unescape(re.sub('<[^>]*>', '', source))


# What is there

def test_every_lesson_tool_and_module_has_a_page(site, count):
    from mnist_course.tools.site import find_modules, find_pages
    due = {n.removesuffix('.ipynb') for n in find_pages(ROOT/'nbs')} | {'draw', 'glossary', 'exercises', 'commands', 'api/index', 'search'}
    there = {p.relative_to(site).as_posix().removesuffix('.html') for p in pages(site)}
    assert due<=there and {*LESSONS, 'classroom/teaching'}<=due
    count('pages of the site', len(there))
    modules = {m for m in find_modules(ROOT/'nbs') if f'api/{m}' in there}
    assert {'mnist_course.sgd', 'mnist_course.exercises.judge', 'mnist_course.tools.site', 'mnist_course.exercises'}<=modules


def test_every_exported_name_has_its_docments(site, count):
    import ast
    from mnist_course.tools.site import find_modules
    n = 0
    for module in find_modules(ROOT/'nbs'):
        path = ROOT/module.replace('.', '/')
        tree = ast.parse((path/'__init__.py' if path.is_dir() else path.with_suffix('.py')).read_text(encoding='utf-8'))
        names = next(ast.literal_eval(s.value) for s in tree.body if isinstance(s, ast.Assign) and getattr(s.targets[0], 'id', '')=='__all__')
        if not names: continue
        shown = text_of(pages(site)[site/'api'/f'{module}.html'])
        for name in names: assert re.search(rf'\b{name}\b', shown), (module, name)
        n += len(names)
    count('exported names on the site', n)
    sgd = text_of(pages(site)[site/'api'/'mnist_course.sgd.html'])
    for said in ('# Tensors that the model uses and that track gradients', '# Mean of the batches', 'class DataLoader:'): assert said in sgd, said


def test_exercises_are_marked_and_listed(site):
    from mnist_course.exercises.outline import OUTLINE, places_of
    listed = pages(site)[site/'exercises.html']
    for lesson,names in OUTLINE.items():
        source = pages(site)[site/f'{lesson}.html']
        assert source.count('class="exercise admonition"')==len(names), lesson
        for p in places_of(lesson): assert f'id="exercise-{p.number.replace(".", "-")}"' in source and f'{lesson}.html#exercise-{p.number.replace(".", "-")}"' in listed


def test_the_list_of_exercises_names_lessons_and_says_what_each_is_about(site):
    from mnist_course.exercises.outline import OUTLINE, places_of
    page = pages(site)[site/'exercises.html']
    entries = {text_of(m[2]): (m[1], text_of(m[3])) for m in re.finditer(r'<li><p><a [^>]*href="([^"]*)"[^>]*>(.*?)</a>(.*?)</p>', page, flags=re.S)}
    for lesson in OUTLINE:
        title = re.search(r'<title>(.*?) —', html.unescape(pages(site)[site/f'{lesson}.html']))[1]
        assert re.search(rf'<strong><a [^>]*href="{lesson}.html"[^>]*>(<span[^>]*>)?{lesson.partition("_")[0]} {re.escape(title)}<', page), lesson
        for p in places_of(lesson): assert f'{p.number} {p.name}' in entries, p
    assert entries['04.1 calc_grad'][1].startswith(': Add the gradient of this batch’s loss')
    assert sum(not said for _,said in entries.values())<=2    # two methods have no docstring


def test_cells_that_take_long_say_so(site):
    for path in notebooks():
        if path.stem not in LESSONS: continue
        cells = json.loads(path.read_text(encoding='utf-8'))['cells']
        slow = sum(any(re.match(r'#\|\s*slow\b', line) for line in c['source']) for c in cells if c['cell_type']=='code')
        shown = text_of(pages(site)[site/f'{path.stem}.html'])
        assert shown.count('this takes minutes or hours')==slow and '#| slow' not in shown, path


def test_no_directive_is_shown_and_hidden_cells_are_gone(site):
    for path,source in pages(site).items():
        code = source if path.stem in LESSONS else ' '.join(re.findall('class="cell_input.*?</pre>', source, flags=re.S))    # tools show stubs
        for block in re.findall('<pre>(.*?)</pre>', code, flags=re.S):
            assert not re.search(r'^#\|', text_of(block), flags=re.M), path
    assert 'set_matplotlib_formats' not in text_of(pages(site)[site/'04_sgd.html'])
    for path in notebooks():
        if path.stem not in LESSONS: continue
        cells = json.loads(path.read_text(encoding='utf-8'))['cells']
        exported = sum(any('#| export' in line for line in c['source']) for c in cells if c['cell_type']=='code')
        assert pages(site)[site/f'{path.stem}.html'].count('cell_input')>=exported, path


def test_an_option_keeps_its_two_hyphens(site, count):
    "Whoever copies `–fast`, with a dash, gets an error"
    from mnist_course.tools.cli_site import all_commands
    for path,source in pages(site).items():
        prose = text_of(re.sub('(?s)<(script|style)\\b.*?</\\1>', '', source))
        assert not re.search(r'(?<![\w\s])[–—][a-z]|(?<=\s)–[a-z]', prose), path
    page = pages(site)[site/'commands.html']
    for name,command in all_commands().items():
        if command.hidden: continue
        section = re.search(rf'<section id="{name}">.*?</section>', page, flags=re.S)[0]
        code = ' '.join(map(text_of, re.findall('<(?:code|pre)\\b.*?</(?:code|pre)>', section, flags=re.S)))
        said = re.findall(r'(?<![\w-])--[a-z][\w-]*', ' '.join([command.help or '', *(getattr(p, 'help', '') or '' for p in command.params)]))
        assert all(code.count(option)>=n for option,n in Counter(said).items()), name
        count('options in the words of the commands page', len(said))


def test_the_commands_page_says_what_help_says(site):
    "Names, what a value is, defaults, and what has to be there"
    from mnist_course.tools.cli_site import all_commands
    page, n = pages(site)[site/'commands.html'], 0
    for name,command in all_commands().items():
        if command.hidden: continue
        section = re.search(rf'<section id="{name}">.*?</section>', page, flags=re.S)[0]
        rows = [[text_of(c).strip() for c in re.findall('<t[hd]\\b.*?</t[hd]>', row, flags=re.S)] for row in re.findall('<tr\\b.*?</tr>', section, flags=re.S)]
        assert not rows or rows[0]==['Argument or option', 'What it does', 'Default'], name
        shown = {row[0]: row[2] for row in rows[1:]}
        with command.make_context(name, [], resilient_parsing=True) as ctx:
            for p in command.params:
                if not (record := p.get_help_record(ctx)): continue
                default = re.search(r'default: (.*?)[;\]]', record[1])
                assert shown[record[0]]==('required' if p.required else default[1].strip('()').replace("'", '’') if default else ''), (name, record)
                n += 1
    assert n>60 and '--epochs N' in text_of(page) and '60.0' in text_of(page)


def test_tests_are_folded(site):
    folded = {stem: pages(site)[site/f'{stem}.html'].count('Show the test') for stem in LESSONS}
    assert all(folded.values()), folded
    first = re.search(r'<details class="admonition hide.*?</details>', pages(site)[site/'04_sgd.html'], flags=re.S)[0]
    assert 'test_' in first or 'assert' in first


# Where it leads

def links(source): return {html.unescape(m[1]) for m in re.finditer(r'<[^<>]*\b(?:href|src)="([^"]*)"', source)}


def broken_links(site):
    ids = {p: set(re.findall(r'\bid="([^"]+)"', source)) | {''} for p,source in pages(site).items()}
    for path,source in pages(site).items():
        for link in links(source):
            u = urlsplit(link)
            if u.scheme or u.netloc: continue
            target = Path(os.path.normpath(path.parent/unquote(u.path))) if u.path else path
            if not target.exists() or (target in ids and target.name!='search.html' and unquote(u.fragment) not in ids[target]): yield path.relative_to(site), link


def test_internal_links_and_anchors_resolve(site, count):
    assert list(broken_links(site))==[]
    count('links of the site followed', sum(len([n for n in links(s) if not urlsplit(n).scheme]) for s in pages(site).values()))


def test_links_into_the_clone_are_of_files_that_are_there(site):
    from mnist_course.tools.site import read_settings
    start = read_settings(ROOT)['git_url'] + '/blob/main/'
    paths = {unquote(urlsplit(n[len(start):]).path) for source in pages(site).values() for n in links(source) if n.startswith(start)}
    assert len(paths)>50 and [p for p in paths if not (ROOT/p).exists()]==[]


# What it asks for

def test_nothing_is_loaded_from_another_host(site):
    loads = r'<(?:script|img|iframe|source|embed)[^>]*\bsrc="(?:https?:)?//|<link (?![^>]*rel="canonical")[^>]*href="(?:https?:)?//'
    for path,source in pages(site).items(): assert not re.search(loads, source), path
    for path in site.rglob('*.css'): assert not re.search(r'url\(["\']?(?:https?:)?//|@import (?!\"\.\./basic\.css)', path.read_text(encoding='utf-8')), path


@pytest.fixture(scope='module')
def phone(browser):
    page = browser.new_page(viewport=dict(width=390, height=844))
    yield page
    page.close()


def test_on_a_phone_nothing_runs_over_and_no_other_host_is_asked(site, phone, count):
    "Every lesson and a third of the other pages; and how much a lesson weighs with all that it loads"
    asked, errors, over, weights = [], [], [], {}
    phone.on('request', lambda r: asked.append(r.url))
    phone.on('pageerror', lambda e: errors.append(str(e)))
    for i,path in enumerate(pages(site)):
        if path.stem not in LESSONS and path.stem not in ('index','draw') and i%3: continue
        begin = len(asked)
        phone.goto(path.as_uri())
        if phone.evaluate('document.documentElement.scrollWidth')>390: over.append(path.name)
        loaded = {Path(unquote(urlsplit(u).path)) for u in asked[begin:] if u.startswith('file:')}
        weights[path.relative_to(site).as_posix()] = sum(p.stat().st_size for p in loaded if p.exists())
    assert [u for u in asked if not u.startswith(('file:', 'data:', 'blob:'))]==[] and errors==[] and over==[]
    lessons = [weights[f'{stem}.html'] for stem in LESSONS]
    assert all(lessons) and median(lessons)<=1_500_000
    count('kB that the median lesson loads', round(median(lessons)/1000))


def test_weight_of_the_whole(site, count):
    size = sum(p.stat().st_size for p in site.rglob('*') if p.is_file())
    assert size<=35_000_000
    count('kB of the whole site', round(size/1000))


# How it works

def rare_word(stem):
    "A word of a lesson's prose that few other lessons have"
    def words(stem):
        cells = json.loads((ROOT/'nbs'/f'{stem}.ipynb').read_text(encoding='utf-8'))['cells']
        prose = ' '.join(re.sub(r'`[^`]*`|\([^)]*\)', '', ''.join(c['source'])) for c in cells if c['cell_type']=='markdown')
        return Counter(re.findall(r'\b[a-z]{6,12}\b', prose))
    others = set().union(*(words(other) for other in LESSONS if other!=stem))
    return max(((n, w) for w,n in words(stem).items() if w not in others))[1]


def test_search_finds_every_lesson_from_disk(site, phone, count):
    for stem in LESSONS:
        word = rare_word(stem)
        phone.goto((site/'search.html').as_uri() + f'?q={word}')
        phone.wait_for_selector(f'#search-results a[href^="{stem}.html"]', state='attached', timeout=30_000)
        count('lessons found by the search of the site')


def test_one_draws_on_the_page_inside(site, browser):
    page = browser.new_page(viewport=dict(width=1280, height=1500))
    page.goto((site/'draw.html').as_uri())
    inside = page.frame_locator('.drawing-page')
    box = inside.locator('#pad').bounding_box()
    points = [(.3,.25), (.7,.25), (.45,.8)]
    for i,(x,y) in enumerate(points):
        page.mouse.move(box['x']+x*box['width'], box['y']+y*box['height'], steps=8)
        if i==0: page.mouse.down()
    page.mouse.up()
    page.wait_for_function("() => true")
    inside.locator('#verdict', has_text='7').wait_for(timeout=20_000)
    page.close()


@pytest.mark.parametrize('size', [(1300, 900), (1180, 820), (1920, 1080), (390, 844)], ids=str)
def test_one_sees_the_answers_while_one_draws(site, browser, size):
    "With the page scrolled to the frame the verdict is in the window, and the frame needs no scrollbar of its own"
    page = browser.new_page(viewport=dict(width=size[0], height=size[1]))
    page.goto((site/'draw.html').as_uri())
    frame, inside = page.locator('.drawing-page'), page.frame_locator('.drawing-page')
    inside.locator('#verdict').wait_for()
    frame.evaluate('f => f.scrollIntoView()')
    pad, verdict = inside.locator('#pad').bounding_box(), inside.locator('#verdict').bounding_box()
    assert pad['y']>=0 and 0<=verdict['y'] and verdict['y']+verdict['height']<=size[1], (pad, verdict)
    if size[0]>1000: assert verdict['x']>pad['x']+pad['width'] and frame.bounding_box()['height']<=size[1], (pad, verdict)
    assert inside.locator('html').evaluate('e => e.scrollHeight<=e.clientHeight && e.scrollWidth<=e.clientWidth')
    page.close()


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_axe_finds_nothing_serious(site, browser, scheme):
    source = pytest.importorskip('axe_playwright_python.base', reason='axe-playwright-python is not installed').AXE_SCRIPT
    page, found = browser.new_page(viewport=dict(width=1280, height=900), color_scheme=scheme), []
    for name in FIVE:
        page.goto((site/f'{name}.html').as_uri())
        page.wait_for_timeout(500)    # colours change from one scheme to the other by a transition
        page.evaluate(source)
        for v in page.evaluate('axe.run(document, {resultTypes: ["violations"]})')['violations']:
            if v['impact'] in ('serious', 'critical'): found.append((name, v['id'], [(n['html'][:150], n['failureSummary'][:250]) for n in v['nodes'][:2]], len(v['nodes'])))
    page.close()
    assert found==[]


# When something is wrong

def test_a_warning_stops_the_build_and_the_old_site_stays(tmp_path, monkeypatch):
    from mnist_course.tools import site as tool
    def write(root, src, commands=None):
        src.mkdir()
        (src/'conf.py').write_text("extensions = ['myst_nb']\nnb_execution_mode = 'off'\nhtml_theme = 'basic'\n")
        (src/'index.md').write_text('# A page\n\n[nowhere](gone.md)\n')
    monkeypatch.setattr(tool, 'write_source', write)
    (tmp_path/'site').mkdir()
    (tmp_path/'site'/tool.MARK).write_text('old')
    with pytest.raises(RuntimeError, match=r'has not been built: .*gone\.md'): tool.build_site(ROOT, tmp_path/'site')
    assert [p.name for p in tmp_path.iterdir()]==['site'] and (tmp_path/'site'/tool.MARK).read_text()=='old'


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    from mnist_course.tools import site as tool
    monkeypatch.setattr(tool, 'find_spec', lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'mnist_course\[site\]'"): tool.site_ready('somewhere')


@pytest.mark.parametrize('holds', [['searchindex.js'], ['.made_by_mnist_course', '.git']], ids=['another site', 'a checkout'])
def test_a_folder_that_is_not_only_ours_is_left_alone(tmp_path, holds):
    from mnist_course.tools.site import site_ready
    for name in holds: (tmp_path/name).write_text('theirs')
    with pytest.raises(ValueError, match='something else than a site of ours'): site_ready(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir())==sorted(holds)


def refused(*args):
    "The one line in which a command refuses"
    from mnist_course.tools import cli
    from mnist_course.tools.cli_app import run_command
    assert cli
    code, out, err = run_command(*args)
    assert (code, out, err.count('\n'))==(2, '', 1) and 'fault of' not in err, err
    return err


def test_a_folder_that_cannot_be_written_is_called_so(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    (tmp_path/'file').touch()
    said = [refused('site', '--out', tmp_path/'file'/'site')]
    if Path('/proc/self').exists(): said.append(refused('site', '--out', '/proc/site'))
    for line in said: assert 'cannot write to ' in line and 'another run' not in line and line.rstrip().endswith('name another folder'), line


FOREIGN = {'another project': ('[DEFAULT]\nlib_name = theirs\ntitle = T\n', 'is another project'), 'no address': ('[DEFAULT]\nlib_name = mnist_course\ntitle = T\n', 'lacks author, .*git_url'),
           'no section': ('lib_name = theirs\n', "can't be read"), 'a name of nothing': ('[DEFAULT]\ngit_url = %(user)s\n', "can't be read"), 'bytes': ('\xff', "can't be read")}

@pytest.mark.parametrize('text,why', FOREIGN.values(), ids=FOREIGN)
def test_another_project_is_refused_in_one_line(tmp_path, monkeypatch, text, why):
    from mnist_course.tools.site import site_ready
    (tmp_path/'nbs').mkdir()
    (tmp_path/'settings.ini').write_bytes(text.encode('latin-1'))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=f'expected the settings of the course, but .*{why}.*: change to a clone of the course'): site_ready('_site', tmp_path)
    if text.startswith('['): refused('site')    # whether a file is none, `repo_root` finds before it
    assert sorted(p.name for p in tmp_path.iterdir())==['nbs', 'settings.ini']


@pytest.mark.skipif(os.name=='nt', reason='SIGKILL')
def test_what_a_killed_run_leaves_is_swept_and_never_shown_by_git(tmp_path, monkeypatch):
    from mnist_course.tools import site as tool
    work = "import sys, time\nfrom mnist_course.tools import site as tool\ndef write(root, src, commands):\n    src.mkdir()\n    print('at work', flush=True)\n    time.sleep(100)\n"
    with subprocess.Popen([sys.executable, '-c', work+"tool.write_source = write\ntool.build_site('.', sys.argv[1])", tmp_path/'_site'], stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline()=='at work\n'
        p.send_signal(signal.SIGKILL)
    left = sorted(q.name for q in tmp_path.iterdir())
    assert len(left)==2
    if shutil.which('git') and (ROOT/'.git').exists():
        ignored = subprocess.run(['git', 'check-ignore', *left, 'draw.html'], cwd=ROOT, capture_output=True, text=True).stdout.split()
        assert ignored==[*left, 'draw.html']
    (tmp_path/'.site-theirs').mkdir()    # of a run for another folder
    (tmp_path/'.site-theirs'/tool.MARK).write_text('other')
    (tmp_path/'.site-notes').mkdir()
    def write(root, src, commands): raise ZeroDivisionError
    monkeypatch.setattr(tool, 'write_source', write)
    with pytest.raises(ZeroDivisionError): tool.build_site(ROOT, tmp_path/'_site')
    assert sorted(q.name for q in tmp_path.iterdir())==['.site-notes', '.site-theirs']
