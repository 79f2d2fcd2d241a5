"""What Reddit does beyond its documentation, and how it lets us in, one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError

from app.connectors.base import Page, Parent
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    CursorRefused,
    Gone,
    PermissionMissing,
    RateLimited,
)
from app.connectors.oauth import Client, Granted
from app.connectors.platforms.reddit import PLATFORM
from app.connectors.reddit import account
from app.connectors.reddit.asked import user_agent
from app.connectors.tokens import TokenRefused
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage
from tests.connectors.test_renewal import Stored

ME = "/api/v1/me"
TOKEN = "/api/v1/access_token"
INBOX = "/message/inbox"
APP = {"client_id": "client-of-the-test", "client_secret": "secret-of-the-test"}
OWN = Parent("t3_own001", counter=7)


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("reddit"))) as stage:
        yield stage


def answering(
    source: Source,
    path: str,
    body: Any,
    status: int = 200,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    **query: Any,
) -> None:
    """Puts an answer before the recorded ones."""
    response = {"status": status, "body": body, "headers": headers or {}}
    request = {"method": method, "path": path, "query": query}
    source.stage.player.exchanges.insert(0, {"request": request, "response": response})


def asked(source: Source, path: str) -> list[dict[str, list[str]]]:
    return [query for _, at, query, _ in source.stage.player.requests if at == path]


def listing(*rows: Any) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"children": list(rows), "after": None}}


# The way in


async def test_it_names_itself_as_reddit_demands(source: Source) -> None:
    await source.connector().fetch_page("inbox", None)
    agents = [headers["user-agent"] for _, _, _, headers in source.stage.player.requests]
    assert agents[0].startswith("web:client-of-the-test:Unanswered/")
    assert agents[-1].endswith("(by /u/acme_notes)")
    assert user_agent("id", "bad name\r\n") == user_agent("id", "")


async def test_every_read_asks_for_text_that_is_not_escaped(source: Source) -> None:
    await source.connector().fetch_page("inbox", None)
    assert all(query["raw_json"] == ["1"] for _, _, query, _ in source.stage.player.requests)


@pytest.mark.parametrize(
    "given",
    [
        APP,
        {**APP, "username": "acme_notes"},
        {"client_id": "a b", "client_secret": "s", "refresh_token": "r"},
        {"client_id": "a", "refresh_token": "r"},
    ],
)
def test_a_credential_holds_an_app_and_what_opens_the_account(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        account.Credential(**given)


@pytest.mark.parametrize(
    "given", [{"subreddits": "acme/../x"}, {"subreddits": "a,b"}, {"moderated": True}]
)
def test_settings_that_lead_elsewhere_or_nowhere_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        account.Settings(**given)


async def test_a_pasted_refresh_token_gets_the_first_token_before_anything_is_asked(
    source: Source,
) -> None:
    token = {"access_token": "new", "token_type": "bearer", "expires_in": 3600, "scope": "*"}
    answering(source, TOKEN, token, method="POST")
    await source.connector(credential={**APP, "refresh_token": "r"}).fetch_page("inbox", None)
    first, *rest = source.stage.player.requests
    assert (first[0], first[1]) == ("POST", TOKEN)
    assert first[3]["authorization"].startswith("Basic ")
    assert {headers["authorization"] for _, _, _, headers in rest} == {"Bearer new"}


async def test_the_owner_of_a_script_app_is_let_in_by_name_and_password(source: Source) -> None:
    token = {"access_token": "new", "expires_in": 86400, "scope": "identity read history"}
    answering(source, TOKEN, token, method="POST")
    credential = {**APP, "username": "acme_notes", "password": "password"}
    check = await source.connector(credential=credential).check()
    assert check.rights == ("identity", "read", "history")
    assert check.missing == ("privatemessages",)
    assert (check.expires_at, check.warnings) == (None, ())


async def test_a_password_that_is_wrong_is_answered_with_status_200(source: Source) -> None:
    answering(source, TOKEN, {"error": "invalid_grant"}, method="POST")
    connector = source.connector(credential={**APP, "username": "a", "password": "b"})
    with pytest.raises(TokenRefused):
        await connector.check()


async def test_a_revoked_refresh_token_needs_a_person(source: Source) -> None:
    """So it was recorded: the status once more, and no word of RFC 6749."""
    answering(source, ME, {"message": "Unauthorized", "error": 401}, 401)
    answering(source, TOKEN, {"error": 400}, 400, method="POST")
    with pytest.raises(TokenRefused, match="connect the account again"):
        await source.connector().check()


async def test_a_token_that_ended_is_renewed_and_stored_before_it_is_used(source: Source) -> None:
    refused = {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'}
    answering(source, ME, {"error": 401}, 401, headers=refused)
    answering(source, TOKEN, {"access_token": "new", "expires_in": 3600}, method="POST")
    recorded = source.recording["credential"]
    stored = Stored(dict(recorded))
    connector = PLATFORM.connector(
        settings=account.Settings(api_url=source.address),
        credential=account.Credential(**recorded),
        http=source.door.for_source(),
        save_credential=stored,
    )
    with pytest.raises(AuthFailed):
        await connector.check()  # this server goes on refusing
    assert [one["access_token"] for one in stored.saved] == ["new"]
    assert stored.saved[0]["refresh_token"] == "refresh-of-the-test"


async def test_a_token_without_anything_to_renew_it_says_so(source: Source) -> None:
    check = await source.connector(credential={**APP, "access_token": "t"}).check()
    assert any("ends within a day" in warning for warning in check.warnings)


async def test_a_consent_opens_one_account(source: Source) -> None:
    settings = account.Settings(api_url=source.address)
    token = {"access_token": "at", "refresh_token": "rt", "expires_in": 3600, "scope": "read"}
    granted = Granted(settings, Client("client", "secret"), token, "2026-10-01T12:00:00Z")
    [found] = await account.accounts(source.door.for_source(), granted)
    kept = account.Credential(**found.credential)
    assert (found.external_id, kept.refresh_token, kept.scope) == ("t2_us0001", "rt", "read")
    assert kept.expires_at.startswith("2026-10-01T13:00:00")


def test_the_way_in_asks_for_a_token_that_can_be_renewed_without_pkce() -> None:
    way = PLATFORM.oauth
    assert way is not None
    assert (way.extra, way.pkce, way.client_auth) == ({"duration": "permanent"}, False, "basic")
    assert way.endpoints(account.Settings()).token == "https://www.reddit.com/api/v1/access_token"


# What is wrong


async def test_the_token_of_an_app_alone_is_connected_but_blind(source: Source) -> None:
    answering(source, ME, {"features": {}})
    with pytest.raises(Blind):
        await source.connector().check()


async def test_a_suspended_account_is_told(source: Source) -> None:
    answering(source, ME, {"id": "us0001", "name": "acme_notes", "is_suspended": True})
    assert any("suspended" in one for one in (await source.connector().check()).warnings)


async def test_a_missing_scope_names_itself(source: Source) -> None:
    told = {"www-authenticate": 'Bearer realm="reddit", error="insufficient_scope"'}
    answering(source, INBOX, {"error": 403}, 403, headers=told)
    with pytest.raises(PermissionMissing) as failure:
        await source.connector().fetch_page("inbox", None)
    assert failure.value.rights == ("privatemessages",)
    assert (await source.connector().check()).missing == ("privatemessages",)


async def test_a_closed_subreddit_is_a_missing_right_and_no_dead_credential(
    source: Source,
) -> None:
    private = {"reason": "private", "message": "Forbidden", "error": 403}
    answering(source, "/r/acme/new", private, 403)
    with pytest.raises(PermissionMissing, match="private"):
        await source.connector().fetch_page("subreddit_posts", None)
    answering(source, "/r/acme/about/modqueue", {"message": "Forbidden", "error": 403}, 403)
    check = await source.connector().check()
    assert check.missing == ("read", "moderator of the subreddit")


@pytest.mark.parametrize(("status", "body"), [(404, {"reason": "banned"}), (302, None)])
async def test_a_subreddit_that_is_not_there_stops_the_check(
    source: Source, status: int, body: Any
) -> None:
    answering(source, "/r/acme/comments", body, status)
    with pytest.raises(BadResponse, match="r/acme"):
        await source.connector().check()


@pytest.mark.parametrize(
    ("status", "failure"), [(404, Gone), (451, BadResponse), (302, BadResponse), (403, AuthFailed)]
)
async def test_refusals_of_one_thing_say_what_they_mean(
    source: Source, status: int, failure: type[Exception]
) -> None:
    answering(source, "/comments/own001", {"error": status}, status)
    with pytest.raises(failure):
        await source.connector().fetch_thread("t3_own001")


async def test_a_limit_comes_as_a_web_page(source: Source) -> None:
    answering(source, INBOX, None, 429, headers={"retry-after": "4", "content-type": "text/html"})
    with pytest.raises(RateLimited) as failure:
        await source.connector().fetch_page("inbox", None)
    assert failure.value.until is not None


# How it is read


async def test_the_whole_inbox_is_read_and_nothing_is_marked_there(source: Source) -> None:
    """A mention that is an answer too stands in the inbox only as an answer, and in no other
    list; `before` finds nothing once that message is deleted.
    """
    await source.connector().fetch_page("inbox", None)
    [query] = asked(source, INBOX)
    assert query == {"limit": ["100"], "raw_json": ["1"]}
    assert all(method == "GET" for method, *_ in source.stage.player.requests)


async def test_only_what_the_settings_name_is_read_elsewhere(source: Source) -> None:
    bare = source.connector(settings={"api_url": "{base}"})
    names = [spec.name for spec in bare.streams()]
    assert names == ["inbox", "own_comments", "sent", "own_posts", "threads"]
    for stream in ("subreddit_posts", "held", "search", "threads", "nonsense"):
        with pytest.raises(BadResponse):
            await bare.fetch_page(stream, None)


async def test_a_place_that_is_none_is_refused(source: Source) -> None:
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("inbox", {"after": "../me"})


async def test_the_queue_of_moderators_has_no_order_in_time(source: Source) -> None:
    """So every poll reads it to its end."""
    page = await source.connector().fetch_page("held", None)
    assert page.mentions
    assert (page.oldest_at, page.newest_at) == (None, None)


async def test_what_a_tree_leaves_out_is_read_as_well(source: Source) -> None:
    connector, pages, cursor = source.connector(), list[Page](), None
    while not pages or pages[-1].more:
        pages.append(await connector.fetch_page("threads", cursor, parent=OWN))
        cursor = pages[-1].next_cursor
    found = [[one.external_id for one in page.mentions] for page in pages]
    assert found == [["t1_que001", "t1_our001", "t1_rep001"], ["t1_hid001"], ["t1_dee001"]]
    assert pages[0].gone == ("t1_del001",)
    [more] = asked(source, "/api/morechildren")
    assert (more["link_id"], more["children"]) == (["t3_own001"], ["hid001"])


async def test_more_than_a_hundred_left_out_are_asked_for_by_hundreds(source: Source) -> None:
    kids = [f"k{number}" for number in range(250)]
    row = {"kind": "more", "data": {"parent_id": "t3_own001", "children": kids}}
    answering(source, "/comments/own001", [listing(), listing(row)])
    answering(source, "/api/morechildren", {"json": {"errors": [], "data": {"things": []}}})
    connector, cursor = source.connector(), None
    for _ in range(4):
        page = await connector.fetch_page("threads", cursor, parent=OWN)
        cursor = page.next_cursor
    assert not page.more
    told = [query["children"][0].split(",") for query in asked(source, "/api/morechildren")]
    assert [len(one) for one in told] == [100, 100, 50]
    assert [kid for one in told for kid in one] == kids


async def test_authors_are_asked_for_once_and_cost_no_message(source: Source) -> None:
    known = "/api/user_data_by_account_ids"
    connector = source.connector()
    page = await connector.fetch_page("inbox", None)
    await connector.fetch_page("inbox", None)
    assert len(asked(source, known)) == 1
    young = [one.author for one in page.mentions if one.author.handle == "bob_the_b"]
    assert [signal.code for signal in young[0].signals] == ["young_account", "low_karma"]
    for status in (404, 403, 429):
        answering(source, known, {"error": status}, status)
        told = {"www-authenticate": 'error="insufficient_scope"'}
        answering(source, known, {"error": status}, status, headers=told)
        again = await source.connector().fetch_page("inbox", None)
        assert len(again.mentions) == len(page.mentions)


async def test_what_reddit_leaves_out_is_not_taken_for_deleted(source: Source) -> None:
    """Deleted messages are shown emptied; a closed subreddit leaves its own out."""
    answering(source, "/api/info", listing())
    page = await source.connector().fetch_items(["t1_que001", "nonsense"])  # type: ignore[attr-defined]
    assert page.gone == ()
    assert {one.external_id for one in page.unparsed} == {"t1_que001", "nonsense"}
    with pytest.raises(BadResponse):
        await source.connector().fetch_item("t1_que001")


async def test_a_private_message_is_read_by_itself_and_with_its_answers(source: Source) -> None:
    connector = source.connector()
    assert (await connector.fetch_item("t4_let001")).text == "Is there a price for schools?"
    thread = await connector.fetch_thread("t4_let001")
    assert [one.external_id for one in thread.mentions] == ["t4_let001", "t4_let002"]
    page = await connector.fetch_items(["t4_let001", "t4_nothere"])  # type: ignore[attr-defined]
    assert [one.external_id for one in page.mentions] == ["t4_let001"]
    assert page.gone == ("t4_nothere",)
    many = [f"t4_many{number}" for number in range(30)]
    page = await connector.fetch_items(many)  # type: ignore[attr-defined]
    assert (len(page.gone), len(page.unparsed)) == (10, 20)
    with pytest.raises(BadResponse):
        await connector.fetch_thread("t1_que001")


async def test_a_deleted_post_leaves_its_conversation(source: Source) -> None:
    emptied = {"author": "[deleted]", "title": "x", "selftext": "[deleted]"}
    gone = {"kind": "t3", "data": {"name": "t3_own001", "created_utc": 1790845200.0, **emptied}}
    below = next(
        one["response"]["body"][1]
        for one in source.recording["exchanges"]
        if one["request"]["path"] == "/comments/own001"
    )
    answering(source, "/comments/own001", [listing(gone), below], comment=None)
    page = await source.connector().fetch_thread("t3_own001")
    assert page.gone == ("t3_own001", "t1_del001")
    assert [one.external_id for one in page.mentions][:2] == ["t1_que001", "t1_our001"]
