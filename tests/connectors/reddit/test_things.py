"""What things of Reddit mean, one test a fact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.base import Filed, Kind, Mention, Parent, TextFormat, Visibility
from app.connectors.failures import BadResponse, CursorRefused, RateLimited
from app.connectors.fields import Unreadable
from app.connectors.reddit import people, things, trees
from app.connectors.reddit.people import Facts
from app.connectors.reddit.things import Around
from app.connectors.reddit.trees import Waiting

AT = 1790848800.0  # 2026-10-01T10:00:00Z
NOBODY_KNOWN = Around()
COMMENT: Mapping[str, Any] = {
    "name": "t1_que001",
    "author": "Anna_K",
    "author_fullname": "t2_anna01",
    "parent_id": "t3_own001",
    "link_id": "t3_own001",
    "link_title": "Acme Notes 4",
    "created_utc": AT,
    "edited": False,
    "body": "Is it *free*? a &amp; b",
    "body_html": '<div class="md"><p>Is it <em>free</em>? a &amp;amp; b</p></div>',
    "permalink": "/r/acme/comments/own001/acme_notes_4/que001/",
}
POST: Mapping[str, Any] = {
    "name": "t3_own001",
    "author": "Anna_K",
    "title": "Sync",
    "selftext": "",
    "created_utc": AT,
    "permalink": "/r/acme/comments/own001/sync/",
}
LETTER: Mapping[str, Any] = {
    "name": "t4_let002",
    "author": "carla",
    "author_fullname": "t2_carla1",
    "subject": "re: Licence",
    "first_message_name": "t4_let001",
    "parent_id": "t4_let001",
    "dest": "Acme_Notes",
    "created_utc": AT,
    "body": "Thanks",
}


def one(row: Mapping[str, Any], around: Around = NOBODY_KNOWN, **changed: Any) -> Mention:
    return things.parse_thing({**row, **changed}, around)


def without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}


def entry(kind: str, row: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    return {"kind": kind, "data": {**row, **changed}}


def listing(*rows: Any) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"children": list(rows), "after": None}}


# What is said


def test_markdown_is_kept_and_the_plain_text_is_what_reddit_renders() -> None:
    found = one(COMMENT)
    assert (found.text_raw, found.text_format) == (COMMENT["body"], TextFormat.MARKDOWN)
    assert found.text == "Is it free? a &amp; b"
    assert one(without(COMMENT, "body_html")).text == COMMENT["body"]


def test_a_post_is_its_title_and_its_text() -> None:
    assert (one(POST).text, one(POST, selftext="It *stops*.").text) == (
        "Sync",
        "Sync\n\nIt *stops*.",
    )
    assert one(POST, selftext="a", selftext_html="<p>It stops.</p>").text == "Sync\n\nIt stops."
    with pytest.raises(Unreadable, match="title"):
        one(POST, title="")


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"url": "https://i.example/a.PNG?width=9"}, "image"),
        ({"url": "https://v.example/a", "is_video": True}, "video"),
        ({"url": "https://blog.example/a"}, "link"),
        ({"url": "https://www.reddit.com/r/acme", "is_self": True}, None),
        ({"url": "javascript:alert(1)"}, None),
    ],
)
def test_what_a_post_links_to_is_its_media(changed: dict[str, Any], kind: str | None) -> None:
    assert [media.kind for media in one(POST, **changed).media] == ([kind] if kind else [])


def test_an_edit_tells_its_time_and_a_vote_of_ours_acknowledges() -> None:
    assert one(COMMENT).edited_at is None
    assert one(COMMENT, edited=True).edited_at is None, "so it was before Reddit kept the time"
    assert one(COMMENT, edited=AT + 60).edited_at == datetime(2026, 10, 1, 10, 1, tzinfo=UTC)
    assert [one(COMMENT, likes=vote).acknowledged for vote in (True, False, None)] == [
        True,
        False,
        False,
    ]


def test_who_is_named_is_told_in_lower_case() -> None:
    body = "u/Acme_Notes and /u/bob, not r/u/none nor you/me nor u/ab"
    assert one(COMMENT, body=body).addressed == ("acme_notes", "bob")


def test_a_private_message_is_for_two_and_belongs_to_the_first() -> None:
    found = one(LETTER)
    assert (found.kind, found.visibility) == (Kind.DIRECT_MESSAGE, Visibility.DIRECT)
    assert (found.thread.external_id, found.thread.title) == ("t4_let001", "Licence")
    assert (found.parent_external_id, found.addressed) == ("t4_let001", ("acme_notes",))
    first = one(LETTER, name="t4_let001", first_message_name=None, parent_id=None)
    assert first.thread.external_id == "t4_let001"
    assert first.parent_external_id is None


# Why it came, and where it stands


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"type": "username_mention", "subject": "username mention"}, Kind.MENTION),
        ({"type": "post_reply"}, Kind.COMMENT),
        ({"type": "comment_reply"}, Kind.REPLY),
        ({"subject": "comment reply"}, Kind.REPLY),
        ({"type": "something_new"}, Kind.COMMENT),
        ({}, Kind.COMMENT),
    ],
)
def test_the_inbox_says_why_a_comment_is_there(told: dict[str, str], kind: Kind) -> None:
    assert one({**COMMENT, **told}).kind is kind


def test_elsewhere_an_answer_to_a_comment_of_ours_is_a_reply() -> None:
    ours = trees.ours_in(
        [entry("t1", COMMENT, name="t1_our001", author="Acme_Notes")], "acme_notes"
    )
    assert ours == {"t1_our001"}
    assert one(COMMENT, Around(ours=ours), parent_id="t1_our001").kind is Kind.REPLY
    assert one(COMMENT, Around(ours=ours), parent_id="t1_other1").kind is Kind.COMMENT


def test_a_comment_says_everywhere_the_same_of_where_it_stands() -> None:
    """Else it would seem to change with every list that shows it."""
    row = without(COMMENT, "permalink", "link_id")
    inbox = one(row, context=f"{COMMENT['permalink']}?context=3")
    assert inbox.permalink == one(COMMENT).permalink
    assert inbox.permalink == "https://www.reddit.com/r/acme/comments/own001/acme_notes_4/que001/"
    assert inbox.thread == one(COMMENT).thread
    assert inbox.thread.permalink == "https://www.reddit.com/r/acme/comments/own001/"


def test_a_comment_below_a_post_tells_it_by_its_parent_at_the_least() -> None:
    bare = without(COMMENT, "permalink", "link_id")
    assert one(bare).thread.external_id == "t3_own001"
    with pytest.raises(Unreadable, match="post"):
        one(bare, parent_id="t1_abc")
    assert one(bare, context="https://evil.example/comments/abc/").permalink == ""


# What is gone, and what is held


@pytest.mark.parametrize(
    ("row", "gone"),
    [
        (entry("t1", COMMENT, author="[deleted]", body="[deleted]"), True),
        (entry("t1", COMMENT, author="[deleted]", body="[removed]"), True),
        (entry("t1", COMMENT, author="[deleted]"), False),  # the account was closed
        (entry("t1", COMMENT, body="[removed]"), False),  # somebody wrote that
        (entry("t3", POST, author="[deleted]", selftext="[deleted]"), True),
        (entry("t3", POST, removed_by_category="moderator"), True),
        (entry("t3", POST, removed_by_category=None), False),
    ],
)
def test_what_is_deleted_or_removed_is_gone(row: Any, gone: bool) -> None:  # noqa: FBT001
    page = things.parse_things([row], NOBODY_KNOWN)
    assert (len(page.gone), len(page.mentions)) == ((1, 0) if gone else (0, 1))


def test_moderators_see_in_their_lists_what_was_removed() -> None:
    row = entry("t3", POST, removed_by_category="moderator", banned_by="mod_1")
    shown = [
        things.parse_things([row], Around(listed=where)).mentions[0].filed
        for where in (Filed.SPAM, Filed.HELD)
    ]
    assert shown == [Filed.SPAM, Filed.HELD]
    reported = entry("t1", COMMENT, num_reports=2, banned_by=None, spam=False)
    page = things.parse_things([reported], Around(listed=Filed.HELD))
    assert page.mentions[0].filed is None, "everybody still sees it"


def test_one_that_cannot_be_read_is_put_aside_with_its_name() -> None:
    rows = [entry("t1", COMMENT), entry("t1", COMMENT, name="t1_bad001", body=None), None]
    page = things.parse_things([*rows, {"kind": "t9", "data": {}}], NOBODY_KNOWN)
    assert len(page.mentions) == 1
    assert [bad.external_id for bad in page.unparsed] == ["t1_bad001", None, None]
    assert things.parse_things([{"kind": "t5", "data": {}}], NOBODY_KNOWN).skipped == {"t5": 1}


# Who wrote it


def test_an_author_is_known_by_the_account_and_what_reddit_tells_of_it() -> None:
    made = datetime(2026, 9, 20, tzinfo=UTC)
    facts = {"t2_anna01": Facts(made, -7, "https://i.example/a.png")}
    who = one(COMMENT, Around(people=facts)).author
    assert (who.external_id, who.handle, who.created_at) == ("t2_anna01", "Anna_K", made)
    assert (who.url, who.avatar_url) == (
        "https://www.reddit.com/user/Anna_K",
        "https://i.example/a.png",
    )
    assert [signal.code for signal in who.signals] == ["young_account", "low_karma"]
    assert all(signal.reason for signal in who.signals)


def test_authors_without_an_account_are_told_apart() -> None:
    name = without(COMMENT, "author_fullname")
    assert one(name).author.external_id == "name:anna_k"
    closed = one(name, author="[deleted]").author
    assert (closed.external_id, closed.handle) == ("deleted:t1_que001", "")
    place = one(LETTER, author=None, author_fullname=None, subreddit="Acme").author
    assert (place.external_id, place.display_name) == ("subreddit:acme", "r/Acme")
    with pytest.raises(Unreadable, match="author"):
        one(LETTER, author=None, author_fullname=None)


def test_robots_moderators_and_staff_are_told() -> None:
    assert one(COMMENT, author="AutoModerator").author.is_bot is True
    roles = [one(COMMENT, distinguished=role).author.signals for role in ("moderator", "admin")]
    assert [signals[0].code for signals in roles] == ["moderator", "employee"]


def test_facts_are_read_as_far_as_they_are_told() -> None:
    body: Any = {"t2_a": {"link_karma": 1, "comment_karma": "?"}, "t2_b": None}
    assert people.parse_facts(body) == {"t2_a": people.UNKNOWN}
    assert people.parse_facts(None) == {}


# Trees


def test_a_tree_is_read_in_its_order_however_deep() -> None:
    row: Any = ""
    for number in range(3000, 0, -1):
        row = listing(entry("t1", COMMENT, name=f"t1_{number}", replies=row))
    names = [each["data"]["name"] for each in things.flattened(things.children_of(row))]
    assert names == [f"t1_{number}" for number in range(1, 3001)]


def test_what_is_left_out_is_named() -> None:
    def more(parent: str, *kids: Any) -> dict[str, Any]:
        return {"kind": "more", "data": {"parent_id": parent, "children": list(kids)}}

    rows = [more("t3_own001", "a1", "b2"), more("t1_deep1"), more("t1_c3", "b2"), more("t3_x1")]
    assert trees.left_out(rows) == Waiting(("a1", "b2"), ("deep1",))
    assert trees.left_out(rows, asked="deep1") == Waiting(("a1", "b2"))
    broken = [{"kind": "more"}, more("t1_c3", 7), more("nobody")]
    assert not trees.left_out(broken)
    assert things.parse_things(trees.Part([], broken, Waiting()).comments, NOBODY_KNOWN).unparsed


def test_nothing_is_asked_for_twice() -> None:
    waiting = Waiting(("a", "b", "c"), ("d",))
    ahead = trees.next_of(waiting, Waiting(more=("a", "b")), Waiting(("b", "e"), ("d", "f")))
    assert ahead == Waiting(("c", "e"), ("d", "f"))
    assert trees.parse_waiting(ahead.cursor) == ahead
    assert Waiting().cursor is None


@pytest.mark.parametrize("cursor", [{"more": "abc"}, {"below": ["../x"]}, {"more": [7]}])
def test_a_place_in_a_tree_that_is_none_is_refused(cursor: dict[str, Any]) -> None:
    with pytest.raises(CursorRefused):
        trees.parse_waiting(cursor)


def test_errors_come_with_status_200_where_more_is_asked_for() -> None:
    limited = {"json": {"errors": [["RATELIMIT", "try again in 5 minutes", "ratelimit"]]}}
    with pytest.raises(RateLimited):
        trees.rows_of_more(limited)
    bodies: list[Any] = [{"json": {"errors": [["BAD", "", ""]]}}, {"json": {"errors": []}}, [], {}]
    for body in bodies:
        with pytest.raises(BadResponse):
            trees.rows_of_more(body)


def test_a_watched_post_tells_its_conversation() -> None:
    [parent] = things.parse_parents([entry("t3", POST, num_comments=7), entry("t1", COMMENT), None])
    assert (parent.external_id, parent.counter) == ("t3_own001", 7)
    known = trees.thread_of([], parent)
    assert known == one(POST).thread
    assert (
        trees.thread_of([entry("t3", POST, title="New")], parent) == one(POST, title="New").thread
    )
    assert trees.thread_of([], Parent("t3_own001")) is None
