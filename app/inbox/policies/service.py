"""Which due time an item has, and keeping it current when policies or labels change."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

import msgspec
from sqlalchemy import Row

from app.db import Database, Reader, Tx
from app.inbox.labels.spelling import key_of
from app.inbox.models import NEVER_DUE
from app.inbox.policies import repository
from app.inbox.policy import Calendar, Policy, choose, due_at
from app.team.repository import find_installed, replace_installed

BASIS = "due_times"
"""Under which an installation remembers what its due times were reckoned from."""
PASSES = 2
"""A page may be stored by the old policies during the first pass, not a minute later."""
_BATCH = 500
_START = (datetime(1, 1, 2, tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The policies that hold, the labels of the sources, and the ids of those labels of items that
    policies name. Labels are known by their keys.
    """

    policies: tuple[Policy, ...]
    labels: Mapping[int, frozenset[str]]
    named: Mapping[int, str] = field(default_factory=dict)

    def due_at(
        self,
        source_id: int,
        kind: str,
        occurred_at: datetime,
        label_ids: Collection[int] = (),
    ) -> datetime | None:
        """When an item that waits for an answer, and carries these labels, is due."""
        own = {self.named[label_id] for label_id in label_ids if label_id in self.named}
        carried = self.labels.get(source_id, frozenset()) | own
        chosen = choose(self.policies, source_id, carried, kind)
        return None if chosen is None else due_at(occurred_at, chosen.target, chosen.calendar)

    def columns(
        self, source_id: int, kind: str, occurred_at: datetime, *, waits: bool
    ) -> dict[str, Any]:
        """The columns of a new item; what is backlog or needs no reply has no due time."""
        due = self.due_at(source_id, kind, occurred_at) if waits and self.policies else None
        return repository.due_columns(due)

    @property
    def digest(self) -> str:
        """Changes when a due time may change."""
        policies = [
            (
                p.id,
                p.target.total_seconds(),
                repr(p.calendar),
                p.source_id,
                p.label,
                sorted(p.kinds),
            )
            for p in self.policies
        ]
        labels = sorted((source_id, sorted(labels)) for source_id, labels in self.labels.items())
        named = sorted(self.named.items())
        known = msgspec.json.encode([policies, labels if self.policies else [], named])
        return hashlib.blake2b(known, digest_size=16).hexdigest()


async def read_deadlines(reader: Reader) -> Deadlines:
    """The policies as they are now; one small read where there are none."""
    rows = await repository.all_policies(reader)
    if not rows:
        return Deadlines((), {})
    policies = tuple(policy_of(row) for row in rows)
    labels = await repository.labels_of_sources(reader)
    wanted = {policy.label for policy in policies if policy.label is not None}
    return Deadlines(policies, labels, await repository.labels_named(reader, wanted))


def policy_of(row: Row[Any]) -> Policy:
    return Policy(
        id=row.id,
        target=timedelta(seconds=row.target),
        calendar=None if row.calendar is None else _calendar(row.calendar),
        source_id=row.source_id,
        label=None if row.label is None else key_of(row.label),
        kinds=frozenset(row.kinds),
    )


def _calendar(stored: Mapping[str, Any]) -> Calendar:
    return Calendar(
        time_zone=stored["time_zone"],
        week=tuple(tuple((start, end) for start, end in day) for day in stored["week"]),
        holidays=frozenset(date.fromisoformat(day) for day in stored["holidays"]),
    )


async def keep_due_times(db: Database) -> int:
    """Reckons every due time anew where policies or labels have changed since the last time; how
    many changed. What was interrupted is begun again.
    """
    deadlines = await read_deadlines(db)
    basis = await find_installed(db, BASIS) or {
        "digest": Deadlines((), {}).digest,
        "passes": PASSES,
    }
    passes = basis["passes"] if basis["digest"] == deadlines.digest else 0
    if passes >= PASSES:
        return 0
    changed = await _reckon_all(db, deadlines)
    async with db.write() as tx:
        await replace_installed(tx, BASIS, {"digest": deadlines.digest, "passes": passes + 1})
    return changed


async def _reckon_all(db: Database, deadlines: Deadlines) -> int:
    changed, after = 0, _START
    while True:
        async with db.write() as tx:
            rows = await repository.waiting_items(tx, after, _BATCH)
            due = await _differing(tx, deadlines, rows)
            await repository.store_due(tx, due)
        changed += len(due)
        if len(rows) < _BATCH:
            return changed
        after = (rows[-1].occurred_at, rows[-1].id)


async def _differing(
    tx: Tx, deadlines: Deadlines, rows: Sequence[Row[Any]]
) -> dict[int, datetime | None]:
    labelled = await repository.label_ids_of(tx, [row.id for row in rows], deadlines.named)
    found: dict[int, datetime | None] = {}
    for row in rows:
        waits = row.needs_reply and not row.backlog
        own = labelled.get(row.id, ())
        due = deadlines.due_at(row.source_id, row.kind, row.occurred_at, own) if waits else None
        if due != row.due_at or (due is None) != (row.due_rank == NEVER_DUE):
            found[row.id] = due
    return found


@dataclass(slots=True)
class _Again:
    order: ClassVar[int] = 41
    item_ids: set[int] = field(default_factory=set)

    async def flush(self, tx: Tx) -> None:
        deadlines = await read_deadlines(tx)
        ids = sorted(self.item_ids)
        for start in range(0, len(ids), _BATCH):
            rows = await repository.items_to_judge(tx, ids[start : start + _BATCH])
            await repository.store_due(tx, await _differing(tx, deadlines, rows))


def due_again(tx: Tx, item_id: int) -> None:
    """An item waits (again), is of another kind or has other labels: its due time is reckoned at
    the end.
    """
    tx.buffer("due times", _Again).item_ids.add(item_id)
