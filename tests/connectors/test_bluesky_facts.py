"""What is known of Bluesky, a test a fact; `SHOWN` names those that stand elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from app.connectors.atproto import entities
from app.connectors.base import Kind, Media, Parent
from app.connectors.failures import AuthFailed, BadResponse, Gone, RateLimited
from app.connectors.platforms.bluesky import PLATFORM, Settings
from tests.connectors import shown
from tests.connectors.fake_bluesky import (
    US,
    FakeBluesky,
    at,
    follow,
    names,
    notification,
    post,
    uri,
)
from tests.connectors.reading_bluesky import LIST, connected, uris, whole

HERE = "connectors/test_bluesky.py::test_"
SESSION = "connectors/atproto/test_session.py::test_"
ENTITIES = "connectors/atproto/test_entities.py::test_"
INBOX = "connectors/test_bluesky_in_the_inbox.py::test_"
PROFILES = "app.bsky.actor.getProfiles"
POSTS = "app.bsky.feed.getPosts"
RECORD = "com.atproto.repo.getRecord"
SHOWN = {
    "the list is sorted by the author's claim: a back-dated post stands at its end": HERE
    + "a_back_dated_mention_is_found_at_the_end_of_a_list_that_is_declared_so",
    "the cursor is a bare millisecond, compared strictly": HERE
    + "ties_at_a_page_border_are_not_lost",
    "a tie group as large as a page cannot be paged": HERE
    + "more_ties_than_a_page_holds_are_told_and_passed",
    "always limit=100 and priority=false; isRead is never used; seenAt is unsupported": HERE
    + "the_limit_is_always_100_and_priority_off_and_read_marks_are_not_looked_at",
    "a short or empty page with a cursor is not the end": HERE
    + "a_short_or_empty_page_with_a_cursor_is_not_the_end",
    "a bad cursor answers 502": HERE + "a_bad_cursor_answers_502_and_means_start_again",
    "reasons are an open set": HERE
    + "other_reasons_are_counted_and_a_bad_entry_goes_to_quarantine",
    "our own feed shows all native answers in one request": HERE
    + "our_feed_shows_all_our_answers_in_one_request_and_what_to_watch",
    "getPostThread tells notFound and blocked apart": HERE
    + "a_thread_shows_replies_gone_and_blocked_ones",
    "deleted: NotFound and RecordNotFound with status 400": HERE + "deleted_things_are_gone",
    "a replaced record keeps its uri and changes its cid": HERE
    + "an_edited_record_keeps_its_uri_and_changes_its_revision",
    "a deactivated account says active: false": HERE + "a_deactivated_account_fails_its_check",
    "handles change, the DID does not": HERE + "a_check_tells_who_what_and_how_much",
    "an expired token answers 400": SESSION
    + "an_expired_token_answers_400_and_is_renewed_and_stored_before_it_is_used",
    "a refresh token is good for one use; renewals are serialised": SESSION
    + "many_at_once_renew_once",
    "failed log-ins count and lock the right password out": SESSION
    + "a_wrong_password_is_tried_once_since_failures_lock_the_right_one_out",
    "30 log-ins in 5 minutes: the session is kept": SESSION
    + "a_new_source_logs_in_once_and_never_per_poll",
    "the name of an error decides, not its status": SESSION
    + "the_name_of_an_error_says_what_to_do",
    "429 has Retry-After": SESSION + "a_rate_limit_says_until_when",
    "the main password with a second factor": SESSION
    + "a_main_password_with_second_factor_is_told_apart",
    "whether it is a reply is in the record, not in the reason": ENTITIES
    + "whether_it_is_a_reply_is_read_from_the_record_not_from_the_reason",
    "createdAt comes back as written": ENTITIES + "the_authors_time_comes_as_written_and_is_read",
    "labels, age and missing picture are signals": ENTITIES + "signals_say_why",
    "indexedAt of a notification is its sort time": "connectors/atproto/test_tid.py"
    "::test_key_counts_where_the_server_only_repeats_the_claim",
    "a made-up time is flagged": "test_platforms_through_the_service.py"
    "::test_a_time_that_an_author_of_bluesky_made_up_is_flagged",
    "a back-dated mention comes in with the daily look": INBOX
    + "a_back_dated_mention_comes_in_with_the_daily_look",
    "an item that vanishes is not answered": INBOX
    + "a_notification_that_vanishes_leaves_its_item_until_the_post_is_gone",
    "an edit changes the item": INBOX + "an_edited_post_changes_its_item_and_makes_no_second_one",
    "our answer is exact": INBOX
    + "our_answer_to_one_leaves_the_others_below_the_same_post_waiting",
    "a like of ours is no answer, one of theirs no item": INBOX
    + "likes_are_no_answers_and_no_items",
    "an idle poll is two requests": INBOX + "an_idle_poll_costs_two_requests",
}


def test_every_fact_that_is_shown_elsewhere_is() -> None:
    assert shown.missing(SHOWN) == {}


async def test_a_blocked_authors_post_is_not_taken_for_deleted() -> None:
    """GetPosts omits both; the author's repository knows. Edits are seen there, too."""
    fake = FakeBluesky()
    one = post("a", "1", text="Does it ship?", **names(US))
    fake.posts = {one["uri"]: one}
    fake.blocked = {one["uri"]}
    async with connected(fake) as connector:
        item = await connector.fetch_item(one["uri"])
        page = await connector.fetch_items([one["uri"], uri("a", "2")])
    assert (item.external_id, item.text) == (one["uri"], "Does it ship?")
    assert (item.author.external_id, item.author.handle) == ("did:plc:a", "a.test")
    assert (item.revision, item.kind) == ("cid-1", Kind.MENTION)
    assert [each.external_id for each in page.mentions] == [one["uri"]]
    assert page.gone == (uri("a", "2"),)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "RecordNotFound", "message": "Could not locate record: at://x"}),
        (400, {"error": "InvalidRequest", "message": "Could not locate record: at://x"}),
        (400, {"error": "InvalidRequest", "message": "Could not find repo: did:plc:a"}),
        (400, {"error": "RepoNotFound", "message": "Could not find repo"}),
        (400, {"error": "RepoDeactivated", "message": "deactivated"}),
        (400, {"error": "RepoTakendown", "message": "taken down"}),
        (404, {"message": "Not found"}),
    ],
)
async def test_an_account_of_others_that_is_gone_is_no_trouble_of_ours(
    status: int, body: dict[str, str]
) -> None:
    """A follower who was taken down must not make us ask for a new app password."""
    fake = FakeBluesky()
    fake.answers[RECORD] = (status, {}, body)
    async with connected(fake) as connector:
        for what in ("at://did:plc:a/app.bsky.graph.follow/1", uri("a", "1")):
            with pytest.raises(Gone):
                await connector.fetch_item(what)


