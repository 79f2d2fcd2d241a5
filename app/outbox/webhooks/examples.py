"""Examples of webhooks for the OpenAPI document."""

from __future__ import annotations

from app.outbox.schemas import EXAMPLE_ID
from app.outbox.webhooks.schemas import (
    AttemptError,
    DeliveryList,
    DeliveryOut,
    WebhookList,
    WebhookOut,
    WebhookSecret,
    WebhookTest,
)

_AT = "2026-11-23T14:02:11.000Z"
_URL = "https://desk.example/hooks/unanswered"
_REFUSED = AttemptError(code="refused", detail="The receiver answered with status 503.")

NEW = {"url": _URL, "types": ["item.created", "item.replied"], "description": "our helpdesk"}
PATCH = {"enabled": True}
REPLAY = {"after": 0}

WEBHOOK = WebhookOut(
    id=3,
    url=_URL,
    description="our helpdesk",
    types=["item.created", "item.replied"],
    source_ids=None,
    direct=False,
    enabled=True,
    disabled_reason=None,
    disabled_at=None,
    read_through=1001,
    pending=1,
    failing_since=_AT,
    last_ok_at="2026-11-23T14:00:00.000Z",
    last_status=503,
    error=_REFUSED,
    old_secret_until=None,
    version=1,
    created_at="2026-11-20T09:00:00.000Z",
    created_by="token:1",
)
WEBHOOK_LIST = WebhookList(items=[WEBHOOK], next_cursor=None)
SECRET = WebhookSecret(
    secret="whsec_" + "A" * 43 + "=",  # fits the form and is nobody's
    webhook=WEBHOOK,
)
TEST = WebhookTest(ok=True, message_id="evt_test_5f0a9c", status=204, error=None, milliseconds=84)
DELIVERY = DeliveryOut(
    id=70,
    webhook_id=3,
    message_id=EXAMPLE_ID,
    seq=1001,
    type="item.created",
    source_id=1,
    item_id=42,
    state="pending",
    attempts=1,
    due_at="2026-11-23T14:02:16.000Z",
    last_status=503,
    error=_REFUSED,
    created_at=_AT,
    finished_at=None,
)
DELIVERY_LIST = DeliveryList(items=[DELIVERY], next_cursor=None)
