"""Examples for the OpenAPI document, put together from the real structs so that they fit them."""

from __future__ import annotations

from app.inbox.count_schemas import Counts, OldestOut, SourceCount, UnansweredCounts
from app.inbox.schemas import (
    AuthorOut,
    ItemDetail,
    ItemList,
    ItemOut,
    ItemSignalOut,
    ReplyOut,
    ThreadEntry,
    ThreadOut,
    ThreadSummary,
    ValueOut,
)
from app.outbox.schemas import EXAMPLE_ID, EventList, EventOut
from app.sources.coverage import Coverage

_AT = "2026-11-23T14:02:11.000Z"

COVERAGE = Coverage(as_of=_AT, complete=True, streams=[])

ITEM = ItemOut(
    id=42,
    platform="mastodon",
    source_id=1,
    source_name="shop@social.example",
    stream="notifications",
    kind="mention",
    status="unanswered",
    needs_reply=True,
    visibility="public",
    held=False,
    time_suspect=False,
    thread_title="",
    value=ValueOut(score=None, reasons=[]),
    text="@shop When will the blue teapot be back?",
    text_raw="<p>@shop When will the blue teapot be back?</p>",
    text_format="html",
    language="en",
    permalink="https://social.example/@mira/112",
    external_id="112",
    thread_id=7,
    parent_external_id=None,
    author=AuthorOut(
        id=9,
        handle="mira@social.example",
        display_name="Mira",
        url="https://social.example/@mira",
        avatar_url="",
        followers=112,
        is_bot=False,
        signals=[],
    ),
    occurred_at="2026-11-23T11:02:11.000Z",
    first_seen_at="2026-11-23T11:02:40.000Z",
    edited_at=None,
    age_seconds=10800,
    due_at=None,
    overdue=False,
    snoozed_until=None,
    backlog=False,
    assignee=None,
    claim=None,
    labels=["press"],
    note_count=0,
    possibly_answered=False,
    edited_after_answer=False,
    reply_unverified=False,
    acknowledged_at=None,
    community_replies=0,
    answer=None,
    dismissed_reason=None,
    signals=[ItemSignalOut(code="question", reason="Has a question mark.", rule_id=1)],
    media=[],
    external_links=[],
    version=1,
    allowed_actions=[
        "mark_replied",
        "dismiss",
        "spam",
        "snooze",
        "assign",
        "claim",
        "label",
        "note",
    ],
)

ITEM_LIST = ItemList(items=[ITEM], next_cursor=None, as_of=_AT, coverage=COVERAGE, search=None)

_THREAD = ThreadSummary(
    id=7,
    external_id="112",
    title="",
    permalink="https://social.example/@mira/112",
    items=1,
    unanswered=1,
    replies=0,
)

_REPLY = ReplyOut(
    id=3,
    external_id="113",
    origin="seen",
    automated=False,
    author_handle="shop@social.example",
    author_name="The shop",
    text="@mira In two weeks!",
    text_format="html",
    permalink="https://social.example/@shop/113",
    visibility="public",
    parent_external_id="112",
    occurred_at="2026-11-23T12:00:00.000Z",
    edited_at=None,
)

ITEM_DETAIL = ItemDetail(
    **{name: getattr(ITEM, name) for name in ItemOut.__struct_fields__},
    replies=[_REPLY],
    thread=_THREAD,
    revisions=[],
    raw='{"id":"112"}',
)

THREAD = ThreadOut(
    thread=_THREAD,
    entries=[ThreadEntry(item=ITEM, reply=None), ThreadEntry(item=None, reply=_REPLY)],
    truncated=False,
    next_cursor=None,
)

EVENTS = EventList(
    items=[
        EventOut(
            id=EXAMPLE_ID,
            seq=1001,
            at=_AT,
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
    ],
    next_cursor=None,
)

COUNTS = Counts(
    as_of=_AT,
    total=310,
    by_status={"unanswered": 9, "replied": 280, "dismissed": 17, "spam": 3, "removed": 1},
    unanswered=UnansweredCounts(total=7, shown=4, overdue=0, snoozed=1, backlog=2, thank_you=2),
    by_platform={"mastodon": 7},
    by_source=[
        SourceCount(
            source_id=1,
            source_name="shop@social.example",
            platform="mastodon",
            unanswered=7,
            total=310,
        )
    ],
    by_assignee=[],
    by_age={"<1h": 1, "1-4h": 2, "4-24h": 1, "1-3d": 1, "3-7d": 0, ">7d": 2},
    oldest_unanswered=OldestOut(id=3, occurred_at="2026-10-30T08:00:00.000Z"),
    coverage=COVERAGE,
)
