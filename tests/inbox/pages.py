"""A source row without a platform behind it, and pages of messages in a few words each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select

from app.connectors.base import Kind, Mention, Person, ThreadRef
from app.db import Database
from app.inbox import ingest
from app.inbox.arrivals import Us
from app.inbox.models import item, reply, revision
from app.inbox.service import Acting
from app.outbox.events import Actor
from app.outbox.models import event
from app.scope import EVERYTHING
from app.sources.models import source
from tests.service import NOON

OURS = Us(frozenset({"us", "colleague", "bot"}), frozenset({"bot"}))
PERSON = Actor("person", "Ana")


def at(minutes: float) -> datetime:
    """So many minutes after ten o'clock, two hours before the tests' noon."""
    return NOON - timedelta(hours=2) + timedelta(minutes=minutes)


def person(name: str, **more: Any) -> Person:
    return Person(external_id=name, handle=f"{name}@here", display_name=name.title(), **more)


def said(
    ident: str,
    minutes: float | None,
    author: str = "ann",
    *,
    thread: str = "t1",
    kind: Kind = Kind.MENTION,
    started: float | None = None,
    **more: Any,
) -> Mention:
    """A message; by "us", "colleague" or "bot" it is ours."""
    text = more.pop("text", f"text of {ident}")
    return Mention(
        external_id=ident,
        kind=kind,
        author=more.pop("person", None) or person(author),
        thread=ThreadRef(thread, started_at=None if started is None else at(started)),
        occurred_at=None if minutes is None else at(minutes),
        text=text,
        text_raw=more.pop("text_raw", text),
        permalink=more.pop("permalink", f"https://there.example/{ident}"),
        **more,
    )


def answers(
    ident: str, minutes: float, parent: str | None, author: str = "us", **m: Any
) -> Mention:
    """A reply of ours."""
    return said(ident, minutes, author, kind=Kind.REPLY, parent_external_id=parent, **m)


async def add_source(db: Database, platform: str = "mastodon", name: str = "shop") -> int:
    values = {
        "platform": platform,
        "name": name,
        "settings": {},
        "warnings": [],
        "origin": "person",
        "host": "there.example",
        "labels": [],
        "poll_interval": 60,
        "backfill": 86400,
        "backlog_after": 86400,
        "paused": True,
        "created_at": NOON,
        "updated_at": NOON,
    }
    async with db.write() as tx:
        return int(
            (await tx.execute(insert(source).values(**values).returning(source.c.id))).scalar_one()
        )


@dataclass(slots=True)
class Inbox:
    """What a poller and a person do to the inbox of one source."""

    db: Database
    source_id: int
    platform: str = "mastodon"
    us: Us = OURS
    now: datetime = NOON
    stream: str = "notifications"
    tally: list[ingest.Outcome] = field(default_factory=list)

    def page(self, *mentions: Mention, gone: Sequence[str] = (), **more: Any) -> ingest.Incoming:
        values: dict[str, Any] = {
            "source_id": self.source_id,
            "platform": self.platform,
            "stream": self.stream,
            "us": self.us,
            "now": self.now,
            "mentions": mentions,
            "gone": gone,
            **more,
        }
        return ingest.Incoming(**values)

    async def take(
        self, *mentions: Mention, gone: Sequence[str] = (), **more: Any
    ) -> ingest.Difference:
        """One page: compared, and stored where it says anything."""
        incoming = self.page(*mentions, gone=gone, **more)
        difference = await ingest.compare(self.db, incoming)
        if difference.is_something:
            async with self.db.write() as tx:
                self.tally.append(await ingest.apply(tx, incoming, difference))
        return difference

    async def rows(self) -> dict[str, Any]:
        """Every item of the source by its id on the platform."""
        found = await self.db.rows(select(item).where(item.c.source_id == self.source_id))
        return {row.external_id: row for row in found}

    async def item(self, ident: str) -> Any:
        return (await self.rows())[ident]

    async def replies(self) -> dict[str | None, Any]:
        found = await self.db.rows(select(reply).where(reply.c.source_id == self.source_id))
        return {row.external_id: row for row in found}

    async def revisions(self, ident: str) -> list[str]:
        wanted = select(revision.c.text).join(item).where(item.c.external_id == ident)
        return [row.text for row in await self.db.rows(wanted.order_by(revision.c.id))]

    async def events(self, ident: str | None = None) -> list[Any]:
        """What happened, in order; of one item, where named."""
        wanted = select(event).order_by(event.c.seq)
        if ident is not None:
            wanted = wanted.where(event.c.item_id == (await self.item(ident)).id)
        return list(await self.db.rows(wanted))

    async def types(self, ident: str) -> list[str]:
        return [happened.type for happened in await self.events(ident)]

    async def act(self, ident: str, action: str, *args: Any, **details: Any) -> Any:
        """A person does something to an item."""
        row = await self.item(ident)
        async with self.db.write() as tx:
            return await getattr(Acting(tx, EVERYTHING, PERSON, self.now), action)(
                row.id, *args, **details
            )
