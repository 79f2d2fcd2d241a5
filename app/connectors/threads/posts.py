"""Posts of Threads, replies to them and mentions, as the Threads API tells them (v1.0)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

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
)
from app.connectors.branches import named_in
from app.connectors.fields import Unreadable, find_text, find_url
from app.connectors.meta.media import Us, writer_of
from app.connectors.meta.nodes import ends_of, find_node_id, node_id, parse_rows
from app.connectors.text import clean_json, parse_time, title_of

WEB = "https://www.threads.com"
_WRITTEN = (
    "id,text,timestamp,username,permalink,media_type,media_url,gif_url,alt_text,"
    "link_attachment_url,is_quote_post,has_replies"
)
POST_FIELDS = _WRITTEN
ONE_FIELDS = f"{_WRITTEN},is_reply,is_reply_owned_by_me,root_post,replied_to,hide_status"
REPLY_FIELDS = f"{ONE_FIELDS},is_verified"
"""Whether an author is verified is told in lists only (Meta, "Reply Management")."""
REPOST = "REPOST_FACADE"
_HIDDEN_BY_US = "HIDDEN"
_VERIFIED = Signal("verified", "Meta has verified the account.")
_FORMS = {"IMAGE": "image", "CAROUSEL_ALBUM": "image", "VIDEO": "video", "AUDIO": "audio"}


def writer(row: JsonObject, external_id: str, us: Us) -> Person:
    """Who wrote it. Threads tells the user name alone, and none at all for a private profile."""
    if row.get("is_reply_owned_by_me") is True:
        return Person(us.external_id, handle=us.username)
    told = writer_of(row, external_id, us)
    if told.external_id == us.external_id or not told.handle:
        return told
    signals = (_VERIFIED,) if row.get("is_verified") is True else ()
    return replace(told, url=f"{WEB}/@{told.handle}", signals=signals)


def parse_message(
    row: JsonObject, us: Us, *, below: ThreadRef | None = None, filed: Filed | None = None
) -> Mention:
    """A post or a reply. `below` is the conversation in whose list it stands."""
    external_id = node_id(row)
    text = find_text(row, "text")
    told = find_node_id(row.get("replied_to"))
    above = None if told == external_id else told
    thread = _thread(row, external_id, above, below)
    if above is None and thread.external_id != external_id:
        above = thread.external_id
    author, addressed = writer(row, external_id, us), named_in(text)
    return Mention(
        external_id=external_id,
        kind=_kind(us, author, addressed, is_root=above is None),
        author=author,
        thread=thread,
        occurred_at=parse_time(row.get("timestamp")),
        text=text,
        text_raw=text,
        parent_external_id=above,
        permalink=find_url(row, "permalink"),
        filed=filed,
        addressed=addressed,
        media=tuple(_media(row)),
        acknowledged=find_text(row, "hide_status") == _HIDDEN_BY_US,
        raw=clean_json(row),
    )


def _thread(
    row: JsonObject, external_id: str, above: str | None, below: ThreadRef | None
) -> ThreadRef:
    """The conversation: its root is named in each reply, and below our own posts we know it. Where
    nothing is named, a message is a conversation of its own.
    """
    root = find_node_id(row.get("root_post"))
    if below is not None and root in {None, below.external_id}:
        return below
    if root is not None and root != external_id:
        return ThreadRef(root)
    if above is not None:
        return ThreadRef(above)
    title = title_of(find_text(row, "text"))
    at = parse_time(row.get("timestamp"))
    return ThreadRef(external_id, title, find_url(row, "permalink"), at)


def _kind(us: Us, author: Person, addressed: Sequence[str], *, is_root: bool) -> Kind:
    """One message can stand in two lists, below our post and among our mentions: what it says
    decides, not the list.
    """
    if author.external_id == us.external_id:
        return Kind.COMMENT if is_root else Kind.REPLY
    return Kind.MENTION if is_root or us.names & set(addressed) else Kind.REPLY


def _media(row: JsonObject) -> list[Media]:
    words = find_text(row, "alt_text")
    form = _FORMS.get(find_text(row, "media_type"), "link")
    found = (
        (form, find_url(row, "media_url")),
        ("image", find_url(row, "gif_url")),
        ("link", find_url(row, "link_attachment_url")),
    )
    return [Media(kind, url, "" if kind == "link" else words) for kind, url in found if url]


def parse_list(
    rows: Sequence[Any], us: Us, *, below: ThreadRef | None = None, filed: Filed | None = None
) -> Page:
    """A page of a list. Reposts hold nothing that anybody wrote."""
    kept = [row for row in rows if not _is_repost(row)]
    parsed = parse_rows(kept, partial(parse_message, us=us, below=below, filed=filed))
    oldest, newest = ends_of(rows, "timestamp")
    reposts = len(rows) - len(kept)
    return Page(
        mentions=parsed.mentions,
        unparsed=parsed.unparsed,
        skipped={"repost": reposts} if reposts else {},
        oldest_at=oldest,
        newest_at=newest,
    )


def _is_repost(row: Any) -> bool:
    return isinstance(row, dict) and row.get("media_type") == REPOST


def parse_mentions(rows: Sequence[Any], us: Us) -> Page:
    """A page of what names us. Meta says so, be it in a text that spells us otherwise."""
    page = parse_list(rows, us)
    named = (
        each if each.author.external_id == us.external_id else replace(each, kind=Kind.MENTION)
        for each in page.mentions
    )
    return replace(page, mentions=tuple(named))


def parse_own(rows: Sequence[Any], us: Us) -> Page:
    """A page of our posts, each also a parent to watch. Threads counts no replies in a list, it
    only says whether there are any: that is the counter.
    """
    page = parse_list(rows, us)
    return replace(page, parents=tuple(_parent(each) for each in page.mentions))


def _parent(post: Mention) -> Parent:
    has = _has_replies(post)
    thread = post.thread
    return Parent(
        post.external_id,
        created_at=post.occurred_at,
        counter=None if has is None else int(has),
        extra={
            "title": thread.title,
            "permalink": thread.permalink,
            "started_at": thread.started_at.isoformat() if thread.started_at else None,
        },
    )


def _has_replies(post: Mention) -> bool | None:
    told = (post.raw or {}).get("has_replies")
    return told if isinstance(told, bool) else None


def answered(page: Page) -> Sequence[Mention]:
    """The messages of a page that have replies."""
    return [each for each in page.mentions if _has_replies(each)]


def watched(page: Page, ours: Collection[str]) -> Page:
    """A page of what we answered anywhere. Below posts of others nobody shows us a conversation: an
    answer of ours that was answered there is a parent to watch. `ours` are posts of ours, whose
    conversations are read anyway.
    """
    parents = tuple(
        Parent(each.external_id, created_at=each.occurred_at, counter=1)
        for each in answered(page)
        if each.thread.external_id not in ours
    )
    return replace(page, parents=parents)


def parse_one(row: JsonObject, us: Us, external_id: str) -> Mention:
    """A message that was asked for by its id."""
    if node_id(row) != external_id:
        raise Unreadable("another message was sent than the one that was asked for")
    return parse_message(row, us)
