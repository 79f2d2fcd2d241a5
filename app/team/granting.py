"""What may happen to tokens: making, changing, revoking them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from app.db import Reader
from app.errors import Conflict, InvalidRequest, NotFound, VersionMismatch
from app.team import repository
from app.team.allowance import Allowance, allowance_of
from app.team.managing import Managing, invalid
from app.team.repository import LOCAL, NewToken
from app.team.schemas import token_out
from app.team.service import create_token
from app.team.tokens import Random
from app.team.users import repository as users

_MAY = frozenset({"role", "rights", "source_ids", "user_id"})


async def grant(managing: Managing, new: NewToken, random: Random) -> tuple[Row[Any], str]:
    """A new token, and its secret, which can't be shown again."""
    await managing.begin()
    await managing.check_sources(new.source_ids)
    await _check_owner(managing, Allowance(new.role, new.rights, new.source_ids), new.user_id)
    made, secret = await create_token(managing.tx, new, now=managing.now, random=random)
    return await get_token(managing.tx, made), secret


async def change_token(
    managing: Managing,
    token_id: int,
    changes: Mapping[str, Any],
    versions: frozenset[int] | None,
) -> Row[Any]:
    """Changes what is given of a token that is not revoked."""
    await managing.begin()
    row = await _get_agreed(managing, token_id, versions)
    if row.revoked_at is not None:
        raise Conflict("This token is revoked for good. Make a new one.")
    if row.created_by == LOCAL:
        raise Conflict(
            "This is the command line's own token, which the service makes anew at each start. "
            "Make one that lasts with POST /api/v1/tokens."
        )
    values = {name: value for name, value in changes.items() if getattr(row, name) != value}
    if not values:
        return row
    await _check_changes(managing, row, values)
    await repository.change_token(managing.tx, row.id, values)
    await managing.check_admin_left()
    return await get_token(managing.tx, row.id)


async def _check_changes(managing: Managing, row: Row[Any], values: Mapping[str, Any]) -> None:
    if "source_ids" in values:
        await managing.check_sources(values["source_ids"], row.source_ids)
    ends = values.get("expires_at")
    if ends is not None and ends <= managing.now:
        raise invalid("/expires_at", "in_the_past", "This is not in the future.")
    if values.keys() & _MAY:
        after = SimpleNamespace(**{name: values.get(name, getattr(row, name)) for name in _MAY})
        await _check_owner(managing, allowance_of(after), after.user_id)


async def revoke(managing: Managing, token_id: int, versions: frozenset[int] | None) -> None:
    """Ends a token for good; repeating it changes nothing."""
    await managing.begin()
    await _get_agreed(managing, token_id, versions)
    await managing.tokens.revoke(managing.tx, token_id)
    await managing.check_admin_left()


async def _get_agreed(
    managing: Managing, token_id: int, versions: frozenset[int] | None
) -> Row[Any]:
    row = await get_token(managing.tx, token_id)
    if versions is not None and row.version not in versions:
        raise VersionMismatch(
            f"The token is at version {row.version} by now. Look at it, then decide again.",
            extra={"current": token_out(row)},
            headers={"ETag": f'"v{row.version}"'},
        )
    return row


async def get_token(reader: Reader, token_id: int) -> Row[Any]:
    row = await repository.find_token_by_id(reader, token_id)
    if row is None:
        raise NotFound(f"There is no token {token_id}.")
    return row


async def _check_owner(managing: Managing, wanted: Allowance, user_id: int | None) -> None:
    """A token of a person is for somebody who is there, and no more than that person may."""
    if user_id is None:
        return
    owner = await users.find_user(managing.tx, user_id)
    if owner is None:
        raise invalid("/user_id", "unknown_person", f"There is no person {user_id}.")
    if owner.disabled_at is not None:
        detail = f"{owner.display_name} is disabled. Enable them first."
        raise invalid("/user_id", "disabled", detail)
    beyond = list(wanted.beyond(allowance_of(owner), owner.display_name))
    if beyond:
        raise InvalidRequest("A token never may more than its person.", errors=beyond)
