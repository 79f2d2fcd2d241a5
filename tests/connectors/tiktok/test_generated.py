"""Twenty answers of TikTok, against what was read in them by hand.

generated: no recorded answer of the API for Business is at hand. They are written from the shapes
that its documentation gives (Accounts API v1.3), each with something that is odd about it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.connectors.base import Page
from app.connectors.tiktok import comments, mentions, videos
from app.connectors.tiktok.lists import read_list

US = comments.Us("_000AcmeNotesBusiness01", "acme_notes")
VIDEO = videos.Video("701", "Notes", "https://www.tiktok.com/@acme_notes/video/701")
TEN = 1790848800  # 2026-10-01T10:00:00Z

Told = tuple[str, str, str | None, str, str, bool]
"""(id, author, parent, time, kind, ours), as a person reads them."""


def people(key: str, handle: str) -> dict[str, Any]:
    return {"unique_identifier": key, "username": handle, "display_name": handle.title()}


ANNA, BOB = people("+Anna", "anna.k"), people("+Bob", "bob_r")
OURS = {**people("+Acme", "acme_notes"), "owner": True}


def said(number: int | str, who: dict[str, Any], minute: int = 0, **more: Any) -> dict[str, Any]:
    """A comment as `/business/comment/list/` tells it, written so many minutes after ten."""
    when = str(TEN + 60 * minute)
    shape = {"video_id": "701", "create_time": when, "text": "Hello", "likes": 0, "replies": 0}
    flags = {"owner": False, "liked": False, "pinned": False, "status": "PUBLIC"}
    return {"comment_id": number, **shape, **flags, **who, **more}


def below(number: int, who: dict[str, Any], minute: int, above: int | str) -> dict[str, Any]:
    return said(number, who, minute, parent_comment_id=above)


def of_comments(data: dict[str, Any]) -> Page:
    return comments.parse_comments(read_list(data, "comments").rows, VIDEO, US)


def of_replies(data: dict[str, Any]) -> Page:
    first = comments.parse_comment(said(1, ANNA), VIDEO, US)
    rows = read_list(data, "comments").rows
    return comments.parse_replies(rows, first, VIDEO, US, whole=True)


def of_mentions(data: dict[str, Any]) -> Page:
    return mentions.parse_mentions(read_list(data, "comments").rows, US)


def elsewhere(number: int | str, minute: int = 0, **more: Any) -> dict[str, Any]:
    """A row of `/business/mention/comment/list/`."""
    link = "https://www.tiktok.com/@dora/video/9"
    return {
        "item_id": "9",
        "video_link": link,
        "comment_id": number,
        "comment_type": "COMMENT",
        "comment_text": "@acme_notes hi",
        "comment_create_time": str(TEN + 60 * minute),
        "commenter_display_name": "Emil",
        **more,
    }


def page(*rows: Any, more: bool = False) -> dict[str, Any]:
    return {"comments": list(rows), "cursor": 30, "has_more": more}


LISTED: dict[str, tuple[dict[str, Any], list[Told]]] = {
    "one comment": (
        page(said("1", ANNA)),
        [("701_1", "+Anna", None, "10:00", "comment", False)],
    ),
    "an id as a number": (
        page(said(7561234600000000001, ANNA)),
        [("701_7561234600000000001", "+Anna", None, "10:00", "comment", False)],
    ),
    "nothing yet": (page(), []),
    "a short page before the end": (
        page(said(1, ANNA), more=True),
        [("701_1", "+Anna", None, "10:00", "comment", False)],
    ),
    "a comment that we wrote": (
        page(said(1, OURS)),
        [("701_1", US.external_id, None, "10:00", "comment", True)],
    ),
    "an answer of ours": (
        page(said(1, ANNA, replies=1, reply_list=[below(2, OURS, 5, 1)])),
        [
            ("701_1", "+Anna", None, "10:00", "comment", False),
            ("701_2", US.external_id, "701_1", "10:05", "reply", True),
        ],
    ),
    "a conversation of two others": (
        page(said(1, ANNA, replies=1, reply_list=[below(2, BOB, 5, 1)]), said(3, BOB, 9)),
        [
            ("701_1", "+Anna", None, "10:00", "comment", False),
            ("701_2", "+Bob", "701_1", "10:05", "reply", False),
            ("701_3", "+Bob", None, "10:09", "comment", False),
        ],
    ),
    "an answer of ours for the second": (
        page(
            said(
                1,
                ANNA,
                replies=2,
                reply_list=[below(2, BOB, 5, 1), {**below(3, OURS, 6, 1), "text": "@bob_r yes"}],
            )
        ),
        [
            ("701_1", "+Anna", None, "10:00", "comment", False),
            ("701_2", "+Bob", "701_1", "10:05", "reply", False),
            ("701_3", US.external_id, "701_2", "10:06", "reply", True),
        ],
    ),
    "three of nine replies": (
        page(said(1, ANNA, replies=9, reply_list=[below(2, BOB, 5, 1), below(3, OURS, 6, 1)])),
        [
            ("701_1", "+Anna", None, "10:00", "comment", False),
            ("701_2", "+Bob", "701_1", "10:05", "reply", False),
        ],
    ),
    "a hidden comment": (
        page(said(1, ANNA, status="HIDDEN")),
        [("701_1", "+Anna", None, "10:00", "comment", False)],
    ),
    "an answer of ours that is hidden": (
        page(said(1, ANNA, replies=1, reply_list=[{**below(2, OURS, 5, 1), "status": "HIDDEN"}])),
        [("701_1", "+Anna", None, "10:00", "comment", False)],
    ),
    "an author known to our app only": (
        page(said(1, {"user_id": "ce9b7be6", "username": "cara", "display_name": "Cara"})),
        [("701_1", "ce9b7be6", None, "10:00", "comment", False)],
    ),
    "a picture without a word": (
        page(said(1, ANNA, text="", image_url="https://p16.example.com/1.jpeg")),
        [("701_1", "+Anna", None, "10:00", "comment", False)],
    ),
}
REPLIES: dict[str, tuple[dict[str, Any], list[Told]]] = {
    "all replies, newest first": (
        page(below(4, OURS, 9, 1), below(3, BOB, 5, 1), below(2, ANNA, 2, 1)),
        [
            ("701_4", US.external_id, "701_1", "10:09", "reply", True),  # two people: to the top
            ("701_3", "+Bob", "701_1", "10:05", "reply", False),
            ("701_2", "+Anna", "701_1", "10:02", "reply", False),
        ],
    ),
    "one person alone with us": (
        page(below(3, OURS, 9, 1), below(2, ANNA, 2, 1)),
        [
            ("701_3", US.external_id, "701_2", "10:09", "reply", True),  # her latest
            ("701_2", "+Anna", "701_1", "10:02", "reply", False),
        ],
    ),
    "a reply to a reply, as its own row says": (
        page(below(3, OURS, 9, 2), below(2, BOB, 2, 1)),
        [
            ("701_3", US.external_id, "701_2", "10:09", "reply", True),
            ("701_2", "+Bob", "701_1", "10:02", "reply", False),
        ],
    ),
    "no replies any more": (page(), []),
}
MENTIONS: dict[str, tuple[dict[str, Any], list[Told]]] = {
    "a comment elsewhere": (
        page(elsewhere("11")),
        [("mention:11", "unknown:mention:11", None, "10:00", "mention", False)],
    ),
    "a reply elsewhere, and a number for an id": (
        page(elsewhere(12, 3, comment_type="REPLY"), elsewhere(13)),
        [
            ("mention:12", "unknown:mention:12", None, "10:03", "mention", False),
            ("mention:13", "unknown:mention:13", None, "10:00", "mention", False),
        ],
    ),
    "a comment below a video of ours": (
        page(elsewhere(14, video_link="https://www.tiktok.com/@acme_notes/video/701")),
        [],
    ),
}
CASES: list[tuple[str, Callable[[dict[str, Any]], Page], dict[str, Any], list[Told]]] = [
    (name, read, *case)
    for read, cases in ((of_comments, LISTED), (of_replies, REPLIES), (of_mentions, MENTIONS))
    for name, case in cases.items()
]


def test_there_are_twenty() -> None:
    assert len(CASES) == 20


@pytest.mark.parametrize(("name", "read", "data", "told"), CASES, ids=[case[0] for case in CASES])
def test_generated_answer_is_read_as_by_hand(
    name: str, read: Callable[[dict[str, Any]], Page], data: dict[str, Any], told: list[Told]
) -> None:
    _ = name
    found = read(data)
    assert not found.unparsed
    rows = [
        (
            each.external_id,
            each.author.external_id,
            each.parent_external_id,
            f"{each.occurred_at:%H:%M}",
            each.kind.value,
            US.around.is_ours(each),
        )
        for each in found.mentions
    ]
    assert sorted(rows) == sorted(told)
    assert {each.occurred_at.date() for each in found.mentions if each.occurred_at} <= {
        datetime(2026, 10, 1, tzinfo=UTC).date()
    }
