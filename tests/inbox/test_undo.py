"""Undoing: exactly what was before, only where nothing has happened since, and back again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import stamp
from app.inbox.models import author, item
from app.web.principal import Role
from tests.inbox.doing import all_lasting, bulk, ids_of, lasting, undo
from tests.inbox.test_api import problem
from tests.service import NOON
from tests.staff import as_person
from tests.world import HOUR, Watched, as_role

UNTIL = stamp(NOON + timedelta(days=2))
KINDS: list[tuple[str, dict[str, Any]]] = [
    ("mark_replied", {"reply_url": "https://there.example/1", "note": "By phone."}),
    ("dismiss", {"reason": "other", "note": "A joke."}),
    ("spam", {}),
    ("spam", {"mute_author": True}),
    ("snooze", {"until": UNTIL}),
    ("label", {"labels": ["Press", "urgent"]}),
    ("note", {"text": "Ask the warehouse."}),
    ("assign", {"assignee": "me"}),
    ("claim", {}),
]


@pytest.fixture
async def by_mira(watched: Watched) -> AsyncIterator[Watched]:
    """The same, done by a person: only people claim, and are given something."""
    async with as_person(watched.service, "mira") as mira:
        yield replace(watched, service=replace(watched.service, api=mira))


@pytest.mark.parametrize(("action", "params"), KINDS)
async def test_undo_and_redo_of_each_kind(
    by_mira: Watched, action: str, params: dict[str, Any]
) -> None:
    ids = await ids_of(by_mira)
    before = await all_lasting(by_mira)
    done = await bulk(by_mira, action, ids, **params)
    after = await all_lasting(by_mira)
    assert (done["changed"], done["refused"]) == (3, 0)
    assert before != after
    undone = await undo(by_mira, done["action_id"])
    assert [each["result"] for each in undone["results"]] == ["undone"] * 3
    assert await all_lasting(by_mira) == before
    again = await undo(by_mira, done["action_id"])
    assert ({each["result"] for each in again["results"]}, again["action_id"]) == (
        {"already_undone"},
        None,
    )
    await undo(by_mira, undone["action_id"])
    assert await all_lasting(by_mira) == after
    last = (await by_mira.events(1))[-1]
    assert (last["type"], last["action_id"]) == ("item.undone", undone["action_id"] + 1)
    assert await _counted_right(by_mira)


async def test_undo_of_a_release_gives_the_claim_back(by_mira: Watched) -> None:
    ids = await ids_of(by_mira)
    await bulk(by_mira, "claim", ids)
    before = await all_lasting(by_mira)
    assert {each["claim"]["by"]["name"] for each in before} == {"mira"}
    done = await bulk(by_mira, "release", ids)
    assert [each["claim"] for each in await all_lasting(by_mira)] == [None] * 3
    assert (await undo(by_mira, done["action_id"]))["undone"] == 3
    assert await all_lasting(by_mira) == before


async def _counted_right(watched: Watched) -> bool:
    counts = (await watched.api.get("/api/v1/counts")).json()["by_status"]
    rows = await watched.service.db.rows(select(item.c.status))
    found = [row.status for row in rows]
    return all(counts.get(status, 0) == found.count(status) for status in set(found) | set(counts))


@pytest.mark.parametrize("seed", range(3))
async def test_undoing_everything_backwards_ends_where_it_began(
    by_mira: Watched, seed: int
) -> None:
    """Any sequence of actions on any items; then each undone, the last one first."""
    rng = Random(seed)
    ids = await ids_of(by_mira)
    choices = [
        *KINDS,
        ("reopen", {}),
        ("unsnooze", {}),
        ("assign", {"assignee": None}),
        ("release", {}),
        ("label", {"add": ["a"], "remove": ["PRESS"]}),
    ]
    story: list[tuple[int, list[dict[str, Any]]]] = []
    for _ in range(12):
        action, params = rng.choice(choices)
        before = await all_lasting(by_mira)
        done = await bulk(by_mira, action, rng.sample(ids, rng.randint(1, 3)), **params)
        by_mira.clock.move(timedelta(seconds=1))
        if done["action_id"] is not None:
            story.append((done["action_id"], before))
    for action_id, before in reversed(story):
        undone = await undo(by_mira, action_id)
        assert {each["result"] for each in undone["results"]} == {"undone"}
        assert await all_lasting(by_mira) == before
    assert await _counted_right(by_mira)
    muted = await by_mira.service.db.rows(select(author.c.muted_at))
    assert {row.muted_at for row in muted} == {None}


async def test_what_changed_since_is_left_alone(watched: Watched) -> None:
    ids = await ids_of(watched)
    before = await all_lasting(watched)
    done = await bulk(watched, "dismiss", ids, reason="duplicate")
    await watched.act(2, "reopen")
    undone = await undo(watched, done["action_id"])
    assert [each["result"] for each in undone["results"]] == ["undone", "changed_since", "undone"]
    assert undone["undone"] == 2
    present = await all_lasting(watched)
    assert (present[0], present[2]) == (before[0], before[2])
    assert present[1]["status"] == "unanswered"
    assert lasting(undone["results"][1]["item"]) == present[1]


async def test_two_who_undo_at_once_undo_once(watched: Watched) -> None:
    ids = await ids_of(watched)
    done = await bulk(watched, "spam", ids)
    first, second = await asyncio.gather(
        undo(watched, done["action_id"]), undo(watched, done["action_id"])
    )
    assert sorted([first["undone"], second["undone"]]) == [0, 3]
    assert len([e for e in await watched.events(1) if e["type"] == "item.undone"]) == 1


async def test_undoing_and_acting_at_once_never_mixes(watched: Watched) -> None:
    done = (await bulk(watched, "dismiss", await ids_of(watched), reason="duplicate"))["action_id"]
    undone, reopened = await asyncio.gather(undo(watched, done), watched.act(1, "mark-replied"))
    assert reopened.status_code == 200
    result = undone["results"][0]["result"]
    present = await watched.item(1)
    assert (result, present["status"]) in {("undone", "replied"), ("changed_since", "replied")}
    assert present["version"] == (4 if result == "undone" else 3)


async def test_an_author_is_unmuted_with_the_spam(watched: Watched) -> None:
    ids = await ids_of(watched)
    done = await bulk(watched, "spam", ids[:1], mute_author=True)
    undone = await undo(watched, done["action_id"])
    watched.world.insert("mentions", NOON, "And now?")
    watched.clock.move(HOUR)
    await watched.poll()
    assert (await watched.item(4))["status"] == "unanswered"
    await undo(watched, undone["action_id"])
    watched.world.insert("mentions", NOON, "And then?")
    watched.clock.move(HOUR)
    await watched.poll()
    assert (await watched.item(5))["status"] == "spam"


async def test_out_of_spam_an_answer_that_came_meanwhile_counts(watched: Watched) -> None:
    done = await bulk(watched, "spam", await ids_of(watched))
    watched.world.answer(1, NOON)
    watched.clock.move(HOUR)
    await watched.poll()
    assert (await watched.item(1))["status"] == "spam"
    await undo(watched, done["action_id"])
    assert [(await watched.item(n))["status"] for n in (1, 2)] == ["replied", "unanswered"]


async def test_what_a_caller_may_not_see_stays_as_it_is(watched: Watched) -> None:
    ids = await ids_of(watched)
    done = await bulk(watched, "spam", ids)
    hidden = await bulk(watched, "note", ids[2:], text="Secret.")
    elsewhere = frozenset({watched.source_id + 1})
    async with as_role(watched.service, Role.AGENT, source_ids=elsewhere) as stranger:
        refused = await stranger.post(f"/api/v1/actions/{done['action_id']}/undo")
        problem(refused, 404, "not-found")
        assert (await stranger.get("/api/v1/actions")).json()["items"] == []
    async with as_role(watched.service, Role.VIEWER) as viewer:
        seen = (await viewer.get("/api/v1/actions")).json()["items"]
        assert [each["id"] for each in seen] == [done["action_id"]]
        refused = await viewer.post(f"/api/v1/actions/{hidden['action_id']}/undo")
        problem(refused, 403, "not-allowed")
    problem(await watched.api.post("/api/v1/actions/999/undo"), 404, "not-found")


async def test_the_list_of_actions(watched: Watched) -> None:
    ids = await ids_of(watched)
    first = (await bulk(watched, "dismiss", ids, reason="duplicate"))["action_id"]
    second = (await bulk(watched, "reopen", ids[:1]))["action_id"]
    async with as_role(watched.service, Role.AGENT) as other:
        await other.post(f"/api/v1/items/{ids[1]}/reopen")
        mine = (await other.get("/api/v1/actions?mine=true")).json()["items"]
        assert [each["actor"] for each in mine] == ["a agent"]
    page = (await watched.api.get("/api/v1/actions?limit=2")).json()
    rest = (await watched.api.get(f"/api/v1/actions?limit=2&cursor={page['next_cursor']}")).json()
    found = [*page["items"], *rest["items"]]
    assert [each["action"] for each in found] == ["reopen", "reopen", "dismiss"]
    assert rest["next_cursor"] is None
    assert (found[2]["id"], found[2]["items"], found[2]["params"]) == (
        first, 3, {"reason": "duplicate"},
    )  # fmt: skip
    await undo(watched, second)
    open_ones = (await watched.api.get("/api/v1/actions?undone=false&mine=true")).json()["items"]
    assert [each["id"] for each in open_ones] == [first]
    undone = (await watched.api.get("/api/v1/actions?undone=true")).json()["items"]
    assert [each["id"] for each in undone] == [second]


async def test_a_repeat_is_no_action(watched: Watched) -> None:
    await watched.act(1, "spam")
    await watched.act(1, "spam")
    assert len((await watched.api.get("/api/v1/actions")).json()["items"]) == 1
    (event,) = [e for e in await watched.events(1) if e["type"] == "item.spam"]
    assert event["action_id"] == 1
