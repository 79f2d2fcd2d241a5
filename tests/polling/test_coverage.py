"""What a person is told of a poll: coverage, gaps and reconnecting, through the API, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import FrozenClock
from app.demo.asgi import demo_app
from app.demo.script import ScriptedWorld
from app.outbox.models import event
from tests.service import NOON, Service, running_service
from tests.serving import serving

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def world() -> ScriptedWorld:
    made = ScriptedWorld(page_limit=5)
    for number in range(12):
        made.insert("mentions", NOON - HOUR + number * MINUTE, f"Question {number}?")
        made.insert("reviews", NOON - HOUR + number * MINUTE, f"Review {number}", stars=3)
        made.insert("messages", NOON - HOUR + number * MINUTE, f"Message {number}", direct=True)
    return made


@pytest.fixture
async def base(world: ScriptedWorld, clock: FrozenClock) -> AsyncIterator[str]:
    async with serving(demo_app(world, clock)) as url:
        yield url


async def connect(service: Service, base: str, account: str = "support") -> int:
    body = {
        "platform": "demo",
        "name": account,
        "settings": {"api_url": base, "account": account},
        "credential": {"token": f"token-of-{account}"},
        "poll_interval": 10,
    }
    made = await service.api.post("/api/v1/sources", json=body)
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


async def coverage(service: Service) -> dict[str, Any]:
    answered = await service.api.get("/api/v1/coverage")
    assert answered.status_code == 200, answered.text
    told: dict[str, Any] = answered.json()
    return told


async def of_stream(service: Service, name: str) -> dict[str, Any]:
    found = (s for s in (await coverage(service))["streams"] if s["stream"] == name)
    return next(found)


async def events(service: Service, kind: str) -> list[Any]:
    return list(await service.db.rows(select(event).where(event.c.type == kind)))


async def texts(service: Service) -> set[str]:
    found = await service.items(status="any", backlog="include", snoozed="include")
    return {one["text"] for one in found}


async def test_everything_read_is_complete(service: Service, base: str) -> None:
    source_id = await connect(service, base)
    before = await of_stream(service, "reviews")
    assert before["state"] == "behind"
    assert (await service.poll(source_id))["outcome"] == "ok"
    assert (await coverage(service))["complete"] is True
    after = await of_stream(service, "reviews")
    assert (after["state"], after["open_gaps"]) == ("ok", [])
    assert after["backfill"]["done"] is True
    assert len(await texts(service)) == 24


async def test_an_expired_token_is_told_once_and_reconnecting_reads_the_gap(
    service: Service, base: str, world: ScriptedWorld, clock: FrozenClock
) -> None:
    source_id = await connect(service, base)
    await service.poll(source_id)
    world.renew_token("support", "another-token")
    clock.move(HOUR)
    assert (await service.poll(source_id))["error"]["code"] == "auth_failed"
    assert len(await events(service, "source.trouble")) == 1
    told = await coverage(service)
    assert told["complete"] is False
    assert {s["state"] for s in told["streams"]} == {"auth_failed"}
    for number in range(8):
        world.insert("reviews", clock.now(), f"Meanwhile {number}", stars=2)
        world.insert("messages", clock.now(), f"Meanwhile too {number}")
        clock.move(HOUR)
    changed = await service.api.patch(
        f"/api/v1/sources/{source_id}", json={"credential": {"token": "another-token"}}
    )
    assert changed.status_code == 200, changed.text
    run = await service.poll(source_id)
    assert run["outcome"] == "ok"
    assert len(await texts(service)) == 40
    assert (await coverage(service))["complete"] is True
    assert len(await events(service, "source.trouble")) == 1
    assert len(await events(service, "source.recovered")) == 1


async def test_a_rate_limit_is_told_and_waited_out(
    service: Service, base: str, world: ScriptedWorld, clock: FrozenClock
) -> None:
    source_id = await connect(service, base)
    await service.poll(source_id)
    clock.move(HOUR)
    world.insert("reviews", clock.now() - MINUTE, "New", stars=1)
    world.fail("support", 429, since=clock.now(), lasts=10 * MINUTE, retry_after=600)
    assert (await service.poll(source_id))["error"]["code"] == "rate_limited"
    told = await coverage(service)
    assert {s["state"] for s in told["streams"]} == {"rate_limited"}
    clock.move(MINUTE)
    run = await service.poll(source_id)
    assert (run["requests"], run["outcome"]) == (0, "failed")
    clock.move(10 * MINUTE)
    assert (await service.poll(source_id))["outcome"] == "ok"
    assert "New" in await texts(service)
    assert (await coverage(service))["complete"] is True


async def test_an_outage_loses_nothing_in_any_shape(
    service: Service, base: str, world: ScriptedWorld, clock: FrozenClock
) -> None:
    shop, support = await connect(service, base, "shop"), await connect(service, base)
    await service.poll(shop)
    await service.poll(support)
    # Five failures in a row would have the host rest: one account's are fewer.
    world.fail("support", 503, since=clock.now(), lasts=HOUR)
    post = world.insert("posts", clock.now(), "We have news.", author=world.accounts["shop"])
    for number in range(20):
        at = clock.now() + number * MINUTE
        world.insert("mentions", at, f"Down {number}?")
        world.insert("reviews", at, f"Down review {number}", stars=1)
        world.insert("messages", at, f"Down message {number}")
        world.insert("comments", at, f"Down comment {number}", under=post.id)
    clock.move(30 * MINUTE)
    assert (await service.poll(support))["error"]["code"] == "transient"
    assert (await coverage(service))["complete"] is False
    clock.move(HOUR)
    for source_id in (shop, support):
        assert (await service.poll(source_id))["outcome"] == "ok"
    wanted = {f"Down{kind} {n}" for kind in (" review", " message", " comment") for n in range(20)}
    assert wanted | {f"Down {n}?" for n in range(20)} <= await texts(service)
    assert (await coverage(service))["complete"] is True


async def test_a_paused_source_is_not_complete(service: Service, base: str) -> None:
    source_id = await connect(service, base)
    await service.poll(source_id)
    await service.api.post(f"/api/v1/sources/{source_id}/pause")
    told = await coverage(service)
    assert {s["state"] for s in told["streams"]} == {"paused"}
    assert told["complete"] is False


async def test_lists_and_counts_carry_what_is_missing(
    service: Service, base: str, world: ScriptedWorld, clock: FrozenClock
) -> None:
    source_id = await connect(service, base)
    await service.poll(source_id)
    world.renew_token("support", "another-token")
    clock.move(HOUR)
    await service.poll(source_id)
    for path in ("/api/v1/items", "/api/v1/counts"):
        block = (await service.api.get(path)).json()["coverage"]
        assert block["complete"] is False
        assert {s["state"] for s in block["streams"]} == {"auth_failed"}


async def test_a_poller_that_has_silently_stopped_is_late(
    database_url: str, tmp_path: Path, base: str, clock: FrozenClock
) -> None:
    """Nobody's row says so: the clock does."""
    async with running_service(database_url, tmp_path / "data", clock=clock) as service:
        await service.poll(await connect(service, base))
    clock.move(HOUR)
    async with running_service(database_url, tmp_path / "data", clock=clock, poll=False) as idle:
        told = await coverage(idle)
        assert told["complete"] is False
        assert {(s["state"], s["cause"]) for s in told["streams"]} == {("behind", "late")}
