"""Which test shows a fact about a platform: `path::name` below tests/, and that it is there."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

TESTS = Path(__file__).parent.parent


def missing(shown: Mapping[str, str]) -> dict[str, str]:
    """The facts whose test is not there."""
    return {fact: test for fact, test in shown.items() if not _is_there(test)}


def _is_there(test: str) -> bool:
    file, _, name = test.partition("::")
    path = TESTS / file
    if not path.exists():
        return False
    tree = ast.parse(path.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return any(isinstance(node, functions) and node.name == name for node in tree.body)
