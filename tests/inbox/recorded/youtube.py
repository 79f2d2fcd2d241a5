"""Recorded answers of YouTube, as mentions by thread: a comment and the replies below it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from app.connectors.base import Kind, Mention, Person, ThreadRef
from app.connectors.text import parse_time
from tests.recorded import Exchange, objects


def threads(exchanges: Iterable[Exchange]) -> dict[str, Sequence[Mention]]:
    """Every comment that was recorded, the first version of each, by its first comment."""
    found: dict[str, dict[str, Mention]] = defaultdict(dict)
    for exchange in exchanges:
        for thing in objects(exchange.json()):
            if thing.get("kind") == "youtube#comment":
                mention = parse(thing)
                found[mention.thread.external_id].setdefault(mention.external_id, mention)
    return {first: list(each.values()) for first, each in found.items()}


def parse(thing: dict[str, Any]) -> Mention:
    said = thing["snippet"]
    parent = said.get("parentId")
    text = said.get("textOriginal") or said["textDisplay"]
    return Mention(
        external_id=thing["id"],
        kind=Kind.COMMENT,
        author=Person(said["authorChannelId"]["value"], said["authorDisplayName"]),
        thread=ThreadRef(parent or thing["id"]),
        occurred_at=parse_time(said["publishedAt"]),
        text=text,
        text_raw=text,
        parent_external_id=parent,
    )
