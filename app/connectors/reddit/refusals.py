"""What Reddit refuses, sorted into failures that say what to do next."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from app.connectors.asking import Response
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    Gone,
    PermissionMissing,
)
from app.connectors.fields import find_text

EXPECTED = (
    HTTPStatus.OK,
    HTTPStatus.FOUND,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
)
MODERATOR = "moderator of the subreddit"
"""No scope: what somebody must be there."""
_LONGEST_BODY = 32 * 1024
_NOT_THERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.FOUND})
"""A name that no subreddit has is answered with a search for it."""
_WORDS: dict[int, str] = {
    HTTPStatus.FOUND: "sends us elsewhere instead of answering",
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: "withholds this for legal reasons",
}
_CLOSED = frozenset({"private", "quarantined", "gold_only", "banned"})


def refusal(answer: Response, right: str, *, subreddit: str = "") -> ConnectorError:
    """What a refused request means; `right` is the scope it needs, `subreddit` the one that it
    asks about, or several joined by plus signs ("" for the account's own things).
    """
    status = answer.status
    if status == HTTPStatus.UNAUTHORIZED:
        return AuthFailed("Reddit refuses the token: it has ended, or was revoked.")
    if status == HTTPStatus.FORBIDDEN:
        return _forbidden(answer, right, subreddit)
    if subreddit and status in _NOT_THERE:
        return BadResponse(f"Reddit has no subreddit r/{subreddit}, or has banned it.")
    if status == HTTPStatus.NOT_FOUND:
        return Gone("Reddit says that this is not there (status 404).")
    return BadResponse(f"Reddit {_WORDS.get(status, 'refused our request')} (status {status}).")


def _forbidden(answer: Response, right: str, subreddit: str) -> ConnectorError:
    if "insufficient_scope" in answer.headers.get("www-authenticate", ""):
        detail = f"The token lacks the right {right}: connect the account again."
        return PermissionMissing(detail, rights=(right,))
    reason = _reason(answer)
    if subreddit and (reason in _CLOSED or right == MODERATOR):
        detail = f"The account may not read this of r/{subreddit} ({reason or right})."
        return PermissionMissing(detail, rights=(right,))
    return AuthFailed(
        "Reddit refused the credential (status 403): the account may be suspended, or Reddit has "
        "not approved the app."
    )


def _reason(answer: Response) -> str:
    if len(answer.content) > _LONGEST_BODY:
        return ""
    try:
        body: Any = answer.json()
    except BadResponse:
        return ""
    return find_text(body, "reason") if isinstance(body, dict) else ""
