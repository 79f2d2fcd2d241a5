"""Asks LinkedIn's versioned REST API, and says what its refusals mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from app.connectors.asking import Http, Response
from app.connectors.base import JsonObject
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    Gone,
    PermissionMissing,
    RateLimited,
)
from app.connectors.fields import as_object, find_text
from app.connectors.renewal import Renewing

COUNT = 100
_RESTLI = "2.0.0"
_EXPECTED = (
    HTTPStatus.OK,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
    HTTPStatus.UPGRADE_REQUIRED,
    HTTPStatus.TOO_MANY_REQUESTS,
)
"""Statuses whose body tells the cause."""
_A_DAY = re.compile(r"(?i)\bDAY limit\b")
_VERSION = re.compile(r"(?i)version")
ENDED = "LinkedIn has ended version {version} of its API: set `version` to a newer one (YYYYMM)."


@dataclass(frozen=True, slots=True)
class Reply:
    """A sound answer; `start` is how many entries of the list lie before it."""

    body: JsonObject
    answer: Response
    start: int = 0

    @property
    def rows(self) -> list[Any]:
        """The entries of a list."""
        if not isinstance(rows := self.body.get("elements"), list):
            raise BadResponse("LinkedIn answered without a list where one was expected.")
        return rows

    @property
    def ahead(self) -> int | None:
        """Where the list goes on: behind a full page, or as far as LinkedIn says."""
        rows = len(self.rows)
        if not rows:
            return None
        told = self.body.get("paging")
        paging: JsonObject = told if isinstance(told, dict) else {}
        total, size = paging.get("total"), paging.get("count")
        is_full = rows >= (size if type(size) is int and 0 < size < COUNT else COUNT)
        is_more = type(total) is int and self.start + rows < total
        return self.start + rows if is_full or is_more or _names_a_next(paging) else None


def _names_a_next(paging: JsonObject) -> bool:
    links = paging.get("links")
    return isinstance(links, list) and any(
        isinstance(each, dict) and each.get("rel") == "next" for each in links
    )


class Rest:
    """Asks with the headers that the API wants. `heard_at` is when the last answer came: the clock
    that a connector has; `requests` how often it has asked.
    """

    def __init__(self, *, http: Http, root: str, version: str, renewing: Renewing) -> None:
        self.heard_at: datetime | None = None
        self.requests = 0
        self._http = http
        self._root = root
        self._version = version
        self._renewing = renewing

    async def get(self, path: str, *query: str, item: bool = False, start: int = 0) -> Reply:
        """One thing, or one page of a list. `query` are parameters that are written out already,
        since nobody else leaves the signs of Rest.li as they are. `item`: one thing was asked for.
        """
        url = f"{self._root}/rest/{path}" + (f"?{'&'.join(query)}" if query else "")

        async def send(token: str) -> Response:
            self.requests += 1
            headers = {
                "Authorization": f"Bearer {token}",
                "LinkedIn-Version": self._version,
                "X-Restli-Protocol-Version": _RESTLI,
            }
            return await self._http.request("GET", url, headers=headers, expect=_EXPECTED)

        answer = await self._renewing.ask(send)
        self.heard_at = answer.received_at
        if (failure := refusal(answer, self._version, item=item)) is not None:
            raise failure
        return Reply(as_object(answer.json()), answer, start)

    async def page(self, path: str, *query: str, start: int = 0, item: bool = False) -> Reply:
        """The page of a list that begins behind `start` entries."""
        place = (f"start={start}", f"count={COUNT}")
        return await self.get(path, *query, *place, item=item, start=start)


def refusal(answer: Response, version: str, *, item: bool = False) -> ConnectorError | None:
    """What `answer` says to do next; `None` where it is no refusal."""
    status = answer.status
    if status == HTTPStatus.OK:
        return None
    body = _error(answer)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _throttled(answer, find_text(body, "message"))
    if status == HTTPStatus.UNAUTHORIZED:
        return AuthFailed("LinkedIn refuses the token: it has ended or was taken back. Reconnect.")
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(body)
    return _not_answered(status, body, version, item=item)


def _not_answered(status: int, body: JsonObject, version: str, *, item: bool) -> ConnectorError:
    told = find_text(body, "code") + find_text(body, "message")
    if status == HTTPStatus.UPGRADE_REQUIRED or (
        status == HTTPStatus.BAD_REQUEST and _VERSION.search(told)
    ):
        return BadResponse(ENDED.format(version=version))
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} and item and body:
        return Gone("LinkedIn no longer shows this.")
    if body:
        return BadResponse(f"LinkedIn refused the request (status {status}).")
    return BadResponse(f"No LinkedIn API answers here (status {status}): check `api_url`.")


def _error(answer: Response) -> JsonObject:
    """The error in an answer, empty where it does not speak like LinkedIn."""
    try:
        body = answer.json()
    except BadResponse:
        return {}
    return body if isinstance(body, dict) and type(body.get("status")) is int else {}


def _throttled(answer: Response, told: str) -> RateLimited:
    """Limits of a day end at midnight UTC; LinkedIn names no time."""
    limit, now = answer.rate_limit, answer.received_at
    if (until := limit.retry_at or limit.reset_at) is not None and until > now:
        return RateLimited("LinkedIn asks to wait.", until=until)
    if _A_DAY.search(told):
        midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        detail = "The requests that LinkedIn allows in a day are used up."
        return RateLimited(detail, until=midnight + timedelta(days=1))
    return RateLimited("LinkedIn asks to slow down.")


def _forbidden(body: JsonObject) -> ConnectorError:
    if not body:
        return AuthFailed("The token was refused (status 403).")
    return PermissionMissing(
        "LinkedIn refuses this: the app lacks the Community Management API, the token a right, or "
        "the person is no administrator of the Page any more."
    )
