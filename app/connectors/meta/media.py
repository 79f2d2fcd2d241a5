"""Posts of an Instagram account and the comments below them, as the Graph API tells them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from app.connectors.base import (
    JsonObject,
    Kind,
    Media,
    Mention,
    Page,
    Parent,
    Person,
    ThreadRef,
    Unparsed,
)
from app.connectors.branches import Around, is_known, named_in, settled
from app.connectors.fields import Unreadable, as_object, find_text, find_url
from app.connectors.meta.nodes import (
    author_of,
    data_of,
    ends_of,
    find_node_id,
    node_id,
    parse_rows,
)
from app.connectors.text import clean_json, parse_time, title_of

CAP = 50  # comments of the first level that Meta shows of one post
_WRITTEN = "id,text,timestamp,username,from{id,username},user{id},like_count,hidden"
REPLY_FIELDS = f"{_WRITTEN},parent_id"
COMMENT_FIELDS = f"{_WRITTEN},parent_id,replies.limit({CAP}){{{REPLY_FIELDS}}}"
ONE_COMMENT_FIELDS = f"{_WRITTEN},parent_id,media{{id,permalink}}"
MEDIA_FIELDS = "id,timestamp,permalink,caption,comments_count,media_type,media_url,username"
TAG_FIELDS = "id,timestamp,permalink,caption,media_type,username"
LOOK_FIELDS = f"id,comments_count,comments.limit({CAP}){{{_WRITTEN}}}"

_FORMS = {"VIDEO": "video", "IMAGE": "image", "CAROUSEL_ALBUM": "image"}


@dataclass(frozen=True, slots=True)
class Us:
    """Our account: the id that stands for us, further ids, and the user name in lower case."""

    external_id: str
    username: str = ""
    others: frozenset[str] = field(default_factory=frozenset)

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.external_id, self.username.lower(), *self.others} - {""})


@dataclass(frozen=True, slots=True)
class Listing:
    """The comments of one page; `more_below` are those whose answers were not shown to the end."""

    page: Page
    more_below: tuple[str, ...] = ()


def writer_of(row: JsonObject, external_id: str, us: Us) -> Person:
    """Who wrote it. `user` is set only where that is the account whose token asks; the user name
    stands for somebody whose number Meta keeps to itself.
    """
    username = find_text(row, "username")
    told = author_of(row, external_id)
    name = told.handle or username
    own = find_node_id(row.get("user"))
    if {told.external_id, own, name.lower()} & set(us.names):
        return Person(us.external_id, handle=us.username)
    if is_known(told) or own is not None:
        return Person(own if not is_known(told) and own else told.external_id, handle=name)
    return Person(f"@{name.lower()}", handle=name) if name else told


def parse_media(row: JsonObject, us: Us, *, own: bool) -> Mention:
    """A post: ours is the top of a conversation, one of somebody else tags us."""
    external_id = node_id(row)
    text = find_text(row, "caption")
    at = parse_time(row.get("timestamp"))
    thread = ThreadRef(external_id, title_of(text), find_url(row, "permalink"), at)
    ours = Person(us.external_id, handle=us.username)
    url = find_url(row, "media_url")
    form = _FORMS.get(find_text(row, "media_type"), "link")
    return Mention(
        external_id=external_id,
        kind=Kind.COMMENT if own else Kind.MENTION,
        author=ours if own else writer_of(row, external_id, us),
        thread=thread,
        occurred_at=at,
        text=text,
        text_raw=text,
        permalink=thread.permalink,
        addressed=named_in(text),
        media=(Media(form, url),) if url else (),
        raw=clean_json(row),
    )


def parse_post(row: JsonObject, us: Us) -> Mention:
    """A post of which only its author says whose it is."""
    post = parse_media(row, us, own=False)
    ours = post.author.external_id == us.external_id
    return parse_media(row, us, own=True) if ours else post


def parse_own(rows: Sequence[Any], us: Us) -> Page:
    """A page of our posts, each also a parent to watch by its number of comments."""
    parsed = parse_rows(rows, lambda row: parse_media(row, us, own=True))
    counts = {found: row for row in rows if (found := find_node_id(row))}
    oldest, newest = ends_of(rows, "timestamp")
    return Page(
        mentions=parsed.mentions,
        unparsed=parsed.unparsed,
        parents=tuple(_parent(each, counts[each.external_id]) for each in parsed.mentions),
        oldest_at=oldest,
        newest_at=newest,
    )


def _parent(post: Mention, row: JsonObject) -> Parent:
    count, thread = row.get("comments_count"), post.thread
    return Parent(
        post.external_id,
        created_at=post.occurred_at,
        counter=count if type(count) is int and count >= 0 else None,
        extra={
            "title": thread.title,
            "permalink": thread.permalink,
            "started_at": thread.started_at.isoformat() if thread.started_at else None,
        },
    )


def parse_tags(rows: Sequence[Any], us: Us) -> Page:
    """A page of posts of others that tag us."""
    parsed = parse_rows(rows, lambda row: parse_media(row, us, own=False))
    oldest, newest = ends_of(rows, "timestamp")
    return Page(
        mentions=parsed.mentions, unparsed=parsed.unparsed, oldest_at=oldest, newest_at=newest
    )


def thread_of(parent: Parent) -> ThreadRef:
    extra = parent.extra
    return ThreadRef(
        parent.external_id,
        find_text(extra, "title"),
        find_text(extra, "permalink"),
        parse_time(extra.get("started_at")),
    )


def parse_comments(rows: Sequence[Any], thread: ThreadRef, us: Us, *, is_end: bool) -> Listing:
    """A page of comments with the answers below each. Where the list ends because Meta shows no
    more of it, `oldest_at` says down to when it reaches; else it is `None`.
    """
    mentions: list[Mention] = []
    unparsed: list[Unparsed] = []
    more_below = []
    for row in rows:
        top = parse_rows([row], partial(_comment, thread=thread, us=us))
        mentions += top.mentions
        unparsed += top.unparsed
        below = row.get("replies") if isinstance(row, dict) else None
        if below is None:
            continue
        found = parse_replies(below, top.mentions[0] if top.mentions else None, thread, us)
        mentions += found.mentions
        unparsed += found.unparsed
        if top.mentions and _goes_on(below):
            more_below.append(top.mentions[0].external_id)
    cut = is_end and len(rows) >= CAP
    page = Page(
        mentions=settled(mentions, Around(thread.external_id, us.external_id, us.names)),
        unparsed=tuple(unparsed),
        oldest_at=ends_of(rows, "timestamp")[0] if cut else None,
    )
    return Listing(page, tuple(more_below))


def _goes_on(below: Any) -> bool:
    paging = below.get("paging") if isinstance(below, dict) else None
    return isinstance(paging, dict) and isinstance(paging.get("next"), str)


def parse_replies(below: Any, top: Mention | None, thread: ThreadRef, us: Us) -> Page:
    """The answers below one comment. Meta hangs an answer to an answer there, too. Where the
    comment itself can't be read (`None`), its answers still say what they hang on.
    """
    rows = below.get("data") if isinstance(below, dict) else None
    if not isinstance(rows, list):
        return Page(unparsed=(Unparsed(None, "replies are no list", clean_json(below)),))
    parse = partial(_comment, thread=thread, us=us) if top is None else partial(_reply, top, us)
    parsed = parse_rows(rows, parse)
    return Page(mentions=parsed.mentions, unparsed=parsed.unparsed)


def _reply(top: Mention, us: Us, row: JsonObject) -> Mention:
    ours = top.author.external_id == us.external_id
    kind = Kind.REPLY if ours else Kind.COMMENT
    return _written(row, top.thread, us, parent=top.external_id, kind=kind)


def _comment(row: JsonObject, thread: ThreadRef, us: Us) -> Mention:
    above = find_node_id(row, "parent_id")
    return _written(row, thread, us, parent=above or thread.external_id, kind=Kind.COMMENT)


def _written(row: JsonObject, thread: ThreadRef, us: Us, *, parent: str, kind: Kind) -> Mention:
    external_id = node_id(row)
    text = find_text(row, "text")
    return Mention(
        external_id=external_id,
        kind=kind,
        author=writer_of(row, external_id, us),
        thread=thread,
        occurred_at=parse_time(row.get("timestamp")),
        text=text,
        text_raw=text,
        parent_external_id=parent,
        permalink=thread.permalink,  # a comment has none of its own
        addressed=named_in(text),
        acknowledged=row.get("hidden") is True,
        raw=clean_json({name: each for name, each in row.items() if name != "replies"}),
    )


def one_comment(row: JsonObject, us: Us, external_id: str) -> Mention:
    """A comment that was asked for by its id, with the post it stands below."""
    if node_id(row) != external_id:
        raise Unreadable("another comment was sent than the one that was asked for")
    above = as_object(row.get("media"))
    thread = ThreadRef(node_id(above), permalink=find_url(above, "permalink"))
    return _comment(row, thread, us)


@dataclass(frozen=True, slots=True)
class Look:
    """A first look at our newest posts: how many comments Meta counts and shows, and what of them
    is by others.
    """

    counted: int
    shown: int
    theirs: int
    newest_at: datetime | None
    named: int

    @property
    def is_blind(self) -> bool:
        return self.counted > 0 and self.shown == 0


def look_at(rows: Sequence[Any], us: Us) -> Look:
    counted = 0
    found: list[Mention] = []
    for row in rows:
        if isinstance(row, dict) and (external_id := find_node_id(row)) is not None:
            count = row.get("comments_count")
            counted += count if type(count) is int else 0
            found += _comments_of(row, ThreadRef(external_id), us)
    theirs = [each for each in found if each.author.external_id != us.external_id]
    return Look(
        counted=counted,
        shown=len(found),
        theirs=len(theirs),
        newest_at=max((each.occurred_at for each in theirs if each.occurred_at), default=None),
        named=sum(1 for each in theirs if is_known(each.author)),
    )


def _comments_of(row: JsonObject, thread: ThreadRef, us: Us) -> Iterator[Mention]:
    listing = parse_comments(data_of(row.get("comments")), thread, us, is_end=False)
    yield from listing.page.mentions
