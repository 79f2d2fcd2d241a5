"""Opening the keys at the start: found or made, and proven to fit this database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.db import Database, Tx
from app.team import repository
from app.team.files import create_private
from app.team.secrets import (
    KEY_CHECK,
    KEY_CHECK_COLUMN,
    Keyring,
    Place,
    WrongKey,
    new_key_line,
    parse_keys,
)
from app.team.tokens import Random

KEY_FILE = "secret.key"
LOOK_SECONDS = 15.0
"""How soon an idle process knows a new key; a busy one looks whenever it seals."""
_PLACE = Place(KEY_CHECK_COLUMN[0], KEY_CHECK, KEY_CHECK_COLUMN[1])
_PLAIN = b"unanswered"
_log = structlog.get_logger(__name__)


async def open_keyring(
    db: Database, *, secret_key: str | None, data_dir: Path, random: Random
) -> Keyring:
    """The keys of the setting, else of `secret.key` in the data folder, made at the first start.

    The database keeps a value sealed with its key. When that does not open, or the key file of a
    database that was used before is missing, `WrongKey` says what to put back; nothing is written.
    """
    check = await repository.find_installed(db, KEY_CHECK)
    path = data_dir / KEY_FILE
    source = "UNANSWERED_SECRET_KEY" if secret_key is not None else str(path)
    look = None
    if secret_key is None:
        secret_key = _read_or_make(path, random, may_make=check is None)
        look = _Look(path, _state(path))
    try:
        keyring = parse_keys(secret_key)
    except ValueError as error:
        raise WrongKey(f"The key in {source} can't be used: {error}.") from error
    keyring.look = look
    if check is None:
        async with db.write() as tx:
            sealed = keyring.seal(_PLAIN, _PLACE, random)
            await repository.remember(tx, KEY_CHECK, {"envelope": sealed})
        # Another process may have been first, with a key of its own.
        check = await repository.find_installed(db, KEY_CHECK)
    _prove(keyring, check["envelope"] if check else "", source)
    return keyring


async def seal_check_anew(tx: Tx, keyring: Keyring, random: Random) -> None:
    """Proves the next starts by the key in use; a step of a rotation."""
    await repository.replace_installed(
        tx, KEY_CHECK, {"envelope": keyring.seal(_PLAIN, _PLACE, random)}
    )


async def find_check(db: Database) -> str | None:
    """The envelope that proves a key; `None` before the first start."""
    check = await repository.find_installed(db, KEY_CHECK)
    return None if check is None else str(check["envelope"])


@asynccontextmanager
async def following(keyring: Keyring) -> AsyncIterator[None]:
    """Takes up new keys also while nothing is sealed or opened."""
    task = asyncio.create_task(_follow(keyring))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _follow(keyring: Keyring) -> None:
    while keyring.look is not None:
        await asyncio.sleep(LOOK_SECONDS)
        before = keyring.current
        keyring.look_again()
        if keyring.current != before:
            _log.info("a new key seals credentials from now on", key_id=keyring.current.id)


@dataclass(slots=True)
class _Look:
    """Reads the key file again when it has changed."""

    path: Path
    seen: tuple[int, int, int]

    def __call__(self) -> Keyring | None:
        """Its keys; `None` while it is as it was, and where it can't be used as it is."""
        try:
            state = _state(self.path)
            if state == self.seen:
                return None
            fresh = parse_keys(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        self.seen = state
        return fresh


def _state(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _read_or_make(path: Path, random: Random, *, may_make: bool) -> str:
    if may_make and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        line = new_key_line(random)
        create_private(
            path, f"# Guards the stored credentials. Keep it, apart from backups.\n{line}\n"
        )
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise WrongKey(
            f"The key file {path} is missing, but this database was used with one. Put the file "
            "back, or set UNANSWERED_SECRET_KEY. Nothing was changed."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise WrongKey(f"The key file {path} can't be read. Nothing was changed.") from error


def _prove(keyring: Keyring, envelope: str, source: str) -> None:
    try:
        keyring.open(envelope, _PLACE)
    except WrongKey as error:
        raise WrongKey(
            f"The key in {source} is not the one this database was used with. Put the right one "
            "back: without it the stored credentials can't be read. Nothing was changed."
        ) from error
