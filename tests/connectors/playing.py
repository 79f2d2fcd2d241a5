"""Plays a recording: an ASGI application that answers as the recorded platform did."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

Asgi = Any
FOLDER = Path(__file__).parent / "recordings"


def load(platform: str) -> dict[str, Any]:
    """The recording of one platform (its form: recordings/README.md)."""
    recording: dict[str, Any] = json.loads((FOLDER / f"{platform}.json").read_text("utf-8"))
    return recording


def names_of(recording: Mapping[str, Any], external_ids: Iterable[str]) -> set[str]:
    """What entries may call these messages: by their ids or, where an id of ours is made of several
    of the platform's (`id_parts`), by the last of them.
    """
    ids = set(external_ids)
    parts = {re.split("[_:]", one)[-1] for one in ids} if recording.get("id_parts") else set()
    return ids | parts


def without(
    recording: Mapping[str, Any], external_ids: Iterable[str], taken: AbstractSet[str]
) -> set[str]:
    """Those messages that `taken` names in no way."""
    return {one for one in external_ids if not names_of(recording, [one]) & taken}


def filled(value: Any, base: str) -> Any:
    """`value` with `{base}` replaced by the address of the server, at any depth."""
    return json.loads(json.dumps(value).replace("{base}", base))


def _fits(wanted: Mapping[str, Any], query: Mapping[str, Sequence[str]]) -> bool:
    for name, value in wanted.items():
        expected = None if value is None else value if isinstance(value, list) else [value]
        if query.get(name) != expected:
            return False
    return True


class Player:
    """Answers requests from `exchanges`; keeps what was asked in `requests`."""

    def __init__(self, exchanges: Sequence[Mapping[str, Any]]) -> None:
        self.exchanges = list(exchanges)
        self.requests: list[tuple[str, str, dict[str, list[str]], dict[str, str]]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        headers = {k.decode().lower(): v.decode("latin-1") for k, v in scope["headers"]}
        query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
        self.requests.append((scope["method"], scope["path"], query, headers))
        base = f"http://{headers['host']}"
        await self._answer(send, base, self.find(scope["method"], scope["path"], query))

    def find(self, method: str, path: str, query: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
        for exchange in self.exchanges:
            request = exchange["request"]
            asked = (request["method"], request["path"]) == (method, path)
            if asked and _fits(request.get("query", {}), query):
                answer: Mapping[str, Any] = exchange["response"]
                return answer
        return {"status": 404, "body": {"error": "Record not found"}}

    async def _answer(self, send: Any, base: str, answer: Mapping[str, Any]) -> None:
        headers = [(k.encode(), v.encode()) for k, v in headers_of(answer, base).items()]
        status = answer.get("status", 200)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body_of(answer, base)})


def headers_of(answer: Mapping[str, Any], base: str) -> dict[str, str]:
    """The header fields of a recorded answer, their names in lower case."""
    told = {"content-type": "application/json", **answer.get("headers", {})}
    return {name.lower(): str(value).replace("{base}", base) for name, value in told.items()}


def body_of(answer: Mapping[str, Any], base: str) -> bytes:
    """What a recorded answer sends: its `bytes` or `text` as they are, else its `body` as JSON."""
    if (content := answer.get("bytes")) is not None:
        return bytes(content)
    if (text := answer.get("text")) is not None:
        return str(text).encode()
    return json.dumps(answer.get("body")).replace("{base}", base).encode()
