"""Lists and counts that have not changed are not sent again; those that have, always are."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from app.clock import FrozenClock
from app.web.conditional import content_tag
from app.web.openapi import operations
from tests.service import NOON, running_service
from tests.world import Watched

LISTS = ("/items", "/counts", "/sources", "/coverage", "/users", "/tokens", "/platforms")


async def tag_of(watched: Watched, path: str) -> str:
    answered = await watched.api.get(f"/api/v1{path}")
    assert answered.status_code == 200
    assert answered.headers["Cache-Control"] == "private, no-cache"
    return answered.headers["ETag"]


async def unchanged(watched: Watched, path: str, tag: str) -> bool:
    answered = await watched.api.get(f"/api/v1{path}", headers={"If-None-Match": tag})
    assert answered.headers["ETag"].startswith('W/"')
    if answered.status_code == 304:
        assert answered.content == b""
        assert answered.headers["ETag"] == tag
        assert "content-type" not in answered.headers
    return answered.status_code == 304


@pytest.mark.parametrize("path", LISTS)
async def test_what_is_unchanged_is_304(watched: Watched, path: str) -> None:
    assert await unchanged(watched, path, await tag_of(watched, path))
    assert not await unchanged(watched, path, 'W/"other"')


async def test_age_alone_is_no_change(watched: Watched, clock: FrozenClock) -> None:
    items, counts = await tag_of(watched, "/items"), await tag_of(watched, "/counts")
    clock.move(timedelta(minutes=5))
    assert await unchanged(watched, "/items", items)
    assert await unchanged(watched, "/counts", counts)


async def test_whatever_changes_what_is_shown_changes_the_tag(
    watched: Watched, clock: FrozenClock
) -> None:
    """A person, a snooze that ends, a poll, an age bucket, a source that is not read."""
    await watched.act(1, "snooze", until="2026-11-23T12:10:00Z")
    items, counts = await tag_of(watched, "/items"), await tag_of(watched, "/counts")
    await watched.act(2, "dismiss", reason="duplicate")
    assert not await unchanged(watched, "/items", items)
    assert not await unchanged(watched, "/counts", counts)
    items, counts = await tag_of(watched, "/items"), await tag_of(watched, "/counts")
    clock.move(timedelta(minutes=11))
    assert not await unchanged(watched, "/items", items)
    assert not await unchanged(watched, "/counts", counts)
    items, counts = await tag_of(watched, "/items"), await tag_of(watched, "/counts")
    watched.world.insert("mentions", NOON, "One more")
    await watched.poll()
    assert not await unchanged(watched, "/items", items)
    assert not await unchanged(watched, "/counts", counts)
    items, counts = await tag_of(watched, "/items"), await tag_of(watched, "/counts")
    clock.move(timedelta(hours=5))
    assert not await unchanged(watched, "/counts", counts)
    paused = await watched.api.post(f"/api/v1/sources/{watched.source_id}/pause")
    assert paused.status_code == 200
    assert not await unchanged(watched, "/items", items)  # coverage says so


async def test_what_another_process_did_changes_the_tag(
    watched: Watched, database_url: str, tmp_path: Path, clock: FrozenClock
) -> None:
    tag = await tag_of(watched, "/items")
    item = await watched.item(1)
    async with running_service(database_url, tmp_path / "data", clock=clock, poll=False) as other:
        done = await other.api.post(f"/api/v1/items/{item['id']}/spam")
        assert done.status_code == 200
    assert not await unchanged(watched, "/items", tag)


async def test_a_list_narrowed_otherwise_has_another_tag(watched: Watched) -> None:
    tag = await tag_of(watched, "/items?limit=1")
    assert not await unchanged(watched, "/items?limit=2", tag)


def test_only_the_members_of_the_document_are_left_out() -> None:
    """A message that looks like one counts."""
    one = b'{"as_of":"a","text":"\\"age_seconds\\":1","age_seconds":1}'
    other = one.replace(b'\\":1"', b'\\":2"')
    later = one.replace(b'"as_of":"a"', b'"as_of":"b"').replace(
        b'"age_seconds":1}', b'"age_seconds":9}'
    )
    assert content_tag(one) != content_tag(other)
    assert content_tag(one) == content_tag(later)


async def test_every_list_says_so(watched: Watched) -> None:
    document = watched.service.app.openapi()
    lists = 0
    for place, operation in operations(document):
        method, _, path = place.partition(" ")
        json_list = "application/json" in operation["responses"].get("200", {}).get("content", {})
        if method != "GET" or not path.startswith("/api/") or path.endswith("}") or not json_list:
            continue
        if operation["security"] == []:  # who is signed in: no list
            continue
        names = [p["name"] for p in operation.get("parameters", ())]
        assert "If-None-Match" in names, place
        assert "304" in operation["responses"], place
        lists += 1
    assert lists > 10
