"""Recording what happened: one row an event, numbered as the last statement before commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, bindparam, insert, update

from app.db import Tx
from app.outbox.models import event, event_counter
from app.web.principal import Principal


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `kind`: person, rule, platform, poller, helpdesk; `name` is for people.
    `user_id`: the person of the team, where it was one; `ref` tells two of one name apart, like
    `user:3` or `token:7`.
    """

    kind: str
    name: str
    user_id: int | None = None
    ref: str | None = None


def acting(principal: Principal) -> Actor:
    """The caller as the one who did it."""
    return Actor("person", principal.name, principal.user_id, principal.actor)


POLLER = Actor("poller", "poller")
PLATFORM = Actor("platform", "platform")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `direct`: about a direct message, hidden from who may not see it."""

    type: str
    at: datetime
    actor: Actor
    source_id: int | None = None
    item_id: int | None = None
    item_version: int | None = None
    direct: bool = False
    from_status: str | None = None
    to_status: str | None = None
    evidence: str | None = None
    action_id: int | None = None
    details: Mapping[str, Any] | None = None


_COUNTING = (
    update(event_counter)
    .where(event_counter.c.id == 1)
    .values(last=event_counter.c.last + bindparam("more", type_=BigInteger()))
    .returning(event_counter.c.last)
)
_ADDING = insert(event)


@dataclass(slots=True)
class _Pending:
    # Last of all buffers: whoever holds the counter row commits next, so that numbers appear in
    # the order of commits and a reader following them misses nothing.
    order: ClassVar[int] = 100
    events: list[Event] = field(default_factory=list)

    async def flush(self, tx: Tx) -> None:
        if not self.events:
            return
        counted = await tx.execute(_COUNTING, {"more": len(self.events)})
        first = int(counted.scalar_one()) - len(self.events) + 1
        rows = [_row(first + n, happened) for n, happened in enumerate(self.events)]
        await tx.execute(_ADDING, rows)
        await tx.wake_followers()


def _row(seq: int, happened: Event) -> dict[str, Any]:
    return {
        "seq": seq,
        "at": happened.at,
        "type": happened.type,
        "source_id": happened.source_id,
        "item_id": happened.item_id,
        "item_version": happened.item_version,
        "direct": happened.direct,
        "actor_kind": happened.actor.kind,
        "actor": happened.actor.name,
        "actor_user_id": happened.actor.user_id,
        "from_status": happened.from_status,
        "to_status": happened.to_status,
        "evidence": happened.evidence,
        "action_id": happened.action_id,
        "details": None if happened.details is None else dict(happened.details),
    }


def record(tx: Tx, happened: Event) -> None:
    """Adds an event to the transaction; it is written, and numbered, at its end."""
    tx.buffer("events", _Pending).events.append(happened)
