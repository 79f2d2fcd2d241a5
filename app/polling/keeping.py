"""Connectors, kept from poll to poll."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from app.connectors.base import Connector
from app.connectors.budget import Budget
from app.sources.connecting import Connecting

REQUESTS_A_POLL = 2000
BYTES_A_POLL = 100 * 2**20
CONNECTORS_KEPT = 2000


@dataclass(frozen=True, slots=True)
class _Kept:
    """A connector that serves the next poll too, and what it was made of."""

    made_of: tuple[Any, ...]
    connector: Connector
    budget: Budget


@dataclass(slots=True)
class Connectors:
    """The connectors of the sources that were polled last: a session and what one has learned of
    threads would cost requests again. Another setting or credential makes a new one.
    """

    connecting: Connecting
    _kept: OrderedDict[int, _Kept] = field(default_factory=OrderedDict)

    def of(self, source: Row[Any]) -> tuple[Connector, Budget]:
        """A source's, with the budget of its next poll. Raises what `connector_of` raises."""
        made_of = (source.platform, repr(source.settings), source.credential)
        kept = self._kept.get(source.id)
        if kept is None or kept.made_of != made_of:
            budget = Budget(requests=REQUESTS_A_POLL, decoded_bytes=BYTES_A_POLL)
            connector = self.connecting.connector_of(source, budget)
            kept = self._kept[source.id] = _Kept(made_of, connector, budget)
        self._kept.move_to_end(source.id)
        if len(self._kept) > CONNECTORS_KEPT:
            self._kept.popitem(last=False)
        kept.budget.begin()
        return kept.connector, kept.budget
