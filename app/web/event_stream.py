"""Server-sent events over plain ASGI: a part at a time, until the reader is gone or too slow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextvars import ContextVar

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

WRITE_SECONDS = 20.0
"""For one part: who does not take it in that time is dropped, and resumes when it comes back."""
HURRIED_SECONDS = 1.0
_was_cut: ContextVar[bool] = ContextVar("was_cut", default=False)
_log = structlog.get_logger(__name__)


def is_news(record: logging.LogRecord) -> bool:
    """A filter of uvicorn's log: that a stream was cut is no error, and we have told of it. To end
    its answer in good order would mean to wait for the reader.
    """
    return not (_was_cut.get() and "without completing" in str(record.msg))


class EventStream(Response):
    """`gone` is called when the reader went away, `over` once at the very end."""

    media_type = "text/event-stream"

    def __init__(
        self,
        parts: AsyncGenerator[bytes],
        *,
        gone: Callable[[], None],
        over: Callable[[], None],
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._parts = parts
        self._gone = gone
        self._over = over
        self._limit = asyncio.timeout(None)
        self._patience = WRITE_SECONDS
        self._until: float | None = None  # of the loop's clock, while something is being written
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watching = asyncio.create_task(self._watch(receive))
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        try:
            async with self._limit:
                await send(start)
                async for part in self._parts:
                    await self._write(send, part, more=True)
                await self._write(send, b"", more=False)
        except TimeoutError:
            _log.info("a stream was cut: its reader took nothing", path=scope["path"])
            _was_cut.set(True)
        finally:
            watching.cancel()
            if self._timer is not None:
                self._timer.cancel()
            await self._parts.aclose()
            self._over()

    async def _write(self, send: Send, part: bytes, *, more: bool) -> None:
        """Nearly always done at once, and for a thousand streams at every event: so no timer is
        set and cancelled each time, one that rings too early is set anew.
        """
        loop = asyncio.get_running_loop()
        self._until = loop.time() + self._patience
        if self._timer is None:
            self._timer = loop.call_at(self._until, self._ring)
        await send({"type": "http.response.body", "body": part, "more_body": more})
        self._until = None

    def _ring(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        if self._until is None:
            return
        if loop.time() < self._until:
            self._timer = loop.call_at(self._until, self._ring)
        else:
            self._limit.reschedule(loop.time())

    def hurry(self) -> None:
        """The stream should end: a reader that takes nothing is not waited for any longer, whether
        it is waited for now or with the next part.
        """
        self._patience = HURRIED_SECONDS
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._until is not None:
            loop = asyncio.get_running_loop()
            self._until = min(self._until, loop.time() + HURRIED_SECONDS)
            self._timer = loop.call_at(self._until, self._ring)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone()
