"""Whose a token is, and what it may do, by Meta's own word (`/me`, `debug_token`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.connectors.base import Identity, JsonObject
from app.connectors.failures import (
    AuthFailed,
    BadResponse,
    Blind,
    Gone,
    PermissionMissing,
)
from app.connectors.fields import find_text
from app.connectors.meta.graph import Graph
from app.connectors.meta.nodes import find_node_id, node_id
from app.connectors.text import clean, parse_time

PERSONS = frozenset({"USER"})
OF_A_PERSON = (
    "This is the token of a person: with it Meta shows empty lists instead of comments. The token "
    "of the Page itself is needed."
)


@dataclass(frozen=True, slots=True)
class Token:
    """`scopes` are the rights granted, `None` where Meta did not tell; `kind` is PAGE, USER …"""

    kind: str = ""
    scopes: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    data_until: datetime | None = None  # the 90 days after which rights must be granted again

    @property
    def ends_at(self) -> datetime | None:
        return min((at for at in (self.expires_at, self.data_until) if at), default=None)

    def missing(self, needed: Sequence[str]) -> tuple[str, ...]:
        if self.scopes is None:
            return ()
        return tuple(right for right in needed if right not in self.scopes)


def parse_page(body: JsonObject, page_id: str) -> Identity:
    """The Page of a token; only Pages have a category."""
    external_id = node_id(body)
    if "category" not in body:
        raise Blind(OF_A_PERSON)
    if page_id and external_id != page_id:
        raise AuthFailed(f"This is the token of another Page than {page_id}.")
    name = find_text(body, "name")
    return Identity(external_id, find_text(body, "username") or name, name)


async def token_of(
    asking: Graph, token: str, account_id: str, *, persons_may: bool = False
) -> Token:
    """Looks at `token`. `asking` has the app's own token, else the same one. Where Meta tells
    nothing the rights are unknown, not missing. `persons_may`: the token of a person serves too.
    """
    try:
        reply = await asking.get("debug_token", ("input_token", token))
    except (PermissionMissing, BadResponse, Gone):
        return Token()
    return parse_token(reply.body.get("data"), account_id, persons_may=persons_may)


def parse_token(value: Any, account_id: str, *, persons_may: bool = False) -> Token:
    """`debug_token`'s answer; a right that was granted for other accounts only is none."""
    if not isinstance(value, dict):
        return Token()
    if value.get("is_valid") is False:
        raise AuthFailed("The token is expired or revoked: connect again.")
    kind = find_text(value, "type").upper()
    if kind in PERSONS and not persons_may:
        raise Blind(OF_A_PERSON)
    scopes = value.get("scopes")
    granted = None
    if isinstance(scopes, list):
        elsewhere = _elsewhere(value.get("granular_scopes"), account_id)
        told = (clean(each) for each in scopes if isinstance(each, str))
        granted = tuple(each for each in told if each not in elsewhere)
    return Token(kind, granted, _time(value, "expires_at"), _time(value, "data_access_expires_at"))


def _elsewhere(value: Any, account_id: str) -> frozenset[str]:
    """Rights that hold for named accounts, ours not among them."""
    found = set()
    for each in value if isinstance(value, list) else ():
        targets = each.get("target_ids") if isinstance(each, dict) else None
        if isinstance(targets, list) and targets:
            ids = {find_node_id({"id": target}) for target in targets}
            if account_id not in ids:
                found.add(find_text(each, "scope"))
    return frozenset(found)


def _time(value: dict[str, Any], name: str) -> datetime | None:
    """Seconds since 1970; 0 is never."""
    return parse_time(value.get(name))
