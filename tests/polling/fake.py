"""A connector driven by data: lists that are paged as the four shapes page, and break on demand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.connectors.base import (
    Cursor,
    Kind,
    Mention,
    Page,
    Parent,
    Person,
    StreamSpec,
    ThreadRef,
)
from app.connectors.failures import CursorRefused, Gone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ask:
    """One call of `fetch_page`."""

    stream: str
    cursor: Cursor | None
    parent: Parent | None
    since: datetime | None


Answering = Callable[[Ask], Any]
"""Answers a call with a page (or something to wait for that brings one), or raises."""


@dataclass(slots=True)
class Fake:
    """Fits `Connector` as far as polling goes."""

    specs: Sequence[StreamSpec]
    streams_of: Mapping[str, Answering]
    items: dict[str, Any] = field(default_factory=dict)  # for `fetch_item`: a mention or a failure
    asked: list[Ask] = field(default_factory=list)
    items_asked: list[str] = field(default_factory=list)

    def streams(self) -> Sequence[StreamSpec]:
        return self.specs

    async def fetch_page(
        self,
        stream: str,
        cursor: Cursor | None,
        *,
        parent: Parent | None = None,
        since: datetime | None = None,
    ) -> Page:
        ask = Ask(stream, cursor, parent, since)
        self.asked.append(ask)
        answered = self.streams_of[stream](ask)
        page: Page = await answered if hasattr(answered, "__await__") else answered
        return page

    async def fetch_item(self, external_id: str) -> Mention:
        self.items_asked.append(external_id)
        found = self.items.get(external_id, Gone("It was deleted."))
        if isinstance(found, Exception):
            raise found
        mention: Mention = found
        return mention


def mention(name: str, at: datetime | None, *, author: str = "visitor", **more: Any) -> Mention:
    """A comment by somebody in a thread of its own."""
    values: dict[str, Any] = {"kind": Kind.COMMENT, "thread": ThreadRef(f"thread-{name}"), **more}
    return Mention(name, author=Person(author), occurred_at=at, text=f"Text of {name}", **values)


def sequence(prefix: str, count: int, newest: datetime, every: timedelta) -> list[Mention]:
    """`count` mentions, newest first: `<prefix>0` at `newest`, the others `every` apart."""
    return [mention(f"{prefix}{n}", newest - n * every) for n in range(count)]


@dataclass(slots=True)
class Feed:
    """A list of mentions and how it is paged. `faults` strike the n-th page asked for (from 1),
    once; a mention that hides is shown nowhere. Cursors of another `mark` are refused.
    """

    mentions: list[Mention] = field(default_factory=list)
    size: int = 3
    faults: dict[int, Any] = field(default_factory=dict)
    mark: str = "a"
    pages: int = 0
    confirmed: int = 0

    def _struck(self) -> None:
        self.pages += 1
        fault = self.faults.pop(self.pages, None)
        if fault is not None:
            raise fault

    def _place(self, cursor: Cursor | None) -> int | None:
        if cursor is None:
            return None
        if cursor["mark"] != self.mark:
            raise CursorRefused("The platform no longer knows this cursor.")
        return int(cursor["at"])

    def backward(self, ask: Ask) -> Page:
        """Newest first; the cursor is a time and a place among equals: new items don't move it."""
        self._struck()
        place = self._place(ask.cursor)
        ordered = sorted(self.mentions, key=_key, reverse=True)
        rest = [m for m in ordered if place is None or _key(m) < place]
        found, more = rest[: self.size], len(rest) > self.size
        ahead = {"mark": self.mark, "at": _key(found[-1])} if more else None
        return paged(found, next_cursor=ahead, more=more)

    def forward(self, ask: Ask) -> Page:
        """Oldest first, in the order of the list (ids of the platform)."""
        self._struck()
        place = self._place(ask.cursor)
        if place is None:
            place = 0
            while place < len(self.mentions) and _before(self.mentions[place], ask.since):
                place += 1
        found = self.mentions[place : place + self.size]
        ahead = place + len(found)
        more = ahead < len(self.mentions)
        return paged(found, next_cursor={"mark": self.mark, "at": ahead}, more=more)

    def queue(self, ask: Ask) -> Page:
        """A queue: asking with a cursor confirms, for good, what lies before it."""
        self._struck()
        if ask.cursor is not None:
            self.confirmed = max(self.confirmed, int(ask.cursor["at"]))
        found = self.mentions[self.confirmed : self.confirmed + self.size]
        ahead = self.confirmed + len(found)
        return paged(found, next_cursor={"mark": "", "at": ahead}, more=ahead < len(self.mentions))


def paged(found: Sequence[Mention], **more: Any) -> Page:
    """A page of these mentions with their times as its own."""
    times = [m.occurred_at for m in found if m.occurred_at is not None]
    return Page(
        mentions=tuple(found),
        oldest_at=min(times, default=None),
        newest_at=max(times, default=None),
        **more,
    )


def raising(failure: Exception) -> Answering:
    def answer(_ask: Ask) -> Page:
        raise failure

    return answer


def _key(one: Mention) -> int:
    """Time, then name: a whole number that orders mentions with equal times too."""
    assert one.occurred_at is not None
    tie = int.from_bytes(one.external_id.encode()[-4:])
    return (one.occurred_at - EPOCH) // timedelta(microseconds=1) * 2**32 + tie


def _before(one: Mention, since: datetime | None) -> bool:
    return since is not None and one.occurred_at is not None and one.occurred_at < since
