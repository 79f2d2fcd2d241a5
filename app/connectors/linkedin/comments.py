"""Comments and posts of LinkedIn, as its API tells them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
    Signal,
    ThreadRef,
    Unparsed,
)
from app.connectors.fields import Unreadable, as_object, find_id, find_text, find_url, is_among
from app.connectors.linkedin.urns import CommentUrn, find_comment, find_urn, get_urn, page_of
from app.connectors.text import clean_json, parse_time, title_of

MEMBER, PAGE = "LinkedIn member", "LinkedIn Page"
_NOBODY = Signal("author_hidden", "LinkedIn does not tell who wrote this.")
_NAMED = re.compile(r"@\[([^\]\n]{0,200})\]\(urn:li:[A-Za-z]{1,40}:[A-Za-z0-9_-]{1,80}\)")
_HASHTAG = re.compile(r"\{hashtag\|\\?#\|([^|{}\n]{1,200})\}")
_ESCAPED = re.compile(r"\\([\\|{}@\[\]()<>#*_~])")
_URNS_IN_TEXT = re.compile(r"urn:li:(?:person|organization|company):[A-Za-z0-9_-]{1,80}")
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where comments stand: the conversation, and our Page. `foreign`: below a post of somebody
    else, most of what is written there is not meant for us.
    """

    us: str
    title: str = ""
    foreign: str = ""  # the post, as the mention is known by

    def thread(self, entity: str) -> ThreadRef:
        """A post has two URNs; comments always name one of them, and so the conversation is called
        by that, whichever the post was asked for with.
        """
        root = self.foreign or entity
        return ThreadRef(root, self.title, page_of(root))


def person_of(urn: str) -> Person:
    """An author is a URN and nothing else: names are shown to partners only."""
    return Person(urn, display_name=MEMBER if urn.startswith("urn:li:person:") else PAGE)


def nobody(external_id: str) -> Person:
    """Two whose authors are not told are never taken for one person."""
    return Person(f"unknown:{external_id}", display_name=MEMBER, signals=(_NOBODY,))


def author_of(row: JsonObject, external_id: str) -> Person:
    actor = find_urn(row.get("actor"))
    return nobody(external_id) if actor is None else person_of(actor)


def urn_of(row: JsonObject) -> CommentUrn:
    """A comment's URN: told whole, or made of what it stands below and its number."""
    for name in ("commentUrn", "$URN"):
        if (found := find_comment(row.get(name))) is not None:
            return found
    entity, number = find_urn(row.get("object")), find_id(row)
    if entity is None or number is None:
        raise Unreadable("commentUrn is not the URN of a comment")
    return CommentUrn(entity, number)


def parse_comment(row: JsonObject, place: Place, *, top: CommentUrn | None = None) -> Mention:
    """One comment. `top` is the one it was listed below. LinkedIn's comments have two levels; an
    answer says which comment of the first level it stands below.
    """
    urn = urn_of(row)
    thread = place.thread(urn.entity)
    above = find_comment(row.get("parentComment")) or top
    message = row.get("message")
    text = find_text(message, "text") if isinstance(message, dict) else ""
    created, changed = _time(row, "created"), _time(row, "lastModified")
    edited = created is not None and changed is not None and changed > created
    return Mention(
        external_id=str(urn),
        kind=Kind.COMMENT if above is None else Kind.REPLY,
        author=author_of(row, str(urn)),
        thread=thread,
        occurred_at=created,
        text=text,
        text_raw=text,
        parent_external_id=thread.external_id if above is None else str(above),
        permalink=thread.permalink,  # a comment has none of its own
        edited_at=changed if edited else None,
        addressed=tuple(dict.fromkeys(_named(message, _DEEPEST))),
        media=tuple(_media(row)),
        raw=clean_json(row),
    )


def _time(row: JsonObject, name: str) -> Any:
    told = row.get(name)
    return parse_time(told.get("time")) if isinstance(told, dict) else None


