"""Comment threads, comments, channels and subscriptions of the YouTube Data API v3."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.connectors import base, fields
from app.connectors.base import Filed, JsonObject, Kind, Mention, Page, Parent, Person, Signal
from app.connectors.failures import BadResponse
from app.connectors.fields import Unreadable, as_object, find_text
from app.connectors.text import clean_json, parse_time

SITE = "https://www.youtube.com"
YOUNG = timedelta(days=30)
FILED = {"heldForReview": Filed.HELD, "likelySpam": Filed.SPAM}
REJECTED = "rejected"
_CHANNEL = re.compile(r"/channel/(UC[\w-]{22})(?:[/?#]|$)")
_ADDRESS = re.compile(r"@([\w.\-\u00b7]{3,30})")
_COUNT = re.compile(r"[0-9]{1,15}")
_BLANKS = "\u200b\u2060\ufeff\xa0 "
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class Around:
    """What a comment does not say itself: who we are, titles of videos, channels of authors, which
    video a thread is about, and whose list it stands in (`listed`: held, likely spam).
    """

    us: str
    titles: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, JsonObject] = field(default_factory=dict)
    videos: Mapping[str, str] = field(default_factory=dict)
    listed: Filed | None = None


def items_of(body: Any) -> list[Any]:
    """The entries of a list; an answer without any is none of YouTube's."""
    rows = body.get("items") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise BadResponse("YouTube answered with something that is not a list.")
    return rows


def next_token(body: Any) -> str:
    return find_text(body, "nextPageToken") if isinstance(body, dict) else ""


def text_id(row: Any, name: str = "id") -> str | None:
    """An id of YouTube: text, never empty, no control characters."""
    value = row.get(name) if isinstance(row, dict) else None
    sound = isinstance(value, str) and 0 < len(value) <= _LONGEST_ID and value.isprintable()
    return value if sound and not any(mark.isspace() for mark in str(value)) else None


def _get_id(row: Any) -> str:
    if (found := text_id(row)) is None:
        raise Unreadable("id is not an id")
    return found


def _snippet(row: Any) -> JsonObject:
    return as_object(as_object(row).get("snippet"))


def author_of(row: Any) -> str:
    """The channel of a comment's author, "" where YouTube no longer tells it (a closed one)."""
    snippet = row.get("snippet") if isinstance(row, dict) else None
    if not isinstance(snippet, dict):
        return ""
    found = text_id(snippet.get("authorChannelId"), "value")
    link = _CHANNEL.search(find_text(snippet, "authorChannelUrl"))
    return found or (link[1] if link else "")


def comments_in(rows: Iterable[Any]) -> Iterator[Any]:
    """The comments of threads, and comments themselves, as they are."""
    for row in rows:
        snippet = row.get("snippet") if isinstance(row, dict) else None
        top = snippet.get("topLevelComment") if isinstance(snippet, dict) else None
        yield row if top is None else top
        yield from _embedded(row)


def _embedded(row: Any) -> list[Any]:
    replies = row.get("replies") if isinstance(row, dict) else None
    found = replies.get("comments") if isinstance(replies, dict) else None
    return found if isinstance(found, list) else []


def videos_in(rows: Iterable[Any]) -> dict[str, str]:
    """Videos by the thread that is about them."""
    found = {}
    for row in rows:
        snippet = row.get("snippet") if isinstance(row, dict) else None
        root, video = text_id(row), text_id(snippet, "videoId")
        parent = text_id(snippet, "parentId")
        if video and (parent or root):
            found[parent or str(root)] = video
    return found


def root_of(row: Any) -> str | None:
    """The first comment of the thread that a comment belongs to."""
    snippet = row.get("snippet") if isinstance(row, dict) else None
    return text_id(snippet, "parentId") or text_id(row)


