"""PARENT streams: one call a watched parent, those first that are longest due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row

from app.connectors.base import Cursor, Page, Parent
from app.connectors.budget import BudgetSpent
from app.connectors.failures import BadResponse, CursorRefused, Gone, Transient
from app.db import Tx
from app.polling.backward import OVERLAP
from app.polling.counters import compare_counter
from app.polling.losing import CAP, Lost, write_lost
from app.polling.reading import LoopGuard, Reading, Shown
from app.polling.recovering import note_recovered
from app.polling.schedule import is_watched_on, next_read
from app.polling.storing import Change
from app.sources import leases, streams

PARENTS_A_POLL = 50
YOUNG_PARENT = timedelta(minutes=2)
FOR_EVER = datetime(9000, 1, 1, tzinfo=UTC)

FAILURES_IN_A_ROW = 3
"""So many parents that fail one after the other are the platform's trouble, not theirs."""

Read = list[tuple[Row[Any], dict[str, Any]]]
"""Watched parents that have been read, with what their rows say then."""


@dataclass(frozen=True, slots=True)
class _Noted:
    """What a page of a parent says besides its messages."""

    watched_id: int
    ahead: Cursor | None  # where it goes on
    recovered: int
    lost: Lost | None


async def read_parents(reading: Reading) -> None:
    """Reads the parents that are due (asked for by a person: also those that are not)."""
    now = reading.clock.now()
    until = FOR_EVER if reading.everything else now
    rows = await streams.due_parents(reading.storing.db, reading.row.id, until, PARENTS_A_POLL)
    read: Read = []
    try:
        failure = await _read_all(reading, rows, read)
    finally:
        await _save(reading, read)
    if failure is not None:
        raise failure
    all_known = reading.feeder_is_done  # before they are counted: it may end meanwhile
    due, never = await streams.unread_parents(reading.storing.db, reading.row.id, now)
    if due:
        raise BudgetSpent(f"{due} threads are still to be read.")
    reading.reach_present()
    if all_known and not never and reading.row.backfill_done_at is None:
        await reading.store(Page(), lambda _new: Change({"backfill_done_at": now}))


async def _read_all(
    reading: Reading, rows: Sequence[Row[Any]], read: Read
) -> Transient | BadResponse | None:
    """One parent that can't be read holds up none of the others: it stays due, behind them. The
    first failure is returned.
    """
    first: Transient | BadResponse | None = None
    in_a_row = 0
    for row in rows:
        try:
            await _read_parent(reading, row, read)
        except (Transient, BadResponse) as failure:
            read.append((row, {"next_read_at": reading.clock.now()}))
            first, in_a_row = first or failure, in_a_row + 1
            if in_a_row >= FAILURES_IN_A_ROW:
                break
        else:
            in_a_row = 0
    return first


async def _save(reading: Reading, read: Read) -> None:
    """One transaction for all: a parent with nothing new costs no write of its own."""
    if not read:
        return
    storing = reading.storing
    async with storing.db.write() as tx:
        now = reading.clock.now()
        await leases.hold(tx, storing.lease, now=now, length=storing.lease_length)
        for row, values in read:
            await streams.save_read_parent(tx, row, values)


