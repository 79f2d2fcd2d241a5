"""One stream being read in one poll: its pages, its limits, and the guard against endless walks.

FORWARD and QUEUE are read here, from the stored cursor to the end; the other shapes have files of
their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import msgspec

from app.clock import Clock
from app.connectors.base import (
    Connector,
    Cursor,
    Page,
    Parent,
    StreamSpec,
)
from app.connectors.budget import POLL_SECONDS, BudgetSpent
from app.connectors.failures import BadResponse, CursorRefused
from app.inbox.absence import Pass
from app.polling.losing import lost_by_queue, write_lost
from app.polling.schedule import DAILY, HOURLY, last_look_of_day, next_look
from app.polling.storing import Change, Plan, Stored, Storing, Tally, only_messages
from app.sources.purse import Purse

EMPTY_PAGES_AT_MOST = 20
A_DAY = timedelta(days=1)
_canonical = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one poll may take: `pages` of each stream. A stream that still reads `grace`
    after the `seconds` in which a poll asks (its `Budget` minds those) is cut off. `told_apart`: so
    many stored messages are told apart again where it was changed who we are.
    """

    pages: int = 200
    seconds: float = POLL_SECONDS
    grace: float = 30.0
    told_apart: int = 5000


@dataclass(slots=True)
class Reading:
    """One stream being read in one poll."""

    connector: Connector
    spec: StreamSpec
    row: SimpleNamespace
    storing: Storing
    clock: Clock
    rng: Random
    limits: Limits
    started_at: datetime
    everything: bool = False  # asked for by a person: watched parents are read, due or not
    with_gaps: bool = True  # there may be open gaps
    feeder: SimpleNamespace | None = None  # PARENT: the stream whose pages bring the parents
    purse: Purse | None = None  # shared by all streams of the source
    thrifty: bool = False  # each message is paid for: one second look a day, before the day ends
    tally: Tally = field(default_factory=Tally)
    pages: int = 0
    poll_after: timedelta | None = None  # the platform's own wish, as last heard
    reached_present: bool = False  # everything up to `started_at` is stored, or in a gap

    async def fetch(
        self, cursor: Cursor | None, *, parent: Parent | None = None, since: datetime | None = None
    ) -> Page:
        if self.pages >= self.limits.pages:
            raise BudgetSpent(f"This poll has read its {self.limits.pages} pages.")
        if self.purse is not None:
            self.purse.check()
        self.pages += 1
        page = await self.connector.fetch_page(self.spec.name, cursor, parent=parent, since=since)
        self.tally.pages += 1
        self.poll_after = page.poll_after or self.poll_after
        if self.purse is not None:
            self.purse.spent += page.cost
        return page

    def reach_present(self) -> None:
        """Notes that everything up to the start of this poll is stored, or in a gap."""
        self.reached_present = True
        self.row.covered_through = self.covered_through

    @property
    def covered_through(self) -> datetime | None:
        """Up to when there is nothing that this reading can have missed. A watch list knows of no
        more than its feeder does: threads that have changed since the feeder's last look wait.
        """
        if self.feeder is None:
            return self.started_at
        known: datetime | None = self.feeder.covered_through
        return None if known is None else min(self.started_at, known)

    @property
    def feeder_is_done(self) -> bool:
        """Whether every parent of the first read-back is known."""
        return self.feeder is None or self.feeder.backfill_done_at is not None

    async def store(
        self, page: Page, plan: Plan = only_messages, *, first_until: datetime | None = None
    ) -> Stored:
        return await self.storing.store(
            self.row, page, plan, tally=self.tally, first_until=first_until
        )

    async def conclude(
        self,
        shown: Shown,
        began_at: datetime,
        *,
        root: str | None = None,
        since: datetime | None = None,
    ) -> None:
        """A complete pass is over: what it should have shown and did not is missing. One of which
        nobody knows all that it has `shown` proves no absence.
        """
        spec, storing = self.spec, self.storing
        if spec.cap is not None and (not shown.whole or shown.entries >= spec.cap):
            return  # it may have ended where the platform shows no more
        seen = shown.ids if spec.proves_absence and shown.whole else None
        if seen is None and not spec.lists_replies:
            return
        done = Pass(
            source_id=storing.source_id,
            platform=storing.platform,
            stream=spec.name,
            began_at=began_at,
            ended_at=self.clock.now(),
            seen=None if seen is None else frozenset(seen),
            lists_replies=spec.lists_replies,
            root=root,
            since=since,
        )
        await storing.conclude(done, self.tally)

    async def read_forward(self) -> None:
        """FORWARD and QUEUE: from the stored cursor to the end."""
        cursor: Cursor | None = self.row.cursor
        since = self.row.backfill_since if cursor is None else None
        guard = LoopGuard(cursor)
        while True:
            try:
                page = await self.fetch(cursor, since=since)
            except CursorRefused:
                if cursor is None:
                    raise
                # The platform forgot the cursor: by time instead, with a day to spare.
                cursor = None
                since = (self.row.covered_through or self.row.backfill_since) - A_DAY
                continue
            change = self._after_forward(page, cursor)
            first = self.clock.now() if self.row.backfill_done_at is None else None
            await self.store(page, lambda _new, change=change: change, first_until=first)  # type: ignore[misc]
            if not page.more:
                self.reach_present()
                return
            guard.check(page)
            cursor = page.next_cursor

    def _after_forward(self, page: Page, cursor: Cursor | None) -> Change:
        values: dict[str, Any] = {}
        if page.next_cursor is not None and page.next_cursor != cursor:
            values["cursor"] = page.next_cursor
        lost = lost_by_queue(self, page)
        if lost is not None:
            values["covered_through"] = lost.to_at  # so that it is written down once
        if self.row.backfill_done_at is None:
            values |= self.progress(page)
            if not page.more:
                values |= self.end_of_backfill()
        return Change(values, also=None if lost is None else partial(write_lost, self, lost))

    def progress(self, page: Page) -> dict[str, Any]:
        """How far the first read-back has come, for people who wait for it."""
        known = dict(self.row.backfill or {})
        read = int(known.get("read", 0)) + len(page.mentions)
        seen = [m.occurred_at for m in page.mentions if m.occurred_at is not None]
        back_to = min([*seen, *moments(known.get("back_to"))], default=None)
        progress = {"read": read, "back_to": None if back_to is None else back_to.isoformat()}
        return {} if progress == self.row.backfill else {"backfill": progress}

    def end_of_backfill(self) -> dict[str, Any]:
        """The first read-back is done; from now on there are second looks."""
        now = self.clock.now()
        if self.thrifty:
            return {"backfill_done_at": now, **self.last_look()}
        return {
            "backfill_done_at": now,
            "hourly_look_at": next_look(HOURLY, now, None, rng=self.rng),
            "daily_look_at": next_look(DAILY, now, None, rng=self.rng),
        }

    def last_look(self) -> dict[str, Any]:
        """The only second look of a day, where each costs money."""
        at = last_look_of_day(self.clock.now(), rng=self.rng)
        return {"hourly_look_at": None, "daily_look_at": at}


