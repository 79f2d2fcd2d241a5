"""Which conversation a post belongs to: a post names only its parent, the context the root."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any

from app.connectors.base import Mention, ThreadRef
from app.connectors.failures import BadResponse, Gone, Transient
from app.connectors.fediverse.entities import Entries, parse_context, root_of
from app.connectors.fediverse.pages import ids_of

KNOWN = 20_000
TRIES = 3  # a context that fails again and again must not block the page for ever


class Roots:
    """Remembers the conversation of each post seen, so that a context is read once for all its
    posts; forgets the oldest. `read` fetches the context of a post.
    """

    def __init__(self, read: Callable[[str], Awaitable[Any]]) -> None:
        self._read = read
        self._known: dict[str, ThreadRef] = {}
        self._failures: Counter[str] = Counter()

    async def threaded(self, entries: Entries) -> Entries:
        """The entries of a newest-first list, each in its conversation; parents come first."""
        found = [await self.in_thread(each) for each in reversed(entries.mentions)]
        return replace(entries, mentions=tuple(reversed(found)))

    async def in_thread(self, mention: Mention) -> Mention:
        """`mention` in its conversation; costs one request where nothing is known of it yet."""
        if mention.parent_external_id is None:
            self.remember([mention.external_id], mention.thread)
            return mention
        known = self._known.get(mention.external_id) or self._known.get(mention.parent_external_id)
        return replace(mention, thread=known or await self._ask(mention))

    async def _ask(self, mention: Mention) -> ThreadRef:
        try:
            ancestors, descendants = parse_context(await self._read(mention.external_id))
        except (Gone, BadResponse):  # deleted since, or unreadable: its parent is all we know
            return mention.thread
        except Transient:
            self._failures[mention.external_id] += 1
            if self._failures[mention.external_id] < TRIES:
                raise
            return mention.thread
        self._failures.pop(mention.external_id, None)
        thread = root_of(mention.raw or {}, ancestors)
        self.remember([*ids_of(ancestors), mention.external_id, *ids_of(descendants)], thread)
        return thread

    def remember(self, external_ids: Iterable[str], thread: ThreadRef) -> None:
        self._known.update(dict.fromkeys(external_ids, thread))
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]
