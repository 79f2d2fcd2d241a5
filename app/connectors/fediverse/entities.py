"""Entities of the Mastodon client API (Mastodon, GoToSocial, Pleroma), read without a network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.connectors.base import (
    Filed,
    JsonObject,
    Kind,
    Media,
    Mention,
    Person,
    Signal,
    TextFormat,
    ThreadRef,
    Unparsed,
    Visibility,
)
from app.connectors.failures import BadResponse
from app.connectors.text import clean, clean_json, html_to_text, parse_time

YOUNG = timedelta(days=30)
STATUS_TYPES = frozenset({"mention", "quote"})
FOLLOW_TYPES = frozenset({"follow", "follow_request"})
FOLLOW = "follow:"  # before the id of a follow's notification: posts have ids of their own
_MALFORMED = (ValueError, TypeError, KeyError, AttributeError)
_VISIBILITIES = {
    "public": Visibility.PUBLIC,
    "local": Visibility.PUBLIC,  # Pleroma: everybody on its server
    "unlisted": Visibility.UNLISTED,
    "private": Visibility.FOLLOWERS,
    "direct": Visibility.DIRECT,
}
_NO_PICTURES = (
    re.compile(r"/missing\.png$"),  # Mastodon
    re.compile(r"/assets/default_avatars/[^/]*$"),  # GoToSocial
    re.compile(r"/images/avi\.png$"),  # Pleroma
)
_MEDIA = {"image": "image", "gifv": "video", "video": "video", "audio": "audio"}
_LINK = re.compile(r'<([^>]*)>\s*;[^,<]*?\brel="?(next|prev)"?')


@dataclass(frozen=True, slots=True)
class Viewer:
    """Through whose eyes a page is read: our account's id, and the host it lives on."""

    account_id: str
    instance: str


@dataclass(frozen=True, slots=True)
class Entries:
    """What a list held: statuses and follows in its order, and what could not or need not be read.

    `ids` are those of all entries, first to last; `times` their platform times.
    """

    mentions: tuple[Mention, ...]
    unparsed: tuple[Unparsed, ...]
    skipped: Mapping[str, int]
    ids: tuple[str, ...]
    times: tuple[datetime, ...]


def alphabet(external_id: str) -> str:
    """The kind of id a server gives: `digits` (Mastodon), `ulid` (GoToSocial), `flake` (Pleroma).

    Ids are opaque; only whether two can come from the same list may be told from them.
    """
    if external_id.isascii() and external_id.isdigit():
        return "digits"
    if re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", external_id):
        return "ulid"
    return "flake"


def link_ids(header: str) -> dict[str, str]:
    """`next` and `prev` of a Link header as ids: `{"max_id": …, "min_id": …}`.

    The addresses themselves are never followed: they carry the host a server believes to have,
    and the token would go there. GoToSocial's `prev` says `since_id`; it is the same id.
    """
    found: dict[str, str] = {}
    for address, _relation in _LINK.findall(header):
        query = parse_qs(urlsplit(address).query)
        for name, key in (("max_id", "max_id"), ("min_id", "min_id"), ("since_id", "min_id")):
            if query.get(name):
                found.setdefault(key, query[name][0])
    return found


def as_list(body: Any, what: str) -> list[Any]:
    if not isinstance(body, list):
        raise BadResponse(f"The server sent no list of {what}.")
    return body


def as_object(body: Any, what: str) -> JsonObject:
    if not isinstance(body, dict):
        raise BadResponse(f"The server sent no {what}.")
    return body


def identifier(entity: Any) -> str:
    """The id of an entity as text; `ValueError` where it has none."""
    value = entity.get("id") if isinstance(entity, dict) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    found = clean(value) if isinstance(value, str) else ""
    if not found:
        raise ValueError("it has no id")
    return found


def has_id(entity: Any) -> bool:
    try:
        identifier(entity)
    except ValueError:
        return False
    return True


def _text(entity: JsonObject, name: str) -> str:
    value = entity.get(name)
    return clean(value) if isinstance(value, str) else ""


def _reference(entity: JsonObject, name: str) -> str | None:
    value = entity.get(name)
    return (clean(str(value)) or None) if isinstance(value, str | int) else None


