"""Messenger: the conversations of a Page, and the messages in them. Nobody else sees them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin

from app.connectors.base import (
    JsonObject,
    Kind,
    Media,
    Mention,
    Page,
    Parent,
    ThreadRef,
    Unparsed,
    Visibility,
)
from app.connectors.fields import Unreadable, as_object, find_text, find_url
from app.connectors.meta.nodes import (
    author_of,
    data_of,
    ends_of,
    find_node_id,
    node_id,
    parse_rows,
)
from app.connectors.text import clean_json, parse_time

CONVERSATION_FIELDS = "id,updated_time,unread_count,message_count,can_reply,link,participants"
MESSAGE_FIELDS = "id,created_time,from,to,message,attachments,sticker,shares"
WEB = "https://www.facebook.com"
_FILES = (("image_data", "image"), ("video_data", "video"))


def parse_conversations(rows: Sequence[Any], us: str) -> Page:
    """A page of conversations, the one that changed last first: parents to watch."""
    parents, unparsed = [], []
    for row in rows:
        try:
            parents.append(_parent(as_object(row), us))
        except Unreadable as error:
            unparsed.append(Unparsed(find_node_id(row), error.detail, clean_json(row)))
    oldest, newest = ends_of(rows, "updated_time")
    return Page(
        parents=tuple(parents), unparsed=tuple(unparsed), oldest_at=oldest, newest_at=newest
    )


def _parent(row: JsonObject, us: str) -> Parent:
    count = row.get("message_count")
    people = (each for each in data_of(row.get("participants")) if isinstance(each, dict))
    other = next((each for each in people if find_node_id(each) != us), {})
    link = find_text(row, "link")
    return Parent(
        node_id(row),
        changed_at=parse_time(row.get("updated_time")),
        counter=count if type(count) is int and count >= 0 else None,
        extra={
            "title": find_text(other, "name"),
            "permalink": urljoin(WEB, link) if link.startswith("/") else "",
        },
    )


def thread_of(parent: Parent) -> ThreadRef:
    extra = parent.extra
    return ThreadRef(parent.external_id, find_text(extra, "title"), find_text(extra, "permalink"))


def parse_messages(rows: Sequence[Any], thread: ThreadRef) -> Page:
    """A page of one conversation, newest first; what we wrote addresses those it was sent to."""
    parsed = parse_rows(rows, lambda row: parse_message(row, thread))
    oldest, newest = ends_of(rows, "created_time")
    return Page(
        mentions=parsed.mentions, unparsed=parsed.unparsed, oldest_at=oldest, newest_at=newest
    )


def parse_message(row: JsonObject, thread: ThreadRef) -> Mention:
    external_id = node_id(row)
    text = find_text(row, "message")
    to = (find_node_id(each) for each in data_of(row.get("to")))
    return Mention(
        external_id=external_id,
        kind=Kind.DIRECT_MESSAGE,
        author=author_of(row, external_id),
        thread=thread,
        occurred_at=parse_time(row.get("created_time")),
        text=text,
        text_raw=text,
        visibility=Visibility.DIRECT,
        addressed=tuple(each for each in to if each),
        media=_media(row),
        raw=clean_json(_without_addresses(row)),
    )


def _media(row: JsonObject) -> tuple[Media, ...]:
    found = [Media("image", url)] if (url := find_url(row, "sticker")) else []
    for each in data_of(row.get("attachments")):
        if not isinstance(each, dict):
            continue
        kinds = (kind for name, kind in _FILES if isinstance(each.get(name), dict))
        places = (each.get(name) for name, _ in _FILES)
        inner = next((place for place in places if isinstance(place, dict)), {})
        url = find_url(inner, "url") or find_url(each, "file_url")
        if url:
            found.append(Media(next(kinds, "file"), url, find_text(each, "name")))
    return tuple(found)


def _without_addresses(row: JsonObject) -> JsonObject:
    """Meta makes up an e-mail address for everybody in a conversation; it is of no use to us."""

    def bare(person: Any) -> Any:
        return (
            {k: v for k, v in person.items() if k != "email"}
            if isinstance(person, dict)
            else person
        )

    kept = {**row, "from": bare(row.get("from"))}
    if isinstance(row.get("to"), dict):
        kept["to"] = {"data": [bare(each) for each in data_of(row["to"])]}
    return kept
