"""Arrows only down: core <- lessons <- exercises <- classroom <- tools <- moved. Imports inside functions count too.

    python tests/layers.py    # what points upward or round, and the picture for CONTRIBUTING.md

So do `import_module` and `resolve_name`, by the text that their argument begins with. Where that is
`f'mnist_course.exercises.{name}'`, it may be any module of that folder and counts as an import of `exercises.*`.
A name that is put together elsewhere is not seen, nor is `import_module` under another name.
"""
import ast, re, sys
from collections import Counter
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from checks import ROOT, code_cells, notebooks

LAYERS = 'core', 'lessons', 'exercises', 'classroom', 'tools', 'moved'
SHARED = {'exercises.judge', 'exercises.values', 'exercises.diagnosis', 'exercises.outline', 'exercises.given'}    # what all lessons' exercises are made with
CATALOGUE = 'exercises'                                                 # finds those of any lesson
LOADERS = {'import_module', 'resolve_name', '__import__'}               # take the name of a module as text


class Place(NamedTuple):
    layer:int     # Its index in LAYERS
    number:str='' # Of a lesson and its exercises, as '03' or '11b'


def stem(nb): return re.sub(r'^\d\d[a-z]?_', '', nb.stem)


def continued(nb):
    "The module that a notebook goes on with, as 12b_record does by `#| export convnet`; None for one that begins its own, or has none"
    found = re.findall(r'^#\| *(default_exp|export) +(\S+)', '\n'.join(code_cells(nb)), flags=re.M)
    return None if 'default_exp' in dict(found) else next((name for _,name in found), None)


def module_of(nb):
    "The module that a notebook makes, as its folder and its name say"
    if nb.parent.name in ('nbs', 'moved'): return stem(nb)
    return CATALOGUE if nb.stem=='catalogue' else f'{nb.parent.name}.{stem(nb)}'


def places(root=ROOT):
    "Module -> its place"
    found = {}
    for nb in notebooks(root):
        if not re.search(r'^#\| *default_exp ', '\n'.join(code_cells(nb)), flags=re.M): continue    # a page without a module, or a part of a lesson
        is_lesson = nb.parent.name=='nbs'
        layer = LAYERS.index('lessons' if is_lesson else nb.parent.name)
        found[module_of(nb)] = Place(layer, nb.stem.split('_')[0] if is_lesson else '')
    for module,place in found.items():
        if LAYERS[place.layer]!='exercises': continue
        name = module.removeprefix('exercises.')
        of = [m for m,p in found.items() if LAYERS[p.layer]=='lessons' and f'{name}_'.startswith(f'{m}_')]    # `persist_files` is of `persist`
        if of and module not in SHARED: found[module] = place._replace(number=found[max(of, key=len)].number)
    return found


# What a module imports

def beginning(node):
    "The text that an expression begins with, and whether that is all of it"
    if isinstance(node, ast.Constant) and isinstance(node.value, str): return node.value, True
    if isinstance(node, ast.JoinedStr) and node.values: return beginning(node.values[0])[0], False
    if isinstance(node, ast.BinOp): return beginning(node.left)[0], False
    return '', False


def named(node, package):
    "The full names that an import or a call of a loader asks for, and whether each is whole"
    if isinstance(node, ast.Import): return [(a.name, True) for a in node.names]
    if isinstance(node, ast.ImportFrom):
        above = package[:len(package)-node.level+1] if node.level else []
        return [('.'.join([*above, *filter(None, [node.module]), a.name]), True) for a in node.names]
    called = getattr(node.func, 'id', getattr(node.func, 'attr', '')) if isinstance(node, ast.Call) else ''
    if called not in LOADERS or not node.args: return []
    text, is_whole = beginning(node.args[0])
    dots = len(text) - len(text.lstrip('.'))
    return [('.'.join([*package[:len(package)-dots+1], text[dots:]]) if dots else text, is_whole)]


def ours(name, is_whole, known):
    "The module of ours that a full name lies in; its folder if only the beginning is known; None for others"
    package, _, inside = name.partition('.')
    if package!='mnist_course': return None
    parts = inside.partition(':')[0].split('.')
    if not is_whole:
        folder = parts[0] if len(parts)>1 else 'lessons'
        return f'{folder}.*' if folder in LAYERS else None
    heads = ('.'.join(parts[:n]) for n in range(len(parts), 0, -1))    # `data.Digits` is in `data`
    return next((head for head in heads if head in known), None)


