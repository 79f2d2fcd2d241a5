"""What a caller may see: every reading repository function asks for one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The sources a caller may see (`None`: all) and whether direct messages are among it."""

    sources: frozenset[int] | None
    direct: bool

    def allows(self, source_id: int) -> bool:
        return self.sources is None or source_id in self.sources


EVERYTHING = Scope(sources=None, direct=True)
"""For the service itself (poller, housekeeping); never for a request of a caller."""
