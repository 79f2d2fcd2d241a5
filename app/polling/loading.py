"""What polls must know before they begin, read for all of a tick together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.db import Database
from app.inbox import rereads
from app.inbox.arrivals import Us
from app.sources import repository, streams


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source about to be polled: its row, its streams' rows, who we are on it; which streams
    have something in quarantine, which have open gaps; whether items are due to be read again.
    """

    source: Row[Any]
    streams: Sequence[Row[Any]]
    us: Us
    with_quarantine: frozenset[int]
    with_gaps: frozenset[int]
    rereads_due: bool


async def load(db: Database, source_ids: Collection[int], now: datetime) -> dict[int, Loaded]:
    """Those of these sources that are there, by id."""
    sources = await repository.sources_of(db, source_ids)
    rows = _by_source(await repository.streams_of(db, source_ids))
    ours = _by_source(await repository.us_of(db, source_ids))
    ids = [row.id for found in rows.values() for row in found]
    held = await repository.quarantine_size(db, ids)
    gaps = {gap.stream_id for gap in await streams.open_gaps(db, ids)}
    due = await rereads.with_due_rereads(db, source_ids, now)
    return {
        source.id: Loaded(
            source=source,
            streams=rows[source.id],
            us=_us(ours[source.id]),
            with_quarantine=frozenset(held),
            with_gaps=frozenset(gaps),
            rereads_due=source.id in due,
        )
        for source in sources
    }


def _by_source(rows: Sequence[Row[Any]]) -> defaultdict[int, list[Row[Any]]]:
    found: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.source_id].append(row)
    return found


def _us(rows: Sequence[Row[Any]]) -> Us:
    values = {row.value for row in rows} | {row.value.lower() for row in rows}
    bots = [row.value for row in rows if row.automated]
    return Us(frozenset(values), frozenset([*bots, *(bot.lower() for bot in bots)]))
