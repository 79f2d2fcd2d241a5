"""Telegram, Discord and Slack as the inbox sees them: who is answered, who reads it, what is lost.

Each is read from its recording by the running service.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from app.clock import FrozenClock
from tests.connectors.playing import Player, filled, load
from tests.service import Service
from tests.serving import serving

Items = dict[str, dict[str, Any]]


@asynccontextmanager
async def read(service: Service, platform: str, also_us: Sequence[str] = ()) -> AsyncIterator[int]:
    """A source of the platform that was polled once."""
    recording = load(platform)
    async with serving(Player(recording["exchanges"])) as base:
        asked = filled({n: recording[n] for n in ("settings", "credential")}, base)
        draft = {"platform": platform, "name": platform, "backfill": "P90D", **asked}
        made = await service.api.post("/api/v1/sources", json={**draft, "also_us": [*also_us]})
        assert made.status_code == 201, made.text
        source_id: int = made.json()["id"]
        run = await service.poll(source_id)
        assert run["outcome"] == "ok", run
        yield source_id


async def items_of(service: Service) -> Items:
    found = await service.items(status="any", backlog="include", needs_reply="any")
    return {one["external_id"]: one for one in found}


async def test_a_colleague_answers_in_a_group_on_telegram(service: Service) -> None:
    async with read(service, "telegram", also_us=["71"]):
        items = await items_of(service)
    group = "-1001500000001"
    assert items[f"{group}:90"]["status"] == "replied"
    assert items[f"{group}:90"]["answer"]["evidence"] == "exact"
    assert f"{group}:92" not in items, "what a colleague wrote is a reply, no item"
    assert items["55:41"]["status"] == "unanswered"
    assert items["55:41"]["text"] == "Is there an export to CSV?", "the edit came in the same poll"
    assert items[f"join:{group}:93:55"]["needs_reply"] is False


async def test_a_private_message_on_telegram_is_direct(service: Service) -> None:
    async with read(service, "telegram"):
        items = await items_of(service)
    assert items["55:41"]["visibility"] == "direct"


async def test_a_day_without_reading_telegram_is_told_as_lost(
    service: Service, clock: FrozenClock
) -> None:
    async with read(service, "telegram") as source_id:
        clock.move(timedelta(hours=25))
        assert (await service.poll(source_id))["outcome"] == "ok"
        shown = (await service.api.get(f"/api/v1/sources/{source_id}")).json()
    [stream] = shown["streams"]
    causes = [lost["cause"] for lost in stream["lost"]]
    assert causes.count("retention") == 3, "by design, before the connection, and now"
    assert shown["state"] == "ok", "nobody can do anything about it"


async def test_a_chain_of_replies_on_discord_answers_whom_it_hangs_on(service: Service) -> None:
    async with read(service, "discord"):
        items = await items_of(service)
    by_text = {one["text"]: one for one in items.values()}
    asked, wonders = by_text["Is there an **export**?"], by_text["@Anna I wonder too"]
    assert (asked["status"], asked["answer"]["evidence"]) == ("replied", "exact")
    assert wonders["status"] == "unanswered", "one answer to one person hides nobody else"
    below = by_text["And for invoices?"]
    assert below["thread_id"] == asked["thread_id"], "a thread and the message it began with"
    assert (below["status"], below["possibly_answered"]) == ("unanswered", True)
    assert by_text["How do I import?"]["kind"] == "question"


async def test_a_post_of_a_forum_is_answered_by_the_next_message_of_ours(service: Service) -> None:
    async with read(service, "discord", also_us=["900000000000000056"]):
        items = await items_of(service)
    [post] = [one for one in items.values() if one["text"] == "How do I import?"]
    assert (post["status"], post["answer"]["evidence"]) == ("replied", "adjacent")


async def test_an_answer_in_a_thread_on_slack_is_for_whom_it_names(service: Service) -> None:
    async with read(service, "slack"):
        items = await items_of(service)
    by_text = {one["text"]: one for one in items.values()}
    assert by_text["Is there an *export* & import?"]["status"] == "replied"
    assert by_text["I wonder too"]["status"] == "unanswered"
    assert by_text["An older question"]["status"] == "unanswered"
    assert all(one["visibility"] == "followers" for one in items.values())
