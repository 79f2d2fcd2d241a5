"""The form of a token: `una_`, 256 random bits, a checksum; and the hash we keep of it."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable

PREFIX = "una_"
RANDOM_BYTES = 32
Random = Callable[[int], bytes]
"""Gives that many bytes nobody can guess: `secrets.token_bytes`, or a test's own."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BODY = 43  # digits of base 62 that hold 256 bits
_CHECK = 6  # digits of base 62 that hold 32 bits
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_BODY + _CHECK}}}")
_CHOSEN = re.compile(r"[\x21-\x7e]{32,200}")


def new_token(random: Random) -> str:
    """`una_` + 43 digits of base 62 + 6 digits of CRC-32; secret scanners find it by its form."""
    body = PREFIX + _base62(int.from_bytes(random(RANDOM_BYTES), "big"), _BODY)
    return body + _checksum(body)


def is_well_formed(token: str) -> bool:
    """Whether form and checksum are right, which needs no database."""
    return _FORM.fullmatch(token) is not None and _checksum(token[:-_CHECK]) == token[-_CHECK:]


def is_chosen(token: str) -> bool:
    """Whether it may be a token a person chose: 32 to 200 visible ASCII characters."""
    return _CHOSEN.fullmatch(token) is not None


def hash_of(token: str) -> str:
    """SHA-256 in hex. A slow hash is for passwords: 256 random bits can't be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode("ascii")), _CHECK)


def _base62(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
