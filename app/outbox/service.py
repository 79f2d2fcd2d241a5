"""The change feed: what happened since a number, as far as a caller may see it."""

from __future__ import annotations

from dataclasses import dataclass

from app.db import Reader
from app.errors import FieldError, InvalidRequest
from app.outbox import repository
from app.outbox.repository import Span
from app.outbox.schemas import EventFeed, event_out
from app.scope import Scope

SCANNED_AT_MOST = 20_000
"""Numbers that one call looks at: a rare type must not make it read a whole table."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events. `after` `None`: from the first that is kept. `newest`: the last page instead
    of the next one, newest first.
    """

    after: int | None = None
    types: tuple[str, ...] = ()
    source_ids: tuple[int, ...] = ()
    limit: int = 50
    newest: bool = False


def check_after(after: int, span: Span) -> None:
    """Refuses a number that was never given: the database is another one, or an older copy."""
    if after > span.last:
        detail = (
            f"There is no event {after}: the newest is {span.last}. The database was probably "
            "restored from a backup. Read the items anew and go on from the newest."
        )
        raise InvalidRequest(detail, errors=[FieldError("?after", "unknown_event", detail)])


async def read_feed(reader: Reader, scope: Scope, wanted: Wanted, span: Span) -> EventFeed:
    """A page of the feed. `span` was read before: what is committed since comes with the next."""
    after = wanted.after or 0
    start = max(after, span.forgotten)
    missed = wanted.after is not None and after < span.forgotten
    if wanted.newest:
        start = max(start, span.last - SCANNED_AT_MOST)
    through = min(span.last, start + SCANNED_AT_MOST)
    rows = (
        await repository.events_after(
            reader,
            scope,
            start,
            wanted.types,
            wanted.limit + 1,
            through=through,
            source_ids=wanted.source_ids,
            newest=wanted.newest,
        )
        if start < through
        else ()
    )
    shown, full = rows[: wanted.limit], len(rows) > wanted.limit
    reached = shown[-1].seq if full and not wanted.newest else through
    return EventFeed(
        items=[event_out(row) for row in shown],
        next_after=reached,
        more=reached < span.last,
        missed=missed,
    )
