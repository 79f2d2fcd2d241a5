"""The people of the team over HTTP: who may see and change whom, and what follows at once."""

from __future__ import annotations

from typing import Any

import pytest

from app.web.principal import Right, Role
from tests.inbox.test_api import pointers, problem
from tests.service import Service
from tests.staff import as_person
from tests.world import Watched, as_role

USERS = "/api/v1/users"
MIRA = {"name": "Mira", "role": "agent"}


async def add(service: Service, **body: Any) -> dict[str, Any]:
    answered = await service.api.post(USERS, json=MIRA | body)
    assert answered.status_code == 201, answered.text
    made: dict[str, Any] = answered.json()
    return made


async def names(client: Any, query: str = "") -> list[str]:
    answered = await client.get(f"{USERS}{query}")
    assert answered.status_code == 200, answered.text
    return [each["name"] for each in answered.json()["items"]][1:]  # after the one of the start


async def test_a_person_is_added_changed_disabled_and_given_back(service: Service) -> None:
    answered = await service.api.post(USERS, json=MIRA)
    made = answered.json()
    assert (answered.headers["location"], answered.headers["etag"]) == (f"{USERS}/2", '"v1"')
    assert made["display_name"] == "Mira"
    assert made["access"]["source_ids"] is None
    path = f"{USERS}/{made['id']}"
    changed = await service.api.patch(path, json={"name": "mira.k", "role": "viewer"})
    assert changed.json() | {"version": 1, "name": "Mira", "role": "agent"} == made
    assert (await service.api.delete(path)).status_code == 204
    assert (await service.api.delete(path)).status_code == 204
    gone = (await service.api.get(path)).json()
    assert (gone["disabled"], gone["name"], gone["version"]) == (True, "mira.k", 3)
    assert gone["access"]["disabled_at"] is not None
    assert await names(service.api) == []
    assert await names(service.api, "?disabled=include") == ["mira.k"]
    back = (await service.api.patch(path, json={"disabled": False})).json()
    assert (back["disabled"], back["version"]) == (False, 4)
    assert (await service.api.patch(path, json={"role": "viewer"})).json() == back


async def test_a_name_is_unique_whatever_its_case_also_of_who_left(service: Service) -> None:
    made = await add(service)
    told = problem(await service.api.post(USERS, json=MIRA | {"name": "mIRA"}), 409, "conflict")
    assert "Mira" in told["detail"]
    await service.api.delete(f"{USERS}/{made['id']}")
    told = problem(await service.api.post(USERS, json=MIRA), 409, "conflict")
    assert "disabled" in told["detail"]
    other = await add(service, name="Ben")
    path = f"{USERS}/{other['id']}"
    problem(await service.api.patch(path, json={"name": "MIRA"}), 409, "conflict")
    assert (await service.api.patch(path, json={"name": "BEN"})).json()["name"] == "BEN"


MALFORMED: list[tuple[dict[str, Any], str, str | None]] = [
    ({"name": "7"}, "/name", None),
    ({"name": "a b"}, "/name", None),
    ({"name": "a" * 61}, "/name", None),
    ({"name": "mé"}, "/name", None),
    ({"name": "Me"}, "/name", "not_a_name"),
    ({"name": "none"}, "/name", "not_a_name"),
    ({"display_name": "  "}, "/display_name", "too_short"),
    ({"display_name": "x\x00"}, "/display_name", "bad_character"),
    ({"role": "owner"}, "/role", "not_one_of"),
    ({"rights": ["fly"]}, "/rights/0", "not_one_of"),
    ({"source_ids": [7]}, "/source_ids", "unknown_source"),
    ({"source_ids": [True]}, "/source_ids/0", None),
    ({"password": "x"}, "/password", "unknown_field"),
]


async def test_what_is_malformed_is_refused_where_it_stands(service: Service) -> None:
    for body, pointer, code in MALFORMED:
        told = problem(await service.api.post(USERS, json=MIRA | body), 422, "invalid-request")
        ((found, why),) = pointers(told)
        assert (found, code or why) == (pointer, why), body
    assert await names(service.api, "?disabled=include") == []


async def test_another_version_is_refused_with_the_person_as_they_are(service: Service) -> None:
    made = await add(service)
    path = f"{USERS}/{made['id']}"
    for refused in (
        await service.api.patch(path, json={"role": "viewer"}, headers={"If-Match": '"v7"'}),
        await service.api.delete(path, headers={"If-Match": '"v7"'}),
    ):
        assert problem(refused, 412, "version-mismatch")["current"] == made
    accepted = await service.api.delete(path, headers={"If-Match": '"v1"'})
    assert accepted.status_code == 204
    problem(await service.api.patch(f"{USERS}/99", json={}), 404, "not-found")


