"""What a link lets somebody do: set a password and come in, the first admin too."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Row

from app.db import Reader, Tx
from app.errors import Conflict, NotAllowed, NotFound
from app.team import repository as team
from app.team.allowance import allowance_of
from app.team.audit.entry import noted
from app.team.entering import links, repository, throttle
from app.team.entering.links import LinkKind
from app.team.entering.service import Entrance, SignedIn
from app.team.managing import Managing, invalid
from app.team.passwords import repository as passwords
from app.team.repository import LOCAL
from app.team.sessions.service import Visitor, Way, principal_of
from app.team.tokens import Random, hash_of
from app.team.users import repository as users
from app.team.users.service import check_name
from app.web.networks import network_of
from app.web.principal import Role


class LinkOver(NotAllowed):
    """Unknown, used, or too old: which, is told to nobody."""

    code = "link-over"
    title = "This link does not let in any more"


@dataclass(frozen=True, slots=True)
class SetUp:
    """What somebody sends with the ticket of a link."""

    ticket: str = field(repr=False)
    password: str = field(repr=False)
    name: str | None = None
    display_name: str | None = None


async def is_needed(reader: Reader) -> bool:
    """Whether nobody can sign in yet."""
    return not await repository.people_who_can_come_in(reader)


async def first_link(tx: Tx, base: str, now: datetime, random: Random) -> str | None:
    """A link for whoever sets the service up; `None` where somebody can sign in already."""
    if not await is_needed(tx):
        return None
    ticket, _ = await links.new_link(tx, LinkKind.FIRST, None, by=LOCAL, now=now, random=random)
    return links.address_of(base, ticket)


async def link_for(
    managing: Managing, user_id: int, base: str, random: Random
) -> tuple[str, datetime]:
    """An admin's link for a person who has no password yet, or has forgotten it."""
    await managing.begin()
    row = await passwords.find_by_id(managing.tx, user_id)
    if row is None:
        raise NotFound(f"There is no person {user_id}.")
    if row.disabled_at is not None:
        raise Conflict(f"{row.display_name} is disabled. Enable them first.")
    kind = LinkKind.INVITATION if row.password_hash is None else LinkKind.RESET
    by, now = managing.principal.actor, managing.now
    ticket, ends = await links.new_link(managing.tx, kind, row.id, by=by, now=now, random=random)
    return links.address_of(base, ticket), ends


async def set_up(entrance: Entrance, asked: SetUp, visitor: Visitor) -> SignedIn:
    """Sets the password of whom the link is for and lets them in; the link is used up.

    Raises `LinkOver`, 422 for a password or name that can't be, 409 for a name that is taken.
    """
    entrance.check_passwords_are_used()
    now, ticket_hash = entrance.clock.now(), hash_of(asked.ticket)
    attempt = throttle.attempt_from(network_of(visitor.address))
    await throttle.count(entrance.db, attempt, now)
    link = await repository.find_link(entrance.db, ticket_hash, now)
    if link is None:
        raise _over()
    person = await _whom(entrance.db, link, asked)
    hashed = await entrance.hash_new(asked.password, person, "/password")
    async with entrance.db.write() as tx:
        await team.hold_team(tx)
        used = await repository.use_link(tx, ticket_hash, entrance.clock.now())
        if used is None:
            raise _over()
        await throttle.take_back(tx, attempt)
        user_id = await _take_place(tx, used, asked, now)
        await entrance.keep_password(tx, user_id, hashed)
        found = await entrance.let_in(tx, user_id, Way.LINK, visitor)
        noted(tx, "session", found.session.id, by=principal_of(found.session))
        return found


def _over() -> LinkOver:
    return LinkOver(
        "It was used, has expired, or was replaced by a newer one. Ask an admin for a new link, or "
        "start the service again where nobody has a password yet: it prints a new one."
    )


async def _whom(reader: Reader, link: Row[Any], asked: SetUp) -> Any:
    """How the person is called, for judging the password."""
    if link.user_id is None:
        return SimpleNamespace(name=asked.name, display_name=asked.display_name)
    return await users.find_user(reader, link.user_id)


async def _take_place(tx: Tx, link: Row[Any], asked: SetUp, now: datetime) -> int:
    """The person whom the link is for, renamed as they wish where they may."""
    if link.kind == LinkKind.FIRST:
        return await _first_admin(tx, asked, now)
    row = await users.find_user(tx, link.user_id)
    if row is None or row.disabled_at is not None:
        raise _over()
    if asked.name is not None and users.key_of(asked.name) != row.name_key:
        raise invalid("/name", "not_yours", f"This link is for {row.name}, and for nobody else.")
    if asked.display_name is not None and asked.display_name != row.display_name:
        await users.change_user(tx, row, {"display_name": asked.display_name})
    return int(row.id)


async def _first_admin(tx: Tx, asked: SetUp, now: datetime) -> int:
    """The person of this machine where they are an admin still, else a new one."""
    if not await is_needed(tx):
        raise _over()
    await repository.remove_links(tx, LinkKind.FIRST)
    known = (await team.hold_team(tx)).get("local_user")
    row = None if known is None else await users.find_user(tx, known)
    if row is not None and (row.disabled_at is not None or not allowance_of(row).manages_team):
        row = None
    if row is None and asked.name is None:
        raise invalid("/name", "missing", "Say what you want to be called: a short name.")
    if asked.name is not None:
        await check_name(tx, asked.name, None if row is None else row.id)
    if row is None:
        return await _add_admin(tx, asked, now)
    named = {"name": asked.name, "display_name": asked.display_name or asked.name}
    values = {k: v for k, v in named.items() if v is not None and v != getattr(row, k)}
    if values:
        await users.change_user(tx, row, values)
    return int(row.id)


async def _add_admin(tx: Tx, asked: SetUp, now: datetime) -> int:
    values: dict[str, Any] = {
        "name": asked.name,
        "display_name": asked.display_name or asked.name,
        "role": Role.ADMIN.value,
        "rights": [],
        "source_ids": None,
        "created_at": now,
        "created_by": LOCAL,
    }
    return await users.add_user(tx, values)
