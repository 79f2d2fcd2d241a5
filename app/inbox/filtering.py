"""What lists may be narrowed by, and the WHERE that follows from it.

The status stands as literal text in the SQL: with a bound status PostgreSQL's generic plan reads
the whole table (docs/decisions/0003-lists.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    false,
    literal_column,
    not_,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from app.db import UtcTime
from app.inbox.labels.models import item_label, label
from app.inbox.models import OPEN, item
from app.inbox.search.models import FoundByWords
from app.inbox.search.words import Phrase, Words
from app.scope import Scope

Ternary = Literal["exclude", "include", "only"]
Order = Literal["oldest", "newest", "due", "value"]
BY_RANK = ("due", "value")
"""Orders of the unanswered alone: for anything else no due time and no value is kept."""


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """What `GET /items` may be narrowed by. Empty tuples and `None` mean: not narrowed.

    `statuses` empty means any. `assignee` is the id of a person, or `none`: nobody's. `labels`
    (keys, see `labels.spelling`): an item carries all of them, and none of `without_labels`. Times
    are aware UTC; `before` and `after` are inclusive and exclusive of their moment.
    """

    statuses: tuple[str, ...] = ("unanswered",)
    platforms: tuple[str, ...] = ()
    source_ids: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    author_id: int | None = None
    labels: tuple[str, ...] = ()
    without_labels: tuple[str, ...] = ()
    assignee: int | Literal["none"] | None = None
    occurred_after: datetime | None = None
    occurred_before: datetime | None = None
    snoozed: Ternary = "exclude"
    backlog: Ternary = "exclude"
    needs_reply: bool | None = True
    overdue: bool | None = None
    order: Order = "oldest"
    not_platforms: tuple[str, ...] = ()
    not_source_ids: tuple[int, ...] = ()
    not_kinds: tuple[str, ...] = ()
    flags: tuple[tuple[str, bool], ...] = ()  # of `FLAGS`, and whether they hold
    words: Words | None = None
    nothing: bool = False  # its parts contradict one another


def _at() -> Any:
    return bindparam("now", type_=UtcTime())


FLAGS: Mapping[str, Callable[[], ColumnElement[bool]]] = {
    # one line each, in alphabetical order; `now` may be asked for; never NULL
    "acknowledged": lambda: item.c.acknowledged_at.is_not(None),
    "assigned": lambda: item.c.assignee_id.is_not(None),
    "claimed": lambda: and_(item.c.claimed_until.is_not(None), item.c.claimed_until > _at()),
    "direct": lambda: item.c.visibility == literal("direct"),
    "edited": lambda: item.c.edited_at.is_not(None),
    "edited_after_answer": lambda: item.c.edited_after_answer == true(),
    "held": lambda: and_(item.c.filed.is_not(None), item.c.filed == literal("held")),
    "overdue": lambda: and_(item.c.due_at.is_not(None), item.c.due_at < _at()),
    "possibly_answered": lambda: item.c.possibly_answered == true(),
    "reply_unverified": lambda: item.c.reply_unverified == true(),
    "time_suspect": lambda: item.c.time_suspect == true(),
}
"""What may be asked of an item by `is:` beside its status, snooze, backlog and thanks."""
TIMED = frozenset({"claimed", "overdue"})
_EXCLUDED = {
    "not_platforms": item.c.platform,
    "not_source_ids": item.c.source_id,
    "not_kinds": item.c.kind,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the text of the statement; the values are bound."""

    filter: ItemFilter
    several_sources: bool
    several_platforms: bool
    positioned: bool
    scoped: bool
    several_allowed: bool
    direct: bool


def shape_of(scope: Scope, wanted: ItemFilter, *, positioned: bool) -> Shape:
    """What of a filter decides the statement; filters that differ only in values share one."""
    return Shape(
        filter=_skeleton(wanted),
        several_sources=len(wanted.source_ids) > 1,
        several_platforms=len(wanted.platforms) > 1,
        positioned=positioned,
        scoped=scope.sources is not None,
        several_allowed=scope.sources is not None and len(scope.sources) != 1,
        direct=scope.direct,
    )


def conditions(shape: Shape) -> list[ColumnElement[bool]]:
    """The conditions of a statement, without the position of a page."""
    wanted = shape.filter
    found = [*_status(wanted), *_overlays(wanted), *_narrowed(shape), *_flags(wanted)]
    found += _labelled(wanted)
    if wanted.words is not None:
        found += _words(wanted.words)
    found += [
        column.not_in(bindparam(name, expanding=True))
        for name, column in _EXCLUDED.items()
        if getattr(wanted, name)
    ]
    return [*found, false()] if wanted.nothing else found


