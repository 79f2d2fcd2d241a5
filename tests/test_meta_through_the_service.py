"""Facebook, Instagram and Threads read by the running service: who is answered, who still waits."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from app.clock import FrozenClock
from app.connectors.platforms import facebook, instagram, threads
from app.sources.coverage import COUNTER_DIFFERS
from tests.connectors.playing import Player, filled, load
from tests.real_input import inbox, stored
from tests.service import Service
from tests.serving import serving

Items = dict[str, dict[str, Any]]


async def polled(service: Service, platform: str, base: str) -> tuple[int, Items]:
    """What a source has in its inbox after its first poll."""
    recording = load(platform)
    draft = {
        "platform": platform,
        "name": platform,
        "settings": filled(recording["settings"], base),
        "credential": recording["credential"],
        "backfill": "P90D",
    }
    made = await service.api.post("/api/v1/sources", json=draft)
    assert made.status_code == 201, made.text
    source_id: int = made.json()["id"]
    run = await service.poll(source_id)
    assert run["outcome"] == "ok", run
    return source_id, {one["external_id"]: one for one in await inbox(service, source_id)}


def player(platform: str) -> Player:
    return Player(copy.deepcopy(load(platform)["exchanges"]))


def evidence(items: Items) -> dict[str, str]:
    """How each item was answered, "" where it was not."""
    return {key: (one["answer"] or {"evidence": ""})["evidence"] for key, one in items.items()}


async def test_facebook_knows_whom_the_page_has_answered(service: Service) -> None:
    async with serving(player("facebook")) as base:
        _, items = await polled(service, "facebook", base)
    assert evidence(items) == {
        "7001_9001": "exact",
        "7001_9003": "exact",  # below Anna's comment, in an answer that names Bob
        "7001_9005": "",
        "7001_9006": "",
        "1001_7003": "exact",
        "5003_8001": "exact",
        "8001_9203": "",
        "rating:8501": "exact",
        "rating:8502": "",
        "m_abcDEF-1_x": "mention",
        "m_abcDEF-3_x": "",
    }
    assert items["rating:8502"]["needs_reply"] is False
    assert items["7001_9005"]["acknowledged_at"] is not None
    hidden = {key for key, one in items.items() if one["visibility"] == "direct"}
    assert hidden == {"7001_9006", "m_abcDEF-1_x", "m_abcDEF-3_x"}


async def test_instagram_knows_whom_the_account_has_answered(service: Service) -> None:
    async with serving(player("instagram")) as base:
        source_id, items = await polled(service, "instagram", base)
        kept = await stored(service, source_id)
    assert evidence(items) == {
        "18001": "exact",
        "18003": "exact",  # below Anna's comment, in an answer that begins with @bob_r
        "18006": "",
        "18007": "",
        "17101": "",
    }
    assert kept.ours == {"17001", "17002", "18002", "18004", "18005"}
    assert items["18007"]["acknowledged_at"] is not None


async def test_threads_knows_whom_the_account_has_answered(service: Service) -> None:
    async with serving(player("threads")) as base:
        source_id, items = await polled(service, "threads", base)
        kept = await stored(service, source_id)
    assert evidence(items) == {
        "4201": "exact",
        "4203": "",
        "4204": "",  # by a private profile
        "4205": "",
        "4206": "",
        "4101": "exact",  # a mention, answered below somebody else's post
        "4112": "",  # who was answered there asks again
        "4102": "",
        "4301": "",
    }
    assert items["4301"]["held"] is True
    assert items["4205"]["acknowledged_at"] is not None
    assert kept.ours == {"4001", "4002", "4202", "4111"}


async def test_a_reply_that_threads_shows_no_longer_is_removed(
    service: Service, clock: FrozenClock
) -> None:
    played = player("threads")
    async with serving(played) as base:
        source_id, _ = await polled(service, "threads", base)
        for exchange in played.exchanges:
            rows = exchange["response"]["body"].get("data", ())
            if isinstance(rows, list) and "conversation" in exchange["request"]["path"]:
                rows[:] = [row for row in rows if row["id"] != "4203"]
        for _ in range(2):
            clock.move(timedelta(hours=30))
            await service.poll(source_id)
        items = {one["external_id"]: one for one in await inbox(service, source_id)}
    assert (items["4203"]["status"], items["4201"]["status"]) == ("removed", "replied")


async def test_polling_again_changes_nothing(service: Service) -> None:
    for platform in ("facebook", "instagram", "threads"):
        async with serving(player(platform)) as base:
            source_id, _ = await polled(service, platform, base)
            again = await service.poll(source_id)
        assert (again["outcome"], again["new"], again["updated"]) == ("ok", 0, 0), again


async def test_what_is_lost_by_design_and_asked_for_first_is_told(service: Service) -> None:
    told = (await service.api.get("/api/v1/platforms")).json()["items"]
    by_name = {one["name"]: one for one in told}
    for platform in (facebook.PLATFORM, instagram.PLATFORM, threads.PLATFORM):
        assert platform.name in by_name
        assert "App Review" in platform.access.review
        assert "of your own" in platform.access.shortest
    async with serving(player("instagram")) as base:
        await polled(service, "instagram", base)
    coverage = (await service.api.get("/api/v1/coverage")).text
    assert "push_only" in coverage


@pytest.mark.parametrize("platform", ["facebook", "instagram"])
async def test_comments_that_meta_counts_and_does_not_show_are_told(
    service: Service, platform: str
) -> None:
    played = player(platform)
    for exchange in played.exchanges:
        rows = exchange["response"]["body"].get("data", ())
        if "limit" in exchange["request"].get("query", {}) or not isinstance(rows, list):
            continue  # the first look, which asks for few
        for row in rows:
            if row.get("id") in {"1001_7001", "17001"}:
                row["comments_count"] = 9  # Instagram's
                row["comments"] = {"data": [], "summary": {"total_count": 8}}  # Facebook's
    async with serving(played) as base:
        source_id, _ = await polled(service, platform, base)
        for _ in range(3):
            await service.poll(source_id)
        coverage = (await service.api.get("/api/v1/coverage")).text
    assert COUNTER_DIFFERS.format(2) in coverage
