"""Time in the key of a record: the platform's servers give keys that grow with time (TID)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from app.connectors.text import parse_time

_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_TID = re.compile(r"[2-7a-j][2-7a-z]{12}")
_CLOCK_BITS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def written_at(uri: str) -> datetime | None:
    """When the record of an at-uri was written, by its key; `None` where that is no TID.

    https://atproto.com/specs/tid: 13 digits of base 32, microseconds since 1970 before the ten
    lowest bits.
    """
    key = uri.rpartition("/")[2]
    if not _TID.fullmatch(key):
        return None
    number = 0
    for digit in key:
        number = number * len(_DIGITS) + _DIGITS.index(digit)
    return parse_time((_EPOCH + timedelta(microseconds=number >> _CLOCK_BITS)).isoformat())


def indexed_at(uri: str, told: datetime | None, claimed: datetime | None) -> datetime | None:
    """The server's own time for a record whose author `claimed` a time.

    In lists of notifications `indexedAt` (`told`) is the time they are sorted by: never later than
    the author's claim, so that it can't contradict it. There, the later of it and the time in the
    key of the record stands for it.
    """
    if told is not None and (claimed is None or told > claimed):
        return told
    return max((at for at in (told, written_at(uri)) if at is not None), default=None)
