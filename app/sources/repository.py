"""All SQL about sources and about who we are on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    bindparam,
    delete,
    false,
    func,
    insert,
    select,
    true,
    update,
)

from app.db import Reader, Tx
from app.errors import NotFound
from app.scope import Scope
from app.sources.models import quarantine, source, stream, us

_THESE: BindParameter[Any] = bindparam("these", expanding=True)
_SOURCES = select(source).where(source.c.id.in_(_THESE))
_STREAMS = (
    select(stream).where(stream.c.source_id.in_(_THESE)).order_by(stream.c.source_id, stream.c.id)
)
_IN_QUARANTINE = (
    select(quarantine.c.stream_id, func.count().label("held"))
    .where(quarantine.c.stream_id.in_(_THESE))
    .group_by(quarantine.c.stream_id)
)
_US = select(us).where(us.c.source_id.in_(_THESE)).order_by(us.c.id)
"""Asked at every poll: what is built once need not be built, and looked at, again."""


def _visible(scope: Scope) -> list[ColumnElement[bool]]:
    return [] if scope.sources is None else [source.c.id.in_(scope.sources)]


async def page_sources(reader: Reader, scope: Scope) -> Sequence[Row[Any]]:
    """Every source a caller may see, by platform and name."""
    statement = select(source).where(*_visible(scope)).order_by(source.c.platform, source.c.name)
    return await reader.rows(statement)


async def find_source(reader: Reader, scope: Scope, source_id: int) -> Row[Any] | None:
    statement = select(source).where(source.c.id == source_id, *_visible(scope))
    rows = await reader.rows(statement)
    return rows[0] if rows else None


async def get_source(reader: Reader, scope: Scope, source_id: int) -> Row[Any]:
    found = await find_source(reader, scope, source_id)
    if found is None:
        raise NotFound(f"There is no source {source_id}. See them all with GET /api/v1/sources.")
    return found


async def find_by_name(reader: Reader, platform: str, name: str) -> Row[Any] | None:
    statement = select(source).where(source.c.platform == platform, source.c.name == name)
    rows = await reader.rows(statement)
    return rows[0] if rows else None


async def known_sources(reader: Reader, source_ids: Collection[int]) -> frozenset[int]:
    """Which of these are ids of sources."""
    rows = await reader.rows(select(source.c.id).where(source.c.id.in_(source_ids)))
    return frozenset(row.id for row in rows)


async def sources_of_origin(reader: Reader, origin: str) -> Sequence[Row[Any]]:
    statement = select(source).where(source.c.origin == origin).order_by(source.c.id)
    return await reader.rows(statement)


async def is_empty(reader: Reader) -> bool:
    """Whether nothing has ever been connected."""
    return not await reader.rows(select(source.c.id).limit(1))


async def add_source(tx: Tx, values: Mapping[str, Any]) -> int:
    added = await tx.execute(insert(source).values(**values).returning(source.c.id))
    return int(added.scalar_one())


async def change_source(
    tx: Tx, source_id: int, values: Mapping[str, Any], *, version: int | None = None
) -> bool:
    """Changes a source; with `version` only if nobody else has changed it since."""
    statement = update(source).where(source.c.id == source_id)
    if version is not None:
        statement = statement.where(source.c.version == version)
    changed = await tx.execute(statement.values(**values, version=source.c.version + 1))
    return changed.rowcount == 1


async def note_on_source(tx: Tx, source_id: int, values: Mapping[str, Any]) -> None:
    """Writes what the service itself noticed; no change for `version` (nobody edited it)."""
    await tx.execute(update(source).where(source.c.id == source_id).values(**values))


async def replace_credential(tx: Tx, source_id: int, old: str | None, new: str | None) -> bool:
    """Stores a renewed credential unless `old` has been replaced meanwhile."""
    changed = await tx.execute(
        update(source)
        .where(source.c.id == source_id, source.c.credential.is_not_distinct_from(old))
        .values(credential=new)
    )
    return changed.rowcount == 1


async def remove_source(tx: Tx, source_id: int) -> None:
    """Deletes the row; what hangs on it must be gone already (items in batches)."""
    await tx.execute(delete(source).where(source.c.id == source_id))


async def sources_of(reader: Reader, source_ids: Collection[int]) -> Sequence[Row[Any]]:
    """Those of these sources that are there."""
    return await reader.rows(_SOURCES, {"these": sorted(source_ids)})


async def us_of(reader: Reader, source_ids: Collection[int]) -> Sequence[Row[Any]]:
    """Who we are on these sources."""
    return await reader.rows(_US, {"these": sorted(source_ids)})


async def told_apart(tx: Tx, source_id: int, version: int) -> None:
    """Everything stored is told apart by who we are, unless that has been changed since."""
    await tx.execute(
        update(source)
        .where(source.c.id == source_id, source.c.version == version)
        .values(us_changed=False)
    )


async def replace_us(tx: Tx, source_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    await tx.execute(delete(us).where(us.c.source_id == source_id))
    if rows:
        await tx.execute(insert(us), [{"source_id": source_id, **row} for row in rows])


async def streams_of(reader: Reader, source_ids: Collection[int]) -> Sequence[Row[Any]]:
    return await reader.rows(_STREAMS, {"these": sorted(source_ids)})


async def quarantine_size(reader: Reader, stream_ids: Collection[int]) -> dict[int, int]:
    """How many entries lie in quarantine, by stream; none where it is empty."""
    rows = await reader.rows(_IN_QUARANTINE, {"these": sorted(stream_ids)})
    return {row.stream_id: int(row.held) for row in rows}


async def add_streams(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        await tx.execute(insert(stream), list(rows))


async def poll_soon(tx: Tx, source_id: int, now: datetime) -> None:
    """Asks for a poll of every stream at the next tick, whichever worker gets it."""
    await tx.execute(
        update(source)
        .where(source.c.id == source_id, source.c.paused == false())
        .values(next_poll_at=now, poll_requested_at=now)
    )


async def lock_version(tx: Tx, source_id: int) -> int | None:
    """A source's version, which nobody else can change until the transaction ends."""
    statement = select(source.c.version).where(source.c.id == source_id).with_for_update()
    rows = await tx.rows(statement)
    return rows[0].version if rows else None


