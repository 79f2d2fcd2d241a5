"""Recorded answers of Mastodon, as mentions by thread, read by the connector's own functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.connectors.base import Mention, ThreadRef
from app.connectors.fediverse.entities import Viewer, parse_status, root_of
from tests.recorded import Exchange, objects

WHO = Viewer("", "there.example")


def threads(exchanges: Iterable[Exchange]) -> dict[str, Sequence[Mention]]:
    """Every status of a context, and those of lists that answer one another, by root."""
    found: dict[str, dict[str, Mention]] = defaultdict(dict)
    for exchange in exchanges:
        body = exchange.json()
        statuses = {
            each["id"]: each
            for each in objects(body)
            if {"id", "content", "account", "visibility"} <= each.keys() and each.get("created_at")
        }
        for status in statuses.values():
            root = _root(status, body, statuses)
            mention = replace(parse_status(status, WHO), thread=root)
            found[root.external_id].setdefault(mention.external_id, mention)
    return {root: list(each.values()) for root, each in found.items()}


def _root(status: dict[str, Any], body: Any, known: Mapping[str, dict[str, Any]]) -> ThreadRef:
    if isinstance(body, dict) and "ancestors" in body:
        return root_of(status, body["ancestors"])
    ancestors: list[dict[str, Any]] = []
    while (above := known.get(str((ancestors or [status])[0].get("in_reply_to_id")))) is not None:
        ancestors.insert(0, above)
    return root_of(status, ancestors)
