"""Several people and tabs at once, a service that goes away, and a source that fails."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from app.demo.model import Token
from app.web.principal import Role
from tests.page.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_of_two_who_race_one_is_told_who_was_faster(stage: Stage) -> None:
    mira = await stage.open(name="mira")
    ben = await stage.open(name="ben", role=Role.AGENT)
    waiting = len(await stage.service.items())
    await expect(ben.page.locator(".row")).to_have_count(waiting)
    # What Mira does reaches Ben's page late, as over a slow network.
    await ben.context.route("**/api/v1/events*", lambda route: route.abort())
    await ben.context.route("**/api/v1/items/*", lambda route: route.abort())
    await ben.context.set_offline(False)
    await mira.press("j", "e")
    await expect(mira.page.locator(".row")).to_have_count(waiting - 1)
    await ben.press("j", "d")
    await expect(ben.page.locator(".toast")).to_contain_text(
        re.compile("mira.{0,2}: .{0,2}replied.{0,2}, ", re.IGNORECASE)
    )
    status = {
        i["author"]["display_name"]: i["status"] for i in await stage.service.items(status="any")
    }
    assert status["Gwen"] == "replied"
    assert mira.faults == []
    await mira.press("z")
    await expect(mira.page.locator(".row")).to_have_count(waiting)
    for tab in (mira, ben):
        await tab.context.close()


async def test_what_comes_in_waits_and_nothing_moves(stage: Stage) -> None:
    tab = await stage.open()
    other = await tab.context.new_page()
    await other.goto("/")
    waiting = len(await stage.service.items())
    await expect(tab.page.locator(".row")).to_have_count(waiting)
    await tab.press("j", "j", "x")
    before = await tab.page.locator(".row-author").all_inner_texts()
    stage.ask("Do you have it in green?", 0.01, "Hana")
    await stage.service.poll(1)
    await expect(tab.page.locator(".pill")).to_contain_text("1 new")
    await expect(other.locator(".pill")).to_contain_text("1 new")
    assert await tab.page.locator(".row-author").all_inner_texts() == before
    await expect(tab.page.locator(".row.chosen")).to_have_count(1)
    await expect(tab.page.locator(".row-link:focus")).to_contain_text("فاطمة")
    await expect(tab.page).to_have_title(re.compile(rf"^\({waiting + 1}\) "))
    await tab.press(".")
    await expect(tab.page.locator(".row")).to_have_count(waiting + 1)
    await expect(tab.page.locator(".row-link:focus")).to_contain_text("green")
    await expect(tab.page.locator(".row.chosen")).to_have_count(1)
    # One connection tells both tabs.
    assert len(stage.service.app.state.broadcaster) == 1
    assert tab.faults == []
    await tab.context.close()


async def test_what_a_colleague_does_is_written_on_the_row_which_stays(stage: Stage) -> None:
    tab = await stage.open()
    waiting = len(await stage.service.items())
    await expect(tab.page.locator(".row")).to_have_count(waiting)
    item = (await stage.service.items())[0]
    await stage.service.api.post(f"/api/v1/items/{item['id']}/mark-replied")
    row = tab.page.locator(".row").first
    await expect(row).to_contain_text("replied by")
    await expect(tab.page.locator(".row")).to_have_count(waiting)
    await stage.service.api.post(f"/api/v1/items/{item['id']}/reopen")
    await expect(row).not_to_contain_text("replied by")
    assert tab.faults == []
    await tab.context.close()


async def test_offline_nothing_is_lost_and_it_goes_on_by_itself(stage: Stage) -> None:
    tab = await stage.open()
    waiting = len(await stage.service.items())
    await expect(tab.page.locator(".row")).to_have_count(waiting)
    await tab.context.set_offline(True)
    await tab.press("j", "e")
    await expect(tab.page.locator(".toast")).to_contain_text("nothing was changed")
    await expect(tab.page.locator(".banner")).to_contain_text("can't be reached")
    await expect(tab.page.locator(".row")).to_have_count(waiting)
    await tab.context.set_offline(False)
    stage.ask("Are you open on Sunday?", 0.01, "Ivo")
    await stage.service.poll(1)
    await expect(tab.page.locator(".pill")).to_contain_text("1 new", timeout=15_000)
    await expect(tab.page.locator(".banner")).to_have_count(0)
    await tab.context.close()


async def test_an_empty_list_is_no_good_news_while_a_source_is_red(stage: Stage) -> None:
    tab = await stage.open("/?view=overdue")
    await expect(tab.page.locator(".empty")).to_contain_text("Nothing in this view")
    known = list(stage.world.tokens["shop"])
    stage.world.tokens["shop"] = [Token("shop", "another")]
    await stage.service.api.post("/api/v1/sources/1/poll?wait=30")
    await expect(tab.page.locator(".dot.bad")).to_be_visible()
    await tab.page.reload()
    await expect(tab.page.locator(".empty")).to_contain_text("a source can't be read")
    await expect(tab.page.locator(".coverage")).to_contain_text("Not complete")
    stage.world.tokens["shop"] = known
    await stage.service.poll(1)
    await expect(tab.page.locator(".dot.good")).to_be_visible()
    await tab.page.reload()
    await expect(tab.page.locator(".coverage")).to_contain_text("Complete up to")
    assert tab.faults == []
    await tab.context.close()


async def test_without_the_stream_of_events_the_page_asks(stage: Stage) -> None:
    tab = await stage.open("/?view=replied")
    await tab.context.route(re.compile("/events/stream"), lambda route: route.abort())
    await tab.page.goto("/")
    await expect(tab.page.locator("h1")).to_contain_text("Inbox")
    await tab.page.wait_for_selector(".row, .empty")
    stage.ask("Do you answer letters?", 0, "Jonas")
    await stage.service.poll(1)
    seen = tab.page.locator(".pill", has_text="1 new").or_(tab.row("Do you answer letters?"))
    await expect(seen.first).to_be_visible(timeout=20_000)
    assert tab.faults == []
    await tab.context.close()
