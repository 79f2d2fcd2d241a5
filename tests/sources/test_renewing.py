"""A session is renewed once, however many tasks and processes find that it has ended."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from app.clock import SystemClock
from app.connectors.failures import Transient
from app.connectors.http import Door
from app.db import Database, open_database
from app.outbox.events import Actor
from app.polling.poller import Poller
from app.rotation.resealing import seal_anew
from app.scope import EVERYTHING
from app.sources import leases, repository
from app.sources.connecting import Connecting
from app.sources.drafts import Changes, NewSource
from app.sources.service import Sources
from app.team.secrets import Keyring, new_key_line, parse_keys
from tests.connectors.fake_bluesky import FakeBluesky
from tests.serving import serving

PERSON = Actor("person", "a test")
REFRESH = "com.atproto.server.refreshSession"
LOGIN = "com.atproto.server.createSession"


class SlowBluesky(FakeBluesky):
    """Takes its time for a renewal, so that others come to ask for one meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.renewing = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path", "").endswith(REFRESH):
            self.renewing.set()
            await asyncio.sleep(0.3)
        await super().__call__(scope, receive, send)

    def end_sessions(self) -> None:
        self.good.clear()


@dataclass(slots=True)
class Worker:
    """What one process has of its own: connections, keys, doors."""

    db: Database
    connecting: Connecting
    sources: Sources
    door: Door

    @classmethod
    def on(cls, url: str, key: str) -> Worker:
        clock = SystemClock()
        db = open_database(url)
        door = Door(allow=("127.0.0.0/8",), clock=clock, user_agent="tests")
        connecting = Connecting(db, door, parse_keys(key), clock)
        return cls(db, connecting, Sources(connecting, allowed=("127.0.0.0/8",), forget=()), door)

    async def check(self, source_id: int) -> None:
        await self.sources.check_stored(EVERYTHING, source_id)

    async def poll(self, source_id: int) -> None:
        """A poll, where nobody else polls."""
        now, length = SystemClock().now(), timedelta(seconds=150)
        async with self.db.write() as tx:
            lease = await leases.claim_one(tx, source_id, now=now, owner="w", length=length)
        if lease is not None:
            await Poller(self.db, SystemClock(), self.connecting, Random(1)).poll(lease)

    async def credential(self, source_id: int) -> dict[str, Any]:
        row = await repository.get_source(self.db, EVERYTHING, source_id)
        found = self.connecting.unseal(row)
        assert found is not None
        return found

    async def close(self) -> None:
        await self.door.aclose()
        await self.db.close()


@asynccontextmanager
async def workers(url: str, count: int) -> AsyncIterator[tuple[list[Worker], SlowBluesky, int]]:
    """So many workers on one database, and a source of theirs."""
    key = new_key_line(os.urandom)
    fake = SlowBluesky()
    made = [Worker.on(url, key) for _ in range(count)]
    async with serving(fake) as base:
        settings = {"service": base, "handle": "brand.test"}
        asked = NewSource("bluesky", "brand", settings, {"app_password": fake.password})
        source_id = await made[0].sources.connect(asked, PERSON)
        fake.requests.clear()
        yield made, fake, source_id
        for worker in made:
            await worker.close()


async def test_four_workers_renew_a_session_once(postgres_url: str) -> None:
    async with workers(postgres_url, 4) as (four, fake, source_id):
        for _ in range(3):
            fake.end_sessions()
            fake.requests.clear()
            checks = [worker.check(source_id) for worker in four for _ in range(3)]
            await asyncio.gather(*checks, *(worker.poll(source_id) for worker in four))
            assert (len(fake.asked(REFRESH)), len(fake.asked(LOGIN))) == (1, 0)
            kept = await four[0].credential(source_id)
            assert (kept["access_jwt"], kept["refresh_jwt"]) == (*fake.good, fake.refresh)


async def test_tasks_of_one_process_renew_a_session_once(sqlite_url: str) -> None:
    async with workers(sqlite_url, 1) as ((worker,), fake, source_id):
        fake.end_sessions()
        await asyncio.gather(*(worker.check(source_id) for _ in range(5)), worker.poll(source_id))
        assert (len(fake.asked(REFRESH)), len(fake.asked(LOGIN))) == (1, 0)


async def test_new_settings_are_checked_with_a_session_that_is_renewed_once(
    database_url: str,
) -> None:
    async with workers(database_url, 1) as ((worker,), fake, source_id):
        fake.end_sessions()
        row = await repository.get_source(worker.db, EVERYTHING, source_id)
        changes = Changes(settings={**row.settings, "handle": "brand.test."[:-1]})
        changing = worker.sources.change(EVERYTHING, source_id, changes, PERSON, None)
        await asyncio.gather(changing, worker.check(source_id), worker.poll(source_id))
        assert (len(fake.asked(REFRESH)), len(fake.asked(LOGIN))) == (1, 0)
        assert (await worker.credential(source_id))["refresh_jwt"] == fake.refresh


async def test_a_new_token_is_stored_before_it_is_used(database_url: str) -> None:
    async with workers(database_url, 1) as ((worker,), fake, source_id):
        stored: list[str] = []
        answer = fake._answer

        def looking(method: str, query: Any, token: str, body: bytes) -> Any:
            if method != REFRESH:
                stored.append(token)
            return answer(method, query, token, body)

        fake.end_sessions()
        fake.__dict__["_answer"] = looking
        await worker.check(source_id)
        kept = await worker.credential(source_id)
        assert stored[-1] == kept["access_jwt"]


async def test_what_a_person_gave_meanwhile_is_not_overwritten(database_url: str) -> None:
    async with workers(database_url, 1) as ((worker,), fake, source_id):
        fake.end_sessions()
        checking = asyncio.create_task(worker.check(source_id))
        await fake.renewing.wait()
        async with worker.db.write() as tx:
            credential = worker.connecting.seal(source_id, {"app_password": "of a person"})
            await repository.note_on_source(tx, source_id, {"credential": credential})
        with pytest.raises(Transient, match="replaced"):
            await checking
        assert (await worker.credential(source_id))["app_password"] == "of a person"


async def test_a_renewal_whose_process_died_is_taken_over(database_url: str) -> None:
    async with workers(database_url, 1) as ((worker,), fake, source_id):
        now, length = SystemClock().now(), timedelta(seconds=0.5)
        async with worker.db.write() as tx:
            granted = await leases.claim_renewal(tx, source_id, now=now, length=length)
            assert granted is not None
        fake.end_sessions()
        await worker.check(source_id)
        assert len(fake.asked(REFRESH)) == 1
        async with worker.db.write() as tx:  # the dead one wakes: it ends nothing of others
            later = await leases.claim_renewal(
                tx, source_id, now=SystemClock().now(), length=length
            )
            await leases.end_renewal(tx, source_id, granted.renewing_until)
            row = await repository.get_source(tx, EVERYTHING, source_id)
        assert later is not None
        assert row.renewing_until == later.renewing_until


async def test_a_rotation_of_the_key_during_a_renewal_costs_no_session(database_url: str) -> None:
    async with workers(database_url, 1) as ((worker,), fake, source_id):
        fake.end_sessions()
        checking = asyncio.create_task(worker.check(source_id))
        await fake.renewing.wait()
        keyring, old = worker.connecting.keyring, worker.connecting.keyring.current
        later = parse_keys(new_key_line(os.urandom)).current
        keyring.look = lambda: Keyring(later, (old,))
        keyring.look_again()
        assert (await seal_anew(worker.db, keyring, os.urandom)).count == 1
        await checking
        assert (await worker.credential(source_id))["refresh_jwt"] == fake.refresh