def values_of(scope: Scope, wanted: ItemFilter, now: datetime) -> dict[str, Any]:
    """The values that `conditions` leaves to be bound."""
    values: dict[str, Any] = {}
    values |= _listed(wanted)
    timed = wanted.overdue is not None or any(name in TIMED for name, _ in wanted.flags)
    if wanted.snoozed != "include" or timed:
        values["now"] = now
    if wanted.platforms:
        values["platforms"] = _one_or_all(wanted.platforms)
    if wanted.source_ids:
        values["source_ids"] = _one_or_all(wanted.source_ids)
    values |= {f"label{n}": key for n, key in enumerate(wanted.labels)}
    values |= {f"not_label{n}": key for n, key in enumerate(wanted.without_labels)}
    if wanted.words is not None:
        values |= _word_values(wanted.words)
    if isinstance(wanted.assignee, int):
        values["assignee"] = wanted.assignee
    for name in ("author_id", "occurred_after", "occurred_before"):
        if (value := getattr(wanted, name)) is not None:
            values[name] = value
    if scope.sources is not None:
        values["allowed"] = _one_or_all(sorted(scope.sources))
    return values


def _listed(wanted: ItemFilter) -> dict[str, Any]:
    names = ("kinds", *_EXCLUDED)
    return {name: list(getattr(wanted, name)) for name in names if getattr(wanted, name)}


