"""The way through a platform's page: begun by somebody, and finished by the same.

The state proves which way a return belongs to; it is kept as a hash, is good once, and for ten
minutes. What was allowed is sealed and waits; a source is stored when who began it goes on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Row

from app.connecting import keeping, repository
from app.connecting.browsers import is_ticket, ticket_of
from app.connecting.clients import Clients
from app.connecting.fitting import partial_settings, with_oauth
from app.connecting.protocol import address_of, new_secret
from app.connectors.base import Check, Platform
from app.connectors.keeping import NotStored
from app.connectors.oauth import Client
from app.errors import Conflict, FieldError, InvalidRequest, NotFound
from app.outbox.events import Actor
from app.scope import Scope
from app.sources.connecting import (
    Connecting,
    platform_named,
    read_credential,
    read_settings,
)
from app.sources.drafts import Changes, NewSource
from app.sources.repository import get_source
from app.sources.service import Sources
from app.team.audit.entry import noted
from app.team.tokens import hash_of

WAITS = timedelta(minutes=10)
"""For a person at the platform's page."""
_TOKENS = frozenset({"access_token", "refresh_token", "expires_at"})
OPEN = frozenset({"waiting", "asking", "allowed", "saving"})


@dataclass(frozen=True, slots=True)
class Begin:
    """What is asked for; `client` is the operator's app, `source_id` one to connect again."""

    settings: Mapping[str, Any]
    client: Client | None = None
    source_id: int | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """A way's row, and its proof, which holds where a person is sent."""

    row: Row[Any]
    proof: keeping.Proof


@dataclass(frozen=True, slots=True)
class Finish:
    """Which of the accounts, and of a new source what else is to be known; see `NewSource`."""

    account: str | None = None
    name: str | None = None
    poll_interval: int | None = None
    backfill: timedelta | None = None
    backlog_after: timedelta | None = None
    also_us: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    budget: float | None = None


