"""Rules at work: on what arrives, and on what is stored when somebody asks for that.

A signal is stored with the item itself; its rule stands in the item's `created` event. What labels,
dismisses or files as spam is an action of its own, one for each rule and page, that can be undone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Row

from app.db import Reader, Tx
from app.inbox import asked as asking
from app.inbox import doing
from app.inbox import repository as items
from app.inbox.arrivals import Arrival
from app.inbox.asked import Asked, LabelChange
from app.inbox.item import DismissReason
from app.inbox.rules import repository
from app.inbox.rules.matching import Rule, Said, Subject, ready
from app.outbox.events import Actor

QUESTION: Final = "question"
MARKING: Final = frozenset({"signal", "question"})
"""Effects that change no status: they are stored with the item."""
READY_AT_MOST = 2000
_READY: Final[dict[tuple[int, str], Rule]] = {}
"""Rules made ready, by id and by digest of what they say: never another than the stored one."""


async def read_rules(reader: Reader) -> tuple[Rule, ...]:
    """The rules that are switched on, in their order; one small statement where they are known."""
    keys = [(row.id, row.digest) for row in await repository.enabled(reader)]
    missing = [key for key in keys if key not in _READY]
    if missing:
        if len(_READY) > READY_AT_MOST:
            _READY.clear()
        for row in await repository.by_ids(reader, [rule_id for rule_id, _ in keys]):
            _READY[row.id, row.digest] = ready(row.id, row.name, row.conditions, row.effect)
    return tuple(_READY[key] for key in keys if key in _READY)


def firing(rules: Sequence[Rule], subject: Subject) -> list[Rule]:
    """The rules that match a message, in their order."""
    return [rule for rule in rules if rule.matches(subject)]


def arriving(arrival: Arrival, platform: str, source_id: int, *, first_message: bool) -> Subject:
    """A new message as rules look at it."""
    mention = arrival.mention
    author = mention.author
    return Subject(
        said=Said(arrival.text),
        at=arrival.occurred_at,
        platform=platform,
        source_id=source_id,
        kind=mention.kind.value,
        language=mention.language,
        handle=author.handle,
        followers=author.followers,
        is_bot=author.is_bot,
        account_since=author.created_at,
        first_message=first_message,
        signals=frozenset(str(signal.code) for signal in author.signals),
    )


def stored(row: Row[Any]) -> Subject:
    """An item (of `repository.judged`) as rules look at it."""
    return Subject(
        said=Said(row.text),
        at=row.occurred_at,
        platform=row.platform,
        source_id=row.source_id,
        kind=row.kind,
        language=row.language,
        handle=row.author_handle,
        followers=row.author_followers,
        is_bot=row.author_is_bot,
        account_since=row.author_created_at,
        first_message=row.first_seen_at == row.author_first_seen_at,
        signals=frozenset(signal["code"] for signal in row.author_signals),
    )


def signals_of(fired: Iterable[Rule]) -> list[dict[str, Any]]:
    """What an item shows of the rules that marked it: one entry for each code."""
    found: dict[str, dict[str, Any]] = {}
    for rule in fired:
        if rule.effect.kind in MARKING:
            mark = _mark(rule)
            found.setdefault(mark["code"], mark)
    return list(found.values())


def _mark(rule: Rule) -> dict[str, Any]:
    code = QUESTION if rule.effect.kind == "question" else rule.effect.code
    return {"code": code, "reason": rule.effect.reason, "rule_id": rule.id}


def told(fired: Iterable[Rule]) -> dict[str, Any]:
    """What the event of an arrival says of them."""
    rules = [{"id": rule.id, "name": rule.name} for rule in fired if rule.effect.kind in MARKING]
    return {"rules": rules} if rules else {}


def actor_of(rule: Rule) -> Actor:
    return Actor("rule", rule.name, ref=f"rule:{rule.id}")


async def act(tx: Tx, fired: Mapping[int, Sequence[Rule]], now: datetime) -> None:
    """Does to new items what rules ask for beside signals: one action for each rule."""
    by_rule: dict[Rule, list[int]] = defaultdict(list)
    for item_id, rules in fired.items():
        for rule in rules:
            if rule.effect.kind not in MARKING:
                by_rule[rule].append(item_id)
    for rule, ids in by_rule.items():
        await act_on(tx, rule, await items.lock_items(tx, ids), now)


async def act_on(tx: Tx, rule: Rule, rows: Sequence[Row[Any]], now: datetime) -> int:
    """Does it to items that are held; how many it changed. What a person decided stays."""
    done = await doing.do(tx, rows, asked_by(rule), actor=actor_of(rule), now=now)
    return len(done.changed)


@lru_cache(maxsize=256)
def asked_by(rule: Rule) -> Asked:
    """What a rule asks for that changes more than a signal."""
    effect = rule.effect
    if effect.kind == "spam":
        wanted = asking.spam()
    elif effect.kind == "dismiss":
        wanted = asking.dismissed(DismissReason(effect.code), effect.reason or None)
    else:
        wanted = asking.labelled(LabelChange(add=effect.labels, by_rule=True))
    by = {"rule_id": rule.id}
    return replace(
        wanted,
        params={**wanted.params, **by},
        told={**(wanted.told or {}), **by},
    )


def remarked(rule: Rule, row: Row[Any], *, matches: bool) -> list[dict[str, Any]] | None:
    """The signals of an item once this rule has been asked again; `None` where they are so."""
    others = [mark for mark in row.signals if mark.get("rule_id") != rule.id]
    mark = _mark(rule)
    if matches and all(mark["code"] != other["code"] for other in others):
        others.append(mark)
    return None if others == list(row.signals) else others
