"""By-hand tables of answers that were not recorded but written from a platform's documents.

A file holds one answer a block: its name in brackets, the answer as JSON on the lines that begin
with `<`, then what must be read in it, a line each: id, author, parent, kind, time; ours with `us`
at its end, and without a line of its own nothing. `- WORD` names what is left out and counted,
`! ID` what goes to quarantine (`! -` where it has no id).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from app.connectors.base import Mention, Page
from app.connectors.text import parse_time

Row = tuple[str, str, str | None, str, datetime | None, bool]


@dataclass(slots=True)
class Generated:
    """One answer, marked as generated, with what a person read in it."""

    name: str
    text: str = ""
    rows: list[Row] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    bad: list[str | None] = field(default_factory=list)

    @property
    def body(self) -> Any:
        return json.loads(self.text)


def generated(path: Path) -> dict[str, Generated]:
    """Every answer of a file, by its name."""
    found: dict[str, Generated] = {}
    for line in path.read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            name = line.strip("[]")
            assert name not in found, f"{name} stands there twice"
            found[name] = Generated(name)
            continue
        _add(found[next(reversed(found))], line)
    return found


def _add(one: Generated, line: str) -> None:
    mark, _, rest = line.partition(" ")
    if mark == "<":
        one.text += f"{rest} "  # a line may end within a text
    elif mark == "-":
        one.left_out.append(rest)
    elif mark == "!":
        one.bad.append(None if rest == "-" else rest)
    else:
        author, parent, kind, at, *ours = rest.split()
        time = parse_time(at)
        assert time is not None, line
        one.rows.append((mark, author, None if parent == "-" else parent, kind, time, bool(ours)))


def told(mention: Mention, us: frozenset[str]) -> Row:
    """A mention as a row of such a file."""
    return (
        mention.external_id,
        mention.author.external_id,
        mention.parent_external_id,
        mention.kind.value,
        mention.occurred_at,
        mention.author.external_id in us,
    )


def assert_read(one: Generated, page: Page, us: frozenset[str]) -> None:
    """That a page holds exactly what a person read in the answer."""
    assert [told(mention, us) for mention in page.mentions] == one.rows
    left_out = [word for word, times in page.skipped.items() for _ in range(times)]
    assert sorted(left_out) == sorted(one.left_out)
    assert [entry.external_id for entry in page.unparsed] == one.bad
