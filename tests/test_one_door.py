"""No address that a stranger gives makes the service open a socket it must not: by every way in.

Asserted at the sockets of the process. The same requests reach what the operator lists.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import update

from app.clock import FrozenClock
from app.connectors.registry import PLATFORMS
from app.errors import Unavailable
from app.outbox.webhooks.models import webhook
from app.sources.models import source
from app.team.oidc.provider import NotProven, Provider
from tests.connectors.fake_mastodon import FakeMastodon, account, mention, status
from tests.connectors.hostile_urls import HOSTILE, NAMES, NOT_PUBLIC
from tests.connectors.playing import Player, filled, load
from tests.connectors.raw_servers import answer as raw_answer
from tests.connectors.raw_servers import raw_server
from tests.outbox.receiver import made
from tests.service import NOON, Service, running_service
from tests.serving import serving
from tests.sockets import NameServer, Opened, sockets_watched
from tests.team.oidc.provider import CLIENT_ID, CLIENT_SECRET
from tests.team.oidc.provider import Provider as FakeLogin

PUBLIC = "93.184.215.14"
REBINDING = [f"https://{name}.rebinding.example/" for name in ("a", "b", "c", "d", "e", "f")]
CORPUS = (*HOSTILE, *REBINDING)
FIELDS = [
    *(("mastodon", field) for field in ("instance", "api_url")),
    *(("bluesky", field) for field in ("service", "api_url")),
    *(("wordpress", "site"), ("hackernews", "api_url"), ("facebook", "api_url")),
    ("discord", "api_url"),
    ("instagram", "api_url"),
    *(("lemmy", field) for field in ("instance", "api_url")),
    ("linkedin", "api_url"),
    ("reddit", "api_url"),
    ("slack", "api_url"),
    ("telegram", "api_url"),
    ("threads", "api_url"),
    ("tiktok", "api_url"),
    ("x", "api_url"),
    ("youtube", "api_url"),
    ("demo", "api_url"),
]
"""Every setting of a source that names a server."""
BY_PAGE = [name for name, platform in PLATFORMS.items() if platform.oauth is not None]


@asynccontextmanager
async def guarded(
    url: str, folder: Path, *allow: str, **settings: Any
) -> AsyncIterator[tuple[Service, Opened]]:
    """The service of an operator who lists `allow`, and the sockets it opens; names are told by a
    resolver that knows inside addresses, and some that change their mind.
    """
    known: dict[str, Any] = {name: [answers] for name, answers in NAMES.items()}
    for place, each in enumerate(REBINDING):
        inside = ("127.0.0.1", "169.254.169.254", "10.0.0.1")[place % 3]
        known[urlsplit(each).hostname or ""] = [[PUBLIC], [inside], [PUBLIC, inside]]
    loop = asyncio.get_running_loop()
    asked = loop.getaddrinfo
    async with running_service(url, folder, allow_networks=allow, **settings) as service:
        loop.getaddrinfo = NameServer(known).getaddrinfo  # type: ignore[assignment,method-assign]
        try:
            with sockets_watched() as opened:
                yield service, opened
        finally:
            loop.getaddrinfo = asked  # type: ignore[method-assign]


def settings_of(platform: str, field: str, url: str) -> dict[str, Any]:
    """Settings that fit but for the server, which is `url`."""
    settings = {**load(platform)["settings"], field: url}
    if field == "instance":
        settings.pop("api_url", None)  # it would be asked instead
    return {name: "https://good.example" if value == "{base}" else value
            for name, value in settings.items()}  # fmt: skip


async def send(api: httpx.AsyncClient, method: str, path: str, body: Any) -> httpx.Response:
    """As ASCII: half a pair can be sent no other way."""
    headers = {"Content-Type": "application/json"}
    return await api.request(method, f"/api/v1{path}", content=json.dumps(body), headers=headers)


@dataclass(slots=True)
class Ways:
    """Every request by which an address gets in. `sources` has a source of each platform."""

    service: Service
    sources: dict[str, int]
    hook: int = 0

    def source(self, platform: str, field: str, url: str) -> dict[str, Any]:
        return {
            "platform": platform,
            "name": "a stranger's",
            "settings": settings_of(platform, field, url),
            "credential": load(platform)["credential"],
        }

    async def check(self, platform: str, field: str, url: str) -> httpx.Response:
        draft = self.source(platform, field, url)
        del draft["name"]
        return await send(self.service.api, "POST", "/sources/check", draft)

    async def create(self, platform: str, field: str, url: str) -> httpx.Response:
        return await send(self.service.api, "POST", "/sources", self.source(platform, field, url))

    async def change(self, platform: str, field: str, url: str) -> httpx.Response:
        body = {"settings": settings_of(platform, field, url)}
        return await send(self.service.api, "PATCH", f"/sources/{self.sources[platform]}", body)

    async def connect(self, platform: str, field: str, url: str) -> httpx.Response:
        """The page of a platform: an app is made on the server, or the code comes back to it."""
        if platform not in BY_PAGE:
            return await self.check(platform, field, url)
        body: dict[str, Any] = {"settings": settings_of(platform, field, url)}
        if platform != "mastodon":
            body |= {"client_id": "app", "client_secret": "secret"}
        begun = await send(self.service.api, "POST", f"/connect/{platform}", body)
        if begun.status_code != 201:
            return begun
        state = parse_qs(urlsplit(begun.json()["authorize_url"]).query)["state"][0]
        back = f"/connect/{platform}/callback"
        return await self.service.api.get(back, params={"state": state, "code": "a-code"})

    async def webhook(self, _platform: str, _field: str, url: str) -> httpx.Response:
        body: Any = {"url": url, "enabled": False}
        made = await send(self.service.api, "POST", "/webhooks", body)
        if made.status_code == 201:  # a name: judged when something is sent there
            found = made.json()["webhook"]["id"]
            tested = await send(self.service.api, "POST", f"/webhooks/{found}/test", {})
            await send(self.service.api, "DELETE", f"/webhooks/{found}", None)
            return tested
        return made

    async def webhook_change(self, _platform: str, _field: str, url: str) -> httpx.Response:
        body = {"url": url, "enabled": False}
        return await send(self.service.api, "PATCH", f"/webhooks/{self.hook}", body)

    async def webhook_test(self, _platform: str, _field: str, url: str) -> httpx.Response:
        """An address that got into the table some other way."""
        if "\ud800" not in url:
            async with self.service.db.write() as tx:
                await tx.execute(update(webhook).values(url=url))
        return await send(self.service.api, "POST", f"/webhooks/{self.hook}/test", {})

    async def poll(self, platform: str, field: str, url: str) -> httpx.Response:
        """Settings that got into the table some other way."""
        where = source.c.id == self.sources[platform]
        async with self.service.db.write() as tx:
            settings = settings_of(platform, field, url)
            await tx.execute(update(source).where(where).values(settings=settings))
        path = f"/sources/{self.sources[platform]}/poll?wait=30"
        return await send(self.service.api, "POST", path, None)

    @property
    def all(self) -> list[Callable[[str, str, str], Awaitable[httpx.Response]]]:
        return [
            *(self.check, self.create, self.change, self.connect),
            *(self.webhook, self.webhook_change, self.webhook_test),
        ]


def refused(answer: httpx.Response) -> bool:
    """Whether the request told no more than that it failed."""
    if answer.status_code == 200:
        told: dict[str, Any] = answer.json()
        return told.get("ok") is False or told.get("error") is not None
    return answer.status_code in {400, 422}


@asynccontextmanager
async def one_of_each(url: str, folder: Path) -> AsyncIterator[tuple[Ways, dict[str, str]]]:
    """A source of every platform and a webhook, made while loopback was listed; where they lead."""
    async with guarded(url, folder, "127.0.0.0/8") as (service, _), AsyncExitStack() as stack:
        bases = {
            name: await stack.enter_async_context(serving(Player(load(name)["exchanges"])))
            for name in PLATFORMS
        }
        ways = Ways(service, {})
        for name, base in bases.items():
            draft = filled({k: load(name)[k] for k in ("settings", "credential")}, base)
            body = {"platform": name, "name": name, **draft}
            added = await send(service.api, "POST", "/sources", body)
            assert added.status_code == 201, added.text
            ways.sources[name] = added.json()["id"]
        ways.hook = (await made(service, "https://desk.example/", enabled=False))["id"]
        yield ways, bases


@pytest.mark.allow_hosts(["127.0.0.1", "::1", PUBLIC, *NOT_PUBLIC])  # `sockets_watched` refuses
async def test_no_address_of_a_stranger_opens_a_socket(sqlite_url: str, tmp_path: Path) -> None:
    """Each of them by each kind of way in; the platforms and their fields take turns."""
    assert len(CORPUS) >= 150
    async with one_of_each(sqlite_url, tmp_path / "data") as (before, _):
        sources, hook = before.sources, before.hook
    async with guarded(sqlite_url, tmp_path / "data") as (service, opened):
        ways = Ways(service, sources, hook)
        for turn, way in enumerate(ways.all):
            share = 3 if way == ways.webhook_test else 1  # each of these is a commit
            for place, url in enumerate(CORPUS[::share]):
                answer = await way(*FIELDS[(place + turn) % len(FIELDS)], url)
                named = way == ways.webhook_change and answer.status_code == 200
                assert refused(answer) or named, (way.__name__, url, answer.text)
        for place, url in enumerate(CORPUS[:: len(CORPUS) // 40]):
            if "\ud800" not in url:
                answer = await ways.poll(*FIELDS[place % len(FIELDS)], url)
                assert refused(answer), (url, answer.text)
    assert {host for host, _ in opened} <= {PUBLIC}, "names that change their mind: once, vetted"


async def test_what_the_operator_lists_is_reached_by_the_same_ways(
    sqlite_url: str, tmp_path: Path
) -> None:
    """The control: with loopback listed, each way in opens a socket to the address given."""
    reached: list[str] = []

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
        writer.write(raw_answer(404))
        await writer.drain()

    async with (
        one_of_each(sqlite_url, tmp_path / "data") as (ways, _),
        raw_server(listening) as base,
    ):
        with sockets_watched() as opened:
            for way in (*ways.all, ways.poll):
                for platform, field in FIELDS:
                    before = len(reached)
                    await way(platform, field, base)
                    quiet = way == ways.webhook_change
                    assert len(reached) > before or quiet, (way.__name__, platform, field)
    assert {host for host, _ in opened} == {"127.0.0.1"}


async def test_a_redirect_leads_nowhere(sqlite_url: str, tmp_path: Path) -> None:
    """A server that may be reached sends us on, in each way there is, to each of the addresses."""
    leads = [url for url in CORPUS if not {"\r", "\n", "\0", "\ud800"} & set(url)]
    statuses = (301, 302, 303, 307, 308, 300, 305)
    turn = -1

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal turn
        await reader.readuntil(b"\r\n\r\n")
        turn += 1
        there = leads[turn % len(leads)].encode().decode("latin-1")
        code = statuses[turn % len(statuses)]
        writer.write(raw_answer(code, f"location: {there}", f"refresh: 0;url={there}"))
        await writer.drain()

    async with (
        guarded(sqlite_url, tmp_path / "data", "127.0.0.0/8") as (service, opened),
        raw_server(listening) as base,
    ):
        ways = Ways(service, {})
        ways.hook = (await made(service, f"{base}/hook", enabled=False))["id"]
        for place in range(len(leads)):
            if place % 3:
                answer = await send(service.api, "POST", f"/webhooks/{ways.hook}/test", {})
            else:
                answer = await ways.check(*FIELDS[place % len(FIELDS)], base)
            assert refused(answer), answer.text
    port = urlsplit(base).port
    assert set(opened) == {("127.0.0.1", port)}
    assert turn >= len(leads) - 1


async def test_pictures_and_links_of_strangers_are_never_fetched(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Avatars, media, cards and links are told to the page, and asked of nobody."""
    fake = FakeMastodon()
    for number, url in enumerate(CORPUS[:60]):
        plain = url.encode("utf-8", "replace").decode()
        media = {"id": str(number), "type": "image", "url": plain, "preview_url": plain}
        told = status(
            str(900 + number),
            content=f"<p>Look: <a href='{plain}'>here</a> <img src='{plain}'></p>",
            media_attachments=[media],
            card={"url": plain, "image": plain, "title": "x", "type": "link"},
        )
        told["account"] |= account("7", avatar=plain, url=plain, avatar_static=plain)
        fake.notifications.append(mention(str(number), told))
    async with (
        serving(fake) as base,
        guarded(sqlite_url, tmp_path / "data", "127.0.0.0/8") as (service, opened),
    ):
        settings, credential = {"instance": base}, {"access_token": "a-token"}
        body = {"platform": "mastodon", "name": "m", "settings": settings, "backfill": "P90D"}
        added = await send(service.api, "POST", "/sources", {**body, "credential": credential})
        await service.poll(added.json()["id"])
        found = await service.items(status="any", backlog="include", needs_reply="any")
        assert len(found) >= 50
    assert set(opened) == {("127.0.0.1", urlsplit(base).port)}


