"""The lists of both APIs of Lemmy: where each stands, and how it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.connectors import fields
from app.connectors.base import Cursor
from app.connectors.failures import BadResponse, CursorRefused
from app.connectors.lemmy.server import V3, V4, Version
from app.connectors.lemmy.views import COMMENT, MESSAGE, POST

LIMIT = 50
"""Entries of a page, the most that both APIs allow."""
_LAST_PAGE = 1_000_000
Param = tuple[str, str]


@dataclass(frozen=True, slots=True)
class List:
    """Where a list stands. `keys` are the lists in an answer of v3, each with what is in it."""

    path: str
    params: tuple[Param, ...]
    keys: tuple[tuple[str, str], ...]


NEW: Mapping[Version, tuple[Param, ...]] = {
    V3: (("sort", "New"), ("type_", "All")),
    V4: (("sort", "new"), ("type_", "all")),
}
TOLD: Mapping[str, tuple[str, List]] = {
    "replies": ("reply", List("user/replies", (("sort", "New"),), (("replies", COMMENT),))),
    "mentions": ("mention", List("user/mention", (("sort", "New"),), (("mentions", COMMENT),))),
    "messages": (
        "private_message",
        List("private_message/list", (), (("private_messages", MESSAGE),)),
    ),
}
"""What an account is told of: the type of notification in v4, the list of its own in v3."""
COMMENTS, POSTS = ("comments", COMMENT), ("posts", POST)


def told_of(stream: str, version: Version) -> List | None:
    """What our account is told of. Subscriptions to posts came with v4: `None` in v3."""
    if version == V3:
        if stream not in TOLD:
            return None
        found = TOLD[stream][1]
        return List(found.path, (*found.params, ("unread_only", "false")), found.keys)
    kind, _ = TOLD.get(stream, (stream, None))
    return List("account/notification/list", (("type_", kind),), (("items", COMMENT),))


def written_by(number: str, version: Version) -> List:
    """What one person has written; later betas of v4 call the person by another name."""
    if version == V3:
        return List("user", (("person_id", number), ("sort", "New")), (COMMENTS, POSTS))
    named = (("person_id", number), ("person_name_or_id", number), ("type_", "all"))
    return List("person/content", named, (("items", COMMENT),))


def below(post: str, version: Version) -> List:
    """The comments below a post, flat, newest first."""
    keys = COMMENTS if version == V3 else ("items", COMMENT)
    return List("comment/list", (("post_id", post), *NEW[version]), (keys,))


def in_community(name: str, what: str, version: Version) -> List:
    """Posts or comments of a community; later betas of v4 call it by another name."""
    named: tuple[Param, ...] = (("community_name", name),)
    if version == V3:
        keys = COMMENTS if what == COMMENT else POSTS
    else:
        named, keys = (*named, ("community_name_or_id", name)), ("items", what)
    return List(f"{what}/list", (*named, *NEW[version]), (keys,))


def place_of(cursor: Cursor | None, version: Version) -> tuple[Param, ...]:
    """`{"page_cursor": "…"}` in v4, `{"page": 2}` in v3, or nothing for the first page."""
    place = cursor or {}
    if version == V3:
        page = place.get("page", 1)
        if type(page) is not int or not 1 <= page <= _LAST_PAGE or "page_cursor" in place:
            raise CursorRefused("The place in the server's list could not be read.")
        return (("page", str(page)),)
    token = place.get("page_cursor", "")
    if not isinstance(token, str) or "page" in place:
        raise CursorRefused("The place in the server's list could not be read.")
    return (("page_cursor", token),) if token else ()


def rows_of(body: Any, asked: List) -> list[tuple[str, list[Any]]]:
    """The lists of an answer, each with what its entries are."""
    found = body if isinstance(body, dict) else {}
    rows = [(what, found.get(key)) for key, what in asked.keys]
    lists = [(what, some) for what, some in rows if isinstance(some, list)]
    if len(lists) < len(rows):
        raise BadResponse("The server answered without the list that was asked for.")
    return lists


def next_of(
    body: Any, asked: List, rows: Sequence[tuple[str, list[Any]]], place: tuple[Param, ...]
) -> Cursor | None:
    """Where the list goes on from `place`. v4 says it; v3 counts pages, which move as new entries
    come in, and is at its end with a page that is not full.
    """
    if asked.keys[0][0] == "items":
        token = fields.find_text(body, "next_page") if isinstance(body, dict) else ""
        return {"page_cursor": token} if token and any(some for _, some in rows) else None
    if not any(len(some) >= LIMIT for _, some in rows):
        return None
    return {"page": int(dict(place)["page"]) + 1}
