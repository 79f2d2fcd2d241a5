"""What polling had missed and a later reading found: counted, told, and logged as an alarm."""

from __future__ import annotations

import structlog

from app.db import Tx
from app.outbox.events import POLLER, Event, record
from app.polling.reading import Reading
from app.sources import streams

_log = structlog.get_logger(__name__)


async def note_recovered(reading: Reading, items: int, tx: Tx) -> None:
    """Notes so many items in the transaction that stores the last of them."""
    now = reading.clock.now()
    await streams.record_recovery(tx, reading.row.id, now, items)
    details = {"stream": reading.row.name, "items": items}
    found = Event(
        type="source.recovered_items",
        at=now,
        actor=POLLER,
        source_id=reading.row.source_id,
        details=details,
    )
    record(tx, found)
    _log.warning("a second look found what polling had missed", **details)
