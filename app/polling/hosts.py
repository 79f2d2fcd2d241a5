"""Manners shared by all workers of a PostgreSQL database (see connectors/manners.py).

A worker reserves slots of a host in blocks, so that the table is written once for several
requests. Blocks are intervals of time that never overlap: together the workers keep to the rate.
A rest is in the table as well; whoever takes it over when it is due sends the single probe.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import Row, func, text, update

from app.clock import monotonic
from app.connectors.failures import Transient
from app.connectors.manners import (
    FAILURES_UNTIL_REST,
    FIRST_REST,
    LONGEST_REST,
    Recovered,
)
from app.db import Database, Tx
from app.sources.models import host as host_table

PROBE_SECONDS = 60
"""So long the worker that probes is alone; if it dies, another one may try after that."""


@dataclass(slots=True)
class _Host:
    slots: deque[float] = field(default_factory=deque)  # monotonic moments that are ours
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    failures: int = 0
    resting: bool = False
    probing: bool = False


class SharedManners:
    """Fits `Manners`; all state that counts is in the table `host`."""

    def __init__(
        self, db: Database, *, rate: float, rng: Random, recovered: Recovered | None = None
    ) -> None:
        self._db = db
        self._pause = 1.0 / rate
        self._block = max(1, int(rate))
        self._rng = rng
        self._hosts: dict[str, _Host] = {}
        self.recovered = recovered

    async def before(self, host: str) -> None:
        state = self._hosts.setdefault(host, _Host())
        async with state.turn:
            now = monotonic()
            while state.slots and state.slots[0] < now - self._pause:
                state.slots.popleft()  # its moment is over: somebody may count on it being so
            if not state.slots or state.resting:
                await self._reserve(host, state)
            at = state.slots.popleft()
        await asyncio.sleep(max(0.0, at - monotonic()))

    async def _reserve(self, host: str, state: _Host) -> None:
        async with self._db.write() as tx:
            row = await _row(tx, host)
            if row.rest_left is not None:
                await self._probe_or_refuse(tx, host, state, row)
            wait = await _take(tx, host, self._block * self._pause)
        first = monotonic() + wait
        state.slots.extend(first + n * self._pause for n in range(self._block))

    async def _probe_or_refuse(self, tx: Tx, host: str, state: _Host, row: Row[Any]) -> None:
        if row.rest_left > 0:
            state.resting = True
            raise Transient(f"{host} has not answered for a while; it is asked again soon.")
        state.probing = True
        await _rest(tx, host, PROBE_SECONDS, rests=row.rests)

    async def after(self, host: str, *, answered: bool | None) -> None:
        state = self._hosts.setdefault(host, _Host())
        if answered is None:
            return
        if not answered:
            await self._failed(host, state)
            return
        was_resting = state.resting or state.probing
        state.failures, state.resting, state.probing = 0, False, False
        if was_resting and await self._wake(host) and self.recovered is not None:
            await self.recovered(host)

    async def _failed(self, host: str, state: _Host) -> None:
        state.failures += 1
        if not state.probing and state.failures < FAILURES_UNTIL_REST:
            return
        async with self._db.write() as tx:
            row = await _row(tx, host)
            longest = min(LONGEST_REST, FIRST_REST * 2 ** min(row.rests, 8))
            await _rest(tx, host, longest * self._rng.uniform(0.5, 1.0), rests=row.rests + 1)
        state.failures, state.resting, state.probing = 0, True, False
        state.slots.clear()

    async def _wake(self, host: str) -> bool:
        """Ends the rest; `True` for the one worker that ended it."""
        async with self._db.write() as tx:
            done = await tx.execute(
                update(host_table)
                .where(host_table.c.name == host, host_table.c.resting_until.is_not(None))
                .values(resting_until=None, rests=0)
            )
        return done.rowcount == 1


_NOW = func.clock_timestamp()


async def _row(tx: Tx, host: str) -> Row[Any]:
    """(rest_left in seconds or null, rests) of a host, held against the other workers."""
    adding = tx.insert(host_table).values(name=host, next_slot_at=_NOW)
    await tx.execute(adding.on_conflict_do_nothing(index_elements=["name"]))
    left = func.extract("epoch", host_table.c.resting_until - _NOW)
    statement = (
        # The row is locked by a write that changes nothing: the answer is then the latest.
        update(host_table)
        .where(host_table.c.name == host)
        .values(rests=host_table.c.rests)
        .returning(left.label("rest_left"), host_table.c.rests)
    )
    return (await tx.rows(statement))[0]


async def _take(tx: Tx, host: str, seconds: float) -> float:
    """Reserves the next `seconds` of a host; how long until they begin."""
    begin = func.greatest(host_table.c.next_slot_at, _NOW)
    length = text(f"interval '{int(seconds * 1_000_000)} microseconds'")
    statement = (
        update(host_table)
        .where(host_table.c.name == host)
        .values(next_slot_at=begin + length)
        .returning(func.extract("epoch", host_table.c.next_slot_at - _NOW).label("until_end"))
    )
    return max(0.0, float((await tx.rows(statement))[0].until_end) - seconds)


async def _rest(tx: Tx, host: str, seconds: float, *, rests: int) -> None:
    length = text(f"interval '{int(seconds * 1_000_000)} microseconds'")
    await tx.execute(
        update(host_table)
        .where(host_table.c.name == host)
        .values(resting_until=_NOW + length, rests=rests)
    )
