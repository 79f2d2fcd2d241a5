"""Keeps the value of open items: whoever changes an item touches its author, and at the end of the
transaction the values of that author's open items are reckoned anew (docs/ranking.md).

One statement reads and at most one writes for each 500 authors, whatever the size of the page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import (
    Row,
    bindparam,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
    text,
    true,
    update,
)

from app.db import Database, Tx, UtcTime
from app.inbox.models import OPEN, author, item
from app.inbox.value import Message, Value, reckon

LOOKED_AT: Final = 60
"""So many of a person's newest messages count."""
KEPT: Final = LOOKED_AT // 2
"""So many of these have their value kept where there are older ones: each has enough before it that
nothing changes when one more falls out of sight."""
_CHUNK = 500
_QUESTION_MARKS = ("?", "？", "؟", "՞", ";")  # noqa: RUF001  # full width, Arabic, Armenian, Greek
_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)

_newest = item.alias("newest")
_edge = (
    select(
        author.c.id,
        author.c.signals,
        func.coalesce(
            select(_newest.c.occurred_at)
            .where(_newest.c.author_id == author.c.id)
            .order_by(_newest.c.occurred_at.desc(), _newest.c.id.desc())
            .limit(1)
            .offset(LOOKED_AT - 1)
            .correlate(author)
            .scalar_subquery(),
            bindparam("long_ago", _LONG_AGO, type_=UtcTime()),
        ).label("since"),
    )
    .where(author.c.id.in_(bindparam("author_ids", expanding=True)))
    .cte("edge")
    .prefix_with("MATERIALIZED")
)
_waits = (item.c.status == literal_column("'unanswered'")) & (item.c.needs_reply == true())
_HISTORY = (
    select(
        item.c.author_id,
        item.c.id,
        item.c.thread_id,
        item.c.occurred_at,
        item.c.status,
        item.c.value_score,
        item.c.value_reasons,
        item.c.signals.label("given"),
        case(
            (
                _waits,
                or_(
                    item.c.kind == "question",
                    *(item.c.text.contains(mark) for mark in _QUESTION_MARKS),
                ),
            ),
            else_=false(),
        ).label("question"),
        _edge.c.signals,
        _edge.c.since,
    )
    .select_from(_edge.join(item, item.c.author_id == _edge.c.id))
    .where(
        item.c.occurred_at >= _edge.c.since,
        item.c.needs_reply == true(),
        item.c.status.in_(("unanswered", "replied", "dismissed")),
    )
    .order_by(item.c.id)
)
_STORE = (
    update(item)
    .where(item.c.id == bindparam("item_id"))
    .values(
        value_score=bindparam("score"),
        value_rank=bindparam("rank"),
        value_reasons=bindparam("reasons"),
    )
)


@dataclass(slots=True)
class _Touched:
    order: ClassVar[int] = 40  # before the counters, which hold others off
    author_ids: set[int] = field(default_factory=set)

    async def flush(self, tx: Tx) -> None:
        ids = sorted(self.author_ids)
        for start in range(0, len(ids), _CHUNK):
            await _reckon(tx, ids[start : start + _CHUNK])


def touch(tx: Tx, author_ids: Iterable[int]) -> None:
    """Something that values are made of has changed for these authors."""
    tx.buffer("values", _Touched).author_ids.update(author_ids)


async def _reckon(tx: Tx, author_ids: Sequence[int]) -> None:
    by_author: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in await tx.rows(_HISTORY, {"author_ids": author_ids}):
        by_author[row.author_id].append(row)
    changed = {}
    for rows in by_author.values():
        whole = rows[0].since == _LONG_AGO
        values = reckon([_message(row) for row in rows], rows[0].signals, whole=whole)
        for row in rows if whole else _kept(rows):
            value = values.get(row.id)
            known = (row.value_score, row.value_reasons)
            if value is not None and known != (value.score, list(value.reasons)):
                changed[int(row.id)] = value
    if changed:
        await _store(tx, changed)


def _kept(rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """The newest, and those that have no value yet."""
    ordered = sorted(rows, key=lambda row: (row.occurred_at, row.id))
    return [row for row in ordered[:-KEPT] if row.value_score is None] + ordered[-KEPT:]


def _message(row: Row[Any]) -> Message:
    return Message(
        id=row.id,
        thread_id=row.thread_id,
        occurred_at=row.occurred_at,
        waits=row.status == "unanswered",
        answered=row.status == "replied",
        question=bool(row.question) or any(s["code"] == "question" for s in row.given),
        signals=row.given,
    )


async def _store(tx: Tx, values: dict[int, Value]) -> None:
    """Rows that another transaction holds are left to it: to wait for them while holding our own
    could be a deadlock, and it will reckon them as well.
    """
    if tx.dialect == "postgresql":
        free = select(item.c.id).where(item.c.id.in_(values)).order_by(item.c.id)
        rows = await tx.rows(free.with_for_update(skip_locked=True))
        values = {row.id: values[row.id] for row in rows}
    rows_to_store = [
        {
            "item_id": item_id,
            "score": value.score,
            "rank": -value.score,
            "reasons": list(value.reasons),
        }
        for item_id, value in sorted(values.items())
    ]
    if rows_to_store:
        await tx.execute(_STORE, rows_to_store)


async def reckon_missing(db: Database, limit: int) -> int:
    """Open items that have no value yet, from before there were any; how many authors it were."""
    missing = (
        select(item.c.author_id)
        .where(text(OPEN), item.c.value_score.is_(None))
        .order_by(item.c.occurred_at)
        .limit(limit)
    )
    ids = sorted({row.author_id for row in await db.rows(missing)})
    if not ids:
        return 0
    async with db.write() as tx:
        touch(tx, ids)
    async with db.write() as tx:  # what is older than the newest of its author counts nothing
        rest = update(item).where(
            text(OPEN), item.c.value_score.is_(None), item.c.author_id.in_(ids)
        )
        await tx.execute(rest.values(value_score=0, value_rank=0, value_reasons=[]))
    return len(ids)
