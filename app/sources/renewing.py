"""Renewing a stored credential: one at a time, whichever process, and stored before it is used.

A refresh token that is used twice may cost the whole session (RFC 9700 4.14.2). A lease of the
source would not do: it is held for a whole poll, and a check of the credential needs none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.clock import Clock, monotonic
from app.connectors.failures import Transient
from app.db import Database, Tx
from app.scope import EVERYTHING
from app.sources import leases, repository

LONGEST_RENEWAL = timedelta(seconds=90)
"""A renewal and the log-in after it: two requests of at most 30 s. Who dies holds it so long."""
WAIT_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.2


@dataclass(slots=True)
class StoredCredential:
    """Fits `base.SaveCredential` for a source that is there. `sealed` is the credential as its
    connector has it; `seal` and `unseal` are the two ways between it and plain fields.
    """

    db: Database
    clock: Clock
    source_id: int
    sealed: str | None
    seal: Callable[[Mapping[str, Any]], str | None]
    unseal: Callable[[str], Mapping[str, str]]

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[Mapping[str, str] | None]:
        """Waits until nobody else renews; then the credential as it is stored by now."""
        until = await self._claim()
        try:
            yield None if self.sealed is None else self.unseal(self.sealed)
        finally:
            async with self.db.write() as tx:
                await leases.end_renewal(tx, self.source_id, until)

    async def __call__(self, new: Mapping[str, str]) -> None:
        """Stores what was renewed; `Transient` where a person has replaced it meanwhile."""
        sealed = self.seal(new)
        async with self.db.write() as tx:
            kept = await repository.replace_credential(tx, self.source_id, self.sealed, sealed)
            if not kept and await self._sealed_anew(tx):
                kept = await repository.replace_credential(tx, self.source_id, self.sealed, sealed)
        if not kept:
            raise Transient(
                "The credential was replaced while it was renewed; the new one is used next."
            )
        self.sealed = sealed

    async def _sealed_anew(self, tx: Tx) -> bool:
        """Whether what is stored is still ours, only under a new key: a rotation is no person."""
        row = await repository.find_source(tx, EVERYTHING, self.source_id)
        stored = None if row is None else row.credential
        if stored is None or self.sealed is None:
            return False
        if self.unseal(stored) != self.unseal(self.sealed):
            return False
        self.sealed = stored
        return True

    async def _claim(self) -> datetime:
        began = monotonic()
        while True:
            async with self.db.write() as tx:
                granted = await leases.claim_renewal(
                    tx, self.source_id, now=self.clock.now(), length=LONGEST_RENEWAL
                )
            if granted is not None:
                self.sealed = granted.credential
                until: datetime = granted.renewing_until
                return until
            if monotonic() - began > WAIT_SECONDS:
                raise Transient("Another process renews the credential and has not finished yet.")
            await asyncio.sleep(LOOK_EVERY_SECONDS)
