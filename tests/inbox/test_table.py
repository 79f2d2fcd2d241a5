"""Every status times every action that is offered, through the API, against a table of text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.clock import stamp
from app.inbox.changing import remove_items
from app.inbox.schemas import OFFERED
from tests.inbox.test_api import problem
from tests.service import NOON
from tests.staff import as_person
from tests.world import Watched

STATUSES = ("unanswered", "replied", "dismissed", "spam", "removed")
# "=" keeps the status, "-" is 409
EXPECTED = """
action        unanswered  replied     dismissed   spam        removed
mark_replied  replied     =           replied     replied     -
thank         -           -           -           -           -
dismiss       dismissed   -           =           -           -
spam          spam        spam        spam        =           -
reopen        =           unanswered  unanswered  unanswered  -
snooze        =           -           -           -           -
unsnooze      =           =           =           =           =
assign        =           =           =           =           =
claim         =           -           -           -           -
release       =           =           =           =           =
label         =           =           =           =           =
note          =           =           =           =           =
"""
ROWS = [line.split() for line in EXPECTED.strip().splitlines()[1:]]
PARAMS: dict[str, dict[str, Any]] = {
    "dismiss": {"reason": "duplicate"},
    "snooze": {"until": stamp(NOON + timedelta(days=1))},
    "assign": {"assignee": "mira"},
    "label": {"labels": ["press"]},
    "note": {"text": "Ask the warehouse."},
}
INTO = {
    "replied": ("mark-replied", {}),
    "dismissed": ("dismiss", {"reason": "duplicate"}),
    "spam": ("spam", {}),
}


async def _into(watched: Watched, status: str) -> dict[str, Any]:
    if status == "removed":
        item_id = (await watched.item(1))["id"]
        async with watched.service.db.write() as tx:
            await remove_items(tx, [item_id], NOON)
    elif status in INTO:
        action, body = INTO[status]
        await watched.act(1, action, **body)
    found = await watched.item(1)
    assert found["status"] == status
    return found


def test_the_table_names_what_is_offered() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(OFFERED)


@pytest.mark.parametrize("status", STATUSES)
async def test_each_action_in_each_status(watched: Watched, status: str) -> None:
    """Alone and in bulk, by a person; after each one the item is brought back by undoing it."""
    found = await _into(watched, status)
    async with as_person(watched.service, "mira") as mira:
        await _try_all(replace(watched, service=replace(watched.service, api=mira)), found, status)


async def _try_all(watched: Watched, found: dict[str, Any], status: str) -> None:
    for action, *cells in ROWS:
        cell = cells[STATUSES.index(status)]
        before = await watched.item(1)
        asked = {"action": action, "ids": [found["id"]], "params": PARAMS.get(action, {})}
        answered = (await watched.api.post("/api/v1/items/bulk", json=asked)).json()
        (result,) = answered["results"]
        alone = await watched.api.request(
            "PUT" if action == "label" else "POST", _path(found["id"], action), json=asked["params"]
        )
        if cell == "-":
            assert (result["ok"], result["problem"]["code"]) == (False, "conflict"), action
            told = problem(alone, 409, "conflict")
            assert told["current_status"] == result["problem"]["current_status"] == status
            assert told["allowed_actions"] == before["allowed_actions"]
            assert action not in before["allowed_actions"]
            continue
        assert alone.status_code in {200, 201}, (action, alone.text)
        expected = status if cell == "=" else cell
        assert (await watched.item(1))["status"] == result["item"]["status"] == expected, action
        if action == "note":
            continue
        if result["changed"]:
            undone = await watched.api.post(f"/api/v1/actions/{answered['action_id']}/undo")
            assert undone.json()["undone"] == 1, (action, undone.text)
        assert (await watched.item(1))["status"] == status


def _path(item_id: int, action: str) -> str:
    word = {"label": "labels", "note": "notes"}.get(action, action.replace("_", "-"))
    return f"/api/v1/items/{item_id}/{word}"
