"""Who is let in: tokens, sessions, and the ways in for people, opened at the start."""

from __future__ import annotations

import secrets
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network

from app.clock import Clock
from app.connectors.http import Door
from app.connectors.oauth import Client
from app.db import Database, Tx
from app.settings import Settings
from app.team.entering.service import Entrance
from app.team.entering.setting_up import first_link
from app.team.files import write_cli_file
from app.team.oidc.provider import Provider
from app.team.oidc.service import Newcomers, Oidc, host_of
from app.team.passwords.hashing import Hasher, Passwords
from app.team.proxied import Proxied
from app.team.service import Tokens, ensure_bootstrap, renew_local_token
from app.team.sessions.service import Lasting, Sessions
from app.team.users.local import ensure_local_person, name_of_this_machine
from app.web.networks import Network
from app.web.principal import Role


@dataclass(frozen=True, slots=True)
class Admitting:
    """What recognises callers. `set_up_link`: printed at the start while nobody can sign in."""

    tokens: Tokens
    sessions: Sessions
    entrance: Entrance
    proxies: tuple[Network, ...]
    proxied: Proxied | None
    oidc: Oidc | None
    set_up_link: str | None

    @classmethod
    async def open(
        cls,
        stack: AsyncExitStack,
        db: Database,
        settings: Settings,
        clock: Clock,
        *,
        door: Door,
        own_url: str,
        hasher: Hasher | None = None,
    ) -> Admitting:
        """Makes the first admin token, the command line's own with its person, and the first link.

        `own_url` is the service's address on this machine. `hasher` replaces the usual one.
        """
        lasting = Lasting(
            timedelta(hours=settings.session_idle_hours), timedelta(days=settings.session_days)
        )
        sessions = Sessions(db, clock, secrets.token_bytes, lasting)
        tokens = Tokens(db, clock)
        async with db.write() as tx:
            local = await _tokens_of_this_machine(tx, settings, clock)
            base = settings.public_url or own_url
            wanted = settings.passwords and settings.proxy_user_header is None
            now = clock.now()
            made = await first_link(tx, base, now, secrets.token_bytes) if wanted else None
        await tokens.load()
        for part in (tokens, sessions):
            stack.push_async_callback(part.close)
        write_cli_file(settings.make_data_dir() / "cli.json", own_url, local)
        entrance = Entrance(db, clock, Passwords(hasher), sessions, by_password=settings.passwords)
        proxies = tuple(ip_network(each, strict=False) for each in settings.proxy_networks)
        return cls(
            tokens,
            sessions,
            entrance,
            proxies,
            _proxied(db, clock, settings, proxies),
            _oidc(entrance, door, settings),
            made,
        )


def _newcomers(settings: Settings) -> Role | None:
    return None if settings.newcomers_role is None else Role(settings.newcomers_role)


def _proxied(
    db: Database, clock: Clock, settings: Settings, proxies: tuple[Network, ...]
) -> Proxied | None:
    if settings.proxy_user_header is None:
        return None
    return Proxied(db, clock, settings.proxy_user_header, proxies, _newcomers(settings))


def _oidc(entrance: Entrance, door: Door, settings: Settings) -> Oidc | None:
    issuer, client_id, secret = (
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret,
    )
    if issuer is None or client_id is None:
        return None
    client = Client(client_id, "" if secret is None else secret.get_secret_value())
    return Oidc(
        entrance,
        Provider(door, entrance.clock, issuer, client),
        name=settings.oidc_name or host_of(issuer),
        redirect_uri=f"{settings.public_url}/auth/oidc/callback",
        newcomers=Newcomers(_newcomers(settings), frozenset(settings.oidc_domains)),
        random=secrets.token_bytes,
    )


async def _tokens_of_this_machine(tx: Tx, settings: Settings, clock: Clock) -> str:
    """The bootstrap token where none is there yet, and a new one for the command line."""
    chosen, now = settings.bootstrap_token, clock.now()
    await ensure_bootstrap(tx, None if chosen is None else chosen.get_secret_value(), now)
    return await renew_local_token(
        tx,
        now,
        secrets.token_bytes,
        # Services that share a database but not a data folder keep their own tokens.
        name=f"local admin of {socket.gethostname()}:{settings.data_dir}"[:200],
        user_id=await ensure_local_person(tx, name_of_this_machine(), now),
    )
