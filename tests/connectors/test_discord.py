"""What is odd about Discord: rights, ids that are times, threads, chains; one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from app.connectors.base import Kind, Page, Parent, TextFormat
from app.connectors.discord import rights, snowflakes
from app.connectors.discord.account import Settings, stream_of
from app.connectors.discord.messages import Around, parse_messages, parse_threads
from app.connectors.discord.refusals import HISTORY, VIEW
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    ConnectorError,
    CursorRefused,
    Gone,
    PermissionMissing,
)
from app.connectors.platforms.discord import PLATFORM
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage

RECORDED = load("discord")
SERVER, BOT = "1200000000000000000", "1200000000000000700"
[CHANNEL], [FORUM] = RECORDED["settings"]["channels"], RECORDED["settings"]["forums"]
STREAM = stream_of(CHANNEL)
NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
ANNA = {"id": "900000000000000055", "username": "anna_b", "global_name": "Anna"}
AROUND = Around(BOT, SERVER, CHANNEL, "help")
TEAM = "1200000000000000009"
PLACE = f"/channels/{CHANNEL}"


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(RECORDED)) as stage:
        yield stage


def answering(source: Source, path: str, body: Any, status: int = 200, **query: Any) -> None:
    """Puts an answer before the recorded ones."""
    request = {"method": "GET", "path": path, "query": query}
    exchange = {"request": request, "response": {"status": status, "body": body}}
    source.stage.player.exchanges.insert(0, exchange)


def refusing(source: Source, path: str, status: int, code: int) -> None:
    answering(source, path, {"message": "No.", "code": code}, status)


def asked(source: Source, path: str) -> list[dict[str, list[str]]]:
    return [query for _, at, query, _ in source.stage.player.requests if at == path]


def sent(minutes: int, content: str = "Hello?", **more: Any) -> dict[str, Any]:
    """A message of Anna's, so many minutes after noon."""
    at = NOON + timedelta(minutes=minutes)
    number = str(int(snowflakes.first_at(at)) + 1)
    written = {"type": 0, "id": number, "author": ANNA, "content": content, "mentions": []}
    return {**written, "timestamp": at.isoformat(), **more}


