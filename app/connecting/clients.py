"""Which app a platform is to know us by: given, set, kept from before, or made for the asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from app.connecting import repository
from app.connecting.protocol import origin_of
from app.connectors.asking import Http
from app.connectors.base import Platform
from app.connectors.oauth import Client, Endpoints, OAuth
from app.errors import FieldError, InvalidRequest
from app.sources.connecting import Connecting
from app.team.secrets import Place

_TABLE = "oauth_client"


@dataclass(frozen=True, slots=True)
class Clients:
    """The apps of this installation; `configured` are those of its settings, by platform."""

    connecting: Connecting
    configured: Mapping[str, Client] = field(default_factory=dict, repr=False)

    def source_of(self, platform: Platform) -> str:
        """Where the app comes from when none is given: configured, registered; or it is needed."""
        if platform.name in self.configured:
            return "configured"
        made = platform.oauth is not None and platform.oauth.register is not None
        return "registered" if made else "needed"

    async def choose(
        self,
        platform: Platform,
        settings: Any,
        endpoints: Endpoints,
        *,
        redirect_uri: str,
        given: Client | None,
        before: Client | None,
    ) -> Client:
        """`given` with the request, else of the settings, else `before` (of the source that is
        connected again), else one of ours on that server. Raises `InvalidRequest` where there is
        none, and the server's own failures.
        """
        chosen = given or self.configured.get(platform.name)
        if chosen is not None:
            return chosen
        oauth = platform.oauth
        if oauth is not None and oauth.register is not None:
            return await self._registered(platform, oauth, settings, endpoints, redirect_uri)
        if before is not None:
            return before
        detail = (
            f"{platform.title} has to know an app of yours. Make one there with the redirect URI "
            f"{redirect_uri} and give its id (client_id) and secret (client_secret)."
        )
        raise InvalidRequest(detail, errors=[FieldError("/client_id", "missing", detail)])

    async def _registered(
        self,
        platform: Platform,
        oauth: OAuth,
        settings: Any,
        endpoints: Endpoints,
        redirect_uri: str,
    ) -> Client:
        """The app made on this server before, unless the server seems to have forgotten it: then
        it shows a person an error and never sends him back.
        """
        db, now = self.connecting.db, self.connecting.clock.now()
        server = origin_of(endpoints.token)
        kept = await repository.find_client(db, platform.name, server, redirect_uri)
        if kept is not None:
            if not await repository.never_came_back(db, platform.name, kept.client_id, now):
                return self._opened(kept)
            await self.forget(platform.name, kept.client_id)
        http: Http = self.connecting.door.for_source()
        assert oauth.register is not None
        made = await oauth.register(http, settings, redirect_uri)
        await self._keep(platform.name, server, redirect_uri, made)
        return made

    async def _keep(self, platform: str, server: str, redirect_uri: str, made: Client) -> None:
        async with self.connecting.db.write() as tx:
            if await repository.find_client(tx, platform, server, redirect_uri) is not None:
                return  # two at once: either is good, one is kept
            values = {
                "platform": platform,
                "server": server,
                "redirect_uri": redirect_uri,
                "client_id": made.id,
                "sealed": "",
                "created_at": self.connecting.clock.now(),
            }
            row_id = await repository.add_client(tx, values)
            plain = made.secret.encode("utf-8")
            sealed = self.connecting.keyring.seal(plain, _place(row_id), self.connecting.random)
            await repository.seal_client(tx, row_id, sealed)

    async def forget(self, platform: str, client_id: str) -> None:
        """Forgets an app that the server does not know any more."""
        async with self.connecting.db.write() as tx:
            await repository.forget_client(tx, platform, client_id)

    def _opened(self, row: Row[Any]) -> Client:
        secret = self.connecting.keyring.open(row.sealed, _place(row.id)).decode("utf-8")
        return Client(row.client_id, secret)


def _place(row_id: int) -> Place:
    return Place(_TABLE, row_id, "sealed")
