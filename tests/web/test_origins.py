"""What a page of another site made a browser send is refused; who calls is not made up."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from starlette.requests import Request

from app.web.networks import is_within, network_of
from app.web.origins import client_address
from tests.browsing import SESSION, browser, set_up, sign_in
from tests.service import ADMIN_TOKEN, BASE, Service
from tests.web.apps import problem

OWN, FOREIGN = BASE, "https://evil.example"
JSON = "application/json"
REQUESTS: list[tuple[str | None, str | None, str | None, int]] = [
    # Sec-Fetch-Site, Origin, Content-Type, status
    ("same-origin", None, JSON, 201),
    ("same-origin", OWN, JSON, 201),
    ("none", None, JSON, 201),
    (None, OWN, JSON, 201),
    (None, OWN, f"{JSON}; charset=utf-8", 201),
    ("cross-site", None, JSON, 403),
    ("same-site", None, JSON, 403),
    ("cross-site", OWN, JSON, 403),
    ("SAME-ORIGIN", None, JSON, 403),
    ("", None, JSON, 403),
    (None, FOREIGN, JSON, 403),
    (None, "null", JSON, 403),
    (None, "http://127.0.0.1", JSON, 403),
    (None, "http://127.0.0.1:8001", JSON, 403),
    (None, "https://127.0.0.1:8000", JSON, 403),
    (None, "http://127.0.0.1:8000.evil.example", JSON, 403),
    (None, None, JSON, 403),
    ("same-origin", OWN, "text/plain", 403),
    ("same-origin", OWN, "application/x-www-form-urlencoded", 403),
    ("same-origin", OWN, "multipart/form-data; boundary=x", 403),
    ("same-origin", OWN, None, 403),
]


def headers_of(site: str | None, origin: str | None, kind: str | None) -> dict[str, str]:
    given = {"Sec-Fetch-Site": site, "Origin": origin, "Content-Type": kind}
    return {name: value for name, value in given.items() if value is not None}


async def test_a_request_by_cookie_must_come_from_our_own_page(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        await set_up(sqlite_service, client, name="mira")
        del client.headers["Sec-Fetch-Site"]
        for number, (site, origin, kind, expected) in enumerate(REQUESTS):
            body = f'{{"name": "label {number}"}}'.encode()
            headers = headers_of(site, origin, kind)
            answered = await client.post("/api/v1/labels", content=body, headers=headers)
            assert answered.status_code == expected, (site, origin, kind, answered.text)
            if expected == 403:
                problem(answered, 403, "cross-site")
            bearer = {**headers, "Authorization": f"Bearer {ADMIN_TOKEN}"}
            if kind in {JSON, f"{JSON}; charset=utf-8"}:
                body = f'{{"name": "token {number}"}}'.encode()
                answered = await client.post("/api/v1/labels", content=body, headers=bearer)
                assert answered.status_code == 201, (site, origin)
        assert (await client.get("/api/v1/labels", headers={"Origin": FOREIGN})).status_code == 200
        signed_out = await client.delete(SESSION, headers={"Sec-Fetch-Site": "cross-site"})
        problem(signed_out, 403, "cross-site")
        assert (await client.get("/api/v1/me")).status_code == 200


async def test_nobody_is_signed_in_by_a_page_of_another_site(sqlite_service: Service) -> None:
    async with browser(sqlite_service) as client:
        await set_up(sqlite_service, client, name="mira")
        await client.delete(SESSION)
        for header in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": FOREIGN}):
            client.headers.pop("Sec-Fetch-Site", None)
            client.headers.pop("Origin", None)
            client.headers.update(header)
            problem(await sign_in(client, "mira"), 403, "cross-site")
            ticket = {"ticket": "x", "password": "y"}
            problem(await client.post("/api/v1/setup", json=ticket), 403, "cross-site")
        del client.headers["Origin"]
        assert (await sign_in(client, "mira")).status_code == 201  # a program, which no page sent


class _App:
    class state:  # noqa: N801  # what a request finds there
        proxies = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def asked(peer: str, *forwarded: str) -> Request:
    scope: dict[str, Any] = {
        "type": "http",
        "app": _App,
        "client": (peer, 1),
        "headers": [(b"x-forwarded-for", each.encode()) for each in forwarded],
    }
    return Request(scope)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.2", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.2", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.2", ["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.2", ["198.51.100.7, 10.0.0.3"], "198.51.100.7"),
        ("10.0.0.2", ["10.0.0.4, 10.0.0.3"], "10.0.0.4"),
        ("10.0.0.2", ["not an address"], "10.0.0.2"),
        ("10.0.0.2", ["198.51.100.7, nonsense"], "10.0.0.2"),
        ("10.0.0.2", [], "10.0.0.2"),
        ("::ffff:10.0.0.2", ["2001:db8::1"], "2001:db8::1"),
        ("fd00::1", ["[2001:db8::1]"], "2001:db8::1"),
    ],
)
def test_only_a_trusted_proxy_says_for_whom_it_asks(
    peer: str, forwarded: list[str], expected: str
) -> None:
    assert client_address(asked(peer, *forwarded)) == expected


def test_a_caller_is_counted_by_address_or_line() -> None:
    assert network_of("192.0.2.7") == network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert network_of("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("") == network_of("testclient") == ""
    assert not is_within("testclient", (ip_network("0.0.0.0/0"),))
