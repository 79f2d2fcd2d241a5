"""Recorded answers of Bluesky, compared with what was read in them by hand."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.connectors.atproto import entities
from app.connectors.base import Kind, Mention
from tests.recorded import load, objects, recordings, with_ids

# By hand, from the responses (place-holders as their authors wrote them, user(n) and record(n)):
# who "us" is, (external id, author, parent, kind) of every message kept, and what is only counted.
Row = tuple[str, str, str | None, str]
NOTIFIED: dict[str, tuple[str, list[Row], dict[str, int]]] = {
    "bsnap:notifications.test.ts.snap#0": ("us", [], {"like": 2}),
    "bsnap:notifications.test.ts.snap#12": (
        "us",
        [("record(2)", "user(1)", None, "follow"), ("record(4)", "user(1)", None, "mention")],
        {"repost": 1},
    ),
    "bsnap:notifications.test.ts.snap#19": (
        "us",
        [("record(0)", "user(0)", "record(2)", "reply")],
        {},
    ),
    "bsnap:notifications.test.ts.snap#2": (
        "us",
        [
            ("record(6)", "user(1)", None, "follow"),
            ("record(8)", "user(1)", "record(2)", "reply"),
            ("record(12)", "user(3)", None, "follow"),
            ("record(14)", "user(3)", "record(4)", "reply"),
        ],
        {"repost": 2, "like": 5},
    ),
    "bsnap:notifications.test.ts.snap#3": (
        "us",
        [("record(2)", "user(0)", None, "follow")],
        {"repost-via-repost": 1, "like-via-repost": 1, "like": 1},
    ),
    "bsnap:notifications.test.ts.snap#5": (
        "us",
        [
            ("record(5)", "user(4)", None, "mention"),
            ("record(8)", "user(2)", None, "follow"),
            ("record(2)", "user(0)", None, "follow"),
        ],
        {"repost-via-repost": 1, "like-via-repost": 1, "like": 2},
    ),
    "bsnap:notifications.test.ts.snap#9": ("us", [], {"like": 5}),
}
THREADS: dict[str, tuple[list[Row], dict[str, int], list[str]]] = {
    # messages, counted, gone; "us" is user(0), who wrote the post that was asked for
    "bsnap:block-lists.test.ts.snap#1": (
        [("record(0)", "user(0)", "record(4)", "comment")],
        {"blockedPost": 1},
        [],
    ),
    "bsnap:blocks.test.ts.snap#1": (
        [
            ("record(0)", "user(0)", "record(4)", "comment"),
            ("record(5)", "user(3)", "record(0)", "reply"),
        ],
        {"blockedPost": 1},
        [],
    ),
    "bsnap:blocks.test.ts.snap#2": (
        [
            ("record(0)", "user(0)", None, "mention"),
            ("record(7)", "user(3)", "record(0)", "reply"),
        ],
        {"blockedPost": 1},
        [],
    ),
    "bsnap:mutes.test.ts.snap#1": (
        [
            ("record(0)", "user(0)", None, "mention"),
            ("record(2)", "user(2)", "record(0)", "reply"),
            ("record(5)", "user(3)", "record(0)", "reply"),
        ],
        {},
        [],
    ),
    "bsnap:thread.test.ts.snap#0": (
        [
            ("record(4)", "user(0)", None, "mention"),
            ("record(5)", "user(2)", "record(4)", "reply"),
            ("record(0)", "user(0)", "record(5)", "comment"),
        ],
        {},
        [],
    ),
    "bsnap:thread.test.ts.snap#1": (
        [
            ("record(0)", "user(0)", None, "mention"),
            ("record(5)", "user(2)", "record(0)", "reply"),
            ("record(8)", "user(3)", "record(0)", "reply"),
            ("record(9)", "user(0)", "record(8)", "comment"),
        ],
        {},
        [],
    ),
    "bsnap:thread.test.ts.snap#11": (
        [("record(0)", "user(0)", "record(5)", "comment")],
        {},
        ["record(5)"],
    ),
    "bsnap:thread.test.ts.snap#2": (
        [
            ("record(0)", "user(0)", None, "mention"),
            ("record(5)", "user(2)", "record(0)", "reply"),
            ("record(8)", "user(3)", "record(0)", "reply"),
        ],
        {},
        [],
    ),
    "bsnap:thread.test.ts.snap#5": ([("record(0)", "user(0)", None, "mention")], {}, []),
    "bsnap:thread.test.ts.snap#8": (
        [
            ("record(2)", "user(2)", None, "mention"),
            ("record(0)", "user(0)", "record(2)", "comment"),
        ],
        {},
        [],
    ),
}


READ_BY_HAND: list[Row] = [
    ("3lmicbemya22g", "josephjefe.bsky.social", "3lmib4yep2k2g", "mention"),
    ("3lktjjvxvdk2g", "chriskenny.bsky.social", None, "mention"),
    ("3livj2tl2su2v", "organizers.science", None, "mention"),
    ("3lium35jvqr2c", "organizers.science", None, "mention"),
    # thirteen answers to one post of ours: six are quotes as well, all name us
    ("3liulqwmk4a2h", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulqvn6zq2y", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulqutwkj2c", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulqtnba22s", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulqsuo2q2f", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulkbdxcg2j", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulkahzgu2s", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulk7mfsg2f", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulk6uqmv2v", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulk5opf22s", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulk445zl2d", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulk3b4ps2r", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3liulk2isl32s", "organizers.science", "3kexwuoyqj32g", "reply"),
    ("3lffbrjglpc2u", "magnusx71.bsky.social", None, "mention"),
]


def placed(identifier: str) -> str:
    """A filled id as its place-holder again: `at://did:plc:user1/…/record4` → `record(4)`."""
    return re.sub(r".*(user|record)(\d+)$", r"\1(\2)", identifier)


def rows(mentions: tuple[Mention, ...]) -> list[Row]:
    return [
        (
            placed(each.external_id),
            placed(each.author.external_id),
            placed(each.parent_external_id) if each.parent_external_id else None,
            each.kind.value,
        )
        for each in mentions
    ]


def recorded_body(key: str, us: str) -> Any:
    exchange = next(each for each in load("bluesky") if each.key == key)
    return with_ids(exchange.json(), us)


@recordings
@pytest.mark.parametrize("key", NOTIFIED)
def test_recorded_notifications_bring_what_was_read_in_them_by_hand(key: str) -> None:
    us, expected, skipped = NOTIFIED[key]
    body = recorded_body(key, f"did:plc:{us}")
    listed = body if isinstance(body, list) else body["notifications"]
    read = entities.parse_entries(listed, f"did:plc:{us}", entities.parse_notification)
    assert rows(read.mentions) == expected
    assert dict(read.skipped) == skipped
    assert read.unparsed == ()


@recordings
@pytest.mark.parametrize("key", THREADS)
def test_recorded_threads_bring_what_was_read_in_them_by_hand(key: str) -> None:
    expected, skipped, gone = THREADS[key]
    body = recorded_body(key, "did:plc:user0")
    read = entities.parse_thread(body.get("thread", body), "did:plc:user0", depth=80).entries
    assert rows(read.mentions) == expected
    assert dict(read.skipped) == skipped
    assert [placed(each) for each in read.gone] == gone
    assert read.unparsed == ()


@recordings
def test_a_recorded_page_of_a_real_account_brings_what_was_read_in_it_by_hand() -> None:
    us, site = "did:plc:5c2r73erhng4bszmxlfdtscf", "did:plc:lprqqpoyjspuma25n5gofocf"
    exchange = next(each for each in load("bluesky") if each.key == "bskyr:n_notifications#0")
    listed = exchange.json()["notifications"]
    read = entities.parse_entries(listed, us, entities.parse_notification)
    assert read.unparsed == ()
    assert dict(read.skipped) == {"like": 13, "repost": 2}
    posts = [each for each in read.mentions if each.kind is not Kind.FOLLOW]
    assert len(read.mentions) - len(posts) == 17
    assert [_short(each) for each in posts] == READ_BY_HAND
    assert posts[0].parent_external_id == f"at://{site}/app.bsky.feed.post/3lmib4yep2k2g"
    assert all(each.occurred_at and each.indexed_at for each in read.mentions)


def _short(mention: Mention) -> tuple[str, str, str | None, str]:
    parent = mention.parent_external_id
    return (
        mention.external_id.rpartition("/")[2],
        mention.author.handle,
        parent.rpartition("/")[2] if parent else None,
        mention.kind.value,
    )


@recordings
def test_no_recorded_post_or_notification_fails_or_is_dropped() -> None:
    """Each post view at any depth of any answer, also those of endpoints that we don't ask."""
    posts = 0
    for exchange in load("bluesky"):
        body = with_ids(exchange.json(), "did:plc:user0")
        for found in objects(body):
            record = found.get("record")
            if not isinstance(record, dict) or record.get("$type") != "app.bsky.feed.post":
                continue
            if not isinstance(found.get("author"), dict):
                continue
            read = entities.parse_entries([found], "did:plc:user0", entities.parse_post)
            assert read.unparsed == (), exchange.key
            parsed, reply = read.mentions[0], record.get("reply", {})
            assert parsed.external_id == found["uri"]
            assert parsed.author.external_id == found["author"]["did"]
            assert parsed.parent_external_id == reply.get("parent", {}).get("uri")
            assert parsed.thread.external_id == reply.get("root", found).get("uri")
            assert parsed.occurred_at is not None or exchange.kind == "snapshot"  # all of 1970
            posts += 1
    assert posts >= 100
