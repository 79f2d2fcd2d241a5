"""One key, one effect: a POST that is repeated is done once and answered alike."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends
from sqlalchemy import func, insert, select
from starlette.responses import Response

from app.clock import FrozenClock
from app.errors import Conflict
from app.outbox.events import POLLER, Event, record
from app.outbox.models import event
from app.polling.housekeeping import clean
from app.team.models import user
from app.web.around import lay_around
from app.web.auth import needs
from app.web.deps import Now, Writer
from app.web.idempotency import _repeatable
from app.web.models import idempotency_key
from app.web.openapi import operations
from app.web.principal import Permission, Principal, Role
from tests.service import Service
from tests.world import Watched, as_role

KEY = "3f0c2a9e-1"
TOKEN = {"name": "desk", "role": "viewer"}


def keyed(key: str = KEY, **more: str) -> dict[str, str]:
    return {"Idempotency-Key": key, **more}


async def events(service: Service) -> int:
    rows = await service.db.rows(select(func.count()).select_from(event))
    return int(rows[0][0])


async def post(
    service: Service, path: str, body: Any = None, client: httpx.AsyncClient | None = None, **h: str
) -> httpx.Response:
    return await (client or service.api).post(f"/api/v1{path}", json=body, headers=keyed(**h))


async def test_a_repeat_is_answered_like_the_first_and_does_nothing(watched: Watched) -> None:
    item = await watched.item(1)
    path, body = f"/items/{item['id']}/dismiss", {"reason": "duplicate"}
    first = await post(watched.service, path, body)
    known = await events(watched.service)
    await watched.act(1, "reopen")
    again = await post(watched.service, path, body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert await events(watched.service) == known + 1  # the reopening alone
    assert (await watched.item(1))["status"] == "unanswered"


async def test_a_hundred_repeats_at_once_have_one_effect(watched: Watched) -> None:
    before = await events(watched.service)
    item = await watched.item(1)
    path = f"/items/{item['id']}/snooze"
    body = {"until": "2026-11-25T09:00:00Z"}
    answered = await asyncio.gather(*(post(watched.service, path, body) for _ in range(100)))
    assert {each.status_code for each in answered} == {200}
    assert len({each.content for each in answered}) == 1
    assert sum("Idempotency-Replayed" not in each.headers for each in answered) == 1
    assert await events(watched.service) == before + 1


async def test_a_hundred_tokens_asked_for_at_once_are_one(service: Service) -> None:
    answered = await asyncio.gather(*(post(service, "/tokens", TOKEN) for _ in range(100)))
    assert {each.status_code for each in answered} == {201}
    assert len({each.json()["secret"] for each in answered}) == 1
    listed = (await service.api.get("/api/v1/tokens?limit=200")).json()["items"]
    assert sum(each["name"] == "desk" for each in listed) == 1


async def test_a_route_with_transactions_of_its_own_runs_once(watched: Watched) -> None:
    path = f"/sources/{watched.source_id}/pause"
    answered = await asyncio.gather(*(post(watched.service, path) for _ in range(20)))
    told = [(each.status_code, each.json().get("code")) for each in answered]
    assert sum("Idempotency-Replayed" not in a.headers and a.is_success for a in answered) == 1
    assert {one for one in told if one[0] != 200} <= {(409, "still-running")}
    assert all("Retry-After" in each.headers for each in answered if each.status_code == 409)
    again = await post(watched.service, path)
    assert again.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/tokens", {**TOKEN, "name": "other"}, {}),
        ("/users", TOKEN, {}),
        ("/tokens", TOKEN, {"If-Match": '"v1"'}),
    ],
)
async def test_a_key_of_another_request_is_refused(
    service: Service, path: str, body: Any, headers: dict[str, str]
) -> None:
    assert (await post(service, "/tokens", TOKEN)).status_code == 201
    if path == "/users":
        body = {"name": "mia", "role": "agent"}
    refused = await service.api.post(f"/api/v1{path}", json=body, headers=keyed(**headers))
    assert refused.status_code == 422
    assert refused.json()["code"] == "idempotency-key-reused"
    assert refused.json()["errors"][0]["pointer"] == "#Idempotency-Key"


async def test_each_token_has_keys_of_its_own(watched: Watched) -> None:
    item = await watched.item(1)
    path = f"/items/{item['id']}/reopen"
    assert (await post(watched.service, path)).status_code == 200
    async with as_role(watched.service, Role.AGENT) as agent:
        theirs = await post(watched.service, path, client=agent)
        assert "Idempotency-Replayed" not in theirs.headers


async def test_what_a_token_may_no_longer_see_is_not_told_again(watched: Watched) -> None:
    item = await watched.item(3)
    path = f"/items/{item['id']}/reopen"
    async with as_role(watched.service, Role.AGENT) as agent:
        assert (await post(watched.service, path, client=agent)).status_code == 200
        me = (await agent.get("/api/v1/me")).json()
        narrowed = {"source_ids": [watched.source_id]}
        changed = await watched.api.patch(f"/api/v1/tokens/{me['id']}", json=narrowed)
        assert changed.status_code == 200, changed.text
        refused = await post(watched.service, path, client=agent)
        assert refused.json()["code"] == "idempotency-key-reused"


async def test_an_outcome_that_is_a_refusal_is_kept_and_undoes_what_was_written(
    watched: Watched,
) -> None:
    item = await watched.item(1)
    path = f"/items/{item['id']}/dismiss"
    body, stale = {"reason": "duplicate"}, {"If-Match": '"v99"'}
    known = await events(watched.service)
    url = f"/api/v1{path}"
    first = await watched.api.post(url, json=body, headers=keyed(**stale))
    again = await watched.api.post(url, json=body, headers=keyed(**stale))
    assert (first.status_code, again.status_code) == (412, 412)
    assert again.content == first.content
    assert again.headers["Content-Type"] == "application/problem+json"
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await events(watched.service) == known


Acting = Annotated[Principal, Depends(needs(Permission.READ))]


async def half(principal: Acting, tx: Writer, now: Now) -> Response:
    """Writes, counts on writing an event at the end, and then can't go on."""
    person = {"name": "zoe", "name_key": "zoe", "display_name": "Zoe", "role": "viewer"}
    await tx.execute(insert(user).values(**person, rights=[], created_at=now, created_by="test"))
    record(tx, Event(type="source.added", at=now, actor=POLLER))
    tx.after_commit.append(told.clear)
    raise Conflict("Somebody else has it.", headers={"Retry-After": "7"})


