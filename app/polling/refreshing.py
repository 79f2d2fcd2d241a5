"""The duty to read stored messages again in time, or to lose their texts (`Retention`): in batches,
within the source's budget. What it does not reach `inbox/wiping` wipes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row, Select, Table, and_, null, or_, select, update

from app.connectors.base import Filed, Mention, Page
from app.connectors.failures import BadResponse, ConnectorError, Gone
from app.connectors.rereading import ReadsMany
from app.db import Tx
from app.inbox.models import item, reply
from app.polling.storing import Storing, Tally, only_messages
from app.sources import leases
from app.sources.purse import Purse

BATCHES_A_POLL = 5
AHEAD = 10
"""A tenth of the time before it is over: there are many polls yet, should some of them fail."""


@dataclass(frozen=True, slots=True)
class ManyAtOnce:
    """What reading many messages of one source with one request takes; `rows` are the streams
    that may be read.
    """

    connector: ReadsMany
    storing: Storing
    rows: Mapping[str, SimpleNamespace]
    tally: Tally
    purse: Purse | None = None

    @property
    def may_ask(self) -> bool:
        return self.purse is None or self.purse.left > 0


async def refresh(many: ManyAtOnce) -> tuple[str, ConnectorError] | None:
    """Reads again what is due for it, oldest first. Returned is the failure that ended it, with a
    stream of what it struck.
    """
    storing, size = many.storing, many.connector.most_at_once
    if storing.refresh_within is None:
        return None
    until = storing.clock.now() + storing.refresh_within / AHEAD
    for table in (item, reply):
        due = _due(table, storing.source_id, until).limit(size)
        after: Row[Any] | None = None
        for _ in range(BATCHES_A_POLL):
            found = await storing.db.rows(due if after is None else _behind(due, table, after))
            wanted = [row for row in found if row.stream in many.rows]
            try:
                if wanted and many.may_ask:
                    await read_many(many, wanted)
            except (BadResponse, Gone):
                pass  # the answer about these is no use: the others have their turn
            except ConnectorError as failure:
                return wanted[0].stream, failure
            if len(found) < size:
                break
            after = found[-1]
    return None


def _due(table: Table, source_id: int, until: datetime) -> Select[Any]:
    """(id, external_id, stream, filed, keep_until), those first that have least time left."""
    columns = table.c
    filed = columns.filed if table is item else null().label("filed")
    chosen = (columns.id, columns.external_id, columns.stream, filed, columns.keep_until)
    statement = select(*chosen).where(
        columns.source_id == source_id,
        columns.keep_until.is_not(None),
        columns.keep_until <= until,
        columns.external_id.is_not(None),
    )
    return statement.order_by(columns.keep_until, columns.id)


def _behind(due: Select[Any], table: Table, last: Row[Any]) -> Select[Any]:
    """What comes after a row, so that what can't be read holds up nothing else."""
    later = table.c.keep_until > last.keep_until
    same = and_(table.c.keep_until == last.keep_until, table.c.id > last.id)
    return due.where(or_(later, same))


async def read_many(many: ManyAtOnce, wanted: Sequence[Row[Any]]) -> None:
    """Reads some stored messages with one request and stores what they say now. Their time begins
    anew where the platform has shown them; raises what the connector raises.
    """
    storing, of = many.storing, {row.external_id: row for row in wanted}
    page = await many.connector.fetch_items([*of])
    if many.purse is not None:
        many.purse.spent += page.cost
    for stream in sorted({row.stream for row in wanted}):
        ours = {key for key, row in of.items() if row.stream == stream}
        shown = [
            as_filed(storing, of[mention.external_id], mention)
            for mention in page.mentions
            if mention.external_id in ours
        ]
        gone = [key for key in page.gone if key in ours]
        part = Page(mentions=tuple(shown), gone=tuple(gone))
        await storing.store(many.rows[stream], part, only_messages, tally=many.tally)
    if storing.refresh_within is not None:
        await _begin_anew(storing, [one.external_id for one in page.mentions])


def as_filed(storing: Storing, row: Row[Any], mention: Mention) -> Mention:
    """A message that was read by itself, filed where the platform last put it, on platforms that
    say so only in their lists.
    """
    known = row.filed if storing.filing_by_lists else None
    return mention if known is None else replace(mention, filed=Filed(known))


async def _begin_anew(storing: Storing, external_ids: Sequence[str]) -> None:
    now = storing.clock.now()
    async with storing.db.write() as tx:
        await leases.hold(tx, storing.lease, now=now, length=storing.lease_length)
        for table in (item, reply):
            await _keep(tx, table, storing, external_ids, storing.keep_until(now))


async def _keep(
    tx: Tx, table: Table, storing: Storing, external_ids: Sequence[str], until: datetime | None
) -> None:
    """Those whose time was running: what was wiped has none, until it is seen as changed."""
    chosen = (
        table.c.source_id == storing.source_id,
        table.c.external_id.in_(external_ids),
        table.c.keep_until.is_not(None),
    )
    held = select(table.c.id).where(*chosen).order_by(table.c.id).with_for_update()
    ids = [row.id for row in await tx.rows(held)]
    await tx.execute(update(table).where(table.c.id.in_(ids)).values(keep_until=until))
