"""A page on its way in, and the rows that what is new on it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.connectors.base import Mention
from app.inbox import repository
from app.inbox.arrivals import (
    NO_REPLY_KINDS,
    Arrival,
    Us,
    addressed_by,
    content_columns,
    fit_url,
)
from app.inbox.item import Action, ActorKind, Details, Filed, ItemState
from app.inbox.policies.service import Deadlines
from app.inbox.states import EventType, decide
from app.outbox.events import PLATFORM, Actor

MUTED = Actor("rule", "muted_author")
Story = list[tuple[EventType, Actor, ItemState, ItemState]]
"""What happened to an item at its arrival: (event, by whom, before, after)."""


def _never(_occurred_at: datetime) -> datetime | None:
    return None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One page for one stream. `backlog_before`: what is older and new is backlog (first
    read-back only). `gone` are ids that the platform proved to be deleted. `reread_at` tells from
    an item's age when to read it again for edits and deletion. `keep_until`: by then a message
    must have been read again, or its text goes.
    """

    source_id: int
    platform: str
    stream: str
    us: Us
    now: datetime
    mentions: Sequence[Mention] = ()
    gone: Sequence[str] = ()
    backlog_before: datetime | None = None
    reread_at: Callable[[datetime], datetime | None] = _never
    keep_until: datetime | None = None


def first_state(arrival: Arrival, now: datetime, *, muted: bool) -> tuple[ItemState, Story]:
    """The state of a new item: the platform's own filing first, then the team's muting."""
    mention = arrival.mention
    state = ItemState(needs_reply=mention.kind.value not in NO_REPLY_KINDS)
    steps: list[tuple[Action, ActorKind, Actor]] = []
    if mention.filed is not None:
        filed = Filed(mention.filed.value)
        action = Action.PLATFORM_FILED if filed is Filed.SPAM else Action.PLATFORM_HELD
        steps.append((action, ActorKind.PLATFORM, PLATFORM))
    if muted:
        steps.append((Action.SPAM, ActorKind.RULE, MUTED))
    story: Story = []
    for action, kind, actor in steps:
        decision = decide(state, action, actor=kind, now=now, details=Details())
        if decision.event is not None:
            story.append((decision.event, actor, state, decision.state))
        state = decision.state
    return state, story


def item_row(
    incoming: Incoming,
    arrival: Arrival,
    author: Row[Any],
    thread: Row[Any],
    *,
    state: ItemState,
    deadlines: Deadlines,
    signals: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    mention = arrival.mention
    before = incoming.backlog_before
    native = mention.native_answer
    backlog = before is not None and arrival.occurred_at < before
    return {
        **content_columns(arrival),
        **repository.state_columns(state),
        "source_id": incoming.source_id,
        "external_id": arrival.external_id,
        "platform": incoming.platform,
        "stream": incoming.stream,
        "thread_id": thread.id,
        "author_id": author.id,
        "kind": mention.kind.value,
        "backlog": backlog,
        "signals": list(signals),
        **deadlines.columns(
            incoming.source_id,
            mention.kind.value,
            arrival.occurred_at,
            waits=state.needs_reply and not backlog,
        ),
        "occurred_at": arrival.occurred_at,
        "first_seen_at": incoming.now,
        "edited_at": mention.edited_at,
        "time_suspect": arrival.time_suspect,
        "acknowledged_at": incoming.now if mention.acknowledged else None,
        "native_at": None if native is None else native.answered_at or incoming.now,
        "native_url": None if native is None else fit_url(native.reply_url),
        "next_read_at": incoming.reread_at(arrival.occurred_at),
        "keep_until": incoming.keep_until,
    }


def reply_row(
    incoming: Incoming,
    arrival: Arrival,
    authors: Mapping[tuple[str, str], Row[Any]],
    threads: Mapping[str, Row[Any]],
) -> dict[str, Any]:
    mention = arrival.mention
    return {
        **content_columns(arrival),
        "source_id": incoming.source_id,
        "external_id": arrival.external_id,
        "thread_id": threads[mention.thread.external_id].id,
        "author_id": authors[mention.author.instance, mention.author.external_id].id,
        "origin": "seen",
        "stream": incoming.stream,
        "automated": incoming.us.is_automated(mention.author),
        "addressed": addressed_by(arrival),
        "occurred_at": arrival.occurred_at,
        "first_seen_at": incoming.now,
        "edited_at": mention.edited_at,
        "time_suspect": arrival.time_suspect,
        "keep_until": incoming.keep_until,
    }
