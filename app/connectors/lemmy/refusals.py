"""What Lemmy refuses, by the name of its error, sorted into failures that say what to do next.

`{"error": "not_logged_in"}`, most of them with status 400
(https://github.com/LemmyNet/lemmy, `crates/utils/src/error.rs`).
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from app.connectors.asking import Response
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
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
)
_LONGEST_BODY = 16 * 1024
_NAME = re.compile(r"[a-z_]{1,60}")
_NOT_SIGNED_IN = frozenset({"not_logged_in", "incorrect_login"})
_CLOSED = {
    "incorrect_login": "The server does not accept user name and password.",
    "not_logged_in": "The server no longer accepts the token: sign in again.",
    "missing_totp_token": "The account asks for a one-time code at sign-in: give it as well.",
    "incorrect_totp_token": "The one-time code is wrong or has run out: give a new one.",
    "site_ban": "The server has banned the account.",
    "deleted": "The account has been deleted.",
    "email_not_verified": "The account's e-mail address has not been confirmed.",
    "registration_application_is_pending": "The account waits for the server's approval.",
    "registration_denied": "The server has turned the account down.",
}
_SLOWER = frozenset({"rate_limit_error", "too_many_requests"})
_LOST_PLACE = frozenset({"couldnt_parse_pagination_token"})
_BANNED = "person_is_banned_from_community"
PRIVATE = "instance_is_private"


def name_of(answer: Response) -> str:
    """The name of the error in an answer, "" where it tells none."""
    if answer.status == HTTPStatus.OK or len(answer.content) > _LONGEST_BODY:
        return ""
    try:
        body: Any = answer.json()
    except BadResponse:
        return ""
    name = find_text(body, "error") if isinstance(body, dict) else ""
    return name if _NAME.fullmatch(name) else ""


def refuses_token(answer: Response) -> bool:
    """Whether it refuses the token itself: 401, or one of two names with 400."""
    return answer.status == HTTPStatus.UNAUTHORIZED or name_of(answer) in _NOT_SIGNED_IN


def refusal(answer: Response, *, signed_in: bool) -> ConnectorError:
    """What a refused request means."""
    name = name_of(answer)
    if name in _SLOWER:
        return RateLimited("The server asks us to slow down.")
    if name in _LOST_PLACE:
        return CursorRefused("The server no longer knows the place in the list.")
    if name == _BANNED:
        return PermissionMissing("The community has banned the account.", rights=("community",))
    if name == PRIVATE:
        return _private(signed_in=signed_in)
    if name in _CLOSED:
        return AuthFailed(_CLOSED[name])
    return _by_status(answer, name)


def _private(*, signed_in: bool) -> ConnectorError:
    if signed_in:
        return AuthFailed("The server is private and shows the account nothing: sign in again.")
    detail = "The server is private and shows nothing without an account."
    return PermissionMissing(detail, rights=("an account on the server",))


def _by_status(answer: Response, name: str) -> ConnectorError:
    if name == "not_found" or name.startswith("couldnt_find_"):
        return Gone("The server says that this is not there.")
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return AuthFailed(f"The server refused the credential (status {answer.status}).")
    if answer.status == HTTPStatus.NOT_FOUND:
        return Gone("The server says that this is not there (status 404).")
    return BadResponse(f"The server refused our request ({name or answer.status}).")