@pytest.mark.parametrize("name", ["AccountTakedown", "AccountDeactivated", "AccountNotFound"])
async def test_an_account_of_ours_that_is_gone_deletes_nothing(name: str) -> None:
    """401 and 403 with the same names speak of our own account: they never mean deleted."""
    fake = FakeBluesky()
    status = 403 if name == "AccountNotFound" else 401
    fake.answers[RECORD] = (status, {}, {"error": name, "message": "gone"})
    async with connected(fake) as connector:
        with pytest.raises(AuthFailed):
            await connector.fetch_items([uri("a", "1")])


@pytest.mark.parametrize("name", ["AccountTakedown", "AccountDeactivated"])
async def test_a_profile_that_is_gone_takes_its_messages_along(name: str) -> None:
    """The record may outlive its author's account at the AppView for a while."""
    fake = FakeBluesky()
    one = post("a", "1")
    fake.posts, fake.blocked = {one["uri"]: one}, {one["uri"]}
    fake.answers["app.bsky.actor.getProfile"] = (400, {}, {"error": name, "message": "gone"})
    async with connected(fake) as connector:
        with pytest.raises(Gone):
            await connector.fetch_item(one["uri"])


async def test_a_request_that_is_not_understood_deletes_nothing() -> None:
    """400 InvalidRequest is our defect, wherever it comes."""
    fake = FakeBluesky()
    fake.answers[RECORD] = (400, {}, {"error": "InvalidRequest", "message": "rkey must be short"})
    async with connected(fake) as connector:
        with pytest.raises(BadResponse):
            await connector.fetch_item(uri("a", "1"))
        page = await connector.fetch_items([uri("a", "1")])
    assert page.gone == ()
    assert [each.external_id for each in page.unparsed] == [uri("a", "1")]


async def test_what_is_no_record_is_asked_of_nobody() -> None:
    """An at-uri has three parts."""
    fake = FakeBluesky()
    async with connected(fake) as connector:
        with pytest.raises(Gone):
            await connector.fetch_item("at://did:plc:a")
    assert not fake.asked(RECORD)


