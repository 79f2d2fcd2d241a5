"""`unanswered rules`: listed, shown, added, switched, tried."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Shell
from tests.cli.service import Service

RULE: dict[str, Any] = {
    "id": 3, "name": "Refunds\x1b[31m", "enabled": True, "origin": "built_in", "edited": True,
    "conditions": {"text": [{"any": ["refund"]}]}, "effect": {"kind": "label", "labels": ["a"]},
}  # fmt: skip


async def test_rules_are_listed_and_shown(shell: Shell, service: Service) -> None:
    service.on("GET /rules", {"items": [RULE]})
    listed = (await shell.run("rules", "list")).out
    assert "label: a" in listed
    assert "the program, edited" in listed
    service.on("GET /rules/3", RULE)
    shown = (await shell.run("rules", "show", "3")).out
    assert '"refund"' in shown
    assert "\x1b" not in listed + shown


async def test_rules_are_added_and_switched(shell: Shell, service: Service, tmp_path: Path) -> None:
    body = {"name": "Refunds", "conditions": RULE["conditions"], "effect": RULE["effect"]}
    file = tmp_path / "rule.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    service.on("POST /rules", RULE | {"name": "Refunds"})
    assert (await shell.run("rules", "add", str(file))).out == "Rule 3, Refunds, is on.\n"
    assert service.calls("POST /rules")[0].body == body
    file.write_text("{", encoding="utf-8")
    assert (await shell.run("rules", "add", str(file))).code == 1
    service.on("PATCH /rules/3", RULE | {"name": "Refunds"})
    assert (await shell.run("rules", "disable", "3")).out == "Rule 3, Refunds, is off.\n"
    assert (await shell.run("rules", "enable", "3")).out == "Rule 3, Refunds, is on.\n"
    assert [c.body for c in service.calls("PATCH /rules/3")] == [
        {"enabled": False}, {"enabled": True},
    ]  # fmt: skip
    service.on("DELETE /rules/3", {})
    assert (await shell.run("rules", "remove", "3")).out == "Rule 3 is gone.\n"


async def test_a_rule_is_tried_by_the_filters_of_the_list(shell: Shell, service: Service) -> None:
    found = {
        "text": False, "looked_at": 500, "more": True, "matched": 2, "item_ids": [1, 2],
        "applied": 2,
    }  # fmt: skip
    service.on("POST /rules/test", found)
    told = await shell.run("rules", "test", "3", "--text", "x", "--label", "press", "--apply")
    assert told.out == (
        "Matches 2 of 500 items; there are more, which were not looked at. "
        "It does not match the text. Changed: 2.\n"
    )
    assert service.calls("POST /rules/test")[0].body == {
        "rule_id": 3, "filter": {"label": ["press"]}, "apply": True, "text": "x",
    }  # fmt: skip
