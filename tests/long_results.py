"""Figures of the long tests: one JSON line for each finished part, under `.long/`.

A part that is written there is skipped at the next run, so that a long run that was cut off goes on
where it stopped. Delete the folder to run everything again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.clock import monotonic

FOLDER = Path(__file__).resolve().parent.parent / ".long"
FILE = FOLDER / "results.jsonl"


def finished(name: str) -> Mapping[str, Any] | None:
    """What a part of this name has recorded, if it has finished before."""
    if not FILE.exists():
        return None
    lines = (json.loads(line) for line in FILE.read_text("utf-8").splitlines() if line.strip())
    return next((line for line in lines if line["name"] == name), None)


@contextmanager
def part(name: str) -> Iterator[dict[str, Any]]:
    """One part of a long test, of at most an hour. The test fills in its figures; they are written
    with the duration when the part ends well. Skips the test where the part has finished before.
    """
    if (before := finished(name)) is not None:
        pytest.skip(f"finished before: {before}")
    figures: dict[str, Any] = {}
    began = monotonic()
    yield figures
    FOLDER.mkdir(exist_ok=True)
    line = {"name": name, **figures, "seconds": round(monotonic() - began, 1)}
    with FILE.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
