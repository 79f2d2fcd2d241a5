"""What the Bot API says is wrong, sorted into failures that say what to do next.

Every answer is `{"ok": …}`; a refusal has `error_code`, `description` and sometimes `parameters`
(Bot API, "Making requests" and ResponseParameters). The words of a description are not promised.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from app.connectors.asking import Response
from app.connectors.base import JsonObject
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    ConnectorError,
    Gone,
    PermissionMissing,
    RateLimited,
    Transient,
)
from app.connectors.limits import LONGEST_WAIT

EXPECTED = (
    HTTPStatus.OK,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS,
)
PATIENCE = 3
"""So many conflicts in a row are another program; one or two may be an earlier request of ours."""
WEBHOOK = (
    "A webhook is set for this bot: Telegram sends everything there and nothing to us. Use a bot "
    "of its own for this inbox, or remove the webhook (deleteWebhook)."
)
SECOND_READER = (
    "Another program reads this bot's messages with the same token, and what it takes we never "
    "see. Stop it, use a bot of its own for this inbox, or give the bot a new token (/revoke)."
)
_BUSY = "Another request for this bot's messages came in between; it is tried again soon."


class Moved(Gone):
    """A group has become a supergroup: `chat_id` is its id from now on."""

    def __init__(self, chat_id: int) -> None:
        super().__init__("The group has become a supergroup and has another id.")
        self.chat_id = chat_id


def result_of(answer: Response) -> Any:
    """What an answer with status 200 holds; `BadResponse` where it is none of the Bot API."""
    body = answer.json()
    if not isinstance(body, dict) or body.get("ok") is not True or "result" not in body:
        raise BadResponse("Telegram answered without a result.")
    return body["result"]


def refusal(answer: Response, conflicts: int) -> ConnectorError:
    """What a refused request means; `conflicts`: so many came in a row, this one included."""
    said = _said(answer)
    parameters = said.get("parameters")
    told: JsonObject = parameters if isinstance(parameters, dict) else {}
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return _too_many(answer, told)
    if answer.status == HTTPStatus.CONFLICT:
        return _conflict(said, conflicts)
    if answer.status == HTTPStatus.BAD_REQUEST:
        return _bad_request(said, told)
    return _not_let_in(answer.status, known=bool(said))


def _not_let_in(status: int, *, known: bool) -> ConnectorError:
    """401, 403 and 404; `known`: Telegram itself said so. It answers 404 to what is no token."""
    if status == HTTPStatus.NOT_FOUND and not known:
        return BadResponse("No Bot API answers here: check `api_url`.")
    if status == HTTPStatus.FORBIDDEN and known:
        return PermissionMissing("Telegram does not let the bot in there: it was removed.")
    return AuthFailed("Telegram does not accept this token: ask @BotFather for the present one.")


def _bad_request(said: JsonObject, told: JsonObject) -> ConnectorError:
    moved = told.get("migrate_to_chat_id")
    if type(moved) is int:
        return Moved(moved)
    if "not found" in str(said.get("description", "")).lower():
        return Gone("Telegram does not know this chat, or the bot has never been in it.")
    return BadResponse("Telegram refused our request.")


def _said(answer: Response) -> JsonObject:
    """The refusal in Telegram's own form, empty where something else has answered."""
    try:
        body = answer.json()
    except BadResponse:
        return {}
    return body if isinstance(body, dict) and body.get("ok") is False else {}


def _too_many(answer: Response, told: JsonObject) -> RateLimited:
    """Telegram says the seconds in the body; a proxy before it, in the header."""
    seconds, until = told.get("retry_after"), answer.rate_limit.retry_at
    if type(seconds) is int and seconds >= 0:
        until = answer.received_at + min(timedelta(seconds=min(seconds, 10**6)), LONGEST_WAIT)
    return RateLimited("Telegram asks us to wait.", until=until)


def _conflict(said: JsonObject, conflicts: int) -> ConnectorError:
    if "webhook" in str(said.get("description", "")).lower():
        return Blind(WEBHOOK)
    return Blind(SECOND_READER) if conflicts >= PATIENCE else Transient(_BUSY)
