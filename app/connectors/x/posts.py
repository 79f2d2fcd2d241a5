"""Posts of X, API v2: what an answer holds, in the names of the guides and of the OpenAPI file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connectors import base, fields
from app.connectors.base import JsonObject, Kind, Media, Mention, Page, Parent, ThreadRef, Unparsed
from app.connectors.failures import BadResponse
from app.connectors.text import clean, clean_json, parse_time
from app.connectors.x import people, refusals
from app.connectors.x.people import SITE

FIRST_SNOWFLAKE = 10_000_000_000_000_000
"""Ids since November 2010 hold their time; those before were counted."""
_EPOCH = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
_NO_LANGUAGE = frozenset({"und", "zxx", "art", "qam", "qct", "qht", "qme", "qst"})
_MEDIA = {"photo": "image", "video": "video", "animated_gif": "video"}
_ESCAPED = re.compile("&(amp|lt|gt);")
_PLAIN = {"amp": "&", "lt": "<", "gt": ">"}


@dataclass(frozen=True, slots=True)
class Around:
    """What comes along with posts: their authors, pictures, and the posts they refer to."""

    us: str
    users: Mapping[str, JsonObject] = field(default_factory=dict)
    media: Mapping[str, JsonObject] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)  # of an edited post's id the first one
    author: str = ""  # of whom a list is, where its posts don't say


def either(row: JsonObject, name: str, also: str) -> Any:
    """A field by the guides' name or, where that is absent, by the OpenAPI file's."""
    return row[name] if name in row else row.get(also)


def rows_of(body: Any, what: str) -> list[Any]:
    """The entries of a list. Without `data` it is empty only where `meta` or `errors` say so."""
    if isinstance(body, dict):
        rows = body.get("data")
        if isinstance(rows, list):
            return rows
        known = isinstance(body.get("meta"), dict) or isinstance(body.get("errors"), list)
        if rows is None and known:
            return []
    raise BadResponse(f"X answered with something that is not a list of {what}.")


def next_token(body: Any) -> str:
    """Where a list goes on, "" at its end: pages may be short or empty before it."""
    meta = body.get("meta") if isinstance(body, dict) else None
    return fields.find_text(meta, "next_token") if isinstance(meta, dict) else ""


def around_of(body: Any, us: str, author: str = "") -> Around:
    """The `includes` of an answer."""
    users = {one["id"]: one for one in _included(body, "users") if _id(one)}
    media = {
        key: one for one in _included(body, "media") if (key := fields.find_text(one, "media_key"))
    }
    posts = [*_included(body, "tweets"), *_included(body, "posts")]
    first = {found: chain_of(one)[0] for one in posts if (found := _id(one))}
    return Around(us, {_id(one): one for one in users.values()}, media, first, author)


def _included(body: Any, name: str) -> Iterator[JsonObject]:
    includes = body.get("includes") if isinstance(body, dict) else None
    rows = includes.get(name) if isinstance(includes, dict) else None
    yield from (one for one in rows if isinstance(one, dict)) if isinstance(rows, list) else ()


def _id(row: JsonObject, name: str = "id") -> str:
    return fields.find_id(row, name) or ""


def included_ids(body: Any) -> tuple[set[str], set[str]]:
    """(posts, users) that came along, for the bill."""
    posts = {_id(one) for name in ("tweets", "posts") for one in _included(body, name)}
    return posts - {""}, {_id(one) for one in _included(body, "users")} - {""}


def chain_of(row: JsonObject) -> list[str]:
    """The ids of all versions of a post, the first one first. Each edit gives it another id."""
    known = either(row, "edit_history_tweet_ids", "edit_history_post_ids")
    ids = [fields.find_id({"id": one}) for one in known] if isinstance(known, list) else []
    found = [one for one in ids if one is not None]
    return found if found and len(found) == len(ids) else [_id(row)]


def time_of(external_id: str) -> datetime | None:
    """The second in which an id was made, `None` where it does not tell."""
    number = int(external_id) if external_id.isdecimal() else 0
    if number < FIRST_SNOWFLAKE:
        return None
    return (_EPOCH + timedelta(milliseconds=number >> 22)).replace(microsecond=0)


def parse_posts(rows: list[Any], around: Around) -> Page:
    """A page of posts, without its place in the list. Reposts are counted, not kept."""
    mentions, unparsed = [], []
    skipped: dict[str, int] = {}
    for row in rows:
        try:
            post = fields.as_object(row)
            if any(kind == "retweeted" for kind, _ in references(post)):
                skipped["retweeted"] = skipped.get("retweeted", 0) + 1
            else:
                mentions.append(parse_post(post, around))
        except fields.Unreadable as error:
            unparsed.append(Unparsed(fields.find_id(row), error.detail, clean_json(row)))
    times = [at for row in rows if (at := _sort_time(row)) is not None]
    return Page(
        mentions=tuple(mentions),
        unparsed=tuple(unparsed),
        skipped=skipped,
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
    )


def _sort_time(row: Any) -> datetime | None:
    if not isinstance(row, dict):
        return None
    return parse_time(row.get("created_at")) or time_of(_id(row))


def references(post: JsonObject) -> list[tuple[str, str]]:
    """(how, id) of the posts that a post refers to: `replied_to`, `quoted`, `retweeted`."""
    rows = either(post, "referenced_tweets", "referenced_posts")
    found = [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
    kinds = {"reposted": "retweeted"}
    return [
        (kinds.get(kind, kind), _id(one))
        for one in found
        if (kind := fields.find_text(one, "type")) and _id(one)
    ]


def parse_post(post: JsonObject, around: Around) -> Mention:
    """One post. Its id here is that of its first version, so that an edit stays one message."""
    shown, chain = fields.get_id(post, "id"), chain_of(post)
    author = around.author if "author_id" not in post and around.author else ""
    author = author or fields.get_id(post, "author_id")
    said_at = parse_time(post.get("created_at")) or time_of(shown)
    edited = len(chain) > 1
    refers = references(post)
    parent = next((one for how, one in refers if how == "replied_to"), None)
    if parent is not None:
        parent = around.first.get(parent, parent)
    root = fields.find_id(post, "conversation_id") or parent or chain[0]
    root = chain[0] if root in chain else around.first.get(root, root)
    user = around.users.get(author)
    text, raw = text_of(post)
    ours = fields.find_id(post, "in_reply_to_user_id") == around.us and author != around.us
    person = people.parse_person(user, said_at) if user else people.nobody(author)
    handle = person.handle or "i"
    return Mention(
        external_id=chain[0],
        kind=Kind.REPLY if ours else Kind.MENTION,
        author=person,
        thread=ThreadRef(root, permalink=f"{SITE}/i/status/{root}", started_at=time_of(root)),
        occurred_at=(time_of(chain[0]) or said_at) if edited else said_at,
        text=text,
        text_raw=raw,
        parent_external_id=parent,
        permalink=f"{SITE}/{handle}/status/{shown}",
        language=_language(post),
        visibility=_visibility(user),
        edited_at=said_at if edited else None,
        revision=shown if edited else "",
        addressed=tuple(addressed_in(post)),
        media=tuple(media_of(post, refers, around)),
        raw=clean_json(post),
    )


def text_of(post: JsonObject) -> tuple[str, str]:
    """(plain, as it came). A long post stands whole in its note. `&`, `<` and `>` come escaped,
    links shortened: the plain text has them as a reader sees them.
    """
    note = either(post, "note_tweet", "note_post")
    long = note if isinstance(note, dict) and isinstance(note.get("text"), str) else None
    raw = fields.find_text(long or post, "text")
    if not raw and not isinstance(post.get("text"), str):
        raise fields.Unreadable("text is not text")
    text = raw
    for short, whole in _links((long or post).get("entities")):
        text = text.replace(short, whole)
    return clean(_ESCAPED.sub(lambda found: _PLAIN[found[1]], text)), raw


def _links(entities: Any) -> Iterator[tuple[str, str]]:
    rows = entities.get("urls") if isinstance(entities, dict) else None
    for one in rows if isinstance(rows, list) else ():
        if isinstance(one, dict):
            short, whole = fields.find_url(one, "url"), fields.find_url(one, "expanded_url")
            if short and whole:
                yield short, whole


def addressed_in(post: JsonObject) -> list[str]:
    """Ids and handles of the people a post names; a reply names whom it answers."""
    found: list[str] = []
    for holder in (post, either(post, "note_tweet", "note_post")):
        entities = holder.get("entities") if isinstance(holder, dict) else None
        rows = entities.get("mentions") if isinstance(entities, dict) else None
        for one in rows if isinstance(rows, list) else ():
            if isinstance(one, dict):
                found += [_id(one), fields.find_text(one, "username").lower()]
    answered = fields.find_id(post, "in_reply_to_user_id")
    return list(dict.fromkeys(one for one in (*found, answered) if one))


def media_of(post: JsonObject, refers: list[tuple[str, str]], around: Around) -> Iterator[Media]:
    """Pictures and films of a post, and the post it quotes."""
    attached = post.get("attachments")
    keys = attached.get("media_keys") if isinstance(attached, dict) else None
    for key in keys if isinstance(keys, list) else ():
        one = around.media.get(key) if isinstance(key, str) else None
        if one is not None:
            url = fields.find_url(one, "url") or fields.find_url(one, "preview_image_url")
            kind = _MEDIA.get(fields.find_text(one, "type"), "file")
            yield Media(kind, url, fields.find_text(one, "alt_text"))
    for how, quoted in refers:
        if how == "quoted":
            yield Media("link", f"{SITE}/i/status/{quoted}", "quoted post")


def _language(post: JsonObject) -> str:
    found = fields.find_text(post, "lang")
    return "" if found in _NO_LANGUAGE else found


def _visibility(user: JsonObject | None) -> base.Visibility:
    protected = user is not None and user.get("protected") is True
    return base.Visibility.FOLLOWERS if protected else base.Visibility.PUBLIC


def parse_parents(rows: list[Any]) -> tuple[Parent, ...]:
    """Posts of ours that somebody has quoted (or of which X does not say so), as parents of the
    quotes; the counter tells of new ones.
    """
    found = {}
    for row in rows:
        if not isinstance(row, dict) or not _id(row):
            continue
        metrics = row.get("public_metrics")
        count = metrics.get("quote_count") if isinstance(metrics, dict) else None
        counter = count if type(count) is int and 0 <= count < fields.LARGEST else None
        if counter != 0:
            first = chain_of(row)[0]
            found[first] = Parent(first, _sort_time(row), None, counter, {"shown": _id(row)})
    return tuple(found.values())


def gone_in(body: Any) -> tuple[str, ...]:
    """Posts that an answer says are gone: those asked for by id, and those others refer to."""
    return tuple(
        dict.fromkeys(
            named
            for one in refusals.problems_of(body)
            if refusals.name_of(one) in refusals.GONE
            and one.get("resource_type", "tweet") in {"tweet", "post"}
            and (named := fields.find_id(one, "resource_id") or fields.find_id(one, "value"))
        )
    )
