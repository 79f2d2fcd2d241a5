"""The feed: read on from a number, nothing missed, nothing shown to who may not see it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.clock import FrozenClock
from app.db import Database
from app.outbox.events import POLLER, Event
from app.outbox.models import event_counter
from app.outbox.repository import all_after, events_after, forget_through, may_see, span_of
from app.outbox.service import SCANNED_AT_MOST, Wanted, read_feed
from app.outbox.types import TYPES
from app.scope import EVERYTHING, Scope
from app.web.principal import Role
from tests.documents import event_types
from tests.inbox.test_api import problem
from tests.outbox.telling import tell_at_once
from tests.outbox.test_events import COUNT, about, check_followed, record_all
from tests.service import NOON, Service
from tests.world import Watched, as_role


class _Row:
    """What `check_followed` looks at, from the wire."""

    def __init__(self, shown: Any) -> None:
        self.seq, self.details = shown.seq, shown.details


async def test_following_by_pages_misses_nothing_of_many_writers(db: Database) -> None:
    writing = asyncio.ensure_future(tell_at_once(db, "here", COUNT))
    seen: list[Any] = []
    after, over = 0, False
    while not over:
        over = writing.done()
        page = await read_feed(db, EVERYTHING, Wanted(after=after, limit=7), await span_of(db))
        seen += page.items
        assert page.next_after >= after
        over = over and not page.more and page.next_after == after
        after = page.next_after
        await asyncio.sleep(0)
    await writing
    check_followed([_Row(one) for one in seen])  # type: ignore[misc]


async def events(service: Service, query: str = "") -> dict[str, Any]:
    answered = await service.api.get(f"/api/v1/events{query}")
    assert answered.status_code == 200, answered.text
    feed: dict[str, Any] = answered.json()
    return feed


async def test_a_tool_reads_on_with_what_it_was_given(service: Service) -> None:
    await record_all(service.db, *(about(1, n) for n in range(5)))
    first = await events(service, "?limit=3")
    assert [one["seq"] for one in first["items"]] == [1, 2, 3]
    assert (first["next_after"], first["more"], first["missed"]) == (3, True, False)
    second = await events(service, "?after=3")
    assert [one["seq"] for one in second["items"]] == [4, 5]
    assert (second["next_after"], second["more"]) == (5, False)
    assert await events(service, "?after=5") == {
        "items": [],
        "next_after": 5,
        "more": False,
        "missed": False,
    }


async def test_what_a_filter_leaves_out_is_not_read_again(service: Service) -> None:
    await record_all(
        service.db,
        Event("item.created", NOON, POLLER, source_id=1),
        Event("item.replied", NOON, POLLER, source_id=1),
        Event("item.created", NOON, POLLER, source_id=2),
    )
    assert (await events(service, "?types=item.spam"))["next_after"] == 3
    found = await events(service, "?types=item.created&types=item.replied&source_id=1")
    assert [one["seq"] for one in found["items"]] == [1, 2]
    problem(await service.api.get("/api/v1/events?types=item.creatd"), 422, "invalid-request")


async def test_the_newest_come_first_for_tools_that_read_one_page(service: Service) -> None:
    await record_all(service.db, *(about(1, n) for n in range(5)))
    found = await events(service, "?order=newest&limit=2")
    assert [one["seq"] for one in found["items"]] == [5, 4]
    assert found["next_after"] == 5
    assert len({one["id"] for one in found["items"]}) == 2


async def test_a_rare_type_is_looked_for_in_bounded_steps(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(update(event_counter).values(last=SCANNED_AT_MOST + 5))
    page = await read_feed(db, EVERYTHING, Wanted(types=("item.spam",)), await span_of(db))
    assert (page.next_after, page.more) == (SCANNED_AT_MOST, True)


async def test_nothing_new_is_304_and_something_new_is_not(service: Service) -> None:
    await record_all(service.db, about(1, 1))
    answered = await service.api.get("/api/v1/events?after=1")
    tag = {"If-None-Match": answered.headers["etag"]}
    again = await service.api.get("/api/v1/events?after=1", headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    other = await service.api.get("/api/v1/events?after=0", headers=tag)
    assert other.status_code == 200
    async with as_role(service, Role.VIEWER) as viewer:
        assert (await viewer.get("/api/v1/events?after=1", headers=tag)).status_code == 200
    await record_all(service.db, about(1, 2))
    moved = await service.api.get("/api/v1/events?after=1", headers=tag)
    assert [one["seq"] for one in moved.json()["items"]] == [2]


async def test_a_limited_token_hears_of_its_sources_only(service: Service) -> None:
    await record_all(
        service.db, about(1, 10), about(2, 20), about(1, 11, direct=True), about(None, None)
    )
    async with as_role(service, Role.VIEWER, source_ids=frozenset({1})) as viewer:
        found = (await viewer.get("/api/v1/events")).json()
        assert [one["seq"] for one in found["items"]] == [1]
        assert found["next_after"] == 4
        other = (await viewer.get("/api/v1/events?source_id=2")).json()
        assert other["items"] == []


async def test_who_comes_too_late_is_told_that_events_are_gone(service: Service) -> None:
    await record_all(service.db, *(about(1, n) for n in range(5)))
    async with service.db.write() as tx:
        assert await forget_through(tx, 3) == 3
    late = await events(service, "?after=1")
    assert late["missed"] is True
    assert [one["seq"] for one in late["items"]] == [4, 5]
    for good in ("", "?after=3", "?after=5"):
        assert (await events(service, good))["missed"] is False


async def test_a_number_that_was_never_given_is_refused(service: Service) -> None:
    await record_all(service.db, about(1, 1))
    refused = problem(await service.api.get("/api/v1/events?after=2"), 422, "invalid-request")
    assert refused["errors"][0]["pointer"] == "?after"
    assert "restored from a backup" in refused["detail"]


async def test_what_the_inbox_does_is_in_the_feed(watched: Watched, clock: FrozenClock) -> None:
    await watched.act(1, "mark-replied", note="by phone")
    found = (await watched.api.get("/api/v1/events?types=item.replied")).json()["items"]
    assert [one["details"]["note"] for one in found] == ["by phone"]
    item = await watched.item(1)
    history = await watched.events(1)
    assert found[0]["item_id"] == item["id"]
    assert found[0] in history
    clock.move(timedelta(hours=1))
    assert found[0]["id"] == history[-1]["id"], "an id never changes"


@pytest.mark.parametrize("sources", [None, frozenset({1})])
async def test_one_decision_for_rows_and_for_statements(
    db: Database, sources: frozenset[int] | None
) -> None:
    await record_all(
        db, about(1, 1), about(1, 2, direct=True), about(2, 3), about(2, 4, direct=True)
    )
    await record_all(db, about(None, None))
    for direct in (True, False):
        scope = Scope(sources, direct=direct)
        by_statement = [row.seq for row in await events_after(db, scope, 0, (), 99)]
        by_row = [row.seq for row in await all_after(db, 0, 99) if may_see(scope, row)]
        assert by_statement == by_row


def test_every_type_that_the_code_writes_is_known() -> None:
    assert list(TYPES) == event_types()
