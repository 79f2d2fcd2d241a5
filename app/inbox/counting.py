"""The numbers of the inbox, put together from its counters."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from app.clock import stamp
from app.db import Reader
from app.inbox import counts
from app.inbox.count_schemas import AssigneeCount, Counts, OldestOut, SourceCount, UnansweredCounts
from app.inbox.item import Status
from app.scope import Scope
from app.sources.coverage import Coverage
from app.team.schemas import PersonOut


async def read_counts(reader: Reader, scope: Scope, now: datetime, coverage: Coverage) -> Counts:
    """Every number of `GET /counts`, exact at `now`."""
    by_status: Counter[str] = Counter({str(status): 0 for status in Status})
    waiting: Counter[str] = Counter()
    by_platform: Counter[str] = Counter()
    sources: dict[int, SourceCount] = {}
    for row in await counts.status_counts(reader, scope):
        number = int(row.items_counted)
        by_status[row.status] += number
        source = sources.setdefault(
            row.source_id,
            SourceCount(
                source_id=row.source_id,
                source_name=row.source_name,
                platform=row.platform,
                unanswered=0,
                total=0,
            ),
        )
        source.total += number
        if row.status == Status.UNANSWERED:
            waiting["total" if row.needs_reply else "thank_you"] += number
            if row.needs_reply:
                waiting["backlog"] += number if row.backlog else 0
                by_platform[row.platform] += number
                source.unanswered += number
    overlays = await counts.overlay_counts(reader, scope, now)
    younger = await counts.age_counts(reader, scope, now)
    oldest = await counts.oldest_unanswered(reader, scope)
    return Counts(
        as_of=stamp(now),
        total=by_status.total(),
        by_status=dict(by_status),
        unanswered=UnansweredCounts(
            total=waiting["total"],
            shown=waiting["total"] - waiting["backlog"] - int(overlays.asleep),
            overdue=int(overlays.overdue),
            snoozed=int(overlays.snoozed),
            backlog=waiting["backlog"],
            thank_you=waiting["thank_you"],
        ),
        by_platform=dict(by_platform),
        by_source=list(sources.values()),
        by_assignee=[
            AssigneeCount(
                assignee=PersonOut(id=row.id, name=row.name, display_name=row.display_name),
                unanswered=int(row.items_counted),
            )
            for row in await counts.assignee_counts(reader, scope)
        ],
        by_age=by_age(younger, waiting["total"]),
        oldest_unanswered=None
        if oldest is None
        else OldestOut(id=oldest.id, occurred_at=stamp(oldest.occurred_at)),
        coverage=coverage,
    )


def by_age(younger: dict[str, int], total: int) -> dict[str, int]:
    """Age buckets from how many are younger than each edge."""
    found: dict[str, int] = {}
    before = 0
    for bucket, upto in younger.items():
        found[bucket] = upto - before
        before = upto
    found[">7d"] = total - before
    return found
