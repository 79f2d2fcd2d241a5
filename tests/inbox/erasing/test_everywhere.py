"""Erasing a person over the API: what a working team left of them goes, from the trail as well."""

from __future__ import annotations

from typing import Any

import httpx
from sqlalchemy import insert

from app.db import Database
from app.inbox.erasing.places import fitted
from app.inbox.labels.models import label
from app.inbox.labels.spelling import NAME_AT_MOST
from app.web.auth import Role
from tests.inbox.erasing.test_erasing import CANARY, author_id, everything, filled, named_in
from tests.inbox.pages import Inbox, add_source, said
from tests.service import NOON, Service
from tests.world import as_role

WORDS = "a text that nobody else would write"
ADDRESS = f"{CANARY}@here"
READ = (
    "/audit?limit=200", "/audit/export?format=csv", "/audit/export?format=ndjson", "/events",
    "/items?status=any&needs_reply=any", "/items/export?format=ndjson&status=any", "/actions",
    "/quarantine", "/rules", "/views", "/labels", "/deliveries", "/reports/response",
)  # fmt: skip


async def send(api: httpx.AsyncClient, method: str, path: str, body: Any = None) -> Any:
    key = {"Idempotency-Key": f"once:{path}"} if method == "POST" else {}
    answered = await api.request(method, f"/api/v1{path}", json=body, headers=key)
    assert answered.is_success, (method, path, answered.text)
    return answered.json()


async def work(api: httpx.AsyncClient, item_id: int, person_id: int) -> None:
    """What a team does with the messages of somebody, naming them wherever there is room for it."""
    item = f"/items/{item_id}"
    await send(api, "POST", f"{item}/notes", {"text": f"{ADDRESS} wrote: {WORDS}"})
    labels = [f"about {ADDRESS}", f"{'x' * 29} @{CANARY} y", "about [erased]"]
    await send(api, "PUT", f"{item}/labels", {"labels": labels})
    soon = {"name": f"soon: {ADDRESS}", "label": labels[0], "target": "PT1H"}
    await send(api, "POST", "/policies", soon)
    note = {"reason": "other", "note": f"{ADDRESS} called"}
    await send(api, "POST", f"{item}/dismiss", note)
    await send(api, "POST", f"{item}/reopen")
    bulk = {"action": "dismiss", "ids": [item_id], "params": note}
    await send(api, "POST", "/items/bulk", bulk)
    await send(api, "POST", "/views", {"name": ADDRESS, "filter": {"q": ADDRESS}})
    effect = {"kind": "label", "labels": ["press"]}
    rule = {"name": ADDRESS, "conditions": {"text": [{"any": [ADDRESS]}]}, "effect": effect}
    await send(api, "POST", "/rules", rule)
    await send(api, "PATCH", f"/authors/{person_id}", {"notes": f"also {ADDRESS}: {WORDS}"})
    await send(api, "POST", "/webhooks", {"url": "https://desk.example/", "description": ADDRESS})


async def test_an_erased_person_is_nowhere_in_what_the_team_did(service: Service) -> None:
    inbox = Inbox(service.db, await add_source(service.db))
    await filled(inbox)
    await inbox.take(said(f"{CANARY}/9", 9, CANARY, text=f"{ADDRESS}: {WORDS}"))
    person_id = await author_id(service.db)
    await work(service.api, (await inbox.item(f"{CANARY}/9")).id, person_id)
    async with as_role(service, Role.VIEWER) as viewer:
        refused = await viewer.patch(f"/api/v1/authors/{person_id}", json={"notes": ADDRESS})
        assert refused.status_code == 403
    before = await named_in(service.db)
    assert {"item", "note", "label", "action", "view", "rule", "author", "event"} <= before
    await send(service.api, "DELETE", f"/authors/{person_id}/data")
    left = await everything(service.db)
    assert {name for name, text in left.items() if CANARY in text.lower() or WORDS in text} == set()
    assert "erase_author" in left["audit"]
    assert left["audit"].count("local") + left["audit"].count("token") > 10, "the trail has it all"
    names = [each["name"] for each in (await service.api.get("/api/v1/labels")).json()["items"]]
    assert len(set(names)) == 3, "what named somebody is like another label now, and stays apart"
    assert all("[erased]" in name for name in names)
    for path in READ:
        told = await service.api.get(f"/api/v1{path}")
        assert told.status_code == 200, (path, told.text)
        assert CANARY not in told.text.lower(), path
        assert WORDS not in told.text, path


async def test_what_takes_the_place_of_a_name_is_cut_where_it_would_not_fit(db: Database) -> None:
    longer = "x" * NAME_AT_MOST + " [erased]"
    values = {"name": longer, "key": longer, "colour": None}
    async with db.write() as tx:
        fitting = await fitted(tx, label, 7, values)
        assert fitting == {"name": longer[:50], "key": longer, "colour": None}
        await tx.execute(insert(label).values(id=7, created_at=NOON, **fitting))
        again = await fitted(tx, label, 8, values)
    assert (again["name"], again["key"]) == (f"{longer[:48]} 8", f"{longer} 8")
