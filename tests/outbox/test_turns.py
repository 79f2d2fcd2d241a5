"""What sending costs: many webhooks are told in a few transactions, a dead one is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock import FrozenClock
from app.db import Database, Reader
from app.inbox.reading import show_item
from app.outbox.webhooks.schedule import LONGEST_REST, SHORTEST_REST, rest
from app.outbox.webhooks.sender import AT_ONCE, Sender
from app.scope import Scope
from tests.connectors.raw_servers import raw_server
from tests.outbox.receiver import Receiver, deliveries, later, made, sender_of, shown, until
from tests.outbox.test_events import about, record_all
from tests.polling.test_poller import Counting
from tests.service import Service
from tests.serving import serving
from tests.world import Watched

MANY = 10


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def hooks(receiver: Receiver) -> AsyncIterator[str]:
    async with serving(receiver) as base:
        yield base


@asynccontextmanager
async def counted(
    service: Service, items_shown: list[int]
) -> AsyncIterator[tuple[Sender, Counting]]:
    """A sender in place of the service's own, on a database that counts."""
    own = sender_of(service)
    await own.stop()

    async def showing(reader: Reader, scope: Scope, item_id: int, now: datetime) -> Any:
        items_shown.append(item_id)
        return await show_item(reader, scope, item_id, now)

    db = Counting(own.db)
    sender = Sender(
        cast("Database", db), own.clock, own.door, own.secrets, showing, own.source, own.rng
    )
    yield sender, db
    await sender.stop()


async def all_sent(service: Service, count: int) -> None:
    async with asyncio.timeout(30):
        while len(await deliveries(service, state="delivered")) < count:  # noqa: ASYNC110  # the database tells
            await asyncio.sleep(0.05)


async def test_many_webhooks_are_told_in_a_few_transactions_and_an_item_is_shown_once(
    watched: Watched, receiver: Receiver, hooks: str
) -> None:
    service, items_shown = watched.service, list[int]()
    async with counted(service, items_shown) as (sender, db):
        for n in range(MANY):
            await made(service, f"{hooks}/{n}", types=["item.replied"])
        await made(service, f"{hooks}/direct", types=["item.replied"], direct=True)
        await watched.act(1, "mark-replied")
        await sender.start()
        await all_sent(service, MANY + 1)
        assert db.written <= 6, "to read on and claim, and to note; more on a slow machine"
        assert len(items_shown) == 2, "once for each of two scopes"
    bodies = {receiver.accepted(f"/{n}")[0].body for n in range(MANY)}
    assert len(bodies) == 1
    assert len(receiver.accepted("/direct")) == 1


async def test_with_nothing_to_do_nothing_is_written(service: Service, hooks: str) -> None:
    async with counted(service, []) as (sender, db):
        await made(service, f"{hooks}/desk", source_ids=[1])
        await sender.step()
        before = db.written
        for _ in range(3):
            await sender.step()
        assert db.written == before


async def test_a_receiver_that_cannot_be_reached_is_left_alone_for_a_while(
    service: Service, receiver: Receiver, hooks: str, clock: FrozenClock
) -> None:
    async with serving(receiver) as nobody:
        pass
    dead = await made(service, f"{nobody}/dead", source_ids=[1])
    await made(service, f"{hooks}/good", source_ids=[1])

    async def tried() -> int:
        found = await deliveries(service, webhook_id=dead["id"])
        return sum(each["attempts"] for each in found)

    async def all_good(count: int) -> None:
        await until(lambda: len(receiver.seqs("/good")) == count, "the good one hears of all")

    await record_all(service.db, *(about(1, n) for n in range(12)))
    await all_good(12)
    first = await tried()
    assert 1 <= first <= AT_ONCE
    await record_all(service.db, *(about(1, n) for n in range(20, 30)))
    await all_good(22)
    assert await tried() == first, "not once for each item"
    clock.move(SHORTEST_REST)
    await record_all(service.db, about(1, 50))
    await all_good(23)
    async with asyncio.timeout(30):
        while await tried() != first + 1:  # noqa: ASYNC110  # the database tells
            await asyncio.sleep(0.02)
    changed = {"url": f"{hooks}/dead"}
    answered = await service.api.patch(f"/api/v1/webhooks/{dead['id']}", json=changed)
    assert answered.status_code == 200
    await until(
        lambda: len(receiver.seqs("/dead")) >= 22 - first, "the rest goes to the new address"
    )
    await later(service, clock, timedelta(minutes=10))
    assert len(receiver.seqs("/dead")) == 23
    assert (await shown(service, dead))["pending"] == 0


async def test_an_attempt_at_the_old_address_says_nothing_of_the_new_one(
    service: Service, receiver: Receiver, hooks: str
) -> None:
    """It ends after the address was changed; the clock stands, so that a rest would never end."""
    asked, over = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await over.wait()

    async with raw_server(silent) as base:
        hook = await made(service, f"{base}/old", source_ids=[1])
        await record_all(service.db, about(1, 1))
        await asyncio.wait_for(asked.wait(), 30)
        change = {"url": f"{hooks}/new"}
        answered = await service.api.patch(f"/api/v1/webhooks/{hook['id']}", json=change)
        assert answered.status_code == 200
        over.set()
        async with asyncio.timeout(30):
            while (await shown(service, hook))["error"] is None:  # noqa: ASYNC110  # the database tells
                await asyncio.sleep(0.02)
        await record_all(service.db, about(1, 2))
        await until(lambda: len(receiver.seqs("/new")) == 1, "the new address is told")


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=6)))
def test_a_rest_grows_with_the_outage_within_its_bounds(failing_for: timedelta) -> None:
    found = rest(failing_for)
    assert SHORTEST_REST <= found <= LONGEST_REST
    if SHORTEST_REST < found < LONGEST_REST:
        assert found == failing_for / 10
    assert rest(failing_for + timedelta(seconds=1)) >= found
