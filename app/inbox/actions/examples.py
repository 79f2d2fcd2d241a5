"""Examples for the OpenAPI document: actions, bulk, undo, labels, notes, presence, filters."""

from __future__ import annotations

from typing import Any

from app.inbox.actions.schemas import (
    ActionList,
    ActionOut,
    BulkOut,
    BulkResult,
    RefusalOut,
    UndoOut,
    UndoResult,
)
from app.inbox.examples import COVERAGE, ITEM
from app.inbox.labels.schemas import LabelList, LabelOut
from app.inbox.notes.schemas import NoteList, NoteOut
from app.inbox.presence.schemas import PresenceList, PresenceOut, PresentOut
from app.inbox.views.schemas import ViewList, ViewOut
from app.team.schemas import PersonOut

_AT = "2026-11-23T14:02:11.000Z"

ACTION = ActionOut(
    id=17,
    at=_AT,
    actor_kind="person",
    actor="Ana",
    action="dismiss",
    params={"reason": "no_reply_needed"},
    items=2,
    undone_at=None,
    undone_by=None,
)
ACTIONS = ActionList(items=[ACTION], next_cursor=None)

UNDO = UndoOut(
    action_id=18,
    undone=1,
    results=[
        UndoResult(item_id=42, result="undone", item=ITEM),
        UndoResult(item_id=43, result="changed_since", item=None),
    ],
)

BULK_ASKED: dict[str, Any] = {
    "action": "dismiss",
    "ids": [42, 43],
    "params": {"reason": "no_reply_needed"},
}
BULK = BulkOut(
    action_id=17,
    changed=1,
    unchanged=0,
    refused=1,
    results=[
        BulkResult(item_id=42, ok=True, changed=True, item=ITEM, problem=None),
        BulkResult(
            item_id=43,
            ok=False,
            changed=False,
            item=None,
            problem=RefusalOut(
                status=404,
                code="not-found",
                title="Not there",
                detail="There is no item 43 that you may see.",
                current_status=None,
                allowed_actions=None,
            ),
        ),
    ],
)

LABEL = LabelOut(id=1, name="press", colour="#d73a4a", created_at=_AT, version=1)
LABELS = LabelList(items=[LABEL], next_cursor=None)

NOTE = NoteOut(
    id=5, item_id=42, text="Ask the warehouse.", author="Ana", created_at=_AT, edited_at=None
)
NOTES = NoteList(items=[NOTE], next_cursor=None)

VIEW = ViewOut(
    id=3,
    name="Press",
    filter={"label": ["press"]},
    query="label=press",
    shared=True,
    mine=True,
    place=1,
    count=4,
    count_more=False,
    created_at=_AT,
    updated_at=_AT,
    version=2,
)
VIEWS = ViewList(items=[VIEW], next_cursor=None, as_of=_AT, coverage=COVERAGE)

PRESENCE = PresenceOut(
    item_id=42,
    people=[
        PresentOut(person=PersonOut(id=3, name="mira", display_name="Mira Sol"), state="drafting")
    ],
)
PRESENCE_LIST = PresenceList(items=[PRESENCE], next_cursor=None)
