"""Tokens are made once, recognised quickly, and dead at the next request when they should be."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Hashable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, select, update
from structlog.testing import capture_logs

from app.clock import FrozenClock
from app.db import SqliteDatabase
from app.errors import InvalidRequest, NotFound, Unavailable
from app.team.models import token as tokens_table
from app.team.repository import NewToken
from app.team.service import (
    CACHE_SIZE,
    Tokens,
    create_token,
    ensure_bootstrap,
    renew_local_token,
)
from app.team.tokens import hash_of, is_well_formed, new_token
from app.web.principal import Permission, Right, Role
from tests.web.apps import NOW, database

CHOSEN = "una_chosen-by-a-person-without-a-checksum!"
VIEWER = NewToken(name="wall", role=Role.VIEWER, created_by="token:1")


class Counting:
    """The database, counting its reads."""

    dialect = "sqlite"

    def __init__(self, db: SqliteDatabase) -> None:
        self.db = db
        self.reads = 0

    async def rows(self, statement: Any, values: Any = None) -> Any:
        self.reads += 1
        return await self.db.rows(statement, values)

    def write(self) -> Any:
        return self.db.write()

    def data_version(self) -> int:
        return self.db.data_version()

    async def mark(self) -> Hashable:
        return await self.db.mark()

    async def close(self) -> None: ...


async def make(db: SqliteDatabase, new: NewToken = VIEWER) -> tuple[int, str]:
    async with db.write() as tx:
        return await create_token(tx, new, now=NOW, random=secrets.token_bytes)


async def stored(db: SqliteDatabase, *columns: Column[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await db.rows(select(*columns).order_by(tokens_table.c.id))]


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_a_token_is_recognised_with_all_it_may(tmp_path: Path) -> None:
    new = NewToken(
        name="client A",
        role=Role.VIEWER,
        created_by="token:1",
        rights=frozenset({Right.DIRECT}),
        source_ids=frozenset({3, 5}),
        expires_at=NOW + timedelta(days=1),
    )
    async with database(tmp_path) as db:
        token_id, secret = await make(db, new)
        tokens = Tokens(db, FrozenClock(NOW))
        who = await tokens(secret)
        await tokens.close()
    assert who is not None
    assert (who.kind, who.id, who.token_id, who.name) == ("token", token_id, token_id, "client A")
    assert who.scope.direct
    assert who.scope.sources == frozenset({3, 5})
    assert who.expires_at == NOW + timedelta(days=1)
    assert who.may(Permission.READ)
    assert not who.may(Permission.TRIAGE)
    assert who.actor == f"token:{token_id}"


async def test_of_the_secret_only_hash_and_last_characters_are_kept(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        _, secret = await make(db)
        c = tokens_table.c
        assert await stored(db, c.token_hash, c.last4) == [(hash_of(secret), secret[-4:])]
    assert secret.encode() not in content(tmp_path)


async def test_a_wrong_checksum_is_refused_before_the_database_is_asked(
    tmp_path: Path,
) -> None:
    async with database(tmp_path) as db:
        counting = Counting(db)
        tokens = Tokens(counting, FrozenClock(NOW))
        _, secret = await make(db)
        wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")
        for made_up in (wrong, "una_" + "x" * 49, "short", "", "x" * 201, "é" * 40):
            assert await tokens(made_up) is None
        assert counting.reads == 0


async def test_an_unknown_token_is_nobody_and_is_not_remembered(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        tokens = Tokens(db, FrozenClock(NOW))
        secret = new_token(secrets.token_bytes)
        assert await tokens(secret) is None
        async with db.write() as tx:
            await create_token(tx, VIEWER, now=NOW, random=secrets.token_bytes)
        assert tokens._known == {}


async def test_a_known_token_is_read_once_and_asked_again_later(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        counting = Counting(db)
        tokens = Tokens(counting, FrozenClock(NOW))
        _, secret = await make(db)
        for _ in range(10):
            assert await tokens(secret)
        assert counting.reads == 1
        tokens.forget()
        assert await tokens(secret)
        assert counting.reads == 2
        await tokens.close()


async def test_what_is_remembered_is_bounded(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        tokens = Tokens(db, FrozenClock(NOW))
        _, secret = await make(db)
        who = await tokens(secret)
        assert who
        for number in range(CACHE_SIZE + 5):
            tokens._remember(str(number), who)
        assert len(tokens._known) <= CACHE_SIZE
        await tokens.close()


async def test_a_token_expires_while_it_is_remembered(tmp_path: Path) -> None:
    expiring = NewToken(
        name="a", role=Role.AGENT, created_by="x", expires_at=NOW + timedelta(seconds=1)
    )
    async with database(tmp_path) as db:
        clock = FrozenClock(NOW)
        tokens = Tokens(db, clock)
        _, secret = await make(db, expiring)
        assert await tokens(secret)
        clock.move(timedelta(seconds=1))
        assert await tokens(secret) is None
        await tokens.close()


async def test_a_token_can_not_expire_before_it_is_made(tmp_path: Path) -> None:
    async with database(tmp_path) as db, db.write() as tx:
        late = NewToken(name="a", role=Role.AGENT, created_by="x", expires_at=NOW)
        with pytest.raises(InvalidRequest):
            await create_token(tx, late, now=NOW, random=secrets.token_bytes)


async def test_a_revoked_token_is_dead_at_the_next_request(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        tokens = Tokens(db, FrozenClock(NOW))
        token_id, secret = await make(db)
        assert await tokens(secret)
        async with db.write() as tx:
            await tokens.revoke(tx, token_id)
        assert await tokens(secret) is None
        async with db.write() as tx:
            await tokens.revoke(tx, token_id)
        assert await stored(db, tokens_table.c.revoked_at) == [(NOW,)]
        await tokens.close()


async def revoke_and_fail(db: SqliteDatabase, tokens: Tokens, token_id: int) -> None:
    async with db.write() as tx:
        await tokens.revoke(tx, token_id)
        raise Unavailable("no")


async def test_a_revocation_that_was_rolled_back_changes_nothing(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        tokens = Tokens(db, FrozenClock(NOW))
        token_id, secret = await make(db)
        with pytest.raises(Unavailable):
            await revoke_and_fail(db, tokens, token_id)
        assert await tokens(secret)
        await tokens.close()


async def test_a_token_that_is_not_there_can_not_be_revoked(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        with pytest.raises(NotFound):
            async with db.write() as tx:
                await Tokens(db, FrozenClock(NOW)).revoke(tx, 99)


async def test_a_token_revoked_while_it_is_read_is_not_remembered(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        read, go_on = asyncio.Event(), asyncio.Event()

        class Slow(Counting):
            async def rows(self, statement: Any, values: Any = None) -> Any:
                found = await super().rows(statement, values)
                read.set()
                await go_on.wait()
                return found

        tokens = Tokens(Slow(db), FrozenClock(NOW))
        token_id, secret = await make(db)
        reading = asyncio.create_task(tokens(secret))
        await read.wait()
        async with db.write() as tx:
            await tokens.revoke(tx, token_id)
        go_on.set()
        await reading
        assert await tokens(secret) is None
        await tokens.close()


async def test_a_use_is_noted_at_most_once_a_minute(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        clock = FrozenClock(NOW)
        tokens = Tokens(db, clock)
        _, secret = await make(db)
        seen: list[tuple[Any, ...]] = []
        for _ in range(5):
            await tokens(secret)
            await tokens.close()
            seen.extend(await stored(db, tokens_table.c.last_used_at))
            clock.move(timedelta(seconds=25))
    noted = [(when - NOW).total_seconds() for (when,) in seen]
    assert noted == [0, 0, 0, 75, 75]


async def test_a_restart_does_not_note_a_use_of_this_minute_again(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        _, secret = await make(db)
        async with db.write() as tx:
            await tx.execute(update(tokens_table).values(last_used_at=NOW))
        tokens = Tokens(db, FrozenClock(NOW + timedelta(seconds=59)))
        await tokens(secret)
        assert tokens._recording == set()


async def test_noting_a_use_never_delays_the_request(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        tokens = Tokens(db, FrozenClock(NOW))
        _, secret = await make(db)
        async with db.write():  # nobody else can write until this ends
            assert await asyncio.wait_for(tokens(secret), 5)
            assert await stored(db, tokens_table.c.last_used_at) == [(None,)]
        await tokens.close()
        assert await stored(db, tokens_table.c.last_used_at) == [(NOW,)]


async def test_a_use_that_can_not_be_noted_is_logged_and_harms_nobody(tmp_path: Path) -> None:
    class Full(Counting):
        def write(self) -> Any:
            raise Unavailable("The disk is full.")

    async with database(tmp_path) as db:
        tokens = Tokens(Full(db), FrozenClock(NOW))
        _, secret = await make(db)
        with capture_logs() as lines:
            assert await tokens(secret)
            await tokens.close()
    assert [line["log_level"] for line in lines] == ["warning"]


async def test_the_chosen_token_becomes_the_first_admin_without_a_checksum(tmp_path: Path) -> None:
    assert not is_well_formed(CHOSEN)
    async with database(tmp_path) as db:
        async with db.write() as tx:
            assert await ensure_bootstrap(tx, CHOSEN, NOW)
        tokens = Tokens(db, FrozenClock(NOW))
        await tokens.load()
        who = await tokens(CHOSEN)
        await tokens.close()
    assert who
    assert who.role is Role.ADMIN


async def test_a_chosen_token_without_our_prefix_is_recognised(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        async with db.write() as tx:
            await ensure_bootstrap(tx, "x" * 32, NOW)
        tokens = Tokens(db, FrozenClock(NOW))
        assert await tokens("x" * 32)
        await tokens.close()


async def test_later_the_chosen_token_is_ignored(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        await make(db)
        async with db.write() as tx:
            assert not await ensure_bootstrap(tx, CHOSEN, NOW)
        async with db.write() as tx:
            assert not await ensure_bootstrap(tx, None, NOW)
        assert len(await stored(db, tokens_table.c.id)) == 1


async def test_a_revoked_chosen_token_does_not_come_back(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        tokens = Tokens(db, FrozenClock(NOW))
        async with db.write() as tx:
            await ensure_bootstrap(tx, CHOSEN, NOW)
        async with db.write() as tx:
            await tokens.revoke(tx, 1)
        async with db.write() as tx:
            assert not await ensure_bootstrap(tx, CHOSEN, NOW)
        await tokens.load()
        assert await tokens(CHOSEN) is None


async def test_the_local_token_does_not_stand_in_the_way_of_the_chosen_one(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        async with db.write() as tx:
            await renew_local_token(tx, NOW, secrets.token_bytes)
        async with db.write() as tx:
            assert await ensure_bootstrap(tx, CHOSEN, NOW)


@pytest.mark.parametrize("chosen", ["", "short", "x" * 201, "x" * 31 + " x"])
async def test_a_chosen_token_of_the_wrong_form_is_refused(tmp_path: Path, chosen: str) -> None:
    async with database(tmp_path) as db, db.write() as tx:
        with pytest.raises(InvalidRequest, match="32 to 200") as refused:
            await ensure_bootstrap(tx, chosen, NOW)
    assert not chosen or chosen not in str(refused.value)


async def test_each_start_makes_a_new_local_token_and_removes_the_old_one(tmp_path: Path) -> None:
    async with database(tmp_path) as db:
        tokens = Tokens(db, FrozenClock(NOW))
        async with db.write() as tx:
            first = await renew_local_token(tx, NOW, secrets.token_bytes)
            other = await renew_local_token(tx, NOW, secrets.token_bytes, name="another host")
        async with db.write() as tx:
            second = await renew_local_token(tx, NOW, secrets.token_bytes)
        assert await tokens(first) is None
        for secret in (second, other):
            who = await tokens(secret)
            assert who
            assert who.role is Role.ADMIN
        await tokens.close()