async def comes_in(known: Provider, login: FakeLogin) -> Any:
    """Somebody goes to the sign-in service and comes back with a code; who that is."""
    redirect, verifier = "https://desk.example/back", "v" * 43
    known._published = None  # an hour has passed
    address = await known.address(
        redirect_uri=redirect, state="s" * 43, nonce="n" * 43, verifier=verifier
    )
    code = login.consent(address)["code"]
    return await known.somebody(code, redirect_uri=redirect, nonce="n" * 43, verifier=verifier)


@pytest.mark.allow_hosts(["127.0.0.1", "::1", PUBLIC, *NOT_PUBLIC])  # `sockets_watched` refuses
async def test_a_sign_in_service_leads_nowhere(sqlite_url: str, tmp_path: Path) -> None:
    """One that is allowed names the addresses in turn as its token endpoint, its keys and what it
    says of people; and each of them is asked whether it is such a service.
    """
    login = FakeLogin(FrozenClock(NOON), in_token=False)
    async with serving(login) as base:
        port = urlsplit(base).port
        login.base = f"http://login.lan:{port}"
        settings = {
            "oidc_issuer": login.base,
            "oidc_client_id": CLIENT_ID,
            "oidc_client_secret": SecretStr(CLIENT_SECRET),
            "public_url": "https://desk.example",
        }
        async with guarded(sqlite_url, tmp_path / "data", "login.lan", **settings) as (one, opened):
            known: Provider = one.app.state.oidc.provider
            assert (await comes_in(known, login)).email == "mira@example.org"
            assert {"/keys", "/token", "/userinfo"} <= set(login.asked), "the control"
            for place, url in enumerate(CORPUS):
                field = ("token_endpoint", "jwks_uri", "userinfo_endpoint")[place % 3]
                login.told = {field: url or " "}  # none at all would be no place to ask
                with pytest.raises((NotProven, Unavailable)):
                    await comes_in(known, login)
            for url in CORPUS:
                known.issuer = url
                with pytest.raises(Unavailable):
                    await comes_in(known, login)
    assert {host for host, at in opened if (host, at) != ("127.0.0.1", port)} <= {PUBLIC}
