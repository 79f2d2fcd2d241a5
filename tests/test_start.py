"""What a start leaves out: what is imported only where it is used."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.connectors.registry import PLATFORMS

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "app").rglob("*.py"))
LATER = ("alembic", "apscheduler", "asyncpg", "pygments", "rich", "sqlalchemy.orm")
"""Migrating, polling, PostgreSQL, tables on a terminal; and the ORM, which comes with SQLAlchemy's
asyncio and which nothing of ours uses.
"""
PLACES = "app.connectors.platforms"
SERVE = """
import json, sys
from app.cli import lean
lean.begin()
import app.cli.serving, app.cli.server, app.main
from app.settings import load_settings
app.main.create_app(load_settings())
print(json.dumps(sorted(sys.modules)))
"""


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """The modules of a service that is about to open its database."""
    environment = {name: value for name, value in os.environ.items() if name[:4] != "COV_"}
    told = subprocess.run(
        [sys.executable, "-P", "-c", SERVE],
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        timeout=60,
    )
    found: list[str] = json.loads(told.stdout)
    return found


def test_a_service_starts_without_what_it_may_never_use(loaded: list[str]) -> None:
    early = [name for name in loaded if name.startswith(LATER) or name.startswith(f"{PLACES}.")]
    assert early == []


def test_nothing_of_ours_knows_the_orm() -> None:
    knowing = [
        path.name
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for name in _imported(node)
        if name.startswith("sqlalchemy.orm")
    ]
    assert knowing == []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{each.name}" for each in node.names]
    return []


def test_every_platform_lies_in_the_file_of_its_name_and_is_offered() -> None:
    files = {path.stem for path in FILES if path.parent.name == "platforms"} - {"__init__"}
    assert set(PLATFORMS) == files
    assert list(PLATFORMS) == sorted(PLATFORMS)
    assert [platform.name for platform in PLATFORMS.values()] == list(PLATFORMS)
