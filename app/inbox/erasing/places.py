"""Where names of people may stand in tables, and what fits there once they are taken out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, String, Table

from app.db import Tx, metadata
from app.inbox.erasing import repository

_LEFT_ALONE = frozenset({
    "audit", "audit_end", "connection", "erased", "gap", "host", "idempotency_key",
    "installation", "item_words", "oauth_client", "search_todo", "token", "us", "user", "watched",
})  # fmt: skip
"""Tables without anything that was written by others or about them, or made from those that have
it.
"""
_ONLY = {
    "author": ("notes",),
    "policy": ("name", "label"),
    "run": ("error_detail",),
    "source": ("labels",),
    "stream": ("error_detail",),
    "webhook": ("description", "error_detail"),
}
"""Tables in which only some columns hold free text."""
_UNLIKE = {"label": ("key", "name"), "policy": ("name",)}
"""Columns of names that no two rows share, the one that is compared first."""


def searched() -> list[tuple[Table, tuple[str, ...]]]:
    """Every table with a key of ours, and its columns that hold text or JSON."""
    found = []
    for table in metadata.sorted_tables:
        keys = list(table.primary_key.columns)
        if table.name in _LEFT_ALONE or len(keys) != 1 or keys[0].type.python_type is not int:
            continue
        columns = _ONLY.get(table.name) or tuple(
            column.name
            for column in table.columns
            if isinstance(column.type, String | JSON) and column.name != "external_id"
        )
        if table.name == "thread":
            columns = (*columns, "external_id")
        if columns:
            found.append((table, columns))
    return found


async def fitted(tx: Tx, table: Table, row_id: int, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the columns take them: as long as allowed, and names unlike those of others:
    two that named two people would be the same now.
    """
    found = {name: _cut(table, name, value, "") for name, value in values.items()}
    names = [name for name in _UNLIKE.get(table.name, ()) if name in found]
    if names and await repository.is_taken(tx, table, names[0], found[names[0]], row_id):
        found |= {name: _cut(table, name, values[name], f" {row_id}") for name in names}
    return found


def _cut(table: Table, name: str, value: Any, ending: str) -> Any:
    if not isinstance(value, str):
        return value
    most = getattr(table.c[name].type, "length", None)
    return value[: None if most is None else most - len(ending)] + ending
