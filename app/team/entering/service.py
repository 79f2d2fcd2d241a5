"""Signing in with a password, and out: what may happen, and who it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from app.clock import Clock
from app.db import Database, Tx
from app.errors import Conflict, FieldError, InvalidRequest, Unauthenticated
from app.team.audit.entry import noted
from app.team.entering import throttle
from app.team.entering.repository import remove_links_of
from app.team.passwords import repository as passwords
from app.team.passwords.hashing import Passwords
from app.team.passwords.rules import normalised, objection
from app.team.sessions import repository as sessions
from app.team.sessions.service import KIND, Sessions, Visitor, Way, principal_of
from app.web.networks import network_of
from app.web.principal import Principal


class SignInRefused(Unauthenticated):
    """One text for every reason: it must not tell which names there are."""

    code = "sign-in-refused"
    title = "Name and password do not fit"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who came in: the cookie's value, and the session's row with its person."""

    cookie: str = field(repr=False)
    session: Row[Any]


@dataclass(frozen=True, slots=True)
class Entrance:
    """The way in by password. Its methods have transactions of their own: hashing takes a while,
    and no transaction is open meanwhile.
    """

    db: Database
    clock: Clock
    passwords: Passwords
    sessions: Sessions
    by_password: bool = True

    async def sign_in(self, name: str, password: str, visitor: Visitor) -> SignedIn:
        """Raises `SignInRefused`, and `TooManyRequests` where too many attempts failed before."""
        self.check_passwords_are_used()
        attempt = throttle.attempt_of(name, network_of(visitor.address))
        await throttle.count(self.db, attempt, self.clock.now())
        row = await passwords.find_by_name(self.db, name)
        given = normalised(password)
        fits = await self.passwords.fits(None if row is None else row.password_hash, given)
        if row is None or not fits or row.disabled_at is not None:
            raise SignInRefused("There is nobody of that name with that password.")
        old = row.password_hash
        anew = await self.passwords.hash(given) if self.passwords.is_outdated(old) else None
        async with self.db.write() as tx:
            # Between reading and now it may have been changed, or the person disabled.
            now_kept = await passwords.find_by_id(tx, row.id)
            if now_kept is None or now_kept.password_hash != old or now_kept.disabled_at:
                raise SignInRefused("There is nobody of that name with that password.")
            if anew is not None:
                await passwords.rehash(tx, row.id, old, anew)
            await throttle.take_back(tx, attempt)
            found = await self.let_in(tx, row.id, Way.PASSWORD, visitor)
            noted(tx, "session", found.session.id, by=principal_of(found.session))
            return found

    async def let_in(self, tx: Tx, user_id: int, way: Way, visitor: Visitor) -> SignedIn:
        """A session for somebody who has proved who they are."""
        now = self.clock.now()
        cookie, row_id = await self.sessions.begin(tx, user_id, way, visitor, now)
        row = await sessions.find_by_id(tx, row_id)
        assert row is not None
        return SignedIn(cookie, row)

    async def change_password(
        self, principal: Principal, current: str, new: str, visitor: Visitor
    ) -> SignedIn | None:
        """Changes the caller's own password and ends their sessions. Who asks in a session gets a
        new one; `None`: it was a token.
        """
        self.check_passwords_are_used()
        user_id = principal.user_id
        row = None if user_id is None else await passwords.find_by_id(self.db, user_id)
        if row is None or row.password_hash is None:
            raise Conflict(
                "You have no password yet. An admin can make a link that lets you set one: "
                "unanswered users invite NAME"
            )
        attempt = throttle.attempt_of(row.name, network_of(visitor.address))
        await throttle.count(self.db, attempt, self.clock.now())
        if not await self.passwords.fits(row.password_hash, normalised(current)):
            detail = "This is not your present password."
            raise InvalidRequest(detail, errors=[FieldError("/current", "wrong", detail)])
        hashed = await self.hash_new(new, row, "/new")
        async with self.db.write() as tx:
            await throttle.take_back(tx, attempt)
            await self.keep_password(tx, row.id, hashed)
            noted(tx)
            if principal.kind != KIND:
                return None
            return await self.let_in(tx, row.id, Way.PASSWORD, visitor)

    async def hash_new(self, password: str, person: Any, pointer: str) -> str:
        """The hash of a new password. Raises 422 at `pointer` for one that is too weak."""
        given = normalised(password)
        found = objection(given, _names(person))
        if found is not None:
            code, detail = found
            raise InvalidRequest(detail, errors=[FieldError(pointer, code, detail)])
        return await self.passwords.hash(given)

    async def keep_password(self, tx: Tx, user_id: int, hashed: str) -> None:
        """Sets it, and ends what an earlier one let in, links included."""
        await passwords.keep(tx, user_id, hashed, self.clock.now())
        await sessions.end_sessions_of(tx, user_id)
        await remove_links_of(tx, user_id)

    def check_passwords_are_used(self) -> None:
        if not self.by_password:
            raise Conflict("Passwords are switched off here. Sign in another way.")


def _names(person: Any) -> Iterator[str]:
    for name in (person.name, person.display_name):
        if name:
            yield name
