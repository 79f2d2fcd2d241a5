"""Answers of both APIs of Lemmy, written from their documented types, against what was read in them
by hand. There are no recorded ones: all of these are `generated`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.connectors.base import Page
from app.connectors.lemmy import views
from app.connectors.lemmy.views import COMMENT, MESSAGE, POST, Around
from tests.connectors.playing import load
from tests.recorded import objects

US = "https://lemmy.example/u/acme"
ANNA, BOB = "https://far.example/u/anna", "https://lemmy.example/u/bob"
CARLA = "https://far.example/u/carla"

Row = tuple[str, str, str | None, str, str, bool]
QUESTION: Row = ("comment:500024", ANNA, "post:600009", "10-01T10:00", "comment", False)
ANSWER: Row = ("comment:500025", US, "comment:500024", "10-01T11:00", "comment", True)
COLOURS: Row = ("comment:500026", BOB, "comment:500025", "10-01T12:00", "comment", False)
SEARCH: Row = ("comment:500027", CARLA, "post:600009", "10-01T13:00", "comment", False)
NAMED: Row = ("comment:500029", CARLA, "post:600080", "10-01T08:30", "comment", False)
SAME: Row = ("comment:500091", BOB, "post:600090", "10-01T07:30", "comment", False)
OWN: Row = ("post:600009", US, None, "10-01T09:00", "question", True)
SYNC: Row = ("post:600090", ANNA, None, "10-01T07:00", "question", False)
ASKED: Row = ("post:600095", CARLA, None, "09-29T08:00", "question", False)
LETTER: Row = ("private_message:700040", ANNA, None, "10-01T15:00", "direct_message", False)
BACK: Row = ("private_message:700041", US, None, "10-01T16:00", "direct_message", True)

# By hand: (id, author, parent, time, kind, ours) of each message, and how many are deleted, by the
# place of the answer in tests/connectors/recordings/lemmy.json and lemmy_v3.json.
BY_HAND: dict[str, tuple[list[Row], int]] = {
    "lemmy#2 account/notification/list": ([QUESTION], 0),
    "lemmy#3 account/notification/list": ([SEARCH, COLOURS], 0),
    "lemmy#4 account/notification/list": ([NAMED, ASKED], 0),
    "lemmy#5 account/notification/list": ([BACK, LETTER], 0),
    "lemmy#6 account/notification/list": ([SAME, SYNC], 0),
    "lemmy#7 person/content": ([], 0),
    "lemmy#8 person/content": ([ANSWER, OWN], 0),
    "lemmy#9 comment/list": ([SEARCH, COLOURS], 1),
    "lemmy#10 comment/list": ([ANSWER, QUESTION], 0),
    "lemmy#11 comment/list": ([SEARCH, SAME], 0),
    "lemmy#12 post/list": ([SYNC], 0),
    "lemmy#13 post": ([OWN], 0),
    "lemmy#14 comment": ([QUESTION], 0),
    "lemmy_v3#2 user/replies": ([SEARCH, COLOURS, QUESTION], 0),
    "lemmy_v3#3 user/mention": ([NAMED], 0),
    "lemmy_v3#4 private_message/list": ([BACK, LETTER], 0),
    "lemmy_v3#5 user": ([ANSWER, OWN], 0),
    "lemmy_v3#6 comment/list": ([SEARCH, COLOURS, ANSWER, QUESTION], 1),
    "lemmy_v3#7 comment/list": ([SEARCH, SAME], 0),
    "lemmy_v3#8 post/list": ([SYNC], 0),
    "lemmy_v3#9 post": ([OWN], 0),
    "lemmy_v3#10 comment": ([QUESTION], 0),
}
KEYS = {
    "comments": COMMENT, "replies": COMMENT, "mentions": COMMENT, "comment_view": COMMENT,
    "posts": POST, "post_view": POST, "private_messages": MESSAGE,
}  # fmt: skip


def generated() -> Iterator[tuple[str, Any]]:
    for name in ("lemmy", "lemmy_v3"):
        for number, exchange in enumerate(load(name)["exchanges"]):
            _, _, path = exchange["request"]["path"].removeprefix("/api/").partition("/")
            yield f"{name}#{number} {path}", exchange["response"]["body"]


def read(key: str, body: dict[str, Any]) -> list[Page]:
    """The messages of an answer, whatever it is."""
    around = Around(us=US)
    if "items" in body:
        what = POST if key.endswith("post/list") else COMMENT
        return [views.parse_views(body["items"], what, around)]
    found = [(body[name], what) for name, what in KEYS.items() if name in body]
    return [
        views.parse_views(rows if isinstance(rows, list) else [rows], what, around)
        for rows, what in found
    ]


@pytest.mark.parametrize("key", BY_HAND)
def test_generated_answers_bring_what_was_read_in_them_by_hand(key: str) -> None:
    wanted, gone = BY_HAND[key]
    pages = read(key, dict(generated())[key])
    assert [page.unparsed for page in pages] == [()] * len(pages)
    assert sum(len(page.gone) for page in pages) == gone
    assert [
        (
            one.external_id,
            one.author.external_id,
            one.parent_external_id,
            f"{one.occurred_at:%m-%dT%H:%M}",
            one.kind.value,
            one.author.external_id == US,
        )
        for page in pages
        for one in page.mentions
    ] == wanted


def test_every_generated_answer_with_messages_is_in_the_table() -> None:
    told = {
        key
        for key, body in generated()
        if "items" in body or any({COMMENT, POST, MESSAGE} & one.keys() for one in objects(body))
    }
    assert told == BY_HAND.keys()


def test_both_apis_say_the_same_of_a_message() -> None:
    """But for the raw answer, which is kept as it came."""
    found: dict[str, dict[str, Any]] = {"lemmy": {}, "lemmy_v3": {}}
    for key, body in generated():
        if key in BY_HAND:
            for page in read(key, body):
                found[key.partition("#")[0]] |= {one.external_id: one for one in page.mentions}
    shared = found["lemmy"].keys() & found["lemmy_v3"].keys()
    assert len(shared) == 10
    for external_id in shared:
        assert found["lemmy"][external_id] == found["lemmy_v3"][external_id]
