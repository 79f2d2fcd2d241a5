"""What actions, bulk answers and undoing look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from app.clock import Stamp, stamp
from app.errors import AppError
from app.inbox.actions.service import Undone
from app.inbox.schemas import ItemOut, item_out
from app.inbox.service import Many


class ActionOut(msgspec.Struct, kw_only=True):
    """One thing a person or a rule did, to `items` items. `undone_by` is the action that undid it,
    or some of it.
    """

    id: int
    at: Stamp
    actor_kind: str
    actor: str
    action: str
    params: dict[str, Any]
    items: int
    undone_at: Stamp | None
    undone_by: int | None


class ActionList(msgspec.Struct, kw_only=True):
    """What was done, newest first."""

    items: list[ActionOut]
    next_cursor: str | None


class UndoResult(msgspec.Struct, kw_only=True):
    """`result`: undone, changed_since, not_found, already_undone. `item` as it is now."""

    item_id: int
    result: str
    item: ItemOut | None


class UndoOut(msgspec.Struct, kw_only=True):
    """`action_id` is the undoing, an action that can be undone itself; null where nothing was."""

    action_id: int | None
    undone: int
    results: list[UndoResult]


class RefusalOut(msgspec.Struct, kw_only=True):
    """Why nothing was done to an item: as the problem that the action alone would answer with."""

    status: int
    code: str
    title: str
    detail: str
    current_status: str | None
    allowed_actions: list[str] | None


class BulkResult(msgspec.Struct, kw_only=True):
    """One item of a bulk action. `ok` with `changed: false`: it was so already."""

    item_id: int
    ok: bool
    changed: bool
    item: ItemOut | None
    problem: RefusalOut | None


class BulkOut(msgspec.Struct, kw_only=True):
    """What became of a bulk action; `action_id` is null where it changed nothing."""

    action_id: int | None
    changed: int
    unchanged: int
    refused: int
    results: list[BulkResult]


def action_out(row: Row[Any]) -> ActionOut:
    return ActionOut(
        id=row.id,
        at=stamp(row.at),
        actor_kind=row.actor_kind,
        actor=row.actor,
        action=row.name,
        params=row.params,
        items=row.items,
        undone_at=stamp(row.undone_at),
        undone_by=row.undone_by,
    )


def undo_out(done: Undone, now: datetime) -> UndoOut:
    results = [
        UndoResult(
            item_id=item_id,
            result=str(result),
            item=None if row is None else item_out(row, now),
        )
        for item_id, result, row in done.results
    ]
    undone = sum(1 for found in results if found.result == "undone")
    return UndoOut(action_id=done.action_id, undone=undone, results=results)


def refusal_out(refusal: AppError) -> RefusalOut:
    return RefusalOut(
        status=refusal.status,
        code=refusal.code,
        title=refusal.title,
        detail=refusal.detail,
        current_status=refusal.extra.get("current_status"),
        allowed_actions=refusal.extra.get("allowed_actions"),
    )


def bulk_out(done: Many, now: datetime) -> BulkOut:
    results = [
        BulkResult(
            item_id=item_id,
            ok=refusal is None,
            changed=item_id in done.changed,
            item=None if row is None else item_out(row, now),
            problem=None if refusal is None else refusal_out(refusal),
        )
        for item_id, row, refusal in done.results
    ]
    refused = sum(1 for found in results if not found.ok)
    return BulkOut(
        action_id=done.action_id,
        changed=len(done.changed),
        unchanged=len(results) - refused - len(done.changed),
        refused=refused,
        results=results,
    )
