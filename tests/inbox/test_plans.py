"""How the databases read the list: by an index in its order, in one statement."""

from __future__ import annotations

import json
import re
from contextvars import ContextVar
from datetime import timedelta
from itertools import product
from typing import Any

import asyncpg
from sqlalchemy import Dialect, Engine, event, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.orm import Session

from app.db import Database, SqliteDatabase, open_database
from app.inbox.filtering import ItemFilter
from app.inbox.labels import repository as labels
from app.inbox.listing import Position, list_statement
from app.inbox.models import item
from app.scope import EVERYTHING, Scope
from tests.inbox.stock import stock
from tests.inbox.test_listing import ALONE, ORDERS, RANKED
from tests.service import NOON, Service

ROWS = 20_000
AFTER = Position(NOON - timedelta(days=3), 5)
SCOPES = (
    EVERYTHING,
    Scope(None, direct=False),
    Scope(frozenset({2}), direct=False),
    Scope(frozenset({1, 3}), direct=True),
)
RANKED_AFTER = Position(NOON - timedelta(days=3), 5, -20)


def _is_open(wanted: ItemFilter) -> bool:
    """The list that the indexes of the orders by rank are for."""
    return wanted.statuses == ("unanswered",) and (wanted.needs_reply, wanted.backlog) == (
        True,
        "exclude",
    )


OWN_INDEX = {
    ItemFilter(assignee=1): "ix_item_assigned",
    ItemFilter(assignee=1, backlog="include"): "ix_item_assigned",
    ItemFilter(assignee="none"): "ix_item_open_unassigned",
}
"""Lists that would otherwise read what belongs to others, or to somebody."""
LABELLED = [
    (ItemFilter(**more), order, after, EVERYTHING)
    for more in (
        {"labels": ("rare",)},
        {"labels": ("often",)},
        {"labels": ("often", "rare")},
        {"labels": ("often",), "without_labels": ("rare",)},
        {"labels": ("rare",), "statuses": ()},
    )
    for order in ORDERS
    for after in (None, AFTER)
]
CASES = [
    (wanted, order, after, scope)
    for wanted, order, after, scope in product(
        {each for each in ALONE if each.order == "oldest"},
        ORDERS,
        (None, AFTER),
        SCOPES,
    )
] + [
    (wanted, order, after, scope)
    for wanted, order, after, scope in product(
        {each for each in ALONE if each.order == "oldest" and _is_open(each)},
        RANKED,
        (None, RANKED_AFTER),
        SCOPES,
    )
]


def _case(case: Any) -> tuple[Any, dict[str, Any]]:
    wanted, order, after, scope = case
    shaped = ItemFilter(**{**_fields(wanted), "order": order})
    return list_statement(scope, shaped, now=NOON, after=after, limit=51)


def _fields(wanted: ItemFilter) -> dict[str, Any]:
    return {name: getattr(wanted, name) for name in ItemFilter.__slots__}


def _compiled(statement: Any, values: dict[str, Any], dialect: Any) -> tuple[str, list[Any]]:
    """The text that is sent, lists written out, and the values in its order."""
    made = statement.compile(dialect=dialect)
    state = made._process_parameters_for_postcompile(made.construct_params(values))
    names = state.positiontup or made.positiontup
    given = {**made.construct_params(values), **state.additional_parameters}
    processors = {**made._bind_processors, **state.processors}
    return state.statement, [
        processors[name](given[name]) if name in processors else given[name] for name in names
    ]


async def test_sqlite_reads_every_list_by_an_index_in_its_order(sqlite_url: str) -> None:
    db = open_database(sqlite_url)
    assert isinstance(db, SqliteDatabase)
    try:
        await stock(db, 3000)
        async with db.write() as tx:
            await tx.execute(text("ANALYZE"))
        bad = []
        for case in CASES:
            plan = _sqlite_plan(db, case)
            reads = next(step for step in plan if " item" in step)
            scans = reads.startswith("SCAN item") and "USING INDEX" not in reads
            if scans or any("TEMP B-TREE" in step for step in plan):
                bad.append((case, plan))
        assert bad == []
    finally:
        await db.close()
    db = open_database(sqlite_url)  # which statistics there are is read when it is opened
    assert isinstance(db, SqliteDatabase)
    try:
        for wanted, index in OWN_INDEX.items():
            case = (wanted, "oldest", None, EVERYTHING)
            plan = _sqlite_plan(db, case)
            assert any(f"USING INDEX {index} " in f"{step} " for step in plan), (case, plan)
    finally:
        await db.close()


