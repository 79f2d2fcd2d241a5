"""After a change of who we are: what is stored is told apart again, without being read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import structlog
from sqlalchemy import Row

from app.connectors.base import Page
from app.inbox import retelling
from app.inbox.ingest import Incoming
from app.inbox.item import Status
from app.polling.storing import Storing, Tally, only_messages
from app.sources import leases, repository

BATCH = 100
_log = structlog.get_logger(__name__)


async def tell_apart_again(
    storing: Storing, source: Row[Any], rows: Mapping[str, SimpleNamespace], at_most: int
) -> None:
    """Items that are ours by now become replies, and replies that are not become items; in small
    transactions, under the lease. What one poll leaves, the next goes on with.
    """
    any_stream = next(iter(rows.values()), None)
    if any_stream is None:
        return
    size = min(BATCH, at_most)
    for _ in range(at_most // size):
        ours = await retelling.items_of_ours(storing.db, source.id, storing.us, size)
        theirs, bots = await retelling.misjudged_replies(storing.db, source.id, storing.us, size)
        if not (ours or theirs or bots):
            await _done(storing, source)
            return
        await _become_ours(storing, rows, any_stream, [*ours, *bots])
        if theirs:
            await _become_theirs(storing, rows, any_stream, theirs)
    _log.info("telling ours and theirs apart goes on with the next poll")


async def _become_ours(
    storing: Storing,
    rows: Mapping[str, SimpleNamespace],
    any_stream: SimpleNamespace,
    found: Sequence[Row[Any]],
) -> None:
    """As if the platform had shown them once more."""
    by_stream: dict[str, list[Row[Any]]] = {}
    for row in found:
        by_stream.setdefault(row.stream if row.stream in rows else any_stream.name, []).append(row)
    for stream, held in by_stream.items():
        gone = tuple(row.external_id for row in held if _is_gone(row))
        page = Page(mentions=tuple(retelling.mention_of(row) for row in held), gone=gone)
        await storing.store(rows[stream], page, only_messages, tally=Tally())
    async with storing.db.write() as tx:
        now = storing.clock.now()
        await leases.hold(tx, storing.lease, now=now, length=storing.lease_length)
        keys = [row.external_id for row in found]
        await retelling.forget_hashes(tx, storing.source_id, keys)


def _is_gone(row: Row[Any]) -> bool:
    return getattr(row, "status", None) == Status.REMOVED


async def _become_theirs(
    storing: Storing,
    rows: Mapping[str, SimpleNamespace],
    any_stream: SimpleNamespace,
    found: Sequence[Row[Any]],
) -> None:
    async with storing.db.write() as tx:
        now = storing.clock.now()
        await leases.hold(tx, storing.lease, now=now, length=storing.lease_length)
        for row in found:
            stream = rows.get(row.stream, any_stream)
            await retelling.become_item(tx, row, _as_first_seen(storing, stream, row, now))


def _as_first_seen(
    storing: Storing, stream: SimpleNamespace, row: Row[Any], now: datetime
) -> Incoming:
    """What the first read-back has found and was old then is backlog, as it would have been."""
    done_at = stream.backfill_done_at
    read_back = done_at is None or row.first_seen_at <= done_at
    return Incoming(
        source_id=storing.source_id,
        platform=storing.platform,
        stream=stream.name,
        us=storing.us,
        now=now,
        gone=() if row.removed_at is None else (row.external_id,),
        backlog_before=row.first_seen_at - storing.backlog_after if read_back else None,
        reread_at=partial(storing.reread_at, now),
    )


async def _done(storing: Storing, source: Row[Any]) -> None:
    """Unless somebody has changed the source meanwhile: then the next poll looks again."""
    async with storing.db.write() as tx:
        now = storing.clock.now()
        await leases.hold(tx, storing.lease, now=now, length=storing.lease_length)
        await repository.told_apart(tx, source.id, source.version)
