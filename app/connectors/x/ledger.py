"""What reading X costs, resource by resource (X's price list of 2026-02, in US dollars).

X charges for each post or user that an answer returns, once in a UTC day whatever the number of
answers. Whether users and posts that only come along (`includes`) are charged is not written down
anywhere: they are counted, so that a budget ends early rather than late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

POST = 0.005
OWNED = 0.001
"""A post or follower of the very account that owns the developer app."""
USER = 0.010


@dataclass(slots=True)
class Ledger:
    """What has been charged on this UTC day; a new process begins with nothing, and so counts
    some of it twice.
    """

    owned: bool = False
    _day: date | None = None
    _charged: set[str] = field(default_factory=set)
    _open: float = 0.0

    def charge(
        self,
        at: datetime,
        *,
        posts: Iterable[str] = (),
        users: Iterable[str] = (),
        own_list: bool = False,
    ) -> None:
        """Notes what an answer of that moment returned; `own_list`: a list of our own account."""
        if at.date() != self._day:
            self._day = at.date()
            self._charged.clear()
        price = OWNED if own_list and self.owned else POST
        self._open += price * self._new({f"post:{one}" for one in posts})
        price = OWNED if own_list and self.owned else USER
        self._open += price * self._new({f"user:{one}" for one in users})

    def _new(self, keys: Collection[str]) -> int:
        new = set(keys) - self._charged
        self._charged |= new
        return len(new)

    def take(self) -> float:
        """What has been spent since it was last asked, in dollars."""
        spent, self._open = self._open, 0.0
        return round(spent, 6)
