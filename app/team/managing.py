"""Who may change the team, and that somebody always can."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime

from app.db import Reader, Tx
from app.errors import Conflict, FieldError, InvalidRequest, NotAllowed
from app.team import repository
from app.team.allowance import allowance_of, allowance_of_token
from app.team.entering.repository import people_who_can_come_in
from app.team.repository import LOCAL
from app.team.service import Tokens
from app.web.principal import Principal

KnownSources = Callable[[Reader, Collection[int]], Awaitable[frozenset[int]]]
"""Which of some ids are those of sources; `main` gives it, since sources lie above the team."""


class Managing:
    """One caller's changes of the team in one transaction, beside which nobody else makes any."""

    def __init__(
        self,
        tx: Tx,
        principal: Principal,
        now: datetime,
        known_sources: KnownSources,
        tokens: Tokens,
    ) -> None:
        self.tx = tx
        self.principal = principal
        self.now = now
        self.tokens = tokens
        self._known_sources = known_sources

    async def begin(self) -> None:
        """Call it first: checks the caller and holds the team."""
        check_sees_all(self.principal)
        await repository.hold_team(self.tx)
        self.tx.after_commit.append(self.tokens.forget)

    async def check_sources(
        self, asked: Collection[int] | None, before: Iterable[int] | None = None
    ) -> None:
        """Ids of sources must exist, those apart that were there already."""
        added = set(asked or ()) - set(before or ())
        unknown = added - await self._known_sources(self.tx, added) if added else added
        if unknown:
            named = ", ".join(map(str, sorted(unknown)))
            raise invalid("/source_ids", "unknown_source", f"There is no source {named}.")

    async def check_admin_left(self) -> None:
        """Call it after a change that takes something away.

        The command line's tokens count only for the caller of one: others may belong to machines
        that are gone.
        """
        for row in await repository.admin_tokens(self.tx, self.now):
            known = row.created_by != LOCAL or row.id == self.principal.token_id
            if known and row.owner_disabled_at is None and allowance_of_token(row).manages_team:
                return
        for person in await people_who_can_come_in(self.tx):
            if allowance_of(person).manages_team:
                return
        raise Conflict(
            "After this nobody could manage the team. Make another token of the role admin for "
            "all sources first, or give another admin a password, then try again."
        )


def check_sees_all(principal: Principal) -> None:
    """Refuses who sees some sources only: they could make somebody who sees all."""
    if principal.scope.sources is not None:
        raise NotAllowed(
            "This token is limited to some sources. The team is managed with one that is not."
        )


def invalid(pointer: str, code: str, detail: str) -> InvalidRequest:
    """422 for one field of a body."""
    return InvalidRequest(detail, errors=[FieldError(pointer, code, detail)])
