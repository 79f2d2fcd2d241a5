"""The page where colours are the system's, where nothing may move, and on paper."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.page.stage import QUESTIONS, WIDTHS, Stage, Tab

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAPER = 700
"""Pixels between the margins of a sheet."""
GONE = (".top", ".rail", ".bottom", ".vacant", "button", "input", "select", "textarea", ".composer")


async def style(found: Locator, name: str) -> str:
    """What the browser made of a property of the first one that is found."""
    told: Any = await found.first.evaluate(
        "(element, name) => getComputedStyle(element).getPropertyValue(name)", name
    )
    return str(told)


async def pixels(found: Locator, name: str) -> float:
    return float((await style(found, name)).removesuffix("px"))


async def on_paper(tab: Tab) -> None:
    await tab.page.set_viewport_size({"width": PAPER, "height": 300})
    await tab.page.emulate_media(media="print")


async def nothing_to_press(tab: Tab) -> None:
    for name in GONE:
        for each in await tab.page.locator(name).all():
            await expect(each).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_colour_says_is_said_by_lines_where_colours_are_the_systems(
    stage: Stage, scheme: str
) -> None:
    tab = await stage.open(forced_colors="active", color_scheme=scheme)
    rows, detail = tab.page.locator(".row"), tab.page.locator(".facts")
    await expect(rows).to_have_count(len(QUESTIONS))
    for chip in (".age", ".badge", ".pill"):
        if await tab.page.locator(chip).count():
            assert await pixels(tab.page.locator(chip), "border-top-width") >= 1, chip
    assert await style(rows, "outline-style") == "none"
    await tab.press("j", "x")
    assert await style(tab.page.locator(".row.chosen"), "outline-style") == "solid"
    assert await style(tab.page.locator(".row.chosen input"), "appearance") == "auto"
    assert await style(tab.page.locator(".row-link:focus"), "outline-style") != "none"
    await tab.press("Escape", "Enter")
    await expect(detail).to_be_visible()
    assert await style(tab.page.locator('.row[data-open="yes"]'), "outline-style") == "solid"
    await tab.page.goto("/reports")
    bar = tab.page.locator(".chart rect")
    await expect(bar.first).to_be_attached()
    assert await style(bar, "forced-color-adjust") == "none"
    assert tab.faults == []
    await tab.context.close()


@pytest.mark.parametrize("moves", [True, False])
async def test_nothing_moves_where_a_person_asked_for_that(stage: Stage, *, moves: bool) -> None:
    wanted = "no-preference" if moves else "reduce"
    tab = await stage.open(reduced_motion=wanted, width=WIDTHS["phone"])
    took = await style(tab.page.locator(".rail"), "transition-duration")
    assert took == ("0.12s" if moves else "0s")
    await tab.context.close()


async def test_paper_has_the_whole_list_and_nothing_to_press(stage: Stage) -> None:
    tab = await stage.open(color_scheme="dark")
    rows = tab.page.locator(".row")
    await expect(rows).to_have_count(len(QUESTIONS))
    await on_paper(tab)
    await nothing_to_press(tab)
    assert await style(tab.page.locator("body"), "color") == "rgb(27, 32, 34)"
    last = await rows.last.bounding_box()
    pane = await tab.page.locator(".shell").bounding_box()
    assert last is not None
    assert pane is not None
    assert pane["y"] + pane["height"] >= last["y"] + last["height"], "cut off"
    await tab.context.close()


async def test_paper_has_the_open_message_alone(stage: Stage) -> None:
    tab = await stage.open()
    await tab.press("j", "Enter")
    await expect(tab.page.locator(".facts")).to_be_visible()
    await on_paper(tab)
    await expect(tab.page.locator(".thread-list")).to_be_visible()
    await expect(tab.page.locator(".list-pane")).to_be_hidden()
    await nothing_to_press(tab)
    box = await tab.page.locator(".detail-pane").bounding_box()
    assert box is not None
    assert box["width"] > PAPER * 0.9
    await tab.context.close()
