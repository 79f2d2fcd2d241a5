"""Comments, posts and private messages of Reddit, and the listings they stand in.

Shapes: https://www.reddit.com/dev/api and what Reddit answers; asked for with `raw_json=1`, without
which `&`, `<` and `>` come escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.connectors import base, fields
from app.connectors.base import (
    Filed,
    JsonObject,
    Kind,
    Media,
    Mention,
    Page,
    Parent,
    TextFormat,
    ThreadRef,
    Visibility,
)
from app.connectors.failures import BadResponse
from app.connectors.fields import Unreadable, as_object, find_text
from app.connectors.reddit.people import NOBODY, SITE, Facts, parse_author
from app.connectors.text import clean, clean_json, html_to_text, parse_time

COMMENT, POST, MESSAGE, MORE = "t1", "t3", "t4", "more"
KEPT = frozenset({COMMENT, POST, MESSAGE})
_KNOWN = frozenset({"t2", "t5", "t6", "Listing", "LiveUpdate", "modaction"})
_NAME = re.compile(r"t[134]_[0-9a-z]{1,13}")
_IN_A_PATH = re.compile(r"/comments/([0-9a-z]{1,13})(?:/|$)")
_ADDRESSED = re.compile(r"(?<![\w/])/?u/([A-Za-z0-9_-]{3,20})(?![\w-])")
_WIPED = frozenset({"[deleted]", "[removed]"})
_KINDS = {
    "username_mention": Kind.MENTION,
    "username mention": Kind.MENTION,
    "post_reply": Kind.COMMENT,
    "post reply": Kind.COMMENT,
    "comment_reply": Kind.REPLY,
    "comment reply": Kind.REPLY,
}
_IMAGES = (".gif", ".jpeg", ".jpg", ".png", ".webp")


@dataclass(frozen=True, slots=True)
class Around:
    """What a thing does not say itself: what is known of authors, which things are ours, what a
    post is by the route it came by, whether the list is one of moderators, and the conversation.
    """

    people: Mapping[str, Facts] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    kind: Kind = Kind.MENTION
    listed: Filed | None = None
    thread: ThreadRef | None = None


def children_of(body: Any) -> list[Any]:
    """The entries of a listing; an answer without any is none of Reddit's."""
    inside = body.get("data") if isinstance(body, dict) else None
    rows = inside.get("children") if isinstance(inside, dict) else None
    if not isinstance(rows, list):
        raise BadResponse("Reddit answered with something that is not a listing.")
    return rows


def after_of(body: Any) -> str:
    """The name of the entry after which a listing goes on, "" at its end."""
    inside = body.get("data") if isinstance(body, dict) else None
    after = find_text(inside, "after") if isinstance(inside, dict) else ""
    return after if is_name(after) else ""


