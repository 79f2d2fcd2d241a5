"""Examples of people for the OpenAPI document, put together from the real structs."""

from __future__ import annotations

from app.inbox.authors.schemas import (
    AuthorDetail,
    AuthorList,
    AuthorSummary,
    ErasureOut,
    HistoryOut,
    SourceHistory,
)
from app.inbox.examples import ITEM
from app.inbox.schemas import SignalOut

_FIRST = "2026-09-01T08:00:00.000Z"
_LAST = "2026-11-23T11:02:11.000Z"

PERSON = AuthorSummary(
    id=9,
    platform="mastodon",
    instance="social.example",
    external_id="109501",
    handle="mira@social.example",
    display_name="Mira",
    url="https://social.example/@mira",
    avatar_url="",
    followers=112,
    is_bot=False,
    created_at="2019-03-02T00:00:00.000Z",
    first_seen_at="2026-09-01T08:00:31.000Z",
    signals=[SignalOut(code="default_avatar", reason="The account has no picture of its own.")],
    muted=False,
    muted_at=None,
    notes="Bought the blue teapot in September.",
    version=3,
)

AUTHOR = AuthorDetail(
    **{name: getattr(PERSON, name) for name in AuthorSummary.__struct_fields__},
    history=HistoryOut(
        messages=5,
        asked=4,
        answered=3,
        waiting=1,
        dismissed=0,
        spam=0,
        median_answer_seconds=5400.0,
        negative_answer_times=0,
        first_at=_FIRST,
        last_at=_LAST,
    ),
    by_source=[
        SourceHistory(
            source_id=1,
            source_name="shop@social.example",
            platform="mastodon",
            messages=5,
            asked=4,
            answered=3,
            waiting=1,
            first_at=_FIRST,
            last_at=_LAST,
        )
    ],
    recent=[ITEM],
)

AUTHOR_LIST = AuthorList(items=[PERSON], next_cursor=None)

ERASURE = ErasureOut(dry_run=False, items=5, messages=3, texts=1, bodies=4)
