"""Sends what is due: any number of processes may, the database decides who sends what.

A webhook reads the events with a number of its own, as a reader of the feed does, and gets a row
for each delivery. So the writer of an event does nothing for webhooks, nothing is lost when nobody
sends for a while, and a slow or dead receiver holds up nothing but itself.

Everything is done for all webhooks together, in turns: one look, and where there is something to
do one transaction that notes what attempts came to, reads on and claims. What comes within a
moment is one turn.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.db import Database, Tx
from app.errors import AppError
from app.outbox import repository as events
from app.outbox.webhooks import deliveries, repository, schedule
from app.outbox.webhooks.bodies import Bodies, ShowItem, scope_of
from app.outbox.webhooks.noting import Ended, Unsent, note
from app.outbox.webhooks.sealing import Secrets
from app.outbox.webhooks.sending import Out, Outcome, Signed, attempt

PAGE = 200
WAITING_AT_MOST = 1000
"""Deliveries of one webhook that wait; what is beyond stays an event until there is room."""
AT_ONCE = 4
"""Requests under way to one receiver; one alone while it fails."""
LEASE = timedelta(seconds=60)
"""Longer than any attempt: after it another sender may try."""
IDLE_SECONDS = 5.0
GATHER_SECONDS = 0.03
"""So long a turn waits for more to do; not where every attempt under way has ended."""
LET_GO_SECONDS = 0.5
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Behind:
    """How far there are events for a webhook, and how many it has room for."""

    last: int
    room: int


@dataclass(slots=True)
class Sender:
    """Follows the events and sends. `source` names this installation in every message."""

    db: Database
    clock: Clock
    door: Out
    secrets: Secrets
    show_item: ShowItem
    source: str
    rng: Random
    queue: int = WAITING_AT_MOST
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)
    _attempts: set[asyncio.Task[None]] = field(default_factory=set)
    _ended: list[Ended] = field(default_factory=list)
    _under_way: Counter[int] = field(default_factory=Counter)
    _resting: dict[int, tuple[int, datetime]] = field(default_factory=dict)
    _ending: bool = False
    _in_trouble: bool = False
    _task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._woken.set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def begin_stop(self) -> None:
        """From now on no attempt is started."""
        self._ending = True
        self._hurry()

    async def stop(self) -> None:
        """Attempts under way get a moment; what is cut off is due again at once."""
        self.begin_stop()
        if self._task is not None:
            await self._task
        if self._attempts:
            _, late = await asyncio.wait(self._attempts, timeout=LET_GO_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        try:
            await self._note_last()
        except (AppError, SQLAlchemyError):
            _log.warning("deliveries could not be noted; they are due again soon")

    async def _run(self) -> None:
        pause = 0.0
        while not self._ending:
            await _first(self._woken, pause)
            await _first(self._hurried, GATHER_SECONDS)
            self._woken.clear()
            self._hurried.clear()
            pause = await self._look()

    def _hurry(self) -> None:
        self._hurried.set()
        self._woken.set()

    async def _look(self) -> float:
        """Does what is due; the seconds until the next look. Trouble is logged once."""
        try:
            pause = await self.step()
        except (AppError, SQLAlchemyError) as trouble:
            if not self._in_trouble:
                _log.warning("webhooks wait for the database", reason=str(trouble))
            self._in_trouble = True
            if not isinstance(trouble, AppError):
                self._give_up()
        except Exception:  # noqa: BLE001  # it must not end the sending for good
            _log.exception("sending failed in a way we did not expect")
            self._in_trouble = True
            self._give_up()
        else:
            self._in_trouble = False
            return pause
        return IDLE_SECONDS

    def _give_up(self) -> None:
        """Not the database's trouble: what could not be noted must not keep all else from it. The
        leases end by themselves, and it is tried again.
        """
        self._forget(len(self._ended))

    def _forget(self, count: int) -> None:
        """The first of what has ended are done with: there is room for others."""
        self._under_way.subtract(each.row.webhook_id for each in self._ended[:count])
        del self._ended[:count]

    async def step(self) -> float:
        """One turn: notes what has ended, makes deliveries of new events and starts attempts, as
        far as there is room. Returns the seconds until more is due, `IDLE_SECONDS` at most.
        """
        now, ended = self.clock.now(), tuple(self._ended)
        behind: dict[int, _Behind] = {}
        rooms: dict[int, int] = {}
        if not ended:  # else there is something to do anyway, and what else comes with the next
            seen = await deliveries.standing(self.db, now)
            behind, rooms = self._behind(seen), self._rooms(seen, now, ended)
            if not (behind or rooms):
                return self._pause(seen, now)
        claimed: Sequence[Row[Any]] = ()
        async with self.db.write() as tx:
            touched = {each.row.webhook_id for each in ended} | behind.keys() | rooms.keys()
            webhooks = await repository.lock(tx, touched)
            await note(tx, ended, webhooks, now, self.rng)
            known = await _read_on(tx, behind, webhooks, now)
            seen = await deliveries.standing(tx, now)
            self._rest(ended, seen, now)
            if not self._ending:
                rooms = self._rooms(seen, now, ended)
                claimed = await deliveries.claim(tx, rooms, now, now + LEASE)
            missing = {row.seq for row in claimed} - known.keys()
            happened = known | await events.events_numbered(tx, missing)
        self._forget(len(ended))
        self._begin(claimed, seen, happened)
        return 0.0 if self._behind(seen) else self._pause(seen, now)

    async def _note_last(self) -> None:
        if not self._ended:
            return
        async with self.db.write() as tx:
            webhooks = await repository.lock(tx, {each.row.webhook_id for each in self._ended})
            await note(tx, self._ended, webhooks, self.clock.now(), self.rng)
        self._forget(len(self._ended))

    def _behind(self, seen: Sequence[Row[Any]]) -> dict[int, _Behind]:
        """Webhooks that have events before them and room for some."""
        found = {
            row.id: _Behind(row.last, min(PAGE, self.queue - int(row.waiting or 0)))
            for row in seen
            if row.read_through < row.last
        }
        return {id_: behind for id_, behind in found.items() if behind.room > 0}

    def _rest(self, ended: Sequence[Ended], seen: Sequence[Row[Any]], now: datetime) -> None:
        """A receiver that does not answer at all is left alone for a while."""
        silent = {(each.row.webhook_id, each.version) for each in ended if _is_silent(each)}
        for row in seen:
            if row.failing_since is None:
                self._resting.pop(row.id, None)
            elif (row.id, row.version) in silent:
                until = now + schedule.rest(now - row.failing_since)
                self._resting[row.id] = (row.version, until)

    def _rested_at(self, webhook: Row[Any]) -> datetime | None:
        """The end of its rest; one that was changed since is not left alone."""
        version, until = self._resting.get(webhook.id, (None, None))
        return until if version == webhook.version else None

    def _rooms(
        self, seen: Sequence[Row[Any]], now: datetime, ended: Sequence[Ended]
    ) -> dict[int, int]:
        """How many attempts may begin, by webhook; without those that have nothing due."""
        over = Counter(each.row.webhook_id for each in ended)
        rooms = {
            row.id: (AT_ONCE if row.failing_since is None else 1)
            - (self._under_way[row.id] - over[row.id])
            for row in seen
            if row.due_at is not None and now >= (self._rested_at(row) or now)
        }
        return {id_: room for id_, room in rooms.items() if room > 0}

    def _pause(self, seen: Sequence[Row[Any]], now: datetime) -> float:
        """Seconds until more is due; the end of an attempt wakes us too."""
        ends = [self._rested_at(row) for row in seen if row.due_at is not None]
        later = [at for at in (*ends, *(row.later_at for row in seen)) if at is not None]
        pauses: list[float] = [(at - now).total_seconds() for at in later if at > now]
        return min([IDLE_SECONDS, *pauses])

    def _begin(
        self,
        claimed: Sequence[Row[Any]],
        seen: Sequence[Row[Any]],
        happened: Mapping[int, Row[Any]],
    ) -> None:
        webhooks = {row.id: row for row in seen}
        bodies = Bodies(self.db, self.show_item, self.source, happened, self.clock.now())
        for row in claimed:
            self._under_way[row.webhook_id] += 1
            delivering = self._deliver(row, webhooks[row.webhook_id], bodies)
            task = asyncio.create_task(delivering, name=f"delivery-{row.id}")
            self._attempts.add(task)
            task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._attempts.discard(task)
        self._woken.set()
        if not self._attempts:
            self._hurried.set()

    async def _deliver(self, row: Row[Any], webhook: Row[Any], bodies: Bodies) -> None:
        how: Outcome | Unsent = Unsent.IN_TROUBLE
        try:
            how = await self._attempt(row, webhook, bodies)
        except asyncio.CancelledError:
            how = Unsent.GIVEN_BACK
            raise
        except (AppError, SQLAlchemyError) as trouble:
            _log.warning("a delivery was not sent", delivery_id=row.id, reason=str(trouble))
        except Exception:  # noqa: BLE001  # one delivery must not end the others
            _log.exception("a delivery failed in a way we did not expect", delivery_id=row.id)
        finally:
            self._ended.append(Ended(row, webhook.version, how))

    async def _attempt(self, row: Row[Any], webhook: Row[Any], bodies: Bodies) -> Outcome | Unsent:
        made = await bodies.of(row.seq, scope_of(webhook))
        if made is None:
            return Unsent.LOST
        message_id, body = made
        secrets = self.secrets.signing(webhook, self.clock.now())
        signed = Signed(secrets, message_id, body)
        return await attempt(self.door, self.clock, webhook.url, signed)


async def _first(happened: asyncio.Event, seconds: float) -> None:
    """Waits for it, but no longer than that."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await happened.wait()


