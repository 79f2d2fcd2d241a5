"""Coming back from a platform's page: once, in time, from the server that was asked."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.clock import FrozenClock
from app.web.principal import Role
from tests.connecting.platform import at_the_page, offered
from tests.connecting.way import APP, MINUTE, REDIRECT, Way
from tests.service import running_service
from tests.world import as_role


async def test_a_return_is_good_once(way: Way) -> None:
    begun = await way.begin()
    back = await at_the_page(begun["authorize_url"])
    first, again = await way.come_back(back), await way.come_back(back)
    assert (first.status_code, again.status_code) == (200, 400)
    assert "used already" in again.text
    assert len(way.server.to("/oauth/token")) == 1, "the code is not shown to anybody twice"
    assert (await way.look(begun))["status"] == "allowed"


async def test_what_comes_of_a_return_leaves_one_row_in_the_trail(way: Way) -> None:
    begun = await way.begin()
    back = await at_the_page(begun["authorize_url"])
    for _ in range(2):
        await way.come_back(back)  # the second changes nothing
    way.server.refuses = "access_denied"
    other = await way.begin()
    await way.allow(other)
    trail = await way.api.get("/api/v1/audit", params={"operation": "return_from_platform"})
    refused, allowed = trail.json()["items"]
    for row, of, status in ((allowed, begun, "allowed"), (refused, other, "failed")):
        assert row["object"] == f"connection:{of['id']}"
        assert row["details"]["changes"]["status"] == {"from": None, "to": status}
        assert (row["actor"]["kind"], row["address"]) == ("nobody", "127.0.0.1")
    assert (allowed["details"]["accounts"], refused["details"]["error"]) == (1, "access_denied")
    began = await way.api.get("/api/v1/audit", params={"object": allowed["object"]})
    assert began.json()["items"][-1]["operation"] == "begin_connection"


async def test_of_many_returns_at_once_one_goes_on(way: Way) -> None:
    back = await at_the_page((await way.begin())["authorize_url"])
    answers = await asyncio.gather(*(way.come_back(back) for _ in range(5)))
    assert sorted(each.status_code for each in answers) == [200, 400, 400, 400, 400]
    assert len(way.server.to("/oauth/token")) == 1


async def test_a_return_that_comes_too_late_is_refused(way: Way) -> None:
    begun = await way.begin()
    back = await at_the_page(begun["authorize_url"])
    way.clock.move(10 * MINUTE)
    late = await way.come_back(back)
    assert (late.status_code, "too late" in late.text) == (400, True)
    assert (await way.look(begun))["status"] == "expired"
    assert way.server.to("/oauth/token") == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state=unknown-but-long-enough-for-a-state-of-ours&code=c",
        "code=c",
        "state={state}",
        "state={state}&code=a&code=b",
        "state={state}&state=other&code=c",
        "state={state}&code=" + "c" * 5000,
    ],
)
async def test_a_foreign_return_is_refused_and_costs_nothing(way: Way, query: str) -> None:
    begun = await way.begin()
    state = parse_qs(urlsplit(begun["authorize_url"]).query)["state"][0]
    answered = await way.come_back(f"{REDIRECT}?{query.format(state=state)}")
    assert answered.status_code == 400
    assert "no way back" in answered.text
    assert (await way.look(begun))["status"] == "waiting", "who began it can still go on"
    assert (await way.allow(begun)).status_code == 200


async def test_a_return_belongs_to_its_platform(way: Way) -> None:
    begun = await way.begin()
    back = await at_the_page(begun["authorize_url"])
    for other in ("hackernews", "nowhere", "mastodon"):
        answered = await way.come_back(back.replace("/pages/", f"/{other}/"))
        assert answered.status_code == 400
    assert (await way.come_back(back)).status_code == 200


async def test_only_who_began_it_sees_it_and_goes_on(way: Way) -> None:
    begun = await way.begin()
    await way.allow(begun)
    place = f"/api/v1/connect/pages/{begun['id']}"
    async with as_role(way.service, Role.ADMIN) as other:
        for answered in (
            await other.get(place),
            await other.post(place, json={"name": "mine"}),
            await other.delete(place),
        ):
            assert answered.status_code == 404
    async with as_role(way.service, Role.AGENT) as agent:
        assert (await agent.post("/api/v1/connect/pages", json={})).status_code == 403
        assert (await agent.get("/api/v1/connect/pages")).status_code == 403
    assert (await way.api.get(place.replace("pages", "mastodon"))).status_code == 404
    assert (await way.finish(begun, name="mine")).status_code == 200


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("access_denied", "access_denied"),
        ("invalid_scope", "refused"),
        ("server_error", "transient"),
        ("<script>alert(1)</script>", "refused"),
    ],
)
async def test_a_refusal_on_the_page_is_told(way: Way, error: str, code: str) -> None:
    way.server.refuses = error
    begun = await way.begin()
    page = await way.allow(begun)
    assert (page.status_code, "was not connected" in page.text) == (400, True)
    assert "script" not in page.text
    assert "<b>" not in page.text
    seen = await way.look(begun)
    assert (seen["status"], seen["error"]["code"]) == ("failed", code)
    assert "script" not in str(seen)
    refused = await way.finish(begun, name="shop")
    assert (refused.status_code, refused.json()["current_status"]) == (409, "failed")
    assert way.server.to("/oauth/token") == []


async def test_another_server_that_answers_is_found_out(way: Way) -> None:
    """RFC 9207: the mix-up of two servers."""
    way.server.says_issuer = "https://evil.example"
    begun = await way.begin()
    assert (await way.allow(begun)).status_code == 400
    assert (await way.look(begun))["error"]["code"] == "wrong_issuer"
    assert way.server.to("/oauth/token") == [], "the code goes to nobody"
    way.server.says_issuer = way.base
    assert (await way.allow(await way.begin())).status_code == 200


async def test_a_code_that_the_platform_refuses_is_told(way: Way) -> None:
    begun = await way.begin()
    back = await at_the_page(begun["authorize_url"])
    for code in way.server.codes.values():
        code.used = True
    assert (await way.come_back(back)).status_code == 400
    assert (await way.look(begun))["error"]["code"] == "code_refused"


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        ("/oauth/token", (401, {}, {"error": "invalid_client"}), "auth_failed"),
        ("/oauth/token", (503, {}, ""), "transient"),
        ("/oauth/token", (200, {}, {"token_type": "Bearer"}), "bad_response"),
        ("/oauth/token", (200, {}, "<html>"), "bad_response"),
        ("/accounts", (403, {}, ""), "auth_failed"),
        ("/accounts", (200, {}, []), "no_account"),
        ("/accounts", (200, {}, [{"nonsense": 1}]), "bad_response"),
    ],
)
async def test_what_goes_wrong_behind_the_page_is_told(
    way: Way, path: str, answer: Any, code: str
) -> None:
    way.server.answers[path] = answer
    begun = await way.begin()
    assert (await way.allow(begun)).status_code == 400
    seen = await way.look(begun)
    assert (seen["status"], seen["error"]["code"], seen["accounts"]) == ("failed", code, [])
    assert (await way.api.get("/api/v1/sources")).json()["items"] == []


async def test_a_return_in_another_browser_is_refused_and_costs_nothing(way: Way) -> None:
    """Whoever is sent the platform's address by somebody else allows nothing."""
    begun = await way.begin()
    back = await at_the_page(begun["authorize_url"])
    mine = dict(way.service.anonymous.cookies)
    (name,) = mine
    for cookies in ({}, {name: "another"}, {name: ""}, {"way-99": mine[name]}, {f"{name}x": "x"}):
        way.service.anonymous.cookies = httpx.Cookies(cookies)
        page = await way.come_back(back)
        assert (page.status_code, "begun elsewhere" in page.text) == (400, True)
    assert way.server.to("/oauth/token") == [], "the code goes to nobody"
    assert (await way.look(begun))["status"] == "waiting"
    way.service.anonymous.cookies = httpx.Cookies(mine)
    assert (await way.come_back(back)).status_code == 200