def is_name(value: Any) -> bool:
    """Whether it is the full name of a thing, `t1_abc`: its type and its number in base 36."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def find_name(row: Any, name: str = "name") -> str | None:
    """A full name in a field of `row`, `None` where there is none."""
    value = row.get(name) if isinstance(row, dict) else None
    return value if is_name(value) else None


def number_of(name: str) -> str:
    """`abc` of `t1_abc`."""
    return name.partition("_")[2]


def data_of(rows: Iterable[Any]) -> Iterator[JsonObject]:
    """The insides of entries, as far as they have any."""
    for row in rows:
        inside = row.get("data") if isinstance(row, dict) else None
        if isinstance(inside, dict):
            yield inside


def flattened(rows: Iterable[Any]) -> Iterator[Any]:
    """The entries of a tree of comments, each before the answers to it."""
    waiting = list(reversed(list(rows)))
    while waiting:
        row = waiting.pop()
        yield row
        inside = row.get("data") if isinstance(row, dict) else None
        replies = inside.get("replies") if isinstance(inside, dict) else None
        if not replies:
            continue
        try:
            waiting += reversed(children_of(replies))
        except BadResponse:
            waiting.append(replies)  # an entry that can't be read, and is told as one


def parse_things(rows: Iterable[Any], around: Around) -> Page:
    """A page of things, each by itself: one that can't be read costs no other. `oldest_at` and
    `newest_at` are the times they were written.
    """
    mentions, unparsed, gone, times = [], [], [], []
    skipped: Counter[str] = Counter()
    for row in rows:
        kind = find_text(row, "kind") if isinstance(row, dict) else ""
        if kind in _KNOWN and isinstance(row.get("data"), dict):
            skipped[kind] += 1
            continue
        try:
            inside = _inside(row, kind)
            name, at = _get_name(inside), parse_time(inside.get("created_utc"))
            times += [at] if at else []
            if is_gone(inside, around):
                gone.append(name)
            else:
                mentions.append(parse_thing(inside, around))
        except Unreadable as error:
            found = find_name(row.get("data")) if isinstance(row, dict) else None
            unparsed.append(base.Unparsed(found, error.detail, clean_json(_without_branch(row))))
    return Page(
        mentions=tuple(mentions),
        unparsed=tuple(unparsed),
        gone=tuple(gone),
        skipped=dict(skipped),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def _inside(row: Any, kind: str) -> JsonObject:
    inside = as_object(as_object(row).get("data"))
    if kind not in KEPT or not _get_name(inside).startswith(f"{kind}_"):
        raise Unreadable("kind is none that we know")
    return inside


def _get_name(row: JsonObject) -> str:
    if (found := find_name(row)) is None:
        raise Unreadable("name is not the name of a thing")
    return found


def _without_branch(row: Any) -> Any:
    """An entry without the answers below it, which are entries of their own."""
    inside = row.get("data") if isinstance(row, dict) else None
    if not isinstance(inside, dict):
        return row
    return {**row, "data": {k: v for k, v in inside.items() if k != "replies"}}


def is_gone(row: JsonObject, around: Around) -> bool:
    """Whether its author or a moderator has taken it away. What only its author has left behind by
    closing the account still stands; moderators see what they have removed in lists of their own.
    """
    if around.listed is not None:
        return False
    body = row.get("body", row.get("selftext"))
    if row.get("author") == NOBODY and isinstance(body, str) and body in _WIPED:
        return True
    return bool(find_text(row, "removed_by_category"))


def parse_thing(row: JsonObject, around: Around) -> Mention:
    """One comment, post or private message."""
    name = _get_name(row)
    if name.startswith(f"{POST}_"):
        return _post(name, row, around)
    if name.startswith(f"{MESSAGE}_"):
        return _message(name, row, around)
    return _comment(name, row, around)


def _comment(name: str, row: JsonObject, around: Around) -> Mention:
    parent = find_name(row, "parent_id")
    if parent is None:
        raise Unreadable("parent_id is not the name of a thing")
    raw = _get_body(row, "body")
    return Mention(
        external_id=name,
        kind=_kind_of(row, parent, around),
        author=parse_author(row, name, around.people),
        thread=around.thread or _thread_of(row, parent),
        occurred_at=parse_time(row.get("created_utc")),
        text=_plain(row, "body_html", raw),
        text_raw=raw,
        text_format=TextFormat.MARKDOWN,
        parent_external_id=parent,
        permalink=_address(row),
        edited_at=_edited(row),
        filed=_filed(row, around),
        addressed=addressed_in(raw),
        acknowledged=row.get("likes") is True,
        raw=_kept(row),
    )


def _post(name: str, row: JsonObject, around: Around) -> Mention:
    title, raw = fields.get_text(row, "title"), find_text(row, "selftext")
    below = _plain(row, "selftext_html", raw)
    return Mention(
        external_id=name,
        kind=around.kind,
        author=parse_author(row, name, around.people),
        thread=thread_of_post(row),
        occurred_at=parse_time(row.get("created_utc")),
        text=f"{title}\n\n{below}" if below else title,
        text_raw=f"{title}\n\n{raw}" if raw else title,
        text_format=TextFormat.MARKDOWN,
        permalink=_address(row),
        edited_at=_edited(row),
        filed=_filed(row, around),
        addressed=addressed_in(f"{title} {raw}"),
        media=tuple(_media(row)),
        acknowledged=row.get("likes") is True,
        raw=_kept(row),
    )


def _message(name: str, row: JsonObject, around: Around) -> Mention:
    """A private message; only the two who write to each other see it."""
    root = find_name(row, "first_message_name") or name
    raw, to = _get_body(row, "body"), find_text(row, "dest")
    return Mention(
        external_id=name,
        kind=Kind.DIRECT_MESSAGE,
        author=parse_author(row, name, around.people),
        thread=ThreadRef(
            root,
            title=find_text(row, "subject").removeprefix("re: "),
            permalink=f"{SITE}/message/messages/{number_of(root)}",
        ),
        occurred_at=parse_time(row.get("created_utc")),
        text=_plain(row, "body_html", raw),
        text_raw=raw,
        text_format=TextFormat.MARKDOWN,
        parent_external_id=find_name(row, "parent_id"),
        permalink=f"{SITE}/message/messages/{number_of(name)}",
        visibility=Visibility.DIRECT,
        addressed=(to.lower(),) if to else (),
        raw=_kept(row),
    )


def _get_body(row: JsonObject, name: str) -> str:
    if not isinstance(value := row.get(name), str):
        raise Unreadable(f"{name} is not text")
    return clean(value)


def _plain(row: JsonObject, name: str, raw: str) -> str:
    """What a reader sees; Reddit sends its Markdown rendered as well."""
    html = row.get(name)
    return html_to_text(html) if isinstance(html, str) and html else raw


def _kind_of(row: JsonObject, parent: str, around: Around) -> Kind:
    """An entry of the inbox says why it is there (old ones in words only). Elsewhere what answers a
    comment of ours is a reply, as far as the list shows whose that is.
    """
    told = _KINDS.get(find_text(row, "type")) or _KINDS.get(find_text(row, "subject"))
    if told is not None:
        return told
    return Kind.REPLY if parent in around.ours else Kind.COMMENT


def _thread_of(row: JsonObject, parent: str) -> ThreadRef:
    """The post a comment stands below: by its name, or in the inbox, by the comment's address."""
    root = find_name(row, "link_id")
    path = _path(row)
    if root is None and (found := _IN_A_PATH.search(path)):
        root = f"{POST}_{found[1]}"
    if root is None and parent.startswith(f"{POST}_"):
        root = parent
    if root is None:
        raise Unreadable("neither link_id nor context names the post")
    return ThreadRef(root, title=find_text(row, "link_title"), permalink=post_address(path, root))


