"""What the search tells of itself on the wire."""

from __future__ import annotations

from typing import Self

import msgspec

from app.inbox.search.repository import COUNTED


class SearchState(msgspec.Struct, kw_only=True):
    """Whether every item could be found by its words. `waiting` items can't yet, up to 1000;
    at 1000 there may be more. They are being read, the list is right when it is asked again.
    """

    complete: bool
    waiting: int

    @classmethod
    def of(cls, waiting: int) -> Self:
        return cls(complete=waiting == 0, waiting=min(waiting, COUNTED))
