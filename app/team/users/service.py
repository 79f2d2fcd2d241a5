"""What may happen to the people of the team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from app.db import Reader, Tx
from app.errors import Conflict, NotFound, VersionMismatch
from app.scope import Scope
from app.team.allowance import allowance_of
from app.team.entering.repository import remove_links_of
from app.team.managing import Managing, invalid
from app.team.schemas import user_out
from app.team.sessions.repository import end_sessions_of
from app.team.users import repository
from app.team.users.names import TAKEN_WORDS

BATCH = 200
ENDS_SESSIONS = frozenset({"role", "rights", "disabled_at"})
"""Who may more, or less, than before comes in anew: with a new id, so that none is worth more than
it was when somebody saw it.
"""


def is_visible(scope: Scope, row: Any) -> bool:
    """Whether a caller may know a person: they see a source in common."""
    theirs = row.source_ids
    return scope.sources is None or theirs is None or not scope.sources.isdisjoint(theirs)


async def page_users(
    reader: Reader,
    scope: Scope,
    *,
    disabled: bool | None,
    source_id: int | None,
    after: int,
    limit: int,
) -> Sequence[Row[Any]]:
    """People whom a caller may know, by id. `source_id`: only those who may see that source."""
    found: list[Row[Any]] = []
    if source_id is not None and not scope.allows(source_id):
        return found
    while len(found) < limit:
        rows = await repository.page_users(reader, disabled=disabled, after=after, limit=BATCH)
        found += [row for row in rows if is_visible(scope, row) and _sees(row, source_id)]
        if len(rows) < BATCH:
            break
        after = rows[-1].id
    return found[:limit]


def _sees(row: Row[Any], source_id: int | None) -> bool:
    return source_id is None or row.source_ids is None or source_id in row.source_ids


async def get_user(reader: Reader, scope: Scope, user_id: int) -> Row[Any]:
    row = await repository.find_user(reader, user_id)
    if row is None or not is_visible(scope, row):
        raise NotFound(f"There is no person {user_id} that you may see.")
    return row


async def add_user(managing: Managing, values: Mapping[str, Any]) -> Row[Any]:
    """Adds a person; `display_name` is the name unless given."""
    await managing.begin()
    await check_name(managing.tx, values["name"])
    await managing.check_sources(values["source_ids"])
    made = {
        **values,
        "display_name": values["display_name"] or values["name"],
        "created_at": managing.now,
        "created_by": managing.principal.actor,
    }
    return await _now(managing, await repository.add_user(managing.tx, made))


async def change_user(
    managing: Managing,
    user_id: int,
    changes: Mapping[str, Any],
    versions: frozenset[int] | None,
) -> Row[Any]:
    """Changes what is given; `disabled` ends or gives back a person's access."""
    await managing.begin()
    row = await get_user(managing.tx, managing.principal.scope, user_id)
    if versions is not None and row.version not in versions:
        raise VersionMismatch(
            f"The person is at version {row.version} by now. Look at it, then decide again.",
            extra={"current": user_out(row, whole=True)},
            headers={"ETag": f'"v{row.version}"'},
        )
    values = _columns(managing, row, changes)
    if not values:
        return row
    if "name" in values:
        await check_name(managing.tx, values["name"], row.id)
    if "source_ids" in values:
        await managing.check_sources(values["source_ids"], row.source_ids)
    await repository.change_user(managing.tx, row, values)
    if values.keys() & ENDS_SESSIONS:
        await end_sessions_of(managing.tx, row.id)
    if values.get("disabled_at") is not None:
        await remove_links_of(managing.tx, row.id)
    await managing.check_admin_left()
    return await _now(managing, row.id)


async def disable_user(managing: Managing, user_id: int, versions: frozenset[int] | None) -> None:
    """Ends a person's access. History and items keep the name."""
    await change_user(managing, user_id, {"disabled": True}, versions)


def _columns(managing: Managing, row: Row[Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that become different."""
    values = {name: value for name, value in changes.items() if name != "disabled"}
    if "disabled" in changes:
        since = row.disabled_at or managing.now
        values["disabled_at"] = since if changes["disabled"] else None
    return {name: value for name, value in values.items() if getattr(row, name) != value}


async def check_name(tx: Tx, name: str, owner: int | None = None) -> None:
    """A name that is free, or that person's own; call it while the team is held."""
    if name.lower() in TAKEN_WORDS:
        detail = f"{name!r} has a meaning of its own where a name may stand. Choose another name."
        raise invalid("/name", "not_a_name", detail)
    found = await repository.find_by_name(tx, name)
    if found is not None and found.id != owner:
        left = ", who is disabled" if found.disabled_at is not None else ""
        raise Conflict(
            f"The name {name!r} belongs to {found.display_name} (id {found.id}){left}. "
            "Choose another name."
        )


async def _now(managing: Managing, user_id: int) -> Row[Any]:
    row = await repository.find_user(managing.tx, user_id)
    assert row is not None
    return row


def may_be_given(row: Any, source_id: int, *, direct: bool) -> str | None:
    """Why a person can't have an item of that source, direct message or not; `None`: they can."""
    scope = allowance_of(row).scope
    if row.disabled_at is not None:
        return f"{row.display_name} is disabled, so nothing can be assigned to them."
    if not scope.allows(source_id):
        return f"{row.display_name} may not see this source, so can't have an item of it."
    if direct and not scope.direct:
        return f"{row.display_name} may not see direct messages, so can't have this one."
    return None
