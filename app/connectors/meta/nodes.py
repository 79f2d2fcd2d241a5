"""What all things of the Graph API have in common: ids, people, names in texts, pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.connectors.base import JsonObject, Media, Mention, Person, Signal, Unparsed
from app.connectors.branches import HIDDEN_AUTHOR
from app.connectors.fields import Unreadable, as_object, find_text, find_url
from app.connectors.text import clean_json, parse_time

_ID = re.compile(r"[A-Za-z0-9_.:=+/-]{1,400}", re.ASCII)
_NOBODY = Signal(HIDDEN_AUTHOR, "Meta does not tell who wrote this.")
_KINDS = (("video", "video"), ("photo", "image"), ("image", "image"), ("sticker", "image"))


@dataclass(frozen=True, slots=True)
class Parsed:
    """The rows of a list: what could be read, and what is put aside."""

    mentions: tuple[Mention, ...] = ()
    unparsed: tuple[Unparsed, ...] = ()


def parse_rows(rows: Sequence[Any], parse: Callable[[JsonObject], Mention]) -> Parsed:
    """Reads each row by itself: one that can't be read costs no other."""
    mentions, unparsed = [], []
    for row in rows:
        try:
            mentions.append(parse(as_object(row)))
        except Unreadable as error:
            unparsed.append(Unparsed(find_node_id(row), error.detail, clean_json(row)))
    return Parsed(tuple(mentions), tuple(unparsed))


def node_id(row: JsonObject, name: str = "id") -> str:
    """An id of the Graph API: digits, often two numbers joined by `_`, letters in messages."""
    value = row.get(name)
    if type(value) is int and value > 0:
        value = str(value)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise Unreadable(f"{name} is not an id")
    return value


def find_node_id(row: Any, name: str = "id") -> str | None:
    try:
        return node_id(as_object(row), name)
    except Unreadable:
        return None


def last_part(external_id: str) -> str:
    """What two spellings of one id have in common: `98765` and `12345_98765` are the same."""
    return external_id.rpartition("_")[2]


def author_of(row: JsonObject, external_id: str, *, field: str = "from") -> Person:
    """Who wrote it. Meta leaves the author out where the app may not see him: then nobody is named,
    and two such messages are never taken for those of one person.
    """
    person = row.get(field)
    found = find_node_id(person)
    if found is None or not isinstance(person, dict):
        return Person(f"unknown:{external_id}", signals=(_NOBODY,))
    handle = find_text(person, "username")
    # No picture: its address is signed anew for every answer, and soon expires.
    return Person(found, handle=handle, display_name=find_text(person, "name"))


def tagged_in(row: JsonObject) -> tuple[str, ...]:
    """Ids of the people and Pages that a text names; old answers group them by their place."""
    tags = row.get("message_tags")
    lists = tags.values() if isinstance(tags, dict) else [tags]
    flat = (tag for each in lists if isinstance(each, list) for tag in each)
    return tuple(dict.fromkeys(found for tag in flat if (found := find_node_id(tag))))


def data_of(value: Any) -> list[Any]:
    """The entries of a list inside a thing: `{"data": […]}`."""
    rows = value.get("data") if isinstance(value, dict) else None
    return rows if isinstance(rows, list) else []


def total_of(value: Any) -> int | None:
    """How many entries Meta counts in a list inside a thing."""
    summary = value.get("summary") if isinstance(value, dict) else None
    total = summary.get("total_count") if isinstance(summary, dict) else None
    return total if type(total) is int and total >= 0 else None


def media_in(attachments: Sequence[Any]) -> tuple[Media, ...]:
    """Pictures, videos and links; an album as its parts. Addresses of pictures expire."""
    return tuple(found for each in attachments for found in _media(each))


def _media(value: Any) -> Iterator[Media]:
    if not isinstance(value, dict):
        return
    if parts := data_of(value.get("subattachments")):
        yield from (found for part in parts[:50] for found in _media({**_plain(part)}))
        return
    said = find_text(value, "type") or find_text(value, "media_type")
    kind = next((ours for word, ours in _KINDS if word in said), "link")
    url = _source(value) or find_url(value, "url")
    if url:
        words = find_text(value, "title") or find_text(value, "description")
        yield Media(kind, url, words)


def _plain(part: Any) -> JsonObject:
    """A part of an album, whose own parts don't count."""
    return {k: v for k, v in part.items() if k != "subattachments"} if type(part) is dict else {}


def _source(value: JsonObject) -> str:
    media = value.get("media")
    if not isinstance(media, dict):
        return ""
    image = media.get("image")
    return find_url(media, "source") or (find_url(image, "src") if type(image) is dict else "")


def ends_of(rows: Sequence[Any], name: str) -> tuple[datetime | None, datetime | None]:
    """The oldest and the newest time on a page, kept or not."""
    times = [at for row in rows if type(row) is dict and (at := parse_time(row.get(name)))]
    return min(times, default=None), max(times, default=None)
