"""What Bluesky does, seen through the inbox: nothing doubled, lost or falsely answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import FrozenClock
from tests.connectors.fake_bluesky import US, FakeBluesky, names, notification, post, uri
from tests.connectors.idling import idle_requests
from tests.real_input import inbox
from tests.service import Service, running_service
from tests.serving import serving

Items = dict[str, dict[str, Any]]
ELEVEN = "2026-11-23T11:00:00.000Z"


@pytest.fixture
async def service(sqlite_url: str, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Service]:
    """On one kind of database: what is looked at here is made before anything is stored."""
    async with running_service(sqlite_url, tmp_path / "data", clock=clock) as started:
        yield started


def said(name: str, key: str, *, when: str = ELEVEN, **more: Any) -> dict[str, Any]:
    """A post of an hour before noon of the tests' day."""
    return {**post(name, key, createdAt=when, **more), "indexedAt": when}


async def connect(service: Service, base: str, fake: FakeBluesky) -> int:
    draft = {
        "platform": "bluesky",
        "name": "bluesky",
        "settings": {"service": base, "handle": "brand.test"},
        "credential": {"app_password": fake.password},
    }
    made = await service.api.post("/api/v1/sources", json=draft)
    assert made.status_code == 201, made.text
    source_id: int = made.json()["id"]
    return source_id


async def polled(service: Service, source_id: int) -> Items:
    run = await service.poll(source_id)
    assert run["outcome"] == "ok", run
    return {one["external_id"]: one for one in await inbox(service, source_id)}


async def test_a_back_dated_mention_comes_in_with_the_daily_look(
    service: Service, clock: FrozenClock
) -> None:
    """It stands at the very end of the list, below everything that polling looks at."""
    fake = FakeBluesky()
    for day in range(1, 20):
        view = said("a", str(day), when=f"2026-11-{day:02}T10:00:00.000Z", **names(US))
        fake.notifications.append(notification("mention", view))
    old = said("b", "old", when="2020-02-29T23:59:59.123Z", **names(US))
    async with serving(fake) as base:
        source_id = await connect(service, base, fake)
        before = await polled(service, source_id)
        fake.notifications.append(notification("mention", old))
        clock.move(timedelta(hours=26))
        after = await polled(service, source_id)
    assert old["uri"] not in before
    assert after[old["uri"]]["status"] == "unanswered"
    assert after[old["uri"]]["backlog"] is False


async def test_a_notification_that_vanishes_leaves_its_item_until_the_post_is_gone(
    service: Service, clock: FrozenClock
) -> None:
    """Muted, blocking and deactivated authors' notifications vanish like those of deleted posts."""
    fake = FakeBluesky()
    view = said("a", "1", **names(US))
    fake.notifications = [notification("mention", view)]
    fake.posts = {view["uri"]: view}
    fake.blocked = {view["uri"]}
    async with serving(fake) as base:
        source_id = await connect(service, base, fake)
        await polled(service, source_id)
        fake.notifications = []
        clock.move(timedelta(hours=2))
        blocked = await polled(service, source_id)
        fake.posts.clear()
        clock.move(timedelta(days=2))
        deleted = await polled(service, source_id)
    assert blocked[view["uri"]]["status"] == "unanswered"
    assert deleted[view["uri"]]["status"] == "removed"


async def test_an_edited_post_changes_its_item_and_makes_no_second_one(
    service: Service, clock: FrozenClock
) -> None:
    """PutRecord keeps the uri and changes the cid; the notification carries the new text."""
    fake = FakeBluesky()
    view = said("a", "1", text="first words", **names(US))
    fake.notifications = [notification("mention", view)]
    async with serving(fake) as base:
        source_id = await connect(service, base, fake)
        await polled(service, source_id)
        clock.move(timedelta(minutes=5))
        later = said("a", "1", text="other words", **names(US)) | {"cid": "cid-new"}
        fake.notifications = [notification("mention", later)]
        items = await polled(service, source_id)
    assert {one["text"] for one in items.values()} == {"other words"}
    whole = (await service.api.get(f"/api/v1/items/{items[view['uri']]['id']}")).json()
    assert whole["revisions"]


async def test_our_answer_to_one_leaves_the_others_below_the_same_post_waiting(
    service: Service,
) -> None:
    """A post of ours whose parent is the item, found in our own feed with one request."""
    fake = FakeBluesky()
    root = uri("brand", "root")
    ours = said("brand", "root", when="2026-11-23T10:00:00.000Z")
    asked = [said(name, "1", parent=root) for name in ("a", "b")]
    answer = said("brand", "re", when="2026-11-23T11:30:00.000Z", parent=uri("a", "1"), root=root)
    fake.notifications = [notification("reply", each) for each in asked]
    fake.feed = [{"post": ours | {"replyCount": 2}}, {"post": answer}]
    async with serving(fake) as base:
        source_id = await connect(service, base, fake)
        await service.poll(source_id)
        items = {one["external_id"]: one for one in await inbox(service, source_id)}
    assert {key: one["status"] for key, one in items.items()} == {
        uri("a", "1"): "replied",
        uri("b", "1"): "unanswered",
    }
    assert items[uri("a", "1")]["answer"]["evidence"] == "exact"


async def test_likes_are_no_answers_and_no_items(service: Service) -> None:
    """A like of ours acknowledges; theirs are counted."""
    fake = FakeBluesky()
    liked = said("a", "1", **names(US))
    liked["viewer"] = {"like": "at://did:plc:brand/app.bsky.feed.like/1"}
    told = notification("mention", liked) | {"viewer": liked["viewer"]}
    fake.notifications = [told, notification("like", said("b", "2"))]
    async with serving(fake) as base:
        source_id = await connect(service, base, fake)
        items = await polled(service, source_id)
    assert items.keys() == {liked["uri"]}
    assert items[liked["uri"]]["status"] == "unanswered"
    assert items[liked["uri"]]["acknowledged_at"] is not None


async def test_an_idle_poll_costs_two_requests(service: Service) -> None:
    """One for notifications, one for our own posts."""
    fake = FakeBluesky()
    view = said("a", "1", **names(US))
    older = said("a", "0", when="2026-11-23T09:00:00.000Z", **names(US))
    fake.notifications = [notification("mention", each) for each in (older, view)]
    fake.feed = [{"post": said("brand", "0", when="2026-11-23T09:00:00.000Z")}]
    fake.feed += [{"post": said("brand", "1")}]
    for each in fake.feed:
        fake.threads[each["post"]["uri"]] = {"post": each["post"], "replies": []}
    async with serving(fake) as base:
        source_id = await connect(service, base, fake)
        await polled(service, source_id)
        await polled(service, source_id)
        asked = await idle_requests(service, source_id, fake.requests)
    assert [method.rpartition(".")[2] for method in asked] == ["listNotifications", "getAuthorFeed"]
