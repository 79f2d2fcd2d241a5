"""Posts, notifications and threads of Bluesky (lexicons app.bsky.*), read without a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.connectors.atproto import tid
from app.connectors.atproto.media import links_in, media_in
from app.connectors.atproto.values import inner, objects_in, owner_of, permalink, text_in
from app.connectors.base import (
    JsonObject,
    Kind,
    Media,
    Mention,
    Parent,
    Person,
    Signal,
    TextFormat,
    ThreadRef,
    Unparsed,
)
from app.connectors.failures import BadResponse
from app.connectors.text import clean, clean_json, parse_time

YOUNG = timedelta(days=30)
POST_REASONS = frozenset({"mention", "reply", "quote"})
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class Entries:
    """What a list held, in its order. `times` are the server's sort times of all entries."""

    mentions: tuple[Mention, ...]
    unparsed: tuple[Unparsed, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    gone: tuple[str, ...] = ()
    times: tuple[datetime, ...] = ()


def as_object(body: Any, what: str) -> JsonObject:
    if not isinstance(body, dict):
        raise BadResponse(f"The server sent no {what}.")
    return body


def list_in(body: Any, name: str) -> list[Any]:
    """The list called `name` of an answer; `BadResponse` where there is none."""
    found = as_object(body, name).get(name)
    if not isinstance(found, list):
        raise BadResponse(f"The server sent no list of {name}.")
    return found


def _required(entity: Any, name: str) -> str:
    found = text_in(entity, name)
    if not found:
        raise ValueError(f"it has no {name}")
    return found


def sorted_at(entity: JsonObject) -> datetime | None:
    """The time by which the server sorts: the earlier of the author's claim and its own."""
    claimed = parse_time(inner(entity, "record").get("createdAt"))
    indexed = parse_time(entity.get("indexedAt"))
    return min((each for each in (claimed, indexed) if each), default=None)


def parse_person(author: Any, *, seen_at: datetime | None) -> Person:
    """A profile view. `seen_at` is the time of what was written: young is told against that."""
    did = _required(author, "did")
    created_at = parse_time(author.get("createdAt"))
    followers = author.get("followersCount")
    signals = tuple(_signals(author, did, created_at, seen_at))
    return Person(
        external_id=did,
        handle=text_in(author, "handle"),
        display_name=text_in(author, "displayName"),
        url=f"https://bsky.app/profile/{did}",
        avatar_url=text_in(author, "avatar"),
        followers=followers if isinstance(followers, int) else None,
        is_bot=any(signal.code == "bot" for signal in signals),
        created_at=created_at,
        signals=signals,
    )


def _signals(
    author: JsonObject, did: str, created_at: datetime | None, seen_at: datetime | None
) -> Iterable[Signal]:
    for label in objects_in(author, "labels"):
        value, source = text_in(label, "val"), text_in(label, "src")
        if value == "bot":
            yield Signal("bot", "The account says that it is automated.")
        elif value and source != did and label.get("neg") is not True:
            yield Signal("labelled", f"A moderation service labelled the account: {value}.")
    if created_at and seen_at and timedelta(0) <= seen_at - created_at < YOUNG:
        yield Signal(
            "young_account",
            f"The account was made on {created_at:%Y-%m-%d}, less than 30 days ago.",
        )
    if not text_in(author, "avatar"):
        yield Signal("default_avatar", "The account has no picture of its own.")


def addressed_in(record: JsonObject) -> tuple[str, ...]:
    """The DIDs that a text names; a handle without a facet names nobody."""
    features = (
        each for facet in objects_in(record, "facets") for each in objects_in(facet, "features")
    )
    dids = (
        text_in(each, "did") for each in features if text_in(each, "$type").endswith("#mention")
    )
    return tuple(dict.fromkeys(did for did in dids if did))


def kind_of(record: JsonObject, us: str) -> Kind:
    """What a post is to us, from itself alone. `reason` of a notification can't tell: a reply
    that names us is reported as a mention, and one customer answering another as a reply.
    """
    reply = inner(record, "reply")
    if owner_of(text_in(inner(reply, "parent"), "uri")) == us:
        return Kind.REPLY
    return Kind.COMMENT if reply and us not in addressed_in(record) else Kind.MENTION


def parse_post(entity: Any, us: str) -> Mention:
    """A post view, or a notification about a post: both carry author, record, uri and cid.

    Raises `ValueError` and its like where it cannot be read; the lists below catch them.
    """
    uri, record = _required(entity, "uri"), inner(entity, "record")
    if "text" not in record:
        raise ValueError("its record is no post")
    occurred_at = parse_time(record.get("createdAt"))
    indexed_at = tid.indexed_at(uri, parse_time(entity.get("indexedAt")), occurred_at)
    author = parse_person(entity.get("author"), seen_at=indexed_at or occurred_at)
    parent = text_in(inner(record, "reply", "parent"), "uri")
    root = text_in(inner(record, "reply", "root"), "uri") or parent or uri
    return Mention(
        external_id=uri,
        kind=kind_of(record, us),
        author=author,
        thread=ThreadRef(
            root, permalink=permalink(root), started_at=occurred_at if root == uri else None
        ),
        occurred_at=occurred_at,
        text=text_in(record, "text"),
        text_raw=text_in(record, "text"),
        text_format=TextFormat.FACETS if objects_in(record, "facets") else TextFormat.PLAIN,
        parent_external_id=parent or None,
        permalink=permalink(uri, author.external_id),
        language=next((clean(each) for each in record.get("langs") or () if each), ""),
        indexed_at=indexed_at,
        revision=text_in(entity, "cid"),
        addressed=addressed_in(record),
        media=_media(entity, record, author.external_id),
        acknowledged=bool(text_in(inner(entity, "viewer"), "like")),
        raw=clean_json(entity),
    )


def _media(entity: JsonObject, record: JsonObject, did: str) -> tuple[Media, ...]:
    embedded = media_in(inner(entity, "embed") or inner(record, "embed"), did)
    shown = {each.url for each in embedded}
    return (*embedded, *(each for each in links_in(record) if each.url not in shown))


def parse_follow(entity: Any, us: str) -> Mention:
    """A follow. Its id is that of the record, so a second follow after an unfollow is a new one."""
    del us
    uri, told = _required(entity, "uri"), parse_time(entity.get("indexedAt"))
    claimed = parse_time(inner(entity, "record").get("createdAt"))
    occurred_at, indexed_at = claimed or told, tid.indexed_at(uri, told, claimed)
    person = parse_person(entity.get("author"), seen_at=indexed_at or occurred_at)
    return Mention(
        external_id=uri,
        kind=Kind.FOLLOW,
        author=person,
        thread=ThreadRef(uri, permalink=person.url, started_at=occurred_at),
        occurred_at=occurred_at,
        permalink=person.url,
        indexed_at=indexed_at,
        revision=text_in(entity, "cid"),
        raw=clean_json(entity),
    )


def parse_notification(entity: Any, us: str) -> Mention | str:
    """What a notification brings, or its reason where we keep nothing of it. Never `isRead`: it
    says true for everything until somebody has looked.
    """
    reason = _required(entity, "reason")
    if reason == "follow":
        return parse_follow(entity, us)
    return parse_post(entity, us) if reason in POST_REASONS else reason


def parse_feed_post(entity: Any, us: str) -> Mention | str:
    """An entry of our own feed; what we merely repost is counted only."""
    reason = text_in(inner(entity, "reason"), "$type")
    return "repost" if reason.endswith("#reasonRepost") else parse_post(inner(entity, "post"), us)


def _listed_at(entity: Any, post: Any) -> datetime | None:
    """The sort time of an entry: a repost stands at its own time, a pinned post at none."""
    reason = inner(entity, "reason")
    if reason:
        return parse_time(reason.get("indexedAt"))
    return sorted_at(post) if isinstance(post, dict) else None


def parse_entries(
    entities: Iterable[Any], us: str, parse: Callable[[Any, str], Mention | str]
) -> Entries:
    """A list of entities. One bad entry never hides the others."""
    mentions: list[Mention] = []
    unparsed: list[Unparsed] = []
    skipped: Counter[str] = Counter()
    times: list[datetime] = []
    for entity in entities:
        post = inner(entity, "post") or entity
        try:
            parsed = parse(entity, us)
        except _MALFORMED as error:
            unparsed.append(Unparsed(text_in(post, "uri") or None, str(error), clean_json(entity)))
        else:
            if isinstance(parsed, Mention):
                mentions.append(parsed)
            else:
                skipped[parsed] += 1
        at = _listed_at(entity, post)
        times += [at] if at else []
    return Entries(tuple(mentions), tuple(unparsed), skipped, times=tuple(times))


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation in platform order; `cut` are posts below which more stands than was sent."""

    entries: Entries
    cut: tuple[str, ...]


def parse_thread(node: Any, us: str, *, depth: int) -> Thread:
    """A `threadViewPost`: what stands above it, itself, and all below, down to `depth`.

    A node that says notFound is gone; a blocked one exists, hidden from one of the two. A post
    whose list of replies was left out although it counts some is where the server stopped.
    """
    posts: list[Any] = []
    gone: list[str] = []
    bad: list[Unparsed] = []
    skipped: Counter[str] = Counter()
    cut: list[str] = []
    for each, level in _nodes(node):
        if not isinstance(each, dict):
            bad.append(Unparsed(None, "a reply in a thread is no object", clean_json(each)))
            continue
        kind = text_in(each, "$type").rpartition("#")[2]
        if kind == "notFoundPost" or each.get("notFound") is True:
            gone.append(text_in(each, "uri"))
        elif "post" not in each:
            skipped[kind or "unknown"] += 1
        else:
            posts.append(each["post"])
            if level and _is_cut(each, at_the_end=level >= depth):
                cut.append(text_in(each["post"], "uri"))
    read = parse_entries(posts, us, parse_post)
    entries = Entries(
        read.mentions,
        (*read.unparsed, *bad),
        skipped,
        tuple(each for each in gone if each),
        read.times,
    )
    return Thread(entries, tuple(each for each in cut if each))


def _is_cut(node: JsonObject, *, at_the_end: bool) -> bool:
    """Whether a node has replies that were not sent. What stands above the post that was asked for
    (level 0) never brings its replies.
    """
    unsent = not node.get("replies") if at_the_end else "replies" not in node
    return unsent and bool(inner(node, "post").get("replyCount"))


def _replies_of(node: JsonObject) -> list[Any]:
    """What stands below a node, also what can't be read."""
    found = node.get("replies")
    if found is None:
        return []
    return found if isinstance(found, list) else [found]


def _nodes(node: Any) -> Iterable[tuple[Any, int]]:
    """All nodes of a thread with their depth, depth first; without recursion, threads are deep."""
    above = []
    parent = inner(node, "parent")
    while parent:
        above.append(parent)
        parent = inner(parent, "parent")
    yield from ((each, 0) for each in reversed(above))
    waiting: list[tuple[Any, int]] = [(node, 0)]
    while waiting:
        each, level = waiting.pop()
        yield each, level
        if isinstance(each, dict):
            waiting += [(reply, level + 1) for reply in reversed(_replies_of(each))]


def parse_parents(feed: Iterable[Any], us: str) -> tuple[Parent, ...]:
    """Our posts below which somebody may write: our roots, and what we wrote below others' posts
    and was answered. (Below our own roots the root's thread holds everything.)
    """
    found = []
    for entity in feed:
        post = inner(entity, "post")
        uri, record = text_in(post, "uri"), inner(post, "record")
        root = text_in(inner(record, "reply", "root"), "uri")
        count = post.get("replyCount")
        counter = count if isinstance(count, int) else None
        if owner_of(uri) != us or owner_of(root) == us or (root and not counter):
            continue
        found.append(Parent(uri, created_at=sorted_at(post), counter=counter))
    return tuple(found)


def overlapped(cursor: str) -> str:
    """A cursor that reads its own millisecond again: the server's comparison is strict, and what
    shares the millisecond of a page's last entry would be lost. Other cursors stay as they are.
    """
    at = parse_time(cursor)
    if at is None:
        return cursor
    later = at + timedelta(milliseconds=1)
    return f"{later:%Y-%m-%dT%H:%M:%S}.{later.microsecond // 1000:03d}Z"


def cursor_after(body: JsonObject, sent: str | None) -> str | None:
    """The cursor of the next older page; `None` at the end. A page that only repeats the
    millisecond it was asked for is left by the server's own cursor.
    """
    given = body.get("cursor")
    if not isinstance(given, str) or not given or given == sent:
        return None
    ahead = overlapped(given)
    return given if ahead == sent else ahead