def _objects(entity: JsonObject, name: str) -> list[JsonObject]:
    value = entity.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def parse_person(account: Any, *, instance: str, seen_at: datetime | None) -> Person:
    """An Account entity. `seen_at` is the time of what it wrote: young is told against that."""
    external_id = identifier(account)
    followers = account.get("followers_count")
    created_at = parse_time(account.get("created_at"))
    return Person(
        external_id=external_id,
        handle=_text(account, "acct") or _text(account, "username"),
        display_name=_text(account, "display_name"),
        url=_text(account, "url") or _text(account, "uri"),
        avatar_url=_text(account, "avatar"),
        followers=followers if isinstance(followers, int) and followers >= 0 else None,
        is_bot=account.get("bot") is True,
        created_at=created_at,
        instance=instance,
        signals=tuple(_signals(account, created_at, seen_at)),
    )


def _signals(
    account: JsonObject, created_at: datetime | None, seen_at: datetime | None
) -> Iterable[Signal]:
    if account.get("bot") is True:
        yield Signal("bot", "The account says that it is automated.")
    if account.get("limited") is True:
        yield Signal("limited", "The server's moderators have limited this account.")
    if account.get("suspended") is True:
        yield Signal("suspended", "The server has suspended this account.")
    if isinstance(account.get("moved"), dict):
        yield Signal("moved", "The person has moved to another account.")
    if created_at and seen_at and seen_at - created_at < YOUNG:
        yield Signal(
            "young_account",
            f"The account was made on {created_at:%Y-%m-%d}, less than 30 days ago.",
        )
    if any(known.search(_text(account, "avatar")) for known in _NO_PICTURES):
        yield Signal("default_avatar", "The account has no picture of its own.")
    if account.get("note") in ("", "<p></p>"):  # it may be anything
        yield Signal("no_description", "The account says nothing about itself.")
    if account.get("statuses_count") == 0:
        yield Signal("no_posts", "The account has posted nothing.")


def _media(status: JsonObject) -> tuple[Media, ...]:
    found = []
    for attachment in _objects(status, "media_attachments"):
        url = _text(attachment, "url") or _text(attachment, "remote_url")
        kind = _MEDIA.get(_text(attachment, "type"), "file")
        if url:
            found.append(Media(kind, url, _text(attachment, "description")))
    card = status.get("card")
    if isinstance(card, dict) and _text(card, "url"):
        found.append(Media("link", _text(card, "url"), _text(card, "title")))
    if quoted := _quoted_url(status):
        found.append(Media("link", quoted, "quoted post"))
    return tuple(found)


def _quoted_url(status: JsonObject) -> str:
    """The post that a status quotes: Mastodon 4.5 (`quote.quoted_status`), Pleroma (`quote`)."""
    quoted = status.get("quote")
    if isinstance(quoted, dict) and isinstance(quoted.get("quoted_status"), dict):
        quoted = quoted["quoted_status"]
    return (_text(quoted, "url") or _text(quoted, "uri")) if isinstance(quoted, dict) else ""


def _visibility(status: JsonObject) -> Visibility:
    """One that we don't know (Fedibird's `limited`) is as narrow as any: nobody may see a message
    here who could not see it there. Software that tells none at all has no others than public ones.
    """
    if status.get("visibility") is None:
        return Visibility.PUBLIC
    return _VISIBILITIES.get(_text(status, "visibility"), Visibility.DIRECT)


def _addressed(status: JsonObject) -> tuple[str, ...]:
    names: list[str] = []
    for person in _objects(status, "mentions"):
        names += [_reference(person, "id") or "", _text(person, "acct").lower()]
    return tuple(dict.fromkeys(name for name in names if name))


def kind_of(status: JsonObject, viewer: Viewer) -> Kind:
    """What a status is to us, from itself alone: the same by whichever route it came."""
    if status.get("visibility") == "direct":
        return Kind.DIRECT_MESSAGE
    if _reference(status, "in_reply_to_account_id") == viewer.account_id:
        return Kind.REPLY
    if viewer.account_id in _addressed(status) or _reference(status, "in_reply_to_id") is None:
        return Kind.MENTION
    return Kind.COMMENT


def _plain(status: JsonObject) -> str:
    warning, body = _text(status, "spoiler_text"), html_to_text(_text(status, "content"))
    return f"{warning}\n\n{body}".strip() if warning else body


def parse_status(status: Any, viewer: Viewer, *, thread: ThreadRef | None = None) -> Mention:
    """One status. Without `thread` it stands for its own root (`root_of`).

    Raises `ValueError` and its like where it cannot be read; the lists below catch them.
    """
    external_id = identifier(status)
    occurred_at = parse_time(status.get("created_at"))
    return Mention(
        external_id=external_id,
        kind=kind_of(status, viewer),
        author=parse_person(status.get("account"), instance=viewer.instance, seen_at=occurred_at),
        thread=thread or root_of(status, ()),
        occurred_at=occurred_at,
        text=_plain(status),
        text_raw=_text(status, "content"),
        text_format=TextFormat.HTML,
        parent_external_id=_reference(status, "in_reply_to_id"),
        permalink=_text(status, "url") or _text(status, "uri"),
        language=_text(status, "language"),
        visibility=_visibility(status),
        edited_at=parse_time(status.get("edited_at")),
        addressed=_addressed(status),
        media=_media(status),
        acknowledged=status.get("favourited") is True,
        raw=clean_json(status),
    )