def _one_or_all(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else list(values)


_SOME_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


def _skeleton(wanted: ItemFilter) -> ItemFilter:
    """The filter without its values: filters that differ only in values share a statement."""
    return replace(
        wanted,
        platforms=wanted.platforms and ("*",),
        source_ids=wanted.source_ids and (0,),
        kinds=wanted.kinds and ("*",),
        author_id=None if wanted.author_id is None else 0,
        labels=("*",) * len(wanted.labels),
        without_labels=("*",) * len(wanted.without_labels),
        assignee=0 if isinstance(wanted.assignee, int) else wanted.assignee,
        occurred_after=None if wanted.occurred_after is None else _SOME_MOMENT,
        occurred_before=None if wanted.occurred_before is None else _SOME_MOMENT,
        not_platforms=wanted.not_platforms and ("*",),
        not_source_ids=wanted.not_source_ids and (0,),
        not_kinds=wanted.not_kinds and ("*",),
        words=None if wanted.words is None else _word_skeleton(wanted.words),
    )


_ANY = Phrase(("*",))


def _word_skeleton(words: Words) -> Words:
    return Words(words.groups and ((_ANY,),), words.without and (_ANY,))


def _word_values(words: Words) -> dict[str, Any]:
    if words.groups:
        return {"words": words}
    return {"unwanted": Words((words.without,))} if words.without else {}


def _words(words: Words) -> list[ColumnElement[bool]]:
    """By the index of words. Of what is only excluded, that is what it finds and leaves out."""
    if words.groups:
        return [FoundByWords(item.c.id, "words")]
    return [not_(FoundByWords(item.c.id, "unwanted").self_group())] if words.without else []


def _flags(wanted: ItemFilter) -> list[ColumnElement[bool]]:
    return [FLAGS[name]() if holds else not_(FLAGS[name]()) for name, holds in wanted.flags]


def literal(value: str) -> ColumnElement[str]:
    return literal_column(f"'{value}'")


def _is_open_list(wanted: ItemFilter) -> bool:
    return bool(
        wanted.statuses == ("unanswered",) and wanted.needs_reply and wanted.backlog == "exclude"
    )


def _status(wanted: ItemFilter) -> list[ColumnElement[bool]]:
    if not wanted.statuses:
        return []
    if _is_open_list(wanted):
        return [text(OPEN)]  # type: ignore[list-item]  # text() stands for a boolean here
    if len(wanted.statuses) == 1:
        return [item.c.status == literal(wanted.statuses[0])]
    return [item.c.status.in_([literal(status) for status in wanted.statuses])]


def _overlays(wanted: ItemFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.needs_reply is not None:
        found.append(item.c.needs_reply == (true() if wanted.needs_reply else false()))
    if wanted.backlog != "include":
        found.append(item.c.backlog == (false() if wanted.backlog == "exclude" else true()))
    now = bindparam("now", type_=UtcTime())
    if wanted.snoozed == "exclude":
        found.append(or_(item.c.snoozed_until.is_(None), item.c.snoozed_until <= now))
    elif wanted.snoozed == "only":
        found.append(item.c.snoozed_until > now)
    if wanted.overdue is not None:
        due = item.c.due_at
        waits = item.c.status == literal("unanswered")
        found.append(
            (due < now) & waits if wanted.overdue else or_(due.is_(None), due >= now, ~waits)
        )
    return found


def _narrowed(shape: Shape) -> list[ColumnElement[bool]]:
    wanted = shape.filter
    found = _who_and_what(shape)
    if wanted.occurred_after is not None:
        found.append(item.c.occurred_at > bindparam("occurred_after"))
    if wanted.occurred_before is not None:
        found.append(item.c.occurred_at <= bindparam("occurred_before"))
    if shape.scoped:
        found.append(_of_sources("allowed", shape, several=shape.several_allowed))
    if not shape.direct:
        found.append(item.c.visibility != literal("direct"))
    return found


def _labelled(wanted: ItemFilter) -> list[ColumnElement[bool]]:
    """The open list is short and read in its order, so each of its items is asked; elsewhere the
    items of a label are few beside all the others, so the label is asked.
    """
    found: list[ColumnElement[bool]] = []
    for n in range(len(wanted.labels)):
        named = label.c.key == bindparam(f"label{n}")
        if _is_open_list(wanted):
            found.append(_carries(named))
        else:
            carriers = select(item_label.c.item_id).select_from(item_label.join(label))
            found.append(item.c.id.in_(carriers.where(named)))
    found += [
        ~_carries(label.c.key == bindparam(f"not_label{n}"))
        for n in range(len(wanted.without_labels))
    ]
    return found


def _carries(named: ColumnElement[bool]) -> ColumnElement[bool]:
    carried = select(item_label.c.item_id).select_from(item_label.join(label))
    return carried.where(item_label.c.item_id == item.c.id, named).correlate(item).exists()


def _who_and_what(shape: Shape) -> list[ColumnElement[bool]]:
    """By an index where that also gives the order; the orders by rank have only their own."""
    wanted = shape.filter
    by_rank = wanted.order in BY_RANK
    found: list[ColumnElement[bool]] = []
    if wanted.platforms:
        by_index = not shape.several_platforms and not by_rank
        platform: Any = item.c.platform if by_index else _NotByIndex(item.c.platform)
        found.append(_among(platform, "platforms", several=shape.several_platforms))
    if wanted.source_ids:
        found.append(_of_sources("source_ids", shape, several=shape.several_sources))
    if wanted.kinds:
        found.append(item.c.kind.in_(bindparam("kinds", expanding=True)))
    if wanted.author_id is not None:
        writer: Any = _NotByIndex(item.c.author_id) if by_rank else item.c.author_id
        found.append(writer == bindparam("author_id"))
    return [*found, *_assigned(wanted)]


def _assigned(wanted: ItemFilter) -> list[ColumnElement[bool]]:
    if wanted.assignee is None:
        return []
    if wanted.assignee == "none":
        return [item.c.assignee_id.is_(None)]
    if wanted.order in BY_RANK:
        return [_NotByIndex(item.c.assignee_id) == bindparam("assignee")]
    found = [item.c.assignee_id == bindparam("assignee")]
    if wanted.statuses == ("unanswered",) and wanted.needs_reply:
        # As the index spells it: SQLite does not see that `needs_reply = 1` says the same.
        found.append(text("needs_reply"))  # type: ignore[arg-type]  # stands for a boolean here
    return found


class _NotByIndex(ColumnElement[Any]):
    """A column that SQLite shall not look up in an index: where none leads from it to the items in
    the order of the list, it would take one and sort (sqlite.org/optoverview.html, 2: unary `+`).
    """

    inherit_cache = True
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012  # theirs

    def __init__(self, column: Any) -> None:
        self.column = column
        self.type = column.type


@compiles(_NotByIndex)
def _plain(element: _NotByIndex, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.column, **options)


@compiles(_NotByIndex, "sqlite")
def _with_plus(element: _NotByIndex, compiler: SQLCompiler, **options: Any) -> str:
    return f"+{compiler.process(element.column, **options)}"


def _of_sources(name: str, shape: Shape, *, several: bool) -> ColumnElement[bool]:
    by_rank = shape.filter.order in BY_RANK
    by_index = not several and not by_rank and _is_open_list(shape.filter)
    column: Any = item.c.source_id if by_index else _NotByIndex(item.c.source_id)
    return _among(column, name, several=several)


def _among(column: Any, name: str, *, several: bool) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (
        column.in_(bindparam(name, expanding=True)) if several else column == bindparam(name)
    )
    return found
