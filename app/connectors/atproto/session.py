"""A session with a personal data server: kept, renewed once for all who wait, made anew rarely."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from app.connectors.asking import Http, Response
from app.connectors.base import JsonObject, SaveCredential
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    ConnectorError,
    CursorRefused,
    Gone,
    RateLimited,
    Transient,
)

EXPECTED = (
    HTTPStatus.OK,
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.NOT_IMPLEMENTED,  # never worth a second try, unlike the other server errors
)
_TOKEN_FIELDS = ("accessJwt", "refreshJwt", "did")
_DEAD = "The account is deactivated, suspended or taken down."
_NOT_LET_IN = (
    "The server refuses the handle or the app password: make a new one. If the account lives on "
    "another server than bsky.social, its address belongs into `service`."
)
_DELETED = "It is deleted, or its author's account is."
_REFUSED = frozenset(
    {
        "ExpiredToken",
        "InvalidToken",
        "AuthMissing",
        "AuthenticationRequired",
        "ScopeMissingError",
        # The words of OAuth (RFC 6749 5.2, RFC 6750 3.1), which servers use beside their own:
        "invalid_grant",
        "invalid_token",
        "insufficient_scope",
    }
)
_DEAD_ACCOUNT = (
    "AccountTakedown",
    "AccountDeactivated",
    "AccountSuspended",
    "AccountNotFound",
    "RepoTakendown",
)
_GONE_WITH_OTHERS = frozenset({*_DEAD_ACCOUNT, "RepoNotFound", "RepoDeactivated", "RepoSuspended"})
"""What the name of an error says of an account that is not ours."""
_NOTHING_THERE = ("could not locate record", "could not find repo", "profile not found")
"""How the message of a nameless InvalidRequest begins where a record or an account is gone."""
_LONGEST_REFUSAL = 4096
"""Bytes. A longer body that was answered with 200 is content."""
_MEANING: dict[str, tuple[type[ConnectorError], str]] = {
    **dict.fromkeys(
        _REFUSED,
        (AuthFailed, "The server refuses the app password or its session: make a new one."),
    ),
    "AuthFactorTokenRequired": (
        AuthFailed,
        "This is the account's main password: make an app password and use that.",
    ),
    **dict.fromkeys(_DEAD_ACCOUNT, (AuthFailed, _DEAD)),
    "NotFound": (Gone, _DELETED),
    "RecordNotFound": (Gone, _DELETED),
    "RateLimitExceeded": (RateLimited, "The server asks to wait."),
    "UpstreamFailure": (Transient, "The server could not reach the service behind it."),
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the server gave: an access token for 2 h, a refresh token for 90 days and one use."""

    access: str
    refresh: str
    did: str


def error_name(answer: Response) -> str:
    """The `error` of an XRPC answer; "" where there is none. The status alone says too little:
    an expired token answers 400, and a server in between may make a 200 of it.
    """
    if answer.status == HTTPStatus.OK and len(answer.content) > _LONGEST_REFUSAL:
        return ""
    try:
        body = answer.json()
    except BadResponse:
        return ""
    name = body.get("error") if isinstance(body, dict) else None
    return name if isinstance(name, str) else ""


def _is_well(answer: Response) -> bool:
    return answer.status == HTTPStatus.OK and not error_name(answer)


def failure(answer: Response, *, paged: bool = False, of_others: bool = False) -> ConnectorError:
    """What to do about a refusal, by the name of its error. `paged`: a cursor was sent;
    `of_others`: a single thing of somebody else was asked for, who may be gone as well.
    """
    if of_others and _is_gone(answer):
        return Gone(_DELETED)
    meant = _MEANING.get(error_name(answer))
    if meant is not None and not (paged and meant[0] is Transient):
        return meant[0](meant[1])
    if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return AuthFailed("The server refuses the app password or its session.")
    if paged:
        return CursorRefused("The server does not take the cursor any more.")
    return BadResponse("The server does not understand the request: is this a Bluesky service?")


def _is_gone(answer: Response) -> bool:
    """Whether what belongs to somebody else is gone. 401 and 403 speak of our own account."""
    name = error_name(answer)
    if answer.status == HTTPStatus.NOT_FOUND:
        return True
    if answer.status != HTTPStatus.BAD_REQUEST:
        return False
    if name in _GONE_WITH_OTHERS:
        return True
    said = answer.json().get("message") if name == "InvalidRequest" else None
    return isinstance(said, str) and said.lower().startswith(_NOTHING_THERE)