async def test_paging_through_the_people_skips_and_repeats_nobody(service: Service) -> None:
    for n in range(5):
        await add(service, name=f"p{n}")
    seen, query = [], "?limit=2"
    while True:
        page = (await service.api.get(USERS + query)).json()
        seen += [each["name"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"?limit=2&cursor={page['next_cursor']}"
    assert seen[1:] == [f"p{n}" for n in range(5)]
    other = await service.api.get(f"{USERS}{query}&disabled=only")
    assert pointers(problem(other, 422, "invalid-request")) == [("?cursor", "invalid_cursor")]


async def test_everybody_is_told_names_and_admins_the_rest(service: Service) -> None:
    await add(service)
    for role in (Role.VIEWER, Role.AGENT):
        async with as_role(service, role) as client:
            page = (await client.get(USERS)).json()["items"]
            assert [each["access"] for each in page] == [None, None]
            assert page[1]["display_name"] == "Mira"
            assert (await client.get(f"{USERS}/2")).json()["access"] is None
            problem(await client.post(USERS, json=MIRA), 403, "not-allowed")
            problem(await client.patch(f"{USERS}/2", json={}), 403, "not-allowed")
            problem(await client.delete(f"{USERS}/2"), 403, "not-allowed")


async def test_who_sees_some_sources_knows_only_who_sees_one_of_them(watched: Watched) -> None:
    service, ours = watched.service, watched.source_id
    await add(service, name="everywhere")
    await add(service, name="here", source_ids=[ours])
    async with as_person(service, "elsewhere", source_ids=[99]) as client:
        assert await names(client) == ["everywhere", "elsewhere"]
        problem(await client.get(f"{USERS}/3"), 404, "not-found")
        assert (await client.get(f"{USERS}?source_id={ours}")).json()["items"] == []
    assert await names(service.api, f"?source_id={ours}") == ["everywhere", "here"]
    async with as_role(service, Role.ADMIN, source_ids=frozenset({ours})) as client:
        assert await names(client) == ["everywhere", "here"]
        told = problem(await client.post(USERS, json=MIRA), 403, "not-allowed")
        assert "some sources" in told["detail"]
        problem(await client.get("/api/v1/tokens"), 403, "not-allowed")


async def test_changes_of_a_person_hold_from_their_next_request(watched: Watched) -> None:
    service = watched.service
    async with as_person(service, "mira", Role.ADMIN) as mira:
        me = (await mira.get("/api/v1/me")).json()
        assert (me["name"], me["role"], me["user"]["name"]) == ("Mira", "admin", "mira")
        path = f"{USERS}/{me['user']['id']}"

        async def change(**body: Any) -> dict[str, Any]:
            assert (await service.api.patch(path, json=body)).status_code == 200
            found: dict[str, Any] = (await mira.get("/api/v1/me")).json()
            return found

        assert (await change(display_name="Mira K."))["name"] == "Mira K."
        assert (await change(source_ids=[watched.source_id]))["source_ids"] == [watched.source_id]
        assert (await change(role="viewer"))["role"] == "viewer"
        direct = len((await mira.get("/api/v1/items")).json()["items"])
        assert direct == 2
        assert (await change(rights=[Right.DIRECT]))["rights"] == ["direct"]
        assert len((await mira.get("/api/v1/items")).json()["items"]) == 3
        await service.api.delete(path)
        problem(await mira.get("/api/v1/me"), 401, "unauthenticated")
        await service.api.patch(path, json={"disabled": False})
        assert (await mira.get("/api/v1/me")).status_code == 200


@pytest.mark.parametrize("body", [{"role": "agent"}, {"source_ids": []}, {"disabled": True}])
async def test_the_last_person_who_can_manage_the_team_stays_so(
    service: Service, body: dict[str, Any]
) -> None:
    async with as_person(service, "mira", Role.ADMIN) as mira:
        me = (await mira.get("/api/v1/me")).json()
        assert (await mira.delete("/api/v1/tokens/1")).status_code == 204  # the first admin token
        path = f"{USERS}/{me['user']['id']}"
        told = problem(await mira.patch(path, json=body), 409, "conflict")
        assert "another token" in told["detail"]
        assert (await mira.get("/api/v1/me")).json() == me
        made = await mira.post("/api/v1/tokens", json={"name": "spare", "role": "admin"})
        assert made.status_code == 201
        assert (await mira.patch(path, json=body)).status_code == 200
