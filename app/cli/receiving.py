"""What a client may do before there is a request: send garbage, endless heads, or nothing at all.

The server library reads as much and waits as long as a client likes, and refuses in plain text.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.errors import AppError
from app.web.limits import MAX_HEAD, MAX_TARGET, HeadTooLarge
from app.web.problems import MEDIA_TYPE, document

HEAD_SECONDS = 20.0
"""For a client to send all of a request's head, counted from its first byte, or from connecting."""
BODY_SECONDS = 120.0
"""For all of its body: 1 MiB at the speed of a bad telephone line."""


class NotHttp(AppError):
    status = HTTPStatus.BAD_REQUEST.value
    code = "not-http"
    title = "This is no HTTP request"


class TooSlow(AppError):
    status = HTTPStatus.REQUEST_TIMEOUT.value
    code = "too-slow"
    title = "The request took too long to arrive"


class Receiving(HttpToolsProtocol):
    """One connection. What is refused here is told as a problem, and the connection is closed."""

    head_seconds = HEAD_SECONDS
    body_seconds = BODY_SECONDS
    _head = 0
    _in_head = False
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head += len(data)
            if self._head > MAX_HEAD + MAX_TARGET:
                most = f"All header fields together may have at most {MAX_HEAD} bytes."
                self._refuse(HeadTooLarge(most))

    def on_message_begin(self) -> None:
        self._in_head, self._head = True, 0
        self._wait(self.head_seconds)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._wait(self.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._wait(None)
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(NotHttp(msg))

    def _wait(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self._too_slow)

    def _too_slow(self) -> None:
        if self._in_head and self._head:
            self._refuse(TooSlow(f"All of its head must arrive within {self.head_seconds:g} s."))
        else:  # nothing was said yet, or an answer may be under way
            self.transport.close()

    def _refuse(self, error: AppError) -> None:
        self._wait(None)
        self._in_head = False
        if self.transport.is_closing():
            return
        self.transport.write(_answer(error, self.server_state.default_headers))
        self.transport.close()


def _answer(error: AppError, headers: list[tuple[bytes, bytes]]) -> bytes:
    body = document(error, None)
    fields: list[tuple[bytes, Any]] = [
        *headers,
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"connection", b"close"),
    ]
    told = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
    return STATUS_LINE[error.status] + told + b"\r\n" + body
