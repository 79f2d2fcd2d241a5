"""Sources as the API shows them: rows, streams, gaps and what is lost by design, put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from app.clock import stamp
from app.connectors.failures import ConnectorError, RateLimited
from app.connectors.registry import PLATFORMS
from app.db import Reader
from app.errors import Conflict, FieldError, InvalidRequest, VersionMismatch
from app.scope import EVERYTHING, Scope
from app.sources import repository, runs, streams
from app.sources.drafts import listed_us
from app.sources.purse import period_of, purse_of
from app.sources.schemas import QuotaOut, SourceOut, source_out, stream_out
from app.web.conditional import IfMatch

DAY = timedelta(hours=24)


async def sources(reader: Reader, scope: Scope, now: datetime) -> list[SourceOut]:
    """Every source a caller may see."""
    rows = await repository.page_sources(reader, scope)
    return await _put_together(reader, rows, now)


async def source(reader: Reader, scope: Scope, source_id: int, now: datetime) -> SourceOut:
    """One source; `NotFound` where it is not there for this caller."""
    row = await repository.get_source(reader, scope, source_id)
    return (await _put_together(reader, [row], now))[0]


async def _put_together(reader: Reader, rows: Sequence[Row[Any]], now: datetime) -> list[SourceOut]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    of_source: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in await repository.streams_of(reader, ids):
        of_source[row.source_id].append(row)
    stream_ids = [row.id for found in of_source.values() for row in found]
    gaps: dict[int, list[Row[Any]]] = defaultdict(list)
    for gap in await streams.known_gaps(reader, stream_ids):
        gaps[gap.stream_id].append(gap)
    recovered = await streams.recovered_since(reader, stream_ids, now - DAY)
    held = await repository.quarantine_size(reader, stream_ids)
    unseen = await streams.unseen_below(reader, stream_ids)
    listed: dict[int, list[Row[Any]]] = defaultdict(list)
    for one in await repository.us_of(reader, ids):
        listed[one.source_id].append(one)
    quotas = {row.id: await _quota(reader, row, now) for row in rows}
    return [
        source_out(
            row,
            quota=quotas[row.id],
            also_us=listed_us(listed[row.id]),
            streams=[
                stream_out(
                    each,
                    row,
                    now=now,
                    gaps=gaps[each.id],
                    recovered=recovered.get(each.id, 0),
                    quarantined=held.get(each.id, 0),
                    unseen=unseen.get(each.id, streams.Unseen()),
                )
                for each in of_source[row.id]
            ],
        )
        for row in rows
    ]


async def _quota(reader: Reader, row: Row[Any], now: datetime) -> QuotaOut | None:
    platform = PLATFORMS.get(row.platform)
    if platform is None or platform.quota is None:
        return None
    began, _ = period_of(platform.quota, now)
    spent = await runs.spent_since(reader, row.id, began)
    elsewhere = await runs.spent_elsewhere(reader, row, began)
    purse = purse_of(platform.quota, row.budget, spent, now, elsewhere=elsewhere)
    return QuotaOut(
        unit=purse.unit,
        limit=purse.limit,
        spent=purse.spent,
        spent_elsewhere=purse.elsewhere,
        left=purse.left,
        resets_at=stamp(purse.ends_at),
    )


def agreed_version(present: SourceOut, wanted: IfMatch) -> int | None:
    """The version that must still be there when a change is made: `None` where a caller named
    none. Raises `VersionMismatch` where the present one is not among those that were named.
    """
    if not wanted.allows(present.version):
        raise VersionMismatch(
            f"The source is at version {present.version} by now. Look at it, then decide again.",
            extra={"current": present},
        )
    return None if wanted.versions is None else present.version


async def quotas(reader: Reader, now: datetime) -> list[tuple[Row[Any], QuotaOut]]:
    """What each source that has a quota has left of it."""
    found = []
    for row in await repository.page_sources(reader, EVERYTHING):
        quota = await _quota(reader, row, now)
        if quota is not None:
            found.append((row, quota))
    return found


@contextmanager
def told_as_problem() -> Iterator[None]:
    """A failure of the platform while connecting becomes a refusal that says what to do."""
    try:
        yield
    except RateLimited as error:
        raise Conflict(
            f"The platform asks to wait before it can be checked: {error.detail}",
            extra={"error": {"code": error.code, "detail": error.detail}},
        ) from error
    except ConnectorError as error:
        where = "/credential" if error.code in _ABOUT_CREDENTIAL else "/settings"
        raise InvalidRequest(
            f"Nothing was saved: {error.detail}",
            errors=[FieldError(where, error.code, error.detail)],
        ) from error


_ABOUT_CREDENTIAL = frozenset({"auth_failed", "permission_missing", "blind"})
