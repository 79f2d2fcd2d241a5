"""What routes ask for: the database to read, a transaction to write, the time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from app.clock import Clock
from app.db import Database, Tx


def reader_of(request: Request) -> Database:
    """As `Reader`, for a route that is asked so often that one dependency less is felt."""
    db: Database = request.app.state.db
    return db


def now_of(request: Request) -> datetime:
    """As `Now`, for such a route."""
    clock: Clock = request.app.state.clock
    return clock.now()


async def _reader(request: Request) -> Database:
    return reader_of(request)


async def _writer(request: Request) -> AsyncIterator[Tx]:
    async with request.app.state.db.write() as tx:
        yield tx


async def _now(request: Request) -> datetime:
    return now_of(request)


Reader = Annotated[Database, Depends(_reader)]

# "function": the commit happens before the answer leaves, so that no 200 is told for a lost write.
Writer = Annotated[Tx, Depends(_writer, scope="function")]
"""One transaction for the request. Name it after the principal: sign-in comes before the lock."""

Now = Annotated[datetime, Depends(_now)]
