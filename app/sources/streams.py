"""All SQL about streams: their state, gaps, watched parents, recoveries and quarantine."""

from __future__ import annotations

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    Row,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    update,
)

from app.connectors.base import Parent, Unparsed
from app.db import Reader, Tx, UtcTime
from app.sources.models import gap, quarantine, recovery, stream, watched

RAW_LIMIT = 64 * 1024


def as_state(row: Row[Any]) -> SimpleNamespace:
    """A stream's row that a poll may keep up to date as it goes."""
    return SimpleNamespace(**{column.name: getattr(row, column.name) for column in stream.c})


_THESE: BindParameter[Any] = bindparam("these", expanding=True)
_SAVING = update(stream).where(stream.c.id == bindparam("this"))
_OPEN_GAPS = (
    select(gap)
    .where(gap.c.stream_id.in_(_THESE), gap.c.closed_at.is_(None), gap.c.lost.is_(False))
    .order_by(gap.c.to_at.desc(), gap.c.id)
)


async def save_stream(tx: Tx, stream_id: int, values: Mapping[str, Any]) -> None:
    """Sets these columns of a stream's row."""
    await tx.execute(_SAVING, {"this": stream_id, **values})


async def save_streams(tx: Tx, changes: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """The same for many: one statement for each set of columns."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for stream_id, values in changes:
        alike[tuple(sorted(values))].append({"this": stream_id, **values})
    for _, rows in sorted(alike.items()):
        await tx.execute(_SAVING, rows)


async def open_gaps(reader: Reader, stream_ids: Collection[int]) -> Sequence[Row[Any]]:
    """Ranges that can still be read, newest first: the inbox is useful soonest that way."""
    return await reader.rows(_OPEN_GAPS, {"these": sorted(stream_ids)})


async def known_gaps(reader: Reader, stream_ids: Collection[int]) -> Sequence[Row[Any]]:
    """Open gaps and lost ranges."""
    statement = select(gap).where(gap.c.stream_id.in_(stream_ids), gap.c.closed_at.is_(None))
    return await reader.rows(statement.order_by(gap.c.stream_id, gap.c.id))


async def open_gap(
    tx: Tx,
    stream_id: int,
    *,
    from_at: datetime | None,
    to_at: datetime | None,
    cursor: Mapping[str, Any] | None,
    cause: str,
    now: datetime,
    lost: bool = False,
    entries: int = 0,
) -> int:
    """Writes down a range that has not been read; `entries` of its list lie above it.

    The same range again opens the same row. If that was closed, the whole range counts as unread
    once more; if it is open, what earlier walks have read at its upper end stays read.
    """
    key = f"{_stamp(from_at)}..{_stamp(to_at)}"
    values = {
        "stream_id": stream_id,
        "range_key": key,
        "from_at": from_at,
        "to_at": to_at,
        "cursor": None if cursor is None else dict(cursor),
        "cause": cause,
        "lost": lost,
        "opened_at": now,
        "entries": entries,
    }
    adding = tx.insert(gap).values(**values)
    under_way = and_(
        gap.c.closed_at.is_(None), gap.c.lost.is_(False), gap.c.to_at < literal(to_at, UtcTime())
    )
    again = {
        name: case((under_way, gap.c[name]), else_=adding.excluded[name])
        for name in ("to_at", "cursor", "entries", "opened_at")
    }
    statement = adding.on_conflict_do_update(
        index_elements=["stream_id", "range_key"],
        set_={**again, "cause": cause, "lost": lost, "closed_at": None},
    ).returning(gap.c.id)
    return int((await tx.execute(statement)).scalar_one())


def _stamp(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


async def shrink_gap(
    tx: Tx,
    gap_id: int,
    *,
    to_at: datetime | None,
    cursor: Mapping[str, Any] | None,
    cause: str,
    entries: int,
) -> None:
    """What was read at its upper end no longer belongs to the gap, which never grows by that: a
    walk from the top may still be above what an earlier one had read.
    """
    kept = None if cursor is None else dict(cursor)
    lower = or_(gap.c.to_at.is_(None), gap.c.to_at >= literal(to_at, UtcTime()))
    await tx.execute(
        update(gap)
        .where(gap.c.id == gap_id, lower)
        .values(to_at=to_at, cursor=kept, cause=cause, entries=entries)
    )


async def push_gaps_down(tx: Tx, gap_ids: Collection[int], by: int) -> None:
    """So many more entries lie above these gaps in their list."""
    await tx.execute(update(gap).where(gap.c.id.in_(gap_ids)).values(entries=gap.c.entries + by))


async def name_gaps(tx: Tx, stream_id: int, cause: str) -> None:
    """Says why a walk that was under way has stopped; the read-back keeps its own name."""
    await tx.execute(
        update(gap)
        .where(gap.c.stream_id == stream_id, gap.c.closed_at.is_(None), gap.c.cause == "reading")
        .values(cause=cause)
    )


async def close_gap(tx: Tx, gap_id: int, now: datetime) -> None:
    await tx.execute(update(gap).where(gap.c.id == gap_id).values(closed_at=now))


async def watch(tx: Tx, stream_id: int, parents: Sequence[Parent], now: datetime) -> None:
    """Adds parents to a watch list; a new one, or one whose counter or time has changed, is due
    at once.
    """
    if not parents:
        return
    rows = [
        {
            "stream_id": stream_id,
            "external_id": parent.external_id,
            "extra": parent.extra,
            "created_at": parent.created_at,
            "changed_at": parent.changed_at,
            "counter": parent.counter,
            "next_read_at": now,
            "first_seen_at": now,
        }
        for parent in {p.external_id: p for p in parents}.values()
    ]
    adding = tx.insert(watched)
    new = adding.excluded
    changed = or_(
        new.counter.is_distinct_from(watched.c.counter),
        new.changed_at.is_distinct_from(watched.c.changed_at),
    )
    await tx.execute(
        adding.on_conflict_do_update(
            index_elements=["stream_id", "external_id"],
            set_={
                "extra": new.extra,
                "created_at": new.created_at,
                "changed_at": new.changed_at,
                "counter": new.counter,
                "next_read_at": case((changed, new.next_read_at), else_=watched.c.next_read_at),
            },
        ),
        rows,
    )


async def parents_that_changed(
    reader: Reader, stream_id: int, parents: Sequence[Parent]
) -> list[Parent]:
    """Those of `parents` that a watch list does not hold just so."""
    ids = [parent.external_id for parent in parents]
    statement = select(watched.c.external_id, watched.c.counter, watched.c.changed_at).where(
        watched.c.stream_id == stream_id, watched.c.external_id.in_(ids)
    )
    held = {row.external_id: (row.counter, row.changed_at) for row in await reader.rows(statement)}
    return [p for p in parents if held.get(p.external_id, ()) != (p.counter, p.changed_at)]


async def due_parents(
    reader: Reader, stream_id: int, now: datetime, limit: int
) -> Sequence[Row[Any]]:
    """Watched parents whose time has come, longest due first."""
    statement = (
        select(watched)
        .where(watched.c.stream_id == stream_id, watched.c.next_read_at <= bindparam("now"))
        .order_by(watched.c.next_read_at)
        .limit(limit)
    )
    return await reader.rows(statement, {"now": now})


@dataclass(frozen=True, slots=True)
class Unseen:
    """What a watch list may not see: how many of its parents `rest`, and how many messages the
    platform counts below its parents and does not show (`unaccounted`).
    """

    resting: int = 0
    unaccounted: int = 0


async def unseen_below(reader: Reader, stream_ids: Collection[int]) -> dict[int, Unseen]:
    """What watch lists may not see, by stream; none where all is seen."""
    resting = await _resting_parents(reader, stream_ids)
    unaccounted = await _unaccounted(reader, stream_ids)
    return {
        key: Unseen(resting.get(key, 0), unaccounted.get(key, 0))
        for key in resting.keys() | unaccounted.keys()
    }


async def _unaccounted(reader: Reader, stream_ids: Collection[int]) -> dict[int, int]:
    statement = (
        select(watched.c.stream_id, func.sum(watched.c.unaccounted).label("unaccounted"))
        .where(watched.c.stream_id.in_(stream_ids), literal_column("unaccounted > 0"))
        .group_by(watched.c.stream_id)
    )
    return {row.stream_id: int(row.unaccounted) for row in await reader.rows(statement)}


async def _resting_parents(reader: Reader, stream_ids: Collection[int]) -> dict[int, int]:
    statement = (
        select(watched.c.stream_id, func.count().label("resting"))
        .where(watched.c.stream_id.in_(stream_ids), watched.c.next_read_at.is_(None))
        .group_by(watched.c.stream_id)
    )
    return {row.stream_id: int(row.resting) for row in await reader.rows(statement)}


async def wake_parents(
    tx: Tx, stream_ids: Collection[int], external_ids: Collection[str], now: datetime
) -> None:
    """Somebody has written below these parents: those that rest are watched again."""
    await tx.execute(
        update(watched)
        .where(
            watched.c.stream_id.in_(stream_ids),
            watched.c.external_id.in_(external_ids),
            watched.c.next_read_at.is_(None),
        )
        .values(next_read_at=now)
    )


async def unread_parents(reader: Reader, stream_id: int, now: datetime) -> tuple[int, int]:
    """How many parents wait to be read, and how many of them have never been read."""
    unread = func.count().filter(watched.c.last_read_at.is_(None))
    statement = select(func.count().label("due"), unread.label("never")).where(
        watched.c.stream_id == stream_id, watched.c.next_read_at <= bindparam("now")
    )
    row = (await reader.rows(statement, {"now": now}))[0]
    return int(row.due), int(row.never)


async def save_parent(tx: Tx, watched_id: int, values: Mapping[str, Any]) -> None:
    await tx.execute(update(watched).where(watched.c.id == watched_id).values(**values))


async def save_read_parent(tx: Tx, read: Row[Any], values: Mapping[str, Any]) -> None:
    """Saves what reading a parent led to. If its counter or time has changed since it was `read`,
    the change is unread: it stays due as it is.
    """
    unchanged = and_(
        watched.c.counter.is_not_distinct_from(read.counter),
        watched.c.changed_at.is_not_distinct_from(literal(read.changed_at, UtcTime())),
    )
    at = literal(values["next_read_at"], UtcTime())
    kept = {"next_read_at": case((unchanged, at), else_=watched.c.next_read_at)}
    await save_parent(tx, read.id, {**values, **kept})


async def forget_parent(tx: Tx, watched_id: int) -> None:
    await tx.execute(delete(watched).where(watched.c.id == watched_id))


async def record_recovery(tx: Tx, stream_id: int, at: datetime, found: int) -> None:
    """A second look found `found` items that polling had missed."""
    await tx.execute(insert(recovery).values(stream_id=stream_id, at=at, found=found))


async def recovered_since(
    reader: Reader, stream_ids: Collection[int], since: datetime
) -> dict[int, int]:
    """Recovered items by stream."""
    statement = (
        select(recovery.c.stream_id, func.sum(recovery.c.found).label("found"))
        .where(recovery.c.stream_id.in_(stream_ids), recovery.c.at >= since)
        .group_by(recovery.c.stream_id)
    )
    return {row.stream_id: int(row.found) for row in await reader.rows(statement)}


def packed(raw: Any) -> bytes:
    """JSON, cut to 64 KiB, compressed: for raw bodies and quarantine."""
    return zlib.compress(msgspec.json.encode(raw)[:RAW_LIMIT], 6)


def unpacked(body: bytes) -> str:
    """The JSON text of `packed`; it may end in the middle where it was cut."""
    return zlib.decompress(body).decode("utf-8", "replace")


def digest(unparsed: Unparsed) -> str:
    """What makes two bad entries the same: their id, or else their content."""
    material = unparsed.external_id or msgspec.json.encode(unparsed.raw)
    data = material.encode() if isinstance(material, str) else material
    return hashlib.blake2b(data, digest_size=20).hexdigest()


async def in_quarantine(reader: Reader, stream_id: int, digests: Collection[str]) -> set[str]:
    statement = select(quarantine.c.digest).where(
        quarantine.c.stream_id == stream_id, quarantine.c.digest.in_(digests)
    )
    return {row.digest for row in await reader.rows(statement)}


async def quarantined_ids(
    reader: Reader, stream_id: int, external_ids: Collection[str]
) -> list[str]:
    """Those of `external_ids` that are in quarantine."""
    statement = select(quarantine.c.external_id).where(
        quarantine.c.stream_id == stream_id, quarantine.c.external_id.in_(external_ids)
    )
    return sorted({row.external_id for row in await reader.rows(statement)})


async def put_in_quarantine(tx: Tx, stream_id: int, bad: Sequence[Unparsed], now: datetime) -> None:
    """Keeps what could not be read, with the reason; the same entry again only counts up."""
    rows = [
        {
            "stream_id": stream_id,
            "external_id": entry.external_id,
            "digest": digest(entry),
            "reason": entry.reason,
            "raw": packed(entry.raw),
            "first_seen_at": now,
            "last_seen_at": now,
        }
        for entry in {digest(entry): entry for entry in bad}.values()
    ]
    adding = tx.insert(quarantine)
    await tx.execute(
        adding.on_conflict_do_update(
            index_elements=["stream_id", "digest"],
            set_={
                "reason": adding.excluded.reason,
                "last_seen_at": adding.excluded.last_seen_at,
                "attempts": quarantine.c.attempts + 1,
            },
        ),
        rows,
    )


async def release_from_quarantine(tx: Tx, stream_id: int, external_ids: Collection[str]) -> int:
    """What could be read after all leaves quarantine; returns how many did."""
    done = await tx.execute(
        delete(quarantine).where(
            quarantine.c.stream_id == stream_id, quarantine.c.external_id.in_(external_ids)
        )
    )
    return done.rowcount
