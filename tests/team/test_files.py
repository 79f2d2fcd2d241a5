"""Private files: whole or not there, and for their owner only."""

from __future__ import annotations

import json
import os
from pathlib import Path
from stat import S_IMODE

import pytest

from app.team.files import create_private, write_cli_file


def test_the_cli_file_is_private_and_replaced_at_each_start(tmp_path: Path) -> None:
    path = tmp_path / "cli.json"
    path.write_text("old")
    path.chmod(0o644)
    write_cli_file(path, "http://127.0.0.1:8000", "una_x")
    assert json.loads(path.read_text()) == {"url": "http://127.0.0.1:8000", "token": "una_x"}
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_left_by_a_killed_start_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f"cli.json.{os.getpid()}.new").write_text("half")
    write_cli_file(tmp_path / "cli.json", "http://127.0.0.1:8000", "una_x")
    assert [p.name for p in tmp_path.iterdir()] == ["cli.json"]


def test_a_mask_that_is_too_open_does_not_open_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_cli_file(tmp_path / "cli.json", "u", "t")
    finally:
        os.umask(before)
    assert S_IMODE((tmp_path / "cli.json").stat().st_mode) == 0o600


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "cli.json"
    path.mkdir()
    with pytest.raises(OSError, match=r"cli\.json"):
        write_cli_file(path, "u", "t")
    assert list(tmp_path.iterdir()) == [path]


def test_an_existing_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    assert create_private(path, "first")
    assert not create_private(path, "second")
    assert path.read_text() == "first"
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        create_private(tmp_path / "no" / Path("secret.key"), "x")
