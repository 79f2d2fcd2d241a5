"""What labels look like on the wire."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp


class LabelOut(msgspec.Struct, kw_only=True):
    """A label of the team. `colour` is like `#d73a4a`, or null."""

    id: int
    name: str
    colour: str | None
    created_at: Stamp
    version: int


class LabelList(msgspec.Struct, kw_only=True):
    """Every label, by name."""

    items: list[LabelOut]
    next_cursor: str | None


def label_out(row: Row[Any]) -> LabelOut:
    return LabelOut(
        id=row.id,
        name=row.name,
        colour=row.colour,
        created_at=stamp(row.created_at),
        version=row.version,
    )
