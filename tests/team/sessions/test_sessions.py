"""Sessions: rows that end at the next request, whatever ended them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from app.clock import FrozenClock
from app.team.sessions.models import session
from app.team.tokens import hash_of
from app.web.principal import Role
from tests.browsing import PASSWORD, SESSION, browser, set_up, sign_in, signed_in
from tests.service import NOON, Service, running_service
from tests.staff import as_person
from tests.web.apps import problem

SESSIONS = "/api/v1/sessions"
ME = "/api/v1/me"


async def status(client: httpx.AsyncClient) -> int:
    return (await client.get(ME)).status_code


async def id_of(client: httpx.AsyncClient) -> int:
    """The person of a browser."""
    return int((await client.get(ME)).json()["user"]["id"])


async def test_a_session_ends_at_the_next_request_whatever_ends_it(service: Service) -> None:
    users = "/api/v1/users"
    async with signed_in(service, "mira") as client:
        for ending in ("sign out", "revoke", "role", "disable", "other process"):
            assert await status(client) == 200, ending
            user_id = await id_of(client)
            own = (await client.get(SESSIONS)).json()["items"][-1]["id"]
            held = {"Cookie": f"unanswered={client.cookies['unanswered']}"}
            if ending == "sign out":
                await client.delete(SESSION)
            elif ending == "revoke":
                answered = await service.api.delete(f"{SESSIONS}/{own}")
                assert answered.status_code == 204
            elif ending == "other process":
                async with service.db.write() as tx:
                    await tx.execute(session.delete())
            else:
                change = {"role": "viewer"} if ending == "role" else {"disabled": True}
                assert (await service.api.patch(f"{users}/{user_id}", json=change)).is_success
            client.cookies.clear()
            assert (await client.get(ME, headers=held)).status_code == 401, ending
            await service.api.patch(f"{users}/{user_id}", json={"disabled": False})
            assert (await client.get(ME, headers=held)).status_code == 401, ending
            assert (await sign_in(client, "mira")).status_code == 201


async def test_a_session_that_rests_ends_and_so_does_one_that_is_old(
    sqlite_service: Service, clock: FrozenClock
) -> None:
    async with signed_in(sqlite_service, "mira") as client:
        clock.move(timedelta(hours=11, minutes=59))
        assert await status(client) == 200
        await sqlite_service.app.state.sessions.close()
        clock.move(timedelta(hours=12))
        assert await status(client) == 401
        assert (await sign_in(client, "mira")).status_code == 201
        for _ in range(15):
            clock.move(timedelta(hours=11))
            assert await status(client) == 200
            await sqlite_service.app.state.sessions.close()
        clock.move(timedelta(hours=3))
        assert await status(client) == 401


async def test_how_long_sessions_last_can_be_set(sqlite_url: str, tmp_path: Path) -> None:
    changes = {"session_idle_hours": 0.5, "session_days": 1 / 24}
    clock = FrozenClock(NOON)
    async with (
        running_service(sqlite_url, tmp_path / "data", clock=clock, **changes) as service,
        signed_in(service, "mira") as client,
    ):
        for minutes, expected in ((29, 200), (29, 200), (2, 401)):
            clock.move(timedelta(minutes=minutes))
            assert await status(client) == expected
            await service.app.state.sessions.close()


async def test_each_sign_in_has_a_new_id_and_ends_the_one_before(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        await set_up(sqlite_service, client, name="mira")
        seen = set()
        for _ in range(3):
            seen.add(client.cookies["unanswered"])
            assert (await sign_in(client, "mira")).status_code == 201
        assert len(seen | {client.cookies["unanswered"]}) == 4
        rows = await sqlite_service.db.rows(select(session))
        assert [row.id_hash for row in rows] == [hash_of(client.cookies["unanswered"])]


async def test_an_id_that_we_did_not_give_is_nobodys(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        for value in ("A" * 43, "x", "A" * 44, "", "../../etc/passwd", "A" * 4000):
            client.cookies.clear()
            client.cookies.set("unanswered", value)
            assert await status(client) == 401
        planted = "B" * 43
        client.cookies.clear()
        client.cookies.set("unanswered", planted, domain="127.0.0.1", path="/")
        await set_up(sqlite_service, client, name="mira")
        assert client.cookies["unanswered"] != planted


async def test_people_see_and_end_their_own_and_admins_everybodys(
    sqlite_service: Service, clock: FrozenClock
) -> None:
    async with (
        signed_in(sqlite_service, "mira") as mira,
        browser(sqlite_service, address="2001:db8::7", **{"User-Agent": "x" * 300}) as phone,
        signed_in(sqlite_service, "noor") as noor,
        signed_in(sqlite_service, "boss", "admin") as boss,
    ):
        assert (await sign_in(phone, "mira")).status_code == 201
        clock.move(timedelta(minutes=2))
        found = (await mira.get(SESSIONS)).json()["items"]
        assert [each["current"] for each in found] == [True, False]
        assert [each["address"] for each in found] == ["127.0.0.1", "2001:db8::7"]
        assert (found[0]["user_agent"], found[1]["user_agent"]) == ("Firefox", "x" * 200)
        assert (found[0]["way"], found[1]["way"]) == ("link", "password")
        mira_id, noor_id = await id_of(mira), await id_of(noor)

        problem(await mira.get(f"{SESSIONS}?user_id={noor_id}"), 403, "not-allowed")
        problem(await mira.get(f"{SESSIONS}?user_id=any"), 403, "not-allowed")
        own = (await mira.get(f"{SESSIONS}?user_id={mira_id}")).json()["items"]
        assert [each["id"] for each in own] == [each["id"] for each in found]
        theirs = (await noor.get(SESSIONS)).json()["items"][0]["id"]
        problem(await mira.delete(f"{SESSIONS}/{theirs}"), 404, "not-found")
        problem(await mira.delete(f"{SESSIONS}?user_id={noor_id}"), 403, "not-allowed")
        async with as_person(sqlite_service, "part", Role.ADMIN, source_ids=[]) as limited:
            problem(await limited.get(f"{SESSIONS}?user_id=any"), 403, "not-allowed")
            problem(await limited.delete(f"{SESSIONS}/{theirs}"), 404, "not-found")
        bad = await boss.get(f"{SESSIONS}?user_id=all")
        assert problem(bad, 422, "invalid-request")["errors"][0]["pointer"] == "?user_id"

        pages = []
        query = f"{SESSIONS}?user_id=any&limit=3"
        while True:
            page = (await boss.get(query)).json()
            pages.append([each["user"]["name"] for each in page["items"]])
            if page["next_cursor"] is None:
                break
            query = f"{SESSIONS}?user_id=any&limit=3&cursor={page['next_cursor']}"
        assert pages == [["mira", "noor", "boss"], ["mira"]]

        assert (await mira.delete(f"{SESSIONS}?keep=current")).status_code == 204
        assert [await status(each) for each in (mira, phone, noor)] == [200, 401, 200]
        assert (await boss.delete(f"{SESSIONS}?user_id={noor_id}")).status_code == 204
        assert [await status(each) for each in (mira, noor, boss)] == [200, 401, 200]
        answered = await mira.delete(SESSIONS)
        assert (answered.status_code, dict(mira.cookies)) == (204, {})
    assert (await sqlite_service.api.get(SESSIONS)).json()["items"] == []


async def test_an_admin_with_a_password_may_take_the_last_token_away(
    sqlite_service: Service,
) -> None:
    tokens = (await sqlite_service.api.get("/api/v1/tokens")).json()["items"]
    last = next(each["id"] for each in tokens if each["created_by"] == "bootstrap")
    async with browser(sqlite_service) as boss:
        await set_up(sqlite_service, boss, name="boss")
        assert (await boss.delete(f"/api/v1/tokens/{last}")).status_code == 204
        own = await id_of(boss)
        kept = await boss.patch(f"/api/v1/users/{own}", json={"role": "agent"})
        assert "nobody could manage" in problem(kept, 409, "conflict")["detail"]


async def test_a_person_of_some_sources_sees_these_by_cookie_too(sqlite_service: Service) -> None:
    async with signed_in(sqlite_service, "mira", "viewer", source_ids=[]) as client:
        me = (await client.get(ME)).json()
        assert (me["source_ids"], me["permissions"]) == ([], ["read"])
        assert (await client.get("/api/v1/counts")).json()["total"] == 0
        problem(await client.get("/api/v1/tokens"), 403, "not-allowed")


@pytest.mark.parametrize("key", ["again", None])
async def test_a_repeat_after_signing_in_again_is_the_same_request(
    sqlite_service: Service, key: str | None
) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    async with signed_in(sqlite_service, "mira") as client:
        url, body = "/api/v1/labels", {"name": "press"}
        first = await client.post(url, json=body, headers=headers)
        assert (await sign_in(client, "mira", PASSWORD)).status_code == 201
        again = await client.post(url, json=body, headers=headers)
    assert first.status_code == 201, first.text
    assert (again.status_code, "idempotency-replayed" in again.headers) == (
        (201, True) if key else (409, False)
    )
