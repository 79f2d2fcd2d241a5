"""Taking in what a platform said: first compare, reading only; then store what is different.

`compare` runs outside any transaction, so that a page on which everything is known costs one
read and no write. `apply` runs in the poll's transaction together with the cursor.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.connectors.base import Unparsed
from app.db import Reader, Tx
from app.inbox import answering, changing, originals, people, ranking, repository
from app.inbox.arrivals import (
    Arrival,
    Sorted,
    person_row,
    rank_of,
    raw_of,
    sort_out,
    thread_row,
)
from app.inbox.counts import count
from app.inbox.erasing import tombstones
from app.inbox.incoming import Incoming, Story, first_state, item_row, reply_row
from app.inbox.item import Status
from app.inbox.labels.arriving import default_labels
from app.inbox.policies.service import read_deadlines
from app.inbox.rules import firing
from app.inbox.rules.firing import read_rules
from app.inbox.rules.matching import Rule
from app.inbox.search.repository import touch
from app.inbox.states import EventType
from app.outbox.events import POLLER, Event, record
from app.sources.streams import packed

__all__ = ["Difference", "Incoming", "Outcome", "apply", "compare"]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a page holds that the inbox does not."""

    new: Sequence[Arrival] = ()
    changed: Sequence[tuple[int, Arrival]] = ()
    new_replies: Sequence[Arrival] = ()
    changed_replies: Sequence[tuple[int, Arrival]] = ()
    now_ours: Sequence[int] = ()
    gone_items: Sequence[int] = ()
    gone_replies: Sequence[Row[Any]] = ()
    refused: Sequence[Unparsed] = ()
    unchanged: int = 0
    erased: int = 0  # messages of people who were erased: seen again, and left out

    @property
    def is_something(self) -> bool:
        """Whether there is anything to store (what is `refused` goes to quarantine instead)."""
        return bool(
            self.new
            or self.changed
            or self.new_replies
            or self.changed_replies
            or self.now_ours
            or self.gone_items
            or self.gone_replies
        )


@dataclass(slots=True)
class Outcome:
    """What was stored. `new_at` are the times of the new items, for lag and second looks."""

    new: int = 0
    updated: int = 0
    unchanged: int = 0
    replies_seen: int = 0
    erased: int = 0
    new_at: list[datetime] = field(default_factory=list)


async def compare(reader: Reader, incoming: Incoming) -> Difference:
    """Tells what of a page is new or different; no transaction, one read where all of it is items
    that are known, else three.
    """
    piles = sort_out(incoming.mentions, incoming.us, incoming.now)
    asked = {*piles.theirs, *piles.ours, *incoming.gone}
    items = await repository.known_items(reader, incoming.source_id, asked) if asked else {}
    changed = _changed(piles, items, incoming.gone)
    known = not changed and piles.theirs.keys() <= items.keys()
    if known and not (piles.ours or piles.refused or incoming.gone):
        # Nobody erased is on it: what such people wrote is not stored, and what was changed here
        # for their sake is not as the page has it.
        return Difference(unchanged=len(piles.theirs))
    sifted = await tombstones.sift(reader, incoming.platform, incoming.mentions, incoming.us)
    if sifted.mentions is not incoming.mentions:
        piles = sort_out(sifted.mentions, incoming.us, incoming.now)
        changed = _changed(piles, items, incoming.gone)
    asked = {*(key for key in asked if key not in items), *piles.ours, *incoming.gone}
    replies = await repository.known_replies(reader, incoming.source_id, asked) if asked else {}
    new = [a for key, a in piles.theirs.items() if key not in items and key not in replies]
    new_replies = [a for key, a in piles.ours.items() if key not in replies]
    changed_replies = [
        (replies[key].id, arrival)
        for key, arrival in piles.ours.items()
        if key in replies and _reply_differs(replies[key], arrival, incoming)
    ]
    return Difference(
        new=new,
        changed=changed,
        new_replies=new_replies,
        changed_replies=changed_replies,
        now_ours=[items[key].id for key in piles.ours if key in items],
        gone_items=_gone_items(incoming, items, {item_id for item_id, _ in changed}),
        gone_replies=[
            replies[key]
            for key in incoming.gone
            if key in replies and replies[key].removed_at is None
        ],
        refused=piles.refused,
        unchanged=len(piles.theirs) - len(new) - len(changed) + sifted.kept,
        erased=sifted.erased,
    )


def _changed(
    piles: Sorted, items: Mapping[str, Row[Any]], gone: Collection[str]
) -> list[tuple[int, Arrival]]:
    """What is stored, but not as the page has it."""
    return [
        (items[key].id, arrival)
        for key, arrival in piles.theirs.items()
        if key in items and _differs(items[key], arrival, gone=key in gone)
    ]


