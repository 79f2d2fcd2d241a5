"""What an arrival changes in items that are there: edits, filing, deletion, company in a thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Row, Update, bindparam, delete, func, or_, select, tuple_, update

from app.db import Tx
from app.inbox import originals, ranking, repository
from app.inbox.arrivals import (
    NO_REPLY_KINDS,
    Arrival,
    addressed_by,
    content_columns,
    fit_url,
    rank_of,
    text_as_it_came,
)
from app.inbox.assigning import named
from app.inbox.counts import count
from app.inbox.incoming import Incoming
from app.inbox.item import Action, Details, Filed, Status
from app.inbox.models import item, reply
from app.inbox.policies.service import due_again
from app.inbox.search.repository import touch
from app.outbox.events import PLATFORM, POLLER, Actor, Event, record
from app.team.users import repository as users
from app.team.users.service import may_be_given

CARRIED_OVER = Actor("rule", "carried_over")


async def update_items(
    tx: Tx, changed: Sequence[tuple[int, Arrival]], incoming: Incoming
) -> set[int]:
    """Stores what the platform says differently now; ids of the threads concerned."""
    arrivals = dict(changed)
    touched = set()
    for row in await repository.lock_items(tx, arrivals.keys()):
        await _update_item(tx, row, arrivals[row.id], incoming)
        touched.add(int(row.thread_id))
    touch(tx, arrivals.keys())
    return touched


async def _update_item(tx: Tx, row: Row[Any], arrival: Arrival, incoming: Incoming) -> None:
    mention, now = arrival.mention, incoming.now
    if row.status == Status.REMOVED:
        row = await repository.step(tx, row, Action.REAPPEARED, actor=PLATFORM, now=now)
    filing = _filing(row.filed, mention.filed)
    if filing is not None:
        row = await repository.step(tx, row, filing, actor=PLATFORM, now=now)
    if text_as_it_came(row) != arrival.text_raw and row.wiped_at is None:
        await originals.add_revision(tx, _revision(row, now))
        details = Details(edited_at=mention.edited_at or now)
        row = await repository.step(
            tx, row, Action.EDITED, actor=PLATFORM, now=now, details=details
        )
    values: dict[str, Any] = {
        **content_columns(arrival),
        "absent_passes": 0,
        "absent_since": None,
        "keep_until": incoming.keep_until,
        "wiped_at": None,
    }
    if rank_of(mention.kind.value) > rank_of(row.kind):
        values["kind"] = mention.kind.value
        values["needs_reply"] = mention.kind.value not in NO_REPLY_KINDS
        due_again(tx, row.id)
    if mention.acknowledged and row.acknowledged_at is None:
        values["acknowledged_at"] = now
    if mention.native_answer is not None and row.native_at is None:
        values["native_at"] = mention.native_answer.answered_at or now
        values["native_url"] = fit_url(mention.native_answer.reply_url)
    elif mention.native_answer is None and row.native_at is not None:
        values |= {"native_at": None, "native_url": None}
    await _keep_counted(tx, row, values)


async def _keep_counted(tx: Tx, row: Row[Any], values: Mapping[str, Any]) -> None:
    """Stores further columns; another visibility or kind moves the item between counters."""
    await repository.set_columns(tx, row.id, values)
    before = repository.counted(row, repository.state_of(row))
    after = before._replace(
        direct=values["visibility"] == "direct",
        needs_reply=values.get("needs_reply", before.needs_reply),
    )
    if after != before:
        count(tx, before, -1)
        count(tx, after, +1)


def _filing(before: str | None, after: Any) -> Action | None:
    """What the platform did, by where it had put the message before and has put it now."""
    now = None if after is None else after.value
    if before == now:
        return None
    if now == Filed.SPAM:
        return Action.PLATFORM_FILED
    return Action.PLATFORM_HELD if now == Filed.HELD else Action.PLATFORM_UNFILED


def _revision(row: Row[Any], now: datetime) -> dict[str, Any]:
    return {
        "item_id": row.id,
        "text": row.text,
        "text_raw": row.text_raw,
        "edited_at": row.edited_at,
        "replaced_at": now,
    }


async def update_reply(tx: Tx, reply_id: int, arrival: Arrival, incoming: Incoming) -> int:
    """Stores what a reply of ours says now; it is there (again). Returns its thread."""
    values = {
        **content_columns(arrival),
        "automated": incoming.us.is_automated(arrival.mention.author),
        "addressed": addressed_by(arrival),
        "edited_at": arrival.mention.edited_at,
        "removed_at": None,
        "absent_passes": 0,
        "absent_since": None,
        "keep_until": incoming.keep_until,
        "wiped_at": None,
    }
    statement = update(reply).where(reply.c.id == reply_id).values(**values)
    return int((await tx.execute(statement.returning(reply.c.thread_id))).scalar_one())


async def remove_items(tx: Tx, item_ids: Collection[int], now: datetime) -> None:
    """The platform proved that these are deleted."""
    for row in await repository.lock_items(tx, item_ids):
        await repository.step(tx, row, Action.DELETED, actor=PLATFORM, now=now)


async def become_ours(tx: Tx, item_ids: Collection[int], now: datetime) -> None:
    """Items whose author turned out to be one of us: they leave, a reply takes their place."""
    for row in await repository.lock_items(tx, item_ids):
        count(tx, repository.counted(row, repository.state_of(row)), -1)
        ranking.touch(tx, [row.author_id])
        await tx.execute(delete(item).where(item.c.id == row.id))
        if row.parent_external_id is not None:
            await count_community(tx, {row.parent_external_id}, row.source_id)
        record(
            tx,
            Event(
                type="item.became_reply",
                at=now,
                actor=POLLER,
                source_id=row.source_id,
                item_id=row.id,
                item_version=row.version,
                direct=row.visibility == "direct",
                from_status=row.status,
            ),
        )


class New(NamedTuple):
    """An item that has just been inserted, and where it belongs."""

    id: int
    thread_id: int
    author_id: int
    arrival: Arrival

    @property
    def occurred_at(self) -> datetime:
        return self.arrival.occurred_at


_OVERLAID = (
    select(item)
    .where(
        tuple_(item.c.thread_id, item.c.author_id).in_(bindparam("pairs", expanding=True)),
        or_(item.c.snoozed_until.is_not(None), item.c.assignee_id.is_not(None)),
        item.c.id.not_in(bindparam("added", expanding=True)),
    )
    .order_by(item.c.id)
    .with_for_update()
)


async def follow_up(tx: Tx, added: Sequence[New], source_id: int, now: datetime) -> None:
    """What new items mean for those beside them: community replies, and rule 8 of the states."""
    if not added:
        return
    arrivals = [new.arrival for new in added]
    keys = {arrival.external_id for arrival in arrivals}
    keys |= {a.mention.parent_external_id for a in arrivals if a.mention.parent_external_id}
    await count_community(tx, keys, source_id)
    ids = [new.id for new in added]
    pairs = sorted({(new.thread_id, new.author_id) for new in added})
    for chunk in repository.chunks(pairs):
        for earlier in await tx.rows(_OVERLAID, {"pairs": chunk, "added": ids}):
            await _author_wrote_again(tx, earlier, added, now)


async def _author_wrote_again(tx: Tx, earlier: Row[Any], new: Sequence[New], now: datetime) -> None:
    pair = (earlier.thread_id, earlier.author_id)
    later = [
        row
        for row in new
        if (row.thread_id, row.author_id) == pair and row.occurred_at > earlier.occurred_at
    ]
    if not later:
        return
    await repository.step(tx, earlier, Action.AUTHOR_WROTE_AGAIN, actor=POLLER, now=now)
    if earlier.assignee_id is not None:
        await _carry_over(tx, earlier.assignee_id, [found.id for found in later], now)


async def _carry_over(tx: Tx, assignee_id: int, item_ids: Collection[int], now: datetime) -> None:
    """Gives new items to the former assignee, unless they left or may not see them."""
    person = await users.find_user(tx, assignee_id)
    if person is None:
        return
    details, told = Details(assignee=person.id), {"assignee": named(person)}
    for row in await repository.lock_items(tx, item_ids):
        direct = row.visibility == "direct"
        if may_be_given(person, row.source_id, direct=direct) is None:
            await repository.step(
                tx, row, Action.ASSIGN, actor=CARRIED_OVER, now=now, details=details, told=told
            )


async def count_community(tx: Tx, keys: Collection[str], source_id: int) -> None:
    """Replies by other people below some items (external ids), counted afresh."""
    for chunk in repository.chunks(sorted(keys)):
        await tx.execute(_count_community(), {"of_source": source_id, "keys": chunk})


@cache
def _count_community() -> Update:
    below = item.alias("below")
    others = (
        select(func.count())
        .where(
            below.c.thread_id == item.c.thread_id,
            below.c.parent_external_id == item.c.external_id,
            below.c.author_id != item.c.author_id,
        )
        .correlate(item)
        .scalar_subquery()
    )
    return (
        update(item)
        .where(
            item.c.source_id == bindparam("of_source"),
            item.c.external_id.in_(bindparam("keys", expanding=True)),
            item.c.community_replies != others,
        )
        .values(community_replies=others)
    )
