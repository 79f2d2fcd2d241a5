"""What people may do to items: each action one transaction, one event, compare and set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import Row

from app.clock import stamp
from app.db import Tx
from app.errors import AppError, Conflict, NotFound, VersionMismatch
from app.inbox import asked, assigning, doing, listing, repository
from app.inbox.asked import Asked, LabelChange
from app.inbox.item import Action, DismissReason
from app.inbox.schemas import item_out
from app.inbox.states import ClaimedByAnother, IllegalTransition
from app.inbox.storing import settle
from app.outbox.events import Actor
from app.outbox.repository import last_event_of
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
        row = await self.hold(item_id)
        done = await doing.do(self._tx, [row], wanted, actor=self._actor, now=self._now)
        for refusal in done.refused.values():
            raise await self._told_whole(item_id, refusal)
        await settle(self._tx)
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
        await settle(self._tx)
        found = await listing.find_items(self._tx, self._scope, [row.id for row in rows])
        unseen = {item_id: item_not_found(item_id) for item_id in ids if item_id not in found}
        return Many(
            done.action_id,
            [(id_, found.get(id_), unseen.get(id_) or done.refused.get(id_)) for id_ in ids],
            done.changed,
        )

    async def assign(self, item_id: int, to: int | str | None) -> Row[Any]:
        """Gives the item to a person (id, name or `me`) who may see it, or to nobody."""
        await self.hold(item_id)
        return await self.do(item_id, await self.assigned(to))

    async def assigned(self, to: int | str | None) -> Asked:
        """What assigning to a person (id, name or `me`) asks for."""
        person = None
        if to is not None:
            person = await assigning.person_asked(self._tx, self._scope, self._actor.user_id, to)
        return asked.assigned(person)

    async def claim(self, item_id: int, *, force: bool = False) -> Row[Any]:
        """The caller deals with it for the next 15 minutes; claiming again renews that."""
        await self.hold(item_id)
        return await self.do(item_id, self.claimed(force=force))

    def claimed(self, *, force: bool) -> Asked:
        """What claiming asks for; only a person can."""
        by = assigning.need_person(self._actor.user_id, "#Authorization")
        return asked.claimed(by, self._now, force=force)

    async def release(self, item_id: int, *, force: bool = False) -> Row[Any]:
        """Ends the caller's claim, with `force` another person's too."""
        return await self.do(item_id, self.released(force=force))

    def released(self, *, force: bool) -> Asked:
        """What releasing asks for."""
        return asked.released(self._actor.user_id, force=force)

    async def hold(self, item_id: int) -> Row[Any]:
        """The item, held until the end of the transaction; 412 at another version than asked."""
        held = await repository.lock_items(self._tx, [item_id])
        if not held or not repository.is_visible(self._scope, held[0]):
            raise item_not_found(item_id)
        row = held[0]
        if self._versions is not None and row.version not in self._versions:
            await self._refuse_version(row)
        return row

    async def _refuse_version(self, row: Row[Any]) -> NoReturn:
        """412 with the item as it is now."""
        present = await listing.find_item(self._tx, self._scope, row.id)
        assert present is not None
        changed = await self._changed(row.id)
        raise VersionMismatch(
            f"The item is at version {row.version} by now{_by_whom(changed)}. "
            "Look at it, then decide again.",
            extra={"current": item_out(present, self._now), "changed": changed},
            headers={"ETag": f'"v{row.version}"'},
        )

    async def _told_whole(self, item_id: int, refusal: AppError) -> AppError:
        """A refusal by the status or by a claim, with who is in the way and since when."""
        cause = refusal.__cause__
        if isinstance(cause, ClaimedByAnother):
            return await self._claimed(item_id, cause)
        if isinstance(cause, IllegalTransition):
            changed = await self._changed(item_id)
            detail = f"The item is {cause.status}{_by_whom(changed)}: {doing.hint(cause)}"
            return doing.conflict(cause, detail, changed=changed)
        return refusal

    async def _claimed(self, item_id: int, refusal: ClaimedByAnother) -> Conflict:
        """Who holds the item, and until when."""
        present = await listing.find_item(self._tx, self._scope, item_id)
        assert present is not None
        claim = item_out(present, self._now).claim
        assert claim is not None
        until = f"{refusal.until:%H:%M} UTC"
        detail = (
            f"{claim.by.display_name} holds this item until {until}. Wait, or take it with `force`."
        )
        return doing.conflict(refusal, detail, claim=claim)

    async def _changed(self, item_id: int) -> dict[str, Any] | None:
        """Who changed the item last, how, and when."""
        last = await last_event_of(self._tx, self._scope, item_id)
        if last is None:
            return None
        return {"by": last.actor, "type": last.type, "at": stamp(last.at)}


def item_not_found(item_id: int) -> NotFound:
    return NotFound(f"There is no item {item_id} that you may see.")


def _by_whom(changed: Mapping[str, Any] | None) -> str:
    return "" if changed is None else f" ({changed['by']}, {changed['at'][:16]}Z)"
