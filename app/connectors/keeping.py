"""A credential that is renewed before it is stored anywhere: while somebody connects a source."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class NotStored:
    """Fits `base.SaveCredential`; `renewed` is what the connector wants to have stored."""

    renewed: dict[str, str] = field(default_factory=dict)

    async def __call__(self, new: Mapping[str, str]) -> None:
        self.renewed.update(new)

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[Mapping[str, str] | None]:
        yield None
