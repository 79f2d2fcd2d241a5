"""Reading stored messages again, many with one request, where a platform offers that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from app.connectors.base import Page


@runtime_checkable
class ReadsMany(Protocol):
    """What a connector has besides, to keep a duty of `Retention` at a low price."""

    most_at_once: int

    async def fetch_items(self, external_ids: Sequence[str]) -> Page:
        """These messages, at most `most_at_once`: each is in `mentions`, `gone` or `unparsed`."""
        ...
