"""Routes of the inbox."""

from __future__ import annotations

from app.inbox.api import (
    actions,
    authors,
    bulk,
    exchange,
    labels,
    lists,
    notes,
    policies,
    presence,
    rules,
    undoing,
    views,
)  # fmt: skip
from app.web.routes import Routes

router = Routes()
# exchange comes first: `/items/export` is no `/items/{item_id}`.
_PARTS = (
    exchange, lists, actions, bulk, notes, undoing, labels, views, authors, policies, rules,
    presence,
)  # fmt: skip
WIRE = (*lists.WIRE, *bulk.WIRE, *notes.WIRE, *undoing.WIRE, *labels.WIRE, *views.WIRE,
        *authors.WIRE, *policies.WIRE, *exchange.WIRE, *rules.WIRE,
        *presence.WIRE)  # fmt: skip
for part in _PARTS:
    router.include_router(part.router)
