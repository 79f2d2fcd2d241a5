"""All SQL that reads a conversation: items and our replies in platform order, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    case,
    func,
    literal,
    literal_column,
    select,
    true,
    tuple_,
)

from app.db import Reader, UtcTime
from app.inbox.listing import COLUMNS, JOINED, may_see
from app.inbox.models import author, item, reply
from app.scope import Scope


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a conversation ended. Of one moment, items come before replies of ours."""

    at: datetime
    is_reply: bool
    id: int


async def items_of_thread(
    reader: Reader, scope: Scope, thread_id: int, *, after: Place | None, limit: int
) -> Sequence[Row[Any]]:
    """The items of a conversation by platform time."""
    wanted = [item.c.thread_id == thread_id, *may_see(scope)]
    if after is not None and after.is_reply:
        wanted.append(item.c.occurred_at > after.at)
    elif after is not None:
        wanted.append(_later(item, after))
    statement = (
        select(*COLUMNS)
        .select_from(JOINED)
        .where(*wanted)
        .order_by(item.c.occurred_at, item.c.id)
        .limit(limit)
    )
    return await reader.rows(statement)


async def replies_of_thread(
    reader: Reader, scope: Scope, thread_id: int, *, after: Place | None, limit: int
) -> Sequence[Row[Any]]:
    """What we wrote in a conversation, by platform time; deleted ones are left out."""
    wanted = _replies(scope, thread_id)
    if after is not None and after.is_reply:
        wanted.append(_later(reply, after))
    elif after is not None:
        wanted.append(reply.c.occurred_at >= after.at)
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


async def numbers_of_thread(reader: Reader, scope: Scope, thread_id: int) -> Row[Any]:
    """(items, unanswered, replies) of a conversation, all that the caller may see."""
    waits = (item.c.status == literal_column("'unanswered'")) & (item.c.needs_reply == true())
    here = [item.c.thread_id == thread_id, *may_see(scope)]
    spoken = select(func.count()).select_from(reply).where(*_replies(scope, thread_id))
    statement = select(
        func.count().label("items"),
        func.coalesce(func.sum(case((waits, 1), else_=0)), 0).label("unanswered"),
        spoken.scalar_subquery().label("replies"),
    ).where(*here)
    return (await reader.rows(statement))[0]


def _later(table: Any, after: Place) -> ColumnElement[bool]:
    place = tuple_(literal(after.at, UtcTime()), literal(after.id))
    found: ColumnElement[bool] = tuple_(table.c.occurred_at, table.c.id) > place
    return found


def _replies(scope: Scope, thread_id: int) -> list[ColumnElement[bool]]:
    found = [reply.c.thread_id == thread_id, reply.c.removed_at.is_(None)]
    if scope.sources is not None:
        found.append(reply.c.source_id.in_(scope.sources))
    if not scope.direct:
        found.append(reply.c.visibility != literal_column("'direct'"))
    return found
