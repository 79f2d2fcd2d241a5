"""Links that let in once: the first set-up, an invitation, a forgotten password.

The ticket stands in the fragment of the link, which browsers send to nobody, so no log has it.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from app.db import Tx
from app.team.entering import repository
from app.team.entering.repository import NewLink
from app.team.tokens import Random, hash_of

TICKET_BYTES = 32


class LinkKind(StrEnum):
    """What a link is for."""

    FIRST = "first_run"
    INVITATION = "invitation"
    RESET = "reset"


LASTS: Mapping[LinkKind, timedelta] = MappingProxyType(
    {
        LinkKind.FIRST: timedelta(minutes=30),
        LinkKind.INVITATION: timedelta(days=7),
        LinkKind.RESET: timedelta(hours=24),
    }
)


async def new_link(
    tx: Tx, kind: LinkKind, user_id: int | None, *, by: str, now: datetime, random: Random
) -> tuple[str, datetime]:
    """Its ticket, of which only the hash is kept, and when it ends. A person has one link at most:
    earlier ones are void.
    """
    await repository.remove_ended_links(tx, now)
    if user_id is not None:
        await repository.remove_links_of(tx, user_id)
    ticket = urlsafe_b64encode(random(TICKET_BYTES)).rstrip(b"=").decode("ascii")
    ends = now + LASTS[kind]
    await repository.add_link(tx, NewLink(kind.value, user_id, by, ends), hash_of(ticket), now)
    return ticket, ends


def address_of(base: str, ticket: str) -> str:
    """The link that somebody opens."""
    return f"{base}/#setup={ticket}"
