"""Routes of the inbox."""

from __future__ import annotations

from fastapi import APIRouter

from app.inbox.api import actions, exchange, lists

WIRE = (*lists.WIRE, *exchange.WIRE)
router = APIRouter()
for part in (exchange, lists, actions):  # `/items/export` is no `/items/{item_id}`
    router.include_router(part.router)
