"""Which reply of ours is evidence for which item of its thread, one function for each kind.

Readings of docs/statuses.md chosen for safety:

- A link proves that the reply came later, so `sent` and `exact` do not compare times: the clock
  of a foreign server must not hide an answer. All other evidence needs a strictly later time.
- Who can read it: a direct message is answered by a direct message only, an item for followers
  by anything but one, a public or unlisted item by a public or unlisted reply. `sent` is exempt:
  a person chose the audience.
- Platforms with a tree of replies name everybody of the branch in each reply. There, a reply to
  somebody addresses that message alone; `mention` counts freely only for a reply that hangs on
  nobody's message (on our own post, or on nothing).
- Flat platforms hang every reply on the first message. There, a parent is no evidence once the
  reply addresses somebody else, and a reply meant for one person is never `adjacent` to another.
- `same_author` follows from replies only, not from `native`.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final

from app.inbox.item import Evidence


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item of the thread, whatever its status: what people did here does not count.

    `author_id` is the platform's stable id, `author_handle` as known now: the same on all items
    of an author. `needs_reply` as the kind gives it: who only follows or shares does not wait.
    `native_at`: the platform itself says that we answered then (where it tells no time, the
    service gives the moment it first saw that).
    """

    id: int
    external_id: str
    author_id: str
    occurred_at: datetime
    author_handle: str = ""
    parent_external_id: str | None = None
    visibility: str = "public"
    needs_reply: bool = True
    native_at: datetime | None = None
    native_url: str = ""
    answers_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class OurReply:
    """A message of ours in the thread. `addressed` holds ids and handles; `sent_for` is the item
    that this service sent it for; `known_at` is when it was stored here.
    """

    id: int
    external_id: str
    author_id: str
    occurred_at: datetime
    known_at: datetime
    parent_external_id: str | None = None
    visibility: str = "public"
    automated: bool = False
    addressed: frozenset[str] = frozenset()
    sent_for: int | None = None
    url: str = ""
    answered_by: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """`flat`: the platform keeps no tree of replies. `own_root` is the external id of the root
    where that is a post of ours or an article, so that hanging on it is hanging on nobody.
    """

    flat: bool = False
    own_root: str | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """`reply` answers an item, for this reason."""

    evidence: Evidence
    reply: OurReply


Claims = defaultdict[int, list[Claim]]  # by id of the item


@dataclass(frozen=True, slots=True)
class Timeline:
    """Replies by time; `known[i]` is when the last of `replies[i:]` became known."""

    times: Sequence[datetime]
    replies: Sequence[OurReply]
    known: Sequence[datetime]

    def first_after(self, moment: datetime) -> OurReply | None:
        place = bisect_right(self.times, moment)
        return self.replies[place] if place < len(self.replies) else None

    def any_after(self, moment: datetime, *, known_after: datetime | None) -> bool:
        place = bisect_right(self.times, moment)
        if place == len(self.replies):
            return False
        return known_after is None or self.known[place] > known_after


Mentions = Mapping[tuple[str, str], Timeline]  # by who is addressed, and the item's visibility
READERS: Final = {
    # visibility of a reply → visibilities of the items it can answer
    "public": ("public", "unlisted", "followers"),
    "unlisted": ("public", "unlisted", "followers"),
    "followers": ("followers",),
    "direct": ("direct",),
}
NOBODY: Final = ""
UNKNOWN: Final = None


def moment_of(message: Waiting | OurReply) -> tuple[datetime, str]:
    return message.occurred_at, message.external_id


def reaches(reply: OurReply, item: Waiting) -> bool:
    return item.visibility in READERS[reply.visibility]


def names(item: Waiting) -> tuple[str, ...]:
    handle = name(item.author_handle)
    return (item.author_id, handle) if handle and handle != item.author_id else (item.author_id,)


def name(text: str) -> str:
    return text.removeprefix("@").lower()


def addressed(reply: OurReply) -> set[str]:
    """Ids as they are, and handles in one spelling."""
    return {*reply.addressed, *map(name, reply.addressed)}


def counts_after(item: Waiting) -> datetime:
    """Replies up to this moment do not answer `item`: it was not written, or was reopened."""
    return max(item.occurred_at, item.answers_since or item.occurred_at)


def timeline(replies: Iterable[OurReply]) -> Timeline:
    """Of replies that are in order of time."""
    listed = list(replies)
    known = [reply.known_at for reply in listed]
    for place in range(len(known) - 2, -1, -1):
        known[place] = max(known[place], known[place + 1])
    return Timeline([reply.occurred_at for reply in listed], listed, known)


