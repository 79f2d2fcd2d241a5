"""What may happen to a person's record: it is read, muted, annotated."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from app.db import Reader, Tx
from app.errors import NotFound, VersionMismatch
from app.inbox.authors import muting, repository
from app.inbox.authors.schemas import (
    AuthorDetail,
    history_out,
    person_fields,
    person_out,
    source_history,
)
from app.inbox.filtering import ItemFilter
from app.inbox.listing import page_items
from app.inbox.schemas import item_out
from app.outbox.events import Actor, Event, record
from app.scope import Scope

RECENT = 20
_SECOND = timedelta(seconds=1)
_EVERYTHING_OF = ItemFilter(
    statuses=(), snoozed="include", backlog="include", needs_reply=None, order="newest"
)


async def author_detail(
    reader: Reader, scope: Scope, author_id: int, now: datetime
) -> AuthorDetail:
    """A person with what they wrote to the sources that the caller may see."""
    row = await get_author(reader, scope, author_id)
    by_source = await repository.history_by_source(reader, scope, author_id)
    median = await _median(reader, scope, author_id, sum(int(r.timed) for r in by_source))
    wanted = replace(_EVERYTHING_OF, author_id=author_id)
    recent = await page_items(reader, scope, wanted, now=now, after=None, limit=RECENT)
    return AuthorDetail(
        **person_fields(row),
        history=history_out(by_source, median),
        by_source=[source_history(each) for each in by_source],
        recent=[item_out(each, now) for each in recent],
    )


async def get_author(reader: Reader, scope: Scope, author_id: int) -> Row[Any]:
    row = await repository.find_author(reader, scope, author_id)
    if row is None:
        raise NotFound(f"There is no author {author_id} that you may see.")
    return row


async def _median(reader: Reader, scope: Scope, author_id: int, number: int) -> float | None:
    if number == 0:
        return None
    rows = await repository.middle_answers(reader, scope, author_id, number)
    times = [(row.answered_at - row.occurred_at) / _SECOND for row in rows]
    return sum(times) / len(times) if times else None


async def change_author(
    tx: Tx,
    scope: Scope,
    author_id: int,
    *,
    muted: bool | None,
    notes: str | None,
    actor: Actor,
    now: datetime,
    versions: frozenset[int] | None,
) -> None:
    """Mutes or unmutes a person, and keeps notes about them (`""`: none); `None` leaves as it is.

    What holds already is no change and no event.
    """
    await get_author(tx, scope, author_id)
    row = await repository.lock_author(tx, author_id)
    if row is None:  # removed between the two looks
        raise NotFound(f"There is no author {author_id} that you may see.")
    if versions is not None and row.version not in versions:
        raise VersionMismatch(
            f"The author is at version {row.version} by now. Look at it, then decide again.",
            extra={"current": person_out(row)},
            headers={"ETag": f'"v{row.version}"'},
        )
    if muted:
        await muting.mute(tx, [author_id], actor, now)
    elif muted is not None:
        await muting.unmute(tx, author_id, actor, now)
    if notes is not None and notes != (row.notes or ""):
        await repository.change_author(tx, author_id, notes or None)
        told = {"author_id": author_id}
        record(tx, Event(type="author.noted", at=now, actor=actor, details=told))
