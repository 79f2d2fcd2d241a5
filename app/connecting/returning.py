"""A person comes back from a platform's page: who it was, what was said, what it opens.

The return carries no token of ours. The state proves which way it belongs to; it is good once.
Nothing of the platform's own words is shown or stored, and no source is stored here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row

from app.clock import stamp
from app.connecting import keeping, repository
from app.connecting.browsers import is_bound
from app.connecting.clients import Clients
from app.connecting.fitting import partial_settings
from app.connecting.protocol import BadReturn, Returned, is_of, read_return
from app.connectors.asking import Http
from app.connectors.base import Platform
from app.connectors.failures import BadResponse, ConnectorError
from app.connectors.oauth import Account, Code, Granted, OAuth
from app.connectors.registry import PLATFORMS
from app.connectors.text import clean
from app.connectors.tokens import TokenRefused, ask_for_token
from app.sources.connecting import SHORTEST_SECRET, Connecting
from app.team.audit.entry import noted
from app.team.tokens import hash_of

KEPT = timedelta(hours=1)
"""What was allowed, for whoever began it to choose an account and a name."""
MOST_ACCOUNTS = 500
_GO_BACK = "Nothing was stored. Go back to where you began, and begin again."
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the person is told. Plain text, and nothing of it is the platform's."""

    ok: bool
    title: str
    text: str