async def _read_parent(reading: Reading, row: Row[Any], read: Read) -> None:
    parent = Parent(
        external_id=row.external_id,
        created_at=row.created_at,
        changed_at=row.changed_at,
        counter=row.counter,
        counter_read=row.counter_read,
        extra=row.extra,
    )
    cursor: Cursor | None = row.cursor
    began_at, shown = reading.clock.now(), Shown(whole=cursor is None)
    legible = True
    guard = LoopGuard(cursor)
    while True:
        try:
            page = await reading.fetch(cursor, parent=parent, since=reading.row.backfill_since)
        except Gone:
            await reading.store(Page(), lambda _new: Change(also=partial(_forget, row.id)))
            return
        except CursorRefused:
            if cursor is None:
                raise
            cursor, shown = None, Shown()
            continue
        plan = partial(_plan, reading, row, page)
        first_until = reading.clock.now() if _is_first(reading, row) else None
        stored = await reading.store(page, plan, first_until=first_until)
        reading.tally.recovered += _recovered(reading, row, stored.new_at)
        shown.add(page)
        legible = legible and not page.unparsed
        if not page.more:
            if shown.whole and (shown.ids or not row.counter):
                # Nothing where the platform counts something is no proof of anything.
                await reading.conclude(shown, began_at, root=row.external_id)
            values = _as_read(reading, row, shown.newest_at)
            values["counter_read"] = _counter_read(reading, row, shown, legible=legible)
            values |= await compare_counter(reading, row, shown)
            read.append((row, values))
            return
        guard.check(page)
        cursor = page.next_cursor


def _counter_read(reading: Reading, row: Row[Any], shown: Shown, *, legible: bool) -> int | None:
    """At which counter all was read, so that the same one brings nothing. What was illegible may
    be well next time, and is looked at again; where that is paid for, only when a person asks.
    """
    return row.counter if shown.whole and (legible or reading.thrifty) else None


def _plan(reading: Reading, row: Row[Any], page: Page, new: Sequence[datetime]) -> Change:
    values = reading.progress(page) if _is_first(reading, row) else {}
    ahead = page.next_cursor if page.more else None
    recovered, lost = _recovered(reading, row, new), _lost(reading, row, page)
    if ahead is None and not recovered and lost is None:
        return Change(values)
    noted = _Noted(row.id, ahead, recovered, lost)
    return Change(values, also=partial(_note, reading, noted))


def _lost(reading: Reading, row: Row[Any], page: Page) -> Lost | None:
    """From when to when messages were written below the parent that its platform will never show:
    the list ended at the cap, above what the last reading had shown.
    """
    since = row.last_read_at or max(
        filter(None, (reading.row.backfill_since, row.created_at)), default=None
    )
    oldest = page.oldest_at
    if reading.spec.cap is None or page.more or oldest is None or since is None:
        return None
    return Lost(since, oldest, CAP) if oldest > since else None


def _recovered(reading: Reading, row: Row[Any], new: Sequence[datetime]) -> int:
    """How many new items an earlier complete reading of the parent should have shown."""
    if row.last_read_at is None:
        return 0
    border = min(row.last_read_at, reading.clock.now()) - OVERLAP  # our clock may have been wrong
    return sum(1 for at in new if at < border)


def _is_first(reading: Reading, row: Row[Any]) -> bool:
    """Whether what is found belongs to the first read-back."""
    return row.last_read_at is None and reading.row.backfill_done_at is None


async def _note(reading: Reading, noted: _Noted, tx: Tx) -> None:
    if noted.lost is not None:
        await write_lost(reading, noted.lost, tx)
    if noted.ahead is not None:
        await streams.save_parent(tx, noted.watched_id, {"cursor": noted.ahead})
    recovered = noted.recovered
    if recovered:
        await note_recovered(reading, recovered, tx)


async def _forget(watched_id: int, tx: Tx) -> None:
    await streams.forget_parent(tx, watched_id)


def _as_read(reading: Reading, row: Row[Any], newest_at: datetime | None) -> dict[str, Any]:
    """What the row of a parent says after it was read to its end. A thread in which somebody has
    just written is as young as that; a time that is still to come tells nothing.
    """
    now = reading.clock.now()
    at_least = max(YOUNG_PARENT, reading.storing.interval)
    times = (row.created_at, row.changed_at, newest_at)
    moved_at = max((at for at in times if at is not None and at <= now), default=None)
    on = is_watched_on(now, moved_at or row.first_seen_at)
    again = next_read(now, moved_at, changed=False, rng=reading.rng, at_least=at_least)
    return {"cursor": None, "last_read_at": now, "next_read_at": again if on else None}
