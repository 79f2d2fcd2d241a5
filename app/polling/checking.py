"""Who a credential belongs to and what it may, looked at again once a day: a source whose account
was exchanged, whose rights were taken, or which shows nothing any more, must not look well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import structlog
from sqlalchemy import Row

from app.clock import Clock
from app.connectors.base import Check, Connector
from app.connectors.failures import (
    AuthFailed,
    Blind,
    ConnectorError,
    PermissionMissing,
    RateLimited,
    Transient,
)
from app.db import Database
from app.polling.outcomes import is_due
from app.sources import leases, repository
from app.sources.drafts import (
    identity_row,
    listed_us,
    lost_rights,
    other_account,
    us_rows,
)
from app.sources.leases import Lease

EVERY = timedelta(hours=24)
SPREAD = timedelta(hours=2)
"""Sources of one start are not all looked at in the same minute of every day."""
TRY_AGAIN = timedelta(hours=1)
"""Where a look was of no avail, or there is a trouble that only a person can end."""
AT_MOST_SECONDS = 30.0
"""About half of a poll: the streams are to have their turn too."""
_TROUBLES = frozenset({"auth_failed", "permission_missing", "blind"})
_CONCLUSIVE = (AuthFailed, PermissionMissing, Blind, RateLimited)
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Checking:
    """Looks at the sources that are polled here. `tried_at` keeps a look that fails from being
    repeated with every poll.
    """

    db: Database
    clock: Clock
    lease_length: timedelta
    tried_at: dict[int, datetime] = field(default_factory=dict)

    async def look(
        self,
        source: Row[Any],
        rows: Collection[SimpleNamespace],
        connector: Connector,
        lease: Lease,
    ) -> ConnectorError | None:
        """Why nothing can be read of a source, where a look is due and says so. What it noticed
        besides (a new name, warnings, an end) is stored. Raises `LeaseLost`.
        """
        now = self.clock.now()
        if not self._is_due(source, rows, now, asked=lease.requested):
            return None
        self.tried_at[source.id] = now
        try:
            async with asyncio.timeout(AT_MOST_SECONDS):
                check = await connector.check()
            refuse_what_changed(source, check)
        except _CONCLUSIVE as failure:
            return failure
        except (ConnectorError, TimeoutError) as failure:
            code = failure.code if isinstance(failure, ConnectorError) else Transient.code
            _log.info("a source could not be looked at; reading goes on", code=code)
            return None
        except Exception:  # noqa: BLE001  # a defect in one connector must not stop the reading
            _log.exception("a source could not be looked at; reading goes on")
            return None
        await self._note(source, check, lease)
        return None

    def _is_due(
        self, source: Row[Any], rows: Collection[SimpleNamespace], now: datetime, *, asked: bool
    ) -> bool:
        if any(row.retry_at is not None and row.retry_at > now for row in rows):
            return False  # the platform wants to be left alone
        if not any(is_due(row, now, everything=asked) for row in rows):
            return False  # nothing is read: a person has to act, or it is too early
        troubles = _TROUBLES & {row.error_code for row in rows}
        if troubles and asked:
            return True
        if "auth_failed" in troubles:
            return False  # a person knows already; what is dead is not asked again
        tried = self.tried_at.get(source.id)
        if tried is not None and tried <= now < tried + TRY_AGAIN:
            return False
        return bool(troubles) or source.checked_at is None or now >= next_look(source)

    async def _note(self, source: Row[Any], check: Check, lease: Lease) -> None:
        now = self.clock.now()
        values: dict[str, Any] = {"checked_at": now, "warnings": list(check.warnings)}
        if source.missing is None:  # connected before it was kept: what it lacks is known from here
            values["missing"] = list(check.missing)
        if check.expires_at is not None:
            values["credential_expires_at"] = check.expires_at
        renamed = check.identity is not None and identity_row(check.identity) != source.identity
        async with self.db.write() as tx:
            await leases.hold(tx, lease, now=now, length=self.lease_length)
            if check.identity is not None and renamed:
                values |= {"identity": identity_row(check.identity), "us_changed": True}
                listed = listed_us(await repository.us_of(tx, [source.id]))
                await repository.replace_us(tx, source.id, us_rows(check.identity, listed))
            await repository.note_on_source(tx, source.id, values)


def next_look(source: Row[Any]) -> datetime:
    """When the next look is due: a day after the last, a little earlier by the source's id."""
    early = timedelta(seconds=source.id * 397 % int(SPREAD.total_seconds()))
    due: datetime = source.checked_at + EVERY - early
    return due


def refuse_what_changed(source: Row[Any], check: Check) -> None:
    """Raises `AuthFailed` where the credential belongs to somebody else by now, or has lost a right
    that it had when a person last connected it.
    """
    if (other := other_account(source, check)) is not None:
        raise AuthFailed(f"{other} Connect it again.")
    if lost := lost_rights(source, check):
        raise AuthFailed(f"The credential has lost rights: {', '.join(lost)}. Connect it again.")
