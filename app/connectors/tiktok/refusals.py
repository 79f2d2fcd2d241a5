"""TikTok's answers: the data in them, or what their code means; the status is nearly always 200."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from http import HTTPStatus

from app.connectors.asking import Response
from app.connectors.base import JsonObject
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    CursorRefused,
    Gone,
    PermissionMissing,
    RateLimited,
    Transient,
)
from app.connectors.fields import find_text

EXPECTED = (
    HTTPStatus.OK,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.GONE,
)
"""404 and 410 as well: by them no API answers here at all, and no message is gone."""
NO_RIGHT, MALFORMED, NOT_THERE = 40001, 40002, 40007
TOO_MANY, NO_APP, NO_TOKEN = 40100, 40101, 40105
_OF_TOKENS = range(40102, 40200)
_PASSING = range(50000, 60000)
BAD_APP = "TikTok does not accept the app's id and secret."
_A_MINUTE_IS_OVER = timedelta(minutes=5)
_OF_A_DAY = re.compile(r"(?i)\b(?:QPD|days?|daily)\b")


def code_of(answer: Response) -> int:
    """0 for what is fine. Raises `BadResponse` for what TikTok's API does not answer."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return NO_TOKEN
    if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise BadResponse(f"No TikTok API answers here (status {answer.status}): check `api_url`.")
    body = answer.json()
    code = body.get("code") if isinstance(body, dict) else None
    if type(code) is not int:
        raise BadResponse("TikTok answered without the code that tells how it went.")
    return code


def is_of_a_token(answer: Response) -> bool:
    """Whether it is the token that an answer refuses, so that another one may do."""
    return code_of(answer) in _OF_TOKENS


def data_of(answer: Response, *, right: str, paged: bool = False) -> JsonObject:
    """What an answer brings; raises what its code says to do next. `right` is the scope that the
    request needs; `paged`: it carried a place in a list.
    """
    if code := code_of(answer):
        raise _refusal(code, answer, right, paged=paged)
    data = answer.json().get("data")
    if not isinstance(data, dict):
        raise BadResponse("TikTok answered without data.")
    return data


def _refusal(code: int, answer: Response, right: str, *, paged: bool) -> ConnectorError:
    if code == NO_APP or code in _OF_TOKENS:
        dead = f"TikTok refuses the token (code {code}): connect the account again."
        return AuthFailed(BAD_APP if code == NO_APP else dead)
    said = find_text(answer.json(), "message")[:1000]
    if code == TOO_MANY:
        until = until_when(said, answer.received_at)
        return RateLimited("TikTok has been asked too often.", until=until)
    if code == NO_RIGHT:
        detail = f"The token may not do this for the account; it needs the right {right}."
        return PermissionMissing(detail, rights=(right,))
    if code in _PASSING:
        return Transient(f"TikTok has a failure of its own (code {code}).")
    return _wrong(code, said, paged=paged)


def _wrong(code: int, said: str, *, paged: bool) -> ConnectorError:
    if code == NOT_THERE:
        return Gone("TikTok no longer shows this.")
    if code == MALFORMED and paged and "cursor" in said.lower():
        return CursorRefused("TikTok no longer knows the place in its list.")
    return BadResponse(f"TikTok refused the request (code {code}).")


def until_when(said: str, now: datetime) -> datetime:
    """When TikTok may be asked again: where a day's requests are used up, at midnight UTC, else in
    five minutes. Only the words of the refusal tell which.
    """
    if not _OF_A_DAY.search(said):
        return now + _A_MINUTE_IS_OVER
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)
