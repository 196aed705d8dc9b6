"Packaging from settings.ini, in the shape that nbdev 2 gives it, mended for today's setuptools"
from configparser import ConfigParser
from pathlib import Path
from shutil import copy2

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

here = Path(__file__).parent
parser = ConfigParser(delimiters=['='])
parser.read(here/'settings.ini', encoding='utf-8')
cfg = parser['DEFAULT']

course = cfg['course_requirements'].split()
dev    = course + cfg['dev_requirements'].split()  # an author needs what the lessons show


class BuildWithLessons(build_py):
    "Put the lessons into the wheel, so that `mnist_course lessons` finds them outside a clone"
    def run(self):
        super().run()
        if self.editable_mode: return              # a clone has them in nbs/
        nbs, out = here/cfg['nbs_path'], Path(self.build_lib)/cfg['lib_name']/'lessons'
        made = [f for end in ('ipynb','csv','png') for f in nbs.rglob(f'*.{end}') if '.ipynb_checkpoints' not in f.parts]
        for f in sorted(made):
            to = out/f.relative_to(nbs)
            to.parent.mkdir(parents=True, exist_ok=True)
            copy2(f, to)


setup(
    name=cfg['lib_name'],
    version=cfg['version'],
    description=cfg['description'],
    long_description=(here/'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    keywords=cfg['keywords'],
    author=cfg['author'],
    license='Apache-2.0',
    url=cfg['git_url'],
    python_requires='>=' + cfg['min_python'],
    packages=find_packages(include=[cfg['lib_path'], cfg['lib_path']+'.*']),
    package_data={cfg['lib_name']: ['assets/*/*']},
    include_package_data=True,
    install_requires=cfg['requirements'].split(),
    extras_require=dict(course=course, dev=dev),
    entry_points=dict(console_scripts=cfg['console_scripts'].split(),
                      nbdev=[f"{cfg['lib_name']}={cfg['lib_name']}._modidx:d"]),
    cmdclass=dict(build_py=BuildWithLessons),
    zip_safe=False,
    classifiers=['Development Status :: 4 - Beta', 'Intended Audience :: Education', 'Natural Language :: English',
                 'Programming Language :: Python :: 3', 'Programming Language :: Python :: 3.11',
                 'Topic :: Scientific/Engineering :: Artificial Intelligence'],
)
