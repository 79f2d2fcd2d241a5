"""What a bot may do in a channel, and what its app may read, by Discord's own arithmetic.

API docs, "Permissions" (Permission Hierarchy, Permission Overwrites) and "Application Flags".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from app.connectors.base import JsonObject
from app.connectors.discord.refusals import HISTORY, VIEW
from app.connectors.discord.snowflakes import objects_in
from app.connectors.fields import find_id

ADMINISTRATOR = 1 << 3
NEEDED = {VIEW: 1 << 10, HISTORY: 1 << 16}
CONTENT = "Message Content Intent"
CONTENT_FLAGS = (1 << 18) | (1 << 19)  # GATEWAY_MESSAGE_CONTENT, and the same below 100 servers
EVERYTHING = ~0
DIGITS = 40
ROLE, MEMBER = 0, 1


def may_read_content(app: JsonObject) -> bool:
    """Whether messages that don't mention the bot come with their text."""
    flags = app.get("flags")
    return type(flags) is int and bool(flags & CONTENT_FLAGS)


def bits(value: Any) -> int:
    """Permissions are written as decimal text, since they have more bits than a float."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) <= DIGITS:
        return int(value)
    return value if type(value) is int and value >= 0 else 0


def in_server(server: str, roles: Sequence[Any], own: Collection[str]) -> int:
    """What a member with these roles may do everywhere; `server` is the id of @everyone too."""
    found = 0
    for role in roles:
        if find_id(role) in {server, *own}:
            found |= bits(role.get("permissions"))
    return EVERYTHING if found & ADMINISTRATOR else found


def in_channel(base: int, channel: JsonObject, server: str, own: Collection[str], us: str) -> int:
    """`base` as a channel overwrites it: for everybody, then by roles, then for the member."""
    if base == EVERYTHING:
        return base
    told = objects_in(channel, "permission_overwrites")
    everybody = [one for one in told if find_id(one) == server]
    by_roles = [one for one in told if find_id(one) in set(own) - {server} and _kind(one) == ROLE]
    for_us = [one for one in told if find_id(one) == us and _kind(one) == MEMBER]
    for layer in (everybody, by_roles, for_us):
        denied = allowed = 0
        for one in layer:
            denied, allowed = denied | bits(one.get("deny")), allowed | bits(one.get("allow"))
        base = base & ~denied | allowed
    return base


def _kind(overwrite: JsonObject) -> int:
    return bits(overwrite.get("type"))


def missing_in(permissions: int) -> tuple[str, ...]:
    """The rights to read that are not among `permissions`."""
    return tuple(name for name, bit in NEEDED.items() if not permissions & bit)
