"""People whom a proxy before the service has signed in, and names in a header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from app.clock import Clock
from app.db import Database, Tx
from app.team import repository as team
from app.team.allowance import allowance_of
from app.team.audit.entry import Entry
from app.team.users import repository as users
from app.team.users.names import is_name
from app.web.networks import Network
from app.web.principal import Person, Principal, Role
from app.web.trail import Asked

KIND = "proxy"
ARRIVAL = "join_by_proxy"
"""What the trail calls it."""


@dataclass(frozen=True, slots=True)
class Proxied:
    """Recognises the name in `header`, which counts from `networks` alone (`web/auth.py` looks).

    `newcomers`: the role of who is not in the team yet; `None`: they don't come in.
    """

    db: Database
    clock: Clock
    header: str
    networks: Sequence[Network]
    newcomers: Role | None = None

    async def __call__(self, name: str, address: str) -> Principal | None:
        row = await users.find_by_name(self.db, name)
        if row is None and self.newcomers is not None and is_name(name):
            row = await self._add(name, self.newcomers, address)
        return None if row is None or row.disabled_at is not None else _principal(row)

    async def _add(self, name: str, role: Role, address: str) -> Row[Any] | None:
        async with self.db.write() as tx:
            await team.hold_team(tx)
            if await users.find_by_name(tx, name) is None:
                values: dict[str, Any] = {
                    "name": name,
                    "display_name": name,
                    "role": role.value,
                    "rights": [],
                    "source_ids": None,
                    "created_at": self.clock.now(),
                    "created_by": KIND,
                }
                user_id = await users.add_user(tx, values)
                added = await users.find_by_name(tx, name)
                assert added is not None
                self._note(tx, _principal(added), user_id, address)
                return added
            return await users.find_by_name(tx, name)

    def _note(self, tx: Tx, newcomer: Principal, user_id: int, address: str) -> None:
        """A row of its own: the request that follows leaves one only where it changes something."""
        asked = Asked(ARRIVAL, address, None, {}, lambda: newcomer)
        Entry(asked, self.clock.now, "user", user_id).pend(tx)


def _principal(row: Row[Any]) -> Principal:
    may = allowance_of(row)
    return Principal(
        kind=KIND,
        id=row.id,
        name=row.display_name,
        role=may.role,
        rights=may.rights,
        scope=may.scope,
        person=Person(row.id, row.name, row.display_name),
    )
