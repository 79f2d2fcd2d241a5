"""Ids in bodies and queries are looked at like ids in paths: a foreign one is a missing one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.authorization.stock import MISSING, Stock
from tests.team.audit.everything import PLACES

WORDS = {"conditions": {"kinds": ["review"]}, "effect": {"kind": "label", "labels": ["x"]}}


@dataclass(frozen=True, slots=True)
class Case:
    """An operation with the id of `of` somewhere in it: `ID` in the body or the query. `never`:
    what the id of another client may never be answered with.
    """

    name: str
    of: str
    body: Any = None
    query: str = ""
    caller: str = "admin"
    ids: dict[str, int] = field(default_factory=dict)

    def options(self, given: int) -> dict[str, Any]:
        if self.body is None:
            return {}
        return {"json": json.loads(json.dumps(self.body).replace('"ID"', str(given)))}


CASES = (
    *(
        Case("act_on_items", "item_id", {"action": action, "ids": ["ID"], "params": params})
        for action, params in (
            ("dismiss", {"reason": "duplicate"}),
            ("spam", {"mute_author": True}),
            ("note", {"text": "a note"}),
            ("assign", {"assignee": None}),
            ("label", {"labels": ["x"]}),
        )
    ),
    *(
        Case("act_on_items", of, {"action": "spam", "filter": {name: "ID", "status": "any"}})
        for of, name in (("source_id", "source_id"), ("author_id", "author_id"))
    ),
    Case("test_rule", "item_id", {"rule": WORDS, "item_ids": ["ID"]}),
    Case("test_rule", "source_id", {"rule": WORDS, "filter": {"source_id": "ID"}}),
    Case("create_policy", "source_id", {"name": "p", "target": "PT1H", "source_id": "ID"}),
    Case("update_policy", "source_id", {"source_id": "ID"}),
    Case("create_webhook", "source_id", {"url": "http://127.0.0.1:9/x", "source_ids": ["ID"]}),
    Case("update_webhook", "source_id", {"source_ids": ["ID"]}),
    Case("begin_connection", "source_id", {"source_id": "ID"}),
    Case("say_presence", "item_id", {"item_id": "ID", "state": "viewing"}),
    Case("assign_item", "person", {"assignee": "ID"}),
    *(
        Case(name, of, query=f"{parameter}=ID")
        for name, of, parameter in (
            ("list_items", "source_id", "status=any&source_id"),
            ("list_items", "author_id", "status=any&author_id"),
            ("list_items", "person", "status=any&assignee"),
            ("export_items", "source_id", "status=any&source_id"),
            ("list_events", "source_id", "source_id"),
            ("list_quarantine", "source_id", "source_id"),
            ("list_users", "source_id", "source_id"),
            ("list_presence", "item_id", "item_id"),
            ("report_response", "source_id", "source_id"),
            ("report_backlog", "source_id", "source_id"),
            ("list_deliveries", "webhook_id", "webhook_id"),
            ("import_items", "source_id", "source_id"),
        )
    ),
)


def _same(text: str) -> str:
    """Without what differs between any two answers: numbers, and the id of the request."""
    return re.sub(r'\d+|"request_id":"\w+"', "#", text)


async def answers(stock: Stock, case: Case, given: int) -> tuple[int, str]:
    method, path = PLACES[case.name]
    ids: dict[str, Any] = {"platform": "mastodon", **stock.shared, **stock.own}
    query = f"?{case.query.replace('ID', str(given))}" if case.query else ""
    headers = {"Content-Type": "application/x-ndjson"} if case.name == "import_items" else {}
    answered = await stock.callers[case.caller].request(
        method, path.format(**ids) + query, headers=headers, **case.options(given)
    )
    return answered.status_code, answered.text


def cases() -> Iterator[tuple[str, Case]]:
    for case in CASES:
        yield f"{case.name} {case.of} {case.body or case.query}", case


async def test_a_foreign_id_is_answered_as_a_missing_one(stock: Stock) -> None:
    people = (await stock.service.api.get("/api/v1/users", params={"limit": 200})).json()["items"]
    foreign = {
        **stock.foreign,
        "person": next(p["id"] for p in people if p["name"] == "the.other_agent"),
    }
    wrong = []
    for told, case in cases():
        theirs = await answers(stock, case, foreign[case.of])
        missing = await answers(stock, case, MISSING)
        if (theirs[0], _same(theirs[1])) != (missing[0], _same(missing[1])):
            wrong.append(f"{told}: {theirs} is not {missing}")
        if theirs[0] in {401, 403, 500}:
            wrong.append(f"{told}: {theirs}")
    assert not wrong, "\n".join(wrong)
    row = (await stock.service.api.get(f"/api/v1/items/{stock.foreign['item_id']}")).json()
    assert (row["status"], row["labels"]) == ("unanswered", [])


@pytest.mark.parametrize("name", ["create_user", "create_token"])
async def test_a_source_that_is_not_there_is_said_to_who_sees_all(stock: Stock, name: str) -> None:
    body = {
        "create_user": {"name": "anna", "role": "viewer"},
        "create_token": {"name": "x", "role": "viewer"},
    }[name]
    method, path = PLACES[name]
    asked = {**body, "source_ids": [MISSING]}
    answered = await stock.service.api.request(method, path, json=asked)
    assert answered.status_code == 422, answered.text
    assert answered.json()["errors"][0]["pointer"] == "/source_ids"
