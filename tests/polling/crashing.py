"""A process that polls and is killed: `python -m tests.polling.crashing <database> <stub>`.

Reads one order a line (JSON) and forks a worker for each, so that the imports are paid once; tells
the worker's pid, and how it ended. The worker runs the real runner and poller. A failpoint kills it
at the n-th hit, from the outside of the engine: around its connector and its database. The controls
store in a wrong order on purpose: what counts their losses would count ours.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Any, cast

import msgspec
from sqlalchemy import Column, CursorResult, Executable, Insert, Row, Table, select
from sqlalchemy import MetaData as Tables
from sqlalchemy import Text as TextType

from app.clock import Clock, SystemClock
from app.connectors.base import Page
from app.connectors.budget import Budget
from app.connectors.http import Door
from app.db import Database, Tx, Values, open_database
from app.inbox.models import item
from app.polling.poller import Poller
from app.polling.runner import Runner
from app.polling.storing import Change, Plan, Stored, Storing, Tally, only_messages
from app.sources import leases, repository, streams
from app.sources.connecting import Connecting
from app.sources.models import gap, source, stream
from app.team.keys import open_keyring

SECRET = "a-secret-key-of-the-crash-harness-0123456789"
LEASE = timedelta(seconds=1)  # what other workers wait for after a kill, on PostgreSQL

Executing = Callable[[Executable, Values], Awaitable[CursorResult[Any]]]

without_key = Table("without_key", Tables(), Column("external_id", TextType))
"""Where the second control stores: it has no unique key."""


class Order(msgspec.Struct):
    """What a worker does: until all is read (`to_the_end`), or until it is killed."""

    variant: str = "real"
    to_the_end: bool = False
    failpoint: str = ""
    hit: int = 0


@dataclass(slots=True)
class Failpoint:
    """Dies when it is met for the `left`-th time."""

    name: str
    left: int

    def met(self, name: str) -> None:
        if name == self.name:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class FailingDatabase:
    """The database, with a failpoint on both sides of each commit and one within each page."""

    def __init__(self, db: Database, failpoint: Failpoint) -> None:
        self._db, self._failpoint = db, failpoint
        self.dialect = db.dialect
        self.rows, self.data_version, self.close = db.rows, db.data_version, db.close

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Tx]:
        async with self._db.write() as tx:
            tx.execute = partial(self._execute, tx.execute)  # type: ignore[method-assign]  # ours
            yield tx
            self._failpoint.met("before_commit")
        self._failpoint.met("after_commit")

    async def _execute(
        self, execute: Executing, statement: Executable, values: Values = None
    ) -> CursorResult[Any]:
        done = await execute(statement, values)
        if isinstance(statement, Insert) and statement.table is item:
            self._failpoint.met("mid_page")  # the messages are in; events, counts, cursor are not
        return done


@dataclass(slots=True)
class FailingConnecting:
    """The real connectors, with a failpoint on both sides of each page."""

    real: Connecting
    failpoint: Failpoint

    def connector_of(self, row: Row[Any], budget: Budget | None = None) -> Any:
        connector = self.real.connector_of(row, budget)
        fetch, met = connector.fetch_page, self.failpoint.met

        async def fetch_page(*args: Any, **named: Any) -> Page:
            met("before_next")
            page = await fetch(*args, **named)
            met("after_fetch")
            return page

        connector.fetch_page = fetch_page  # type: ignore[method-assign]  # ours, of this process
        return connector


class CursorFirst(Storing):
    """Control: the cursor is committed, then the page's messages."""

    async def store(self, row: Any, page: Page, plan: Plan, *, tally: Tally, **more: Any) -> Stored:
        change = plan([m.occurred_at for m in page.mentions if m.occurred_at is not None])
        await self._change(row, change)
        vars(row).update(change.values)
        return await super().store(row, page, only_messages, tally=tally, **more)

    async def _change(self, row: Any, change: Change) -> None:
        async with self.db.write() as tx:
            await leases.hold(tx, self.lease, now=self.clock.now(), length=self.lease_length)
            if change.values:
                await streams.save_stream(tx, row.id, change.values)
            if change.also is not None:
                await change.also(tx)


