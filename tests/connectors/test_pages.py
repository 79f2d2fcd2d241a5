"""The pages about platforms say what the code does."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.connectors.base import Platform, StreamSpec
from app.connectors.registry import PLATFORMS
from tests.connectors.playing import load
from tests.connectors.reading import on_stage

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "platforms" / "README.md").read_text("utf-8")
OFFERED = [platform for platform in PLATFORMS.values() if not platform.hidden]
offered = pytest.mark.parametrize("platform", OFFERED, ids=lambda each: each.name)


def table(heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by the first cell without its link."""
    part = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in row] for row in rows[1:]]
    return {re.sub(r"\[(.+)\]\(.+\)", r"\1", first): rest for first, *rest in cells}


def title(platform: Platform) -> str:
    """The name in the tables: software that speaks the same language is not listed."""
    return platform.title.partition(",")[0]


async def streams_of(platform: Platform) -> tuple[StreamSpec, ...]:
    async with on_stage(platform, load(platform.name)) as source:
        return tuple(source.connector().streams())


@pytest.mark.parametrize("heading", ["What is read", "What it costs", "What is lost by design"])
def test_every_platform_that_is_offered_has_a_row(heading: str) -> None:
    assert sorted(table(heading)) == sorted(title(platform) for platform in OFFERED)


@offered
def test_platform_names_its_page_and_the_table_links_it(platform: Platform) -> None:
    page = f"{platform.name}.md"
    assert platform.docs == f"docs/platforms/{page}"
    assert (ROOT / platform.docs).read_text("utf-8").startswith("# ")
    assert f"[{title(platform)}]({page})" in TEXT


@offered
async def test_streams_and_kinds_are_those_that_are_read(platform: Platform) -> None:
    streams, kinds = table("What is read")[title(platform)][:2]
    specs = await streams_of(platform)
    assert re.findall(r"`(\w+)`", streams) == [spec.name for spec in specs]
    assert kinds.split(", ") == sorted({kind.value for spec in specs for kind in spec.kinds})


@offered
def test_answers_edits_and_deletions_are_as_declared(platform: Platform) -> None:
    *_, own, edits, deletions = table("What is read")[title(platform)]
    can = platform.capabilities
    assert (own.partition(":")[0], edits, deletions) == (can.own_answers, can.edits, can.deletions)


@offered
def test_pauses_are_those_of_the_code(platform: Platform) -> None:
    credential, _, usual, least, *_ = table("What it costs")[title(platform)]
    assert seconds(usual) == platform.default_interval
    assert seconds(least) == platform.minimum_interval
    assert credential.startswith("none") is not platform.credential_required


def seconds(cell: str) -> timedelta:
    return timedelta(seconds=int(cell.removesuffix(" s")))


@offered
async def test_what_is_lost_by_design_is_named(platform: Platform) -> None:
    [told] = table("What is lost by design")[title(platform)]
    for spec in await streams_of(platform):
        assert {f"`{each.cause}`" for each in spec.lost} <= set(re.findall(r"`\w+`", told))


def test_no_page_is_about_something_else() -> None:
    found = {path.stem for path in (ROOT / "docs" / "platforms").glob("*.md")} - {"README", "tiers"}
    assert found == {platform.name for platform in OFFERED}
