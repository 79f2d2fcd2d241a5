"""The unanswered list and its kin: one SQL statement a set of filters, built once.

The keyset is a row value: `a > x OR (a = x AND …)` starts at the beginning of the index
(docs/decisions/0003-lists.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    bindparam,
    select,
    tuple_,
)

from app.db import Reader, UtcTime
from app.inbox.filtering import ItemFilter, Shape, conditions, literal, shape_of, values_of
from app.inbox.models import author, item, reply, thread
from app.scope import Scope
from app.sources.models import source
from app.team.models import user


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the sort value and the id of its last item."""

    occurred_at: datetime
    id: int


_assignee = user.alias("assignee")
_holder = user.alias("holder")
COLUMNS = (
    item,
    author.c.external_id.label("author_external_id"),
    author.c.handle.label("author_handle"),
    author.c.display_name.label("author_name"),
    author.c.url.label("author_url"),
    author.c.avatar_url.label("author_avatar_url"),
    author.c.followers.label("author_followers"),
    author.c.is_bot.label("author_is_bot"),
    author.c.signals.label("author_signals"),
    thread.c.title.label("thread_title"),
    source.c.name.label("source_name"),
    _assignee.c.name.label("assignee_name"),
    _assignee.c.display_name.label("assignee_display_name"),
    _holder.c.name.label("holder_name"),
    _holder.c.display_name.label("holder_display_name"),
)
JOINED = (
    item.join(author)
    .join(thread, thread.c.id == item.c.thread_id)
    .join(source, source.c.id == item.c.source_id)
    .outerjoin(_assignee, _assignee.c.id == item.c.assignee_id)
    .outerjoin(_holder, _holder.c.id == item.c.claimed_by)
)


def beyond(shape: Shape) -> list[ColumnElement[bool]]:
    """The condition that a page begins after its position, if it has one."""
    if not shape.positioned:
        return []
    key = tuple_(item.c.occurred_at, item.c.id)
    after = tuple_(bindparam("at", type_=UtcTime()), bindparam("after_id", type_=BigInteger()))
    return [key < after if shape.filter.order == "newest" else key > after]


def values_after(after: Position) -> dict[str, Any]:
    """The values that `beyond` leaves to be bound."""
    return {"at": after.occurred_at, "after_id": after.id}


def order_of(shape: Shape) -> tuple[ColumnElement[Any], ...]:
    at, last = item.c.occurred_at, item.c.id
    return (at.desc(), last.desc()) if shape.filter.order == "newest" else (at, last)


@lru_cache(maxsize=512)
def _statement(shape: Shape) -> Select[Any]:
    return (
        select(*COLUMNS)
        .select_from(JOINED)
        .where(*conditions(shape), *beyond(shape))
        .order_by(*order_of(shape))
        .limit(bindparam("limit"))
    )


def list_statement(
    scope: Scope, wanted: ItemFilter, *, now: datetime, after: Position | None, limit: int
) -> tuple[Select[Any], dict[str, Any]]:
    """The statement of a page and its values; `limit` rows, one more tells that there are more."""
    values = {**values_of(scope, wanted, now), "limit": limit}
    if after is not None:
        values |= values_after(after)
    return _statement(shape_of(scope, wanted, positioned=after is not None)), values


async def page_items(
    reader: Reader,
    scope: Scope,
    wanted: ItemFilter,
    *,
    now: datetime,
    after: Position | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """One page of items, each with its author, thread title and source name."""
    statement, values = list_statement(scope, wanted, now=now, after=after, limit=limit)
    return await reader.rows(statement, values)


def _may_see(scope: Scope) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if scope.sources is not None:
        found.append(item.c.source_id.in_(scope.sources))
    if not scope.direct:
        found.append(item.c.visibility != literal("direct"))
    return found


async def find_item(reader: Reader, scope: Scope, item_id: int) -> Row[Any] | None:
    """One item as the lists show it, or `None` where it is not there for this caller."""
    statement = select(*COLUMNS).select_from(JOINED).where(item.c.id == item_id, *_may_see(scope))
    rows = await reader.rows(statement)
    return rows[0] if rows else None


async def items_of_thread(
    reader: Reader, scope: Scope, thread_id: int, limit: int
) -> Sequence[Row[Any]]:
    """The items of a conversation by platform time."""
    statement = (
        select(*COLUMNS)
        .select_from(JOINED)
        .where(item.c.thread_id == thread_id, *_may_see(scope))
        .order_by(item.c.occurred_at, item.c.id)
        .limit(limit)
    )
    return await reader.rows(statement)


async def replies_of_thread(
    reader: Reader, scope: Scope, thread_id: int, limit: int
) -> Sequence[Row[Any]]:
    """What we wrote in a conversation, by platform time; deleted ones are left out."""
    wanted = [reply.c.thread_id == thread_id, reply.c.removed_at.is_(None)]
    if scope.sources is not None:
        wanted.append(reply.c.source_id.in_(scope.sources))
    if not scope.direct:
        wanted.append(reply.c.visibility != literal("direct"))
    statement = (
        select(
            reply,
            author.c.handle.label("author_handle"),
            author.c.display_name.label("author_name"),
            author.c.external_id.label("author_external_id"),
            author.c.url.label("author_url"),
        )
        .select_from(reply.join(author))
        .where(*wanted)
        .order_by(reply.c.occurred_at, reply.c.id)
        .limit(limit)
    )
    return await reader.rows(statement)


async def find_thread(reader: Reader, thread_id: int) -> Row[Any] | None:
    rows = await reader.rows(select(thread).where(thread.c.id == thread_id))
    return rows[0] if rows else None
