"""What a refusal of the Graph API means: by its code and subcode, hardly ever by its status."""

from __future__ import annotations

import re
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from app.connectors.asking import RateLimit, Response
from app.connectors.base import JsonObject
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    ConnectorError,
    CursorRefused,
    Gone,
    PermissionMissing,
    RateLimited,
    Transient,
)

WRONG_PARAMETER = 100
NOT_THERE = 33  # subcode of 100
_TOKEN = frozenset({102, 190})
_TOKEN_CAUSES = {
    458: "The app was removed from the account: connect again and allow it.",
    459: "Meta wants the person who gave the token to sign in and confirm the account first.",
    460: "The password of the person who gave the token was changed: connect again.",
    463: "The token has expired: connect again.",
    464: "The account of the person who gave the token is not confirmed.",
    467: "The token is no longer valid: connect again.",
    492: "The person who gave the token has lost the role on the Page; a new token of the same "
    "person fails as well. Connect with somebody who has the role.",
}
_PAGE_TOKEN_WANTED = frozenset({1705, 2069032})
_NOT_OFFERED = frozenset({2069030, 2069031, 2069033})
_LIMITS = frozenset({4, 17, 32, 341, 613, 80001, 80002})
_PASSING = frozenset({1, 2})
_ABUSIVE = 368
_UNKNOWN_NAME = 803
_FIRST_PERMISSION, _LAST_PERMISSION = 200, 299
_PERMISSION_CODES = frozenset({3, 10})
_RIGHTS = re.compile(
    r"\b(pages_(?:show_list|read_engagement|read_user_content|manage_engagement|messaging"
    r"|manage_metadata)|instagram_(?:basic|manage_comments|business_basic"
    r"|business_manage_comments)|threads_(?:basic|read_replies|manage_mentions))\b"
)
_NEARLY_USED_UP = 5.0  # percent that are left
_STAY_AWAY = timedelta(hours=1)


class NotOffered(BadResponse):
    """Meta has no such list or field for this account, and never will have."""


class TooMuch(Transient):
    """The answer would be too large for Meta: a shorter page of the same list is given."""


class UnknownField(BadResponse):
    """The thing that was asked for has no such field: it is of another type than we believed."""


class Malformed(BadResponse):
    """Meta does not understand what is asked for here, and says no more than that."""


def error_of(body: Any) -> JsonObject | None:
    """The `error` object of an answer. Batches and some proxies send it with status 200."""
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else None


def refusal(answer: Response, *, item: bool = False, paged: bool = False) -> ConnectorError | None:
    """What `answer` says to do next; `None` where it is no refusal. `item`: one thing was asked
    for by its id. `paged`: with a place in a list that Meta had given before.
    """
    if answer.status == HTTPStatus.OK:
        error = error_of(answer.json())
        return None if error is None else _by_code(error, answer, item=item, paged=paged)
    try:
        error = error_of(answer.json())
    except BadResponse:
        error = None
    if error is None or not isinstance(error.get("code"), int):
        return _by_status(answer.status)
    return _by_code(error, answer, item=item, paged=paged)


def _by_status(status: int, said: str = "") -> ConnectorError:
    """For codes that we don't know, and for what does not speak like the Graph API at all."""
    what = said or f"status {status}"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return AuthFailed(f"The token was refused ({what}).")
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return Transient(f"The server has a failure of its own ({what}).")
    if said:
        return BadResponse(f"Meta refused the request ({what}).")
    return BadResponse(f"No Graph API answers here ({what}): check `api_url`.")


def _by_code(error: JsonObject, answer: Response, *, item: bool, paged: bool) -> ConnectorError:
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    told = str(error.get("message") or "")[:1000]
    if subcode in _NOT_OFFERED:
        return NotOffered("Meta does not offer this list for this account.")
    known = _of_token(code, subcode) or _of_right(code, told) or _of_time(code, told, answer)
    if known is not None:
        return known
    if code == WRONG_PARAMETER:
        return _wrong(told, subcode, item=item, paged=paged)
    if code == _UNKNOWN_NAME and item:
        return Gone("It is deleted, or not visible any more.")
    return _by_status(answer.status, f"error {code}")


def _number(value: Any) -> int:
    return value if type(value) is int else 0


def _of_token(code: int, subcode: int) -> ConnectorError | None:
    if not _PAGE_TOKEN_WANTED.isdisjoint({code, subcode}):
        return Blind("This is the token of a person: the token of the Page itself is needed.")
    if code in _TOKEN:
        usual = "The token is expired, revoked or of another app: connect again."
        return AuthFailed(_TOKEN_CAUSES.get(subcode, usual))
    return None


def _of_right(code: int, told: str) -> ConnectorError | None:
    if code == _ABUSIVE:
        return PermissionMissing("Meta has blocked what this app or account does as abusive.")
    if code not in _PERMISSION_CODES and not _FIRST_PERMISSION <= code <= _LAST_PERMISSION:
        return None
    rights = tuple(dict.fromkeys(_RIGHTS.findall(told)))
    named = f" ({', '.join(rights)})" if rights else ""
    return PermissionMissing(
        f"The token lacks a right{named}. Meta also takes away rights that were not used for 90 "
        "days: connect again and grant them.",
        rights=rights,
    )


def _of_time(code: int, told: str, answer: Response) -> ConnectorError | None:
    if code in _LIMITS:
        limit = answer.rate_limit
        return RateLimited(
            f"Meta asks to wait (error {code}).", until=limit.retry_at or limit.reset_at
        )
    if code in _PASSING and "reduce the amount of data" in told:
        return TooMuch("Meta will not give so much at once.")
    if code in _PASSING:
        return Transient(f"Meta has a failure of its own (error {code}).")
    return None


def _wrong(told: str, subcode: int, *, item: bool, paged: bool) -> ConnectorError:
    if "nonexisting field" in told:
        return UnknownField("Meta knows no such field of this.")
    if item and (subcode == NOT_THERE or "does not exist" in told):
        return Gone("It is deleted, or not visible any more.")
    if paged:
        return CursorRefused("Meta no longer knows the place in its list.")
    return Malformed("Meta refused the request as malformed (error 100).")


def wish(answer: Response) -> timedelta | None:
    """How long to stay away: until the time that the usage headers name, or an hour where nearly
    all is used. More calls while throttled make the throttling longer.
    """
    limit: RateLimit = answer.rate_limit
    if limit.retry_at is not None and limit.retry_at > answer.received_at:
        return limit.retry_at - answer.received_at
    if limit.remaining is not None and limit.remaining < _NEARLY_USED_UP:
        return _STAY_AWAY
    return None
