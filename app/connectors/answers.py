"""A complete answer of a platform, and what its status means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from app.connectors.addresses import is_host_name
from app.connectors.asking import RateLimit
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    Gone,
    RateLimited,
    Transient,
)
from app.connectors.json_border import NotJson, decode_text, parse_json
from app.connectors.limits import LONGEST_WAIT

_CHARSET = re.compile(r"(?i);\s*charset\s*=\s*[\"']?([a-z0-9._:-]{1,40})")

_REFUSALS: Mapping[int, tuple[type[ConnectorError], str]] = {
    401: (AuthFailed, "refused the credential"),
    403: (AuthFailed, "refused the credential"),
    404: (Gone, "says that this is not there"),
    410: (Gone, "says that this is not there"),
}
_PASSING = frozenset({408, 425})
"""Too slow, too early: the request is as good as ever."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(slots=True, repr=False)
class Answer:
    """Fits `asking.Response`. Its representation shows neither URL nor headers nor body: tokens
    stand in all of them.
    """

    status: int
    headers: Mapping[str, str]
    url: str
    content: bytes
    received_at: datetime
    rate_limit: RateLimit
    host: str

    def json(self) -> Any:
        try:
            return parse_json(self.content, self._charset)
        except NotJson as reason:
            raise BadResponse(
                f"{self.host} answered {self.status} with {reason}, where data was expected."
            ) from None

    @property
    def text(self) -> str:
        return decode_text(self.content, self._charset)

    @property
    def _charset(self) -> str:
        found = _CHARSET.search(self.headers.get("content-type", ""))
        return found[1] if found else ""

    def __repr__(self) -> str:
        return f"<Answer {self.status} of {self.host}, {len(self.content)} bytes>"


def failure_of(answer: Answer, expect: Sequence[int]) -> ConnectorError | None:
    """What `answer` says to do next, where its status is none of `expect`."""
    status, host = answer.status, answer.host
    if status in expect:
        return None
    if status == 429 or (status == 503 and "retry-after" in answer.headers):  # noqa: PLR2004
        detail = f"{host} asks us to wait (status {status})."
        return RateLimited(detail, until=_until(answer))
    if status >= 500:  # noqa: PLR2004  # the class of server errors
        return Transient(f"{host} has a failure of its own (status {status}).")
    if status in _PASSING:
        return Transient(f"{host} did not take the request this time (status {status}).")
    if status in _REFUSALS:
        failure, words = _REFUSALS[status]
        return failure(f"{host} {words} (status {status}).")
    return BadResponse(_unexpected(answer))


def _until(answer: Answer) -> datetime | None:
    said = answer.rate_limit.retry_at or answer.rate_limit.reset_at
    if said is None or said < answer.received_at:
        return None
    return min(said, answer.received_at + LONGEST_WAIT)


def _unexpected(answer: Answer) -> str:
    if answer.status not in _REDIRECTS or "location" not in answer.headers:
        return f"{answer.host} answered with the unexpected status {answer.status}."
    try:
        host = urlsplit(answer.headers["location"]).hostname or ""
    except ValueError:
        host = ""
    where = f"to {host}" if is_host_name(host) else "elsewhere"
    return (
        f"{answer.host} redirects {where} (status {answer.status}); redirects are not followed. "
        "If the platform has moved, correct its address."
    )
