"""Doing and undoing over HTTP in few words, and what an item is but for its version."""

from __future__ import annotations

from typing import Any

from tests.world import Watched

PASSING = frozenset({"version", "age_seconds"})


async def bulk(watched: Watched, action: str, ids: list[int], **params: Any) -> dict[str, Any]:
    asked = {"action": action, "ids": ids, "params": params}
    answered = await watched.api.post("/api/v1/items/bulk", json=asked)
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


async def undo(watched: Watched, action_id: int) -> dict[str, Any]:
    answered = await watched.api.post(f"/api/v1/actions/{action_id}/undo")
    assert answered.status_code == 200, answered.text
    found: dict[str, Any] = answered.json()
    return found


async def ids_of(watched: Watched) -> list[int]:
    return [(await watched.item(number))["id"] for number in (1, 2, 3)]


def lasting(item: dict[str, Any]) -> dict[str, Any]:
    """Everything of an item but its version and its age."""
    return {name: value for name, value in item.items() if name not in PASSING}


async def all_lasting(watched: Watched) -> list[dict[str, Any]]:
    return [lasting(await watched.item(number)) for number in (1, 2, 3)]
