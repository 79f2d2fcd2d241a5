"""Comments below videos of others that name our account, as TikTok lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from app.connectors.base import JsonObject, Kind, Mention, Page, Person, ThreadRef, Unparsed
from app.connectors.branches import named_in
from app.connectors.fields import Unreadable, as_object, find_id, find_text, find_url, get_id
from app.connectors.text import clean_json, parse_time, title_of
from app.connectors.tiktok.comments import NOBODY, Us
from app.connectors.tiktok.videos import without_query

PREFIX = "mention:"
CAP = 1000
_FIELDS = (
    '["item_id","video_link","caption","comment_id","comment_type","comment_text",'
    '"comment_create_time","commenter_display_name"]'
)
ASKED = (
    ("fields", _FIELDS),
    ("sort_field", "COMMENT_CREATE_TIME"),
    ("sort_type", "DESC"),
)


def is_mention(external_id: str) -> bool:
    """Whether it is one that TikTok tells in its list only."""
    return external_id.startswith(PREFIX)


def parse_mentions(rows: Sequence[Any], us: Us) -> Page:
    """A page of the list, newest first. What stands below a video of ours is read there."""
    mentions, unparsed, times, below_ours = [], [], [], 0
    for row in rows:
        try:
            found = _mention(as_object(row), us)
        except Unreadable as error:
            comment_id = find_id(row, "comment_id")
            known = PREFIX + comment_id if comment_id else None
            unparsed.append(Unparsed(known, error.detail, clean_json(row)))
            continue
        times += [found.occurred_at] if found.occurred_at else []
        if _is_below_ours(found.thread.permalink, us):
            below_ours += 1
        else:
            mentions.append(found)
    return Page(
        mentions=tuple(mentions),
        unparsed=tuple(unparsed),
        skipped={"below_own_video": below_ours} if below_ours else {},
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def _mention(row: JsonObject, us: Us) -> Mention:
    """TikTok tells no more of the author than a name that anybody may bear: each is a person of
    its own.
    """
    external_id = PREFIX + get_id(row, "comment_id")
    link = without_query(find_url(row, "video_link"))
    text = find_text(row, "comment_text")
    if not isinstance(row.get("comment_text"), str):
        raise Unreadable("comment_text is not text")
    name = find_text(row, "commenter_display_name")
    return Mention(
        external_id=external_id,
        kind=Kind.MENTION,
        author=Person(f"unknown:{external_id}", display_name=name, signals=(NOBODY,)),
        thread=ThreadRef(external_id, title_of(find_text(row, "caption")), link),
        occurred_at=parse_time(row.get("comment_create_time")),
        text=text,
        text_raw=text,
        permalink=link,
        addressed=tuple(dict.fromkeys((*named_in(text), us.external_id))),
        raw=clean_json(row),
    )


def _is_below_ours(link: str, us: Us) -> bool:
    owner = urlsplit(link).path.strip("/").partition("/")[0]
    return bool(us.username) and owner.lower() == f"@{us.username.lower()}"
