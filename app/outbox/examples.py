"""Examples of events for the OpenAPI document."""

from __future__ import annotations

from app.outbox.schemas import EXAMPLE_ID, EventFeed, EventOut

EVENT = EventOut(
    id=EXAMPLE_ID,
    seq=1001,
    at="2026-11-23T14:02:11.000Z",
    type="item.created",
    source_id=1,
    item_id=42,
    item_version=1,
    actor_kind="poller",
    actor="poller",
    actor_user_id=None,
    from_status=None,
    to_status="unanswered",
    evidence=None,
    action_id=None,
    details={"stream": "notifications"},
)
FEED = EventFeed(items=[EVENT], next_after=1001, more=False, missed=False)
STREAM = {
    "id": "1001",
    "event": "item.created",
    "data": f'{{"id":"{EXAMPLE_ID}","seq":1001,"type":"item.created","item_id":42}}',
}
