"""Rules over HTTP: made, changed, refused, tried, applied."""

from __future__ import annotations

from typing import Any

import pytest

from app.inbox.rules.service import keep_built_in
from tests.inbox.pages import Inbox, add_source, said
from tests.inbox.test_api import problem
from tests.service import NOON, Service

RULES = "/api/v1/rules"
SPAM = {"kind": "spam"}
COINS: dict[str, Any] = {"text": [{"any": ["coins"]}]}


@pytest.fixture
async def inbox(service: Service) -> Inbox:
    return Inbox(service.db, await add_source(service.db))


async def made(service: Service, **given: Any) -> dict[str, Any]:
    body = {"name": "mine", "conditions": COINS, "effect": SPAM, **given}
    answered = await service.api.post(RULES, json=body)
    assert answered.status_code == 201, answered.text
    found: dict[str, Any] = answered.json()
    return found


async def test_a_rule_is_made_changed_and_removed(service: Service) -> None:
    rule = await made(service)
    url = f"{RULES}/{rule['id']}"
    assert (rule["origin"], rule["edited"], rule["version"]) == ("team", False, 1)
    same = await service.api.patch(url, json={"name": "mine"}, headers={"If-Match": '"v1"'})
    assert same.json()["version"] == 1
    changed = await service.api.patch(url, json={"place": 3, "effect": {"kind": "spam"}})
    assert (changed.json()["place"], changed.headers["ETag"]) == (3, '"v2"')
    late = await service.api.patch(url, json={"enabled": False}, headers={"If-Match": '"v1"'})
    problem(late, 412, "version-mismatch")
    assert [r["id"] for r in (await service.api.get(RULES)).json()["items"]] == [rule["id"]]
    assert (await service.api.delete(url)).status_code == 204
    problem(await service.api.get(url), 404, "not-found")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"conditions": {}}, "/conditions"),
    ({"conditions": {"author": {}}}, "/conditions"),
    ({"conditions": {"text": [{"any": []}]}}, "/conditions/text/0/any"),
    ({"conditions": {"text": [{"any": ["*"]}]}}, "/conditions/text/0/any/0"),
    ({"conditions": {"links": {"hosts": ["https://a.b"]}}}, "/conditions/links/hosts/0"),
    ({"effect": {"kind": "delete"}}, "/effect/kind"),
    ({"effect": {"kind": "signal"}}, "/effect"),
    ({"effect": {"kind": "spam", "labels": ["a"]}}, "/effect"),
    ({"effect": {"kind": "signal", "code": "question", "reason": "x"}}, "/effect"),
    ({"effect": {"kind": "dismiss", "code": "boring"}}, "/effect"),
    ({"effect": {"kind": "dismiss", "code": "other"}}, "/effect"),
    ({"effect": {"kind": "label", "labels": [" "]}}, "/effect/labels/0"),
]


async def test_what_is_wrong_is_pointed_at(service: Service) -> None:
    for given, pointer in REFUSED:
        body = {"name": "mine", "conditions": COINS, "effect": SPAM, **given}
        answered = await service.api.post(RULES, json=body)
        errors = problem(answered, 422, "invalid-request")["errors"]
        assert pointer in {error["pointer"] for error in errors}, (given, errors)


async def test_a_built_in_rule_is_switched_off_not_removed(service: Service) -> None:
    await keep_built_in(service.db, NOON)
    first = (await service.api.get(RULES)).json()["items"][0]
    assert (first["origin"], first["edited"]) == ("built_in", False)
    url = f"{RULES}/{first['id']}"
    problem(await service.api.delete(url), 409, "conflict")
    off = (await service.api.patch(url, json={"enabled": False})).json()
    assert (off["enabled"], off["edited"]) == (False, False)
    assert (await service.api.patch(url, json={"name": "ours"})).json()["edited"]


async def test_a_rule_is_tried_before_it_is_saved(service: Service, inbox: Inbox) -> None:
    await inbox.take(said("a", 0, text="coins"), said("b", 1), said("c", 2, text="Coins!"))
    draft = {"conditions": COINS, "effect": SPAM}
    tried = await service.api.post(
        f"{RULES}/test", json={"rule": draft, "text": "no", "filter": {"status": "any"}}
    )
    ids = [(await inbox.item(ident)).id for ident in "ac"]
    assert tried.json() == {
        "text": False, "looked_at": 3, "more": False, "matched": 2, "item_ids": ids,
        "applied": None,
    }  # fmt: skip
    unsaved = {"rule": draft, "item_ids": ids, "apply": True}
    problem(await service.api.post(f"{RULES}/test", json=unsaved), 422, "invalid-request")
    for wrong in ({"text": "x"}, {"rule": draft}, {"rule_id": 1, "rule": draft, "text": "x"}):
        problem(await service.api.post(f"{RULES}/test", json=wrong), 422, "invalid-request")


async def test_a_signal_is_applied_to_what_is_stored_and_taken_back(
    service: Service, inbox: Inbox
) -> None:
    await inbox.take(said("a", 0, text="coins"), said("b", 1))
    effect = {"kind": "signal", "code": "odd", "reason": "Speaks of coins."}
    rule = await made(service, effect=effect)
    body = {"rule_id": rule["id"], "filter": {}, "apply": True}
    assert (await service.api.post(f"{RULES}/test", json=body)).json()["applied"] == 1
    assert (await service.api.post(f"{RULES}/test", json=body)).json()["applied"] == 0
    mark = {"code": "odd", "reason": "Speaks of coins.", "rule_id": rule["id"]}
    assert (await inbox.item("a")).signals == [mark]
    (done,) = (await service.api.get("/api/v1/actions")).json()["items"]
    assert (done["action"], done["items"]) == ("signal", 1)
    await service.api.post(f"/api/v1/actions/{done['id']}/undo")
    assert (await inbox.item("a")).signals == []
    await service.api.post(f"{RULES}/test", json=body)
    await service.api.patch(
        f"{RULES}/{rule['id']}", json={"conditions": {"text": [{"any": ["gems"]}]}}
    )
    assert (await service.api.post(f"{RULES}/test", json=body)).json()["applied"] == 1
    assert (await inbox.item("a")).signals == []


async def test_a_rule_is_applied_to_what_waits(service: Service, inbox: Inbox) -> None:
    await inbox.take(said("a", 0, text="coins"), said("b", 1))
    rule = await made(service)
    body = {"rule_id": rule["id"], "filter": {}, "apply": True}
    assert (await service.api.post(f"{RULES}/test", json=body)).json()["applied"] == 1
    assert [(await inbox.item(i)).status for i in "ab"] == ["spam", "unanswered"]
