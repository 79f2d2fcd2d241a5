"""BACKWARD streams: newest first, down to the old watermark; a gap row says what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row

from app.connectors.base import Cursor, Page
from app.connectors.budget import BudgetSpent
from app.connectors.failures import CursorRefused
from app.db import Tx
from app.polling.losing import CAP, Lost, write_lost
from app.polling.reading import LoopGuard, Reading
from app.polling.storing import Change
from app.sources import streams

OVERLAP = timedelta(minutes=10)
BACKFILL = "backfill"
READING = "reading"
"""Causes of gaps: the first read-back under way, a walk under way."""
ANY_TIME = datetime(9000, 1, 1, tzinfo=UTC)
ANCIENT = datetime(1, 1, 2, tzinfo=UTC)


async def read_top(reading: Reading) -> bool:
    """From the newest down to the old watermark minus the overlap. Returns whether gaps may be open
    after that.
    """
    mark = reading.row.watermark
    first = mark is None and reading.row.backfill_done_at is None
    since = reading.row.backfill_since if mark is None else mark - OVERLAP
    wanted = Range(since, cause=BACKFILL if first else READING, first=first, moves_watermark=True)
    if reading.with_gaps:
        wanted.beside(await streams.open_gaps(reading.storing.db, [reading.row.id]))
    else:
        wanted.beside(())
    await _walk_down(reading, wanted, None)
    reading.reach_present()
    return reading.with_gaps or wanted.gap_id is not None


async def read_gaps(reading: Reading) -> None:
    """What earlier polls had to leave, newest first."""
    gaps = await streams.open_gaps(reading.storing.db, [reading.row.id])
    pushed = 0
    for number, gap in enumerate(gaps):
        if gap.cause == BACKFILL and reading.row.backfill_paused:
            continue
        wanted = Range(
            gap.from_at,
            cause=gap.cause,
            first=gap.cause == BACKFILL,
            moves_watermark=False,
            gap_id=gap.id,
            reached=gap.to_at,
            top=gap.to_at,
            entries=gap.entries + pushed,
        ).beside(gaps[number + 1 :])
        try:
            await _walk_down(reading, wanted, gap.cursor)
        except CursorRefused as refused:
            await _walk_from_top(reading, wanted, gap, refused)
        pushed += wanted.pushed


async def _walk_from_top(
    reading: Reading, wanted: Range, gap: Row[Any], refused: CursorRefused
) -> None:
    """The platform forgot the gap's cursor: down again from the top, through what is known.

    Where the budget ends before the gap is reached, the next poll would fare no better: then the
    refusal stands, so that the stream backs off and shows its trouble.
    """
    wanted.entries = 0
    try:
        await _walk_down(reading, wanted, None)
    except BudgetSpent:
        if wanted.reached == gap.to_at:
            raise refused from None
        raise


async def _walk_down(reading: Reading, wanted: Range, cursor: Cursor | None) -> None:
    guard = LoopGuard(cursor)
    while True:
        page = await reading.fetch(cursor, since=wanted.since)
        plan = partial(_plan, reading, wanted, page)
        await reading.store(page, plan, first_until=wanted.first_until)
        if wanted.met:
            return
        guard.check(page)
        cursor = page.next_cursor


def _plan(reading: Reading, wanted: Range, page: Page, new: Sequence[datetime]) -> Change:
    """What a page of the walk changes: the watermark, the progress, and the gap below it."""
    wanted.met = wanted.is_met(page, new)
    added = wanted.count(page)
    values: dict[str, Any] = {}
    if wanted.moves_watermark and page.newest_at is not None:
        newest = min(page.newest_at, reading.clock.now())  # a clock ahead must not lead past items
        if reading.row.watermark is None or newest > reading.row.watermark:
            values["watermark"] = newest
    if wanted.first:
        values |= reading.progress(page)
        if wanted.met and reading.row.backfill_done_at is None:
            values |= reading.end_of_backfill()
    idle = wanted.met and wanted.gap_id is None and not added
    if idle and not wanted.is_cut_off(page, reading.spec.cap):
        return Change(values)
    return Change(values, also=partial(_write_gap, reading, wanted, page, added))


async def _write_gap(reading: Reading, wanted: Range, page: Page, added: int, tx: Tx) -> None:
    """Writes down, with the page, what is still missing below it; or that nothing is."""
    now = reading.clock.now()
    if added:
        await streams.push_gaps_down(tx, wanted.below, added)
    if wanted.met:
        if wanted.gap_id is not None:
            await streams.close_gap(tx, wanted.gap_id, now)
        if wanted.is_cut_off(page, reading.spec.cap):
            to_at = page.oldest_at or wanted.reached
            await write_lost(reading, Lost(wanted.since, to_at, CAP), tx)
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
            entries=wanted.entries,
        )
    else:
        await streams.shrink_gap(
            tx,
            wanted.gap_id,
            to_at=to_at,
            cursor=cursor,
            cause=wanted.cause,
            entries=wanted.entries,
        )


@dataclass(slots=True)
class Range:
    """What a downward walk is to read: to `since`, leaving a gap of this cause if it stops."""

    since: datetime | None
    cause: str
    first: bool
    moves_watermark: bool
    gap_id: int | None = None  # its row, once there is one
    reached: datetime | None = None
    entries: int = 0  # of the platform's list, from its top, also of earlier polls
    top: datetime | None = None  # what lies above has been counted
    below: tuple[int, ...] = ()  # the other open gaps: what is new above them pushes them down
    pushed: int = 0  # by so many entries
    unread_to: datetime | None = None  # what is new up to here belongs to another open gap
    first_until: datetime | None = None  # what is new up to here belongs to the first read-back
    met: bool = False

    def beside(self, others: Sequence[Row[Any]]) -> Range:
        """Takes note of the other open gaps: this walk may run into them."""
        tops = [gap.to_at or ANY_TIME for gap in others]
        backfills = [gap.to_at or ANY_TIME for gap in others if gap.cause == BACKFILL]
        self.unread_to = max(tops, default=None)
        self.below = tuple(gap.id for gap in others)
        self.first_until = ANY_TIME if self.first else max(backfills, default=None)
        return self

    def come_down_to(self, oldest: datetime | None) -> None:
        """Everything from here up is read; below its own border a range does not reach."""
        if oldest is not None and (self.reached is None or oldest < self.reached):
            self.reached = oldest if self.since is None else max(oldest, self.since)

    def count(self, page: Page) -> int:
        """Counts a page's entries; returns how many push down the gaps below, since they came in
        after those were last read.

        The overlap below and what lies above have been counted before. Entries that are not kept
        have no times: on a page that crosses a border they are left out.
        """
        here = len(page.mentions) + len(page.unparsed) + sum(page.skipped.values())
        self.entries += here
        if not self.below:
            return 0
        border = ANCIENT if self.since is None else self.since + OVERLAP
        top = self.top or ANY_TIME
        oldest, newest = page.oldest_at or border, page.newest_at or border
        if not border < oldest <= newest <= top:
            times = (mention.occurred_at for mention in page.mentions)
            here = sum(1 for at in times if at is not None and border < at <= top)
        self.pushed += here
        return here

    def is_met(self, page: Page, new: Sequence[datetime]) -> bool:
        """Whether the walk has come to its end with this page; `new` are times of new items.

        A first walk ends below its border. Every other one also needs a page on which everything
        is known: items may lie out of order around the border. What is new because it lies in
        another open gap does not count, or the walk would read that gap too.
        """
        if not page.more:
            return True
        if self.since is None or page.oldest_at is None or page.oldest_at >= self.since:
            return False
        return self.first or not any(self._is_ours(at) for at in new)

    def _is_ours(self, at: datetime) -> bool:
        return self.unread_to is None or at > self.unread_to

    def is_cut_off(self, page: Page, cap: int | None) -> bool:
        """Whether the list ended because the platform shows no more of it, above our border."""
        bottom = page.oldest_at or self.reached
        if cap is None or self.entries < cap or self.since is None or bottom is None:
            return False
        return not page.more and bottom > self.since
