"""The tree of revisions: one line, one head, and files that stand for themselves."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from app.schema import HEAD, _config, head_revision
from tests.processes import ROOT

TREE = ScriptDirectory.from_config(_config())
FILES = sorted((ROOT / "migrations" / "versions").glob("*.py"))


def test_there_is_one_head_and_the_code_knows_it() -> None:
    assert TREE.get_heads() == [HEAD]
    assert head_revision() == HEAD


def test_there_is_one_beginning_and_no_branch() -> None:
    found = list(TREE.walk_revisions())
    assert len(found) == len(FILES)
    assert [s.revision for s in found if s.down_revision is None] == [TREE.get_base()]
    assert all(not s.is_branch_point and not s.is_merge_point for s in found)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_revision_never_imports_the_application(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add((node.module or "").partition(".")[0])
    assert imported <= {"__future__", "alembic", "datetime", "sqlalchemy", "typing"}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_revisions_file_is_named_by_its_day_and_number(file: Path) -> None:
    named = re.fullmatch(r"(\d{4})_(\d{2})_(\d{2})_(\d{4})_[a-z0-9_]+", file.stem)
    assert named is not None
    assert TREE.get_revision(named[4]).path == str(file)
