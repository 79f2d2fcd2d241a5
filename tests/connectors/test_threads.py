"""What Threads does beyond a plain list, one test a fact."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.connectors.base import Connector, Filed, Parent, Shape, ThreadRef
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    Gone,
    PermissionMissing,
)
from app.connectors.keeping import NotStored
from app.connectors.meta.media import Us
from app.connectors.oauth import Client, Granted
from app.connectors.platforms.threads import NEEDED, PLATFORM, UNPROVEN, UNTOLD, Threads
from app.connectors.threads import posts
from app.connectors.threads.account import Credential, Settings
from app.connectors.threads.streams import of_an_account
from tests.connectors.meta import staging
from tests.connectors.meta.staging import error
from tests.connectors.playing import load
from tests.connectors.reading import Source, on_stage, read_parents, read_stream

US = Us("3001", "acmetea")
BELOW = ThreadRef("4001", "Autumn teas are here.")
V1 = "/v1.0"
NOT_THERE = error(100, 33)


@pytest.fixture
async def source() -> AsyncIterator[Source]:
    async with on_stage(PLATFORM, copy.deepcopy(load("threads"))) as stage:
        yield stage


def serve(source: Source, path: str, body: Any, *, status: int = 200, **query: str | None) -> None:
    staging.serve(source, f"{V1}/{path}", body, status=status, headers=None, **query)


def asked(source: Source, path: str) -> list[dict[str, list[str]]]:
    return staging.asked(source, f"{V1}/{path}")


def row(number: int = 1, **more: Any) -> dict[str, Any]:
    at = (datetime(2026, 10, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat()
    return {"id": str(4200 + number), "text": "Hm", "timestamp": at, "username": "anna", **more}


def reply(number: int = 1, to: str = "4001", **more: Any) -> dict[str, Any]:
    return row(number, root_post={"id": "4001"}, replied_to={"id": to}, is_reply=True, **more)


def scopes(source: Source, *granted: str) -> None:
    serve(source, "debug_token", {"data": {"type": "USER", "is_valid": True, "scopes": granted}})


def untold(source: Source) -> None:
    """Meta tells rights to testers of the app only."""
    serve(source, "debug_token", error(100), status=400)


def post(counter: int | None = 1) -> Parent:
    return Parent("4001", counter=counter)


# --- the token ---


async def test_the_check_says_who_what_may_be_done_and_until_when(source: Source) -> None:
    found = await source.connector().check()
    assert found.identity is not None
    assert (found.identity.external_id, found.identity.handle) == ("3001", "acmetea")
    assert found.rights == NEEDED
    assert found.expires_at == datetime.fromtimestamp(1798000000, UTC)
    assert found.warnings == ()


async def test_the_sample_counts_what_others_wrote_once(source: Source) -> None:
    sample = (await source.connector().check()).sample
    assert sample is not None
    assert sample.count == 5  # three of one conversation's first page, two mentions
    assert sample.newest_at == datetime(2026, 10, 2, 19, tzinfo=UTC)


async def test_rights_that_lack_are_named(source: Source) -> None:
    scopes(source, "threads_basic", "threads_manage_mentions")
    assert (await source.connector().check()).missing == ("threads_read_replies",)


async def test_a_right_that_only_reading_shows_to_lack_is_named(source: Source) -> None:
    untold(source)
    told = "(#10) Application requires the threads_manage_mentions permission"
    serve(source, "me/mentions", error(10, message=told), status=403)
    assert (await source.connector().check()).missing == ("threads_manage_mentions",)


async def test_a_token_of_which_meta_tells_nothing_is_warned_of(source: Source) -> None:
    untold(source)
    found = await source.connector().check()
    assert (found.missing, found.warnings) == ((), (UNTOLD,))


async def test_replies_that_are_told_of_and_not_shown_are_blindness(source: Source) -> None:
    serve(source, "4001/conversation", {"data": []})
    with pytest.raises(Blind):
        await source.connector().check()


async def test_a_token_near_its_end_renews_itself(source: Source) -> None:
    new = {"access_token": "new", "token_type": "bearer", "expires_in": 5184000}
    staging.serve(source, "/refresh_access_token", new, grant_type="th_refresh_token")
    stored, soon = NotStored(), datetime.now(UTC) + timedelta(days=9)
    connector = Threads(
        settings=Settings(api_url=source.address),
        credential=Credential(access_token="old", expires_at=soon.isoformat()),
        http=source.door.for_source(),
        save_credential=stored,
    )
    await connector.fetch_page("posts", None)
    assert stored.renewed["access_token"] == "new"
    await connector.fetch_page("mentions", None)
    sent = [h["authorization"] for _, p, _, h in source.stage.player.requests if "mentions" in p]
    assert sent == ["Bearer new"]


async def test_a_token_that_has_ended_wants_a_person(source: Source) -> None:
    serve(source, "me/mentions", error(190, 463), status=401)
    with pytest.raises(AuthFailed):
        await source.connector().fetch_page("mentions", None)
    assert staging.asked(source, "/refresh_access_token") == []


async def test_a_consent_opens_the_one_account(source: Source) -> None:
    way = PLATFORM.oauth
    assert way is not None
    longer = {"access_token": "long", "expires_in": 5183944}
    staging.serve(source, "/access_token", longer, grant_type="th_exchange_token")
    granted = Granted(
        Settings(api_url=source.address),
        Client("5001", "app-secret"),
        {"access_token": "short", "user_id": 3001},
    )
    [one] = await way.accounts(source.door.for_source(), granted)
    assert (one.external_id, one.handle) == ("3001", "acmetea")
    credential = Credential.model_validate(one.credential)
    assert (credential.access_token, credential.client_id) == ("long", "5001")
    assert datetime.fromisoformat(credential.expires_at) > datetime.now(UTC) + timedelta(days=59)
    assert staging.asked(source, "/access_token")[0]["client_secret"] == ["app-secret"]


def test_the_way_in_is_threads_own_and_not_that_of_facebook() -> None:
    assert PLATFORM.oauth is not None
    own = PLATFORM.oauth.endpoints(Settings())
    assert own.authorize == "https://threads.com/oauth/authorize"
    assert own.token == "https://graph.threads.net/oauth/access_token"
    other = PLATFORM.oauth.endpoints(Settings(api_url="https://threads.example"))
    assert other.authorize == "https://threads.example/oauth/authorize"


# --- the lists ---


def test_what_waits_for_approval_is_a_stream_or_a_declared_loss() -> None:
    without = {spec.name: spec for spec in of_an_account(approvals=False)}
    assert "held" not in without
    assert "held" in {each.cause for each in without["replies"].lost}
    whole = {spec.name: spec for spec in of_an_account(approvals=True)}
    assert whole["held"].shape is Shape.PARENT
    assert "held" not in {each.cause for each in whole["replies"].lost}


async def test_a_list_goes_on_although_it_names_no_next_page(source: Source) -> None:
    """In Meta's examples of Threads only cursors stand; an empty page is the end."""
    connector = source.connector()
    page = await connector.fetch_page("mentions", None)
    assert (page.more, page.next_cursor) == (True, {"after": "M2"})
    last = await connector.fetch_page("mentions", page.next_cursor)
    assert (last.more, last.mentions) == (False, ())