class Session:
    """Asks XRPC methods as one account. Failed log-ins count against the account, so a log-in is
    tried once where there is no session or its refresh token was refused, and never per poll.
    """

    def __init__(
        self,
        *,
        service: str,
        identifier: str,
        password: str,
        tokens: Tokens | None,
        http: Http,
        save_credential: SaveCredential,
    ) -> None:
        self._service = service
        self._identifier = identifier
        self._password = password
        self._tokens = tokens
        self._http = http
        self._save = save_credential
        self._renewing = asyncio.Lock()

    async def did(self) -> str:
        """Who we are, from the session; no request where there is one."""
        return (self._tokens or await self._renewed(None)).did

    async def get(
        self,
        method: str,
        params: Iterable[tuple[str, str]] = (),
        *,
        paged: bool = False,
        of_others: bool = False,
    ) -> Response:
        """The answer of a query method, after at most one renewal of the session."""
        query = tuple(params)
        tokens = self._tokens or await self._renewed(None)
        answer = await self._send("GET", method, tokens.access, query, paged=paged)
        if error_name(answer) == "ExpiredToken":
            tokens = await self._renewed(tokens)
            answer = await self._send("GET", method, tokens.access, query, paged=paged)
        if not _is_well(answer):
            raise failure(answer, paged=paged, of_others=of_others)
        return answer

    async def _send(
        self,
        verb: Literal["GET", "POST"],
        method: str,
        token: str | None,
        params: Sequence[tuple[str, str]] = (),
        *,
        json: JsonObject | None = None,
        paged: bool = False,
    ) -> Response:
        return await self._http.request(
            verb,
            f"{self._service}/xrpc/{method}",
            params=params,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            json=json,
            expect=(*EXPECTED, HTTPStatus.BAD_GATEWAY) if paged else EXPECTED,
        )

    async def _renewed(self, used: Tokens | None) -> Tokens:
        """Tokens other than `used`. One at a time: a refresh token is good for one use."""
        async with self._renewing:
            if self._tokens is None or self._tokens is used:
                async with self._save.renewing() as stored:
                    self._tokens = self._of_others(stored, used) or await self._fresh(used)
            return self._tokens

    def _of_others(self, stored: Mapping[str, str] | None, used: Tokens | None) -> Tokens | None:
        """The tokens that are stored by now, where another process has renewed them."""
        if stored is None:
            return None
        self._password = stored["app_password"]
        tokens = tokens_of(stored)
        return None if tokens is None or tokens == used else tokens

    async def _fresh(self, used: Tokens | None) -> Tokens:
        """New tokens from the server, stored."""
        fresh = await self._refreshed(used) if used and used.refresh else None
        fresh = fresh or await self._logged_in()
        await self._save(
            {
                "app_password": self._password,
                "access_jwt": fresh.access,
                "refresh_jwt": fresh.refresh,
                "did": fresh.did,
            }
        )
        return fresh

    async def _refreshed(self, used: Tokens) -> Tokens | None:
        """New tokens, or `None` where the refresh token itself is refused."""
        answer = await self._send("POST", "com.atproto.server.refreshSession", used.refresh)
        if _is_well(answer):
            return parse_tokens(answer)
        name = error_name(answer)
        if name in _REFUSED or (answer.status == HTTPStatus.UNAUTHORIZED and name not in _MEANING):
            return None
        raise failure(answer)

    async def _logged_in(self) -> Tokens:
        answer = await self._send(
            "POST",
            "com.atproto.server.createSession",
            None,
            json={"identifier": self._identifier, "password": self._password},
        )
        if error_name(answer) == "AuthenticationRequired":
            raise AuthFailed(_NOT_LET_IN)
        if not _is_well(answer):
            raise failure(answer)
        return parse_tokens(answer)


def tokens_of(stored: Mapping[str, str]) -> Tokens | None:
    """The session in a credential, or `None` where there is none yet."""
    if not stored.get("access_jwt") or not stored.get("did"):
        return None
    return Tokens(stored["access_jwt"], stored.get("refresh_jwt", ""), stored["did"])


def parse_tokens(answer: Response) -> Tokens:
    """The tokens of createSession and refreshSession; `active: false` is a dead account."""
    body = answer.json()
    found = [body.get(each) if isinstance(body, dict) else None for each in _TOKEN_FIELDS]
    access, refresh, did = (each if isinstance(each, str) else "" for each in found)
    if not access or not refresh or not did:
        raise BadResponse("The server sent no session: is this a Bluesky service?")
    if body.get("active") is False:
        raise AuthFailed(_DEAD)
    return Tokens(access, refresh, did)