@dataclass(slots=True)
class Shown:
    """The ids that a pass has shown; `marked` says that those of its earlier polls are marked where
    they are stored. It is not `whole` where a part of it lies in an earlier poll and is not marked,
    or where something on it can't be told apart. `skipped` of its `entries` are of types that we
    don't keep.
    """

    whole: bool = True
    marked: bool = False
    ids: set[str] = field(default_factory=set)
    entries: int = 0
    skipped: int = 0
    newest_at: datetime | None = None

    def add(self, page: Page) -> None:
        times = [mention.occurred_at for mention in page.mentions]
        self.newest_at = max(filter(None, [*times, self.newest_at]), default=None)
        self.ids |= {mention.external_id for mention in page.mentions}
        self.ids |= {entry.external_id for entry in page.unparsed if entry.external_id}
        self.skipped += sum(page.skipped.values())
        self.entries += len(page.mentions) + len(page.unparsed) + sum(page.skipped.values())
        self.whole = self.whole and all(entry.external_id for entry in page.unparsed)


class LoopGuard:
    """Ends a walk that leads nowhere: a cursor seen before, or page after page of nothing new."""

    def __init__(self, cursor: Cursor | None) -> None:
        self._seen = {_canonical.encode(cursor)}
        self._ids: set[str] = set()
        self._ends: list[datetime] = []  # the oldest and the newest time seen
        self._empty = 0

    def check(self, page: Page) -> None:
        if page.next_cursor is None:
            raise BadResponse("The platform says that there is more, but not where.")
        mark = _canonical.encode(page.next_cursor)
        if mark in self._seen:
            raise BadResponse("The platform's cursor leads in a circle.")
        self._seen.add(mark)
        ids = {mention.external_id for mention in page.mentions}
        ids |= {parent.external_id for parent in page.parents}
        new = bool(ids - self._ids or page.unparsed) or self._gets_on(page)
        self._ids |= ids
        self._empty = 0 if new else self._empty + 1
        if self._empty >= EMPTY_PAGES_AT_MOST:
            raise BadResponse(f"The platform sent {self._empty} pages in a row with nothing new.")

    def _gets_on(self, page: Page) -> bool:
        """Whether the page reaches further into the past, or nearer to the present, than those
        before it: there may be entries on it that we don't keep.
        """
        before = list(self._ends)
        self._ends = _ends([*before, *filter(None, (page.oldest_at, page.newest_at))])
        return self._ends != before


def _ends(times: list[datetime]) -> list[datetime]:
    return [min(times), max(times)] if times else []


def moments(stored: str | None) -> list[datetime]:
    """The moment kept in JSON, if there is one."""
    return [] if stored is None else [datetime.fromisoformat(stored)]
