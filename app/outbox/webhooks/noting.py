"""What attempts came to, noted together: a handful of statements for any number of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from random import Random
from typing import Any

from sqlalchemy import Row

from app.db import Tx
from app.outbox.events import Actor, Event, record
from app.outbox.webhooks import deliveries, repository, schedule
from app.outbox.webhooks.sending import Outcome

SENDER = Actor("rule", "webhooks")


class Unsent(Enum):
    """Why nothing was sent: the attempt was cut off, its event has been deleted meanwhile, or we
    could not make the message. Of the last nothing is noted: it is tried again after the lease.
    """

    GIVEN_BACK = "given_back"
    LOST = "lost"
    IN_TROUBLE = "in_trouble"


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that is over. `row` is the delivery as it was claimed, `version` that of its
    webhook by then: another one may lead elsewhere.
    """

    row: Row[Any]
    version: int
    how: Outcome | Unsent


@dataclass(slots=True)
class _Fate:
    """How a webhook fares after its attempts, in the order in which they ended."""

    fares: dict[str, Any]
    told: bool = False  # at least one attempt tells something about it
    disable: str | None = None
    hurry: bool = False

    def succeeded(self, outcome: Outcome, now: datetime) -> None:
        since = self.fares["failing_since"]
        self.hurry = self.hurry or (since is not None and now - since >= schedule.OUTAGE)
        self.fares = {
            "failing_since": None,
            "last_ok_at": now,
            "last_status": outcome.status,
            "error_code": None,
            "error_detail": None,
        }
        self.told = True

    def failed(self, outcome: Outcome, now: datetime) -> None:
        self.fares |= _error(outcome)
        since = self.fares["failing_since"] = self.fares["failing_since"] or now
        if outcome.gone or now - since >= schedule.GIVEN_UP_AFTER:
            self.disable = "gone" if outcome.gone else "failing"
        self.told = True


async def note(
    tx: Tx, ended: Sequence[Ended], webhooks: Mapping[int, Row[Any]], now: datetime, rng: Random
) -> None:
    """Notes all of them. `webhooks` are locked; one that is missing was removed, and its
    deliveries with it.
    """
    ended = [
        each
        for each in ended
        if each.row.webhook_id in webhooks and each.how is not Unsent.IN_TROUBLE
    ]
    if not ended:
        return
    ours = await deliveries.hold(tx, [each.row for each in ended])
    ends = [_end(each, now, rng) for each in ended if each.row.id in ours]
    await deliveries.finish(tx, ends)
    fates = _fates(ended, ours, webhooks, now)
    told = [{"noted_id": id_, **fate.fares} for id_, fate in fates.items() if fate.told]
    await repository.note_all(tx, told)
    for webhook_id, fate in fates.items():
        await _act(tx, webhook_id, fate, now)


def _fates(
    ended: Sequence[Ended], ours: AbstractSet[int], webhooks: Mapping[int, Row[Any]], now: datetime
) -> dict[int, _Fate]:
    ids = sorted({each.row.webhook_id for each in ended})
    fates = {id_: _Fate(_fares(webhooks[id_])) for id_ in ids}
    for each in ended:
        fate, how = fates[each.row.webhook_id], each.how
        if isinstance(how, Unsent):
            continue
        if how.error is None:
            fate.succeeded(how, now)  # also where it counts as lost: the receiver is there
        elif each.row.id in ours:
            fate.failed(how, now)
    return fates


async def _act(tx: Tx, webhook_id: int, fate: _Fate, now: datetime) -> None:
    if fate.hurry:
        await deliveries.hurry(tx, webhook_id, now)
    if fate.disable and await repository.disable(tx, webhook_id, fate.disable, now):
        details = {"webhook_id": webhook_id, "reason": fate.disable}
        record(tx, Event("webhook.disabled", now, SENDER, details=details))


def _fares(webhook: Row[Any]) -> dict[str, Any]:
    return {name: getattr(webhook, name) for name in repository.NOTED}


def _error(outcome: Outcome) -> dict[str, Any]:
    assert outcome.error is not None
    code, detail = outcome.error
    return {"last_status": outcome.status, "error_code": code, "error_detail": detail}


def _end(ended: Ended, now: datetime, rng: Random) -> dict[str, Any]:
    """What `deliveries.finish` takes."""
    row, how = ended.row, ended.how
    left = {
        "finished_id": row.id,
        "state": "pending",
        "attempts": row.attempts,
        "due_at": None,
        "finished_at": None,
        "last_status": row.last_status,
        "error_code": None,
        "error_detail": None,
    }
    if how is Unsent.GIVEN_BACK:
        return {**left, "attempts": row.attempts - 1, "due_at": now}
    if how is Unsent.LOST:
        detail = "The event has been deleted meanwhile."
        dead = {"state": "dead", "finished_at": now}
        return {**left, **dead, "error_code": "event_deleted", "error_detail": detail}
    assert isinstance(how, Outcome), "of trouble of ours nothing is noted"
    if how.error is None:
        done = {"state": "delivered", "finished_at": now}
        return {**left, **done, "last_status": how.status}
    due_at = schedule.next_attempt(row.attempts, now, asked=how.asked, rng=rng)
    over = {"state": "dead", "finished_at": now} if due_at is None else {}
    return {**left, **_error(how), **over, "due_at": due_at}
