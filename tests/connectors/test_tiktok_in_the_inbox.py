"""TikTok's comments, seen through the inbox: nothing doubled, lost or falsely answered."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.clock import FrozenClock
from tests.connectors.playing import Player, filled, load
from tests.real_input import inbox
from tests.service import Service, running_service
from tests.serving import serving

Items = dict[str, dict[str, Any]]
V1 = "7561234567890123451"
COMMENTS = "/open_api/v1.3/business/comment/list/"
VIDEOS = "/open_api/v1.3/business/video/list/"


@pytest.fixture
async def service(sqlite_url: str, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Service]:
    """On one kind of database: what is looked at here is made before anything is stored."""
    async with running_service(sqlite_url, tmp_path / "data", clock=clock) as started:
        yield started


@pytest.fixture
def player() -> Player:
    return Player(copy.deepcopy(load("tiktok")["exchanges"]))


async def connect(service: Service, base: str) -> int:
    recording = filled(load("tiktok"), base)
    draft = {
        "platform": "tiktok",
        "name": "tiktok",
        "settings": recording["settings"],
        "credential": recording["credential"],
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


async def poll_what_is_due(service: Service) -> None:
    """One tick, and the polls it begins: nothing is read that nobody would read by itself."""
    runner = service.app.state.runner
    await runner.tick()
    while runner._polls:
        await asyncio.wait(set(runner._polls))


def answer_of(player: Player, path: str, **query: str | None) -> dict[str, Any]:
    """The recorded answer to a request, to be changed."""
    found = player.find("GET", path, {k: [v] for k, v in query.items() if v is not None})
    data: dict[str, Any] = found["body"]["data"]
    return data


async def test_one_answer_to_one_person_leaves_the_others_waiting(
    service: Service, player: Player
) -> None:
    """All answers hang on the comment on top; the name that ours begins with says whose it is."""
    async with serving(player) as base:
        items = await polled(service, await connect(service, base))
    status = {key.rpartition("_")[2]: one["status"] for key, one in items.items()}
    assert status == {
        "7561234600000000001": "replied",
        "7561234600000000002": "unanswered",  # ours below it names another
        "7561234600000000021": "unanswered",
        "7561234600000000022": "replied",  # whom ours names
        "7561234600000000024": "unanswered",
        "7561234600000000003": "unanswered",
        "mention:7560000000000000101": "unanswered",
    }
    assert items[f"{V1}_7561234600000000003"]["held"] is True


async def test_an_answer_that_tiktok_hides_gives_its_question_back(
    service: Service, player: Player, clock: FrozenClock
) -> None:
    async with serving(player) as base:
        source_id = await connect(service, base)
        asked = f"{V1}_7561234600000000001"
        assert (await polled(service, source_id))[asked]["status"] == "replied"
        rows = answer_of(player, COMMENTS, video_id=V1)["comments"]
        [ours] = next(row for row in rows if row["replies"] == 1)["reply_list"]
        ours["status"] = "HIDDEN"
        clock.move(timedelta(days=1))
        assert (await polled(service, source_id))[asked]["status"] == "unanswered"
        ours["status"] = "PUBLIC"
        clock.move(timedelta(days=1))
        assert (await polled(service, source_id))[asked]["status"] == "replied"


async def test_a_young_video_is_read_although_its_counter_stands_still(
    service: Service, player: Player, clock: FrozenClock
) -> None:
    """TikTok's counters are one to two days late."""
    listed = answer_of(player, VIDEOS, business_id="_000AcmeNotesBusiness01")["videos"][0]
    listed["create_time"] = str(int((clock.now() - timedelta(hours=1)).timestamp()))
    async with serving(player) as base:
        source_id = await connect(service, base)
        await polled(service, source_id)
        late = answer_of(player, COMMENTS, video_id=V1, cursor="30")["comments"]
        written = str(int(clock.now().timestamp()))
        late.append({**late[0], "comment_id": "77", "create_time": written, "status": "PUBLIC"})
        clock.move(timedelta(minutes=20))
        await poll_what_is_due(service)
        assert f"{V1}_77" in {one["external_id"] for one in await inbox(service, source_id)}


async def test_repeated_comments_are_stored_once(service: Service, player: Player) -> None:
    """Beyond the first 500 TikTok repeats what it has shown."""
    late = answer_of(player, COMMENTS, video_id=V1, cursor="30")["comments"]
    late += [late[0], answer_of(player, COMMENTS, video_id=V1)["comments"][0], late[0]]
    async with serving(player) as base:
        source_id = await connect(service, base)
        await polled(service, source_id)
        ids = [one["external_id"] for one in await inbox(service, source_id)]
    assert len(ids) == len(set(ids)) == 7
