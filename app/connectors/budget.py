"""What one poll may use of the network, and what it has used."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from app.clock import monotonic
from app.connectors.asking import RateLimit
from app.connectors.failures import ConnectorError, Transient


class BudgetSpent(ConnectorError):
    """This poll has used up its requests or bytes; the rest comes with the next one."""

    code = "budget"


LEAST_PATIENCE = 1.0
"""Seconds: what a host that answers at all is quick enough for."""
SILENCE = 20.0
"""Seconds for which a host is asked on after the first answer that did not come in its time."""


@dataclass(slots=True)
class Budget:
    """Requests, and decoded bytes of answers, of one poll. `in_vain`: so many requests in a row
    had no answer in their time; `silent`: since when which hosts give none, by `monotonic`.
    """

    requests: int
    decoded_bytes: int
    requests_used: int = 0
    bytes_used: int = 0
    silence: float = SILENCE
    in_vain: int = 0
    silent: dict[str, float] = field(default_factory=dict)
    rate_limit: RateLimit = field(default_factory=RateLimit)  # as the last answer told it

    def take_request(self) -> None:
        if self.requests_used >= self.requests:
            raise BudgetSpent(f"This poll has made all of its {self.requests} requests.")
        self.requests_used += 1

    def patience(self, host: str, seconds: float) -> float:
        """How long the next answer is waited for, where `seconds` are usual: half as long after
        each that did not come in a row. Raises `Transient` where the host is asked no more: however
        many requests a poll would make, a host that is silent holds it for a minute at most.
        """
        least = min(seconds, LEAST_PATIENCE)
        left = self.silent.get(host, inf) + self.silence - monotonic()
        if left < least:
            raise Transient(f"{host} gives no answers; the next poll asks it again.")
        return min(max(least, seconds * 0.5**self.in_vain), round(left, 1))

    def heard(self, host: str) -> None:
        """It gave an answer, if only a refusal."""
        self.in_vain = 0
        self.silent.pop(host, None)

    def unheard(self, host: str) -> None:
        """It gave none in its time."""
        self.in_vain += 1
        self.silent.setdefault(host, monotonic())

    def take_bytes(self, count: int) -> None:
        self.bytes_used += count
        if self.bytes_used > self.decoded_bytes:
            raise BudgetSpent(f"This poll has read all of its {self.decoded_bytes} bytes.")
