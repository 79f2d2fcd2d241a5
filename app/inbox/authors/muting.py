"""Muting: what a muted person sends later arrives as spam, counted and visible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from app.db import Tx
from app.inbox import people
from app.outbox.events import Actor, Event, record


async def mute(tx: Tx, author_ids: Sequence[int], actor: Actor, now: datetime) -> frozenset[int]:
    """Mutes; those for whom that is new. The events name no person, only our ids."""
    found = await people.mute_authors(tx, author_ids, now)
    _tell(tx, "author.muted", found, actor, now)
    return found


async def unmute(tx: Tx, author_id: int, actor: Actor, now: datetime) -> bool:
    """Lets a person be heard again; what arrived as spam meanwhile stays where it is."""
    if not await people.unmute_author(tx, author_id):
        return False
    _tell(tx, "author.unmuted", [author_id], actor, now)
    return True


async def put_back(
    tx: Tx,
    author_ids: Sequence[int],
    *,
    before: datetime | None,
    after: datetime | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Undoes a muting, or an unmuting, where nobody has decided otherwise since."""
    found = await people.put_muting_back(tx, author_ids, before=before, after=after)
    _tell(tx, "author.unmuted" if before is None else "author.muted", found, actor, now)


def _tell(tx: Tx, kind: str, author_ids: Iterable[int], actor: Actor, now: datetime) -> None:
    for author_id in sorted(author_ids):
        record(tx, Event(type=kind, at=now, actor=actor, details={"author_id": author_id}))
