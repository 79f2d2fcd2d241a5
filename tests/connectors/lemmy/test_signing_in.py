"""How we sign in to servers of Lemmy, and what is read without it, one test a fact."""

from __future__ import annotations

import copy

import pytest
from pydantic import ValidationError

from app.connectors.base import Kind
from app.connectors.failures import AuthFailed, BadResponse, PermissionMissing, RateLimited
from app.connectors.lemmy import account
from tests.connectors.lemmy.staging import (
    COMMUNITY,
    LOGIN,
    NAMED,
    answering,
    asked,
    kept,
    refusing,
)
from tests.connectors.reading import Source, mentions_in, read_stream


@pytest.mark.parametrize("given", [{}, {"username": "acme"}, {"totp": "123456"}])
def test_a_credential_opens_something(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        account.Credential(**given)


@pytest.mark.parametrize("version", [3, 4])
async def test_it_signs_in_once_and_the_token_is_kept(
    source: Source, older: Source, version: int
) -> None:
    stage = source if version == 4 else older
    answering(stage, LOGIN[version], {"jwt": "fresh"}, method="POST")
    connector, stored = kept(stage, {**NAMED, "totp": "123456"})
    await connector.check()
    await connector.fetch_page("replies", None)
    assert [one["access_token"] for one in stored.saved] == ["fresh"]
    assert stored.fields["totp"] == "", "it is good for one time"
    assert len(asked(stage, LOGIN[version])) == 1
    again, _ = kept(stage, stored.fields)
    await again.fetch_page("replies", None)
    assert len(asked(stage, LOGIN[version])) == 1
    tokens = {headers.get("authorization") for *_, headers in stage.stage.player.requests}
    assert tokens == {None, "Bearer fresh"}


@pytest.mark.parametrize(("name", "status"), [("not_logged_in", 400), ("incorrect_login", 401)])
async def test_a_dead_token_signs_in_again(source: Source, name: str, status: int) -> None:
    refusing(source, "/api/v4/account", name, status)
    answering(source, LOGIN[4], {"jwt": "fresh"}, method="POST")
    connector, stored = kept(source, {**NAMED, "access_token": "dead"})
    with pytest.raises(AuthFailed):
        await connector.check()  # this server goes on refusing
    assert [one["access_token"] for one in stored.saved] == ["fresh"]


async def test_an_older_server_shows_itself_to_a_dead_token_all_the_same(older: Source) -> None:
    """So the token is held against a list first, and nobody's site is told apart."""
    refusing(older, "/api/v3/user/unread_count", "not_logged_in")
    connector, _ = kept(older, {"access_token": "dead"})
    with pytest.raises(AuthFailed, match="sign in again"):
        await connector.check()
    nobody = {**older.recording["exchanges"][0]["response"]["body"], "my_user": None}
    answering(older, "/api/v3/user/unread_count", {"replies": 0})
    answering(older, "/api/v3/site", nobody)
    with pytest.raises(AuthFailed, match="whose token"):
        await kept(older, {"access_token": "dead"})[0].check()


@pytest.mark.parametrize(
    ("name", "status", "failure", "word"),
    [
        ("incorrect_login", 401, AuthFailed, "user name and password"),
        ("missing_totp_token", 400, AuthFailed, "one-time code"),
        ("incorrect_totp_token", 400, AuthFailed, "one-time code"),
        ("email_not_verified", 400, AuthFailed, "confirmed"),
        ("registration_application_is_pending", 400, AuthFailed, "approval"),
        ("site_ban", 400, AuthFailed, "banned"),
        ("not_found", 404, AuthFailed, "no such account"),
        ("rate_limit_error", 400, RateLimited, "slow down"),
        ("too_many_requests", 429, RateLimited, "wait"),
    ],
)
async def test_a_refused_sign_in_says_why(
    source: Source, name: str, status: int, failure: type[Exception], word: str
) -> None:
    refusing(source, LOGIN[4], name, status, method="POST")
    with pytest.raises(failure, match=word):
        await kept(source, NAMED)[0].check()


async def test_an_account_that_is_not_confirmed_gets_no_token(source: Source) -> None:
    answering(source, LOGIN[4], {"jwt": None, "verify_email_sent": True}, method="POST")
    with pytest.raises(AuthFailed, match="confirmed or approved"):
        await kept(source, NAMED)[0].check()


async def test_an_account_tells_what_is_wrong_with_it(source: Source) -> None:
    body = copy.deepcopy(source.recording["exchanges"][1]["response"]["body"])
    body["local_user_view"]["banned"] = True
    body["local_user_view"]["local_user"]["show_bot_accounts"] = False
    answering(source, "/api/v4/account", body)
    warnings = (await source.connector().check()).warnings
    assert len(warnings) == 2
    assert "banned" in warnings[0]
    assert "bots" in warnings[1]


# Without an account


async def test_a_community_is_read_without_an_account(source: Source) -> None:
    bare = source.connector(settings=COMMUNITY, credential=None)
    assert [spec.name for spec in bare.streams()] == ["community_posts", "community_comments"]
    check = await bare.check()
    assert (check.identity, check.rights) == (None, ("API v4", "what is public"))
    assert check.warnings
    assert check.sample is not None
    assert check.sample.count == 2
    pages = await read_stream(bare, bare.streams()[0])
    assert [one.kind for one in mentions_in(pages).values()] == [Kind.QUESTION]
    assert not any("authorization" in headers for *_, headers in source.stage.player.requests)
    for stream in ("replies", "own", "threads"):
        with pytest.raises(BadResponse):
            await bare.fetch_page(stream, None)


async def test_without_account_and_community_there_is_nothing_to_read(source: Source) -> None:
    bare = source.connector(settings={"instance": "{base}"}, credential=None)
    assert bare.streams() == ()
    with pytest.raises(BadResponse, match="Name a community"):
        await bare.check()


async def test_an_unknown_community_stops_the_check(source: Source) -> None:
    refusing(source, "/api/v4/comment/list", "not_found", 404)
    with pytest.raises(BadResponse, match="acme"):
        await source.connector(settings=COMMUNITY, credential=None).check()


async def test_a_private_server_wants_an_account(source: Source) -> None:
    refusing(source, "/api/v4/site", "instance_is_private")
    with pytest.raises(PermissionMissing):
        await source.connector(settings=COMMUNITY, credential=None).check()
    assert (await source.connector().check()).identity is not None
    refusing(source, "/api/v4/account", "instance_is_private")
    with pytest.raises(AuthFailed):
        await source.connector().check()


@pytest.mark.parametrize("name", ["a/../b", "a b", "!acme@lemmy.example", "acme@", "a@b@c"])
def test_a_community_has_a_plain_name(name: str) -> None:
    with pytest.raises(ValidationError):
        account.Settings(instance="https://lemmy.example", community=name)
    account.Settings(instance="https://lemmy.example", community="acme@lemmy.example:8443")
