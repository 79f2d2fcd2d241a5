"""What events look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp

EXAMPLE_ID = "evt_1001_19ab1c4d5f8"


class EventOut(msgspec.Struct, kw_only=True):
    """One thing that happened, in the order of `seq`. `id` names it everywhere: in the feed, in
    the stream and as `webhook-id`. `actor` is the name at that time, `actor_user_id` the person
    of the team, where it was one.
    """

    id: str
    seq: int
    at: Stamp
    type: str
    source_id: int | None
    item_id: int | None
    item_version: int | None
    actor_kind: str
    actor: str
    actor_user_id: int | None
    from_status: str | None
    to_status: str | None
    evidence: str | None
    action_id: int | None
    details: dict[str, Any] | None


class EventList(msgspec.Struct, kw_only=True):
    items: list[EventOut]
    next_cursor: str | None


class EventFeed(msgspec.Struct, kw_only=True):
    """`next_after` is the `after` of the next call, also where nothing was new. `more`: there is
    more to read already. `missed`: events since `after` have been deleted because of their age.
    """

    items: list[EventOut]
    next_after: int
    more: bool
    missed: bool


def event_id(seq: int, at: datetime) -> str:
    """The same at every delivery. The time is part of it, since a database that was restored
    from a backup gives its numbers a second time.
    """
    return f"evt_{seq}_{int(at.timestamp() * 1000):x}"


def event_out(row: Row[Any]) -> EventOut:
    return EventOut(
        id=event_id(row.seq, row.at),
        seq=row.seq,
        at=stamp(row.at),
        type=row.type,
        source_id=row.source_id,
        item_id=row.item_id,
        item_version=row.item_version,
        actor_kind=row.actor_kind,
        actor=row.actor,
        actor_user_id=row.actor_user_id,
        from_status=row.from_status,
        to_status=row.to_status,
        evidence=row.evidence,
        action_id=row.action_id,
        details=row.details,
    )
