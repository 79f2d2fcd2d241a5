"""What platforms do that could lose, double or falsely answer something, seen through the inbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.clock import FrozenClock
from tests.connectors import fake_bluesky as bsky
from tests.connectors import fake_mastodon as masto
from tests.connectors.playing import Player, load
from tests.connectors.reading_mastodon import burst
from tests.real_input import answer, inbox
from tests.service import NOON, Service
from tests.serving import serving

Items = dict[str, dict[str, Any]]
API = "/wp-json/wp/v2"
WHOLE_LIST = {"x-wp-totalpages": "1"}


async def connect(
    service: Service, platform: str, settings: Mapping[str, Any], credential: Mapping[str, str]
) -> int:
    draft = {
        "platform": platform,
        "name": platform,
        "settings": dict(settings),
        "credential": dict(credential),
        "backfill": "P90D",
    }
    made = await service.api.post("/api/v1/sources", json=draft)
    assert made.status_code == 201, made.text
    source_id: int = made.json()["id"]
    return source_id


async def polled(service: Service, source_id: int) -> Items:
    run = await service.poll(source_id)
    assert run["outcome"] == "ok", run
    return {one["external_id"]: one for one in await inbox(service, source_id)}


def comment(number: int, name: str, text: str, **more: Any) -> dict[str, Any]:
    """A comment of WordPress by a guest who left no address."""
    return {
        "id": number,
        "post": 1,
        "parent": 0,
        "author": 0,
        "author_name": name,
        "author_url": "",
        "date_gmt": f"2026-11-22T10:{number:02}:00",
        "content": {"rendered": f"<p>{text}</p>"},
        "status": "approved",
        "type": "comment",
        **more,
    }


def blog(comments: Sequence[dict[str, Any]]) -> AbstractAsyncContextManager[str]:
    """A site with these comments, newest first, whose owner is user 3."""
    listed = answer(f"{API}/comments", list(comments))
    listed["response"]["headers"] = {**WHOLE_LIST, "x-wp-total": str(len(comments))}
    me = {"id": 3, "slug": "owner", "name": "Owner", "capabilities": {"moderate_comments": True}}
    nothing = answer(f"{API}/comments", [], status="spam")
    trashed = answer(f"{API}/comments", [], status="trash")
    for empty in (nothing, trashed):
        empty["response"]["headers"] = {"x-wp-totalpages": "0", "x-wp-total": "0"}
    return serving(Player([answer(f"{API}/users/me", me), nothing, trashed, listed]))


async def test_an_answer_to_one_guest_is_none_to_another_of_the_same_name(service: Service) -> None:
    ours = comment(13, "Owner", "Yes, in May.", author=3, parent=12)
    second, first = comment(12, "Anna", "When is it?"), comment(11, "Anna", "What does it cost?")
    async with blog([ours, second, first]) as site:
        credential = {"username": "owner", "application_password": "abcd efgh"}
        source_id = await connect(service, "wordpress", {"site": site}, credential)
        items = await polled(service, source_id)
    assert {key: one["status"] for key, one in items.items()} == {
        "11": "unanswered",
        "12": "replied",
    }


async def connect_to_mastodon(service: Service, base: str) -> int:
    return await connect(service, "mastodon", {"instance": base}, {"access_token": "token"})


async def test_a_first_run_down_a_long_list_of_notifications_brings_them_all(
    service: Service,
) -> None:
    fake = masto.FakeMastodon()
    fake.largest_page = 4
    burst(fake, 100)
    async with serving(fake) as base:
        source_id = await connect_to_mastodon(service, base)
        items = await polled(service, source_id)
    assert items.keys() == {str(1000 + number) for number in range(1, 101)}


async def test_a_post_that_another_server_delivers_days_late_keeps_its_time(
    service: Service, clock: FrozenClock
) -> None:
    fake = masto.FakeMastodon()
    burst(fake, 1)
    async with serving(fake) as base:
        source_id = await connect_to_mastodon(service, base)
        await polled(service, source_id)
        clock.move(timedelta(minutes=10))
        late = masto.status("900", "8", created_at="2026-11-19T08:00:00.000Z")
        fake.notifications.append(
            {**masto.mention("2", late), "created_at": "2026-11-23T12:05:00.000Z"}
        )
        items = await polled(service, source_id)
    assert items["900"]["occurred_at"] == "2026-11-19T08:00:00.000Z"
    assert items["900"]["time_suspect"] is False
    assert items["900"]["backlog"] is False


def key_of(at: datetime) -> str:
    """The key of a record written then (https://atproto.com/specs/tid)."""
    number, digits = int(at.timestamp() * 1_000_000) << 10, ""
    for _ in range(13):
        number, digit = divmod(number, 32)
        digits = "234567abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


@pytest.mark.parametrize("claimed", ["2020-02-29T23:59:59.123Z", "2027-11-23T12:00:00.000Z"])
async def test_a_time_that_an_author_of_bluesky_made_up_is_flagged(
    service: Service, claimed: str
) -> None:
    """The list of notifications tells its sort time as `indexedAt`: a claim in the past looks
    confirmed there. The key of the record tells when it was written.
    """
    fake = bsky.FakeBluesky()
    made_up = bsky.post(
        "a", key_of(NOON - timedelta(hours=1)), createdAt=claimed, **bsky.names(bsky.US)
    )
    made_up["indexedAt"] = min(claimed, "2026-11-23T11:00:00.100Z")
    honest = bsky.post("b", key_of(NOON - timedelta(hours=2)), **bsky.names(bsky.US))
    honest["record"]["createdAt"] = honest["indexedAt"] = "2026-11-23T10:00:00.000Z"
    fake.notifications = [bsky.notification("mention", one) for one in (made_up, honest)]
    async with serving(fake) as base:
        settings = {"service": base, "handle": "brand.test"}
        source_id = await connect(service, "bluesky", settings, {"app_password": fake.password})
        items = await polled(service, source_id)
    assert items[made_up["uri"]]["time_suspect"] is True
    assert items[made_up["uri"]]["occurred_at"].startswith("2026-11-23T11:00:00")
    assert items[honest["uri"]]["time_suspect"] is False
    assert items[honest["uri"]]["occurred_at"] == "2026-11-23T10:00:00.000Z"


def recorded(platform: str) -> AbstractAsyncContextManager[str]:
    """A platform that answers as it is recorded."""
    return serving(Player(load(platform)["exchanges"]))


async def test_an_answer_on_x_is_seen_in_our_own_posts(service: Service) -> None:
    async with recorded("x") as base:
        credential = {"access_token": "token"}
        source_id = await connect(service, "x", {"api_url": base}, credential)
        items = await polled(service, source_id)
        shown = (await service.api.get(f"/api/v1/sources/{source_id}")).json()
    assert {key: one["status"] for key, one in items.items()} == {
        "2105598595691446273": "replied",
        "2105628794680246273": "unanswered",
        "2105636344427446277": "unanswered",
        "2105643894174646273": "unanswered",
        "2105651443921846273": "unanswered",
        "2105206008837046274": "unanswered",
    }
    answer = items["2105598595691446273"]["answer"]
    assert (answer["evidence"], answer["answered_at"]) == ("exact", "2026-10-01T11:00:00.000Z")
    assert shown["quota"]["unit"] == "USD"
    assert shown["quota"]["limit"] == 25
    assert 0.05 < shown["quota"]["spent"] < 0.2


async def test_x_is_asked_for_nothing_once_the_budget_is_spent(service: Service) -> None:
    player = Player(load("x")["exchanges"])
    async with serving(player) as base:
        credential = {"access_token": "token"}
        source_id = await connect(service, "x", {"api_url": base}, credential)
        await polled(service, source_id)
        changed = await service.api.patch(f"/api/v1/sources/{source_id}", json={"budget": 0.01})
        assert changed.json()["quota"]["left"] == 0
        asked = len(player.requests)
        run = await service.poll(source_id)
        assert run["error"]["code"] == "budget"
        assert len(player.requests) == asked
        counts = (await service.api.get("/api/v1/counts")).json()
    assert counts["coverage"]["complete"] is False


async def test_a_flat_thread_on_youtube_is_told_apart_by_handles(service: Service) -> None:
    """Every reply hangs on the first comment: one that begins with `@chizu` answers nobody else."""
    async with recorded("youtube") as base:
        credential = {"access_token": "token", "refresh_token": "more"}
        source_id = await connect(service, "youtube", {"api_url": base}, credential)
        items = await polled(service, source_id)
    asked_first, asked_too = items["UgwAAA0001AaABAg"], items["UgwAAA0001AaABAg.r2"]
    assert (asked_first["status"], asked_too["status"]) == ("replied", "unanswered")
    other = items["UgwBBB0002AaABAg"]
    assert other["status"] == "unanswered", "we answered somebody else in that thread"
    assert items["UgwBBB0002AaABAg.r1"]["status"] == "replied"
    assert items["UgwBBB0002AaABAg.r7"]["status"] == "unanswered", (
        "nobody has answered the last one"
    )
    assert items["UgwHHH0005AaABAg"]["held"] is True
    assert items["UgwSSS0006AaABAg"]["status"] == "spam"
    assert items["follow:sub0001"]["needs_reply"] is False


async def test_answers_on_reddit_are_seen_in_comments_and_in_private_messages(
    service: Service,
) -> None:
    async with recorded("reddit") as base:
        recording = load("reddit")
        settings = {**recording["settings"], "api_url": base}
        source_id = await connect(service, "reddit", settings, recording["credential"])
        items = await polled(service, source_id)
    assert {key: one["status"] for key, one in items.items()} == {
        "t1_que001": "replied",
        "t4_let001": "replied",
        "t1_spm001": "spam",
        **dict.fromkeys(
            ("t1_men001", "t1_rep001", "t1_col001", "t1_hid001", "t1_dee001", "t1_cmt900"),
            "unanswered",
        ),
        **dict.fromkeys(("t1_rpt001", "t3_que900", "t3_hel001", "t3_sea001"), "unanswered"),
    }
    assert items["t1_que001"]["answer"]["evidence"] == "exact"
    assert items["t4_let001"]["answer"]["evidence"] == "exact"
    assert items["t1_rep001"]["kind"] == "reply", "whichever list has shown it first"
    assert items["t3_hel001"]["held"] is True
    direct = [key for key, one in items.items() if one["visibility"] == "direct"]
    assert direct == ["t4_let001"]


@pytest.mark.parametrize("api", ["lemmy", "lemmy_v3"])
async def test_answers_on_lemmy_are_seen_in_comments_and_in_private_messages(
    service: Service, api: str
) -> None:
    async with recorded(api) as base:
        recording = load(api)
        settings = {**recording["settings"], "api_url": base}
        source_id = await connect(service, "lemmy", settings, recording["credential"])
        items = await polled(service, source_id)
    named = {"post:600095"} if api == "lemmy" else set()  # 0.19 tells of no posts that name us
    answered = ("comment:500024", "private_message:700040")
    waiting = (
        "comment:500026",
        "comment:500027",
        "comment:500029",
        "comment:500091",
        "post:600090",
        *named,
    )
    assert {key: one["status"] for key, one in items.items()} == {
        **dict.fromkeys(answered, "replied"),
        **dict.fromkeys(waiting, "unanswered"),
    }
    assert [items[key]["answer"]["evidence"] for key in answered] == ["exact", "mention"]
    assert items["comment:500026"]["kind"] == "reply", "whichever list has shown it first"
    assert [key for key, one in items.items() if one["visibility"] == "direct"] == [
        "private_message:700040"
    ]


async def test_a_community_on_lemmy_is_read_without_an_account(service: Service) -> None:
    async with recorded("lemmy") as base:
        settings = {**load("lemmy")["settings"], "api_url": base}
        draft = {"platform": "lemmy", "name": "community", "settings": settings}
        draft |= {"backfill": "P90D", "also_us": ["acme@lemmy.example"]}
        made = await service.api.post("/api/v1/sources", json=draft)
        assert made.status_code == 201, made.text
        items = await polled(service, made.json()["id"])
    assert items.keys() == {"comment:500027", "comment:500091", "post:600090"}
