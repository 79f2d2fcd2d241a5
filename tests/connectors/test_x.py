"""What X does beyond its documentation, and what it costs, one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    CursorRefused,
    Gone,
    PermissionMissing,
    RateLimited,
)
from app.connectors.oauth import Client, Granted
from app.connectors.platforms.x import PLATFORM
from app.connectors.rereading import ReadsMany
from app.connectors.x import account
from app.connectors.x.ledger import OWNED, POST, USER, Ledger
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

US = "2244994945"
MENTIONS = f"/2/users/{US}/mentions"
OWN = f"/2/users/{US}/tweets"
PROBLEM = "https://api.x.com/2/problems/"
ROW: Mapping[str, Any] = {
    "id": "1978400000000000001",
    "author_id": "9",
    "created_at": "2025-10-15T10:00:00.000Z",
    "conversation_id": "1978400000000000001",
    "edit_history_tweet_ids": ["1978400000000000001"],
    "text": "@acme_notes hello",
}
NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("x"))) as stage:
        yield stage


def answering(source: Source, path: str, body: Any, status: int = 200, **query: Any) -> None:
    """Puts an answer before the recorded ones."""
    asked = {"method": "GET", "path": path, "query": query}
    source.stage.player.exchanges.insert(
        0, {"request": asked, "response": {"status": status, "body": body}}
    )


def refusing(source: Source, path: str, status: int, name: str, **more: Any) -> None:
    body = {"type": PROBLEM + name, "title": "Refused", "detail": "No.", **more}
    answering(source, path, body, status)


def listed(*rows: Mapping[str, Any], token: str = "") -> dict[str, Any]:
    meta: dict[str, Any] = {"result_count": len(rows)}
    if token:
        meta["next_token"] = token
    return {"data": list(rows), "meta": meta} if rows else {"meta": meta}


def asked(source: Source, path: str) -> list[dict[str, list[str]]]:
    return [query for _, at, query, _ in source.stage.player.requests if at == path]


# How it is read


async def test_reading_begins_an_hour_before_the_newest_known_and_not_at_its_id(
    source: Source,
) -> None:
    """Posts become visible late with smaller ids: `since_id` would skip them for ever."""
    since = NOON - timedelta(minutes=10)
    await source.connector().fetch_page("mentions", None, since=since)
    [query] = asked(source, MENTIONS)
    assert query["start_time"] == ["2026-10-01T11:00:00Z"]
    assert "since_id" not in query


async def test_a_page_within_the_overlap_is_not_the_place_to_stop(source: Source) -> None:
    answering(source, MENTIONS, listed({**ROW, "created_at": "2020-01-01T00:00:00Z"}, token="t9"))
    page = await source.connector().fetch_page("mentions", None, since=NOON)
    assert page.more
    assert page.oldest_at == page.newest_at


async def test_the_next_page_asks_down_to_the_same_moment(source: Source) -> None:
    connector = source.connector()
    first = await connector.fetch_page("mentions", None, since=NOON)
    await connector.fetch_page("mentions", first.next_cursor, since=NOON + timedelta(days=1))
    starts = [query["start_time"] for query in asked(source, MENTIONS)]
    assert starts[0] == starts[1]


async def test_short_and_empty_pages_are_not_the_last(source: Source) -> None:
    answering(source, MENTIONS, listed(token="t9"))
    page = await source.connector().fetch_page("mentions", None)
    assert page.more
    assert not page.mentions


async def test_a_token_that_x_forgot_is_a_refused_cursor(source: Source) -> None:
    told = {"errors": [{"parameters": {"pagination_token": ["old"]}, "message": "invalid"}]}
    answering(source, MENTIONS, {**told, "type": PROBLEM + "invalid-request"}, 400)
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("mentions", {"token": "old"})
    with pytest.raises(BadResponse) as caught:
        await source.connector().fetch_page("mentions", None)
    assert not isinstance(caught.value, CursorRefused)


async def test_foreign_cursor_is_refused(source: Source) -> None:
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("mentions", {"token": 7})


async def test_only_800_mentions_are_ever_shown_and_that_is_declared(source: Source) -> None:
    mentions = source.connector().streams()[0]
    assert mentions.cap == 800
    assert {lost.cause for lost in mentions.lost} == {"cap", "not_shown"}


async def test_followers_are_read_only_where_asked_for_and_rarely(source: Source) -> None:
    names = {spec.name: spec for spec in source.connector().streams()}
    assert names["followers"].interval == timedelta(days=1)
    plain = source.connector(settings={"api_url": "{base}"})
    assert "followers" not in {spec.name for spec in plain.streams()}
    with pytest.raises(BadResponse):
        await plain.fetch_page("followers", None)


async def test_quotes_are_asked_for_only_when_their_counter_has_changed(source: Source) -> None:
    connector = source.connector()
    [root] = (await connector.fetch_page("own_posts", None)).parents
    assert root.counter == 1
    path = f"/2/tweets/{root.external_id}/quote_tweets"
    assert (await connector.fetch_page("quotes", None, parent=root)).mentions
    read = replace(root, counter_read=root.counter)
    unchanged = await connector.fetch_page("quotes", None, parent=read)
    assert not unchanged.mentions
    assert unchanged.cost == 0
    assert len(asked(source, path)) == 1
    more = replace(read, counter=2)
    assert (await connector.fetch_page("quotes", None, parent=more)).mentions


async def test_an_apps_token_needs_the_name_of_the_user(source: Source) -> None:
    refusing(source, "/2/users/me", 403, "unsupported-authentication")
    with pytest.raises(PermissionMissing):
        await source.connector().check()
    answering(source, "/2/users/by/username/acme_notes", {"data": {"id": US, "username": "acme"}})
    named = source.connector(settings={"api_url": "{base}", "username": "@acme_notes"})
    assert (await named.check()).identity is not None


async def test_user_that_is_not_there_is_told(source: Source) -> None:
    problem = {"type": PROBLEM + "resource-not-found", "value": "nobody", "resource_type": "user"}
    answering(source, "/2/users/by/username/nobody", {"errors": [problem]})
    named = source.connector(settings={"api_url": "{base}", "username": "nobody"})
    with pytest.raises((Gone, BadResponse)):
        await named.check()


# Errors, by code


@pytest.mark.parametrize(
    ("status", "name", "more", "means"),
    [
        (401, "unauthorized", {}, AuthFailed),
        (402, "credits-depleted", {}, RateLimited),
        (403, "client-forbidden", {}, PermissionMissing),
        (403, "not-authorized-for-resource", {}, PermissionMissing),
        (403, "usage-capped", {}, RateLimited),
        (403, "about:blank", {"detail": "You have reached your spend cap."}, RateLimited),
        (403, "about:blank", {"detail": "Your account is suspended."}, AuthFailed),
        (403, "something-else", {}, AuthFailed),
        (400, "invalid-request", {}, BadResponse),
        (400, "resource-not-found", {}, Gone),
    ],
)
async def test_refusals_say_what_to_do_next(
    source: Source, status: int, name: str, more: dict[str, str], means: type[Exception]
) -> None:
    refusing(source, MENTIONS, status, name, **more)
    plain = source.connector(credential={"access_token": "token-of-the-test"})
    with pytest.raises(means):
        await plain.fetch_page("mentions", None)


async def test_errors_beside_data_cost_no_post_and_tell_of_deletions(source: Source) -> None:
    """A partial error: 200 with both. What our post answered is deleted."""
    gone = {"resource_id": "55", "resource_type": "tweet", "type": PROBLEM + "resource-not-found"}
    shy = {"resource_id": "56", "type": PROBLEM + "not-authorized-for-resource"}
    user = {"resource_id": "57", "resource_type": "user", "type": PROBLEM + "resource-not-found"}
    answering(source, OWN, {**listed({**ROW, "author_id": US}), "errors": [gone, shy, user]})
    page = await source.connector().fetch_page("own_posts", None)
    assert len(page.mentions) == 1
    assert page.gone == ("55",)


async def test_many_are_read_at_once_and_each_is_accounted_for(source: Source) -> None:
    connector = source.connector()
    assert isinstance(connector, ReadsMany)
    errors = [
        {"value": "2", "type": PROBLEM + "resource-not-found"},
        {"value": "3", "type": PROBLEM + "disallowed-resource"},
        {"value": "4", "type": PROBLEM + "not-authorized-for-resource"},
    ]
    row = {**ROW, "id": "1", "edit_history_tweet_ids": ["1"]}
    answering(source, "/2/tweets", {"data": [row], "errors": errors}, ids="1,2,3,4,5")
    page = await connector.fetch_items(["1", "2", "3", "4", "5"])
    assert [found.external_id for found in page.mentions] == ["1"]
    assert page.gone == ("2", "3")
    assert [entry.external_id for entry in page.unparsed] == ["4", "5"]


async def test_an_edited_post_is_read_as_it_reads_now(source: Source) -> None:
    """Asked for by its first id, X shows the first version."""
    chain = ["1", "2"]
    before = {**ROW, "id": "1", "edit_history_tweet_ids": chain, "text": "as it was"}
    after = {**ROW, "id": "2", "edit_history_tweet_ids": chain, "text": "as it is"}
    answering(source, "/2/tweets", {"data": [before]}, ids="1")
    answering(source, "/2/tweets", {"data": [after]}, ids="2")
    found = await source.connector().fetch_item("1")
    assert (found.external_id, found.text) == ("1", "as it is")


# Money


def test_the_same_post_is_charged_once_a_utc_day() -> None:
    bill = Ledger()
    bill.charge(NOON, posts=["1", "2"], users=["9"])
    assert bill.take() == pytest.approx(2 * POST + USER)
    bill.charge(NOON, posts=["1", "2"], users=["9"])
    assert bill.take() == 0
    bill.charge(NOON + timedelta(hours=12), posts=["1"])
    assert bill.take() == pytest.approx(POST)


def test_own_lists_cost_a_fifth_where_the_account_owns_the_app() -> None:
    for owned, price in ((True, OWNED), (False, POST)):
        bill = Ledger(owned=owned)
        bill.charge(NOON, posts=["1"], own_list=True)
        assert bill.take() == pytest.approx(price)


async def test_an_empty_page_costs_nothing(source: Source) -> None:
    connector = source.connector()
    await connector.fetch_page("mentions", None)
    answering(source, MENTIONS, listed())
    assert (await connector.fetch_page("mentions", None)).cost == 0


async def test_a_page_says_what_it_cost(source: Source) -> None:
    """Two mentions with a post and two people beside them, and once who we are."""
    page = await source.connector().fetch_page("mentions", None)
    assert len(page.mentions) == 2
    assert page.cost == pytest.approx(3 * POST + 3 * USER)


async def test_check_says_what_a_day_costs(source: Source) -> None:
    check = await source.connector().check()
    assert check.estimate is not None
    assert check.estimate.unit == "USD"
    assert check.estimate.per_day > 0
    assert "followers" in check.estimate.detail
    assert check.sample is not None
    assert check.sample.count == 2
    assert check.rights == ("tweet.read", "users.read", "offline.access")


async def test_check_warns_of_a_token_that_ends_soon(source: Source) -> None:
    alone = source.connector(credential={"access_token": "token-of-the-test"})
    assert (await alone.check()).warnings
    assert not (await source.connector().check()).warnings


def test_spending_is_limited_even_where_nobody_has_set_a_budget() -> None:
    quota = PLATFORM.quota
    assert quota is not None
    assert (quota.unit, quota.period, quota.default) == ("USD", "month", 25.0)


# The way in


async def test_a_consent_opens_one_account_with_what_renews_it(source: Source) -> None:
    connector = source.connector()
    settings = account.Settings(api_url=source.address)
    token = {"access_token": "at", "refresh_token": "rt", "scope": "tweet.read offline.access"}
    received = "2026-10-01T12:00:00Z"
    granted = Granted(settings, Client("client", "secret"), {**token, "expires_in": 7200}, received)
    [found] = await account.accounts(connector._http, granted)  # type: ignore[attr-defined]
    assert (found.external_id, found.handle) == (US, "acme_notes")
    kept = account.Credential(**found.credential)
    assert (kept.refresh_token, kept.client_id) == ("rt", "client")
    assert kept.expires_at.startswith("2026-10-01T14:00:00")
    assert kept.scope == "tweet.read offline.access"
    assert "secret" not in repr(kept)


async def test_a_token_that_ended_is_renewed_once_and_asked_again(source: Source) -> None:
    told = {"access_token": "new-token", "refresh_token": "next", "expires_in": 7200}
    asked = {"method": "POST", "path": "/2/oauth2/token"}
    exchange = {"request": asked, "response": {"status": 200, "body": told}}
    source.stage.player.exchanges.insert(0, exchange)
    refusing(source, "/2/users/me", 401, "unauthorized")
    with pytest.raises(AuthFailed):  # refused with the new one too
        await source.connector().fetch_page("mentions", None)
    sent = [
        (path, headers["authorization"]) for _, path, _, headers in source.stage.player.requests
    ]
    assert [path for path, _ in sent] == ["/2/users/me", "/2/oauth2/token", "/2/users/me"]
    assert sent[1][1].startswith("Basic ")
    assert sent[2][1] == "Bearer new-token"


async def test_a_token_endpoint_that_is_not_there_deletes_no_post(source: Source) -> None:
    refusing(source, "/2/tweets", 401, "unauthorized")
    with pytest.raises(BadResponse):
        await source.connector().fetch_item("2105598595691446273")


def test_the_way_in_is_declared_with_pkce_and_a_refresh_token() -> None:
    way = PLATFORM.oauth
    assert way is not None
    assert way.pkce
    assert "offline.access" in way.scopes
    assert way.endpoints(account.Settings()).token == "https://api.x.com/2/oauth2/token"
    assert way.endpoints(account.Settings(api_url="http://x.lan")).authorize.startswith(
        "http://x.lan"
    )
