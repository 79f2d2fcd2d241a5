"""The second look: the recent past is read once more, to find what came late or out of order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from app.connectors.base import Cursor, Page
from app.connectors.budget import BudgetSpent
from app.connectors.failures import CursorRefused
from app.db import Tx
from app.outbox.events import POLLER, Event, record
from app.polling.backward import OVERLAP
from app.polling.reading import LoopGuard, Reading, Shown, moments
from app.polling.schedule import DAILY, HOURLY, SECOND_LOOKS, Look, next_look
from app.polling.storing import Change
from app.sources import streams

_log = structlog.get_logger(__name__)


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
    guard = LoopGuard(looking.cursor)
    while True:
        page = await reading.fetch(looking.cursor, since=looking.since)
        page = replace(page, skipped={})  # the reading proper has counted them
        await reading.store(page, partial(_plan, reading, looking, page))
        looking.shown.add(page)
        if looking.done:
            if looking.shown.ids:  # a list without anything may be one that we may not see
                await reading.conclude(looking.shown, looking.began_at, since=looking.since)
            return
        guard.check(page)


def _due(reading: Reading) -> _Looking | None:
    now = reading.clock.now()
    border = (reading.row.watermark or reading.row.last_ok_at or now) - OVERLAP
    kept = reading.row.look
    if kept:
        look = next(each for each in SECOND_LOOKS if each.name == kept["look"])
        since = next(iter(moments(kept["since"])), None)
        began_at = next(iter(moments(kept.get("began_at"))), now)
        shown = Shown(whole=False)
        return _Looking(look, since, kept["cursor"], border, began_at, shown, kept["recovered"])
    due = {HOURLY: reading.row.hourly_look_at, DAILY: reading.row.daily_look_at}
    for look in reversed(SECOND_LOOKS):
        at = due[look]
        if at is not None and at <= now:
            whole = look is DAILY and reading.spec.rescan_all
            since = None if whole else look.since(now)
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
    values: dict[str, Any] = {
        "look": None,
        f"{looking.look.name}_look_at": next_look(looking.look, now, now, rng=reading.rng),
    }
    if looking.look is DAILY:  # it has read what the hourly one would
        values["hourly_look_at"] = next_look(HOURLY, now, now, rng=reading.rng)
    return values


async def _note(reading: Reading, looking: _Looking, tx: Tx) -> None:
    if looking.recovered:
        now = reading.clock.now()
        await streams.record_recovery(tx, reading.row.id, now, looking.recovered)
        details = {"stream": reading.row.name, "items": looking.recovered}
        found = Event(
            type="source.recovered_items",
            at=now,
            actor=POLLER,
            source_id=reading.row.source_id,
            details=details,
        )
        record(tx, found)
        _log.warning("a second look found what polling had missed", **details)
