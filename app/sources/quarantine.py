"""What could not be read: shown with its reason, tried again when somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Row, delete, select, update

from app.clock import Stamp, stamp
from app.db import Reader, Tx
from app.errors import NotFound
from app.scope import Scope
from app.sources.models import quarantine, source, stream, watched
from app.sources.streams import save_stream, unpacked

TRIED_A_POLL = 50


class QuarantinedOut(msgspec.Struct, kw_only=True):
    """A message that could not be read. `raw` is what the platform sent for it, as text, cut at
    64 KiB; `attempts` counts how often it was met.
    """

    id: int
    source_id: int
    source_name: str
    platform: str
    stream: str
    external_id: str | None
    reason: str
    raw: str
    first_seen_at: Stamp
    last_seen_at: Stamp
    attempts: int


class QuarantineList(msgspec.Struct, kw_only=True):
    items: list[QuarantinedOut]
    next_cursor: str | None


_JOINED = quarantine.join(stream, stream.c.id == quarantine.c.stream_id).join(
    source, source.c.id == stream.c.source_id
)
_COLUMNS = (
    quarantine,
    stream.c.name.label("stream_name"),
    stream.c.source_id,
    source.c.name.label("source_name"),
    source.c.platform,
)


def _visible(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope.sources is None else [source.c.id.in_(scope.sources)]


async def page_quarantine(
    reader: Reader, scope: Scope, source_id: int | None, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """What is in quarantine, the newest first, with an id below `before`."""
    wanted = _visible(scope)
    if source_id is not None:
        wanted.append(source.c.id == source_id)
    if before is not None:
        wanted.append(quarantine.c.id < before)
    statement = select(*_COLUMNS).select_from(_JOINED).where(*wanted)
    return await reader.rows(statement.order_by(quarantine.c.id.desc()).limit(limit))


async def get_quarantined(reader: Reader, scope: Scope, entry_id: int) -> Row[Any]:
    statement = (
        select(*_COLUMNS).select_from(_JOINED).where(quarantine.c.id == entry_id, *_visible(scope))
    )
    rows = await reader.rows(statement)
    if not rows:
        raise NotFound(f"There is nothing in quarantine with the id {entry_id} (any more).")
    return rows[0]


async def with_ids_of(reader: Reader, source_id: int) -> Sequence[Row[Any]]:
    """(id, external_id, digest, stream_name) of what is in quarantine and could be asked for."""
    statement = (
        select(
            quarantine.c.id,
            quarantine.c.external_id,
            quarantine.c.digest,
            stream.c.name.label("stream_name"),
        )
        .select_from(_JOINED)
        .where(source.c.id == source_id, quarantine.c.external_id.is_not(None))
        .order_by(quarantine.c.id)
        .limit(TRIED_A_POLL)
    )
    return await reader.rows(statement)


async def forget_quarantined(tx: Tx, entry_id: int) -> None:
    """The platform says that the message is gone: nobody waits for it any more."""
    await tx.execute(delete(quarantine).where(quarantine.c.id == entry_id))


def quarantined_out(row: Row[Any]) -> QuarantinedOut:
    return QuarantinedOut(
        id=row.id,
        source_id=row.source_id,
        source_name=row.source_name,
        platform=row.platform,
        stream=row.stream_name,
        external_id=row.external_id,
        reason=row.reason,
        raw=unpacked(row.raw),
        first_seen_at=stamp(row.first_seen_at),
        last_seen_at=stamp(row.last_seen_at),
        attempts=row.attempts,
    )


EXAMPLE = QuarantineList(
    items=[
        QuarantinedOut(
            id=3,
            source_id=1,
            source_name="shop",
            platform="mastodon",
            stream="notifications",
            external_id="119",
            reason="the time of the status is missing",
            raw='{"id":"119","type":"mention"}',
            first_seen_at="2026-11-23T14:02:11.000Z",
            last_seen_at="2026-11-23T14:02:11.000Z",
            attempts=1,
        )
    ],
    next_cursor=None,
)


async def read_anew(row: Row[Any], now: datetime, tx: Tx) -> None:
    """Lets a retry find an entry without an id. Only reading its list again can bring that: the
    one of its stream, or one below a thread. A thread that was not read since the entry was last
    met does not hold it; where that is so, it is read again even if it has come to rest.
    """
    if row.external_id is not None:
        return
    await save_stream(tx, row.stream_id, {"daily_look_at": now})
    below = update(watched).where(
        watched.c.stream_id == row.stream_id, watched.c.last_read_at >= row.last_seen_at
    )
    await tx.execute(below.values(next_read_at=now, counter_read=None))
