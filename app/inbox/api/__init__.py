"""Routes of the inbox."""

from __future__ import annotations

from fastapi import APIRouter

from app.inbox.api import actions, bulk, labels, lists, notes, undoing, views

WIRE = (*lists.WIRE, *bulk.WIRE, *labels.WIRE, *notes.WIRE, *undoing.WIRE, *views.WIRE)
router = APIRouter()
for part in (lists, actions, bulk, notes, undoing, labels, views):
    router.include_router(part.router)
