"""SQL of the team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, or_, select, update

from app.db import Reader, Tx
from app.team.models import installation, token
from app.team.tokens import hash_of
from app.web.principal import Right, Role

LOCAL = "local"
BOOTSTRAP = "bootstrap"

_BY_HASH = select(token).where(token.c.token_hash == bindparam("token_hash"))
_INSTALLED = select(installation.c.value).where(installation.c.key == bindparam("key"))


@dataclass(frozen=True, slots=True)
class NewToken:
    """What is stored of a token beside its hash. `source_ids` `None`: all sources."""

    name: str
    role: Role
    created_by: str
    rights: frozenset[Right] = frozenset()
    source_ids: frozenset[int] | None = None
    expires_at: datetime | None = None


async def find_token(reader: Reader, token_hash: str) -> Row[Any] | None:
    rows = await reader.rows(_BY_HASH, {"token_hash": token_hash})
    return rows[0] if rows else None


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
    }
    added = await tx.execute(tx.insert(token).values(values).returning(token.c.id))
    return int(added.scalar_one())


async def revoke_token(tx: Tx, token_id: int, now: datetime) -> str | None:
    """Its hash, `None` when there is none that is not revoked yet."""
    statement = (
        update(token)
        .where(token.c.id == token_id, token.c.revoked_at.is_(None))
        .values(revoked_at=now)
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


async def replace_installed(tx: Tx, key: str, value: Mapping[str, Any]) -> None:
    """Keeps it in place of what was kept under that key."""
    statement = tx.insert(installation).values(key=key, value=value)
    await tx.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
