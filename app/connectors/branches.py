"""Which comment an answer of ours belongs to, on platforms whose trees have two levels only.

An answer to an answer is hung on the comment above both. Taken at its word it would answer the
person on top, who may still be waiting: so what we wrote is hung on the comment it answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.connectors.base import Mention, Person

HIDDEN_AUTHOR = "author_hidden"
"""The code of the signal that nobody knows who wrote something: nothing tells two of them apart."""
_NAMED = re.compile(r"(?<![A-Za-z0-9._@])@([A-Za-z0-9._]{1,30})", re.ASCII)
_BEFORE_ALL = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Around:
    """Where comments stand: below `root`, which `owner` wrote; `us` are ids and handles of ours."""

    root: str
    owner: str
    us: frozenset[str]

    def is_ours(self, mention: Mention) -> bool:
        return not self.us.isdisjoint(_names(mention))


def is_known(person: Person) -> bool:
    """Whether it is told who it is."""
    return all(each.code != HIDDEN_AUTHOR for each in person.signals)


def named_in(text: str) -> tuple[str, ...]:
    """User names that a text addresses (letters, digits, `.` and `_` after an `@`), lower case."""
    found = (each.rstrip(".").lower() for each in _NAMED.findall(text))
    return tuple(dict.fromkeys(each for each in found if each))


def settled(found: Sequence[Mention], around: Around) -> tuple[Mention, ...]:
    """The comments, each of ours with the parent that it answers.

    It names somebody: the latest earlier comment of his in the branch; where none is known,
    no parent at all, unless he wrote the comment on top. It names nobody: the latest earlier
    comment, if only one person but us has written in the branch; else what the platform says.
    """
    by_id = {each.external_id: each for each in found}
    branches: dict[str, list[Mention]] = {}
    for each in sorted(found, key=_moment):
        if not around.is_ours(each):
            branches.setdefault(_top(each, around), []).append(each)
    return tuple(
        replace(each, parent_external_id=_answers(each, by_id, branches, around))
        if around.is_ours(each)
        else each
        for each in found
    )


def _top(mention: Mention, around: Around) -> str:
    """The first-level comment of a branch: itself, or the one it hangs on."""
    parent = mention.parent_external_id
    return mention.external_id if parent in {None, around.root} else str(parent)


def _answers(
    ours: Mention,
    by_id: Mapping[str, Mention],
    branches: Mapping[str, Sequence[Mention]],
    around: Around,
) -> str | None:
    told = ours.parent_external_id
    named = set(ours.addressed) - around.us
    if told in {None, around.root}:
        return _on_top(ours, named, branches, around)
    top, earlier = by_id.get(str(told)), list(_earlier(ours, branches.get(str(told), ())))
    if named:
        by_named = [each for each in earlier if named & _names(each)]
        if by_named:
            return by_named[-1].external_id
        return told if top is not None and _may_be_meant(top, named, earlier) else None
    people = {each.author.external_id for each in earlier}
    return earlier[-1].external_id if top is not None and len(people) == 1 else told


def _may_be_meant(top: Mention, named: set[str], earlier: Sequence[Mention]) -> bool:
    """Whether the people named may be the author on top: he is, or his name is hidden and there
    is nobody else in the branch whose name could be.
    """
    if is_known(top.author):
        return bool(named & _names(top))
    return all(each.external_id == top.external_id for each in earlier)


def _on_top(
    ours: Mention,
    named: set[str],
    branches: Mapping[str, Sequence[Mention]],
    around: Around,
) -> str | None:
    """A comment of ours that hangs on the post itself. On a post of ours that is nobody's; on
    somebody's it would answer him, unless it names others.
    """
    told = ours.parent_external_id
    if around.owner in around.us or not named or around.owner in named:
        return told
    everybody = [each for branch in branches.values() for each in _earlier(ours, branch)]
    by_named = sorted((each for each in everybody if named & _names(each)), key=_moment)
    return by_named[-1].external_id if by_named else None


def _earlier(ours: Mention, branch: Sequence[Mention]) -> Iterator[Mention]:
    return (each for each in branch if _moment(each) < _moment(ours))


def _moment(mention: Mention) -> tuple[datetime, str]:
    return mention.occurred_at or _BEFORE_ALL, mention.external_id


def _names(mention: Mention) -> set[str]:
    return {mention.author.external_id, mention.author.handle.lower()} - {""}
