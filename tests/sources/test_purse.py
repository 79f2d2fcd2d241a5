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
from app.demo.asgi import demo_app
from app.demo.story import Story
from app.sources.purse import period_of, purse_of
from tests.service import NOON, Service
from tests.serving import serving

UNITS = Quota("units", 10_000, "day", "America/Los_Angeles")


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
