"""What may happen to webhooks and deliveries, on behalf of a person or program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from app.clock import Clock, stamp
from app.db import Database, Tx
from app.errors import Conflict, FieldError, InvalidRequest, NotFound, VersionMismatch
from app.outbox import repository as events
from app.outbox.events import Actor, Event, record
from app.outbox.webhooks import deliveries, repository
from app.outbox.webhooks.message import body_of_test
from app.outbox.webhooks.schemas import WebhookOut, webhook_out
from app.outbox.webhooks.sealing import Secrets
from app.outbox.webhooks.sending import Out, Outcome, Signed, attempt, check_target
from app.scope import Scope
from app.team.audit.entry import noted

MOST = 50
OVERLAP = timedelta(hours=24)
"""For so long the former secret signs beside the new one."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What is asked for. `types` and `source_ids` `None`: all."""

    url: str
    description: str = ""
    types: Sequence[str] | None = None
    source_ids: Sequence[int] | None = None
    direct: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and what they may see."""

    scope: Scope
    actor: Actor
    named: str  # as rows name the caller, e.g. `token:7`


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Everything a caller may do with webhooks. `source` names this installation in messages."""

    db: Database
    clock: Clock
    door: Out
    secrets: Secrets
    source: str

    async def shown(self, scope: Scope, webhook_id: int) -> WebhookOut:
        row = await self._get(scope, webhook_id)
        pending = (await repository.pending_of(self.db)).get(webhook_id, 0)
        return webhook_out(row, pending, self.clock.now())

    async def listed(self, scope: Scope) -> list[WebhookOut]:
        now, pending = self.clock.now(), await repository.pending_of(self.db)
        rows = await repository.all_of(self.db, scope)
        return [webhook_out(row, pending.get(row.id, 0), now) for row in rows]

    async def create(self, asking: Asking, asked: NewWebhook) -> tuple[int, str]:
        """Its id and its secret. It is told of what happens from now on."""
        check_target(self.door, asked.url)
        sources = _allowed_sources(asking.scope, asked.source_ids)
        _allowed_direct(asking.scope, direct=asked.direct)
        now, secret = self.clock.now(), self.secrets.new()
        async with self.db.write() as tx:
            if await repository.count(tx) >= MOST:
                raise Conflict(f"There are {MOST} webhooks, the most there may be. Remove one.")
            values = {
                **_values(asked, sources),
                "secret": "",
                "read_through": (await events.span_of(tx)).last,
                "disabled_reason": None if asked.enabled else "person",
                "disabled_at": None if asked.enabled else now,
                "version": 1,
                "created_at": now,
                "created_by": asking.named,
            }
            webhook_id = await repository.add(tx, values)
            # Sealed for its row, so the row's id must exist first.
            sealed = self.secrets.seal(webhook_id, "secret", secret)
            await repository.note(tx, webhook_id, {"secret": sealed})
            self._record(tx, "created", asking, webhook_id)
        return webhook_id, secret

    async def change(
        self,
        asking: Asking,
        webhook_id: int,
        asked: Mapping[str, Any],
        versions: frozenset[int] | None,
    ) -> None:
        """Changes what `asked` names. Enabling goes on where it stopped, with nothing left out."""
        row = await self._get(asking.scope, webhook_id)
        await self._refuse_other_version(asking.scope, row, versions)
        values = dict(asked)
        if "url" in values:
            check_target(self.door, values["url"])
        if "source_ids" in values:
            values["source_ids"] = _allowed_sources(asking.scope, values["source_ids"])
        _allowed_direct(asking.scope, direct=values.get("direct", False))
        values = {name: value for name, value in values.items() if value != getattr(row, name)}
        if not values:
            return
        now = self.clock.now()
        if "enabled" in values:
            off = not values["enabled"]
            values |= {"disabled_reason": "person" if off else None, "failing_since": None}
            values["disabled_at"] = now if off else None
        async with self.db.write() as tx:
            if not await repository.change(tx, row.id, row.version, values):
                raise VersionMismatch("Somebody else changed the webhook just now. Look again.")
            changed = sorted(values.keys() & set(NewWebhook.__slots__))
            self._record(tx, "changed", asking, webhook_id, changed=changed)

    async def remove(
        self, asking: Asking, webhook_id: int, versions: frozenset[int] | None
    ) -> None:
        """With its deliveries; those under way end as if they had been sent before."""
        row = await self._get(asking.scope, webhook_id)
        await self._refuse_other_version(asking.scope, row, versions)
        async with self.db.write() as tx:
            await repository.remove(tx, row.id)
            self._record(tx, "removed", asking, webhook_id)

    async def rotate(self, asking: Asking, webhook_id: int, versions: frozenset[int] | None) -> str:
        """A new secret. The present one signs beside it for a day."""
        row = await self._get(asking.scope, webhook_id)
        await self._refuse_other_version(asking.scope, row, versions)
        now, secret = self.clock.now(), self.secrets.new()
        present = self.secrets.signing(row, now)[0]
        values = {
            "secret": self.secrets.seal(row.id, "secret", secret),
            "old_secret": self.secrets.seal(row.id, "old_secret", present),
            "old_secret_until": now + OVERLAP,
        }
        async with self.db.write() as tx:
            if not await repository.change(tx, row.id, row.version, values):
                raise Conflict("Somebody else changed the webhook just now. Try again.")
            self._record(tx, "changed", asking, webhook_id, changed=["secret"])
        return secret

    async def test(self, scope: Scope, webhook_id: int) -> tuple[str, Outcome]:
        """Sends `webhook.test` once, now, also where the webhook is disabled."""
        row = await self._get(scope, webhook_id)
        check_target(self.door, row.url)
        now = self.clock.now()
        message_id = f"evt_test_{self.secrets.random(8).hex()}"
        body = body_of_test(self.source, message_id, stamp(now))
        signed = Signed(self.secrets.signing(row, now), message_id, body)
        return message_id, await attempt(self.door, self.clock, row.url, signed)

    async def replay(
        self, asking: Asking, webhook_id: int, after: int, versions: frozenset[int] | None
    ) -> None:
        """Reads the events on from `after`, with the same ids; an id that was delivered comes
        again. A number beyond the present place leaves out what is between.
        """
        row = await self._get(asking.scope, webhook_id)
        await self._refuse_other_version(asking.scope, row, versions)
        span = await events.span_of(self.db)
        if after > span.last:
            detail = f"There is no event {after}: the newest is {span.last}."
            error = FieldError("/after", "unknown_event", detail)
            raise InvalidRequest(detail, errors=[error])
        async with self.db.write() as tx:
            if not await repository.change(tx, row.id, row.version, {"read_through": after}):
                raise Conflict("Somebody else changed the webhook just now. Try again.")
            self._record(tx, "changed", asking, webhook_id, changed=["read_through"])

    async def retry(self, scope: Scope, delivery_id: int) -> Row[Any]:
        """Makes a delivery due now, also one that was delivered or given up."""
        row = await deliveries.find(self.db, delivery_id)
        if row is None or await repository.find(self.db, scope, row.webhook_id) is None:
            raise NotFound(f"There is no delivery {delivery_id}.")
        under_way = row.state == "pending" and row.error_code is None
        if under_way:
            return row
        async with self.db.write() as tx:
            await deliveries.again(tx, delivery_id, self.clock.now())
            noted(tx)
            await tx.wake_followers()
        changed = await deliveries.find(self.db, delivery_id)
        return row if changed is None else changed

    async def _get(self, scope: Scope, webhook_id: int) -> Row[Any]:
        row = await repository.find(self.db, scope, webhook_id)
        if row is None:
            raise NotFound(f"There is no webhook {webhook_id}.")
        return row

    async def _refuse_other_version(
        self, scope: Scope, row: Row[Any], versions: frozenset[int] | None
    ) -> None:
        if versions is not None and row.version not in versions:
            raise VersionMismatch(
                f"The webhook is at version {row.version} by now. Look at it, then decide again.",
                extra={"current": await self.shown(scope, row.id)},
            )

    def _record(self, tx: Tx, what: str, asking: Asking, webhook_id: int, **details: Any) -> None:
        told = {"webhook_id": webhook_id, **details}
        now: datetime = self.clock.now()
        record(tx, Event(_TYPES[what], now, asking.actor, details=told))
        noted(tx, "webhook", webhook_id)


_TYPES = {
    "created": "webhook.created",
    "changed": "webhook.changed",
    "removed": "webhook.removed",
}


def _values(asked: NewWebhook, sources: list[int] | None) -> dict[str, Any]:
    return {
        "url": asked.url,
        "description": asked.description,
        "types": None if asked.types is None else sorted(set(asked.types)),
        "source_ids": sources,
        "direct": asked.direct,
        "enabled": asked.enabled,
    }


def _allowed_sources(scope: Scope, wanted: Sequence[int] | None) -> list[int] | None:
    """The sources a webhook may tell of: no more than its maker sees."""
    if scope.sources is None:
        return None if wanted is None else sorted(set(wanted))
    if wanted is None:
        return sorted(scope.sources)
    if foreign := sorted(set(wanted) - scope.sources):
        detail = f"There is no source {foreign[0]}."
        error = FieldError("/source_ids", "not_found", detail)
        raise InvalidRequest(detail, errors=[error])
    return sorted(set(wanted))


def _allowed_direct(scope: Scope, *, direct: bool) -> None:
    if direct and not scope.direct:
        detail = "This token may not see direct messages, so its webhooks are not told of them."
        error = FieldError("/direct", "not_allowed", detail)
        raise InvalidRequest(detail, errors=[error])
