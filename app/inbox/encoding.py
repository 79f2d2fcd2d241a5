"""Items of lists as JSON, encoded once for all that is shown of them.

What an item reads like depends on its row (with author, thread, source, labels and people), on
whether it is overdue and claimed at the moment, and on its age. By the first two it is looked up,
the age is written in. So a page after a write costs the encoding of what the write has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.inbox.schemas import item_out

_AGE = b'"age_seconds":'  # within a text its quotes are escaped
_SECOND = timedelta(seconds=1)
_encode = msgspec.json.Encoder().encode


class EncodedItems:
    """The encoded items of one process; at most `most`, of some 2 to 4 kB each."""

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self._known: dict[tuple[Any, bool, bool], tuple[bytes, bytes]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def page(self, rows: Sequence[Any], now: datetime) -> list[msgspec.Raw]:
        """Items (each a `listing.Shown`) as the lists show them at `now`."""
        return [msgspec.Raw(self._item(row, now)) for row in rows]

    def _item(self, row: Any, now: datetime) -> bytes:
        waiting = row.status == "unanswered"
        overdue = waiting and row.due_at is not None and row.due_at < now
        claimed = row.claimed_until is not None and row.claimed_until > now
        known = self._known.get((row, overdue, claimed))
        if known is None:
            if len(self._known) >= self._most:
                self._known.clear()
            known = self._known[(row, overdue, claimed)] = _parted(_encode(item_out(row, now)))
        before, after = known
        if not waiting:
            return before + after
        return b"%b%d%b" % (before, max(0, (now - row.occurred_at) // _SECOND), after)


def _parted(encoded: bytes) -> tuple[bytes, bytes]:
    """An item before and after its age; `null` is the age of one that waits for nothing."""
    at = encoded.index(_AGE) + len(_AGE)
    end = encoded.index(b",", at)
    if encoded[at:end] == b"null":
        return encoded[:end], encoded[end:]
    return encoded[:at], encoded[end:]
