"""The unanswered list and its kin: one SQL statement a set of filters, built once.

The keyset is a row value: `a > x OR (a = x AND …)` starts at the beginning of the index
(docs/decisions/0003-lists.md).
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Row,
    Select,
    bindparam,
    func,
    select,
    tuple_,
    type_coerce,
)

from app.db import Reader, UtcTime
from app.db_types import JsonText
from app.inbox.filtering import (
    BY_RANK,
    ItemFilter,
    Order,
    Shape,
    conditions,
    literal,
    shape_of,
    values_of,
)
from app.inbox.labels.names import label_names
from app.inbox.models import author, item, thread
from app.scope import Scope
from app.sources.models import source
from app.team.models import user


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the sort values and the id of its last item. `rank` is of the orders by
    due time and by value.
    """

    occurred_at: datetime
    id: int
    rank: int | None = None

    @property
    def key(self) -> tuple[datetime, int, int | None]:
        """For a cursor."""
        return self.occurred_at, self.id, self.rank


def position_of(row: Row[Any], order: Order) -> Position:
    """The place of an item in an order."""
    rank = _RANKS.get(order)
    return Position(row.occurred_at, row.id, None if rank is None else getattr(row, rank.name))


_RANKS = {"due": item.c.due_rank, "value": item.c.value_rank}
"""Stored ranks go up, like `occurred_at` and `id` behind them: one row value holds a place."""


_assignee = user.alias("assignee")
_holder = user.alias("holder")
COLUMNS = (
    # What is shown, and no more: each column of each row costs something to read.
    *(
        item.c[name]
        for name in (
            "id", "source_id", "external_id", "platform", "stream", "thread_id", "author_id",
            "parent_external_id", "kind", "status", "needs_reply", "visibility", "backlog", "text",
            "text_raw", "text_format", "language", "permalink", "occurred_at", "first_seen_at",
            "edited_at", "time_suspect", "due_at", "due_rank", "snoozed_until", "assignee_id",
            "claimed_by", "claimed_until", "possibly_answered", "edited_after_answer",
            "reply_unverified", "acknowledged_at", "community_replies", "answer_evidence",
            "answered_at", "answered_by", "reply_url", "dismissed_reason", "dismissed_note",
            "note_count", "value_score", "value_rank", "filed",
            "version",
        )
    ),
    author.c.handle.label("author_handle"),
    author.c.display_name.label("author_name"),
    author.c.url.label("author_url"),
    author.c.avatar_url.label("author_avatar_url"),
    author.c.followers.label("author_followers"),
    author.c.is_bot.label("author_is_bot"),
    thread.c.title.label("thread_title"),
    source.c.name.label("source_name"),
    *(
        type_coerce(column, JsonText()).label(name)
        for name, column in (
            ("media", item.c.media),
            ("signals", item.c.signals),
            ("value_reasons", item.c.value_reasons),
            ("author_signals", author.c.signals),
            ("label_names", label_names()),
        )
    ),
    _assignee.c.name.label("assignee_name"),
    _assignee.c.display_name.label("assignee_display_name"),
    _holder.c.name.label("holder_name"),
    _holder.c.display_name.label("holder_display_name"),
)  # fmt: skip
Shown: Any = namedtuple("Shown", [column.key for column in COLUMNS])  # type: ignore[misc]  # noqa: PYI024  # its fields are those of COLUMNS
"""A row of `COLUMNS` whose fields are cheap to read: SQLAlchemy looks each one up by its name."""


def shown_rows(rows: Sequence[Row[Any]]) -> list[Any]:
    """Rows of `COLUMNS` as `Shown`."""
    return [Shown._make(row) for row in rows]


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
    places = [bindparam("at", type_=UtcTime()), bindparam("after_id", type_=BigInteger())]
    if shape.filter.order in BY_RANK:
        places.insert(0, bindparam("after_rank", type_=BigInteger()))
    key, after = tuple_(*key_of(shape.filter.order)), tuple_(*places)
    return [key < after if shape.filter.order == "newest" else key > after]


def values_after(after: Position) -> dict[str, Any]:
    """The values that `beyond` leaves to be bound."""
    values: dict[str, Any] = {"at": after.occurred_at, "after_id": after.id}
    return values if after.rank is None else values | {"after_rank": after.rank}


def order_of(shape: Shape) -> tuple[ColumnElement[Any], ...]:
    columns = key_of(shape.filter.order)
    newest = shape.filter.order == "newest"
    return tuple(column.desc() for column in columns) if newest else columns


def key_of(order: Order) -> tuple[Column[Any], ...]:
    """The columns that an order goes by."""
    rank = _RANKS.get(order)
    at = (item.c.occurred_at, item.c.id)
    return at if rank is None else (rank, *at)


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


@lru_cache(maxsize=128)
def _ids_statement(shape: Shape) -> Select[Any]:
    matching = select(item.c.id).select_from(JOINED).where(*conditions(shape))
    return matching.order_by(*order_of(shape)).limit(bindparam("limit"))


async def matching_ids(
    reader: Reader, scope: Scope, wanted: ItemFilter, *, now: datetime, limit: int
) -> list[int]:
    """The ids of what a filter matches, in its order; at most `limit`."""
    values = {**values_of(scope, wanted, now), "limit": limit}
    statement = _ids_statement(shape_of(scope, wanted, positioned=False))
    return [row.id for row in await reader.rows(statement, values)]


async def count_matching(
    reader: Reader, scope: Scope, wanted: ItemFilter, *, now: datetime, at_most: int
) -> int:
    """How many items a filter matches; counting ends at `at_most`."""
    values = {**values_of(scope, wanted, now), "limit": at_most}
    matching = _ids_statement(shape_of(scope, wanted, positioned=False)).order_by(None)
    rows = await reader.rows(select(func.count()).select_from(matching.subquery()), values)
    return int(rows[0][0])


def may_see(scope: Scope) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if scope.sources is not None:
        found.append(item.c.source_id.in_(scope.sources))
    if not scope.direct:
        found.append(item.c.visibility != literal("direct"))
    return found


async def find_item(reader: Reader, scope: Scope, item_id: int) -> Row[Any] | None:
    """One item as the lists show it, or `None` where it is not there for this caller."""
    statement = select(*COLUMNS).select_from(JOINED).where(item.c.id == item_id, *may_see(scope))
    rows = await reader.rows(statement)
    return rows[0] if rows else None


async def find_items(reader: Reader, scope: Scope, item_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """Items as the lists show them, by id, without those that are not there for this caller."""
    statement = select(*COLUMNS).select_from(JOINED)
    wanted = statement.where(item.c.id.in_(item_ids), *may_see(scope))
    return {row.id: row for row in await reader.rows(wanted)}


async def find_thread(reader: Reader, thread_id: int) -> Row[Any] | None:
    rows = await reader.rows(select(thread).where(thread.c.id == thread_id))
    return rows[0] if rows else None
