"""Tokens: making, recognising and revoking them."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, monotonic
from app.db import Database, Tx
from app.errors import AppError, FieldError, InvalidRequest, NotFound
from app.team import repository
from app.team.allowance import allowance_of_token
from app.team.repository import BOOTSTRAP, LOCAL, NewToken
from app.team.tokens import PREFIX, Random, hash_of, is_chosen, is_well_formed, new_token
from app.web.principal import Person, Principal, Role

CACHE_SECONDS = 3.0
CACHE_SIZE = 1000
USE_RECORDED_EVERY = timedelta(minutes=1)
_log = structlog.get_logger(__name__)


async def create_token(tx: Tx, new: NewToken, *, now: datetime, random: Random) -> tuple[int, str]:
    """Its id and its secret, which is nowhere kept and can't be shown again."""
    if new.expires_at is not None and new.expires_at <= now:
        error = FieldError("/expires_at", "in_the_past", "This is not in the future.")
        raise InvalidRequest("A token must expire in the future.", errors=[error])
    secret = new_token(random)
    return await repository.add_token(tx, new, secret, now), secret


async def ensure_bootstrap(tx: Tx, chosen: str | None, now: datetime) -> bool:
    """Makes the chosen token the first admin token when no token exists yet.

    Later it is ignored, also when it was revoked. The local token does not count.
    """
    if chosen is None:
        return False
    if not is_chosen(chosen):
        raise InvalidRequest(
            "UNANSWERED_BOOTSTRAP_TOKEN needs 32 to 200 visible ASCII characters, without blanks."
        )
    if await repository.count_lasting_tokens(tx):
        return False
    new = NewToken(name="bootstrap", role=Role.ADMIN, created_by=BOOTSTRAP)
    await repository.add_token(tx, new, chosen, now)
    return True


async def renew_local_token(
    tx: Tx,
    now: datetime,
    random: Random,
    *,
    name: str = "local admin",
    user_id: int | None = None,
) -> str:
    """A new admin token for `cli.json`; the one of that name from the last start is removed.

    Services that share a database but not a data folder give themselves different names.
    `user_id`: the person it acts for, see `users/local.py`.
    """
    await repository.remove_local_tokens(tx, name)
    secret = new_token(random)
    new = NewToken(name=name, role=Role.ADMIN, created_by=LOCAL, user_id=user_id)
    await repository.add_token(tx, new, secret, now)
    return secret


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    until: float  # monotonic seconds


class Tokens:
    """Recognises tokens: the resolver of `web/auth.py`.

    A recognised token is remembered for three seconds. Whoever changes people or tokens calls
    `forget` at the commit; another process on the same database sees the change when its three
    seconds are over. Expiry is looked at every time.
    """

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._forgotten = 0
        self._chosen: frozenset[str] = frozenset()
        self._used: dict[int, datetime] = {}
        self._recording: set[asyncio.Task[None]] = set()

    async def load(self) -> None:
        """Learns which tokens carry no checksum; call it after `ensure_bootstrap` committed."""
        self._chosen = await repository.bootstrap_hashes(self._db)

    async def __call__(self, token: str) -> Principal | None:
        token_hash = hash_of(token)
        if not self._may_exist(token, token_hash):
            return None
        now = self._clock.now()
        principal = await self._principal(token_hash)
        if principal is None or (principal.expires_at and principal.expires_at <= now):
            return None
        self._record_use(principal, now)
        return principal

    def _may_exist(self, token: str, token_hash: str) -> bool:
        """The checksum refuses what was mistyped or made up before the database is asked."""
        if token_hash in self._chosen:
            return True
        return is_well_formed(token) if token.startswith(PREFIX) else is_chosen(token)

    async def _principal(self, token_hash: str) -> Principal | None:
        known = self._known.get(token_hash)
        if known is not None and monotonic() < known.until:
            return known.principal
        forgotten = self._forgotten
        row = await repository.find_token(self._db, token_hash)
        if row is None or _is_ended(row) or not hmac.compare_digest(row.token_hash, token_hash):
            self._known.pop(token_hash, None)
            return None
        principal = _principal(row)
        if forgotten == self._forgotten:  # else it may have been revoked while we read
            self._remember(token_hash, principal)
        if row.last_used_at is not None:
            self._used.setdefault(principal.id, row.last_used_at)
        return principal

    def _remember(self, token_hash: str, principal: Principal) -> None:
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[token_hash] = _Known(principal, monotonic() + CACHE_SECONDS)

    async def revoke(self, tx: Tx, token_id: int) -> None:
        """Ends a token from the next request on; repeating it changes nothing."""
        token_hash = await repository.revoke_token(tx, token_id, self._clock.now())
        if token_hash is not None:
            tx.after_commit.append(self.forget)
        elif not await repository.token_exists(tx, token_id):
            raise NotFound(f"There is no token {token_id}.")

    def forget(self) -> None:
        """Drops everything remembered: the next request asks the database."""
        self._forgotten += 1
        self._known.clear()

    def _record_use(self, principal: Principal, now: datetime) -> None:
        """Notes the use at most once a minute, beside the request and never before its answer."""
        last = self._used.get(principal.id)
        if last is not None and now - last < USE_RECORDED_EVERY:
            return
        self._used[principal.id] = now
        task = asyncio.create_task(self._write_use(principal.id, now))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def _write_use(self, token_id: int, now: datetime) -> None:
        try:
            async with self._db.write() as tx:
                await repository.record_use(tx, token_id, now, USE_RECORDED_EVERY)
        except (AppError, SQLAlchemyError):
            _log.warning("the use of a token could not be noted", token_id=token_id, exc_info=True)

    async def close(self) -> None:
        """Waits for what is still being noted; call it before the database closes."""
        while self._recording:
            await asyncio.wait(self._recording)


def _is_ended(row: Row[Any]) -> bool:
    """Revoked, or of a person who has left."""
    return row.revoked_at is not None or row.owner_disabled_at is not None


def _principal(row: Row[Any]) -> Principal:
    may = allowance_of_token(row)
    owner = None
    if row.user_id is not None:
        owner = Person(row.user_id, row.owner_name, row.owner_display_name)
    return Principal(
        kind="token",
        id=row.id,
        name=row.name if owner is None else owner.display_name,
        role=may.role,
        rights=may.rights,
        scope=may.scope,
        token_id=row.id,
        expires_at=row.expires_at,
        person=owner,
    )
