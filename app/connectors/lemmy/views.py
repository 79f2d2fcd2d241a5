"""Comments, posts and private messages of Lemmy, in the words of both of its APIs.

v4 (Lemmy 1.0) says `published_at`, `updated_at` and `ap_id` where v3 (0.19) says `published`,
`updated` and `actor_id`, and wraps what an account is told of in notifications. Types:
https://github.com/LemmyNet/lemmy-js-client, `src/types`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from app.connectors import base, fields
from app.connectors.base import (
    JsonObject,
    Kind,
    Media,
    Mention,
    Page,
    Parent,
    Person,
    Signal,
    TextFormat,
    ThreadRef,
    Visibility,
)
from app.connectors.fields import Unreadable, as_object, find_text
from app.connectors.text import clean_json, parse_time

COMMENT, POST, MESSAGE = "comment", "post", "private_message"
WRAPPERS = ("notification", "comment_reply", "person_mention")
"""What tells when the server listed an entry, beside the thing itself."""
YOUNG = timedelta(days=30)
CLOSED = frozenset({"private", "localonlyprivate"})
_ADDRESSED = re.compile(r"(?<![\w@!])@([A-Za-z0-9_]{1,60}@[A-Za-z0-9.-]{1,250}[A-Za-z0-9])")
_NAME = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Around:
    """What a view does not say itself: our own address, codes of languages by their numbers, which
    comments are known to be ours, and what a comment or post is by the list it stands in.
    """

    us: str = ""
    languages: Mapping[int, str] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    comment: Kind = Kind.COMMENT
    post: Kind = Kind.QUESTION
    answers_us: bool = False  # every comment below another one is an answer to us


def parse_views(rows: Iterable[Any], what: str, around: Around) -> Page:
    """A page of views, each by itself: one that can't be read costs no other. `what` they are where
    they don't say it. `oldest_at` and `newest_at` are the times the list is sorted by.
    """
    mentions, unparsed, gone, times = [], [], [], []
    skipped: Counter[str] = Counter()
    for row in rows:
        try:
            view = _unwrapped(row)
            told = _type_of(view) or what
            if told not in _PARSERS:
                skipped[told] += 1
                continue
            thing = as_object(view.get(told))
            at = _listed_at(row) or moment(thing, "published")
            times += [at] if at else []
            if is_gone(thing):
                gone.append(_external_id(told, thing))
            else:
                mentions.append(_PARSERS[told](view, around))
        except Unreadable as error:
            unparsed.append(
                base.Unparsed(_find_external_id(row, what), error.detail, clean_json(row))
            )
    return Page(
        mentions=tuple(mentions),
        unparsed=tuple(unparsed),
        gone=tuple(gone),
        skipped=dict(skipped),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def _unwrapped(row: Any) -> JsonObject:
    view = as_object(row)
    return as_object(view.get("data")) if "notification" in view else view


def _type_of(view: JsonObject) -> str:
    """`type_` of a view; early servers of v4 wrote it as one word in capitals."""
    told = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", find_text(view, "type_")).lower()
    return told if _NAME.fullmatch(told) else ""


def _listed_at(row: Any) -> datetime | None:
    """When the server told us of it: lists of notifications are sorted by that."""
    for name in WRAPPERS:
        if isinstance(inside := as_object(row).get(name), dict):
            return moment(inside, "published")
    return None


def moment(row: JsonObject, name: str) -> datetime | None:
    """`published_at` or `published`; before 0.19 without a zone, in UTC."""
    return parse_time(row.get(f"{name}_at", row.get(name)), assume_utc=True)


def _external_id(what: str, thing: JsonObject) -> str:
    """Numbers count within one server and one kind of thing."""
    return f"{what}:{fields.get_id(thing, 'id')}"


def _find_external_id(row: Any, what: str) -> str | None:
    try:
        view = _unwrapped(row)
        told = _type_of(view) or what
        return _external_id(told, as_object(view.get(told)))
    except Unreadable:
        return None


def is_gone(thing: JsonObject) -> bool:
    """Whether its author has deleted it, or a moderator removed it."""
    return thing.get("deleted") is True or thing.get("removed") is True


def parse_comment(view: JsonObject, around: Around) -> Mention:
    """A comment; `path` holds the comments above it: `0.24.27` is 27 below 24."""
    comment, post = as_object(view.get("comment")), as_object(view.get("post"))
    thread = thread_of(post)
    above = _above(comment)
    parent = f"{COMMENT}:{above}" if above else thread.external_id
    is_reply = above and (around.answers_us or parent in around.ours)
    raw = fields.get_text(comment, "content")
    at = moment(comment, "published")
    return Mention(
        external_id=_external_id(COMMENT, comment),
        kind=Kind.REPLY if is_reply and around.comment is Kind.COMMENT else around.comment,
        author=parse_author(view, at),
        thread=thread,
        occurred_at=at,
        text=raw,
        text_raw=raw,
        text_format=TextFormat.MARKDOWN,
        parent_external_id=parent,
        permalink=fields.find_url(comment, "ap_id"),
        language=_language(comment, around),
        visibility=_visibility(view),
        edited_at=moment(comment, "updated"),
        addressed=addressed_in(raw),
        acknowledged=_acknowledged(view, "comment_actions"),
        raw=clean_json(view),
    )


def _above(comment: JsonObject) -> str | None:
    """The comment that one answers; `None` right below the post."""
    numbers = find_text(comment, "path").split(".")
    whole = all(number.isascii() and number.isdecimal() and len(number) < 20 for number in numbers)  # noqa: PLR2004  # digits of 64 bits
    if not whole or numbers[0] != "0" or numbers[-1] != fields.get_id(comment, "id"):
        raise Unreadable("path does not lead to the comment")
    return str(int(numbers[-2])) if len(numbers) > 2 else None  # noqa: PLR2004  # root and itself


def parse_post(view: JsonObject, around: Around) -> Mention:
    post = as_object(view.get("post"))
    thread, body = thread_of(post), find_text(post, "body")
    raw = f"{thread.title}\n\n{body}" if body else thread.title
    return Mention(
        external_id=thread.external_id,
        kind=around.post,
        author=parse_author(view, thread.started_at),
        thread=thread,
        occurred_at=thread.started_at,
        text=raw,
        text_raw=raw,
        text_format=TextFormat.MARKDOWN,
        permalink=thread.permalink,
        language=_language(post, around),
        visibility=_visibility(view),
        edited_at=moment(post, "updated"),
        addressed=addressed_in(raw),
        media=tuple(_media(post)),
        acknowledged=_acknowledged(view, "post_actions"),
        raw=clean_json(view),
    )


def parse_message(view: JsonObject, around: Around) -> Mention:
    """A private message. Lemmy knows no answers among these: a conversation is all that two people
    have written to each other, and each message addresses the other one.
    """
    message = as_object(view.get("private_message"))
    author = parse_author(view, at := moment(message, "published"))
    to = parse_person(as_object(view.get("recipient")))
    other = to if author.external_id == around.us else author
    raw = fields.get_text(message, "content")
    return Mention(
        external_id=_external_id(MESSAGE, message),
        kind=Kind.DIRECT_MESSAGE,
        author=author,
        thread=ThreadRef(f"with:{other.external_id}", title=other.handle, permalink=other.url),
        occurred_at=at,
        text=raw,
        text_raw=raw,
        text_format=TextFormat.MARKDOWN,
        visibility=Visibility.DIRECT,
        edited_at=moment(message, "updated"),
        addressed=(to.external_id, to.handle.lower()),
        raw=clean_json(view),
    )


_PARSERS = {COMMENT: parse_comment, POST: parse_post, MESSAGE: parse_message}


def thread_of(post: JsonObject) -> ThreadRef:
    """The conversation below a post."""
    return ThreadRef(
        _external_id(POST, post),
        title=fields.get_text(post, "name"),
        permalink=fields.find_url(post, "ap_id"),
        started_at=moment(post, "published"),
    )


def parse_author(view: JsonObject, at: datetime | None) -> Person:
    """Who wrote it, with what the view tells of him there; `at` is when."""
    person = parse_person(as_object(view.get("creator")))
    return base.Person(
        external_id=person.external_id,
        handle=person.handle,
        display_name=person.display_name,
        url=person.url,
        avatar_url=person.avatar_url,
        is_bot=person.is_bot,
        created_at=person.created_at,
        signals=tuple(_signals(view, person.created_at, at)),
    )


def parse_person(person: JsonObject) -> Person:
    """A person by the address that means the same on every server."""
    name = fields.get_text(person, "name")
    address = fields.find_url(person, "ap_id") or fields.find_url(person, "actor_id")
    if not address:
        raise Unreadable("a person without an address")
    handle = f"{name}@{host_of(address)}"
    return Person(
        external_id=address,
        handle=handle,
        display_name=find_text(person, "display_name") or name,
        url=address,
        avatar_url=fields.find_url(person, "avatar"),
        is_bot=person.get("bot_account") is True,
        created_at=moment(person, "published"),
    )


def host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:
        raise Unreadable("an address that is none") from None


def _signals(view: JsonObject, made: datetime | None, at: datetime | None) -> Iterator[Signal]:
    if made and at and timedelta() <= at - made < YOUNG:
        young = f"The account was made on {made:%Y-%m-%d}, less than 30 days before."
        yield Signal("young_account", young)
    names = ("creator_banned", "creator_banned_from_community")
    person = view.get("creator")
    if any(view.get(name) is True for name in names) or (
        isinstance(person, dict) and person.get("banned") is True
    ):
        yield Signal("banned", "The server or the community has banned the account.")
    if view.get("creator_is_admin") is True:
        yield Signal("admin", "Looks after the server.")
    if view.get("creator_is_moderator") is True:
        yield Signal("moderator", "Moderates the community.")


def _language(thing: JsonObject, around: Around) -> str:
    number = thing.get("language_id")
    return around.languages.get(number, "") if type(number) is int else ""


def _visibility(view: JsonObject) -> Visibility:
    """Private communities show what is written there to their members only."""
    community = view.get("community")
    told = find_text(community, "visibility") if isinstance(community, dict) else ""
    word = told.replace("_", "").lower()
    if word in CLOSED:
        return Visibility.FOLLOWERS
    return Visibility.UNLISTED if word == "unlisted" else Visibility.PUBLIC


def _acknowledged(view: JsonObject, actions: str) -> bool:
    """Whether we have voted for it: `my_vote` in v3, `vote_is_upvote` of our actions in v4."""
    ours = view.get(actions)
    upvoted = ours.get("vote_is_upvote") if isinstance(ours, dict) else None
    vote = view.get("my_vote")
    return upvoted is True or (type(vote) is int and vote > 0)


def _media(post: JsonObject) -> Iterator[Media]:
    if url := fields.find_url(post, "url"):
        is_image = find_text(post, "url_content_type").startswith("image/")
        yield Media("image" if is_image else "link", url, find_text(post, "alt_text"))


def addressed_in(text: str) -> tuple[str, ...]:
    """The people that a text names, in lower case: `@anna@lemmy.example`."""
    return tuple(dict.fromkeys(one.lower() for one in _ADDRESSED.findall(text)))


def ours_in(rows: Iterable[Any], us: str) -> frozenset[str]:
    """Which comments of a list are ours."""
    found = set()
    for row in rows:
        try:
            view = as_object(row)
            if parse_person(as_object(view.get("creator"))).external_id == us:
                found.add(_external_id(COMMENT, as_object(view.get("comment"))))
        except Unreadable:
            continue
    return frozenset(found)


def parse_parents(rows: Iterable[Any]) -> tuple[Parent, ...]:
    """Posts below which people write, with the number of comments that the server counts there."""
    found = []
    for row in rows:
        view = row if isinstance(row, dict) else {}
        post, counts = view.get("post"), view.get("counts")
        if (_type_of(view) or POST) != POST or "comment" in view or not isinstance(post, dict):
            continue
        number = fields.find_id(post)
        told = (counts if isinstance(counts, dict) else post).get("comments")
        if number is not None and not is_gone(post):
            counter = told if type(told) is int and 0 <= told < fields.LARGEST else None
            at = moment(post, "published")
            found.append(Parent(f"{POST}:{number}", created_at=at, counter=counter))
    return tuple(found)