async def pause(tx: Tx, source_id: int, *, paused: bool, now: datetime) -> bool:
    """Pauses or resumes; `False` where it already was so."""
    changed = await tx.execute(
        update(source)
        .where(source.c.id == source_id, source.c.paused == (false() if paused else true()))
        .values(
            paused=paused,
            next_poll_at=None if paused else now,
            updated_at=now,
            version=source.c.version + 1,
        )
    )
    return changed.rowcount == 1


async def void_lease(tx: Tx, source_id: int) -> None:
    """Makes the fence of a poll under way void: nothing of it can be stored any more."""
    await tx.execute(
        update(source).where(source.c.id == source_id).values(fence=source.c.fence + 1)
    )


async def forget_failures(tx: Tx, source_id: int, now: datetime) -> None:
    """After reconnecting: every stream is read again at once, from where it stood. Its error stays
    until a poll has shown that it is over, and then that is told.
    """
    await tx.execute(
        update(stream)
        .where(stream.c.source_id == source_id)
        .values(
            failures=0,
            retry_at=None,
            next_poll_at=now,
            state="behind",
            cause="reconnected",
        )
    )
    await tx.execute(
        update(source)
        .where(source.c.id == source_id, source.c.paused == false())
        .values(next_poll_at=now)
    )


async def sources_on_host(tx: Tx, host: str) -> Sequence[Row[Any]]:
    """(id, poll_interval) of the sources that are read from a host and are not paused."""
    statement = select(source.c.id, source.c.poll_interval).where(
        source.c.host == host, source.c.paused == false()
    )
    return await tx.rows(statement.order_by(source.c.id))


async def hurry(tx: Tx, source_id: int, at: datetime) -> None:
    """Streams that wait out a back-off after transport failures are due at `at` instead."""
    await tx.execute(
        update(stream)
        .where(
            stream.c.source_id == source_id,
            stream.c.error_code == "transient",
            stream.c.next_poll_at > at,
        )
        .values(next_poll_at=at)
    )
    await tx.execute(
        update(source)
        .where(source.c.id == source_id, source.c.next_poll_at > at)
        .values(next_poll_at=at)
    )


async def pause_backfill(tx: Tx, source_id: int, *, paused: bool) -> bool:
    """Pauses or resumes reading back; `False` where it already was so."""
    changed = await tx.execute(
        update(stream)
        .where(
            stream.c.source_id == source_id,
            stream.c.backfill_done_at.is_(None),
            stream.c.backfill_paused == (false() if paused else true()),
        )
        .values(backfill_paused=paused)
    )
    return changed.rowcount > 0


async def forget_spent(tx: Tx, source_id: int, now: datetime) -> None:
    """After a change of the budget: streams that waited for the next period are due at once."""
    await tx.execute(
        update(stream)
        .where(stream.c.source_id == source_id, stream.c.error_code == "budget")
        .values(retry_at=None, next_poll_at=now)
    )
    await tx.execute(
        update(source)
        .where(source.c.id == source_id, source.c.paused == false())
        .values(next_poll_at=now)
    )
