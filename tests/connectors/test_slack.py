"""What is odd about Slack: refusals with status 200, times as ids, threads; one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from app.connectors.base import Kind, Page, Parent, TextFormat, Visibility
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    ConnectorError,
    CursorRefused,
    Gone,
    PermissionMissing,
    RateLimited,
    Transient,
)
from app.connectors.platforms.slack import NO_NAMES, PLATFORM
from app.connectors.slack import messages
from app.connectors.slack.account import Settings, history_of, threads_of
from app.connectors.slack.messages import Around, as_text, parse_messages
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

RECORDED = load("slack")
[CHANNEL] = RECORDED["settings"]["channels"]
US, ANNA = "U0ACMEBOT0", "U0ANNA0000"
HISTORY, THREADS = history_of(CHANNEL), threads_of(CHANNEL)
TS = "1790848800.000216"
ROOT = RECORDED["reads"]["thread"]
AROUND = Around(CHANNEL, US, "#help", "https://acme.slack.com")


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(RECORDED)) as stage:
        yield stage


def answering(source: Source, method: str, body: Any, *, headers: Any = None, **query: Any) -> None:
    """Puts an answer before the recorded ones."""
    request = {"method": "GET", "path": f"/{method}", "query": query}
    response = {"body": {"ok": True, **body}, "headers": headers or {}}
    source.stage.player.exchanges.insert(0, {"request": request, "response": response})


def refusing(source: Source, method: str, error: str, **more: Any) -> None:
    answering(source, method, {"ok": False, "error": error, **more})


def asked(source: Source, method: str) -> list[dict[str, list[str]]]:
    return [query for _, at, query, _ in source.stage.player.requests if at == f"/{method}"]


def sent(text: str = "Hello?", ts: str = TS, **more: Any) -> dict[str, Any]:
    return {"type": "message", "user": ANNA, "text": text, "ts": ts, **more}


def read(*rows: Any, around: Around = AROUND) -> Page:
    return parse_messages(rows, around)


# Refusals


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("invalid_auth", AuthFailed),
        ("token_revoked", AuthFailed),
        ("account_inactive", AuthFailed),
        ("not_allowed_token_type", Blind),
        ("missing_scope", PermissionMissing),
        ("not_in_channel", PermissionMissing),
        ("channel_not_found", PermissionMissing),
        ("ratelimited", RateLimited),
        ("internal_error", Transient),
        ("thread_not_found", Gone),
        ("invalid_arguments", BadResponse),
        ("", BadResponse),
    ],
)
async def test_a_word_with_status_200_says_what_to_do_next(
    source: Source, error: str, kind: type[ConnectorError]
) -> None:
    refusing(source, "conversations.history", error)
    with pytest.raises(ConnectorError) as caught:
        await source.connector().fetch_page(HISTORY, None)
    assert type(caught.value) is kind


async def test_the_scope_that_is_missing_is_named(source: Source) -> None:
    refusing(source, "conversations.history", "missing_scope", needed="channels:history")
    with pytest.raises(PermissionMissing) as caught:
        await source.connector().fetch_page(HISTORY, None)
    assert caught.value.rights == ("channels:history",)


async def test_a_private_channel_we_were_taken_out_of_proves_no_deletion(source: Source) -> None:
    """Slack then says `channel_not_found`, as of a channel that never was."""
    refusing(source, "conversations.history", "channel_not_found")
    with pytest.raises(PermissionMissing):
        await source.connector().fetch_item(ROOT)


async def test_a_place_that_slack_forgot_is_read_again_from_the_top(source: Source) -> None:
    refusing(source, "conversations.history", "invalid_cursor")
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page(HISTORY, {"cursor": "gone"})
    with pytest.raises(BadResponse):
        await source.connector().fetch_page(HISTORY, None)


async def test_what_an_unknown_word_holds_is_told_only_if_it_is_one(source: Source) -> None:
    refusing(source, "conversations.history", "<b>token xoxb-1</b>")
    with pytest.raises(BadResponse) as caught:
        await source.connector().fetch_page(HISTORY, None)
    assert "xoxb" not in caught.value.detail


# Rights


async def test_the_check_tells_scopes_and_where_the_bot_is(source: Source) -> None:
    check = await source.connector().check()
    assert "channels:history" in check.rights
    assert not check.missing
    assert check.identity is not None
    assert (check.identity.external_id, check.identity.instance) == (US, "T0ACME0000")
    assert check.sample is not None
    assert check.sample.count == 2


def channel(**more: Any) -> dict[str, Any]:
    return {"channel": {"id": CHANNEL, "name": "help", "is_member": True, **more}}


async def test_a_channel_the_bot_was_not_invited_to_is_blind_if_it_is_the_only_one(
    source: Source,
) -> None:
    answering(source, "conversations.info", channel(is_member=False))
    with pytest.raises(Blind, match="membership of #help"):
        await source.connector().check()


async def test_of_two_channels_the_one_that_is_closed_is_missing(source: Source) -> None:
    other = "C0ELSEWHERE"
    answering(source, "conversations.info", {"ok": False, "error": "channel_not_found"},
              channel=other)  # fmt: skip
    settings = {"api_url": "{base}", "channels": [other, CHANNEL]}
    check = await source.connector(settings=settings).check()
    assert check.missing == (f"membership of {other}",)


async def test_a_private_channel_needs_another_scope(source: Source) -> None:
    answering(source, "conversations.info", channel(is_private=True))
    with pytest.raises(Blind, match="groups:history"):
        await source.connector().check()


async def test_an_archived_channel_is_told(source: Source) -> None:
    answering(source, "conversations.info", channel(is_archived=True))
    assert "archived" in (await source.connector().check()).warnings[0]


async def test_without_the_scope_for_names_people_are_their_ids(source: Source) -> None:
    refusing(source, "users.info", "missing_scope", needed="users:read")
    connector = source.connector()
    assert (await connector.check()).warnings == (NO_NAMES,)
    page = await connector.fetch_page(HISTORY, None)
    assert page.mentions[-1].author.display_name == ""
    assert len(asked(source, "users.info")) == 1, "what is refused once is not asked again"


async def test_who_somebody_is_is_asked_once(source: Source) -> None:
    connector = source.connector()
    for _ in range(2):
        await connector.fetch_page(HISTORY, None)
    users = [query["user"][0] for query in asked(source, "users.info")]
    assert len(users) == len(set(users)) > 1


async def test_a_member_who_cannot_be_looked_up_costs_no_message(source: Source) -> None:
    refusing(source, "users.info", "user_not_found")
    page = await source.connector().fetch_page(HISTORY, None)
    assert page.mentions
    assert not page.unparsed


async def test_a_token_that_is_rotated_is_renewed_once_and_used(source: Source) -> None:
    refused = {"request": {"method": "GET", "path": "/auth.test"},
               "response": {"body": {"ok": False, "error": "token_expired"}}}  # fmt: skip
    fresh = {"ok": True, "access_token": "xoxb-fresh", "refresh_token": "xoxe-next"}
    renewal = {"request": {"method": "POST", "path": "/oauth.v2.access"},
               "response": {"body": {**fresh, "expires_in": 43200}}}  # fmt: skip
    exchanges = source.stage.player.exchanges
    exchanges[:0] = [refused, renewal]
    connector = source.connector()
    with pytest.raises(AuthFailed):
        await connector.fetch_page(HISTORY, None)
    exchanges.remove(refused)
    await connector.fetch_page(HISTORY, None)
    requests = [
        (at, headers.get("authorization")) for _, at, _, headers in source.stage.player.requests
    ]
    renewed = [at for at, _ in requests].index("/oauth.v2.access")
    assert {token for _, token in requests[:renewed]} == {"Bearer xoxb-token-of-the-test"}
    assert {token for _, token in requests[renewed + 1 :]} == {"Bearer xoxb-fresh"}


async def test_a_refresh_token_that_slack_does_not_take_needs_a_person(source: Source) -> None:
    refusing(source, "auth.test", "token_expired")
    refused = {"ok": False, "error": "invalid_refresh_token"}
    source.stage.player.exchanges.insert(
        0,
        {"request": {"method": "POST", "path": "/oauth.v2.access"}, "response": {"body": refused}},
    )
    with pytest.raises(AuthFailed):
        await source.connector().check()


# Times


def test_a_time_is_kept_to_the_last_digit() -> None:
    assert messages.moment("1512085950.000216") == datetime(
        2017, 11, 30, 23, 52, 30, 216, tzinfo=UTC
    )
    [one] = read(sent(ts="1512085950.000216")).mentions
    assert one.external_id == f"{CHANNEL}:1512085950.000216"
    assert one.occurred_at == datetime(2017, 11, 30, 23, 52, 30, 216, tzinfo=UTC)


@pytest.mark.parametrize("ts", ["", "1512085950", 1512085950.000216, "1512085950.", "x.y", None])
def test_what_is_no_time_is_no_message(ts: Any) -> None:
    page = read(sent(ts=ts), sent())
    assert len(page.mentions) == len(page.unparsed) == 1


# Reading


async def test_a_short_page_may_have_more_behind_it(source: Source) -> None:
    page = await source.connector().fetch_page(HISTORY, None)
    assert len(page.mentions) < 200
    assert page.more
    assert page.next_cursor == {"cursor": "bmV4dF90czox"}


async def test_a_full_page_without_a_cursor_is_the_last(source: Source) -> None:
    rows = [sent(ts=f"1790848800.{n:06}") for n in range(200)]
    answering(source, "conversations.history", {"messages": rows, "has_more": True})
    assert not (await source.connector().fetch_page(HISTORY, None)).more


def test_a_thread_is_watched_by_its_counter_and_its_latest_answer() -> None:
    above = sent(thread_ts=TS, reply_count=3, latest_reply="1790849000.000100")
    below = sent(ts="1790849000.000100", thread_ts=TS, subtype="thread_broadcast", reply_count=1)
    page = read(
        above, below, sent(ts="1790849100.000100"), sent(ts="1790849200.0001", reply_count=0)
    )
    assert page.parents == (
        Parent(
            f"{CHANNEL}:{TS}",
            created_at=messages.moment(TS),
            changed_at=messages.moment("1790849000.000100"),
            counter=3,
        ),
    )


async def test_a_thread_comes_without_the_message_above_it(source: Source) -> None:
    page = await source.connector().fetch_page(THREADS, None, parent=Parent(ROOT))
    assert ROOT not in {one.external_id for one in page.mentions}
    assert {one.thread.external_id for one in page.mentions} == {ROOT}
    assert {one.parent_external_id for one in page.mentions} == {ROOT}


async def test_a_thread_that_is_gone_says_so(source: Source) -> None:
    refusing(source, "conversations.replies", "thread_not_found")
    with pytest.raises(Gone):
        await source.connector().fetch_page(THREADS, None, parent=Parent(ROOT))


async def test_a_message_in_a_thread_is_found_by_itself(source: Source) -> None:
    ts = "1790849520.000100"
    row = sent(ts=ts, thread_ts=TS)
    answering(source, "conversations.history", {"messages": []}, latest=ts)
    answering(source, "conversations.replies", {"messages": [sent(thread_ts=TS), row]}, ts=ts)
    one = await source.connector().fetch_item(f"{CHANNEL}:{ts}")
    assert (one.external_id, one.parent_external_id) == (f"{CHANNEL}:{ts}", f"{CHANNEL}:{TS}")


async def test_another_message_in_its_place_means_that_it_is_gone(source: Source) -> None:
    answering(source, "conversations.history", {"messages": [sent()]}, latest="1790849999.000100")
    answering(source, "conversations.replies", {"ok": False, "error": "thread_not_found"})
    with pytest.raises(Gone):
        await source.connector().fetch_item(f"{CHANNEL}:1790849999.000100")


@pytest.mark.parametrize("given", [[], ["#help"], ["general"], ["C1"], ["T0ACME0000"]])
def test_channels_are_ids(given: list[str]) -> None:
    with pytest.raises(ValidationError):
        Settings(channels=tuple(given))


# Messages


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@U0ANNA0000> and <@U0NOBODY00|nick>", "@Anna and @nick"),
        ("see <#C0ACMEHELP|help> and <#C0ELSEWHERE>", "see #help and #C0ELSEWHERE"),
        ("<!here> <!subteam^S0TEAM0000|@support> <!date^1^{date}|today>", "@here @support today"),
        ("<https://acme.example/a|the page>", "the page (https://acme.example/a)"),
        ("<https://acme.example/a>", "https://acme.example/a"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("1 < 2 & 3", "1 < 2 & 3"),
    ],
)
def test_text_is_shown_with_names_and_addresses(text: str, shown: str) -> None:
    people = {ANNA: {"name": "anna", "profile": {"display_name": "Anna"}}}
    assert as_text(text, people) == shown


def test_the_text_as_it_came_is_kept() -> None:
    [one] = read(sent("<@U0ANNA0000> &amp; you")).mentions
    assert (one.text_raw, one.text_format) == ("<@U0ANNA0000> &amp; you", TextFormat.MARKDOWN)
    assert one.addressed == (ANNA,)


def test_a_direct_conversation_is_direct() -> None:
    around = Around("D0ANNA0000", US, is_direct=True)
    [one] = read(sent(), around=around).mentions
    assert (one.kind, one.visibility) == (Kind.DIRECT_MESSAGE, Visibility.DIRECT)


def test_a_deleted_message_with_answers_leaves_a_stone() -> None:
    page = read(sent("This message was deleted.", subtype="tombstone", hidden=True))
    assert page.gone == (f"{CHANNEL}:{TS}",)
    assert not page.mentions


def test_addresses_are_made_as_slack_makes_them() -> None:
    [one] = read(sent(ts="1790849520.000100", thread_ts=TS)).mentions
    assert one.permalink == (
        "https://acme.slack.com/archives/C0ACMEHELP/p1790849520000100"
        f"?thread_ts={TS}&cid=C0ACMEHELP"
    )
    assert one.thread.permalink == "https://acme.slack.com/archives/C0ACMEHELP/p1790848800000216"


def test_a_reaction_of_ours_is_an_acknowledgement() -> None:
    told = [{"name": "eyes", "count": 2, "users": [ANNA, US]}]
    assert read(sent(reactions=told)).mentions[0].acknowledged
    assert not read(sent(reactions=[{"name": "eyes", "users": [ANNA]}])).mentions[0].acknowledged


def test_a_broadcast_answer_keeps_no_copy_of_what_it_answers() -> None:
    root = sent("A secret of mine")
    [one] = read(
        sent(ts="1790849520.0001", thread_ts=TS, subtype="thread_broadcast", root=root)
    ).mentions
    assert "secret" not in str(one.raw)


@pytest.mark.parametrize(
    ("about", "code"),
    [
        ({"is_restricted": True}, "guest"),
        ({"is_stranger": True}, "other_workspace"),
        ({"deleted": True}, "deactivated"),
    ],
)
def test_who_an_author_is_comes_with_its_reason(about: dict[str, Any], code: str) -> None:
    around = Around(CHANNEL, US, people={ANNA: about})
    [one] = read(sent(), around=around).mentions
    assert [(signal.code, bool(signal.reason)) for signal in one.author.signals] == [(code, True)]
