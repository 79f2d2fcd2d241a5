"""All SQL about runs: what each poll did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, true, update

from app.db import Reader, Tx
from app.sources.models import run, source, spending


async def page_runs(
    reader: Reader, source_id: int, before: int | None, limit: int
) -> Sequence[Row[Any]]:
    """The polls of a source, newest first, those with an id below `before`."""
    statement = select(run).where(run.c.source_id == source_id)
    if before is not None:
        statement = statement.where(run.c.id < before)
    return await reader.rows(statement.order_by(run.c.id.desc()).limit(limit))


async def find_run(reader: Reader, run_id: int) -> Row[Any] | None:
    rows = await reader.rows(select(run).where(run.c.id == run_id))
    return rows[0] if rows else None


async def find_requested(reader: Reader, source_id: int) -> Row[Any] | None:
    """The poll somebody has asked for and that has not ended yet."""
    statement = select(run).where(
        run.c.source_id == source_id, run.c.requested == true(), run.c.finished_at.is_(None)
    )
    rows = await reader.rows(statement.order_by(run.c.id).limit(1))
    return rows[0] if rows else None


async def request_run(tx: Tx, source_id: int, now: datetime) -> int:
    """Writes down that a poll is wanted; the poller that does it fills in what it did."""
    waiting = await find_requested(tx, source_id)
    if waiting is not None:
        return int(waiting.id)
    added = await tx.execute(
        insert(run).values(source_id=source_id, requested=True, started_at=now).returning(run.c.id)
    )
    return int(added.scalar_one())


async def record_runs(tx: Tx, done: Sequence[tuple[int, Mapping[str, Any]]]) -> None:
    """Stores what polls of these sources did."""
    if done:
        await tx.execute(insert(run), [{"source_id": key, **values} for key, values in done])


async def end_requested(tx: Tx, run_id: int, values: Mapping[str, Any]) -> None:
    """Stores what a poll did in the row of who asked for it."""
    await tx.execute(update(run).where(run.c.id == run_id).values(**values))


INTERRUPTED = "interrupted"


async def record_interrupted(
    tx: Tx, source_id: int, started_at: datetime, noticed_at: datetime
) -> None:
    """Stores that a poll never ended. Whoever asked for one still waits: its run is another one."""
    values = {
        "started_at": started_at,
        "finished_at": max(started_at, noticed_at),
        "outcome": INTERRUPTED,
        "error_code": INTERRUPTED,
        "error_detail": "The poll never ended: its process was stopped or died. What it had stored "
        "is stored, and the next poll goes on from there.",
    }
    await record_runs(tx, [(source_id, values)])


async def spent_since(reader: Reader, source_id: int, began_at: datetime) -> float:
    """What a source has used of its quota in the period that began then."""
    statement = select(spending.c.spent).where(
        spending.c.source_id == source_id, spending.c.began_at == began_at
    )
    rows = await reader.rows(statement)
    return float(rows[0].spent) if rows else 0.0


async def spent_elsewhere(reader: Reader, row: Row[Any], began_at: datetime) -> float:
    """What other sources have used, in that period, of the allowance that a source shares."""
    if row.allowance is None:
        return 0.0
    statement = (
        select(func.coalesce(func.sum(spending.c.spent), 0.0).label("spent"))
        .join(source, source.c.id == spending.c.source_id)
        .where(
            source.c.allowance == row.allowance,
            source.c.id != row.id,
            spending.c.began_at == began_at,
        )
    )
    return float((await reader.rows(statement))[0].spent)


async def record_spending(tx: Tx, source_id: int, began_at: datetime, cost: float) -> None:
    """Adds the cost of a poll to its period; earlier periods are forgotten."""
    adding = tx.insert(spending).values(source_id=source_id, began_at=began_at, spent=cost)
    await tx.execute(
        adding.on_conflict_do_update(
            index_elements=["source_id", "began_at"],
            set_={"spent": spending.c.spent + adding.excluded.spent},
        )
    )
    await tx.execute(
        delete(spending).where(spending.c.source_id == source_id, spending.c.began_at < began_at)
    )
