"""Requests to a host are spaced out, and a host that does not answer rests."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from app.clock import SystemClock, monotonic
from app.connectors.failures import ConnectorError, Transient
from app.connectors.http import Door
from app.connectors.manners import (
    FAILURES_UNTIL_REST,
    FIRST_REST,
    LONGEST_REST,
    ProcessManners,
    Rest,
)
from tests.serving import serving


class Counting:
    """A platform that answers with `status` and remembers when it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.asked: list[float] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.asked.append(monotonic())
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


async def test_no_second_holds_more_requests_than_the_rate_allows() -> None:
    platform = Counting()
    manners = ProcessManners(rate=50, rng=Random(1))
    async with serving(platform) as base:
        door = Door(allow=["127.0.0.0/8"], clock=SystemClock(), user_agent="test", manners=manners)
        sources = [door.for_source() for _ in range(3)]
        await asyncio.gather(*(s.request("GET", base) for s in sources for _ in range(20)))
        await door.aclose()
    spread = sorted(platform.asked)
    assert len(spread) == 60
    # Sixty requests at fifty a second take at least 59/50 s; a timer may only be late, not early.
    assert spread[-1] - spread[0] >= 59 / 50 - 0.05


async def test_hosts_do_not_wait_for_one_another() -> None:
    manners = ProcessManners(rate=0.1, rng=Random(1))
    began = monotonic()
    await asyncio.gather(*(manners.before(f"host-{n}:443") for n in range(50)))
    assert monotonic() - began < 5


async def test_a_silent_host_rests_and_is_not_asked() -> None:
    platform = Counting()
    platform.status = 500
    manners = ProcessManners(rate=1000, rng=Random(1))
    async with serving(platform) as base:
        door = Door(allow=["127.0.0.0/8"], clock=SystemClock(), user_agent="test", manners=manners)
        http = door.for_source()
        for _ in range(FAILURES_UNTIL_REST + 10):
            with pytest.raises(Transient):
                await http.request("GET", base)
        await door.aclose()
    assert len(platform.asked) == FAILURES_UNTIL_REST
    assert len(manners.resting()) == 1


async def test_refusals_are_answers_and_never_make_a_host_rest() -> None:
    platform = Counting()
    platform.status = 404
    manners = ProcessManners(rate=1000, rng=Random(1))
    async with serving(platform) as base:
        door = Door(allow=["127.0.0.0/8"], clock=SystemClock(), user_agent="test", manners=manners)
        for _ in range(20):
            with pytest.raises(ConnectorError):
                await door.for_source().request("GET", base)
        await door.aclose()
    assert manners.resting() == {}


def resting(rest: Rest, now: float, rng: Random) -> None:
    for _ in range(FAILURES_UNTIL_REST):
        assert rest.may_ask(now)
        rest.told(now, answered=False, rng=rng)


def test_after_the_rest_one_probe_goes_out_and_no_other() -> None:
    rest, rng = Rest(), Random(1)
    resting(rest, 0.0, rng)
    assert rest.until is not None
    assert FIRST_REST / 2 <= rest.until <= FIRST_REST
    assert not rest.may_ask(rest.until - 1)
    assert rest.may_ask(rest.until)
    assert not rest.may_ask(rest.until + 1)


def test_a_probe_that_is_answered_ends_the_rest() -> None:
    rest, rng = Rest(), Random(1)
    resting(rest, 0.0, rng)
    assert rest.may_ask(FIRST_REST)
    assert rest.told(FIRST_REST, answered=True, rng=rng)
    assert rest.may_ask(FIRST_REST)
    assert rest.may_ask(FIRST_REST)


def test_a_probe_that_fails_lengthens_the_rest_up_to_a_limit() -> None:
    rest, rng = Rest(), Random(1)
    resting(rest, 0.0, rng)
    now, last = 0.0, 0.0
    for _ in range(12):
        assert rest.until is not None
        now = rest.until
        assert rest.may_ask(now)
        rest.told(now, answered=False, rng=rng)
        last = rest.until - now
        assert last <= LONGEST_REST
    assert last >= LONGEST_REST / 2


def test_a_request_that_never_went_out_frees_the_probe() -> None:
    rest, rng = Rest(), Random(1)
    resting(rest, 0.0, rng)
    assert rest.may_ask(FIRST_REST)
    rest.told(FIRST_REST, answered=None, rng=rng)
    assert rest.may_ask(FIRST_REST)


async def test_whoever_waits_for_the_host_is_told_that_it_is_back() -> None:
    told: list[str] = []

    async def recovered(host: str) -> None:
        told.append(host)

    manners = ProcessManners(rate=1000, rng=Random(1), recovered=recovered)
    for _ in range(FAILURES_UNTIL_REST):
        await manners.before("a:443")
        await manners.after("a:443", answered=False)
    await manners.after("a:443", answered=True)
    await manners.after("a:443", answered=True)
    assert told == ["a:443"]