class WithoutKey(CursorFirst):
    """Control: messages, then the cursor; nothing keeps a message from being stored again."""

    async def store(self, row: Any, page: Page, plan: Plan, *, tally: Tally, **more: Any) -> Stored:
        rows = [{"external_id": m.external_id} for m in page.mentions]
        if rows:
            async with self.db.write() as tx:
                await tx.execute(without_key.insert(), rows)
        return await super().store(row, replace(page, mentions=()), plan, tally=tally, **more)


VARIANTS: dict[str, type[Storing]] = {
    "real": Storing,
    "cursor_first": CursorFirst,
    "without_key": WithoutKey,
}


@dataclass(slots=True)
class VariedPoller(Poller):
    """The poller, storing as a variant does."""

    storing: type[Storing] = Storing

    async def _prepare(self, *args: Any, **named: Any) -> Any:
        poll = await Poller._prepare(self, *args, **named)
        object.__setattr__(poll, "storing", _as(self.storing, poll.storing))
        return poll


def _as(kind: type[Storing], real: Storing) -> Storing:
    return kind(**{name: getattr(real, name) for name in Storing.__dataclass_fields__})


@asynccontextmanager
async def connecting_to(db: Database) -> AsyncIterator[Connecting]:
    clock = SystemClock()
    door = Door(allow=["127.0.0.0/8"], clock=clock, user_agent="unanswered/test")
    keyring = await open_keyring(db, secret_key=SECRET, data_dir=Path(), random=secrets.token_bytes)
    yield Connecting(db, door, keyring, clock)
    await door.aclose()


async def work(url: str, order: Order) -> None:
    """Polls without a pause; comes back when everything is read, if it is to."""
    failpoint = Failpoint(order.failpoint, order.hit)
    db = cast("Database", FailingDatabase(open_database(url), failpoint))
    async with connecting_to(db) as real:
        connecting = cast("Connecting", FailingConnecting(real, failpoint))
        poller = VariedPoller(
            db, real.clock, connecting, SystemRandom(), lease_length=LEASE,
            storing=VARIANTS[order.variant],
        )  # fmt: skip
        runner = Runner(db, real.clock, poller, f"worker {os.getpid()}", tick_seconds=0.01)
        await runner.start()
        await _keep_busy(db, real.clock, to_the_end=order.to_the_end)
        await runner.stop(5)
    await db.close()


async def _keep_busy(db: Database, clock: Clock, *, to_the_end: bool) -> None:
    """Asks for the next poll as soon as one is over."""
    rounds = 0
    while True:
        rows = await db.rows(select(source))
        if all(row.lease_owner is None and row.poll_requested_at is None for row in rows):
            rounds += 1
            if to_the_end and rounds > 2 and await _all_is_read(db):
                return
            async with db.write() as tx:
                for row in rows:
                    await repository.poll_soon(tx, row.id, clock.now())
        await asyncio.sleep(0.005)


async def _all_is_read(db: Database) -> bool:
    rows = await db.rows(select(stream.c.state))
    open_gaps = await db.rows(select(gap.c.id).where(gap.c.closed_at.is_(None)))
    return all(row.state == "ok" for row in rows) and not open_gaps


def fork(task: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        task()
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def main(url: str) -> None:
    told = os.fdopen(os.dup(1), "w")  # what the test reads; whatever logs goes where errors go
    os.dup2(2, 1)
    for line in sys.stdin:
        order = msgspec.json.decode(line, type=Order)
        pid = fork(lambda order=order: asyncio.run(work(url, order)))  # type: ignore[misc]
        print(pid, file=told, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), file=told, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
