"""Undoing an action: exactly the fields before it, only where nothing has happened since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from app.db import Tx
from app.errors import NotFound
from app.inbox import answering, listing
from app.inbox import repository as items
from app.inbox.actions import repository
from app.inbox.authors import muting
from app.inbox.item import Status
from app.inbox.labels import repository as labels
from app.inbox.notes import repository as notes
from app.inbox.states import Decision, EventType
from app.inbox.storing import Change, settle, store
from app.outbox.events import Actor
from app.scope import Scope


class Result(StrEnum):
    """What became of one item when an action was undone."""

    UNDONE = "undone"
    CHANGED_SINCE = "changed_since"
    NOT_FOUND = "not_found"
    ALREADY_UNDONE = "already_undone"


@dataclass(frozen=True, slots=True)
class Undone:
    """`action_id`: the undoing, an action itself; `None` where nothing was left to undo."""

    action_id: int | None
    results: list[tuple[int, Result, Row[Any] | None]]


async def undo(tx: Tx, scope: Scope, actor: Actor, action_id: int, now: datetime) -> Undone:
    """Gives the items of an action back what they were before it.

    Actions are undone one after the other, the last one first; an undoing can be undone like
    anything else, which does the action once more. Raises `NotFound`
    for an action on nothing that the caller may see.
    """
    done = await repository.hold(tx, action_id)
    entries = [] if done is None else await repository.items_of(tx, action_id)
    held = await items.lock_items(tx, [entry.item_id for entry in entries])
    rows = {row.id: row for row in held if items.is_visible(scope, row)}
    if done is None or not rows:
        raise NotFound(f"There is no action {action_id} on items that you may see.")
    results = {entry.item_id: _result(entry, rows.get(entry.item_id)) for entry in entries}
    chosen = [entry for entry in entries if results[entry.item_id] is Result.UNDONE]
    by = None
    if chosen:
        by = await _put_back(tx, done, chosen, rows, actor=actor, now=now)
    await settle(tx)
    shown = await listing.find_items(tx, scope, list(rows))
    return Undone(by, [(id_, result, shown.get(id_)) for id_, result in results.items()])


def _result(entry: Row[Any], row: Row[Any] | None) -> Result:
    if row is None:
        return Result.NOT_FOUND
    if entry.undone_by is not None:
        return Result.ALREADY_UNDONE
    return Result.UNDONE if row.version == entry.version else Result.CHANGED_SINCE


async def _put_back(
    tx: Tx,
    done: Row[Any],
    entries: Sequence[Row[Any]],
    rows: Mapping[int, Row[Any]],
    *,
    actor: Actor,
    now: datetime,
) -> int:
    """Stores the undoing as an action of its own; its id."""
    name = "redo" if done.name == "undo" else "undo"
    params = {"action_id": done.id, "action": done.name}
    by = await repository.add(tx, actor, name, params, items=len(entries), now=now)
    labelled = await _labels_before(tx, entries)
    noted = await _notes_back(tx, entries, now)
    muted = await _muting_back(tx, entries, rows, actor=actor, now=now)
    changes = [
        _change(
            rows[entry.item_id],
            entry.before,
            labels=labelled.get(entry.item_id),
            beside={**noted.get(entry.item_id, {}), **muted.get(entry.item_id, {})},
        )
        for entry in entries
    ]
    await store(tx, changes, actor=actor, now=now, action_id=by, told=params)
    await repository.mark_undone(tx, done.id, [entry.item_id for entry in entries], by, now)
    versions = {change.row.id: change.version for change in changes}
    await repository.rebase(
        tx, [(entry.item_id, entry.version_before, versions[entry.item_id]) for entry in entries]
    )
    await _judge(tx, changes, now)
    return by


def _change(
    row: Row[Any],
    before: Mapping[str, Any],
    *,
    labels: tuple[frozenset[int], frozenset[int]] | None,
    beside: Mapping[str, Any],
) -> Change:
    columns = repository.columns_before(before)
    state = items.state_of(SimpleNamespace(**{**row._asdict(), **columns}))
    decision = Decision(state, EventType.UNDONE)
    return Change(row, decision, columns=columns, labels=labels, beside=beside)


async def _labels_before(
    tx: Tx, entries: Sequence[Row[Any]]
) -> dict[int, tuple[frozenset[int], frozenset[int]]]:
    """The labels now and before, by item; without those that were deleted meanwhile."""
    before = {e.item_id: frozenset(e.before["labels"]) for e in entries if "labels" in e.before}
    if not before:
        return {}
    carried = await labels.of_items(tx, sorted(before))
    there = await labels.keys_of(tx, {label_id for ids in before.values() for label_id in ids})
    return {id_: (carried[id_], ids & there.keys()) for id_, ids in before.items()}


async def _notes_back(
    tx: Tx, entries: Sequence[Row[Any]], now: datetime
) -> dict[int, dict[str, Any]]:
    """Brings notes back, or takes them away; what they were until now, by item."""
    before = {e.item_id: e.before["note"] for e in entries if "note" in e.before}
    if not before:
        return {}
    found: dict[int, dict[str, Any]] = {}
    rows = await notes.by_ids(tx, [note["id"] for note in before.values()])
    for item_id, note in before.items():
        if (row := rows.get(note["id"])) is None:  # erased for good meanwhile
            continue
        values: dict[str, Any] = {"deleted_at": now if note["deleted"] else None}
        if "text" in note:
            values |= {"text": note["text"], "edited_at": _time(note["edited_at"])}
        await notes.change(tx, row.id, values)
        found[item_id] = {"note": notes.held(row, with_text="text" in note)}
    return found


async def _muting_back(
    tx: Tx,
    entries: Sequence[Row[Any]],
    rows: Mapping[int, Row[Any]],
    *,
    actor: Actor,
    now: datetime,
) -> dict[int, dict[str, Any]]:
    """Mutes or unmutes the authors whom the action had unmuted or muted, unless somebody has
    decided otherwise meanwhile; by item what that changed.
    """
    authors: dict[tuple[str | None, str | None], set[int]] = defaultdict(set)
    found: dict[int, dict[str, Any]] = {}
    for entry in entries:
        if (muted := entry.before.get("author_muted")) is not None:
            authors[muted["before"], muted["after"]].add(rows[entry.item_id].author_id)
            swapped = {"before": muted["after"], "after": muted["before"]}
            found[entry.item_id] = {"author_muted": swapped}
    for (before, after), ids in authors.items():
        await muting.put_back(
            tx, sorted(ids), before=_time(before), after=_time(after), actor=actor, now=now
        )
    return found


def _time(told: str | None) -> datetime | None:
    return None if told is None else datetime.fromisoformat(told)


async def _judge(tx: Tx, changes: Sequence[Change], now: datetime) -> None:
    """What came out of spam may have been answered there meanwhile: judged once more."""
    threads: dict[str, set[int]] = defaultdict(set)
    for change in changes:
        if change.row.status == Status.SPAM and "status" in change.columns:
            threads[change.row.platform].add(change.row.thread_id)
    for platform, ids in sorted(threads.items()):
        await answering.judge_threads(tx, platform, ids, vanished=(), now=now)