def _is_silent(ended: Ended) -> bool:
    return isinstance(ended.how, Outcome) and ended.how.unreachable


async def _read_on(
    tx: Tx, behind: Mapping[int, _Behind], webhooks: Mapping[int, Row[Any]], now: datetime
) -> dict[int, Row[Any]]:
    """Makes deliveries of what each of them wants; the events that were read, by number.
    Webhooks that are at one place, as most are, read them once.
    """
    places = {
        id_: webhooks[id_].read_through
        for id_ in behind
        if id_ in webhooks and webhooks[id_].enabled
    }
    read = {place: await events.all_after(tx, place, PAGE) for place in set(places.values())}
    moved: defaultdict[int, list[int]] = defaultdict(list)
    wanted: dict[int, Sequence[Row[Any]]] = {}
    for id_, place in places.items():
        rows = read[place][: behind[id_].room]
        # None: those up to the last have been deleted meanwhile.
        moved[rows[-1].seq if rows else max(place, behind[id_].last)].append(id_)
        wanted[id_] = [row for row in rows if _wants(webhooks[id_], row)]
    for through, webhook_ids in moved.items():
        await repository.advance(tx, webhook_ids, through)
    await deliveries.add(tx, wanted, now)
    return {row.seq: row for rows in read.values() for row in rows}


def _wants(webhook: Row[Any], happened: Row[Any]) -> bool:
    if webhook.types and happened.type not in webhook.types:
        return False
    return events.may_see(scope_of(webhook), happened)