def imports(source, module, known):
    "Modules of ours that a source imports, and whether by a star; `module` is where relative imports begin"
    package = ['mnist_course', *module.split('.')]
    if module!=CATALOGUE: package.pop()
    for node in ast.walk(ast.parse(source)):
        for name,is_whole in named(node, package):
            if found := ours(name, is_whole, known): yield found, name.endswith('.*')


@cache
def written_imports(root):
    "Places, and for each module pairs of what it imports and whether by a star; of a lesson all cells count"
    known, found = places(root), {}
    lessons = {}
    for nb in notebooks(root):
        if nb.parent.name=='nbs': lessons.setdefault(continued(nb) or module_of(nb), []).append(nb)
    for module in known:
        path = root/'mnist_course'/module.replace('.', '/')
        source = (path/'__init__.py' if path.is_dir() else path.with_suffix('.py')).read_text(encoding='utf-8')
        cells = [cell for nb in lessons.get(module, []) for cell in code_cells(nb)]
        found[module] = [pair for s in [source, *cells] for pair in imports(s, module, known)]
    return known, found


def all_imports(root=ROOT, planted=None):
    "Places, module -> the modules that it imports, and star imports; `planted` is source to add to some modules"
    known, written = written_imports(root)
    pairs = {m: [*written[m], *imports((planted or {}).get(m, ''), m, known)] for m in known}
    found = {m: {other for other,_ in pairs[m]} - {m} for m in known}
    strict = [m for m,place in known.items() if LAYERS[place.layer]!='moved']
    return known, found, [f'{m}: star import from {other}' for m in strict for other,star in pairs[m] if star]


def place_of(module, known):
    "Of a folder: its layer"
    return known[module] if module in known else Place(LAYERS.index(module.split('.')[0]))


# What is wrong with an import

def objection(module, other, known):
    "Why `module` may not import `other`; None if it may"
    here, there = place_of(module, known), place_of(other, known)
    layer, below = LAYERS[here.layer], LAYERS[there.layer]
    if there.layer>here.layer: return f'{below} lies above {layer}'
    if layer=='core': return None if other.split('_')[0]==module.split('_')[0] else 'core imports nothing of ours, but parts of one module'    # `core.layouts_names`
    is_cli = module.startswith(('tools.cli', 'cli'))
    if other.startswith('tools.cli') and not is_cli: return 'nobody imports the command line'
    part = there.number==here.number and other.startswith(f'{module}_')                # `page_watch` is a part of `page`
    if layer==below=='lessons' and there.number>=here.number and not part: return f'lesson {there.number} is not below {here.number}'
    if layer!='exercises': return None
    if below=='lessons' and not here.number: return 'what all exercises share imports no lesson'
    if below=='lessons' and there.number>here.number: return f'lesson {there.number} lies above its own'
    own = module.startswith('exercises.') and other.startswith(f'{module}_')    # a lesson's exercises in two parts
    if below=='exercises' and other not in SHARED and module!=CATALOGUE and not own: return "another lesson's exercises"


def breaks(root=ROOT, planted=None):
    "Imports that point upward, aside or round, and star imports"
    known, found, wrong = all_imports(root, planted)
    for module,others in found.items():
        for other in sorted(others):
            if why := objection(module, other, known): wrong.append(f'{module} -> {other}: {why}')
    try: list(TopologicalSorter(found).static_order())
    except CycleError as e: wrong.append('a circle: ' + ' -> '.join(e.args[1]))
    return wrong


def picture(root=ROOT):
    "The layers as a Mermaid flowchart: an arrow for each pair, with the number of imports along it"
    known, found, _ = all_imports(root)
    arrows = Counter((known[m].layer, place_of(o, known).layer) for m,others in found.items() for o in others)
    sizes = Counter(place.layer for place in known.values())
    boxes = [f'    {name}["<b>{name}</b>, {sizes[i]} modules"]' for i,name in enumerate(LAYERS)]
    lines = [f'    {LAYERS[a]} -- {n} --> {LAYERS[b]}' for (a,b),n in sorted(arrows.items(), reverse=True) if a!=b]
    return '\n'.join(['```mermaid', 'flowchart TD', *reversed(boxes), *lines, '```'])


if __name__=='__main__':
    print(picture(), *breaks(), sep='\n')
    sys.exit(bool(breaks()))
