"""Storing what an action does to items that are held, in a few statements however many they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Update, bindparam, update

from app.db import Tx
from app.inbox import repository
from app.inbox.actions import repository as actions
from app.inbox.labels import repository as labels
from app.inbox.models import item
from app.inbox.notes import repository as notes
from app.inbox.policies.service import due_again
from app.inbox.states import Decision, Status
from app.outbox.events import Actor


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one item: the decision, its further columns, its labels (before, after),
    and what lay beside the item before: its author's muting, a note.
    """

    row: Any
    decision: Decision
    columns: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[frozenset[int], frozenset[int]] | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """The item's version afterwards."""
        return int(self.row.version) + 1

    @property
    def values(self) -> dict[str, Any]:
        """The columns that change."""
        return {**repository.columns_of(self.decision.changes), **self.columns}

    def before(self) -> dict[str, Any]:
        """What is needed to undo it."""
        found = {**actions.held_before(self.row, self.values), **self.beside}
        return found if self.labels is None else found | {"labels": sorted(self.labels[0])}


async def store(
    tx: Tx,
    changes: Sequence[Change],
    *,
    actor: Actor,
    now: datetime,
    action_id: int,
    told: Mapping[str, Any] | None = None,
) -> None:
    """Stores changes of items that this transaction holds, with counters, events and the action's
    memory of what was before. Labels too; notes and muted authors are the caller's.
    """
    await _set_columns(tx, changes)
    await _set_labels(tx, changes)
    for change in changes:
        repository.tell(
            tx, change.row, change.decision,
            actor=actor, now=now, details=told, action_id=action_id,
        )  # fmt: skip
    kept = [(change.row.id, change.row.version, change.before()) for change in changes]
    await actions.keep_before(tx, action_id, kept)
    noted = [change.row.id for change in changes if "note" in change.beside]
    if noted:
        await notes.recount(tx, noted)


async def settle(tx: Tx) -> None:
    """Makes values and due times true now instead of at the end: for who shows the items."""
    await tx.flush("values", "due times")


async def _set_columns(tx: Tx, changes: Sequence[Change]) -> None:
    """One statement for each set of columns. The rows are held: nobody can have been faster."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for change in changes:
        values = change.values
        bound = {f"new_{name}": value for name, value in values.items()}
        alike[tuple(sorted(values))].append({"of_id": change.row.id, **bound})
    for names, rows in sorted(alike.items()):
        await tx.execute(_setting(names), rows)


@cache
def _setting(names: tuple[str, ...]) -> Update:
    new: dict[str, Any] = {
        name: bindparam(f"new_{name}", type_=item.c[name].type) for name in names
    }
    statement = update(item).where(item.c.id == bindparam("of_id"))
    return statement.values(**new, version=item.c.version + 1)


async def _set_labels(tx: Tx, changes: Sequence[Change]) -> None:
    added: list[tuple[int, int]] = []
    removed: list[tuple[int, int]] = []
    for change in changes:
        if change.labels is not None:
            before, after = change.labels
            added += [(change.row.id, label_id) for label_id in after - before]
            removed += [(change.row.id, label_id) for label_id in before - after]
            if change.decision.state.status is Status.UNANSWERED:
                due_again(tx, change.row.id)
    await labels.put(tx, added, removed)
