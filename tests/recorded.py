"""Recorded responses of real platforms: a folder beside the checkout, absent on most machines."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
RECORDINGS = (
    CHECKOUT / os.environ.get("UNANSWERED_TEST_RECORDINGS", "../shared/recordings")
).resolve()
_PLACE = re.compile(r"(user|record|cids)\((\d+)\)")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One response as it came. `key` names it: the recorded session and the place in it."""

    key: str
    kind: str  # recorded, body, snapshot, webhook
    method: str
    url: str | None
    status: int | None
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        """The body as JSON, `None` where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def load(platform: str) -> list[Exchange]:
    """All recorded exchanges of one platform, in the order of the file; skips where absent."""
    path = RECORDINGS / f"{platform}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"no recorded responses of {platform} here")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [_exchange(json.loads(line)) for line in lines]


def _exchange(line: dict[str, Any]) -> Exchange:
    request, response, cassette = line["request"], line["response"], line["cassette"]
    return Exchange(
        key=cassette if "#" in cassette else f"{cassette}#{line['seq']}",
        kind=line["kind"],
        method=request["method"],
        url=request["url"],
        status=response["status"],
        headers=response["headers"],
        body=response["body"] or "",
    )


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object inside `value`, at any depth."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from objects(each)


def with_ids(body: Any, us: str) -> Any:
    """`body` of a Bluesky snapshot with real-looking ids for `user(n)`, `record(n)`, `cids(n)`.

    A record belongs to the author it stands beside, and to `us` where a notification says that it
    is about ours (`reasonSubject`); `us` may itself be a place-holder.
    """
    owner: dict[str, str] = {}
    collection: dict[str, str] = {}
    for each in objects(body):
        if "reasonSubject" in each:
            owner.setdefault(each["reasonSubject"], us)
        if isinstance(each.get("uri"), str) and isinstance(each.get("author"), dict):
            owner[each["uri"]] = each["author"].get("did", "")
            record = each.get("record")
            collection[each["uri"]] = record.get("$type", "") if isinstance(record, dict) else ""

    def filled(match: re.Match[str]) -> str:
        place, kind, number = match[0], match[1], match[2]
        if kind == "user":
            return f"did:plc:user{number}"
        if kind == "cids":
            return f"bafycid{number}"
        did = owner.get(place, "did:plc:elsewhere").replace("(", "").replace(")", "")
        did = did if did.startswith("did:") else f"did:plc:{did}"
        return f"at://{did}/{collection.get(place) or 'app.bsky.feed.post'}/record{number}"

    return json.loads(_PLACE.sub(filled, json.dumps(body)))


recordings = pytest.mark.recordings
