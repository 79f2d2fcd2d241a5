"""Browsers for tests: clients that keep cookies, and say of each request where it is from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.service import BASE, Service

PASSWORD = "a river between two hills"
SESSION = "/api/v1/session"


@asynccontextmanager
async def browser(
    service: Service, base: str = BASE, address: str = "127.0.0.1", **headers: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on our own page, at that address; nobody is signed in."""
    transport = httpx.ASGITransport(
        service.app, raise_app_exceptions=False, client=(address, 40_000)
    )
    sent = {"User-Agent": "Firefox", "Sec-Fetch-Site": "same-origin", **headers}
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=sent) as client:
        yield client


def ticket_of(link: str) -> str:
    """What stands in the fragment of a link."""
    address, _, ticket = link.partition("/#setup=")
    assert address.startswith("http"), link
    return ticket


async def set_up(service: Service, client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    """The first admin, by the link of the start."""
    body = {"ticket": ticket_of(service.app.state.set_up_link), "password": PASSWORD, **more}
    answered = await client.post("/api/v1/setup", json=body)
    assert answered.status_code == 201, answered.text
    me: dict[str, Any] = answered.json()
    return me


async def sign_in(client: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post(SESSION, json={"name": name, "password": password})


async def invited(service: Service, name: str, role: str = "agent", **more: Any) -> str:
    """The ticket of a new person, invited by the admin."""
    made = await service.api.post("/api/v1/users", json={"name": name, "role": role, **more})
    assert made.status_code == 201, made.text
    return await link_of(service, made.json()["id"])


async def link_of(service: Service, user_id: int) -> str:
    """The ticket of a new link for somebody."""
    made = await service.api.post(f"/api/v1/users/{user_id}/sign-in-link")
    assert made.status_code == 201, made.text
    return ticket_of(made.json()["url"])


@asynccontextmanager
async def signed_in(
    service: Service, name: str, role: str = "agent", **more: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of a new person who came in by their invitation."""
    ticket = await invited(service, name, role, **more)
    async with browser(service) as client:
        answered = await client.post("/api/v1/setup", json={"ticket": ticket, "password": PASSWORD})
        assert answered.status_code == 201, answered.text
        yield client
