"""Every connection this process tries to open, seen below all libraries; none leaves loopback."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

Opened = list[tuple[str, int]]


class _Watch:
    """A hook of the interpreter (PEP 578). It cannot be taken away, so it is one for all tests."""

    def __init__(self) -> None:
        self.opened: Opened | None = None

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if self.opened is None or event != "socket.connect":
            return
        to = args[1]
        if not isinstance(to, tuple):
            return
        self.opened.append((str(to[0]), int(to[1])))
        if to[0] not in {"127.0.0.1", "::1"}:
            raise ConnectionRefusedError(f"a test may not connect to {to[0]}")


@lru_cache(maxsize=1)
def _watch() -> _Watch:
    watch = _Watch()
    sys.addaudithook(watch)
    return watch


@contextmanager
def sockets_watched() -> Iterator[Opened]:
    """Addresses and ports that were dialled meanwhile, whatever dialled them."""
    watch, opened = _watch(), []  # type: _Watch, Opened
    watch.opened = opened
    try:
        yield opened
    finally:
        watch.opened = None


class NameServer:
    """Stands for the machine's resolver, where asyncio asks it. Every name that `names` does not
    hold is this machine; one with several lists of answers gives them in turn.
    """

    def __init__(self, names: dict[str, Sequence[Sequence[str]]]) -> None:
        self._names = names
        self._asked: dict[str, int] = {}

    async def getaddrinfo(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        answers = self._names.get(host, [["127.0.0.1"]])
        turn = self._asked.get(host, 0)
        self._asked[host] = turn + 1
        found = answers[turn % len(answers)]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]
