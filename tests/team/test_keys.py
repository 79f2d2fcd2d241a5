"""The key at the start: found or made, proven to fit, and nothing destroyed when it does not."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from stat import S_IMODE

import pytest

from app.db import SqliteDatabase
from app.team.files import replace_private
from app.team.keys import KEY_FILE, open_keyring
from app.team.secrets import Keyring, Place, WrongKey, new_key_line
from tests.web.apps import database

PLACE = Place("source", 1, "credential")
OURS, FOREIGN = new_key_line(secrets.token_bytes), new_key_line(secrets.token_bytes)


async def start(db: SqliteDatabase, folder: Path, setting: str | None = None) -> Keyring:
    return await open_keyring(
        db, secret_key=setting, data_dir=folder / "data ü", random=secrets.token_bytes
    )


def content(folder: Path) -> dict[str, bytes]:
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.endswith("-shm"))
    return {p.name: p.read_bytes() for p in files}


async def test_the_first_start_makes_a_private_key_file_that_later_ones_read(
    tmp_path: Path,
) -> None:
    async with database(tmp_path) as db:
        first = await start(db, tmp_path)
        path = tmp_path / "data ü" / KEY_FILE
        assert S_IMODE(path.stat().st_mode) == 0o600
        assert S_IMODE(path.parent.stat().st_mode) == 0o700
        assert os.listdir(path.parent) == [KEY_FILE]  # noqa: PTH208 - names are enough
        envelope = first.seal(b"x", PLACE, secrets.token_bytes)
        again = await start(db, tmp_path)
    assert again.open(envelope, PLACE) == b"x"
    assert again.current.id == first.current.id


async def test_the_setting_is_used_instead_of_a_file(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        await start(db, tmp_path, OURS)
        await start(db, tmp_path, OURS)
    assert not (tmp_path / "data ü").exists()


@pytest.mark.parametrize("setting", [None, FOREIGN], ids=["no setting", "foreign"])
async def test_a_key_that_does_not_fit_changes_nothing(tmp_path: Path, setting: str | None) -> None:
    async with database(tmp_path) as db:
        await start(db, tmp_path, OURS)
        before = content(tmp_path)
        with pytest.raises(WrongKey, match="Nothing was changed") as refused:
            await start(db, tmp_path, setting)
        assert content(tmp_path) == before
        await start(db, tmp_path, OURS)
    assert OURS not in str(refused.value)


async def test_a_lost_key_file_is_not_made_anew(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        await start(db, tmp_path)
        path = tmp_path / "data ü" / KEY_FILE
        kept = path.read_text()
        path.unlink()
        with pytest.raises(WrongKey, match=r"secret\.key is missing"):
            await start(db, tmp_path)
        assert not path.exists()
        path.write_text(kept)
        await start(db, tmp_path)


async def test_a_changed_key_file_stops_the_start(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        await start(db, tmp_path)
        (tmp_path / "data ü" / KEY_FILE).write_text(FOREIGN)
        with pytest.raises(WrongKey, match="not the one"):
            await start(db, tmp_path)


@pytest.mark.parametrize("broken", ["", "# only a comment", "short"])
async def test_a_damaged_key_file_is_named(tmp_path: Path, broken: str) -> None:
    async with database(tmp_path) as db:
        await start(db, tmp_path)
        (tmp_path / "data ü" / KEY_FILE).write_text(broken)
        with pytest.raises(WrongKey, match="can't be used"):
            await start(db, tmp_path)


async def test_a_key_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        await start(db, tmp_path)
        (tmp_path / "data ü" / KEY_FILE).write_bytes(b"\xff\xfe")
        with pytest.raises(WrongKey, match="can't be read"):
            await start(db, tmp_path)


async def test_a_setting_that_is_no_key_is_named_without_showing_it(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        with pytest.raises(WrongKey, match="UNANSWERED_SECRET_KEY") as refused:
            await start(db, tmp_path, "hunter2")
    assert "hunter2" not in str(refused.value)


async def test_an_earlier_key_may_stay_behind_the_new_one(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        old = await start(db, tmp_path, OURS)
        envelope = old.seal(b"x", PLACE, secrets.token_bytes)
        both = await start(db, tmp_path, f"{FOREIGN}\n{OURS}")
    assert both.open(envelope, PLACE) == b"x"
    assert both.current.id != old.current.id


async def test_a_running_process_follows_its_key_file(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        running = await start(db, tmp_path)
        path, old = tmp_path / "data ü" / KEY_FILE, running.current
        kept = path.read_text()
        replace_private(path, f"{FOREIGN}\n{kept}")
        assert running.is_current(running.seal(b"x", PLACE, secrets.token_bytes))
        assert running.current.id != old.id
        path.write_text("half a li")  # somebody edits it by hand
        assert running.seal(b"x", PLACE, secrets.token_bytes)
        replace_private(path, kept)
        with pytest.raises(WrongKey, match="start the service again"):
            running.seal(b"x", PLACE, secrets.token_bytes)


async def test_a_key_file_is_replaced_behind_its_link_and_stays_private(tmp_path: Path) -> None:
    real, link = tmp_path / "real.key", tmp_path / "secret.key"
    real.write_text(OURS)
    link.symlink_to(real)
    replace_private(link, FOREIGN)
    assert link.is_symlink()
    assert real.read_text() == FOREIGN
    assert S_IMODE(real.stat().st_mode) == 0o600
