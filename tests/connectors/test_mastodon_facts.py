"""What is known of the Mastodon family, a test a fact; `SHOWN` names those that stand elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.clock import SystemClock
from app.connectors.base import Filed, Kind, Parent, Visibility
from app.connectors.failures import AuthFailed, Gone, RateLimited
from app.connectors.fediverse import entities, pages
from app.connectors.platforms.mastodon import PLATFORM, Settings
from tests.connectors import shown
from tests.connectors.fake_mastodon import START, US, FakeMastodon, account, at, mention, status
from tests.connectors.reading_mastodon import NOTIFICATIONS, burst, connected, ids, whole

HERE = "connectors/test_mastodon.py::test_"
ROOTS = "connectors/fediverse/test_roots.py::test_"
PAGES = "connectors/fediverse/test_pages.py::test_"
INBOX = "connectors/test_mastodon_in_the_inbox.py::test_"
THROUGH = "test_platforms_through_the_service.py::test_"
SHOWN = {
    "min_id, never since_id, reads a burst without a hole": HERE
    + "a_burst_larger_than_a_page_is_read_wholly_with_min_id_and_never_since_id",
    "the cursor is the notification's id, not the status's": HERE
    + "pages_come_oldest_first_and_the_cursor_is_the_notification_not_the_status",
    "a foreign id brings the oldest page": HERE
    + "the_oldest_page_that_a_foreign_id_brings_is_never_taken",
    "first run: max_id down to the start of the back-fill": HERE
    + "the_first_run_walks_down_to_where_the_time_begins_and_reads_forward_from_there",
    "quote is sent only to api_versions.mastodon 7 and above": HERE
    + "quotes_are_asked_for_only_where_the_server_knows_them",
    "an instance document may lack api_versions": HERE
    + "an_instance_document_without_api_versions_or_none_at_all_is_an_old_server",
    "unknown types are skipped": HERE
    + "unknown_types_are_counted_and_a_mention_without_status_goes_to_quarantine",
    "new accounts are locked: a follow arrives as follow_request": HERE
    + "follows_and_requests_are_kept_by_notification_so_a_second_follow_is_new",
    "GoToSocial notifies us of our own mention": HERE + "a_self_mention_comes_through_as_ours",
    "what the filter holds back is read daily": HERE
    + "what_the_accounts_filter_holds_back_is_read_daily_and_marked",
    "401 says token not supplied even for a wrong one": HERE
    + "a_revoked_token_a_missing_scope_and_a_disabled_account_are_three_things",
    "404 on a re-read: deleted": HERE + "a_deleted_post_is_gone",
    "an edit keeps the id and sets edited_at": HERE + "an_edited_post_keeps_its_id_and_says_when",
    "Link carries the configured host": PAGES
    + "only_ids_are_taken_out_of_link_headers_so_the_token_never_leaves_the_server",
    "429 without Retry-After, reset as ISO 8601": PAGES
    + "a_limit_without_retry_after_tells_the_time_by_the_reset",
    "reset as ISO 8601 or as epoch seconds": PAGES
    + "little_left_of_the_allowance_becomes_a_wish_to_wait",
    "a policy that drops is told": PAGES + "a_check_tells_who_what_and_how_much",
    "a reply without mention notifies nobody and is found in the thread": ROOTS
    + "a_reply_without_mention_notifies_nobody_and_is_found_below_our_post",
    "times have up to six decimals and any offset": "connectors/fediverse/test_entities.py"
    "::test_times_with_microseconds_and_an_offset_are_read",
    "prev says since_id on GoToSocial": "connectors/fediverse/test_entities.py"
    "::test_a_since_id_in_prev_is_read_as_the_id_it_is",
    "a federated mention gets a higher notification id than its old post": THROUGH
    + "a_post_that_another_server_delivers_days_late_keeps_its_time",
    "follow requests wait to be accepted, and need no reply": INBOX
    + "a_request_to_follow_is_held_and_needs_no_reply",
    "an edit that adds a mention makes a notification": INBOX
    + "an_edit_that_adds_a_mention_changes_the_item_and_makes_no_second_one",
    "direct messages are kept from those who may not see them": INBOX
    + "a_direct_message_is_shown_to_those_only_who_may_see_it",
    "our answer is exact: a direct child of ours": INBOX
    + "our_answer_to_one_leaves_the_others_below_the_same_post_waiting",
    "a favourite is no answer": INBOX + "a_favourite_of_ours_is_no_answer",
    "a self-mention is never an item": INBOX + "our_own_mention_of_ourselves_is_no_item",
    "a notification that vanishes is no answer and no deletion": INBOX
    + "a_notification_that_vanishes_leaves_its_item_until_the_post_is_gone",
    "an idle poll is two requests": INBOX + "an_idle_poll_costs_two_requests",
}


def test_every_fact_that_is_shown_elsewhere_is() -> None:
    assert shown.missing(SHOWN) == {}


async def test_a_limit_cut_without_a_word_loses_nothing() -> None:
    """limit=80 may be cut to 40 (Pleroma) or less without a word; Link says what was meant."""
    fake = FakeMastodon()
    fake.largest_page = 7
    burst(fake, 60)
    async with connected(fake) as connector:
        mentions, cursor, _ = await whole(connector, "notifications")
        burst(fake, 30, first=61)
        more, _, _ = await whole(connector, "notifications", cursor)
    assert len(set(ids(mentions))) == 60
    assert set(ids(more)) == {str(1000 + n) for n in range(61, 91)}


async def test_thirty_notifications_of_one_second_are_all_read() -> None:
    """GoToSocial cuts created_at to whole seconds: the id decides, never the time."""
    fake = FakeMastodon()
    burst(fake, 1)
    async with connected(fake) as connector:
        _, cursor, _ = await whole(connector, "notifications")
        for number in range(2, 32):
            one = mention(str(number), status(str(1000 + number)))
            fake.notifications.append({**one, "created_at": "2026-10-01T12:00:47.000Z"})
        fake.largest_page = 10
        mentions, _, _ = await whole(connector, "notifications", cursor)
    assert set(ids(mentions)) == {str(1000 + n) for n in range(2, 32)}


async def test_the_order_of_the_server_counts_not_that_of_ids() -> None:
    """Ids are opaque: whether a later ULID is greater is not looked at; nor are they numbers."""
    fake = FakeMastodon()
    keys = [
        "01HZZZZZZZZZZZZZZZZZZZZZZ9",
        "01HAAAAAAAAAAAAAAAAAAAAAA1",
        "01HMMMMMMMMMMMMMMMMMMMMMM5",
    ]
    fake.notifications = [mention(key, status(f"s{n}")) for n, key in enumerate(keys)]
    async with connected(fake) as connector:
        mentions, cursor, _ = await whole(connector, "notifications")
    assert len(mentions) == 3
    assert cursor is not None
    assert cursor["min_id"] == keys[-1]


async def test_pleroma_numbers_notifications_and_names_posts_by_flakes() -> None:
    """Its list knows types of its own, and a visibility for everybody on its server."""
    fake = FakeMastodon()
    flake = status("AQgIdalRCRfsNV6KzA", "AQgIJ44Z2JZzCBG8Yq", visibility="local")
    chat = {"id": "8", "type": "pleroma:chat_mention", "created_at": at(1), "account": account("7")}
    fake.notifications = [mention("7", flake), chat]
    async with connected(fake) as connector:
        [found], cursor, read = await whole(connector, "notifications")
    assert (found.external_id, found.author.external_id) == (flake["id"], "AQgIJ44Z2JZzCBG8Yq")
    assert found.visibility is Visibility.PUBLIC
    assert [dict(page.skipped) for page in read if page.skipped] == [{"pleroma:chat_mention": 1}]
    assert cursor is not None
    assert cursor["min_id"] == "8"


async def test_a_request_that_is_accepted_later_is_no_longer_held() -> None:
    """What the filter held back keeps its old id when it is accepted: min_id never shows it."""
    fake = FakeMastodon()
    fake.notifications = [mention("1", status("11", "9"), minutes=1)]
    fake.filtered = {"1"}
    burst(fake, 3, first=2)
    requests = f"{NOTIFICATIONS}/requests"
    fake.answers[requests] = (200, {}, [{"id": "5", "account": account("9")}])
    async with connected(fake) as connector:
        _, cursor, _ = await whole(connector, "notifications")
        held, _, _ = await whole(connector, "filtered")
        fake.filtered, fake.answers[requests] = set(), (200, {}, [])
        forward, _, _ = await whole(connector, "notifications", cursor)
        freed, _, _ = await whole(connector, "filtered")
    assert {m.filed for m in held if m.external_id == "11"} == {Filed.HELD}
    assert forward == []
    assert [m.filed for m in freed if m.external_id == "11"] == [None]


async def test_a_quote_is_a_mention_that_shows_what_it_quotes() -> None:
    """Notifications of type quote (4.5) carry the quoting post; it names nobody."""
    fake = FakeMastodon()
    ours = status("50", US, url="https://here.example/@brand/50")
    quoting = status("51", "7", mentions=[], quote={"state": "accepted", "quoted_status": ours})
    fake.notifications = [{**mention("1", quoting), "type": "quote"}]
    async with connected(fake) as connector:
        [found], _, _ = await whole(connector, "notifications")
    assert (found.external_id, found.kind) == ("51", Kind.MENTION)
    assert [(m.kind, m.url) for m in found.media] == [("link", "https://here.example/@brand/50")]


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("public", Visibility.PUBLIC),
        ("unlisted", Visibility.UNLISTED),
        ("private", Visibility.FOLLOWERS),
        ("direct", Visibility.DIRECT),
        ("limited", Visibility.DIRECT),
        ("never-heard-of", Visibility.DIRECT),
        (None, Visibility.PUBLIC),
    ],
)
async def test_visibility_is_kept_and_an_unknown_one_is_the_narrowest(
    said: str | None, means: Visibility
) -> None:
    """`mention` also covers private and direct messages; other software knows more kinds."""
    fake = FakeMastodon()
    fake.notifications = [mention("1", status("11", visibility=said))]
    async with connected(fake) as connector:
        [found], _, _ = await whole(connector, "notifications")
    assert found.visibility is means
    assert (found.kind is Kind.DIRECT_MESSAGE) is (said == "direct")


def test_html_becomes_the_text_that_was_written() -> None:
    """GoToSocial: mentions in spans, `>` unescaped, lines as <br>, addresses escaped."""
    content = (
        '<p><span class="h-card"><a href="https://here.example/@brand" class="u-url mention">'
        "@<span>brand</span></a></span> is &lt;script> 5 > 4?<br>See "
        '<a href="https://far.example/?a=1&amp;b=2" rel="nofollow">'
        '<span class="invisible">https://</span><span class="ellipsis">far.example/?a=1</span>'
        '<span class="invisible">&amp;b=2</span></a></p><p>Thanks</p>'
    )
    parsed = entities.parse_status(status("1", content=content), entities.Viewer(US, "here"))
    assert parsed.text == ("@brand is <script> 5 > 4?\nSee https://far.example/?a=1&b=2\nThanks")
    assert parsed.text_raw == content


def test_an_answer_to_oneself_below_us_keeps_its_exact_parent() -> None:
    """in_reply_to_account_id may skip over answers to oneself; in_reply_to_id never does."""
    own = status("3", "7", in_reply_to_id="2", in_reply_to_account_id=US, mentions=[])
    parsed = entities.parse_status(own, entities.Viewer(US, "here"))
    assert (parsed.kind, parsed.parent_external_id) == (Kind.REPLY, "2")


async def test_a_second_reading_of_a_conversation_may_show_more() -> None:
    """4.5 fetches missing answers in the background and says so in Mastodon-Async-Refresh."""
    fake = FakeMastodon()
    fake.add(status("1", US), status("2", "7", in_reply_to_id="1", mentions=[]))
    fake.headers = {"mastodon-async-refresh": 'id="r", retry=3'}
    async with connected(fake) as connector:
        before = await connector.fetch_page("threads", None, parent=Parent("1"))
        fake.add(status("3", "8", in_reply_to_id="1", mentions=[]))
        after = await connector.fetch_page("threads", None, parent=Parent("1"))
    assert ids(before.mentions) == ["2"]
    assert ids(after.mentions) == ["2", "3"]


async def test_a_conversation_longer_than_the_server_ever_shows_is_told() -> None:
    """A context holds 4,096 posts below one at most; it never says that there are more."""
    fake = FakeMastodon()
    below = [status(str(n), in_reply_to_id="1") for n in range(2, 2 + pages.LONGEST)]
    fake.answers["/api/v1/statuses/1/context"] = (
        200,
        {},
        {"ancestors": [], "descendants": below},
    )
    async with connected(fake) as connector:
        page = await connector.fetch_page("threads", None, parent=Parent("1"))
    assert len(page.mentions) == pages.LONGEST
    assert ["can't be read" in each.reason for each in page.unparsed] == [True]


async def test_a_throttled_server_says_how_long() -> None:
    """GoToSocial under load: 503 with Retry-After: 30."""
    fake = FakeMastodon()
    fake.answers[NOTIFICATIONS] = (503, {"retry-after": "30"}, {"error": "try again"})
    before = SystemClock().now()
    async with connected(fake) as connector:
        with pytest.raises(RateLimited) as raised:
            await connector.fetch_page("notifications", None)
    assert raised.value.until is not None
    assert timedelta(seconds=28) < raised.value.until - before < timedelta(seconds=40)


@pytest.mark.parametrize("code", [404, 410])
async def test_a_suspended_authors_post_is_gone_too(code: int) -> None:
    """410 for suspended accounts; 404 for deleted ones, and where the author blocks us."""
    fake = FakeMastodon()
    fake.answers["/api/v1/statuses/5"] = (code, {}, {"error": "gone"})
    async with connected(fake) as connector:
        with pytest.raises(Gone):
            await connector.fetch_item("5")


async def test_the_token_of_an_application_is_told_apart_from_a_dead_one() -> None:
    """422 "This method requires an authenticated user": the token has no account."""
    fake = FakeMastodon()
    words = {"error": "This method requires an authenticated user"}
    fake.answers["/api/v1/accounts/verify_credentials"] = (422, {}, words)
    async with connected(fake) as connector:
        with pytest.raises(AuthFailed, match="application"):
            await connector.check()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"moved": account("9", acct="brand@new.example")}, ["brand@new.example"]),
        ({"limited": True}, ["limited"]),
        ({"limited": False, "moved": None}, []),
    ],
)
async def test_an_account_that_moved_or_was_limited_is_told(
    state: dict[str, Any], words: list[str]
) -> None:
    """`moved`: people write to the new account from now on; `limited`: few see the old one."""
    fake = FakeMastodon()
    ours = account(US, acct="brand", **state)
    fake.answers["/api/v1/accounts/verify_credentials"] = (200, {}, ours)
    async with connected(fake) as connector:
        check = await connector.check()
    assert len(check.warnings) == len(words)
    assert all(word in told for word, told in zip(words, check.warnings, strict=True))


@pytest.mark.parametrize(
    "picture",
    [
        "https://m.example/avatars/original/missing.png",
        "https://g.example/assets/default_avatars/GoToSocial_icon3.webp",
        "https://p.example/images/avi.png",
    ],
)
def test_the_default_picture_of_each_software_is_known(picture: str) -> None:
    """Author signals stand inside the notification; each software has a default of its own."""
    bare = account("7", avatar=picture, note="")
    person = entities.parse_status(status("1", account=bare), entities.Viewer(US, "here")).author
    assert [each.code for each in person.signals] == ["default_avatar", "no_description"]


async def test_many_posts_are_read_with_one_request() -> None:
    """GET /api/v1/statuses?id[]= (4.3), twenty at most; what it leaves out is asked for singly."""
    fake = FakeMastodon()
    wanted = [str(n) for n in range(100, 118)]
    fake.add(*(status(number) for number in wanted), status("200", "66"))
    fake.muted = {"66"}
    fake.answers[f"{NOTIFICATIONS}/7"] = (
        200,
        {},
        {"id": "7", "type": "follow", "created_at": at(1), "account": account("8")},
    )
    async with connected(fake) as connector:
        assert connector.most_at_once == 20
        page = await connector.fetch_items([*wanted, "200", "404", "follow:7"])
    assert sorted(ids(page.mentions)) == sorted([*wanted, "200", "follow:7"])
    assert page.gone == ("404",)
    assert page.unparsed == ()
    singly = [path for path, _ in fake.requests if path.startswith("/api/v1/statuses/")]
    assert singly == ["/api/v1/statuses/200", "/api/v1/statuses/404"]


async def test_a_server_without_that_list_is_asked_once_for_it() -> None:
    """Before 4.3 (and on other software) the path only takes POST: 404."""
    fake = FakeMastodon()
    fake.lists_posts = False
    fake.add(status("5"), status("6"))
    async with connected(fake) as connector:
        first = await connector.fetch_items(["5", "6"])
        again = await connector.fetch_items(["5", "6"])
    assert ids(first.mentions) == ids(again.mentions) == ["5", "6"]
    assert len(fake.asked("/api/v1/statuses")) == 1


async def test_another_server_can_stand_in() -> None:
    """`api_url`: a mirror, proxy or test server is asked; the account keeps its server's name."""
    fake = FakeMastodon()
    async with connected(fake, instance="https://social.example") as connector:
        check = await connector.check()
    assert check.identity is not None
    assert check.identity.instance == "social.example"
    assert check.identity.aliases == ("brand@social.example",)
    assert Settings(instance="https://social.example").api_url is None


async def test_like_and_time_of_an_item_are_told_when_it_is_read_again() -> None:
    """`favourited` in any later reading: acknowledged by a like of ours."""
    fake = FakeMastodon()
    fake.add(status("5", favourited=True, minutes=3))
    async with connected(fake) as connector:
        item = await connector.fetch_item("5")
    assert item.acknowledged
    assert item.occurred_at == START + timedelta(minutes=3)


def test_what_is_lost_by_design_is_declared() -> None:
    """Dropped by policy; hidden by blocks, mutes and moderators; beyond the longest context."""
    fake: Any = object()
    specs = {spec.name: spec for spec in PLATFORM.connector.streams(fake)}
    assert [each.cause for each in specs["notifications"].lost] == ["not_notified"]
    assert [each.cause for each in specs["threads"].lost] == ["hidden", "cap"]
