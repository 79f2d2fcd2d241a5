"""What people may do to items: each action one transaction, one event, compare and set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import Row

from app.clock import stamp
from app.db import Tx
from app.errors import Conflict, FieldError, InvalidRequest, NotFound, VersionMismatch
from app.inbox import assigning, listing, people, repository
from app.inbox.item import (
    CLAIM_LASTS,
    SNOOZE_AT_MOST,
    Action,
    Answer,
    Details,
    DismissReason,
    Evidence,
)
from app.inbox.schemas import OFFERED, item_out
from app.inbox.states import (
    ActorKind,
    ClaimedByAnother,
    Decision,
    IllegalTransition,
    acceptable_answer_time,
    decide,
)
from app.outbox.events import Actor
from app.outbox.repository import last_event_of
from app.scope import Scope


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
        row = await self._get(item_id)
        at = self._now if replied_at is None else replied_at
        if replied_at is not None and not acceptable_answer_time(
            at, occurred_at=row.occurred_at, now=self._now
        ):
            detail = "The reply can't be from before the message or from the future."
            raise InvalidRequest(detail, errors=[FieldError("/replied_at", "out_of_range", detail)])
        given = Answer(
            evidence=Evidence.DECLARED,
            answered_at=max(at, row.occurred_at),
            answered_by=self._actor.name,
            reply_url=reply_url or "",
        )
        told = _told(note=note, reply_url=reply_url)
        return await self._do(row, Action.MARK_REPLIED, Details(answer=given), told)

    async def dismiss(
        self, item_id: int, reason: DismissReason, note: str | None = None
    ) -> Row[Any]:
        """No answer is needed, for a reason; `other` needs a note."""
        if reason is DismissReason.OTHER and not (note or "").strip():
            detail = "Say in `note` why, when the reason is `other`."
            raise InvalidRequest(detail, errors=[FieldError("/note", "missing", detail)])
        row = await self._get(item_id)
        told = _told(reason=str(reason), note=note)
        extra = {"dismissed_note": note}
        return await self._do(row, Action.DISMISS, Details(reason=reason), told, extra)

    async def spam(self, item_id: int, *, mute_author: bool = False) -> Row[Any]:
        """Spam; with `mute_author` later items of its author arrive as spam, counted, visible."""
        row = await self._get(item_id)
        if mute_author:
            await people.mute_author(self._tx, row.author_id, self._now)
        told = _told(muted_author=True) if mute_author else None
        return await self._do(row, Action.SPAM, Details(), told)

    async def reopen(self, item_id: int) -> Row[Any]:
        """Somebody waits after all; its age runs from the start again."""
        return await self._do(await self._get(item_id), Action.REOPEN, Details())

    async def snooze(self, item_id: int, until: datetime) -> Row[Any]:
        """Out of the default view until then, at most 90 days; its age keeps running."""
        if not self._now < until <= self._now + SNOOZE_AT_MOST:
            detail = f"Snooze until a time in the next {SNOOZE_AT_MOST.days} days."
            raise InvalidRequest(detail, errors=[FieldError("/until", "out_of_range", detail)])
        row = await self._get(item_id)
        return await self._do(row, Action.SNOOZE, Details(until=until))

    async def unsnooze(self, item_id: int) -> Row[Any]:
        return await self._do(await self._get(item_id), Action.UNSNOOZE, Details())

    async def assign(self, item_id: int, asked: int | str | None) -> Row[Any]:
        """Gives the item to a person (id, name or `me`) who may see it, or to nobody."""
        row = await self._get(item_id)
        person = None
        if asked is not None:
            person = await assigning.person_to_get(
                self._tx, self._scope, self._actor.user_id, asked, row
            )
        details = Details(assignee=None if person is None else person.id)
        told = {"assignee": None if person is None else assigning.named(person)}
        return await self._do(row, Action.ASSIGN, details, told)

    async def claim(self, item_id: int, *, force: bool = False) -> Row[Any]:
        """The caller deals with it for the next 15 minutes; claiming again renews that."""
        row = await self._get(item_id)
        by = assigning.need_person(self._actor.user_id, "#Authorization")
        told = {"until": stamp(self._now + CLAIM_LASTS)}
        return await self._do(row, Action.CLAIM, Details(by=by, force=force), told)

    async def release(self, item_id: int, *, force: bool = False) -> Row[Any]:
        """Ends the caller's claim, with `force` another person's too."""
        row = await self._get(item_id)
        return await self._do(row, Action.RELEASE, Details(by=self._actor.user_id, force=force))

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
        changed = await self._changed(row.id)
        raise VersionMismatch(
            f"The item is at version {row.version} by now{_by_whom(changed)}. "
            "Look at it, then decide again.",
            extra={"current": item_out(present, self._now), "changed": changed},
            headers={"ETag": f'"v{row.version}"'},
        )

    async def _do(
        self,
        row: Row[Any],
        action: Action,
        details: Details,
        told: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Row[Any]:
        """Does an action and returns the whole item; a repeat returns it as it is."""
        decision = await self._decide(row, action, details)
        if decision.changed:
            await repository.move(
                self._tx,
                row,
                decision,
                actor=self._actor,
                now=self._now,
                details=told,
                extra=extra,
            )
        present = await listing.find_item(self._tx, self._scope, row.id)
        assert present is not None
        return present

    async def _decide(self, row: Row[Any], action: Action, details: Details) -> Decision:
        try:
            return decide(
                repository.state_of(row),
                action,
                actor=ActorKind.PERSON,
                now=self._now,
                details=details,
                offered=OFFERED,
            )
        except ClaimedByAnother as refusal:
            raise await self._claimed(row.id, refusal) from None
        except IllegalTransition as refusal:
            changed = await self._changed(row.id)
            detail = f"The item is {refusal.status}{_by_whom(changed)}: {_hint(refusal)}"
            raise _conflict(refusal, detail, changed=changed) from None

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
        return _conflict(refusal, detail, claim=claim)

    async def _changed(self, item_id: int) -> dict[str, Any] | None:
        """Who changed the item last, how, and when."""
        last = await last_event_of(self._tx, self._scope, item_id)
        if last is None:
            return None
        return {"by": last.actor, "type": last.type, "at": stamp(last.at)}


def item_not_found(item_id: int) -> NotFound:
    return NotFound(f"There is no item {item_id} that you may see.")


def _told(**given: Any) -> dict[str, Any] | None:
    """What the event tells beside the status; nothing where nothing was said."""
    told = {name: value for name, value in given.items() if value is not None}
    return told or None


def _hint(refusal: IllegalTransition) -> str:
    allowed: Sequence[str] = refusal.allowed
    return f"possible now: {', '.join(allowed)}." if allowed else "nothing can be done with it."


def _by_whom(changed: Mapping[str, Any] | None) -> str:
    return "" if changed is None else f" ({changed['by']}, {changed['at'][:16]}Z)"


def _conflict(refusal: IllegalTransition, detail: str, **more: Any) -> Conflict:
    return Conflict(
        detail,
        extra={
            "current_status": str(refusal.status),
            "allowed_actions": list(refusal.allowed),
            **more,
        },
    )
