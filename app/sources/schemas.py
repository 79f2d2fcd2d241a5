"""What sources, runs and checks look like on the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.connectors.base import Check, Quota
from app.connectors.failures import ConnectorError
from app.sources.coverage import BackfillOut, LostOut, backfill_of, lost_of, state_of
from app.sources.runs import INTERRUPTED
from app.sources.streams import Unseen
from app.web.formats import format_duration


class IdentityOut(msgspec.Struct, kw_only=True):
    id: str
    handle: str
    name: str


class TroubleOut(msgspec.Struct, kw_only=True):
    """What is wrong and since when. `code`: auth_failed, permission_missing, blind, rate_limited,
    gone, transient, bad_response, budget.
    """

    code: str
    detail: str
    since: Stamp | None = None


class StreamOut(msgspec.Struct, kw_only=True):
    name: str
    shape: str
    state: str
    cause: str | None
    covered_from: Stamp | None
    covered_through: Stamp | None
    last_ok_at: Stamp | None
    next_poll_at: Stamp | None
    error: TroubleOut | None
    backfill: BackfillOut
    gaps_open: int
    recovered_24h: int
    quarantined: int
    skipped: dict[str, int]
    detection_lag_seconds: float | None
    lost: list[LostOut]


class QuotaOut(msgspec.Struct, kw_only=True):
    """What a source may spend of the platform's quota in the present period, and what is left;
    `spent_elsewhere` is what others have used that share it.
    """

    unit: str
    limit: float
    spent: float
    spent_elsewhere: float
    left: float
    resets_at: Stamp


class SourceOut(msgspec.Struct, kw_only=True):
    """A connected account or watched place. The credential itself is never told; `checked_at` is
    when its identity and rights were last found to be as they should.
    """

    id: int
    platform: str
    name: str
    settings: dict[str, Any]
    identity: IdentityOut | None
    credential_set_at: Stamp | None
    credential_expires_at: Stamp | None
    checked_at: Stamp | None
    poll_interval: int
    backfill: str
    backlog_after: str
    also_us: list[str]
    labels: list[str]
    budget: float | None
    quota: QuotaOut | None
    paused: bool
    state: str
    error: TroubleOut | None
    next_poll_at: Stamp | None
    last_ok_at: Stamp | None
    created_at: Stamp
    warnings: list[str]
    version: int
    streams: list[StreamOut]


class SourceList(msgspec.Struct, kw_only=True):
    items: list[SourceOut]
    next_cursor: str | None = None


class RunOut(msgspec.Struct, kw_only=True):
    """What one poll did. `outcome`: ok, partial, failed, interrupted; null while it runs. Of an
    interrupted poll nobody knows what it did: its numbers are null, and `finished_at` is when it
    was noticed.
    `erased` counts messages of people who were erased: seen again, and left out.
    """

    id: int
    started_at: Stamp
    finished_at: Stamp | None
    outcome: str | None
    pages: int | None
    seen: int | None
    new: int | None
    updated: int | None
    unchanged: int | None
    replies_seen: int | None
    quarantined: int | None
    recovered: int | None
    erased: int | None
    requests: int | None
    error: TroubleOut | None


class RunList(msgspec.Struct, kw_only=True):
    items: list[RunOut]
    next_cursor: str | None


class SampleOut(msgspec.Struct, kw_only=True):
    count: int
    newest_at: Stamp | None


class EstimateOut(msgspec.Struct, kw_only=True):
    """What a source is going to use at its interval, by what was seen."""

    unit: str
    per_day: float
    detail: str


class BudgetOut(msgspec.Struct, kw_only=True):
    """What a source may use: the platform's quota, or the operator's smaller budget of it. `period`
    is day or month and ends by the clock of `zone`.
    """

    unit: str
    limit: float
    period: str
    zone: str


class CheckOut(msgspec.Struct, kw_only=True):
    """The result of looking at a credential: who it is, what it may, what it would bring, and what
    it would use of what may be used.
    """

    ok: bool
    identity: IdentityOut | None
    rights: list[str]
    missing: list[str]
    sample: SampleOut | None
    warnings: list[str]
    estimate: EstimateOut | None
    budget: BudgetOut | None
    error: TroubleOut | None


_NUMBERS_OF_RUN = (
    "pages",
    "seen",
    "new",
    "updated",
    "unchanged",
    "replies_seen",
    "quarantined",
    "recovered",
    "erased",
    "requests",
)
_WORST_FIRST = ("auth_failed", "blind", "error", "rate_limited", "behind", "ok")


def identity_out(identity: Mapping[str, Any] | None) -> IdentityOut | None:
    if identity is None:
        return None
    return IdentityOut(id=identity["id"], handle=identity["handle"], name=identity["name"])


def _trouble(code: str | None, detail: str | None, since: datetime | None) -> TroubleOut | None:
    if code is None:
        return None
    return TroubleOut(code=code, detail=detail or "", since=stamp(since))


def stream_out(
    row: Row[Any],
    owner: Row[Any],
    *,
    now: datetime,
    gaps: Sequence[Row[Any]],
    recovered: int,
    quarantined: int,
    unseen: Unseen,
) -> StreamOut:
    state, cause = state_of(row, now, paused=owner.paused, poll_interval=owner.poll_interval)
    return StreamOut(
        name=row.name,
        shape=row.shape,
        state=state,
        cause=cause,
        covered_from=stamp(row.covered_from),
        covered_through=stamp(row.covered_through),
        last_ok_at=stamp(row.last_ok_at),
        next_poll_at=stamp(row.next_poll_at),
        error=_trouble(row.error_code, row.error_detail, row.error_since),
        backfill=backfill_of(row),
        gaps_open=sum(1 for gap in gaps if not gap.lost),
        recovered_24h=recovered,
        quarantined=quarantined,
        skipped=row.skipped or {},
        detection_lag_seconds=None if row.lag_ms is None else row.lag_ms / 1000,
        lost=lost_of(row, gaps, unseen),
    )


def source_out(
    row: Row[Any],
    *,
    also_us: Sequence[str],
    streams: Sequence[StreamOut],
    quota: QuotaOut | None,
) -> SourceOut:
    worst = min(
        (s.state for s in streams if s.state in _WORST_FIRST), key=_WORST_FIRST.index, default="ok"
    )
    errors = [s.error for s in streams if s.error is not None]
    oks = [s.last_ok_at for s in streams if s.last_ok_at is not None]
    return SourceOut(
        id=row.id,
        platform=row.platform,
        name=row.name,
        settings=row.settings,
        identity=identity_out(row.identity),
        credential_set_at=stamp(row.credential_set_at),
        credential_expires_at=stamp(row.credential_expires_at),
        checked_at=stamp(row.checked_at),
        poll_interval=row.poll_interval,
        backfill=format_duration(timedelta(seconds=row.backfill)),
        backlog_after=format_duration(timedelta(seconds=row.backlog_after)),
        also_us=list(also_us),
        labels=row.labels,
        budget=row.budget,
        quota=quota,
        paused=row.paused,
        state="paused" if row.paused else worst,
        error=errors[0] if errors else None,
        next_poll_at=stamp(row.next_poll_at),
        last_ok_at=min(oks) if len(oks) == len(streams) and oks else None,
        created_at=stamp(row.created_at),
        warnings=row.warnings,
        version=row.version,
        streams=list(streams),
    )


def run_out(row: Row[Any]) -> RunOut:
    known = row.outcome != INTERRUPTED
    return RunOut(
        id=row.id,
        started_at=stamp(row.started_at),
        finished_at=stamp(row.finished_at),
        outcome=row.outcome,
        error=_trouble(row.error_code, row.error_detail, None),
        **{name: getattr(row, name) if known else None for name in _NUMBERS_OF_RUN},
    )


def budget_out(quota: Quota | None, budget: float | None = None) -> BudgetOut | None:
    if quota is None:
        return None
    limit = quota.limit if budget is None else min(budget, quota.limit)
    return BudgetOut(unit=quota.unit, limit=limit, period=quota.period, zone=quota.zone)


def check_out(check: Check, budget: BudgetOut | None) -> CheckOut:
    identity = check.identity
    sample = check.sample
    lacking = f"The credential lacks: {', '.join(check.missing)}."
    return CheckOut(
        ok=not check.missing,
        identity=None
        if identity is None
        else IdentityOut(id=identity.external_id, handle=identity.handle, name=identity.name),
        rights=list(check.rights),
        missing=list(check.missing),
        sample=None
        if sample is None
        else SampleOut(count=sample.count, newest_at=stamp(sample.newest_at)),
        warnings=list(check.warnings),
        estimate=None
        if check.estimate is None
        else msgspec.convert(check.estimate, EstimateOut, from_attributes=True),
        budget=budget,
        error=TroubleOut(code="permission_missing", detail=lacking) if check.missing else None,
    )


def failed_check(error: ConnectorError, budget: BudgetOut | None) -> CheckOut:
    return CheckOut(
        ok=False,
        identity=None,
        rights=[],
        missing=list(getattr(error, "rights", ())),
        sample=None,
        warnings=[],
        estimate=None,
        budget=budget,
        error=TroubleOut(code=error.code, detail=error.detail),
    )
