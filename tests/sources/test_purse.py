"""Quotas: a period ends where the platform's day ends; a budget is a smaller quota."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import FrozenClock
from app.connectors.base import Quota
from app.connectors.failures import RateLimited
from app.connectors.registry import PLATFORMS
from app.connectors.youtube import account
from app.demo.asgi import demo_app
from app.demo.story import Story
from app.sources.purse import allowance_of, period_of, purse_of
from app.sources.runs import record_spending
from tests.connectors.playing import Player, load
from tests.service import NOON, Service
from tests.serving import serving

UNITS = Quota("units", 10_000, "day", "America/Los_Angeles")
YOUTUBE, MASTODON = PLATFORMS["youtube"], PLATFORMS["mastodon"]


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        # Midnight Pacific is 08:00 UTC in winter and 07:00 in summer.
        ("2026-01-15T07:59:59", "2026-01-15T08:00:00"),
        ("2026-01-15T08:00:00", "2026-01-16T08:00:00"),
        ("2026-07-15T06:59:59", "2026-07-15T07:00:00"),
        # The night of the change is 23 hours long.
        ("2026-03-08T12:00:00", "2026-03-09T07:00:00"),
    ],
)
def test_a_day_ends_at_the_platforms_midnight(now: str, ends: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert period_of(UNITS, at)[1] == datetime.fromisoformat(ends).replace(tzinfo=UTC)


@given(st.integers(0, 20 * 365 * 24), st.sampled_from(["day", "month"]))
def test_a_period_holds_its_moment_and_borders_on_the_next(hours: int, period: Any) -> None:
    quota = Quota("units", 1, period, "Europe/Oslo")
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    began, ends = period_of(quota, now)
    assert began <= now < ends
    assert period_of(quota, ends)[0] == ends


def test_a_budget_can_only_be_smaller_than_the_quota() -> None:
    assert purse_of(UNITS, 500.0, 0.0, NOON).limit == 500
    assert purse_of(UNITS, 50_000.0, 0.0, NOON).limit == 10_000


def test_an_empty_purse_names_the_end_of_its_period() -> None:
    purse = purse_of(UNITS, 500.0, 499.0, NOON)
    purse.check()
    purse.spent += 1
    with pytest.raises(RateLimited) as refusal:
        purse.check()
    assert refusal.value.until == period_of(UNITS, NOON)[1]
    assert purse.left == 0


def test_what_others_have_used_of_a_shared_quota_is_gone() -> None:
    purse = purse_of(UNITS, None, 1_000.0, NOON, elsewhere=8_000.0)
    assert purse.left == 1_000
    purse.spent += 1_000
    with pytest.raises(RateLimited, match="shares with others, which have used 8000"):
        purse.check()
    mine = purse_of(UNITS, 500.0, 100.0, NOON, elsewhere=1_000.0)
    assert mine.left == 400, "an operator's budget is the smaller one"


def key(text: str) -> account.Credential:
    return account.Credential(api_key=text)


def consent(client_id: str, **more: str) -> account.Credential:
    return account.Credential(access_token="token", client_id=client_id, **more)


def test_sources_of_one_google_project_share_its_units() -> None:
    """The number of the project begins the id of each of its clients; a key tells nothing of it."""
    one = allowance_of(YOUTUBE, consent("123456789012-abc.apps.googleusercontent.com"))
    two = allowance_of(YOUTUBE, consent("123456789012-xyz.apps.googleusercontent.com", api_key="k"))
    other = allowance_of(YOUTUBE, consent("210987654321-abc.apps.googleusercontent.com"))
    assert one == two != other
    assert allowance_of(YOUTUBE, key("a")) == allowance_of(YOUTUBE, key("a"))
    assert len({one, other, *(allowance_of(YOUTUBE, key(text)) for text in "ab")}) == 4
    assert allowance_of(YOUTUBE, consent("")) is None
    assert allowance_of(YOUTUBE, None) is None
    assert allowance_of(MASTODON, object()) is None


async def test_what_one_source_uses_is_gone_for_those_that_share_its_key(
    service: Service, clock: FrozenClock
) -> None:
    channel, exchanges = "UCacmeacmeacmeacmeacme00", load("youtube")["exchanges"]
    own = next(each for each in exchanges if each["request"]["path"] == "/channels")
    request = {"method": "GET", "path": "/channels", "query": {"id": channel}}
    by_id = {"request": request, "response": own["response"]}
    async with serving(Player([by_id, *exchanges])) as base:
        settings = {"api_url": base, "channel": channel}
        ids = []
        for name, api_key in (("a", "key-1"), ("b", "key-1"), ("c", "key-2")):
            draft = {"platform": "youtube", "name": name, "settings": settings}
            made = await service.api.post(
                "/api/v1/sources", json={**draft, "credential": {"api_key": api_key}}
            )
            assert made.status_code == 201, made.text
            ids.append(made.json()["id"])
        one, two, three = ids
        began, _ = period_of(UNITS, clock.now())
        async with service.db.write() as tx:
            await record_spending(tx, one, began, 9_990.0)
        quotas = [
            (await service.api.get(f"/api/v1/sources/{each}")).json()["quota"] for each in ids
        ]
        assert [(each["spent"], each["spent_elsewhere"], each["left"]) for each in quotas] == [
            (9_990, 0, 10),
            (0, 9_990, 10),
            (0, 0, 10_000),
        ]
        async with service.db.write() as tx:
            await record_spending(tx, one, began, 10.0)
        assert (await service.poll(two))["error"]["code"] == "budget"
        assert (await service.poll(three))["outcome"] == "ok"
        body = {"credential": {"api_key": "key-2"}}
        moved = await service.api.patch(f"/api/v1/sources/{two}", json=body)
        assert moved.json()["quota"]["spent_elsewhere"] > 0
        assert (await service.poll(two))["outcome"] == "ok"


async def test_a_source_stops_when_its_budget_is_spent_and_goes_on_the_day_after(
    service: Service, clock: FrozenClock
) -> None:
    story = Story(7, NOON - timedelta(minutes=5))
    async with serving(demo_app(story, clock)) as base:
        made = await service.api.post(
            "/api/v1/sources",
            json={
                "platform": "demo",
                "name": "shop",
                "settings": {"api_url": base, "account": "shop"},
                "credential": {"token": story.token("shop", NOON).text},
                "budget": 3,
            },
        )
        source_id = made.json()["id"]
        await service.poll(source_id)
        shown = (await service.api.get(f"/api/v1/sources/{source_id}")).json()
        quota = shown["quota"]
        assert (quota["limit"], quota["left"]) == (3, 0)
        assert quota["spent"] >= 3
        limited = [s for s in shown["streams"] if s["state"] == "rate_limited"]
        assert limited
        assert all("budget" in stream["error"]["detail"] for stream in limited)
        counts = (await service.api.get("/api/v1/counts")).json()
        assert counts["coverage"]["complete"] is False
        clock.move(timedelta(days=1))
        changed = await service.api.patch(f"/api/v1/sources/{source_id}", json={"budget": 500})
        assert changed.status_code == 200, changed.text
        assert changed.json()["quota"]["spent"] == 0
        await service.poll(source_id)
        counts = (await service.api.get("/api/v1/counts")).json()
        troubled = [(s["stream"], s["state"], s["cause"]) for s in counts["coverage"]["streams"]]
        assert troubled == []
