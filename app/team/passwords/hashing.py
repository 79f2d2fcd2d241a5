"""How passwords are hashed: argon2id (RFC 9106), two at a time and beside the event loop."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable
from typing import Protocol, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import Unavailable

AT_ONCE = 2
"""Each takes 19 MiB and a core for its time."""
MOST_WAITING = 50
ResultT = TypeVar("ResultT")


class Hasher(Protocol):
    """What argon2-cffi's `PasswordHasher` offers; tests take one that costs less."""

    @property
    def memory_cost(self) -> int: ...

    @property
    def time_cost(self) -> int: ...

    @property
    def parallelism(self) -> int: ...

    def hash(self, password: str | bytes, /) -> str: ...

    def verify(self, hash: str | bytes, password: str | bytes, /) -> bool: ...  # noqa: A002  # argon2-cffi's name

    def check_needs_rehash(self, hash: str | bytes, /) -> bool: ...  # noqa: A002  # the same


def usual_hasher() -> PasswordHasher:
    """OWASP's parameters for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class Passwords:
    """Hashes and compares. Who asks while too many wait is told to come back."""

    def __init__(self, hasher: Hasher | None = None) -> None:
        self._hasher = hasher or usual_hasher()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        return await self._in_turn(self._hasher.hash, password)

    async def fits(self, kept: str | None, password: str) -> bool:
        """Whether it is the password that was kept. With `None` (nobody, or no password) the same
        work is done, so that time tells nothing about names.
        """
        fits = await self._in_turn(self._verify, kept or self._nobodys(), password)
        return fits and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was hashed with other parameters than now."""
        return self._hasher.check_needs_rehash(kept)

    async def _in_turn(self, work: Callable[..., ResultT], *given: str) -> ResultT:
        if self._waiting >= MOST_WAITING:
            raise Unavailable("Too many sign in at once.", headers={"Retry-After": "2"})
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *given)
        finally:
            self._waiting -= 1

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    def _nobodys(self) -> str:
        """A hash in the PHC string format that no password has, by today's parameters."""
        of = self._hasher
        salt, digest = (b64encode(bytes(n)).rstrip(b"=").decode() for n in (16, 32))
        costs = f"m={of.memory_cost},t={of.time_cost},p={of.parallelism}"
        return f"$argon2id$v=19${costs}${salt}${digest}"
