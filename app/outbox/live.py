"""Live events for many at once: the table is read once for all, each event is encoded once."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from app.db import Database
from app.errors import AppError, TooManyRequests, Unavailable
from app.outbox import repository
from app.outbox.passing import Moment, Passing
from app.outbox.schemas import event_out
from app.scope import Scope

PAGE = 500
QUEUED_AT_MOST = 1000
"""Messages that wait for one reader; a slower one is dropped and comes back by itself."""
SLICE = 25
"""Streams that are woken in one turn of the loop."""
CHECK_SECONDS = 2.0
HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 3000
_encoder = msgspec.json.Encoder()
_log = structlog.get_logger(__name__)

Still = Callable[[], Awaitable[bool]]
"""Whether a caller is still who they were, with the same rights."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose stream it is. `key` is the same for all streams of one sign-in, `account` for all
    that count against one limit.
    """

    key: Hashable
    account: Hashable
    scope: Scope
    still: Still


def message(row: Row[Any]) -> bytes:
    """An event as it goes over the wire (WHATWG HTML, 9.2.6)."""
    body = _encoder.encode(event_out(row))
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (row.seq, row.type.encode(), body)


def goodbye(reason: str) -> bytes:
    return b'event: bye\ndata: {"reason":"%b"}\n\n' % reason.encode()


def heartbeat(position: int) -> bytes:
    """A comment, and an id without an event: who sees little still resumes close to the end."""
    return b": still here\nid: %d\n\n" % position


@dataclass(eq=False, slots=True)
class Subscriber:
    """One open stream: what waits for it, and why it ends."""

    caller: Caller
    types: frozenset[str]
    source_ids: frozenset[int]
    presence: bool = False
    position: int = 0
    ended: str | None = None
    hurry: Callable[[], None] | None = None
    _queue: deque[bytes] = field(default_factory=deque)
    _called: bool = False
    _waiting: asyncio.Future[bool] | None = None
    _quiet_until: float = 0.0
    _timer: asyncio.TimerHandle | None = None

    def wants(self, row: Row[Any]) -> bool:
        if self.types and row.type not in self.types:
            return False
        if self.source_ids and row.source_id not in self.source_ids:
            return False
        return repository.may_see(self.caller.scope, row)

    def sees(self, moment: Moment) -> bool:
        if not self.presence or (self.source_ids and moment.source_id not in self.source_ids):
            return False
        return repository.may_see(self.caller.scope, moment)

    def offer(self, part: bytes) -> None:
        if len(self._queue) >= QUEUED_AT_MOST:
            self.end("slow")
        else:
            self._queue.append(part)
            self._call()

    def end(self, reason: str) -> None:
        """The first reason counts. Only who stops in good order still gets what waits."""
        if self.ended is None:
            self.ended = reason
            if reason != "stopping":
                self._queue.clear()
        self._call()
        if self.hurry is not None:
            self.hurry()

    def take(self) -> bytes:
        taken = b"".join(self._queue)
        self._queue.clear()
        return taken

    async def rest(self, seconds: float) -> bool:
        """Waits for something to do; `False` when nothing came.

        A thousand streams do this at every event, so that no timer is set and cancelled each
        time: one that rings too early is set anew.
        """
        if not self._called:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            self._quiet_until = loop.time() + seconds
            if self._timer is None:
                self._timer = loop.call_at(self._quiet_until, self._ring)
            try:
                await self._waiting
            finally:
                self._waiting = None
        called, self._called = self._called, False
        return called

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _call(self) -> None:
        self._called = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(True)

    def _ring(self) -> None:
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._quiet_until:
            self._timer = loop.call_at(self._quiet_until, self._ring)
        else:
            self._waiting.set_result(False)


class Broadcaster:
    """Reads the events once per wake-up and hands them to every stream of this process."""

    def __init__(
        self,
        db: Database,
        *,
        per_account: int,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        passing: Passing | None = None,
    ) -> None:
        self._db = db
        self._passing = passing
        self._per_account = per_account
        self._heartbeat_seconds = heartbeat_seconds
        self._open: set[Subscriber] = set()
        self._subscribers: set[Subscriber] = set()  # those of them that are told as it happens
        self._accounts: Counter[Hashable] = Counter()
        self._position = 0
        self._lock = asyncio.Lock()
        self._woken = asyncio.Event()
        self._stopping = False
        self._in_trouble = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        self._woken.set()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    def begin_stop(self) -> None:
        """Every stream says goodbye and ends; new ones are refused."""
        self._stopping = True
        for subscriber in self._open:
            subscriber.end("stopping")

    async def stop(self) -> None:
        self.begin_stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def __len__(self) -> int:
        """Streams that are told what happens as it happens; others still read the past."""
        return len(self._subscribers)

    def admit(self, caller: Caller) -> None:
        """Counts a stream of this account. Raises `TooManyRequests` above the limit."""
        if self._stopping:
            raise Unavailable("The service is stopping.", headers={"Retry-After": "5"})
        if self._accounts[caller.account] >= self._per_account:
            raise TooManyRequests(
                f"This token has {self._per_account} streams open, the most there may be. "
                "Close one, or read GET /api/v1/events?after= instead.",
                headers={"Retry-After": "60"},
            )
        self._accounts[caller.account] += 1

    def leave(self, subscriber: Subscriber) -> None:
        subscriber.close()
        self._open.discard(subscriber)
        self._subscribers.discard(subscriber)
        self._accounts[subscriber.caller.account] -= 1
        if not self._accounts[subscriber.caller.account]:
            del self._accounts[subscriber.caller.account]

    async def parts(self, subscriber: Subscriber, after: int | None) -> AsyncGenerator[bytes]:
        """What a stream sends: what happened since `after` (`None`: nothing of the past), then
        what happens, with heartbeats, until a goodbye. Call `admit` before and `leave` at its end.
        """
        self._open.add(subscriber)
        yield b"retry: %d\n\n" % RETRY_MILLISECONDS
        try:
            async for part in self._past(subscriber, after):
                yield part
        except (AppError, SQLAlchemyError):
            subscriber.end("unavailable")
        while True:
            part = subscriber.take()
            if part:
                yield part
            elif subscriber.ended is not None:
                yield goodbye(subscriber.ended)
                return
            elif not await subscriber.rest(self._heartbeat_seconds):
                yield heartbeat(self._position)

    async def _past(self, subscriber: Subscriber, after: int | None) -> AsyncGenerator[bytes]:
        """Reads on in pages until a short one, then joins the others and reads up to there."""
        span = await repository.span_of(self._db)
        at = span.last if after is None else after
        if at < span.forgotten or at > span.last:
            # Cut back, or of a database that was restored since: some of it cannot be shown.
            at = span.forgotten if at < span.forgotten else span.last
            yield b"id: %d\nevent: missed\ndata: {}\n\n" % at
        behind = span.last - at > PAGE
        while behind and await self._goes_on(subscriber):
            rows = await repository.all_after(self._db, at, PAGE)
            yield self._encoded(subscriber, rows) or heartbeat(at)
            behind = len(rows) == PAGE
            at = rows[-1].seq if rows else at
        joined_at = await self._join(subscriber)
        while at < joined_at and await self._goes_on(subscriber):
            rows = await repository.all_after(self._db, at, PAGE)
            at = rows[-1].seq if rows else joined_at
            # What lies beyond is handed over live.
            yield self._encoded(subscriber, [row for row in rows if row.seq <= joined_at])
        if subscriber.ended is None:
            yield heartbeat(joined_at)

    async def _goes_on(self, subscriber: Subscriber) -> bool:
        if self._stopping:
            subscriber.end("stopping")
        elif not await subscriber.caller.still():
            subscriber.end("signed_out")
        return subscriber.ended is None

    @staticmethod
    def _encoded(subscriber: Subscriber, rows: Any) -> bytes:
        return b"".join(message(row) for row in rows if subscriber.wants(row))

    async def _join(self, subscriber: Subscriber) -> int:
        """From the returned number on the subscriber is handed everything."""
        async with self._lock:
            if not self._subscribers:  # nobody read on meanwhile
                self._position = (await repository.span_of(self._db)).last
            if self._stopping:
                subscriber.end("stopping")
            self._subscribers.add(subscriber)
            if self._passing is not None and subscriber.presence:
                self._offer(self._passing.told, [subscriber])
                self.wake()  # what was told is only as new as the last look
            return self._position

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._woken.wait()
            woken = self._woken.is_set()
            self._woken.clear()
            if not await self._look(woken=woken):
                self._woken.set()
                await asyncio.sleep(CHECK_SECONDS)

    async def _look(self, *, woken: bool) -> bool:
        """Tells whether the database answered; trouble is logged once."""
        try:
            await self._end_strangers()
            if woken:
                await self._read_on()
            await self._pass_on()
        except (AppError, SQLAlchemyError) as trouble:
            if not self._in_trouble:
                _log.warning("live events wait for the database", reason=str(trouble))
            self._in_trouble = True
        except Exception:  # noqa: BLE001  # the streams of all others hang on this
            _log.exception("live events failed in a way we did not expect")
            self._in_trouble = True
        else:
            self._in_trouble = False
        return not self._in_trouble

    async def _end_strangers(self) -> None:
        """Ends the streams of tokens that ended or changed: one look for each sign-in."""
        callers = {each.caller.key: each.caller for each in self._subscribers}
        gone = {key for key, caller in callers.items() if not await caller.still()}
        for subscriber in list(self._subscribers) if gone else ():
            if subscriber.caller.key in gone:
                subscriber.end("signed_out")

    async def _read_on(self) -> None:
        async with self._lock:
            full = bool(self._subscribers)
            while full:
                rows = await repository.all_after(self._db, self._position, PAGE)
                for row in rows:
                    await self._hand_out(row)
                full = len(rows) == PAGE

    async def _pass_on(self) -> None:
        """Who asked for it is told what holds now, and what holds no more."""
        if self._passing is None:
            return
        if not any(each.presence for each in self._subscribers):
            self._passing.forget()
            return
        news = await self._passing.news()
        self._offer(news, list(self._subscribers))

    @staticmethod
    def _offer(moments: Iterable[Moment], subscribers: Sequence[Subscriber]) -> None:
        for moment in moments:
            for subscriber in subscribers:
                if subscriber.ended is None and subscriber.sees(moment):
                    subscriber.offer(moment.part)

    async def _hand_out(self, row: Row[Any]) -> None:
        """In slices: a thousand streams that wake at once would keep every request waiting."""
        part = message(row)
        for count, subscriber in enumerate(list(self._subscribers), start=1):
            if subscriber.ended is None and subscriber.wants(row):
                subscriber.offer(part)
            if count % SLICE == 0:
                await asyncio.sleep(0)
        self._position = row.seq  # last: heartbeats name only what everybody was handed
