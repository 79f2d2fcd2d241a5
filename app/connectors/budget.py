"""What one poll may use of the network, and what it has used."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.connectors.asking import RateLimit
from app.connectors.failures import ConnectorError


class BudgetSpent(ConnectorError):
    """This poll has used up its requests or bytes; the rest comes with the next one."""

    code = "budget"


LEAST_PATIENCE = 1.0
"""Seconds: what a host that answers at all is quick enough for."""


@dataclass(slots=True)
class Budget:
    """Requests, and decoded bytes of answers, of one poll. `in_vain`: so many requests in a row
    had no answer in their time.
    """

    requests: int
    decoded_bytes: int
    requests_used: int = 0
    bytes_used: int = 0
    in_vain: int = 0
    rate_limit: RateLimit = field(default_factory=RateLimit)  # as the last answer told it

    def take_request(self) -> None:
        if self.requests_used >= self.requests:
            raise BudgetSpent(f"This poll has made all of its {self.requests} requests.")
        self.requests_used += 1

    def patience(self, seconds: float) -> float:
        """How long the next answer is waited for, where `seconds` are usual: half as long after
        each that did not come in a row, so that a silent host costs a poll little more than two.
        """
        return max(min(seconds, LEAST_PATIENCE), seconds * 0.5**self.in_vain)

    def take_bytes(self, count: int) -> None:
        self.bytes_used += count
        if self.bytes_used > self.decoded_bytes:
            raise BudgetSpent(f"This poll has read all of its {self.decoded_bytes} bytes.")
