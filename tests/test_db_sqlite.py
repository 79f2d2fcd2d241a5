"""SQLite in the event loop: many processes, held locks, a full disk, a loop that stays free."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, closing
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import select, text

from app.db import SqliteDatabase, open_database
from app.db_url import sqlite_path
from app.errors import Unavailable
from app.team.models import installation
from tests.counting import add_one, counted, set_up
from tests.processes import run_together, started
from tests.writing import keys, put, write


@pytest.fixture
def path(sqlite_url: str) -> Path:
    found = sqlite_path(sqlite_url)
    assert found is not None
    return found


@pytest.fixture
async def sqlite(path: Path) -> AsyncIterator[SqliteDatabase]:
    opened = SqliteDatabase(path, busy_seconds=0.3)
    yield opened
    await opened.close()


async def test_four_processes_on_one_file_lose_no_update(sqlite_url: str) -> None:
    db = open_database(sqlite_url)
    await set_up(db)
    await asyncio.to_thread(run_together, "tests.counting", [[sqlite_url, "200"]] * 4)
    assert await counted(db) == 800
    await db.close()


async def reads(db: SqliteDatabase) -> AsyncGenerator[float, None]:
    """Reads all the time; yields how long the event loop was away between two reads."""
    before = monotonic()
    while True:
        await db.rows(select(installation))
        await asyncio.sleep(0)
        now = monotonic()
        yield now - before
        before = now


async def test_the_loop_stays_free_while_another_process_holds_the_lock(path: Path) -> None:
    db = SqliteDatabase(path)
    with started("tests.holding", str(path), "1") as holder:
        assert holder.stdout is not None
        assert await asyncio.to_thread(holder.stdout.readline) == "held\n"
        began = monotonic()
        await set_up_while_reading(db)
    await db.close()
    assert monotonic() - began > 0.3, "the lock was not held"


async def set_up_while_reading(db: SqliteDatabase) -> None:
    writing = asyncio.create_task(set_up(db))
    stalls: list[float] = []
    async with aclosing(reads(db)) as reading:
        async for stall in reading:
            stalls.append(stall)
            if writing.done():
                break
    await writing
    assert len(stalls) > 100
    assert max(stalls) < 0.5
    assert await counted(db) == 0


async def test_a_commit_happens_beside_the_loop(sqlite: SqliteDatabase) -> None:
    """With COMMIT in the loop, nothing could be read between the last statement and its end."""
    committing, seen = False, 0

    async def read() -> None:
        nonlocal seen
        while True:
            rows = await sqlite.rows(select(installation.c.key))
            seen += committing and rows == []
            await asyncio.sleep(0)

    reading = asyncio.create_task(read())
    for n in range(20):
        async with sqlite.write() as tx:
            await tx.execute(put(f"{n}", "x" * 100_000))
            await tx.execute(text("DELETE FROM installation"))
            committing = True
        committing = False
    reading.cancel()
    assert seen >= 20


async def test_no_transaction_stays_open_after_a_cancellation(sqlite: SqliteDatabase) -> None:
    inside = asyncio.Event()

    async def wait() -> None:
        inside.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(write(sqlite, put("half", 1), wait))
    await inside.wait()
    task.cancel()
    await asyncio.wait([task])
    assert not sqlite._raw.in_transaction
    assert await sqlite.rows(select(installation)) == []


async def test_a_lock_held_too_long_is_told_as_busy(sqlite: SqliteDatabase, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = monotonic()
        with pytest.raises(Unavailable, match="busy") as refused:
            await set_up(sqlite)
        assert monotonic() - began >= 0.3
        assert refused.value.status == 503
        assert int(refused.value.headers["Retry-After"]) > 0
        assert await sqlite.rows(select(installation)) == []
        other.execute("ROLLBACK")
    await set_up(sqlite)
    assert await add_one(sqlite) == 1


async def test_a_full_disk_is_told_and_survived(sqlite: SqliteDatabase) -> None:
    await set_up(sqlite)
    raw = sqlite._raw
    pages = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(Unavailable, match="full"):
        await write(sqlite, put("small", 1), put("large", "x" * 200_000))
    assert not raw.in_transaction
    assert await keys(sqlite) == {"counter"}
    raw.execute("PRAGMA max_page_count=1000000")
    await write(sqlite, put("large", "x" * 200_000))
    assert await counted(sqlite) == 0


async def test_the_data_version_moves_when_another_process_commits(
    sqlite: SqliteDatabase, path: Path
) -> None:
    before = sqlite.data_version()
    assert sqlite.data_version() == before
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("INSERT INTO installation VALUES ('theirs', '1')")
    assert sqlite.data_version() != before


async def test_commits_of_others_are_told_apart_from_our_own(
    sqlite: SqliteDatabase, path: Path
) -> None:
    before = sqlite.others_version()
    await write(sqlite, put("ours", 1))
    assert sqlite.others_version() == before
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("INSERT INTO installation VALUES ('theirs', '1')")
    await write(sqlite, put("ours again", 2))
    after = sqlite.others_version()
    assert after != before, "also where we have written since"
    async with sqlite.write():
        assert sqlite.others_version() is None
    assert sqlite.others_version() == after


async def test_the_connections_are_set_as_decided(sqlite: SqliteDatabase) -> None:
    def pragma(name: str) -> object:
        return sqlite._raw.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL
    assert pragma("foreign_keys") == 1


async def test_a_missing_folder_is_made_for_the_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    db = open_database(f"sqlite:///{folder / 'x.db'}")
    await db.close()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "x.db").exists()
