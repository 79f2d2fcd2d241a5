"""Notifications of a Page: what somebody did, where, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.connectors.base import JsonObject, Kind, Mention, Parent, ThreadRef, Unparsed
from app.connectors.fields import Unreadable, as_object, find_id, find_text
from app.connectors.linkedin.comments import nobody, person_of, plain
from app.connectors.linkedin.urns import find_comment, find_urn, get_urn, page_of
from app.connectors.text import clean_json, parse_time, title_of

ASKED = ("COMMENT", "ADMIN_COMMENT", "COMMENT_EDIT", "COMMENT_DELETE", "SHARE", "SHARE_MENTION")
_BELOW = frozenset({"COMMENT", "ADMIN_COMMENT", "COMMENT_EDIT"})
_POSTS = {"SHARE": Kind.SHARE, "SHARE_MENTION": Kind.MENTION, "COMMENT_MENTION": Kind.MENTION}


@dataclass(frozen=True, slots=True)
class Pointed:
    """A post or comment of somebody that a notification points at: `told` is as much as it says
    itself.
    """

    external_id: str
    kind: Kind
    told: Mention


@dataclass(slots=True)
class Events:
    """A page of notifications, taken apart: posts with something new below them, comments that were
    deleted, posts that mention or share us, types we don't keep.
    """

    parents: dict[str, Parent] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    pointed: dict[str, Pointed] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    unparsed: list[Unparsed] = field(default_factory=list)
    newest_at: datetime | None = None
    oldest_at: datetime | None = None
    by_others: int = 0
    newest_by_others: datetime | None = None


def parse_events(rows: Sequence[Any]) -> Events:
    """Reads each notification by itself: one that can't be read costs no other. Several may speak
    of one post or comment: the latest counts.
    """
    found = Events()
    for row in rows:
        try:
            _take(as_object(row), found)
        except Unreadable as error:
            known = find_id(row, "notificationId")
            found.unparsed.append(
                Unparsed(f"notification:{known}" if known else None, error.detail, clean_json(row))
            )
    return found


def _take(row: JsonObject, found: Events) -> None:
    action = find_text(row, "action")
    at = parse_time(row.get("lastModifiedAt"))
    if at is not None:
        found.newest_at = max(found.newest_at or at, at)
        found.oldest_at = min(found.oldest_at or at, at)
    if action == "COMMENT" or action in _POSTS:
        found.by_others += 1
        if _later(at, found.newest_by_others):
            found.newest_by_others = at
    if action in _BELOW:
        parent = _parent(row, at)
        known = found.parents.get(parent.external_id)
        if known is None or _later(parent.changed_at, known.changed_at):
            found.parents[parent.external_id] = parent
    elif action == "COMMENT_DELETE":
        if (comment := find_comment(row.get("generatedActivity"))) is None:
            raise Unreadable("generatedActivity is not the URN of a comment")
        found.gone.append(str(comment))
    elif action in _POSTS:
        pointed = _pointed(row, _POSTS[action], at)
        found.pointed[pointed.external_id] = pointed
    elif action:
        found.skipped[action.lower()] += 1
    else:
        raise Unreadable("action is not text")


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)


def _parent(row: JsonObject, at: datetime | None) -> Parent:
    """The post below which something happened, by the URN that its comments know it by."""
    source = row.get("decoratedSourcePost")
    about: JsonObject = source if isinstance(source, dict) else {}
    external_id = find_urn(row.get("sourcePost")) or get_urn(about, "entity")
    title = title_of(plain(find_text(about, "text")))
    return Parent(external_id, changed_at=at, extra={"title": title})


def _pointed(row: JsonObject, kind: Kind, at: datetime | None) -> Pointed:
    value = row.get("generatedActivity")
    comment = find_comment(value)
    external_id = str(comment) if comment is not None else get_urn(row, "generatedActivity")
    root = comment.entity if comment is not None else external_id
    made = row.get("decoratedGeneratedActivity")
    parts = made.values() if isinstance(made, dict) else ()
    about: JsonObject = next((each for each in parts if isinstance(each, dict)), {})
    raw_text, owner = find_text(about, "text"), find_urn(about.get("owner"))
    told = Mention(
        external_id=external_id,
        kind=kind,
        author=nobody(external_id) if owner is None else person_of(owner),
        thread=ThreadRef(root, "", page_of(root)),
        occurred_at=at,
        text=plain(raw_text),
        text_raw=raw_text,
        parent_external_id=root if comment is not None else None,
        permalink=page_of(root),
        raw=clean_json(row),
    )
    return Pointed(external_id, kind, told)
