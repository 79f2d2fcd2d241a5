"""The border: what a connector returned, made fit to be stored, told apart into theirs and ours."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from app.connectors.base import Mention, Person, Unparsed
from app.connectors.text import clean, clean_json

AHEAD = timedelta(minutes=5)
CLAIMED_TOO_EARLY = timedelta(days=1)
MAX_EXTERNAL_ID = 500
MAX_TEXT = 100_000
MAX_NAME = 300
MAX_URL = 2000
MAX_TITLE = 500
MAX_FOLLOWERS = 2**62
NO_REPLY_KINDS = frozenset({"follow", "share", "praise"})
_KINDS_BY_RANK = (
    *sorted(NO_REPLY_KINDS),  # lowest: where one route says that somebody waits, somebody waits
    "comment",
    "mention",
    "reply",
    "question",
    "review",
    "direct_message",
)
_RANKS = {kind: rank for rank, kind in enumerate(_KINDS_BY_RANK)}


@dataclass(frozen=True, slots=True)
class Us:
    """Who we are on a source: author ids and lower-case handles; `automated` are those of bots."""

    values: frozenset[str]
    automated: frozenset[str]

    def is_ours(self, person: Person) -> bool:
        return bool(self._names(person) & self.values)

    def is_automated(self, person: Person) -> bool:
        return bool(self._names(person) & self.automated)

    @staticmethod
    def _names(person: Person) -> set[str]:
        names = {person.external_id}
        if person.handle:
            names.add(person.handle.lower())
        return names


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message ready to be stored. `occurred_at` is plausible; `time_suspect` says that the
    platform's word for it was not. `seen_hash` changes when anything the platform said does.
    """

    mention: Mention
    occurred_at: datetime
    time_suspect: bool
    text: str
    text_raw: str
    seen_hash: int

    @property
    def external_id(self) -> str:
        return self.mention.external_id


@dataclass(frozen=True, slots=True)
class Sorted:
    """A page, told apart. What could not be made fit is in `refused`, for quarantine."""

    theirs: dict[str, Arrival]
    ours: dict[str, Arrival]
    refused: tuple[Unparsed, ...]


def sort_out(mentions: Sequence[Mention], us: Us, now: datetime) -> Sorted:
    """Makes every message of a page fit to be stored. Of equal ids the last wins, with the kind
    that ranks highest among them.
    """
    theirs: dict[str, Arrival] = {}
    ours: dict[str, Arrival] = {}
    refused = []
    for mention in mentions:
        reason = _unfit(mention)
        if reason is not None:
            refused.append(Unparsed(mention.external_id, reason, mention.raw))
            continue
        pile = ours if us.is_ours(mention.author) else theirs
        before = pile.get(mention.external_id)
        pile[mention.external_id] = _arrival(_as_ranked(mention, before), now)
    return Sorted(theirs, ours, tuple(refused))


def _as_ranked(mention: Mention, before: Arrival | None) -> Mention:
    if before is None or rank_of(before.mention.kind) <= rank_of(mention.kind):
        return mention
    return replace(mention, kind=before.mention.kind)


def _unfit(mention: Mention) -> str | None:
    """Why a message can't be stored; ids are never cut, since a cut id is another id."""
    for what, value in (
        ("id", mention.external_id),
        ("author's id", mention.author.external_id),
        ("thread's id", mention.thread.external_id),
        ("parent's id", mention.parent_external_id or "-"),
    ):
        if not value:
            return f"the {what} is empty"
        if len(value) > MAX_EXTERNAL_ID:
            return f"the {what} is longer than {MAX_EXTERNAL_ID} characters"
        if clean(value, limit=MAX_EXTERNAL_ID) != value:
            return f"the {what} holds characters that can't be stored"
    return None


def fit_for_quarantine(entry: Unparsed) -> Unparsed:
    """An unreadable entry that any database takes. An id that can't be stored is none: cut or
    cleaned it would be another one, and asking for that would prove nothing.
    """
    known = entry.external_id or None
    if known is not None and clean(known[: MAX_EXTERNAL_ID + 1], limit=MAX_EXTERNAL_ID) != known:
        known = None
    reason = clean(entry.reason, limit=MAX_TITLE)
    return Unparsed(known, reason, clean_json(entry.raw))


def _arrival(mention: Mention, now: datetime) -> Arrival:
    text = clean(mention.text, limit=MAX_TEXT)
    text_raw = clean(mention.text_raw, limit=MAX_TEXT) or text  # never empty beside a text
    at, suspect = plausible_time(mention, now)
    return Arrival(
        mention=mention,
        occurred_at=at,
        time_suspect=suspect,
        text=text,
        text_raw=text_raw,
        seen_hash=_hash_of(mention, text, text_raw),
    )


