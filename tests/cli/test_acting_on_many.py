"""Several ids are one call with honest numbers; undo, labels, notes and saved filters."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Shell
from tests.cli.service import AS_OF, Service, item

REFUSED = {"code": "conflict", "detail": "The item is replied\x1b[31m: possible now: reopen."}
DONE: dict[str, Any] = {
    "action_id": 17,
    "changed": 2,
    "unchanged": 1,
    "refused": 1,
    "results": [
        {"item_id": 3, "ok": True, "problem": None},
        {"item_id": 4, "ok": False, "problem": REFUSED},
    ],
}
VIEW: dict[str, Any] = {
    "id": 3, "name": "press", "filter": {"label": ["press"], "needs_reply": True},
    "query": "label=press&needs_reply=true", "shared": True, "count": 1000, "count_more": True,
}  # fmt: skip
COVERAGE: dict[str, Any] = {"as_of": AS_OF, "complete": True, "streams": []}
PAGE: dict[str, Any] = {"items": [], "next_cursor": None, "coverage": COVERAGE}


async def test_several_ids_are_one_action(shell: Shell, service: Service) -> None:
    service.on("POST /items/bulk", DONE)
    result = await shell.run("dismiss", "3", "4", "3", "5", "6", "--reason", "duplicate")
    assert (result.code, result.out) == (
        1, "2 done, 1 as before, 1 refused. Undo: python3 run.py undo 17\n",
    )  # fmt: skip
    assert result.err == "  4: The item is replied: possible now: reopen.\n"
    (heard,) = service.heard
    assert heard.body == {
        "action": "dismiss", "ids": [3, 4, 5, 6], "params": {"reason": "duplicate"},
    }  # fmt: skip
    as_json = await shell.run("replied", "3", "4", "--json")
    assert (as_json.code, json.loads(as_json.out)) == (1, DONE)


@pytest.mark.parametrize(
    ("arguments", "params"),
    [
        (["7", "--add", "a", "--add", "b", "--remove", "c"], {"add": ["a", "b"], "remove": ["c"]}),
        (["7", "8", "--set", "a"], {"labels": ["a"]}),
        (["7", "--clear"], {"labels": []}),
    ],
)
async def test_labels(
    shell: Shell, service: Service, arguments: list[str], params: dict[str, Any]
) -> None:
    service.on("POST /items/bulk", DONE | {"refused": 0, "results": []})
    assert (await shell.run("label", *arguments)).code == 0
    assert service.heard[0].body["params"] == params


@pytest.mark.parametrize(
    "arguments",
    [["label", "7"], ["label", "7", "--add", "a", "--clear"], ["undo", "first"], ["undo", "0"],
     ["replied", *map(str, range(1, 502))], ["views", "save"]],
)  # fmt: skip
async def test_usage_errors_call_nothing(
    shell: Shell, service: Service, arguments: list[str]
) -> None:
    result = await shell.run(*arguments)
    assert (result.code, service.heard) == (2, [])


async def test_notes_are_written_and_read(shell: Shell, service: Service) -> None:
    note = {"id": 5, "text": "Ask\x1b[31m Tim.\nOr Ann.", "author": "Ana", "created_at": AS_OF}
    service.on("POST /items/7/notes", note)
    assert (await shell.run("note", "7", "Ask Tim.")).out == "Note 5 on 7.\n"
    service.on("GET /items/7/notes", {"items": [note]}, {"items": []})
    shown = (await shell.run("note", "7")).out
    assert shown.startswith("Ana, ")
    assert shown.endswith("  Ask Tim.\n  Or Ann.\n")
    assert (await shell.run("note", "7")).out == "No notes.\n"


async def test_undo_takes_the_last_of_mine(shell: Shell, service: Service) -> None:
    service.on("GET /actions", {"items": [{"id": 17}]}, {"items": []})
    undone = {
        "action_id": 18,
        "undone": 1,
        "results": [
            {"item_id": 3, "result": "undone"}, {"item_id": 4, "result": "changed_since"},
        ],
    }  # fmt: skip
    service.on("POST /actions/17/undo", undone)
    result = await shell.run("undo")
    assert (result.code, result.out) == (
        0,
        "1 undone, 1 changed since, left alone.\nDo it again: python3 run.py undo 18\n",
    )
    assert result.err == "  4: changed since, left alone\n"
    assert dict(service.heard[0].query) == {"mine": "true", "undone": "false", "limit": "1"}
    nothing = await shell.run("undo", "last")
    assert (nothing.code, nothing.err) == (1, "There is nothing of yours to undo.\n")
    service.on("POST /actions/17/undo", undone | {"action_id": None, "undone": 0})
    assert (await shell.run("undo", "17", "--json")).code == 1


async def test_actions_and_labels_are_listed(shell: Shell, service: Service) -> None:
    done = {
        "id": 17, "at": AS_OF, "actor": "Ana", "action": "mark_replied", "items": 3,
        "undone_at": AS_OF, "undone_by": 18,
    }  # fmt: skip
    service.on("GET /actions", {"items": [done]})
    shown = (await shell.run("actions", "--mine")).out
    assert "mark replied" in shown
    assert "by 18" in shown
    service.on("GET /labels", {"items": [{"id": 1, "name": "press", "colour": None}]})
    assert "press" in (await shell.run("labels")).out


async def test_views_are_kept_and_used(shell: Shell, service: Service) -> None:
    service.on("GET /views", {"items": [VIEW]})
    assert "1,000+" in (await shell.run("views", "list")).out
    service.on("POST /views", VIEW)
    saved = await shell.run("views", "save", "press", "--label", "press", "--older-than", "4h")
    assert saved.out == "View 3, press: label=press&needs_reply=true.\n"
    assert service.calls("POST /views")[0].body == {
        "name": "press", "filter": {"label": ["press"], "older_than": "PT14400S"}, "shared": False,
    }  # fmt: skip
    service.on("GET /items", PAGE | {"items": [item(7)]})
    listed = await shell.run("list", "--view", "press")
    assert (listed.code, listed.err) == (0, "")
    asked = service.calls("GET /items")[0].query
    assert {("label", "press"), ("needs_reply", "true")} <= set(asked)
    unknown = await shell.run("list", "--view", "nothing")
    assert (unknown.code, unknown.err) == (
        1, "There is no view nothing.\n  There are: press\n",
    )  # fmt: skip
    service.on("DELETE /views/3", {})
    assert (await shell.run("views", "remove", "3")).out == "View 3 is gone.\n"


async def test_the_list_is_narrowed_by_labels(shell: Shell, service: Service) -> None:
    service.on("GET /items", PAGE)
    await shell.run("list", "--label", "a", "--label", "b")
    asked = service.heard[0].query
    assert [value for name, value in asked if name == "label"] == ["a", "b"]