def parse_threads(rows: Iterable[Any], around: Around) -> Page:
    """A page of comment threads: each with its first comment and the replies that came with it.
    Those that came without any, although there are some, are counted; they are read by themselves.
    """
    parts, parents, times = [], [], []
    bare = 0
    for row in rows:
        root, video = text_id(row) or "", ""
        try:
            thread = _snippet(row)
            top = as_object(thread.get("topLevelComment"))
            at = parse_time(_snippet(top).get("publishedAt"))
            root, video = _get_id(top), text_id(thread, "videoId") or ""
            told = any(_status(one) for one in (top, *_embedded(row)))
            parts.append(_one(top, root, video, around, None if told else around.listed))
            found = _parent(thread, root, video, at, len(_embedded(row)))
            parents += found
            bare += bool(found and not _embedded(row))
            times += [at] if at else []
        except Unreadable as error:
            bad = base.Unparsed(root or None, error.detail, clean_json(row))
            parts.append(Page(unparsed=(bad,)))
        parts += [_one(reply, root, video, around, None) for reply in _embedded(row)]
    whole = joined(parts)
    return Page(
        mentions=whole.mentions,
        unparsed=whole.unparsed,
        gone=whole.gone,
        skipped={"thread_without_its_replies": bare} if bare else {},
        parents=tuple(parents),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def _parent(
    thread: JsonObject, root: str, video: str, at: datetime | None, embedded: int
) -> list[Parent]:
    """A thread to be read by itself: it has more replies than came with it."""
    count = thread.get("totalReplyCount")
    if type(count) is not int or not embedded < count < fields.LARGEST:
        return []
    return [Parent(root, at, None, count, {"video": video})]


def parse_comments(rows: Iterable[Any], around: Around, *, root: str = "", video: str = "") -> Page:
    """Comments that stand by themselves, or as the replies of `root`."""
    whole = joined([_one(row, root, video, around, None) for row in rows])
    times = [one.occurred_at for one in whole.mentions if one.occurred_at]
    return Page(
        mentions=whole.mentions,
        unparsed=whole.unparsed,
        gone=whole.gone,
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def joined(parts: Iterable[Page]) -> Page:
    every = list(parts)
    return Page(
        mentions=tuple(one for part in every for one in part.mentions),
        unparsed=tuple(one for part in every for one in part.unparsed),
        gone=tuple(one for part in every for one in part.gone),
    )


def _one(row: Any, root: str, video: str, around: Around, listed: Filed | None) -> Page:
    """One comment as a page of its own, so that a bad one costs no other."""
    try:
        if _status(row) == REJECTED and (key := text_id(row)):
            return Page(gone=(key,))
        return Page(mentions=(parse_comment(row, around, root, video, listed),))
    except Unreadable as error:
        return Page(unparsed=(base.Unparsed(text_id(row), error.detail, clean_json(row)),))


def _status(row: Any) -> str:
    snippet = row.get("snippet") if isinstance(row, dict) else None
    return find_text(snippet, "moderationStatus") if isinstance(snippet, dict) else ""


def parse_comment(
    row: Any, around: Around, root: str = "", video: str = "", listed: Filed | None = None
) -> Mention:
    """One comment. Threads are flat: a reply hangs on the first comment, whomever it answers; a
    leading `@handle` tells whom.
    """
    comment, snippet = as_object(row), _snippet(row)
    external_id = _get_id(comment)
    parent = text_id(snippet, "parentId") or (root if root != external_id else "") or None
    top = parent or external_id
    raw = snippet.get("textDisplay", snippet.get("textOriginal"))
    if not isinstance(raw, str):
        raise Unreadable("textDisplay is not text")
    shown = find_text(snippet, "textOriginal") or find_text(snippet, "textDisplay")
    at, changed = (parse_time(snippet.get(name)) for name in ("publishedAt", "updatedAt"))
    video = text_id(snippet, "videoId") or video or around.videos.get(top, "")
    status = _status(comment)
    return Mention(
        external_id=external_id,
        kind=Kind.COMMENT if parent is None else Kind.REPLY,
        author=parse_author(comment, external_id, at, around),
        thread=base.ThreadRef(
            top, around.titles.get(video, ""), permalink(video, top), at if parent is None else None
        ),
        occurred_at=at,
        text=shown,
        text_raw=shown,
        parent_external_id=parent,
        permalink=permalink(video, external_id),
        edited_at=changed if at and changed and changed > at else None,
        filed=FILED.get(status) if status else listed,
        addressed=addressed_in(shown),
        raw=clean_json({key: part for key, part in comment.items() if key != "etag"}),
    )


def permalink(video: str, external_id: str) -> str:
    """Where a comment stands; one on a channel's own page has no address."""
    return f"{SITE}/watch?v={video}&lc={external_id}" if video else ""


def addressed_in(text: str) -> tuple[str, ...]:
    """The handles with which a comment begins: whom a reply within a flat thread answers."""
    found: list[str] = []
    rest = text.lstrip(_BLANKS)
    while match := _ADDRESS.match(rest):
        found.append(match[1].rstrip(".").lower())
        rest = rest[match.end() :].lstrip(_BLANKS + ",:")
    return tuple(dict.fromkeys(found))


def parse_author(row: JsonObject, external_id: str, at: datetime | None, around: Around) -> Person:
    """The author by the channel; where that is closed, one person a comment."""
    snippet, channel = _snippet(row), author_of(row)
    name = find_text(snippet, "authorDisplayName")
    known = around.channels.get(channel, {})
    created_at, followers = facts_of(known)
    picture = fields.find_url(snippet, "authorProfileImageUrl")
    return Person(
        external_id=channel or f"closed:{external_id}",
        handle=name.removeprefix("@") if name.startswith("@") else "",
        display_name=name,
        url=f"{SITE}/channel/{channel}" if channel else "",
        avatar_url=picture,
        followers=followers,
        created_at=created_at,
        signals=tuple(_signals(created_at, at)),
    )


def facts_of(channel: JsonObject) -> tuple[datetime | None, int | None]:
    """When a channel was made, and how many have subscribed to it (`None` where it hides that)."""
    snippet, numbers = channel.get("snippet"), channel.get("statistics")
    made = parse_time(snippet.get("publishedAt")) if isinstance(snippet, dict) else None
    if not isinstance(numbers, dict) or numbers.get("hiddenSubscriberCount") is True:
        return made, None
    count = numbers.get("subscriberCount")
    told = count if isinstance(count, str) and _COUNT.fullmatch(count) else None
    return made, None if told is None else int(told)


def _signals(created_at: datetime | None, at: datetime | None) -> Iterator[Signal]:
    if created_at and at and timedelta() <= at - created_at < YOUNG:
        made = f"The channel was made on {created_at:%Y-%m-%d}, less than 30 days before."
        yield Signal("young_account", made)


def parse_subscriptions(rows: Iterable[Any]) -> Page:
    """People who have subscribed, as far as they do so in public."""
    found, bad = [], []
    for row in rows:
        try:
            found.append(_subscriber(as_object(row)))
        except Unreadable as error:
            bad.append(base.Unparsed(None, error.detail, clean_json(row)))
    times = [one.occurred_at for one in found if one.occurred_at]
    return Page(
        mentions=tuple(found),
        unparsed=tuple(bad),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def _subscriber(row: JsonObject) -> Mention:
    person = as_object(row.get("subscriberSnippet"))
    key, channel = text_id(row), text_id(person, "channelId")
    if key is None or channel is None:
        raise Unreadable("a subscription without its id or its channel")
    at = parse_time(_snippet(row).get("publishedAt"))
    url = f"{SITE}/channel/{channel}"
    return Mention(
        external_id=f"follow:{key}",
        kind=Kind.FOLLOW,
        author=Person(channel, display_name=find_text(person, "title"), url=url),
        thread=base.ThreadRef(f"follow:{key}", permalink=url, started_at=at),
        occurred_at=at,
        permalink=url,
        raw=clean_json(row),
    )


def parse_titles(rows: Iterable[Any]) -> dict[str, str]:
    """Titles of videos by their ids; a row that is none is left out."""
    found = {}
    for row in rows:
        snippet = row.get("snippet") if isinstance(row, dict) else None
        if (video := text_id(row)) and isinstance(snippet, dict):
            found[video] = find_text(snippet, "title")
    return found


def parse_channels(rows: Iterable[Any]) -> dict[str, JsonObject]:
    return {key: row for row in rows if (key := text_id(row)) and isinstance(row, dict)}
