"""Who waits alone when we write: the evidence `adjacent`, for flat platforms only.

The item's author is the only one waiting at that moment by platform times alone: items not later
than the reply and not answered by an earlier reply of ours, whatever people did here.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from app.inbox.evidence import (
    NOBODY,
    READERS,
    UNKNOWN,
    Claim,
    Claims,
    OurReply,
    Waiting,
    addressed,
    names,
)
from app.inbox.item import Evidence


class Waiters:
    """Who waits at a moment of the history, as replies come by in order of time.

    Every item enters once and leaves once.
    """

    def __init__(self) -> None:
        self._lists: defaultdict[str, defaultdict[str, deque[Waiting]]] = defaultdict(
            lambda: defaultdict(deque)
        )
        self._answered: set[int] = set()

    def enter(self, item: Waiting) -> None:
        if item.needs_reply and item.id not in self._answered:
            self._lists[item.author_id][item.visibility].append(item)

    def sole_author(self) -> str | None:
        return next(iter(self._lists)) if len(self._lists) == 1 else None

    def before(self, author_id: str, reply: OurReply) -> list[Waiting]:
        """The author's waiting items that `reply` came after and that could read it."""
        return [
            item
            for visibility in READERS[reply.visibility]
            for item in self._lists[author_id][visibility]
            if item.occurred_at < reply.occurred_at and item.id not in self._answered
        ]

    def answer(self, item: Waiting, reply: OurReply) -> None:
        """`item` leaves, or will not enter, and the author's earlier ones leave with it."""
        self._answered.add(item.id)
        self.leave(item.author_id, reply, before=min(item.occurred_at, reply.occurred_at))

    def leave(self, author_id: str, reply: OurReply, *, before: datetime) -> None:
        lists = self._lists.get(author_id)
        if lists is None:
            return
        for visibility in READERS[reply.visibility]:
            waiting = lists[visibility]
            while waiting and waiting[0].occurred_at < before:
                self._answered.add(waiting.popleft().id)
        for waiting in lists.values():
            while waiting and waiting[0].id in self._answered:
                waiting.popleft()
        if not any(lists.values()):
            del self._lists[author_id]


@dataclass(frozen=True, slots=True)
class People:
    """The authors of a thread: by id and external id of their items, and by their names."""

    by_item: Mapping[int, str]
    by_external_id: Mapping[str, str]
    by_name: Mapping[str, set[str]]


def people_of(items: Sequence[Waiting]) -> People:
    by_name: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        for name in names(item):
            by_name[name].add(item.author_id)
    return People(
        {item.id: item.author_id for item in items},
        {item.external_id: item.author_id for item in items},
        by_name,
    )


def may_mean(author_id: str, reply: OurReply, aim: str | None, people: People) -> bool:
    """Whether nothing in `reply` says that it is for somebody else than `author_id`."""
    if reply.addressed or aim is UNKNOWN:
        return False
    if reply.sent_for is not None and people.by_item.get(reply.sent_for) != author_id:
        return False
    return aim == NOBODY or people.by_external_id[aim] == author_id


def add_adjacent(
    claims: Claims,
    items: Sequence[Waiting],
    ours: Sequence[OurReply],
    aims: Mapping[int, str | None],
) -> None:
    """`adjacent`: walk through the history and see who waits alone when a reply comes.

    Replies of the same moment see the same people waiting; only the first of them is taken.
    """
    waiters = Waiters()
    people = people_of(items)
    linked = linked_items(items, claims)
    upcoming = deque(items)
    for moment, group in groupby(ours, key=attrgetter("occurred_at")):
        replies = list(group)
        while upcoming and upcoming[0].occurred_at <= moment:
            waiters.enter(upcoming.popleft())
        alone = waiters.sole_author()
        meant = (r for r in replies if alone is not None and may_mean(alone, r, aims[r.id], people))
        reply = next(meant, None)
        if alone is not None and reply is not None:
            for item in waiters.before(alone, reply):
                claims[item.id].append(Claim(Evidence.ADJACENT, reply))
                waiters.answer(item, reply)
        for each in replies:
            let_leave(waiters, each, linked.get(each.id, ()), people)


def linked_items(items: Sequence[Waiting], claims: Claims) -> Mapping[int, list[Waiting]]:
    """By id of a reply the items it answers by a link."""
    found: defaultdict[int, list[Waiting]] = defaultdict(list)
    for item in items:
        for claim in claims.get(item.id, ()):
            found[claim.reply.id].append(item)
    return found


def let_leave(waiters: Waiters, reply: OurReply, linked: Iterable[Waiting], people: People) -> None:
    for item in linked:
        waiters.answer(item, reply)
    for name in addressed(reply):
        for author_id in people.by_name.get(name, ()):
            waiters.leave(author_id, reply, before=reply.occurred_at)
