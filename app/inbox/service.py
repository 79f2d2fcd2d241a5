"""What people may do to items: each action one transaction, one event, compare and set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from sqlalchemy import Row

from app.db import Tx
from app.errors import Conflict, FieldError, InvalidRequest, NotFound, VersionMismatch
from app.inbox import listing, repository
from app.inbox.authors import muting
from app.inbox.item import (
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
            await muting.mute(self._tx, row.author_id, self._actor, self._now)
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

    async def _do(
        self,
        row: Row[Any],
        action: Action,
        details: Details,
        told: Mapping[str, Any] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Row[Any]:
        """Does an action and returns the whole item; a repeat returns it as it is."""
        decision = self._decide(row, action, details)
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

    def _decide(self, row: Row[Any], action: Action, details: Details) -> Decision:
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
            raise _conflict(
                refusal, f"Somebody else holds this item until {refusal.until:%H:%M} UTC."
            ) from None
        except IllegalTransition as refusal:
            raise _conflict(refusal, f"The item is {refusal.status}: {_hint(refusal)}") from None


def item_not_found(item_id: int) -> NotFound:
    return NotFound(f"There is no item {item_id} that you may see.")


def _told(**given: Any) -> dict[str, Any] | None:
    """What the event tells beside the status; nothing where nothing was said."""
    told = {name: value for name, value in given.items() if value is not None}
    return told or None


def _hint(refusal: IllegalTransition) -> str:
    allowed: Sequence[str] = refusal.allowed
    return f"possible now: {', '.join(allowed)}." if allowed else "nothing can be done with it."


def _conflict(refusal: IllegalTransition, detail: str) -> Conflict:
    return Conflict(
        detail,
        extra={
            "current_status": str(refusal.status),
            "allowed_actions": list(refusal.allowed),
        },
    )
