"""Live events over real HTTP: heard once, resumed after a cut, ended with the token."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.clock import FrozenClock
from app.db import Database
from app.outbox.events import POLLER, Event
from app.outbox.live import PAGE, QUEUED_AT_MOST, Broadcaster, Caller, Subscriber
from app.outbox.repository import forget_through
from app.scope import EVERYTHING
from app.team.models import token
from app.team.repository import NewToken
from app.team.service import create_token
from app.web.principal import Role
from tests.outbox.reading import listening, served
from tests.outbox.telling import tell_at_once
from tests.outbox.test_events import about, record_all
from tests.processes import run_together
from tests.service import NOON, Service


@pytest.fixture
async def base(service: Service) -> AsyncIterator[str]:
    async with served(service) as url:
        yield url


async def token_for(service: Service, **given: object) -> tuple[int, str]:
    new = NewToken(name="a stream", created_by="test", **{"role": Role.VIEWER, **given})  # type: ignore[arg-type]
    async with service.db.write() as tx:
        return await create_token(tx, new, now=service.clock.now(), random=secrets.token_bytes)


async def test_what_happens_is_heard_as_it_happens(service: Service, base: str) -> None:
    await record_all(service.db, about(1, 1))
    async with listening(base) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        await stream.opened()
        assert stream.last_id == "1", "a new stream is told nothing of the past"
        await record_all(service.db, about(1, 2), about(1, 3))
        first, second = await stream.some(2)
        assert [first.id, second.id] == ["2", "3"]
        assert first.type == "item.told"
        feed = (await service.api.get("/api/v1/events?after=1")).json()["items"]
        assert [first.data, second.data] == feed


async def test_a_stream_that_was_cut_goes_on_where_it_ended(service: Service, base: str) -> None:
    async with listening(base) as stream:
        await stream.opened()
        await record_all(service.db, about(1, 1), about(1, 2))
        await stream.some(1)
        last = stream.last_id
    await record_all(service.db, about(1, 3))
    async with listening(base, resume=last) as stream:
        assert [one.data["seq"] for one in await stream.some(2)] == [2, 3]
        await record_all(service.db, about(1, 4))
        assert [one.data["seq"] for one in await stream.some(1)] == [4]
    async with listening(base, query="?after=0") as stream:
        assert [one.data["seq"] for one in await stream.some(4)] == [1, 2, 3, 4]


async def test_nothing_is_missed_or_heard_twice_while_many_write(
    service: Service, base: str
) -> None:
    writing = asyncio.ensure_future(tell_at_once(service.db, "here", 40))
    heard: list[int] = []
    while len(heard) < 100:  # of some 250
        query = "?after=0" if not heard else ""
        async with listening(base, resume=str(heard[-1]) if heard else "", query=query) as stream:
            heard += [one.data["seq"] for one in await stream.some(9)]
    await writing
    last = (await service.api.get("/api/v1/events?order=newest&limit=1")).json()["next_after"]
    async with listening(base, resume=str(heard[-1])) as stream:
        heard += [one.data["seq"] for one in await stream.some(last - heard[-1])]
    assert heard == list(range(1, last + 1))


async def test_events_of_another_process_are_heard(
    service: Service, base: str, database_url: str
) -> None:
    async with listening(base) as stream:
        await stream.opened()
        told = asyncio.to_thread(
            run_together, "tests.outbox.telling", [[database_url, "other", "2"]]
        )
        _, heard = await asyncio.gather(told, stream.some(8))
        assert {one.data["details"]["who"].partition(".")[0] for one in heard} == {"other"}


async def test_a_stream_shows_what_its_caller_may_see(service: Service, base: str) -> None:
    _, secret = await token_for(service, source_ids=frozenset({1}))
    async with (
        listening(base, token=secret) as limited,
        listening(base, query="?types=item.created&source_id=2") as narrowed,
    ):
        await limited.opened()
        await narrowed.opened()
        told = (about(2, 1), about(1, 2, direct=True), about(None, None), about(1, 3))
        created = [Event("item.created", NOON, POLLER, source_id=n) for n in (1, 2)]
        await record_all(service.db, *told, *created)
        assert [one.data["seq"] for one in await limited.some(2)] == [4, 5]
        assert [one.data["seq"] for one in await narrowed.some(1)] == [6]


async def test_a_revoked_token_hears_no_more(service: Service, base: str) -> None:
    token_id, secret = await token_for(service)
    async with listening(base, token=secret) as stream:
        await stream.opened()
        async with service.db.write() as tx:
            await service.app.state.resolve.revoke(tx, token_id)
        await record_all(service.db, about(1, 1))
        ended = await stream.heard()
        assert ended is not None
        assert (ended.type, ended.data) == ("bye", {"reason": "signed_out"})
        assert await stream.heard() is None
    async with listening(base, token=secret) as stream:
        assert stream.response.status_code == 401


async def test_a_token_that_ends_or_changes_ends_its_streams(
    service: Service, base: str, clock: FrozenClock
) -> None:
    _, ending = await token_for(service, expires_at=NOON + timedelta(hours=1))
    changing_id, changing = await token_for(service)
    async with listening(base, token=ending) as one, listening(base, token=changing) as other:
        await one.opened()
        await other.opened()
        async with service.db.write() as tx:
            limited = update(token).where(token.c.id == changing_id)
            await tx.execute(limited.values(source_ids=[7]))
        clock.move(timedelta(hours=2))
        for stream in (one, other):
            ended = await stream.heard()
            assert ended is not None
            assert ended.type == "bye"


async def test_a_token_keeps_so_many_streams_open_and_no_more(service: Service, base: str) -> None:
    _, secret = await token_for(service)
    broadcaster: Broadcaster = service.app.state.broadcaster
    streams = [listening(base, token=secret) for _ in range(20)]
    opened = [await stream.__aenter__() for stream in streams]
    assert {stream.response.status_code for stream in opened} == {200}
    async with listening(base, token=secret) as refused:
        assert refused.response.status_code == 429
        assert refused.response.headers["retry-after"] == "60"
        assert refused.response.json()["code"] == "too-many-requests"
    async with listening(base) as another:
        assert another.response.status_code == 200
    for stream in streams:
        await stream.__aexit__(None, None, None)
    async with asyncio.timeout(10):
        while len(broadcaster):  # noqa: ASYNC110  # they end when their readers are noticed gone
            await asyncio.sleep(0.01)
    async with listening(base, token=secret) as again:
        assert again.response.status_code == 200


async def test_who_resumes_too_late_is_told_so(service: Service, base: str) -> None:
    await record_all(service.db, *(about(1, n) for n in range(4)))
    async with service.db.write() as tx:
        await forget_through(tx, 2)
    async with listening(base, resume="1") as stream:
        missed, third = await stream.some(2)
        assert (missed.type, missed.id, third.data["seq"]) == ("missed", "2", 3)
    async with listening(base, resume="99") as stream:  # of a database that was restored since
        (missed,) = await stream.some(1)
        assert (missed.type, missed.id) == ("missed", "4")
    async with listening(base, resume="x") as stream:
        assert stream.response.status_code == 422


async def always() -> bool:
    return True


def subscriber() -> Subscriber:
    return Subscriber(Caller("key", "account", EVERYTHING, always), frozenset(), frozenset())


async def test_a_slow_reader_is_dropped_and_can_resume(db: Database) -> None:
    broadcaster = Broadcaster(db, per_account=5, heartbeat_seconds=0.05)
    await broadcaster.start()
    slow, quick = subscriber(), subscriber()
    parts = [broadcaster.parts(one, None) for one in (slow, quick)]
    for each in parts:
        assert await anext(each) == b"retry: 3000\n\n"
        assert b"id: 0" in await anext(each)
    count = QUEUED_AT_MOST + 1
    for _ in range(0, count, 91):
        await record_all(db, *(about(1, n) for n in range(91)))
        broadcaster.wake()
        if slow.ended is None:
            assert await anext(parts[1])
    async with asyncio.timeout(10):
        while slow.ended is None:
            await anext(parts[1])
    assert slow.ended == "slow"
    assert quick.ended is None
    assert await anext(parts[0]) == b'event: bye\ndata: {"reason":"slow"}\n\n'
    await broadcaster.stop()


async def test_who_is_far_behind_is_not_waited_for_either_at_a_stop(db: Database) -> None:
    await record_all(db, *([Event("test.told", NOON, POLLER)] * (PAGE + 50)))
    broadcaster, behind, hurried = Broadcaster(db, per_account=5), subscriber(), asyncio.Event()
    behind.hurry = hurried.set
    broadcaster.admit(behind.caller)
    parts = broadcaster.parts(behind, 0)
    assert await anext(parts) == b"retry: 3000\n\n"
    assert b"test.told" in await anext(parts)
    assert len(broadcaster) == 0, "it has not come to what happens now"
    broadcaster.begin_stop()
    assert hurried.is_set()
    assert [part async for part in parts] == [b'event: bye\ndata: {"reason":"stopping"}\n\n']
    broadcaster.leave(behind)


async def test_silence_is_broken_by_heartbeats(db: Database) -> None:
    broadcaster = Broadcaster(db, per_account=5, heartbeat_seconds=0.02)
    await broadcaster.start()
    parts = broadcaster.parts(subscriber(), None)
    got = [await anext(parts) for _ in range(4)]
    assert got[2:] == [b": still here\nid: 0\n\n"] * 2
    await broadcaster.stop()


async def test_a_heartbeat_comes_after_silence_only() -> None:
    one, loop = subscriber(), asyncio.get_running_loop()
    for _ in range(8):
        loop.call_later(0.05, one.offer, b"part")
        assert await one.rest(0.3)
        one.take()
    began = loop.time()
    assert not await one.rest(0.3)
    assert loop.time() - began > 0.25, "counted from the last part, not from the first"
    one.offer(b"part")
    assert await one.rest(0.3), "what came before the rest ends it at once"
    one.close()


async def test_a_reader_that_takes_nothing_is_cut(service: Service, base: str) -> None:
    host, _, port = base.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1)
    writer.write(
        b"GET /api/v1/events/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Authorization: Bearer an-admin-token-for-the-tests-0123456789\r\n\r\n"
    )
    broadcaster: Broadcaster = service.app.state.broadcaster
    async with asyncio.timeout(20):
        while not len(broadcaster):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        big = {"text": "x" * 20_000}
        while len(broadcaster):
            told = Event("test.told", NOON, POLLER, details=big)
            await record_all(service.db, *([told] * 100))
            await asyncio.sleep(0.05)
    writer.close()
    assert not reader.at_eof()
