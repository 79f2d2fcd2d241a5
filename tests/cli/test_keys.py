"""`secrets`: the keys told and changed from the shell; a wrong one stops everything, unharmed."""

from __future__ import annotations

import json
import secrets
import sqlite3
from contextlib import closing

from app.db import open_database
from app.team.keys import KEY_FILE, open_keyring
from app.team.secrets import new_key_line
from tests.cli.conftest import Shell


async def use(shell: Shell) -> None:
    """The database as a first start leaves it."""
    await shell.run("migrate")
    db = open_database(f"sqlite:///{shell.data / 'unanswered.db'}")
    try:
        await open_keyring(db, secret_key=None, data_dir=shell.data, random=secrets.token_bytes)
    finally:
        await db.close()


async def test_a_key_is_changed_and_told(shell: Shell) -> None:
    nothing = await shell.run("secrets", "rotate")
    assert (nothing.code, "There is no database" in nothing.err) == (1, True)
    await use(shell)
    done = await shell.run("secrets", "rotate")
    assert done.code == 0, done.err
    assert "services that run know it.\nSealed anew: 1 envelopes.\nOld keys still open." in done.out
    told = await shell.run("secrets", "status")
    assert [line.split()[1] for line in told.out.splitlines()[1:]] == ["seals", "opens"]
    with closing(sqlite3.connect(shell.data / "unanswered.db")) as raw:
        (row,) = raw.execute("SELECT operation, actor_kind, details FROM audit").fetchall()
    assert row[:2] == ("secrets rotate", "local")
    assert json.loads(row[2]) == {
        "step": "rotate", "key": told.out.splitlines()[1].split()[0], "sealed": 1, "dropped": [],
    }  # fmt: skip
    early = await shell.run("secrets", "rotate", "--drop-old")
    assert (early.code, "Nothing was removed" in early.err) == (1, True)
    assert (await shell.run("secrets", "rotate", "--drop-old", "--prepare")).code == 2
    for line in (shell.data / KEY_FILE).read_text().splitlines():
        assert line.startswith("#") or line not in done.out + told.out + early.err


async def test_a_wrong_key_is_said_at_the_start_and_destroys_nothing(shell: Shell) -> None:
    await use(shell)
    key, base = shell.data / KEY_FILE, shell.data / "unanswered.db"
    right = key.read_text()
    key.write_text(new_key_line(secrets.token_bytes))

    def stored() -> list[str]:
        with closing(sqlite3.connect(base)) as raw:
            return list(raw.iterdump())

    before, wrong = stored(), key.read_bytes()
    for words in (["serve", "--port", "0"], ["poll"], ["secrets", "rotate"], ["secrets", "status"]):
        refused = await shell.run(*words)
        assert refused.code == 1
        assert "is not the one this database was used with" in refused.err
        assert "Nothing was changed" in refused.err
        assert "Traceback" not in refused.err
    assert (stored(), key.read_bytes()) == (before, wrong)
    key.write_text(right)
    assert (await shell.run("secrets", "status")).code == 0
