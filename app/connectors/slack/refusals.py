"""What Slack says is wrong: status 200 with `{"ok": false, "error": …}`, sorted by what to do next.

The words are those of the method pages (auth.test, conversations.history, conversations.replies).
A status of 429 with `Retry-After` is left to the door.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Any

from app.connectors.asking import Response
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
from app.connectors.fields import find_text

EXPECTED = (HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
EXPIRED = "token_expired"
MEMBERSHIP = "membership of the channel"
WRONG_KIND = (
    "Slack does not take this kind of token here: use the Bot User OAuth Token (xoxb-…) of the app."
)
_RECONNECT = "Slack no longer accepts the token: install the app again and give its new token."
_DEAD = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "account_inactive", "org_login_required"}
    | {EXPIRED, "team_access_not_granted", "two_factor_setup_required"}
)
_WRONG_KIND = "not_allowed_token_type"
_OUTSIDE = {
    "not_in_channel": "The bot is not in the channel: write /invite and its @name there.",
    # Said as well of a private channel that the bot was taken out of: nothing in it is deleted.
    "channel_not_found": "The bot is not in the channel, or there is none: write /invite there.",
    "is_archived": "The channel is archived.",
    "access_denied": "Slack lets the app not into this channel.",
    "no_permission": "Slack lets the app not into this channel.",
    "method_not_supported_for_channel_type": "Slack shows no history of a channel of this kind.",
}
_GONE = frozenset({"thread_not_found", "message_not_found"})
_PASSING = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
_WORD = re.compile(r"[a-z_]{1,60}")


def body_of(answer: Response) -> JsonObject:
    """The answer as an object; `BadResponse` where it is none of Slack's, which has no 401."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        raise AuthFailed(_RECONNECT)
    if answer.status != HTTPStatus.OK:
        raise BadResponse("No Slack API answers here: check `api_url`.")
    body = answer.json()
    if not isinstance(body, dict) or type(body.get("ok")) is not bool:
        raise BadResponse("Slack answered with something that is no answer of its API.")
    return body


def is_expired(answer: Response) -> bool:
    """Whether the token itself has ended: only where an app rotates its tokens."""
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return True
    try:
        body: Any = answer.json() if answer.status == HTTPStatus.OK else None
    except BadResponse:
        return False
    return isinstance(body, dict) and body.get("ok") is False and body.get("error") == EXPIRED


def refusal(body: JsonObject, *, paged: bool) -> ConnectorError:
    """What an answer that is not ok means; `paged`: the request carried a cursor."""
    word = find_text(body, "error")
    if word in _DEAD:
        return AuthFailed(_RECONNECT)
    if word == _WRONG_KIND:
        return Blind(WRONG_KIND)
    if word == "missing_scope":
        needed = find_text(body, "needed") or "a scope"
        return PermissionMissing(
            f"The app lacks {needed}: add it, install it again.", rights=(needed,)
        )
    if word in _OUTSIDE:
        return PermissionMissing(_OUTSIDE[word], rights=(MEMBERSHIP,))
    return _of_the_request(word, paged=paged)


def _of_the_request(word: str, *, paged: bool) -> ConnectorError:
    if word in _GONE:
        return Gone("Slack no longer shows this message.")
    if word in {"ratelimited", "rate_limited"}:
        return RateLimited("Slack asks us to wait.")
    if word in _PASSING:
        return Transient("Slack has a failure of its own.")
    if word == "invalid_cursor" and paged:
        return CursorRefused("Slack no longer knows the place in the list.")
    shown = f" ({word})" if _WORD.fullmatch(word) else ""
    return BadResponse(f"Slack refused our request{shown}.")