async def test_lists_are_filtered_by_time_with_an_hour_of_overlap(source: Source) -> None:
    since = datetime(2026, 10, 2, tzinfo=UTC)
    await source.connector().fetch_page("mentions", None, since=since)
    told = asked(source, "me/mentions")[0]["since"]
    assert told == [str(int((since - timedelta(hours=1)).timestamp()))]


async def test_meta_is_not_asked_for_times_before_threads_was(source: Source) -> None:
    since = datetime(2020, 1, 1, tzinfo=UTC)
    await source.connector().fetch_page("own_replies", None, since=since)
    assert asked(source, "me/replies")[0]["since"] == ["1688540400"]


async def test_whether_there_are_replies_is_all_that_is_counted(source: Source) -> None:
    pages = await read_stream(source.connector(), spec_of(source.connector(), "posts"))
    counted = {each.external_id: each.counter for page in pages for each in page.parents}
    assert counted == {"4001": 1, "4002": 0}


def spec_of(connector: Connector, name: str) -> Any:
    return next(spec for spec in connector.streams() if spec.name == name)


async def test_a_repost_is_no_word_of_ours(source: Source) -> None:
    page = await source.connector().fetch_page("posts", None)
    assert [one.external_id for one in page.mentions] == ["4002"]
    assert page.skipped == {"repost": 1}


