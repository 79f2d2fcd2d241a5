"""`backup`, `restore` and `copy` from the shell: what they say, and that they refuse in time."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

from app.schema import migrate
from tests.cli.conftest import Shell


async def test_a_backup_tells_what_is_in_it_and_what_is_not(shell: Shell) -> None:
    nothing = await shell.run("backup", "copy.db")
    assert nothing.code == 1
    assert nothing.err.startswith("There is no database at ")
    await shell.run("migrate")
    made = await shell.run("backup", "copy.db")
    assert made.code == 0, made.err
    assert "checked." in made.out
    assert "credentials in it are sealed" in made.out
    assert "secret.key in another place: it is not in the backup" in made.out
    again = await shell.run("backup", "copy.db")
    assert (again.code, "--force" in again.err) == (1, True)
    forced = await shell.run("backup", "copy.db", "--force", "--json")
    assert forced.json()["items"] == 0
    back = await shell.run("restore", "copy.db")
    assert back.code == 0, back.err
    assert "What was there before is now" in back.out
    assert "Everybody signs in again." in back.out
    with closing(sqlite3.connect(shell.data / "unanswered.db")) as raw:
        row = raw.execute("SELECT operation, actor_kind, details FROM audit").fetchone()
    assert row[:2] == ("restore", "local")
    assert '"replaced": true' in row[2]
    assert (await shell.run("migrate", "--json")).json()["before"] is not None


async def test_nothing_is_restored_under_an_open_database(shell: Shell) -> None:
    await shell.run("migrate")
    await shell.run("backup", "copy.db")
    with closing(sqlite3.connect(shell.data / "unanswered.db")) as raw:
        raw.execute("SELECT count(*) FROM item").fetchone()
        refused = await shell.run("restore", "copy.db")
    assert refused.code == 1
    assert "Stop every one of them first" in refused.err


async def test_postgresql_has_tools_of_its_own(shell: Shell) -> None:
    shell.env["UNANSWERED_DATABASE_URL"] = "postgresql://desk:geheim@db.example/inbox"
    for word in ("backup", "restore"):
        told = await shell.run(word, "my copy.dump")
        assert told.code == 1
        assert "pg_dump --format=custom --file='my copy.dump' --host=db.example" in told.err
        assert "pg_restore" in told.err
        assert "psql --single-transaction --host=db.example" in told.err
        assert "geheim" not in told.err


async def test_everything_is_copied_and_told(shell: Shell) -> None:
    await shell.run("migrate")
    target = f"sqlite:///{shell.folder / 'new.db'}"
    copied = await shell.run("copy", "--to", target)
    assert copied.code == 0, copied.err
    assert "both sides are the same" in copied.out
    assert "event_counter: 1 rows" in copied.err
    for database, told in (
        ("data/unanswered.db", '"to": "sqlite"'),
        ("new.db", '"from": "sqlite"'),
    ):
        with closing(sqlite3.connect(shell.folder / database)) as raw:
            rows = raw.execute("SELECT operation, actor_kind, details FROM audit").fetchall()
        assert [row[:2] for row in rows] == [("copy", "local")], database
        assert told in rows[0][2]
    wrong = await shell.run("copy", "--to", "mysql://u:geheim@h/d")
    assert wrong.code == 1
    assert "geheim" not in wrong.err
    assert "sqlite:///" in wrong.err


async def test_what_was_there_before_an_upgrade_is_named(shell: Shell) -> None:
    url = f"sqlite:///{shell.data / 'unanswered.db'}"
    shell.data.mkdir(mode=0o700)
    await asyncio.to_thread(migrate, url, "0003")
    done = await shell.run("migrate")
    assert done.code == 0
    assert f"as it was before lies in {shell.data / 'unanswered.db.at-0003'}." in done.err
    with closing(sqlite3.connect(shell.data / "unanswered.db")) as raw:
        (row,) = raw.execute("SELECT operation, actor_kind, details FROM audit").fetchall()
    assert (row[:2], '"from": "0003"' in row[2]) == (("migrate", "local"), True)
    assert "at-0003" not in (await shell.run("migrate")).err
    await asyncio.to_thread(migrate, url, "-1", down=True, copy=False)
    without = await shell.run("migrate", "--no-copy")
    assert (without.code, "lies in" in without.err) == (0, False)


async def test_before_an_upgrade_of_postgresql_the_line_for_a_dump_is_told(
    shell: Shell, postgres_url: str
) -> None:
    shell.env["UNANSWERED_DATABASE_URL"] = postgres_url
    assert "pg_dump" not in (await shell.run("migrate")).err
    await asyncio.to_thread(migrate, postgres_url, "-1", down=True)
    done = await shell.run("migrate")
    assert done.code == 0
    assert "pg_dump --format=custom --file=unanswered-at-" in done.err
