"""All SQL of rules, and the items as rules look at them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, true, update

from app.db import Reader, Tx
from app.inbox.models import author, item
from app.inbox.rules.models import rule

_ORDER = (rule.c.place, rule.c.id)


async def every(reader: Reader) -> Sequence[Row[Any]]:
    """All rules in the order in which they are asked."""
    return await reader.rows(select(rule).order_by(*_ORDER))


_ENABLED = select(rule.c.id, rule.c.digest).where(rule.c.enabled == true()).order_by(*_ORDER)


async def enabled(reader: Reader) -> Sequence[Row[Any]]:
    """(id, digest) of the rules that are switched on, in their order."""
    return await reader.rows(_ENABLED)


async def by_ids(reader: Reader, ids: Collection[int]) -> Sequence[Row[Any]]:
    return await reader.rows(select(rule).where(rule.c.id.in_(ids)))


async def find(reader: Reader, rule_id: int) -> Row[Any] | None:
    rows = await reader.rows(select(rule).where(rule.c.id == rule_id))
    return rows[0] if rows else None


async def lock(tx: Tx, rule_id: int) -> Row[Any] | None:
    """A rule that is to be changed, held against others."""
    rows = await tx.rows(select(rule).where(rule.c.id == rule_id).with_for_update())
    return rows[0] if rows else None


async def add(tx: Tx, values: Mapping[str, Any]) -> int:
    done = await tx.execute(insert(rule).values(**values).returning(rule.c.id))
    return int(done.scalar_one())


async def change(tx: Tx, row: Row[Any], values: Mapping[str, Any]) -> None:
    await tx.execute(
        update(rule).where(rule.c.id == row.id).values(**values, version=row.version + 1)
    )


async def remove(tx: Tx, rule_id: int) -> None:
    await tx.execute(delete(rule).where(rule.c.id == rule_id))


async def built_in(reader: Reader) -> dict[str, Row[Any]]:
    """(id, key, digest, edited_at, version) of the rules that came with the program, by key."""
    wanted = select(rule.c.id, rule.c.key, rule.c.digest, rule.c.edited_at, rule.c.version)
    return {row.key: row for row in await reader.rows(wanted.where(rule.c.key.is_not(None)))}


async def add_built_in(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds those that are not there yet; another process may have been faster."""
    adding = tx.insert(rule).on_conflict_do_nothing(index_elements=["key"])
    await tx.execute(adding, list(rows))


async def judged(reader: Reader, ids: Collection[int]) -> Sequence[Row[Any]]:
    """Items with what rules look at of their authors, by id."""
    statement = (
        select(
            item,
            author.c.handle.label("author_handle"),
            author.c.followers.label("author_followers"),
            author.c.is_bot.label("author_is_bot"),
            author.c.created_at.label("author_created_at"),
            author.c.first_seen_at.label("author_first_seen_at"),
            author.c.signals.label("author_signals"),
        )
        .select_from(item.join(author))
        .where(item.c.id.in_(ids))
        .order_by(item.c.id)
    )
    return await reader.rows(statement)
