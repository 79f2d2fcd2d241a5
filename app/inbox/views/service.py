"""Saved filters: one's own, or shared with the team; changed by who made them, or an admin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.db import Tx
from app.errors import Conflict, NotAllowed, NotFound
from app.inbox.views import repository

VIEWS_AT_MOST = 100
"""Views of one owner."""
PLACES = 1_000_000


class Keeping:
    """One caller's saving of filters in one transaction; an `admin` may change shared ones."""

    def __init__(self, tx: Tx, owner: str, now: datetime, *, admin: bool) -> None:
        self._tx = tx
        self._owner = owner
        self._now = now
        self._admin = admin

    async def create(
        self, name: str, wanted: Mapping[str, Any], *, shared: bool, place: int | None
    ) -> Row[Any]:
        """A new view; last of all where no place is named."""
        if await repository.number_of(self._tx, self._owner) >= VIEWS_AT_MOST:
            raise Conflict(f"Nobody needs more than {VIEWS_AT_MOST} views. Delete one first.")
        if place is None:
            place = min(await repository.last_place(self._tx) + 1, PLACES)
        values = {
            "name": name,
            "filter": dict(wanted),
            "shared": shared,
            "owner": self._owner,
            "place": place,
            "created_at": self._now,
            "updated_at": self._now,
        }
        return await repository.add(self._tx, values)

    async def change(self, view_id: int, values: Mapping[str, Any]) -> Row[Any]:
        row = await self._get(view_id)
        if not values:
            return row
        await repository.change(self._tx, view_id, {**values, "updated_at": self._now})
        return await self._get(view_id)

    async def remove(self, view_id: int) -> None:
        await self._get(view_id)
        await repository.remove(self._tx, view_id)

    async def _get(self, view_id: int) -> Row[Any]:
        row = await repository.find(self._tx, self._owner, view_id)
        if row is None:
            raise view_not_found(view_id)
        if row.owner != self._owner and not self._admin:
            raise NotAllowed("A shared view is changed by who made it, or by an admin.")
        return row


def view_not_found(view_id: int) -> NotFound:
    return NotFound(f"There is no view {view_id} that you may see.")
