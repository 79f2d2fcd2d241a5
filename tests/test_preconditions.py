"""If-Match: whatever changes one thing refuses a version that is no longer the present one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.web.openapi import operations
from tests.inbox.test_api import problem
from tests.outbox.receiver import Receiver, made
from tests.serving import serving
from tests.staff import as_person
from tests.world import Watched

DOCUMENT = json.loads((Path(__file__).parent.parent / "docs" / "openapi.json").read_text("utf-8"))
WITHOUT = {
    "undo_action": "an action has no version; each of its items is compared with the one it left",
    "erase_author": "a person is erased whatever has changed about them",
    "check_source": "asks the platform and changes nothing",
    "poll_source": "reads the platform, as the service does by itself at any time",
    "retry_quarantined": "an entry has no version; a repeat is harmless",
    "send_test": "changes nothing",
    "begin_connection": "makes something new; a source is changed only when it is finished",
    "check_connection": "asks the platform and changes nothing",
    "finish_connection": "it belongs to one caller; of two who finish at once, one does",
    "give_up_connection": "it belongs to one caller, and is given up whatever has become of it",
    "retry_delivery": "a delivery has no version; a repeat is harmless",
    "sign_out": "ends the session that asks",
    "end_session": "a session is ended whatever it has become; a repeat is harmless",
    "end_sessions": "they are ended whatever they have become; a repeat is harmless",
    "change_password": "the present password is asked for, which is the better proof",
    "put_identity": "an identity has no version; a repeat is harmless",
    "delete_identity": "an identity has no version; a repeat is harmless",
    "create_sign_in_link": "makes something new; earlier links are void",
}
"""Changes of one thing that know no If-Match, and why."""
BODIES: dict[str, Any] = {
    "dismiss_item": {"reason": "duplicate"},
    "snooze_item": {"until": "2026-11-24T09:00:00Z"},
    "set_item_labels": {"labels": ["press"]},
    "assign_item": {"assignee": None},
    "add_note": {"text": "Ask the warehouse."},
    "change_note": {"text": "Ask the shop."},
    "replay_events": {"after": 0},
}


def changing_one() -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation of everything that changes one thing."""
    found = []
    for place, operation in operations(DOCUMENT):
        method, path = place.split(" ", 1)
        if method in {"PUT", "PATCH", "DELETE"} or (method == "POST" and "{" in path):
            found.append((method, path, operation))
    return found


def test_every_change_of_one_thing_documents_412_or_says_why_not() -> None:
    documented = {o["operationId"] for _, _, o in changing_one() if "412" in o["responses"]}
    every = {o["operationId"] for _, _, o in changing_one()}
    assert every - documented == WITHOUT.keys()


async def things(watched: Watched, base: str) -> dict[str, int]:
    """One of everything that can be changed, by the names of the parameters of paths."""
    found = await watched.item(1)
    api = watched.api
    note = await api.post(f"/api/v1/items/{found['id']}/notes", json={"text": "Look."})
    label = await api.post("/api/v1/labels", json={"name": "press"})
    view = await api.post("/api/v1/views", json={"name": "Press", "filter": {"label": ["press"]}})
    policy = await api.post("/api/v1/policies", json={"name": "soon", "target": "PT1H"})
    wanted = {"conditions": {"kinds": ["review"]}, "effect": {"kind": "label", "labels": ["x"]}}
    rule = await api.post("/api/v1/rules", json={"name": "ours", **wanted})
    async with as_person(watched.service, "mira"):
        people = (await api.get("/api/v1/users")).json()["items"]
    tokens = (await api.get("/api/v1/tokens")).json()["items"]
    return {
        "item_id": found["id"],
        "author_id": found["author"]["id"],
        "source_id": watched.source_id,
        "note_id": note.json()["id"],
        "label_id": label.json()["id"],
        "view_id": view.json()["id"],
        "rule_id": rule.json()["id"],
        "policy_id": policy.json()["id"],
        "webhook_id": (await made(watched.service, f"{base}/desk"))["id"],
        "user_id": next(each["id"] for each in people if each["name"] == "mira"),
        "token_id": next(each["id"] for each in tokens if each["name"] == "mira's"),
    }


async def test_a_version_that_is_gone_changes_nothing(watched: Watched) -> None:
    async with serving(Receiver()) as base:
        ids = await things(watched, base)
    before = await watched.item(1)
    for method, path, operation in changing_one():
        name = operation["operationId"]
        if name in WITHOUT:
            continue
        body = BODIES.get(name, {} if "requestBody" in operation else None)
        answered = await watched.api.request(
            method, path.format(**ids), json=body, headers={"If-Match": '"v999"'}
        )
        told = problem(answered, 412, "version-mismatch")
        assert "999" not in told["detail"], name
        assert told["current"]["version"] < 999, name
    assert await watched.item(1) == before


@pytest.mark.parametrize("kind", ["labels", "views", "policies"])
async def test_the_version_that_is_given_is_the_one_that_is_taken(
    watched: Watched, kind: str
) -> None:
    more: dict[str, dict[str, Any]] = {
        "labels": {},
        "views": {"filter": {}},
        "policies": {"target": "PT1H"},
    }
    first = await watched.api.post(f"/api/v1/{kind}", json={"name": "a", **more[kind]})
    assert (first.status_code, first.headers["etag"]) == (201, '"v1"')
    url = f"/api/v1/{kind}/{first.json()['id']}"
    present = {"If-Match": first.headers["etag"]}
    same = await watched.api.patch(url, json={"name": "a"}, headers=present)
    assert (same.headers["etag"], same.json()) == ('"v1"', first.json())
    changed = await watched.api.patch(url, json={"name": "b"}, headers=present)
    assert (changed.headers["etag"], changed.json()["version"]) == ('"v2"', 2)
    late = await watched.api.patch(url, json={"name": "c"}, headers=present)
    assert problem(late, 412, "version-mismatch")["current"] == changed.json()
    assert late.headers["etag"] == '"v2"'
    problem(await watched.api.delete(url, headers=present), 412, "version-mismatch")
    gone = await watched.api.delete(url, headers={"If-Match": '"v2"'})
    assert gone.status_code == 204
