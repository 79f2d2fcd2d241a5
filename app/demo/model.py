"""What a fake platform consists of, and what the web application asks of a world."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

SHOP = "shop"
SUPPORT = "support"

Kept = Mapping[int, datetime]
"""Messages that a reader has dealt with, and since when: the world leaves them alone."""


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    handle: str
    name: str
    followers: int = 0
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class OwnerAnswer:
    """The brand's answer to a review: a part of the review, not a message of its own."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message with its whole life; what of it shows depends on the moment it is asked for.

    `feed` is `mentions`, `posts`, `comments`, `messages` or `reviews`. `kind` is what the platform
    calls it: `post`, `mention`, `comment`, `reply`, `direct_message`, `review`, `follow`, or
    whatever a test wants. `root` is the first message of its thread (itself, for a first one).
    A message is never written when somebody dealt with one of `unless` before its time.
    `visible_at` lies after `created_at` where a platform shows something late.
    """

    id: int
    feed: str
    kind: str
    author: Person
    created_at: datetime
    root: int
    text: str = ""
    language: str = ""
    parent: int | None = None
    addressed: tuple[Person, ...] = ()
    direct: bool = False
    stars: int | None = None
    edits: tuple[Edit, ...] = ()
    deleted_at: datetime | None = None
    answer: OwnerAnswer | None = None
    unless: tuple[int, ...] = ()
    visible_at: datetime | None = None

    @property
    def shown_at(self) -> datetime:
        return self.visible_at or self.created_at


@dataclass(frozen=True, slots=True)
class Fault:
    """What an account is answered instead of data; `retry_after` in seconds."""

    status: int
    error: str
    message: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """What opens an account, until when (`None`: always)."""

    account: str
    text: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token that was shown opens; an expired one names its account, too."""

    account: str
    expired: bool
    expires_at: datetime | None = None


class World(Protocol):
    """What happens on the platform. The story and the scripted world both fit.

    Nothing here knows of `Kept`: what is asked for includes messages that are deleted or never
    written because of it, and `views` decides.
    """

    @property
    def accounts(self) -> Mapping[str, Person]:
        """The brand's accounts, by name."""
        ...

    @property
    def page_limit(self) -> int:
        """The most messages on one page."""
        ...

    @property
    def cursor_mark(self) -> str:
        """A part of every page cursor; cursors with another one are refused."""
        ...

    def forward(self, feed: str, after: int, now: datetime) -> Iterator[Message]:
        """Shown messages of a feed with a greater id, in the order of ids."""
        ...

    def backward(
        self, feed: str, before: tuple[datetime, int] | None, now: datetime
    ) -> Iterator[Message]:
        """Shown messages of a feed older than (`created_at`, `id`), newest first."""
        ...

    def mark_before(self, feed: str, at: datetime) -> int:
        """An id below every message of `feed` that was created at `at` or later."""
        ...

    def thread(self, root: int) -> Sequence[Message]:
        """The first message and all under it, oldest first, future ones included."""
        ...

    def find(self, message_id: int) -> Message | None:
        """A message by its id, whether it is shown yet or not."""
        ...

    def fault(self, account: str, now: datetime) -> Fault | None: ...

    def grant(self, token: str, now: datetime) -> Grant | None:
        """`None` for a token that the platform has never shown."""
        ...

    def token(self, account: str, now: datetime) -> Token:
        """The token that opens the account now."""
        ...