def thread_of_post(row: JsonObject) -> ThreadRef:
    """The conversation below a post."""
    return ThreadRef(
        _get_name(row),
        title=find_text(row, "title"),
        permalink=_address(row),
        started_at=parse_time(row.get("created_utc")),
    )


def post_address(path: str, root: str) -> str:
    """The address of a post, by that of a comment below it: the same for each of them."""
    place = re.match(r"/(?:r|user)/[A-Za-z0-9_-]{1,40}/comments/", path)
    return f"{SITE}{place[0] if place else '/comments/'}{number_of(root)}/"


def _path(row: JsonObject) -> str:
    path = find_text(row, "permalink") or find_text(row, "context")
    return path.partition("?")[0] if path.startswith("/") else ""


def _address(row: JsonObject) -> str:
    path = _path(row)
    return f"{SITE}{path}" if path else ""


def _edited(row: JsonObject) -> datetime | None:
    """`edited` is false, or when it was done."""
    return parse_time(row.get("edited"))


def _filed(row: JsonObject, around: Around) -> Filed | None:
    """In the queue of moderators stand messages that wait for them, and others that somebody only
    reported, which everybody sees.
    """
    if around.listed is not Filed.HELD:
        return around.listed
    held = any(row.get(name) for name in ("banned_by", "spam", "removed"))
    return Filed.HELD if held else None


def _kept(row: JsonObject) -> Any:
    return clean_json({name: value for name, value in row.items() if name != "replies"})


def addressed_in(text: str) -> tuple[str, ...]:
    """The users that a text names, in lower case: `u/anna`, `/u/anna`."""
    return tuple(dict.fromkeys(one.lower() for one in _ADDRESSED.findall(text)))


def _media(row: JsonObject) -> Iterator[Media]:
    """What a post links to: a picture, a film, or a page."""
    url = fields.find_url(row, "url")
    if not url or row.get("is_self") is True:
        return
    kind = "link"
    if url.partition("?")[0].lower().endswith(_IMAGES):
        kind = "image"
    elif row.get("is_video") is True:
        kind = "video"
    yield Media(kind, url)


def parse_parents(rows: Iterable[Any]) -> tuple[Parent, ...]:
    """Posts below which people write, with the number of comments that Reddit counts there."""
    found = []
    for row in data_of(rows):
        name = find_name(row)
        if name is None or not name.startswith(f"{POST}_"):
            continue
        count = row.get("num_comments")
        counter = count if type(count) is int and 0 <= count < fields.LARGEST else None
        thread = thread_of_post(row)
        found.append(
            Parent(
                name,
                created_at=thread.started_at,
                counter=counter,
                extra={"title": thread.title, "permalink": thread.permalink},
            )
        )
    return tuple(found)
