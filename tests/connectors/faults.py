"""Ways in which a platform fails, and the failures that a connector may make of each."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    Gone,
    PermissionMissing,
    RateLimited,
    Transient,
)

Answering = Callable[[Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`means` are the failures allowed to leave the connector; `wait` is what Retry-After said.
    With `entries`, the answer holds entries that may be put aside instead.
    """

    name: str
    answer: Answering
    means: tuple[type[ConnectorError], ...]
    wait: timedelta | None = None
    entries: bool = False

    def __str__(self) -> str:
        return self.name


def answering(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Answering:
    """A complete answer; JSON unless `headers` say otherwise."""
    told = {"content-type": "application/json", **(headers or {})}
    lines = [(name.encode(), value.encode()) for name, value in told.items()]

    async def answer(_receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": body})

    return answer


def refusing(status: int, headers: Mapping[str, str] | None = None) -> Answering:
    """An error in JSON, in a form that no platform has: the status alone must be enough."""
    return answering(status, json.dumps({"error": "refused"}).encode(), headers)


async def _never(receive: Any, _send: Any) -> None:
    """Answers nothing until the other side gives up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(_receive: Any, send: Any) -> None:
    """Promises 1,000 bytes, sends 10 and closes the connection."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'[{"id": 12', "more_body": True})


WEB_PAGE = b"<!doctype html><title>Maintenance</title><p>Back soon.</p>"

FAULTS = (
    Fault("401", refusing(401), (AuthFailed,)),
    Fault("403", refusing(403), (AuthFailed, PermissionMissing)),
    Fault("400", refusing(400), (AuthFailed, BadResponse)),
    Fault("404", refusing(404), (Gone, BadResponse)),
    Fault("408", refusing(408), (Transient,)),
    Fault("410", refusing(410), (Gone, BadResponse)),
    Fault("429", refusing(429), (RateLimited,)),
    Fault("429 with Retry-After", refusing(429, {"retry-after": "120"}), (RateLimited,),
          timedelta(seconds=120)),
    Fault("500", refusing(500), (Transient,)),
    Fault("503", refusing(503), (Transient,)),
    Fault("503 with Retry-After", refusing(503, {"retry-after": "60"}), (RateLimited,),
          timedelta(seconds=60)),
    Fault("502 as a web page", answering(502, WEB_PAGE, {"content-type": "text/html"}),
          (Transient,)),
    Fault("web page with 200", answering(200, WEB_PAGE, {"content-type": "text/html"}),
          (BadResponse,)),
    Fault("web page called JSON", answering(200, WEB_PAGE), (BadResponse,)),
    Fault("redirect", refusing(302, {"location": "https://elsewhere.example.org/"}),
          (BadResponse,)),
    Fault("204", answering(204, b""), (BadResponse,)),
    Fault("empty body", answering(200, b""), (BadResponse,)),
    Fault("a number", answering(200, b"42"), (BadResponse,)),
    Fault("a text", answering(200, b'"ok"'), (BadResponse,)),
    Fault("null", answering(200, b"null"), (BadResponse, Gone)),
    Fault("a list of lists", answering(200, b"[[[]]]"), (BadResponse,), entries=True),
    Fault("an object of nothing known", answering(200, b'{"unknown": true}'), (BadResponse,)),
    Fault("half of the JSON", answering(200, b'[{"id": 1, "te'), (BadResponse,)),
    Fault("JSON 500 levels deep", answering(200, b"[" * 500 + b"]" * 500), (BadResponse,),
          entries=True),
    Fault("cut in the body", _cut, (Transient,)),
    Fault("no answer", _never, (Transient,)),
)  # fmt: skip
