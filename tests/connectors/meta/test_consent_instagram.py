"""From a consent on Instagram, or on Facebook, to the account, over real HTTP."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.connectors.oauth import Client, Granted
from app.connectors.platforms.instagram import PLATFORM, RIGHTS, Credential, Settings
from tests.connectors.meta.staging import asked, listed, serve
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

ME = {"id": "9901", "user_id": "2001", "username": "acmetea", "name": "Acme Tea"}


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("instagram"))) as stage:
        serve(stage, "me", ME)
        yield stage


async def accounts(source: Source, settings: Settings, token: Any) -> Any:
    assert PLATFORM.oauth is not None
    granted = Granted(settings, Client("4001", "app-secret"), token)
    return await PLATFORM.oauth.accounts(source.door.for_source(), granted)


@pytest.mark.parametrize(
    "token",
    [
        {"access_token": "short", "user_id": "9901", "permissions": ["instagram_business_basic"]},
        {"data": [{"access_token": "short", "user_id": "9901", "permissions": "x"}]},
    ],
)
async def test_a_consent_on_instagram_opens_one_account(source: Source, token: Any) -> None:
    serve(source, "/access_token", {"access_token": "long", "expires_in": 5184000})
    settings = Settings(login="instagram", api_url=source.address)
    [one] = await accounts(source, settings, token)
    assert one.external_id == "2001"
    assert one.settings == {"login": "instagram", "account_id": "2001"}
    credential = Credential.model_validate(one.credential)
    assert credential.access_token == "long"
    assert datetime.fromisoformat(credential.expires_at) > datetime.now(UTC) + timedelta(days=59)
    assert asked(source, "/access_token")[0]["access_token"] == ["short"]


async def test_a_consent_on_facebook_opens_the_account_of_each_page(source: Source) -> None:
    linked = {"id": "2001", "username": "acmetea", "name": "Acme Tea"}
    page = {"id": "1001", "name": "Acme", "access_token": "page-token", "tasks": ["MODERATE"]}
    serve(source, "oauth/access_token", {"access_token": "long"})
    with_account = {**page, "instagram_business_account": linked}
    serve(source, "me/accounts", listed(with_account, {**page, "id": "1002"}))
    settings = Settings(login="facebook", api_url=source.address)
    [one] = await accounts(source, settings, {"access_token": "short"})
    assert one.settings == {"login": "facebook", "account_id": "2001"}
    assert one.credential["access_token"] == "page-token"
    Credential.model_validate(one.credential)


def test_each_way_in_has_its_own_scopes_and_endpoints() -> None:
    way = PLATFORM.oauth
    assert way is not None
    assert way.scopes_of is not None
    assert "instagram_manage_comments" in way.scopes_of(Settings(login="facebook"))
    assert way.scopes_of(Settings()) == RIGHTS["instagram"]
    direct_way = way.endpoints(Settings())
    assert direct_way.authorize == "https://www.instagram.com/oauth/authorize"
    assert direct_way.token == "https://api.instagram.com/oauth/access_token"
    other = way.endpoints(Settings(login="facebook"))
    assert other.authorize == "https://www.facebook.com/v26.0/dialog/oauth"
