"""What Discord says is wrong, by its codes, sorted into failures that say what to do next.

Codes: API docs, "Opcodes and Status Codes". 429 is left to the door: Discord sends `Retry-After`.
"""

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

EXPECTED = (
    HTTPStatus.OK,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
)
VIEW, HISTORY = "View Channels", "Read Message History"
UNKNOWN_CHANNEL, UNKNOWN_SERVER, UNKNOWN_MESSAGE = 10003, 10004, 10008
MISSING_ACCESS, MISSING_PERMISSION = 50001, 50013
NOT_ON_THIS_TYPE = 50024
_GONE = {
    UNKNOWN_CHANNEL: "The channel is deleted, or the bot has never seen it.",
    UNKNOWN_SERVER: "The server is deleted, or the bot is not in it.",
    UNKNOWN_MESSAGE: "The message is deleted.",
}


class NotThere(BadResponse):
    """A channel of this type has no such list."""


def refusal(answer: Response) -> ConnectorError:
    """What a refused request means. Thousands of refusals in ten minutes shut an address out, so
    none of these is tried again at once.
    """
    code = _code(answer)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return AuthFailed("Discord does not accept the bot's token: make a new one (Reset Token).")
    if answer.status == HTTPStatus.FORBIDDEN:
        return _forbidden(code)
    if code in _GONE and answer.status == HTTPStatus.NOT_FOUND:
        return Gone(_GONE[code])
    if answer.status == HTTPStatus.NOT_FOUND:
        return BadResponse("No Discord API answers here: check `api_url`.")
    if code == NOT_ON_THIS_TYPE:
        return NotThere("Discord has no such list for a channel of this type.")
    return BadResponse(f"Discord refused our request (code {code}).")


def _forbidden(code: int) -> ConnectorError:
    if code == MISSING_ACCESS:
        detail = "The bot may not see the channel, or is not in the server."
        return PermissionMissing(detail, rights=(VIEW,))
    if code == MISSING_PERMISSION:
        return PermissionMissing("The bot may not read this channel.", rights=(HISTORY,))
    return AuthFailed("Discord refused the bot.")


def _code(answer: Response) -> int:
    try:
        body: Any = answer.json()
    except BadResponse:
        return 0
    code = body.get("code") if isinstance(body, dict) else None
    return code if type(code) is int else 0
