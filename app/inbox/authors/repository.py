"""All SQL that reads people and their history, as far as a caller may see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    String,
    bindparam,
    case,
    func,
    literal_column,
    select,
    true,
    tuple_,
    update,
)

from app.db import Reader, Tx
from app.inbox.models import author, item, reply
from app.scope import Scope
from app.sources.models import source


@dataclass(frozen=True, slots=True)
class AuthorFilter:
    """What `GET /authors` may be narrowed by. `handle` is how it begins, in any case."""

    handle: str | None = None
    platforms: tuple[str, ...] = ()
    muted: bool | None = None


def _seen(scope: Scope) -> list[ColumnElement[bool]]:
    """Which items a caller may see."""
    found: list[ColumnElement[bool]] = []
    if scope.sources is not None:
        found.append(item.c.source_id.in_(scope.sources))
    if not scope.direct:
        found.append(item.c.visibility != literal_column("'direct'"))
    return found


def _is_visible(scope: Scope) -> ColumnElement[bool]:
    """Whoever wrote something that the caller may see. People who are being erased are gone."""
    wrote = select(item.c.id).where(item.c.author_id == author.c.id, *_seen(scope)).exists()
    return wrote & author.c.erasing_at.is_(None)


async def find_author(reader: Reader, scope: Scope, author_id: int) -> Row[Any] | None:
    """A person who wrote to us, or `None` where there is none for this caller."""
    statement = select(author).where(author.c.id == author_id, _is_visible(scope))
    rows = await reader.rows(statement)
    return rows[0] if rows else None


async def lock_author(tx: Tx, author_id: int) -> Row[Any] | None:
    rows = await tx.rows(select(author).where(author.c.id == author_id).with_for_update())
    return rows[0] if rows else None


async def page_authors(
    reader: Reader,
    scope: Scope,
    wanted: AuthorFilter,
    *,
    after: tuple[str, int] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """People by handle, those after a place (handle, id)."""
    conditions = [_is_visible(scope)]
    values: dict[str, Any] = {}
    if wanted.handle is not None:
        begins = func.lower(bindparam("begins", type_=String()))
        conditions.append(func.lower(author.c.handle).like(begins, escape="/"))
        values["begins"] = f"{_escaped(wanted.handle)}%"
    if wanted.platforms:
        conditions.append(author.c.platform.in_(wanted.platforms))
    if wanted.muted is not None:
        muted = author.c.muted_at
        conditions.append(muted.is_not(None) if wanted.muted else muted.is_(None))
    if after is not None:
        place = tuple_(bindparam("at", type_=String()), bindparam("id", type_=BigInteger()))
        conditions.append(tuple_(author.c.handle, author.c.id) > place)
        values |= {"at": after[0], "id": after[1]}
    statement = select(author).where(*conditions).order_by(author.c.handle, author.c.id)
    return await reader.rows(statement.limit(limit), values)


async def change_author(tx: Tx, author_id: int, notes: str | None) -> None:
    await tx.execute(
        update(author)
        .where(author.c.id == author_id)
        .values(notes=notes, version=author.c.version + 1)
    )


def _of_status(*statuses: str) -> ColumnElement[Any]:
    return item.c.status.in_([literal_column(f"'{status}'") for status in statuses])


def _number_of(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    wanted = conditions[0]
    for condition in conditions[1:]:
        wanted &= condition
    return func.coalesce(func.sum(case((wanted, 1), else_=0)), 0)


async def history_by_source(reader: Reader, scope: Scope, author_id: int) -> Sequence[Row[Any]]:
    """What a person wrote to each source and what became of it."""
    asked = item.c.needs_reply == true()
    answered = asked & _of_status("replied")
    statement = (
        select(
            source.c.id.label("source_id"),
            source.c.name.label("source_name"),
            source.c.platform,
            func.count().label("messages"),
            _number_of(asked).label("asked"),
            _number_of(answered).label("answered"),
            _number_of(asked, _of_status("unanswered")).label("waiting"),
            _number_of(_of_status("dismissed")).label("dismissed"),
            _number_of(_of_status("spam")).label("spam"),
            _number_of(answered, item.c.answered_at < item.c.occurred_at).label("negative"),
            _number_of(answered, item.c.answered_at >= item.c.occurred_at).label("timed"),
            func.min(item.c.occurred_at).label("first_at"),
            func.max(item.c.occurred_at).label("last_at"),
        )
        .select_from(item.join(source))
        .where(item.c.author_id == author_id, *_seen(scope))
        .group_by(source.c.id, source.c.name, source.c.platform)
        .order_by(source.c.platform, source.c.name)
    )
    return await reader.rows(statement)


async def middle_answers(
    reader: Reader, scope: Scope, author_id: int, number: int
) -> Sequence[Row[Any]]:
    """(occurred_at, answered_at) of the one or two answers in the middle of `number`, by how long
    they took; those from before their item are left out.
    """
    statement = (
        select(item.c.occurred_at, item.c.answered_at)
        .where(
            item.c.author_id == author_id,
            _of_status("replied"),
            item.c.needs_reply == true(),
            item.c.answered_at >= item.c.occurred_at,
            *_seen(scope),
        )
        .order_by(item.c.answered_at - item.c.occurred_at, item.c.id)
        .offset((number - 1) // 2)
        .limit(2 - number % 2)
    )
    return await reader.rows(statement)


async def is_ours(reader: Reader, author_id: int) -> bool:
    """Whether we have answered somebody as this author."""
    rows = await reader.rows(select(reply.c.id).where(reply.c.author_id == author_id).limit(1))
    return bool(rows)


def _escaped(text: str) -> str:
    """For LIKE, whose signs may be part of a handle."""
    for sign in "/%_":
        text = text.replace(sign, f"/{sign}")
    return text
