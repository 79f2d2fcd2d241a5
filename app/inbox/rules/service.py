"""What may happen to rules: each change one transaction, one event, compare and set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Row

from app.db import Database, Reader, Tx
from app.errors import Conflict, FieldError, InvalidRequest, NotFound, VersionMismatch
from app.inbox import repository as items
from app.inbox.actions import repository as actions
from app.inbox.labels.service import check_room
from app.inbox.rules import firing, repository
from app.inbox.rules.built_in import BUILT_IN
from app.inbox.rules.matching import Rule, ready
from app.inbox.rules.schemas import RuleNew, RulePatch, columns_of, rule_out
from app.inbox.states import Decision, EventType
from app.inbox.storing import Change, store
from app.outbox.events import Actor, Event, record
from app.scope import Scope

RULES_AT_MOST: Final = 200
"""More can't be told apart, and each costs time at every arrival."""
AFTER_THE_TEAMS: Final = 1000
"""Where the built-in rules begin; the team's own come before them."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule matches among `looked_at` items."""

    looked_at: int
    matched: Sequence[int]


def digest_of(name: str, conditions: Any, effect: Any) -> str:
    """Changes when what a rule says does."""
    said = json.dumps([name, conditions, effect], sort_keys=True, separators=(",", ":"))
    return blake2b(said.encode(errors="surrogatepass"), digest_size=16).hexdigest()


async def keep_built_in(db: Database, now: datetime) -> int:
    """Adds what this version of the program brings and freshens what nobody has edited; how many
    rules that were. Reads one small statement where all is as it should be.
    """
    shipped = {
        b.key: (n, b, digest_of(b.name, b.conditions, b.effect)) for n, b in enumerate(BUILT_IN)
    }
    known = await repository.built_in(db)
    new = [entry for key, entry in shipped.items() if key not in known]
    stale = {
        key: shipped[key]
        for key, row in known.items()
        if key in shipped and row.edited_at is None and row.digest != shipped[key][2]
    }
    if not new and not stale:
        return 0
    async with db.write() as tx:
        if new:
            await repository.add_built_in(tx, [_new(*entry, now) for entry in new])
        for key, (_, rule, digest) in sorted(stale.items()):
            row = await repository.lock(tx, known[key].id)
            if row is not None and row.edited_at is None:
                await repository.change(tx, row, {**_said(rule), "digest": digest})
    return len(new) + len(stale)


def _said(rule: Any) -> dict[str, Any]:
    return {
        "name": rule.name,
        "conditions": dict(rule.conditions),
        "effect": dict(rule.effect),
    }


def _new(number: int, rule: Any, digest: str, now: datetime) -> dict[str, Any]:
    times = {"created_at": now, "updated_at": now}
    place = AFTER_THE_TEAMS + number
    return {**_said(rule), **times, "key": rule.key, "place": place, "digest": digest}


async def get_rule(reader: Reader, rule_id: int) -> Row[Any]:
    row = await repository.find(reader, rule_id)
    if row is None:
        raise _unknown(rule_id)
    return row


async def add_rule(tx: Tx, body: RuleNew, actor: Actor, now: datetime) -> Row[Any]:
    values = columns_of(body)
    if len(await repository.every(tx)) >= RULES_AT_MOST:
        raise Conflict(f"There may be {RULES_AT_MOST} rules. Delete or change one of them.")
    if values["effect"]["kind"] == "label":
        await check_room(tx)
    digest = digest_of(values["name"], values["conditions"], values["effect"])
    times = {"created_at": now, "updated_at": now}
    rule_id = await repository.add(tx, {**values, **times, "digest": digest})
    _record(tx, "rule.added", (rule_id, values["name"]), actor, now)
    return await get_rule(tx, rule_id)


async def change_rule(
    tx: Tx,
    rule_id: int,
    body: RulePatch,
    *,
    actor: Actor,
    now: datetime,
    versions: frozenset[int] | None,
) -> Row[Any]:
    """What holds already is no change and no event. What the program brought, and somebody edits,
    is the team's from then on; switching it off and moving it is no edit.
    """
    row = await _held(tx, rule_id, versions)
    given = columns_of(body)
    values = {name: value for name, value in given.items() if value != getattr(row, name)}
    if not values:
        return row
    if values.keys() & {"name", "conditions", "effect"}:
        said = {name: values.get(name, getattr(row, name)) for name in _SAYING}
        values["digest"] = digest_of(**said)
        values["edited_at"] = now
    await repository.change(tx, row, {**values, "updated_at": now})
    _record(tx, "rule.changed", (rule_id, values.get("name", row.name)), actor, now)
    return await get_rule(tx, rule_id)


