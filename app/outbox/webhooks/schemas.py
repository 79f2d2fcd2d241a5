"""What webhooks and deliveries look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.outbox.schemas import event_id


class AttemptError(msgspec.Struct, kw_only=True):
    """Why an attempt failed. Nothing of the receiver's answer beside its status is ever kept."""

    code: str
    detail: str


class WebhookOut(msgspec.Struct, kw_only=True):
    """Where events are sent. `disabled_reason`: `person`, `gone` (the receiver answered 410) or
    `failing` (nothing succeeded for five days). `read_through`: deliveries exist up to that `seq`.
    """

    id: int
    url: str
    description: str
    types: list[str] | None
    source_ids: list[int] | None
    direct: bool
    enabled: bool
    disabled_reason: str | None
    disabled_at: Stamp | None
    read_through: int
    pending: int
    failing_since: Stamp | None
    last_ok_at: Stamp | None
    last_status: int | None
    error: AttemptError | None
    old_secret_until: Stamp | None
    version: int
    created_at: Stamp
    created_by: str


class WebhookSecret(msgspec.Struct, kw_only=True):
    """The webhook and its secret, which is never shown again."""

    secret: str
    webhook: WebhookOut


class WebhookList(msgspec.Struct, kw_only=True):
    items: list[WebhookOut]
    next_cursor: str | None


class WebhookTest(msgspec.Struct, kw_only=True):
    """How the test was received. `message_id` is the `webhook-id` that was sent."""

    ok: bool
    message_id: str
    status: int | None
    error: AttemptError | None
    milliseconds: int


class DeliveryOut(msgspec.Struct, kw_only=True):
    """One event on its way to one webhook. `state`: `pending`, `delivered`, or `dead` after the
    last attempt. `due_at`: of the next attempt.
    """

    id: int
    webhook_id: int
    message_id: str
    seq: int
    type: str
    source_id: int | None
    item_id: int | None
    state: str
    attempts: int
    due_at: Stamp | None
    last_status: int | None
    error: AttemptError | None
    created_at: Stamp
    finished_at: Stamp | None


class DeliveryList(msgspec.Struct, kw_only=True):
    items: list[DeliveryOut]
    next_cursor: str | None


def error_out(row: Row[Any]) -> AttemptError | None:
    if row.error_code is None:
        return None
    return AttemptError(code=row.error_code, detail=row.error_detail)


def webhook_out(row: Row[Any], pending: int, now: datetime) -> WebhookOut:
    overlap = row.old_secret_until is not None and row.old_secret_until > now
    return WebhookOut(
        id=row.id,
        url=row.url,
        description=row.description,
        types=row.types,
        source_ids=row.source_ids,
        direct=row.direct,
        enabled=row.enabled,
        disabled_reason=row.disabled_reason,
        disabled_at=stamp(row.disabled_at),
        read_through=row.read_through,
        pending=pending,
        failing_since=stamp(row.failing_since),
        last_ok_at=stamp(row.last_ok_at),
        last_status=row.last_status,
        error=error_out(row),
        old_secret_until=stamp(row.old_secret_until) if overlap else None,
        version=row.version,
        created_at=stamp(row.created_at),
        created_by=row.created_by,
    )


def delivery_out(row: Row[Any]) -> DeliveryOut:
    return DeliveryOut(
        id=row.id,
        webhook_id=row.webhook_id,
        message_id=event_id(row.seq, row.event_at),
        seq=row.seq,
        type=row.type,
        source_id=row.source_id,
        item_id=row.item_id,
        state=row.state,
        attempts=row.attempts,
        due_at=stamp(row.due_at),
        last_status=row.last_status,
        error=error_out(row),
        created_at=stamp(row.created_at),
        finished_at=stamp(row.finished_at),
    )
