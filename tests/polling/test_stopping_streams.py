"""A signal amid polling, open streams and a delivery under way: a clean end for all of them."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx  # the tests call the server as any client does
import pytest

from app.clock import monotonic
from app.outbox.events import POLLER, Event
from tests.cli.free_port import free_port
from tests.long_results import part
from tests.outbox.reading import listening
from tests.outbox.receiver import Receiver, until
from tests.outbox.test_events import record_all
from tests.polling.test_stopping import NEW_EACH_TIME, Polled
from tests.service import ADMIN_TOKEN, NOON
from tests.serving import serving

READERS = 3
BIG = {"text": "x" * 20_000}
"""The details of an event; 400 of them are more than the buffers of a connection hold."""


@asynccontextmanager
async def lazy_reader(port: int) -> AsyncIterator[None]:
    """A client that asks for everything that has happened and then reads nothing."""
    with socket.socket() as raw:
        raw.settimeout(0)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(raw, ("127.0.0.1", port))
        asked = "GET /api/v1/events/stream?after=0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        await loop.sock_sendall(raw, f"{asked}Authorization: Bearer {ADMIN_TOKEN}\r\n\r\n".encode())
        await loop.sock_recv(raw, 10)  # it was answered
        yield


async def answers(base: str, running: Any, polled: Polled) -> None:
    """Waits until the service answers."""
    async with httpx.AsyncClient(timeout=10) as client, asyncio.timeout(60):
        while True:
            assert running.returncode is None, polled.said()
            try:
                if (await client.get(f"{base}/healthz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


async def last_heard(stream: Any) -> Any:
    """The last message of a stream, read to its end."""
    last = None
    while (heard := await stream.heard()) is not None:
        last = heard
    return last


async def stopped(polled: Polled, receiver: Receiver, hook: str, rng: Random) -> float:
    """One start, one signal within a second of everything being under way; how long it took."""
    polled.write(NEW_EACH_TIME)
    port, before = free_port(), len(receiver.got)
    base = f"http://127.0.0.1:{port}"
    words = ("serve", "--host", "127.0.0.1", "--port", str(port), "--no-demo")
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(polled.command(*words))
        await answers(base, running, polled)
        await have_webhook(base, hook)
        await stack.enter_async_context(lazy_reader(port))
        streams = [await stack.enter_async_context(listening(base)) for _ in range(READERS)]
        readers = [asyncio.create_task(last_heard(stream)) for stream in streams]
        await polled.is_polling(running)
        await until(lambda: len(receiver.got) > before, "a delivery under way")
        await asyncio.sleep(rng.uniform(0, 1.0))
        began = monotonic()
        running.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(running.wait(), 30)
        taken = monotonic() - began
        heard = await asyncio.gather(*readers)
    said = polled.said()
    assert code == 0, said[-3000:]
    assert "Traceback" not in said, said[-3000:]
    assert "without completing" not in said
    assert [(each.type, each.data) for each in heard] == [("bye", {"reason": "stopping"})] * READERS
    await polled.is_whole()
    return taken


async def have_webhook(base: str, hook: str) -> None:
    """Tells the receiver of everything, from the first start on."""
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=20) as api:
        if (await api.get("/api/v1/webhooks")).json()["items"]:
            return
        made = await api.post("/api/v1/webhooks", json={"url": hook})
        assert made.status_code == 201, made.text


async def stop_often(url: str, folder: Path, times: int) -> dict[str, Any]:
    polled, receiver, rng = Polled.on(url, folder), Receiver(), Random(times)
    over = receiver.slow["/desk"] = asyncio.Event()
    told = Event("test.told", NOON, POLLER, details=BIG)
    await record_all(polled.rig.db, *([told] * 400))
    async with serving(polled.platform) as base, serving(receiver) as hooks:
        await polled.connect(base)
        taken = [await stopped(polled, receiver, f"{hooks}/desk", rng) for _ in range(times)]
        over.set()
    await polled.rig.db.close()
    return {"signals": times, "slowest_end": round(max(taken), 2)}


async def test_a_signal_amid_streams_and_a_delivery_ends_it_cleanly(
    database_url: str, tmp_path: Path
) -> None:
    figures = await stop_often(database_url, tmp_path, 1)
    assert figures["slowest_end"] <= 10


@pytest.mark.long
@pytest.mark.timeout(3600)
async def test_a_hundred_signals_amid_streams_end_it_cleanly(
    database_url: str, tmp_path: Path
) -> None:
    kind = database_url.partition(":")[0]
    with part(f"signals amid streams {kind}") as figures:
        figures.update(await stop_often(database_url, tmp_path, 100))
        assert figures["slowest_end"] <= 10