def _sqlite_plan(db: SqliteDatabase, case: Any) -> list[str]:
    sql, values = _compiled(*_case(case), sqlite_dialect.dialect(paramstyle="qmark"))
    raw = db._raw_reader.execute(f"EXPLAIN QUERY PLAN {sql}", values)
    return [row[3] for row in raw.fetchall()]


async def test_postgresql_reads_every_list_by_an_index_in_its_order(postgres_url: str) -> None:
    """With the plan that a prepared statement gets for values it does not know."""
    db = open_database(postgres_url)
    try:
        await stock(db, ROWS)
        await _label(db)
    finally:
        await db.close()
    connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
    try:
        await connection.execute("ANALYZE")
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        bad = []
        for number, case in enumerate(CASES):
            plan = await _generic_plan(connection, number, *_case(case))
            nodes = list(_nodes(plan))
            kinds = {node["Node Type"] for node in nodes if node.get("Relation Name") == "item"}
            if "Seq Scan" in kinds or any("Sort" in node["Node Type"] for node in nodes):
                bad.append((case, [node["Node Type"] for node in nodes]))
        for number, (wanted, index) in enumerate(OWN_INDEX.items(), len(CASES)):
            case = (wanted, "oldest", None, EVERYTHING)
            plan = await _generic_plan(connection, number, *_case(case))
            used = [node.get("Index Name") for node in _nodes(plan)]
            if index not in used:
                bad.append((case, used))
        for number, case in enumerate(LABELLED, len(CASES) + len(OWN_INDEX)):
            nodes = list(_nodes(await _generic_plan(connection, number, *_case(case))))
            read = [n.get("Relation Name") for n in nodes if n["Node Type"] == "Seq Scan"]
            if {"item", "item_label", "label"} & set(read):
                bad.append((case, read))
        assert bad == []
    finally:
        await connection.close()


async def _label(db: Database) -> None:
    """Two labels among many: on every third item, and on ten; of the others one on each item."""
    async with db.write() as tx:
        others = [f"other {n}" for n in range(500)]
        names = ["often", "rare", *others]
        found = await labels.ensure(tx, names, NOON)
        by_key = {key: label_id for label_id, key in found.items()}
        ids = [row.id for row in await tx.rows(select(item.c.id).order_by(item.c.id))]
        each = [(item_id, by_key[others[n % 500]]) for n, item_id in enumerate(ids)]
        await labels.put(tx, each, ())
        await labels.put(tx, [(item_id, by_key["often"]) for item_id in ids[::3]], ())
        await labels.put(tx, [(item_id, by_key["rare"]) for item_id in ids[:: ROWS // 10]], ())


async def _generic_plan(connection: Any, number: int, statement: Any, values: Any) -> Any:
    dialect: Dialect = postgresql.asyncpg.dialect()  # type: ignore[no-untyped-call]  # theirs
    sql, given = _compiled(statement, values, dialect)
    await connection.execute(f"PREPARE p{number} AS {sql}")
    return await _plan(connection, f"p{number}", given)


async def _plan(connection: Any, name: str, given: list[Any]) -> Any:
    shown = ", ".join(_literal(value) for value in given)
    arguments = f"({shown})" if given else ""
    plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE {name}{arguments}")
    return json.loads(plan)[0]["Plan"]


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"ARRAY{value}"
    return str(value) if isinstance(value, int) else "'{}'".format(str(value).replace("'", "''"))


def _nodes(plan: Any) -> Any:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


_asking: ContextVar[bool] = ContextVar("asking", default=False)
"""True in what one request does; the ticks of the service have statements of their own."""


async def test_a_list_is_one_statement_and_no_objects(service: Service) -> None:
    await stock(service.db, 100)
    said: list[str] = []
    objects: list[Any] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if _asking.get():
            said.append(statement)

    def loaded(*_: Any) -> None:
        objects.append(_)

    event.listen(Engine, "before_cursor_execute", listen)
    event.listen(Session, "do_orm_execute", loaded)
    asking = _asking.set(True)
    try:
        answered = await service.api.get("/api/v1/items?limit=50")
    finally:
        _asking.reset(asking)
        event.remove(Engine, "before_cursor_execute", listen)
        event.remove(Session, "do_orm_execute", loaded)
    assert answered.status_code == 200
    lists = [statement for statement in said if "FROM item" in statement]
    assert len(lists) == 1
    others = [statement for statement in said if statement not in lists]
    assert not [each for each in others if re.search(r"\b(item|author|thread|reply)\b", each)]
    assert objects == []
