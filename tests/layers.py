"""Arrows only down: core <- lessons <- exercises <- classroom <- tools <- moved. Every import counts, those inside functions too.

    python tests/layers.py    # what points upward or round, and the picture for CONTRIBUTING.md
"""
import ast, re, sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter

from checks import ROOT, code_cells, notebooks

LAYERS = 'core', 'lessons', 'exercises', 'classroom', 'tools', 'moved'


def places(root=ROOT):
    "Module -> its layer, and for a lesson its number: what the notebooks' folders say"
    found = {}
    for nb in notebooks(root):
        layer, name = (nb.parent.name if nb.parent.name!='nbs' else 'lessons'), re.sub(r'^\d\d[a-z]?_', '', nb.stem)
        module = name if layer in ('lessons','moved') else 'exercises' if nb.stem=='catalogue' else f'{layer}.{name}'
        if nb.stem!='index': found[module] = LAYERS.index(layer), nb.stem[:2] if layer=='lessons' else ''
    return found


def imports(source, module, known):
    "Modules of ours that `source` imports, and whether by a star; `module` is where relative imports begin"
    package = ['mnist_course', *module.split('.')] if module=='exercises' else ['mnist_course', *module.split('.')][:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import): names = [(a.name, False) for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = '.'.join([*package[:len(package)-node.level+1], *filter(None, [node.module])] if node.level else [node.module])
            names = [(f'{base}.{a.name}' if f'{base}.{a.name}'.removeprefix('mnist_course.') in known else base, a.name=='*') for a in node.names]
        else: continue
        yield from ((n.removeprefix('mnist_course.'), star) for n,star in names if n.removeprefix('mnist_course.') in known)


def all_imports(root=ROOT, planted=None):
    "Module -> the modules that it imports; of a lesson all cells count, exported or not"
    known, found, stars = places(root), {}, []
    lessons = {re.sub(r'^\d\d[a-z]?_', '', nb.stem): nb for nb in notebooks(root) if nb.parent.name=='nbs' and nb.stem!='index'}
    for module in known:
        path = root/'mnist_course'/module.replace('.', '/')
        source = (path/'__init__.py' if path.is_dir() else path.with_suffix('.py')).read_text(encoding='utf-8')
        sources = [source, (planted or {}).get(module, ''), *(code_cells(lessons[module]) if module in lessons else [])]
        pairs = [pair for s in sources for pair in imports(s, module, known)]
        found[module] = {m for m,_ in pairs} - {module}
        if known[module][0]<LAYERS.index('moved'): stars += [f'{module}: star import from {m}' for m,star in pairs if star]
    return known, found, stars


def breaks(root=ROOT, planted=None):
    "Imports that point upward, aside or round, and star imports"
    known, found, wrong = all_imports(root, planted)
    for module,others in found.items():
        layer, number = known[module]
        for other in sorted(others):
            below, n = known[other]
            if below>layer: wrong.append(f'{module} -> {other}: {LAYERS[below]} lies above {LAYERS[layer]}')
            elif layer==below==1 and n>=number: wrong.append(f'{module} -> {other}: lesson {n} is not below {number}')
            elif other.startswith('tools.cli') and not module.startswith(('tools.cli','cli')): wrong.append(f'{module} -> {other}: nobody imports the command line')
            elif layer==0: wrong.append(f'{module} -> {other}: core imports nothing of ours')
            elif layer==2 and below==1 and n>known.get(module.removeprefix('exercises.'), (1,'99'))[1]: wrong.append(f'{module} -> {other}: lesson {n} lies above its own')
            elif layer==below==2 and other not in ('exercises.judge','exercises.outline','exercises.given'): wrong.append(f"{module} -> {other}: another lesson's exercises")
    try: list(TopologicalSorter(found).static_order())
    except CycleError as e: wrong.append('a circle: ' + ' -> '.join(e.args[1]))
    return wrong


def picture(root=ROOT):
    "The layers as a Mermaid flowchart: an arrow for each pair, with the number of imports along it"
    known, found, _ = all_imports(root)
    arrows = Counter((known[m][0], known[o][0]) for m,others in found.items() for o in others)
    sizes = Counter(layer for layer,_ in known.values())
    boxes = [f'    {name}["<b>{name}</b>, {sizes[i]} modules"]' for i,name in enumerate(LAYERS)]
    lines = [f'    {LAYERS[a]} -- {n} --> {LAYERS[b]}' for (a,b),n in sorted(arrows.items(), reverse=True) if a!=b]
    return '\n'.join(['```mermaid', 'flowchart TD', *reversed(boxes), *lines, '```'])


if __name__=='__main__':
    print(picture(), *breaks(), sep='\n')
    sys.exit(bool(breaks()))
