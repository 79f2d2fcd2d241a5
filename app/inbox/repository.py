"""All SQL that writes the inbox: authors, threads, items, replies, and moving an item."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Row, Select, Table, bindparam, func, select, update
from sqlalchemy.sql.dml import ReturningInsert

from app.db import Reader, Tx
from app.db_types import insert_into
from app.inbox import ranking
from app.inbox.actions import repository as actions
from app.inbox.counts import Counted, count
from app.inbox.item import (
    Action,
    ActorKind,
    Details,
    DismissReason,
    Evidence,
    Filed,
    ItemState,
    Status,
)
from app.inbox.models import author, item, reply
from app.inbox.policies.service import due_again
from app.inbox.states import Decision, decide
from app.outbox.events import Actor, Event, record
from app.outbox.models import event
from app.scope import Scope

CHUNK = 500
UNDOABLE = frozenset({"person", "rule", "helpdesk"})
"""Kinds of actors whose doing is kept as an action; the others tell what they saw."""
NO_DETAILS = Details()
_COLUMN_OF = {
    "status": "status",
    "needs_reply": "needs_reply",
    "status_before": "status_before",
    "filed": "filed",
    "person_acted": "person_acted",
    "evidence": "answer_evidence",
    "answered_at": "answered_at",
    "answered_by": "answered_by",
    "reply_id": "answer_reply_id",
    "reply_url": "reply_url",
    "declared_at": "declared_at",
    "declared_by": "declared_by",
    "answers_since": "answers_since",
    "dismissed_reason": "dismissed_reason",
    "snoozed_until": "snoozed_until",
    "assignee": "assignee_id",
    "claimed_by": "claimed_by",
    "claimed_until": "claimed_until",
    "edited_at": "edited_at",
    "edited_after_answer": "edited_after_answer",
    "possibly_answered": "possibly_answered",
    "reply_unverified": "reply_unverified",
}
"""Which column holds which field of `ItemState`."""


class ItemChanged(Exception):
    """The item has another version than the caller believed: somebody was faster."""


def state_of(row: Any) -> ItemState:
    """The fields of a row that the rules look at."""
    return ItemState(
        status=Status(row.status),
        needs_reply=row.needs_reply,
        status_before=_enum(Status, row.status_before),
        filed=_enum(Filed, row.filed),
        person_acted=row.person_acted,
        evidence=_enum(Evidence, row.answer_evidence),
        answered_at=row.answered_at,
        answered_by=row.answered_by,
        reply_id=row.answer_reply_id,
        reply_url=row.reply_url or "",
        declared_at=row.declared_at,
        declared_by=row.declared_by,
        answers_since=row.answers_since,
        dismissed_reason=_enum(DismissReason, row.dismissed_reason),
        snoozed_until=row.snoozed_until,
        assignee=row.assignee_id,
        claimed_by=row.claimed_by,
        claimed_until=row.claimed_until,
        edited_at=row.edited_at,
        edited_after_answer=row.edited_after_answer,
        possibly_answered=row.possibly_answered,
        reply_unverified=row.reply_unverified,
    )


def _enum(kind: Any, value: str | None) -> Any:
    return None if value is None else kind(value)


def columns_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changed fields of `ItemState` as columns."""
    found = {_COLUMN_OF[name]: value for name, value in changes.items() if name in _COLUMN_OF}
    if "declared_at" in changes:
        found["unverified_passes"] = 0  # another word of a person, to be looked for afresh
    return found


def state_columns(state: ItemState) -> dict[str, Any]:
    """Every column that holds a field of `ItemState`, for a new row."""
    return {column: getattr(state, name) for name, column in _COLUMN_OF.items()}


def counted_row(row: Mapping[str, Any]) -> Counted:
    """What the counters know of a row that is being inserted."""
    return Counted(
        source_id=row["source_id"],
        status=str(row["status"]),
        needs_reply=row["needs_reply"],
        backlog=row["backlog"],
        direct=row["visibility"] == "direct",
        occurred_at=row["occurred_at"],
        assignee=row.get("assignee_id"),
    )


