"""From a person's consent to the token of each Page, over real HTTP."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from app.connectors.failures import AuthFailed, BadResponse, PermissionMissing
from app.connectors.oauth import Account, Client, Granted
from app.connectors.platforms.facebook import PLATFORM, Settings
from tests.connectors.meta.staging import asked, error, listed, serve
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

CLIENT = Client("4001", "secret-of-the-app")
TASKS = ["ANALYZE", "MODERATE", "MANAGE"]
ACME = {"id": "1001", "name": "Acme Tea", "access_token": "page-token", "tasks": TASKS}
EXCHANGE = "oauth/access_token"


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("facebook"))) as stage:
        serve(stage, EXCHANGE, {"access_token": "long-token", "expires_in": 5184000})
        yield stage


async def accounts(source: Source, token: Any = None) -> Sequence[Account]:
    assert PLATFORM.oauth is not None
    granted = Granted(
        Settings(api_url=source.address), CLIENT, token or {"access_token": "short-token"}
    )
    return await PLATFORM.oauth.accounts(source.door.for_source(), granted)


async def test_each_page_is_an_account_with_a_token_of_its_own(source: Source) -> None:
    more = {**ACME, "id": "1002", "name": "Acme Coffee", "access_token": "other-token"}
    serve(source, "me/accounts", listed(more), after="A2")
    serve(source, "me/accounts", listed(ACME, after="A2"), after=None)
    first, second = await accounts(source)
    assert (first.external_id, second.external_id) == ("1001", "1002")
    assert first.settings == {"page_id": "1001"}
    assert PLATFORM.credential is not None
    PLATFORM.credential.model_validate(first.credential)
    assert first.credential["access_token"] == "page-token"


async def test_the_short_token_is_exchanged_for_a_long_one_first(source: Source) -> None:
    """A Page token made with a long token has no date of expiry."""
    serve(source, "me/accounts", listed(ACME))
    await accounts(source)
    [query] = asked(source, EXCHANGE)
    assert query["grant_type"] == ["fb_exchange_token"]
    assert query["fb_exchange_token"] == ["short-token"]
    told = [h for _, path, _, h in source.stage.player.requests if path.endswith("me/accounts")]
    assert [headers["authorization"] for headers in told] == ["Bearer long-token"]


async def test_pages_that_the_person_may_not_moderate_are_left_out(source: Source) -> None:
    serve(source, "me/accounts", listed({**ACME, "id": "1003", "tasks": ["ANALYZE"]}, ACME))
    assert [each.external_id for each in await accounts(source)] == ["1001"]


@pytest.mark.parametrize("rows", [[], [{**ACME, "tasks": ["ANALYZE"]}], [{"id": "1001"}]])
async def test_a_consent_that_opens_no_page_says_why(source: Source, rows: list[Any]) -> None:
    serve(source, "me/accounts", listed(*rows))
    with pytest.raises(PermissionMissing):
        await accounts(source)


async def test_a_refused_exchange_and_a_missing_token_are_failures(source: Source) -> None:
    with pytest.raises(BadResponse):
        await accounts(source, {"error": "access_denied"})
    serve(source, EXCHANGE, error(190), status=400)
    with pytest.raises(AuthFailed):
        await accounts(source)


def test_endpoints_are_metas_or_those_of_a_stand_in() -> None:
    assert PLATFORM.oauth is not None
    own = PLATFORM.oauth.endpoints(Settings())
    assert own.authorize == "https://www.facebook.com/v26.0/dialog/oauth"
    assert own.token == "https://graph.facebook.com/v26.0/oauth/access_token"
    other = PLATFORM.oauth.endpoints(Settings(api_url="http://127.0.0.1:9"))
    assert other.authorize == "http://127.0.0.1:9/v26.0/dialog/oauth"
    assert "pages_read_user_content" in PLATFORM.oauth.scopes
