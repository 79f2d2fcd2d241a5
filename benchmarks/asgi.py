"""Calls an ASGI application in this process, without a socket; and our own on a database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.clock import Clock
from app.inbox.kept_lists import KeptLists
from app.logs import set_up_logs
from app.main import create_app, running
from app.settings import Settings
from app.web.openapi import Api
from benchmarks.data import FOLDER

TOKEN = "a-token-for-the-benches-0123456789abcdef"  # noqa: S105  # of a service in this process


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes


def asking(
    app: Any,
    path: str,
    query: str = "",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> Callable[[], Awaitable[Answered]]:
    """A request that can be made again and again; everything but the call is prepared."""
    told = {"host": "127.0.0.1", "authorization": f"Bearer {TOKEN}", **(headers or {})}
    if body:
        told |= {"content-type": "application/json", "content-length": str(len(body))}
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "root_path": "",
        "query_string": query.encode(), "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
    }  # fmt: skip

    async def call() -> Answered:
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(dict(scope), receive, send)
        start = sent[0]
        given = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answered(start["status"], given, b"".join(m.get("body", b"") for m in sent[1:]))

    return call


def anew(app: Api, call: Callable[[], Awaitable[Answered]]) -> Callable[[], Awaitable[Answered]]:
    """The same request of ours, with no answer kept from before: as after a write to another item.
    The items are encoded already.
    """

    async def made() -> Answered:
        app.state.lists.answers.forget()
        return await call()

    return made


def at_first(
    app: Api, call: Callable[[], Awaitable[Answered]]
) -> Callable[[], Awaitable[Answered]]:
    """The same with no item encoded, either: as the first time that it is asked for."""

    async def made() -> Answered:
        app.state.lists = KeptLists.of(app.state.db)
        return await call()

    return made


@asynccontextmanager
async def ours(url: str, clock: Clock, home: Path = FOLDER / "home") -> AsyncIterator[Api]:
    """Our application on a database, neither polling nor telling the time by itself. The key in
    `home` belongs to all databases that were used with it.
    """
    set_up_logs("json", "warning")  # a line for each request belongs to whoever reads it
    settings = Settings(
        data_dir=home,
        database_url=SecretStr(url),
        demo=False,
        poll=False,
        migrate=False,
        bootstrap_token=SecretStr(TOKEN),
    )
    async with running(create_app(settings, clock=clock)) as app:
        yield app


def same_page(ours: bytes, theirs: bytes) -> bool:
    """Whether two pages say the same, byte by byte, but for the cursor: how to go on is each
    program's own business.
    """
    return _without_cursor(ours) == _without_cursor(theirs)


def _without_cursor(body: bytes) -> bytes:
    cursor = json.loads(body)["next_cursor"]
    return body.replace(json.dumps(cursor).encode(), b"null")
