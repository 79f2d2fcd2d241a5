"""What the Mastodon family does, seen through the inbox: nothing doubled, leaked or answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import FrozenClock
from app.web.principal import Role
from tests.connectors.fake_mastodon import US, FakeMastodon, account, mention, status
from tests.connectors.idling import idle_requests
from tests.real_input import inbox
from tests.service import Service, running_service
from tests.serving import serving
from tests.staff import as_person

Items = dict[str, dict[str, Any]]


@pytest.fixture
async def service(sqlite_url: str, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Service]:
    """On one kind of database: what is looked at here is made before anything is stored."""
    async with running_service(sqlite_url, tmp_path / "data", clock=clock) as started:
        yield started


def said(number: str, who: str = "7", **more: Any) -> dict[str, Any]:
    """A post of an hour before noon of the tests' day."""
    return status(number, who, created_at="2026-11-23T11:00:00.000Z", **more)


def told(number: str, inner: dict[str, Any], kind: str = "mention") -> dict[str, Any]:
    return {**mention(number, inner), "type": kind, "created_at": inner["created_at"]}


def answered(number: str, to: str, *, whose: str) -> dict[str, Any]:
    """An answer of ours, half an hour before noon."""
    return status(
        number,
        US,
        created_at="2026-11-23T11:30:00.000Z",
        in_reply_to_id=to,
        in_reply_to_account_id=whose,
        mentions=[],
    )


async def connect(service: Service, base: str) -> int:
    draft = {
        "platform": "mastodon",
        "name": "mastodon",
        "settings": {"instance": base},
        "credential": {"access_token": "token"},
    }
    made = await service.api.post("/api/v1/sources", json=draft)
    assert made.status_code == 201, made.text
    source_id: int = made.json()["id"]
    return source_id


async def polled(service: Service, source_id: int) -> Items:
    run = await service.poll(source_id)
    assert run["outcome"] == "ok", run
    return {one["external_id"]: one for one in await inbox(service, source_id)}


async def test_a_request_to_follow_is_held_and_needs_no_reply(service: Service) -> None:
    """New accounts are locked: a follow arrives as follow_request."""
    fake = FakeMastodon()
    one = {"id": "5", "created_at": "2026-11-23T11:00:00.000Z", "account": account("7")}
    fake.notifications = [
        {**one, "type": "follow_request"},
        {**one, "id": "6", "type": "follow", "account": account("8")},
    ]
    async with serving(fake) as base:
        items = await polled(service, await connect(service, base))
    seen = {k: (one["kind"], one["held"], one["needs_reply"]) for k, one in items.items()}
    assert seen == {"follow:5": ("follow", True, False), "follow:6": ("follow", False, False)}


async def test_an_edit_that_adds_a_mention_changes_the_item_and_makes_no_second_one(
    service: Service, clock: FrozenClock
) -> None:
    """GoToSocial notifies of it: a new notification about a post that we know from its thread."""
    fake = FakeMastodon()
    ours = said("1", US, mentions=[], replies_count=1)
    quiet = said("2", "7", in_reply_to_id="1", in_reply_to_account_id=US, mentions=[])
    fake.add(ours, quiet)
    fake.own = [ours]
    async with serving(fake) as base:
        source_id = await connect(service, base)
        before = await polled(service, source_id)
        clock.move(timedelta(minutes=10))
        louder = said("2", "7", in_reply_to_id="1", in_reply_to_account_id=US)
        louder |= {"content": "<p>@brand hello?</p>", "edited_at": "2026-11-23T12:05:00.000Z"}
        fake.add(louder)
        fake.notifications = [told("900", louder)]
        after = await polled(service, source_id)
    assert before["2"]["edited_at"] is None
    assert after.keys() == before.keys() == {"2"}
    assert (after["2"]["text"], after["2"]["status"]) == ("@brand hello?", "unanswered")
    assert after["2"]["edited_at"] == "2026-11-23T12:05:00.000Z"
    assert after["2"]["occurred_at"] == "2026-11-23T11:00:00.000Z"


