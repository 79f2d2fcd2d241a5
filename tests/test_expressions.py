"""Nothing that comes from outside is run, and no expression of ours hangs at it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import app

ROOT = Path(__file__).parent.parent
LENGTH = 1200
SECONDS = 10.0
"""Processor time that all texts together may cost one expression: a guard, twenty times what the
slowest takes, which grows with the square. What is exponential, or cubic, takes hours.
"""
PUMPS = tuple("a0 \t\n.:/@-_<>&;=\"'\\,?#(){}[]%+é\u0301\u200b漢")
ENDS = ("", "\0")
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
BY_HAND = {"regenerate.py"}  # a developer starts it; it is in no way of the service
OWN_SENTENCES = {"invalid.py"}  # formats of a table of its own
DANGEROUS = {"subprocess", "pickle", "marshal", "shelve", "ctypes", "xml", "yaml", "telnetlib"}


class Hangs(Exception):
    """An expression needs more processor time than any that is linear."""


@contextmanager
def processor_time(seconds: float) -> Iterator[None]:
    """Ends with `Hangs` after so much of it; a busy machine is no finding."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise Hangs

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def modules() -> Iterator[Any]:
    for found in pkgutil.walk_packages(app.__path__, "app."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def expressions_in(value: Any, depth: int = 3) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, tuple | list | set | frozenset):
        for each in value:
            yield from expressions_in(each, depth - 1)
    elif depth and isinstance(value, dict):
        yield from expressions_in(list(value.values()), depth - 1)


def expressions() -> list[re.Pattern[Any]]:
    found = {
        (each.pattern, each.flags): each
        for module in modules()
        for each in expressions_in(
            [value for name, value in vars(module).items() if name[:2] != "__"]
        )
    }
    return list(found.values())


def texts_for(expression: re.Pattern[Any]) -> Iterator[str]:
    """What repeats long and fits almost: letters, and pairs of those that the expression names."""
    written = expression.pattern
    text = written.decode("latin-1") if isinstance(written, bytes) else written
    own = sorted(set(re.findall(r"[\w@#:/.,;=&<>\"'-]", text)))[:12]
    words = re.findall(r"[A-Za-z]{2,}", text)[:6]
    for pump in dict.fromkeys((*PUMPS, *map("".join, product(own, repeat=2)), *words)):
        for end in ENDS:
            yield pump * (LENGTH // len(pump)) + end
    for word, pump in product(words, PUMPS):
        yield word + pump * LENGTH


def hunt(expression: re.Pattern[Any], seconds: float = SECONDS) -> None:
    """Raises `Hangs`."""
    with processor_time(seconds):
        for text in texts_for(expression):
            given = text.encode() if isinstance(expression.pattern, bytes) else text
            expression.search(given)
            expression.fullmatch(given)


@pytest.mark.parametrize("bad", [r"(a+)+$", r"(\w|a)*!", r"(?:a|a)+\Z", r"(.*)*,x", r"^(\d+)*$"])
def test_the_hunt_finds_what_hangs(bad: str) -> None:
    with pytest.raises(Hangs):
        hunt(re.compile(bad), 0.3)


def test_no_expression_hangs_at_a_hostile_text() -> None:
    found = expressions()
    assert len(found) > 80
    slow = []
    for expression in found:
        try:
            hunt(expression)
        except Hangs:
            slow.append(expression.pattern)
    assert slow == []


def test_no_text_is_ever_run() -> None:
    """No evaluation, no shell, no loader that runs what it loads, no format that is no constant."""
    for file in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            place = f"{file.name}:{getattr(node, 'lineno', 0)}"
            assert not _runs(node) or file.name in BY_HAND, place
            assert not _formats(node) or file.name in OWN_SENTENCES, place


def _runs(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(name.name.partition(".")[0] in DANGEROUS for name in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] in DANGEROUS
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Name) and called.id in RUNS_TEXT


def _formats(node: ast.AST) -> bool:
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute) and called.attr in {"format", "format_map"}:
        constant = isinstance(called.value, ast.Name) and called.value.id.isupper()
        return not (constant or isinstance(called.value, ast.Constant))
    return False
