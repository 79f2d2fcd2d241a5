"""What a request of ours looks like before it is sent: address, headers, body."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from app.connectors.decoding import ACCEPTED
from app.connectors.failures import AuthFailed, BadResponse

_OURS = frozenset(
    {"accept-encoding", "connection", "content-length", "cookie", "host", "transfer-encoding"}
)
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?)?")


def with_params(url: str, params: Sequence[tuple[str, str]]) -> str:
    """`url` with `params` after whatever query it has already."""
    if not params:
        return url
    query = urlencode(params, quote_via=quote, safe="", errors="replace")
    separator = "" if url.endswith(("?", "&")) else "&" if "?" in url else "?"
    return f"{url}{separator}{query}"


def headers_for(given: Mapping[str, str], *, user_agent: str, json_body: bool) -> dict[str, str]:
    """The headers of a request, lower-case names. `ValueError` for one that the door itself sets;
    a value that no header can carry (a line break in a pasted token) is `AuthFailed`.
    """
    headers = {"accept": "application/json", "user-agent": user_agent}
    if json_body:
        headers["content-type"] = "application/json"
    for name, value in given.items():
        lower = name.lower()
        if lower in _OURS or not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no header that a caller sets")
        if not _VALUE.fullmatch(value):
            raise _unsendable(lower)
        headers[lower] = value
    return {**headers, "accept-encoding": ACCEPTED}


def _unsendable(name: str) -> AuthFailed | BadResponse:
    detail = f"The value for the header {name} holds characters that cannot be sent"
    if name in {"authorization", "cookie"} or "key" in name or "token" in name:
        return AuthFailed(f"{detail}: the credential was probably not copied as it is.")
    return BadResponse(f"{detail}.")


def body_of(value: Any, content: bytes | None) -> bytes | None:
    """`content` as it is, else `value` as JSON in pure ASCII (a lone surrogate cannot break it)."""
    if content is not None or value is None:
        return content
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")