async def test_an_answer_of_ours_elsewhere_is_watched_once_it_was_answered(source: Source) -> None:
    """Below our own posts the conversation shows it. Whose a post is, is asked once."""
    connector = source.connector()
    for _ in range(2):
        watched = await read_parents(connector, spec_of(connector, "answers"))
        assert [each.external_id for each in watched if each] == ["4111"]
    assert (len(asked(source, "4001")), len(asked(source, "4101"))) == (1, 1)


async def test_whose_a_post_is_need_not_be_asked_where_it_was_listed(source: Source) -> None:
    connector = source.connector()
    await read_stream(connector, spec_of(connector, "posts"))
    await connector.fetch_page("own_replies", None)
    assert asked(source, "4001") == []


async def test_each_request_is_counted_against_the_budget(source: Source) -> None:
    """No answer tells how much is used."""
    connector = source.connector()
    assert (await connector.fetch_page("mentions", None)).cost == 2  # who we are, and the list
    assert (await connector.fetch_page("mentions", None)).cost == 1


async def test_what_waits_for_approval_is_held(source: Source) -> None:
    [one] = (await source.connector().fetch_page("held", None, parent=post())).mentions
    assert (one.external_id, one.filed) == ("4301", Filed.HELD)


async def test_what_waits_for_approval_is_not_gone_because_its_id_shows_nothing(
    source: Source,
) -> None:
    serve(source, "4301", NOT_THERE, status=400)
    found = await source.connector().fetch_item("4301")
    assert (found.external_id, found.filed) == ("4301", Filed.HELD)


async def test_a_post_that_asks_for_no_approval_is_no_failure(source: Source) -> None:
    page = await source.connector().fetch_page("held", None, parent=Parent("4002"))
    assert (page.skipped, page.more) == ({"asks_for_no_approval": 1}, False)


async def test_a_stream_that_is_not_there_says_so(source: Source) -> None:
    settings = {"api_url": "{base}"}
    with pytest.raises(BadResponse):
        await source.connector(settings=settings).fetch_page("held", None, parent=post())
    with pytest.raises(BadResponse):
        await source.connector().fetch_page("likes", None)


# --- empty and gone ---


async def test_an_empty_conversation_is_believed_while_the_rights_hold(source: Source) -> None:
    serve(source, "4001/conversation", {"data": []})
    connector = source.connector()
    assert (await connector.fetch_page("replies", None, parent=post())).mentions == ()
    await connector.fetch_page("replies", None, parent=Parent("4002", counter=0))
    assert len(asked(source, "debug_token")) == 1  # for ten minutes

    scopes(source, "threads_basic", "threads_manage_mentions")
    with pytest.raises(PermissionMissing) as caught:
        await source.connector().fetch_page("replies", None, parent=post())
    assert caught.value.rights == ("threads_read_replies",)


async def test_without_known_rights_the_post_is_asked_whether_there_are_replies(
    source: Source,
) -> None:
    untold(source)
    serve(source, "4001/conversation", {"data": []})
    with pytest.raises(Blind):
        await source.connector().fetch_page("replies", None, parent=post())
    serve(source, "4001", {"id": "4001", "has_replies": False})
    page = await source.connector().fetch_page("replies", None, parent=post())
    assert not page.more


@pytest.mark.parametrize(
    ("stream", "path"), [("replies", "4001/conversation"), ("answers", "4001/replies")]
)
async def test_a_deleted_post_is_gone_only_while_the_rights_hold(
    source: Source, stream: str, path: str
) -> None:
    serve(source, path, NOT_THERE, status=400)
    with pytest.raises(Gone):
        await source.connector().fetch_page(stream, None, parent=post())
    scopes(source, "threads_basic")
    with pytest.raises(PermissionMissing):
        await source.connector().fetch_page(stream, None, parent=post())


