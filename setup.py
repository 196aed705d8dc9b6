"Packaging from settings.ini, in the shape that nbdev 2 gives it, mended for today's setuptools"
import sys
from configparser import ConfigParser
from pathlib import Path
from shutil import copy2, rmtree

from setuptools import find_namespace_packages, setup
from setuptools.command.build_py import build_py

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))                      # a build in an environment of its own doesn't look here
from mnist_course.core.files import lesson_files   # needs the standard library alone

parser = ConfigParser(delimiters=['='])
parser.read(here/'settings.ini', encoding='utf-8')
cfg = parser['DEFAULT']

lessons = cfg['lessons_requirements'].split()       # JupyterLab and what the lessons build on
course  = lessons + cfg['course_requirements'].split()
cluster = cfg['cluster_requirements'].split()       # grading on several machines
heic    = cfg['heic_requirements'].split()          # photos as phones of one make keep them
data    = cfg['data_requirements'].split()          # sets of other layouts than MNIST's
site    = cfg['site_requirements'].split()          # the course as web pages
dev     = course + cluster + heic + data + site + cfg['dev_requirements'].split()  # an author needs what the lessons show


class BuildWithLessons(build_py):
    "Put what learners are handed into the wheel, so that `mnist_course lessons` finds it outside a clone; not the notebooks with answers"
    def run(self):
        super().run()
        if self.editable_mode: return              # a clone has them in nbs/
        nbs, out = here/cfg['nbs_path'], Path(self.build_lib)/cfg['lib_name']/'lessons'
        rmtree(out, ignore_errors=True)            # an earlier build may have left more
        for inside in lesson_files(nbs):
            to = out/inside
            to.parent.mkdir(parents=True, exist_ok=True)
            copy2(nbs/inside, to)


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
    packages=find_namespace_packages(include=[cfg['lib_path'], cfg['lib_path']+'.*']),   # with assets/, whose folders hold no module
    package_data={cfg['lib_name']: ['assets/*/*']},
    include_package_data=True,
    install_requires=cfg['requirements'].split(),
    extras_require=dict(lessons=lessons, course=course, cluster=cluster, heic=heic, data=data, site=site, dev=dev),
    entry_points=dict(console_scripts=cfg['console_scripts'].split(),
                      nbdev=[f"{cfg['lib_name']}={cfg['lib_name']}._modidx:d"]),
    cmdclass=dict(build_py=BuildWithLessons),
    zip_safe=False,
    classifiers=['Development Status :: 4 - Beta', 'Intended Audience :: Education', 'Natural Language :: English',
                 'Programming Language :: Python :: 3', *(f'Programming Language :: Python :: 3.{minor}' for minor in (11, 12, 13)),
                 'Topic :: Scientific/Engineering :: Artificial Intelligence'],
)