def counted(row: Any, state: ItemState) -> Counted:
    return Counted(
        source_id=row.source_id,
        status=str(state.status),
        needs_reply=state.needs_reply,
        backlog=row.backlog,
        direct=row.visibility == "direct",
        occurred_at=row.occurred_at,
        assignee=state.assignee,
    )


_LOCKED = (
    select(item)
    .where(item.c.id.in_(bindparam("chosen", expanding=True)))
    .order_by(item.c.id)
    .with_for_update()
)


async def lock_items(tx: Tx, item_ids: Collection[int]) -> list[Row[Any]]:
    """Items to be changed, held against others until the transaction ends (ordered by id)."""
    found: list[Row[Any]] = []
    for chunk in chunks(sorted(item_ids)):
        found.extend(await tx.rows(_LOCKED, {"chosen": chunk}))
    return found


def is_visible(scope: Scope, row: Any) -> bool:
    """Whether a caller may see an item."""
    return scope.allows(row.source_id) and (scope.direct or row.visibility != "direct")


async def step(
    tx: Tx,
    row: Any,
    action: Action,
    *,
    actor: Actor,
    now: datetime,
    details: Details = NO_DETAILS,
    told: Mapping[str, Any] | None = None,
) -> Row[Any]:
    """Does one action to a locked item and returns its row as it is then.

    Raises `IllegalTransition` and `ClaimedByAnother` of `states`.
    """
    decision = decide(state_of(row), action, actor=ActorKind(actor.kind), now=now, details=details)
    if not decision.changed:
        same: Row[Any] = row
        return same
    action_id = None
    if actor.kind in UNDOABLE:
        action_id = await actions.add(tx, actor, str(action), {}, items=1, now=now)
        before = actions.held_before(row, columns_of(decision.changes))
        await actions.keep_before(tx, action_id, [(row.id, row.version, before)])
    await move(tx, row, decision, actor=actor, now=now, details=told, action_id=action_id)
    return (await lock_items(tx, [row.id]))[0]


async def move(
    tx: Tx,
    row: Any,
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    details: Mapping[str, Any] | None = None,
    action_id: int | None = None,
) -> None:
    """Stores a decision: compare and set, counters, one event.

    Raises `ItemChanged` where the row no longer has the version of `row`.
    """
    values = columns_of(decision.changes)
    if values.get("snoozed_until") is not None:
        values["snoozed_at"] = now
    done = await tx.execute(
        update(item)
        .where(item.c.id == row.id, item.c.version == row.version)
        .values(**values, version=row.version + 1)
    )
    if done.rowcount != 1:
        raise ItemChanged(row.id)
    tell(tx, row, decision, actor=actor, now=now, details=details, action_id=action_id)


def tell(
    tx: Tx,
    row: Any,
    decision: Decision,
    *,
    actor: Actor,
    now: datetime,
    details: Mapping[str, Any] | None,
    action_id: int | None,
) -> None:
    """The counters and the event of a decision about `row`, as it was before."""
    before, after = state_of(row), decision.state
    ranking.touch(tx, [row.author_id])
    if (counted_before := counted(row, before)) != (counted_after := counted(row, after)):
        count(tx, counted_before, -1)
        count(tx, counted_after, +1)
    waits = (after.status, after.needs_reply)
    if (before.status, before.needs_reply) != waits and after.status is Status.UNANSWERED:
        due_again(tx, row.id)
    record(
        tx,
        Event(
            type=str(decision.event),
            at=now,
            actor=actor,
            source_id=row.source_id,
            item_id=row.id,
            item_version=row.version + 1,
            direct=row.visibility == "direct",
            from_status=str(before.status),
            to_status=str(decision.state.status),
            evidence=None if decision.state.evidence is None else str(decision.state.evidence),
            action_id=action_id,
            details=details,
        ),
    )


def chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """Lists short enough for one statement."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_KNOWN_ITEMS = select(
    item.c.id,
    item.c.external_id,
    item.c.seen_hash,
    item.c.kind,
    item.c.status,
    item.c.absent_passes,
).where(item.c.source_id == bindparam("source_id"), item.c.external_id.in_(_KEYS))
_KNOWN_REPLIES = select(
    reply.c.id,
    reply.c.external_id,
    reply.c.seen_hash,
    reply.c.thread_id,
    reply.c.removed_at,
    reply.c.automated,
    reply.c.absent_passes,
).where(reply.c.source_id == bindparam("source_id"), reply.c.external_id.in_(_KEYS))


async def known_items(
    reader: Reader, source_id: int, external_ids: Collection[str]
) -> dict[str, Row[Any]]:
    """(id, external_id, seen_hash, kind, status, absent_passes) of those that are stored."""
    return await _known(reader, _KNOWN_ITEMS, source_id, external_ids)


async def known_replies(
    reader: Reader, source_id: int, external_ids: Collection[str]
) -> dict[str, Row[Any]]:
    """(id, external_id, seen_hash, thread_id, removed_at, automated, absent_passes) of those that
    are stored.
    """
    return await _known(reader, _KNOWN_REPLIES, source_id, external_ids)


async def _known(
    reader: Reader, statement: Select[Any], source_id: int, external_ids: Collection[str]
) -> dict[str, Row[Any]]:
    found: dict[str, Row[Any]] = {}
    for chunk in chunks(sorted(external_ids)):
        rows = await reader.rows(statement, {"source_id": source_id, "keys": chunk})
        found |= {row.external_id: row for row in rows}
    return found


@cache
def _adding(dialect: str, table: Table) -> ReturningInsert[Any]:
    adding = insert_into(dialect, table)
    return adding.on_conflict_do_nothing(index_elements=["source_id", "external_id"]).returning(
        table.c.id, table.c.external_id
    )


async def add_new(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Inserts items that are not there yet; ids by external id of those that were not."""
    return await _add(tx, item, rows)


async def add_replies(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Inserts replies of ours that are not there yet; ids by external id."""
    return await _add(tx, reply, rows)


async def _add(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    added: dict[str, int] = {}
    for chunk in chunks(rows):
        done = await tx.execute(_adding(tx.dialect, table), list(chunk))
        added |= {row.external_id: row.id for row in done.all()}
    return added


async def set_columns(tx: Tx, item_id: int, values: Mapping[str, Any]) -> None:
    """Changes of an item that are no happening of their own (counters, links, marks)."""
    await tx.execute(update(item).where(item.c.id == item_id).values(**values))


async def change_reply(tx: Tx, reply_id: int, values: Mapping[str, Any]) -> None:
    await tx.execute(update(reply).where(reply.c.id == reply_id).values(**values))


async def items_of_threads(tx: Tx, thread_ids: Collection[int]) -> Sequence[Row[Any]]:
    """Every item of some threads with its author, held against others, ordered by id."""
    statement = (
        select(
            item,
            author.c.external_id.label("author_external_id"),
            author.c.handle.label("author_handle"),
        )
        .select_from(item.join(author))
        .where(item.c.thread_id.in_(thread_ids))
        .order_by(item.c.id)
        .with_for_update(of=item)
    )
    return await tx.rows(statement)


async def replies_of_threads(tx: Tx, thread_ids: Collection[int]) -> Sequence[Row[Any]]:
    """What we wrote in some threads, without what is gone."""
    statement = (
        select(
            reply,
            author.c.external_id.label("author_external_id"),
            author.c.handle.label("author_handle"),
            author.c.display_name.label("author_name"),
        )
        .select_from(reply.join(author))
        .where(reply.c.thread_id.in_(thread_ids), reply.c.removed_at.is_(None))
        .order_by(reply.c.occurred_at, reply.c.id)
    )
    return await tx.rows(statement)


async def touched_by_people(reader: Reader, source_ids: Collection[int]) -> Sequence[Row[Any]]:
    """(external_id, at): items of some sources that a person has dealt with, and since when."""
    statement = (
        select(item.c.external_id, func.min(event.c.at).label("at"))
        .select_from(item.join(event, event.c.item_id == item.c.id))
        .where(event.c.actor_kind == "person", event.c.source_id.in_(source_ids))
        .group_by(item.c.external_id)
    )
    return await reader.rows(statement)
