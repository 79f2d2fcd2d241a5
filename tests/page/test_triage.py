"""Clearing the list by keyboard alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from playwright.async_api import expect

from app.demo.model import Person
from app.web.principal import Role
from tests.page.stage import Stage, Tab

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def tab(stage: Stage) -> AsyncIterator[Tab]:
    """Mira's tab with everybody waiting; afterwards everything is as it was."""
    opened = await stage.open()
    await expect(opened.page.locator(".row")).to_have_count(7)
    yield opened
    await opened.context.close()
    assert opened.faults == []
    for item in await stage.service.items(status="any", snoozed="include"):
        await put_back(stage, item)


async def put_back(stage: Stage, item: dict[str, Any]) -> None:
    """Undoes what is not as it was before anybody did anything."""
    place, api = f"/api/v1/items/{item['id']}", stage.service.api
    if item["status"] != "unanswered":
        await api.post(f"{place}/reopen")
    if item["snoozed_until"]:
        await api.post(f"{place}/unsnooze")
    if item["claim"]:
        await api.post(f"{place}/release")
    if item["assignee"]:
        await api.post(f"{place}/assign", json={"assignee": None})
    if item["labels"]:
        await api.put(f"{place}/labels", json={"labels": []})


def focused(tab: Tab) -> Any:
    return tab.page.locator(".row-link:focus")


async def statuses(stage: Stage) -> dict[str, str]:
    """Status by author."""
    found = await stage.service.items(status="any", snoozed="include")
    return {item["author"]["display_name"]: item["status"] for item in found}


async def test_the_longest_waiting_stands_first_and_ages_are_words(tab: Tab) -> None:
    first = tab.page.locator(".row").first
    await expect(first).to_contain_text("Gwen")
    await expect(first.locator(".age")).to_contain_text(re.compile("Waits .?2 days"))
    await expect(tab.page.locator("h1")).to_have_text("Inbox7")
    await expect(tab.page.locator(".coverage")).to_contain_text("Complete up to")
    assert await tab.page.title() == "(7) Inbox · Unanswered"


async def test_read_mark_and_undo(stage: Stage, tab: Tab) -> None:
    await tab.press("j", "j")
    await expect(focused(tab)).to_contain_text("فاطمة")
    await tab.press("j", "Enter")
    await expect(tab.page.locator(".message.current")).to_contain_text("bought as a present")
    assert "item=" in tab.page.url
    await tab.press("e")
    await expect(tab.page.locator(".toast")).to_contain_text("Marked as replied")
    await expect(tab.page.locator(".row")).to_have_count(6)
    await expect(tab.page.locator(".message.current")).to_contain_text("rain cover")
    assert (await statuses(stage))["Emeka Obi"] == "replied"
    await tab.press("z")
    await expect(tab.page.locator(".row")).to_have_count(7)
    await expect(tab.page.locator(".row").nth(2)).to_contain_text("Emeka")
    assert (await statuses(stage))["Emeka Obi"] == "unanswered"
    await tab.press("u")
    await expect(tab.page.locator(".detail-pane.vacant")).to_be_visible()


async def test_a_bulk_button_acts_on_what_it_says_and_is_undone_at_once(
    stage: Stage, tab: Tab
) -> None:
    await tab.press("j", "x", "Shift+J", "Shift+J")
    await expect(tab.page.locator(".bulk-count")).to_have_text("3 selected")
    await expect(tab.page.get_by_role("button", name="Mark 3 as replied")).to_be_visible()
    await tab.press("e")
    await expect(tab.page.locator(".toast")).to_contain_text("3 marked as replied")
    await expect(tab.page.locator(".row")).to_have_count(4)
    assert list((await statuses(stage)).values()).count("replied") == 3
    await tab.press("z")
    await expect(tab.page.locator(".toast").last).to_contain_text("3 undone")
    await expect(tab.page.locator(".row")).to_have_count(7)


async def test_each_message_takes_back_its_own_action_and_goes_with_it(
    stage: Stage, tab: Tab
) -> None:
    toasts, keys = tab.page.locator(".toast"), tab.page.locator(".toast .keys")
    await tab.press("j", "e")
    await expect(toasts).to_have_count(1)
    await tab.press("d")
    await expect(toasts).to_have_count(2)
    await expect(toasts.first.locator(".keys")).to_have_count(0)
    await expect(keys).to_have_count(1)  # the key acts for the newest
    assert sorted((await statuses(stage)).values())[:2] == ["dismissed", "replied"]
    await toasts.first.get_by_role("button", name="Undo").click()
    await expect(toasts.last).to_contain_text("Undone.")
    assert sorted((await statuses(stage)).values())[:2] == ["dismissed", "unanswered"]
    await expect(toasts.first).to_contain_text("Dismissed")
    await tab.page.locator("body").press("z")
    await expect(tab.page.get_by_role("button", name="Undo")).to_have_count(0)
    # What offered it closes when the key is pressed; the answer comes a request later.
    await expect(tab.page.locator(".toast", has_text="Undone.")).to_have_count(2)
    assert set((await statuses(stage)).values()) == {"unanswered"}


