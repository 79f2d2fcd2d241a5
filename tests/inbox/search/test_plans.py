"""How the databases look for words: by the index of words, or along the list's own index."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy import Dialect, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect

from app.db import SqliteDatabase, open_database
from app.db_types import one_of
from app.inbox.filtering import ItemFilter, shape_of, values_of
from app.inbox.listing import Position, values_after
from app.inbox.models import item
from app.inbox.search import repository
from app.inbox.search.finding import some_keys, window
from app.inbox.search.words import Phrase, Words
from app.scope import EVERYTHING, Scope
from tests.inbox.stock import stock
from tests.inbox.test_plans import ROWS, _compiled, _generic_plan, _literal, _nodes, _plan
from tests.service import NOON

RARE = Words(((Phrase(("text",)), Phrase(("rare", "words"), prefix=True)),), (Phrase(("no",)),))
AFTER = Position(NOON - timedelta(days=3), 5)
FILTERS = [
    ItemFilter(order=order, **more)
    for order in ("oldest", "newest")
    for more in (
        {},
        {"statuses": ()},
        {"statuses": ("replied",)},
        {"platforms": ("bluesky",)},
        {"not_platforms": ("bluesky",)},
        {"flags": (("held", False), ("overdue", False))},
    )
]
CASES = [
    (wanted, scope, after)
    for wanted in FILTERS
    for scope in (EVERYTHING, Scope(frozenset({1, 3}), direct=False))
    for after in (None, AFTER)
]


def along(case: Any, dialect: str) -> tuple[Any, dict[str, Any]]:
    wanted, scope, after = case
    shape = shape_of(scope, wanted, positioned=after is not None)
    values = values_of(scope, wanted, NOON) | repository.held(dialect, RARE)
    structure = (dialect, tuple(len(group) for group in RARE.groups), len(RARE.without))
    return window(shape, structure, 50), values | (values_after(after) if after else {})


def among(case: Any, dialect: str) -> tuple[Any, dict[str, Any]]:
    wanted, scope, after = case
    shape = shape_of(scope, wanted, positioned=after is not None)
    values = values_of(scope, wanted, NOON) | {"asked": RARE, "limit": 2000, "keys": 51}
    return some_keys(shape, dialect), values | (values_after(after) if after else {})


def by_words(dialect: str) -> tuple[Any, dict[str, Any]]:
    return repository.some(dialect), {"asked": RARE, "limit": 2001}


async def fill(url: str, number: int) -> None:
    db = open_database(url)
    try:
        await stock(db, number)
        async with db.write() as tx:
            ids = [row.id for row in await tx.rows(text("SELECT id FROM item"))]
            for start in range(0, len(ids), 5000):
                await repository.write_words(tx, ids[start : start + 5000])
            await tx.execute(text("ANALYZE"))
    finally:
        await db.close()


async def test_sqlite_looks_for_words_by_an_index(sqlite_url: str) -> None:
    await fill(sqlite_url, 3000)
    db = open_database(sqlite_url)
    assert isinstance(db, SqliteDatabase)
    try:
        bad = []
        for case in [*(along(case, "sqlite") for case in CASES), by_words("sqlite")]:
            sql, values = _compiled(*case, sqlite_dialect.dialect(paramstyle="qmark"))
            raw = db._raw_reader.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            plan = [row[3] for row in raw.fetchall()]
            scans = any(s.startswith("SCAN item ") and " INDEX " not in s for s in plan)
            if scans or any("TEMP B-TREE" in step for step in plan):
                bad.append((sql, plan))
        assert bad == []
    finally:
        await db.close()


async def test_postgresql_looks_for_words_by_an_index(postgres_url: str) -> None:
    await fill(postgres_url, ROWS)
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        bad = []
        for number, case in enumerate(CASES):
            plan = await _generic_plan(connection, number, *along(case, "postgresql"))
            nodes = list(_nodes(plan))
            kinds = {node["Node Type"] for node in nodes if node.get("Relation Name") == "item"}
            if "Seq Scan" in kinds or any("Sort" in node["Node Type"] for node in nodes):
                bad.append((case[0].flags, case[0].statuses, case[0].not_platforms, case[2]))
        assert bad == []
    finally:
        await connection.close()


async def test_sqlite_reads_only_the_few_items_that_it_puts_in_order(sqlite_url: str) -> None:
    await fill(sqlite_url, 3000)
    db = open_database(sqlite_url)
    assert isinstance(db, SqliteDatabase)
    try:
        for case in CASES:
            sql, values = _compiled(
                *among(case, "sqlite"), sqlite_dialect.dialect(paramstyle="qmark")
            )
            raw = db._raw_reader.execute(f"EXPLAIN QUERY PLAN {sql}", values)
            plan = [row[3] for row in raw.fetchall()]
            read = [step for step in plan if step.split()[1] == "item"]
            assert read == ["SEARCH item USING INTEGER PRIMARY KEY (rowid=?)"], plan
    finally:
        await db.close()


async def test_postgresql_reads_only_the_few_items_that_it_puts_in_order(postgres_url: str) -> None:
    await fill(postgres_url, ROWS)
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        some = select(item.c.occurred_at).where(one_of("postgresql", item.c.id, "ids"))
        plan = await _generic_plan(connection, len(CASES), some, {"ids": [7, 8, 9]})
        assert plan["Index Name"] == "pk_item"
        by_ids = 1.1 * plan["Total Cost"]
        for number, case in enumerate(CASES):
            plan = await _generic_plan(connection, number, *among(case, "postgresql"))
            read = [node for node in _nodes(plan) if node.get("Relation Name") == "item"]
            # By their ids, or by an index of which even less is read.
            (access,) = read
            assert access["Total Cost"] < by_ids, (case, plan)
    finally:
        await connection.close()


async def test_postgresql_finds_rare_words_by_the_index_after_many_searches(
    postgres_url: str,
) -> None:
    """Also where the searches before it were for words that every item has."""
    await fill(postgres_url, ROWS)
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        dialect: Dialect = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]  # theirs
        sql, _ = _compiled(*by_words("postgresql"), dialect)
        await connection.execute("SELECT gin_clean_pending_list('ix_item_words')")
        await connection.execute(f"PREPARE found AS {sql}")
        for words in ("'text'", "'text' & 'of'", *["'text'"] * 8):
            await connection.fetch(f"EXECUTE found({_literal(words)})")
        plan = await _plan(connection, "found", ["'rare' <-> 'words':*"])
        assert "ix_item_words" in {node.get("Index Name") for node in _nodes(plan)}
    finally:
        await connection.close()
