"""Notes on items: written by whoever triages, changed by their writer or an admin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.db import Reader, Tx
from app.errors import NotAllowed, NotFound
from app.inbox import listing
from app.inbox import repository as items
from app.inbox.actions import repository as actions
from app.inbox.notes import repository
from app.inbox.service import Acting, item_not_found
from app.inbox.states import Decision, EventType
from app.inbox.storing import Change, store
from app.outbox.events import Actor
from app.scope import Scope


async def read(reader: Reader, scope: Scope, item_id: int) -> Sequence[Row[Any]]:
    """The notes on an item that the caller may see."""
    if await listing.find_item(reader, scope, item_id) is None:
        raise item_not_found(item_id)
    return await repository.of_item(reader, item_id)


class Editing:
    """One caller's changes of notes in one transaction; an `admin` may change those of others.
    `versions`: those of the item that the caller accepts to change (If-Match).
    """

    def __init__(
        self,
        tx: Tx,
        scope: Scope,
        actor: Actor,
        now: datetime,
        *,
        admin: bool,
        versions: frozenset[int] | None = None,
    ) -> None:
        self._tx = tx
        self._items = Acting(tx, scope, actor, now, versions)
        self._actor = actor
        self._now = now
        self._admin = admin

    async def change(self, item_id: int, note_id: int, text: str) -> Row[Any]:
        """Another text; the same one changes nothing."""
        row, held = await self._get(item_id, note_id)
        if row.text == text:
            return row
        values = {"text": text, "edited_at": self._now}
        await self._do(held, row, "change_note", EventType.NOTE_CHANGED, values)
        changed = await repository.find(self._tx, item_id, note_id)
        assert changed is not None
        return changed

    async def delete(self, item_id: int, note_id: int) -> None:
        """Takes a note away; its text is kept for 30 days, so that this can be undone."""
        row, held = await self._get(item_id, note_id)
        values = {"deleted_at": self._now}
        await self._do(held, row, "delete_note", EventType.NOTE_DELETED, values)

    async def _get(self, item_id: int, note_id: int) -> tuple[Row[Any], Row[Any]]:
        """The note and its item, both held by this transaction."""
        held = await self._items.hold(item_id)
        row = await repository.find(self._tx, item_id, note_id)
        if row is None:
            raise NotFound(f"There is no note {note_id} on item {item_id}.")
        if not self._admin and (row.author_ref is None or row.author_ref != self._actor.ref):
            raise NotAllowed("A note is changed by who wrote it, or by an admin.")
        return row, held

    async def _do(
        self, held: Row[Any], row: Row[Any], name: str, event: EventType, values: Mapping[str, Any]
    ) -> None:
        before = {"note": repository.held(row, with_text="text" in values)}
        await repository.change(self._tx, row.id, values)
        action_id = await actions.add(
            self._tx, self._actor, name, {"note_id": row.id}, items=1, now=self._now
        )
        change = Change(held, Decision(items.state_of(held), event), beside=before)
        await store(
            self._tx, [change],
            actor=self._actor, now=self._now, action_id=action_id, told={"note_id": row.id},
        )  # fmt: skip