async def test_after_a_reload_the_last_action_can_still_be_undone(stage: Stage, tab: Tab) -> None:
    await tab.press("*", "a", "d")
    await expect(tab.page.locator(".row")).to_have_count(0)
    await expect(tab.page.locator(".empty")).to_contain_text("Nobody waits for an answer")
    await expect(tab.page.locator(".toast")).to_contain_text("7 dismissed")  # rows left before it
    await tab.page.reload()
    await expect(tab.page.locator(".empty")).to_be_visible()
    await tab.press("z")
    await expect(tab.page.locator(".toast")).to_contain_text("7 undone")
    assert set((await statuses(stage)).values()) == {"unanswered"}


async def test_snooze_assign_label_and_star_by_keys(stage: Stage, tab: Tab) -> None:
    await tab.press("j", "h")
    await expect(tab.page.get_by_role("dialog")).to_contain_text("Tomorrow morning")
    await tab.page.keyboard.type("2d")
    await tab.press("Enter")
    await expect(tab.page.locator(".row")).to_have_count(6)
    await expect(focused(tab)).to_contain_text("فاطمة")
    await tab.press("i")
    await expect(focused(tab)).to_contain_text("you")
    await tab.press("l")
    await tab.page.keyboard.type("press office")
    await tab.press("Enter")
    await expect(focused(tab)).to_contain_text("press office")
    await tab.press("s")
    await expect(focused(tab).locator(".badge", has_text="star")).to_be_visible()
    await tab.press("g", "s")
    await expect(tab.page.locator("h1")).to_have_text("Snoozed1")
    await tab.press("g", "m")
    await expect(tab.page.locator(".row")).to_have_count(1)
    item = next(i for i in await stage.service.items() if i["assignee"])
    assert set(item["labels"]) == {"press office", "star"}


async def test_search_speaks_the_language_of_filters_and_back_works(tab: Tab) -> None:
    await tab.press("/")
    await tab.page.keyboard.type("ship OR zip")
    await tab.press("Enter")
    await expect(tab.page.locator(".row")).to_have_count(2)
    await tab.press("/")
    await tab.page.keyboard.type("plattform:demo")
    await tab.press("Enter")
    await expect(tab.page.locator("#search-trouble")).to_contain_text("Did you mean platform?")
    await expect(tab.page.locator(".row")).to_have_count(0)
    await tab.page.go_back()
    await expect(tab.page.locator(".row")).to_have_count(2)
    await tab.page.go_back()
    await expect(tab.page.locator(".row")).to_have_count(7)


async def test_a_search_is_saved_as_a_view_and_has_a_key(stage: Stage, tab: Tab) -> None:
    await tab.page.goto("/?q=older:20h")
    await expect(tab.page.locator(".row")).to_have_count(3)
    await tab.press("Control+k")
    await tab.page.keyboard.type("save this")
    await tab.press("Enter")
    await expect(tab.page.get_by_label("Name of the view")).to_be_focused()
    await tab.page.keyboard.type("Since yesterday")
    await tab.press("Enter")
    await expect(tab.page.locator("h1")).to_have_text("Since yesterday3")
    await tab.press("g", "i")
    await expect(tab.page.locator(".row")).to_have_count(7)
    await tab.press("1")
    await expect(tab.page.locator("h1")).to_have_text("Since yesterday3")
    views = (await stage.service.api.get("/api/v1/views")).json()["items"]
    assert views == []  # it is Mira's own


async def test_a_link_to_the_answer_is_kept(stage: Stage, tab: Tab) -> None:
    await tab.press("j", "r")
    await expect(tab.page.locator("#composer")).to_be_focused()
    await tab.page.keyboard.type("https://social.example/@shop/77")
    await tab.press("Enter")
    await expect(tab.page.locator(".toast")).to_contain_text("Marked as replied")
    found = await stage.service.items(status="replied")
    assert [item["answer"]["reply_url"] for item in found] == ["https://social.example/@shop/77"]


