"""What is true for a moment: open streams are told of it without a number, and nothing is kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Hashable, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that holds now. `part` is the message that says so, `over` the one that says that
    it holds no more; who may see the source, and direct messages where it is of one, is told.
    """

    key: Hashable
    source_id: int
    direct: bool
    part: bytes
    over: bytes


class Passing:
    """What the streams of this process have been told, so that only changes are told."""

    def __init__(self, look: Callable[[], Awaitable[Sequence[Moment]]]) -> None:
        self._look = look
        self._told: dict[Hashable, Moment] = {}

    @property
    def told(self) -> Collection[Moment]:
        """For who joins the others."""
        return self._told.values()

    def forget(self) -> None:
        """Nobody listens."""
        self._told = {}

    async def news(self) -> list[Moment]:
        """What is new, and what has ended: with its last message as `part`."""
        found = {moment.key: moment for moment in await self._look()}
        ended = [replace(m, part=m.over) for key, m in self._told.items() if key not in found]
        begun = [m for key, m in found.items() if self._told.get(key) != m]
        self._told = found
        return [*ended, *begun]
