"""What a running Bluesky server was seen to do, a test a fact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.connectors.base import Kind, Parent, Shape
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    CursorRefused,
    Gone,
    Transient,
)
from app.connectors.platforms.bluesky import PLATFORM, Credential, Settings
from tests.connectors.fake_bluesky import (
    START,
    US,
    FakeBluesky,
    at,
    author,
    follow,
    notification,
    post,
    uri,
)
from tests.connectors.playing import Player
from tests.connectors.playing import load as own_recording
from tests.connectors.reading_bluesky import KEPT, LIST, connected, uris, whole


async def test_a_back_dated_mention_is_found_at_the_end_of_a_list_that_is_declared_so() -> None:
    fake = FakeBluesky()
    fake.notifications = [notification("mention", post("a", str(n), minutes=n)) for n in range(250)]
    old = post("b", "old", minutes=300, createdAt="2020-02-29T23:59:59.123Z")
    fake.notifications.append(notification("mention", old))
    async with connected(fake) as connector:
        mentions, read = await whole(connector, "notifications")
        specs = {spec.name: spec for spec in connector.streams()}
    assert uri("b", "old") in uris(read[-2].mentions) | uris(read[-1].mentions)
    assert len(uris(mentions)) == 251
    assert read[-2].oldest_at == datetime(2020, 2, 29, 23, 59, 59, 123000, tzinfo=UTC)
    assert specs["notifications"].shape is Shape.BACKWARD
    assert specs["notifications"].rescan_all


async def test_ties_at_a_page_border_are_not_lost() -> None:
    fake = FakeBluesky()
    fake.notifications = [
        notification("mention", post("a", str(n), minutes=n // 40)) for n in range(250)
    ]
    async with connected(fake) as connector:
        mentions, read = await whole(connector, "notifications")
    assert len(uris(mentions)) == 250
    assert not any(page.unparsed for page in read)


async def test_more_ties_than_a_page_holds_are_told_and_passed() -> None:
    fake = FakeBluesky()
    fake.notifications = [
        notification("mention", post("a", f"t{n}", minutes=5)) for n in range(130)
    ]
    fake.notifications += [notification("mention", post("a", f"o{n}")) for n in range(3)]
    async with connected(fake) as connector:
        mentions, read = await whole(connector, "notifications")
    assert {uri("a", f"o{n}") for n in range(3)} <= uris(mentions)
    told = [entry.reason for page in read for entry in page.unparsed]
    assert ["share one millisecond" in reason for reason in told] == [True]


async def test_the_limit_is_always_100_and_priority_off_and_read_marks_are_not_looked_at() -> None:
    fake = FakeBluesky()
    fake.notifications = [notification("mention", post("a", "1"))]  # isRead: true
    async with connected(fake) as connector:
        mentions, _ = await whole(connector, "notifications")
    assert uris(mentions) == {uri("a", "1")}
    for query in fake.asked(LIST):
        assert (query["limit"], query["priority"]) == (["100"], ["false"])
        assert query["reasons"] == ["mention", "reply", "quote", "follow"]
        assert "seenAt" not in query


async def test_a_short_or_empty_page_with_a_cursor_is_not_the_end() -> None:
    fake = FakeBluesky()
    fake.notifications = [notification("mention", post("a", str(n), minutes=n)) for n in range(300)]
    fake.hidden = {uri("a", str(n)) for n in range(95, 210)}
    async with connected(fake) as connector:
        mentions, read = await whole(connector, "notifications")
    assert len(uris(mentions)) == 300 - 115
    assert 0 in {len(page.mentions) for page in read[:-1]}


@pytest.mark.parametrize("name", ["InternalServerError", "UpstreamFailure"])
async def test_a_bad_cursor_answers_502_and_means_start_again(name: str) -> None:
    fake = FakeBluesky()
    fake.answers[LIST] = (502, {}, {"error": name, "message": "Internal Server Error"})
    async with connected(fake) as connector:
        with pytest.raises(CursorRefused):
            await connector.fetch_page("notifications", {"cursor": "nonsense"})
        with pytest.raises(Transient):
            await connector.fetch_page("notifications", None)


async def test_other_reasons_are_counted_and_a_bad_entry_goes_to_quarantine() -> None:
    fake = FakeBluesky()
    reasons = ["like", "repost", "starterpack-joined", "like", "never-heard-of"]
    fake.notifications = [
        notification(reason, post("a", f"r{n}")) for n, reason in enumerate(reasons)
    ]
    broken = notification("mention", post("a", "bad"))
    broken["author"] = None
    fake.notifications += [broken, notification("mention", post("a", "good"))]
    async with connected(fake) as connector:
        page = await connector.fetch_page("notifications", None)
    assert dict(page.skipped) == {
        "like": 2,
        "repost": 1,
        "starterpack-joined": 1,
        "never-heard-of": 1,
    }
    assert [each.external_id for each in page.unparsed] == [uri("a", "bad")]
    assert uris(page.mentions) == {uri("a", "good")}


async def test_a_second_follow_is_a_new_one() -> None:
    fake = FakeBluesky()
    fake.notifications = [follow("a", "1", minutes=1), follow("a", "2", minutes=2)]
    async with connected(fake) as connector:
        mentions, _ = await whole(connector, "notifications")
    assert {each.kind for each in mentions} == {Kind.FOLLOW}
    assert len(uris(mentions)) == 2


async def test_our_feed_shows_all_our_answers_in_one_request_and_what_to_watch() -> None:
    fake = FakeBluesky()
    theirs = uri("a", "1")
    views = [
        post("brand", "root", minutes=1) | {"replyCount": 3},
        post("brand", "answer", minutes=2, parent=theirs, root=theirs),
        post("brand", "answered", minutes=3, parent=theirs, root=theirs) | {"replyCount": 1},
        post("brand", "below", minutes=4, parent=uri("a", "2"), root=uri("brand", "root")),
    ]
    repost = {
        "post": post("c", "9"),
        "reason": {"$type": "app.bsky.feed.defs#reasonRepost", "indexedAt": at(9)},
    }
    fake.feed = [{"post": view} for view in views] + [repost]
    async with connected(fake) as connector:
        page = await connector.fetch_page("own_posts", None)
        spec = {each.name: each for each in connector.streams()}["own_posts"]
    answers = {each.external_id: each.parent_external_id for each in page.mentions}
    assert answers == {
        uri("brand", "root"): None,
        uri("brand", "answer"): theirs,
        uri("brand", "answered"): theirs,
        uri("brand", "below"): uri("a", "2"),
    }
    assert {(each.external_id, each.counter) for each in page.parents} == {
        (uri("brand", "root"), 3),
        (uri("brand", "answered"), 1),
    }
    assert dict(page.skipped) == {"repost": 1}
    assert fake.asked("app.bsky.feed.getAuthorFeed")[0]["filter"] == ["posts_with_replies"]
    assert spec.lists_replies


def thread(view: dict[str, Any], *replies: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "$type": "app.bsky.feed.defs#threadViewPost",
        "post": view,
        "replies": list(replies),
        **more,
    }


async def test_a_thread_shows_replies_gone_and_blocked_ones() -> None:
    fake = FakeBluesky()
    ours = uri("brand", "root")
    asked = post("a", "1", parent=ours)
    answer = post("brand", "2", parent=uri("a", "1"), root=ours)
    fake.threads[ours] = thread(
        post("brand", "root"),
        thread(asked, thread(answer)),
        {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri("b", "3"), "notFound": True},
        {"$type": "app.bsky.feed.defs#blockedPost", "uri": uri("c", "4"), "blocked": True},
    )
    async with connected(fake) as connector:
        page = await connector.fetch_page("threads", None, parent=Parent(ours))
        everything = await connector.fetch_thread(ours)
    assert [each.external_id for each in page.mentions] == [uri("a", "1"), uri("brand", "2")]
    assert [each.external_id for each in everything.mentions] == [
        ours,
        uri("a", "1"),
        uri("brand", "2"),
    ]
    assert page.gone == (uri("b", "3"),)
    assert dict(page.skipped) == {"blockedPost": 1}
    assert not page.more


async def test_a_branch_deeper_than_one_answer_is_read_on() -> None:
    fake = FakeBluesky()
    ours = uri("brand", "root")
    chain = [post("a", f"d{n}", parent=ours, root=ours) for n in range(82)]
    deepest = thread(chain[79] | {"replyCount": 1})
    for view in reversed(chain[:79]):
        deepest = thread(view, deepest)
    fake.threads[ours] = thread(post("brand", "root"), deepest)
    fake.threads[uri("a", "d79")] = thread(chain[79], thread(chain[80], thread(chain[81])))
    async with connected(fake) as connector:
        mentions, read = await whole(connector, "threads", parent=Parent(ours))
        everything = await connector.fetch_thread(ours)
    assert len(read) == 2
    assert uris(mentions) == {view["uri"] for view in chain}
    assert len(everything.mentions) == 83


async def test_deleted_things_are_gone() -> None:
    fake = FakeBluesky()
    lost = uri("a", "lost")
    fake.threads[lost] = {"$type": "app.bsky.feed.defs#notFoundPost", "uri": lost, "notFound": True}
    async with connected(fake) as connector:
        for what in (uri("a", "absent"), "at://did:plc:a/app.bsky.graph.follow/1"):
            with pytest.raises(Gone):
                await connector.fetch_item(what)
        for what in (lost, uri("a", "other")):
            with pytest.raises(Gone):
                await connector.fetch_page("threads", None, parent=Parent(what))
            with pytest.raises(Gone):
                await connector.fetch_thread(what)


async def test_an_edited_record_keeps_its_uri_and_changes_its_revision() -> None:
    fake = FakeBluesky()
    fake.posts[uri("a", "1")] = post("a", "1", text="new words") | {"cid": "cid-new"}
    async with connected(fake) as connector:
        item = await connector.fetch_item(uri("a", "1"))
    assert (item.text, item.revision) == ("new words", "cid-new")


async def test_a_follow_can_be_read_again() -> None:
    fake = FakeBluesky()
    value = {"$type": "app.bsky.graph.follow", "subject": US, "createdAt": at(1)}
    fake.answers["com.atproto.repo.getRecord"] = (200, {}, {"cid": "c", "value": value})
    fake.answers["app.bsky.actor.getProfile"] = (200, {}, author("a", followersCount=7))
    async with connected(fake) as connector:
        item = await connector.fetch_item("at://did:plc:a/app.bsky.graph.follow/1")
    assert (item.kind, item.author.followers) == (Kind.FOLLOW, 7)


@pytest.mark.parametrize("body", ["<html>", [], {"notifications": None}, {"cursor": "x"}])
async def test_a_strange_page_is_a_bad_response(body: Any) -> None:
    fake = FakeBluesky()
    fake.answers[LIST] = (200, {}, body)
    async with connected(fake) as connector:
        with pytest.raises(BadResponse):
            await connector.fetch_page("notifications", None)


async def test_a_check_tells_who_what_and_how_much() -> None:
    fake = FakeBluesky()
    fake.answers["com.atproto.server.getSession"] = (
        200,
        {},
        {"did": US, "handle": "renamed.test", "active": True},
    )
    fake.notifications = [notification("mention", post("a", str(n), minutes=n)) for n in range(4)]
    async with connected(fake) as connector:
        check = await connector.check()
    assert check.identity is not None
    assert (check.identity.external_id, check.identity.handle) == (US, "renamed.test")
    assert check.identity.aliases == ("brand.test",)
    assert check.sample is not None
    assert (check.sample.count, check.sample.newest_at) == (4, START + timedelta(minutes=3))
    assert "renamed.test" in check.warnings[0]


async def test_a_deactivated_account_fails_its_check() -> None:
    fake = FakeBluesky()
    fake.answers["com.atproto.server.getSession"] = (
        200,
        {},
        {"did": US, "handle": "brand.test", "active": False, "status": "deactivated"},
    )
    async with connected(fake) as connector:
        with pytest.raises(AuthFailed, match="deactivated"):
            await connector.check()


def test_settings_take_what_people_type_and_secrets_are_not_shown() -> None:
    settings = Settings(handle="@brand.test")
    assert (settings.handle, settings.service) == ("brand.test", "https://bsky.social")
    with pytest.raises(ValueError, match="https://"):
        Settings(handle="x", service="bsky.social")
    assert "secret" not in repr(Credential(app_password="secret", access_jwt="secret"))
    assert PLATFORM.minimum_interval == timedelta(seconds=60)


async def test_its_recording_brings_what_it_says() -> None:
    recording = own_recording("bluesky")
    kept = {name: recording["credential"][name] for name in KEPT}
    async with connected(Player(recording["exchanges"]), **kept) as connector:
        for stream, expected in recording["expect"].items():
            parent = Parent(uri("brand", "root")) if stream == "threads" else None
            mentions, _ = await whole(connector, stream, parent=parent)
            found = {
                (m.external_id, m.kind.value, m.author.external_id, m.parent_external_id)
                for m in mentions
            }
            assert found == {
                (e["external_id"], e["kind"], e["author"], e["parent"]) for e in expected
            }