def _gone_items(
    incoming: Incoming, items: Mapping[str, Row[Any]], changed: Collection[int]
) -> list[int]:
    """What is to be removed. Spam stays spam, except perhaps where the same page tells more of it:
    what it says first may be that the platform took the message out of its spam folder.
    """
    gone = [items[key] for key in incoming.gone if key in items]
    return [
        row.id
        for row in gone
        if row.status != Status.REMOVED and (row.status != Status.SPAM or row.id in changed)
    ]


def _differs(known: Row[Any], arrival: Arrival, *, gone: bool) -> bool:
    """A page that shows a message and says that it is gone tells first the one, then the other."""
    values: Sequence[Any] = known
    _, _, seen_hash, kind, status, absent_passes = values  # far faster than by name
    if gone and status == Status.REMOVED:
        return False
    return (
        seen_hash != arrival.seen_hash
        or rank_of(arrival.mention.kind.value) > rank_of(kind)
        or status == Status.REMOVED
        or absent_passes > 0
    )


def _reply_differs(known: Row[Any], arrival: Arrival, incoming: Incoming) -> bool:
    if known.removed_at is not None:
        return arrival.external_id not in incoming.gone
    automated = incoming.us.is_automated(arrival.mention.author)
    seen_again = known.absent_passes > 0
    return bool(known.seen_hash != arrival.seen_hash or known.automated != automated or seen_again)


async def apply(tx: Tx, incoming: Incoming, difference: Difference) -> Outcome:
    """Stores a difference: items, replies, edits, deletions, and every answer that follows."""
    outcome = Outcome(unchanged=difference.unchanged, erased=difference.erased)
    touched: set[int] = set()
    arrivals = [
        *difference.new,
        *difference.new_replies,
        *(arrival for _, arrival in difference.changed),
    ]
    authors, threads = await _people_and_places(tx, incoming, arrivals)
    difference = await _without_erased(tx, incoming, difference, authors, outcome)
    ranking.touch(tx, (author.id for author in authors.values()))
    await changing.become_ours(tx, difference.now_ours, incoming.now)
    changed, gone_items = list(difference.changed), list(difference.gone_items)
    if difference.new:
        added = await _add_items(tx, incoming, difference.new, authors, threads)
        await default_labels(tx, incoming.source_id, list(added), incoming.now)
        outcome.new = len(added)
        outcome.new_at = [arrival.occurred_at for arrival in added.values()]
        touched |= {threads[a.mention.thread.external_id].id for a in added.values()}
        placed = [
            changing.New(id_, threads[a.mention.thread.external_id].id, authors[_key(a)].id, a)
            for id_, a in sorted(added.items())
        ]
        await changing.follow_up(tx, placed, incoming.source_id, incoming.now)
        changed += await _added_meanwhile(tx, incoming, difference.new, added)
        gone_items += [id_ for id_, a in added.items() if a.external_id in incoming.gone]
    if changed:
        touched |= await changing.update_items(tx, changed, incoming)
        await _keep_bodies(tx, changed, incoming.now)
    if gone_items:
        await changing.remove_items(tx, gone_items, incoming.now)
    outcome.updated = len(changed) + len(gone_items)
    outcome.replies_seen = await _add_replies(tx, incoming, difference, authors, threads)
    touched |= {threads[a.mention.thread.external_id].id for a in difference.new_replies}
    for reply_id, arrival in difference.changed_replies:
        touched.add(await changing.update_reply(tx, reply_id, arrival, incoming))
    for row in difference.gone_replies:
        await repository.change_reply(tx, row.id, {"removed_at": incoming.now})
        touched.add(row.thread_id)
    vanished = {int(row.id) for row in difference.gone_replies}
    await answering.judge_threads(
        tx, incoming.platform, touched, vanished=vanished, now=incoming.now
    )
    return outcome


async def _without_erased(
    tx: Tx,
    incoming: Incoming,
    difference: Difference,
    authors: Mapping[tuple[str, str], Row[Any]],
    outcome: Outcome,
) -> Difference:
    """The difference without people erased since `compare`. Their row is ours by now: whoever
    erases waits for this transaction, or was before it.
    """
    gone = await tombstones.people_erased(tx, incoming.platform, authors)
    if not gone:
        return difference
    new = [a for a in difference.new if _key(a) not in gone]
    outcome.erased += len(difference.new) - len(new)
    await people.drop_unused(tx, [authors[key].id for key in sorted(gone)])
    changed = [(n, a) for n, a in difference.changed if _key(a) not in gone]
    return replace(difference, new=new, changed=changed)


def _key(arrival: Arrival) -> tuple[str, str]:
    return arrival.mention.author.instance, arrival.mention.author.external_id


async def _added_meanwhile(
    tx: Tx, incoming: Incoming, new: Sequence[Arrival], added: Mapping[int, Arrival]
) -> list[tuple[int, Arrival]]:
    """What another stream's page has added since `compare`, where this page says more of it."""
    ours = {arrival.external_id for arrival in added.values()}
    missing = {a.external_id: a for a in new if a.external_id not in ours}
    if not missing:
        return []
    known = await repository.known_items(tx, incoming.source_id, missing)
    return [
        (row.id, missing[key])
        for key, row in known.items()
        if _differs(row, missing[key], gone=key in incoming.gone)
    ]


