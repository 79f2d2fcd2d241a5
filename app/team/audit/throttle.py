"""How many refusals of one caller the trail takes: a flood of them must not fill the database."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

EACH = 10
TOGETHER = 200
WINDOW = timedelta(minutes=1)
CALLERS = 10_000
"""Remembered at once; the one that has been quiet longest is forgotten first."""
_EVERYBODY = ""


@dataclass(slots=True)
class _Window:
    since: datetime
    taken: int = 0
    withheld: int = 0


@dataclass(slots=True)
class Throttle:
    """Ten rows a minute for each caller, two hundred for all; the rest is counted."""

    _windows: OrderedDict[str, _Window] = field(default_factory=OrderedDict)

    def take(self, caller: str, now: datetime) -> int | None:
        """`None` where it is too many now; else how many were withheld since the last one."""
        mine, all_of_us = self._window(caller, now), self._window(_EVERYBODY, now)
        if mine.taken >= EACH or all_of_us.taken >= TOGETHER:
            mine.withheld += 1
            return None
        mine.taken += 1
        all_of_us.taken += 1
        withheld, mine.withheld = mine.withheld, 0
        return withheld

    def _window(self, caller: str, now: datetime) -> _Window:
        found = self._windows.get(caller)
        if found is None:
            found = self._windows[caller] = _Window(now)
        elif not timedelta(0) <= now - found.since < WINDOW:
            found.since, found.taken = now, 0
        self._windows.move_to_end(caller)
        while len(self._windows) > CALLERS:
            self._windows.popitem(last=False)
        return found
