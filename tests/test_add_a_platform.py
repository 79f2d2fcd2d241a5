"""Follows docs/add-a-platform.md in a copy of the tree: the steps there are enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "add-a-platform.md"
REGISTRY = "app/connectors/registry.py"
FIRST_LINE = "_ALL = (\n"


def blocks() -> dict[str, str]:
    """The files on the page by the name in their title."""
    page = PAGE.read_text("utf-8")
    return dict(re.findall(r"^```\w+ title=(\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The project without the new platform, in a folder with a blank in its name."""
    copy = tmp_path / "a copy"
    ignore = shutil.ignore_patterns("__pycache__", ".hypothesis")
    for folder in ("app", "tests"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


def follow(tree: Path) -> None:
    for name, text in blocks().items():
        if name == REGISTRY:
            register(tree / name, text)
        else:
            assert not (tree / name).exists(), "a step writes a new file"
            (tree / name).write_text(text, "utf-8")


def register(registry: Path, line: str) -> None:
    """The one line."""
    assert line.count("\n") == 1
    text = registry.read_text("utf-8")
    assert text.count(FIRST_LINE) == 1
    registry.write_text(text.replace(FIRST_LINE, f"{FIRST_LINE}{line}"), "utf-8")


def run(tree: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("COV_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )


CONTRACT = ("pytest", "tests/connectors/test_contract.py", "-q", "-k", "inkwell")


def test_page_holds_a_connector_a_line_and_a_recording() -> None:
    assert blocks().keys() == {
        "app/connectors/platforms/inkwell.py",
        REGISTRY,
        "tests/connectors/recordings/inkwell.json",
    }
    assert " ".join(CONTRACT[:2]) in PAGE.read_text("utf-8")


def test_the_steps_make_a_platform_that_keeps_the_contract(tree: Path) -> None:
    follow(tree)
    done = run(tree, *CONTRACT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d{2} passed", done.stdout), "no test of the new platform ran"


def test_without_its_recording_the_platform_is_refused(tree: Path) -> None:
    follow(tree)
    (tree / "tests/connectors/recordings/inkwell.json").unlink()
    done = run(tree, *CONTRACT, "-k", "inkwell and recording")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "write its recording" in done.stdout


def test_the_connector_on_the_page_is_clean(tree: Path) -> None:
    follow(tree)
    name = "app/connectors/platforms/inkwell.py"
    for command in (("ruff", "check", name), ("ruff", "format", "--check", name), ("mypy", name)):
        done = run(tree, *command)
        assert done.returncode == 0, done.stdout + done.stderr
