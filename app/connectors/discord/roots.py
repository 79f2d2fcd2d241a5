"""Which conversation a message of a channel belongs to: it names only the one it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from app.connectors.base import JsonObject
from app.connectors.discord.messages import FORWARDED
from app.connectors.discord.snowflakes import inner
from app.connectors.failures import BadResponse, Gone, PermissionMissing
from app.connectors.fields import find_id

KNOWN = 20_000
STEPS = 10
"""So many messages are asked for on the way up from one whose chain is not known yet."""

Fetch = Callable[[str, str], Awaitable[JsonObject]]
"""A message, by its channel and its id."""


class Roots:
    """Remembers for each message seen the first of its chain of replies; forgets the oldest."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[str, str] = {}

    async def learn(self, channel: str, rows: Sequence[Any]) -> None:
        """Finds the first message for each of these; costs requests for unknown chains alone."""
        messages = [row for row in rows if isinstance(row, dict) and find_id(row)]
        for message in sorted(messages, key=lambda row: int(find_id(row) or 0)):
            await self._climb(channel, message)

    def root(self, number: str) -> str:
        """The first message of the chain, itself where it begins one."""
        return self._known.get(number, number)

    async def _climb(self, channel: str, message: JsonObject) -> None:
        path = [str(find_id(message))]
        above = answered_by(message, channel)
        nearer = inner(message, "referenced_message")
        for _ in range(STEPS):
            if above is None or above in path:
                break
            path.append(above)
            if above in self._known:
                break
            if not nearer:
                try:
                    nearer = await self._fetch(channel, above)
                except (Gone, PermissionMissing, BadResponse):
                    break  # what stands above it can't be known: the chain begins here
            above, nearer = answered_by(nearer, channel), {}
        root = self._known.get(path[-1], path[-1])
        self._known.update(dict.fromkeys(path, root))
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]


def answered_by(message: JsonObject, channel: str) -> str | None:
    """The id of the message of the same channel that this one answers."""
    reference = inner(message, "message_reference")
    elsewhere = find_id(reference, "channel_id") not in {None, channel}
    return (
        None
        if elsewhere or reference.get("type") == FORWARDED
        else find_id(reference, "message_id")
    )
