"""The steps of a rotation: a key is prepared, made, everything sealed anew, old ones dropped."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from app.clock import SystemClock
from app.db import Database
from app.errors import Conflict
from app.rotation.resealing import Resealed, keys_in_use, seal_anew
from app.settings import Settings
from app.team.files import replace_private
from app.team.key_file import KeyLines
from app.team.keys import KEY_FILE, find_check, open_keyring
from app.team.secrets import KEY_ID_FORM, Keyring, new_key_line, parse_keys

SETTLED_SECONDS = 180
"""How old a new key must be before old ones go: longer than any request takes, and many times
what an idle process takes to learn of it (`keys.LOOK_SECONDS`).
"""
BY_HAND = (
    "The key is set by UNANSWERED_SECRET_KEY, which only you can change: "
    "docs/keys.md tells the steps."
)
Role = Literal["seals", "opens", "is next", "is missing", "is no envelope"]


@dataclass(frozen=True, slots=True)
class KeyTold:
    """A key by its id, what it does, and how many envelopes it sealed in which columns."""

    id: str
    role: Role
    envelopes: int
    columns: dict[str, int]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a step did; `told` are sentences about it, `unreadable` what no key at hand opens."""

    key_id: str
    sealed: int
    told: tuple[str, ...]
    made: bool = False
    unreadable: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        return {name: value for name, value in asdict(self).items() if name != "told"}


async def keys_told(db: Database, settings: Settings) -> list[KeyTold]:
    """Every key: the one that seals, those that open, and those that are missing."""
    keyring = await _proven(db, settings)
    use = await keys_in_use(db)
    roles: dict[str, Role] = {key.id: "opens" for key in (keyring.current, *keyring.old)}
    upcoming = _next_id(settings)
    if upcoming is not None:
        roles[upcoming] = "is next"
    roles[keyring.current.id] = "seals"
    for key_id in use:
        roles.setdefault(key_id, "is missing" if KEY_ID_FORM.fullmatch(key_id) else _NO_ENVELOPE)
    return [
        KeyTold(key_id, role, sum(use.get(key_id, {}).values()), dict(use.get(key_id, {})))
        for key_id, role in roles.items()
    ]


_NO_ENVELOPE: Role = "is no envelope"


async def prepare(db: Database, settings: Settings) -> Rotated:
    """Adds a key that opens and does not seal yet."""
    keyring = await _proven(db, settings)
    with _key_file(settings) as (path, lines):
        if lines.prepared is not None:
            raise Conflict(f"A next key is prepared already: {_next_id(settings)}.")
        line = new_key_line(secrets.token_bytes)
        lines.prepare(line)
        replace_private(path, lines.text)
    told = (
        f"Prepared the key {parse_keys(line).current.id}; {keyring.current.id} still seals.",
        f"Copy {path} to every machine that shares this database; then rotate.",
    )
    return Rotated(keyring.current.id, 0, told, made=True)


async def rotate(db: Database, settings: Settings) -> Rotated:
    """Finishes a rotation that was interrupted, else makes a new key (or takes the prepared one),
    and seals everything with it.
    """
    keyring = await _proven(db, settings)
    if settings.secret_key is not None:
        return _sealed(keyring, await seal_anew(db, keyring, secrets.token_bytes), _FIRST)
    with _key_file(settings) as (path, lines):
        rest = await seal_anew(db, keyring, secrets.token_bytes)
        if rest.count:
            return _sealed(keyring, rest, "An earlier rotation was not finished; now it is.")
        if lines.prepared is None:
            lines.put_first(new_key_line(secrets.token_bytes))
        else:
            lines.promote()
        replace_private(path, lines.text)
        keyring.look_again()
        done = await seal_anew(db, keyring, secrets.token_bytes)
    told = f"The key {keyring.current.id} seals from now on; services that run know it."
    shared = f"Other machines that share this database need {path} as it is now: copy it."
    more = (shared,) if db.dialect == "postgresql" else ()
    return _sealed(keyring, done, told, *more, made=True)


_FIRST = "The first key of UNANSWERED_SECRET_KEY seals."


def _sealed(keyring: Keyring, done: Resealed, *told: str, made: bool = False) -> Rotated:
    unreadable = tuple(f"{place.table}.{place.column} of {place.row}" for place in done.unreadable)
    sentences = (*told, f"Sealed anew: {done.count:,} envelopes.")
    return Rotated(keyring.current.id, done.count, sentences, made=made, unreadable=unreadable)


async def drop_old(db: Database, settings: Settings) -> Rotated:
    """Removes the keys that nothing needs any more. Raises `Conflict` where one is needed."""
    keyring = await _proven(db, settings)
    done = await seal_anew(db, keyring, secrets.token_bytes)
    old = [key.id for key in keyring.old if key.id != _next_id(settings)]
    needed = {key_id: sum(where.values()) for key_id, where in (await keys_in_use(db)).items()}
    for key_id in old:
        if needed.get(key_id):
            raise Conflict(
                f"The old key {key_id} is still needed for {needed[key_id]:,} envelopes, which "
                "can't be opened or were sealed this moment. Nothing was removed."
            )
    if not old:
        return _dropped(keyring, done, (), "There is no old key.")
    if settings.secret_key is not None:
        told = f"Nothing needs {', '.join(old)} any more: leave them out of UNANSWERED_SECRET_KEY."
        return _dropped(keyring, done, (), told)
    with _key_file(settings) as (path, lines):
        _refuse_young(path)
        lines.drop_old()
        replace_private(path, lines.text)
    told = (
        f"Removed {', '.join(old)}. A backup made before needs it: keep a copy of the "
        "key for as long as such a backup, or make a new one now."
    )
    return _dropped(keyring, done, old, told)


def _dropped(keyring: Keyring, done: Resealed, old: Sequence[str], told: str) -> Rotated:
    return Rotated(keyring.current.id, done.count, (told,), dropped=tuple(old))


def _refuse_young(path: Path) -> None:
    age = SystemClock().now().timestamp() - path.stat().st_mtime
    if age < SETTLED_SECONDS:
        raise Conflict(
            f"The new key is {age:.0f} s old, and requests that began before may still use the old "
            f"one. Try again in {SETTLED_SECONDS - age:.0f} s. Nothing was removed."
        )


async def _proven(db: Database, settings: Settings) -> Keyring:
    """The keys at hand, proven to fit. Raises `Conflict` before the first start, `WrongKey`."""
    if await find_check(db) is None:
        raise Conflict("No key was used with this database yet: start the service once.")
    key = settings.secret_key
    return await open_keyring(
        db,
        secret_key=None if key is None else key.get_secret_value(),
        data_dir=settings.data_dir,
        random=secrets.token_bytes,
    )


def _next_id(settings: Settings) -> str | None:
    if settings.secret_key is not None:
        return None
    prepared = KeyLines((settings.data_dir / KEY_FILE).read_text(encoding="utf-8")).prepared
    return None if prepared is None else parse_keys(prepared).current.id


@contextmanager
def _key_file(settings: Settings) -> Iterator[tuple[Path, KeyLines]]:
    """The key file, for one rotation at a time. Raises `Conflict`."""
    if settings.secret_key is not None:
        raise Conflict(BY_HAND)
    path = settings.data_dir / KEY_FILE
    try:
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=0):
            yield path, KeyLines(path.read_text(encoding="utf-8"))
    except Timeout:
        raise Conflict("Another rotation is under way. Nothing was changed.") from None
