"""TikTok, whose token endpoint speaks its own JSON, connected through the running service."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from app.connectors.tiktok import account
from tests.connecting.platform import at_the_page
from tests.connectors.playing import Player, load
from tests.service import Service
from tests.serving import serving

ROOT = "/open_api/v1.3"
BACK = "http://127.0.0.1:8000/connect/tiktok/callback/"
APP = {"client_id": "7500000000000000001", "client_secret": "a-secret-of-the-app-1"}
BUSINESS = "_000AcmeNotesBusiness01"
TOO_SHORT = "no address of TikTok's ends without a slash"


@dataclass(slots=True)
class FakeTikTok:
    """The page of TikTok, its tokens, and the recorded rest behind them. Codes and refresh tokens
    are good once; everything is answered with status 200.
    """

    codes: set[str] = field(default_factory=set)
    refresh: set[str] = field(default_factory=set)
    living: set[str] = field(default_factory=set)
    issued: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    rest: Player = field(default_factory=lambda: Player(load("tiktok")["exchanges"]))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        path, headers = scope["path"], dict(scope["headers"])
        if path == "/v2/auth/authorize/":
            await self._allow(dict(parse_qsl(scope["query_string"].decode())), send)
        elif path.startswith(f"{ROOT}/tt_user/oauth2/"):
            told = json.loads((await receive())["body"])
            self.asked.append((path, told))
            await _answer(send, self._tokens(path, told))
        elif headers.get(b"access-token", b"").decode() in self.living or "token_info" in path:
            await self.rest(scope, receive, send)
        else:
            await _answer(send, {"code": 40105, "message": "Access token is incorrect"})

    async def _allow(self, query: dict[str, str], send: Any) -> None:
        self.asked.append(("authorize", query))
        assert query["client_key"] == APP["client_id"]
        assert query["redirect_uri"].endswith("/"), TOO_SHORT
        self.codes.add("code-1-of-the-test")
        back = urlencode({"code": "code-1-of-the-test", "state": query["state"], "scopes": "a,b"})
        location = f"{query['redirect_uri']}?{back}".encode()
        head = {"type": "http.response.start", "status": 302, "headers": [(b"location", location)]}
        await send(head)
        await send({"type": "http.response.body", "body": b""})

    def _tokens(self, path: str, told: dict[str, str]) -> dict[str, Any]:
        if {name: told.get(name) for name in APP} != APP:
            return {"code": 40101, "message": "illegal app"}
        code = told["grant_type"] == "authorization_code"
        good = self.codes if code else self.refresh
        given = told.get("auth_code" if code else "refresh_token", "")
        if given not in good or (code and told.get("redirect_uri") != BACK):
            return {"code": 40110 if code else 40107, "message": "invalid"}
        good.discard(given)
        self.issued += 1
        self.living = {f"act.{self.issued}-of-the-test"}
        self.refresh = {f"rft.{self.issued}-of-the-test"}
        data = {
            "access_token": next(iter(self.living)),
            "expires_in": 86400,
            "open_id": BUSINESS,
            "refresh_token": next(iter(self.refresh)),
            "refresh_token_expires_in": 31536000,
            "scope": ",".join(account.RIGHTS),
            "token_type": "Bearer",
        }
        return {"code": 0, "message": "OK", "data": data}


async def _answer(send: Any, body: Any) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def begin(service: Service, base: str, **more: Any) -> dict[str, Any]:
    body = {"settings": {"api_url": base}, **APP, **more}
    begun = await service.api.post("/api/v1/connect/tiktok", json=body)
    assert begun.status_code == 201, begun.text
    told: dict[str, Any] = begun.json()
    return told


async def connected(service: Service, fake: FakeTikTok, base: str) -> dict[str, Any]:
    begun = await begin(service, base)
    page = await service.api.get(await at_the_page(begun["authorize_url"]))
    assert page.status_code == 200, page.text
    made = await service.api.post(f"/api/v1/connect/tiktok/{begun['id']}", json={"name": "tok"})
    assert made.status_code == 200, made.text
    assert len(fake.codes) == 0
    source: dict[str, Any] = made.json()
    return source


async def test_an_account_is_connected_through_tiktoks_page(service: Service) -> None:
    told = (await service.api.get("/api/v1/connect/tiktok")).json()
    assert (told["redirect_uri"], told["chosen"]) == (BACK, ["business_id"])
    fake = FakeTikTok()
    async with serving(fake) as base:
        source = await connected(service, fake, base)
        (_, query), (_, asked) = fake.asked
    assert query["scope"] == ",".join(account.RIGHTS)
    assert query["disable_auto_auth"] == "1"
    assert "code_challenge" not in query
    assert (asked["auth_code"], asked["redirect_uri"]) == ("code-1-of-the-test", BACK)
    assert source["settings"]["business_id"] == BUSINESS
    assert (source["identity"]["id"], source["identity"]["handle"]) == (BUSINESS, "acme_notes")
    assert source["credential_expires_at"].startswith("2027-11-23"), "the end of the refresh token"


async def test_comments_elsewhere_take_a_right_more(service: Service) -> None:
    begun = await begin(service, "http://127.0.0.1:1", settings={"mentions": True})
    query = dict(parse_qsl(urlsplit(begun["authorize_url"]).query))
    assert query["scope"].split(",")[-1] == account.MENTIONS_RIGHT
    assert urlsplit(begun["authorize_url"]).hostname == "www.tiktok.com"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "code_refused"),
        ({"client_secret": "another-secret-1"}, "auth_failed"),
    ],
)
async def test_what_tiktok_refuses_is_told(
    service: Service, change: dict[str, str], code: str
) -> None:
    fake = FakeTikTok()
    async with serving(fake) as base:
        begun = await begin(service, base, **change)
        back = await at_the_page(begun["authorize_url"])
        if not change:
            fake.codes.clear()  # used, or older than ten minutes
        page = await service.api.get(back)
        seen = (await service.api.get(f"/api/v1/connect/tiktok/{begun['id']}")).json()
    assert page.status_code == 400
    assert (seen["status"], seen["error"]["code"]) == ("failed", code)


async def test_a_token_that_has_ended_is_renewed_once_and_stored_first(service: Service) -> None:
    fake = FakeTikTok()
    async with serving(fake) as base:
        source = await connected(service, fake, base)
        fake.living.clear()
        run = await service.poll(source["id"])
        assert run["outcome"] == "ok", run
        fake.living.clear()
        assert (await service.poll(source["id"]))["outcome"] == "ok"
        renewals = [told for path, told in fake.asked if path.endswith("/refresh_token/")]
    assert [each["refresh_token"] for each in renewals] == [
        "rft.1-of-the-test",
        "rft.2-of-the-test",
    ]
    assert fake.issued == 3


async def test_where_nothing_renews_it_a_person_has_to_connect_again(service: Service) -> None:
    fake = FakeTikTok()
    async with serving(fake) as base:
        source = await connected(service, fake, base)
        await service.poll(source["id"])  # the service begins to read a new source by itself
        fake.living.clear()
        fake.refresh.clear()
        run = await service.poll(source["id"])
        assert (run["outcome"], run["error"]["code"]) == ("failed", "auth_failed")
        seen = (await service.api.get(f"/api/v1/sources/{source['id']}")).json()
        assert seen["state"] == "auth_failed"


async def test_the_way_back_is_the_same_without_a_slash(service: Service) -> None:
    """Platforms differ in whether an address may end with one: both lead to the same."""
    answers: list[httpx.Response] = [
        await service.api.get(f"/connect/tiktok/callback{slash}?code=1&state=2")
        for slash in ("", "/")
    ]
    assert [each.status_code for each in answers] == [400, 400]
    assert answers[0].text == answers[1].text
