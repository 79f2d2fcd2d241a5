"""Posts and comments of a Facebook Page, as the Graph API tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.connectors.base import (
    JsonObject,
    Kind,
    Mention,
    Page,
    Parent,
    Person,
    ThreadRef,
    Visibility,
)
from app.connectors.branches import Around, is_known, settled
from app.connectors.fields import Unreadable, find_text, find_url
from app.connectors.meta.nodes import (
    author_of,
    data_of,
    ends_of,
    find_node_id,
    last_part,
    media_in,
    node_id,
    parse_rows,
    tagged_in,
    total_of,
)
from app.connectors.text import clean_json, parse_time, title_of

COMMENTS_COUNTED = "comments.filter(stream).limit(0).summary(true)"
"""With `filter(stream)` answers below comments are counted too."""

POST_FIELDS = (
    "id,created_time,updated_time,permalink_url,message,story,from{id,name},message_tags,"
    "attachments{type,media_type,media,url,title,description,subattachments},"
) + COMMENTS_COUNTED
COMMENT_FIELDS = (
    "id,message,created_time,from{id,name},parent{id,from{id}},permalink_url,"
    "attachment,message_tags,is_hidden,is_private,user_likes,comment_count"
)
LOOK_FIELDS = (
    "id,comments.filter(stream).order(reverse_chronological).limit(25).summary(true)"
    f"{{{COMMENT_FIELDS}}}"
)
"""Our posts with their newest comments, in one request."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where comments stand: the conversation, whose post it is, and which Page is ours.

    `foreign`: the post belongs to somebody who only named us; most of what is written below it is
    not meant for us.
    """

    thread: ThreadRef
    owner: str
    us: str
    foreign: bool = False

    @property
    def around(self) -> Around:
        return Around(self.thread.external_id, self.owner, frozenset({self.us}))


def parse_post(row: JsonObject, us: str, *, own: bool = False) -> Mention:
    """A post: one of ours is the top of a conversation, one of somebody else's a mention of us.
    `own`: from the list of what we published, where Meta may leave the author out.
    """
    external_id = node_id(row)
    author = author_of(row, external_id)
    if own and not is_known(author):
        author = Person(us)
    text = find_text(row, "message") or find_text(row, "story")
    thread = ThreadRef(
        external_id,
        title_of(text),
        find_url(row, "permalink_url"),
        parse_time(row.get("created_time")),
    )
    return Mention(
        external_id=external_id,
        kind=Kind.COMMENT if author.external_id == us else Kind.MENTION,
        author=author,
        thread=thread,
        occurred_at=thread.started_at,
        text=text,
        text_raw=text,
        permalink=thread.permalink,
        addressed=tagged_in(row),
        media=media_in(data_of(row.get("attachments"))),
        raw=clean_json(row),
    )


def parse_parent(post: Mention, row: JsonObject, us: str) -> Parent:
    """A post as something to watch: read at once when Meta counts more comments below it."""
    thread = post.thread
    return Parent(
        post.external_id,
        created_at=post.occurred_at,
        changed_at=parse_time(row.get("updated_time")),
        counter=total_of(row.get("comments")),
        extra={
            "owner": post.author.external_id,
            "title": thread.title,
            "permalink": thread.permalink,
            "started_at": thread.started_at.isoformat() if thread.started_at else None,
            "foreign": _is_elsewhere(post, us) or _is_tagging(post, us),
        },
    )


def parse_posts(rows: Sequence[Any], us: str, *, own: bool = False) -> Page:
    """A page of our own posts and those that visitors wrote on our Page, each also a parent to
    watch. What the feed shows of posts on other profiles comes with `tagged` as well.
    """
    parsed = parse_rows(rows, lambda row: parse_post(row, us, own=own))
    kept = [each for each in parsed.mentions if not _is_elsewhere(each, us)]
    others = len(parsed.mentions) - len(kept)
    skipped = {"tagged_elsewhere": others} if others else {}
    return replace(_watched(rows, kept, us), unparsed=parsed.unparsed, skipped=skipped)


def parse_tagged(rows: Sequence[Any], us: str) -> Page:
    """A page of posts that name us, each also a parent to watch."""
    parsed = parse_rows(rows, lambda row: parse_post(row, us))
    return replace(_watched(rows, parsed.mentions, us), unparsed=parsed.unparsed)


def _watched(rows: Sequence[Any], kept: Sequence[Mention], us: str) -> Page:
    by_id = {found: row for row in rows if (found := find_node_id(row))}
    oldest, newest = ends_of(rows, "created_time")
    return Page(
        mentions=tuple(kept),
        parents=tuple(parse_parent(each, by_id[each.external_id], us) for each in kept),
        oldest_at=oldest,
        newest_at=newest,
    )


def _is_elsewhere(post: Mention, us: str) -> bool:
    """Whether a post stands on somebody else's profile: its id begins with the profile's."""
    profile, parted, _ = post.external_id.partition("_")
    return bool(parted) and us not in {profile, post.author.external_id}


def _is_tagging(post: Mention, us: str) -> bool:
    """Whether it may stand elsewhere although its id begins with ours: Meta also writes the ids of
    posts that name us like that.
    """
    return post.author.external_id != us and us in post.addressed


def place_of(parent: Parent, us: str) -> Place:
    """The conversation of a watched post, as it was when the post was last listed."""
    extra = parent.extra
    thread = ThreadRef(
        parent.external_id,
        find_text(extra, "title"),
        find_text(extra, "permalink"),
        parse_time(extra.get("started_at")),
    )
    return Place(thread, find_text(extra, "owner"), us, foreign=extra.get("foreign") is True)


def parse_comments(rows: Sequence[Any], place: Place) -> Page:
    """A page of comments of all levels. Below somebody else's post only what concerns us is kept:
    our own, what stands below a comment of ours, and what names us.
    """
    parsed = parse_rows(rows, lambda row: parse_comment(row, place))
    mentions = settled(parsed.mentions, place.around)
    kept = tuple(each for each in mentions if _concerns_us(each, mentions, place))
    oldest, newest = ends_of(rows, "created_time")
    others = len(mentions) - len(kept)
    return Page(
        mentions=kept,
        unparsed=parsed.unparsed,
        skipped={"not_for_us": others} if others else {},
        oldest_at=oldest,
        newest_at=newest,
    )


def parse_comment(row: JsonObject, place: Place) -> Mention:
    """One comment. Its parent is the comment on the first level, whatever it answers; on the first
    level it is the post.
    """
    external_id, above = _ids(row, place)
    author = author_of(row, external_id)
    parent = row.get("parent")
    parent_from = parent.get("from") if isinstance(parent, dict) else None
    text = find_text(row, "message")
    private = row.get("is_private") is True
    kind = Kind.REPLY if find_node_id(parent_from) == place.us else Kind.COMMENT
    return Mention(
        external_id=external_id,
        kind=Kind.DIRECT_MESSAGE if private else kind,
        author=author,
        thread=place.thread,
        occurred_at=parse_time(row.get("created_time")),
        text=text,
        text_raw=text,
        parent_external_id=above or place.thread.external_id,
        permalink=find_url(row, "permalink_url"),
        visibility=Visibility.DIRECT if private else Visibility.PUBLIC,
        addressed=tagged_in(row),
        media=media_in([row.get("attachment")]),
        acknowledged=row.get("user_likes") is True or row.get("is_hidden") is True,
        raw=clean_json(row),
    )


def _ids(row: JsonObject, place: Place) -> tuple[str, str | None]:
    """The id of a comment and of the one above it, each in the long spelling. Where a field does
    not tell it, the address of the comment does.
    """
    linked = _linked(row)
    prefix = last_part(place.thread.external_id)
    own = find_node_id(row) or (f"{prefix}_{linked[-1]}" if linked else None)
    if own is None:
        raise Unreadable("id is not an id")
    above = find_node_id(row.get("parent"))
    if above is None and len(linked) > 1:
        above = linked[0]
    return _long(own, prefix), above and _long(above, prefix)


def _long(external_id: str, prefix: str) -> str:
    return external_id if "_" in external_id else f"{prefix}_{external_id}"


def _linked(row: JsonObject) -> list[str]:
    """The numbers in the address of a comment: of the one on the first level, then of its own."""
    try:
        query = parse_qs(urlsplit(find_url(row, "permalink_url")).query)
    except ValueError:
        return []
    found = (query.get(name, [""])[0] for name in ("comment_id", "reply_comment_id"))
    return [each for each in found if each.isdecimal() and each.isascii()]


def _concerns_us(mention: Mention, everything: Sequence[Mention], place: Place) -> bool:
    if not place.foreign or place.around.is_ours(mention) or place.us in mention.addressed:
        return True
    if mention.kind is Kind.REPLY or mention.visibility is Visibility.DIRECT:
        return True
    answered = {each.parent_external_id for each in everything if place.around.is_ours(each)} - {
        place.thread.external_id
    }
    return bool({mention.external_id, mention.parent_external_id} & answered)


def one_comment(row: JsonObject, place: Place, external_id: str) -> Mention:
    """A comment that was asked for by its id, under that spelling of it."""
    found = parse_comment(row, place)
    if last_part(found.external_id) != last_part(external_id):
        raise Unreadable("another comment was sent than the one that was asked for")
    return replace(found, external_id=external_id)


def thread_of_comment(external_id: str, us: str) -> ThreadRef:
    """The conversation of a comment whose post we have not come across: on our own Page the post's
    id is made of the Page's and the first number of the comment's.
    """
    return ThreadRef(f"{us}_{external_id.partition('_')[0]}")


@dataclass(frozen=True, slots=True)
class Look:
    """A first look at the comments below our newest posts: how many Meta counts, how many it shows,
    and of those by others how many there are, the newest, and how many come with a name.
    """

    counted: int
    shown: int
    theirs: int
    newest_at: datetime | None
    named: int

    @property
    def is_blind(self) -> bool:
        return self.counted > 0 and self.shown == 0


def look_at(posts: Sequence[Any], us: str) -> Look:
    """Reads posts that came with their newest comments."""
    found: list[Mention] = []
    counted = 0
    for row in posts:
        if (external_id := find_node_id(row)) is not None:
            place = Place(ThreadRef(external_id), us, us)
            counted += total_of(row.get("comments")) or 0
            found += parse_rows(data_of(row.get("comments")), partial(_in_place, place)).mentions
    theirs = [each for each in found if each.author.external_id != us]
    return Look(
        counted=counted,
        shown=len(found),
        theirs=len(theirs),
        newest_at=max((each.occurred_at for each in theirs if each.occurred_at), default=None),
        named=sum(1 for each in theirs if is_known(each.author)),
    )


def _in_place(place: Place, row: JsonObject) -> Mention:
    return parse_comment(row, place)
