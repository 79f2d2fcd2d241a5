"""What YouTube does beyond its documentation, and what it takes of the units, one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app.connectors.base import Filed, Parent
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
from app.connectors.platforms.youtube import PLATFORM
from app.connectors.rereading import ReadsMany
from app.connectors.youtube import account, comments
from app.connectors.youtube.refusals import next_midnight
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

US = "UCacmeacmeacmeacmeacme00"
THREADS = "/commentThreads"
KEY_ONLY = {"api_key": "key-of-the-test"}
NAMED = {"api_url": "{base}", "channel": US}
AROUND = comments.Around(US)
SNIPPET: Mapping[str, Any] = {
    "videoId": "vid00000001",
    "textDisplay": "Hello",
    "authorDisplayName": "@anna.b",
    "authorChannelId": {"value": "UCannaxxxxxxxxxxxxxxxxxx"},
    "publishedAt": "2026-10-01T10:00:00Z",
    "updatedAt": "2026-10-01T10:00:00Z",
}


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("youtube"))) as stage:
        yield stage


def answering(source: Source, path: str, body: Any, status: int = 200, **query: Any) -> None:
    """Puts an answer before the recorded ones."""
    asked = {"method": "GET", "path": path, "query": query}
    source.stage.player.exchanges.insert(
        0, {"request": asked, "response": {"status": status, "body": body}}
    )


def refusing(source: Source, path: str, status: int, reason: str, **query: Any) -> None:
    error = {"code": status, "message": "No.", "errors": [{"domain": "x", "reason": reason}]}
    answering(source, path, {"error": error}, status, **query)


def comment(key: str = "Ug1", **changed: Any) -> dict[str, Any]:
    return {"kind": "youtube#comment", "id": key, "snippet": {**SNIPPET, **changed}}


def thread(key: str = "Ug1", *replies: Any, count: int = 0, **changed: Any) -> dict[str, Any]:
    about = {"videoId": "vid00000001", "topLevelComment": comment(key, **changed)}
    found = {"id": key, "snippet": {**about, "totalReplyCount": count}}
    return {**found, "replies": {"comments": list(replies)}} if replies else found


def asked(source: Source, path: str) -> list[dict[str, list[str]]]:
    return [query for _, at, query, _ in source.stage.player.requests if at == path]


# The two ways in


async def test_a_key_reads_what_everybody_sees_and_says_what_is_missing(source: Source) -> None:
    answering(source, "/channels", {"items": [{"id": US, "snippet": {"title": "Acme"}}]}, id=US)
    keyed = source.connector(credential=KEY_ONLY, settings=NAMED)
    assert [spec.name for spec in keyed.streams()] == ["threads", "replies"]
    assert [lost.cause for lost in keyed.streams()[0].lost] == ["not_public"]
    check = await keyed.check()
    assert check.warnings
    assert check.identity is not None
    assert all(query["key"] == ["key-of-the-test"] for query in asked(source, THREADS))
    with pytest.raises(BadResponse):
        await keyed.fetch_page("held", None)


async def test_a_consent_asks_with_its_token_and_never_with_the_key(source: Source) -> None:
    await source.connector().fetch_page("threads", None)
    for _, _, query, headers in source.stage.player.requests:
        assert "key" not in query
        assert headers["authorization"] == "Bearer token-of-the-test"


async def test_a_channel_is_found_by_its_handle(source: Source) -> None:
    found = {"items": [{"id": US, "snippet": {"title": "Acme", "customUrl": "@Acme_Notes"}}]}
    answering(source, "/channels", found, forHandle="@acme_notes")
    named = {"api_url": "{base}", "channel": "@acme_notes"}
    check = await source.connector(credential=KEY_ONLY, settings=named).check()
    assert check.identity is not None
    assert (check.identity.external_id, check.identity.aliases) == (US, ("acme_notes",))


async def test_a_key_needs_the_channel_and_a_channel_that_is_there(source: Source) -> None:
    with pytest.raises(BadResponse, match="named"):
        await source.connector(credential=KEY_ONLY).check()
    answering(source, "/channels", {"items": []}, id=US)
    with pytest.raises(Gone):
        await source.connector(credential=KEY_ONLY, settings=NAMED).check()


async def test_an_account_without_a_channel_is_connected_but_blind(source: Source) -> None:
    answering(source, "/channels", {"items": []}, mine="true")
    with pytest.raises(Blind):
        await source.connector().check()


async def test_a_consent_for_another_channel_is_refused(source: Source) -> None:
    other = {"api_url": "{base}", "channel": "@somebody_else"}
    with pytest.raises(AuthFailed, match="somebody_else"):
        await source.connector(settings=other).check()


def test_a_credential_holds_a_key_or_a_consent() -> None:
    with pytest.raises(ValidationError):
        account.Credential()


@pytest.mark.parametrize("channel", ["acme", "UCshort", "https://youtube.com/@acme", "@a"])
def test_a_channel_is_an_id_or_a_handle(channel: str) -> None:
    with pytest.raises(ValidationError):
        account.Settings(channel=channel)


async def test_a_consent_opens_the_channel_that_was_chosen(source: Source) -> None:
    connector = source.connector()
    settings = account.Settings(api_url=source.address)
    token = {"access_token": "at", "refresh_token": "rt", "expires_in": 3600, "scope": "s"}
    granted = Granted(settings, Client("client", "secret"), token, "2026-10-01T12:00:00Z")
    [found] = await account.accounts(connector._http, granted)  # type: ignore[attr-defined]
    kept = account.Credential(**found.credential)
    assert (found.external_id, kept.refresh_token, kept.scope) == (US, "rt", "s")
    assert kept.expires_at.startswith("2026-10-01T13:00:00")


def test_the_way_in_asks_for_a_token_that_can_be_renewed() -> None:
    way = PLATFORM.oauth
    assert way is not None
    assert way.extra == {"access_type": "offline", "prompt": "consent"}
    assert way.scopes == ("https://www.googleapis.com/auth/youtube.force-ssl",)
    assert "oauth2.googleapis.com" in way.endpoints(account.Settings()).token


# How it is read


async def test_plain_text_is_asked_for_and_the_newest_first(source: Source) -> None:
    await source.connector().fetch_page("threads", None)
    [query] = asked(source, THREADS)
    assert query["textFormat"] == ["plainText"]
    assert query["order"] == ["time"]
    assert query["allThreadsRelatedToChannelId"] == [US]
    assert "channelId" not in query


async def test_replies_beyond_those_that_come_along_are_read_by_themselves(
    source: Source,
) -> None:
    """Five come with a thread; one with no more than these is not asked for again."""
    page = await source.connector().fetch_page("threads", None)
    assert [(parent.external_id, parent.counter) for parent in page.parents] == [
        ("UgwBBB0002AaABAg", 7)
    ]


async def test_a_thread_is_read_again_only_when_its_counter_has_changed(source: Source) -> None:
    connector = source.connector()
    [parent] = (await connector.fetch_page("threads", None)).parents
    first = await connector.fetch_page("replies", None, parent=parent)
    await connector.fetch_page("replies", first.next_cursor, parent=parent)
    before = len(asked(source, "/comments"))
    read = replace(parent, counter_read=parent.counter)
    again = await connector.fetch_page("replies", None, parent=read)
    assert (again.mentions, again.cost) == ((), 0)
    assert len(asked(source, "/comments")) == before
    more = replace(read, counter=8)
    assert (await connector.fetch_page("replies", None, parent=more)).mentions


async def test_disabled_comments_are_no_lost_right(source: Source) -> None:
    refusing(source, "/comments", 403, "commentsDisabled")
    parent = Parent("UgwBBB0002AaABAg", counter=9, extra={"video": "vid00000001"})
    page = await source.connector().fetch_page("replies", None, parent=parent)
    assert not page.mentions
    assert not page.more


async def test_hidden_titles_and_channels_cost_no_comment(source: Source) -> None:
    refusing(source, "/videos", 403, "forbidden")
    refusing(source, "/channels", 403, "quotaExceeded", mine=None)
    page = await source.connector().fetch_page("threads", None)
    assert len(page.mentions) == 9
    assert {found.thread.title for found in page.mentions} == {""}


async def test_titles_and_authors_are_asked_for_once(source: Source) -> None:
    connector = source.connector()
    page = await connector.fetch_page("threads", None)
    assert {found.thread.title for found in page.mentions} == {"Acme Notes 4: what is new"}
    assert {found.author.followers for found in page.mentions if found.author.followers} == {
        1200, 3
    }  # fmt: skip
    await connector.fetch_page("threads", None)
    assert len(asked(source, "/videos")) == 1


async def test_each_request_is_a_unit(source: Source) -> None:
    """Who we are, the list, titles, authors; then the list alone."""
    connector = source.connector()
    assert (await connector.fetch_page("threads", None)).cost == 4
    assert (await connector.fetch_page("threads", None)).cost == 1


async def test_foreign_and_forgotten_places_are_refused(source: Source) -> None:
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("threads", {"pageToken": 7})
    refusing(source, THREADS, 400, "invalidPageToken", pageToken="old")
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page("threads", {"pageToken": "old"})


async def test_the_whole_list_is_read_every_day(source: Source) -> None:
    """A comment released later keeps its old time, and counters change at their old places."""
    threads = source.connector().streams()[0]
    assert threads.rescan_all


# What was filed


async def test_held_and_probable_spam_say_where_they_are(source: Source) -> None:
    connector = source.connector()
    held = {
        one.external_id: one.filed for one in (await connector.fetch_page("held", None)).mentions
    }
    assert held == {
        "UgwHHH0005AaABAg": Filed.HELD,
        "UgwAAA0001AaABAg": None,  # published: only a reply below it is held
        "UgwAAA0001AaABAg.r9": Filed.HELD,
    }
    [spam] = (await connector.fetch_page("likely_spam", None)).mentions
    assert spam.filed is Filed.SPAM


def test_where_no_comment_says_its_state_the_list_says_it_of_the_first_one() -> None:
    listed = comments.Around(US, listed=Filed.HELD)
    page = comments.parse_threads([thread("Ug1", comment("Ug1.r", parentId="Ug1"))], listed)
    assert [found.filed for found in page.mentions] == [Filed.HELD, None]


def test_a_rejected_comment_is_gone() -> None:
    page = comments.parse_comments([comment(moderationStatus="rejected")], AROUND)
    assert page.gone == ("Ug1",)


def test_reading_one_by_itself_does_not_tell_where_it_was_filed() -> None:
    assert PLATFORM.capabilities.filing_by_lists


async def test_many_are_read_at_once_and_the_silent_are_gone(source: Source) -> None:
    connector = source.connector()
    assert isinstance(connector, ReadsMany)
    assert connector.most_at_once == 50
    body = {"items": [comment("Ug1", videoId=None), comment("Ug1.r", parentId="Ug1", videoId=None)]}
    answering(source, "/comments", body, id="Ug1,Ug1.r,Ug9")
    answering(source, THREADS, {"items": [thread("Ug1")]}, id="Ug1")
    page = await connector.fetch_items(["Ug1", "Ug1.r", "Ug9", "follow:sub0001"])
    assert {found.external_id: found.permalink for found in page.mentions} == {
        "Ug1": "https://www.youtube.com/watch?v=vid00000001&lc=Ug1",
        "Ug1.r": "https://www.youtube.com/watch?v=vid00000001&lc=Ug1.r",
    }
    assert page.gone == ("Ug9",)
    assert [entry.external_id for entry in page.unparsed] == ["follow:sub0001"]


async def test_an_answer_that_names_one_unreadably_declares_nobody_gone(source: Source) -> None:
    answering(source, "/comments", {"items": [comment("Ug1"), {"id": None}]}, id="Ug1,Ug2")
    connector = source.connector()
    assert isinstance(connector, ReadsMany)
    page = await connector.fetch_items(["Ug1", "Ug2"])
    assert page.gone == ()


async def test_an_answer_under_another_id_declares_nobody_gone(source: Source) -> None:
    """Recorded: `z13kc1bx…` is answered with `Ugi3N3wi…`."""
    answering(source, "/comments", {"items": [comment("Ug1")]}, id="z13old")
    with pytest.raises(BadResponse):
        await source.connector().fetch_item("z13old")


# Errors, by their reasons


@pytest.mark.parametrize(
    ("status", "reason", "means"),
    [
        (401, "authError", AuthFailed),
        (403, "quotaExceeded", RateLimited),
        (403, "dailyLimitExceeded", RateLimited),
        (403, "rateLimitExceeded", RateLimited),
        (403, "userRateLimitExceeded", RateLimited),
        (403, "forbidden", PermissionMissing),
        (403, "insufficientPermissions", PermissionMissing),
        (403, "accessNotConfigured", PermissionMissing),
        (403, "SERVICE_UNAVAILABLE", PermissionMissing),
        (403, "ineligibleAccount", AuthFailed),
        (403, "authenticatedUserNotChannel", AuthFailed),
        (403, "somethingElse", AuthFailed),
        (400, "keyInvalid", AuthFailed),
        (400, "processingFailure", BadResponse),
        (400, "missingRequiredParameter", BadResponse),
        (404, "channelNotFound", Gone),
        (404, "videoNotFound", Gone),
        (404, "parentCommentNotFound", Gone),
        (404, "unknown", BadResponse),
    ],
)
async def test_refusals_say_what_to_do_next(
    source: Source, status: int, reason: str, means: type[Exception]
) -> None:
    refusing(source, THREADS, status, reason)
    plain = source.connector(credential={"access_token": "token-of-the-test"})
    with pytest.raises(means):
        await plain.fetch_page("threads", None)


async def test_spent_units_come_back_at_midnight_pacific(source: Source) -> None:
    refusing(source, THREADS, 403, "quotaExceeded")
    with pytest.raises(RateLimited) as caught:
        await source.connector().fetch_page("threads", None)
    assert caught.value.until is not None
    assert caught.value.until.hour in {7, 8}


def test_midnight_pacific_is_7_or_8_in_utc() -> None:
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert next_midnight(summer) == datetime(2026, 7, 2, 7, tzinfo=UTC)
    winter = datetime(2026, 12, 1, 7, 59, tzinfo=UTC)
    assert next_midnight(winter) == datetime(2026, 12, 1, 8, tzinfo=UTC)
    assert next_midnight(winter + timedelta(minutes=1)) == datetime(2026, 12, 2, 8, tzinfo=UTC)


def test_duties_and_units_are_declared() -> None:
    assert PLATFORM.retention is not None
    assert PLATFORM.retention.refresh_within == timedelta(days=30)
    assert PLATFORM.retention.wipe_gone
    assert PLATFORM.quota is not None
    assert (PLATFORM.quota.limit, PLATFORM.quota.zone) == (10_000, "America/Los_Angeles")


async def test_check_says_what_a_day_takes(source: Source) -> None:
    check = await source.connector().check()
    assert check.estimate is not None
    assert check.estimate.unit == "units"
    assert check.estimate.per_day > 288
    assert not check.warnings
    assert check.sample is not None
    assert check.sample.count == 9
