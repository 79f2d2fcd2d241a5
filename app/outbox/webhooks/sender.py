"""Sends what is due: any number of processes may, the database decides who sends what.

A webhook reads the events with a number of its own, as a reader of the feed does, and gets a row
for each delivery. So the writer of an event does nothing for webhooks, nothing is lost when nobody
sends for a while, and a slow or dead receiver holds up nothing but itself.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec
import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock
from app.db import Database, Reader, Tx
from app.errors import AppError
from app.outbox import repository as events
from app.outbox.events import Actor, Event, record
from app.outbox.schemas import event_out
from app.outbox.webhooks import deliveries, repository, schedule
from app.outbox.webhooks.message import body_of
from app.outbox.webhooks.sealing import Secrets
from app.outbox.webhooks.sending import Out, Outcome, Signed, attempt
from app.scope import Scope

PAGE = 200
WAITING_AT_MOST = 1000
"""Deliveries of one webhook that wait; what is beyond stays an event until there is room."""
AT_ONCE = 4
"""Requests under way to one receiver; one alone while it fails."""
LEASE = timedelta(seconds=60)
"""Longer than any attempt: after it another sender may try."""
IDLE_SECONDS = 5.0
LET_GO_SECONDS = 0.5
SENDER = Actor("rule", "webhooks")
ShowItem = Callable[[Reader, Scope, int, datetime], Awaitable[msgspec.Struct | None]]
"""The item as it is now, `None` where that scope does not see it."""
_log = structlog.get_logger(__name__)


def scope_of(webhook: Row[Any]) -> Scope:
    """What a webhook may tell."""
    sources = None if webhook.source_ids is None else frozenset(webhook.source_ids)
    return Scope(sources=sources, direct=webhook.direct)


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
    _attempts: set[asyncio.Task[None]] = field(default_factory=set)
    _under_way: Counter[int] = field(default_factory=Counter)
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
        self._woken.set()

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

    async def _run(self) -> None:
        while not self._ending:
            self._woken.clear()
            pause = await self._look()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._woken.wait()

    async def _look(self) -> float:
        """Does what is due; the seconds until the next look. Trouble is logged once."""
        try:
            await self.step()
            pause = await self._pause()
        except (AppError, SQLAlchemyError) as trouble:
            if not self._in_trouble:
                _log.warning("webhooks wait for the database", reason=str(trouble))
            self._in_trouble = True
        except Exception:  # noqa: BLE001  # it must not end the sending for good
            _log.exception("sending failed in a way we did not expect")
            self._in_trouble = True
        else:
            self._in_trouble = False
            return pause
        return IDLE_SECONDS

    async def _pause(self) -> float:
        """Seconds until more is due, `IDLE_SECONDS` at most; the end of an attempt wakes us too."""
        now = self.clock.now()
        due_at = await deliveries.next_due(self.db, now)
        if due_at is None:
            return IDLE_SECONDS
        return min((due_at - now).total_seconds(), IDLE_SECONDS)

    async def step(self) -> None:
        """Makes deliveries of new events and starts attempts, as far as there is room."""
        for webhook in await repository.behind(self.db):
            await self._read_on(webhook)
        now = self.clock.now()
        for webhook in await deliveries.due(self.db, now):
            at_once = AT_ONCE if webhook.failing_since is None else 1
            room = at_once - self._under_way[webhook.id]
            if room > 0 and not self._ending:
                await self._begin(webhook.id, now, room)

    async def _read_on(self, webhook: Row[Any]) -> None:
        waiting = (await repository.pending_of(self.db)).get(webhook.id, 0)
        room = min(PAGE, self.queue - waiting)
        if room <= 0:
            return
        rows = await events.all_after(self.db, webhook.read_through, room)
        if not rows:
            return
        scope = scope_of(webhook)
        wanted = [
            row
            for row in rows
            if events.may_see(scope, row) and (not webhook.types or row.type in webhook.types)
        ]
        async with self.db.write() as tx:
            if await repository.advance(tx, webhook.id, webhook.read_through, rows[-1].seq):
                await deliveries.add(tx, webhook.id, wanted, self.clock.now())
        self._woken.set()  # there may be more

    async def _begin(self, webhook_id: int, now: datetime, room: int) -> None:
        async with self.db.write() as tx:
            claimed = await deliveries.claim(tx, webhook_id, now, now + LEASE, room)
        for row in claimed:
            self._under_way[webhook_id] += 1
            task = asyncio.create_task(self._deliver(row), name=f"delivery-{row.id}")
            self._attempts.add(task)
            task.add_done_callback(self._attempts.discard)

    async def _deliver(self, row: Row[Any]) -> None:
        try:
            await self._attempt(row)
        except asyncio.CancelledError:
            await self._give_back(row)
            raise
        except (AppError, SQLAlchemyError) as trouble:
            # Nothing is noted: the lease ends by itself, and it is tried again.
            _log.warning("a delivery was not noted", delivery_id=row.id, reason=str(trouble))
        except Exception:  # noqa: BLE001  # one delivery must not end the others
            _log.exception("a delivery failed in a way we did not expect", delivery_id=row.id)
        finally:
            self._under_way[row.webhook_id] -= 1
            self._woken.set()

    async def _attempt(self, row: Row[Any]) -> None:
        webhook = await repository.find(self.db, Scope(None, direct=True), row.webhook_id)
        happened = await events.find_event(self.db, row.seq)
        if webhook is None:
            return
        if not webhook.enabled:  # meanwhile
            await self._give_back(row)
            return
        if happened is None:
            await self._note_lost(row)
            return
        now, item = self.clock.now(), None
        if row.item_id is not None:
            item = await self.show_item(self.db, scope_of(webhook), row.item_id, now)
        shown = event_out(happened)
        body = body_of(self.source, shown, item)
        secrets = self.secrets.signing(webhook, now)
        signed = Signed(secrets, shown.id, body)
        outcome = await attempt(self.door, self.clock, webhook.url, signed)
        async with self.db.write() as tx:
            await self._note(tx, webhook, row, outcome)

    async def _note(self, tx: Tx, webhook: Row[Any], row: Row[Any], outcome: Outcome) -> None:
        now = self.clock.now()
        if outcome.error is None:
            await self._note_success(tx, webhook, row, outcome, now)
            return
        code, detail = outcome.error
        error = {"last_status": outcome.status, "error_code": code, "error_detail": detail}
        due_at = schedule.next_attempt(row.attempts, now, asked=outcome.asked, rng=self.rng)
        ended = {"state": "dead", "finished_at": now} if due_at is None else {}
        if not await deliveries.finish(tx, row, {**error, "due_at": due_at, **ended}):
            return
        since = await repository.note_failure(tx, webhook.id, error, now) or now
        reason = "gone" if outcome.gone else "failing"
        hopeless = outcome.gone or now - since >= schedule.GIVEN_UP_AFTER
        if hopeless and await repository.disable(tx, webhook.id, reason, now):
            details = {"webhook_id": webhook.id, "reason": reason}
            record(tx, Event("webhook.disabled", now, SENDER, details=details))

    async def _note_success(
        self, tx: Tx, webhook: Row[Any], row: Row[Any], outcome: Outcome, now: datetime
    ) -> None:
        ended = {"state": "delivered", "finished_at": now, "due_at": None}
        await deliveries.finish(tx, row, {**ended, "last_status": outcome.status})
        good = {"failing_since": None, "last_ok_at": now, "last_status": outcome.status}
        await repository.note(tx, webhook.id, {**good, "error_code": None, "error_detail": None})
        since = webhook.failing_since
        if since is not None and now - since >= schedule.OUTAGE:
            await deliveries.hurry(tx, webhook.id, now)

    async def _note_lost(self, row: Row[Any]) -> None:
        detail = "The event has been deleted meanwhile."
        values = {"state": "dead", "finished_at": self.clock.now(), "due_at": None}
        async with self.db.write() as tx:
            error = {"error_code": "event_deleted", "error_detail": detail}
            await deliveries.finish(tx, row, {**values, **error})

    async def _give_back(self, row: Row[Any]) -> None:
        try:
            async with self.db.write() as tx:
                await deliveries.finish(
                    tx, row, {"attempts": row.attempts - 1, "due_at": self.clock.now()}
                )
        except (AppError, SQLAlchemyError):
            _log.warning("a delivery could not be given back; it is due again soon")
