"""Connecting through a platform's page: a strict authorization server, the running service."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from app.clock import FrozenClock
from app.polling.housekeeping import clean
from app.web.principal import Role
from tests.connecting.platform import at_the_page, offered, register
from tests.connecting.way import APP, MINUTE, REDIRECT, Way
from tests.connectors.fake_oauth import FakeOAuth
from tests.service import Service, running_service
from tests.serving import serving
from tests.world import as_role


async def test_an_account_is_connected_through_the_platforms_page(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    begun = await way.begin()
    assert (begun["status"], begun["redirect_uri"]) == ("waiting", REDIRECT)
    query = parse_qs(urlsplit(begun["authorize_url"]).query)
    assert query["scope"] == ["read manage"]
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43
    page = await way.allow(begun)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "Pages has allowed it" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    seen = await way.look(begun)
    assert (seen["status"], seen["authorize_url"]) == ("allowed", None)
    assert seen["accounts"] == [{"id": "id-brand", "handle": "brand", "name": "Page brand"}]
    made = await way.finish(begun, name="shop", budget=5, labels=["vip"])
    source = made.json()
    assert made.status_code == 200, made.text
    assert made.headers["location"] == f"/api/v1/sources/{source['id']}"
    assert source["settings"] == {"api_url": way.base, "page": "brand"}
    assert (source["identity"]["id"], source["budget"]) == ("id-brand", 5)
    assert source["credential_expires_at"] == "2026-11-23T14:00:00.000Z"
    assert (await way.look(begun))["status"] == "connected"
    run = await way.service.poll(source["id"])
    assert run["outcome"] == "ok"
    logs = [repr(each.__dict__) for each in caplog.records if each.name != "uvicorn.access"]
    kept = await way.stored() + str(logs) + page.text + str(seen) + made.text
    code = next(iter(way.server.codes))
    state = query["state"][0]
    for secret in ("access-1-secret", "refresh-1-secret", "app-secret-1", code, state):
        assert secret not in kept


async def test_it_says_what_it_takes(way: Way) -> None:
    told = (await way.api.get("/api/v1/connect/pages")).json()
    assert told == {
        "platform": "pages",
        "redirect_uri": REDIRECT,
        "client": "needed",
        "scopes": ["read", "manage"],
        "chosen": ["page"],
    }
    for path, status in (("nowhere", 404), ("demo", 404), ("hackernews", 409)):
        answered = await way.api.get(f"/api/v1/connect/{path}")
        assert answered.status_code == status
    refused = await way.api.post("/api/v1/connect/pages", json={"settings": {"api_url": way.base}})
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/client_id"]
    assert REDIRECT in refused.json()["detail"]


async def test_what_is_not_chosen_with_the_account_is_needed(way: Way) -> None:
    for settings, pointer in (
        ({}, "/settings/api_url"),
        ({"api_url": way.base, "page": "9"}, "/settings/page"),
        ({"api_url": way.base, "pag": "a"}, "/settings/pag"),
    ):
        refused = await way.api.post("/api/v1/connect/pages", json={"settings": settings, **APP})
        assert refused.status_code == 422
        assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]


async def test_one_of_several_accounts_is_chosen(way: Way) -> None:
    way.server.people["ann"] = ["brand", "sister"]
    begun = await way.begin()
    await way.allow(begun)
    assert [each["id"] for each in (await way.look(begun))["accounts"]] == ["id-brand", "id-sister"]
    for body in ({"name": "shop"}, {"name": "shop", "account": "id-other"}):
        refused = await way.finish(begun, **body)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/account")
    made = await way.finish(begun, name="shop", account="id-sister")
    assert made.json()["settings"]["page"] == "sister"
    again = await way.finish(begun, name="shop2", account="id-brand")
    assert (again.status_code, again.json()["current_status"]) == (409, "connected")


async def test_what_fails_at_the_end_can_be_tried_again(way: Way) -> None:
    await way.connected("shop")
    begun = await way.begin()
    await way.allow(begun)
    assert (await way.finish(begun)).json()["errors"][0]["pointer"] == "/name"
    assert (await way.finish(begun, name="shop")).status_code == 409
    way.server.answers["/me"] = (503, {}, "")
    assert (await way.finish(begun, name="other")).status_code == 422
    del way.server.answers["/me"]
    assert (await way.finish(begun, name="other", nonsense=1)).status_code == 422
    assert (await way.finish(begun, name="other")).status_code == 200


async def test_of_two_who_finish_at_once_one_does(way: Way) -> None:
    begun = await way.begin()
    await way.allow(begun)
    answers = await asyncio.gather(*(way.finish(begun, name=f"shop{n}") for n in range(4)))
    assert sorted(each.status_code for each in answers) == [200, 409, 409, 409]
    assert len((await way.api.get("/api/v1/sources")).json()["items"]) == 1


async def test_what_was_allowed_waits_an_hour(way: Way) -> None:
    begun = await way.begin()
    await way.allow(begun)
    way.clock.move(59 * MINUTE)
    assert (await way.look(begun))["status"] == "allowed"
    way.clock.move(MINUTE)
    assert (await way.look(begun))["status"] == "expired"
    assert (await way.finish(begun, name="shop")).json()["current_status"] == "expired"


async def test_giving_up_forgets_what_was_allowed(way: Way) -> None:
    begun = await way.begin()
    await way.allow(begun)
    place = f"/api/v1/connect/pages/{begun['id']}"
    assert (await way.api.delete(place)).status_code == 204
    assert (await way.api.get(place)).status_code == 404
    assert await way.service.db.rows(text("SELECT * FROM connection")) == []


async def test_connecting_again_keeps_the_source(way: Way) -> None:
    source = await way.connected()
    await way.service.poll(source["id"])
    way.server.end_access_tokens()
    way.server.refresh.clear()
    assert (await way.service.poll(source["id"]))["outcome"] == "failed"
    place = f"/api/v1/sources/{source['id']}"
    before = (await way.api.get(place)).json()
    assert (before["state"], before["error"]["code"]) == ("auth_failed", "auth_failed")
    body = {"source_id": source["id"]}  # the app is known from before
    begun = (await way.api.post("/api/v1/connect/pages", json=body)).json()
    assert (await way.allow(begun)).status_code == 200
    again = await way.finish(begun)
    assert again.status_code == 200, again.text
    assert again.json()["id"] == source["id"]
    assert (await way.service.poll(source["id"]))["outcome"] == "ok"
    after = (await way.api.get(place)).json()
    assert (after["state"], after["name"]) == ("ok", "shop")
    assert after["streams"][0]["covered_from"] == before["streams"][0]["covered_from"]
    events = (await way.api.get("/api/v1/events")).json()["items"]
    assert [e["type"] for e in events if e["type"].startswith("source.")] == [
        "source.connected",
        "source.trouble",
        "source.reconnected",
        "source.recovered",
    ]


async def test_another_account_is_refused_for_a_source(way: Way) -> None:
    source = await way.connected()
    way.server.people["ann"] = ["sister"]
    begun = (
        await way.api.post("/api/v1/connect/pages", json={"source_id": source["id"], **APP})
    ).json()
    await way.allow(begun)
    refused = await way.finish(begun)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "other_account"
    way.server.people["ann"] = ["sister", "brand"]
    again = (
        await way.api.post("/api/v1/connect/pages", json={"source_id": source["id"], **APP})
    ).json()
    await way.allow(again)
    assert (await way.finish(again)).json()["settings"]["page"] == "brand", "it is found by itself"


async def test_a_source_that_is_connected_again_must_be_there(way: Way) -> None:
    source = await way.connected()
    for body, status in (
        ({"source_id": 99}, 404),
        ({"source_id": source["id"], "settings": {"api_url": way.base}}, 422),
    ):
        assert (await way.api.post("/api/v1/connect/pages", json=body)).status_code == status


async def test_a_renewal_by_the_poller_is_stored(way: Way) -> None:
    source = await way.connected()
    for number in (2, 3):
        way.server.end_access_tokens()
        assert (await way.service.poll(source["id"]))["outcome"] == "ok"
        assert f"access-{number}-secret" in way.server.tokens
    assert len(way.server.to("/oauth/token")) == 3, "the code, then a renewal each"


async def test_a_server_makes_an_app_once(service: Service, clock: FrozenClock) -> None:
    server = FakeOAuth(clients={})
    async with serving(server) as base:
        with offered(register=register):
            way = Way(service, server, base, clock)
            told = (await way.api.get("/api/v1/connect/pages")).json()
            assert told["client"] == "registered"
            body = {"settings": {"api_url": base}}
            for name in ("one", "two"):
                begun = (await way.api.post("/api/v1/connect/pages", json=body)).json()
                assert (await way.allow(begun)).status_code == 200
                assert (await way.finish(begun, name=name)).status_code == 200
            assert len(server.to("/apps")) == 1
            assert "made-secret" not in await way.stored()
            # The server forgets it: a person sees its error and never comes back.
            server.clients.clear()
            await way.api.post("/api/v1/connect/pages", json=body)
            clock.move(11 * MINUTE)
            begun = (await way.api.post("/api/v1/connect/pages", json=body)).json()
            assert (await way.allow(begun)).status_code == 200
            assert len(server.to("/apps")) == 2


async def test_an_app_that_the_token_endpoint_refuses_is_made_anew(
    service: Service, clock: FrozenClock
) -> None:
    server = FakeOAuth(clients={})
    async with serving(server) as base:
        with offered(register=register):
            way = Way(service, server, base, clock)
            body = {"settings": {"api_url": base}}
            begun = (await way.api.post("/api/v1/connect/pages", json=body)).json()
            await way.open(begun)
            back = await at_the_page(begun["authorize_url"])
            server.clients = {"other": "x"}
            assert (await way.come_back(back)).status_code == 400
            again = (await way.api.post("/api/v1/connect/pages", json=body)).json()
            assert (await way.allow(again)).status_code == 200


async def test_settings_name_the_apps_and_the_address(
    sqlite_url: str, tmp_path: Any, clock: FrozenClock
) -> None:
    public = "https://inbox.example"
    redirect = f"{public}/connect/pages/callback"
    server = FakeOAuth(redirects={"app-1": redirect})
    settings = {
        "oauth_clients": SecretStr("pages=app-1:app-secret-1"),
        "public_url": public,
    }
    async with serving(server) as base:
        with offered(client_auth="basic"):
            async with running_service(sqlite_url, tmp_path / "d", clock=clock, **settings) as it:
                way = Way(it, server, base, clock)
                told = (await way.api.get("/api/v1/connect/pages")).json()
                assert (told["client"], told["redirect_uri"]) == ("configured", redirect)
                body = {"settings": {"api_url": base}}
                begun = (await way.api.post("/api/v1/connect/pages", json=body)).json()
                page = await way.allow(begun)
                assert page.status_code == 200, page.text
                asked = server.to("/oauth/token")[0]
                assert "client_secret" not in asked
                assert asked["redirect_uri"] == redirect


async def test_a_platform_without_pkce_is_not_sent_a_verifier(
    service: Service, clock: FrozenClock
) -> None:
    server = FakeOAuth(pkce=False)
    async with serving(server) as base:
        with offered(pkce=False, scope_separator=",", extra={"access_type": "offline"}):
            way = Way(service, server, base, clock)
            begun = await way.begin()
            query = parse_qs(urlsplit(begun["authorize_url"]).query)
            assert query["scope"] == ["read,manage"]
            assert query["access_type"] == ["offline"]
            assert "code_challenge" not in query
            assert (await way.allow(begun)).status_code == 200
            assert "code_verifier" not in server.to("/oauth/token")[0]


async def test_what_a_platform_wants_is_told_before_connecting(way: Way) -> None:
    listed = (await way.api.get("/api/v1/platforms")).json()["items"]
    pages = next(each for each in listed if each["name"] == "pages")
    assert pages["access"] == {
        "review": "App review.",
        "shortest": "Your own account needs none.",
        "price": "Free.",
    }
    retention = {"source": "Terms, 3.2", "refresh_within": "P30D", "wipe_gone": True}
    assert pages["retention"] == retention
    assert pages["oauth"] == {
        "offered": True,
        "needs_client": True,
        "scopes": ["read", "manage"],
        "chosen": ["page"],
    }
    quota = {"unit": "reads", "limit": 100.0, "period": "day", "zone": "UTC"}
    assert pages["quota"] == quota
    token = way.server.issue("ann")[2]["access_token"]
    draft = {
        "platform": "pages",
        "settings": {"api_url": way.base, "page": "brand"},
        "credential": {"access_token": token},
    }
    check = (await way.api.post("/api/v1/sources/check", json=draft)).json()
    assert check["estimate"] == {"unit": "reads", "per_day": 24.0, "detail": "one read an hour"}
    assert check["budget"] == quota
    made = await way.api.post("/api/v1/sources", json={**draft, "name": "shop", "budget": 50})
    check = (await way.api.post(f"/api/v1/sources/{made.json()['id']}/check")).json()
    assert check["budget"] == {**quota, "limit": 50.0}


async def test_an_account_is_looked_at_before_it_is_stored(way: Way) -> None:
    way.server.people["ann"] = ["brand", "sister"]
    begun = await way.begin()
    place = f"/api/v1/connect/pages/{begun['id']}/check"
    assert (await way.api.post(place, json={})).status_code == 409
    await way.allow(begun)
    assert (await way.api.post(place, json={})).status_code == 422
    way.server.end_access_tokens()  # so that the look has to renew, and what it has must be kept
    check = (await way.api.post(place, json={"account": "id-sister"})).json()
    assert (check["ok"], check["identity"]["id"]) == (True, "id-sister")
    assert check["budget"]["unit"] == check["estimate"]["unit"] == "reads"
    way.server.answers["/me"] = (401, {}, {})
    refused = (await way.api.post(place, json={"account": "id-sister"})).json()
    assert (refused["ok"], refused["error"]["code"]) == (False, "auth_failed")
    del way.server.answers["/me"]
    for account in ("id-brand", "id-sister"):  # opened by the same tokens
        assert (await way.api.post(place, json={"account": account})).json()["ok"]
    assert (await way.finish(begun, name="shop", account="id-sister")).status_code == 200
    assert "access-1-secret" not in way.server.tokens
    async with as_role(way.service, Role.ADMIN) as other:
        assert (await other.post(place, json={})).status_code == 404


async def test_the_rows_of_ways_are_not_kept_for_ever(way: Way) -> None:
    await way.begin()
    now = way.clock.now()
    assert "connection" not in await clean(way.service.db, now + timedelta(hours=23))
    assert (await clean(way.service.db, now + timedelta(hours=25)))["connection"] == 1


@pytest.mark.parametrize(
    ("login", "host", "right"),
    [
        ("facebook", "www.facebook.com", "instagram_manage_comments"),
        ("instagram", "www.instagram.com", "instagram_business_manage_comments"),
    ],
)
async def test_settings_may_decide_what_is_asked_for(
    service: Service, login: str, host: str, right: str
) -> None:
    body = {"settings": {"login": login}, "client_id": "1", "client_secret": "app-secret-1"}
    begun = await service.api.post("/api/v1/connect/instagram", json=body)
    assert begun.status_code == 201, begun.text
    address = urlsplit(begun.json()["authorize_url"])
    assert address.hostname == host
    assert right in parse_qs(address.query)["scope"][0].split(",")
