"""A token never may more than its person: every pair of allowances, against plain words."""

from __future__ import annotations

from itertools import product

from app.team.allowance import Allowance
from app.web.principal import PERMISSIONS, Right, Role

SOURCES = (None, frozenset[int](), frozenset({1}), frozenset({1, 2}), frozenset({2, 3}))
RIGHTS = (frozenset[Right](), frozenset({Right.DIRECT}))
ALL = [Allowance(*each) for each in product(Role, RIGHTS, SOURCES)]


def test_a_token_may_what_both_may_and_nothing_else() -> None:
    for own, owner in product(ALL, ALL):
        may = own.narrowed_to(owner)
        both = PERMISSIONS[own.role] & PERMISSIONS[owner.role]
        assert PERMISSIONS[may.role] == both, (own, owner)
        assert may.scope.direct == (own.scope.direct and owner.scope.direct), (own, owner)
        for source in range(1, 5):
            seen = own.scope.allows(source) and owner.scope.allows(source)
            assert may.scope.allows(source) == seen, (own, owner, source)
        assert may.manages_team == (own.manages_team and owner.manages_team)


def test_what_can_be_granted_is_never_cut_afterwards() -> None:
    """What `beyond` lets pass, `narrowed_to` keeps; only "all sources" means all the person's."""
    for own, owner in product(ALL, ALL):
        if list(own.beyond(owner, "Mira")):
            continue
        may = own.narrowed_to(owner)
        assert may.role is own.role
        assert Right.DIRECT not in own.rights or may.scope.direct
        assert may.sources == (owner.sources if own.sources is None else own.sources)


def test_what_is_too_much_is_named_field_by_field() -> None:
    own = Allowance(Role.ADMIN, frozenset({Right.DIRECT}), frozenset({1, 9}))
    owner = Allowance(Role.VIEWER, frozenset(), frozenset({1}))
    told = [(each.pointer, each.code) for each in own.beyond(owner, "Mira")]
    assert told == [
        ("/role", "beyond_person"),
        ("/rights", "beyond_person"),
        ("/source_ids", "beyond_person"),
    ]