async def test_twenty_five_posts_are_read_with_one_request() -> None:
    """GetPosts takes 25 uris; 26 are refused. Order is kept and missing ones are omitted."""
    fake = FakeBluesky()
    every = [post("a", str(n)) for n in range(24)]
    fake.posts = {each["uri"]: each for each in every}
    async with connected(fake) as connector:
        assert connector.most_at_once == 25
        page = await connector.fetch_items([*fake.posts, uri("a", "lost")])
    assert [each.external_id for each in page.mentions] == list(fake.posts)
    assert page.gone == (uri("a", "lost"),)
    assert len(fake.asked(POSTS)) == len(fake.asked(RECORD)) == 1


async def test_a_follow_is_read_again_among_posts() -> None:
    """A follow is a record, no post: getPosts would refuse the whole request."""
    fake = FakeBluesky()
    one = post("a", "1")
    fake.posts = {one["uri"]: one}
    value = {"$type": "app.bsky.graph.follow", "subject": US, "createdAt": at(1)}
    fake.answers[RECORD] = (200, {}, {"cid": "c", "value": value})
    followed = "at://did:plc:b/app.bsky.graph.follow/1"
    async with connected(fake) as connector:
        page = await connector.fetch_items([followed, one["uri"]])
    assert uris(page.mentions) == {followed, one["uri"]}
    assert fake.asked(POSTS) == [{"uris": [one["uri"]]}]


async def test_followers_are_counted_for_25_authors_with_one_request_and_once() -> None:
    """No counts in notifications: getProfiles, 25 actors; an idle poll asks nothing again."""
    fake = FakeBluesky()
    fake.notifications = [notification("mention", post(f"p{n}", "1")) for n in range(60)]
    fake.followers = {f"did:plc:p{n}": n for n in range(59)}
    async with connected(fake) as connector:
        page = await connector.fetch_page("notifications", None)
        again = await connector.fetch_page("notifications", None)
    found = {each.author.external_id: each.author.followers for each in page.mentions}
    assert found == {f"did:plc:p{n}": n for n in range(59)} | {"did:plc:p59": None}
    assert [len(asked["actors"]) for asked in fake.asked(PROFILES)] == [25, 25, 10]
    assert again.mentions[0].author == page.mentions[0].author


@pytest.mark.parametrize("answer", [(500, {}, ""), (200, {}, "<html>"), (200, {}, {"profiles": 7})])
async def test_followers_that_cannot_be_counted_hold_up_nothing(answer: Any) -> None:
    """Unknown numbers are null, and the page comes in."""
    fake = FakeBluesky()
    fake.answers[PROFILES] = answer
    fake.notifications = [notification("mention", post("a", "1"))]
    async with connected(fake) as connector:
        page = await connector.fetch_page("notifications", None)
    assert [each.author.followers for each in page.mentions] == [None]


async def test_a_platform_that_asks_to_wait_is_waited_for_also_with_followers() -> None:
    """3,000 requests in 5 minutes count for every method alike."""
    fake = FakeBluesky()
    fake.answers[PROFILES] = (429, {"retry-after": "280"}, {"error": "RateLimitExceeded"})
    fake.notifications = [notification("mention", post("a", "1"))]
    async with connected(fake) as connector:
        with pytest.raises(RateLimited):
            await connector.fetch_page("notifications", None)


async def test_what_a_server_does_not_implement_is_never_asked_twice() -> None:
    """501 is no passing trouble, unlike the other server errors."""
    fake = FakeBluesky()
    fake.answers[LIST] = (501, {}, {"error": "MethodNotImplemented", "message": "no"})
    async with connected(fake) as connector:
        with pytest.raises(BadResponse):
            await connector.fetch_page("notifications", None)


async def test_a_token_at_the_wrong_door_is_refused() -> None:
    """The AppView itself, asked with a data server's token: 401 Malformed token."""
    fake = FakeBluesky()
    fake.answers[LIST] = (401, {}, {"error": "BadJwt", "message": "Malformed token"})
    async with connected(fake) as connector:
        with pytest.raises(AuthFailed):
            await connector.fetch_page("notifications", None)


def test_a_name_without_a_facet_addresses_nobody() -> None:
    """It notifies nobody either: such a post is found below ours only."""
    bare = entities.parse_post(post("a", "1", text="@brand.test hello?"), US)
    named = entities.parse_post(post("a", "2", text="@brand.test hello?", **names(US)), US)
    assert (bare.addressed, named.addressed) == ((), (US,))


