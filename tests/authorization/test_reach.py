"""Who sees some sources changes nothing that reaches into the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.authorization.stock import Stock
from tests.web.apps import problem

RULE = {"name": "wide", "conditions": {"kinds": ["review"]}, "effect": {"kind": "spam"}}


async def test_a_policy_is_for_ones_own_sources_alone(stock: Stock) -> None:
    admin, everybody = stock.callers["admin"], stock.service.api
    own, foreign = stock.own["source_id"], stock.foreign["source_id"]

    async def made(source_id: int | None, name: str) -> Any:
        body: Mapping[str, Any] = {"name": name, "target": "PT1H", "source_id": source_id}
        return await admin.post("/api/v1/policies", json=body)

    problem(await made(None, "wide"), 403, "not-allowed")
    problem(await made(foreign, "theirs"), 422, "invalid-request")
    mine = await made(own, "mine")
    one = f"/api/v1/policies/{mine.json()['id']}"
    problem(await admin.patch(one, json={"source_id": None}), 403, "not-allowed")
    problem(await admin.patch(one, json={"source_id": foreign}), 422, "invalid-request")
    assert (await admin.patch(one, json={"target": "PT2H"})).status_code == 200
    wide = await everybody.post("/api/v1/policies", json={"name": "all", "target": "PT1H"})
    path = f"/api/v1/policies/{wide.json()['id']}"
    assert (await admin.get(path)).status_code == 200
    problem(await admin.patch(path, json={"target": "PT9H"}), 403, "not-allowed")
    problem(await admin.delete(path), 403, "not-allowed")


async def test_rules_and_names_of_labels_are_everybodys(stock: Stock) -> None:
    admin, agent = stock.callers["admin"], stock.callers["agent"]
    label = f"/api/v1/labels/{stock.shared['label_id']}"
    problem(await agent.delete(label), 403, "not-allowed")
    problem(await agent.patch(label, json={"name": "other"}), 403, "not-allowed")
    problem(await admin.post("/api/v1/rules", json=RULE), 403, "not-allowed")
    rule = f"/api/v1/rules/{stock.shared['rule_id']}"
    problem(await admin.delete(rule), 403, "not-allowed")
    assert (await stock.callers["agent_all"].patch(label, json={"name": "new"})).status_code == 200
