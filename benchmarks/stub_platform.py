"""A platform that always shows the same page, at many loopback addresses.

    python -m benchmarks.stub_platform ADDRESSES PORT

It speaks like the search of Hacker News and remembers when each source (its `query`) asked. When
its input ends it prints that as JSON. The caps of a host hold for each address by itself.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import defaultdict
from urllib.parse import parse_qs, urlsplit

from benchmarks.service import say_ready

HITS = 20
BEGAN = 1_793_000_000
"""The time of the newest hit, well before the runs."""


def addresses(number: int) -> list[str]:
    """127.0.1.1, 127.0.1.2, …: all of them are this machine's (Linux)."""
    return [f"127.0.{1 + n // 250}.{1 + n % 250}" for n in range(number)]


def page() -> bytes:
    """Twenty hits of a search, about 12 kB."""
    hits = [
        {
            "objectID": str(9_000_000 + n),
            "created_at_i": BEGAN - 600 * n,
            "author": f"writer{n}",
            "comment_text": f"<p>Where is my parcel? I wait since week {n}.</p>" * 8,
            "story_id": 8_000_000 + n % 5,
            "parent_id": 8_000_000 + n % 5,
            "story_title": f"A story {n % 5}",
            "_tags": ["comment", f"author_writer{n}", f"story_{8_000_000 + n % 5}"],
            "children": [],
        }
        for n in range(HITS)
    ]
    return json.dumps({"hits": hits, "nbPages": 1, "page": 0, "hitsPerPage": HITS}).encode()


class Stub:
    """Answers, and remembers (seconds since its start) when who asked."""

    def __init__(self) -> None:
        body = page()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        self._answer = head.encode() + b"\r\n\r\n" + body
        self._began = time.monotonic()
        self.asked: defaultdict[str, list[float]] = defaultdict(list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                query = parse_qs(urlsplit(target).query).get("query", [""])[0]
                self.asked[query].append(round(time.monotonic() - self._began, 3))
                writer.write(self._answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()  # the last: at the end of the program


async def main(number: int, port: int) -> None:
    stub = Stub()
    await asyncio.start_server(stub.serve, addresses(number), port)
    say_ready()
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps(stub.asked))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
