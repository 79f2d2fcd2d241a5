"""Reads the by-hand tables of what stands in recorded answers of Meta."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from app.connectors.base import Mention
from app.connectors.text import parse_time

FOLDER = Path(__file__).parent
HEADS = frozenset({"is", "us", "name", "below", "top", "watched", "gone", "skipped"})


@dataclass(slots=True)
class Expected:
    """One recorded answer: what it answers (`is`), who we are, where it stands, what is in it."""

    heads: dict[str, str] = field(default_factory=dict)
    rows: list[tuple[str, str, str | None, str, datetime | None]] = field(default_factory=list)

    @property
    def us(self) -> str:
        return self.heads["us"]


def lines_of(name: str, folder: Path) -> Iterator[str]:
    for line in (folder / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line


def by_hand(name: str, folder: Path = FOLDER) -> dict[str, Expected]:
    found: dict[str, Expected] = {}
    for line in lines_of(name, folder):
        if line.startswith("["):
            found[line.strip("[]")] = Expected()
            continue
        one = found[next(reversed(found))]
        word, *rest = line.split()
        if word in HEADS:
            one.heads[word] = rest[0]
        else:
            author, parent, kind, at = rest
            who = f"unknown:{word}" if author == "-" else author
            one.rows.append((word, who, None if parent == "-" else parent, kind, parse_time(at)))
    return found


def left_out(name: str, folder: Path = FOLDER) -> dict[str, str]:
    """Keys of answers without anything for an inbox, each with the reason: lines after `= …`."""
    found, reason = {}, ""
    for line in lines_of(name, folder):
        if line.startswith("= "):
            reason = line.removeprefix("= ")
        else:
            found[line.strip()] = reason
    return found


def told(mentions: Sequence[Mention]) -> list[tuple[str, str, str | None, str, datetime | None]]:
    return [
        (m.external_id, m.author.external_id, m.parent_external_id, m.kind.value, m.occurred_at)
        for m in mentions
    ]


def rows_in(body: Any) -> list[Any]:
    """The rows of a list, of an answer by several ids, or the one thing that was asked for."""
    if isinstance(body, dict) and isinstance(body.get("data"), list):
        return list(body["data"])
    if isinstance(body, dict) and body and all(isinstance(one, dict) for one in body.values()):
        return list(body.values())
    return [body]