def test_the_parent_is_the_records_not_the_reasons_subject() -> None:
    """ReasonSubject is the nearest post of ours above, not what was answered."""
    told = notification("reply", post("b", "3", parent=uri("a", "2"), root=uri("brand", "1")))
    parsed = entities.parse_notification({**told, "reasonSubject": uri("brand", "1")}, US)
    assert not isinstance(parsed, str)
    assert (parsed.parent_external_id, parsed.kind) == (uri("a", "2"), Kind.COMMENT)
    assert parsed.thread.external_id == uri("brand", "1")


def test_a_link_is_told_in_full_and_facets_count_bytes() -> None:
    """Software shows addresses shortened; the facet's range is in bytes of UTF-8."""
    text = "Größe? 🙂 shop.example/a… and https://whole.example/"
    start = len("Größe? 🙂 ".encode())
    end = start + len("shop.example/a…".encode())
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://shop.example/a/long/way"}
    whole_link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://whole.example/"}
    script = {"$type": "app.bsky.richtext.facet#link", "uri": "javascript:alert(1)"}
    facets = [
        {"index": {"byteStart": start, "byteEnd": end}, "features": [link, script]},
        {"index": {"byteStart": 0, "byteEnd": 1}, "features": [whole_link]},
    ]
    parsed = entities.parse_post(post("a", "1", text=text, facets=facets), US)
    assert parsed.media == (Media("link", "https://shop.example/a/long/way", "shop.example/a…"),)
    assert parsed.text == text


def test_a_quote_names_us_by_what_it_quotes() -> None:
    """Reason quote: a mention, with the quoted post as a link."""
    embed = {
        "$type": "app.bsky.embed.record",
        "record": {"uri": uri("brand", "1"), "cid": "c"},
    }
    told = notification("quote", post("a", "1", embed=embed))
    parsed = entities.parse_notification(told, US)
    assert not isinstance(parsed, str)
    assert parsed.kind is Kind.MENTION
    assert [each.url for each in parsed.media] == ["https://bsky.app/profile/did:plc:brand/post/1"]


async def test_a_reply_below_ours_that_was_not_notified_is_found_in_the_thread() -> None:
    """Notifications reach five levels up; the thread of our root holds everything."""
    fake = FakeBluesky()
    ours = uri("brand", "root")
    deep = post("z", "9", parent=uri("y", "8"), root=ours)
    fake.threads[ours] = {
        "$type": "app.bsky.feed.defs#threadViewPost",
        "post": post("brand", "root"),
        "replies": [
            {"$type": "app.bsky.feed.defs#threadViewPost", "post": deep, "replies": []},
        ],
    }
    fake.followers = {"did:plc:z": 5}
    async with connected(fake) as connector:
        mentions, _ = await whole(connector, "threads", parent=Parent(ours))
    assert [(m.external_id, m.kind, m.author.followers) for m in mentions] == [
        (deep["uri"], Kind.COMMENT, 5)
    ]


async def test_pages_after_the_first_lack_some_fields_and_headers_any_case() -> None:
    """Page 2 has no seenAt; proxied and own answers write their headers differently."""
    fake = FakeBluesky()
    body = {"notifications": [follow("a", "1")], "cursor": "2026-10-01T11:00:00.000Z"}
    fake.answers[LIST] = (200, {"RateLimit-Remaining": "2999", "ratelimit-limit": "3000"}, body)
    async with connected(fake) as connector:
        page = await connector.fetch_page("notifications", {"cursor": "2026-10-01T12:00:00.000Z"})
    assert len(page.mentions) == 1
    assert page.more


async def test_another_server_can_stand_in() -> None:
    """`api_url`: a mirror, proxy or test server is asked instead of the service."""
    fake = FakeBluesky()
    async with connected(fake, service="https://pds.example") as connector:
        check = await connector.check()
    assert check.identity is not None
    assert Settings(handle="brand.test").api_url is None


def test_what_a_person_deletes_has_to_go_here_too() -> None:
    """Developer Guidelines: a service must be able to delete what a user asks to delete."""
    assert PLATFORM.retention is not None
    assert PLATFORM.retention.wipe_gone
    assert PLATFORM.retention.refresh_within is None
    assert PLATFORM.oauth is None  # an app password is the way
