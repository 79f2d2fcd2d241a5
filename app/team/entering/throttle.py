"""How often somebody may try a password: counted in the database, so for all workers together.

An attempt is counted before it is made and taken back when it succeeds: of many that come at once,
none slips through between looking and counting.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil

from app.db import Database, Tx
from app.errors import TooManyRequests
from app.team.entering import repository

WINDOW = timedelta(minutes=15)
"""Failures are counted for so long from the first one, and one too many is refused for so long."""
PER_ACCOUNT_AND_NETWORK = 10
PER_NETWORK = 100
PER_ACCOUNT = 100


@dataclass(frozen=True, slots=True)
class Attempt:
    """Counters that one attempt counts for, with how many each allows."""

    pair: str
    limits: tuple[tuple[str, int], ...]


def attempt_of(name: str, network: str) -> Attempt:
    """`name` as it was typed, in any case. Kept are hashes: people type passwords for names."""
    account = name.strip().lower()
    pair = _key("account and network", account, network)
    limits = (
        (pair, PER_ACCOUNT_AND_NETWORK),
        (_key("network", network), PER_NETWORK),
        (_key("account", account), PER_ACCOUNT),
    )
    return Attempt(pair, tuple(sorted(limits)))  # in one order, so that no two wait for each other


def attempt_from(network: str, what: str = "links") -> Attempt:
    """An attempt that names nobody: with a link, or to go to another service."""
    key = _key(f"{what} of a network", network)
    return Attempt(key, ((key, PER_NETWORK),))


def _key(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


async def count(db: Database, attempt: Attempt, now: datetime) -> None:
    """Counts an attempt as failed until it is taken back; raises `TooManyRequests` instead."""
    # Looked at first without a transaction: who guesses must not keep others from writing.
    until = await repository.refused_until(db, [key for key, _ in attempt.limits], now)
    if until is not None:
        raise _too_many(until, now)
    async with db.write() as tx:
        await repository.forget_attempts(tx, now - WINDOW, now)
        for key, limit in attempt.limits:
            until = await repository.count_attempt(tx, key, limit, now, WINDOW)
            if until is not None:
                raise _too_many(until, now)  # and nothing of it is counted


def _too_many(until: datetime, now: datetime) -> TooManyRequests:
    return TooManyRequests(
        "Too many attempts failed. Wait, or ask an admin for a link that lets you in.",
        headers={"Retry-After": str(max(1, ceil((until - now).total_seconds())))},
    )


async def take_back(tx: Tx, attempt: Attempt) -> None:
    """The attempt was a right one: it counts for nothing, and the account is fresh from here."""
    others: Iterable[str] = (key for key, _ in attempt.limits if key != attempt.pair)
    await repository.forget_key(tx, attempt.pair)
    await repository.uncount(tx, list(others))
