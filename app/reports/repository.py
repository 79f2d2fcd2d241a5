"""All SQL of the reports: items by time, a slice at a time, and the counters by platform.

A slice is so many rows of an index, found in the index alone, whatever the filter leaves of them:
no statement costs more, however many items there are, and others are served between two.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    bindparam,
    func,
    literal,
    select,
    text,
    true,
    tuple_,
    union_all,
)

from app.db import Reader, UtcTime
from app.inbox.counts import AGE_EDGES, counted_for, edge_of_hour, hour_of, waiting
from app.inbox.listing import may_see
from app.inbox.models import count_hour, item
from app.scope import Scope
from app.sources.models import source
from app.team.models import user

SLICE = 1000
_assignee = user.alias("assignee")
_COLUMNS = (
    item.c.occurred_at,
    item.c.answered_at,
    item.c.status,
    item.c.backlog,
    item.c.platform,
    item.c.source_id,
    item.c.answered_by,
    _assignee.c.name.label("assignee_name"),
)


@dataclass(frozen=True, slots=True)
class Axis:
    """The time by which items are read, and the index that has them in its order."""

    column: Any
    where: tuple[Any, ...] = ()


WRITTEN = Axis(item.c.occurred_at)
ANSWERED = Axis(item.c.answered_at, (text("answered_at IS NOT NULL"),))


async def slices_between(
    reader: Reader,
    scope: Scope,
    axis: Axis,
    start: datetime,
    end: datetime,
    *,
    kinds: Collection[str] = (),
    size: int = SLICE,
) -> AsyncIterator[Sequence[Row[Any]]]:
    """The items that need a reply, of any status, whose time lies in a range (its end excluded);
    in slices, between which others are served. A row tells when it was written and answered, its
    status, platform and source, who answered (`answered_by`) and whose it is (`assignee_name`).
    """
    key = tuple_(axis.column, item.c.id)
    wanted = _wanted(scope, axis, kinds)
    at, after = start, 0
    while True:
        values: dict[str, Any] = {"at": at, "after": after, "end": end}
        last = await _end_of_slice(reader, axis, values | {"skipped": size - 1})
        statement = wanted.where(key > _place("at", "after"))
        if last is not None:
            statement = statement.where(key <= _place("last_at", "last_id"))
            values |= {"last_at": last[0], "last_id": last[1]}
        yield await reader.rows(statement, values | {"kinds": list(kinds)})
        if last is None:
            return
        at, after = last
        await asyncio.sleep(0)


def _place(at: str, number: str) -> ColumnElement[Any]:
    return tuple_(bindparam(at, type_=UtcTime()), bindparam(number, type_=BigInteger()))


def _wanted(scope: Scope, axis: Axis, kinds: Collection[str]) -> Any:
    joined = item.outerjoin(_assignee, _assignee.c.id == item.c.assignee_id)
    statement = (
        select(*_COLUMNS)
        .select_from(joined)
        .where(
            *axis.where,
            axis.column < bindparam("end", type_=UtcTime()),
            item.c.needs_reply == true(),
            *may_see(scope),
        )
    )
    if kinds:
        statement = statement.where(item.c.kind.in_(bindparam("kinds", expanding=True)))
    return statement


async def _end_of_slice(
    reader: Reader, axis: Axis, values: Mapping[str, Any]
) -> tuple[datetime, int] | None:
    """The place of the last row of a full slice; `None`: what is left is less."""
    key = tuple_(axis.column, item.c.id)
    statement = (
        select(axis.column.label("at"), item.c.id)
        .where(
            *axis.where,
            key > _place("at", "after"),
            axis.column < bindparam("end", type_=UtcTime()),
        )
        .order_by(axis.column, item.c.id)
        .limit(1)
        .offset(bindparam("skipped"))
    )
    rows = await reader.rows(statement, values)
    return (rows[0].at, rows[0].id) if rows else None


async def sources_of(reader: Reader, scope: Scope) -> Sequence[Row[Any]]:
    """(id, name, platform) of the sources a caller may see."""
    statement = select(source.c.id, source.c.name, source.c.platform).order_by(source.c.id)
    if scope.sources is not None:
        statement = statement.where(source.c.id.in_(scope.sources))
    return await reader.rows(statement)


async def younger_by_platform(
    reader: Reader, scope: Scope, now: datetime
) -> dict[tuple[str, str], int]:
    """By (age bucket, platform): how many unanswered are younger than the bucket's upper edge.

    As in `GET /counts`: whole hours from the counters, only the hour that an edge cuts by index.
    """
    parts: list[Any] = []
    values: dict[str, Any] = {}
    for n, (name, length) in enumerate(AGE_EDGES.items()):
        edge = now - length
        hour = hour_of(edge)
        values |= {f"edge{n}": edge, f"hour{n}": hour, f"end{n}": edge_of_hour(edge, hour + 1)}
        parts += _younger(scope, n, name)
    found: dict[tuple[str, str], int] = {}
    for row in await reader.rows(union_all(*parts), values):
        key = (row.bucket, row.platform)
        found[key] = found.get(key, 0) + int(row.younger)
    return found


def _younger(scope: Scope, n: int, name: str) -> list[Any]:
    whole = (
        select(
            literal(name).label("bucket"),
            source.c.platform.label("platform"),
            func.sum(count_hour.c.total).label("younger"),
        )
        .select_from(count_hour.join(source))
        .where(count_hour.c.hour > bindparam(f"hour{n}"), *counted_for(scope, count_hour))
        .group_by(source.c.platform)
    )
    cut = (
        select(
            literal(name).label("bucket"),
            item.c.platform.label("platform"),
            func.count().label("younger"),
        )
        .where(
            item.c.occurred_at > bindparam(f"edge{n}", type_=UtcTime()),
            item.c.occurred_at < bindparam(f"end{n}", type_=UtcTime()),
            *waiting(scope),
        )
        .group_by(item.c.platform)
    )
    return [whole, cut]
