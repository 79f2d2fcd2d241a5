"""Raw ASGI: the same bytes each time. No application can be faster in Python."""

from __future__ import annotations

from typing import Any


class Constant:
    """An ASGI application that always answers with `body`."""

    def __init__(self, body: bytes) -> None:
        self._body = {"type": "http.response.body", "body": body}
        self._start = {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send(self._start)
        await send(self._body)
