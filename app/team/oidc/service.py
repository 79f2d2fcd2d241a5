"""A person goes to another service and comes back: what may happen on the way.

The browser keeps 256 random bits in a cookie; nonce and verifier are derived from them and the
state. So a way ends only in the browser where it began, and nothing of ours tells either.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from app.db import Tx
from app.errors import AppError, Conflict
from app.team import repository as team
from app.team.audit.entry import noted
from app.team.entering import throttle
from app.team.entering.service import Entrance, SignedIn
from app.team.oidc import repository
from app.team.oidc.provider import NotProven, Provider, Somebody
from app.team.sessions.service import Visitor, Way, principal_of
from app.team.tokens import Random, hash_of
from app.team.users import repository as users
from app.team.users.names import MAX_NAME, is_name
from app.web.networks import network_of
from app.web.principal import Role

LASTS = timedelta(minutes=10)
SECRET_BYTES = 32
LONGEST_VALUE = 4096
HOME = "/"
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")
"""A path of our own: no second slash, no backslash, no blank, so no other host."""
_log = structlog.get_logger(__name__)


class OidcRefused(AppError):
    """Nobody came in; the sentence is for the person before the browser."""

    status = 403
    code = "oidc-refused"
    title = "Signing in did not work"


@dataclass(frozen=True, slots=True)
class Newcomers:
    """Who comes in although no admin has added them: by what role, from which domains."""

    role: Role | None = None
    domains: frozenset[str] = frozenset()

    def welcome(self, email: str) -> bool:
        return self.role is not None and email.rpartition("@")[2] in self.domains


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what its cookie keeps meanwhile."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class CameIn:
    """Who came in, and where on our page they wanted to go."""

    signed_in: SignedIn
    return_to: str


@dataclass(frozen=True, slots=True)
class Oidc:
    """The way in by OpenID Connect. `redirect_uri` is where people come back to."""

    entrance: Entrance
    provider: Provider
    name: str
    redirect_uri: str
    newcomers: Newcomers
    random: Random

    async def begin(self, return_to: str, browser: str | None, visitor: Visitor) -> Begun:
        """A new way. A browser that has one under way keeps its secret, so that both end well."""
        db, now = self.entrance.db, self.entrance.clock.now()
        await throttle.count(db, _attempt(visitor), now)
        kept, state = browser or self._secret(), self._secret()
        address = await self.provider.address(
            redirect_uri=self.redirect_uri,
            state=state,
            nonce=_derived(kept, "nonce", state),
            verifier=_derived(kept, "verifier", state),
        )
        path = return_to if _PATH.fullmatch(return_to) else HOME
        async with db.write() as tx:
            await repository.forget_ways(tx, now)
            await repository.add_way(tx, hash_of(state), hash_of(kept), path, now + LASTS)
        return Begun(address, kept)

    def _secret(self) -> str:
        return urlsafe_b64encode(self.random(SECRET_BYTES)).rstrip(b"=").decode("ascii")

    async def come_back(
        self, params: Sequence[tuple[str, str]], browser: str | None, visitor: Visitor
    ) -> CameIn:
        """Ends a way. Raises `OidcRefused`; why, only the log says in full."""
        try:
            return await self._come_back(_read(params), browser, visitor)
        except NotProven as refusal:
            _log.warning("a sign-in through another service was refused", why=str(refusal))
            raise OidcRefused(
                "What came back is no proof of who you are, or it took longer than ten minutes. "
                "Go back to where you began, and begin again."
            ) from refusal

    async def _come_back(
        self, returned: Mapping[str, str], browser: str | None, visitor: Visitor
    ) -> CameIn:
        entrance, state = self.entrance, returned["state"]
        async with entrance.db.write() as tx:
            way = await repository.use_way(tx, hash_of(state))
        if way is None or way.expires_at <= entrance.clock.now():
            raise NotProven("no such way is open")
        if browser is None or not hmac.compare_digest(way.browser_hash, hash_of(browser)):
            raise NotProven("it began in another browser")
        await self.provider.check_issuer(returned.get("iss", ""))
        if "code" not in returned:
            raise OidcRefused(f"{self.name} did not let you in. Nothing was changed here.")
        somebody = await self.provider.somebody(
            returned["code"],
            redirect_uri=self.redirect_uri,
            nonce=_derived(browser, "nonce", state),
            verifier=_derived(browser, "verifier", state),
        )
        async with entrance.db.write() as tx:
            await throttle.take_back(tx, _attempt(visitor))
            user_id, is_new = await self._person(tx, somebody, entrance.clock.now())
            signed_in = await entrance.let_in(tx, user_id, Way.OIDC, visitor)
            row = signed_in.session
            noted(tx, "session", row.id, by=principal_of(row), newcomer=is_new)
        return CameIn(signed_in, way.return_to)

    async def _person(self, tx: Tx, somebody: Somebody, now: datetime) -> tuple[int, bool]:
        """Whom of the team it is: known by issuer and subject, else by an address for once. And
        whether they were not in it before.
        """
        await team.hold_team(tx)
        row = await repository.find_linked(tx, somebody.issuer, somebody.subject)
        if row is None and somebody.email:
            row = await repository.find_by_email(tx, somebody.email)
            if row is not None and row.subject is not None:
                row = None  # the address is now somebody else's there
        if row is None:
            return await self._newcomer(tx, somebody, now), True
        if row.owner_disabled_at is not None:
            raise OidcRefused("You may not come in here any more. Ask an admin.")
        if row.subject is None:
            await _link(tx, row.user_id, somebody, now)
        return int(row.user_id), False

    async def _newcomer(self, tx: Tx, somebody: Somebody, now: datetime) -> int:
        if not self.newcomers.welcome(somebody.email):
            known = somebody.email or "the address that it says of you, which it has not verified"
            raise OidcRefused(
                f"{self.name} knows you, but nobody here is known by {known}. Ask an admin to add "
                f"it. Your subject there is {somebody.subject}"
            )
        name = await _free_name(tx, somebody)
        values: dict[str, Any] = {
            "name": name,
            "display_name": somebody.name or name,
            "role": str(self.newcomers.role),
            "rights": [],
            "source_ids": None,
            "created_at": now,
            "created_by": "oidc",
        }
        user_id = await users.add_user(tx, values)
        await _link(tx, user_id, somebody, now)
        return user_id


def _attempt(visitor: Visitor) -> throttle.Attempt:
    return throttle.attempt_from(network_of(visitor.address), "ways")


def _derived(secret: str, purpose: str, state: str) -> str:
    """43 characters that only who has the browser's secret can know."""
    made = hmac.digest(secret.encode(), f"{purpose}:{state}".encode(), "sha256")
    return urlsafe_b64encode(made).rstrip(b"=").decode("ascii")


