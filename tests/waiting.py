"""Waiting for what takes as long as the machine makes it take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from app.clock import monotonic

PATIENCE = 240.0
"""Seconds without any progress, after which nothing more is expected."""


async def until_stored(count: Callable[[], Awaitable[int]], expected: int) -> None:
    """Waits for as long as the count goes on growing: how fast it grows is not the question.

    Raises `TimeoutError` where it has stood still for `PATIENCE`.
    """
    stored, since = -1, monotonic()
    while stored < expected:
        if (now := await count()) > stored:
            stored, since = now, monotonic()
        elif monotonic() > since + PATIENCE:
            raise TimeoutError(f"{stored} of {expected}, and no more come")
        await asyncio.sleep(0.2)
