"""What other parts of the program do when a person is erased."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from app.db import Tx
from app.inbox.search.repository import touch
from app.outbox.repository import forget_events_of

OfItems = Callable[[Tx, Sequence[int]], Awaitable[object]]
"""What a part of the program does when items go for good, or when a text of them has changed."""


async def words_anew(tx: Tx, item_ids: Sequence[int]) -> None:
    """What the search knows of items is made anew from what is left of them."""
    touch(tx, item_ids)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What other parts do: `items_go` before items are deleted (their ids), `texts_changed` after
    texts of items were rewritten. Rows that hang on an item by a cascading key need no hook, and
    texts in any table are found by themselves.
    """

    items_go: tuple[OfItems, ...] = (forget_events_of,)
    texts_changed: tuple[OfItems, ...] = (words_anew,)