async def test_whoever_began_may_bring_it_himself(way: Way) -> None:
    """The command line has the cookie of the answer, and hands in what a person pastes."""
    begun = await way.begin()
    back = await at_the_page(begun["authorize_url"])
    assert (await way.api.get(back)).status_code == 200
    assert (await way.look(begun))["status"] == "allowed"


async def test_the_cookie_is_for_this_way_and_for_browsers_alone(way: Way) -> None:
    body = {"settings": {"api_url": way.base}, **APP}
    answered = await way.api.post("/api/v1/connect/pages", json=body)
    cookie = answered.headers["set-cookie"].lower()
    assert cookie.startswith(f"way-{answered.json()['id']}=")
    assert {"httponly", "samesite=lax", "path=/", "max-age=600"} <= set(cookie.split("; "))
    assert "secure" not in cookie, "by http on loopback"
    assert cookie.partition("=")[2].partition(";")[0] not in answered.text.lower()


async def test_a_ticket_opens_its_own_way_while_it_waits(way: Way) -> None:
    begun, other = await way.begin(), await way.begin()
    ticket = begun["open_url"].partition("ticket=")[2]
    place = f"{REDIRECT.rpartition('/')[0]}"
    for path in (
        f"{other['id']}/open?ticket={ticket}",
        f"{begun['id']}/open?ticket={ticket[:-1]}",
        f"{begun['id']}/open?ticket=",
        f"{begun['id']}/open",
        f"999/open?ticket={ticket}",
    ):
        page = await way.service.anonymous.get(f"{place}/{path}")
        assert (page.status_code, "set-cookie" in page.headers) == (400, False), path
    await way.allow(begun)
    late = await way.service.anonymous.get(begun["open_url"])
    assert (late.status_code, "no longer open" in late.text) == (400, True)


async def test_by_https_the_cookie_is_secure(
    sqlite_url: str, tmp_path: Path, clock: FrozenClock
) -> None:
    public = "https://inbox.example"
    body = {"settings": {"api_url": "https://127.0.0.1"}, **APP}
    with offered():
        async with running_service(sqlite_url, tmp_path, clock=clock, public_url=public) as service:
            answered = await service.api.post("/api/v1/connect/pages", json=body)
            cookie = answered.headers["set-cookie"].lower()
            assert cookie.startswith("__host-way-")
            assert "secure" in cookie.split("; ")
            assert answered.json()["open_url"].startswith(f"{public}/connect/pages/")
