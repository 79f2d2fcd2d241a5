"""What one poll may use of the network, and what it has used."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.clock import monotonic
from app.connectors.asking import RateLimit
from app.connectors.failures import ConnectorError


class BudgetSpent(ConnectorError):
    """This poll has used up its requests or bytes; the rest comes with the next one."""

    code = "budget"


POLL_SECONDS = 55.0
"""For so long a poll asks: no host, silent or slow, may hold it for more than a minute."""
SHORTEST = 5.0
"""So many seconds must be left of them for a request to begin."""
LEAST_PATIENCE = 1.0
"""Seconds: what a host that answers at all is quick enough for."""


@dataclass(slots=True)
class Budget:
    """Requests, decoded bytes of answers, and seconds of one poll; `begin` is the next one.
    `in_vain`: so many requests in a row had no answer in their time.
    """

    requests: int
    decoded_bytes: int
    seconds: float = POLL_SECONDS
    requests_used: int = 0
    bytes_used: int = 0
    in_vain: int = 0
    rate_limit: RateLimit = field(default_factory=RateLimit)  # as the last answer told it
    _began: float = field(default_factory=monotonic, repr=False)

    def begin(self) -> None:
        """Another poll: nothing of it is used yet, and every host is waited for as usual."""
        self.requests_used = self.bytes_used = self.in_vain = 0
        self._began = monotonic()

    def take_request(self) -> None:
        if self.requests_used >= self.requests:
            raise BudgetSpent(f"This poll has made all of its {self.requests} requests.")
        self.requests_used += 1

    def patience(self, seconds: float) -> float:
        """How long the next answer is waited for, where `seconds` are usual: half as long after
        each that did not come in a row, and no longer than the poll lasts. Raises `BudgetSpent`
        where too little is left of it.
        """
        left = self._began + self.seconds - monotonic()
        if left < min(seconds, SHORTEST):
            raise BudgetSpent(f"This poll has taken its {self.seconds:g} seconds.")
        least = min(seconds, LEAST_PATIENCE)
        return min(max(least, seconds * 0.5**self.in_vain), round(left, 1))

    def take_bytes(self, count: int) -> None:
        self.bytes_used += count
        if self.bytes_used > self.decoded_bytes:
            raise BudgetSpent(f"This poll has read all of its {self.decoded_bytes} bytes.")
