"""All SQL about keys of repeated requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, delete, or_, select, update

from app.db import Tx
from app.web.models import idempotency_key

KEPT = timedelta(hours=24)


async def take_key(
    tx: Tx, *, caller: str, key: str, fingerprint: str, now: datetime, until: datetime
) -> int | None:
    """Reserves a key and returns its row; `None` where it is taken.

    Where another transaction holds the same key, this one waits for its end (PostgreSQL). A key
    that is older than it is kept, or whose request ended without an answer, can be taken anew.
    """
    values = {"fingerprint": fingerprint, "asked_at": now, "running_until": until}
    old = idempotency_key.c.asked_at <= now - KEPT
    lost = and_(idempotency_key.c.answer_status.is_(None), idempotency_key.c.running_until <= now)
    statement = (
        tx.insert(idempotency_key)
        .values(caller=caller, key=key, **values)
        .on_conflict_do_update(
            index_elements=["caller", "key"],
            set_={**values, "answer_status": None, "answer": None},
            where=or_(old, lost),
        )
        .returning(idempotency_key.c.id)
    )
    rows = await tx.rows(statement)
    return int(rows[0].id) if rows else None


async def find_key(tx: Tx, caller: str, key: str) -> Row[Any] | None:
    statement = select(idempotency_key).where(
        idempotency_key.c.caller == caller, idempotency_key.c.key == key
    )
    rows = await tx.rows(statement)
    return rows[0] if rows else None


async def keep_answer(tx: Tx, row_id: int, status: int, answer: str) -> None:
    await tx.execute(
        update(idempotency_key)
        .where(idempotency_key.c.id == row_id)
        .values(answer_status=status, answer=answer)
    )


async def give_back(tx: Tx, row_id: int) -> None:
    """Forgets a key whose request had no outcome, so that its repeat is tried."""
    await tx.execute(
        delete(idempotency_key).where(
            idempotency_key.c.id == row_id, idempotency_key.c.answer_status.is_(None)
        )
    )


async def forget_answers(tx: Tx) -> int:
    """Deletes every kept answer, for who must be sure that nothing told stays anywhere."""
    return (await tx.execute(delete(idempotency_key))).rowcount
