"""One fetched page = one transaction: items, replies, answers, quarantine, watch lists, cursor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from app.clock import Clock
from app.connectors.base import Page, Parent, Platform, Unparsed
from app.connectors.failures import BadResponse
from app.db import Database, Tx
from app.inbox import absence, ingest
from app.inbox.absence import Pass
from app.inbox.arrivals import Us, fit_for_quarantine
from app.inbox.erasing.tombstones import living
from app.polling.schedule import next_age, next_check
from app.sources import leases, streams
from app.sources.leases import Lease

MOSTLY_BAD_FROM = 3
"""So many unreadable messages on a page, and half of it, make the page itself suspect."""


def rereads_of(platform: Platform) -> Sequence[timedelta] | None:
    """The ages at which a platform's messages are read again: none where that would show neither
    an edit nor a deletion, `None` where it costs nothing.
    """
    if platform.thrift is not None:
        return platform.thrift.rereads
    return None if platform.capabilities.shows_again else ()


@dataclass(slots=True)
class Tally:
    """What a poll has done so far."""

    pages: int = 0
    seen: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    replies_seen: int = 0
    quarantined: int = 0
    recovered: int = 0
    erased: int = 0

    def add(self, other: Tally) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a page. `new_at` are the platform's times of the new items."""

    new_at: Sequence[datetime] = ()


@dataclass(slots=True)
class Change:
    """What a page changes beside its messages: new `values` of its stream, and what `also` writes
    in the same transaction.
    """

    values: dict[str, Any] = field(default_factory=dict)
    also: Callable[[Tx], Awaitable[None]] | None = None


Plan = Callable[[Sequence[datetime]], Change]
"""Decides from the times of the new messages on a page what else the page changes."""


def only_messages(_new: Sequence[datetime]) -> Change:
    """Nothing else."""
    return Change()


