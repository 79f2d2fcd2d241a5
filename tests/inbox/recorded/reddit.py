"""Recorded answers of Reddit, as mentions by thread."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from app.connectors.base import Kind, Mention, Person, TextFormat, ThreadRef
from tests.recorded import Exchange, objects

_NAMED = re.compile(r"(?<![\w/])/?u/([\w-]+)")


def threads(exchanges: Iterable[Exchange]) -> dict[str, Sequence[Mention]]:
    """Every post and comment that was recorded anywhere, the first version of each, by post."""
    found: dict[str, dict[str, Mention]] = defaultdict(dict)
    for exchange in exchanges:
        for thing in objects(exchange.json()):
            mention = parse(thing.get("kind"), thing.get("data"))
            if mention is not None:
                found[mention.thread.external_id].setdefault(mention.external_id, mention)
    return {post: list(each.values()) for post, each in found.items()}


def parse(kind: Any, thing: Any) -> Mention | None:
    """A post (`t3`) or a comment (`t1`) of a tree; `None` for everything else."""
    if kind not in ("t1", "t3") or not isinstance(thing, dict) or "created_utc" not in thing:
        return None
    post = thing["name"] if kind == "t3" else thing.get("link_id")
    if post is None:
        return None
    body = thing.get("body") or thing.get("selftext") or ""
    return Mention(
        external_id=thing["name"].removeprefix("t1_"),
        kind=Kind.COMMENT,
        author=_person(thing),
        thread=ThreadRef(post),
        occurred_at=datetime.fromtimestamp(thing["created_utc"], UTC),
        text=body,
        text_raw=body,
        text_format=TextFormat.MARKDOWN,
        parent_external_id=(thing.get("parent_id") or "").removeprefix("t1_") or None,
        addressed=tuple(name.lower() for name in _NAMED.findall(body)),
    )


def _person(thing: dict[str, Any]) -> Person:
    """A deleted account is nobody in particular: never the same as that of another message."""
    name = thing.get("author") or "[deleted]"
    return Person(f"deleted {thing['name']}" if name == "[deleted]" else name, name)
