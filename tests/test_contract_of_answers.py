"""The OpenAPI document keeps its word: schemas, problems, rights; and it is the committed one."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from app.main import create_app
from app.team.entering.examples import SIGN_IN
from app.team.users.local import name_of_this_machine
from app.web.contract import violations
from app.web.openapi import operations
from app.web.principal import Role
from tests.browsing import ticket_of
from tests.connecting.platform import at_the_page, offered
from tests.connectors.fake_oauth import FakeOAuth
from tests.documents import DOCS, api_page, document, events_page
from tests.inbox.test_api import problem
from tests.outbox.receiver import idle, made
from tests.service import NOON, Service, settings_for
from tests.serving import serving
from tests.world import Watched, as_role, draft

SPEC: dict[str, Any] = document()
PLACES = [place for place, _ in operations(SPEC)]
ADMIN_PLACES = r"/sources|/users|/policies|/rules|/authors/{author_id}/data|/items/import"
STREAM = "GET /api/v1/events/stream"
ADMINS_ALONE = ("/tokens", "/webhooks", "/deliveries", "/connect/", "/identity")
OPEN = {place for place, operation in operations(SPEC) if operation.get("security") == []}
OWN = {
    "PUT /api/v1/me/password",
    "DELETE /api/v1/sessions",
    "DELETE /api/v1/sessions/{session_id}",
}
FOR_ADMINS = {p for p in PLACES if any(part in p for part in ADMINS_ALONE)} | {
    p for p in PLACES if re.search(ADMIN_PLACES, p) and not p.startswith("GET ")
}
FOR_VIEWERS = {p for p in PLACES if p.startswith("GET ")} - FOR_ADMINS - {"GET /api/v1/quarantine"}
FOR_VIEWERS |= OPEN | OWN
IDS = (
    "item_id", "source_id", "entry_id", "user_id", "token_id", "webhook_id", "delivery_id",
    "action_id", "label_id", "note_id", "view_id", "author_id", "policy_id",
    "rule_id", "connection_id", "session_id",
)  # fmt: skip
TOKEN = {"name": "to be changed", "role": "viewer"}
RULE = {
    "name": "refunds",
    "conditions": {"text": [{"any": ["refund"]}]},
    "effect": {"kind": "spam"},
}
USER = {"name": "ben", "role": "agent"}


def validate(answered: httpx.Response, place: str) -> None:
    """An answer is one that the document declares for its operation, in that shape."""
    method, path = place.split()
    declared = SPEC["paths"][path][method.lower()]["responses"]
    assert str(answered.status_code) in declared, (place, answered.text)
    response = declared[str(answered.status_code)]
    if "$ref" in response:
        response = SPEC["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    if "content" not in response:
        assert answered.content == b""
        return
    kind = answered.headers["content-type"]
    assert kind in response["content"], (place, kind)
    schema = {**response["content"][kind]["schema"], "components": SPEC["components"]}
    lines = kind == "application/x-ndjson"
    Draft202012Validator(schema).validate(answered.text if lines else answered.json())


def at(place: str, ids: dict[str, int]) -> tuple[str, str]:
    method, path = place.split()
    return method, path.format(platform="pages", **ids)


def body_of(place: str) -> Any:
    method, path = place.split()
    content = SPEC["paths"][path][method.lower()].get("requestBody", {}).get("content", {})
    return content.get("application/json", {}).get("example")


def test_the_document_is_the_committed_one() -> None:
    committed = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    assert committed == SPEC, "run: python -m tests.documents"


def test_the_pages_made_from_code_are_current() -> None:
    assert (DOCS / "api.md").read_text(encoding="utf-8") == api_page()
    assert (DOCS / "events.md").read_text(encoding="utf-8") == events_page()


def test_the_document_keeps_its_own_rules(tmp_path: Path) -> None:
    app = create_app(settings_for(f"sqlite:///{tmp_path}/none.db", tmp_path))
    assert violations(app.openapi()) == []
    assert app.openapi() == SPEC


def test_every_example_fits_its_schema() -> None:
    for place, operation in operations(SPEC):
        for response in operation["responses"].values():
            for content in response.get("content", {}).values():
                if "example" in content:
                    schema = {**content["schema"], "components": SPEC["components"]}
                    errors = list(Draft202012Validator(schema).iter_errors(content["example"]))
                    assert errors == [], place


def _in_turn(place: str) -> tuple[Any, ...]:
    """What makes a thing comes first, what takes it away last."""
    made = [f"POST /api/v1/{word}" for word in ("labels", "views", "items/bulk", "setup")]
    made.append("POST /api/v1/items/{item_id}/notes")
    last = ("pause", "resume", "DELETE", "DELETE /api/v1/authors", "DELETE /api/v1/sources")
    return [word in place for word in last[::-1]], place not in made, place


async def a_policy(watched: Watched) -> int:
    made = await watched.api.post("/api/v1/policies", json={"name": "soon", "target": "PT1H"})
    return int(made.json()["id"])


@pytest.fixture
async def platform() -> AsyncIterator[str]:
    """One that is connected through its page, which is there; its address."""
    async with serving(FakeOAuth()) as base:
        with offered():
            yield base


async def a_consent(watched: Watched, body: dict[str, Any]) -> int:
    begun = (await watched.api.post("/api/v1/connect/pages", json=body)).json()
    page = await watched.api.get(await at_the_page(begun["authorize_url"]))
    assert page.status_code == 200, page.text
    return int(begun["id"])


async def test_every_answer_fits_the_document(watched: Watched, platform: str) -> None:
    """Each operation once: with success where that can be had, in an order that allows it."""
    app = {"client_id": "app-1", "client_secret": "app-secret-1"}
    begin = {"settings": {"api_url": platform}, **app}
    watched.world.answer(2, NOON)
    found = await watched.item(1)
    ids = dict.fromkeys(IDS, 1) | {"item_id": found["id"], "source_id": watched.source_id}
    ids["token_id"] = (await watched.api.post("/api/v1/tokens", json=TOKEN)).json()["id"]
    ids["user_id"] = (await watched.api.post("/api/v1/users", json=USER)).json()["id"]
    mine = await watched.api.patch("/api/v1/tokens/1", json={"user_id": 1})
    assert mine.status_code == 200, mine.text
    ids |= {"author_id": found["author"]["id"], "policy_id": await a_policy(watched)}
    ids["rule_id"] = (await watched.api.post("/api/v1/rules", json=RULE)).json()["id"]
    ids["connection_id"] = await a_consent(watched, begin)
    bodies = {
        "POST /api/v1/connect/{platform}": begin,
        "POST /api/v1/connect/{platform}/{connection_id}": {"name": "a page"},
        "POST /api/v1/sources": draft(watched.base, "support"),
        "POST /api/v1/sources/check": {
            name: value for name, value in draft(watched.base).items() if name != "name"
        },
        "PATCH /api/v1/sources/{source_id}": {"labels": ["press"]},
        "POST /api/v1/webhooks": {"url": f"{watched.base}/hook", "enabled": False},
        "POST /api/v1/items/bulk": {
            "action": "label",
            "ids": [found["id"], 999],
            "params": {"add": ["bulk"]},
        },
        "PATCH /api/v1/labels/{label_id}": {"name": "media"},
        "POST /api/v1/presence": {"item_id": found["id"], "state": "viewing"},
        "POST /api/v1/setup": {
            "ticket": ticket_of(watched.service.app.state.set_up_link),
            "password": SIGN_IN["password"],
        },
        "POST /api/v1/session": SIGN_IN | {"name": name_of_this_machine()},
    }
    await made(watched.service, f"{watched.base}/hook")
    await idle(watched.service)
    statuses = {}
    for place in sorted(set(PLACES) - {STREAM}, key=_in_turn):  # the stream does not end
        method, path = at(place, ids)
        wait = "?wait=20" if path.endswith("/poll") else ""
        body = bodies.get(place, body_of(place))
        answered = await watched.api.request(method, path + wait, json=body)
        validate(answered, place)
        statuses[place] = answered.status_code
    failed = {place: status for place, status in statuses.items() if status >= 400}
    assert set(failed) <= {
        "POST /api/v1/quarantine/{entry_id}/retry",
        "POST /api/v1/connect/{platform}/{connection_id}/check",  # finished by then
        "POST /api/v1/items/{item_id}/snooze",  # replied by then
        "POST /api/v1/items/{item_id}/thank",  # somebody waits for an answer
        "DELETE /api/v1/sessions/{session_id}",  # the password was changed by then
    }, failed


async def test_every_operation_answers_errors_as_problems(service: Service) -> None:
    ids = dict.fromkeys(IDS, 999)
    for place in PLACES:
        method, path = at(place, ids)
        wrong = await service.api.request(method, f"{path}?nonsense=1", json=body_of(place))
        told = problem(wrong, 422, "invalid-request")
        assert ("?nonsense", "unknown_parameter") in [
            (error["pointer"], error["code"]) for error in told["errors"]
        ]
        validate(wrong, place)
        if "{" in place:
            validate(await service.api.request(method, path, json=body_of(place)), place)


async def test_nobody_gets_in_without_a_token(service: Service) -> None:
    ids = dict.fromkeys(IDS, 1)
    for place in sorted(set(PLACES) - OPEN):
        method, path = at(place, ids)
        for headers in (
            {},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer x"},
            {"Authorization": f"Bearer {'a' * 40}"},
            {"Authorization": "Basic YTpi"},
        ):
            refused = await service.anonymous.request(method, path, headers=headers, json={})
            problem(refused, 401, "unauthenticated")
            assert refused.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, FOR_VIEWERS),
        (Role.AGENT, set(PLACES) - FOR_ADMINS),
        (Role.ADMIN, set(PLACES)),
    ],
)
async def test_each_role_may_do_its_part(service: Service, role: Role, allowed: set[str]) -> None:
    ids = dict.fromkeys(IDS, 999)
    async with as_role(service, role) as client:
        for place in PLACES:
            method, path = at(place, ids)
            endless = "?after=nonsense" if place == STREAM else ""
            answered = await client.request(method, path + endless, json={"nonsense": 1})
            assert (answered.status_code != 403) == (place in allowed), (place, answered.text)
            if place not in allowed:
                problem(answered, 403, "not-allowed")
