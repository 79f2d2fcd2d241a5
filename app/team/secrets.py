"""Credentials at rest: AES-256-GCM, bound to their table, row and column; and the keys for it."""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from app.errors import Unavailable
from app.team.tokens import Random

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D: 96 random bits, good for 2**32 messages under one key
MIN_PASSPHRASE = 32
_VERSION = "v1"
_FORM = re.compile(r"v1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{43}=?")
KEY_ID_FORM = re.compile(r"[0-9a-f]{16}")
KEY_ID = slice(len(_VERSION) + 1, len(_VERSION) + 17)
"""Where an envelope names its key."""

KEY_CHECK = "key_check"
KEY_CHECK_COLUMN = ("installation", "value")
SEALED_COLUMNS = (
    ("connection", "sealed"),
    ("idempotency_key", "answer"),
    ("oauth_client", "sealed"),
    ("source", "credential"),
    ("webhook", "secret"),
    ("webhook", "old_secret"),
)
"""Every table and column that holds envelopes, each row's bound to its `id`: what a rotation seals
anew, beside the key check. Nothing is sealed for a place that is not named here.
"""


class WrongKey(Unavailable):
    """Stored credentials and the key at hand do not belong together. Nothing was changed."""

    title = "The key for stored credentials does not fit"


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """One 256-bit key and the id that envelopes name it by."""

    id: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where an envelope lies. It opens nowhere else, so that rows can't be swapped."""

    table: str
    row: int | str
    column: str

    def bound(self) -> bytes:
        return f"{self.table}:{self.row}:{self.column}".encode()


@dataclass(slots=True, repr=False)
class Keyring:
    """The key that seals, and those from before a rotation, which only open.

    `look` tells the keys of their file when it has changed, so that a rotation reaches processes
    that run. What opened once opens until the process ends.
    """

    current: Key
    old: tuple[Key, ...] = ()
    look: Callable[[], Keyring | None] | None = None
    _replaced: bool = field(default=False, init=False)

    def seal(self, plain: bytes, place: Place, random: Random) -> str:
        """`v1.<key_id>.<nonce>.<ciphertext>`, the last two in base64url without padding."""
        if (place.table, place.column) not in (*SEALED_COLUMNS, KEY_CHECK_COLUMN):
            raise ValueError(f"{place.table}.{place.column} is not named in SEALED_COLUMNS")
        self.look_again()
        if self._replaced:
            raise WrongKey(
                f"The key file does not hold the key in use, {self.current.id}, any more. Put that "
                "key back, or start the service again, which proves that the new one fits."
            )
        nonce = random(NONCE_BYTES)
        sealed = AESGCM(self.current.secret).encrypt(nonce, plain, place.bound())
        return f"{_VERSION}.{self.current.id}.{_encode(nonce)}.{_encode(sealed)}"

    def open(self, envelope: str, place: Place) -> bytes:
        """What was sealed at this place; `WrongKey` when it was changed, moved or is not ours."""
        found = _FORM.fullmatch(envelope)
        if found is None:
            raise WrongKey(f"What is stored in {place.table}.{place.column} is not an envelope.")
        key_id, nonce, sealed = found.groups()
        try:
            secret = self._key(key_id).secret
            return AESGCM(secret).decrypt(_decode(nonce), _decode(sealed), place.bound())
        except (InvalidTag, binascii.Error) as error:
            raise WrongKey(
                f"What is stored in {place.table}.{place.column} of row {place.row} was changed "
                "or belongs to another row. Set the credential again."
            ) from error

    def _key(self, key_id: str) -> Key:
        known = self.find(key_id)
        if known is None:
            self.look_again()
            known = self.find(key_id)
        if known is None:
            raise WrongKey(
                f"A credential was stored with the key {key_id}, which is not at hand; "
                f"the key in use is {self.current.id}. Put the earlier key back."
            )
        return known

    def find(self, key_id: str) -> Key | None:
        """The key of that id, as far as it is known by now."""
        return next((key for key in (self.current, *self.old) if key.id == key_id), None)

    def is_current(self, envelope: str) -> bool:
        """Whether the key in use sealed it; a rotation seals the others anew."""
        found = _FORM.fullmatch(envelope)
        return found is not None and found[1] == self.current.id

    def look_again(self) -> None:
        """Takes up what a rotation has put into the key file.

        A file without the key in use is no rotation's work: its keys open, and none of them seals
        before a start has proven it, else what is written now might never open again.
        """
        fresh = self.look() if self.look is not None else None
        if fresh is None:
            return
        known, listed = (self.current, *self.old), (fresh.current, *fresh.old)
        self._replaced = self.current not in listed
        if not self._replaced:
            self.current = fresh.current
        self.old = tuple(key for key in dict.fromkeys((*listed, *known)) if key != self.current)


def parse_keys(text: str) -> Keyring:
    """One key a line, the first seals: 32 bytes in base64, or a passphrase of 32 characters or
    more. Empty lines and lines that begin with `#` are skipped. `ValueError` with a sentence.
    """
    lines = [line.strip() for line in text.splitlines()]
    keys = [_parse_key(line) for line in lines if line and not line.startswith("#")]
    if not keys:
        raise ValueError("there is no key in it")
    return Keyring(keys[0], tuple(keys[1:]))


def new_key_line(random: Random) -> str:
    """A fresh key as it stands in a key file."""
    return urlsafe_b64encode(random(KEY_BYTES)).decode()


def _parse_key(line: str) -> Key:
    if _BASE64.fullmatch(line):
        secret = b64decode(line.rstrip("=").translate(str.maketrans("-_", "+/")) + "=")
    elif len(line) >= MIN_PASSPHRASE:
        secret = _derived(line)
    else:
        raise ValueError(
            f"a key is 32 bytes in base64 or a passphrase of at least {MIN_PASSPHRASE} characters"
        )
    return Key(hashlib.sha256(b"unanswered key id\x00" + secret).hexdigest()[:16], secret)


def _derived(passphrase: str) -> bytes:
    """By scrypt (RFC 7914) with 32 MiB: slow on purpose, once at each start.

    The salt is fixed: the same passphrase must open the same database on any machine, and nothing
    but the passphrase is kept there.
    """
    salt = b"unanswered secret key v1"
    kdf = Scrypt(salt=salt, length=KEY_BYTES, n=2**15, r=8, p=1)
    return kdf.derive(passphrase.encode())


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encode(raw) != text:  # left-over bits: the same bytes, but not what we wrote
        raise binascii.Error("not the one way to write these bytes")
    return raw