def _read(params: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The query of the redirection (RFC 6749, 4.1.2; RFC 9207)."""
    found: dict[str, str] = {}
    for name, value in params:
        if name not in {"state", "code", "error", "iss"}:
            continue
        if name in found or len(value) > LONGEST_VALUE:
            raise NotProven("a parameter stands twice, or is too long")
        found[name] = value
    if not found.get("state") or not (found.get("code") or found.get("error")):
        raise NotProven("state or code is missing")
    if "error" in found:
        found.pop("code", None)
    return found


async def _link(tx: Tx, user_id: int, somebody: Somebody, now: datetime) -> None:
    await repository.keep(
        tx, user_id, issuer=somebody.issuer, subject=somebody.subject, linked_at=now
    )


async def _free_name(tx: Tx, somebody: Somebody) -> str:
    """A short name after what they are called there, which nobody has."""
    wanted = somebody.nickname.partition("@")[0] or somebody.email.partition("@")[0]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", wanted).lstrip("-._0123456789")[: MAX_NAME - 4]
    name = name if is_name(name) else "person"
    for number in ("", *map(str, range(2, 1000))):
        if await users.find_by_name(tx, name + number) is None:
            return name + number
    raise Conflict("There are too many people of that name.")


def host_of(url: str) -> str:
    """What to call a provider that was given no name."""
    return urlsplit(url).hostname or url
