"""The comments below a post: a tree, of which Reddit shows a part and names what it leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.connectors import fields
from app.connectors.base import Cursor, JsonObject, Parent, ThreadRef
from app.connectors.failures import BadResponse, CursorRefused, RateLimited
from app.connectors.reddit import things
from app.connectors.reddit.things import COMMENT, MORE

AT_ONCE = 100
"""Comments in one request for what was left out (https://www.reddit.com/dev/api)."""
_MOST_WAITING = 50_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a tree is still to be read: comments by their numbers, and comments below which it
    goes on too deep to be shown.
    """

    more: tuple[str, ...] = ()
    below: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.more or self.below)

    @property
    def cursor(self) -> Cursor | None:
        return {"more": [*self.more], "below": [*self.below]} if self else None


@dataclass(frozen=True, slots=True)
class Part:
    """What one request shows of a tree: the post, comments, and what is then still to be read.
    `above` is the comment below which it was asked for; it was shown before.
    """

    posts: list[Any]
    rows: list[Any]
    ahead: Waiting
    above: str = ""

    @property
    def comments(self) -> list[Any]:
        """The entries that are comments, or should be: what should have led on to others and does
        not is put aside with those that can't be read.
        """
        found = [row for row in self.rows if sound_more(row) is None]
        if not self.above:
            return found
        return [row for row in found if things.find_name(_inside(row)) != self.above]


def _inside(row: Any) -> Any:
    return row.get("data") if isinstance(row, dict) else None


def parse_waiting(cursor: Cursor | None) -> Waiting:
    """`{"more": ["abc", …], "below": ["def", …]}`, or nothing at the beginning of a tree."""
    place = cursor or {}
    found = [place.get(name, []) for name in ("more", "below")]
    for numbers in found:
        if not isinstance(numbers, list) or not all(is_number(one) for one in numbers):
            raise CursorRefused("The place in a tree of comments could not be read.")
    return Waiting(tuple(found[0]), tuple(found[1]))


def is_number(value: Any) -> bool:
    return isinstance(value, str) and things.is_name(f"{COMMENT}_{value}")


def rows_of(body: Any) -> tuple[list[Any], list[Any]]:
    """The post, and every comment below it that is shown, of `GET /comments/{post}`: two listings.
    One that can't be read is an entry of its own, so that it costs the other nothing.
    """
    if not isinstance(body, list) or not body:
        raise BadResponse("Reddit answered with something that is not a tree of comments.")
    post = _children(body[0])
    return post, [row for part in body[1:] for row in things.flattened(_children(part))]


def _children(part: Any) -> list[Any]:
    try:
        return things.children_of(part)
    except BadResponse:
        return [part]


def rows_of_more(body: Any) -> list[Any]:
    """The comments of `GET /api/morechildren`; it tells errors with status 200."""
    inside = body.get("json") if isinstance(body, dict) else None
    if not isinstance(inside, dict):
        raise BadResponse("Reddit answered with something that is not a list of comments.")
    errors = inside.get("errors")
    if isinstance(errors, list) and errors:
        if any(isinstance(one, list) and "RATELIMIT" in one for one in errors):
            raise RateLimited("Reddit asks us to slow down.")
        raise BadResponse("Reddit refused to show the comments that it had left out.")
    found = inside.get("data")
    rows = found.get("things") if isinstance(found, dict) else None
    if not isinstance(rows, list):
        raise BadResponse("Reddit answered without the comments that it had left out.")
    return list(things.flattened(rows))


def sound_more(row: Any) -> JsonObject | None:
    """The inside of an entry that names comments which are left out; `None` where it is none, or
    names something else.
    """
    inside = _inside(row) if isinstance(row, dict) and row.get("kind") == MORE else None
    numbers = inside.get("children") if isinstance(inside, dict) else None
    if not isinstance(numbers, list) or not all(is_number(one) for one in numbers):
        return None
    return inside if numbers or things.find_name(inside, "parent_id") else None


def left_out(rows: Iterable[Any], asked: str = "") -> Waiting:
    """What a part of a tree names and does not show. `asked` is the comment below which it was
    asked for: what is still hidden right below that one stays hidden.
    """
    more: list[str] = []
    below: list[str] = []
    for row in rows:
        if (inside := sound_more(row)) is None:
            continue
        parent = things.find_name(inside, "parent_id") or ""
        if inside["children"]:
            more += inside["children"]
        elif parent.startswith(f"{COMMENT}_") and things.number_of(parent) != asked:
            below.append(things.number_of(parent))
    return Waiting(tuple(dict.fromkeys(more)), tuple(dict.fromkeys(below)))


def next_of(waiting: Waiting, done: Waiting, found: Waiting) -> Waiting:
    """What waits after `done` was asked for and `found` was named. A comment that is named again
    in the answer about itself is not asked for again.
    """
    more = [one for one in (*waiting.more, *found.more) if one not in set(done.more)]
    below = [one for one in (*waiting.below, *found.below) if one not in set(done.below)]
    kept = Waiting(tuple(dict.fromkeys(more)), tuple(dict.fromkeys(below)))
    if len(kept.more) + len(kept.below) > _MOST_WAITING:
        raise BadResponse("Reddit names more comments below a post than there can be.")
    return kept


def ours_in(rows: Iterable[Any], us: str) -> frozenset[str]:
    """The names of what we wrote, among these entries."""
    names = (
        things.find_name(row)
        for row in things.data_of(rows)
        if fields.find_text(row, "author").lower() == us
    )
    return frozenset(name for name in names if name)


def thread_of(posts: Sequence[Any], parent: Parent) -> ThreadRef | None:
    """The conversation below a post: as the post itself tells it, else as it was when its post was
    seen; `None` where only the comments know it.
    """
    for row in things.data_of(posts):
        if things.find_name(row) == parent.external_id:
            return things.thread_of_post(row)
    title, permalink = (parent.extra.get(name) for name in ("title", "permalink"))
    if not isinstance(title, str) or not isinstance(permalink, str):
        return None
    return ThreadRef(parent.external_id, title, permalink, parent.created_at)
