"""What is sent: made once for all webhooks that are told the same of an event."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from app.db import Database, Reader
from app.outbox.schemas import event_id, event_out
from app.outbox.webhooks.message import body_of
from app.scope import Scope

ShowItem = Callable[[Reader, Scope, int, datetime], Awaitable[msgspec.Struct | None]]
"""The item as it is now, `None` where that scope does not see it."""


def scope_of(webhook: Row[Any]) -> Scope:
    """What a webhook may tell."""
    sources = None if webhook.source_ids is None else frozenset(webhook.source_ids)
    return Scope(sources=sources, direct=webhook.direct)


@dataclass(slots=True)
class Bodies:
    """Of the attempts that begin together. `happened`: their events by number, as far as they
    still exist; `source` names this installation.
    """

    db: Database
    show_item: ShowItem
    source: str
    happened: Mapping[int, Row[Any]]
    now: datetime
    _made: dict[tuple[int, Scope], bytes] = field(default_factory=dict)
    _turns: defaultdict[tuple[int, Scope], asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    async def of(self, seq: int, scope: Scope) -> tuple[str, bytes] | None:
        """The id of the message and its body; `None` where the event has been deleted."""
        row = self.happened.get(seq)
        if row is None:
            return None
        key = (seq, scope)
        async with self._turns[key]:  # the first makes it, the others get it
            if key not in self._made:
                self._made[key] = await self._make(row, scope)
        return event_id(row.seq, row.at), self._made[key]

    async def _make(self, row: Row[Any], scope: Scope) -> bytes:
        item = None
        if row.item_id is not None:
            item = await self.show_item(self.db, scope, row.item_id, self.now)
        return body_of(self.source, event_out(row), item)
