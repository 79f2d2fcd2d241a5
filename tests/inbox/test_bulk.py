"""One action on many items: one result each, by ids or by a filter, in few statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.clock import stamp
from app.db import Database
from app.inbox import asked
from app.inbox.item import Action, DismissReason
from app.inbox.service import Acting
from app.outbox.events import Actor
from app.scope import EVERYTHING
from app.web.principal import Role
from tests.inbox.doing import bulk, ids_of
from tests.inbox.stock import stock
from tests.inbox.test_api import pointers, problem
from tests.service import NOON, Service
from tests.world import Watched, as_role


async def test_each_item_has_its_result_in_the_order_asked_for(watched: Watched) -> None:
    ids = await ids_of(watched)
    await watched.act(2, "mark-replied")
    await watched.act(3, "dismiss", reason="duplicate")
    done = await bulk(watched, "dismiss", [ids[2], 999, ids[1], ids[0], ids[0]], reason="duplicate")
    told = [(each["item_id"], each["ok"], each["changed"]) for each in done["results"]]
    assert told == [
        (ids[2], True, False), (999, False, False), (ids[1], False, False), (ids[0], True, True),
    ]  # fmt: skip
    assert (done["changed"], done["unchanged"], done["refused"]) == (1, 1, 2)
    assert done["results"][1]["problem"]["code"] == "not-found"
    refused = done["results"][2]
    assert refused["problem"]["current_status"] == "replied"
    assert refused["problem"]["allowed_actions"] == refused["item"]["allowed_actions"]
    assert done["results"][3]["item"] == await watched.item(1)
    assert (await watched.events(1))[-1]["action_id"] == done["action_id"]


async def test_what_a_caller_may_not_see_is_not_there(watched: Watched) -> None:
    ids = await ids_of(watched)
    other = frozenset({watched.source_id + 1})
    async with as_role(watched.service, Role.AGENT, source_ids=other) as stranger:
        asked_for = {"action": "spam", "ids": ids}
        told = (await stranger.post("/api/v1/items/bulk", json=asked_for)).json()
    assert [each["problem"]["code"] for each in told["results"]] == ["not-found"] * 3
    assert [each["item"] for each in told["results"]] == [None] * 3
    assert told["action_id"] is None
    assert (await watched.item(1))["status"] == "unanswered"


async def test_a_filter_takes_what_matches_now(watched: Watched) -> None:
    body = {
        "action": "snooze",
        "filter": {"older_than": "PT90M", "kind": ["mention"], "source_id": watched.source_id},
        "params": {"until": stamp(NOON + timedelta(days=1))},
    }
    done = (await watched.api.post("/api/v1/items/bulk", json=body)).json()
    assert [each["item_id"] for each in done["results"]] == (await ids_of(watched))[:2]
    again = (await watched.api.post("/api/v1/items/bulk", json=body)).json()
    assert (again["results"], again["action_id"]) == ([], None)


async def test_too_many_are_counted_and_left_alone(service: Service) -> None:
    await stock(service.db, 1800)
    everything = dict.fromkeys(("snoozed", "backlog"), "include")
    body = {
        "action": "spam",
        "filter": {"status": "any", "needs_reply": "any", **everything},
    }
    told = problem(await service.api.post("/api/v1/items/bulk", json=body), 422, "invalid-request")
    assert told["matching"] == 1800
    assert told["detail"].startswith("1,800 items match")
    assert (await service.api.get("/api/v1/actions")).json()["items"] == []


MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    ({"action": "spam"}, "", "value_error"),
    ({"action": "spam", "ids": [1], "filter": {}}, "", "value_error"),
    ({"action": "spam", "ids": []}, "/ids", "too_short"),
    ({"action": "spam", "ids": list(range(1, 502))}, "/ids", "too_long"),
    ({"action": "explode", "ids": [1]}, "/action", "not_one_of"),
    ({"action": "spam", "ids": [1], "params": {"mute": True}}, "/params/mute", "unknown_field"),
    ({"action": "dismiss", "ids": [1]}, "/params/reason", "missing"),
    ({"action": "dismiss", "ids": [1], "params": {"reason": "other"}}, "/params/note", "missing"),
    ({"action": "note", "ids": [1], "params": {"text": " "}}, "/params/text", "value_error"),
    ({"action": "label", "ids": [1], "params": {}}, "/params", "value_error"),
    ({"action": "spam", "filter": {"platfrom": "x"}}, "/filter/platfrom", "unknown_parameter"),
    ({"action": "spam", "filter": {"limit": 5}}, "/filter/limit", "unknown_parameter"),
    ({"action": "spam", "filter": {"older_than": "4h"}}, "/filter/older_than", "invalid_value"),
    (
        {"action": "snooze", "ids": [1], "params": {"until": stamp(NOON)}},
        "/params/until",
        "out_of_range",
    ),
]


async def test_what_is_malformed_is_refused_where_it_stands(watched: Watched) -> None:
    for body, pointer, code in MALFORMED:
        answered = await watched.api.post("/api/v1/items/bulk", json=body)
        told = problem(answered, 422, "invalid-request")
        assert pointers(told) == [(pointer, code)], body
    assert (await watched.item(1))["version"] == 1


async def test_one_that_is_out_of_range_for_one_item_is_its_own_result(watched: Watched) -> None:
    ids = await ids_of(watched)
    at = stamp(NOON - timedelta(minutes=150))
    done = await bulk(watched, "mark_replied", ids, replied_at=at)
    assert [each["ok"] for each in done["results"]] == [True, False, False]
    assert done["results"][1]["problem"]["code"] == "invalid-request"


@contextmanager
def _counted() -> Iterator[list[str]]:
    told: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        told.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


@pytest.mark.parametrize(
    ("wanted", "at_most"),
    [
        (asked.dismissed(DismissReason.DUPLICATE), 14),
        (asked.spam(mute_author=True), 16),
        (asked.plain(Action.REOPEN), 16),
        (asked.labelled(asked.LabelChange(add=["a", "b"])), 20),
        (asked.noted("Ask the warehouse."), 14),
    ],
)
async def test_many_items_cost_few_statements(
    db: Database, wanted: asked.Asked, at_most: int
) -> None:
    await stock(db, 450)
    with _counted() as told:
        async with db.write() as tx:
            acting = Acting(tx, EVERYTHING, Actor("person", "Ana"), NOON)
            done = await acting.do_all(range(1, 451), wanted)
    assert len(done.changed) > 100
    assert len(told) <= at_most, told


async def test_a_filter_with_words_takes_only_what_they_find(watched: Watched) -> None:
    body = {"action": "spam", "filter": {"q": "blue kind:mention"}}
    done = (await watched.api.post("/api/v1/items/bulk", json=body)).json()
    assert [each["item_id"] for each in done["results"]] == (await ids_of(watched))[1:2]
    wrong = {"action": "spam", "filter": {"q": "kind:nonsense"}}
    told = problem(await watched.api.post("/api/v1/items/bulk", json=wrong), 422, "invalid-request")
    assert pointers(told)[0][0] == "/filter/q"
    saved = {"name": "blue", "filter": {"q": "blue", "status": "any"}}
    view = (await watched.api.post("/api/v1/views", json=saved)).json()
    found = (await watched.api.get(f"/api/v1/views/{view['id']}")).json()
    assert found["count"] == 1