async def _add_replies(
    tx: Tx,
    incoming: Incoming,
    difference: Difference,
    authors: Mapping[tuple[str, str], Row[Any]],
    threads: Mapping[str, Row[Any]],
) -> int:
    """Inserts replies of ours that are not there yet; how many those were."""
    rows = [reply_row(incoming, arrival, authors, threads) for arrival in difference.new_replies]
    added = await repository.add_replies(tx, rows)
    for external_id, reply_id in added.items():
        if external_id in incoming.gone:
            await repository.change_reply(tx, reply_id, {"removed_at": incoming.now})
    return len(added)


async def _people_and_places(
    tx: Tx, incoming: Incoming, arrivals: Sequence[Arrival]
) -> tuple[dict[tuple[str, str], Row[Any]], dict[str, Row[Any]]]:
    """The authors and threads of a page, stored; sorted, so that no two pages can deadlock."""
    persons: dict[tuple[str, str], dict[str, Any]] = {}
    places: dict[str, dict[str, Any]] = {}
    for arrival in arrivals:
        author = arrival.mention.author
        persons[author.instance, author.external_id] = person_row(author, incoming.now)
        place = thread_row(arrival.mention, incoming.now)
        known = places.setdefault(place["external_id"], place)
        known |= {name: value for name, value in place.items() if value}
    authors = await people.store_authors(
        tx, incoming.platform, [persons[key] for key in sorted(persons)]
    )
    threads = await people.store_threads(
        tx, incoming.source_id, [places[key] for key in sorted(places)]
    )
    return authors, threads


async def _add_items(
    tx: Tx,
    incoming: Incoming,
    arrivals: Sequence[Arrival],
    authors: Mapping[tuple[str, str], Row[Any]],
    threads: Mapping[str, Row[Any]],
) -> dict[int, Arrival]:
    """Inserts what is not there yet, each with its events; by id."""
    rows: dict[str, dict[str, Any]] = {}
    stories: dict[str, Story] = {}
    fired: dict[str, list[Rule]] = {}
    deadlines, rules = await read_deadlines(tx), await read_rules(tx)
    for arrival in arrivals:
        author = authors[_key(arrival)]
        fired[arrival.external_id] = _fired(rules, incoming, arrival, author)
        thread = threads[arrival.mention.thread.external_id]
        state, story = first_state(arrival, incoming.now, muted=author.muted_at is not None)
        rows[arrival.external_id] = item_row(
            incoming, arrival, author, thread, state=state, deadlines=deadlines,
            signals=firing.signals_of(fired[arrival.external_id]),
        )  # fmt: skip
        stories[arrival.external_id] = story
    ids = await repository.add_new(tx, list(rows.values()))
    touch(tx, ids.values())
    by_key = {arrival.external_id: arrival for arrival in arrivals}
    for key, item_id in ids.items():
        _tell_arrival(tx, incoming, item_id, rows[key], stories[key], fired=fired[key])
    await firing.act(tx, {item_id: fired[key] for key, item_id in ids.items()}, incoming.now)
    found = {item_id: by_key[key] for key, item_id in ids.items()}
    await _keep_bodies(tx, list(found.items()), incoming.now)
    return found


def _fired(
    rules: Sequence[Rule], incoming: Incoming, arrival: Arrival, author: Row[Any]
) -> list[Rule]:
    if not rules:
        return []
    first = author.first_seen_at == incoming.now
    subject = firing.arriving(arrival, incoming.platform, incoming.source_id, first_message=first)
    return firing.firing(rules, subject)


async def _keep_bodies(tx: Tx, arrivals: Sequence[tuple[int, Arrival]], now: datetime) -> None:
    """Keeps the platform's own answers, the newest of each item."""
    bodies = [
        {"item_id": item_id, "body": packed(raw_of(arrival)), "stored_at": now}
        for item_id, arrival in arrivals
        if arrival.mention.raw is not None
    ]
    await originals.store_raw(tx, bodies)


def _tell_arrival(
    tx: Tx,
    incoming: Incoming,
    item_id: int,
    row: Mapping[str, Any],
    story: Story,
    *,
    fired: Sequence[Rule],
) -> None:
    direct = row["visibility"] == "direct"
    arrived = {"stream": incoming.stream, **firing.told(fired)}
    happenings = [
        (EventType.CREATED, POLLER, None, story[0][2].status if story else row["status"]),
        *((kind, actor, was.status, now.status) for kind, actor, was, now in story),
    ]
    for kind, actor, was, now in happenings:
        record(
            tx,
            Event(
                type=str(kind),
                at=incoming.now,
                actor=actor,
                source_id=incoming.source_id,
                item_id=item_id,
                item_version=1,
                direct=direct,
                from_status=None if was is None else str(was),
                to_status=str(now),
                details=arrived if kind is EventType.CREATED else None,
            ),
        )
    count(tx, repository.counted_row(row), +1)
