"""A fresh installation has one person, whom the command line's own token acts for."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.db import Database, Tx
from app.team.models import user
from app.team.service import renew_local_token
from app.team.users.local import ensure_local_person, name_of_this_machine
from app.team.users.names import is_name
from app.web.principal import Role
from tests.service import NOON


async def ensure(db: Database, name: str = "ana") -> int | None:
    async with db.write() as tx:
        return await ensure_local_person(tx, name, NOON)


async def people(db: Database) -> list[tuple[Any, ...]]:
    statement = select(user.c.name, user.c.role, user.c.created_by).order_by(user.c.id)
    return [tuple(row) for row in await db.rows(statement)]


async def test_it_is_made_once_and_stays_the_same_under_another_name(db: Database) -> None:
    first = await ensure(db)
    async with db.write() as tx:
        await tx.execute(update(user).values(name="ana.k", name_key="ana.k"))
    assert await ensure(db, "ana") == await ensure(db, "ben") == first
    assert await people(db) == [("ana.k", "admin", "local")]


async def test_two_services_that_start_at_once_make_one(db: Database) -> None:
    found = await asyncio.gather(*(ensure(db, name) for name in ("ana", "ben", "ana")))
    assert len(set(found)) == len(await people(db)) == 1


@pytest.mark.parametrize(
    "change", [{"disabled_at": NOON}, {"role": Role.AGENT.value}, {"source_ids": [1]}]
)
async def test_the_machine_keeps_its_admin_token_whatever_became_of_the_person(
    db: Database, change: dict[str, Any]
) -> None:
    await ensure(db)
    async with db.write() as tx:
        await tx.execute(update(user).values(change))
    assert await ensure(db) is None
    async with db.write() as tx:
        assert await started(tx)


async def started(tx: Tx) -> str:
    """What a start does."""
    at = NOON + timedelta(days=1)
    person = await ensure_local_person(tx, "ana", at)
    return await renew_local_token(tx, at, secrets.token_bytes, user_id=person)


@pytest.mark.parametrize(
    ("system", "name"),
    [("ana", "ana"), ("Ana.K-2", "Ana.K-2"), ("root", "admin"), ("_www", "admin"),
     ("me", "admin"), ("zoë", "admin"), ("7of9", "admin"), ("a" * 61, "admin")],
)  # fmt: skip
def test_it_is_named_after_who_starts_the_service(
    monkeypatch: pytest.MonkeyPatch, system: str, name: str
) -> None:
    monkeypatch.setenv("LOGNAME", system)  # what the standard library asks first
    assert name_of_this_machine() == name
    assert is_name(name)
