"""Identity and rights are looked at again once a day, and what has changed is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.clock import FrozenClock
from tests.connecting.platform import offered
from tests.connectors.fake_oauth import FakeOAuth
from tests.service import Service
from tests.serving import serving

HOUR = timedelta(hours=1)
ME = {"page": "id-brand", "rights": ["read"]}


@dataclass(slots=True)
class Watching:
    service: Service
    server: FakeOAuth
    clock: FrozenClock
    base: str
    source_id: int = 0

    async def connect(self, **me: Any) -> None:
        self.say(**me)
        token = self.server.issue("ann")[2]["access_token"]
        body = {
            "platform": "pages",
            "name": "shop",
            "settings": {"api_url": self.base, "page": "brand"},
            "credential": {"access_token": token},
        }
        made = await self.service.api.post("/api/v1/sources", json=body)
        assert made.status_code == 201, made.text
        self.source_id = made.json()["id"]
        await self.poll()
        self.server.asked.clear()

    def say(self, **me: Any) -> None:
        self.server.answers["/me"] = (200, {}, {**ME, **me})

    async def poll(self) -> dict[str, Any]:
        return await self.service.poll(self.source_id)

    async def source(self) -> dict[str, Any]:
        found = await self.service.api.get(f"/api/v1/sources/{self.source_id}")
        source: dict[str, Any] = found.json()
        return source

    @property
    def looks(self) -> int:
        return len(self.server.to("/me"))

    async def told(self) -> list[str]:
        events = (await self.service.api.get("/api/v1/events")).json()["items"]
        return [
            f"{each['type']} {each['details']['code']}"
            for each in events
            if each["type"] in {"source.trouble", "source.recovered"}
        ]


@pytest.fixture
async def watching(service: Service, clock: FrozenClock) -> AsyncIterator[Watching]:
    server = FakeOAuth()
    async with serving(server) as base:
        with offered():
            yield Watching(service, server, clock, base)


async def test_a_source_is_looked_at_once_a_day(watching: Watching) -> None:
    await watching.connect()
    counts = []
    for _ in range(52):
        watching.clock.move(HOUR)
        await watching.poll()
        counts.append(watching.looks)
    assert counts[20] == 0
    assert counts[24] == 1
    assert counts[-1] == 2
    assert (await watching.source())["state"] == "ok"


async def test_what_is_noticed_is_refreshed(watching: Watching) -> None:
    await watching.connect()
    watching.say(warnings=["A filter hides some."])
    before = (await watching.source())["checked_at"]
    watching.clock.move(24 * HOUR)
    assert (await watching.poll())["outcome"] == "ok"
    source = await watching.source()
    assert source["warnings"] == ["A filter hides some."]
    assert source["checked_at"] > before
    assert await watching.told() == []


@pytest.mark.parametrize(
    ("me", "word"),
    [
        ({"page": "id-other"}, "reads brand"),
        ({"missing": ["manage"]}, "lost rights: manage"),
    ],
)
async def test_a_changed_account_or_a_lost_right_needs_a_person(
    watching: Watching, me: dict[str, Any], word: str
) -> None:
    await watching.connect()
    watching.say(**me)
    watching.clock.move(24 * HOUR)
    assert (await watching.poll())["outcome"] == "failed"
    source = await watching.source()
    assert (source["state"], source["error"]["code"]) == ("auth_failed", "auth_failed")
    assert word in source["error"]["detail"]
    assert source["next_poll_at"] is None, "polling stops; the cursor is kept"
    assert source["identity"]["id"] == "id-brand"
    coverage = (await watching.service.api.get("/api/v1/coverage")).json()
    assert coverage["complete"] is False
    assert len(watching.server.to("/comments")) == 0, "nothing is read as somebody else"
    await watching.poll()
    assert await watching.told() == ["source.trouble auth_failed"], "once"
    checked = await watching.service.api.post(f"/api/v1/sources/{watching.source_id}/check")
    assert checked.json()["ok"] is False
    watching.say()
    assert (await watching.poll())["outcome"] == "ok", "as soon as it is as it was"
    assert await watching.told() == ["source.trouble auth_failed", "source.recovered auth_failed"]


async def test_a_right_that_was_never_there_is_no_news(watching: Watching) -> None:
    await watching.connect(missing=["manage"])
    watching.clock.move(24 * HOUR)
    assert (await watching.poll())["outcome"] == "ok"
    assert (await watching.source())["state"] == "ok"


async def test_connected_but_blind_is_told(watching: Watching) -> None:
    await watching.connect()
    watching.say(blind=True)
    watching.clock.move(24 * HOUR)
    await watching.poll()
    source = await watching.source()
    assert (source["state"], source["error"]["code"]) == ("blind", "blind")
    assert await watching.told() == ["source.trouble blind"]
    coverage = (await watching.service.api.get("/api/v1/coverage")).json()
    assert coverage["streams"][0]["state"] == "blind"


async def test_a_look_that_fails_stops_no_reading_and_is_not_repeated_at_once(
    watching: Watching,
) -> None:
    await watching.connect()
    watching.clock.move(24 * HOUR)
    answers: tuple[Any, ...] = ((503, {}, ""), (200, {}, "<html>"), (200, {}, []))
    for answer in answers:
        watching.server.asked.clear()
        watching.server.answers["/me"] = answer
        for _ in range(3):
            assert (await watching.poll())["outcome"] == "ok"
        assert watching.looks == 1
        assert len(watching.server.to("/comments")) >= 3
        watching.clock.move(HOUR)
    watching.say()
    await watching.poll()
    assert (await watching.source())["state"] == "ok"


async def test_a_new_name_is_taken_over(watching: Watching) -> None:
    await watching.connect()
    watching.say(called="brand-new")
    watching.clock.move(24 * HOUR)
    await watching.poll()
    assert (await watching.source())["identity"]["handle"] == "brand-new"
    assert (await watching.poll())["outcome"] == "ok"
