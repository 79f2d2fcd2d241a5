"""Rate limits: who is held up, who is not, and what answers tell of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends
from hypothesis import given
from hypothesis import strategies as st

from app.main import FAILURES, REQUESTS
from app.web.auth import Permission, needs
from app.web.openapi import Api
from app.web.principal import Principal, Role
from app.web.rates import Buckets, Rates
from tests.service import ADMIN_TOKEN, running_service
from tests.web.apps import api, client, principal, problem

LIMIT = 30


class Seconds:
    """A clock for intervals that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def numbered(token: str) -> Principal | None:
    """A token `viewer-7` is that of number 7."""
    role, _, number = token.partition("-")
    return replace(principal(Role(role)), id=int(number)) if role in set(Role) else None


def limited(seconds: Seconds, *, requests: int | None = LIMIT, failures: int | None = 3) -> Api:
    app = api()
    app.state.resolve = numbered
    app.state.rates = Rates(requests=requests, failures=failures, now=seconds)

    @app.get("/api/v1/here", dependencies=[Depends(needs(Permission.TRIAGE))])
    async def here() -> None: ...

    return app


def from_address(app: Api, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(address, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://test/api/v1")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_a_caller_who_asks_too_often_waits_as_long_as_it_is_told() -> None:
    seconds = Seconds()
    async with client(limited(seconds), "agent-1") as c:
        first = await c.get("/api/v1/here")
        assert first.headers["ratelimit-policy"] == f'"caller";q={LIMIT};w=60'
        assert first.headers["ratelimit"] == f'"caller";r={LIMIT - 1};t=2'
        for _ in range(LIMIT - 1):
            assert (await c.get("/api/v1/here")).status_code == 200
        refused = await c.get("/api/v1/here")
        problem(refused, 429, "too-many-requests")
        assert refused.headers["ratelimit"] == '"caller";r=0;t=60'
        wait = int(refused.headers["retry-after"])
        assert wait == 2
        seconds.now += wait
        assert (await c.get("/api/v1/here")).status_code == 200
        assert (await c.get("/api/v1/here")).status_code == 429, "one was free, not all"
        seconds.now += 60
        assert (await c.get("/api/v1/here")).headers["ratelimit"].startswith('"caller";r=29;')


async def test_each_caller_has_a_limit_of_its_own_and_refusals_count() -> None:
    async with client(limited(Seconds())) as c:
        for _ in range(LIMIT):
            answer = await c.get("/api/v1/here", headers=bearer("viewer-1"))
            assert answer.status_code == 403
        for token, status in (("viewer-1", 429), ("agent-1", 429), ("agent-2", 200)):
            assert (await c.get("/api/v1/here", headers=bearer(token))).status_code == status


async def test_a_network_that_guesses_is_held_up_and_nobody_else() -> None:
    app = limited(Seconds())
    tokens = ("wrong", "wrong too", "")
    async with from_address(app, "192.0.2.1") as bad, from_address(app, "192.0.2.2") as other:
        for token in tokens:
            problem(await bad.get("/here", headers=bearer(token)), 401, "unauthenticated")
        refused = await bad.get("/here", headers=bearer("wrong"))
        problem(refused, 429, "too-many-requests")
        assert refused.headers["ratelimit-policy"] == '"network";q=3;w=60'
        assert refused.headers["retry-after"] == "20"
        problem(await bad.get("/here"), 429, "too-many-requests")
        assert (await bad.get("/here", headers=bearer("agent-1"))).status_code == 200
        problem(await other.get("/here"), 401, "unauthenticated")


async def test_without_limits_nothing_is_told() -> None:
    async with client(limited(Seconds(), requests=None, failures=None), "agent-1") as c:
        for _ in range(LIMIT + 1):
            answer = await c.get("/api/v1/here")
        assert answer.status_code == 200
        assert "ratelimit" not in answer.headers


@given(st.integers(1, 500), st.lists(st.floats(0, 120) | st.just(0.0), min_size=1, max_size=300))
def test_no_window_ever_holds_more_than_a_bucket_and_its_refill(
    limit: int, pauses: list[float]
) -> None:
    seconds = Seconds()
    buckets = Buckets(limit, seconds)
    began, passed = seconds.now, 0
    for pause in pauses:
        seconds.now += pause
        taken = buckets.take("a")
        passed += not taken.wait
        assert 0 <= taken.left < limit
        assert 0 <= taken.full_in <= 61
        assert passed <= limit + (seconds.now - began) * limit / 60 + 1e-6
        if taken.wait:
            later = Seconds()
            later.now = seconds.now + taken.wait
            buckets._now = later
            assert not buckets.take("a").wait, "what was told is enough"
            buckets._now = seconds
            return


def test_memory_is_bounded_and_the_silent_are_forgotten_first() -> None:
    seconds = Seconds()
    buckets = Buckets(1, seconds, most=100)
    for number in range(1000):
        assert not buckets.take(number).wait
    assert len(buckets) == 100
    assert buckets.take(999).wait
    assert not buckets.take(0).wait


@pytest.mark.parametrize(
    ("changes", "policies"),
    [
        ({}, (None, None)),
        ({"public_url": "https://inbox.example"}, (REQUESTS, FAILURES)),
        ({"host": "0.0.0.0"}, (REQUESTS, FAILURES)),  # told, not bound
        ({"rate_limit": 7, "failure_limit": 5}, (7, 5)),
        (
            {"public_url": "https://inbox.example", "rate_limit": 0, "failure_limit": 0},
            (None, None),
        ),
    ],
)
async def test_by_default_only_a_service_that_others_reach_is_limited(
    sqlite_url: str, tmp_path: Path, changes: dict[str, Any], policies: tuple[int | None, ...]
) -> None:
    async with running_service(sqlite_url, tmp_path, trusted_hosts=("*",), **changes) as service:
        told = (await service.api.get("/api/v1/me")).headers.get("ratelimit-policy")
        failed: list[int] = []
        while policies[1] is not None and 429 not in failed:  # the bucket fills meanwhile
            wrong = bearer(f"not-{ADMIN_TOKEN}")
            failed.append((await service.anonymous.get("/api/v1/me", headers=wrong)).status_code)
    requests, _ = policies
    assert told == (None if requests is None else f'"caller";q={requests};w=60')
    assert len(failed) >= (policies[1] or 0)
    assert set(failed[:-1]) <= {401}