def plausible_time(mention: Mention, now: datetime) -> tuple[datetime, bool]:
    """The platform's creation time, or the next best where it can't be true, and whether so.

    Not true: later than now + 5 min, before the thread's root, missing, or claimed by the author's
    own clock against the server's index time. Next best: the index time, else now (first seen).
    """
    said, indexed, root = mention.occurred_at, mention.indexed_at, mention.thread.started_at
    is_root = mention.thread.external_id == mention.external_id
    if said is not None and said <= now + AHEAD and (is_root or root is None or said >= root):
        contradicted = indexed is not None and (
            said > indexed + AHEAD or said < indexed - CLAIMED_TOO_EARLY
        )
        if not contradicted:
            return said, False
    if indexed is not None and indexed <= now + AHEAD:
        return indexed, True
    return now, True


def rank_of(kind: str) -> int:
    """Which of two kinds holds where one message comes by two routes: the higher one, so that the
    order of arrival does not matter.
    """
    return _RANKS.get(kind, len(_RANKS))


def _hash_of(mention: Mention, text: str, text_raw: str) -> int:
    author = mention.author
    said = (
        text,
        text_raw,
        mention.visibility,
        mention.filed,
        mention.permalink,
        mention.edited_at,
        mention.revision,
        mention.parent_external_id,
        mention.native_answer is not None,
        mention.acknowledged,
        author.handle,
        author.display_name,
        author.avatar_url,
    )
    whole = "".join([f"{part}\x00" for part in said])
    # Names may still hold half a surrogate pair.
    digest = hashlib.blake2b(whole.encode(errors="surrogatepass"), digest_size=8)
    return int.from_bytes(digest.digest(), signed=True)


def person_row(person: Person, now: datetime) -> dict[str, Any]:
    """The columns of an author; names and links are cut to what a column holds."""
    followers = person.followers
    return {
        "instance": person.instance,
        "external_id": person.external_id,
        "handle": clean(person.handle, limit=MAX_NAME),
        "display_name": clean(person.display_name, limit=MAX_NAME),
        "url": fit_url(person.url),
        "avatar_url": fit_url(person.avatar_url),
        "followers": followers if followers is None or followers < MAX_FOLLOWERS else None,
        "is_bot": person.is_bot,
        "created_at": person.created_at,
        "signals": [
            {"code": signal.code, "reason": clean(signal.reason, limit=MAX_NAME)}
            for signal in person.signals
        ],
        "first_seen_at": now,
    }


def thread_row(mention: Mention, now: datetime) -> dict[str, Any]:
    thread = mention.thread
    return {
        "external_id": thread.external_id,
        "title": clean(thread.title, limit=MAX_TITLE),
        "permalink": fit_url(thread.permalink),
        "started_at": thread.started_at,
        "first_seen_at": now,
    }


def fit_url(url: str) -> str:
    """A link that is too long to store is no link; a cut one would lead elsewhere."""
    return url if len(url) <= MAX_URL and clean(url, limit=MAX_URL) == url else ""


def content_columns(arrival: Arrival) -> dict[str, Any]:
    """The columns that an item and a reply share: what the platform said."""
    mention = arrival.mention
    return {
        "text": arrival.text,
        "text_raw": "" if arrival.text_raw == arrival.text else arrival.text_raw,
        "text_format": mention.text_format.value,
        "language": clean(mention.language, limit=40),
        "permalink": fit_url(mention.permalink),
        "visibility": mention.visibility.value,
        "media": [
            {
                "kind": media.kind,
                "url": fit_url(media.url),
                "description": clean(media.description, limit=MAX_URL),
            }
            for media in mention.media
        ],
        "parent_external_id": mention.parent_external_id,
        "seen_hash": arrival.seen_hash,
    }


def text_as_it_came(row: Row[Any]) -> str:
    """A stored message's text as the platform gave it: kept only where it isn't the plain text."""
    as_it_came: str = row.text_raw or row.text
    return as_it_came


def addressed_by(arrival: Arrival) -> list[str]:
    """Ids and lower-case handles that a reply of ours names."""
    return [clean(name, limit=MAX_NAME) for name in arrival.mention.addressed]


def raw_of(arrival: Arrival) -> Any:
    """The platform's answer for this message, fit to be stored."""
    return clean_json(arrival.mention.raw)
