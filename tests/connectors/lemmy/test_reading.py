"""What servers of Lemmy show in both of their APIs, one test a fact."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from app.connectors.base import Parent
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    CursorRefused,
    Gone,
    PermissionMissing,
    RateLimited,
)
from tests.connectors.lemmy.staging import COMMUNITY, TOLD, answering, refusing
from tests.connectors.playing import load
from tests.connectors.reading import Source, meant, mentions_in, read_whole, told


async def test_an_older_server_is_read_over_v3(older: Source) -> None:
    connector = older.connector()
    for spec in connector.streams():
        found = mentions_in(await read_whole(connector, spec))
        wanted = {one["external_id"]: meant(one) for one in older.recording["expect"][spec.name]}
        assert {k: told(one, wanted.get(k, {})) for k, one in found.items()} == wanted, spec.name
    assert {path.split("/")[2] for path in older.stage.paths[1:]} == {"v3"}


async def test_an_older_server_says_who_we_are_and_shows_one_message(older: Source) -> None:
    connector = older.connector()
    check = await connector.check()
    assert check.identity is not None
    assert check.identity.external_id == "https://lemmy.example/u/acme"
    assert check.rights == ("API v3", "the account")
    reads = older.recording["reads"]
    assert (await connector.fetch_item(reads["item"])).external_id == reads["item"]
    with pytest.raises(Gone):
        await connector.fetch_item(reads["gone"])
    thread = await connector.fetch_thread(reads["thread"])
    assert [one.external_id for one in thread.mentions] == reads["in_thread"]


async def test_which_api_it_is_is_asked_once_and_without_a_token(source: Source) -> None:
    connector = source.connector()
    await connector.fetch_page("replies", None)
    await connector.fetch_page("mentions", None)
    requests = [each for each in source.stage.player.requests if each[1] == "/api/v4/site"]
    assert len(requests) == 1
    assert "authorization" not in requests[0][3]


async def test_a_server_that_was_brought_up_to_date_is_noticed(older: Source) -> None:
    """By the daily look at whose account it is."""
    connector = older.connector()
    await connector.fetch_page("replies", None)
    older.stage.player.exchanges[:0] = load("lemmy")["exchanges"]
    assert (await connector.check()).rights[0] == "API v4"
    page = await connector.fetch_page("replies", None)
    assert page.next_cursor == {"page_cursor": "p2"}


async def test_the_v3_of_a_newer_server_is_not_used(source: Source) -> None:
    """It keeps v3 for old apps, but without replies and mentions."""
    answering(source, "/api/v3/site", {"site_view": {}, "version": "1.0.0"})
    await source.connector().check()
    assert not any(path.startswith("/api/v3") for path in source.stage.paths)


async def test_what_is_no_server_of_lemmy_says_so(source: Source) -> None:
    answering(source, "/api/v4/site", None, 404)
    with pytest.raises(BadResponse, match="No Lemmy server"):
        await source.connector().check()
    answering(source, "/api/v4/site", {"version": "2.0", "instance": "of something else"})
    with pytest.raises(BadResponse, match="does not answer as"):
        await source.connector().check()


async def test_pages_are_counted_in_v3_and_end_with_one_that_is_not_full(older: Source) -> None:
    view = older.recording["exchanges"][2]["response"]["body"]["replies"][0]
    answering(older, "/api/v3/user/replies", {"replies": [view] * 50}, page="1")
    answering(older, "/api/v3/user/replies", {"replies": [view] * 49}, page="2")
    first = await older.connector().fetch_page("replies", None)
    assert (first.next_cursor, first.more) == ({"page": 2}, True)
    second = await older.connector().fetch_page("replies", first.next_cursor)
    assert (second.next_cursor, second.more) == (None, False)


async def test_of_two_lists_on_a_page_the_full_one_says_how_far_it_reaches(older: Source) -> None:
    """`GET /user` pages posts and comments together: few posts reach far into the past."""
    body = copy.deepcopy(older.recording["exchanges"][5]["response"]["body"])
    body["posts"][0]["post"]["published"] = "2021-01-01T00:00:00Z"
    body["comments"] *= 50
    answering(older, "/api/v3/user", body)
    page = await older.connector().fetch_page("own", None)
    assert page.oldest_at == page.newest_at
    assert page.more


async def test_subscriptions_came_with_v4(older: Source) -> None:
    page = await older.connector().fetch_page("subscribed", None)
    assert (page.mentions, page.more) == ((), False)


@pytest.mark.parametrize("cursor", [{"page": 2}, {"page_cursor": 7}])
async def test_a_place_of_the_other_api_is_refused(source: Source, cursor: dict[str, Any]) -> None:
    """A server was brought up to date between two pages of a pass."""
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("replies", cursor)


@pytest.mark.parametrize("cursor", [{"page_cursor": "p2"}, {"page": 0}, {"page": "2"}])
async def test_a_place_of_the_newer_api_is_refused(older: Source, cursor: dict[str, Any]) -> None:
    with pytest.raises(CursorRefused):
        await older.connector().fetch_page("replies", cursor)


async def test_a_place_that_the_server_forgot_is_refused(source: Source) -> None:
    refusing(source, TOLD, "couldnt_parse_pagination_token")
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("replies", {"page_cursor": "gone"})


# Refusals


@pytest.mark.parametrize(
    ("name", "status", "failure"),
    [
        ("rate_limit_error", 400, RateLimited),
        ("too_many_requests", 429, RateLimited),
        ("couldnt_find_comment", 400, Gone),
        ("not_found", 404, Gone),
        ("person_is_banned_from_community", 400, PermissionMissing),
        ("deleted", 400, AuthFailed),
        ("something_else", 400, BadResponse),
        ("<script>", 400, BadResponse),
    ],
)
async def test_errors_are_told_by_their_names(
    source: Source, name: str, status: int, failure: type[Exception]
) -> None:
    refusing(source, "/api/v4/comment", name, status)
    with pytest.raises(failure) as raised:
        await source.connector().fetch_item("comment:500024")
    assert "<" not in str(raised.value)


async def test_a_deleted_message_is_gone_although_it_is_shown(source: Source) -> None:
    body = copy.deepcopy(source.recording["exchanges"][14]["response"]["body"])
    body["comment_view"]["comment"]["removed"] = True
    answering(source, "/api/v4/comment", body)
    with pytest.raises(Gone):
        await source.connector().fetch_item("comment:500024")


@pytest.mark.parametrize("external_id", ["private_message:7", "comment:x", "24", "user:1"])
async def test_what_cannot_be_read_by_itself_says_so(source: Source, external_id: str) -> None:
    with pytest.raises(BadResponse):
        await source.connector().fetch_item(external_id)


async def test_private_messages_are_read_again_by_their_list(source: Source, older: Source) -> None:
    for stage in (source, older):
        connector = stage.connector()
        assert (await connector.fetch_item("private_message:700040")).text.startswith("Is there")
        wanted = ["comment:500024", "private_message:700041", "private_message:7", "comment:99"]
        page = await connector.fetch_items(wanted)  # type: ignore[attr-defined]
        assert {one.external_id for one in page.mentions} == set(wanted[:2])
        assert page.gone == ("comment:99",)
        assert [one.external_id for one in page.unparsed] == ["private_message:7"], "it may stand"


async def test_a_deleted_private_message_is_gone(source: Source) -> None:
    body = copy.deepcopy(source.recording["exchanges"][5]["response"]["body"])
    body["items"][1]["data"]["private_message"]["deleted"] = True
    answering(source, TOLD, body, type_="private_message")
    with pytest.raises(Gone):
        await source.connector().fetch_item("private_message:700040")
    bare = source.connector(settings=COMMUNITY, credential=None)
    with pytest.raises(BadResponse, match="to an account only"):
        await bare.fetch_item("private_message:700040")


async def test_another_message_than_was_asked_for_is_no_answer(source: Source) -> None:
    body = source.recording["exchanges"][14]["response"]["body"]
    answering(source, "/api/v4/comment", body, id="77")
    with pytest.raises(BadResponse, match="not this message"):
        await source.connector().fetch_item("comment:77")


# Conversations


async def test_what_two_people_wrote_to_each_other_is_a_thread(
    source: Source, older: Source
) -> None:
    root = "with:https://far.example/u/anna"
    for stage in (source, older):
        thread = await stage.connector().fetch_thread(root)
        found = [one.external_id for one in thread.mentions]
        assert found == ["private_message:700040", "private_message:700041"]


async def test_comments_below_a_post_are_read_to_the_end(source: Source) -> None:
    connector = source.connector()
    parent, cursor, found = Parent("post:600009"), None, list[str]()
    for _ in range(2):
        page = await connector.fetch_page("threads", cursor, parent=parent)
        found += [one.external_id for one in page.mentions]
        cursor = page.next_cursor
    assert found == ["comment:500027", "comment:500026", "comment:500025", "comment:500024"]
    assert not page.more
    with pytest.raises(BadResponse):
        await connector.fetch_page("threads", None)
