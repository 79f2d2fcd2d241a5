"""Lists: every filter equals a naive one in Python; paging neither skips nor repeats."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from app.db import Database, SqliteDatabase, open_database
from app.inbox.filtering import ItemFilter, Order
from app.inbox.listing import Position, page_items, position_of
from app.inbox.models import item
from app.scope import EVERYTHING, Scope
from tests.inbox.stock import all_items, stock
from tests.service import NOON

NUMBER = 400


def fits(row: Any, wanted: ItemFilter, scope: Scope, now: datetime = NOON) -> bool:
    """What the list should show, said once more and differently."""
    asleep = row.snoozed_until is not None and row.snoozed_until > now
    return all((
        not wanted.statuses or row.status in wanted.statuses,
        not wanted.platforms or row.platform in wanted.platforms,
        not wanted.source_ids or row.source_id in wanted.source_ids,
        not wanted.kinds or row.kind in wanted.kinds,
        wanted.author_id in (None, row.author_id),
        wanted.assignee in (None, row.assignee_id or "none"),
        wanted.occurred_after is None or row.occurred_at > wanted.occurred_after,
        wanted.occurred_before is None or row.occurred_at <= wanted.occurred_before,
        {"exclude": not asleep, "include": True, "only": asleep}[wanted.snoozed],
        {"exclude": not row.backlog, "include": True, "only": row.backlog}[wanted.backlog],
        wanted.needs_reply in (None, row.needs_reply),
        wanted.overdue in (None, row.status == "unanswered" and _is_past(row.due_at, now)),
        scope.sources is None or row.source_id in scope.sources,
        scope.direct or row.visibility != "direct",
    ))  # fmt: skip


def _is_past(due: datetime | None, now: datetime) -> bool:
    return due is not None and due < now


def _place(row: Any, order: Order) -> tuple[Any, ...]:
    never = datetime.max.replace(tzinfo=UTC)
    first = {"due": row.due_at or never, "value": row.value_rank}.get(order, 0)
    return first, row.occurred_at, row.id


def expected(rows: list[Any], wanted: ItemFilter, scope: Scope) -> list[int]:
    found = [row for row in rows if fits(row, wanted, scope)]
    found.sort(key=lambda row: _place(row, wanted.order), reverse=wanted.order == "newest")
    return [row.id for row in found]


async def listed(
    db: Database, wanted: ItemFilter, scope: Scope = EVERYTHING, *, limit: int = 37
) -> list[int]:
    """Every page, one after the other."""
    found: list[int] = []
    after: Position | None = None
    while True:
        rows = await page_items(db, scope, wanted, now=NOON, after=after, limit=limit)
        found += [row.id for row in rows]
        if len(rows) < limit:
            return found
        after = position_of(rows[-1], wanted.order)


ORDERS: tuple[Order, ...] = ("oldest", "newest")
RANKED: tuple[Order, ...] = ("due", "value")
TERNARY: tuple[Literal["exclude", "include", "only"], ...] = ("exclude", "include", "only")
ALONE = [
    *(ItemFilter(order=order) for order in (*ORDERS, *RANKED)),
    *(ItemFilter(overdue=overdue) for overdue in (True, False)),
    ItemFilter(overdue=False, statuses=(), needs_reply=None),
    ItemFilter(overdue=True, statuses=()),
    *(ItemFilter(statuses=(status,)) for status in ("replied", "dismissed", "spam", "removed")),
    ItemFilter(statuses=()),
    ItemFilter(statuses=("unanswered", "spam"), needs_reply=None),
    ItemFilter(platforms=("bluesky",)),
    ItemFilter(platforms=("bluesky", "wordpress")),
    ItemFilter(platforms=("nowhere",)),
    ItemFilter(source_ids=(2,)),
    ItemFilter(source_ids=(1, 3)),
    ItemFilter(kinds=("question",)),
    ItemFilter(kinds=("question", "comment")),
    ItemFilter(author_id=5),
    ItemFilter(assignee=1),
    ItemFilter(assignee="none"),
    ItemFilter(assignee=2, backlog="include"),
    ItemFilter(assignee=2, statuses=("replied",), needs_reply=None),
    ItemFilter(occurred_after=NOON - timedelta(days=1)),
    ItemFilter(occurred_before=NOON - timedelta(days=1)),
    *(ItemFilter(snoozed=snoozed) for snoozed in TERNARY),
    *(ItemFilter(backlog=backlog) for backlog in TERNARY),
    *(ItemFilter(needs_reply=needs) for needs in (True, False, None)),
]
SCOPES = [
    EVERYTHING,
    Scope(None, direct=False),
    Scope(frozenset({1, 3}), direct=True),
    Scope(frozenset({2}), direct=False),
    Scope(frozenset(), direct=True),
]


async def test_each_filter_alone_in_each_scope(db: Database) -> None:
    await stock(db, NUMBER)
    rows = await all_items(db)
    for scope in SCOPES:
        for wanted in ALONE:
            assert await listed(db, wanted, scope) == expected(rows, wanted, scope), (wanted, scope)


@dataclass(frozen=True, slots=True)
class Stocked:
    db: SqliteDatabase
    rows: list[Any]


@pytest.fixture(scope="module")
def stocked(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[Any]]:
    """A database that is only read."""
    url = f"sqlite:///{copy(sqlite_template, tmp_path_factory.mktemp('stock'))}"

    async def fill() -> list[Any]:
        db = open_database(url)
        await stock(db, NUMBER)
        rows = await all_items(db)
        await db.close()
        return rows

    return url, asyncio.run(fill())


_moments = st.none() | st.integers(0, 70).map(lambda hours: NOON - timedelta(hours=hours))
_filters = st.builds(
    ItemFilter,
    statuses=st.lists(
        st.sampled_from(("unanswered", "replied", "dismissed", "spam", "removed")), unique=True
    ).map(tuple),
    platforms=st.lists(st.sampled_from(("mastodon", "bluesky", "wordpress")), unique=True).map(
        tuple
    ),
    source_ids=st.lists(st.integers(1, 5), max_size=3, unique=True).map(tuple),
    kinds=st.lists(st.sampled_from(("comment", "question", "follow")), unique=True).map(tuple),
    author_id=st.none() | st.none() | st.integers(1, 21),
    assignee=st.none() | st.none() | st.sampled_from((1, 2, 3, "none")),
    occurred_after=_moments,
    occurred_before=_moments,
    snoozed=st.sampled_from(TERNARY),
    backlog=st.sampled_from(TERNARY),
    needs_reply=st.sampled_from((True, False, None)),
    overdue=st.sampled_from((None, None, True, False)),
    order=st.sampled_from((*ORDERS, *RANKED)),
)


@settings(max_examples=150)
@given(wanted=_filters, scope=st.sampled_from(SCOPES), limit=st.integers(1, 60))
def test_filters_combined(
    stocked: tuple[str, list[Any]], wanted: ItemFilter, scope: Scope, limit: int
) -> None:
    url, rows = stocked

    async def look() -> list[int]:
        db = open_database(url)
        try:
            return await listed(db, wanted, scope, limit=limit)
        finally:
            await db.close()

    assert asyncio.run(look()) == expected(rows, wanted, scope)


@pytest.mark.parametrize("order", [*ORDERS, *RANKED])
async def test_paging_is_whole_while_items_come_in(db: Database, order: Order) -> None:
    """What was there at the start is listed once, in order, whatever is inserted meanwhile."""
    await stock(db, 200)
    rows = await all_items(db)
    wanted = ItemFilter(order=order)
    before = expected(rows, wanted, EVERYTHING)
    template = next(row for row in rows if row.id == before[0])
    found: list[int] = []
    after: Position | None = None
    number = 0
    while True:
        page = await page_items(db, EVERYTHING, wanted, now=NOON, after=after, limit=7)
        found += [row.id for row in page]
        if len(page) < 7:
            break
        after = position_of(page[-1], order)
        for moment in (NOON, page[-1].occurred_at, page[0].occurred_at - timedelta(minutes=1)):
            number += 1
            values = {c.name: getattr(template, c.name) for c in item.c if c.name != "id"}
            values |= {"external_id": f"new{number}", "occurred_at": moment}
            async with db.write() as tx:
                await tx.execute(insert(item).values(**values))
        assert number < 1000
    assert len(set(found)) == len(found)
    assert [each for each in found if each in set(before)] == before
    at = {row.id: _place(row, order) for row in await all_items(db)}
    assert found == sorted(found, key=at.__getitem__, reverse=order == "newest")
