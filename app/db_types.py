"""Column types and inserts that read the same on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    JSON,
    TIMESTAMP,
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    Table,
    Text,
    TypeDecorator,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects import postgresql, sqlite

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC in Python; microseconds since 1970 on SQLite, `timestamptz` on PostgreSQL."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone never reaches the database")
        return value if dialect.name == "postgresql" else (value - _EPOCH) // _MICROSECOND

    def result_processor(self, dialect: Dialect, _: Any) -> Callable[[Any], Any]:
        # In place of `process_result_value`: a list has hundreds of times, and one call is half.
        return _aware if dialect.name == "postgresql" else _from_micros


def _aware(value: datetime | None) -> datetime | None:
    # The last microsecond of 9999 is "infinity" to asyncpg, and comes back without a zone.
    return value if value is None or value.tzinfo is not None else value.replace(tzinfo=UTC)


def _from_micros(value: int | None) -> datetime | None:
    return None if value is None else _EPOCH + timedelta(0, 0, value)


JsonType = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Id = BigInteger().with_variant(Integer(), "sqlite")
"""A primary key of ours: only INTEGER counts up by itself on SQLite."""


class JsonText(TypeDecorator[str]):
    """For `type_coerce` of a `JsonType` column: its text, the same for the same value, to be parsed
    by whoever needs it.
    """

    impl = Text
    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        return cast_to(column, Text)


class _Ids(TypeDecorator[Sequence[int]]):
    """Any number of ids as one value: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        array = postgresql.ARRAY(BigInteger)
        return dialect.type_descriptor(array if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        ids = list(value or ())
        return ids if dialect.name == "postgresql" else json.dumps(ids)


def one_of(dialect: str, ids: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Whether an id is among those that are bound as `name`.

    The statement is the same for any number of them; `IN` is written anew for each number, and
    each id is a value of its own: of two thousand that takes longer than reading their rows.
    """
    chosen = bindparam(name, type_=_Ids())
    if dialect == "postgresql":
        found: ColumnElement[bool] = ids == any_(chosen)
        return found
    return ids.in_(select(literal_column("value")).select_from(func.json_each(chosen)))


@cache
def insert_into(dialect: str, table: Table) -> postgresql.Insert:
    """The same INSERT each time: its `excluded` copies every column of the table at first use."""
    if dialect == "postgresql":
        return postgresql.insert(table)
    # The two dialects' inserts share the methods used here, not a base class.
    return cast("postgresql.Insert", sqlite.insert(table))
