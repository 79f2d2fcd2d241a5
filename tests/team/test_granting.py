"""Tokens over HTTP: made once, shown once, never more than their person, dead when revoked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.clock import stamp
from app.db import open_database
from app.team.service import CACHE_SECONDS, Tokens
from app.team.tokens import is_well_formed
from app.web.principal import Role
from tests.inbox.test_api import pointers, problem
from tests.service import ADMIN_TOKEN, NOON, Service
from tests.staff import add_person, as_person, speaking
from tests.world import Watched

TOKENS = "/api/v1/tokens"
WALL = {"name": "wall display", "role": "viewer"}


async def make(service: Service, **body: Any) -> dict[str, Any]:
    answered = await service.api.post(TOKENS, json=WALL | body)
    assert answered.status_code == 201, answered.text
    made: dict[str, Any] = answered.json()
    return made


async def person(service: Service, role: Role = Role.AGENT, **values: Any) -> int:
    async with service.db.write() as tx:
        return await add_person(tx, "mira", role, **values)


async def test_the_secret_is_shown_once_and_opens_the_door(service: Service) -> None:
    made = await make(service)
    secret = made.pop("secret")
    assert is_well_formed(secret)
    assert made["last4"] == secret[-4:]
    async with speaking(service, secret) as client:
        me = (await client.get("/api/v1/me")).json()
    assert (me["name"], me["role"], me["user"]) == ("wall display", "viewer", None)
    await service.app.state.resolve.close()  # the use has been noted
    shown = (await service.api.get(f"{TOKENS}/{made['id']}")).json()
    assert shown == made | {"last_used_at": stamp(NOON)}
    listed = await service.api.get(TOKENS)
    assert listed.json()["items"][-1] == shown
    assert secret not in listed.text


async def test_a_token_of_a_person_speaks_in_their_name(watched: Watched) -> None:
    mira = await person(watched.service)
    made = await make(watched.service, role="agent", user_id=mira)
    assert made["user"] == {"id": mira, "name": "mira", "display_name": "Mira"}
    item = await watched.item(1)
    async with speaking(watched.service, made["secret"]) as client:
        answered = await client.post(f"/api/v1/items/{item['id']}/mark-replied")
    assert answered.json()["answer"]["answered_by"] == "Mira"
    last = (await watched.events(1))[-1]
    assert (last["actor_kind"], last["actor"], last["actor_user_id"]) == ("person", "Mira", mira)
    await watched.api.patch(f"/api/v1/users/{mira}", json={"display_name": "Mira K."})
    assert (await watched.events(1))[-1]["actor"] == "Mira"


async def test_a_token_can_not_be_made_for_more_than_its_person_may(watched: Watched) -> None:
    mira = await person(watched.service, Role.VIEWER, source_ids=[watched.source_id])
    made = await watched.api.post("/api/v1/sources", json=draft_of(watched))
    other = made.json()["id"]
    for body, pointer in (
        ({"role": "agent"}, "/role"),
        ({"rights": ["direct"]}, "/rights"),
        ({"source_ids": [watched.source_id, other]}, "/source_ids"),
    ):
        asked = WALL | {"user_id": mira} | body
        told = problem(await watched.api.post(TOKENS, json=asked), 422, "invalid-request")
        assert pointers(told) == [(pointer, "beyond_person")]
    limited = await make(watched.service, user_id=mira)
    async with speaking(watched.service, limited["secret"]) as client:
        assert (await client.get("/api/v1/me")).json()["source_ids"] == [watched.source_id]
        assert (await client.get(f"/api/v1/sources/{other}")).status_code == 404
    path = f"{TOKENS}/{limited['id']}"
    told = problem(await watched.api.patch(path, json={"role": "admin"}), 422, "invalid-request")
    assert pointers(told) == [("/role", "beyond_person")]


def draft_of(watched: Watched) -> dict[str, Any]:
    return {
        "platform": "demo",
        "name": "support",
        "settings": {"api_url": watched.base, "account": "support"},
        "credential": {"token": "token-of-support"},
    }


MALFORMED: list[tuple[dict[str, Any], str, str | None]] = [
    ({"name": ""}, "/name", "too_short"),
    ({"role": "root"}, "/role", "not_one_of"),
    ({"expires_at": stamp(NOON)}, "/expires_at", "in_the_past"),
    ({"source_ids": [5, 6]}, "/source_ids", "unknown_source"),
    ({"user_id": 99}, "/user_id", "unknown_person"),
    ({"user_id": "mira"}, "/user_id", None),
    ({"secret": "mine"}, "/secret", "unknown_field"),
]


async def test_what_is_malformed_is_refused_where_it_stands(service: Service) -> None:
    for body, pointer, code in MALFORMED:
        told = problem(await service.api.post(TOKENS, json=WALL | body), 422, "invalid-request")
        ((found, why),) = pointers(told)
        assert (found, code or why) == (pointer, why), body


async def test_a_token_is_changed_and_keeps_its_secret(service: Service) -> None:
    made = await make(service)
    path = f"{TOKENS}/{made['id']}"
    mira = await person(service)
    later = stamp(NOON + timedelta(hours=1))
    async with speaking(service, made["secret"]) as client:
        assert (await client.get("/api/v1/me")).json()["role"] == "viewer"
        body = {"name": "phone", "role": "agent", "user_id": mira, "expires_at": later}
        changed = (await service.api.patch(path, json=body)).json()
        me = (await client.get("/api/v1/me")).json()
        assert (me["role"], me["name"], me["expires_at"]) == ("agent", "Mira", later)
        again = await service.api.patch(path, json={"user_id": None, "expires_at": None})
        gone = {"user": None, "expires_at": None, "version": changed["version"] + 1}
        used = {"last_used_at": again.json()["last_used_at"]}
        assert again.json() == changed | gone | used
        assert (await client.get("/api/v1/me")).json()["user"] is None
    problem(await service.api.patch(f"{TOKENS}/99", json={}), 404, "not-found")
    await service.api.delete(f"/api/v1/users/{mira}")
    told = problem(await service.api.patch(path, json={"user_id": mira}), 422, "invalid-request")
    assert pointers(told) == [("/user_id", "disabled")]
    await service.api.delete(path)
    told = problem(await service.api.patch(path, json={"name": "back"}), 409, "conflict")
    assert "revoked" in told["detail"]


async def test_a_revoked_token_is_dead_at_once_and_still_listed_when_asked(
    service: Service,
) -> None:
    made = await make(service)
    path = f"{TOKENS}/{made['id']}"
    async with speaking(service, made["secret"]) as client:
        assert (await client.get("/api/v1/me")).status_code == 200
        assert (await service.api.delete(path)).status_code == 204
        problem(await client.get("/api/v1/me"), 401, "unauthenticated")
    assert (await service.api.delete(path)).status_code == 204
    for query, there in (("", False), ("?revoked=include", True), ("?revoked=only", True)):
        ids = [each["id"] for each in (await service.api.get(TOKENS + query)).json()["items"]]
        assert (made["id"] in ids) == there
    problem(await service.api.delete(f"{TOKENS}/99"), 404, "not-found")


@pytest.mark.long
async def test_another_process_sees_a_revocation_within_three_seconds(
    service: Service, database_url: str
) -> None:
    made = await make(service)
    db = open_database(database_url)
    tokens = Tokens(db, service.clock)
    try:
        assert await tokens(made["secret"])
        await service.api.delete(f"{TOKENS}/{made['id']}")
        await asyncio.sleep(CACHE_SECONDS)
        assert await tokens(made["secret"]) is None
    finally:
        await tokens.close()
        await db.close()


async def test_the_last_admin_token_can_not_be_taken_away(service: Service) -> None:
    first = f"{TOKENS}/1"
    for refused in (
        await service.api.delete(first),
        await service.api.patch(first, json={"role": "agent"}),
        await service.api.patch(first, json={"source_ids": []}),
        await service.api.patch(
            first, json={"user_id": await person(service, Role.ADMIN, source_ids=[])}
        ),
    ):
        assert refused.status_code in {409, 422}, refused.text
    told = problem(await service.api.delete(first), 409, "conflict")
    assert "another token of the role admin" in told["detail"]
    await make(service, role="admin", expires_at=stamp(NOON + timedelta(hours=1)))
    assert (await service.api.delete(first)).status_code == 204
    problem(await service.api.get("/api/v1/me"), 401, "unauthenticated")


async def test_two_admins_who_revoke_each_other_do_not_both_succeed(service: Service) -> None:
    made = await make(service, role="admin")
    async with speaking(service, made["secret"]) as other:
        await other.get("/api/v1/me")
        answered = await asyncio.gather(
            service.api.delete(f"{TOKENS}/{made['id']}"), other.delete(f"{TOKENS}/1")
        )
        assert sorted(each.status_code for each in answered) in ([204, 401], [204, 409])
        left = [await service.api.get("/api/v1/me"), await other.get("/api/v1/me")]
        assert sorted(each.status_code for each in left) == [200, 401]


async def test_the_local_token_is_its_persons_and_made_anew_rather_than_changed(
    service: Service, local: httpx.AsyncClient
) -> None:
    me = (await local.get("/api/v1/me")).json()
    assert (me["role"], me["user"]["id"]) == ("admin", 1)
    path = f"{TOKENS}/{me['id']}"
    problem(await service.api.patch(path, json={"role": "viewer"}), 409, "conflict")
    renamed = await local.patch("/api/v1/users/1", json={"display_name": "Ana"})
    assert renamed.status_code == 200
    assert (await local.get("/api/v1/me")).json()["name"] == "Ana"


@pytest.fixture
async def local(service: Service, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client as the command line on the machine of the service."""
    secret = json.loads((tmp_path / "data" / "cli.json").read_text())["token"]
    assert secret != ADMIN_TOKEN
    async with speaking(service, secret) as client:
        yield client


async def test_viewers_and_agents_may_not_look_at_tokens(service: Service) -> None:
    async with as_person(service, "ben", Role.AGENT) as ben:
        for method, path in (
            ("GET", ""),
            ("POST", ""),
            ("GET", "/1"),
            ("PATCH", "/1"),
            ("DELETE", "/1"),
        ):
            problem(await ben.request(method, TOKENS + path, json={}), 403, "not-allowed")