_SAYING = ("name", "conditions", "effect")


async def remove_rule(
    tx: Tx, rule_id: int, *, actor: Actor, now: datetime, versions: frozenset[int] | None
) -> None:
    row = await _held(tx, rule_id, versions)
    if row.key is not None:
        raise Conflict(
            "This rule came with the program and would come back. Switch it off: `enabled: false`."
        )
    await repository.remove(tx, rule_id)
    _record(tx, "rule.removed", (rule_id, row.name), actor, now)


async def try_rule(reader: Reader, scope: Scope, rule: Rule, item_ids: Sequence[int]) -> Tried:
    """Which of some items a rule matches; of those that the caller may see."""
    rows = await repository.judged(reader, item_ids)
    seen = [row for row in rows if items.is_visible(scope, row)]
    return Tried(len(seen), [row.id for row in seen if rule.matches(firing.stored(row))])


async def apply_rule(
    tx: Tx, scope: Scope, rule: Rule, item_ids: Sequence[int], *, actor: Actor, now: datetime
) -> int:
    """Does what a rule does to items that are stored, as one action; how many it changed.

    A signal is also taken from those that the rule does not match (any more). Status and labels
    are changed by the rule, not by the caller: what a person has decided stays.
    """
    held = await items.lock_items(tx, item_ids)
    visible = {row.id: row for row in held if items.is_visible(scope, row)}
    about = await repository.judged(tx, list(visible))
    matching = {row.id: rule.matches(firing.stored(row)) for row in about}
    if rule.effect.kind not in firing.MARKING:
        chosen = [visible[item_id] for item_id, matches in matching.items() if matches]
        return await firing.act_on(tx, rule, chosen, now) if chosen else 0
    return await _mark(tx, rule, visible, matching, actor=actor, now=now)


async def _mark(
    tx: Tx,
    rule: Rule,
    rows: Mapping[int, Any],
    matching: Mapping[int, bool],
    *,
    actor: Actor,
    now: datetime,
) -> int:
    changes = []
    for item_id, matches in matching.items():
        row = rows[item_id]
        signals = firing.remarked(rule, row, matches=matches)
        if signals is not None:
            decision = Decision(items.state_of(row), EventType.SIGNALLED)
            changes.append(Change(row, decision, columns={"signals": signals}))
    if changes:
        params = {"rule_id": rule.id}
        action_id = await actions.add(tx, actor, "signal", params, items=len(changes), now=now)
        await store(tx, changes, actor=actor, now=now, action_id=action_id, told=params)
    return len(changes)


def compiled(row: Row[Any]) -> Rule:
    """A stored rule, whether it is switched on or not."""
    return ready(row.id, row.name, row.conditions, row.effect)


async def _held(tx: Tx, rule_id: int, versions: frozenset[int] | None) -> Row[Any]:
    row = await repository.lock(tx, rule_id)
    if row is None:
        raise _unknown(rule_id)
    if versions is not None and row.version not in versions:
        raise VersionMismatch(
            f"The rule is at version {row.version} by now. Look at it, then decide again.",
            extra={"current": rule_out(row)},
            headers={"ETag": f'"v{row.version}"'},
        )
    return row


def _unknown(rule_id: int) -> NotFound:
    return NotFound(f"There is no rule {rule_id}.")


def unapplied() -> InvalidRequest:
    """Only a stored rule can be applied: what it does bears its id."""
    detail = "Save the rule first, then apply it by its `rule_id`."
    return InvalidRequest(detail, errors=[FieldError("/apply", "invalid_value", detail)])


def _record(tx: Tx, kind: str, rule: tuple[int, str], actor: Actor, now: datetime) -> None:
    told = {"rule_id": rule[0], "name": rule[1]}
    record(tx, Event(type=kind, at=now, actor=actor, details=told))
