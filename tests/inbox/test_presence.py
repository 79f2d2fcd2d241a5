"""Who is at an item: told live to who may see it, gone by itself, kept nowhere."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.clock import FrozenClock
from app.inbox.models import item
from app.inbox.presence.models import presence
from app.inbox.presence.service import LASTS, PLACES
from app.web.principal import Right, Role
from tests.inbox.stock import stock
from tests.inbox.test_api import problem
from tests.outbox.reading import Listening, listening, served
from tests.service import running_service
from tests.staff import as_person
from tests.world import Watched, as_role

WITH = "?presence=true"


@pytest.fixture
async def base(watched: Watched) -> AsyncIterator[str]:
    async with served(watched.service) as url:
        yield url


async def say(api: httpx.AsyncClient, item_id: int, state: str) -> list[tuple[str, str]]:
    answered = await api.post("/api/v1/presence", json={"item_id": item_id, "state": state})
    assert answered.status_code == 200, answered.text
    return people(answered.json())


def people(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["person"]["name"], each["state"]) for each in told["people"]]


async def heard(stream: Listening) -> tuple[int, list[tuple[str, str]]]:
    one = await stream.heard()
    assert one is not None
    assert one.type == "presence", one
    return one.data["item_id"], people(one.data)


async def places(watched: Watched, *numbers: int) -> list[int]:
    return [(await watched.item(number))["id"] for number in numbers]


async def rows(watched: Watched) -> int:
    return int((await watched.service.db.rows(select(func.count()).select_from(presence)))[0][0])


async def test_others_hear_at_once_who_looks_and_who_answers(watched: Watched, base: str) -> None:
    first, second = await places(watched, 1, 2)
    events = (await watched.api.get("/api/v1/events?order=newest&limit=1")).json()["next_after"]
    async with (
        as_person(watched.service, "ana") as ana,
        as_person(watched.service, "ben") as ben,
        listening(base, query=WITH) as stream,
    ):
        await stream.opened()
        assert await say(ana, first, "viewing") == [("ana", "viewing")]
        assert await heard(stream) == (first, [("ana", "viewing")])
        assert await say(ben, first, "viewing") == [("ana", "viewing"), ("ben", "viewing")]
        assert await heard(stream) == (first, [("ana", "viewing"), ("ben", "viewing")])
        await say(ben, first, "viewing")  # once more: nobody needs to know
        await say(ben, first, "drafting")
        assert await heard(stream) == (first, [("ana", "viewing"), ("ben", "drafting")])
        async with listening(base, query=WITH) as late:
            assert await heard(late) == (first, [("ana", "viewing"), ("ben", "drafting")])
        await say(ana, second, "viewing")
        assert await heard(stream) == (second, [("ana", "viewing")])
        assert await say(ana, second, "gone") == []
        assert await heard(stream) == (second, [])
        assert stream.last_id == str(events), "it is no event: nobody resumes after it"
        found = (await ana.get("/api/v1/presence")).json()
        assert [(each["item_id"], people(each)) for each in found["items"]] == [
            (first, [("ana", "viewing"), ("ben", "drafting")])
        ]
    newest = (await watched.api.get("/api/v1/events?order=newest&limit=1")).json()["next_after"]
    assert newest == events


async def test_who_says_nothing_more_is_gone(
    watched: Watched, base: str, clock: FrozenClock
) -> None:
    first, second = await places(watched, 1, 2)
    async with as_person(watched.service, "ana") as ana, listening(base, query=WITH) as stream:
        await stream.opened()
        await say(ana, first, "drafting")
        assert await heard(stream) == (first, [("ana", "drafting")])
        clock.move(LASTS - timedelta(seconds=1))
        await say(ana, first, "drafting")
        clock.move(timedelta(seconds=1))
        only = f"/api/v1/presence?item_id={first}"
        assert len((await ana.get(only)).json()["items"]) == 1, "the second word holds"
        clock.move(LASTS)
        assert await heard(stream) == (first, [])
        assert (await ana.get(only)).json()["items"] == []
        await say(ana, second, "viewing")
        assert await rows(watched) == 1, "what is over is deleted with the next word of anybody"


async def test_presence_is_seen_by_who_may_see_the_item(watched: Watched, base: str) -> None:
    public, direct = await places(watched, 1, 3)
    service = watched.service
    elsewhere = frozenset({watched.source_id + 1})
    async with (
        as_person(service, "ana") as ana,
        as_role(service, Role.VIEWER) as viewer,
        as_role(service, Role.VIEWER, Right.DIRECT) as trusted,
        as_role(service, Role.AGENT, source_ids=elsewhere) as stranger,
        listening(base, query=WITH, token=viewer.headers["authorization"][7:]) as stream,
        listening(base) as plain,
    ):
        await stream.opened()
        await plain.opened()
        await say(ana, direct, "viewing")
        await say(ana, public, "viewing")
        assert await heard(stream) == (public, [("ana", "viewing")])
        seen = {}
        for name, api in (("viewer", viewer), ("trusted", trusted), ("stranger", stranger)):
            found = (await api.get("/api/v1/presence")).json()["items"]
            seen[name] = {each["item_id"] for each in found}
        assert seen == {"viewer": {public}, "trusted": {public, direct}, "stranger": set()}
        body = {"item_id": public, "state": "viewing"}
        problem(await stranger.post("/api/v1/presence", json=body), 403, "not-allowed")
        problem(await viewer.post("/api/v1/presence", json=body), 403, "not-allowed")
        missing = await ana.post("/api/v1/presence", json={**body, "item_id": 10**9})
        problem(missing, 404, "not-found")
        for wrong in ({"state": "asleep"}, {"item_id": "7"}, {"more": 1}):
            answered = await ana.post("/api/v1/presence", json=body | wrong)
            problem(answered, 422, "invalid-request")
        await watched.act(1, "dismiss", reason="duplicate")
        told = await plain.heard()
        assert told is not None
        assert told.type == "item.dismissed", "who did not ask for presence is told none"


async def test_a_person_is_at_so_many_items_and_the_oldest_is_left(watched: Watched) -> None:
    await stock(watched.service.db, PLACES + 2)
    ids = [row.id for row in await watched.service.db.rows(select(item.c.id).order_by(item.c.id))]
    clock = watched.clock
    async with as_person(watched.service, "mira") as mira:
        for item_id in ids[: PLACES + 2]:
            clock.move(timedelta(seconds=1))
            await say(mira, item_id, "viewing")
        found = (await mira.get("/api/v1/presence")).json()["items"]
    assert [each["item_id"] for each in found] == ids[2 : PLACES + 2]


async def test_another_process_tells_it_too(
    watched: Watched, database_url: str, tmp_path: Path, clock: FrozenClock
) -> None:
    first = (await watched.item(1))["id"]
    shutil.copytree(tmp_path / "data", tmp_path / "other")  # the key that the database needs
    async with (
        running_service(database_url, tmp_path / "other", clock=clock, poll=False) as other,
        served(other) as base,
        as_person(watched.service, "ana") as ana,
        listening(base, query=WITH) as stream,
    ):
        await stream.opened()
        await say(ana, first, "drafting")
        assert await heard(stream) == (first, [("ana", "drafting")])
