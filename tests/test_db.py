"""What both kinds of database promise: nothing lost, nothing half done, the same values back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert, literal, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from app.db import Database, Tx, UtcTime
from app.errors import Unavailable
from app.team.models import installation, token
from tests.counting import add_one, counted, set_up
from tests.service import NOON
from tests.writing import Unwanted, fail, keys, put, value_of, write


async def test_four_writers_at_once_lose_no_update(db: Database) -> None:
    await set_up(db)

    async def writer() -> None:
        for _ in range(200):
            written = await add_one(db)
            assert await counted(db) >= written  # its own write, read outside the transaction

    await asyncio.gather(*(writer() for _ in range(4)))
    assert await counted(db) == 800


async def test_compare_and_set_lets_one_of_many_win(db: Database) -> None:
    await set_up(db)
    unchanged = (installation.c.key == "counter") & (installation.c.value == literal_json({"n": 0}))

    async def writer(n: int) -> int:
        async with db.write() as tx:
            done = await tx.execute(update(installation).where(unchanged).values(value={"n": n}))
            return done.rowcount

    assert sorted(await asyncio.gather(*(writer(n) for n in range(1, 9)))) == [0] * 7 + [1]


def literal_json(value: Any) -> Any:
    return literal(value, installation.c.value.type)


async def test_an_exception_undoes_everything(db: Database) -> None:
    with pytest.raises(Unwanted):
        await write(db, put("half", 1), fail)
    assert await keys(db) == set()
    await write(db, put("whole", 1))
    assert await keys(db) == {"whole"}


async def test_a_refused_statement_leaves_the_database_usable(db: Database) -> None:
    await write(db, put("one", 1))
    with pytest.raises(IntegrityError):
        await write(db, put("two", 2), put("one", 1))
    await write(db, put("three", 3))
    assert await keys(db) == {"one", "three"}


async def test_the_reader_cannot_write(db: Database) -> None:
    with pytest.raises((Unavailable, DBAPIError), match=r"read-only|can't be read or written"):
        await db.rows(put("smuggled", 1).returning(installation.c.key))
    assert await keys(db) == set()


async def test_readers_see_a_write_once_it_is_committed(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(put("new", 1))
        assert len(await tx.rows(select(installation))) == 1
        assert await keys(db) == set()
    assert await keys(db) == {"new"}


async def test_a_commit_moves_the_data_version_and_a_rollback_does_not(db: Database) -> None:
    await keys(db)
    before = db.data_version()
    with pytest.raises(Unwanted):
        await write(db, put("undone", 1), fail)
    assert db.data_version() == before
    await write(db, put("done", 1))
    assert db.data_version() != before


async def test_what_follows_a_commit_waits_for_it(db: Database) -> None:
    seen: list[str] = []
    async with db.write() as tx:
        tx.after_commit.append(lambda: seen.append("after"))
        await tx.execute(put("key", 1))
        seen.append("inside")
    assert seen == ["inside", "after"]


@dataclass(slots=True)
class Recording:
    """A buffer that writes its name down, in a row of the database as well."""

    order: int
    said: list[int] = field(default_factory=list)
    fails: bool = False

    async def flush(self, tx: Tx) -> None:
        if self.fails:
            raise Unwanted
        await tx.execute(put(f"buffer {self.order}", self.order))
        self.said.append(self.order)


async def test_a_rollback_is_not_followed_by_anything(db: Database) -> None:
    seen: list[str] = []
    with pytest.raises(Unwanted):
        await write(db, put("before", 1), fail, then=lambda: seen.append("after"))
    with pytest.raises(Unwanted):
        await write_with_failing_buffer(db, seen)
    assert seen == []
    assert await keys(db) == set()


async def write_with_failing_buffer(db: Database, seen: list[str]) -> None:
    async with db.write() as tx:
        tx.after_commit.append(lambda: seen.append("after"))
        await tx.execute(put("before", 1))
        tx.buffer("failing", lambda: Recording(1, fails=True))


async def test_buffers_are_written_at_the_end_lowest_order_first(db: Database) -> None:
    said: list[int] = []
    async with db.write() as tx:
        for order in (50, 100, 7):
            made = Recording(order, said)
            assert tx.buffer(f"b{order}", partial(Recording, order, said)) == made
            assert tx.buffer(f"b{order}", partial(Recording, 0)).order == order
        await tx.execute(put("statement", 1))
        assert said == []
    assert said == [7, 50, 100]
    assert await keys(db) == {"buffer 7", "buffer 50", "buffer 100", "statement"}


async def test_cancelled_writers_leave_nothing_half_done(db: Database) -> None:
    random = Random(11)
    acknowledged: set[int] = set()
    await set_up(db)

    async def writer(n: int) -> None:
        async with db.write() as tx:
            await tx.execute(put(f"left {n}", n))
            await asyncio.sleep(random.random() / 200)
            await tx.execute(put(f"right {n}", n))
        acknowledged.add(n)

    async def cancel_some(tasks: Sequence[asyncio.Task[None]]) -> None:
        for task in random.sample(tasks, 11):
            await asyncio.sleep(random.random() / 100)
            task.cancel()

    tasks = [asyncio.create_task(writer(n)) for n in range(30)]
    await cancel_some(tasks)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(e) for e in ended if e is not None} <= {asyncio.CancelledError}
    assert any(ended)
    found = await keys(db) - {"counter"}
    left, right = ({k.split()[1] for k in found if k.startswith(s)} for s in ("left", "right"))
    assert left == right
    assert {str(n) for n in acknowledged} <= left
    await add_one(db)  # nobody holds a lock
    assert await counted(db) == 1


async def test_a_writer_cancelled_while_it_commits_has_committed(db: Database) -> None:
    seen: list[str] = []

    async def writer() -> None:
        async with db.write() as tx:
            tx.after_commit.append(lambda: seen.append("after"))
            await tx.execute(put("kept", 1))
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(writer())
    assert await keys(db) == {"kept"}
    assert seen == ["after"], "caches must hear of every commit"


def token_row(**values: Any) -> dict[str, Any]:
    return {
        "name": "n",
        "token_hash": "h",
        "last4": "1234",
        "role": "viewer",
        "rights": [],
        "created_at": NOON,
        "created_by": "test",
        **values,
    }


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=45))),
    ],
)
async def test_times_keep_their_microseconds_and_come_back_in_utc(
    db: Database, at: datetime
) -> None:
    async with db.write() as tx:
        await tx.execute(insert(token), [token_row(expires_at=at)])
    row = (await db.rows(select(token.c.expires_at, token.c.revoked_at)))[0]
    assert row.expires_at == at
    assert row.expires_at.utcoffset() == timedelta(0)
    assert row.revoked_at is None
    later = select(token.c.id).where(token.c.expires_at > at - timedelta(microseconds=1))
    assert len(await db.rows(later)) == 1
    assert await db.rows(select(token.c.id).where(token.c.expires_at > at)) == []


async def test_a_time_without_a_zone_is_refused(db: Database) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(StatementError, match="without a zone"):
        await db.rows(select(literal(naive, UtcTime())))


@pytest.mark.parametrize(
    "value",
    [
        {"naïve": "日本語 🎉 \u2028 ' \" \\ \t", "list": [1, -2.5, True, None, {"deep": [[[]]]}]},
        [],
        "only text",
        2**62,
        {"a": {"b": {"c": {"d": [None]}}}},
    ],
)
async def test_json_comes_back_as_it_was(db: Database, value: Any) -> None:
    await write(db, put("json", value))
    assert await value_of(db, "json") == value


async def test_no_value_in_a_json_column_is_null(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(insert(token), [token_row(source_ids=None)])
    rows = await db.rows(select(token.c.source_ids).where(token.c.source_ids.is_(None)))
    assert [row.source_ids for row in rows] == [None]


async def test_inserts_may_do_nothing_or_update_on_conflict(db: Database) -> None:
    async with db.write() as tx:
        new = tx.insert(installation)
        await tx.execute(new, [{"key": "a", "value": 1}, {"key": "b", "value": 1}])
        ignored = await tx.rows(
            new.values([{"key": "a", "value": 2}, {"key": "c", "value": 2}])
            .on_conflict_do_nothing(index_elements=["key"])
            .returning(installation.c.key)
        )
        assert [row.key for row in ignored] == ["c"]
        await tx.execute(
            new.on_conflict_do_update(index_elements=["key"], set_={"value": new.excluded.value}),
            [{"key": "b", "value": 3}, {"key": "d", "value": 3}],
        )
    rows = await db.rows(select(installation).order_by(installation.c.key))
    assert [(row.key, row.value) for row in rows] == [("a", 1), ("b", 3), ("c", 2), ("d", 3)]
