"""Labels that a source gives to everything that arrives by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import bindparam, select

from app.db import Tx
from app.inbox.labels import repository
from app.inbox.labels.spelling import tidy
from app.sources.models import source

_LABELS = select(source.c.labels).where(source.c.id == bindparam("of_source"))


async def default_labels(tx: Tx, source_id: int, item_ids: Sequence[int], now: datetime) -> None:
    """Gives new items the labels of their source."""
    if not item_ids:
        return
    rows = await tx.rows(_LABELS, {"of_source": source_id})
    names = [name for row in rows for name in fitting(row.labels)]
    if names:
        ids = await repository.ensure(tx, names, now)
        await repository.put(tx, [(i, label_id) for i in item_ids for label_id in ids], ())


def fitting(names: Iterable[str]) -> list[str]:
    """The names that a label can have; a source that was given another one keeps it to itself."""
    found = []
    for name in names:
        with suppress(ValueError):
            found.append(tidy(name))
    return found
