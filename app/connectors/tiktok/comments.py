"""Comments below our videos. Each comment of the first level is a conversation of its own, with all
replies below it; TikTok shows up to three of them along with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from app.connectors.base import (
    Filed,
    JsonObject,
    Kind,
    Media,
    Mention,
    Page,
    Parent,
    Person,
    Signal,
    ThreadRef,
    Unparsed,
)
from app.connectors.branches import HIDDEN_AUTHOR, Around, named_in, settled
from app.connectors.fields import Unreadable, as_object, find_id, find_text, find_url, get_id
from app.connectors.text import clean_json, parse_time
from app.connectors.tiktok.videos import SITE, Video, counter_of

NOBODY = Signal(HIDDEN_AUTHOR, "TikTok does not tell who wrote this.")
_NOT_KEPT = frozenset({"profile_image", "reply_list"})
"""Of a comment as it came: pictures expire within hours, replies are kept by themselves."""


@dataclass(frozen=True, slots=True)
class Us:
    """Our account: the id that TikTok gave our app for it, and its user name."""

    external_id: str
    username: str = ""

    @property
    def names(self) -> frozenset[str]:
        return frozenset({self.external_id, self.username.lower()} - {""})

    @property
    def around(self) -> Around:
        return Around("", self.external_id, self.names)


def joined_id(video_id: str, comment_id: str) -> str:
    """The id of a comment here: TikTok shows a comment to those only who name its video too."""
    return f"{video_id}_{comment_id}"


def parts_of(external_id: str) -> tuple[str, str]:
    """(video, comment) of an id; raises `Unreadable` for one that is none of ours."""
    video, _, comment = external_id.partition("_")
    return get_id({"video": video}, "video"), get_id({"comment": comment}, "comment")


def parse_comments(rows: Sequence[Any], video: Video, us: Us) -> Page:
    """A page of comments of the first level. Conversations of which TikTok shows only some replies
    here are `parents`: what others wrote in them is taken, what we wrote is left for later, since
    only the whole conversation tells whom it was for.
    """
    tops, below, parents = [], [], []
    for row in rows:
        top = _each([row], video, us)
        found, parent = _below(row, top, video, us)
        tops += [top]
        below += [found]
        parents += [parent] if parent is not None else []
    whole = _together((*tops, *below))
    uncounted = sum(1 for each in parents if each.counter is None)
    return replace(
        whole,
        mentions=settled(whole.mentions, us.around),
        parents=tuple(parents),
        skipped={"conversation_without_its_counter": uncounted} if uncounted else {},
    )


def _below(row: Any, top: Page, video: Video, us: Us) -> tuple[Page, Parent | None]:
    """The replies that came with a comment, and the conversation to be read, where that is not
    all of them.
    """
    if not isinstance(row, dict):
        return Page(), None
    comment_id = find_id(row, "comment_id")
    root = "" if comment_id is None else joined_id(video.id, comment_id)
    rows, count = row.get("reply_list"), counter_of(row, "replies")
    shown = rows if isinstance(rows, list) else []
    found = _each(shown, video, us, root)  # without a root, each says itself what it hangs on
    if not root or (count is not None and count <= len(shown)):
        return found, None
    theirs = tuple(each for each in found.mentions if not us.around.is_ours(each))
    return replace(found, mentions=theirs), _parent(root, top.mentions, video, count)


def _parent(root: str, top: Sequence[Mention], video: Video, count: int | None) -> Parent:
    """A conversation to watch; what is needed of its first comment goes along."""
    first = top[0] if top else None
    extra = {"title": video.title, "permalink": video.permalink}
    if first is not None:
        extra |= {"author": first.author.external_id, "handle": first.author.handle}
    return Parent(root, None if first is None else first.occurred_at, None, count, extra)


def first_of(parent: Parent) -> Mention:
    """The first comment of a watched conversation, as far as that knows it."""
    author, handle = (find_text(parent.extra, name) for name in ("author", "handle"))
    unknown = Person(f"unknown:{parent.external_id}", signals=(NOBODY,))
    return Mention(
        external_id=parent.external_id,
        kind=Kind.COMMENT,
        author=Person(author, handle) if author else unknown,
        thread=ThreadRef(parent.external_id),
        occurred_at=parent.created_at,
    )


def parse_replies(
    rows: Sequence[Any], first: Mention, video: Video, us: Us, *, whole: bool
) -> Page:
    """The replies below a comment. Of a part of them (not `whole`) nobody can tell whom an answer
    of ours was for that names nobody.
    """
    found = _each(rows, video, us, first.external_id)
    mentions = settled((first, *found.mentions), us.around)[1:]
    if not whole:
        mentions = tuple(
            replace(each, parent_external_id=None)
            if us.around.is_ours(each) and not set(each.addressed) - us.names
            else each
            for each in mentions
        )
    return replace(found, mentions=mentions)


def parse_asked(rows: Sequence[Any], video: Video, us: Us) -> Page:
    """Comments that were asked for by their ids."""
    return _each(rows, video, us)


def _each(rows: Iterable[Any], video: Video, us: Us, root: str = "") -> Page:
    """Reads each row by itself, so that a bad one costs no other. An answer of ours that TikTok
    hides is none: the person who asked can't see it.
    """
    mentions, unparsed, gone = [], [], []
    for row in rows:
        try:
            found = parse_comment(as_object(row), video, us, root)
        except Unreadable as error:
            comment_id = find_id(row, "comment_id")
            known = None if comment_id is None else joined_id(video.id, comment_id)
            unparsed.append(Unparsed(known, error.detail, clean_json(row)))
            continue
        if is_hidden(row) and us.around.is_ours(found):
            gone.append(found.external_id)
        else:
            mentions.append(found)
    return Page(mentions=tuple(mentions), unparsed=tuple(unparsed), gone=tuple(gone))


def _together(parts: Iterable[Page]) -> Page:
    every = list(parts)
    return Page(
        mentions=tuple(each for part in every for each in part.mentions),
        unparsed=tuple(each for part in every for each in part.unparsed),
        gone=tuple(each for part in every for each in part.gone),
    )


def is_hidden(row: JsonObject) -> bool:
    return find_text(row, "status").upper() == "HIDDEN"


def parse_comment(row: JsonObject, video: Video, us: Us, root: str = "") -> Mention:
    """One comment, or a reply below `root`. A hidden comment of others waits for our approval, or
    we have hidden it: TikTok does not tell which.
    """
    external_id = joined_id(video.id, get_id(row, "comment_id"))
    above = find_id(row, "parent_comment_id")
    parent = joined_id(video.id, above) if above else root
    top = root or parent or external_id
    text, media = find_text(row, "text"), _media(row)
    if not isinstance(row.get("text"), str) and not media:
        raise Unreadable("text is not text")
    at = parse_time(row.get("create_time"))
    author = writer_of(row, external_id, us)
    ours = author.external_id == us.external_id
    return Mention(
        external_id=external_id,
        kind=Kind.REPLY if parent else Kind.COMMENT,
        author=author,
        thread=ThreadRef(top, video.title, video.permalink, None if parent else at),
        occurred_at=at,
        text=text,
        text_raw=text,
        parent_external_id=parent or None,
        permalink=video.permalink,  # a comment has no address of its own
        filed=Filed.HELD if is_hidden(row) and not ours else None,
        addressed=named_in(text),
        media=media,
        acknowledged=row.get("liked") is True,
        raw=clean_json({name: each for name, each in row.items() if name not in _NOT_KEPT}),
    )


def writer_of(row: JsonObject, external_id: str, us: Us) -> Person:
    """Who wrote it. `unique_identifier` is the same for all apps and lasts; `user_id` is told to
    our app only, and TikTok is going to drop it. Pictures expire within hours: none is kept.
    """
    handle, name = find_text(row, "username"), find_text(row, "display_name")
    if row.get("owner") is True or handle.lower() in us.names:
        return Person(us.external_id, us.username or handle, name)
    known = find_text(row, "unique_identifier") or find_text(row, "user_id")
    known = known or find_id(row, "user_id") or (f"@{handle.lower()}" if handle else "")
    if not known:
        return Person(f"unknown:{external_id}", display_name=name, signals=(NOBODY,))
    url = f"{SITE}/@{quote(handle, safe='', errors='replace')}" if handle else ""
    return Person(known, handle, name, url)


def _media(row: JsonObject) -> tuple[Media, ...]:
    url = find_url(row, "image_url")
    return (Media("image", url),) if url else ()