def _named(value: Any, depth: int) -> Iterator[str]:
    """The people and Pages that a message names, at any place in its attributes: the shape differs
    from version to version, the URNs do not.
    """
    if depth <= 0:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "text":
                yield from _named(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value[:100]:
            yield from _named(inner, depth - 1)
    elif (found := find_urn(value)) is not None:
        yield found.replace("urn:li:company:", "urn:li:organization:")


def _media(row: JsonObject) -> Iterator[Media]:
    content = row.get("content")
    for each in content[:20] if isinstance(content, list) else ():
        if isinstance(each, dict) and (url := find_url(each, "url")):
            kind = find_text(each, "type").lower()
            yield Media(kind if kind in {"image", "video"} else "link", url)


def parse_rows(rows: Sequence[Any], parse: Callable[[JsonObject], Mention]) -> Page:
    """Reads each row by itself: one that can't be read costs no other."""
    mentions, unparsed = [], []
    for row in rows:
        try:
            mentions.append(parse(as_object(row)))
        except Unreadable as error:
            unparsed.append(Unparsed(_find_id(row), error.detail, clean_json(row)))
    return Page(mentions=tuple(mentions), unparsed=tuple(unparsed))


def _find_id(row: Any) -> str | None:
    try:
        return str(urn_of(as_object(row)))
    except Unreadable:
        return find_urn(row.get("id")) if isinstance(row, dict) else None


def answered(rows: Sequence[Any]) -> Sequence[CommentUrn]:
    """The comments of a page that have answers, or may have: these are a list of their own."""
    found = []
    for row in rows:
        summary = row.get("commentsSummary") if isinstance(row, dict) else None
        count = summary.get("totalFirstLevelComments") if isinstance(summary, dict) else None
        if type(count) is not int or count > 0:
            try:
                found.append(urn_of(as_object(row)))
            except Unreadable:
                continue  # it is put aside with the rows
    return found


def parse_comments(
    rows: Sequence[Any], below: Mapping[CommentUrn, Sequence[Any]], place: Place
) -> Page:
    """A page of comments with all answers to them."""
    pages = [parse_rows(rows, partial(parse_comment, place=place))]
    pages += [
        parse_rows(answers, partial(parse_comment, place=place, top=top))
        for top, answers in below.items()
    ]
    mentions = tuple(each for page in pages for each in page.mentions)
    kept = tuple(each for each in mentions if _concerns_us(each, mentions, place))
    others = len(mentions) - len(kept)
    return Page(
        mentions=kept,
        unparsed=tuple(each for page in pages for each in page.unparsed),
        skipped={"not_for_us": others} if others else {},
    )


def _concerns_us(mention: Mention, everything: Sequence[Mention], place: Place) -> bool:
    """Below a post of somebody else: what we wrote, what names us, and all of a branch in which we
    wrote.
    """
    if not place.foreign or place.us in {mention.author.external_id, *mention.addressed}:
        return True
    branches = {_branch(one) for one in everything if one.author.external_id == place.us}
    return _branch(mention) in branches


def _branch(mention: Mention) -> str:
    """The comment of the first level that one stands below, or is."""
    top = mention.kind is Kind.COMMENT
    return mention.external_id if top else str(mention.parent_external_id)


def parse_batch(
    body: JsonObject, ids: Mapping[str, str], parse: Callable[[JsonObject], Mention]
) -> Page:
    """Many things that were asked for by their keys in a list; `ids` are ours for these. What was
    found, and what LinkedIn says is not there.
    """
    results, errors = body.get("results"), body.get("errors")
    if not isinstance(results, dict):
        raise Unreadable("results is not an object")
    found = parse_rows(list(results.values()), parse)
    gone = tuple(
        ids[key]
        for key, error in (errors.items() if isinstance(errors, dict) else ())
        if key in ids and isinstance(error, dict) and is_among(error, "status", {404, 410})
    )
    return replace(found, gone=gone)


def moved(comment: Mention, home: str) -> Mention:
    """A comment as it stands in the conversation that we call by another URN of its post."""
    thread = ThreadRef(home, "", page_of(home))
    is_top = comment.kind is Kind.COMMENT
    above = home if is_top else comment.parent_external_id
    return replace(comment, thread=thread, parent_external_id=above, permalink=thread.permalink)


def plain(commentary: str) -> str:
    """The text of a post without LinkedIn's marks ("little text format"): names and hashtags as
    they are shown, signs without their backslashes.
    """
    named = _NAMED.sub(r"\1", commentary)
    return _ESCAPED.sub(r"\1", _HASHTAG.sub(r"#\1", named))


def parse_post(row: JsonObject, us: str) -> Mention:
    """A post: one of ours is the top of a conversation, one of somebody else mentions us, or shares
    what we wrote.
    """
    external_id = get_urn(row, "id")
    author = find_urn(row.get("author"))
    raw_text = find_text(row, "commentary")
    text = plain(raw_text)
    at = parse_time(row.get("publishedAt")) or parse_time(row.get("createdAt"))
    return Mention(
        external_id=external_id,
        kind=Kind.COMMENT if author == us else _kind(row),
        author=nobody(external_id) if author is None else person_of(author),
        thread=ThreadRef(external_id, title_of(text), page_of(external_id), at),
        occurred_at=at,
        text=text,
        text_raw=raw_text,
        permalink=page_of(external_id),
        edited_at=_edited(row),
        addressed=tuple(dict.fromkeys(_URNS_IN_TEXT.findall(raw_text))),
        raw=clean_json(row),
    )


def _kind(row: JsonObject) -> Kind:
    return Kind.SHARE if isinstance(row.get("reshareContext"), dict) else Kind.MENTION


def _edited(row: JsonObject) -> Any:
    info = row.get("lifecycleStateInfo")
    is_edited = isinstance(info, dict) and info.get("isEditedByAuthor") is True
    return parse_time(row.get("lastModifiedAt")) if is_edited else None


def parse_posts(rows: Sequence[Any], us: str) -> Page:
    """A page of our posts, the one that changed last first. Those that are not public cause no
    notifications: they are parents to watch.
    """
    page = parse_rows(rows, partial(parse_post, us=us))
    quiet = {
        find_urn(row.get("id"))
        for row in rows
        if isinstance(row, dict) and row.get("visibility") != "PUBLIC"
    }
    times = [
        at
        for row in rows
        if isinstance(row, dict) and (at := parse_time(row.get("lastModifiedAt"))) is not None
    ]
    return Page(
        mentions=page.mentions,
        unparsed=page.unparsed,
        parents=tuple(
            Parent(
                each.external_id, created_at=each.occurred_at, extra={"title": each.thread.title}
            )
            for each in page.mentions
            if each.external_id in quiet
        ),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def watched(mentions: Sequence[Mention], us: str) -> Sequence[Parent]:
    """Posts of others that mention us: our answer stands below them."""
    return [
        Parent(
            each.external_id,
            created_at=each.occurred_at,
            extra={"title": each.thread.title, "foreign": True},
        )
        for each in mentions
        if each.kind is Kind.MENTION
        and each.parent_external_id is None
        and each.author.external_id != us
    ]
