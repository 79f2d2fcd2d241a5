"""Muting: what a muted person sends later arrives as spam, counted and visible."""

from __future__ import annotations

from datetime import datetime

from app.db import Tx
from app.inbox import people
from app.outbox.events import Actor, Event, record


async def mute(tx: Tx, author_id: int, actor: Actor, now: datetime) -> bool:
    """Mutes; whether that is new. The event names no person, only our id."""
    if not await people.mute_author(tx, author_id, now):
        return False
    _tell(tx, "author.muted", author_id, actor, now)
    return True


async def unmute(tx: Tx, author_id: int, actor: Actor, now: datetime) -> bool:
    """Lets a person be heard again; what arrived as spam meanwhile stays where it is."""
    if not await people.unmute_author(tx, author_id):
        return False
    _tell(tx, "author.unmuted", author_id, actor, now)
    return True


def _tell(tx: Tx, kind: str, author_id: int, actor: Actor, now: datetime) -> None:
    record(tx, Event(type=kind, at=now, actor=actor, details={"author_id": author_id}))