def aims_of(
    items: Sequence[Waiting], ours: Sequence[OurReply], thread: Thread
) -> dict[int, str | None]:
    """For each reply the external id of somebody's message it hangs on, be it through further
    messages of ours; `NOBODY`, or `UNKNOWN` where that message is not stored.
    """
    theirs = {item.external_id for item in items}
    own = {reply.external_id: reply for reply in ours}
    aims: dict[int, str | None] = {}
    for reply in ours:
        path = [reply]
        aim: str | None = UNKNOWN
        while len(path) <= len(ours):  # a circle of parents ends here too
            parent = path[-1].parent_external_id
            if path[-1].id in aims:
                aim = aims[path[-1].id]
            elif parent is None or parent == thread.own_root:
                aim = NOBODY
            elif parent in theirs:
                aim = parent
            elif parent in own:
                path.append(own[parent])
                continue
            break
        aims.update((each.id, aim) for each in path)
    return aims


def linked(
    items: Sequence[Waiting],
    ours: Sequence[OurReply],
    aims: Mapping[int, str | None],
    thread: Thread,
) -> Claims:
    """`sent`, `exact`, and on trees the `mention` in a second message below an answer."""
    by_id = {item.id: item for item in items}
    by_external_id = {item.external_id: item for item in items}
    claims: Claims = defaultdict(list)
    for reply in ours:
        if reply.sent_for is not None and reply.sent_for in by_id:
            claims[reply.sent_for].append(Claim(Evidence.SENT, reply))
        item = by_external_id.get(aims[reply.id] or "")
        if item is None or not reaches(reply, item):
            continue
        names_author = not addressed(reply).isdisjoint(names(item))
        if reply.parent_external_id == item.external_id:
            if not thread.flat or not reply.addressed or names_author:
                claims[item.id].append(Claim(Evidence.EXACT, reply))
        elif not thread.flat and names_author and reply.occurred_at > item.occurred_at:
            claims[item.id].append(Claim(Evidence.MENTION, reply))
    return claims


def mentions(ours: Sequence[OurReply], aims: Mapping[int, str | None], thread: Thread) -> Mentions:
    """Replies that address people freely, in order of time."""
    lists: defaultdict[tuple[str, str], list[OurReply]] = defaultdict(list)
    for reply in ours:
        if thread.flat or aims[reply.id] == NOBODY:
            for name in addressed(reply):
                for visibility in READERS[reply.visibility]:
                    lists[name, visibility].append(reply)
    return {key: timeline(replies) for key, replies in lists.items()}


def mentioning(items: Sequence[Waiting], free: Mentions) -> set[int]:
    """Ids of the replies that some item is answered by because they address its author."""
    first: dict[tuple[str, str], datetime] = {}
    for item in items:
        for name in names(item):
            first.setdefault((name, item.visibility), item.occurred_at)
    found: set[int] = set()
    for key, line in free.items():
        if key in first:
            start = bisect_right(line.times, first[key])
            found.update(reply.id for reply in line.replies[start:])
    return found


def timelines(item: Waiting, free: Mentions) -> Iterator[Timeline]:
    for name in names(item):
        line = free.get((name, item.visibility))
        if line is not None:
            yield line


def inherited(items: Sequence[Waiting], claims: Claims) -> dict[int, Claim]:
    """`same_author`: by id of an item the first reply that came after it and answers a later item
    of its author. Reads `claims`, so free mentions are left out: they answer the earlier items too.
    """
    by_author: defaultdict[str, list[Waiting]] = defaultdict(list)
    for item in items:
        by_author[item.author_id].append(item)
    found: dict[int, Claim] = {}
    for written in by_author.values():
        found.update(inherited_by_one(written, claims))
    return found


def inherited_by_one(written: Sequence[Waiting], claims: Claims) -> Iterator[tuple[int, Claim]]:
    spoken: defaultdict[str, list[OurReply]] = defaultdict(list)
    taken: set[int] = set()
    for _, group in groupby(reversed(written), key=attrgetter("occurred_at")):
        same_moment = list(group)
        for item in same_moment:
            replies = spoken[item.visibility]
            place = bisect_right(replies, counts_after(item), key=attrgetter("occurred_at"))
            if place < len(replies):
                yield item.id, Claim(Evidence.SAME_AUTHOR, replies[place])
        for item in same_moment:
            for claim in claims.get(item.id, ()):
                if claim.reply.id not in taken:
                    taken.add(claim.reply.id)
                    for visibility in READERS[claim.reply.visibility]:
                        insort(spoken[visibility], claim.reply, key=moment_of)
