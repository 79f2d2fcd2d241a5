"""What a connector is: the values it returns, the failures it may raise, the protocol it fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from app.connectors.asking import Http
from app.connectors.oauth import OAuth
from app.connectors.terms import Access, Estimate, InShort, Retention, Thrift

JsonObject = dict[str, Any]
Cursor = JsonObject
"""Only the connector that made it reads it; it survives JSON."""


class Shape(StrEnum):
    """How a stream is read (four shapes, see docs/how-polling-works.md)."""

    FORWARD = "forward"  # an id cursor: everything after it, oldest first
    BACKWARD = "backward"  # newest first; the cursor is valid inside one pass only
    PARENT = "parent"  # one call per watched parent (post, thread)
    QUEUE = "queue"  # a server-side queue, consumed by confirming it


class Kind(StrEnum):
    """What somebody sent us. An open list: checked in code, not in the database."""

    QUESTION = "question"
    COMMENT = "comment"
    MENTION = "mention"
    REPLY = "reply"
    REVIEW = "review"
    DIRECT_MESSAGE = "direct_message"
    FOLLOW = "follow"
    SHARE = "share"
    PRAISE = "praise"


class Visibility(StrEnum):
    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    DIRECT = "direct"


class TextFormat(StrEnum):
    PLAIN = "plain"
    HTML = "html"
    MARKDOWN = "markdown"
    FACETS = "facets"  # Bluesky: plain text with byte ranges


class Filed(StrEnum):
    """Where the platform itself has put a message."""

    SPAM = "spam"
    HELD = "held"  # waits for moderation


@dataclass(frozen=True, slots=True)
class Signal:
    """Something about an author that helps to judge a message, always with its reason."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Person:
    """The author of a message. `external_id` is stable; `handle` may change.

    `instance` tells apart equal ids of different servers ("" where ids are global).
    """

    external_id: str
    handle: str = ""
    display_name: str = ""
    url: str = ""
    avatar_url: str = ""
    followers: int | None = None
    is_bot: bool = False
    created_at: datetime | None = None
    instance: str = ""
    signals: tuple[Signal, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadRef:
    """The conversation a message belongs to; `external_id` is that of its root."""

    external_id: str
    title: str = ""
    permalink: str = ""
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Media:
    kind: str  # image, video, audio, file, link
    url: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class NativeAnswer:
    """The platform itself says that we answered (owner's review reply, accepted answer by us)."""

    answered_at: datetime | None = None
    reply_url: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """One message as the platform told it: somebody's to us, or one of our own.

    Whether its author is one of us is decided by the inbox, not here.
    `occurred_at` is the platform's creation time; `indexed_at` the server's own time, where it
    tells both. `addressed` holds ids and lower-case handles of the people the message names.
    `parent_external_id` is the message it answers, `None` for a root.
    `raw` is the platform's answer for this one message, for the drawer and for support.
    """

    external_id: str
    kind: Kind
    author: Person
    thread: ThreadRef
    occurred_at: datetime | None
    text: str = ""
    text_raw: str = ""
    text_format: TextFormat = TextFormat.PLAIN
    parent_external_id: str | None = None
    permalink: str = ""
    language: str = ""
    visibility: Visibility = Visibility.PUBLIC
    indexed_at: datetime | None = None
    edited_at: datetime | None = None
    revision: str = ""  # the platform's own version mark (Bluesky's cid), if any
    filed: Filed | None = None
    addressed: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    native_answer: NativeAnswer | None = None
    acknowledged: bool = False  # we liked it there
    raw: JsonObject | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Parent:
    """Something to watch for messages below it. A changed `counter` or `changed_at` makes the
    poller read it at once; `created_at` decides how often it is read otherwise.
    """

    external_id: str
    created_at: datetime | None = None
    changed_at: datetime | None = None
    counter: int | None = None
    extra: JsonObject = field(default_factory=dict)
    counter_read: int | None = None  # that of the last reading which brought everything


@dataclass(frozen=True, slots=True)
class Unparsed:
    """One message that could not be read: goes to quarantine, never blocks its page."""

    external_id: str | None
    reason: str
    raw: Any


@dataclass(frozen=True, slots=True)
class Page:
    """What one request brought.

    `more` says whether `next_cursor` leads on within this pass. `oldest_at` and `newest_at` are
    the platform's sort times of the page (not of the messages kept), for watermarks; `None` where
    the page was empty. `skipped` counts entries of a type we don't keep, by type.
    `gone` are ids that the platform says are deleted. `poll_after` is the platform's own wish.
    `cost` is what the request used of the platform's `Quota`, in its unit. `missing` is how many
    entries of a QUEUE lie, by its own numbers, between what was confirmed and this page.
    """

    mentions: tuple[Mention, ...] = ()
    next_cursor: Cursor | None = None
    more: bool = False
    gone: tuple[str, ...] = ()
    parents: tuple[Parent, ...] = ()
    unparsed: tuple[Unparsed, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    oldest_at: datetime | None = None
    newest_at: datetime | None = None
    poll_after: timedelta | None = None
    cost: float = 0.0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class LostRange:
    """What a platform will never give, declared beforehand and shown (`cause`: `retention`,
    `cap`, `push_only`, `not_notified` …).
    """

    cause: str
    detail: str


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One independently read feed of a source.

    `parents_from` names the stream whose pages bring the parents of a PARENT stream.
    `rescan_all` declares that items may appear late at an old place: the daily pass reads to the
    end. `interval` is the default pause between polls, where it differs from the connector's.
    `lists_replies` says that a complete pass shows all of our own replies. `proves_absence` says
    that a complete pass shows everything that still stands where it looked, in the order of the
    messages' own times: what two such passes do not show is deleted. (PARENT: a parent's id is that
    of its thread, and a reading shows the thread to its end.) `counts_exactly` says that a parent's
    counter is the number of messages that a complete reading shows below it, neither more nor less:
    a higher one tells of what the list leaves out. `cap` is how many
    entries of a BACKWARD list, or below one parent, the platform ever shows: what lies below it is
    lost. (PARENT: a page where the list ends because of it says by `oldest_at` how far it reaches.)
    `keeps` is how long a QUEUE keeps what nobody has asked for; what waited longer is lost.
    """

    name: str
    shape: Shape
    kinds: tuple[Kind, ...] = ()
    parents_from: str | None = None
    rescan_all: bool = False
    interval: timedelta | None = None
    lists_replies: bool = False
    proves_absence: bool = False
    counts_exactly: bool = False
    cap: int | None = None
    keeps: timedelta | None = None
    lost: tuple[LostRange, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the credential belongs to; `aliases` are further ids and handles that are us."""

    external_id: str
    handle: str
    name: str = ""
    instance: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """What a first look found: `count` messages on the first page, the newest of them."""

    count: int
    newest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Check:
    """The result of looking at identity and rights before saving, and daily.

    `identity` is `None` where the platform is read without an account. `missing` are rights that
    are needed; `warnings` are sentences for the operator (a notification policy that drops …).
    """

    identity: Identity | None
    rights: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    sample: Sample | None = None
    warnings: tuple[str, ...] = ()
    expires_at: datetime | None = None
    estimate: Estimate | None = None


class Fields(BaseModel):
    """Base of the settings and credential models of a platform: strict about unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class SaveCredential(Protocol):
    """Stores a renewed credential, encrypted, before the new token is used."""

    async def __call__(self, new: Mapping[str, str]) -> None: ...

    def renewing(self) -> AbstractAsyncContextManager[Mapping[str, str] | None]:
        """Around a renewal, so that a refresh token is used once: nobody else renews this
        credential meanwhile. Yields it as it is stored by now (somebody else may have renewed it,
        or a person replaced it), or `None` where it is not stored yet.
        """
        ...


class Connector(Protocol):
    """One connected account or watched place, read through its platform's API.

    Built with settings, credential, the HTTP door and `save_credential`; keeps no other state
    than a session, has no clock, never sleeps. Raises `ConnectorError`s only.
    """

    def __init__(
        self,
        *,
        settings: Any,
        credential: Any,
        http: Http,
        save_credential: SaveCredential,
    ) -> None: ...

    async def check(self) -> Check:
        """Identity and rights of the credential, with a sample."""
        ...

    def streams(self) -> Sequence[StreamSpec]:
        """The streams of this source; needs no network."""
        ...

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        """One request of `stream` (rarely a few).

        FORWARD: what comes after `cursor`, oldest page first; without a cursor, from `since` on.
        BACKWARD: without a cursor the newest page, with one the next older.
        PARENT: what stands under `parent`. QUEUE: what waits; `cursor` confirms what was stored.
        """
        ...

    async def fetch_thread(self, root: str) -> Page:
        """The whole conversation under `root`, ours and theirs, in platform order."""
        ...

    async def fetch_item(self, external_id: str) -> Mention:
        """One message, or `Gone`."""
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What can be done on a platform, told by `GET /platforms` and in docs/platforms."""

    own_answers: Literal["exact", "thread", "none"] = "exact"  # thread: the platform is flat
    articles: bool = False  # threads hang on articles of ours, which are no messages
    edits: Literal["seen", "re-read", "never"] = "re-read"
    deletions: Literal["seen", "re-read", "never"] = "re-read"
    follows: bool = False
    direct_messages: bool = False
    posts_replies: bool = False
    filing_by_lists: bool = False  # a message read by itself does not say where it was filed
    shows_again: bool = True  # a message can be asked for by its id (not out of a queue)


@dataclass(frozen=True, slots=True)
class Quota:
    """What a platform allows a source in a period, in units or money; `zone` is where its day
    ends. An operator may set another budget, up to `limit`; without his word `default` holds.
    `shared` tells of a credential (the platform's model) what all have in common that draw on the
    same allowance; "" where that is not known.
    """

    unit: str
    limit: float
    period: Literal["day", "month"] = "day"
    zone: str = "UTC"
    default: float | None = None
    shared: Callable[[Any], str] | None = None


@dataclass(frozen=True, slots=True)
class Platform:
    """A registered platform: everything the service needs to offer, connect and poll it."""

    name: str
    title: str
    connector: type[Connector]
    settings: type[Fields]
    credential: type[Fields] | None
    credential_required: bool
    default_interval: timedelta
    minimum_interval: timedelta
    capabilities: Capabilities
    notes: tuple[str, ...] = ()
    docs: str = ""
    quota: Quota | None = None
    access: Access = field(default_factory=Access)
    in_short: InShort = field(default_factory=InShort)
    retention: Retention | None = None
    thrift: Thrift | None = None
    oauth: OAuth | None = None
    hidden: bool = False  # the demo: not offered in the list of platforms to connect
