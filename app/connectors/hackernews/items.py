"""Items of the Firebase API, and hits of the search, which say the same in other words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from app.connectors import base, failures, fields
from app.connectors.base import (
    JsonObject,
    Kind,
    Mention,
    Page,
    Parent,
    ThreadRef,
)
from app.connectors.text import clean, clean_json, html_to_text, parse_time

SITE = "https://news.ycombinator.com"


def parse_hit(hit: JsonObject, kind: Kind) -> Mention:
    """A hit of Algolia: a comment has `comment_text`, a story or poll has `title`."""
    is_comment = isinstance(hit.get("comment_text"), str)
    item = {
        "id": hit.get("objectID"),
        "type": "comment" if is_comment else "story",
        "by": hit.get("author"),
        "time": hit.get("created_at_i"),
        "text": hit.get("comment_text" if is_comment else "story_text"),
        "parent": hit.get("parent_id") if is_comment else None,
        "title": hit.get("title"),
        "url": hit.get("url"),
    }
    root = fields.find_id(hit, "story_id") or fields.find_id(item, "parent")
    above = parse_root(root, fields.find_text(hit, "story_title")) if is_comment and root else None
    return parse_item(item, above or parse_thread(item), kind, raw=hit)


def parse_parent(post: Mention) -> Parent:
    """A post to watch; `counter` is the number of its direct answers (of all comments below, for
    a story), where the search tells it.
    """
    raw = post.raw or {}
    children, comments = raw.get("children"), raw.get("num_comments")
    counter = len(children) if isinstance(children, list) else None
    return Parent(
        external_id=post.external_id,
        created_at=post.occurred_at,
        counter=comments if type(comments) is int else counter,
        extra={"thread": post.thread.external_id, "title": post.thread.title},
    )


def parse_watched(parent: Parent) -> ThreadRef | None:
    """The thread that `parse_parent` noted."""
    root = fields.find_id(parent.extra, "thread")
    return None if root is None else parse_root(root, fields.find_text(parent.extra, "title"))


def parse_one(value: Any, thread: ThreadRef | None, kind: Kind) -> Page:
    """An item of Firebase as a page of its own. Dead items are shown to nobody: gone, like
    deleted ones. Without `thread` the item is a root.
    """
    try:
        item = fields.as_object(value)
        external_id, sort = fields.get_id(item, "id"), fields.get_text(item, "type")
        if item.get("deleted") or item.get("dead"):
            return Page(gone=(external_id,))
        if sort not in {"comment", "story", "poll"}:
            return Page(skipped={sort: 1})
        return Page(mentions=(parse_item(item, thread or parse_thread(item), kind),))
    except fields.Unreadable as error:
        return Page(
            unparsed=(base.Unparsed(fields.find_id(value), error.detail, clean_json(value)),)
        )


def parse_item(
    item: JsonObject, thread: ThreadRef, kind: Kind, *, raw: JsonObject | None = None
) -> Mention:
    """A story is its title and, if it has one, its text; a comment is its text. `raw` is what came
    where that is not the item itself.
    """
    external_id, html = fields.get_id(item, "id"), item.get("text")
    is_comment = item["type"] == "comment"
    if is_comment and not isinstance(html, str):
        raise fields.Unreadable("text is not text")
    title = "" if is_comment else html_to_text(fields.get_text(item, "title"))
    body = clean(html) if isinstance(html, str) else ""
    return Mention(
        external_id=external_id,
        kind=kind,
        author=parse_author(fields.get_text(item, "by")),
        thread=thread,
        occurred_at=moment(item, "time"),
        text="\n\n".join(part for part in (title, html_to_text(body)) if part),
        text_raw=body or title,
        text_format=base.TextFormat.HTML if body else base.TextFormat.PLAIN,
        parent_external_id=fields.find_id(item, "parent"),
        permalink=page_of(external_id),
        media=(base.Media("link", url),) if (url := fields.find_url(item, "url")) else (),
        raw=clean_json(item if raw is None else raw),
    )


def parse_thread(item: JsonObject) -> ThreadRef:
    root = parse_root(fields.get_id(item, "id"), fields.find_text(item, "title"))
    return replace(root, started_at=moment(item, "time"))


def parse_root(external_id: str, title: str) -> ThreadRef:
    return ThreadRef(external_id, html_to_text(title), page_of(external_id))


def parse_author(name: str) -> base.Person:
    """The name is the id: it never changes, and its case matters."""
    return base.Person(external_id=name, handle=name, url=f"{SITE}/user?id={quote(name)}")


def kids_of(item: JsonObject) -> list[str]:
    """Ids of the direct answers, oldest first; none is no `kids` at all."""
    kids = item.get("kids", [])
    if not isinstance(kids, list):
        raise failures.BadResponse("The list of answers (`kids`) is not a list.")
    return sorted((one for kid in kids if (one := fields.find_id({"id": kid}))), key=int)


def moment(row: Any, name: str) -> datetime | None:
    """Seconds since 1970."""
    seconds = row.get(name) if isinstance(row, dict) else None
    return parse_time(seconds) if type(seconds) is int else None


def page_of(external_id: str) -> str:
    return f"{SITE}/item?id={external_id}"


def join(pages: Sequence[Page]) -> Page:
    """What several requests brought, as one page."""
    skipped: Counter[str] = Counter()
    for page in pages:
        skipped.update(page.skipped)
    mentions = tuple(one for page in pages for one in page.mentions)
    times = [one.occurred_at for one in mentions if one.occurred_at is not None]
    return Page(
        mentions=mentions,
        gone=tuple(one for page in pages for one in page.gone),
        unparsed=tuple(one for page in pages for one in page.unparsed),
        skipped=dict(skipped),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )
