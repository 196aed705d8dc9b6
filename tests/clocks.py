"""Which assertion hangs on how long something took? None may: a busy machine would fail it. The bench times by itself.

    python tests/clocks.py    # lists the assertions of notebooks and tests that do

A value is *timed* if it comes from a clock, from a timed name or function, or from a field that holds seconds or a
ratio of them. This cannot see code in strings, which a test gives to another process, nor clocks that are arguments.
"""
import ast, sys
from itertools import chain
from pathlib import Path

STEADY = {'perf_counter', 'process_time', 'thread_time', 'monotonic'}    # of the module `time`, which also has `time`
CLOCKS = {name+ns for name in STEADY for ns in ('','_ns')} | {'default_timer', 'getrusage', 'in_turns'}
DATES = {'now', 'utcnow'}                                                # methods of `datetime` and its like
FIELDS = {'seconds', 'times', 'took', 'elapsed', 'ratio', 'theirs_s', 'ours_s', 'floor_s', 'floors', 'median_s', 'min_s', 'max_s'}
GROWS = {'append', 'extend', 'add', 'insert', 'update', 'setdefault'}    # put their arguments into what they belong to
COUNTS = {'len', 'type', 'isinstance', 'set', 'select'}                  # what they say of timed values is no time
LABELS = {'name', 'machine', 'accuracy', 'threads'}                      # beside the times in the bench's report
TABLES = {'DataFrame', 'Series'}                                         # in capitals, yet without a field for the time
ENDINGS = {'TimeoutError', 'CancelFitException', 'SystemExit'}           # raised to end a wait or a training


def name_of(node):
    "The last name of `f`, `a.b.f` or a call of them; empty for anything else"
    if isinstance(node, ast.Call): node = node.func
    return getattr(node, 'id', getattr(node, 'attr', ''))


def root(node):
    "The name that a chain of fields, places and calls begins with"
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return getattr(node, 'id', '')


def is_record(name):
    "Is this a class, whose objects have other fields than the time?"
    return name.lstrip('_')[:1].isupper() and name not in TABLES


def is_failure(node):
    "Does this statement or call make a test fail?"
    if isinstance(node, ast.Raise): return name_of(node.exc) not in ENDINGS
    return isinstance(node, ast.Assert) or (isinstance(node, ast.Call) and name_of(node)=='fail')


