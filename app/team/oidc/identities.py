"""By what people are recognised elsewhere, as admins say it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from app.db import Reader
from app.errors import Conflict, NotFound
from app.team.managing import Managing
from app.team.oidc import repository
from app.team.sessions.repository import end_sessions_of
from app.team.users import repository as users


async def get(reader: Reader, user_id: int) -> Row[Any] | None:
    """What is known of a person who is there; `None`: nothing."""
    if await users.find_user(reader, user_id) is None:
        raise NotFound(f"There is no person {user_id}.")
    return await repository.find_of(reader, user_id)


async def put(
    managing: Managing, user_id: int, *, email: str | None, subject: str | None, issuer: str | None
) -> Row[Any]:
    """Says by what a person is recognised, in place of what it was. With a subject they are linked
    at once; with an address, when they come for the first time.
    """
    await managing.begin()
    before = await get(managing.tx, user_id)
    if subject is not None and issuer is None:
        raise Conflict("A subject needs UNANSWERED_OIDC_ISSUER, which is not set.")
    await _check_free(managing, user_id, email, issuer, subject)
    linked = subject is not None
    values = {
        "email": None if email is None else email.lower(),
        "issuer": issuer if linked else None,
        "subject": subject,
        "linked_at": managing.now if linked else None,
    }
    await repository.keep(managing.tx, user_id, **values)
    if before is not None and before.subject not in {None, subject}:
        await end_sessions_of(managing.tx, user_id)
    row = await repository.find_of(managing.tx, user_id)
    assert row is not None
    return row


async def _check_free(
    managing: Managing, user_id: int, email: str | None, issuer: str | None, subject: str | None
) -> None:
    found = None if email is None else await repository.find_by_email(managing.tx, email)
    if found is None and issuer is not None and subject is not None:
        found = await repository.find_linked(managing.tx, issuer, subject)
    if found is not None and found.user_id != user_id:
        raise Conflict(f"That is {found.owner_display_name} (id {found.user_id}) already.")


async def remove(managing: Managing, user_id: int) -> None:
    """Nobody comes in as this person through the other service any more; their sessions end."""
    await managing.begin()
    await get(managing.tx, user_id)
    await repository.remove(managing.tx, user_id)
    await end_sessions_of(managing.tx, user_id)
    await managing.check_admin_left()