@dataclass(slots=True)
class Storing:
    """Stores the pages of one poll of one source.

    `feeds` tells for a stream's name which watch lists its parents belong to; `with_quarantine`
    which streams have something in quarantine that a page may redeem; `put_aside` collects what
    this poll has met there (digests). `rereads` are the ages at which messages are read again,
    `None` where that costs nothing; `refresh_within` is the platform's duty (`Retention`).
    """

    db: Database
    clock: Clock
    rng: Random
    lease: Lease
    lease_length: timedelta
    source_id: int
    platform: str
    us: Us
    backlog_after: timedelta
    interval: timedelta
    feeds: Mapping[str, Sequence[int]] = field(default_factory=dict)
    with_quarantine: frozenset[int] = frozenset()
    put_aside: set[str] = field(default_factory=set)
    rereads: Sequence[timedelta] | None = None
    refresh_within: timedelta | None = None
    filing_by_lists: bool = False

    @property
    def watch_lists(self) -> set[int]:
        """Every watch list of the source."""
        return {watch_list for fed in self.feeds.values() for watch_list in fed}

    async def store(
        self, row: Any, page: Page, plan: Plan, *, tally: Tally, first_until: datetime | None = None
    ) -> Stored:
        """Stores a page of the stream `row` with what `plan` adds to it. What is new on it up to
        `first_until` belongs to the first read-back (backlog, where it is old).

        A page on which everything is known, and whose plan is empty, opens no transaction. Of a
        page that is mostly unreadable the good messages are kept, but nothing that would lead past
        the bad ones; then `BadResponse`. Raises `LeaseLost`.
        """
        now = self.clock.now()
        incoming = self._incoming(row, page, now, first_until)
        difference = await ingest.compare(self.db, incoming)
        bad = [fit_for_quarantine(each) for each in (*page.unparsed, *difference.refused)]
        mostly_bad = len(bad) >= MOSTLY_BAD_FROM and len(bad) * 2 >= _entries(page)
        new = [arrival.occurred_at for arrival in difference.new]
        change = Change({"bad_pages": row.bad_pages + 1}) if mostly_bad else plan(new)
        if new and first_until is None and not mostly_bad:
            lag = max(timedelta(), now - max(new))
            change.values["lag_ms"] = lag // timedelta(milliseconds=1)
        self._count_skipped(row, page, change.values)
        self.put_aside |= {streams.digest(entry) for entry in bad}
        fresh_bad = await self._not_in_quarantine(row.id, bad)
        parents = await self._changed_parents(row.name, page.parents)
        redeemed = await self._redeemed(row.id, page, bad)
        outcome = ingest.Outcome(unchanged=difference.unchanged, erased=difference.erased)
        if (
            fresh_bad
            or parents
            or redeemed
            or change.values
            or change.also
            or difference.is_something
        ):
            async with self.db.write() as tx:
                await leases.hold(tx, self.lease, now=now, length=self.lease_length)
                outcome = await ingest.apply(tx, incoming, difference)
                if bad:
                    await streams.put_in_quarantine(tx, row.id, bad, now)
                if redeemed:
                    await streams.release_from_quarantine(tx, row.id, redeemed)
                for watch_list, changed in parents.items():
                    await streams.watch(tx, watch_list, changed, now)
                if self.watch_lists and difference.new and first_until is None:
                    roots = {arrival.mention.thread.external_id for arrival in difference.new}
                    await streams.wake_parents(tx, self.watch_lists, roots, now)
                if change.values:
                    await streams.save_stream(tx, row.id, change.values)
                if change.also is not None:
                    await change.also(tx)
        vars(row).update(change.values)  # so it is for the rest of this poll too
        self._count(tally, page, outcome, len(fresh_bad))
        if mostly_bad:
            raise BadResponse("Most of a page could not be read; it will be read again.")
        return Stored(new_at=outcome.new_at)

    async def conclude(self, done: Pass, tally: Tally) -> None:
        """Stores what a complete pass did not show. Raises `LeaseLost`."""
        missing = await absence.find(self.db, done)
        if not missing.is_something:
            return
        async with self.db.write() as tx:
            await leases.hold(tx, self.lease, now=done.ended_at, length=self.lease_length)
            tally.updated += await absence.apply(tx, done, missing)

    def _incoming(
        self, row: Any, page: Page, now: datetime, first_until: datetime | None
    ) -> ingest.Incoming:
        old = now - self.backlog_after
        return ingest.Incoming(
            source_id=self.source_id,
            platform=self.platform,
            stream=row.name,
            us=self.us,
            now=now,
            mentions=page.mentions,
            gone=page.gone,
            backlog_before=None if first_until is None else min(old, first_until),
            reread_at=partial(self.reread_at, now),
            keep_until=self.keep_until(now),
        )

    def reread_at(self, now: datetime, occurred_at: datetime) -> datetime | None:
        """When a message that came in `now` is read again for edits and deletion."""
        if self.rereads is not None:
            return next_age(now, occurred_at, self.rereads)
        return next_check(now, occurred_at, rng=self.rng)

    def keep_until(self, now: datetime) -> datetime | None:
        """How long the text of a message that was read `now` may be kept; `None`: no matter."""
        return None if self.refresh_within is None else now + self.refresh_within

    async def _not_in_quarantine(self, stream_id: int, bad: Sequence[Unparsed]) -> list[Unparsed]:
        if not bad:
            return []
        digests = {streams.digest(entry): entry for entry in bad}
        known = await streams.in_quarantine(self.db, stream_id, digests.keys())
        return [entry for digest, entry in digests.items() if digest not in known]

    async def _redeemed(self, stream_id: int, page: Page, bad: Sequence[Unparsed]) -> list[str]:
        """What was in quarantine and can be read now."""
        if stream_id not in self.with_quarantine or not page.mentions:
            return []
        good = {m.external_id for m in page.mentions} - {entry.external_id for entry in bad}
        return await streams.quarantined_ids(self.db, stream_id, good)

    async def _changed_parents(
        self, stream: str, parents: Sequence[Parent]
    ) -> dict[int, list[Parent]]:
        found = {}
        if stream in self.feeds:
            parents = await living(self.db, self.platform, parents)
        for watch_list in self.feeds.get(stream, ()) if parents else ():
            changed = await streams.parents_that_changed(self.db, watch_list, parents)
            if changed:
                found[watch_list] = changed
        return found

    @staticmethod
    def _count_skipped(row: Any, page: Page, values: dict[str, Any]) -> None:
        """Entries of types we don't keep: summed up where each is read once, else the most that
        one page has shown.
        """
        if not page.skipped:
            return
        known: dict[str, int] = dict(row.skipped or {})
        once = row.shape in ("forward", "queue")
        for kind, times in page.skipped.items():
            before = known.get(kind, 0)
            known[kind] = before + times if once else max(before, times)
        if known != (row.skipped or {}):
            values["skipped"] = known

    @staticmethod
    def _count(tally: Tally, page: Page, outcome: ingest.Outcome, fresh: int) -> None:
        tally.seen += len(page.mentions) + len(page.unparsed)
        tally.new += outcome.new
        tally.updated += outcome.updated
        tally.unchanged += outcome.unchanged
        tally.replies_seen += outcome.replies_seen
        tally.erased += outcome.erased
        tally.quarantined += fresh


def _entries(page: Page) -> int:
    """How many entries a page held. Where an entry is a message and a parent, it is one."""
    readable = max(len(page.mentions), len(page.parents)) + sum(page.skipped.values())
    return readable + len(page.unparsed)
