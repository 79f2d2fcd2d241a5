"""X's problem documents, sorted into failures that say what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

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
)
from app.connectors.fields import find_text

EXPECTED = (
    HTTPStatus.OK,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.PAYMENT_REQUIRED,
    HTTPStatus.FORBIDDEN,
)
GONE = frozenset({"resource-not-found", "resource-unavailable", "disallowed-resource"})
"""Deleted, or its author suspended, or withheld: X wants it removed in each case."""
HIDDEN = "not-authorized-for-resource"
"""Its author protects what he writes by now: we may not see it, and it may come back."""
_CLOSED = frozenset(
    {"client-forbidden", HIDDEN, "unsupported-authentication", "oauth1-permissions"}
)
_MONEY = re.compile(r"(?i)\bcredits?\b|\bspend|usage cap|payment")
_SUSPENDED = re.compile(r"(?i)\bsuspended\b|\blocked\b")
_LONGEST_BODY = 16 * 1024


def name_of(problem: JsonObject) -> str:
    """The last part of a problem's type: `resource-not-found`; "" where it has none."""
    return find_text(problem, "type").rstrip("/").rpartition("/")[2]


def problems_of(body: Any) -> Iterator[JsonObject]:
    """The problems of an answer: its own, and those listed beside data (`errors`)."""
    if not isinstance(body, dict):
        return
    if "type" in body or "title" in body:
        yield body
    errors = body.get("errors")
    yield from (one for one in errors if isinstance(one, dict)) if isinstance(errors, list) else ()


def refusal(answer: Response, *, paged: bool, right: str) -> ConnectorError:
    """What a refused request means. `paged`: it carried a token of an earlier page; `right` is the
    scope that it needs.
    """
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return AuthFailed("X refuses the token: it is revoked, or was not copied as it is.")
    problems = list(problems_of(_body(answer)))
    names = {name_of(one) for one in problems}
    words = " ".join(find_text(one, k) for one in problems for k in ("title", "detail", "message"))
    if answer.status == HTTPStatus.PAYMENT_REQUIRED or "usage-capped" in names:
        return _out_of_money()
    if answer.status == HTTPStatus.FORBIDDEN:
        return _forbidden(names, words, right)
    if paged and (_names_token(problems) or "pagination_token" in words):
        return CursorRefused("X no longer knows the place in the list.")
    gone = names & GONE
    return Gone("X no longer shows this.") if gone else BadResponse("X refused our request.")


def _forbidden(names: set[str], words: str, right: str) -> ConnectorError:
    if _MONEY.search(words):
        return _out_of_money()
    if _SUSPENDED.search(words):
        return AuthFailed("X has suspended or locked the account.")
    if names & _CLOSED:
        return PermissionMissing(f"X does not let this token read it ({right}).", rights=(right,))
    return AuthFailed("X refused the credential (status 403).")


def _out_of_money() -> RateLimited:
    return RateLimited("X answers no more: the app's credits or its spending limit are used up.")


def _names_token(problems: list[JsonObject]) -> bool:
    found = (one.get("parameters") for one in problems)
    return any(isinstance(names, dict) and "pagination_token" in names for names in found)


def _body(answer: Response) -> Any:
    if len(answer.content) > _LONGEST_BODY:
        return None
    try:
        return answer.json()
    except BadResponse:
        return None
