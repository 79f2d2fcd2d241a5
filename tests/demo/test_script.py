"""The scripted world: every situation a test may want, seen over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.clock import FrozenClock
from app.demo.model import SHOP, SUPPORT
from app.demo.script import ScriptedWorld
from tests.demo.asking import Platform, platform

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TOKEN = f"token-of-{SUPPORT}"


async def reviews(asked: Platform, query: str = "") -> list[int]:
    page = await asked.get(f"/v1/reviews?{query}", TOKEN)
    return [int(item["id"]) for item in page["items"]]


async def test_a_message_can_appear_late_at_an_old_place() -> None:
    world, clock = ScriptedWorld(), FrozenClock(START + 10 * SECOND)
    for number in range(3):
        world.insert("reviews", START + number * SECOND)
    world.show(2, START + 11 * SECOND)
    async with platform(world, clock) as asked:
        assert await reviews(asked) == [3, 1]
        clock.move(SECOND)
        assert await reviews(asked) == [3, 2, 1]


async def test_a_late_id_lies_below_those_already_shown() -> None:
    world = ScriptedWorld()
    world.insert("mentions", START, number=50)
    world.insert("mentions", START, number=40)
    async with platform(world, FrozenClock(START)) as asked:
        page = await asked.get("/v1/mentions?after=45", f"token-of-{SHOP}")
    assert [item["id"] for item in page["items"]] == ["50"]
    with pytest.raises(ValueError, match="message 40 already"):
        world.insert("mentions", START, number=40)


async def test_lists_by_time_change_their_order_when_a_time_does() -> None:
    world = ScriptedWorld()
    for number in range(3):
        world.insert("reviews", START + number * SECOND)
    async with platform(world, FrozenClock(START + 9 * SECOND)) as asked:
        world.move(1, START + 5 * SECOND)
        assert await reviews(asked) == [1, 3, 2]


async def test_pages_shrink_and_cursors_expire_in_the_middle_of_a_pass() -> None:
    world = ScriptedWorld()
    for _ in range(5):
        world.insert("reviews", START)
    async with platform(world, FrozenClock(START)) as asked:
        first = await asked.get("/v1/reviews?limit=3", TOKEN)
        cursor = first["next_cursor"]
        world.page_limit = 1
        assert await reviews(asked, f"limit=3&cursor={cursor}") == [2]
        world.expire_cursors()
        answer = await asked.answer(f"/v1/reviews?cursor={cursor}", TOKEN)
        assert (answer.status, answer.json()["error"]) == (400, "invalid_cursor")


async def test_edits_deletions_and_returns_are_seen() -> None:
    world, clock = ScriptedWorld(), FrozenClock(START)
    world.insert("reviews", START, "one")
    async with platform(world, clock) as asked:
        world.edit(1, START + 2 * SECOND, "three")
        world.edit(1, START + SECOND, "two")
        texts = []
        for _ in range(3):
            texts.append((await asked.get("/v1/items/1", TOKEN))["text"])
            clock.move(SECOND)
        world.delete(1, START)
        assert (await asked.answer("/v1/items/1", TOKEN)).status == 410
        world.restore(1)
        assert (await asked.answer("/v1/items/1", TOKEN)).status == 200
        world.forget(1)
        assert (await asked.answer("/v1/items/1", TOKEN)).status == 404
    assert texts == ["one", "two", "three"]


async def test_faults_strike_one_account_for_a_time() -> None:
    world, clock = ScriptedWorld(), FrozenClock(START)
    world.fail(SUPPORT, 429, since=START + SECOND, lasts=SECOND, retry_after=7)
    async with platform(world, clock) as asked:
        statuses = []
        for _ in range(3):
            answer = await asked.answer("/v1/me", TOKEN)
            statuses.append((answer.status, answer.headers.get("retry-after")))
            assert (await asked.answer("/v1/me", f"token-of-{SHOP}")).status == 200
            clock.move(SECOND)
    assert statuses == [(200, None), (429, "7"), (200, None)]


async def test_a_renewed_token_ends_the_old_one() -> None:
    world = ScriptedWorld()
    world.renew_token(SUPPORT, "new-token")
    async with platform(world, FrozenClock(START)) as asked:
        old = await asked.answer("/v1/me", TOKEN)
        assert (old.status, old.json()["valid_token"]) == (401, "new-token")
        assert (await asked.answer("/v1/me", "new-token")).status == 200


def test_answers_stand_where_the_platform_keeps_them() -> None:
    world = ScriptedWorld()
    post = world.insert("posts", START)
    comment = world.insert("comments", START, under=post.id)
    chat = world.insert("messages", START)
    review = world.insert("reviews", START, stars=3)
    under = world.answer(comment.id, START + SECOND)
    assert (under.feed, under.root, under.parent, under.kind) == (
        "comments", post.id, comment.id, "reply",
    )  # fmt: skip
    assert world.answer(chat.id, START).author == world.accounts[SUPPORT]
    assert world.answer(review.id, START).answer is not None
