"""Which assertion depends on how long something took? None may: a busy machine would fail it. The bench times, in its own run.

    python tests/clocks.py    # lists the assertions of notebooks and tests that do

A value is *timed* if it comes from a clock, from a timed name or function, or from a field that holds seconds or a ratio of them.
"""
import ast, sys
from pathlib import Path

CLOCKS = {name+ns for name in ('perf_counter','process_time','thread_time','monotonic') for ns in ('','_ns')} | {'default_timer', 'getrusage'}
FIELDS = {'seconds', 'times', 'took', 'elapsed', 'ratio', 'theirs_s', 'ours_s', 'median_s', 'min_s', 'max_s'}
GROWS = {'append', 'extend', 'add', 'insert', 'update', 'setdefault'}    # methods that put their arguments into what they belong to
COUNTS = {'len', 'type', 'isinstance', 'set', 'select'}                  # what they say of timed values is no time
LABELS = {'name', 'machine', 'accuracy', 'threads'}                      # what stands beside the times in the bench's report
TABLES = {'DataFrame', 'Series'}                                         # capital letters, and yet no record with a field for the time


def is_clock(node):
    "Does this call read a clock?"
    if not isinstance(node, ast.Call): return False
    f = node.func
    if isinstance(f, ast.Name): return f.id in CLOCKS
    if not isinstance(f, ast.Attribute): return False
    if f.attr in ('run_line_magic','run_cell_magic'): return 'time' in ast.unparse(node)
    of = f.value.id if isinstance(f.value, ast.Name) else ''
    return f.attr in CLOCKS or (of, f.attr) in (('time','time'), ('time','time_ns')) or of=='timeit'


def root(node):
    "The name that a chain of fields, places and calls begins with"
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)): node = node.func if isinstance(node, ast.Call) else node.value
    return getattr(node, 'id', '')


def is_record(name):
    "Is this a class, whose objects have other fields than the time?"
    return name.lstrip('_')[:1].isupper() and name not in TABLES


class Timed(ast.NodeVisitor):
    "Goes through a file from top to bottom, keeps which names are timed, and collects the assertions that hang on them"
    def __init__(self): self.timed, self.made, self.functions, self.found = set(), set(), {}, []    # functions: which of their outcomes are timed

    def is_timed(self, node):
        if node is None or isinstance(node, (ast.FunctionDef, ast.Lambda)): return False
        if is_clock(node): return True
        if isinstance(node, ast.Name): return node.id in self.timed
        if isinstance(node, ast.Attribute) and node.attr in FIELDS: return root(node) not in self.made
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and node.slice.value in FIELDS|LABELS: return node.slice.value in FIELDS and root(node) not in self.made
        if isinstance(node, ast.Compare) and all(isinstance(c, ast.Constant) and c.value==0 for c in node.comparators): return False
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            before = set(self.timed)
            for g in node.generators: self.bind(g.target, g.iter)
            result = self.is_timed(getattr(node, 'elt', None) or node.value)
            self.timed = before
            return result
        if isinstance(node, ast.Call):
            name = getattr(node.func, 'id', getattr(node.func, 'attr', ''))
            if name in self.functions: return any(self.functions[name])
            if name in COUNTS or is_record(name) or name in ('replace','partial'): return False
        return any(map(self.is_timed, ast.iter_child_nodes(node)))

    def bind(self, target, value, is_loop=False):
        "Note whether what is assigned is timed; a name that gets something else is so no longer"
        call = getattr(getattr(value, 'func', None), 'id', getattr(getattr(value, 'func', None), 'attr', ''))
        if isinstance(target, ast.Starred): target = target.value
        if isinstance(target, (ast.Tuple, ast.List)):
            parts = [value]*len(target.elts)
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts)==len(parts): parts = value.elts
            if call=='zip' and len(value.args)==len(parts): parts = value.args
            if call in ('enumerate','items'): parts = [None, value]
            if len(self.functions.get(call, []))==len(parts): parts = [value if t else None for t in self.functions[call]]
            for t,v in zip(target.elts, parts): self.bind(t, v)
        elif isinstance(target, ast.Name):
            (self.timed.add if self.is_timed(value) else self.timed.discard)(target.id)
            by_hand = is_record(call) and not any(map(self.is_timed, value.args))
            (self.made.add if by_hand else self.made.discard)(target.id)
        elif isinstance(target, ast.Subscript) and self.is_timed(value): self.grow(target)

    def grow(self, node):
        if root(node): self.timed.add(root(node))

    def visit_FunctionDef(self, node):
        outside = set(self.timed)
        self.timed -= {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
        for statement in node.body: self.visit(statement)
        returns = [n.value for n in ast.walk(node) if isinstance(n, (ast.Return, ast.Yield))]
        rows = [list(map(self.is_timed, v.elts if isinstance(v, ast.Tuple) else [v])) for v in returns]
        if any(map(any, rows)): self.functions[node.name] = rows[0] if len(rows)==1 else [any(map(any, rows))]
        self.timed = outside

    def visit_Assign(self, node):
        self.generic_visit(node)
        for t in node.targets:
            if isinstance(node.value, ast.Lambda) and isinstance(t, ast.Name) and self.is_timed(node.value.body): self.functions[t.id] = [True]
            self.bind(t, node.value)

    def visit_AugAssign(self, node):
        if self.is_timed(node.value): self.grow(node.target)
        self.generic_visit(node)

    def visit_NamedExpr(self, node): self.generic_visit(node); self.bind(node.target, node.value)
    def visit_For(self, node): self.bind(node.target, node.iter); self.generic_visit(node)

    def visit_Call(self, node):
        name = getattr(node.func, 'id', getattr(node.func, 'attr', ''))
        if name in GROWS and isinstance(node.func, ast.Attribute) and any(map(self.is_timed, node.args)): self.grow(node.func.value)
        if (name.startswith('test_') or name=='approx') and any(map(self.is_timed, node.args)): self.found.append(node.lineno)
        self.generic_visit(node)

    def visit_Assert(self, node):
        if self.is_timed(node.test): self.found.append(node.lineno)
        self.generic_visit(node)

    def visit_If(self, node):
        fails = [n for b in node.body for n in ast.walk(b) if isinstance(n, ast.Raise) or getattr(getattr(n, 'func', None), 'attr', '')=='fail']
        if fails and self.is_timed(node.test) and not any(w in ast.unparse(node) for w in ('TimeoutError','CancelFit','SystemExit')): self.found.append(node.lineno)
        self.generic_visit(node)


def timed_assertions(source):
    "Numbers of the lines in which an assertion depends on a time"
    tree, visitor = ast.parse(source), Timed()
    while True:                                   # until no function is new: one may stand below what calls it
        known, visitor.timed, visitor.found = len(visitor.functions), set(), []
        visitor.visit(tree)
        if len(visitor.functions)==known: return sorted(set(visitor.found))


def all_timed(root):
    "Each assertion on a time in notebooks and tests, as 'file: line'"
    from checks import code_cells, notebooks
    sources = {p: '\n'.join(code_cells(p)) for p in notebooks(root)}
    sources |= {p: p.read_text(encoding='utf-8') for p in sorted((root/'tests').rglob('*.py'))}
    return [f'{p.relative_to(root)}: {source.splitlines()[n-1].strip()}' for p,source in sources.items() for n in timed_assertions(source)]


if __name__=='__main__':
    found = all_timed(Path(__file__).resolve().parent.parent)
    print(f'{len(found)} assertions depend on a time', *found, sep='\n  ')
    sys.exit(bool(found))
