"""What a person read in recorded threads: tables of ids and verdicts, with the reason in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

FOLDER = Path(__file__).parent
_HEAD = re.compile(r"\[(?P<thread>.+)\] us (?P<us>.+)")
_LINE = re.compile(r"(?P<which>.+?) = (?P<verdict>\w+)(?: (?P<reply>\S+))? ; (?P<why>.+)")


@dataclass(frozen=True, slots=True)
class Line:
    """`which` are ids, `rest`, or `until ID`; `reply` is the message of ours that decides."""

    which: str
    verdict: str
    reply: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One thread with one choice of us; `us` are names, those of bots begin with `bot:`."""

    platform: str
    thread: str
    us: tuple[str, ...]
    lines: tuple[Line, ...]

    def verdicts(self, moments: Mapping[str, datetime], ours: Iterable[str]) -> dict[str, str]:
        """By id of each item the verdict, with the reply where it is an answer.

        `moments` are those of all messages of the thread, by id. Raises `AssertionError` where
        the table leaves a message out or names one twice or one that is not there.
        """
        own = set(ours)
        left = set(moments) - own
        found: dict[str, str] = {}
        for line in self.lines:
            chosen = _chosen(line.which, left - found.keys(), moments)
            assert chosen, f"{self.thread}: {line.which} names nothing that is left"
            assert line.reply is None or line.reply in own, f"{line.reply} is not ours"
            answered = line.verdict not in ("possibly", "waits")
            word = f"{line.verdict} {line.reply}" if answered and line.reply else line.verdict
            found |= dict.fromkeys(chosen, word)
        assert found.keys() == left, f"{self.thread}: not read: {left - found.keys()}"
        return found


def _chosen(which: str, left: set[str], moments: Mapping[str, datetime]) -> set[str]:
    if which == "rest":
        return left
    if which.startswith("until "):
        end = moments[which.removeprefix("until ")]
        return {ident for ident in left if moments[ident] < end}
    named = set(which.split())
    assert named <= left, f"{named - left}: not there, ours, or read before"
    return named


def readings(platform: str) -> list[Reading]:
    """The table of one platform."""
    found: list[Reading] = []
    head: tuple[str, tuple[str, ...]] | None = None
    lines: list[Line] = []
    for text in [*_meaningful((FOLDER / f"{platform}.txt").read_text("utf-8")), "[end] us nobody"]:
        start = _HEAD.fullmatch(text)
        if start is None:
            lines += _line(text)
            continue
        if head is not None:
            found.append(Reading(platform, *head, tuple(lines)))
        head, lines = (start["thread"], tuple(start["us"].split(", "))), []
    return found


def _meaningful(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def _line(text: str) -> Iterator[Line]:
    """`nothing ; why` says that the thread holds no item."""
    if text.startswith("nothing ; "):
        return
    found = _LINE.fullmatch(text)
    assert found is not None, f"not a line of a reading: {text}"
    yield Line(found["which"], found["verdict"], found["reply"], found["why"])
