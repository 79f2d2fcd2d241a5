"""Secrets of webhooks at rest: sealed like credentials, each for its row and column."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.outbox.webhooks.signing import new_secret
from app.team.secrets import Keyring, Place
from app.team.tokens import Random


@dataclass(frozen=True, slots=True)
class Secrets:
    """Makes, seals and opens them."""

    keyring: Keyring
    random: Random

    def new(self) -> str:
        return new_secret(self.random)

    def seal(self, webhook_id: int, column: str, secret: str) -> str:
        place = Place("webhook", webhook_id, column)
        return self.keyring.seal(secret.encode(), place, self.random)

    def signing(self, row: Row[Any], now: datetime) -> list[str]:
        """The secrets that sign at this moment: the present one, and until its end the former."""
        found = [self._open(row.id, "secret", row.secret)]
        if row.old_secret is not None and row.old_secret_until > now:
            found.append(self._open(row.id, "old_secret", row.old_secret))
        return found

    def _open(self, webhook_id: int, column: str, sealed: str) -> str:
        return self.keyring.open(sealed, Place("webhook", webhook_id, column)).decode()
