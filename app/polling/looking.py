"""The second look: the recent past is read once more, to find what came late or out of order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from app.connectors.base import Cursor, Page
from app.connectors.budget import BudgetSpent
from app.connectors.failures import CursorRefused
from app.db import Tx
from app.inbox import absence
from app.polling.backward import OVERLAP
from app.polling.reading import LoopGuard, Reading, Shown, moments
from app.polling.recovering import note_recovered
from app.polling.schedule import DAILY, HOURLY, SECOND_LOOKS, Look, next_look
from app.polling.storing import Change
from app.sources import leases, streams


@dataclass(slots=True)
class _Looking:
    """A second look under way. It reads to `since`, or to the end of the list where that is
    `None`; new items from before `border` are ones that polling had missed.
    """

    look: Look
    since: datetime | None
    cursor: Cursor | None
    border: datetime
    began_at: datetime
    shown: Shown
    recovered: int = 0
    done: bool = False


async def look_again(reading: Reading) -> None:
    """Does the second look that is due, if one is; it may take several polls."""
    if reading.row.backfill_done_at is None:
        return
    looking = _due(reading)
    if looking is None:
        return
    try:
        await _walk(reading, looking)
    except CursorRefused as refused:
        if looking.cursor is None:
            raise
        looking.cursor = None  # the platform forgot it: once more from the top
        looking.began_at, looking.shown = reading.clock.now(), Shown()
        try:
            await _walk(reading, looking)
        except BudgetSpent:
            # It would forget again, and the next poll get no farther: no hot loop, but trouble.
            raise refused from None
    reading.tally.recovered += looking.recovered


async def _walk(reading: Reading, looking: _Looking) -> None:
    try:
        await _read_on(reading, looking)
    except BudgetSpent:
        await _mark_shown(reading, looking)
        raise


async def _read_on(reading: Reading, looking: _Looking) -> None:
    guard = LoopGuard(looking.cursor)
    while True:
        page = await reading.fetch(looking.cursor, since=looking.since)
        page = replace(page, skipped={})  # the reading proper has counted them
        await reading.store(page, partial(_plan, reading, looking, page))
        looking.shown.add(page)
        if looking.done:
            # A list without anything may be one that we may not see.
            if looking.shown.ids or looking.shown.marked:
                await reading.conclude(looking.shown, looking.began_at, since=looking.since)
            return
        guard.check(page)


async def _mark_shown(reading: Reading, looking: _Looking) -> None:
    """The look goes on in another poll, just where it stopped: what it has shown so far is marked
    where it is stored, so that the whole of it still proves absence. A page stored later takes the
    mark off the look again: a poll that died behind it has marked nothing.
    """
    kept, shown, storing = reading.row.look, looking.shown, reading.storing
    if not kept or kept.get("marked") or not (reading.spec.proves_absence and shown.whole):
        return
    if not (shown.ids or shown.marked):
        return
    values = {"look": {**kept, "marked": True}}
    async with storing.db.write() as tx:
        now = reading.clock.now()
        await leases.hold(tx, storing.lease, now=now, length=storing.lease_length)
        await absence.mark_shown(tx, storing.source_id, shown.ids, looking.began_at)
        await streams.save_stream(tx, reading.row.id, values)
    vars(reading.row).update(values)


def _due(reading: Reading) -> _Looking | None:
    now = reading.clock.now()
    border = (reading.row.watermark or reading.row.last_ok_at or now) - OVERLAP
    kept = reading.row.look
    if kept:
        look = next(each for each in SECOND_LOOKS if each.name == kept["look"])
        since = next(iter(moments(kept["since"])), None)
        began_at = next(iter(moments(kept.get("began_at"))), now)
        marked = bool(kept.get("marked"))
        shown = Shown(whole=marked, marked=marked, entries=kept.get("entries", 0))
        return _Looking(look, since, kept["cursor"], border, began_at, shown, kept["recovered"])
    due = {HOURLY: reading.row.hourly_look_at, DAILY: reading.row.daily_look_at}
    for look in reversed(SECOND_LOOKS):
        at = due[look]
        if at is not None and at <= now:
            whole = look is DAILY and reading.spec.rescan_all
            since = None if whole else (HOURLY if reading.thrifty else look).since(now)
            return _Looking(look, since, None, border, now, Shown())
    return None


def _plan(reading: Reading, looking: _Looking, page: Page, new: Sequence[datetime]) -> Change:
    looking.recovered += sum(1 for at in new if at < looking.border)
    looking.done = _is_done(reading, looking, page)
    if looking.done:
        return Change(_next_times(reading, looking), also=partial(_note, reading, looking))
    looking.cursor = page.next_cursor
    kept = {
        "look": looking.look.name,
        "since": None if looking.since is None else looking.since.isoformat(),
        "cursor": looking.cursor,
        "recovered": looking.recovered,
        "began_at": looking.began_at.isoformat(),
        "entries": looking.shown.entries + len(page.mentions) + len(page.unparsed),
        "marked": False,
    }
    return Change({"look": kept})


def _is_done(reading: Reading, looking: _Looking, page: Page) -> bool:
    if not page.more:
        return True
    if looking.since is None or page.oldest_at is None:
        return False
    return reading.spec.shape == "backward" and page.oldest_at < looking.since


def _next_times(reading: Reading, looking: _Looking) -> dict[str, Any]:
    now = reading.clock.now()
    if reading.thrifty:
        return {"look": None, **reading.last_look()}
    values: dict[str, Any] = {
        "look": None,
        f"{looking.look.name}_look_at": next_look(looking.look, now, now, rng=reading.rng),
    }
    if looking.look is DAILY:  # it has read what the hourly one would
        values["hourly_look_at"] = next_look(HOURLY, now, now, rng=reading.rng)
    return values


async def _note(reading: Reading, looking: _Looking, tx: Tx) -> None:
    if looking.recovered:
        await note_recovered(reading, looking.recovered, tx)