async def test_keys_rest_while_one_types_and_when_they_are_switched_off(tab: Tab) -> None:
    await tab.press("j", "n")
    await expect(tab.page.locator("#note")).to_be_focused()
    await tab.page.keyboard.type("deja vu !")
    await expect(tab.page.locator(".row")).to_have_count(7)
    await expect(tab.page.locator("#note")).to_have_value("deja vu !")
    await tab.press("Escape", "?")
    switch = tab.page.get_by_label("Single keys are shortcuts")
    await switch.uncheck()
    await tab.press("Escape", "e")
    await expect(tab.page.locator(".row")).to_have_count(7)
    await tab.press("Control+k")
    await expect(tab.page.get_by_role("dialog")).to_be_visible()


async def test_a_key_can_be_given_to_another_command(tab: Tab) -> None:
    await tab.press("j", "?")
    await tab.page.get_by_role("button", name="Mark as replied E Change").click()
    await tab.press("j")
    await expect(tab.page.get_by_role("alert")).to_contain_text(re.compile("Taken: .Next message"))
    await tab.press("y")
    await tab.press("Escape", "e")
    await expect(tab.page.locator(".row")).to_have_count(7)
    await tab.press("y")
    await expect(tab.page.locator(".row")).to_have_count(6)


async def test_replied_and_on_to_the_next_or_the_previous(stage: Stage, tab: Tab) -> None:
    current = tab.page.locator(".message.current")
    await tab.press("j", "j", "Enter")
    await expect(current).to_contain_text("هل تتوفر")
    await tab.press("]")
    await expect(current).to_contain_text("bought as a present")
    await expect(tab.page.locator(".row")).to_have_count(6)
    await tab.press("[")
    await expect(current).to_contain_text("workshop tour")
    await expect(tab.page.locator(".row")).to_have_count(5)
    replied = {name for name, status in (await statuses(stage)).items() if status == "replied"}
    assert replied == {"فاطمة", "Emeka Obi"}


async def test_back_leads_from_the_message_to_the_list(tab: Tab) -> None:
    await tab.press("j", "Enter")
    await expect(tab.page.locator(".message.current")).to_be_visible()
    await tab.page.go_back()
    await expect(tab.page.locator(".detail-pane.vacant")).to_be_visible()
    assert "item=" not in tab.page.url
    await tab.page.go_forward()
    await expect(tab.page.locator(".message.current")).to_contain_text("workshop tour")


async def test_who_claims_what_another_holds_is_told_who_and_until_when(
    stage: Stage, tab: Tab
) -> None:
    await tab.press("j", "c")
    await expect(tab.page.locator(".toast")).to_contain_text("Claimed for 15 minutes")
    await expect(focused(tab)).to_contain_text("you are on it")
    ben = await stage.open(name="ben", role=Role.AGENT)
    await expect(ben.row("workshop tour")).to_contain_text(re.compile("mira.? is on it"))
    await ben.press("j", "c")
    told = re.compile(r"mira.? is on it until .?\d\d:\d\d")
    await expect(ben.page.locator(".toast")).to_contain_text(told)
    item = next(i for i in await stage.service.items() if i["claim"])
    assert item["claim"]["by"]["name"] == "mira"
    assert ben.faults == []
    await ben.context.close()


async def test_a_follow_is_thanked_with_one_key(stage: Stage, tab: Tab) -> None:
    now = stage.service.clock.now()
    stage.world.insert("mentions", now, author=Person("kai", "kai", "Kai"), kind="follow")
    await stage.service.poll(1)
    await expect(tab.page.locator(".row")).to_have_count(7)
    await tab.page.goto("/?view=thanks")
    await expect(tab.page.locator(".row")).to_have_count(1)
    await tab.press("j", "t")
    await expect(tab.page.locator(".toast")).to_contain_text("Thanked")
    await expect(tab.page.locator(".row")).to_have_count(0)
    assert (await statuses(stage))["Kai"] == "replied"


async def test_who_has_answered_everybody_reads_how_soon(stage: Stage, tab: Tab) -> None:
    await tab.press("*", "a", "e")
    empty = tab.page.locator(".empty")
    await expect(empty).to_contain_text("Nobody waits for an answer")
    today = stage.service.clock.now().astimezone(ZoneInfo("Europe/Berlin")).date()
    monday = today - timedelta(days=today.weekday())
    asked = {"time_zone": "Europe/Berlin", "from": monday.isoformat()}
    report = (await stage.service.api.get("/api/v1/reports/response", params=asked)).json()
    answered = report["total"]["answered"] > 0  # nobody, early on a Monday
    await expect(empty.get_by_text("had their answer within")).to_have_count(int(answered))
