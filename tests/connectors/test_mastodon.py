"""What running servers of the Mastodon family were seen to do, a test a fact."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from app.connectors.base import (
    Cursor,
    Filed,
    Kind,
    Mention,
    Page,
    Parent,
)
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    CursorRefused,
    Gone,
    PermissionMissing,
)
from app.connectors.fediverse import entities
from app.connectors.platforms.mastodon import PLATFORM, Credential, Mastodon, Settings
from tests.connectors.fake_mastodon import START, US, FakeMastodon, account, at, mention, status
from tests.connectors.playing import Player
from tests.connectors.playing import load as own_recording
from tests.connectors.reading_mastodon import NOTIFICATIONS, burst, connected, ids, whole


async def test_a_burst_larger_than_a_page_is_read_wholly_with_min_id_and_never_since_id() -> None:
    fake = FakeMastodon()
    burst(fake, 3)
    async with connected(fake) as connector:
        _, cursor, _ = await whole(connector, "notifications")
        burst(fake, 250, first=4)
        mentions, cursor, read = await whole(connector, "notifications", cursor)
    assert sorted(ids(mentions), key=int) == [str(1000 + n) for n in range(4, 254)]
    assert len(read) == 5  # 80, 80, 80, 10 and the empty page that ends it
    assert cursor is not None
    assert cursor["min_id"] == "253"
    assert not any("since_id" in query for _, query in fake.requests)


async def test_pages_come_oldest_first_and_the_cursor_is_the_notification_not_the_status() -> None:
    fake = FakeMastodon()
    burst(fake, 170)
    async with connected(fake) as connector:
        _, cursor, read = await whole(connector, "notifications")
    filled = [page for page in read if page.mentions]
    assert [page.mentions[-1].external_id for page in filled] == ["1001", "1011", "1091"]
    assert cursor is not None
    assert cursor["min_id"] == "170"


async def test_the_first_run_walks_down_to_where_the_time_begins_and_reads_forward_from_there() -> (
    None
):
    fake = FakeMastodon()
    burst(fake, 300)
    since = START + timedelta(minutes=101)
    async with connected(fake) as connector:
        mentions, cursor, read = await whole(connector, "notifications", since=since)
    assert sorted(set(ids(mentions)), key=int) == [str(1000 + n) for n in range(101, 301)]
    assert len(ids(mentions)) == 200
    assert read[0].mentions == ()
    assert cursor is not None
    assert cursor["min_id"] == "300"


async def test_the_walk_down_survives_a_restart_between_any_two_pages() -> None:
    fake = FakeMastodon()
    burst(fake, 200)
    cursor: Cursor | None = None
    mentions: list[Mention] = []
    for _ in range(9):
        async with connected(fake) as connector:
            page = await connector.fetch_page(
                "notifications", _moved(cursor, connector), since=START
            )
        mentions += page.mentions
        cursor = json.loads(json.dumps(page.next_cursor))
        if not page.more:
            break
    assert len(set(ids(mentions))) == 200


def _moved(cursor: Cursor | None, connector: Mastodon) -> Cursor | None:
    """The cursor as of the server's port of now; the test's server gets a new one each time."""
    if cursor is None:
        return None
    return cursor | {"account": f"{US}@{connector._server._base.removeprefix('http://')}"}


@pytest.mark.parametrize("links", [True, False])
async def test_a_list_that_ends_with_an_empty_page_gives_its_oldest_entries_too(
    *, links: bool
) -> None:
    fake = FakeMastodon()
    fake.links = links
    burst(fake, 160)
    async with connected(fake) as connector:
        mentions, _, _ = await whole(connector, "notifications")
    assert len(ids(mentions)) == len(set(ids(mentions))) == 160


async def test_an_account_without_notifications_is_read_on_from_the_same_time() -> None:
    fake = FakeMastodon()
    async with connected(fake) as connector:
        page = await connector.fetch_page("notifications", None, since=START)
        burst(fake, 2)
        mentions, _, _ = await whole(connector, "notifications", page.next_cursor)
    assert not page.more
    assert set(ids(mentions)) == {"1001", "1002"}


async def test_ids_of_another_alphabet_are_refused_before_they_are_sent() -> None:
    fake = FakeMastodon()
    burst(fake, 1)
    async with connected(fake) as connector:
        _, cursor, _ = await whole(connector, "notifications")
        asked = len(fake.asked(NOTIFICATIONS))
        assert cursor is not None
        foreign = cursor | {"min_id": "01HFA6Y1Z2M8N8Q3R4S5T6V7W8"}
        with pytest.raises(CursorRefused):
            await connector.fetch_page("notifications", foreign)
    assert len(fake.asked(NOTIFICATIONS)) == asked


async def test_the_oldest_page_that_a_foreign_id_brings_is_never_taken() -> None:
    fake = FakeMastodon()
    burst(fake, 1)
    async with connected(fake) as connector:
        account_key = f"{US}@{connector._server._base.removeprefix('http://')}"
        foreign = {"account": account_key, "min_id": "01HFA6Y1Z2M8N8Q3R4S5T6V7W8"}
        with pytest.raises(CursorRefused):
            await connector.fetch_page("notifications", foreign)


async def test_a_cursor_of_another_account_or_server_is_refused() -> None:
    fake = FakeMastodon()
    async with connected(fake) as connector:
        with pytest.raises(CursorRefused):
            await connector.fetch_page("notifications", {"account": "9@old.example", "min_id": "5"})
    assert not fake.asked(NOTIFICATIONS)


@pytest.mark.parametrize("code", [400, 422])
async def test_a_cursor_that_the_server_cannot_read_is_refused(code: int) -> None:
    fake = FakeMastodon()
    burst(fake, 1)
    async with connected(fake) as connector:
        _, cursor, _ = await whole(connector, "notifications")
        fake.answers[NOTIFICATIONS] = (code, {}, {"error": "bad ID"})
        with pytest.raises(CursorRefused):
            await connector.fetch_page("notifications", cursor)


async def test_ulids_and_flakes_are_opaque_text() -> None:
    fake = FakeMastodon()
    inner = status("01HFA6Y1Z2M8N8Q3R4S5T6V7W8")
    fake.notifications = [mention("01HFB000000000000000000000", inner)]
    async with connected(fake) as connector:
        mentions, cursor, _ = await whole(connector, "notifications")
        again, _, _ = await whole(connector, "notifications", cursor)
    assert ids(mentions) == ["01HFA6Y1Z2M8N8Q3R4S5T6V7W8"]
    assert again == []
    assert entities.alphabet("AQgIJ44Z2JZzCBG8Yq") == "flake"


@pytest.mark.parametrize(("version", "asked"), [(7, True), (6, False)])
async def test_quotes_are_asked_for_only_where_the_server_knows_them(
    version: int, *, asked: bool
) -> None:
    fake = FakeMastodon()
    fake.api_version = version
    async with connected(fake) as connector:
        await connector.fetch_page("notifications", None)
    types = fake.asked(NOTIFICATIONS)[0]["types[]"]
    assert types == ["mention", *(["quote"] if asked else []), "follow", "follow_request"]


async def test_an_instance_document_without_api_versions_or_none_at_all_is_an_old_server() -> None:
    old: list[tuple[int, dict[str, str], Any]] = [
        (200, {}, {"version": "2.7 (Pleroma)"}),
        (404, {}, {"error": "Not found"}),
    ]
    for answer in old:
        fake = FakeMastodon()
        fake.answers["/api/v2/instance"] = answer
        async with connected(fake) as connector:
            await connector.fetch_page("notifications", None)
        assert "quote" not in fake.asked(NOTIFICATIONS)[0]["types[]"]


async def test_who_we_are_is_asked_once_and_an_idle_poll_costs_one_request() -> None:
    fake = FakeMastodon()
    burst(fake, 1)
    async with connected(fake) as connector:
        _, cursor, _ = await whole(connector, "notifications")
        before = len(fake.requests)
        await connector.fetch_page("notifications", cursor)
    assert len(fake.requests) == before + 1


async def test_unknown_types_are_counted_and_a_mention_without_status_goes_to_quarantine() -> None:
    fake = FakeMastodon()
    kinds = ["poll", "update", "status", "admin.sign_up", "severed_relationships", "update"]
    fake.notifications = [
        {"id": str(n), "type": kind, "created_at": at(n), "account": account("7")}
        for n, kind in enumerate(kinds, 1)
    ]
    fake.notifications.append(mention("8", status("80")) | {"status": None})
    fake.notifications.append({"id": "9", "type": "mention", "status": {"id": "90"}})
    fake.notifications.append(mention("10", status("100")))
    async with connected(fake) as connector:
        _, _, read = await whole(connector, "notifications")
    page = next(each for each in read if each.mentions)
    assert dict(page.skipped) == {
        "poll": 1,
        "update": 2,
        "status": 1,
        "admin.sign_up": 1,
        "severed_relationships": 1,
    }
    assert {each.external_id for each in page.unparsed} == {"8", "9"}
    assert ids(page.mentions) == ["100"]


async def test_follows_and_requests_are_kept_by_notification_so_a_second_follow_is_new() -> None:
    fake = FakeMastodon()
    fake.notifications = [
        {"id": "5", "type": "follow", "created_at": at(5), "account": account("7")},
        {"id": "6", "type": "follow_request", "created_at": at(6), "account": account("8")},
        {"id": "9", "type": "follow", "created_at": at(9), "account": account("7")},
    ]
    async with connected(fake) as connector:
        mentions, _, _ = await whole(connector, "notifications")
    assert [(m.external_id, m.kind, m.author.external_id, m.filed) for m in mentions] == [
        ("follow:9", Kind.FOLLOW, "7", None),
        ("follow:6", Kind.FOLLOW, "8", Filed.HELD),
        ("follow:5", Kind.FOLLOW, "7", None),
    ]


async def test_a_self_mention_comes_through_as_ours() -> None:
    fake = FakeMastodon()  # GoToSocial notifies the brand of its own mention
    fake.notifications = [mention("5", status("50", US))]
    async with connected(fake) as connector:
        mentions, _, _ = await whole(connector, "notifications")
    assert mentions[0].author.external_id == US


async def test_what_the_accounts_filter_holds_back_is_read_daily_and_marked() -> None:
    fake = FakeMastodon()
    burst(fake, 2)
    held = status("1003", "9", minutes=3)
    fake.notifications.append(mention("3", held, minutes=3))
    fake.filtered = {"3"}
    fake.answers[f"{NOTIFICATIONS}/requests"] = (
        200,
        {},
        [{"id": "77", "account": account("9"), "last_status": held}],
    )
    async with connected(fake) as connector:
        forward, _, _ = await whole(connector, "notifications")
        mentions, _, read = await whole(connector, "filtered")
    assert "1003" not in ids(forward)
    assert {each.external_id: each.filed for each in mentions} == {
        "1001": None,
        "1002": None,
        "1003": Filed.HELD,
    }
    assert read[0].oldest_at is None  # requests have times of their own
    spec = next(each for each in PLATFORM.connector.streams(connector) if each.name == "filtered")
    assert spec.interval == timedelta(days=1)


async def test_a_server_from_before_the_filter_holds_nothing_back() -> None:
    fake = FakeMastodon()
    burst(fake, 1)
    async with connected(fake) as connector:
        page = await connector.fetch_page("filtered", None)
    assert page == Page()


async def test_a_revoked_token_a_missing_scope_and_a_disabled_account_are_three_things() -> None:
    scope = {"error": "This action is outside the authorized scopes"}
    for answer, expected in (
        ((401, {}, {"error": "Unauthorized: token not supplied"}), AuthFailed),
        ((403, {}, scope), PermissionMissing),
        ((403, {}, {"error": "Your login is currently disabled"}), AuthFailed),
        ((403, {}, "<html>"), AuthFailed),
        ((200, {}, "<html>"), BadResponse),
        ((200, {}, {"error": "a list was expected"}), BadResponse),
    ):
        fake = FakeMastodon()
        fake.answers[NOTIFICATIONS] = answer
        async with connected(fake) as connector:
            with pytest.raises(expected):
                await connector.fetch_page("notifications", None)


async def test_a_deleted_post_is_gone() -> None:
    fake = FakeMastodon()
    async with connected(fake) as connector:
        with pytest.raises(Gone):
            await connector.fetch_item("404")
        with pytest.raises(Gone):
            await connector.fetch_thread("404")
        with pytest.raises(Gone):
            await connector.fetch_item("follow:404")
        with pytest.raises(Gone):
            await connector.fetch_page("threads", None, parent=Parent("404"))


async def test_an_edited_post_keeps_its_id_and_says_when() -> None:
    fake = FakeMastodon()
    fake.add(status("5", edited_at=at(4), content="<p>Now it names @brand</p>"))
    async with connected(fake) as connector:
        item = await connector.fetch_item("5")
    assert item.external_id == "5"
    assert item.edited_at == START + timedelta(minutes=4)
    assert item.text == "Now it names @brand"


async def test_an_id_is_never_taken_for_a_path() -> None:
    fake = FakeMastodon()
    async with connected(fake) as connector:
        with pytest.raises(Gone):
            await connector.fetch_item("../accounts/verify_credentials?x=")
    assert fake.asked("/api/v1/accounts/verify_credentials") == [{}]


def test_the_address_of_the_server_is_asked_for_with_its_scheme() -> None:
    assert Settings(instance=" https://mastodon.social/ ").instance == "https://mastodon.social"
    for wrong in ("mastodon.social", "https://", "ftp://x"):
        with pytest.raises(ValueError, match="https://"):
            Settings(instance=wrong)
    assert "secret" not in repr(Credential(access_token="secret"))


async def test_its_recording_brings_what_it_says() -> None:
    recording = own_recording("mastodon")
    async with connected(Player(recording["exchanges"])) as connector:
        for stream, expected in recording["expect"].items():
            parent = Parent("501") if stream == "threads" else None
            mentions, _, _ = await whole(connector, stream, parent=parent)
            found = {
                (m.external_id, m.kind.value, m.author.external_id, m.parent_external_id)
                for m in mentions
            }
            assert found == {
                (e["external_id"], e["kind"], e["author"], e["parent"]) for e in expected
            }


async def test_a_page_of_unreadable_entries_does_not_hold_up_what_is_newer() -> None:
    fake = FakeMastodon()
    burst(fake, 1)
    async with connected(fake) as connector:
        _, cursor, _ = await whole(connector, "notifications")
        link = '<https://x.example/n?min_id=5>; rel="prev"'
        fake.answers[NOTIFICATIONS] = (200, {"link": link}, [{"type": "mention"}, None])
        page = await connector.fetch_page("notifications", cursor)
    assert len(page.unparsed) == 2
    assert page.next_cursor is not None
    assert page.next_cursor["min_id"] == "5"
