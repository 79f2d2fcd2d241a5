"""Exact counts without counting rows: counters kept in the transaction of each change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, ClassVar, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Insert,
    Row,
    Select,
    Table,
    bindparam,
    delete,
    false,
    func,
    literal,
    literal_column,
    select,
    text,
    union_all,
)

from app.db import Reader, Tx, UtcTime
from app.db_types import insert_into
from app.inbox.models import count_assignee, count_hour, count_status, item
from app.scope import Scope
from app.sources.models import source
from app.team.models import user

HOUR = 3600
SCOPES = 256
"""Statements are built once for each scope, of which there are few; building one costs more than
asking it."""
AGE_EDGES = {
    "<1h": timedelta(hours=1),
    "1-4h": timedelta(hours=4),
    "4-24h": timedelta(hours=24),
    "1-3d": timedelta(days=3),
    "3-7d": timedelta(days=7),
}
"""The upper edge of each age bucket; what is older is `>7d`."""


class Counted(NamedTuple):
    """What the counters know of an item."""

    source_id: int
    status: str
    needs_reply: bool
    backlog: bool
    direct: bool
    occurred_at: datetime
    assignee: int | None


@dataclass(slots=True)
class _Deltas:
    order: ClassVar[int] = 50
    by_status: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    by_hour: Counter[tuple[Any, ...]] = field(default_factory=Counter)
    by_assignee: Counter[tuple[Any, ...]] = field(default_factory=Counter)

    async def flush(self, tx: Tx) -> None:
        # Sorted, so that two transactions that touch the same counters take them in one order.
        statuses, hours, people = (
            sorted((key, n) for key, n in deltas.items() if n)
            for deltas in (self.by_status, self.by_hour, self.by_assignee)
        )
        names = ("source_id", "status", "needs_reply", "backlog", "direct")
        await _add(tx, count_status, names, statuses)
        await _add(tx, count_hour, ("hour", "source_id", "direct"), hours)
        await _add(tx, count_assignee, ("assignee_id", "source_id", "direct"), people)
        if any(n < 0 for _, n in hours):
            await tx.execute(_FORGETTING)


_FORGETTING = delete(count_hour).where(count_hour.c.total == 0)


async def _add(
    tx: Tx, table: Table, names: tuple[str, ...], deltas: Sequence[tuple[tuple[Any, ...], int]]
) -> None:
    if not deltas:
        return
    rows = [dict(zip(names, key, strict=True), total=n) for key, n in deltas]
    await tx.execute(_adding(tx.dialect, table, names), rows)


@cache
def _adding(dialect: str, table: Table, names: tuple[str, ...]) -> Insert:
    adding = insert_into(dialect, table)
    return adding.on_conflict_do_update(
        index_elements=list(names), set_={"total": table.c.total + adding.excluded.total}
    )


def hour_of(at: datetime) -> int:
    """Hours since 1970."""
    return int(at.timestamp() // HOUR)


def count(tx: Tx, counted: Counted, by: int) -> None:
    """Adds `by` (+1, -1) items of that description; written at the end of the transaction."""
    deltas = tx.buffer("counts", _Deltas)
    deltas.by_status[counted[:5]] += by
    if counted.status == "unanswered" and counted.needs_reply:
        place = counted.source_id, counted.direct
        deltas.by_hour[(hour_of(counted.occurred_at), *place)] += by
        if counted.assignee is not None:
            deltas.by_assignee[(counted.assignee, *place)] += by


def counted_for(scope: Scope, table: Any) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if scope.sources is not None:
        found.append(table.c.source_id.in_(scope.sources))
    if not scope.direct:
        found.append(table.c.direct == false())
    return found


async def status_counts(reader: Reader, scope: Scope) -> Sequence[Row[Any]]:
    """(source_id, source_name, platform, status, needs_reply, backlog, items_counted) rows."""
    return await reader.rows(_by_status(scope))


@lru_cache(maxsize=SCOPES)
def _by_status(scope: Scope) -> Select[Any]:
    return (
        select(
            source.c.id.label("source_id"),
            source.c.name.label("source_name"),
            source.c.platform,
            count_status.c.status,
            count_status.c.needs_reply,
            count_status.c.backlog,
            func.sum(count_status.c.total).label("items_counted"),
        )
        .select_from(count_status.join(source))
        .where(*counted_for(scope, count_status))
        .group_by(
            source.c.id,
            source.c.name,
            source.c.platform,
            count_status.c.status,
            count_status.c.needs_reply,
            count_status.c.backlog,
        )
        .order_by(source.c.platform, source.c.name)
    )


def waiting(scope: Scope) -> list[ColumnElement[bool]]:
    # As the partial indexes spell it: SQLite does not see that `needs_reply = 1` says the same.
    found: list[Any] = [item.c.status == literal_column("'unanswered'"), text("item.needs_reply")]
    if scope.sources is not None:
        found.append(item.c.source_id.in_(scope.sources))
    if not scope.direct:
        found.append(item.c.visibility != literal_column("'direct'"))
    return found


async def age_counts(reader: Reader, scope: Scope, now: datetime) -> dict[str, int]:
    """How many unanswered are younger than each edge of `AGE_EDGES`, exactly.

    Whole hours come from the counters; only the hour that an edge cuts is counted by index.
    """
    values: dict[str, Any] = {}
    for n, length in enumerate(AGE_EDGES.values()):
        edge = now - length
        hour = hour_of(edge)
        values |= {f"edge{n}": edge, f"hour{n}": hour, f"end{n}": edge_of_hour(edge, hour + 1)}
    rows = await reader.rows(_younger(scope), values)
    found = {row.bucket: int(row.younger) for row in rows}
    return {bucket: found[bucket] for bucket in AGE_EDGES}  # a union promises no order


@lru_cache(maxsize=SCOPES)
def _younger(scope: Scope) -> CompoundSelect[Any]:
    parts = []
    for n, name in enumerate(AGE_EDGES):
        whole = select(func.coalesce(func.sum(count_hour.c.total), 0)).where(
            count_hour.c.hour > bindparam(f"hour{n}"), *counted_for(scope, count_hour)
        )
        cut = select(func.count()).where(
            item.c.occurred_at > bindparam(f"edge{n}", type_=UtcTime()),
            item.c.occurred_at < bindparam(f"end{n}", type_=UtcTime()),
            *waiting(scope),
        )
        total = whole.scalar_subquery() + cut.scalar_subquery()
        parts.append(select(literal(name).label("bucket"), total.label("younger")))
    return union_all(*parts)


def edge_of_hour(at: datetime, hour: int) -> datetime:
    """The moment an hour (counted since 1970) begins, in the zone of `at`."""
    return datetime.fromtimestamp(hour * HOUR, tz=at.tzinfo)


async def overlay_counts(reader: Reader, scope: Scope, now: datetime) -> Row[Any]:
    """(snoozed, asleep, overdue) among the unanswered: `asleep` are those of the snoozed that are
    no backlog. All read small partial indexes.
    """
    return (await reader.rows(_overlays(scope), {"now": now}))[0]


@lru_cache(maxsize=SCOPES)
def _overlays(scope: Scope) -> Select[Any]:
    at = bindparam("now", type_=UtcTime())
    snoozed = select(func.count()).where(
        text("snoozed_until IS NOT NULL"), item.c.snoozed_until > at, *waiting(scope)
    )
    asleep = snoozed.where(item.c.backlog == false())
    overdue = select(func.count()).where(
        text("due_at IS NOT NULL"), item.c.due_at < at, *waiting(scope)
    )
    return select(
        snoozed.scalar_subquery().label("snoozed"),
        asleep.scalar_subquery().label("asleep"),
        overdue.scalar_subquery().label("overdue"),
    )


async def assignee_counts(reader: Reader, scope: Scope) -> Sequence[Row[Any]]:
    """(id, name, display_name, items_counted) of who has been given some of the unanswered."""
    return await reader.rows(_by_assignee(scope))


@lru_cache(maxsize=SCOPES)
def _by_assignee(scope: Scope) -> Select[Any]:
    total = func.sum(count_assignee.c.total)
    return (
        select(user.c.id, user.c.name, user.c.display_name, total.label("items_counted"))
        .select_from(count_assignee.join(user, user.c.id == count_assignee.c.assignee_id))
        .where(*counted_for(scope, count_assignee))
        .group_by(user.c.id, user.c.name, user.c.display_name)
        .having(total > 0)
        .order_by(user.c.id)
    )


async def oldest_unanswered(reader: Reader, scope: Scope) -> Row[Any] | None:
    rows = await reader.rows(_oldest(scope))
    return rows[0] if rows else None


@lru_cache(maxsize=SCOPES)
def _oldest(scope: Scope) -> Select[Any]:
    statement = select(item.c.id, item.c.occurred_at).where(*waiting(scope))
    return statement.order_by(item.c.occurred_at, item.c.id).limit(1)
