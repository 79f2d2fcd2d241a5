"""YouTube's errors, by their reasons, sorted into failures that say what to do next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

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
PACIFIC = "America/Los_Angeles"
SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
DISABLED = "commentsDisabled"
"""The normal state of a video, and no lost right."""
_LONGEST_BODY = 32 * 1024
_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_SLOWER = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
_NOT_THERE = frozenset(
    {"commentThreadNotFound", "commentNotFound", "videoNotFound", "channelNotFound"}
    | {"parentCommentNotFound", "parentCommentIsPrivate"}
)
_DEAD = {
    **dict.fromkeys(
        ("keyInvalid", "keyExpired", "API_KEY_INVALID"), "Google does not accept the API key."
    ),
    **dict.fromkeys(
        ("ineligibleAccount", "authenticatedUserNotChannel", "youtubeSignupRequired"),
        "The Google account has no channel that may do this.",
    ),
    **dict.fromkeys(
        ("authenticatedUserAccountClosed", "authenticatedUserAccountSuspended"),
        "The channel is closed or suspended.",
    ),
}
_LACKING = {
    **dict.fromkeys(
        ("accessNotConfigured", "SERVICE_DISABLED"),
        (
            "The YouTube Data API v3 is not switched on in the Google project.",
            "YouTube Data API v3",
        ),
    ),
    **dict.fromkeys(
        ("ipRefererBlocked", "API_KEY_SERVICE_BLOCKED", "API_KEY_IP_ADDRESS_BLOCKED"),
        ("The API key is restricted so that we may not use it.", "YouTube Data API v3"),
    ),
    **dict.fromkeys(
        (
            "insufficientPermissions",
            "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "forbidden",
            "SERVICE_UNAVAILABLE",  # so it was recorded, with 403 and PERMISSION_DENIED
            "subscriptionForbidden",
        ),
        ("The credential lacks a right for this.", SCOPE),
    ),
}


def reasons_of(answer: Response) -> set[str]:
    """The reasons in an error, of the old form (`errors[]`) and the new one (`details[]`)."""
    if len(answer.content) > _LONGEST_BODY:
        return set()
    try:
        body = answer.json()
    except BadResponse:
        return set()
    error: Any = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return set()
    listed = [error.get("errors"), error.get("details")]
    rows = [one for rows in listed if isinstance(rows, list) for one in rows]
    found = {find_text(one, "reason") for one in rows if isinstance(one, dict)}
    if "api key not valid" in find_text(error, "message").lower():
        found.add("keyInvalid")
    return found - {""}


def refusal(answer: Response, reasons: set[str], *, paged: bool) -> ConnectorError:
    """What a refused request means; `paged`: it carried the token of a page."""
    if reasons & _QUOTA:
        detail = "The Google project has used its units for today."
        return RateLimited(detail, until=next_midnight(answer.received_at))
    if reasons & _SLOWER:
        return RateLimited("YouTube asks us to slow down.")
    for reason in sorted(reasons):
        if reason in _DEAD:
            return AuthFailed(_DEAD[reason])
        if reason in _LACKING and answer.status == HTTPStatus.FORBIDDEN:
            detail, right = _LACKING[reason]
            return PermissionMissing(detail, rights=(right,))
    return _by_status(answer, reasons, paged=paged)


def _by_status(answer: Response, reasons: set[str], *, paged: bool) -> ConnectorError:
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return AuthFailed(f"Google refused the credential (status {answer.status}).")
    if paged and "invalidPageToken" in reasons:
        return CursorRefused("YouTube no longer knows the place in the list.")
    if reasons & _NOT_THERE:
        return Gone("YouTube no longer shows this.")
    if answer.status == HTTPStatus.NOT_FOUND:
        return BadResponse("No YouTube API answers here: check `api_url`.")
    return BadResponse("YouTube refused our request.")


def next_midnight(now: datetime) -> datetime:
    """When the units of a project are full again: midnight Pacific, whatever their clocks do."""
    there = now.astimezone(ZoneInfo(PACIFIC))
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return midnight.astimezone(UTC)
