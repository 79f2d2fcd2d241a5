"""The way in through a server's own page: an app of ours there, and the account it opens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.clock import SystemClock
from app.connectors.failures import AuthFailed, BadResponse, PermissionMissing
from app.connectors.fediverse import oauth
from app.connectors.http import Door, SourceHttp
from app.connectors.oauth import Client, Granted
from app.connectors.platforms.mastodon import PLATFORM, Credential, Settings
from tests.connectors.fake_mastodon import US, FakeMastodon
from tests.serving import serving

APPS = "/api/v1/apps"
METADATA = "/.well-known/oauth-authorization-server"
BACK = "http://127.0.0.1:8000/api/v1/connect/mastodon/callback"
MADE = {"id": "1", "name": "Unanswered", "client_id": "an id", "client_secret": "a secret"}
NEEDED = ["read:notifications", "read:statuses", "read:accounts"]


@asynccontextmanager
async def server(fake: FakeMastodon) -> AsyncIterator[tuple[SourceHttp, Settings]]:
    door = Door(allow=("127.0.0.0/8",), clock=SystemClock(), user_agent="tests")
    try:
        async with serving(fake) as base:
            yield door.for_source(), Settings(instance=base)
    finally:
        await door.aclose()


def granted(settings: Settings, token: Mapping[str, Any]) -> Granted:
    return Granted(settings, Client("an id", "a secret"), token)


async def test_an_app_is_registered_for_what_we_need_and_nothing_else() -> None:
    fake = FakeMastodon()
    fake.answers[APPS] = (200, {}, MADE)
    async with server(fake) as (http, settings):
        client = await oauth.register(http, settings, BACK)
    assert (client.id, client.secret) == ("an id", "a secret")
    assert "a secret" not in repr(client)
    assert fake.posted == [
        {"client_name": "Unanswered", "redirect_uris": BACK, "scopes": " ".join(NEEDED)}
    ]


@pytest.mark.parametrize(
    "told",
    [
        (404, {}, {"error": "Not found"}),  # before 4.3
        (200, {}, "<html>"),  # a server whose page this is
        (200, {}, {"scopes_supported": ["profile", "read", *NEEDED, "write"]}),
        (200, {}, {"scopes_supported": ["read", "write", "follow", "push"]}),  # Pleroma
        (200, {}, {}),
    ],
)
async def test_a_server_may_tell_what_it_can_be_asked_for(told: Any) -> None:
    fake = FakeMastodon()
    fake.answers |= {APPS: (200, {}, MADE), METADATA: told}
    async with server(fake) as (http, settings):
        await oauth.register(http, settings, BACK)
    assert len(fake.asked(APPS)) == 1


async def test_a_server_without_the_rights_we_need_is_told_before_anybody_is_sent_there() -> None:
    fake = FakeMastodon()
    supported = ["read:accounts", "read:statuses", "write"]
    fake.answers |= {APPS: (200, {}, MADE), METADATA: (200, {}, {"scopes_supported": supported})}
    async with server(fake) as (http, settings):
        with pytest.raises(PermissionMissing, match="read:notifications") as raised:
            await oauth.register(http, settings, BACK)
    assert raised.value.rights == ("read:notifications",)
    assert not fake.asked(APPS)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((422, {}, {"error": "Validation failed: Redirect URI must be absolute"}), "PUBLIC_URL"),
        ((200, {}, {"client_id": "an id"}), "without its id or secret"),
        ((200, {}, []), "no application"),
    ],
)
async def test_an_app_that_is_not_made_is_a_failure_with_its_reason(
    answer: Any, words: str
) -> None:
    fake = FakeMastodon()
    fake.answers[APPS] = answer
    async with server(fake) as (http, settings):
        with pytest.raises(BadResponse, match=words):
            await oauth.register(http, settings, BACK)


async def test_the_token_opens_one_account() -> None:
    fake = FakeMastodon()
    token = {"access_token": "the token", "token_type": "Bearer", "scope": " ".join(NEEDED)}
    async with server(fake) as (http, settings):
        [account] = await oauth.accounts(http, granted(settings, token))
        host = settings.instance.removeprefix("http://")
    assert (account.external_id, account.name) == (US, "The Brand")
    assert account.handle == f"brand@{host}"
    assert Credential(**account.credential).access_token == "the token"
    assert "the token" not in repr(account)


async def test_a_token_that_opens_nothing_is_refused() -> None:
    fake = FakeMastodon()
    fake.answers["/api/v1/accounts/verify_credentials"] = (401, {}, {"error": "revoked"})
    async with server(fake) as (http, settings):
        with pytest.raises(AuthFailed):
            await oauth.accounts(http, granted(settings, {"access_token": "dead"}))
        for nothing in ({}, {"access_token": ""}, {"access_token": 7}):
            with pytest.raises(BadResponse, match="no access token"):
                await oauth.accounts(http, granted(settings, nothing))


def test_a_person_is_sent_to_the_server_itself_and_the_code_to_where_it_is_asked() -> None:
    way = PLATFORM.oauth
    assert way is not None
    assert (list(way.scopes), way.pkce, way.scope_separator) == (NEEDED, True, " ")
    assert way.register is oauth.register
    there = way.endpoints(Settings(instance="https://social.example/"))
    assert (there.authorize, there.token) == (
        "https://social.example/oauth/authorize",
        "https://social.example/oauth/token",
    )
    proxied = Settings(instance="https://social.example", api_url="https://proxy.example/m")
    assert way.endpoints(proxied).authorize == "https://social.example/oauth/authorize"
    assert way.endpoints(proxied).token == "https://proxy.example/m/oauth/token"