@dataclass(frozen=True, slots=True)
class Connections:
    """`base_url` is where browsers reach this service, without a slash at its end."""

    connecting: Connecting
    sources: Sources
    clients: Clients
    base_url: str

    def redirect_uri(self, platform: str) -> str:
        """Where a platform sends people back to: to be registered there to the letter."""
        _, oauth = with_oauth(platform)
        slash = "/" if oauth.ends_with_slash else ""
        return f"{self.base_url}/connect/{platform}/callback{slash}"

    async def begin(self, scope: Scope, name: str, asked: Begin, actor: Actor) -> Begun:
        """Raises `NotFound`, `InvalidRequest`, `Conflict`, and a connector's failures where an app
        must be made on a server first.
        """
        platform, oauth = with_oauth(name)
        settings, before = await self._present(scope, platform, asked)
        read = partial_settings(platform, settings, oauth.chosen)
        endpoints, redirect_uri = oauth.endpoints(read), self.redirect_uri(name)
        client = await self.clients.choose(
            platform,
            read,
            endpoints,
            redirect_uri=redirect_uri,
            given=asked.client,
            before=before,
        )
        random = self.connecting.random
        state, verifier = new_secret(random), new_secret(random)
        values = {
            "platform": name,
            "state_hash": hash_of(state),
            "started_by": _ref(actor),
            "source_id": asked.source_id,
            "settings": dict(settings),
            "redirect_uri": redirect_uri,
            "client_id": client.id,
        }
        address = address_of(
            oauth,
            endpoints,
            client,
            scopes=oauth.scopes if oauth.scopes_of is None else oauth.scopes_of(read),
            redirect_uri=redirect_uri,
            state=state,
            verifier=verifier,
        )
        proof = keeping.Proof(verifier, client.secret, new_secret(random), address)
        row_id = await self._store(values, proof)
        return Begun(await self.get(name, row_id, actor), proof)

    @property
    def secure(self) -> bool:
        """Whether browsers reach this service by https."""
        return self.base_url.startswith("https://")

    def open_url(self, row: Row[Any], proof: keeping.Proof) -> str:
        """A page of ours that ties the way to the browser it is opened in."""
        return f"{self.base_url}/connect/{row.platform}/{row.id}/open?ticket={ticket_of(proof)}"

    async def open(self, platform: str, row_id: int, ticket: str) -> Begun | None:
        """The way that is open still and fits the ticket."""
        row = await repository.find_by_id(self.connecting.db, platform, row_id)
        now = self.connecting.clock.now()
        if row is None or row.status != "waiting" or row.expires_at <= now:
            return None
        proof = keeping.proof_of(self.connecting, row)
        return Begun(row, proof) if is_ticket(ticket, proof) else None

    async def _present(
        self, scope: Scope, platform: Platform, asked: Begin
    ) -> tuple[Mapping[str, Any], Client | None]:
        """The settings to begin with, and the app that a source was connected with before."""
        if asked.source_id is None:
            return asked.settings, None
        row = await get_source(self.connecting.db, scope, asked.source_id)
        if row.platform != platform.name:
            raise Conflict(f"{row.name!r} is no source of {platform.title}.")
        if asked.settings:
            detail = "A source that is connected again keeps its settings; leave them out."
            raise InvalidRequest(detail, errors=[FieldError("/settings", "unexpected", detail)])
        stored = self.connecting.unseal(row) or {}
        client_id = str(stored.get("client_id") or "")
        before = Client(client_id, str(stored.get("client_secret") or "")) if client_id else None
        return row.settings, before

    async def _store(self, values: Mapping[str, Any], proof: keeping.Proof) -> int:
        now = self.connecting.clock.now()
        times = {"created_at": now, "expires_at": now + WAITS}
        async with self.connecting.db.write() as tx:
            new = {**values, **times, "status": "waiting", "accounts": []}
            row_id = await repository.add_connection(tx, new)
            # Sealed for its row, so the row's id must exist first.
            sealed = keeping.seal_proof(self.connecting, row_id, proof)
            await repository.change_connection(tx, row_id, {"sealed": sealed})
            noted(tx, "connection", row_id)
        return row_id

    async def get(self, platform: str, row_id: int, actor: Actor) -> Row[Any]:
        """One that this very person or token has begun; `NotFound` for any other."""
        found = await repository.find_connection(self.connecting.db, platform, row_id, _ref(actor))
        if found is None:
            raise NotFound("There is nothing of that number that you have begun to connect.")
        return found

    async def give_up(self, platform: str, row_id: int, actor: Actor) -> None:
        """Forgets a way with all that was allowed on it; a source that came of it stays."""
        row = await self.get(platform, row_id, actor)
        async with self.connecting.db.write() as tx:
            await repository.remove_connection(tx, row.id)
            noted(tx)

    async def check(
        self, scope: Scope, platform: str, row_id: int, asked: Finish, actor: Actor
    ) -> Check:
        """Identity and rights of an account that was opened, before anything is stored.

        Raises `NotFound`, `Conflict`, `InvalidRequest` and the connector's own failures.
        """
        row, now = await self.get(platform, row_id, actor), self.connecting.clock.now()
        if status_of(row, now) != "allowed":
            raise _not_allowed(status_of(row, now))
        account = self._chosen(row, asked, await self._present_id(scope, row))
        found = platform_named(platform)
        settings = read_settings(found, {**row.settings, **account.settings})
        keep = NotStored()
        credential = read_credential(found, account.credential)
        try:
            return await self.connecting.connector(found, settings, credential, keep).check()
        finally:
            if keep.renewed:
                await self._keep_renewed(row, account, keep.renewed)

    async def _keep_renewed(
        self, row: Row[Any], account: keeping.Opened, renewed: Mapping[str, str]
    ) -> None:
        """A refresh token is good once: what the check has renewed is what is finished with, also
        for other accounts that were opened by the same tokens.
        """
        tokens = {name: text for name, text in renewed.items() if name in _TOKENS}
        old = account.credential.get("refresh_token")
        accounts = [
            replace(each, credential={**each.credential, **tokens})
            if each == account or (old and each.credential.get("refresh_token") == old)
            else each
            for each in keeping.accounts_of(self.connecting, row)
        ]
        async with self.connecting.db.write() as tx:
            sealed = keeping.seal_opened(self.connecting, row.id, accounts)
            await repository.change_connection(tx, row.id, {"sealed": sealed})

    async def finish(
        self, scope: Scope, platform: str, row_id: int, asked: Finish, actor: Actor
    ) -> int:
        """Checks and stores what was allowed: a new source, or the one that is connected again.
        Returns its id. What fails leaves what was allowed, to be tried again.

        Raises `NotFound`, `Conflict`, `InvalidRequest` and the connector's own failures.
        """
        row = await self.get(platform, row_id, actor)
        async with self._saving(row):
            account = self._chosen(row, asked, await self._present_id(scope, row))
            if row.source_id is None:
                source_id = await self._connect(row, account, asked, actor)
            else:
                source_id = row.source_id
                await self._reconnect(scope, row, account, actor)
            values = {"status": "connected", "sealed": None, "source_id": source_id}
            async with self.connecting.db.write() as tx:
                await repository.change_connection(tx, row.id, values)
                noted(tx, "source", source_id)
        return source_id

    @asynccontextmanager
    async def _saving(self, row: Row[Any]) -> AsyncIterator[None]:
        """Of two who finish at once, one does. `Conflict` where there is nothing to finish."""
        db, now = self.connecting.db, self.connecting.clock.now()
        async with db.write() as tx:
            moved = await repository.move(tx, row.id, ("allowed",), "saving", now=now)
        if not moved:
            raise _not_allowed(status_of(row, now))
        try:
            yield
        except BaseException:
            async with db.write() as tx:
                await repository.move(tx, row.id, ("saving",), "allowed", now=now)
            raise

    async def _present_id(self, scope: Scope, row: Row[Any]) -> str | None:
        """The id of the account that a source reads which is connected again."""
        if row.source_id is None:
            return None
        source = await get_source(self.connecting.db, scope, row.source_id)
        return (source.identity or {}).get("id")

    def _chosen(self, row: Row[Any], asked: Finish, present: str | None) -> keeping.Opened:
        accounts = keeping.accounts_of(self.connecting, row)
        wanted = asked.account or (present if len(accounts) > 1 else None)
        if wanted is None and len(accounts) == 1:
            return accounts[0]
        for account in accounts:
            if account.external_id == wanted:
                return account
        known = ", ".join(account.external_id for account in accounts)
        detail = f"Say which account: {known}."
        raise InvalidRequest(detail, errors=[FieldError("/account", "missing", detail)])

    async def _connect(
        self, row: Row[Any], account: keeping.Opened, asked: Finish, actor: Actor
    ) -> int:
        if asked.name is None:
            detail = "A new source needs a name."
            raise InvalidRequest(detail, errors=[FieldError("/name", "missing", detail)])
        options = {each.name: getattr(asked, each.name) for each in fields(Finish)}
        del options["account"]
        new = NewSource(
            platform=row.platform,
            settings={**row.settings, **account.settings},
            credential=account.credential,
            **options,
        )
        return await self.sources.connect(new, actor)

    async def _reconnect(
        self, scope: Scope, row: Row[Any], account: keeping.Opened, actor: Actor
    ) -> None:
        """The source stays with its items and cursors; another account's credential is refused."""
        settings = {**row.settings, **account.settings}
        changes = Changes(
            settings=None if settings == row.settings else settings, credential=account.credential
        )
        await self.sources.change(scope, row.source_id, changes, actor, None)


_WHY = {
    "waiting": "the platform has not sent anybody back yet",
    "asking": "the platform is being asked",
    "connected": "it is finished already",
    "failed": "it was not allowed; begin again",
    "expired": "it has taken too long; begin again",
}


def _not_allowed(status: str) -> Conflict:
    return Conflict(
        f"There is nothing to go on with: {_WHY.get(status, 'it is being finished')}.",
        extra={"current_status": status, "allowed_actions": []},
    )


def status_of(row: Row[Any], now: Any) -> str:
    """What a way stands at: waiting, asking, allowed, saving, connected, failed, expired."""
    return "expired" if row.status in OPEN and row.expires_at <= now else str(row.status)


def _ref(actor: Actor) -> str:
    assert actor.ref is not None, "who begins to connect is a caller with a token"
    return actor.ref