async def test_a_direct_message_is_shown_to_those_only_who_may_see_it(service: Service) -> None:
    """A notification of type mention may be about a private or direct post."""
    fake = FakeMastodon()
    for number, visibility in enumerate(("public", "private", "direct", "limited"), 1):
        inner = said(str(number), visibility=visibility)
        fake.add(inner)
        fake.notifications.append(told(str(100 + number), inner))
    async with serving(fake) as base:
        items = await polled(service, await connect(service, base))
    async with as_person(service, "wanda", Role.VIEWER) as viewer:
        listed = (await viewer.get("/api/v1/items")).json()["items"]
        hidden = await viewer.get(f"/api/v1/items/{items['3']['id']}")
    assert {one["external_id"]: one["visibility"] for one in items.values()} == {
        "1": "public",
        "2": "followers",
        "3": "direct",
        "4": "direct",
    }
    assert {one["external_id"] for one in listed} == {"1", "2"}
    assert hidden.status_code == 404


async def test_our_answer_to_one_leaves_the_others_below_the_same_post_waiting(
    service: Service,
) -> None:
    """A descendant by us whose in_reply_to_id is the item; one further down answers another."""
    fake = FakeMastodon()
    ours = said("1", US, mentions=[], replies_count=4)
    below = {"in_reply_to_id": "1", "in_reply_to_account_id": US, "mentions": []}
    fake.add(ours, said("2", "7", **below), said("3", "8", **below))
    fake.add(said("4", "9", in_reply_to_id="3", in_reply_to_account_id="8", mentions=[]))
    fake.add(answered("5", "2", whose="7"), answered("6", "4", whose="9"))
    fake.own = [ours]
    async with serving(fake) as base:
        items = await polled(service, await connect(service, base))
    assert {key: one["status"] for key, one in items.items()} == {
        "2": "replied",
        "3": "unanswered",
        "4": "replied",
    }
    assert items["2"]["answer"]["evidence"] == "exact"
    assert items["2"]["answer"]["answered_at"] == "2026-11-23T11:30:00.000Z"


async def test_a_favourite_of_ours_is_no_answer(service: Service) -> None:
    """`favourited`: seen, and still waiting."""
    fake = FakeMastodon()
    inner = said("1", favourited=True)
    fake.add(inner)
    fake.notifications = [told("100", inner)]
    async with serving(fake) as base:
        items = await polled(service, await connect(service, base))
    assert items["1"]["status"] == "unanswered"
    assert items["1"]["acknowledged_at"] is not None


async def test_our_own_mention_of_ourselves_is_no_item(service: Service) -> None:
    """GoToSocial notifies the brand of it; Mastodon does not."""
    fake = FakeMastodon()
    inner = said("1", US)
    fake.add(inner)
    fake.notifications = [told("100", inner)]
    async with serving(fake) as base:
        items = await polled(service, await connect(service, base))
    assert items == {}


async def test_a_notification_that_vanishes_leaves_its_item_until_the_post_is_gone(
    service: Service, clock: FrozenClock
) -> None:
    """A deleted post leaves the list without a word, and so does one of somebody we mute."""
    fake = FakeMastodon()
    inner = said("1")
    fake.add(inner)
    fake.notifications = [told("100", inner)]
    async with serving(fake) as base:
        source_id = await connect(service, base)
        await polled(service, source_id)
        fake.notifications = []
        clock.move(timedelta(hours=2))
        muted = await polled(service, source_id)
        del fake.statuses["1"]
        clock.move(timedelta(days=2))
        deleted = await polled(service, source_id)
    assert muted["1"]["status"] == "unanswered"
    assert deleted["1"]["status"] == "removed"


async def test_an_idle_poll_costs_two_requests(service: Service) -> None:
    """One for notifications, one for our own posts; threads are read when something changed."""
    fake = FakeMastodon()
    ours, inner = said("1", US, mentions=[]), said("2")
    older = {**said("0", US, mentions=[]), "created_at": "2026-11-23T09:00:00.000Z"}
    fake.add(older, ours, inner)
    fake.own, fake.notifications = [older, ours], [told("100", inner)]
    async with serving(fake) as base:
        source_id = await connect(service, base)
        await polled(service, source_id)
        await polled(service, source_id)
        asked = await idle_requests(service, source_id, fake.requests)
    assert asked == ["/api/v1/notifications", f"/api/v1/accounts/{US}/statuses"]
