"""A platform that works at first, and later throws back whatever it was told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.connectors.playing import Player

FAULTS = ("json 401", "json 400", "expired 400", "html 500", "redirect", "header 403")


class Mirror:
    """Plays `exchanges` while `fault` is empty. `heard` is everything that arrived, as bytes."""

    def __init__(self, exchanges: Sequence[Any]) -> None:
        self.player = Player(exchanges)
        self.fault = ""
        self.heard = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        told = [scope["raw_path"], scope["query_string"], body]
        told += [name + b": " + value for name, value in scope["headers"]]
        self.heard += b"\n".join(told) + b"\n"
        if self.fault:
            await self._throw_back(send, b"\n".join(told).decode("latin-1"))
        else:
            await self.player(scope, _nothing, send)

    async def _throw_back(self, send: Any, told: str) -> None:
        kind, _, status = self.fault.partition(" ")
        word = "ExpiredToken" if kind == "expired" else "invalid_grant"
        error: dict[str, Any] = {"error": word, "message": told, "error_description": told}
        if status == "401":
            error = {"error": {"message": told, "code": 190, "type": "OAuthException"}}
        body = f"<h1>{told}</h1>" if kind == "html" else json.dumps(error)
        line = told.replace("\n", " ")
        headers = {"content-type": "text/html" if kind == "html" else "application/json"}
        if kind == "redirect":
            status, headers["location"] = "302", f"https://elsewhere.example/?told={line}"
        elif kind == "header":
            headers["www-authenticate"] = (
                f'Bearer error="invalid_token", error_description="{line}"'
            )
        pairs = [(n.encode(), v.encode("latin-1")) for n, v in headers.items()]
        await send({"type": "http.response.start", "status": int(status), "headers": pairs})
        await send({"type": "http.response.body", "body": body.encode()})


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}
