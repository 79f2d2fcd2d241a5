"""Saved filters: one's own, or shared with the team; changed by who made them, or an admin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.db import Tx
from app.errors import Conflict, NotAllowed, NotFound, VersionMismatch
from app.inbox.views import repository

VIEWS_AT_MOST = 100
"""Views of one owner."""
PLACES = 1_000_000


class Keeping:
    """One caller's saving of filters in one transaction; an `admin` may change shared ones.
    `versions`: those the caller accepts to change (If-Match); `shown`: a view as they see it.
    """

    def __init__(
        self,
        tx: Tx,
        owner: str,
        now: datetime,
        *,
        admin: bool,
        versions: frozenset[int] | None,
        shown: Callable[[Row[Any]], Any],
    ) -> None:
        self._tx = tx
        self._owner = owner
        self._now = now
        self._admin = admin
        self._versions = versions
        self._shown = shown

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
        row = await self._held(view_id)
        changes = {name: value for name, value in values.items() if value != getattr(row, name)}
        if not changes:
            return row
        return await repository.change(self._tx, row, {**changes, "updated_at": self._now})

    async def remove(self, view_id: int) -> None:
        await self._held(view_id)
        await repository.remove(self._tx, view_id)

    async def _held(self, view_id: int) -> Row[Any]:
        """The view, held until the end of the transaction."""
        row = await repository.lock(self._tx, self._owner, view_id)
        if row is None:
            raise view_not_found(view_id)
        if row.owner != self._owner and not self._admin:
            raise NotAllowed("A shared view is changed by who made it, or by an admin.")
        if self._versions is not None and row.version not in self._versions:
            raise VersionMismatch(
                f"The view is at version {row.version} by now. Look at it, then decide again.",
                extra={"current": self._shown(row)},
                headers={"ETag": f'"v{row.version}"'},
            )
        return row


def view_not_found(view_id: int) -> NotFound:
    return NotFound(f"There is no view {view_id} that you may see.")
