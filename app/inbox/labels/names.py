"""The names of an item's labels as one column of a list, on both databases."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ScalarSelect, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from app.inbox.labels.models import item_label, label
from app.inbox.models import item


class _Gathered(FunctionElement[Any]):
    """The values of a column as a JSON list; null where PostgreSQL finds none."""

    type = JSON()
    inherit_cache = True


@compiles(_Gathered)
def _on_postgres(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_agg({compiler.process(element.clauses, **options)})"


@compiles(_Gathered, "sqlite")
def _on_sqlite(element: _Gathered, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array({compiler.process(element.clauses, **options)})"


def label_names() -> ScalarSelect[Any]:
    """For the columns of a statement over `item`: a list of names in no order, or null."""
    return (
        select(_Gathered(label.c.name))
        .select_from(item_label.join(label))
        .where(item_label.c.item_id == item.c.id)
        .correlate(item)
        .scalar_subquery()
    )
