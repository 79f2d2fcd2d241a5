"""What people may do to items: each action one transaction, one event, compare and set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import Row

from app.db import Tx
from app.errors import AppError, NotFound, VersionMismatch
from app.inbox import asked, doing, listing, repository
from app.inbox.asked import Asked, LabelChange
from app.inbox.item import Action, DismissReason
from app.inbox.schemas import item_out
from app.outbox.events import Actor
from app.scope import Scope


@dataclass(frozen=True, slots=True)
class Many:
    """What became of one action on many items, in the order asked for: the item as it is now, and
    why nothing was done to it. `changed` are the ids of those that are different now.
    """

    action_id: int | None
    results: list[tuple[int, Row[Any] | None, AppError | None]]
    changed: frozenset[int]


class Acting:
    """One caller's actions in one transaction. `versions`: those the caller accepts to change
    (If-Match); `None`: whichever is there.
    """

    def __init__(
        self,
        tx: Tx,
        scope: Scope,
        actor: Actor,
        now: datetime,
        versions: frozenset[int] | None = None,
    ) -> None:
        self._tx = tx
        self._scope = scope
        self._actor = actor
        self._now = now
        self._versions = versions

    async def mark_replied(
        self,
        item_id: int,
        *,
        reply_url: str | None = None,
        replied_at: datetime | None = None,
        note: str | None = None,
    ) -> Row[Any]:
        """A person says that an item has been answered: evidence `declared`.

        A repeat fills an empty `reply_url` and changes nothing else.
        """
        wanted = asked.answered(
            Action.MARK_REPLIED,
            by=self._actor.name,
            now=self._now,
            reply_url=reply_url,
            replied_at=replied_at,
            note=note,
        )
        return await self.do(item_id, wanted)

    async def thank(self, item_id: int, *, note: str | None = None) -> Row[Any]:
        """Thanked for what needs no reply: replied, evidence `declared`."""
        wanted = asked.answered(Action.THANK, by=self._actor.name, now=self._now, note=note)
        return await self.do(item_id, wanted)

    async def dismiss(
        self, item_id: int, reason: DismissReason, note: str | None = None
    ) -> Row[Any]:
        """No answer is needed, for a reason; `other` needs a note."""
        return await self.do(item_id, asked.dismissed(reason, note))

    async def spam(self, item_id: int, *, mute_author: bool = False) -> Row[Any]:
        """Spam; with `mute_author` later items of its author arrive as spam, counted, visible."""
        return await self.do(item_id, asked.spam(mute_author=mute_author))

    async def reopen(self, item_id: int) -> Row[Any]:
        """Somebody waits after all; its age runs from the start again."""
        return await self.do(item_id, asked.plain(Action.REOPEN))

    async def snooze(self, item_id: int, until: datetime) -> Row[Any]:
        """Out of the default view until then, at most 90 days; its age keeps running."""
        return await self.do(item_id, asked.snoozed(until, self._now))

    async def unsnooze(self, item_id: int) -> Row[Any]:
        return await self.do(item_id, asked.plain(Action.UNSNOOZE))

    async def label(self, item_id: int, change: LabelChange) -> Row[Any]:
        """Other labels; those that are new to the team are made."""
        return await self.do(item_id, asked.labelled(change))

    async def note(self, item_id: int, text: str) -> Row[Any]:
        """A private note on an item."""
        return await self.do(item_id, asked.noted(text))

    async def do(self, item_id: int, wanted: Asked) -> Row[Any]:
        """Does an action and returns the whole item; a repeat returns it as it is."""
        row = await self._get(item_id)
        done = await doing.do(self._tx, [row], wanted, actor=self._actor, now=self._now)
        for refusal in done.refused.values():
            raise refusal
        present = await listing.find_item(self._tx, self._scope, item_id)
        assert present is not None
        return present

    async def do_all(self, item_ids: Sequence[int], wanted: Asked) -> Many:
        """Does one action to many items, each as if it were alone; those that the caller may not
        see are refused as not there.
        """
        ids = list(dict.fromkeys(item_ids))
        held = await repository.lock_items(self._tx, ids)
        rows = [row for row in held if repository.is_visible(self._scope, row)]
        done = await doing.do(self._tx, rows, wanted, actor=self._actor, now=self._now)
        found = await listing.find_items(self._tx, self._scope, [row.id for row in rows])
        unseen = {item_id: item_not_found(item_id) for item_id in ids if item_id not in found}
        return Many(
            done.action_id,
            [(id_, found.get(id_), unseen.get(id_) or done.refused.get(id_)) for id_ in ids],
            done.changed,
        )

    async def _get(self, item_id: int) -> Row[Any]:
        """The item, held until the end of the transaction."""
        if await listing.find_item(self._tx, self._scope, item_id) is None:
            raise item_not_found(item_id)
        held = await repository.lock_items(self._tx, [item_id])
        if not held:  # its source was removed between the two looks
            raise item_not_found(item_id)
        row = held[0]
        if self._versions is not None and row.version not in self._versions:
            await self._refuse_version(row)
        return row

    async def _refuse_version(self, row: Row[Any]) -> NoReturn:
        """412 with the item as it is now."""
        present = await listing.find_item(self._tx, self._scope, row.id)
        assert present is not None
        raise VersionMismatch(
            f"The item is at version {row.version} by now. Look at it, then decide again.",
            extra={"current": item_out(present, self._now)},
            headers={"ETag": f'"v{row.version}"'},
        )


def item_not_found(item_id: int) -> NotFound:
    return NotFound(f"There is no item {item_id} that you may see.")
