"""What has been read and what has not: the proof beside every list and count."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, select

from app.clock import Clock, Stamp, monotonic, stamp
from app.connectors.base import Shape
from app.db import Database, Reader
from app.scope import Scope
from app.sources import streams as stream_rows
from app.sources.models import gap, source, stream
from app.sources.streams import Unseen

DAY = timedelta(hours=24)
LATE_AFTER = timedelta(minutes=15)
CACHE_SECONDS = 1.0
WATCH_ENDED = (
    "{} threads in which nothing has happened for 90 days are read again only when the platform "
    "shows that they have changed."
)
COUNTER_DIFFERS = (
    "The platform counts {} messages more below its threads than it shows, however often they are "
    "read."
)
RETIRED = "retired"
"""The state of a stream that present settings no longer read: it is nobody's gap."""


class GapOut(msgspec.Struct, kw_only=True):
    """A range that is known not to have been read, or (`lost`) never can be."""

    from_at: Stamp | None = msgspec.field(name="from")
    to_at: Stamp | None = msgspec.field(name="to")
    cause: str


class LostOut(msgspec.Struct, kw_only=True):
    """What the platform never gives, by design or because it was too late."""

    cause: str
    detail: str
    from_at: Stamp | None = msgspec.field(name="from", default=None)
    to_at: Stamp | None = msgspec.field(name="to", default=None)


class BackfillOut(msgspec.Struct, kw_only=True):
    """The first read-back: how many were read and back to when; `back_to` is null before it."""

    done: bool
    paused: bool
    read: int
    since: Stamp | None
    back_to: Stamp | None


class StreamCoverage(msgspec.Struct, kw_only=True):
    """How far one stream has been read. `state` is one of ok, behind, rate_limited, auth_failed,
    blind, paused, error; `covered_through` is null while nothing has been read.
    """

    source_id: int
    source_name: str
    platform: str
    stream: str
    state: str
    cause: str | None
    covered_from: Stamp | None
    covered_through: Stamp | None
    last_ok_at: Stamp | None
    open_gaps: list[GapOut]
    recovered_24h: int
    backfill: BackfillOut
    lost: list[LostOut] = []


class Coverage(msgspec.Struct, kw_only=True):
    """`complete` says that nothing is missing up to `as_of`; `streams` holds what is not complete
    (in `GET /coverage`: every stream).
    """

    as_of: Stamp
    complete: bool
    streams: list[StreamCoverage]


def backfill_of(row: Row[Any]) -> BackfillOut:
    progress: Mapping[str, Any] = row.backfill or {}
    back_to = progress.get("back_to")
    return BackfillOut(
        done=row.backfill_done_at is not None,
        paused=row.backfill_paused,
        read=int(progress.get("read", 0)),
        since=stamp(row.backfill_since),
        back_to=back_to,
    )


def lost_of(row: Row[Any], gaps: Sequence[Row[Any]], unseen: Unseen) -> list[LostOut]:
    """What is lost by the platform's design, what may be lost below threads that are no longer
    watched, what the platform counts and does not show, then the ranges that were lost.
    """
    by_design = [LostOut(cause=lost["cause"], detail=lost["detail"]) for lost in row.lost or ()]
    if unseen.resting:
        by_design.append(LostOut(cause="watch_ended", detail=WATCH_ENDED.format(unseen.resting)))
    if unseen.unaccounted:
        differs = COUNTER_DIFFERS.format(unseen.unaccounted)
        by_design.append(LostOut(cause="counter_differs", detail=differs))
    ranges = [
        LostOut(cause=gap.cause, detail="", from_at=stamp(gap.from_at), to_at=stamp(gap.to_at))
        for gap in gaps
        if gap.lost
    ]
    return by_design + ranges


def is_complete(row: StreamCoverage) -> bool:
    """Nothing to worry about: read to the present, no hole, the past read back."""
    return row.state == "ok" and not row.open_gaps and row.backfill.done


