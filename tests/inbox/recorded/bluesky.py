"""Recorded answers of Bluesky, as mentions by thread, read by the connector's own functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.connectors.atproto.entities import parse_post
from app.connectors.base import Mention
from tests.recorded import Exchange, objects, with_ids


def threads(exchanges: Iterable[Exchange]) -> dict[str, Sequence[Mention]]:
    """Every post, by the answer that it stands in and its root; ids are the last part of the uri.

    The place-holders of a snapshot mean something inside it only.
    """
    found: dict[str, dict[str, Mention]] = defaultdict(dict)
    for exchange in exchanges:
        where = exchange.key.rpartition(":")[2]
        for post in objects(with_ids(exchange.json(), "did:plc:elsewhere")):
            record = post.get("record")
            if not isinstance(record, dict) or "author" not in post or "text" not in record:
                continue
            mention = parse_post(post, "")
            root, parent = mention.thread.external_id, mention.parent_external_id
            mention = replace(
                mention,
                external_id=_last(mention.external_id),
                parent_external_id=None if parent is None else _last(parent),
                thread=replace(mention.thread, external_id=_last(root)),
            )
            found[f"{where} {_last(root)}"].setdefault(mention.external_id, mention)
    return {name: list(each.values()) for name, each in found.items()}


def _last(uri: str) -> str:
    return uri.rpartition("/")[2]
