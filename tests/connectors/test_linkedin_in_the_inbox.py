"""What LinkedIn tells by events, seen through the inbox: answers, deletions, texts kept in time."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import FrozenClock
from tests.connectors.playing import Player, filled, load
from tests.real_input import inbox, stored
from tests.service import Service, running_service
from tests.serving import serving

Items = dict[str, dict[str, Any]]
POST = "urn:li:activity:9001"
ANNA, BOB, LATE = (f"urn:li:comment:({POST},{number})" for number in (101, 103, 104))
HAPPENED = "/rest/organizationalEntityNotifications"


@pytest.fixture
async def service(sqlite_url: str, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Service]:
    """On one kind of database: what is looked at here is made before anything is stored."""
    async with running_service(sqlite_url, tmp_path / "data", clock=clock) as started:
        yield started


def player() -> Player:
    return Player(copy.deepcopy(load("linkedin")["exchanges"]))


def answers(played: Player, path: str, *, first: bool = True) -> dict[str, Any]:
    """The answer to the first, or the last, exchange of a path."""
    found = [each for each in played.exchanges if each["request"]["path"] == path]
    body: dict[str, Any] = found[0 if first else -1]["response"]["body"]
    return body


async def connect(service: Service, base: str) -> int:
    recording = load("linkedin")
    draft = {
        "platform": "linkedin",
        "name": "page",
        "settings": filled(recording["settings"], base),
        "credential": recording["credential"],
        "backfill": "P60D",
    }
    made = await service.api.post("/api/v1/sources", json=draft)
    assert made.status_code == 201, made.text
    source_id: int = made.json()["id"]
    return source_id


async def polled(service: Service, source_id: int) -> Items:
    run = await service.poll(source_id)
    assert run["outcome"] == "ok", run
    return {one["external_id"]: one for one in await inbox(service, source_id)}


async def test_our_answers_are_seen_below_our_posts_and_those_of_others(service: Service) -> None:
    async with serving(player()) as base:
        source_id = await connect(service, base)
        items = await polled(service, source_id)
        kept = await stored(service, source_id)
    assert {key: (one["answer"] or {"evidence": ""})["evidence"] for key, one in items.items()} == {
        ANNA: "exact",
        BOB: "",
        "urn:li:share:8101": "exact",
        "urn:li:share:8102": "",
        "urn:li:comment:(urn:li:activity:9202,301)": "",
    }
    assert items["urn:li:share:8102"]["needs_reply"] is False
    assert kept.ours == {
        f"urn:li:comment:({POST},102)",
        "urn:li:comment:(urn:li:activity:9101,201)",
        "urn:li:share:5001",
        "urn:li:ugcPost:5002",
    }


async def test_polling_again_changes_nothing(service: Service) -> None:
    async with serving(player()) as base:
        source_id = await connect(service, base)
        await polled(service, source_id)
        again = await service.poll(source_id)
    assert (again["outcome"], again["new"], again["updated"]) == ("ok", 0, 0), again


def rows_of(played: Player) -> Iterator[dict[str, Any]]:
    """Every comment in any list."""
    for exchange in played.exchanges:
        for row in exchange["response"]["body"].get("elements", ()):
            if "commentUrn" in row:
                yield row


class Batching(Player):
    """Answers for any comments that are asked for by their numbers."""

    def find(self, method: str, path: str, query: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
        if "ids" not in query:
            return super().find(method, path, query)
        wanted = query["ids"][0].removeprefix("List(").removesuffix(")").split(",")
        rows = {row["id"]: row for row in rows_of(self) if row["id"] in wanted}
        return {"status": 200, "body": {"results": rows, "statuses": {}, "errors": {}}}


async def test_a_deletion_that_is_told_removes_the_comment(
    service: Service, clock: FrozenClock
) -> None:
    played = player()
    events = answers(played, HAPPENED, first=False)["elements"]
    deletion = events[-1]
    assert deletion["action"] == "COMMENT_DELETE"
    told = deletion["generatedActivity"]
    deletion["generatedActivity"] = told.replace("104", "105")  # another one, for now
    bobs = next(row for row in rows_of(played) if row["commentUrn"] == BOB)
    bobs["commentsSummary"]["totalFirstLevelComments"] = 1
    late = {**bobs, "id": "104", "commentUrn": LATE, "$URN": LATE, "parentComment": BOB}
    below = answers(played, f"/rest/socialActions/{BOB}/comments")["elements"]
    below.append(late)
    async with serving(played) as base:
        source_id = await connect(service, base)
        assert (await polled(service, source_id))[LATE]["status"] == "unanswered"
        below.clear()
        deletion["generatedActivity"] = told
        clock.move(timedelta(minutes=30))
        item = (await polled(service, source_id))[LATE]
    assert item["status"] == "removed"


async def test_comments_are_read_again_before_their_48_hours_are_over(
    service: Service, clock: FrozenClock
) -> None:
    """Else LinkedIn wants them forgotten: those below one post cost one request."""
    played = Batching(copy.deepcopy(load("linkedin")["exchanges"]))
    async with serving(played) as base:
        source_id = await connect(service, base)
        await polled(service, source_id)
        before = len(played.requests)
        for _ in range(3):
            clock.move(timedelta(hours=44))
            items = await polled(service, source_id)
    asked = [query["ids"][0] for _, _, query, _ in played.requests[before:] if "ids" in query]
    assert {"List(101,103)", "List(103,101)"} & set(asked)
    assert items[BOB]["text"] == "Acme Tea, do you ship to Portugal?"
