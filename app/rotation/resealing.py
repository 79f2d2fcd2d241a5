"""Which keys sealed what is stored, and sealing it anew while services run.

Old keys stay as openers until nothing needs them, so an interrupted rotation has lost nothing and
goes on when it is begun again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import Column, func, select, update

from app.db import Database
from app.schema import metadata
from app.team.keys import find_check, seal_check_anew
from app.team.secrets import (
    KEY_CHECK,
    KEY_CHECK_COLUMN,
    KEY_ID,
    SEALED_COLUMNS,
    Keyring,
    Place,
    WrongKey,
)
from app.team.tokens import Random

BATCH = 100
PAUSE_SECONDS = 0.02
"""Between two batches, so that services which write to the same file get their turn."""
PASSES = 3
Use = dict[str, Counter[str]]
"""By key id: how many envelopes it sealed in which column (`table.column`)."""


@dataclass(slots=True)
class Resealed:
    """What a rotation did: envelopes sealed anew, and those that no key at hand opens."""

    count: int = 0
    unreadable: list[Place] = field(default_factory=list)


async def keys_in_use(db: Database) -> Use:
    """Which key sealed how much of what is stored."""
    use: Use = {}
    for column in _columns():
        key_id = func.substr(column, KEY_ID.start + 1, KEY_ID.stop - KEY_ID.start)
        statement = (
            select(key_id.label("key_id"), func.count().label("envelopes"))
            .where(column.is_not(None))
            .group_by(key_id)
        )
        for row in await db.rows(statement):
            use.setdefault(row.key_id, Counter())[str(column)] = row.envelopes
    check = await find_check(db)
    if check is not None:
        use.setdefault(check[KEY_ID], Counter())[".".join(KEY_CHECK_COLUMN)] = 1
    return use


async def seal_anew(db: Database, keyring: Keyring, random: Random) -> Resealed:
    """Seals with the key in use whatever another one sealed. What changes meanwhile is left as it
    became; what can't be opened is left as it is.
    """
    done = Resealed()
    for _ in range(PASSES):
        before = done.count
        done.unreadable.clear()
        for column in _columns():
            await _seal_column(db, column, keyring, random, done)
        if done.count == before:
            break
    check = await find_check(db)
    if check is not None and not keyring.is_current(check):
        keyring.open(check, Place(KEY_CHECK_COLUMN[0], KEY_CHECK, KEY_CHECK_COLUMN[1]))
        async with db.write() as tx:
            await seal_check_anew(tx, keyring, random)
        done.count += 1
    return done


def _columns() -> list[Column[str]]:
    return [metadata.tables[table].c[column] for table, column in SEALED_COLUMNS]


async def _seal_column(
    db: Database, column: Column[str], keyring: Keyring, random: Random, done: Resealed
) -> None:
    last, table = 0, column.table
    while True:
        page = (
            select(table.c.id, column.label("sealed"))
            .where(table.c.id > last, column.is_not(None))
            .where(column.not_like(f"v1.{keyring.current.id}.%"))
            .order_by(table.c.id)
            .limit(BATCH)
        )
        rows = await db.rows(page)
        if not rows:
            return
        last = rows[-1].id
        changes = []
        for row in rows:
            place = Place(table.name, row.id, column.name)
            try:
                fresh = keyring.seal(keyring.open(row.sealed, place), place, random)
            except WrongKey:
                done.unreadable.append(place)
            else:
                still = (table.c.id == row.id, column == row.sealed)
                changes.append(update(table).where(*still).values({column.name: fresh}))
        async with db.write() as tx:
            done.count += sum([(await tx.execute(change)).rowcount for change in changes])
        await asyncio.sleep(PAUSE_SECONDS)
