"""The person that the command line on the service's own machine acts for."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Any

from app.db import Tx
from app.team import repository
from app.team.allowance import allowance_of
from app.team.repository import LOCAL
from app.team.users import repository as users
from app.team.users.names import is_name
from app.web.principal import Role

NOBODYS = "admin"
_SYSTEM_USERS = frozenset({"root", "system", "administrator", "unanswered"})


def name_of_this_machine() -> str:
    """The name of who starts the service, or `admin` where that is nobody in particular."""
    try:
        found = getpass.getuser().rpartition("\\")[2]
    except (OSError, KeyError, ImportError):  # no such user, or a system without users
        return NOBODYS
    return found if is_name(found) and found.lower() not in _SYSTEM_USERS else NOBODYS


async def ensure_local_person(tx: Tx, name: str, now: datetime) -> int | None:
    """The id of that person, an admin made at the first start.

    `None` while they are disabled or no admin of all sources: who can read the data folder
    administers the service, whatever became of them.
    """
    team = await repository.hold_team(tx)
    known = team.get("local_user")
    if known is None:
        found = await users.find_by_name(tx, name)
        known = await _add(tx, name, now) if found is None else found.id
        await repository.remember_of_team(tx, {**team, "local_user": known})
    row = await users.find_user(tx, known)
    if row is None or row.disabled_at is not None or not allowance_of(row).manages_team:
        return None
    return int(row.id)


async def _add(tx: Tx, name: str, now: datetime) -> int:
    values: dict[str, Any] = {
        "name": name,
        "display_name": name,
        "role": Role.ADMIN.value,
        "rights": [],
        "source_ids": None,
        "created_at": now,
        "created_by": LOCAL,
    }
    return await users.add_user(tx, values)
