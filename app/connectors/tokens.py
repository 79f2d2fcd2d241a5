"""A token endpoint: asked with a form, answered with tokens or with a word for what is wrong.

RFC 6749 3.2 and 5; what is sent is made by Authlib, what is answered is read here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2.rfc6749.parameters import prepare_token_request

from app.clock import stamp
from app.connectors.asking import Http, Response
from app.connectors.failures import AuthFailed, BadResponse, ConnectorError, Gone, Transient
from app.connectors.oauth import Client, ClientAuth, Granted
from app.connectors.text import clean

LONGEST_LIFE = 10 * 366 * 86400
"""Seconds. A token that claims to live longer is taken for one without an end."""

_EXPECTED = (
    HTTPStatus.OK,
    HTTPStatus.CREATED,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
)
_CONSENT = "The platform no longer accepts what it was allowed with: connect the account again."
_APP = "The platform does not accept the app's id and secret."
_REFUSED = {
    "invalid_grant": _CONSENT,
    "access_denied": _CONSENT,
    "expired_token": _CONSENT,
    "invalid_refresh_token": _CONSENT,  # so Slack calls it
    "invalid_client": _APP,
    "unauthorized_client": _APP,
    "invalid_client_id": _APP,
    "bad_client_secret": _APP,
}
_PASSING = frozenset({"temporarily_unavailable", "server_error", "slow_down"})


class TokenRefused(AuthFailed):
    """The token endpoint refuses: `error` is its word (RFC 6749 5.2), "" for one we don't know."""

    def __init__(self, detail: str, *, error: str = "") -> None:
        super().__init__(detail)
        self.error = error


async def ask_for_token(
    http: Http,
    url: str,
    grant_type: str,
    fields: Mapping[str, str],
    *,
    client: Client,
    client_auth: ClientAuth = "body",
    client_field: str = "client_id",
) -> Response:
    """The answer of the token endpoint, which holds a JSON object without an error.

    A client with a secret proves itself as `client_auth` says, one without by its id alone.
    Raises `TokenRefused` where a person must act, and the door's own failures.
    """
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = dict(fields)
    if client.secret and client_auth == "basic":
        headers["Authorization"] = _basic(client)
    else:
        sent[client_field] = client.id
        sent["client_secret"] = client.secret  # an empty one is left out
    form = prepare_token_request(grant_type, **sent)
    try:
        answer = await http.request(
            "POST", url, headers=headers, content=form.encode("ascii"), expect=_EXPECTED
        )
    except Gone:  # of the endpoint, never of the message that was to be read with the token
        raise BadResponse("The platform has no token endpoint where we asked for one.") from None
    if (failure := failure_in(answer)) is not None:
        raise failure
    return answer


def _basic(client: Client) -> str:
    """RFC 6749 2.3.1: both are form-encoded first."""
    pair = f"{quote_plus(client.id)}:{quote_plus(client.secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"


def failure_in(answer: Response) -> ConnectorError | None:
    """What an answer of a token endpoint says is wrong; some say it with status 200."""
    refused = answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    try:
        body = answer.json()
    except BadResponse as failure:
        return TokenRefused(_APP) if refused else failure
    error = body.get("error") if isinstance(body, dict) else None
    if error or answer.status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        return _meaning(error, refused=refused)
    known = isinstance(body, dict)
    return None if known else BadResponse("The platform sent no token where one was expected.")


def _meaning(error: Any, *, refused: bool) -> ConnectorError:
    word = error if isinstance(error, str) else ""
    if word in _PASSING:
        return Transient("The platform can't give out tokens at the moment.")
    if word in _REFUSED:
        return TokenRefused(_REFUSED[word], error=word)
    if refused:
        return TokenRefused(_APP)
    if isinstance(error, dict):  # Facebook and Instagram: an object with numbers of their own
        return TokenRefused(_CONSENT)
    if type(error) is int and error == HTTPStatus.BAD_REQUEST:  # Reddit: the status once more
        return TokenRefused(_CONSENT)
    return BadResponse("The platform does not understand the request for a token.")


def fields_of(token: Mapping[str, Any], received: datetime) -> dict[str, str]:
    """`access_token`, `expires_at` (RFC 3339 in UTC, "" where none is told), and `refresh_token`
    where there is one: what a credential keeps of the answer of a token endpoint.
    """
    if not (access := _text(token, "access_token")):
        raise BadResponse("The platform sent no token where one was expected.")
    kept = {"access_token": access, "expires_at": end_of(token.get("expires_in"), received)}
    if refresh := _text(token, "refresh_token"):
        kept["refresh_token"] = refresh
    return kept


def credential_of(granted: Granted) -> dict[str, str]:
    """`fields_of` a consent, with the app's id and secret, which a renewal needs again."""
    kept = fields_of(granted.token, datetime.fromisoformat(granted.received))
    return {**kept, "client_id": granted.client.id, "client_secret": granted.client.secret}


def _text(token: Mapping[str, Any], name: str) -> str:
    value = token.get(name)
    return clean(value) if isinstance(value, str) else ""


def end_of(seconds: Any, received: datetime) -> str:
    """When something ends that was told to live so many seconds, RFC 3339 in UTC; "" where that is
    no plausible number.
    """
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdecimal():
        seconds = int(seconds[:12])
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return ""
    return stamp(received + timedelta(seconds=seconds)) if 0 < seconds <= LONGEST_LIFE else ""
