"""Rules at arrival: signals with the item, actions that are logged, undone, and outranked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

from app.inbox.actions.models import action
from app.inbox.rules import repository
from app.inbox.rules.models import rule
from app.inbox.rules.service import keep_built_in
from tests.inbox.pages import Inbox, add_source, answers, said
from tests.service import NOON, Service

RULES = "/api/v1/rules"


@pytest.fixture
async def inbox(service: Service) -> Inbox:
    return Inbox(service.db, await add_source(service.db))


async def rule_made(service: Service, effect: dict[str, Any], **conditions: Any) -> int:
    body = {"name": "mine", "conditions": conditions, "effect": effect}
    made = await service.api.post(RULES, json=body)
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


def text(*phrases: str, **more: Any) -> dict[str, Any]:
    return {"text": [{"any": list(phrases), **more}]}


async def actions(service: Service) -> list[Any]:
    return list(await service.db.rows(select(action).order_by(action.c.id)))


async def test_a_rule_files_a_page_as_spam_in_one_action(service: Service, inbox: Inbox) -> None:
    made = await rule_made(service, {"kind": "spam"}, **text("free coins"))
    await inbox.take(
        said("a", 0, text="FREE  coins here"), said("b", 1, text="free coins!"), said("c", 2)
    )
    statuses = [(await inbox.item(ident)).status for ident in "abc"]
    assert statuses == ["spam", "spam", "unanswered"]
    (done,) = await actions(service)
    assert (done.name, done.items, done.actor_ref) == ("spam", 2, f"rule:{made}")
    (told, *_) = [e for e in await inbox.events() if e.type == "item.spam"]
    assert (told.actor_kind, told.details, told.action_id) == (
        "rule",
        {"rule_id": made},
        done.id,
    )


async def test_what_a_rule_did_is_undone(service: Service, inbox: Inbox) -> None:
    await rule_made(service, {"kind": "dismiss", "code": "not_for_us"}, **text("jobs"))
    await rule_made(service, {"kind": "label", "labels": ["press"]}, **text("jobs"))
    await inbox.take(said("a", 0, text="any jobs"))
    dismissed, labelled = await actions(service)
    assert (await inbox.item("a")).dismissed_reason == "not_for_us"
    for done in (labelled, dismissed):
        undone = await service.api.post(f"/api/v1/actions/{done.id}/undo")
        assert undone.json()["undone"] == 1, undone.text
    (shown,) = await service.items()
    assert (shown["status"], shown["labels"]) == ("unanswered", [])


async def test_a_person_beats_a_rule(service: Service, inbox: Inbox) -> None:
    made = await rule_made(service, {"kind": "spam"}, **text("coins"))
    await inbox.take(said("a", 0, text="coins"))
    item_id = (await inbox.item("a")).id
    await service.api.post(f"/api/v1/items/{item_id}/reopen")
    tried = await service.api.post(
        f"{RULES}/test", json={"rule_id": made, "item_ids": [item_id], "apply": True}
    )
    assert tried.json()["applied"] == 0, tried.text
    assert (await inbox.item("a")).status == "unanswered"


async def test_an_answer_outweighs_a_rule_that_dismisses(service: Service, inbox: Inbox) -> None:
    await rule_made(service, {"kind": "dismiss", "code": "no_reply_needed"}, **text("thanks"))
    await inbox.take(said("a", 0, text="thanks"), answers("r", 1, "a"))
    assert (await inbox.item("a")).status == "replied"


async def test_signals_come_with_the_item_and_change_no_status(
    service: Service, inbox: Inbox
) -> None:
    await keep_built_in(service.db, NOON)
    await inbox.take(
        said("a", 0, text="Wann kommt mein Paket"),
        said("b", 1, "bob", text="Check out my channel"),
        said("c", 2, "cid", text="Nice work, all of you."),
    )
    shown = {each["external_id"]: each for each in await service.items()}
    assert [s["code"] for s in shown["a"]["signals"]] == ["question"]
    assert [s["code"] for s in shown["b"]["signals"]] == ["spam_promotion"]
    assert shown["c"]["signals"] == []
    (created,) = [
        e for e in await inbox.events() if e.type == "item.created" and "rules" in (e.details or {})
        and e.item_id == shown["b"]["id"]
    ]  # fmt: skip
    assert created.details["rules"][0]["id"] == shown["b"]["signals"][0]["rule_id"]
    assert await actions(service) == []
    by_value = [i["external_id"] for i in await service.items(order="value")]
    assert by_value == ["a", "c", "b"]
    assert "Asks a question." in shown["a"]["value"]["reasons"]


async def test_first_messages_are_told_from_later_ones(service: Service, inbox: Inbox) -> None:
    effect = {"kind": "label", "labels": ["new"]}
    await rule_made(service, effect, author={"first_message": True})
    await inbox.take(said("a", 0), said("b", 1, thread="t2"))
    inbox.now = NOON + timedelta(minutes=5)
    await inbox.take(said("c", 2), said("d", 3, "bob"))
    labels = {each["external_id"]: each["labels"] for each in await service.items()}
    assert labels == {"a": ["new"], "b": ["new"], "c": [], "d": ["new"]}


async def test_a_rule_that_is_switched_off_looks_at_nothing(service: Service, inbox: Inbox) -> None:
    made = await rule_made(service, {"kind": "spam"}, **text("coins"))
    await service.api.patch(f"{RULES}/{made}", json={"enabled": False})
    await inbox.take(said("a", 0, text="coins"))
    assert (await inbox.item("a")).status == "unanswered"


async def test_a_changed_rule_holds_at_once(service: Service, inbox: Inbox) -> None:
    made = await rule_made(service, {"kind": "spam"}, **text("coins"))
    await inbox.take(said("a", 0, text="coins"))
    await service.api.patch(f"{RULES}/{made}", json={"conditions": text("gems")})
    await inbox.take(said("b", 0, text="coins"), said("c", 0, text="gems"))
    assert [(await inbox.item(ident)).status for ident in "abc"] == [
        "spam", "unanswered", "spam",
    ]  # fmt: skip


async def test_signals_cost_no_statement_beside_the_one_that_asks_for_rules(
    service: Service, inbox: Inbox
) -> None:
    await keep_built_in(service.db, NOON)
    await inbox.take(said("earlier", 0))
    heard: list[str] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        await inbox.take(*(said(f"x{n}", n, f"p{n}", text="Where is it") for n in range(30)))
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert len([text for text in heard if "FROM rule" in text]) == 1
    assert not [text for text in heard if "action" in text.split("RETURNING")[0][:40]]


async def test_built_in_rules_are_freshened_until_somebody_edits_them(service: Service) -> None:
    brought = await keep_built_in(service.db, NOON)
    assert brought > 20
    assert await keep_built_in(service.db, NOON) == 0
    first, second, *_ = await repository.every(service.db)
    await service.api.patch(f"{RULES}/{second.id}", json={"name": "ours", "enabled": False})
    async with service.db.write() as tx:  # as if an older version had brought both
        await tx.execute(rule.update().values(digest="old", conditions={}))
    assert await keep_built_in(service.db, NOON) == brought - 1
    found = {row.id: row for row in await repository.every(service.db)}
    assert found[first.id].conditions == first.conditions
    assert (found[second.id].name, found[second.id].conditions) == ("ours", {})
