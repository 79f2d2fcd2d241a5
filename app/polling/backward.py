"""BACKWARD streams: newest first, down to the old watermark; a gap row says what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from app.connectors.base import Cursor, Page
from app.connectors.failures import CursorRefused
from app.db import Tx
from app.polling.reading import LoopGuard, Reading
from app.polling.storing import Change
from app.sources import streams

OVERLAP = timedelta(minutes=10)
BACKFILL = "backfill"
READING = "reading"
CAP = "cap"
"""Causes of gaps: the first read-back under way, a walk under way, the platform's own limit."""
_log = structlog.get_logger(__name__)


async def read_top(reading: Reading) -> None:
    """From the newest down to the old watermark minus the overlap."""
    mark = reading.row.watermark
    first = mark is None and reading.row.backfill_done_at is None
    since = reading.row.backfill_since if mark is None else mark - OVERLAP
    await _walk_down(
        reading,
        Range(since, cause=BACKFILL if first else READING, first=first, moves_watermark=True),
        None,
    )
    reading.reached_present = True


async def read_gaps(reading: Reading) -> None:
    """What earlier polls had to leave, newest first."""
    for gap in await streams.open_gaps(reading.storing.db, [reading.row.id]):
        if gap.cause == BACKFILL and reading.row.backfill_paused:
            continue
        wanted = Range(
            gap.from_at,
            cause=gap.cause,
            first=gap.cause == BACKFILL,
            moves_watermark=False,
            gap_id=gap.id,
            reached=gap.to_at,
        )
        try:
            await _walk_down(reading, wanted, gap.cursor)
        except CursorRefused:
            # The platform forgot the cursor: down again from the top, through what is known.
            await _walk_down(reading, wanted, None)


async def _walk_down(reading: Reading, wanted: Range, cursor: Cursor | None) -> None:
    guard = LoopGuard(cursor)
    while True:
        page = await reading.fetch(cursor, since=wanted.since)
        plan = partial(_plan, reading, wanted, page)
        await reading.store(page, plan, first_reading=wanted.first)
        if wanted.met:
            return
        guard.check(page)
        cursor = page.next_cursor


def _plan(reading: Reading, wanted: Range, page: Page, new: Sequence[datetime]) -> Change:
    """What a page of the walk changes: the watermark, the progress, and the gap below it."""
    wanted.met = wanted.is_met(page, any_new=bool(new))
    wanted.entries += len(page.mentions) + len(page.unparsed) + sum(page.skipped.values())
    values: dict[str, Any] = {}
    if wanted.moves_watermark and page.newest_at is not None:
        newest = min(page.newest_at, reading.clock.now())  # a clock ahead must not lead past items
        if reading.row.watermark is None or newest > reading.row.watermark:
            values["watermark"] = newest
    if wanted.first:
        values |= reading.progress(page)
        if wanted.met and reading.row.backfill_done_at is None:
            values |= reading.end_of_backfill()
    if wanted.met and wanted.gap_id is None and not wanted.is_cut_off(page, reading.spec.cap):
        return Change(values)
    return Change(values, also=partial(_write_gap, reading, wanted, page))


async def _write_gap(reading: Reading, wanted: Range, page: Page, tx: Tx) -> None:
    """Writes down, with the page, what is still missing below it; or that nothing is."""
    now = reading.clock.now()
    if wanted.met:
        if wanted.gap_id is not None:
            await streams.close_gap(tx, wanted.gap_id, now)
        if wanted.is_cut_off(page, reading.spec.cap):
            await _write_lost(reading, wanted, page, tx)
        return
    wanted.come_down_to(page.oldest_at)
    cursor, to_at = page.next_cursor, wanted.reached
    if wanted.gap_id is None:
        wanted.gap_id = await streams.open_gap(
            tx,
            reading.row.id,
            from_at=wanted.since,
            to_at=to_at,
            cursor=cursor,
            cause=wanted.cause,
            now=now,
        )
    else:
        await streams.shrink_gap(tx, wanted.gap_id, to_at=to_at, cursor=cursor, cause=wanted.cause)


async def _write_lost(reading: Reading, wanted: Range, page: Page, tx: Tx) -> None:
    """The platform shows no more of its list: what lies below it can never be read."""
    now = reading.clock.now()
    lost_id = await streams.open_gap(
        tx,
        reading.row.id,
        from_at=wanted.since,
        to_at=page.oldest_at,
        cursor=None,
        cause=CAP,
        now=now,
        lost=True,
    )
    _log.warning("a range was lost to the platform's cap", stream=reading.row.name, gap=lost_id)


@dataclass(slots=True)
class Range:
    """What a downward walk is to read: to `since`, leaving a gap of this cause if it stops."""

    since: datetime | None
    cause: str
    first: bool
    moves_watermark: bool
    gap_id: int | None = None  # its row, once there is one
    reached: datetime | None = None
    entries: int = 0  # of the platform's list, from its top
    met: bool = False

    def come_down_to(self, oldest: datetime | None) -> None:
        """Everything from here up is read; below its own border a range does not reach."""
        if oldest is not None and (self.reached is None or oldest < self.reached):
            self.reached = oldest if self.since is None else max(oldest, self.since)

    def is_met(self, page: Page, *, any_new: bool) -> bool:
        """Whether the walk has come to its end with this page.

        A first walk and a gap end below their border. A walk to a watermark also needs a page on
        which everything is known: items may lie out of order around the border.
        """
        if not page.more or page.next_cursor is None:
            return True
        if self.since is None or page.oldest_at is None or page.oldest_at >= self.since:
            return False
        return self.first or self.cause != READING or not any_new

    def is_cut_off(self, page: Page, cap: int | None) -> bool:
        """Whether the list ended because the platform shows no more of it, above our border."""
        if cap is None or self.entries < cap or self.since is None or page.oldest_at is None:
            return False
        return not page.more and page.oldest_at > self.since