def answers(one: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What makes a message a reply to that one."""
    reference = {"type": 0, "message_id": one["id"], "channel_id": CHANNEL}
    return {"type": 19, "message_reference": reference, **more}


def read(*rows: Any, around: Around = AROUND) -> Page:
    return parse_messages(rows, around)


# Ids are times


def test_a_moment_and_the_ids_made_in_it_fit_together() -> None:
    first = snowflakes.first_at(NOON)
    assert snowflakes.time_of(first) == NOON - timedelta(milliseconds=1)
    assert snowflakes.time_of(str(int(first) + 1)) == NOON
    assert snowflakes.time_of("175928847299117063") == datetime(
        2016, 4, 30, 11, 18, 25, 796000, tzinfo=UTC
    )
    assert snowflakes.first_at(datetime(2000, 1, 1, tzinfo=UTC)) == "0"
    assert snowflakes.time_of(None) is None


async def test_a_channel_is_read_from_a_time_and_then_from_the_last_id(source: Source) -> None:
    connector = source.connector()
    page = await connector.fetch_page(STREAM, None, since=NOON)
    assert asked(source, f"{PLACE}/messages")[0]["after"] == [snowflakes.first_at(NOON)]
    assert page.next_cursor == {"after": page.mentions[-1].external_id.partition(":")[2]}
    assert not page.more
    times = [one.occurred_at for one in page.mentions if one.occurred_at]
    assert times == sorted(times), "Discord lists the newest first, whatever is asked for"


async def test_a_full_page_leads_on_from_its_latest_message(source: Source) -> None:
    rows = [sent(n) for n in range(100)][::-1]
    answering(source, f"{PLACE}/messages", rows, after="1")
    page = await source.connector().fetch_page(STREAM, {"after": "1"})
    assert page.more
    assert page.next_cursor == {"after": rows[0]["id"]}
    assert len(page.mentions) == 100


async def test_an_empty_page_keeps_the_place(source: Source) -> None:
    answering(source, f"{PLACE}/messages", [], after="77")
    page = await source.connector().fetch_page(STREAM, {"after": "77"})
    assert (page.next_cursor, page.more) == ({"after": "77"}, False)


@pytest.mark.parametrize("cursor", [{"after": None}, {"after": "x"}, {"after": -1}, {}])
async def test_a_spoiled_cursor_is_refused(source: Source, cursor: Any) -> None:
    with pytest.raises(CursorRefused):
        await source.connector().fetch_page(STREAM, cursor)


# Rights


async def test_the_intent_to_read_content_is_a_right_that_may_be_missing(source: Source) -> None:
    assert (await source.connector().check()).missing == ()
    answering(source, "/applications/@me", {"id": BOT, "flags": 1 << 12})
    check = await source.connector().check()
    assert check.missing == (rights.CONTENT,)
    assert rights.CONTENT not in check.rights


async def test_a_channel_without_the_right_to_its_history_is_named(source: Source) -> None:
    """Discord would answer with an empty list."""
    told = {"id": SERVER, "type": 0, "allow": "0", "deny": str(rights.NEEDED[HISTORY])}
    channel = {"id": CHANNEL, "type": 0, "guild_id": SERVER, "name": "help"}
    answering(source, PLACE, {**channel, "permission_overwrites": [told]})
    check = await source.connector().check()
    assert check.missing == (f"{HISTORY} in #help",)


async def test_a_bot_that_can_read_nothing_is_blind(source: Source) -> None:
    refusing(source, PLACE, 403, 50001)
    refusing(source, f"/channels/{FORUM}", 404, 10003)
    with pytest.raises(Blind, match="empty lists"):
        await source.connector().check()


async def test_a_channel_that_is_hidden_or_gone_is_named(source: Source) -> None:
    refusing(source, PLACE, 403, 50001)
    assert (await source.connector().check()).missing == (f"{VIEW} in {CHANNEL}",)
    refusing(source, PLACE, 404, 10003)
    assert "not there" in (await source.connector().check()).missing[0]


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        ({"type": 15, "guild_id": SERVER, "name": "ideas"}, "list it in `forums`"),
        ({"type": 0, "guild_id": "1200000000000000999", "name": "far"}, "this server"),
    ],
)
async def test_a_channel_in_the_wrong_place_is_named(
    source: Source, channel: Any, words: str
) -> None:
    answering(source, PLACE, {"id": CHANNEL, **channel})
    [missing] = (await source.connector().check()).missing
    assert words in missing


def test_rights_are_reckoned_as_discord_does() -> None:
    view, history = rights.NEEDED[VIEW], rights.NEEDED[HISTORY]
    roles = [
        {"id": SERVER, "permissions": str(view)},
        {"id": TEAM, "permissions": str(history)},
        {"id": "1200000000000000010", "permissions": "8"},
    ]
    base = rights.in_server(SERVER, roles, {TEAM})
    assert base == view | history

    def told(key: str, kind: int, *, allow: int = 0, deny: int = 0) -> dict[str, Any]:
        return {"id": key, "type": kind, "allow": str(allow), "deny": str(deny)}

    def missing(*overwrites: Any, base: int = base) -> tuple[str, ...]:
        channel = {"permission_overwrites": list(overwrites)}
        return rights.missing_in(rights.in_channel(base, channel, SERVER, {TEAM}, BOT))

    nobody = told(SERVER, 0, deny=view)
    assert missing() == ()
    assert missing(nobody) == (VIEW,)
    assert missing(nobody, told(TEAM, 0, allow=view)) == ()
    assert missing(told(TEAM, 0, allow=view), nobody) == (), "roles come after everybody"
    assert missing(told(TEAM, 0, deny=history), told(BOT, 1, allow=history)) == ()
    assert missing(told(BOT, 1, deny=view | history)) == (VIEW, HISTORY)
    assert missing(told("1200000000000000011", 0, deny=view)) == (), "not a role of ours"
    admin = rights.in_server(SERVER, roles, {"1200000000000000010"})
    assert missing(nobody, base=admin) == ()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, 0, AuthFailed),
        (403, 50001, PermissionMissing),
        (403, 50013, PermissionMissing),
        (403, 0, AuthFailed),
        (404, 10003, Gone),
        (404, 0, BadResponse),
        (400, 50035, BadResponse),
    ],
)
async def test_a_code_says_what_to_do_next(
    source: Source, status: int, code: int, kind: type[ConnectorError]
) -> None:
    refusing(source, f"{PLACE}/messages", status, code)
    with pytest.raises(ConnectorError) as caught:
        await source.connector().fetch_page(STREAM, None)
    assert type(caught.value) is kind


async def test_the_bot_says_who_it_is_in_the_form_that_is_asked_for(source: Source) -> None:
    await source.connector().fetch_page(STREAM, None)
    for _, _, _, headers in source.stage.player.requests:
        assert headers["authorization"] == "Bot token-of-the-test"
        assert headers["user-agent"].startswith("DiscordBot (")


@pytest.mark.parametrize(
    "given",
    [
        {"server": SERVER},
        {"server": "acme", "channels": [CHANNEL]},
        {"server": SERVER, "channels": ["#help"]},
        {"server": SERVER, "channels": ["../../users"]},
    ],
)
def test_settings_name_a_server_and_something_to_read_by_id(given: Any) -> None:
    with pytest.raises(ValidationError):
        Settings(**given)


# Conversations


async def test_a_chain_of_replies_is_one_conversation(source: Source) -> None:
    first = sent(0)
    second = sent(1, **answers(first, referenced_message=first))
    third = sent(2, **answers(second, referenced_message=second))
    answering(source, f"{PLACE}/messages", [third, second, first], after="1")
    page = await source.connector().fetch_page(STREAM, {"after": "1"})
    assert {one.thread.external_id for one in page.mentions} == {f"{CHANNEL}:{first['id']}"}
    assert [one.kind for one in page.mentions] == [Kind.COMMENT, Kind.REPLY, Kind.REPLY]


async def test_what_is_not_known_of_a_chain_is_asked_for_once(source: Source) -> None:
    first, second, third = sent(0), sent(1), sent(2)
    second |= answers(first)
    third |= answers(second)
    answering(source, f"{PLACE}/messages/{first['id']}", first)
    answering(source, f"{PLACE}/messages/{second['id']}", second)
    answering(source, f"{PLACE}/messages", [third], after="1")
    connector = source.connector()
    for _ in range(2):
        page = await connector.fetch_page(STREAM, {"after": "1"})
        assert page.mentions[0].thread.external_id == f"{CHANNEL}:{first['id']}"
    assert len(asked(source, f"{PLACE}/messages/{second['id']}")) == 1
    assert len(asked(source, f"{PLACE}/messages/{first['id']}")) == 1


async def test_a_chain_whose_beginning_is_deleted_begins_where_it_still_stands(
    source: Source,
) -> None:
    first = sent(0)
    refusing(source, f"{PLACE}/messages/{first['id']}", 404, 10008)
    last = sent(1, **answers(first, referenced_message=None))
    answering(source, f"{PLACE}/messages", [last], after="1")
    page = await source.connector().fetch_page(STREAM, {"after": "1"})
    assert page.mentions[0].thread.external_id == f"{CHANNEL}:{first['id']}"
    assert page.mentions[0].parent_external_id == f"{CHANNEL}:{first['id']}"


async def test_a_chain_can_be_read_although_no_thread_was_begun(source: Source) -> None:
    first, other = sent(0), sent(1)
    last = sent(2, **answers(first, referenced_message=first))
    refusing(source, f"/channels/{first['id']}", 404, 10003)
    answering(source, f"{PLACE}/messages/{first['id']}", first)
    answering(source, f"{PLACE}/messages", [last, other], after=first["id"])
    page = await source.connector().fetch_thread(f"{CHANNEL}:{first['id']}")
    numbers = [one.external_id.partition(":")[2] for one in page.mentions]
    assert numbers == [first["id"], last["id"]]


def test_a_thread_has_the_id_of_the_message_it_began_with() -> None:
    row = {"id": "1300000000000000001", "parent_id": CHANNEL, "name": "Export", "message_count": 3}
    post = {"id": "1300000000000000002", "parent_id": FORUM, "last_message_id": None}
    elsewhere = {"id": "1300000000000000003", "parent_id": "1200000000000000003"}
    page = parse_threads([row, post, elsewhere, "x"], [CHANNEL], [FORUM])
    assert [one.external_id for one in page.parents] == [
        f"{CHANNEL}:1300000000000000001", "1300000000000000002:1300000000000000002",
    ]  # fmt: skip
    assert page.parents[0].counter == 3
    assert dict(page.skipped) == {"thread_elsewhere": 1}
    assert len(page.unparsed) == 1


async def test_closed_threads_are_listed_only_where_it_is_read_far_back(source: Source) -> None:
    connector = source.connector()
    soon = source.door.clock.now() - timedelta(minutes=11)
    page = await connector.fetch_page("thread_list", None, since=soon)
    assert not page.more
    assert page.newest_at is not None
    page = await connector.fetch_page("thread_list", None, since=NOON - timedelta(days=30))
    assert page.next_cursor == {"channel": 0, "before": None}


async def test_closed_threads_are_read_channel_by_channel_down_to_the_time(source: Source) -> None:
    def closed(number: int, day: int) -> dict[str, Any]:
        at = f"2026-09-{day:02}T00:00:00+00:00"
        return {"id": str(1300000000000000000 + number), "parent_id": CHANNEL,
                "thread_metadata": {"archive_timestamp": at}}  # fmt: skip

    path = f"{PLACE}/threads/archived/public"
    answering(source, path, {"threads": [closed(1, 20)], "has_more": True}, before=None)
    older = {"threads": [closed(2, 1)], "has_more": True}
    answering(source, path, older, before="2026-09-20T00:00:00+00:00")
    connector, since = source.connector(), datetime(2026, 9, 10, tzinfo=UTC)
    places, cursor = [], None
    while True:
        page = await connector.fetch_page("thread_list", cursor, since=since)
        places.append(page.next_cursor)
        if not page.more:
            break
        cursor = page.next_cursor
    assert places == [
        {"channel": 0, "before": None},
        {"channel": 0, "before": "2026-09-20T00:00:00+00:00"},
        {"channel": 1, "before": None},
        None,
    ]


async def test_a_channel_of_a_type_without_threads_has_none(source: Source) -> None:
    refusing(source, f"{PLACE}/threads/archived/public", 400, 50024)
    page = await source.connector().fetch_page("thread_list", {"channel": 0, "before": None})
    assert page.next_cursor == {"channel": 1, "before": None}


async def test_a_thread_is_read_from_its_beginning(source: Source) -> None:
    extra = {"title": "Export", "above": CHANNEL, "is_post": False}
    thread = RECORDED["expect"]["threads"][0]["thread"]
    page = await source.connector().fetch_page("threads", None, parent=Parent(thread, extra=extra))
    assert asked(source, f"/channels/{thread.partition(':')[2]}/messages")[0]["after"] == ["0"]
    assert {one.thread.external_id for one in page.mentions} == {thread}
    assert dict(page.skipped) == {"type_21": 1}, "what a thread began with stands above it"


# Messages


def test_names_stand_in_the_place_of_numbers_and_the_text_as_it_came_is_kept() -> None:
    content = f"<@{ANNA['id']}> and <@!1> like <:party:123456789012345678>"
    [one] = read(sent(0, content, mentions=[ANNA])).mentions
    assert one.text == "@Anna and <@!1> like :party:"
    assert (one.text_raw, one.text_format) == (content, TextFormat.MARKDOWN)
    assert one.addressed == (ANNA["id"],)


def test_a_reply_addresses_whom_it_answers_although_it_pings_nobody() -> None:
    first = sent(0)
    [one] = read(sent(1, **answers(first, referenced_message=first))).mentions
    assert one.addressed == (ANNA["id"],)
    assert "referenced_message" not in (one.raw or {}), "another person's message is kept once"


def test_an_account_of_less_than_30_days_is_told_by_its_id() -> None:
    young = {**ANNA, "id": snowflakes.first_at(NOON - timedelta(days=3))}
    [one] = read(sent(0, author=young)).mentions
    assert [signal.code for signal in one.author.signals] == ["young_account"]
    [old] = read(sent(0)).mentions
    assert not old.author.signals
    assert old.author.created_at is not None


def test_a_webhook_is_a_bot_and_no_account() -> None:
    [one] = read(sent(0, webhook_id="1200000000000000800", author=ANNA)).mentions
    assert one.author.is_bot
    assert (one.author.created_at, one.author.url) == (None, "")


def test_a_reaction_of_the_bot_is_an_acknowledgement() -> None:
    [one] = read(sent(0, reactions=[{"me": False}, {"me": True}])).mentions
    assert one.acknowledged


def test_content_that_may_not_be_read_is_counted_and_never_an_empty_message() -> None:
    page = read(sent(0, ""), sent(1, "", attachments=[{"filename": "a"}]))
    assert dict(page.skipped) == {"without_content": 1}
    assert len(page.mentions) == 1


def test_new_members_are_told_only_where_wanted() -> None:
    joined = sent(0, "", type=7)
    assert dict(read(joined).skipped) == {"type_7": 1}
    around = Around(BOT, SERVER, CHANNEL, joins=True)
    assert [one.kind for one in read(joined, around=around).mentions] == [Kind.FOLLOW]
