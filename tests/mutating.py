"""Mutation testing of pure modules, in one process: `python -m tests.mutating MODULE TESTS…`.

Each mutant (a comparison turned, a number moved, a `not` dropped, an operand swapped …) is put into
the module in a child process, and the test functions of the named test modules are called. Tests
that need a database or hypothesis are left out: what kills here is the tables. Prints survivors.
"""

from __future__ import annotations

import ast
import copy
import importlib
import inspect
import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from functools import partial
from types import ModuleType
from typing import Any

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Mod: ast.Add, ast.BitOr: ast.BitAnd,
}  # fmt: skip
PATIENCE = 20


def changes(node: ast.AST) -> Iterator[ast.AST]:  # one branch a kind of node
    """What a node may be turned into."""
    changed: Any = copy.deepcopy(node)
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            changed = copy.deepcopy(node)
            changed.ops[place] = COMPARED[type(operator)]()
            yield changed
    elif isinstance(node, ast.BoolOp):
        changed.op = ast.And() if isinstance(node.op, ast.Or) else ast.Or()
        yield changed
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield changed.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
        changed.op = COMPUTED[type(node.op)]()
        yield changed
    elif isinstance(node, ast.Constant):
        yield from _constants(node, changed)
    elif isinstance(node, ast.IfExp):
        changed.body, changed.orelse = changed.orelse, changed.body
        yield changed
    elif isinstance(node, ast.Return) and not _is_none(node.value):
        changed.value = ast.Constant(None)
        yield changed
    elif isinstance(node, ast.Raise | ast.Expr | ast.Continue | ast.Break):
        yield ast.Pass()


def _is_none(node: ast.expr | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _constants(node: ast.Constant, changed: Any) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        changed.value = not node.value
        yield changed
    elif isinstance(node.value, int):
        changed.value = node.value + 1
        yield changed
    elif isinstance(node.value, str):
        changed.value = node.value + "XX"
        yield changed


class _Turning(ast.NodeTransformer):
    """Replaces the node of one number by one of its changes."""

    def __init__(self, number: int, new: ast.AST) -> None:
        self.number, self.new, self.seen = number, new, -1

    def visit(self, node: ast.AST) -> Any:
        self.seen += 1
        if self.seen == self.number:
            self.seen += sum(1 for _ in ast.walk(node)) - 1
            return ast.copy_location(self.new, node)
        return self.generic_visit(node)


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)


def _says_nothing(node: ast.AST) -> bool:
    """A docstring, or the list of names that `import *` would take."""
    if isinstance(node, ast.Assign):
        return any(isinstance(each, ast.Name) and each.id == "__all__" for each in node.targets)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def mutants(source: str) -> Iterator[tuple[int, str, ast.Module]]:
    """(line, what it is now, the module) for each mutant; docstrings and annotations stay."""
    tree = ast.parse(source)
    spared = set()
    for node in ast.walk(tree):
        if _says_nothing(node):
            spared |= {id(each) for each in ast.walk(node)}
        for name in ("annotation", "returns", "decorator_list", "bases"):
            held = getattr(node, name, None) or []
            for each in held if isinstance(held, list) else [held]:
                spared |= {id(part) for part in ast.walk(each)}
    for number, node in enumerate(_in_order(tree)):
        if id(node) in spared:
            continue
        for new in changes(node):
            turned = _Turning(number, new).visit(copy.deepcopy(tree))
            ast.fix_missing_locations(turned)
            yield getattr(node, "lineno", 0), ast.unparse(new), turned


def calls(module: ModuleType) -> Iterator[Callable[[], Any]]:
    """The tests of a module with every row of their tables; those with fixtures are left out."""
    for name, test in vars(module).items():
        if not name.startswith("test_") or hasattr(test, "hypothesis"):
            continue
        tables = [m.args for m in getattr(test, "pytestmark", ()) if m.name == "parametrize"]
        named = [
            [n.strip() for n in ns.split(",")] if isinstance(ns, str) else ns for ns, _ in tables
        ]
        if set(inspect.signature(test).parameters) != {n for ns in named for n in ns}:
            continue
        for chosen in itertools.product(*(list(rows) for _, rows in tables)):
            given: dict[str, Any] = {}
            for names, row in zip(named, chosen, strict=True):
                given |= zip(names, row if len(names) > 1 else (row,), strict=True)
            yield partial(test, **given)


def _is_table(value: Any) -> bool:
    return isinstance(value, dict | frozenset | tuple) and len(value) > 0


def _replace(module: ModuleType, tree: ast.Module) -> None:
    """Puts a mutant in the module's place, everywhere its functions and tables went. Dataclasses
    stay, with new methods: the tables of the tests hold instances of them.
    """
    before = {
        id(value): name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__
        or (_is_table(value) and not name.startswith("__"))
    }
    kept = {
        name: each
        for name, each in vars(module).items()
        if isinstance(each, type) and is_dataclass(each)
    }
    exec(compile(tree, str(module.__file__), "exec"), module.__dict__)  # its purpose
    for name, each in kept.items():
        for held, method in list(vars(getattr(module, name)).items()):
            if inspect.isfunction(method) or isinstance(method, property):
                setattr(each, held, method)
    vars(module).update(kept)
    for name in [name for name in sys.modules if name.startswith(("app.", "tests."))]:
        for held, value in list(vars(sys.modules[name]).items()):
            if id(value) in before and sys.modules[name] is not module:
                setattr(sys.modules[name], held, getattr(module, before[id(value)]))


def survives(module: ModuleType, tree: ast.Module, tests: list[ModuleType]) -> bool:
    """Whether the tests pass with a mutant (in a child process, silently)."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    signal.alarm(PATIENCE)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        _replace(module, tree)
        for call in itertools.chain.from_iterable(map(calls, tests)):
            call()
    except BaseException:  # noqa: BLE001  # whatever it is, it kills
        os._exit(1)
    os._exit(0)


def main(name: str, *names: str) -> None:
    """Prints every survivor and the share that was killed."""
    tests = [importlib.import_module(each) for each in names]
    module = importlib.import_module(name)
    source = inspect.getsource(module)
    if not survives(module, ast.parse(source), tests):
        sys.exit("the tests fail without a mutant")
    killed = total = 0
    for line, now, tree in mutants(source):
        total += 1
        if survives(module, tree, tests):
            sys.stdout.write(f"{line}: {now[:110]}\n")
        else:
            killed += 1
    sys.stdout.write(f"{name}: {killed} of {total} killed, {100 * killed / total:.1f} %\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
