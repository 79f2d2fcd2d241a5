"""What the filters of the search box make of the list's own, from a table."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.inbox.filtering import ItemFilter
from app.inbox.search.asking import narrow, read_query
from app.inbox.search.keys import Assignee
from app.inbox.search.language import Mistake
from app.inbox.search.words import Phrase, Words

TABLE = Path(__file__).with_name("narrowing.txt")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Named:
    id: int
    name: str


SOURCES = (Named(1, "Shop"), Named(2, "shop"), Named(3, "4"), Named(7, "Main Page"))
PEOPLE: dict[str, Assignee] = {"ann": 5, "bo": 6, "none": "none"}
GIVEN: dict[str, Any] = {
    "status=replied": {"statuses": ("replied",)},
    "status=any": {"statuses": ()},
    "platform=x": {"platforms": ("x",)},
    "kind=reply": {"kinds": ("reply",)},
    "source_id=1": {"source_ids": (1,)},
    "snoozed=include": {"snoozed": "include"},
    "snoozed=exclude": {"snoozed": "exclude"},
    "snoozed=only": {"snoozed": "only"},
    "needs_reply=false": {"needs_reply": False},
    "needs_reply=any": {"needs_reply": None},
    "order=newest": {"order": "newest"},
    "assignee=ann": {"assignee": 5},
    "label=press": {"labels": ("press",)},
    "before=11-20": {"occurred_before": datetime(2026, 11, 20, tzinfo=UTC)},
    "after=11-20": {"occurred_after": datetime(2026, 11, 20, tzinfo=UTC)},
    "nothing": {"nothing": True},
}


def rows() -> list[tuple[str, str]]:
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            asked, _, said = line.partition(" => ")
            found.append((asked, said))
    return found


def narrowed(asked: str) -> str:
    """The members that differ from those of a list without any parameters, or what is wrong."""
    given, _, query = (
        asked.removeprefix("[").partition("] ") if asked[0] == "[" else ("", "", asked)
    )
    parts = given.split()
    wanted = ItemFilter(**{name: value for part in parts for name, value in GIVEN[part].items()})
    names = {part.partition("=")[0] for part in parts}
    try:
        found = narrow(
            wanted, read_query(query), given=names, now=NOW, sources=SOURCES, assignees=PEOPLE
        )
    except Mistake as mistake:
        return f"! {mistake.code} {mistake.offset}+{mistake.length} {mistake.sentence}"
    usual = ItemFilter()
    changed = [
        f"{field.name}={_shown(getattr(found, field.name))}"
        for field in dataclasses.fields(found)
        if getattr(found, field.name) != getattr(usual, field.name)
    ]
    return " ".join(changed) or "as it was"


def _shown(value: Any) -> str:
    if isinstance(value, Words):
        groups = " & ".join("/".join(map(_phrase, group)) for group in value.groups)
        return f"({groups})" + "".join(f" -{_phrase(each)}" for each in value.without)
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes").removesuffix("+00:00")
    if isinstance(value, tuple):
        return "[" + ",".join(map(_shown, value)) + "]"
    return str(value)


def _phrase(phrase: Phrase) -> str:
    words = "+".join(phrase.words) + ("*" if phrase.prefix else "")
    return "".join(c if c.isprintable() else f"<{ord(c):x}>" for c in words)


@pytest.mark.parametrize(("asked", "said"), rows())
def test_what_is_asked_for(asked: str, said: str) -> None:
    assert narrowed(asked) == said
