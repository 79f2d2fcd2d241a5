"""Reading stored items again: edits and deletions that no stream tells."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from app.connectors.base import Connector, Page
from app.connectors.failures import BadResponse, ConnectorError, Gone, RateLimited, Transient
from app.connectors.rereading import ReadsMany
from app.inbox import repository as inbox
from app.inbox import rereads
from app.polling.refreshing import ManyAtOnce, as_filed, read_many, refresh
from app.polling.storing import Storing, Tally, only_messages
from app.sources import leases, quarantine
from app.sources.purse import Purse

ITEMS_A_POLL = 10
SECONDS_AN_ITEM = 10.0
SECONDS_A_BATCH = 30.0
GIVE_UP_AFTER = timedelta(days=90)


async def reread(
    connector: Connector,
    storing: Storing,
    rows: Mapping[str, SimpleNamespace],
    tally: Tally,
    purse: Purse | None = None,
    *,
    due: bool = True,
) -> tuple[str, RateLimited] | None:
    """Reads items again that are due for it, if any are; `rows` are the streams that may be read.

    A failure ends it, but the item it struck has had its turn: it must not hold up the others.
    Returned is the stream in which the platform has asked us to wait, with what it said.
    """
    if purse is not None and not purse.left:
        return None
    if storing.lease.requested:
        await _try_quarantined(connector, storing, rows)
    if not isinstance(connector, ReadsMany):
        if not due:
            return None
        return await _one_by_one(connector, storing, rows, tally)
    many = ManyAtOnce(connector, storing, rows, tally, purse)
    try:
        told = await _many_at_once(many)
    except (BadResponse, Gone):  # one of them may be to blame, and must not hold up the others
        return await _one_by_one(connector, storing, rows, tally)
    return _wish(told or await refresh(many))


def _wish(told: tuple[str, ConnectorError] | None) -> tuple[str, RateLimited] | None:
    if told is None or not isinstance(told[1], RateLimited):
        return None
    return told[0], told[1]


async def _many_at_once(many: ManyAtOnce) -> tuple[str, ConnectorError] | None:
    """With one request, where a platform offers that; raises where it is not understood."""
    storing, now = many.storing, many.storing.clock.now()
    most = many.connector.most_at_once
    due = await rereads.due_rereads(storing.db, storing.source_id, now, most)
    wanted = [row for row in due if row.stream in many.rows]
    told: tuple[str, ConnectorError] | None = None
    if wanted:
        try:
            async with asyncio.timeout(SECONDS_A_BATCH):
                await read_many(many, wanted)
        except (BadResponse, Gone):
            raise
        except ConnectorError as failure:
            told = wanted[0].stream, failure
        except TimeoutError:
            told = wanted[0].stream, Transient("Reading messages again took too long.")
    await _save(storing, [(row.id, _next(storing, row, now)) for row in due])
    return told


async def _one_by_one(
    connector: Connector, storing: Storing, rows: Mapping[str, SimpleNamespace], tally: Tally
) -> tuple[str, RateLimited] | None:
    now = storing.clock.now()
    read: list[tuple[int, dict[str, Any]]] = []
    failure: ConnectorError | None = None
    stream = ""
    for due in await rereads.due_rereads(storing.db, storing.source_id, now, ITEMS_A_POLL):
        stream = due.stream
        if stream in rows:
            failure = await _read_again(connector, storing, rows[stream], due, tally)
        read.append((due.id, _next(storing, due, now)))
        if failure is not None:
            break
    await _save(storing, read)
    return _wish(None if failure is None else (stream, failure))


async def _save(storing: Storing, read: Sequence[tuple[int, dict[str, Any]]]) -> None:
    if not read:
        return
    now = storing.clock.now()
    async with storing.db.write() as tx:
        await leases.hold(tx, storing.lease, now=now, length=storing.lease_length)
        for item_id, values in read:
            await inbox.set_columns(tx, item_id, values)


async def _try_quarantined(
    connector: Connector, storing: Storing, rows: Mapping[str, SimpleNamespace]
) -> None:
    """Asked for by a person: what is in quarantine is asked for by its id once more."""
    for entry in await quarantine.with_ids_of(storing.db, storing.source_id):
        stream = rows.get(entry.stream_name)
        if stream is None:
            continue
        try:
            page = Page(mentions=(await connector.fetch_item(entry.external_id),))
        except Gone:
            if entry.digest in storing.put_aside:
                continue  # the list shows it still: what was asked for is something else
            async with storing.db.write() as tx:
                await quarantine.forget_quarantined(tx, entry.id)
            continue
        except BadResponse:
            continue  # still unreadable: it stays where it is
        except ConnectorError:
            return
        await storing.store(stream, page, only_messages, tally=Tally())


async def _read_again(
    connector: Connector,
    storing: Storing,
    stream: SimpleNamespace,
    due: Row[Any],
    tally: Tally,
) -> ConnectorError | None:
    try:
        async with asyncio.timeout(SECONDS_AN_ITEM):
            mention = await connector.fetch_item(due.external_id)
            page = Page(mentions=(as_filed(storing, due, mention),))
    except Gone:
        page = Page(gone=(due.external_id,))
    except ConnectorError as failure:
        return failure
    except TimeoutError:
        return Transient(f"Reading an item took longer than {SECONDS_AN_ITEM:g} seconds.")
    await storing.store(stream, page, only_messages, tally=tally)
    return None


def _next(storing: Storing, due: Row[Any], now: datetime) -> dict[str, Any]:
    over = now - due.occurred_at > GIVE_UP_AFTER
    at = None if over else storing.reread_at(now, due.occurred_at)
    return {"next_read_at": at, "reads": due.reads + 1}
