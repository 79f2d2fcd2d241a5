"""Manners towards a host: requests are spaced out, and one that does not answer gets a rest.

A host (with its port) sees at most `rate` requests in any second, from all sources together. After
five requests in a row that failed in transport or with 5xx it rests; then a single probe decides
whether it is back (AWS "Exponential backoff and jitter"; Nygard's circuit breaker).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

from app.clock import monotonic
from app.connectors.failures import Transient

FAILURES_UNTIL_REST = 5
FIRST_REST = 30.0
LONGEST_REST = 60.0
"""Seconds: with a minute at most, a host that is back is noticed within the usual interval."""

Recovered = Callable[[str], Awaitable[None]]
"""Told the host that answers again after a rest."""


class Manners(Protocol):
    """What the door asks before a request and tells after it."""

    async def before(self, host: str) -> None:
        """Waits for the host's next slot. Raises `Transient` while it rests."""
        ...

    async def after(self, host: str, *, answered: bool | None) -> None:
        """Whether the host answered at all (a 429 or 404 is an answer, a 5xx is none); `None`:
        the request never went out, which tells nothing.
        """
        ...


@dataclass(slots=True)
class Rest:
    """The circuit of one host. Pure: times are seconds of whatever clock the caller uses."""

    failures: int = 0
    rests: int = 0
    until: float | None = None
    probing: bool = False

    def may_ask(self, now: float) -> bool:
        """Whether a request may go out; the first after a rest is the probe, and it is alone."""
        if self.until is None:
            return True
        if self.probing or now < self.until:
            return False
        self.probing = True
        return True

    def told(self, now: float, *, answered: bool | None, rng: Random) -> bool:
        """Notes the outcome of a request; `True` when the host has just come back."""
        if answered is None:
            self.probing = False
            return False
        back = answered and self.until is not None
        if answered:
            self.failures = self.rests = 0
            self.until, self.probing = None, False
            return back
        self.failures += 1
        if self.probing or self.failures >= FAILURES_UNTIL_REST:
            longest = min(LONGEST_REST, FIRST_REST * 2 ** min(self.rests, 8))
            self.until = now + longest * rng.uniform(0.5, 1.0)
            self.rests += 1
            self.probing = False
        return False


@dataclass(slots=True)
class _Host:
    next_slot: float = 0.0
    rest: Rest = field(default_factory=Rest)


class ProcessManners:
    """Manners of one process, in memory: enough where one process polls."""

    def __init__(
        self,
        *,
        rate: float,
        rng: Random,
        recovered: Recovered | None = None,
        seconds: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._pause = 1.0 / rate
        self._rng = rng
        self._hosts: dict[str, _Host] = {}
        self._seconds = seconds
        self._sleep = sleep
        self.recovered = recovered

    async def before(self, host: str) -> None:
        now = self._seconds()
        state = self._hosts.setdefault(host, _Host())
        if not state.rest.may_ask(now):
            raise Transient(f"{host} has not answered for a while; it is asked again soon.")
        at = max(now, state.next_slot)
        state.next_slot = at + self._pause
        if at > now:
            try:
                await self._sleep(at - now)
            except asyncio.CancelledError:
                state.rest.probing = False
                raise

    async def after(self, host: str, *, answered: bool | None) -> None:
        state = self._hosts.setdefault(host, _Host())
        back = state.rest.told(self._seconds(), answered=answered, rng=self._rng)
        if back and self.recovered is not None:
            await self.recovered(host)

    def resting(self) -> dict[str, float]:
        """Hosts that rest, with the seconds left (0: a probe is due), for health and metrics."""
        now = self._seconds()
        return {
            host: max(0.0, state.rest.until - now)
            for host, state in self._hosts.items()
            if state.rest.until is not None
        }
