"""The rows of a source's streams, made to fit what its connector reads now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from app.connectors.base import StreamSpec
from app.db import Database
from app.sources import repository, streams
from app.sources.coverage import RETIRED
from app.sources.drafts import lost_by_design, stream_rows


async def fit_streams(
    db: Database,
    source: Row[Any],
    rows: Sequence[Row[Any]],
    specs: Sequence[StreamSpec],
    now: datetime,
) -> Sequence[Row[Any]]:
    """Other settings, or a newer version of a connector, may read other streams than when the
    source was connected. One that is no longer read keeps its row, for when it comes back.
    """
    known = {row.name: row for row in rows}
    missing = [spec for spec in specs if spec.name not in known]
    changes = _changes(known, specs, now)
    if not missing and not changes:
        return rows
    backfill = timedelta(seconds=source.backfill)
    async with db.write() as tx:
        added = stream_rows(source.id, missing, now=now, backfill=backfill)
        await repository.add_streams(tx, added)
        for name, values in changes.items():
            await streams.save_stream(tx, known[name].id, values)
    return await repository.streams_of(db, [source.id])


def _changes(
    known: Mapping[str, Row[Any]], specs: Sequence[StreamSpec], now: datetime
) -> dict[str, dict[str, Any]]:
    """What the rows of streams must say for these specs."""
    changes: dict[str, dict[str, Any]] = {}
    for spec in specs:
        row = known.get(spec.name)
        if row is None:
            continue
        if row.state == RETIRED:
            back = {"state": "behind", "cause": "not_read_yet", "next_poll_at": now}
            changes.setdefault(spec.name, {}).update(back)
        if row.lost != lost_by_design(spec):
            changes.setdefault(spec.name, {})["lost"] = lost_by_design(spec)
    for name in known.keys() - {spec.name for spec in specs}:
        if known[name].state != RETIRED:
            changes[name] = {"state": RETIRED, "cause": None, "next_poll_at": None}
    return changes