told = ["what a commit would clear"]


async def test_a_refusal_is_kept_but_nothing_else_that_the_route_wrote(service: Service) -> None:
    service.app.add_api_route("/api/v1/half", half, methods=["POST"], name="half")
    lay_around(service.app, "POST", lambda path: path == "/api/v1/half", _repeatable)
    people, known = await service.db.rows(select(user.c.id)), await events(service)
    first, again = await post(service, "/half"), await post(service, "/half")
    assert [(a.status_code, a.headers["Retry-After"]) for a in (first, again)] == [(409, "7")] * 2
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await service.db.rows(select(user.c.id)) == people
    assert await events(service) == known
    assert told


async def test_a_request_that_is_invalid_or_not_allowed_is_not_kept(service: Service) -> None:
    bad = await post(service, "/tokens", {"name": "desk"})
    assert bad.status_code == 422
    assert (await post(service, "/tokens", TOKEN)).status_code == 201
    async with as_role(service, Role.VIEWER) as viewer:
        assert (await post(service, "/tokens", TOKEN, client=viewer)).status_code == 403
    rows = await service.db.rows(select(idempotency_key))
    assert len(rows) == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ü".encode().decode("latin-1")])
async def test_a_key_that_is_none_is_refused(service: Service, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    refused = await service.api.post("/api/v1/tokens", json=TOKEN, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#Idempotency-Key"


async def test_two_keys_are_refused(service: Service) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    refused = await service.api.post("/api/v1/tokens", json=TOKEN, headers=headers)
    assert refused.json()["errors"][0]["code"] == "malformed"


async def test_a_secret_lies_sealed_and_is_told_again(service: Service) -> None:
    first = await post(service, "/tokens", TOKEN)
    rows = await service.db.rows(select(idempotency_key))
    stored = json.dumps([str(value) for value in rows[0]])
    assert first.json()["secret"] not in stored
    assert "desk" not in stored
    again = await post(service, "/tokens", TOKEN)
    assert again.json()["secret"] == first.json()["secret"]
    assert again.headers["Cache-Control"] == "no-store"


async def test_after_a_day_a_key_is_new_and_housekeeping_deletes_it(
    service: Service, clock: FrozenClock
) -> None:
    first = await post(service, "/tokens", TOKEN)
    clock.move(timedelta(hours=24))
    other = await post(service, "/tokens", {**TOKEN, "name": "other"})
    assert (first.status_code, other.status_code) == (201, 201)
    clock.move(timedelta(hours=25))
    assert (await clean(service.db, clock.now()))["idempotency_key"] == 1


async def test_a_key_whose_request_ended_without_an_answer_can_be_used_again(
    watched: Watched, clock: FrozenClock
) -> None:
    path = f"/sources/{watched.source_id}/pause"
    assert (await post(watched.service, path)).status_code == 200
    async with watched.service.db.write() as tx:
        await tx.execute(idempotency_key.update().values(answer_status=None, answer=None))
    running = await post(watched.service, path)
    assert (running.status_code, running.json()["code"]) == (409, "still-running")
    clock.move(timedelta(minutes=4))
    assert (await post(watched.service, path)).status_code == 200


async def test_every_post_takes_a_key_and_says_so(service: Service) -> None:
    """Each is really asked: a malformed key is refused by all, so none has been forgotten."""
    asked = 0
    for place, operation in operations(service.app.openapi()):
        method, _, path = place.partition(" ")
        if method != "POST" or not path.startswith("/api/") or operation["security"] == []:
            continue  # what is open to anybody knows nobody whose key it could be
        named = [p["name"] for p in operation["parameters"] if p["in"] == "header"]
        assert "Idempotency-Key" in named, place
        assert {"409", "422"} <= operation["responses"].keys(), place
        url = path
        for name in [p["name"] for p in operation["parameters"] if p["in"] == "path"]:
            url = url.replace(f"{{{name}}}", "999999")
        refused = await service.api.post(url, json={}, headers={"Idempotency-Key": "a b"})
        pointers = [error["pointer"] for error in refused.json().get("errors", ())]
        assert pointers == ["#Idempotency-Key"], place
        asked += 1
    assert asked > 15
