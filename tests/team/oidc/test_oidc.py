"""Signing in through another service: who is let in, and every forgery refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from app.clock import FrozenClock
from tests.browsing import SESSION, browser
from tests.service import Service, running_service
from tests.serving import serving
from tests.team.oidc.provider import (
    ANOTHER,
    CLIENT_ID,
    CLIENT_SECRET,
    KEY,
    MIRA,
    Provider,
    unsigned,
)
from tests.web.apps import problem

PUBLIC = "https://desk.example"
OUT, BACK = "/auth/oidc", "/auth/oidc/callback"
COOKIE = "__Host-unanswered"


@dataclass(slots=True)
class House:
    """A service that people enter through a provider."""

    service: Service
    provider: Provider

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[httpx.AsyncClient]:
        async with browser(self.service, PUBLIC) as client:
            yield client

    async def out(self, client: httpx.AsyncClient) -> dict[str, str]:
        """A person goes there and consents; what their browser is to bring back."""
        told = await client.get(OUT)
        assert told.status_code == 303, told.text
        return self.provider.consent(told.headers["location"])

    async def comes_back(self, client: httpx.AsyncClient, **changed: str) -> httpx.Response:
        """The same, and they come back; parameters of the return may be changed."""
        returned = {**await self.out(client), **changed}
        return await client.get(BACK, params={k: v for k, v in returned.items() if v})

    async def add(self, name: str, **identity: str) -> int:
        """A person, and what they are recognised by."""
        made = await self.service.api.post("/api/v1/users", json={"name": name, "role": "agent"})
        user_id = int(made.json()["id"])
        if identity:
            url = f"/api/v1/users/{user_id}/identity"
            put = await self.service.api.put(url, json=identity)
            assert put.status_code == 200, put.text
        return user_id


@asynccontextmanager
async def house_of(
    url: str, folder: Path, clock: FrozenClock, **changes: Any
) -> AsyncIterator[House]:
    provider = Provider(clock)
    async with serving(provider) as base:
        provider.base = base
        settings: dict[str, Any] = {
            "public_url": PUBLIC,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": SecretStr(CLIENT_SECRET),
            "oidc_issuer": base,
            "oidc_name": "Our directory",
            **changes,
        }
        async with running_service(url, folder, clock=clock, **settings) as service:
            yield House(service, provider)


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[House]:
    async with house_of(sqlite_url, tmp_path / "data", clock) as ready:
        yield ready


async def me(client: httpx.AsyncClient) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await client.get(SESSION)).json()["signed_in"]
    return found


async def test_a_verified_address_links_once_and_then_the_subject_counts(house: House) -> None:
    user_id = await house.add("mira", email="mira@example.org")
    async with house.browser() as client:
        ways = (await client.get(SESSION)).json()["ways"]
        assert ways["oidc"] == {"name": "Our directory", "url": OUT}
        back = await house.comes_back(client)
        assert (back.status_code, back.headers["location"]) == (303, "/")
        assert COOKIE in client.cookies
        signed_in = await me(client) or {}
        assert (signed_in["user"]["id"], signed_in["role"]) == (user_id, "agent")
    trail = await house.service.api.get("/api/v1/audit", params={"operation": "sign_in_oidc"})
    (row,) = trail.json()["items"]
    assert (row["outcome"], row["actor"]["id"]) == ("done", user_id)
    assert row["details"]["newcomer"] is False
    known = (await house.service.api.get(f"/api/v1/users/{user_id}/identity")).json()
    assert (known["subject"], known["issuer"]) == (MIRA["sub"], house.provider.base)
    house.provider.claims |= {"email": "new@elsewhere.example", "email_verified": False}
    async with house.browser() as client:
        await house.comes_back(client)
        assert (await me(client) or {})["user"]["id"] == user_id
    house.provider.claims |= {"sub": "another", "email": "mira@example.org", "email_verified": True}
    async with house.browser() as client:
        assert (await house.comes_back(client)).status_code == 403
        assert await me(client) is None


UNPROVEN: dict[str, dict[str, Any]] = {
    "not verified": {"email_verified": False},
    "said in words": {"email_verified": "true"},
    "not said": {"email_verified": None},
    "another address": {"email": "eve@example.org"},
    "two addresses": {"email": "eve@x@example.org"},
    "no address": {"email": None},
}


async def test_who_is_not_known_is_told_what_an_admin_must_add(house: House) -> None:
    user_id = await house.add("mira", email="mira@example.org")
    for name, changed in UNPROVEN.items():
        house.provider.claims = {**MIRA, **changed}
        async with house.browser() as client:
            back = await house.comes_back(client)
            assert (back.status_code, str(MIRA["sub"]) in back.text) == (403, True), name
            assert back.headers["content-type"].startswith("text/html")
            assert await me(client) is None
    url = f"/api/v1/users/{user_id}/identity"
    assert (await house.service.api.put(url, json={"subject": MIRA["sub"]})).status_code == 200
    async with house.browser() as client:
        await house.comes_back(client)
        assert (await me(client) or {})["user"]["id"] == user_id
        assert (await house.service.api.delete(url)).status_code == 204
        assert await me(client) is None
        assert (await house.comes_back(client)).status_code == 403
    problem(await house.service.api.put(url, json={}), 422, "invalid-request")


async def test_an_address_told_by_userinfo_alone_counts_as_well(house: House) -> None:
    await house.add("mira", email="mira@example.org")
    house.provider.in_token = False
    async with house.browser() as client:
        assert (await house.comes_back(client)).status_code == 303
        assert await me(client) is not None


async def test_the_disabled_stay_outside(house: House) -> None:
    user_id = await house.add("mira", email="mira@example.org")
    async with house.browser() as client:
        await house.comes_back(client)
        await house.service.api.delete(f"/api/v1/users/{user_id}")
        assert await me(client) is None
        assert (await house.comes_back(client)).status_code == 403


async def test_newcomers_of_our_domains_come_in_where_that_is_set(
    sqlite_url: str, tmp_path: Path, clock: FrozenClock
) -> None:
    changes = {"newcomers_role": "viewer", "oidc_domains": ("example.org",)}
    async with house_of(sqlite_url, tmp_path / "data", clock, **changes) as house:
        await house.add("Mira.K")
        async with house.browser() as client:
            assert (await house.comes_back(client)).status_code == 303
            found = await me(client) or {}
            assert (found["user"]["name"], found["role"]) == ("mira.k2", "viewer")
            assert found["user"]["display_name"] == "Mira Kowalska"
        for changed in ({"email": "x@evil.example"}, {"email_verified": False}):
            house.provider.claims = {**MIRA, "sub": "other", **changed}
            async with house.browser() as client:
                assert (await house.comes_back(client)).status_code == 403


Change = Callable[[dict[str, Any]], dict[str, Any]]


def with_(**changed: Any) -> Change:
    """Claims that differ in these; `None` leaves one out."""
    return lambda claims: {k: v for k, v in {**claims, **changed}.items() if v is not None}


def later(name: str, seconds: int) -> Change:
    return lambda claims: {**claims, name: claims[name] + seconds}


FORGED: dict[str, Change] = {
    "another nonce": with_(nonce="n" * 43),
    "no nonce": with_(nonce=None),
    "another audience": with_(aud="somebody-else"),
    "no audience": with_(aud=None),
    "audiences without ours": with_(aud=["a", "b"]),
    "several audiences, made for another": with_(aud=[CLIENT_ID, "b"], azp="b"),
    "several audiences, made for nobody": with_(aud=[CLIENT_ID, "b"]),
    "made for another": with_(azp="b"),
    "another issuer": with_(iss="https://evil.example"),
    "no issuer": with_(iss=None),
    "expired": later("exp", -300 - 61),
    "no end": with_(exp=None),
    "end in words": with_(exp="tomorrow"),
    "of the future": later("iat", 600),
    "not yet": lambda claims: {**claims, "nbf": claims["iat"] + 600},
    "no subject": with_(sub=None),
    "empty subject": with_(sub=""),
    "long subject": with_(sub="x" * 256),
    "a number as subject": with_(sub=7),
}
SECRET = OctKey.import_key(CLIENT_SECRET.ljust(32, "-"))
NAMED = {"alg": "RS256", "kid": "first"}
SIGNED: dict[str, Callable[[dict[str, Any]], str]] = {
    "by nobody": unsigned,
    "by another key of that name": lambda c: jwt.encode(NAMED, c, ANOTHER),
    "by a secret": lambda c: jwt.encode({"alg": "HS256", "kid": "first"}, c, SECRET),
    "by an unknown key": lambda c: jwt.encode({"alg": "RS256", "kid": "gone"}, c, ANOTHER),
    "with a key of its own": lambda c: jwt.encode(
        {"alg": "RS256", "jwk": dict(ANOTHER.as_dict(private=False))}, c, ANOTHER
    ),
    "broken": lambda c: jwt.encode(NAMED, c, KEY)[:-8] + "AAAAAAAA",
    "no token": lambda _: "",
    "not a token": lambda _: "a.b.c",
    "json": json.dumps,
}


async def test_a_token_that_is_not_for_us_now_and_for_this_way_lets_nobody_in(
    house: House,
) -> None:
    await house.add("mira", email="mira@example.org")
    async with house.browser() as client:
        for name, change in FORGED.items():
            house.provider.change = change
            assert (await house.comes_back(client)).status_code == 403, name
        house.provider.change = with_()
        for name, sign in SIGNED.items():
            house.provider.sign = sign
            assert (await house.comes_back(client)).status_code == 403, name
        assert COOKIE not in client.cookies
        house.provider.sign = None
        assert (await house.comes_back(client)).status_code == 303


async def test_a_way_ends_once_in_time_and_in_its_own_browser(
    house: House, clock: FrozenClock
) -> None:
    await house.add("mira", email="mira@example.org")
    async with house.browser() as client, house.browser() as thief:
        first = await house.out(client)
        assert (await client.get(BACK, params=first)).status_code == 303
        assert (await client.get(BACK, params=first)).status_code == 403  # once more

        second = await house.out(client)
        await house.out(thief)  # so that they have a way and a cookie of their own
        assert (await thief.get(BACK, params=second)).status_code == 403
        assert (await client.get(BACK, params=second)).status_code == 403  # it is used up

        mine, theirs = await house.out(client), await house.out(thief)
        injected = {**mine, "code": theirs["code"]}
        assert (await client.get(BACK, params=injected)).status_code == 403

        late = await house.out(client)
        clock.move(timedelta(minutes=10))
        assert (await client.get(BACK, params=late)).status_code == 403

        one, two = await house.out(client), await house.out(client)
        assert (await client.get(BACK, params=two)).status_code == 303
        assert (await client.get(BACK, params=one)).status_code == 303


RETURNS: list[dict[str, str]] = [
    {"iss": "https://evil.example"},
    {"iss": ""},
    {"state": ""},
    {"state": "x" * 43},
    {"code": ""},
    {"code": "made-up"},
    {"code": "x" * 5000},
    {"error": "access_denied"},
]


async def test_a_return_that_is_not_what_was_asked_for_lets_nobody_in(house: House) -> None:
    await house.add("mira", email="mira@example.org")
    async with house.browser() as client:
        for changed in RETURNS:
            back = await house.comes_back(client, **changed)
            assert back.status_code == 403, changed
            assert "evil" not in back.text
        returned = await house.out(client)
        doubled = f"{BACK}?{urlencode([*returned.items(), ('state', returned['state'])])}"
        assert (await client.get(doubled)).status_code == 403
        assert await me(client) is None


TARGETS = {
    "/items?status=any": "/items?status=any",
    "/": "/",
    "": "/",
    "//evil.example": "/",
    "/\\evil.example": "/",
    "https://evil.example": "/",
    "javascript:alert(1)": "/",
    "/a\r\nSet-Cookie: x=1": "/",
    "/\t/evil.example": "/",
    "/" + "a" * 600: "/",
}


async def test_after_it_people_are_sent_to_paths_of_ours_alone(house: House) -> None:
    await house.add("mira", email="mira@example.org")
    async with house.browser() as client:
        for asked, expected in TARGETS.items():
            out = await client.get(OUT, params={"return_to": asked})
            query = parse_qs(urlsplit(out.headers["location"]).query)
            assert query["redirect_uri"] == [f"{PUBLIC}{BACK}"]
            back = await client.get(BACK, params=house.provider.consent(out.headers["location"]))
            assert (back.status_code, back.headers["location"]) == (303, expected), asked


async def test_new_keys_are_fetched_but_not_at_every_forgery(
    house: House, clock: FrozenClock
) -> None:
    await house.add("mira", email="mira@example.org")
    async with house.browser() as client:
        assert (await house.comes_back(client)).status_code == 303
        house.provider.key = RSAKey.generate_key(2048, {"kid": "second", "use": "sig"})
        assert (await house.comes_back(client)).status_code == 403
        clock.move(timedelta(minutes=1))
        assert (await house.comes_back(client)).status_code == 303
    assert house.provider.asked.count("/keys") == 2
    assert house.provider.asked.count("/.well-known/openid-configuration") == 1


async def test_a_provider_that_is_another_or_incomplete_is_told_as_a_page(house: House) -> None:
    lies: list[dict[str, Any]] = [
        {"issuer": "https://evil.example"},
        {"jwks_uri": None},
        {"token_endpoint": 7},
    ]
    async with house.browser() as client:
        for lie in lies:
            house.provider.told = lie
            told = await client.get(OUT)
            assert (told.status_code, "evil" in told.text) == (503, False)
            assert told.headers["content-type"].startswith("text/html")
        house.provider.told = {}
        assert (await client.get(OUT)).status_code == 303


async def test_where_it_is_not_set_up_there_is_no_such_way(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        assert (await client.get(OUT)).status_code == 404
        assert (await client.get(BACK)).status_code == 404
    url = "/api/v1/users/1/identity"
    told = await sqlite_service.api.put(url, json={"subject": "x"})
    assert "UNANSWERED_OIDC_ISSUER" in problem(told, 409, "conflict")["detail"]
    given = {"email": "a@b.example"}
    assert (await sqlite_service.api.put(url, json=given)).status_code == 200
    made = await sqlite_service.api.post("/api/v1/users", json={"name": "bo", "role": "viewer"})
    taken = await sqlite_service.api.put(
        f"/api/v1/users/{made.json()['id']}/identity", json={"email": "A@B.example"}
    )
    assert "already" in problem(taken, 409, "conflict")["detail"]
