"""Asking a platform: the one door out as connectors see it; `connectors/http.py` implements it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the last answer said about the allowance: requests left and when it is full again."""

    limit: float | None = None
    remaining: float | None = None
    reset_at: datetime | None = None
    retry_at: datetime | None = None


class Response(Protocol):
    """A complete answer of a platform, decoded and bounded."""

    status: int
    headers: Mapping[str, str]  # lower-case names
    url: str
    content: bytes
    received_at: datetime
    rate_limit: RateLimit

    def json(self) -> Any:
        """The body as JSON; `BadResponse` where it is none."""
        ...

    @property
    def text(self) -> str: ...


class Http(Protocol):
    """The one door out, as connectors see it: `connectors/http.py` implements it.

    Raises `Transient` for time-outs, cut connections and 5xx, `RateLimited` for 429 and 503 with
    Retry-After, and `BadResponse` for answers over the size cap. With `expect` (statuses), any
    other status becomes `AuthFailed` (401, 403), `Gone` (404, 410) or `BadResponse`.
    `content` sends bytes as they are (a form), with the content type given in `headers`.
    """

    async def request(
        self,
        method: Literal["GET", "POST", "PUT", "DELETE", "HEAD"],
        url: str,
        *,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        content: bytes | None = None,
        expect: Sequence[int] = (200,),
    ) -> Response: ...
