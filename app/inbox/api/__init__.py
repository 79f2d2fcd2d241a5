"""Routes of the inbox."""

from __future__ import annotations

from fastapi import APIRouter

from app.inbox.api import actions, lists

WIRE = lists.WIRE
router = APIRouter()
for part in (lists, actions):
    router.include_router(part.router)
