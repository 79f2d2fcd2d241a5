"""What events look like on the wire."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp


class EventOut(msgspec.Struct, kw_only=True):
    """One thing that happened, in the order of `seq`. `actor` is the name at that time,
    `actor_user_id` the person of the team, where it was one.
    """

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
    details: dict[str, Any] | None


class EventList(msgspec.Struct, kw_only=True):
    items: list[EventOut]
    next_cursor: str | None


def event_out(row: Row[Any]) -> EventOut:
    return EventOut(
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
        details=row.details,
    )
