"""The demo's connector against the fake platform, over real HTTP through the real door out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from app.clock import FrozenClock
from app.connectors.base import (
    Connector,
    Cursor,
    Kind,
    Mention,
    Page,
    Parent,
    Shape,
    Visibility,
)
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    CursorRefused,
    Gone,
    RateLimited,
    Transient,
)
from app.connectors.http import Door
from app.connectors.keeping import NotStored
from app.connectors.platforms.demo import PLATFORM, DemoConnector, DemoCredential, DemoSettings
from app.connectors.registry import PLATFORMS
from app.demo.asgi import demo_app
from app.demo.model import SHOP, SUPPORT, World
from app.demo.script import ScriptedWorld
from app.demo.story import Story
from tests.connectors.playing import Player, filled, load
from tests.serving import serving

START = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@asynccontextmanager
async def connected(
    app: Any, account: str, token: str, clock: FrozenClock
) -> AsyncIterator[Connector]:
    door = Door(allow=["127.0.0.0/8"], clock=clock, user_agent="unanswered/test", deadline=10)
    async with serving(app) as url:
        try:
            yield DemoConnector(
                settings=DemoSettings.model_validate({"api_url": url, "account": account}),
                credential=DemoCredential(token=SecretStr(token)),
                http=door.for_source(secrets=[token]),
                save_credential=NotStored(),
            )
        finally:
            await door.aclose()


def scripted(
    world: World, account: str, clock: FrozenClock
) -> AbstractAsyncContextManager[Connector]:
    return connected(demo_app(world, clock), account, f"token-of-{account}", clock)


async def whole(connector: Connector, stream: str, parent: Parent | None = None) -> list[Page]:
    """Every page of a stream, as a poller reads it."""
    pages: list[Page] = []
    cursor: Cursor | None = None
    while not pages or pages[-1].more:
        if cursor is not None:
            cursor = json.loads(json.dumps(cursor))
        pages.append(await connector.fetch_page(stream, cursor, parent=parent))
        cursor = pages[-1].next_cursor
    return pages


def ids(pages: list[Page]) -> list[str]:
    return [mention.external_id for page in pages for mention in page.mentions]


async def test_the_whole_past_of_both_accounts_is_read() -> None:
    now = START + timedelta(minutes=7)
    story, clock = Story(9, START), FrozenClock(now)
    found: set[str] = set()
    for account in (SHOP, SUPPORT):
        token = story.token(account, now).text
        async with connected(demo_app(story, clock), account, token, clock) as connector:
            for spec in connector.streams():
                if spec.shape is Shape.PARENT:
                    continue
                pages = await whole(connector, spec.name)
                found.update(ids(pages))
                for parent in [p for page in pages for p in page.parents]:
                    comments = await whole(connector, "comments", parent)
                    found.update(ids(comments))
                    assert len(ids(comments)) == parent.counter
    feeds = ("mentions", "comments", "messages", "reviews")
    shown = [m for feed in feeds for m in story.forward(feed, 0, now)]
    gone = {str(m.id) for m in shown if m.deleted_at and m.deleted_at <= now}
    assert found == {str(m.id) for m in shown} - gone
    assert len(found) > 60


async def test_check_tells_who_we_are_and_what_was_found() -> None:
    world, clock = ScriptedWorld(), FrozenClock(START + SECOND)
    world.insert("reviews", START, "Good.", stars=4)
    async with scripted(world, SUPPORT, clock) as connector:
        check = await connector.check()
    assert check.identity is not None
    assert (check.identity.external_id, check.identity.handle) == ("brand-2", "quillbeck_help")
    assert check.identity.aliases == ("brand-1", "quillbeck")
    assert (check.rights, check.missing) == (("read",), ())
    assert check.sample is not None
    assert (check.sample.count, check.sample.newest_at) == (1, START)


async def test_check_refuses_the_token_of_the_other_account() -> None:
    clock = FrozenClock(START)
    app = demo_app(ScriptedWorld(), clock)
    async with connected(app, SHOP, f"token-of-{SUPPORT}", clock) as connector:
        with pytest.raises(AuthFailed, match="opens another account than “shop”"):
            await connector.check()


async def test_an_expired_token_is_told_with_the_one_to_reconnect_with() -> None:
    story = Story(9, START)
    first = story.token(SUPPORT, START)
    assert first.expires_at is not None
    second = story.token(SUPPORT, first.expires_at).text
    clock = FrozenClock(first.expires_at)
    app = demo_app(story, clock)
    async with connected(app, SUPPORT, first.text, clock) as connector:
        with pytest.raises(AuthFailed) as failure:
            await connector.fetch_page("messages", None)
    sentence = f"The demo's token has expired, as tokens do. Reconnect with: {second}"
    assert failure.value.detail == sentence
    async with connected(app, SUPPORT, second, clock) as connector:
        check = await connector.check()
    assert check.expires_at == first.expires_at + timedelta(hours=24)


@pytest.mark.parametrize(
    ("status", "failure"), [(429, RateLimited), (503, Transient), (500, Transient)]
)
async def test_faults_become_the_failures_that_say_what_to_do(
    status: int, failure: type[ConnectorError]
) -> None:
    world, clock = ScriptedWorld(), FrozenClock(START)
    world.fail(SHOP, status, since=START, lasts=SECOND, retry_after=30 if status == 429 else None)
    async with scripted(world, SHOP, clock) as connector:
        with pytest.raises(failure) as raised:
            await connector.fetch_page("mentions", None)
    if isinstance(raised.value, RateLimited):
        assert raised.value.until == START + timedelta(seconds=30)


async def test_an_unknown_token_is_an_auth_failure_that_says_where_the_right_one_is() -> None:
    clock = FrozenClock(START)
    async with connected(demo_app(ScriptedWorld(), clock), SHOP, "wrong", clock) as connector:
        with pytest.raises(AuthFailed, match=r"does not know this token\. http://127\.0\.0\.1:"):
            await connector.check()


async def test_a_refusal_without_data_is_an_auth_failure_all_the_same() -> None:
    request = {"method": "GET", "path": "/v1/me"}
    player = Player([{"request": request, "response": {"status": 401, "text": "<h1>No</h1>"}}])
    async with connected(player, SHOP, "t", FrozenClock(START)) as connector:
        with pytest.raises(AuthFailed):
            await connector.check()


async def test_expired_cursors_and_deleted_messages_have_failures_of_their_own() -> None:
    world, clock = ScriptedWorld(), FrozenClock(START)
    for _ in range(60):
        world.insert("reviews", START)
    async with scripted(world, SUPPORT, clock) as connector:
        page = await connector.fetch_page("reviews", None)
        world.expire_cursors()
        with pytest.raises(CursorRefused):
            await connector.fetch_page("reviews", page.next_cursor)
        world.delete(1, START)
        with pytest.raises(Gone):
            await connector.fetch_item("1")
        with pytest.raises(Gone):
            await connector.fetch_item("no/such?id")


async def test_mentions_go_on_from_a_cursor_and_begin_at_a_time() -> None:
    world, clock = ScriptedWorld(), FrozenClock(START + 9 * SECOND)
    for number in range(4):
        world.insert("mentions", START + number * SECOND)
    async with scripted(world, SHOP, clock) as connector:
        late = await connector.fetch_page("mentions", None, since=START + 2 * SECOND)
        assert ids([late]) == ["3", "4"]
        nothing = await connector.fetch_page("mentions", late.next_cursor)
        assert (nothing.mentions, nothing.more) == ((), False)
        assert nothing.next_cursor == late.next_cursor == {"after": "4"}
        world.insert("mentions", START + 8 * SECOND)
        assert ids([await connector.fetch_page("mentions", nothing.next_cursor)]) == ["5"]


async def test_the_queue_is_confirmed_by_the_next_cursor_only() -> None:
    world, clock = ScriptedWorld(), FrozenClock(START)
    world.insert("messages", START, direct=True)
    async with scripted(world, SUPPORT, clock) as connector:
        await connector.check()
        first = await connector.fetch_page("messages", None)
        again = await connector.fetch_page("messages", None)
        assert ids([first]) == ids([again]) == ["1"]
        assert first.mentions[0].visibility is Visibility.DIRECT
        confirmed = await connector.fetch_page("messages", first.next_cursor)
        assert (confirmed.mentions, confirmed.next_cursor) == ((), {"offset": "2"})
        assert ids([await connector.fetch_page("messages", None)]) == []


async def test_posts_are_parents_and_deleted_comments_are_named() -> None:
    world, clock = ScriptedWorld(), FrozenClock(START + 9 * SECOND)
    post = world.insert("posts", START, "What do you think? " + "…" * 80)
    for _ in range(2):
        world.insert("comments", START + SECOND, under=post.id)
    world.delete(2, START + 5 * SECOND)
    async with scripted(world, SHOP, clock) as connector:
        (page,) = await whole(connector, "posts")
        assert page.parents == (Parent("1", START, START + 5 * SECOND, 1),)
        (comments,) = await whole(connector, "comments", page.parents[0])
    assert comments.gone == ("2",)
    assert ids([comments]) == ["3"]
    thread = comments.mentions[0].thread
    assert (thread.external_id, thread.started_at, len(thread.title)) == ("1", START, 60)


async def test_a_thread_is_read_to_its_end() -> None:
    world, clock = ScriptedWorld(), FrozenClock(START + 200 * SECOND)
    world.insert("posts", START)
    for number in range(120):
        world.insert("comments", START + number * SECOND, under=1)
    async with scripted(world, SHOP, clock) as connector:
        page = await connector.fetch_thread("1")
    assert ids([page]) == [str(number) for number in range(1, 122)]


async def fetched(world: ScriptedWorld, number: int) -> Mention:
    async with scripted(world, SUPPORT, FrozenClock(START + timedelta(hours=1))) as connector:
        return await connector.fetch_item(str(number))


async def test_edits_answers_and_five_silent_stars_are_told() -> None:
    world = ScriptedWorld()
    world.insert("reviews", START, "", stars=5)
    world.answer(1, START + SECOND)
    world.insert("mentions", START, "first")
    world.edit(2, START + SECOND, "then")
    world.answer(2, START + 2 * SECOND)
    praise, edited, reply = [await fetched(world, number) for number in (1, 2, 3)]
    assert praise.kind is Kind.PRAISE
    assert praise.native_answer is not None
    assert praise.native_answer.answered_at == START + SECOND
    assert praise.native_answer.reply_url == praise.permalink
    assert (edited.text, edited.edited_at) == ("then", START + SECOND)
    assert (reply.kind, reply.parent_external_id) == (Kind.REPLY, "2")
    assert (reply.author.external_id, reply.addressed) == ("brand-1", ("visitor-1", "visitor"))


def message(**changed: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "type": "mention",
        "author": {"id": "a", "handle": "A"},
        "created_at": "2026-11-02T09:30:00Z",
        "thread": {"id": "1"},
        **changed,
    }


async def answered(stream: str, body: Any) -> Page:
    """The page that a stream makes of an answer."""
    request = {"method": "GET", "path": f"/v1/{stream}"}
    player = Player([{"request": request, "response": {"body": body}}])
    account: str = "shop" if stream in {"mentions", "posts"} else "support"
    async with connected(player, account, "t", FrozenClock(START)) as connector:
        return await connector.fetch_page(stream, None)


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {},
        message(id=5),
        message(created_at="soon"),
        message(created_at="2026-11-02T09:30:00"),
        message(visibility="secret"),
        message(thread=[]),
    ],
)
async def test_one_bad_message_never_blocks_its_page(bad: Any) -> None:
    page = await answered("mentions", {"items": [bad, message()], "next": "2", "more": False})
    assert ids([page]) == ["1"]
    assert [entry.raw for entry in page.unparsed] == [bad]


async def test_one_bad_post_and_unknown_types_are_counted() -> None:
    odd = message(type="poll")
    page = await answered("mentions", {"items": [odd, odd], "next": "2", "more": False})
    assert (page.mentions, page.skipped) == ((), {"poll": 2})
    posts = await answered("posts", {"items": [{"id": "7"}], "next_cursor": None})
    assert [(entry.external_id, entry.raw) for entry in posts.unparsed] == [("7", {"id": "7"})]


@pytest.mark.parametrize("body", [[], {"items": 3}, {"items": []}, "text", None])
async def test_an_unknown_shape_is_a_bad_response(body: Any) -> None:
    with pytest.raises(BadResponse):
        await answered("mentions", body)


async def test_reading_the_recording_gives_what_it_says() -> None:
    recording = load("demo")
    player = Player(recording["exchanges"])
    token = recording["credential"]["token"]
    async with connected(player, "shop", token, FrozenClock(START)) as connector:
        assert isinstance(connector, DemoConnector)
        settings = filled(recording["settings"], connector._url)
        assert DemoSettings(**settings) == DemoSettings(api_url=connector._url, account="shop")
        posts = await whole(connector, "posts")
        read = {"posts": posts, "mentions": await whole(connector, "mentions"), "comments": []}
        for parent in posts[0].parents:
            read["comments"] += await whole(connector, "comments", parent)
        assert (await connector.check()).identity is not None
    for stream, expected in recording["expect"].items():
        found = [m for page in read[stream] for m in page.mentions]
        assert sorted(map(told, found), key=str) == sorted(expected, key=str)


def told(mention: Mention) -> dict[str, Any]:
    assert mention.occurred_at is not None
    return {
        "external_id": mention.external_id,
        "kind": str(mention.kind),
        "author": mention.author.external_id,
        "parent": mention.parent_external_id,
        "occurred_at": mention.occurred_at.isoformat().replace("+00:00", "Z"),
    }


def test_the_demo_is_registered_and_not_offered() -> None:
    assert PLATFORMS["demo"] is PLATFORM
    assert PLATFORM.hidden
    assert PLATFORM.minimum_interval < PLATFORM.default_interval == timedelta(seconds=10)


@pytest.mark.parametrize("url", ["ftp://x", "http://x/path", "x", "http://x?y"])
def test_an_address_with_more_than_a_host_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        DemoSettings(api_url=url)
