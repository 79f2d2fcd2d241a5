"""Saying where one is, and telling it: each word holds for half a minute."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from typing import Literal

import msgspec

from app.clock import Clock
from app.db import Reader, Tx
from app.errors import NotAllowed
from app.inbox.presence import repository
from app.inbox.presence.schemas import PresenceOut, by_item
from app.inbox.service import item_not_found
from app.outbox.passing import Moment
from app.scope import EVERYTHING, Scope

LASTS = timedelta(seconds=30)
PLACES = 20
"""Items a person may be at: windows that stand open beside one another."""
State = Literal["viewing", "drafting", "gone"]
_encoder = msgspec.json.Encoder()


async def say(
    tx: Tx, scope: Scope, user_id: int | None, item_id: int, *, state: State, now: datetime
) -> PresenceOut:
    """Stores where a person is and returns who is at the item. Only what is new wakes others, so
    that a page may repeat itself every few seconds.
    """
    if user_id is None:
        raise NotAllowed("Only a person can be somewhere: use a token that belongs to one.")
    if not await repository.sees_item(tx, scope, item_id):
        raise item_not_found(item_id)
    await repository.forget_over(tx, now)
    before = await repository.state_of(tx, item_id, user_id)
    if state == "gone":
        await repository.drop(tx, item_id, user_id)
    else:
        await repository.put(tx, item_id, user_id, state, now + LASTS)
        await repository.keep_latest(tx, user_id, PLACES)
    if before != (None if state == "gone" else state):
        await tx.wake_followers()
    found = by_item(await repository.present(tx, scope, now, item_id=item_id))
    return found[0] if found else PresenceOut(item_id=item_id, people=[])


async def moments(reader: Reader, clock: Clock) -> list[Moment]:
    """Who is where, for open streams: a message an item."""
    rows = await repository.present(reader, EVERYTHING, clock.now())
    found = []
    for item_id, group in groupby(rows, key=lambda row: int(row.item_id)):
        people = list(group)
        found.append(
            Moment(
                key=item_id,
                source_id=people[0].source_id,
                direct=people[0].visibility == "direct",
                part=_message(by_item(people)[0]),
                over=_message(PresenceOut(item_id=item_id, people=[])),
            )
        )
    return found


def _message(told: PresenceOut) -> bytes:
    """Without an id: it is no event, and nobody resumes after it."""
    return b"event: presence\ndata: %b\n\n" % _encoder.encode(told)
