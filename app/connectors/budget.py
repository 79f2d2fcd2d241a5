"""What one poll may use of the network, and what it has used."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.connectors.asking import RateLimit
from app.connectors.failures import ConnectorError


class BudgetSpent(ConnectorError):
    """This poll has used up its requests or bytes; the rest comes with the next one."""

    code = "budget"


@dataclass(slots=True)
class Budget:
    """Requests, and decoded bytes of answers, of one poll."""

    requests: int
    decoded_bytes: int
    requests_used: int = 0
    bytes_used: int = 0
    rate_limit: RateLimit = field(default_factory=RateLimit)  # as the last answer told it

    def take_request(self) -> None:
        if self.requests_used >= self.requests:
            raise BudgetSpent(f"This poll has made all of its {self.requests} requests.")
        self.requests_used += 1

    def take_bytes(self, count: int) -> None:
        self.bytes_used += count
        if self.bytes_used > self.decoded_bytes:
            raise BudgetSpent(f"This poll has read all of its {self.decoded_bytes} bytes.")