async def test_nothing_is_gone_where_messages_of_others_are_not_shown_by_their_ids(
    source: Source,
) -> None:
    """Without Advanced Access Meta says of each that it does not exist."""
    with pytest.raises(Gone):
        await source.connector().fetch_item("4999")
    serve(source, "4206", NOT_THERE, status=400)
    with pytest.raises(BadResponse) as caught:
        await source.connector().fetch_item("4999")
    assert caught.value.detail == UNPROVEN


async def test_nothing_is_gone_where_there_is_nothing_to_compare_with(source: Source) -> None:
    serve(source, "me/threads", {"data": []})
    serve(source, "me/mentions", {"data": []})
    with pytest.raises(BadResponse):
        await source.connector().fetch_item("4999")


async def test_a_reply_that_is_not_shown_by_its_id_is_looked_for_in_its_conversation(
    source: Source,
) -> None:
    connector = source.connector()
    await read_parents(connector, spec_of(connector, "replies"))
    await read_stream(connector, spec_of(connector, "replies"), post())
    for number in ("4201", "4203"):
        serve(source, number, NOT_THERE, status=400)
    found = await connector.fetch_item("4201")
    assert (found.external_id, found.parent_external_id) == ("4201", "4001")
    serve(source, "4001/conversation", {"data": [reply(1)]})
    with pytest.raises(Gone):
        await connector.fetch_item("4203")


async def test_another_message_than_the_one_asked_for_is_not_taken(source: Source) -> None:
    serve(source, "4201", row(7))
    with pytest.raises(BadResponse):
        await source.connector().fetch_item("4201")


# --- one message ---


def read(*rows: Any) -> Any:
    return posts.parse_list(rows, US, below=BELOW)


def test_a_reply_says_exactly_what_it_answers() -> None:
    ours = reply(2, to="4201", is_reply_owned_by_me=True, username="acmetea")
    first, second = read(reply(1), ours).mentions
    assert (first.parent_external_id, second.parent_external_id) == ("4001", "4201")
    assert first.thread == second.thread == BELOW
    assert second.author.external_id == "3001"


def test_a_reply_is_ours_where_threads_says_so_without_a_name() -> None:
    [one] = read(reply(1, is_reply_owned_by_me=True, username=None)).mentions
    assert one.author.external_id == "3001"


def test_people_are_known_by_their_user_names_alone() -> None:
    [one] = read(reply(1, username="Anna.B", is_verified=True)).mentions
    assert (one.author.external_id, one.author.handle) == ("@anna.b", "Anna.B")
    assert one.author.url == "https://www.threads.com/@Anna.B"
    assert [signal.code for signal in one.author.signals] == ["verified"]


def test_two_private_profiles_are_never_one_person() -> None:
    first, second = read(reply(1, username=None), reply(2, username=None)).mentions
    assert first.author.external_id != second.author.external_id
    assert first.author.signals


def test_what_names_us_is_a_mention_in_whichever_list_it_stands() -> None:
    told = reply(1, text="@AcmeTea, do you ship?")
    [below] = read(told).mentions
    [listed] = posts.parse_mentions([told], US).mentions
    assert (below.kind, below.parent_external_id) == (listed.kind, listed.parent_external_id)


def test_a_reply_that_we_hid_is_acknowledged() -> None:
    hidden, restricted = read(
        reply(1, hide_status="HIDDEN"), reply(2, hide_status="RESTRICTED")
    ).mentions
    assert (hidden.acknowledged, restricted.acknowledged) == (True, False)


def test_a_reply_to_itself_hangs_on_its_post() -> None:
    """In the manual's examples all ids are one."""
    [one] = read(reply(1, to="4201")).mentions
    assert one.parent_external_id == "4001"


def test_media_links_and_words_about_them_are_kept() -> None:
    told = reply(
        1,
        media_type="VIDEO",
        media_url="https://cdn.example.net/v.mp4",
        alt_text="A kettle",
        gif_url="https://cdn.example.net/g.gif",
        link_attachment_url="javascript:alert(1)",
    )
    [one] = read(told).mentions
    assert [(each.kind, each.description) for each in one.media] == [
        ("video", "A kettle"),
        ("image", "A kettle"),
    ]
