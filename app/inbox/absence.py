"""What complete passes do not show: absence that counts as deletion, answers nobody has seen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Table, false, or_, select, update

from app.db import Reader, Tx
from app.inbox import answering, repository
from app.inbox.item import Action, Evidence, Status
from app.inbox.models import item, reply, thread
from app.outbox.events import PLATFORM, POLLER

APART = timedelta(minutes=10)
"""So long after the first pass that did not show it, another one proves that it is gone."""
UNVERIFIED_AFTER = 3
MARKED_AT_ONCE = 500
BORDER = timedelta(minutes=10)
"""Above its lower end a list may lie out of order: what is nearer to it is not looked for."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A complete reading of one place: the thread under `root`, or else a stream's list down to
    `since` (`None`: to its end).

    `seen` are the ids it has shown, beside those that its earlier polls have marked (`mark_shown`);
    `None` where the stream's connector does not declare that what it does not show is gone.
    `lists_replies` says that it shows all replies of ours.
    """

    source_id: int
    platform: str
    stream: str
    began_at: datetime
    ended_at: datetime
    seen: frozenset[str] | None
    lists_replies: bool
    root: str | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """What a pass did not show although it should have."""

    items: Sequence[Row[Any]] = ()
    replies: Sequence[Row[Any]] = ()
    answers: Sequence[int] = ()  # items that a person says are answered

    @property
    def is_something(self) -> bool:
        return bool(self.items or self.replies or self.answers)


async def find(reader: Reader, done: Pass) -> Missing:
    """What a complete pass did not show. What arrived while it ran is not looked for, and neither
    is what was not yet missing for long enough to be gone.
    """
    items: Sequence[Row[Any]] = ()
    replies: Sequence[Row[Any]] = ()
    if done.seen is not None:
        standing = item.c.status.not_in((Status.REMOVED, Status.SPAM))
        items = await _unseen(reader, done, item, standing)
        replies = await _unseen(reader, done, reply, reply.c.removed_at.is_(None))
    answers = await _unverified(reader, done) if done.lists_replies else ()
    return Missing(items, replies, answers)


async def mark_shown(
    tx: Tx, source_id: int, external_ids: Collection[str], began_at: datetime
) -> None:
    """Marks what a pass that began then has shown so far, for a later poll that ends it."""
    ids = sorted(external_ids)
    for table in (item, reply):
        for start in range(0, len(ids), MARKED_AT_ONCE):
            shown = table.c.external_id.in_(ids[start : start + MARKED_AT_ONCE])
            found = select(table.c.id).where(table.c.source_id == source_id, shown)
            # Locked in the order in which everybody locks.
            rows = await tx.rows(found.order_by(table.c.id).with_for_update())
            marked = update(table).where(table.c.id.in_([row.id for row in rows]))
            await tx.execute(marked.values(shown_in_pass=began_at))


async def known_below(reader: Reader, source_id: int, root: str) -> set[str]:
    """Ids of what is stored in a thread: items and replies, gone or not."""
    found: set[str] = set()
    for table in (item, reply):
        statement = select(table.c.external_id).where(
            table.c.external_id.is_not(None), table.c.thread_id == _thread_of(source_id, root)
        )
        found |= {row.external_id for row in await reader.rows(statement)}
    return found


async def _unseen(
    reader: Reader, done: Pass, table: Table, standing: ColumnElement[bool]
) -> list[Row[Any]]:
    columns = table.c
    statement = select(
        columns.id, columns.external_id, columns.absent_passes, columns.absent_since
    ).where(
        columns.source_id == done.source_id,
        columns.stream == done.stream,
        columns.first_seen_at < done.began_at,
        standing,
        or_(columns.shown_in_pass.is_(None), columns.shown_in_pass != done.began_at),
        *_place(done, table),
    )
    if done.since is not None:
        statement = statement.where(columns.time_suspect == false())
    assert done.seen is not None
    return [
        row
        for row in await reader.rows(statement.order_by(columns.id))
        if row.external_id not in done.seen and (not row.absent_passes or _is_gone(row, done))
    ]


def _place(done: Pass, table: Table) -> list[ColumnElement[bool]]:
    """Where a pass has looked."""
    if done.root is not None:
        return [table.c.thread_id == _thread_of(done.source_id, done.root)]
    if done.since is not None:
        return [table.c.occurred_at >= done.since + BORDER, table.c.occurred_at < done.began_at]
    return []


def _thread_of(source_id: int, root: str) -> ScalarSelect[Any]:
    found = select(thread.c.id).where(thread.c.source_id == source_id, thread.c.external_id == root)
    return found.scalar_subquery()


def _is_gone(row: Row[Any], done: Pass) -> bool:
    since = row.absent_since
    return row.absent_passes > 0 and since is not None and done.began_at - since >= APART


async def _unverified(reader: Reader, done: Pass) -> list[int]:
    """Items answered by a person's word only, of which the pass should have shown the answer."""
    statement = select(item.c.id).where(
        item.c.source_id == done.source_id,
        item.c.status == Status.REPLIED,
        item.c.answer_evidence == Evidence.DECLARED,
        item.c.reply_unverified == false(),
        item.c.answered_at < done.began_at,
        *_place(done, item),
    )
    return [row.id for row in await reader.rows(statement.order_by(item.c.id))]


