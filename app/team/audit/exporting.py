"""The trail as one stream, oldest first: page after page, never more than one in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from app.db import Database
from app.team.audit import repository
from app.team.audit.repository import TrailFilter
from app.team.audit.schemas import AuditRow, audit_row
from app.web.cells import lines

PAGE = 200
NDJSON = "application/x-ndjson"
CSV = "text/csv; charset=utf-8; header=present"
COLUMNS = (
    "id", "at", "actor_kind", "actor_id", "actor_name", "token_id", "session_id", "address",
    "request_id", "operation", "outcome", "status", "object", "source_id", "before_hash",
    "after_hash", "details",
)  # fmt: skip
_encoder = msgspec.json.Encoder()


class BrokenOff(Exception):
    """The service stops: cuts the connection, so that what has left can't look like the whole."""


async def export(
    db: Database, wanted: TrailFilter, kind: str, *, stopping: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """As NDJSON, a last line saying how many, or as CSV. Raises `BrokenOff`."""
    encode = _csv if kind == "csv" else _ndjson
    above, count = 0, 0
    if kind == "csv":
        yield lines([COLUMNS])
    while rows := await repository.page_upwards(db, wanted, above=above, limit=PAGE):
        yield encode([audit_row(row) for row in rows])
        above, count = rows[-1].id, count + len(rows)
        if stopping():
            raise BrokenOff
        await asyncio.sleep(0)  # a reader that takes all at once would let nobody else in
    if kind != "csv":
        yield _encoder.encode({"end": True, "rows": count}) + b"\n"


def _ndjson(rows: Sequence[AuditRow]) -> bytes:
    return b"".join(_encoder.encode(row) + b"\n" for row in rows)


def _csv(rows: Sequence[AuditRow]) -> bytes:
    return lines(
        [
            *(row.id, row.at, row.actor.kind, row.actor.id, row.actor.name, row.token_id),
            *(row.session_id, row.address, row.request_id, row.operation, row.outcome),
            *(row.status, row.object, row.source_id, row.before_hash, row.after_hash),
            _encoder.encode(row.details).decode(),
        ]
        for row in rows
    )
