"""What the trail is told of a request, and what keeps it: plain values and a protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from app.db import Tx
from app.web.principal import Principal


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the trail names it."""

    operation: str
    address: str | None
    request_id: str | None
    params: Mapping[str, Any]
    who: Callable[[], Principal | None]

    @property
    def principal(self) -> Principal | None:
        """Who asks; of an open route only known once it has found out."""
        return self.who()


class Row(Protocol):
    """The row of a request that is being answered."""

    async def done(self, tx: Tx | None, made: tuple[str, int] | None) -> None:
        """It succeeded. `made`: the word of a list and the id in it, where the answer names one."""
        ...

    def close(self) -> None: ...


class Trail(Protocol):
    """Keeps the rows; `main` puts one on `app.state.trail`."""

    async def open(self, asked: Asked, tx: Tx | None) -> Row: ...

    async def refused(self, asked: Asked, status: int, bearer: str | None) -> None:
        """Notes that an operation was not allowed. Raises nothing: the answer has left."""
        ...
