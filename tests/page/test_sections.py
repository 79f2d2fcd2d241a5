"""Health, sources, people and reports: what a person does there, and that it tells the truth."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from app.web.principal import Role
from tests.page.stage import Stage, Tab

pytestmark = pytest.mark.asyncio(loop_scope="session")


def said(text: str) -> re.Pattern[str]:
    """A text of the page; names in it, written `{Ana}`, stand isolated from what is around them."""
    return re.compile(re.escape(text).replace(r"\{", "\u2068").replace(r"\}", "\u2069"))


def button(within: Any, name: str) -> Locator:
    found: Locator = within.get_by_role("button", name=name, exact=True)
    return found


async def fill_in(tab: Tab, **values: str) -> None:
    for label, value in values.items():
        await tab.page.get_by_label(re.compile(f"^{label.replace('_', ' ')}")).fill(value)


async def test_a_source_whose_sign_in_ends_is_told_and_connected_again(stage: Stage) -> None:
    source_id = (await stage.service.api.get("/api/v1/sources")).json()["items"][0]["id"]
    tab, agent = await stage.open(), await stage.open(name="ben", role=Role.AGENT)
    await expect(tab.page.locator(".banner.error")).to_have_count(0)
    stage.world.renew_token("shop", "token-of-tomorrow")
    await stage.service.poll(source_id)
    banner = tab.page.locator(".banner.error")
    await expect(banner).to_contain_text(said("{shop}: sign-in failed"))
    await expect(banner).to_contain_text("Nothing is lost")
    await expect(agent.page.locator(".banner.error")).to_contain_text("An admin can connect it")
    await expect(tab.page.locator(".coverage")).to_contain_text("Not complete:")
    await tab.page.goto("/?view=mine")
    await expect(tab.page.get_by_text("Nothing to show, but a source")).to_be_visible()
    await tab.page.keyboard.press("g")
    await tab.page.keyboard.press("h")
    card = tab.page.locator(".source-card")
    await expect(card).to_contain_text("sign-in failed")
    await card.get_by_text("The last 20 polls").click()
    await expect(card.get_by_role("table").last).to_contain_text("failed")
    await card.get_by_role("link", name="Connect again").first.click()
    await fill_in(tab, Token="wrong")
    await button(tab.page, "Connect again").click()
    await expect(tab.page.get_by_role("alert").filter(has_text=re.compile(r"\w"))).to_be_visible()
    await fill_in(tab, Token="token-of-tomorrow")
    await button(tab.page, "Connect again").click()
    await expect(tab.page.get_by_text("1 source is read as it should be.")).to_be_visible()
    await expect(agent.page.locator(".banner")).to_have_count(0)
    assert tab.faults == agent.faults == []


async def test_diagnostics_name_nobody_and_no_place(stage: Stage) -> None:
    tab = await stage.open("/health")
    await button(tab.page, "Copy diagnostics").click()
    told = await tab.page.get_by_role("dialog").locator("textarea").input_value()
    assert '"state": "ok"' in told
    for secret in ("shop", "127.0.0.1", "token", "quillbeck", "Ana Castillo", "backpack"):
        assert secret not in told.replace('"demo"', ""), secret
    assert tab.faults == []


async def rows_of(figure: Locator) -> list[list[str]]:
    await figure.locator("summary").click()
    rows = figure.locator("tbody tr")
    return [
        [cell.strip() for cell in await rows.nth(n).locator("th, td").all_inner_texts()]
        for n in range(await rows.count())
    ]


async def test_the_tables_of_the_charts_are_the_reports_of_the_api(stage: Stage) -> None:
    api = stage.service.api
    for item in (await stage.service.items())[:2]:
        done = await api.post(f"/api/v1/items/{item['id']}/mark-replied", json={})
        assert done.status_code == 200
    query = {"time_zone": "Europe/Berlin"}
    response = (await api.get("/api/v1/reports/response", params=query)).json()
    backlog = (await api.get("/api/v1/reports/backlog", params=query)).json()
    tab = await stage.open("/reports")
    figures = {
        name: tab.page.locator(f"[data-figure={name}]")
        for name in ("ages", "share", "soon", "places", "hours")
    }
    for figure in figures.values():
        await expect(figure.locator("svg")).to_be_visible()
    assert await rows_of(figures["ages"]) == [
        ["Demo", *map(str, backlog["by_age"].values()), str(backlog["total"])]
    ]
    numbers = [row["numbers"] for row in response["rows"]]
    assert [row[1:4] for row in await rows_of(figures["share"])] == [
        [str(n["total"]), str(n["answered"]), str(n["waiting"])] for n in numbers
    ]
    assert [row[1:] for row in await rows_of(figures["hours"])] == [
        list(map(str, day["came_in"])) for day in backlog["hours"]
    ]
    soon = [row for row in await rows_of(figures["soon"]) if row[1][0].isalnum()]
    assert len(soon) == sum(n["total"] > 0 for n in numbers)
    file = await figures["ages"].get_by_role("link", name="Download as CSV").get_attribute("href")
    assert file is not None
    assert (await api.get(file)).text.startswith("platform,age,unanswered")
    assert tab.faults == []


async def test_two_who_open_one_message_see_each_other(stage: Stage) -> None:
    item = (await stage.service.items())[0]
    ana = await stage.open(f"/?item={item['id']}", name="ana", role=Role.AGENT)
    ben = await stage.open(name="ben", role=Role.AGENT)
    row = ben.row(item["text"])
    await expect(row).to_contain_text(said("{ana} is looking"))
    await ana.page.locator("#composer").focus()
    await expect(row).to_contain_text(said("{ana} is writing an answer"))
    await expect(ana.page.locator(".detail-pane")).not_to_contain_text("is looking")
    await ana.press("Escape", "u")
    await expect(row).not_to_contain_text("is writing")
    await ana.page.goto(f"/?item={item['id']}")
    await expect(row).to_contain_text(said("{ana} is looking"))
    await ana.page.close()  # sooner than the thirty seconds after which silence means gone
    await expect(row).not_to_contain_text("is looking")
    assert ana.faults == ben.faults == []


async def test_a_token_is_shown_once_and_a_person_is_let_in_by_a_link(stage: Stage) -> None:
    tab = await stage.open("/people")
    await button(tab.page, "Make a token").click()
    dialog = tab.page.get_by_role("dialog")
    await fill_in(tab, What_for="helpdesk")
    await button(dialog, "Make a token").click()
    secret = await dialog.get_by_label("The token is shown this once:").input_value()
    headers = {"Authorization": f"Bearer {secret}"}
    assert (await stage.service.anonymous.get("/api/v1/me", headers=headers)).status_code == 200
    await tab.page.keyboard.press("Escape")
    assert secret not in await tab.page.content()
    await button(tab.page, "Add a person").click()
    await tab.page.get_by_role("textbox", name="Name For signing in").fill("carla")
    await button(tab.page.get_by_role("dialog"), "Add a person").click()
    await button(tab.page, "Make the link").click()
    link = await tab.page.get_by_label("The link is shown this once:").input_value()
    assert "#" in link
    await tab.page.keyboard.press("Escape")
    await expect(tab.page.get_by_text("carla").first).to_be_visible()
    assert tab.faults == []


async def test_a_source_shows_how_many_messages_a_day_it_brings(stage: Stage) -> None:
    query = {"time_zone": "Europe/Berlin", "period": "day", "by": "source"}
    report = (await stage.service.api.get("/api/v1/reports/response", params=query)).json()
    totals = [row["numbers"]["total"] for row in report["rows"]]
    tab = await stage.open("/health")
    spark = tab.page.locator(".spark")
    await expect(spark.locator("rect")).to_have_count(30)
    label = f"in the last 30 days: {sum(totals)} together, at most {max(totals)}."
    assert label in (await spark.get_attribute("aria-label") or "")
    heights = [
        float(await bar.get_attribute("height") or 0) for bar in await spark.locator("rect").all()
    ]
    assert len([each for each in heights if each > 1]) == len(totals)
    assert heights[-1] > 1 or report["rows"][-1]["end"] < report["as_of"]
    assert tab.faults == []


async def test_reports_are_narrowed_to_one_person(stage: Stage) -> None:
    api = stage.service.api
    ana = await stage.open("/?view=inbox", name="ana", role=Role.AGENT)
    await expect(ana.page.locator(".row").first).to_be_visible()
    await ana.press("j", "e")
    await expect(ana.page.locator(".toast")).to_contain_text("Marked as replied")
    tab = await stage.open("/reports")
    await tab.page.get_by_role("combobox", name="Answered by").select_option("ana")
    await expect(
        tab.page.get_by_role("status").filter(has_text="what this person answered")
    ).to_be_visible()
    share = tab.page.locator("[data-figure=share]")
    query = {"time_zone": "Europe/Berlin"}
    weeks = (await api.get("/api/v1/reports/response", params=query)).json()["rows"]
    await expect(share.locator("tbody tr")).to_have_count(len(weeks))
    query |= {"by": "person"}
    rows = (await api.get("/api/v1/reports/response", params=query)).json()["rows"]
    answered = sum(row["numbers"]["answered"] for row in rows if row["person"] == "ana")
    assert answered == sum(int(row[2]) for row in await rows_of(share)) == 1
    await expect(tab.page.locator("[data-figure=hours]")).to_contain_text("Of everybody")
    file = await share.get_by_role("link", name="Download as CSV").get_attribute("href")
    assert "by=person" in (file or "")
    assert ana.faults == tab.faults == []


async def test_the_token_of_the_command_line_is_named_by_what_it_is(stage: Stage) -> None:
    tab = await stage.open("/people")
    tokens = tab.page.get_by_role("region", name="Tokens")
    await expect(tokens).to_contain_text("The command line on the machine of the service")
    await expect(tokens).not_to_contain_text("local admin of")
    assert tab.faults == []
