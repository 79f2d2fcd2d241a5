"""Judging threads again after something in them has changed, and storing what follows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Row, bindparam, or_, select, union

from app.connectors.registry import PLATFORMS
from app.db import Tx
from app.inbox import answers, repository
from app.inbox.actions import repository as actions
from app.inbox.arrivals import NO_REPLY_KINDS
from app.inbox.effects import AWAY
from app.inbox.evidence import OurReply, Thread, Waiting
from app.inbox.item import Action
from app.inbox.models import item, reply, thread
from app.outbox.events import POLLER

_THREADS: BindParameter[Any] = bindparam("threads", expanding=True)
_WHERE_WE_SPOKE = union(
    select(reply.c.thread_id).where(reply.c.thread_id.in_(_THREADS)),
    select(item.c.thread_id).where(
        item.c.thread_id.in_(_THREADS),
        or_(
            item.c.native_at.is_not(None),
            item.c.answer_evidence.is_not(None),
            item.c.possibly_answered,
        ),
    ),
)


async def judge_threads(
    tx: Tx,
    platform: str,
    thread_ids: Collection[int],
    *,
    vanished: Collection[int],
    now: datetime,
) -> None:
    """Brings every item of some threads in line with what we wrote in them.

    `vanished` are the ids of replies proven to be gone. Threads in which we never said anything
    are not even looked at.
    """
    for chunk in repository.chunks(sorted(thread_ids)):
        spoken = list(chunk) if vanished else await _where_we_spoke(tx, chunk)
        if spoken:
            await _judge(tx, platform, spoken, vanished, now)


async def _where_we_spoke(tx: Tx, thread_ids: Collection[int]) -> list[int]:
    """Those of the threads that hold a reply of ours, or an item that was (possibly) answered."""
    asked = {"threads": list(thread_ids)}
    return sorted(row.thread_id for row in await tx.rows(_WHERE_WE_SPOKE, asked))


async def _judge(
    tx: Tx, platform: str, thread_ids: Collection[int], vanished: Collection[int], now: datetime
) -> None:
    items: dict[int, list[Row[Any]]] = defaultdict(list)
    ours: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in await repository.items_of_threads(tx, thread_ids):
        items[row.thread_id].append(row)
    for row in await repository.replies_of_threads(tx, thread_ids):
        ours[row.thread_id].append(row)
    roots = select(thread.c.id, thread.c.external_id).where(thread.c.id.in_(thread_ids))
    for root in await tx.rows(roots):
        facts = _thread_facts(platform, root.external_id, ours[root.id])
        verdicts = answers.judge(map(_waiting, items[root.id]), map(_reply, ours[root.id]), facts)
        for row in items[root.id]:
            await _settle(tx, row, verdicts[row.id], vanished, now)


async def _settle(
    tx: Tx, row: Row[Any], verdict: answers.Verdict, vanished: Collection[int], now: datetime
) -> None:
    """Losing an answer and then being possibly answered are two steps; more are never needed."""
    for _ in range(2):
        found = answers.next_step(repository.state_of(row), verdict, vanished=vanished)
        if found is None:
            return
        action, details = found
        before = row
        row = await repository.step(tx, row, action, actor=POLLER, now=now, details=details)
        if action is Action.REPLY_SEEN and row.status in AWAY:
            # A link out of sight is no reason not to undo what took the item there.
            await actions.rebase(tx, [(row.id, before.version, row.version)])


def _thread_facts(platform: str, root: str, ours: Collection[Row[Any]]) -> Thread:
    capabilities = PLATFORMS[platform].capabilities
    own = capabilities.articles or any(row.external_id == root for row in ours)
    return Thread(flat=capabilities.own_answers == "thread", own_root=root if own else None)


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        id=row.id,
        external_id=row.external_id,
        author_id=row.author_external_id,
        occurred_at=row.occurred_at,
        author_handle=row.author_handle,
        parent_external_id=row.parent_external_id,
        visibility=row.visibility,
        needs_reply=row.kind not in NO_REPLY_KINDS,
        native_at=row.native_at,
        native_url=row.native_url or "",
        answers_since=row.answers_since,
    )


def _reply(row: Row[Any]) -> OurReply:
    return OurReply(
        id=row.id,
        external_id=row.external_id or "",
        author_id=row.author_external_id,
        occurred_at=row.occurred_at,
        known_at=row.first_seen_at,
        parent_external_id=row.parent_external_id,
        visibility=row.visibility,
        automated=row.automated,
        addressed=frozenset(row.addressed),
        url=row.permalink,
        answered_by=row.author_handle or row.author_name or row.author_external_id,
    )
