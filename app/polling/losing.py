"""What can never be read any more: ranges of time, written down with the page that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from app.connectors.base import Page
from app.db import Tx
from app.sources import streams

if TYPE_CHECKING:
    from app.polling.reading import Reading

CAP = "cap"
RETENTION = "retention"
MISSING = "missing"
"""Why a range is lost: the platform shows no more, it keeps no more, or its own numbers say that
something was taken out of its queue by somebody else.
"""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lost:
    """A range of the platform's time; an open end is `None`."""

    from_at: datetime | None
    to_at: datetime | None
    cause: str


def lost_by_queue(reading: Reading, page: Page) -> Lost | None:
    """What a QUEUE has let go before this page: what had waited longer than the queue keeps it,
    else what its numbers show to be missing.
    """
    known: datetime = reading.row.covered_through or reading.row.backfill_since
    keeps, now = reading.spec.keeps, reading.clock.now()
    if keeps is not None and known < now - keeps:
        return Lost(known, now - keeps, RETENTION)
    if not page.missing:
        return None
    return Lost(known, max(known, page.oldest_at or now), MISSING)


async def write_lost(reading: Reading, lost: Lost, tx: Tx) -> None:
    """Stores a range that can never be read; it stays visible."""
    lost_id = await streams.open_gap(
        tx,
        reading.row.id,
        from_at=lost.from_at,
        to_at=lost.to_at,
        cursor=None,
        cause=lost.cause,
        now=reading.clock.now(),
        lost=True,
    )
    _log.warning("a range was lost", stream=reading.row.name, gap=lost_id, cause=lost.cause)
