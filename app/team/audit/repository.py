"""All SQL of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, bindparam, delete, func, insert, select, update

from app.db import Reader, Tx, metadata
from app.team.audit.models import audit, audit_end


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """Which rows are wanted; `actor` is (kind, id or `None` for any)."""

    actor: tuple[str, int | None] | None = None
    operation: str | None = None
    object: str | None = None
    outcome: str | None = None
    after: datetime | None = None
    before: datetime | None = None


async def add(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(audit), values)


async def page(
    reader: Reader, wanted: TrailFilter, *, below: int | None, limit: int
) -> Sequence[Row[Any]]:
    """What fits, newest first, with an id below `below`."""
    statement = select(audit).where(*_wanted(wanted))
    if below is not None:
        statement = statement.where(audit.c.id < below)
    return await reader.rows(statement.order_by(audit.c.id.desc()).limit(limit))


async def page_upwards(
    reader: Reader, wanted: TrailFilter, *, above: int, limit: int
) -> Sequence[Row[Any]]:
    """What fits, oldest first, with an id above `above`."""
    statement = select(audit).where(audit.c.id > above, *_wanted(wanted))
    return await reader.rows(statement.order_by(audit.c.id).limit(limit))


def _wanted(wanted: TrailFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.actor is not None:
        kind, actor_id = wanted.actor
        found.append(audit.c.actor_kind == kind)
        if actor_id is not None:
            found.append(audit.c.actor_id == actor_id)
    named = {name: getattr(wanted, name) for name in ("operation", "object", "outcome")}
    found += [audit.c[name] == value for name, value in named.items() if value is not None]
    if wanted.after is not None:
        found.append(audit.c.at > wanted.after)
    if wanted.before is not None:
        found.append(audit.c.at < wanted.before)
    return found


async def find_row(reader: Reader, table: str, row_id: int) -> dict[str, Any] | None:
    """The row of any table of ours that has ids; `None` where there is none."""
    rows = await reader.rows(_row_of(table), {"row_id": row_id})
    return rows[0]._asdict() if rows else None


@cache
def _row_of(table: str) -> Select[Any]:
    known = metadata.tables[table]
    return select(known).where(known.c.id == bindparam("row_id"))


async def last_before(reader: Reader, at: datetime) -> int | None:
    """The newest row that is older than a moment."""
    rows = await reader.rows(select(func.max(audit.c.id)).where(audit.c.at < at))
    found: int | None = rows[0][0]
    return found


async def let_go(tx: Tx, through: int) -> None:
    """Moves the end of what is kept, behind which the trigger lets rows be deleted."""
    end = update(audit_end).where(audit_end.c.id == 1, audit_end.c.forgotten < through)
    await tx.execute(end.values(forgotten=through))


async def forget(tx: Tx, through: int, limit: int) -> int:
    """Deletes up to `limit` rows behind that end; how many."""
    doomed = select(audit.c.id).where(audit.c.id <= through).order_by(audit.c.id).limit(limit)
    return (await tx.execute(delete(audit).where(audit.c.id.in_(doomed)))).rowcount