async def apply(tx: Tx, done: Pass, missing: Missing) -> int:
    """Stores what a pass did not show; returns how many items and replies are gone by that.

    The first time it is only noted. What another stream has shown meanwhile is there.
    """
    gone = await _apply_to_items(tx, done, missing.items)
    vanished = await _apply_to_replies(tx, done, missing.replies)
    threads = {row.thread_id for row in vanished}
    await answering.judge_threads(
        tx, done.platform, threads, vanished={row.id for row in vanished}, now=done.ended_at
    )
    for row in await repository.lock_items(tx, missing.answers):
        await _doubt(tx, row, done.ended_at)
    return gone + len(vanished)


async def _apply_to_items(tx: Tx, done: Pass, found: Sequence[Row[Any]]) -> int:
    before = {row.id: row.absent_since for row in found}
    gone = 0
    for row in await repository.lock_items(tx, before.keys()):
        if row.absent_since != before[row.id]:
            continue
        if _is_gone(row, done):
            told = {"proof": "absence", "absent_since": row.absent_since.isoformat()}
            await repository.step(
                tx, row, Action.DELETED, actor=PLATFORM, now=done.ended_at, told=told
            )
            gone += 1
        await repository.set_columns(tx, row.id, _noted(row, done))
    return gone


async def _apply_to_replies(tx: Tx, done: Pass, found: Sequence[Row[Any]]) -> list[Row[Any]]:
    """(id, thread_id) of those that are gone."""
    vanished: list[Row[Any]] = []
    for row in found:
        values = _noted(row, done)
        if _is_gone(row, done):
            values["removed_at"] = done.ended_at
        same = reply.c.absent_since.is_not_distinct_from(row.absent_since)
        changed = (
            update(reply)
            .where(reply.c.id == row.id, reply.c.removed_at.is_(None), same)
            .values(**values)
        )
        rows = await tx.rows(changed.returning(reply.c.id, reply.c.thread_id))
        if "removed_at" in values:
            vanished += rows
    return vanished


def _noted(row: Row[Any], done: Pass) -> dict[str, Any]:
    return {
        "absent_passes": row.absent_passes + 1,
        "absent_since": row.absent_since or done.ended_at,
    }


async def _doubt(tx: Tx, row: Row[Any], now: datetime) -> None:
    """One more pass without the answer that a person spoke of; the third one is told."""
    if row.status != Status.REPLIED or row.answer_evidence != Evidence.DECLARED:
        return
    passes = row.unverified_passes + 1
    await repository.set_columns(tx, row.id, {"unverified_passes": passes})
    if passes >= UNVERIFIED_AFTER:
        await repository.step(tx, row, Action.REPLY_UNVERIFIED, actor=POLLER, now=now)
