"""The pages about platforms say what the code does."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.connectors.base import Platform
from tests.platform_pages import OFFERED, losses_of, platforms_page, streams_of, title

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "platforms" / "README.md").read_text("utf-8")
HEADINGS = ["What is read", "What it costs", "What is lost by design"]
PARTS = {
    "the way to its credential": r"(?:Get the credential|Connect)",
    "what is read": r"What is read",
    "what can't be read": r"What can't be read",
    "cost and limits": r"Cost\b.*limits\b.*",
    "known traps": r"(?:Known traps|Traps we know)",
}
offered = pytest.mark.parametrize("platform", OFFERED, ids=lambda each: each.name)


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by the first cell without its link."""
    part = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row] for row in rows[1:]]
    return {re.sub(r"\[(.+)\]\(.+\)", r"\1", first): rest for first, *rest in cells}


def test_the_tables_are_current() -> None:
    assert platforms_page() == TEXT, "python -m tests.documents writes it"


@pytest.mark.parametrize("heading", HEADINGS)
def test_every_platform_that_is_offered_has_a_row_of_the_tables_width(heading: str) -> None:
    found = table(heading)
    assert sorted(found) == sorted(title(platform) for platform in OFFERED)
    assert len({len(cells) for cells in found.values()}) == 1, "a cell holds a bar"


@offered
def test_platform_names_its_page_and_the_table_links_it(platform: Platform) -> None:
    page = f"{platform.name}.md"
    assert platform.docs == f"docs/platforms/{page}"
    assert (ROOT / platform.docs).read_text("utf-8").startswith("# ")
    assert f"[{title(platform)}]({page})" in TEXT


@offered
@pytest.mark.parametrize("part", PARTS)
def test_page_of_a_platform_says_all_that_has_to_be_said(platform: Platform, part: str) -> None:
    page = (ROOT / platform.docs).read_text("utf-8")
    assert re.search(rf"(?m)^## {PARTS[part]}$", page), f"no heading for {part}"


def _without_id(stream: str) -> str:
    """The name as a page writes it: what is named after a place is `channel-ID` there."""
    kind, dash, _ = stream.partition("-")
    return f"{kind}-ID" if dash else kind


@offered
def test_page_of_a_platform_names_its_streams_fields_and_losses(platform: Platform) -> None:
    page = (ROOT / platform.docs).read_text("utf-8")
    models = [platform.settings, *([platform.credential] if platform.credential else [])]
    names = {name for model in models for name in model.model_fields}
    names |= {_without_id(spec.name) for spec in streams_of(platform)}
    names |= {each.cause for each in losses_of(platform)}
    assert {name for name in names if not re.search(rf"`{name}\b", page)} == set()


@offered
def test_a_hundred_accounts_are_not_polled_faster_than_one(platform: Platform) -> None:
    told = platform.in_short.hundred
    assert told is None or told >= platform.default_interval
    assert platform.default_interval >= platform.minimum_interval > timedelta(0)


def test_no_page_is_about_something_else() -> None:
    found = {path.stem for path in (ROOT / "docs" / "platforms").glob("*.md")} - {"README", "tiers"}
    assert found == {platform.name for platform in OFFERED}
