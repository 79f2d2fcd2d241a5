"""A database that is used again equals the template; one that no longer does is not used again."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.postgres import Postgres
from tests.postgres_reuse import Supply

ADD = "INSERT INTO label (name, key, created_at) VALUES ('a', 'a', now()) RETURNING id"
MANY = "INSERT INTO label (name, key, created_at) SELECT n, n, now() FROM generate_series(1, {}) n"
COUNTED = "SELECT reltuples FROM pg_class WHERE relname = 'label'"


@pytest.fixture
async def supply(postgres: Postgres, postgres_template: str) -> AsyncIterator[Supply]:
    made = Supply(postgres, postgres_template)
    yield made
    await made.close()


async def run(supply: Supply, name: str, *statements: str) -> list[object]:
    connection = await asyncpg.connect(supply.server.url(name, scheme="postgresql"))
    try:
        return [await connection.fetchval(each) for each in statements]
    finally:
        await connection.close()


async def oid_of(supply: Supply, name: str) -> object:
    return (
        await run(supply, name, "SELECT oid FROM pg_database WHERE datname = current_database()")
    )[0]


@pytest.mark.parametrize("rows", [1, 20_000])
async def test_rows_numbers_and_what_migrations_wrote_are_as_in_the_template(
    supply: Supply, rows: int
) -> None:
    first = await supply.take()
    used = await oid_of(supply, first)
    await run(supply, first, MANY.format(rows), "ANALYZE")
    changed = await run(supply, first, ADD, "UPDATE event_counter SET last = 9 RETURNING last")
    assert changed == [rows + 1, 9]
    await supply.give_back(first)
    second = await supply.take()
    assert second != first
    assert await oid_of(supply, second) == used
    assert await run(supply, second, "SELECT last FROM event_counter", COUNTED) == [0, -1]
    assert await run(supply, second, "SELECT count(*) FROM label", ADD) == [0, 1]
    await supply.give_back(second)


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE more (id int)",
        "ALTER TABLE label ADD COLUMN more int",
        "DROP INDEX ix_item_open_unassigned",
        "DROP TABLE label CASCADE",
    ],
)
async def test_a_changed_database_is_dropped(supply: Supply, change: str) -> None:
    first = await supply.take()
    used = await oid_of(supply, first)
    await run(supply, first, change)
    await supply.give_back(first)
    second = await supply.take()
    assert await oid_of(supply, second) != used
    await supply.give_back(second)
