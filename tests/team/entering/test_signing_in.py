"""Signing in with a password: one text for every refusal, a cookie for who comes in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from app.team.passwords.hashing import Passwords
from app.team.passwords.repository import find_by_name
from tests.browsing import PASSWORD, SESSION, browser, set_up, sign_in, signed_in
from tests.service import ADMIN_TOKEN, BASE, CHEAP, Service, running_service
from tests.web.apps import problem


async def test_who_signs_in_is_known_by_the_cookie_until_they_sign_out(service: Service) -> None:
    async with browser(service) as first, browser(service) as client:
        await set_up(service, first, name="mira", display_name="Mira K.")
        before = (await client.get(SESSION)).json()
        assert (before["signed_in"], before["set_up_needed"]) == (None, False)
        assert before["ways"] == {"password": True, "oidc": None, "proxy": False}
        problem(await client.get("/api/v1/me"), 401, "unauthenticated")

        answered = await sign_in(client, "MIRA")
        assert answered.status_code == 201
        me = answered.json()
        assert (me["kind"], me["name"], me["role"]) == ("session", "Mira K.", "admin")
        assert answered.headers["cache-control"] == "no-store"
        assert (await client.get("/api/v1/me")).json() == me
        state = await client.get(SESSION)
        assert state.json()["signed_in"] == me
        assert (state.headers["cache-control"], state.headers.get("etag")) == ("no-store", None)

        kept = dict(client.cookies)
        out = await client.delete(SESSION)
        assert (out.status_code, dict(client.cookies)) == (204, {})
        client.cookies.update(kept)
        problem(await client.get("/api/v1/me"), 401, "unauthenticated")
        assert (await client.delete(SESSION)).status_code == 204


async def test_a_wrong_password_and_an_unknown_name_are_told_alike(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        await set_up(sqlite_service, client, name="mira")
        await client.delete(SESSION)
        async with signed_in(sqlite_service, "gone"):
            people = (await sqlite_service.api.get("/api/v1/users")).json()["items"]
            user_id = next(each["id"] for each in people if each["name"] == "gone")
            await sqlite_service.api.delete(f"/api/v1/users/{user_id}")
        await sqlite_service.api.post("/api/v1/users", json={"name": "new", "role": "agent"})
        told = []
        for name, password in [
            ("mira", "not this one"),
            ("nobody", PASSWORD),
            ("gone", PASSWORD),
            ("new", PASSWORD),
            ("Mira' OR 1=1 --", PASSWORD),
            ("mira", PASSWORD.upper()),
            ("mira", PASSWORD + "x" * 900),
        ]:
            answered = await sign_in(client, name, password)
            body = problem(answered, 401, "sign-in-refused")
            assert "set-cookie" not in answered.headers
            told.append({**body, "request_id": None})
        assert all(each == told[0] for each in told)


async def test_who_came_in_and_who_did_not_stands_in_the_trail(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        await set_up(sqlite_service, client, name="mira")
        await sign_in(client, "mira", "not this one")
        await sign_in(client, "mira")
    told = await sqlite_service.api.get("/api/v1/audit", params={"operation": "sign_in"})
    rows = told.json()["items"]
    assert [row["outcome"] for row in rows] == ["done", "refused"]
    assert {row["address"] for row in rows} == {"127.0.0.1"}
    assert "not this one" not in told.text


class Counting(PasswordHasher):
    """A cheap hasher that counts its work."""

    def __init__(self, **costs: Any) -> None:
        super().__init__(**costs)
        self.done: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Any:  # noqa: A002  # its name
        self.done.append("verify")
        return super().verify(hash, password)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.done.append("hash")
        return super().hash(password, salt=salt)


async def test_an_unknown_name_costs_the_work_of_a_known_one(
    sqlite_url: str, tmp_path: Path
) -> None:
    hasher = Counting(time_cost=1, memory_cost=8, parallelism=1)
    work = set()
    async with (
        running_service(sqlite_url, tmp_path / "data", hasher=hasher) as service,
        browser(service) as client,
    ):
        await set_up(service, client, name="mira")
        for name in ("mira", "nobody", "another"):
            hasher.done.clear()
            problem(await sign_in(client, name, "not this one"), 401, "sign-in-refused")
            work.add(tuple(hasher.done))
    assert work == {("verify",)}
    assert CHEAP.check_needs_rehash(Passwords(CHEAP)._nobodys()) is False


async def test_a_hash_of_other_parameters_is_renewed_when_its_password_is_given(
    sqlite_url: str, tmp_path: Path
) -> None:
    hashes = []
    for hasher in (CHEAP, PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)):
        async with running_service(sqlite_url, tmp_path / "data", hasher=hasher) as service:
            async with browser(service) as client:
                if service.app.state.set_up_link is not None:
                    await set_up(service, client, name="mira")
                for _ in range(2):
                    assert (await sign_in(client, "mira")).status_code == 201
            row = await find_by_name(service.db, "mira")
            assert row is not None
            hashes.append(row.password_hash)
    assert "m=8,t=1" in hashes[0]
    assert "m=16,t=2" in hashes[1]


async def test_a_request_with_token_and_cookie_is_the_tokens(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        await set_up(sqlite_service, client, name="mira")
        token = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        assert (await client.get("/api/v1/me", headers=token)).json()["kind"] == "token"
        wrong = {"Authorization": "Bearer " + "x" * 40}
        problem(await client.get("/api/v1/me", headers=wrong), 401, "unauthenticated")
        assert (await client.get(SESSION, headers=wrong)).json()["signed_in"] is None


ADDRESSES = [
    # asked under, public address, cookie or the code of the refusal
    ("http://127.0.0.1:8000", None, "unanswered="),
    ("http://localhost:8000", None, "unanswered="),
    ("http://[::1]:8000", None, "unanswered="),
    ("http://desk.lan:8000", None, "https-needed"),
    ("https://desk.example", "https://desk.example", "__Host-unanswered="),
    ("http://127.0.0.1:8000", "https://desk.example", "__Host-unanswered="),
    ("http://desk.lan", "http://desk.lan", "https-needed"),
    ("http://127.0.0.1:8000", "http://desk.lan", "https-needed"),
]


@pytest.mark.parametrize("public", [None, "https://desk.example", "http://desk.lan"])
async def test_the_cookie_is_as_strict_as_the_way_allows(
    sqlite_url: str, tmp_path: Path, public: str | None
) -> None:
    settings: dict[str, Any] = {"public_url": public, "trusted_hosts": ("*",)}
    async with running_service(sqlite_url, tmp_path / "data", **settings) as service:
        link = service.app.state.set_up_link
        assert link.startswith(f"{public or BASE}/#setup=")
        for base, of, expected in ADDRESSES:
            if of != public:
                continue
            async with browser(service, base) as client:
                ticket = link.partition("#setup=")[2]
                body = {"ticket": ticket, "password": PASSWORD, "name": "mira"}
                answered = await client.post("/api/v1/setup", json=body)
                if answered.status_code != 201 and expected != "https-needed":
                    answered = await sign_in(client, "mira")
                if expected == "https-needed":
                    told = problem(answered, 403, "https-needed")
                    assert "UNANSWERED_PUBLIC_URL" in told["detail"]
                    continue
                cookie = answered.headers["set-cookie"]
                assert cookie.startswith(expected), base
                attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
                strict = {"path=/", "httponly", "samesite=lax", "max-age=604800"}
                secure = {"secure"} if expected.startswith("__Host-") else set()
                assert attributes == strict | secure


async def test_passwords_can_be_switched_off(sqlite_url: str, tmp_path: Path) -> None:
    async with running_service(sqlite_url, tmp_path / "data", passwords=False) as service:
        assert service.app.state.set_up_link is None
        async with browser(service) as client:
            assert (await client.get(SESSION)).json()["ways"]["password"] is False
            problem(await sign_in(client, "mira"), 409, "conflict")
            body = {"ticket": "x", "password": PASSWORD}
            problem(await client.post("/api/v1/setup", json=body), 409, "conflict")
        made = await service.api.post("/api/v1/users/1/sign-in-link")
        problem(made, 409, "conflict")


async def test_ones_own_password_is_changed_and_other_browsers_are_out(
    sqlite_service: Service,
) -> None:
    async with (
        signed_in(sqlite_service, "mira") as client,
        browser(sqlite_service) as other,
    ):
        assert (await sign_in(other, "mira")).status_code == 201
        url, new = "/api/v1/me/password", "another river, another hill"
        wrong = await client.put(url, json={"current": "not this one", "new": new})
        assert problem(wrong, 422, "invalid-request")["errors"][0]["pointer"] == "/current"
        weak = await client.put(url, json={"current": PASSWORD, "new": "password1"})
        assert problem(weak, 422, "invalid-request")["errors"][0]["code"] == "too_common"
        before = dict(client.cookies)
        assert (await client.put(url, json={"current": PASSWORD, "new": new})).status_code == 204
        assert dict(client.cookies) != before
        assert (await client.get("/api/v1/me")).json()["name"] == "mira"
        problem(await other.get("/api/v1/me"), 401, "unauthenticated")
        problem(await sign_in(other, "mira"), 401, "sign-in-refused")
        assert (await sign_in(other, "mira", new)).status_code == 201
        for key, value in before.items():
            client.cookies.set(key, value)
        problem(await client.get("/api/v1/me"), 401, "unauthenticated")
    told = await sqlite_service.api.put(url, json={"current": PASSWORD, "new": new})
    assert "no password yet" in problem(told, 409, "conflict")["detail"]