class NotAllowed(Exception):
    """The way ends here: `code` and a sentence, for whoever began it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Returning:
    """`secure`: browsers reach this service by https."""

    connecting: Connecting
    clients: Clients
    secure: bool

    async def come_back(
        self, name: str, params: Sequence[tuple[str, str]], cookies: Mapping[str, str]
    ) -> Outcome:
        """Takes the return of a platform; what it means for the person who came with it."""
        platform = PLATFORMS.get(name)
        try:
            returned = read_return(params)
        except BadReturn:
            return _refused("This is no way back", "The address is not one a platform sends.")
        if platform is None or platform.oauth is None:
            return _refused("This is no way back", "There is no such platform here.")
        if await self._is_foreign(name, returned.state, cookies):
            return _ELSEWHERE
        row, now = await self._claim(name, returned.state), self.connecting.clock.now()
        if row is None or row.status != "waiting" or row.expires_at <= now:
            return _not_waiting(row)
        try:
            accounts = await self._allowed(platform, platform.oauth, row, returned)
        except NotAllowed as end:
            await self._end(row, end.code, end.detail)
            return _refused(f"{platform.title} was not connected", end.detail)
        await self._keep(row, accounts)
        return Outcome(
            ok=True,
            title=f"{platform.title} has allowed it",
            text="Go back to where you began: it is finished there. This window can be closed.",
        )

    async def _is_foreign(self, name: str, state: str, cookies: Mapping[str, str]) -> bool:
        """Whether it waits for another browser than the one that came; it goes on waiting then."""
        row = await repository.find_by_state(self.connecting.db, name, hash_of(state))
        if row is None or row.status != "waiting":
            return False
        proof = keeping.proof_of(self.connecting, row)
        return not is_bound(cookies, row.id, proof, secure=self.secure)

    async def _claim(self, name: str, state: str) -> Row[Any] | None:
        """The way of this state as it stood; of those that come with it, one goes on."""
        db, now = self.connecting.db, self.connecting.clock.now()
        row = await repository.find_by_state(db, name, hash_of(state))
        if row is None or row.status != "waiting" or row.expires_at <= now:
            return row
        async with db.write() as tx:
            if await repository.move(tx, row.id, ("waiting",), "asking", now=now):
                return row
        return await repository.find_by_state(db, name, hash_of(state))

    async def _allowed(
        self, platform: Platform, oauth: OAuth, row: Row[Any], returned: Returned
    ) -> Sequence[Account]:
        """What the consent opens. Raises `NotAllowed`."""
        settings = partial_settings(platform, row.settings, oauth.chosen)
        if returned.issuer and not is_of(returned.issuer, oauth.endpoints(settings)):
            raise NotAllowed(
                "wrong_issuer",
                "Another server answered than the one that was asked (RFC 9207). Nothing was "
                "sent to either of them.",
            )
        if returned.error:
            raise _said(platform, returned.error)
        proof = keeping.proof_of(self.connecting, row)
        try:
            return await self._opened(oauth, settings, row, proof, returned.code)
        except NotAllowed:
            raise
        except TokenRefused as refusal:
            raise await self._of_refusal(platform, row, refusal) from None
        except ConnectorError as failure:
            raise NotAllowed(failure.code, failure.detail) from None
        except Exception:  # noqa: BLE001  # a defect of one platform is no defect of the service
            _log.exception("a consent could not be read", platform=platform.name)
            detail = "Its answer could not be read; the log tells more."
            raise NotAllowed(BadResponse.code, detail) from None

    async def _opened(
        self, oauth: OAuth, settings: Any, row: Row[Any], proof: keeping.Proof, code: str
    ) -> Sequence[Account]:
        client = proof.client(row)
        secrets = [each for each in (code, proof.secret, proof.verifier) if _is_secret(each)]
        door = self.connecting.door
        asked = Code(settings, client, code, row.redirect_uri)
        verifier = proof.verifier if oauth.pkce else ""
        token, received = await _exchanged(door.for_source(secrets=secrets), oauth, asked, verifier)
        secrets += [each for each in token.values() if isinstance(each, str) and _is_secret(each)]
        granted = Granted(settings, client, token, stamp(received))
        accounts = await oauth.accounts(door.for_source(secrets=secrets), granted)
        if not accounts:
            raise NotAllowed("no_account", "It opens no account that could be read.")
        return accounts[:MOST_ACCOUNTS]

    async def _of_refusal(
        self, platform: Platform, row: Row[Any], refusal: TokenRefused
    ) -> NotAllowed:
        if refusal.error == "invalid_grant":
            detail = f"{platform.title} no longer takes the code it gave: it is good once, briefly."
            return NotAllowed("code_refused", detail)
        if refusal.error in {"invalid_client", "unauthorized_client", ""}:
            await self.clients.forget(platform.name, row.client_id)
        return NotAllowed(refusal.code, refusal.detail)

    async def _keep(self, row: Row[Any], accounts: Sequence[Account]) -> None:
        shown = [
            {"id": clean(each.external_id), "handle": clean(each.handle), "name": clean(each.name)}
            for each in accounts
        ]
        values = {
            "status": "allowed",
            "accounts": shown,
            "sealed": keeping.seal_accounts(self.connecting, row.id, accounts),
            "expires_at": self.connecting.clock.now() + KEPT,
        }
        async with self.connecting.db.write() as tx:
            await repository.change_connection(tx, row.id, values)
            noted(tx, "connection", row.id, accounts=len(shown))

    async def _end(self, row: Row[Any], code: str, detail: str) -> None:
        _log.info("a platform was not connected", platform=row.platform, code=code)
        values = {"status": "failed", "sealed": None, "error_code": code, "error_detail": detail}
        async with self.connecting.db.write() as tx:
            await repository.change_connection(tx, row.id, values)
            noted(tx, "connection", row.id, error=code)


async def _exchanged(
    http: Http, oauth: OAuth, asked: Code, verifier: str
) -> tuple[Mapping[str, Any], datetime]:
    """What the token endpoint answers to a code, and when."""
    if oauth.exchange is not None:
        return await oauth.exchange(http, asked)
    fields = {"code": asked.code, "redirect_uri": asked.redirect_uri}
    if verifier:
        fields["code_verifier"] = verifier
    answer = await ask_for_token(
        http,
        oauth.endpoints(asked.settings).token,
        "authorization_code",
        fields,
        client=asked.client,
        client_auth=oauth.client_auth,
        client_field=oauth.client_field,
    )
    return answer.json(), answer.received_at


def _is_secret(text: str) -> bool:
    return len(text) >= 2 * SHORTEST_SECRET  # "Bearer" and scopes are words of sentences too


def _refused(title: str, text: str) -> Outcome:
    return Outcome(ok=False, title=title, text=f"{text} {_GO_BACK}")


def _not_waiting(row: Row[Any] | None) -> Outcome:
    if row is None:
        return _refused("This is no way back", "It belongs to nothing that was begun here.")
    if row.status == "waiting":
        return _refused("This came too late", "A way back is good for ten minutes.")
    return Outcome(
        ok=False,
        title="This was used already",
        text="A way back is good once. What it brought the first time is where you began.",
    )


_ELSEWHERE = Outcome(
    ok=False,
    title="This was begun elsewhere",
    text="Nothing was stored. If you have begun it in another browser, allow it there. If a "
    "command line waits for you, paste the address of this page there. If somebody else sent you "
    "here, close this page.",
)

NOT_OPEN = Outcome(
    ok=False,
    title="This is no longer open",
    text="The address is good for ten minutes, until it was allowed. Begin again.",
)

_ERRORS = {
    "access_denied": ("access_denied", "It was not allowed on the platform's page."),
    "invalid_scope": ("refused", "The platform does not give your app the rights that are needed."),
    "unauthorized_client": ("refused", "The platform does not let your app ask for this."),
    "invalid_request": ("refused", "The platform did not understand what it was asked."),
    "temporarily_unavailable": ("transient", "The platform could not do it at the moment."),
    "server_error": ("transient", "The platform had a failure of its own."),
}


def _said(platform: Platform, error: str) -> NotAllowed:
    """By the words of RFC 6749 4.1.2.1; others are not repeated: anybody can write them there."""
    unknown = ("refused", f"{platform.title} refused, in a word of its own.")
    return NotAllowed(*_ERRORS.get(error, unknown))
