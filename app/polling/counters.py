"""The platform's own count of what stands below a parent, against what is known of it."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import Row

from app.inbox import absence
from app.polling.reading import Reading, Shown

READINGS = 3
"""So many complete readings in a row that show fewer than the platform counts are its last word."""
_log = structlog.get_logger(__name__)


async def compare_counter(reading: Reading, row: Row[Any], shown: Shown) -> dict[str, Any]:
    """What a watched row says after a complete reading, where its platform counts exactly.

    Where messages are missing the parent is read again with the next poll, a few times; what is
    missing then is `unaccounted`, until a reading shows it or the counter falls.
    """
    if not (reading.spec.counts_exactly and shown.whole) or row.counter is None:
        return {}
    missing = await _missing(reading, row, shown)
    if missing <= row.unaccounted:
        return {"unaccounted": missing, "counter_reads": 0}
    readings = row.counter_reads + 1
    if readings < READINGS:
        again = reading.clock.now() + reading.storing.interval
        return {"counter_reads": readings, "next_read_at": again}
    details = {"stream": reading.row.name, "parent": row.external_id, "messages": missing}
    _log.warning("the platform counts more than it shows", **details)
    return {"unaccounted": missing, "counter_reads": 0}


async def _missing(reading: Reading, row: Row[Any], shown: Shown) -> int:
    """How many messages are counted and neither shown nor stored. One that is known to be gone
    counts as known: the counter may have been told before it went.
    """
    root, counter = {row.external_id}, int(row.counter)
    if len(shown.ids - root) + shown.skipped >= counter:
        return 0
    known = await absence.known_below(reading.storing.db, reading.storing.source_id, *root)
    return max(0, counter - len((shown.ids | known) - root) - shown.skipped)
