"""Our videos: what comments stand under, and how many of them TikTok counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.connectors.base import JsonObject, Page, Parent, Unparsed
from app.connectors.fields import (
    LARGEST,
    Unreadable,
    as_object,
    find_id,
    find_text,
    find_url,
    get_id,
)
from app.connectors.text import clean_json, parse_time, title_of

SITE = "https://www.tiktok.com"
ASKED = (
    ("fields", '["item_id","create_time","comments","share_url","caption"]'),
    ("max_count", "20"),
)


@dataclass(frozen=True, slots=True)
class Video:
    """What a comment says of the video above it."""

    id: str
    title: str = ""
    permalink: str = ""


def parse_videos(rows: Sequence[Any]) -> Page:
    """A page of our videos, newest first; they are no messages, only parents to watch."""
    parents, unparsed = [], []
    for row in rows:
        try:
            parents.append(_parent(as_object(row)))
        except Unreadable as error:
            found = Unparsed(find_id(row, "item_id"), error.detail, clean_json(row))
            unparsed.append(found)
    times = [parent.created_at for parent in parents if parent.created_at is not None]
    return Page(
        parents=tuple(parents),
        unparsed=tuple(unparsed),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def _parent(row: JsonObject) -> Parent:
    return Parent(
        get_id(row, "item_id"),
        created_at=parse_time(row.get("create_time")),
        counter=counter_of(row, "comments"),
        extra={
            "title": title_of(find_text(row, "caption")),
            "permalink": without_query(find_url(row, "share_url")),
        },
    )


def counter_of(row: JsonObject, name: str) -> int | None:
    """A number that TikTok counts, `None` where it does not tell."""
    count = row.get(name)
    return count if type(count) is int and 0 <= count < LARGEST else None


def without_query(url: str) -> str:
    """TikTok adds to each address which app has asked for it."""
    try:
        return urlsplit(url)._replace(query="", fragment="").geturl()
    except ValueError:
        return ""


def video_of(parent: Parent, username: str) -> Video:
    """The video that a watched parent is."""
    permalink = find_text(parent.extra, "permalink") or address_of(parent.external_id, username)
    return Video(parent.external_id, find_text(parent.extra, "title"), permalink)


def address_of(video_id: str, username: str) -> str:
    """Where a video of ours stands, "" while our user name is unknown."""
    return f"{SITE}/@{username}/video/{video_id}" if username else ""
