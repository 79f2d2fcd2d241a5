"""The demo after a night: its token has expired, and what people dealt with is still there."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.clock import FrozenClock, SystemClock
from app.demo.model import Message
from app.demo.story import Story
from app.demonstration import ACCOUNTS
from app.schema import migrate
from app.team.repository import find_installed
from tests.e2e.house import House, until
from tests.service import running_service

AGO = timedelta(hours=10, minutes=1)
"""A whole number of periods of every trouble, so that only the token is one now."""


async def first_start(house: House, began: datetime) -> tuple[Story, list[str]]:
    """A start at that time: both sources are read, and a person answers one message that the
    platform will have deleted by now. Returns the story, and the ids of all messages that would
    be deleted by now, the answered one first.
    """
    house.data.mkdir(mode=0o700)
    url = f"sqlite:///{house.database}"
    migrate(url)
    clock = FrozenClock(began)
    async with running_service(url, house.data, clock=clock, demo=None) as service:
        kept = await find_installed(service.db, "demo")
        assert kept is not None
        story = Story(kept["seed"], datetime.fromisoformat(kept["started_at"]))
        ids = {
            source["name"]: source["id"]
            for source in (await service.api.get("/api/v1/sources")).json()["items"]
        }
        for source_id in ids.values():
            assert (await service.poll(source_id))["outcome"] == "ok"
        doomed = doomed_in(story)
        for message in doomed:
            clock.move(message.created_at + timedelta(seconds=60) - clock.now())
            await service.poll(ids["demo"])
            for item in await service.items(source_id=ids["demo"]):
                if item["external_id"] == str(message.id):
                    done = await service.api.post(f"/api/v1/items/{item['id']}/mark-replied")
                    assert done.status_code == 200, done.text
                    others = [str(m.id) for m in doomed if m != message]
                    return story, [str(message.id), *others]
    raise AssertionError("the story deletes nothing that waits")


def doomed_in(story: Story) -> list[Message]:
    """What is written after the first ten minutes and deleted by now, in the order of time."""
    now = SystemClock().now()
    found = [
        message
        for feed in ("mentions", "comments")
        for message in story.forward(
            feed, story.mark_before(feed, story.started_at + timedelta(minutes=10)), now
        )
        if message.deleted_at is not None and message.deleted_at < now
    ]
    return sorted(found, key=lambda message: message.created_at)


def is_there(link: str) -> bool:
    try:
        with urllib.request.urlopen(link, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        if error.code not in {404, 410}:
            raise
        return False


async def test_the_demo_after_a_night(tmp_path: Path) -> None:
    house = House(tmp_path)
    began = SystemClock().now() - AGO
    story, (dealt_with, *left) = await first_start(house, began)
    with house.serve():
        until(lambda: stream_states(house, "demo-support") == {"auth_failed"}, "auth_failed")
        assert "auth_failed" not in stream_states(house, "demo")
        refused = house.cli("sources", "check", "demo-support")
        assert refused.code == 1
        found = re.search(r"Reconnect with: (demo-2-\w+)", refused.out + refused.err)
        assert found is not None, refused
        token = found[1]
        assert token == story.token(ACCOUNTS["demo-support"], SystemClock().now()).text
        assert "known" in house.cli("counts").out
        cured = house.cli(
            "sources", "reconnect", "demo-support", "--credential-file", "-", stdin=f"token={token}"
        )
        assert cured.code == 0, cured.err
        until(lambda: stream_states(house, "demo-support") == {"ok"}, "both streams are read")
        texts = {key for key, item in house.everything().items() if is_of_the_night(item, began)}
        assert {key.partition("/")[0] for key in texts} == {"demo", "demo-support"}
        assert len(texts) > 50
        base = house.sources()["demo"]["settings"]["api_url"]
        assert is_there(f"{base}/items/{dealt_with}")
        assert left
        assert not any(is_there(f"{base}/items/{message}") for message in left)


def stream_states(house: House, name: str) -> set[str]:
    shown = house.get(f"/sources/{house.sources()[name]['id']}")
    return {stream["state"] for stream in shown["streams"]}


def is_of_the_night(item: dict[str, Any], began: datetime) -> bool:
    at = datetime.fromisoformat(item["occurred_at"])
    return began + timedelta(minutes=8) < at < SystemClock().now() - timedelta(minutes=5)