class Timed(ast.NodeVisitor):
    "Goes through a file from top to bottom, keeps which names are timed, and collects the assertions that hang on them"
    def __init__(self):
        self.functions = {}                                  # name -> which of its outcomes are timed
        self.timed, self.made, self.found = set(), set(), [] # names, as `t` or `self.t`; records made by hand; lines
        self.clocks, self.modules = set(CLOCKS), {'time'}    # other names for clocks, and for the module `time`

    # What is timed

    def names_clock(self, node):
        "Is this a clock, not yet called?"
        if isinstance(node, ast.Name): return node.id in self.clocks
        if not isinstance(node, ast.Attribute): return False
        of = root(node)
        return node.attr in CLOCKS|DATES or of=='timeit' or (of in self.modules and node.attr in ('time','time_ns'))

    def is_clock(self, node):
        "Does this call read a clock?"
        if not isinstance(node, ast.Call): return False
        if name_of(node) in ('run_line_magic','run_cell_magic'): return 'time' in ast.unparse(node)
        return self.names_clock(node.func)

    def is_timed(self, node):
        if node is None or isinstance(node, (ast.FunctionDef, ast.Lambda)): return False
        if self.is_clock(node): return True
        if isinstance(node, ast.Name): return node.id in self.timed
        if isinstance(node, ast.Attribute):
            if ast.unparse(node) in self.timed: return True
            if node.attr in FIELDS: return root(node) not in self.made
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            if node.slice.value in FIELDS: return root(node) not in self.made
            if node.slice.value in LABELS: return False
        if isinstance(node, ast.Compare) and all(getattr(c, 'value', None)==0 for c in node.comparators): return False
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            before = set(self.timed)
            for g in node.generators: self.bind(g.target, g.iter)
            result = self.is_timed(getattr(node, 'elt', None) or node.value)
            self.timed = before
            return result
        if isinstance(node, ast.Call):
            name = name_of(node)
            if name in self.functions: return any(self.functions[name])
            if name in COUNTS or is_record(name) or name in ('replace','partial'): return False
        return any(map(self.is_timed, ast.iter_child_nodes(node)))

    # What becomes timed

    def bind(self, target, value):
        "Note whether what is assigned is timed; a name that gets something else is so no longer"
        if isinstance(target, ast.Starred): target = target.value
        if isinstance(target, (ast.Tuple, ast.List)):
            for t,v in zip(target.elts, self.parts(value, len(target.elts))): self.bind(t, v)
        elif isinstance(target, (ast.Name, ast.Attribute)):
            name, call = ast.unparse(target), name_of(value) if isinstance(value, ast.Call) else ''
            by_hand = is_record(call) and not any(map(self.is_timed, value.args))
            is_timed, is_clock = self.is_timed(value), self.names_clock(value)
            for names,belongs in ((self.timed, is_timed), (self.made, by_hand), (self.clocks, is_clock)):
                (names.add if belongs else names.discard)(name)
        elif isinstance(target, ast.Subscript) and self.is_timed(value): self.grow(target)

    def parts(self, value, n):
        "What each of `n` names gets, as far as can be told; the whole for each where it cannot"
        call = name_of(value) if isinstance(value, ast.Call) else ''
        if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts)==n: return value.elts
        if call=='zip' and len(value.args)==n: return value.args
        if call in ('enumerate','items'): return [None, value]
        if len(self.functions.get(call, []))==n: return [value if t else None for t in self.functions[call]]
        return [value]*n

    def grow(self, node):
        if root(node): self.timed.add(root(node))

    def visit_ImportFrom(self, node):
        for a in node.names:
            is_time = node.module=='timeit' or (node.module=='time' and a.name in ('time','time_ns'))
            if is_time or a.name in CLOCKS: self.clocks.add(a.asname or a.name)

    def visit_Import(self, node): self.modules |= {a.asname for a in node.names if a.name=='time' and a.asname}

    def visit_FunctionDef(self, node):
        outside, clocks = set(self.timed), set(self.clocks)
        self.timed -= {a.arg for a in ast.walk(node.args) if isinstance(a, ast.arg)}
        for statement in node.body: self.visit(statement)
        returns = [n.value for n in ast.walk(node) if isinstance(n, (ast.Return, ast.Yield))]
        rows = [list(map(self.is_timed, v.elts if isinstance(v, ast.Tuple) else [v])) for v in returns]
        if any(map(any, rows)): self.functions[node.name] = rows[0] if len(rows)==1 else [any(map(any, rows))]
        self.timed, self.clocks = outside | {t for t in self.timed if t.startswith('self.')}, clocks

    def assigned(self, target, value):
        if isinstance(value, ast.Lambda) and self.is_timed(value.body): self.functions[ast.unparse(target)] = [True]
        self.bind(target, value)

    def visit_Assign(self, node):
        self.generic_visit(node)
        for t in node.targets: self.assigned(t, node.value)

    def visit_AnnAssign(self, node):
        self.generic_visit(node)
        if node.value: self.assigned(node.target, node.value)

    def visit_AugAssign(self, node):
        if self.is_timed(node.value): self.bind(node.target, node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node): self.generic_visit(node); self.bind(node.target, node.value)
    def visit_For(self, node): self.bind(node.target, node.iter); self.generic_visit(node)

    # What asserts

    def visit_Call(self, node):
        name, args = name_of(node), [*node.args, *(k.value for k in node.keywords)]
        is_any_timed = any(map(self.is_timed, args))
        if name in GROWS and isinstance(node.func, ast.Attribute) and is_any_timed: self.grow(node.func.value)
        if (name.startswith(('test_', 'assert')) or name=='approx') and is_any_timed: self.found.append(node.lineno)
        self.generic_visit(node)

    def visit_Assert(self, node):
        if self.is_timed(node.test): self.found.append(node.lineno)
        self.generic_visit(node)

    def visit_If(self, node):
        inside = chain.from_iterable(map(ast.walk, node.body + node.orelse))
        if self.is_timed(node.test) and any(map(is_failure, inside)): self.found.append(node.lineno)
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
    return [f'{p.relative_to(root)}: {source.splitlines()[n-1].strip()}'
            for p,source in sources.items() for n in timed_assertions(source)]


if __name__=='__main__':
    found = all_timed(Path(__file__).resolve().parent.parent)
    print(f'{len(found)} assertions depend on a time', *found, sep='\n  ')
    sys.exit(bool(found))
