"""Opening the keys at the start: found or made, and proven to fit this database."""

from __future__ import annotations

from pathlib import Path

from app.db import Database
from app.team import repository
from app.team.files import create_private
from app.team.secrets import Keyring, Place, WrongKey, new_key_line, parse_keys
from app.team.tokens import Random

KEY_FILE = "secret.key"
KEY_CHECK = "key_check"
_PLACE = Place("installation", KEY_CHECK, "value")
_PLAIN = b"unanswered"


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
    if secret_key is None:
        secret_key = _read_or_make(path, random, may_make=check is None)
    try:
        keyring = parse_keys(secret_key)
    except ValueError as error:
        raise WrongKey(f"The key in {source} can't be used: {error}.") from error
    if check is None:
        async with db.write() as tx:
            sealed = keyring.seal(_PLAIN, _PLACE, random)
            await repository.remember(tx, KEY_CHECK, {"envelope": sealed})
        # Another process may have been first, with a key of its own.
        check = await repository.find_installed(db, KEY_CHECK)
    _prove(keyring, check["envelope"] if check else "", source)
    return keyring


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
