"""PostgreSQL: connections that die, statements that take too long, transactions left open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import asyncpg
import pytest
from sqlalchemy import select, text

from app.db import PostgresDatabase
from app.db_url import postgres_url as as_url
from app.errors import Unavailable
from app.team.models import installation
from tests.counting import add_one, counted, set_up
from tests.postgres import Postgres
from tests.writing import Unwanted, fail, keys, put, write

OURS = "application_name = 'unanswered' AND datname = current_database()"


@pytest.fixture
async def pg(postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    opened = PostgresDatabase(as_url(postgres_url), pool_size=2)
    yield opened
    await opened.close()


@pytest.fixture
async def admin(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    yield connection
    await connection.close()


async def end_connections(admin: asyncpg.Connection) -> None:
    await admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}")
    await none_left(admin, OURS)


async def none_left(admin: asyncpg.Connection, which: str) -> None:
    """Waits until the server has noticed that these connections, or transactions, ended."""
    async with asyncio.timeout(10):
        while await admin.fetchval(f"SELECT count(*) FROM pg_stat_activity WHERE {which}"):  # noqa: ASYNC110  # the server tells nobody
            await asyncio.sleep(0.01)


async def test_reads_over_a_killed_connection_are_told_and_the_pool_heals(
    pg: PostgresDatabase, admin: asyncpg.Connection
) -> None:
    await asyncio.gather(*(pg.rows(select(installation)) for _ in range(2)))
    await end_connections(admin)
    with pytest.raises(Unavailable, match="lost") as refused:
        await pg.rows(select(installation))
    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers
    assert await pg.rows(select(installation)) == []


async def test_a_transaction_over_a_killed_connection_stores_nothing_and_the_pool_heals(
    pg: PostgresDatabase, admin: asyncpg.Connection
) -> None:
    with pytest.raises(Unavailable, match="lost"):
        await write(pg, put("one", 1), partial(end_connections, admin), put("two", 2))
    with pytest.raises(Unavailable, match="lost"):
        await write(pg, put("three", 3), partial(end_connections, admin))
    await set_up(pg)
    assert await add_one(pg) == 1
    assert await keys(pg) == {"counter"}


async def test_a_lost_connection_does_not_hide_what_went_wrong_first(
    pg: PostgresDatabase, admin: asyncpg.Connection
) -> None:
    with pytest.raises(Unwanted):
        await write(pg, put("one", 1), partial(end_connections, admin), fail)
    await set_up(pg)
    assert await counted(pg) == 0


async def test_nothing_follows_a_commit_that_was_lost(
    pg: PostgresDatabase, admin: asyncpg.Connection
) -> None:
    seen: list[str] = []
    before = pg.data_version()
    with pytest.raises(Unavailable):
        await write(
            pg,
            put("one", 1),
            partial(end_connections, admin),
            then=lambda: seen.append("after"),
        )
    assert seen == []
    assert pg.data_version() == before


async def test_cancelled_writers_leave_no_transaction_open(
    pg: PostgresDatabase, admin: asyncpg.Connection
) -> None:
    inside = asyncio.Event()

    async def tell() -> None:
        inside.set()

    task = asyncio.create_task(write(pg, put("half", 1), tell, text("SELECT pg_sleep(60)")))
    await inside.wait()
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await none_left(admin, f"{OURS} AND xact_start IS NOT NULL")
    assert await keys(pg) == set()
    await set_up(pg)


@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
async def test_a_lock_held_too_long_is_told_as_busy(pg: PostgresDatabase, limit: str) -> None:
    async with pg.write() as holder:
        await holder.execute(text("LOCK TABLE installation"))
        with pytest.raises(Unavailable, match="busy"):
            await write(pg, text(f"SET LOCAL {limit} = 50"), put("waits", 1))
    await set_up(pg)


async def test_a_deadlock_is_told_as_busy_to_one_of_both(pg: PostgresDatabase) -> None:
    await write(pg, put("a", 0), put("b", 0))
    both_hold = asyncio.Barrier(2)

    async def change(first: str, second: str) -> None:
        to_one = installation.update().values(value=1)
        here, there = (to_one.where(installation.c.key == key) for key in (first, second))
        await write(pg, here, both_hold.wait, there)

    ended = await asyncio.gather(change("a", "b"), change("b", "a"), return_exceptions=True)
    assert [type(e) for e in ended if e is not None] == [Unavailable]


async def test_a_server_that_is_not_there_is_told(postgres: Postgres) -> None:
    gone = PostgresDatabase(as_url(replace(postgres, port=1).url("nowhere")))
    with pytest.raises(Unavailable, match="can't be reached"):
        await gone.rows(select(installation))
    with pytest.raises(Unavailable, match="can't be reached"):
        async with gone.write():
            pass
    await gone.close()
