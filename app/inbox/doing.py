"""Doing one action to items that are held: each is decided by itself, all are stored together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.db import Tx
from app.errors import AppError, Conflict
from app.inbox import repository
from app.inbox.actions import repository as actions
from app.inbox.asked import Asked, LabelChange, refused
from app.inbox.authors import muting
from app.inbox.item import Details
from app.inbox.labels import repository as labels
from app.inbox.labels.service import check_room
from app.inbox.labels.spelling import key_of
from app.inbox.notes import repository as notes
from app.inbox.schemas import OFFERED
from app.inbox.states import (
    ActorKind,
    ClaimedByAnother,
    Decision,
    EventType,
    IllegalTransition,
    ItemState,
    decide,
)
from app.inbox.storing import Change, store
from app.outbox.events import Actor

LABELS_AT_MOST = 50
"""Labels of one item."""
NOTES_AT_MOST = 500
"""Notes on one item; more is a mistake of some program."""
_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an action: its id where it changed anything, and whom it was refused for."""

    action_id: int | None
    changed: frozenset[int] = frozenset()
    refused: Mapping[int, AppError] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Labelling:
    """Label changes worked out for some items: ids and keys of what is asked for and carried."""

    change: LabelChange
    keys: Mapping[int, str]
    carried: Mapping[int, frozenset[int]]

    def after(self, item_id: int) -> frozenset[int]:
        by_key = {key: label_id for label_id, key in self.keys.items()}
        before = self.carried[item_id]
        if self.change.whole is not None:
            found = frozenset(by_key[key_of(name)] for name in self.change.whole)
        else:
            taken = {by_key.get(key_of(name)) for name in self.change.remove}
            new = {by_key[key_of(name)] for name in self.change.add}
            found = frozenset(before - taken | new)
        if len(found) > LABELS_AT_MOST and len(found) > len(before):
            raise refused("/labels", "too_long", f"An item has at most {LABELS_AT_MOST} labels.")
        return found


async def do(tx: Tx, rows: Sequence[Any], asked: Asked, *, actor: Actor, now: datetime) -> Done:
    """Does what is asked to items that this transaction holds: one action, one event an item."""
    labelling = await _labelling(tx, rows, asked.labels, now)
    muted = await _mute(tx, rows, actor, now) if asked.mute_author else _NONE
    changes: list[Change] = []
    refusals: dict[int, AppError] = {}
    for row in rows:
        try:
            change = _change(row, asked, labelling, muted, actor=actor, now=now)
        except AppError as refusal:
            refusals[row.id] = refusal
            continue
        if change is not None:
            changes.append(change)
    if not changes:
        return Done(None, refused=refusals)
    action_id = await actions.add(
        tx, actor, str(asked.action), asked.params, items=len(changes), now=now
    )
    if asked.note is not None:
        changes = await _with_notes(tx, changes, asked.note, actor, now)
    await store(tx, changes, actor=actor, now=now, action_id=action_id, told=asked.told)
    return Done(action_id, frozenset(change.row.id for change in changes), refusals)


def _change(
    row: Any,
    asked: Asked,
    labelling: _Labelling | None,
    muted: frozenset[int],
    *,
    actor: Actor,
    now: datetime,
) -> Change | None:
    """What is done to one item; `None` where it is so already."""
    state = repository.state_of(row)
    details = asked.details(row)
    if asked.note is not None and row.note_count >= NOTES_AT_MOST:
        raise Conflict(f"An item has at most {NOTES_AT_MOST} notes.")
    both = None
    if labelling is not None:
        both = (labelling.carried[row.id], labelling.after(row.id))
        carried, wanted = (frozenset(map(str, ids)) for ids in both)
        state, details = replace(state, labels=carried), replace(details, labels=wanted)
    decision = _decide(state, asked, details, actor, now)
    beside = {}
    if row.author_id in muted:
        beside["author_muted"] = {"before": None, "after": now.isoformat()}
    if beside and not decision.changed:  # spam already, but its author is muted only now
        decision = Decision(state, EventType.SPAM)
    if not decision.changed:
        return None
    return Change(
        row,
        decision,
        columns=asked.extra or {},
        labels=both,
        beside=beside,
    )


def _decide(
    state: ItemState, asked: Asked, details: Details, actor: Actor, now: datetime
) -> Decision:
    try:
        return decide(
            state,
            asked.action,
            actor=ActorKind(actor.kind),
            now=now,
            details=details,
            offered=OFFERED,
        )
    except ClaimedByAnother as refusal:
        told = f"Somebody else holds this item until {refusal.until:%H:%M} UTC."
        raise conflict(refusal, told) from refusal
    except IllegalTransition as refusal:
        raise conflict(refusal, f"The item is {refusal.status}: {hint(refusal)}") from refusal


def hint(refusal: IllegalTransition) -> str:
    """What can be done instead, as the end of a sentence."""
    allowed: Sequence[str] = refusal.allowed
    return f"possible now: {', '.join(allowed)}." if allowed else "nothing can be done with it."


def conflict(refusal: IllegalTransition, detail: str, **more: Any) -> Conflict:
    """409 with the present status and the actions allowed now."""
    return Conflict(
        detail,
        extra={
            "current_status": str(refusal.status),
            "allowed_actions": list(refusal.allowed),
            **more,
        },
    )


async def _labelling(
    tx: Tx, rows: Sequence[Any], change: LabelChange | None, now: datetime
) -> _Labelling | None:
    if change is None:
        return None
    keys = await labels.ensure(tx, [*(change.whole or ()), *change.add], now)
    if not change.by_rule:
        await check_room(tx)
    carried = await labels.of_items(tx, [row.id for row in rows])
    others = {label_id for ids in carried.values() for label_id in ids}
    return _Labelling(change, {**await labels.keys_of(tx, others), **keys}, carried)


async def _mute(tx: Tx, rows: Sequence[Any], actor: Actor, now: datetime) -> frozenset[int]:
    """Mutes the authors of items that may become spam; those who were not muted before."""
    authors = sorted({row.author_id for row in rows if row.status != "removed"})
    return await muting.mute(tx, authors, actor, now)


async def _with_notes(
    tx: Tx, changes: Sequence[Change], text: str, actor: Actor, now: datetime
) -> list[Change]:
    """The same changes, each with a note that was not there before."""
    ids = await notes.add(
        tx,
        [
            {
                "item_id": change.row.id,
                "text": text,
                "author": actor.name,
                "author_ref": actor.ref,
                "created_at": now,
            }
            for change in changes
        ],
    )
    return [
        replace(change, beside={"note": {"id": ids[change.row.id], "deleted": True}})
        for change in changes
    ]
