"""The recorded answers of a platform of Meta on stage, with others put before them."""

from __future__ import annotations

import json
from typing import Any

from tests.connectors.reading import Source

Json = dict[str, Any]
VERSION = "/v26.0"


def serve(
    source: Source,
    path: str,
    body: Any,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **query: str | None,
) -> None:
    """From now on this is the answer to `path`, before all that were given for it earlier."""
    whole = path if path.startswith("/") else f"{VERSION}/{path}"
    source.stage.player.exchanges.insert(
        0,
        {
            "request": {"method": "GET", "path": whole, "query": query},
            "response": {"status": status, "headers": headers or {}, "body": body},
        },
    )


def error(code: int, subcode: int | None = None, message: str = "(#0) no") -> Json:
    told: Json = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "Ab"}
    return {"error": told if subcode is None else {**told, "error_subcode": subcode}}


def usage(kind: str, share: int, minutes: int = 0) -> dict[str, str]:
    """The header that says how much of an allowance is used, in percent."""
    entry = {"type": kind, "call_count": share, "total_cputime": 1, "total_time": 1}
    told = {"1001": [{**entry, "estimated_time_to_regain_access": minutes}]}
    return {"X-Business-Use-Case-Usage": json.dumps(told)}


def listed(*rows: Any, after: str = "", total: int | None = None) -> Json:
    """A list of the Graph API; with `after` there is more."""
    body: Json = {"data": list(rows)}
    if after:
        address = f"https://graph.facebook.com/v26.0/x?access_token=secret-token&after={after}"
        body["paging"] = {"cursors": {"before": "b", "after": after}, "next": address}
    if total is not None:
        body["summary"] = {"order": "reverse_chronological", "total_count": total}
    return body


def asked(source: Source, path: str) -> list[dict[str, list[str]]]:
    """The queries with which `path` was asked for, in order."""
    whole = path if path.startswith("/") else f"{VERSION}/{path}"
    return [query for _, place, query, _ in source.stage.player.requests if place == whole]
