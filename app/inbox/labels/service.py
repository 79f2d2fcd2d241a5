"""Managing labels: made when first used or beforehand, renamed and deleted for all items at once.

Renaming and deleting changes no item's version, as renaming a source doesn't.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.db import Reader, Tx
from app.errors import Conflict, InvalidRequest, NotFound, VersionMismatch
from app.inbox.labels import repository
from app.inbox.labels.schemas import label_out
from app.inbox.labels.spelling import key_of
from app.team.audit.entry import noted

LABELS_IN_ALL = 2000


async def check_room(reader: Reader) -> None:
    """422 where there are more labels than anybody can choose from."""
    if await repository.number(reader) > LABELS_IN_ALL:
        raise InvalidRequest(f"There may be {LABELS_IN_ALL} labels. Delete some that nobody uses.")


async def create(tx: Tx, name: str, colour: str | None, now: datetime) -> Row[Any]:
    values = {"name": name, "key": key_of(name), "colour": colour, "created_at": now}
    row = await repository.add(tx, values)
    if row is None:
        raise _taken(await repository.find_key(tx, key_of(name)), name)
    await check_room(tx)
    return row


async def change(
    tx: Tx, label_id: int, values: Mapping[str, Any], versions: frozenset[int] | None
) -> Row[Any]:
    """Another name or colour. Two labels are never made one: that could not be told apart again."""
    row = await _held(tx, label_id, versions)
    noted(tx, "label", label_id)
    changes = {name: value for name, value in values.items() if value != getattr(row, name)}
    if "name" in changes:
        changes["key"] = key_of(changes["name"])
        other = await repository.find_key(tx, changes["key"])
        if other is not None and other.id != label_id:
            raise _taken(other, changes["name"])
    return await repository.change(tx, row, changes) if changes else row


async def remove(tx: Tx, label_id: int, versions: frozenset[int] | None) -> None:
    """Deletes a label and takes it from every item that carries it."""
    await _held(tx, label_id, versions)
    noted(tx, "label", label_id)
    await repository.remove(tx, label_id)


async def _held(tx: Tx, label_id: int, versions: frozenset[int] | None) -> Row[Any]:
    """The label, held until the end of the transaction; 412 at another version than these."""
    row = await repository.lock(tx, label_id)
    if row is None:
        raise NotFound(f"There is no label {label_id}.")
    if versions is not None and row.version not in versions:
        raise VersionMismatch(
            f"The label is at version {row.version} by now. Look at it, then decide again.",
            extra={"current": label_out(row)},
            headers={"ETag": f'"v{row.version}"'},
        )
    return row


def _taken(other: Row[Any] | None, name: str) -> Conflict:
    detail = f"There is a label {name!r} already; names differ in more than upper and lower case."
    return Conflict(detail, extra={} if other is None else {"label_id": other.id})
