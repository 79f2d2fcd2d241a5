"""The table of ASVS: complete, in order, and every test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "asvs.md"
LEVELS_1_AND_2 = """
1.1.1-2 1.2.1-9 1.3.1-11 1.4.1-3 1.5.1-2
2.1.1-3 2.2.1-3 2.3.1-4 2.4.1-1
3.2.1-2 3.3.1-4 3.4.1-6 3.5.1-5 3.7.1-2
4.1.1-3 4.2.1-1 4.3.1-2 4.4.1-4
6.1.1-3 6.2.1-12 6.3.1-4 6.4.1-4 6.5.1-5 6.6.1-3 6.8.1-4
7.1.1-3 7.2.1-4 7.3.1-2 7.4.1-5 7.5.1-2 7.6.1-2
8.1.1-2 8.2.1-3 8.3.1-1 8.4.1-1
10.1.1-2 10.2.1-2 10.5.1-5
11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1-1 11.6.1-1
12.1.1-3 12.2.1-2 12.3.1-4
13.1.1-1 13.2.1-5 13.3.1-2 13.4.1-5
14.1.1-2 14.2.1-4 14.3.1-3
15.1.1-3 15.2.1-3 15.3.1-7
16.1.1-1 16.2.1-5 16.3.1-4 16.4.1-3 16.5.1-3
"""
"""Sections of the chapters that are claimed, each with its first and last requirement."""
LEVEL_3 = ("1.2.10", "1.3.12", "3.4.8", "13.1.2", "13.1.3", "13.2.6", "15.4.2", "16.5.4")


def required() -> set[str]:
    found = set(LEVEL_3)
    for section in LEVELS_1_AND_2.split():
        first, _, last = section.partition("-")
        place, _, number = first.rpartition(".")
        found |= {f"{place}.{each}" for each in range(int(number), int(last) + 1)}
    return found


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if re.match(r"\| [0-9]", line)]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def names_of_tests() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {
        name
        for file in files
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }


def test_every_requirement_of_the_chapters_has_its_row_and_no_other() -> None:
    told = [row[0] for row in rows()]
    assert [each for each in told if told.count(each) > 1] == []
    assert {each.partition(" ")[0] for each in told} == required()
    assert {each.partition(" ")[0] for each in told if "(L3)" in each} == set(LEVEL_3)


def test_every_row_says_how_and_by_what_it_is_shown() -> None:
    known = names_of_tests()
    for number, asked, how, shown in rows():
        assert asked, number
        assert how, number
        named = re.findall(r"`(test_\w+)`", shown)
        assert [name for name in named if name not in known] == [], number
        rest = re.sub(r"`test_\w+`(, )?", "", shown)
        fits = re.fullmatch(r"not applicable: .+|open: .+|read: \S+", rest)
        assert fits if not named else rest == "", (number, shown)


def test_the_page_of_figures_names_tests_that_there_are() -> None:
    named = re.findall(r"`(test_\w+)`", (ROOT / "docs" / "security.md").read_text("utf-8"))
    assert len(named) > 30
    assert set(named) - names_of_tests() == set()


def test_every_document_that_is_to_be_read_is_there() -> None:
    for number, _, _, shown in rows():
        if shown.startswith("read: "):
            assert (PAGE.parent / shown.removeprefix("read: ")).is_file(), number
