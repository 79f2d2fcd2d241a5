"""What runs beside the service: `listen URL TOKEN COUNT`, `write DATABASE`, `receive PORT`."""

from __future__ import annotations

import asyncio
import resource
import sys
from urllib.parse import urlsplit

from app.clock import SystemClock
from app.db import open_database
from app.outbox.events import POLLER, Event, record
from benchmarks.service import for_ever, say_ready

EVENTS_A_SECOND = 2
OPENED_AT_ONCE = 50


async def listen(url: str, token: str, count: int) -> None:
    """Opens streams and throws away what they say."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 500), hard))
    place = urlsplit(url)
    asked = (
        f"GET /api/v1/events/stream HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()
    opened: list[asyncio.Task[None]] = []
    for start in range(0, count, OPENED_AT_ONCE):
        begun = [asyncio.Event() for _ in range(min(OPENED_AT_ONCE, count - start))]
        opened += [asyncio.create_task(_one(place.port or 80, asked, event)) for event in begun]
        await asyncio.gather(*(event.wait() for event in begun))
    say_ready()
    await asyncio.gather(*opened)


async def _one(port: int, asked: bytes, begun: asyncio.Event) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(asked)
    assert b" 200 " in await reader.readline()
    while await reader.read(65536):
        begun.set()


async def write(url: str) -> None:
    """Records events at a steady rate, as another process."""
    db, clock, n = open_database(url), SystemClock(), 0
    say_ready()
    while True:
        async with db.write() as tx:
            record(tx, Event("item.edited", clock.now(), POLLER, source_id=1, item_id=n % 50 + 1))
        n += 1
        await asyncio.sleep(1 / EVENTS_A_SECOND)


async def receive(port: int) -> None:
    """A receiver that takes everything."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    await asyncio.start_server(answer, "127.0.0.1", port)
    say_ready()
    await for_ever()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["listen", url, token, count]:
            asyncio.run(listen(url, token, int(count)))
        case ["write", url]:
            asyncio.run(write(url))
        case ["receive", port]:
            asyncio.run(receive(int(port)))
