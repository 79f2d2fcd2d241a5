"""Guessing is slow: failures are counted before they happen, for all workers together."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from app.clock import FrozenClock, monotonic
from app.errors import AppError
from app.team.entering.models import sign_in_attempts
from app.team.entering.service import Entrance
from app.team.sessions.service import Visitor
from tests.browsing import PASSWORD, browser, invited, set_up, sign_in, signed_in
from tests.long_results import part
from tests.service import Service, running_service
from tests.web.apps import problem


async def test_after_ten_failures_the_account_rests_for_that_network(
    service: Service, clock: FrozenClock
) -> None:
    async with browser(service) as client:
        await set_up(service, client, name="mira")
        for _ in range(10):
            problem(await sign_in(client, "mira", "not this one"), 401, "sign-in-refused")
        clock.move(timedelta(minutes=5))
        refused = await sign_in(client, "mira")
        problem(refused, 429, "too-many-requests")
        assert refused.headers["retry-after"] == "600"
        problem(await sign_in(client, "MIRA"), 429, "too-many-requests")
        problem(await sign_in(client, "other", "not this one"), 401, "sign-in-refused")
        async with browser(service, address="192.0.2.7") as elsewhere:
            assert (await sign_in(elsewhere, "mira")).status_code == 201
        clock.move(timedelta(minutes=10))
        assert (await sign_in(client, "mira")).status_code == 201


async def test_a_right_password_begins_the_count_anew(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        await set_up(sqlite_service, client, name="mira")
        for _ in range(3):
            for _ in range(9):
                problem(await sign_in(client, "mira", "not this one"), 401, "sign-in-refused")
            assert (await sign_in(client, "mira")).status_code == 201


async def test_failures_of_long_ago_count_for_nothing(
    sqlite_service: Service, clock: FrozenClock
) -> None:
    async with browser(sqlite_service) as client:
        for _ in range(3):
            for _ in range(9):
                problem(await sign_in(client, "mira", "not this one"), 401, "sign-in-refused")
            clock.move(timedelta(minutes=15))


async def test_of_a_hundred_attempts_at_once_ten_are_looked_at(service: Service) -> None:
    async with browser(service) as client:
        await set_up(service, client, name="mira")
        answers = await asyncio.gather(
            *(sign_in(client, "mira", f"wrong number {n}") for n in range(100))
        )
    told = sorted(each.status_code for each in answers)
    assert told == [401] * 10 + [429] * 90


async def tried(service: Service, name: str, address: str = "127.0.0.1") -> int:
    """The status that a wrong password of that name is told there."""
    entrance: Entrance = service.app.state.entrance
    try:
        await entrance.sign_in(name, "not this one", Visitor(address, "Firefox"))
    except AppError as refusal:
        return refusal.status
    return 201


async def test_a_network_that_tries_many_names_rests_and_so_does_an_account_tried_from_many(
    sqlite_service: Service,
) -> None:
    names = [await tried(sqlite_service, f"name{n}") for n in range(101)]
    assert names == [401] * 100 + [429]
    networks = [await tried(sqlite_service, "mira", f"192.0.2.{n}") for n in range(101)]
    assert networks == [401] * 100 + [429]


async def test_one_line_of_ipv6_is_one_network(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        await set_up(sqlite_service, client, name="mira")
    told = []
    for n in range(11):
        async with browser(sqlite_service, address=f"2001:db8::{n:x}") as client:
            told.append((await sign_in(client, "mira", "not this one")).status_code)
    assert told == [401] * 10 + [429]


async def test_tickets_cannot_be_guessed_by_the_hundred(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        for _ in range(100):
            body = {"ticket": secrets.token_urlsafe(32), "password": PASSWORD}
            problem(await client.post("/api/v1/setup", json=body), 403, "link-over")
        problem(await client.post("/api/v1/setup", json=body), 429, "too-many-requests")


async def test_what_people_typed_is_not_kept(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        await sign_in(client, "my-password-by-mistake", "not this one")
    rows = await sqlite_service.db.rows(select(sign_in_attempts))
    assert len(rows) == 3
    assert "mistake" not in str(rows)


async def wrong_thousand(service: Service) -> Counter[int]:
    """Status codes of a thousand wrong passwords for one name."""
    return Counter([await tried(service, "mira") for _ in range(1000)])


async def test_of_a_thousand_wrong_passwords_ten_are_tried(sqlite_service: Service) -> None:
    await invited(sqlite_service, "mira")
    assert await wrong_thousand(sqlite_service) == {401: 10, 429: 990}


@pytest.mark.long
async def test_figures_with_the_real_hash(sqlite_url: str, tmp_path: Path) -> None:
    """How long known and unknown names take, and what a thousand attempts cost."""
    real = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
    with part("signing in") as figures:
        async with running_service(sqlite_url, tmp_path / "data", hasher=real) as service:
            async with signed_in(service, "mira"):
                took: dict[str, list[float]] = {"mira": [], "nobody": []}
                for n in range(40):
                    for name, times in took.items():
                        async with browser(service, address=f"192.0.2.{n}") as client:
                            began = monotonic()
                            await sign_in(client, name, "not this one")
                            times.append(monotonic() - began)
                for name, times in took.items():
                    ordered = sorted(times)
                    figures[f"median_ms_{name}"] = ordered[len(ordered) // 2] * 1000
                    figures[f"p95_ms_{name}"] = ordered[len(ordered) * 95 // 100] * 1000
            began = monotonic()
            assert await wrong_thousand(service) == {401: 10, 429: 990}
            figures["thousand_wrong_seconds"] = monotonic() - began