def state_of(
    row: Row[Any], now: datetime, *, paused: bool, poll_interval: int
) -> tuple[str, str | None]:
    """The state a stream shows: what the last poll said, unless it has silently become late.

    The look comes from outside the poll: a stream is late when its last success is older than
    three intervals (at least 15 minutes), whatever its own row believes.
    """
    if paused:
        return "paused", None
    if row.state == "ok":
        allowed = max(timedelta(seconds=3 * poll_interval), LATE_AFTER)
        if row.last_ok_at is None:
            return "behind", "not_read_yet"
        due = row.next_poll_at
        if now - row.last_ok_at > allowed and (due is None or now - due > allowed):
            return "behind", "late"
    return row.state, row.cause


async def read_coverage(
    reader: Reader, scope: Scope, now: datetime, source_ids: Collection[int] | None = None
) -> list[StreamCoverage]:
    """Every stream a caller may see (of `source_ids`, where given), by source and name."""
    statement = (
        select(
            stream,
            source.c.name.label("source_name"),
            source.c.platform,
            source.c.paused,
            source.c.poll_interval,
        )
        .select_from(stream.join(source))
        .where(stream.c.state != RETIRED)
        .order_by(source.c.platform, source.c.name, stream.c.id)
    )
    if scope.sources is not None:
        statement = statement.where(source.c.id.in_(scope.sources))
    if source_ids is not None:
        statement = statement.where(source.c.id.in_(source_ids))
    rows = await reader.rows(statement)
    ids = [row.id for row in rows]
    gaps = await _gaps_by_stream(reader, ids)
    recovered = await stream_rows.recovered_since(reader, ids, now - DAY) if ids else {}
    lists = [row.id for row in rows if row.shape == Shape.PARENT]
    unseen = await stream_rows.unseen_below(reader, lists) if lists else {}
    covered = []
    for row in rows:
        one = _covered(row, gaps.get(row.id, ()), recovered.get(row.id, 0), now)
        one.lost = lost_of(row, gaps.get(row.id, ()), unseen.get(row.id, Unseen()))
        covered.append(one)
    return covered


async def _gaps_by_stream(reader: Reader, ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = {}
    if ids:
        statement = select(gap).where(gap.c.closed_at.is_(None)).order_by(gap.c.to_at.desc())
        for row in await reader.rows(statement):
            found.setdefault(row.stream_id, []).append(row)
    return found


def _covered(
    row: Row[Any], gaps: Sequence[Row[Any]], recovered: int, now: datetime
) -> StreamCoverage:
    state, cause = state_of(row, now, paused=row.paused, poll_interval=row.poll_interval)
    unread = [gap for gap in gaps if not gap.lost]
    return StreamCoverage(
        source_id=row.source_id,
        source_name=row.source_name,
        platform=row.platform,
        stream=row.name,
        state=state,
        cause=cause,
        covered_from=stamp(row.covered_from),
        covered_through=stamp(row.covered_through),
        last_ok_at=stamp(row.last_ok_at),
        open_gaps=[
            GapOut(from_at=stamp(g.from_at), to_at=stamp(g.to_at), cause=g.cause) for g in unread
        ],
        recovered_24h=recovered,
        backfill=backfill_of(row),
    )


class CoverageBlock:
    """The `coverage` block of lists and counts, read again when the database has changed.

    On PostgreSQL, where other processes' commits can't be seen, at the latest after a second.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._seen: dict[Scope, tuple[object, Coverage]] = {}

    async def block(self, scope: Scope) -> Coverage:
        now = self._clock.now()
        seconds = int(monotonic() / CACHE_SECONDS), int(now.timestamp() / CACHE_SECONDS)
        mark = (self._db.data_version(), seconds)
        held = self._seen.get(scope)
        if held is None or held[0] != mark:
            rows = await read_coverage(self._db, scope, now)
            troubled = [row for row in rows if not is_complete(row)]
            for row in troubled:
                row.lost = []
            block = Coverage(as_of=stamp(now), complete=not troubled, streams=troubled)
            if len(self._seen) > 256:  # noqa: PLR2004  # scopes are few; this is only a lid
                self._seen.clear()
            held = self._seen[scope] = (mark, block)
        return msgspec.structs.replace(held[1], as_of=stamp(now))