def root_of(status: JsonObject, ancestors: Iterable[Any]) -> ThreadRef:
    """The conversation of a status whose `ancestors` (its context's, outermost first) are known.

    It is named after the outermost message that the server still shows, or after that message's
    own parent where it names one (hidden from us, or not yet fetched by the server): so all
    branches under it agree, and a reply and its parent always do. Raises `ValueError` where
    neither has an id.
    """
    top = next((each for each in ancestors if has_id(each)), status)
    missing = _reference(top, "in_reply_to_id")
    if missing is not None:
        return ThreadRef(missing)
    return ThreadRef(
        identifier(top),
        permalink=_text(top, "url") or _text(top, "uri"),
        started_at=parse_time(top.get("created_at")),
    )


def parse_follow(notification: Any, viewer: Viewer) -> Mention:
    """A follow, or a request to follow (held until the brand accepts it).

    Its id is the notification's, so that a second follow after an unfollow is a new one.
    """
    external_id = f"{FOLLOW}{identifier(notification)}"
    occurred_at = parse_time(notification.get("created_at"))
    person = parse_person(
        notification.get("account"), instance=viewer.instance, seen_at=occurred_at
    )
    asked = notification.get("type") == "follow_request"
    return Mention(
        external_id=external_id,
        kind=Kind.FOLLOW,
        author=person,
        thread=ThreadRef(external_id, permalink=person.url, started_at=occurred_at),
        occurred_at=occurred_at,
        permalink=person.url,
        filed=Filed.HELD if asked else None,
        raw=clean_json(notification),
    )


def parse_notification(notification: Any, viewer: Viewer) -> Mention | str:
    """What a notification brings, or the name of its type where we keep nothing of it."""
    kind = notification.get("type") if isinstance(notification, dict) else None
    if not isinstance(kind, str) or not kind:
        raise ValueError("it has no type")
    if kind in FOLLOW_TYPES:
        return parse_follow(notification, viewer)
    if kind not in STATUS_TYPES:
        return clean(kind)
    if not notification.get("status"):
        raise ValueError(f"a {kind} without its status")
    return parse_status(notification["status"], viewer)


def parse_own(status: Any, viewer: Viewer) -> Mention | str:
    """One of our own posts; boosts are counted only."""
    if isinstance(status, dict) and isinstance(status.get("reblog"), dict):
        return "reblog"
    return parse_status(status, viewer)


def parse_request(request: Any, viewer: Viewer) -> Mention | str:
    """The last message of somebody whose notifications the account's own filter holds back."""
    if not isinstance(request, dict):
        raise TypeError("it is no object")
    if not isinstance(request.get("last_status"), dict):
        return "request_without_status"
    return parse_status(request["last_status"], viewer)


def parse_entries(
    body: Any, viewer: Viewer, parse: Callable[[Any, Viewer], Mention | str], *, what: str
) -> Entries:
    """A list of entities. One bad entry never hides the others."""
    mentions: list[Mention] = []
    unparsed: list[Unparsed] = []
    skipped: Counter[str] = Counter()
    ids: list[str] = []
    times: list[datetime] = []
    for entity in as_list(body, what):
        external_id = None
        try:
            external_id = identifier(entity)
            parsed = parse(entity, viewer)
        except _MALFORMED as error:
            unparsed.append(Unparsed(external_id, f"{what}: {error}", clean_json(entity)))
        else:
            if isinstance(parsed, Mention):
                mentions.append(parsed)
            else:
                skipped[parsed] += 1
        if external_id is not None:
            ids.append(external_id)
        if isinstance(entity, dict) and (at := parse_time(entity.get("created_at"))):
            times.append(at)
    return Entries(tuple(mentions), tuple(unparsed), skipped, tuple(ids), tuple(times))


def parse_context(body: Any) -> tuple[list[Any], list[Any]]:
    """Ancestors (outermost first) and descendants of a status."""
    context = as_object(body, "context of a post")
    ancestors, descendants = context.get("ancestors"), context.get("descendants")
    return as_list(ancestors, "ancestors"), as_list(descendants, "descendants")
