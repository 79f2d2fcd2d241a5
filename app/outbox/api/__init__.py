"""Routes of what others hear: events, webhooks, deliveries."""

from __future__ import annotations

from app.outbox.api import deliveries, feed, webhooks
from app.web.routes import Routes

WIRE = (*feed.WIRE, *webhooks.WIRE, *deliveries.WIRE)
router = Routes()
for part in (feed, webhooks, deliveries):
    router.include_router(part.router)
