"""SQL of the team."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, or_, select, update

from app.db import Reader, Tx
from app.team.models import installation, token, user
from app.team.tokens import hash_of
from app.web.principal import Right, Role

LOCAL = "local"
BOOTSTRAP = "bootstrap"
_TEAM = "team"

_WITH_OWNER = select(
    token,
    user.c.name.label("owner_name"),
    user.c.display_name.label("owner_display_name"),
    user.c.role.label("owner_role"),
    user.c.rights.label("owner_rights"),
    user.c.source_ids.label("owner_source_ids"),
    user.c.disabled_at.label("owner_disabled_at"),
).select_from(token.outerjoin(user, user.c.id == token.c.user_id))
_BY_HASH = _WITH_OWNER.where(token.c.token_hash == bindparam("token_hash"))
_BY_ID = _WITH_OWNER.where(token.c.id == bindparam("token_id"))
_INSTALLED = select(installation.c.value).where(installation.c.key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class NewToken:
    """What is stored of a token beside its hash. `source_ids` `None`: all sources; `user_id`
    `None`: it stands for nobody.
    """

    name: str
    role: Role
    created_by: str
    rights: frozenset[Right] = frozenset()
    source_ids: frozenset[int] | None = None
    expires_at: datetime | None = None
    user_id: int | None = None


async def find_token(reader: Reader, token_hash: str) -> Row[Any] | None:
    """A token with what its owner may (`owner_…`; null where it is nobody's)."""
    rows = await reader.rows(_BY_HASH, {"token_hash": token_hash})
    return rows[0] if rows else None


async def find_token_by_id(reader: Reader, token_id: int) -> Row[Any] | None:
    rows = await reader.rows(_BY_ID, {"token_id": token_id})
    return rows[0] if rows else None


async def page_tokens(
    reader: Reader, *, revoked: bool | None, after: int, limit: int
) -> Sequence[Row[Any]]:
    """Tokens with an id beyond `after`, with their owners. `revoked` `None`: both."""
    statement = _WITH_OWNER.where(token.c.id > after)
    if revoked is not None:
        ended = token.c.revoked_at
        statement = statement.where(ended.is_not(None) if revoked else ended.is_(None))
    return await reader.rows(statement.order_by(token.c.id).limit(limit))


async def admin_tokens(reader: Reader, now: datetime) -> Sequence[Row[Any]]:
    """Tokens of the role admin that work now, as far as it lies in them, with their owners."""
    ends = token.c.expires_at
    statement = _WITH_OWNER.where(
        token.c.role == Role.ADMIN.value,
        token.c.revoked_at.is_(None),
        or_(ends.is_(None), ends > now),
    )
    return await reader.rows(statement)


async def add_token(tx: Tx, new: NewToken, secret: str, now: datetime) -> int:
    """Its id. Of the secret only the hash and the last four characters are kept."""
    sources = None if new.source_ids is None else sorted(new.source_ids)
    values = {
        "name": new.name,
        "token_hash": hash_of(secret),
        "last4": secret[-4:],
        "role": new.role.value,
        "rights": sorted(new.rights),
        "source_ids": sources,
        "created_at": now,
        "created_by": new.created_by,
        "expires_at": new.expires_at,
        "user_id": new.user_id,
    }
    added = await tx.execute(tx.insert(token).values(values).returning(token.c.id))
    return int(added.scalar_one())


async def change_token(tx: Tx, token_id: int, values: Mapping[str, Any]) -> None:
    await tx.execute(
        update(token).where(token.c.id == token_id).values(**values, version=token.c.version + 1)
    )


async def revoke_token(tx: Tx, token_id: int, now: datetime) -> str | None:
    """Its hash, `None` when there is none that is not revoked yet."""
    statement = (
        update(token)
        .where(token.c.id == token_id, token.c.revoked_at.is_(None))
        .values(revoked_at=now, version=token.c.version + 1)
        .returning(token.c.token_hash)
    )
    found: str | None = (await tx.execute(statement)).scalar_one_or_none()
    return found


async def token_exists(reader: Reader, token_id: int) -> bool:
    return bool(await reader.rows(select(token.c.id).where(token.c.id == token_id)))


async def count_lasting_tokens(reader: Reader) -> int:
    """Tokens people made, revoked ones too; the local one is made anew at each start."""
    statement = select(func.count()).select_from(token).where(token.c.created_by != LOCAL)
    return int((await reader.rows(statement))[0][0])


async def bootstrap_hashes(reader: Reader) -> frozenset[str]:
    """Hashes of tokens a person chose: they may carry no checksum."""
    rows = await reader.rows(select(token.c.token_hash).where(token.c.created_by == BOOTSTRAP))
    return frozenset(row.token_hash for row in rows)


async def remove_local_tokens(tx: Tx, name: str) -> None:
    await tx.execute(delete(token).where(token.c.created_by == LOCAL, token.c.name == name))


async def record_use(tx: Tx, token_id: int, now: datetime, at_most_every: timedelta) -> None:
    last = token.c.last_used_at
    statement = update(token).where(
        token.c.id == token_id, or_(last.is_(None), last <= now - at_most_every)
    )
    await tx.execute(statement.values(last_used_at=now))


async def find_installed(reader: Reader, key: str) -> Any | None:
    """What the installation remembers under that key."""
    rows = await reader.rows(_INSTALLED, {"key": key})
    return rows[0].value if rows else None


async def remember(tx: Tx, key: str, value: Mapping[str, Any]) -> bool:
    """Keeps it unless the key is taken already; tells whether it was kept."""
    statement = tx.insert(installation).values(key=key, value=value)
    kept = await tx.execute(statement.on_conflict_do_nothing(index_elements=["key"]))
    return bool(kept.rowcount)


async def hold_team(tx: Tx) -> dict[str, Any]:
    """Lets nobody else change the people and tokens until the transaction ends.

    Returns what is remembered of the team as a whole: `local_user`, the id of the person that
    the command line on the service's own machine acts for.
    """
    await remember(tx, _TEAM, {})
    held = _INSTALLED.with_for_update()
    found: dict[str, Any] = (await tx.rows(held, {"key": _TEAM}))[0].value
    return found


async def remember_of_team(tx: Tx, value: Mapping[str, Any]) -> None:
    await replace_installed(tx, _TEAM, value)


async def replace_installed(tx: Tx, key: str, value: Mapping[str, Any]) -> None:
    """Keeps it in place of what was kept under that key."""
    statement = tx.insert(installation).values(key=key, value=value)
    await tx.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


async def forget_installed(tx: Tx, key: str, value: Mapping[str, Any]) -> bool:
    """Forgets what is kept under that key if it is still this; whether it was."""
    if await find_installed(tx, key) != value:
        return False
    await tx.execute(delete(installation).where(installation.c.key == key))
    return True
