"""Routes of what others hear: events, webhooks, deliveries."""

from __future__ import annotations

from fastapi import APIRouter

from app.outbox.api import deliveries, feed, webhooks

WIRE = (*feed.WIRE, *webhooks.WIRE, *deliveries.WIRE)
router = APIRouter()
for part in (feed, webhooks, deliveries):
    router.include_router(part.router)
