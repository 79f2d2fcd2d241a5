"""The key is changed while a service polls, signs, stores and answers: nothing fails to open."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import SystemClock
from app.connecting.models import oauth_client
from app.demo.asgi import demo_app
from app.demo.script import ScriptedWorld
from app.rotation.steps import SETTLED_SECONDS
from app.team.keys import KEY_FILE
from app.team.secrets import Keyring, Place, parse_keys
from tests.cli.conftest import Shell
from tests.long_results import part
from tests.rotation.test_steps import fill, opened
from tests.service import NOON, Service, running_service
from tests.serving import serving
from tests.world import draft

ACCOUNTS = ("shop", "support")
Step = Callable[[], Awaitable[None]]


class Load:
    """Readers and writers of everything that is sealed; they count what they did."""

    def __init__(self, service: Service, sources: list[dict[str, Any]], pause: float) -> None:
        self.service = service
        self.sources = sources
        self.pause = pause
        self.keyring: Keyring = service.app.state.returning.connecting.keyring
        self.done: Counter[str] = Counter()
        self.stop = asyncio.Event()
        self._random = random.Random(6)
        self._number = 100_000

    async def run(self) -> None:
        """Until `stop`; raises what fails."""
        steps: list[Step] = [self._poll, self._read, self._store, self._repeat, self._set]
        await asyncio.gather(*(self._again(step) for step in steps))

    async def _again(self, step: Step) -> None:
        while not self.stop.is_set():
            await step()
            self.done[step.__name__] += 1
            await asyncio.sleep(self.pause)

    async def _poll(self) -> None:
        source = self._random.choice(self.sources)
        run = await self.service.poll(source["id"])
        assert (run["outcome"], run["error"]) == ("ok", None)

    async def _read(self) -> None:
        db = self.service.db
        rows = await db.rows(select(oauth_client.c.id, oauth_client.c.sealed).limit(200))
        for row in rows:
            self.keyring.open(row.sealed, Place("oauth_client", row.id, "sealed"))

    async def _store(self) -> None:
        self._number += 1
        await fill(self.service.db, self.keyring, 1, first=self._number)

    async def _repeat(self) -> None:
        """An answer that is sealed, and opened again for its repeat."""
        self._number += 1
        body = {"name": f"integration {self._number}", "role": "viewer"}
        key = {"Idempotency-Key": f"key-{self._number}"}
        first = await self.service.api.post("/api/v1/tokens", json=body, headers=key)
        await asyncio.sleep(0.05)
        again = await self.service.api.post("/api/v1/tokens", json=body, headers=key)
        assert (first.status_code, again.json()) == (201, first.json())

    async def _set(self) -> None:
        source = self._random.choice(self.sources)
        body = {"credential": {"token": f"token-of-{source['name']}"}}
        changed = await self.service.api.patch(f"/api/v1/sources/{source['id']}", json=body)
        assert changed.status_code in {200, 409}, changed.text  # a poll may be under way


async def rotated(shell: Shell, *options: str) -> dict[str, Any]:
    """One step in a process of its own."""
    result = await shell.run("secrets", "rotate", "--json", *options)
    assert result.code == 0, result.err
    told: dict[str, Any] = json.loads(result.out)
    return told


def grow_old(path: Path) -> None:
    at = path.stat().st_mtime - SETTLED_SECONDS - 1
    os.utime(path, (at, at))


async def under_load(shell: Shell, url: str, count: int, times: int, pause: float) -> Counter[str]:
    shell.env["UNANSWERED_DATABASE_URL"] = url
    world, clock = ScriptedWorld(), SystemClock()
    world.insert("mentions", NOON, "When will it be back?")
    path = shell.data / KEY_FILE
    async with (
        serving(demo_app(world, clock)) as base,
        running_service(url, shell.data, clock=clock) as service,
    ):
        made = []
        for account in ACCOUNTS:
            added = await service.api.post("/api/v1/sources", json=draft(base, account))
            assert added.status_code == 201, added.text
            made.append(added.json())
        load = Load(service, made, pause)
        first = load.keyring.current.id
        await fill(service.db, load.keyring, count)
        working = asyncio.create_task(load.run())
        for _ in range(times):
            told = await rotated(shell)
            assert told["made"]
            assert told["sealed"] >= count + len(ACCOUNTS)
            assert told["unreadable"] == []
        await asyncio.sleep(0.2)
        grow_old(path)
        dropped = (await rotated(shell, "--drop-old"))["dropped"]
        assert len(dropped) == times
        assert first in dropped
        await asyncio.sleep(0.2)
        load.stop.set()
        await working
    only = parse_keys(path.read_text())
    assert (only.current.id, only.old) == (told["key_id"], ())
    async with running_service(url, shell.data, poll=False) as service:
        assert len(await opened(service.db, only)) >= count + load.done["_store"]
    return load.done


@pytest.mark.timeout(300)
async def test_nothing_fails_to_open_while_the_key_is_changed(
    shell: Shell, database_url: str
) -> None:
    done = await under_load(shell, database_url, count=60, times=1, pause=0.1)
    assert set(done) == {"_poll", "_read", "_store", "_repeat", "_set"}


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_a_thousand_secrets_are_sealed_anew_under_load(
    shell: Shell, database_url: str
) -> None:
    kind = database_url.partition(":")[0]
    with part(f"rotation of 1,000 secrets under load, {kind}") as figures:
        done = await under_load(shell, database_url, count=1000, times=5, pause=0.005)
        figures |= {"failed": 0, **done}
