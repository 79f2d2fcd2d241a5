"""People named by a proxy: from the listed networks alone, and never twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.settings import SettingsError, load_settings
from tests.browsing import SESSION, browser, sign_in, signed_in
from tests.service import ADMIN_TOKEN, Service, running_service
from tests.web.apps import problem

HEADER = "X-Forwarded-User"
PROXY = "10.0.0.2"
SETTINGS: dict[str, Any] = {
    "proxy_user_header": HEADER,
    "proxy_networks": ("10.0.0.0/8",),
    "trusted_hosts": ("*",),
}


async def status(service: Service, address: str, *named: str) -> int:
    """What somebody at that address is told who sends these names."""
    headers = [("Sec-Fetch-Site", "same-origin"), *((HEADER, each) for each in named)]
    async with browser(service, "http://desk.lan", address=address) as client:
        return (await client.get("/api/v1/me", headers=headers)).status_code


async def test_the_header_counts_from_the_proxy_alone(sqlite_url: str, tmp_path: Path) -> None:
    async with running_service(sqlite_url, tmp_path / "data", **SETTINGS) as service:
        made = await service.api.post("/api/v1/users", json={"name": "mira", "role": "agent"})
        assert await status(service, PROXY, "mira") == 200
        assert await status(service, PROXY, "MIRA") == 200
        for address, named in [
            ("192.0.2.7", ["mira"]),
            ("127.0.0.1", ["mira"]),
            ("::1", ["mira"]),
            (PROXY, []),
            (PROXY, [""]),
            (PROXY, ["nobody"]),
            (PROXY, ["mira", "boss"]),
            (PROXY, ["mira, boss"]),
        ]:
            assert await status(service, address, *named) == 401, (address, named)
        await service.api.delete(f"/api/v1/users/{made.json()['id']}")
        assert await status(service, PROXY, "mira") == 401
        assert service.app.state.set_up_link is None


async def test_who_comes_by_the_proxy_is_held_to_our_own_page(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_service(sqlite_url, tmp_path / "data", **SETTINGS) as service:
        await service.api.post("/api/v1/users", json={"name": "mira", "role": "agent"})
        async with browser(service, "http://desk.lan", address=PROXY) as client:
            client.headers[HEADER] = "mira"
            state = (await client.get(SESSION)).json()
            assert (state["signed_in"]["kind"], state["set_up_needed"]) == ("proxy", False)
            assert state["ways"]["proxy"] is True
            made = await client.post("/api/v1/labels", json={"name": "press"})
            assert made.status_code == 201
            client.headers["Sec-Fetch-Site"] = "cross-site"
            refused = await client.post("/api/v1/labels", json={"name": "other"})
            problem(refused, 403, "cross-site")
            token = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
            assert (await client.get("/api/v1/me", headers=token)).json()["kind"] == "token"


async def test_the_one_whom_the_proxy_names_counts_before_a_session_left_behind(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with running_service(sqlite_url, tmp_path / "data", **SETTINGS) as service:
        await service.api.post("/api/v1/users", json={"name": "noor", "role": "viewer"})
        async with (
            signed_in(service, "mira"),
            browser(service, address=PROXY) as client,
        ):
            assert (await sign_in(client, "mira")).status_code == 201
            assert (await client.get("/api/v1/me")).json()["name"] == "mira"
            named = await client.get("/api/v1/me", headers={HEADER: "noor"})
            assert named.json()["name"] == "noor"
            gone = await client.get("/api/v1/me", headers={HEADER: "nobody"})
            problem(gone, 401, "unauthenticated")


async def test_newcomers_are_made_where_a_role_is_set_for_them(
    sqlite_url: str, tmp_path: Path
) -> None:
    changes = {**SETTINGS, "newcomers_role": "viewer"}
    async with running_service(sqlite_url, tmp_path / "data", **changes) as service:
        for name, expected in {"noor": 200, "Noor": 200, "me": 401, "1": 401, "a b": 401}.items():
            assert await status(service, PROXY, name) == expected, name
        people = (await service.api.get("/api/v1/users")).json()["items"]
        assert [(each["name"], each["role"]) for each in people[1:]] == [("noor", "viewer")]
        trail = await service.api.get("/api/v1/audit", params={"operation": "join_by_proxy"})
        (row,) = trail.json()["items"]
        assert (row["outcome"], row["actor"]["name"], row["address"]) == ("done", "noor", PROXY)
        assert row["object"] == f"user:{people[1]['id']}"
        assert row["details"]["changes"]["role"] == {"from": None, "to": "viewer"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"PROXY_USER_HEADER": HEADER}, "needs UNANSWERED_PROXY_NETWORKS"),
        ({"PROXY_USER_HEADER": "Cookie", "PROXY_NETWORKS": "10.0.0.2"}, "something else"),
        ({"PROXY_USER_HEADER": "a b", "PROXY_NETWORKS": "10.0.0.2"}, "no name of a header"),
        ({"PROXY_NETWORKS": "proxy.lan"}, "no address and no network"),
        ({"OIDC_ISSUER": "https://login.example"}, "needs UNANSWERED_OIDC_CLIENT_ID"),
        (
            {"OIDC_ISSUER": "https://login.example", "OIDC_CLIENT_ID": "x"},
            "needs UNANSWERED_PUBLIC_URL",
        ),
        ({"OIDC_DOMAINS": "localhost"}, "no domain"),
        ({"NEWCOMERS_ROLE": "admin"}, "viewer"),
        ({"SESSION_DAYS": "0"}, "greater than 0"),
    ],
)
def test_settings_that_would_let_anybody_in_are_refused(given: dict[str, str], told: str) -> None:
    env = {f"UNANSWERED_{name}": value for name, value in given.items()}
    with pytest.raises(SettingsError, match=told):
        load_settings(env, None)
