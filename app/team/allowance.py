"""What a person or token may do and see, and how one is kept within the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.errors import FieldError
from app.scope import Scope
from app.web.principal import Right, Role, scope_of

_RANK = tuple(Role)  # from the least to the most


@dataclass(frozen=True, slots=True)
class Allowance:
    """A role, rights beside it, and the sources that may be seen (`None`: all)."""

    role: Role
    rights: frozenset[Right] = frozenset()
    sources: frozenset[int] | None = None

    @property
    def scope(self) -> Scope:
        return scope_of(self.role, self.rights, self.sources)

    @property
    def manages_team(self) -> bool:
        """An admin who sees everything; who sees a part could make somebody who sees all."""
        return self.role is Role.ADMIN and self.sources is None

    def narrowed_to(self, owner: Allowance) -> Allowance:
        """What is left of it for a token whose owner may do this: no more than either."""
        role = min(self.role, owner.role, key=_RANK.index)
        rights = (self.rights & owner.rights) - {Right.DIRECT}
        direct = self.scope.direct and owner.scope.direct
        if direct and (role is Role.VIEWER or Right.DIRECT in self.rights):
            rights |= {Right.DIRECT}
        return Allowance(role, rights, _common(self.sources, owner.sources))

    def beyond(self, owner: Allowance, name: str) -> Iterator[FieldError]:
        """What of it is more than the owner, called `name`, may do."""
        if _RANK.index(self.role) > _RANK.index(owner.role):
            told = f"{name} is {owner.role}: a token of theirs can't be {self.role}."
            yield FieldError("/role", "beyond_person", told)
        if Right.DIRECT in self.rights and not owner.scope.direct:
            told = f"{name} may not see direct messages, so a token of theirs may not."
            yield FieldError("/rights", "beyond_person", told)
        if owner.sources is not None and not (self.sources or frozenset()) <= owner.sources:
            told = f"{name} may not see all of these sources."
            yield FieldError("/source_ids", "beyond_person", told)


def allowance_of(row: Any, prefix: str = "") -> Allowance:
    """Of a row with `role`, `rights` and `source_ids`, or these with a prefix to their names."""
    sources = getattr(row, f"{prefix}source_ids")
    return Allowance(
        Role(getattr(row, f"{prefix}role")),
        frozenset(Right(right) for right in getattr(row, f"{prefix}rights")),
        None if sources is None else frozenset(sources),
    )


def allowance_of_token(row: Any) -> Allowance:
    """What a token (`find_token`) may do now: no more than its owner."""
    own = allowance_of(row)
    return own if row.user_id is None else own.narrowed_to(allowance_of(row, "owner_"))


def _common(one: frozenset[int] | None, other: frozenset[int] | None) -> frozenset[int] | None:
    if one is None:
        return other
    return one if other is None else one & other
