"""Routes of the inbox."""

from __future__ import annotations

from fastapi import APIRouter

from app.inbox.api import actions, authors, lists, policies

WIRE = (*lists.WIRE, *authors.WIRE, *policies.WIRE)
router = APIRouter()
for part in (lists, actions, authors, policies):
    router.include_router(part.router)
