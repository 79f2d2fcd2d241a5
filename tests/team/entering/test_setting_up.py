"""Links that let in once: the first admin, invitations, forgotten passwords."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from app.clock import FrozenClock
from app.db import Database
from app.team.entering.models import sign_in_link
from app.team.tokens import hash_of
from app.team.users.local import name_of_this_machine
from app.web.principal import Role
from tests.browsing import (
    PASSWORD,
    SESSION,
    browser,
    invited,
    link_of,
    set_up,
    sign_in,
    signed_in,
    ticket_of,
)
from tests.service import Service, running_service
from tests.staff import as_person
from tests.web.apps import problem

SETUP = "/api/v1/setup"


async def use(client: httpx.AsyncClient, ticket: str, **more: Any) -> httpx.Response:
    return await client.post(SETUP, json={"ticket": ticket, "password": PASSWORD, **more})


async def test_the_link_of_the_first_start_makes_the_person_of_this_machine_sign_in(
    service: Service,
) -> None:
    async with browser(service) as client, browser(service) as late:
        assert (await client.get(SESSION)).json()["set_up_needed"] is True
        me = await set_up(service, client, name="mira", display_name="Mira K.")
        assert (me["role"], me["source_ids"], me["name"]) == ("admin", None, "Mira K.")
        people = (await client.get("/api/v1/users")).json()["items"]
        assert [each["name"] for each in people] == ["mira"]
        assert (await client.get(SESSION)).json()["set_up_needed"] is False
        ticket = ticket_of(service.app.state.set_up_link)
        problem(await use(late, ticket, name="eve"), 403, "link-over")


async def test_without_a_name_the_person_of_this_machine_keeps_theirs(
    sqlite_service: Service,
) -> None:
    async with browser(sqlite_service) as client:
        me = await set_up(sqlite_service, client)
        assert me["user"]["name"] == name_of_this_machine()


async def test_a_first_link_lasts_half_an_hour_and_each_start_prints_a_new_one(
    sqlite_url: str, tmp_path: Path, clock: FrozenClock
) -> None:
    links = []
    for _ in range(2):
        async with running_service(sqlite_url, tmp_path / "data", clock=clock) as service:
            links.append(service.app.state.set_up_link)
            async with browser(service) as client:
                clock.move(timedelta(minutes=30))
                problem(await use(client, ticket_of(links[-1])), 403, "link-over")
    assert links[0] != links[1]
    async with (
        running_service(sqlite_url, tmp_path / "data", clock=clock) as service,
        browser(service) as client,
    ):
        clock.move(timedelta(minutes=29, seconds=59))
        await set_up(service, client)
    async with running_service(sqlite_url, tmp_path / "data", clock=clock) as service:
        assert service.app.state.set_up_link is None


async def test_a_disabled_person_of_this_machine_is_not_given_back_by_the_first_link(
    sqlite_service: Service,
) -> None:
    async with as_person(sqlite_service, "boss", Role.ADMIN) as boss:
        assert (await boss.delete("/api/v1/users/1")).status_code == 204
    async with browser(sqlite_service) as client:
        ticket = ticket_of(sqlite_service.app.state.set_up_link)
        nameless = problem(await use(client, ticket), 422, "invalid-request")
        assert nameless["errors"][0]["pointer"] == "/name"
        taken = await use(client, ticket, name="Boss")
        assert "belongs to" in problem(taken, 409, "conflict")["detail"]
        me = (await use(client, ticket, name="mira")).json()
        assert (me["user"]["name"], me["role"]) == ("mira", "admin")


async def kept_tickets(db: Database) -> list[str]:
    return [row.ticket_hash for row in await db.rows(select(sign_in_link))]


async def test_an_invitation_lets_its_person_in_once(service: Service, clock: FrozenClock) -> None:
    first = await invited(service, "mira", display_name="Mira")
    people = (await service.api.get("/api/v1/users")).json()["items"]
    user_id = next(each["id"] for each in people if each["name"] == "mira")
    second = await link_of(service, user_id)
    async with browser(service) as client:
        problem(await use(client, first), 403, "link-over")
        kept = await kept_tickets(service.db)
        assert hash_of(second) in kept
        assert second not in kept
        clock.move(timedelta(days=6, hours=23))
        named = problem(await use(client, second, name="boss"), 422, "invalid-request")
        assert named["errors"][0]["code"] == "not_yours"
        answered = await use(client, second, name="Mira", display_name="Mira K.")
        assert answered.status_code == 201
        assert answered.json()["user"] == {
            "id": user_id,
            "name": "mira",
            "display_name": "Mira K.",
        }
        problem(await use(client, second), 403, "link-over")
    async with browser(service) as client:
        assert (await sign_in(client, "mira")).status_code == 201


async def test_a_link_for_a_forgotten_password_ends_what_the_old_one_let_in(
    sqlite_service: Service, clock: FrozenClock
) -> None:
    async with signed_in(sqlite_service, "mira") as client, browser(sqlite_service) as other:
        user_id = (await client.get("/api/v1/me")).json()["user"]["id"]
        made = await sqlite_service.api.post(f"/api/v1/users/{user_id}/sign-in-link")
        assert made.json()["expires_at"] == "2026-11-24T12:00:00.000Z"
        assert (await client.get("/api/v1/me")).status_code == 200
        ticket = ticket_of(made.json()["url"])
        new = "another river, another hill"
        assert (await use(other, ticket, password=new)).status_code == 201
        problem(await client.get("/api/v1/me"), 401, "unauthenticated")
        problem(await sign_in(client, "mira"), 401, "sign-in-refused")
        late = await link_of(sqlite_service, user_id)
        clock.move(timedelta(hours=24))
        problem(await use(other, late), 403, "link-over")


async def test_who_is_disabled_has_no_way_back_by_a_link(sqlite_service: Service) -> None:
    ticket = await invited(sqlite_service, "mira")
    users = "/api/v1/users"
    people = (await sqlite_service.api.get(users)).json()["items"]
    user_id = next(each["id"] for each in people if each["name"] == "mira")
    await sqlite_service.api.delete(f"{users}/{user_id}")
    async with browser(sqlite_service) as client:
        problem(await use(client, ticket), 403, "link-over")
    asked = await sqlite_service.api.post(f"{users}/{user_id}/sign-in-link")
    assert "Enable them first" in problem(asked, 409, "conflict")["detail"]
    missing = await sqlite_service.api.post(f"{users}/999/sign-in-link")
    problem(missing, 404, "not-found")


async def test_links_are_made_by_those_alone_who_manage_everybody(
    sqlite_service: Service,
) -> None:
    url = "/api/v1/users/1/sign-in-link"
    async with as_person(sqlite_service, "ann") as agent:
        problem(await agent.post(url), 403, "not-allowed")
    async with as_person(sqlite_service, "bob", Role.ADMIN, source_ids=[]) as limited:
        problem(await limited.post(url), 403, "not-allowed")
    problem(await sqlite_service.anonymous.post(url), 401, "unauthenticated")


WEAK = [
    ("short 1", "too_short"),
    ("x" * 129, "too_long"),
    ("password1", "too_common"),
    ("PASSWORD1", "too_common"),
    ("aaaaaaaaaaaaaaaa", "too_common"),
    ("Unanswered2026!", "too_easy"),
    ("..mirabella-1..", "too_easy"),
]


async def test_a_weak_password_is_refused_with_what_helps_and_the_link_stays(
    sqlite_service: Service,
) -> None:
    ticket = await invited(sqlite_service, "mirabella")
    async with browser(sqlite_service) as client:
        for password, code in WEAK:
            told = problem(await use(client, ticket, password=password), 422, "invalid-request")
            assert [(e["pointer"], e["code"]) for e in told["errors"]] == [("/password", code)]
            assert password not in str(told)
        assert (await use(client, ticket)).status_code == 201
