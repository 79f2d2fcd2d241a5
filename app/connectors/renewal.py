"""Tokens that end: renewed before they do, or once when they are refused; stored before they are
used. For connectors of platforms with OAuth.

A credential keeps `access_token`, `refresh_token`, `expires_at` (RFC 3339 in UTC, "" for never),
`client_id` and `client_secret`, all text, "" where there is none (`tokens.credential_of`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from http import HTTPStatus

from app.connectors.asking import Http, Response
from app.connectors.base import SaveCredential
from app.connectors.failures import ConnectorError
from app.connectors.oauth import Client, ClientAuth
from app.connectors.tokens import ask_for_token, fields_of

Renew = Callable[[Http, Mapping[str, str]], Awaitable[Mapping[str, str] | None]]
"""From a stored credential, the fields that are new, or `None` where there is nothing to renew it
with. Raises `AuthFailed` where a person must connect again.
"""
AHEAD = timedelta(minutes=5)
TRY_AGAIN = timedelta(hours=1)
"""At the longest, where a token could not be renewed ahead; sooner where it has less than that."""
PATIENCE_SECONDS = 5.0
"""How long a poll that is called off waits for a renewal under way: what the platform has just
given out would be lost, and with it, often, the account. Below the time a stop may take.
"""


def by_refresh_token(
    token_url: str, *, client_auth: ClientAuth = "body", client_field: str = "client_id"
) -> Renew:
    """The usual way (RFC 6749 6): a refresh token buys the next access token, and often the next
    refresh token. A credential that was pasted has none.
    """

    async def renew(http: Http, stored: Mapping[str, str]) -> Mapping[str, str] | None:
        refresh = stored.get("refresh_token", "")
        if not refresh:
            return None
        answer = await ask_for_token(
            http,
            token_url,
            "refresh_token",
            {"refresh_token": refresh},
            client=Client(stored.get("client_id", ""), stored.get("client_secret", "")),
            client_auth=client_auth,
            client_field=client_field,
        )
        return fields_of(answer.json(), answer.received_at)

    return renew


def is_unauthorized(answer: Response) -> bool:
    return answer.status == HTTPStatus.UNAUTHORIZED


class Renewing:
    """Asks with a token that lives. `credential` holds all fields of the credential, as it is
    stored; `ahead` is how long before its end a token is renewed. `refused` tells an answer that
    refuses the token itself, not a right that it lacks: 401 unless the platform says it otherwise.
    `on_refusal` false: a token that has ended can't be renewed any more, only a living one.
    `unknown_ends`: one of which nobody said when it ends, since it was pasted, is renewed as soon
    as it can be.

    There is no clock here: that a token ends soon is seen from when an answer was received. So the
    first request of a poll may meet a token that has ended; it is renewed then, and asked again.
    """

    def __init__(
        self,
        *,
        credential: Mapping[str, str],
        renew: Renew,
        http: Http,
        save_credential: SaveCredential,
        ahead: timedelta = AHEAD,
        refused: Callable[[Response], bool] = is_unauthorized,
        on_refusal: bool = True,
        unknown_ends: bool = False,
    ) -> None:
        self._fields = dict(credential)
        self._renew = renew
        self._http = http
        self._save = save_credential
        self._ahead = ahead
        self._refused = refused
        self._on_refusal = on_refusal
        self._unknown_ends = unknown_ends
        self._one_at_a_time = asyncio.Lock()
        self._tried_at: datetime | None = None

    @property
    def fields(self) -> Mapping[str, str]:
        """The credential as it is by now."""
        return self._fields

    @property
    def expires_at(self) -> datetime | None:
        """When the present access token ends, as far as the platform told."""
        return _moment(self._fields.get("expires_at", ""))

    async def ask(self, send: Callable[[str], Awaitable[Response]]) -> Response:
        """The answer to `send(access_token)`, which is sent once more after a renewal where the
        token was refused. `send` takes refusals as answers (`expect=(200, 401)`), and what is
        refused again is the answer: what it means is for the connector to say. Where there is no
        token yet, the first is got before anything is asked.
        """
        used = self._fields["access_token"] or await self._renewed("")
        answer = await send(used)
        if self._on_refusal and self._refused(answer):
            fresh = await self._renewed(used)
            return answer if fresh == used else await send(fresh)
        await self._renew_ahead(used, answer)
        return answer

    async def _renew_ahead(self, used: str, answer: Response) -> None:
        """Not with every request, and a failure costs nothing yet: the token lives for a while."""
        ends, now = self.expires_at, answer.received_at
        if not self._unknown_ends if ends is None else now < ends - self._ahead:
            return
        pause = min(TRY_AGAIN, self._ahead / 5)
        if self._tried_at is not None and now < self._tried_at + pause:
            return
        self._tried_at = now
        with suppress(ConnectorError):
            await self._renewed(used)

    async def _renewed(self, used: str) -> str:
        """An access token other than `used`, or `used` where there is nothing to renew it with."""
        async with self._one_at_a_time:
            if self._fields["access_token"] == used:
                await _finish(self._renew_stored(used))
            return self._fields["access_token"]

    async def _renew_stored(self, used: str) -> None:
        async with self._save.renewing() as stored:
            if stored is not None:
                self._fields = dict(stored)  # renewed by another process, or replaced by a person
            if self._fields["access_token"] != used:
                return
            new = await self._renew(self._http, self._fields)
            if new is None:
                return
            fields = {**self._fields, **new}
            await self._save(fields)  # first stored, then used: it may be good for one use only
            self._fields = fields


async def _finish(work: Awaitable[None]) -> None:
    """Waits for `work`; where the waiting is called off, `work` may still end, for a while."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # looked at: nobody is left to be told
        raise


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
