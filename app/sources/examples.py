"""Examples for the OpenAPI document, put together from the real structs so that they fit them."""

from __future__ import annotations

from app.sources.coverage import BackfillOut, Coverage, GapOut, LostOut, StreamCoverage
from app.sources.offers import AccessOut, OAuthOut, PlatformList, PlatformOut
from app.sources.schemas import (
    BudgetOut,
    CheckOut,
    EstimateOut,
    IdentityOut,
    RunList,
    RunOut,
    SampleOut,
    SourceList,
    SourceOut,
    StreamOut,
)

_AT = "2026-11-23T14:02:11.000Z"

DRAFT = {
    "platform": "mastodon",
    "settings": {"instance": "https://social.example"},
    "credential": {"access_token": "the token of the account"},
}
NEW = {**DRAFT, "name": "shop", "also_us": ["ana@social.example", "bot:news@social.example"]}
PATCH = {"credential": {"access_token": "a new token of the same account"}}

_BACKFILL = BackfillOut(
    done=False, paused=False, read=1240, since="2026-10-24T14:00:00.000Z", back_to=_AT
)

_STREAM = StreamOut(
    name="notifications",
    shape="forward",
    state="behind",
    cause="backfill",
    covered_from=None,
    covered_through=_AT,
    last_ok_at=_AT,
    next_poll_at=_AT,
    error=None,
    backfill=_BACKFILL,
    gaps_open=0,
    recovered_24h=0,
    quarantined=0,
    skipped={"favourite": 12},
    detection_lag_seconds=31.4,
    lost=[LostOut(cause="not_notified", detail="Replies that don't name us notify nobody.")],
)

SOURCE = SourceOut(
    id=1,
    platform="mastodon",
    name="shop",
    settings={"instance": "https://social.example"},
    identity=IdentityOut(id="1", handle="shop@social.example", name="The shop"),
    credential_set_at=_AT,
    credential_expires_at=None,
    checked_at=_AT,
    poll_interval=60,
    backfill="P30D",
    backlog_after="P7D",
    also_us=["ana@social.example"],
    labels=[],
    budget=None,
    quota=None,
    paused=False,
    state="behind",
    error=None,
    next_poll_at=_AT,
    last_ok_at=_AT,
    created_at=_AT,
    warnings=[],
    version=1,
    streams=[_STREAM],
)
SOURCE_LIST = SourceList(items=[SOURCE])

CHECK = CheckOut(
    ok=True,
    identity=SOURCE.identity,
    rights=["read:notifications", "read:statuses"],
    missing=[],
    sample=SampleOut(count=23, newest_at=_AT),
    warnings=[],
    estimate=EstimateOut(unit="USD", per_day=1.2, detail="40 posts a day at 0.005 USD, and 2 more"),
    budget=BudgetOut(unit="USD", limit=100.0, period="month", zone="UTC"),
    error=None,
)

RUN = RunOut(
    id=512,
    started_at=_AT,
    finished_at="2026-11-23T14:02:12.120Z",
    outcome="ok",
    pages=3,
    seen=41,
    new=2,
    updated=1,
    unchanged=38,
    replies_seen=1,
    quarantined=0,
    recovered=0,
    erased=0,
    requests=3,
    error=None,
)
RUN_LIST = RunList(items=[RUN], next_cursor=None)

PLATFORM_LIST = PlatformList(
    items=[
        PlatformOut(
            name="hackernews",
            title="Hacker News",
            settings_schema={"type": "object"},
            credential_schema=None,
            credential_required=False,
            capabilities={"own_answers": "exact"},
            default_interval=120,
            minimum_interval=60,
            notes=[],
            docs="docs/platforms/hackernews.md",
            access=AccessOut(review="", shortest="", price="Free."),
            retention=None,
            oauth=OAuthOut(offered=False, needs_client=False, scopes=[], chosen=[]),
            quota=None,
        )
    ]
)

COVERAGE = Coverage(
    as_of=_AT,
    complete=False,
    streams=[
        StreamCoverage(
            source_id=1,
            source_name="shop",
            platform="mastodon",
            stream="notifications",
            state="rate_limited",
            cause="rate_limited",
            covered_from="2026-10-24T14:00:00.000Z",
            covered_through="2026-11-23T11:02:00.000Z",
            last_ok_at="2026-11-23T11:02:00.000Z",
            open_gaps=[
                GapOut(
                    from_at="2026-11-20T08:00:00.000Z",
                    to_at="2026-11-21T09:30:00.000Z",
                    cause="transient",
                )
            ],
            recovered_24h=0,
            backfill=_BACKFILL,
        )
    ],
)
