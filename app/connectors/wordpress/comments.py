"""Comments and posts of WordPress as rows of its REST API."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from app.connectors import base, fields
from app.connectors.base import (
    JsonObject,
    Kind,
    Mention,
    Page,
    ThreadRef,
    Unparsed,
)
from app.connectors.text import clean, clean_json, html_to_text, parse_time

TAIL = 5  # rows at the end of a page that stand for its age
PRIVATE = frozenset({"author_email", "author_ip", "author_user_agent"})  # never leave this module
GONE = frozenset({"trash", "post-trashed"})
GRAVATAR = re.compile(r"/avatar/([0-9a-f]{64}|[0-9a-f]{32})(?:[?]|$)")
NO_ADDRESS = frozenset(
    {
        "d41d8cd98f00b204e9800998ecf8427e",  # MD5 of nothing: up to WordPress 6.7
        hashlib.sha256(b"").hexdigest(),
    }
)
FILED = {"hold": base.Filed.HELD, "spam": base.Filed.SPAM}


class Around(NamedTuple):
    """What a comment does not say itself: its site, which comments are ours, its post."""

    instance: str
    ours: frozenset[str]
    posts: Mapping[str, ThreadRef]


def parse_posts(rows: Iterable[Any]) -> dict[str, ThreadRef]:
    """Threads by post id; a row that is none is left out, its comments then have no title."""
    return {
        post: ThreadRef(
            external_id=post,
            title=html_to_text(_rendered(row.get("title")) or ""),
            permalink=fields.find_url(row, "link"),
            started_at=moment(row),
        )
        for row in rows
        if (post := fields.find_id(row))
    }


def parse_rows(rows: Iterable[Any], around: Around) -> Page:
    """A page of comments; one that can't be read is put aside, the others stay."""
    mentions, unparsed, gone = [], [], []
    skipped: dict[str, int] = {}
    for row in rows:
        try:
            other = fields.find_text(fields.as_object(row), "type") or "comment"
            if other != "comment":
                skipped[other] = skipped.get(other, 0) + 1
            elif fields.find_text(row, "status") in GONE:
                gone.append(fields.get_id(row, "id"))
            else:
                mentions.append(parse_comment(row, around))
        except fields.Unreadable as error:
            unparsed.append(Unparsed(fields.find_id(row), error.detail, public(row)))
    times = [at for row in rows if (at := moment(row)) is not None]
    return Page(
        mentions=tuple(mentions),
        unparsed=tuple(unparsed),
        gone=tuple(gone),
        skipped=skipped,
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def parse_comment(row: JsonObject, around: Around) -> Mention:
    """One comment. A reply is one below a comment of ours; everything else is a comment.

    There is no modified date: an edit shows only in the text.
    """
    if (rendered := _rendered(row.get("content"))) is None:
        raise fields.Unreadable("content.rendered is not text")
    post, parent = fields.get_id(row, "post"), fields.get_id(row, "parent", zero=True)
    return Mention(
        external_id=fields.get_id(row, "id"),
        kind=Kind.REPLY if parent in around.ours else Kind.COMMENT,
        author=parse_author(row, around.instance),
        thread=around.posts.get(post, ThreadRef(post)),
        occurred_at=moment(row),
        text=html_to_text(rendered),
        text_raw=clean(rendered),
        text_format=base.TextFormat.HTML,
        parent_external_id=None if parent == "0" else parent,
        permalink=fields.find_url(row, "link"),
        filed=FILED.get(fields.find_text(row, "status")),
        raw=public(row),
    )


def parse_author(row: JsonObject, instance: str) -> base.Person:
    """A user of the site by id; a guest (author 0) by name and the mark of their e-mail address.

    A name alone joins nobody: two visitors called Anna are two people, and an answer to one of
    them must not count for the other. The address itself is not ours to keep; the site shows its
    mark (the hash in the address of the avatar) to everybody. Guests without one are one person a
    comment.
    """
    author, name = fields.get_id(row, "author", zero=True), fields.find_text(row, "author_name")
    avatars = row.get("author_avatar_urls")
    avatar = fields.find_url(avatars, "96") if isinstance(avatars, dict) else ""
    if author == "0":
        mark = mark_of(avatar)
        known = [name.casefold(), mark] if name and mark else ["", fields.get_id(row, "id")]
        author = "guest:" + hashlib.sha256(json.dumps(known).encode()).hexdigest()[:20]
    return base.Person(
        external_id=author,
        display_name=name,
        url=fields.find_url(row, "author_url"),
        avatar_url=avatar,
        instance=instance,
    )


def mark_of(avatar_url: str) -> str:
    """The hash of the e-mail address in an address of Gravatar; "" where there is none, or it is
    that of no address at all.
    """
    found = GRAVATAR.search(avatar_url)
    return found[1] if found and found[1] not in NO_ADDRESS else ""


def moment(row: Any) -> datetime | None:
    """`date_gmt` is UTC without saying so."""
    return parse_time(row.get("date_gmt"), assume_utc=True) if isinstance(row, dict) else None


def age_of(rows: Sequence[Any]) -> datetime | None:
    """How far back a page in order of ids reaches: the newest of its last few dates, so that one
    imported comment with an old date does not end a pass early.
    """
    return max((at for row in rows[-TAIL:] if (at := moment(row)) is not None), default=None)


def public(row: Any) -> Any:
    """The row without what must not be kept: e-mail address, IP address, browser."""
    kept = {k: v for k, v in row.items() if k not in PRIVATE} if isinstance(row, dict) else row
    return clean_json(kept)


def ids_of(rows: Iterable[Any], name: str) -> list[str]:
    """The ids in the field `name` of the rows, each once; 0 is none."""
    return list(dict.fromkeys(one for row in rows if (one := fields.find_id(row, name))))


def _rendered(value: Any) -> str | None:
    rendered = value.get("rendered") if isinstance(value, dict) else None
    return rendered if isinstance(rendered, str) else None
