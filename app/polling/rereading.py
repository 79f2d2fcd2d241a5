"""Reading stored items again, one by one: edits and deletions that no stream tells."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from app.connectors.base import Connector, Page
from app.connectors.failures import BadResponse, ConnectorError, Gone, RateLimited, Transient
from app.inbox import repository as inbox
from app.polling.schedule import next_check
from app.polling.storing import Storing, Tally, only_messages
from app.sources import leases, quarantine

ITEMS_A_POLL = 10
SECONDS_AN_ITEM = 10.0
GIVE_UP_AFTER = timedelta(days=90)


async def reread(
    connector: Connector,
    storing: Storing,
    rows: Mapping[str, SimpleNamespace],
    rng: Random,
    tally: Tally,
) -> tuple[str, RateLimited] | None:
    """Reads a few items again that are due for it; `rows` are the streams that may be read.

    A failure ends it, but the item it struck has had its turn: it must not hold up the others.
    Returned is the stream in which the platform has asked us to wait, with what it said.
    """
    if storing.lease.requested:
        await _try_quarantined(connector, storing, rows)
    now = storing.clock.now()
    read: list[tuple[int, dict[str, Any]]] = []
    failure: ConnectorError | None = None
    stream = ""
    for due in await inbox.due_rereads(storing.db, storing.source_id, now, ITEMS_A_POLL):
        stream = due.stream
        if stream in rows:
            failure = await _read_again(connector, storing, rows[stream], due, tally)
        read.append((due.id, _next(due, now, rng)))
        if failure is not None:
            break
    await _save(storing, read)
    return (stream, failure) if isinstance(failure, RateLimited) else None


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
            page = Page(mentions=(await connector.fetch_item(due.external_id),))
    except Gone:
        page = Page(gone=(due.external_id,))
    except ConnectorError as failure:
        return failure
    except TimeoutError:
        return Transient(f"Reading an item took longer than {SECONDS_AN_ITEM:g} seconds.")
    await storing.store(stream, page, only_messages, tally=tally)
    return None


def _next(due: Row[Any], now: datetime, rng: Random) -> dict[str, Any]:
    over = now - due.occurred_at > GIVE_UP_AFTER
    at = None if over else next_check(now, due.occurred_at, rng=rng)
    return {"next_read_at": at, "reads": due.reads + 1}
