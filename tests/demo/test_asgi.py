"""The fake platform's answers over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.clock import FrozenClock
from app.connectors.asking import Response
from app.demo.model import SHOP, SUPPORT, Message
from app.demo.script import ScriptedWorld
from app.demo.story import Story
from tests.demo.asking import Platform, platform

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LISTS = {"/v1/mentions": SHOP, "/v1/posts": SHOP, "/v1/messages": SUPPORT, "/v1/reviews": SUPPORT}


def token(account: str) -> str:
    return f"token-of-{account}"


async def everything(asked: Platform, story: Story, now: datetime) -> list[Any]:
    keys = {account: story.token(account, now).text for account in (SHOP, SUPPORT)}
    first = (await asked.get("/v1/posts", keys[SHOP]))["items"][0]["id"]
    below = (f"/v1/posts/{first}/comments", f"/v1/threads/{first}", f"/v1/items/{first}", "/v1/me")
    calls = [*LISTS.items(), *((path, SHOP) for path in below)]
    return [await asked.get(path, keys[account]) for path, account in calls]


async def test_after_a_restart_every_answer_is_the_same() -> None:
    now = START + timedelta(hours=30, minutes=7)
    answers = []
    for _ in range(2):
        story = Story(5, START)
        async with platform(story, FrozenClock(now)) as asked:
            answers.append(await everything(asked, story, now))
    assert answers[0] == answers[1]


async def test_outages_and_limits_of_the_story_are_answered_per_account() -> None:
    story, clock = Story(5, START), FrozenClock(START)
    seen: dict[int, Response] = {}
    async with platform(story, clock) as asked:
        while set(seen) != {429, 503}:
            clock.move(timedelta(seconds=20))
            if (fault := story.fault(SHOP, clock.now())) and fault.status not in seen:
                key = story.token(SHOP, START).text
                seen[fault.status] = await asked.answer("/v1/me", key)
                assert seen[fault.status].status == fault.status
    assert 1 <= int(seen[429].headers["retry-after"]) <= 60
    assert "retry-after" not in seen[503].headers


async def test_an_expired_token_is_told_the_one_that_cures_it() -> None:
    story, clock = Story(5, START), FrozenClock(START)
    first = story.token(SUPPORT, START)
    assert first.expires_at is not None
    async with platform(story, clock) as asked:
        assert (await asked.answer("/v1/messages", first.text)).status == 200
        clock.move(first.expires_at - START)
        dead = await asked.answer("/v1/messages", first.text)
        said = dead.json()
        front = (await asked.answer("/")).text
        assert (dead.status, said["error"]) == (401, "token_expired")
        assert said["valid_token"] in front
        assert (await asked.answer("/v1/messages", said["valid_token"])).status == 200


@pytest.mark.parametrize(
    ("method", "path", "key", "status", "error"),
    [
        ("GET", "/v1/me", "", 401, "invalid_token"),
        ("GET", "/v1/me", "guessed", 401, "invalid_token"),
        ("GET", "/v1/messages", token(SHOP), 403, "not_this_account"),
        ("GET", "/v1/mentions", token(SUPPORT), 403, "not_this_account"),
        ("GET", "/v2/me", token(SHOP), 404, "not_found"),
        ("GET", "/v1/items/99", token(SHOP), 404, "not_found"),
        ("GET", "/v1/items/x", token(SHOP), 404, "not_found"),
        ("GET", "/v1/threads/99", token(SHOP), 404, "not_found"),
        ("GET", "/v1/posts/1/comments", token(SHOP), 404, "not_found"),
        ("GET", "/v1/items/2", token(SHOP), 410, "deleted"),
        ("POST", "/v1/me", token(SHOP), 405, "method_not_allowed"),
        ("GET", "/v1/mentions?limit=51", token(SHOP), 400, "invalid_parameter"),
        ("GET", "/v1/mentions?limit=0", token(SHOP), 400, "invalid_parameter"),
        ("GET", "/v1/mentions?after=-1", token(SHOP), 400, "invalid_parameter"),
        ("GET", "/v1/mentions?since=yesterday", token(SHOP), 400, "invalid_parameter"),
        ("GET", "/v1/posts?cursor=abc", token(SHOP), 400, "invalid_cursor"),
        ("GET", "/v1/posts?cursor=c0.999999999999999999.1", token(SHOP), 400, "invalid_cursor"),
    ],
)
async def test_what_cannot_be_answered_is_refused(
    method: str, path: str, key: str, status: int, error: str
) -> None:
    world = ScriptedWorld()
    world.insert("mentions", START, "kept")
    world.insert("mentions", START, "taken back", deleted_at=START)
    async with platform(world, FrozenClock(START)) as asked:
        answer = await asked.answer(path, key, method)
    assert (answer.status, answer.json()["error"]) == (status, error)
    assert answer.headers.get("allow") == ("GET" if status == 405 else None)


async def walked(asked: Platform, path: str, key: str, limit: int) -> list[str]:
    """All ids of a list with a cursor, page by page."""
    ids: list[str] = []
    more = ""
    while True:
        page = await asked.get(f"{path}?limit={limit}{more}", key)
        assert len(page["items"]) <= limit
        ids += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            return ids
        more = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_walking_lists_with_ties_in_time_loses_nothing(limit: int) -> None:
    world = ScriptedWorld()
    post = world.insert("posts", START)
    for number in range(9):
        at = START + timedelta(microseconds=number // 4)
        world.insert("comments", at, under=post.id)
        world.insert("reviews", at)
    async with platform(world, FrozenClock(START + SECOND)) as asked:
        under = await walked(asked, f"/v1/posts/{post.id}/comments", token(SHOP), limit)
        reviews = await walked(asked, "/v1/reviews", token(SUPPORT), limit)
    assert sorted(map(int, under)) == list(range(2, 20, 2))
    assert sorted(map(int, reviews)) == list(range(3, 20, 2))


async def test_mentions_go_on_after_the_last_id_or_from_a_time() -> None:
    world = ScriptedWorld()
    for number in range(7):
        world.insert("mentions", START + number * SECOND)
    async with platform(world, FrozenClock(START + 10 * SECOND)) as asked:
        ids, after, more = [], "0", True
        while more:
            page = await asked.get(f"/v1/mentions?limit=3&after={after}", token(SHOP))
            ids += [item["id"] for item in page["items"]]
            after, more = page["next"], page["more"]
        rest = await asked.get("/v1/mentions?since=2026-11-02T09:30:05Z", token(SHOP))
        empty = await asked.get(f"/v1/mentions?after={after}", token(SHOP))
    assert ids == ["1", "2", "3", "4", "5", "6", "7"]
    assert [item["id"] for item in rest["items"]] == ["6", "7"]
    assert (empty["items"], empty["next"], empty["more"]) == ([], "7", False)


async def test_the_queue_forgets_what_was_confirmed_and_nothing_else() -> None:
    world = ScriptedWorld()
    for _ in range(5):
        world.insert("messages", START)
    async with platform(world, FrozenClock(START)) as asked:

        async def waiting(query: str) -> list[int]:
            page = await asked.get(f"/v1/messages?{query}", token(SUPPORT))
            return [int(item["id"]) for item in page["items"]]

        assert await waiting("") == [1, 2, 3, 4, 5]
        assert await waiting("limit=2") == [1, 2]
        assert await waiting("offset=3") == [3, 4, 5]
        assert await waiting("offset=1") == [3, 4, 5]
        assert await waiting("") == [3, 4, 5]


async def test_a_post_tells_how_many_comments_stand_and_when_that_changed() -> None:
    world = ScriptedWorld()
    post = world.insert("posts", START)
    first = world.insert("comments", START + SECOND, under=post.id)
    world.insert("comments", START + 2 * SECOND, under=post.id)
    clock = FrozenClock(START + 2 * SECOND)
    async with platform(world, clock) as asked:

        async def counted() -> tuple[int, str]:
            shown = (await asked.get("/v1/posts", token(SHOP)))["items"][0]
            return shown["comment_count"], shown["changed_at"][17:]

        assert await counted() == (2, "02Z")
        world.edit(first.id, START + 3 * SECOND, "changed")
        clock.move(SECOND)
        assert await counted() == (2, "03Z")
        world.delete(first.id, START + 4 * SECOND)
        clock.move(SECOND)
        assert await counted() == (1, "04Z")
        page = await asked.get(f"/v1/posts/{post.id}/comments", token(SHOP))
    assert page["deleted"] == [str(first.id)]


def deleted_after_an_hour(story: Story) -> Message:
    late = START + timedelta(hours=1)
    found = story.forward("mentions", 0, START + timedelta(days=3))
    return next(m for m in found if m.deleted_at and m.created_at > late)


async def test_what_somebody_has_dealt_with_is_never_deleted() -> None:
    story = Story(5, START)
    doomed = deleted_after_an_hour(story)
    assert doomed.deleted_at is not None
    clock = FrozenClock(doomed.deleted_at)
    kept: dict[int, datetime] = {}

    async def keep() -> dict[int, datetime]:
        return kept

    async with platform(story, clock, keep) as asked:
        path, key = f"/v1/items/{doomed.id}", story.token(SHOP, START).text
        assert (await asked.answer(path, key)).status == 410
        kept[doomed.id] = doomed.deleted_at - SECOND
        assert (await asked.get(path, key))["id"] == str(doomed.id)
        clock.move(timedelta(days=2))
        while story.fault(SHOP, clock.now()):
            clock.move(SECOND)
        assert (await asked.get(path, key))["id"] == str(doomed.id)
        page = await asked.get(f"/v1/mentions?after={doomed.id - 1}", key)
        assert page["items"][0]["id"] == str(doomed.id)


async def test_the_brand_answers_only_what_nobody_has_dealt_with() -> None:
    world = ScriptedWorld()
    clock = FrozenClock(START + 5 * SECOND)
    question = world.insert("mentions", START, "?")
    review = world.insert("reviews", START, "Nice.", stars=4)
    world.answer(review.id, START + 3 * SECOND)
    answer = world.answer(question.id, START + 3 * SECOND)
    world._change(answer.id, unless=(question.id,))
    kept: dict[int, datetime] = {}

    async def keep() -> dict[int, datetime]:
        return kept

    async with platform(world, clock, keep) as asked:

        async def shown() -> tuple[int, bool]:
            mentions = await asked.get("/v1/mentions", token(SHOP))
            reviews = await asked.get("/v1/reviews", token(SUPPORT))
            return len(mentions["items"]), reviews["items"][0]["owner_answer"] is not None

        assert await shown() == (2, True)
        kept = {question.id: START + 4 * SECOND, review.id: START + 4 * SECOND}
        assert await shown() == (2, True)  # answered before: an answer does not vanish
        kept = {question.id: START + 2 * SECOND, review.id: START + 2 * SECOND}
        assert await shown() == (1, False)
        assert (await asked.answer(f"/v1/items/{answer.id}", token(SHOP))).status == 404


async def test_a_permalink_shows_the_message_as_plain_text() -> None:
    world = ScriptedWorld()
    world.insert("mentions", START, "<script>alert(1)</script>")
    async with platform(world, FrozenClock(START)) as asked:
        page = await asked.answer("/items/1")
        assert (await asked.answer("/items/2")).status == 404
    assert page.headers["content-type"] == "text/plain; charset=utf-8"
    assert "<script>alert(1)</script>" in page.text
