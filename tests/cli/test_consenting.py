"""`sources add` through a platform's page: the real command, the real service, a strict server."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.clock import SystemClock
from app.main import create_app, running
from tests.cli.conftest import Shell, Typed
from tests.connecting.platform import at_the_page, offered
from tests.connectors.fake_oauth import FakeOAuth
from tests.service import ADMIN_TOKEN, settings_for
from tests.serving import serving

ADD = ("sources", "add", "pages", "--set")
SECRET = "app-secret-1"
CLIENT = f"client_id=app-1\nclient_secret={SECRET}\n"
VISIT = """
import html, re, sys
from http.cookiejar import CookieJar
from urllib.request import HTTPCookieProcessor, build_opener
browser = build_opener(HTTPCookieProcessor(CookieJar()))
page = browser.open(sys.argv[1]).read().decode()
browser.open(html.unescape(re.search('href="([^"]+)"', page)[1])).read()
"""


@dataclass(slots=True)
class House:
    """The command, the service it speaks to, and the platform behind."""

    shell: Shell
    server: FakeOAuth
    base: str
    api: httpx.AsyncClient

    async def sources(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = (await self.api.get("/api/v1/sources")).json()["items"]
        return listed

    def browse(self) -> None:
        """What `webbrowser` starts is a person who says yes."""
        visit = self.shell.folder / "visit.py"
        visit.write_text(VISIT)
        self.shell.env["BROWSER"] = f"{shlex.join([sys.executable, str(visit)])} %s"


class _Late:
    """The service, once the port it is to be called back at is known."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.app(scope, receive, send)


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    shell, server, late = Shell(tmp_path), FakeOAuth(), _Late()
    async with serving(late) as url, serving(server) as base:
        settings = settings_for(sqlite_url, tmp_path / "service", poll=False)
        late.app = create_app(
            settings, bind=("127.0.0.1", int(url.rpartition(":")[2])), clock=SystemClock()
        )
        shell.know(url, ADMIN_TOKEN)
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with (
            running(late.app),
            httpx.AsyncClient(base_url=url, headers=headers) as api,
        ):
            with offered():
                yield House(shell, server, base, api)


async def test_a_person_is_walked_through_the_page(house: House) -> None:
    house.server.people["ann"] = ["brand", "sister"]
    house.browse()
    answers = {
        "in a browser": "y",
        "api_url": house.base,
        "client_id": "app-1",
        "client_secret": SECRET,
        "Which one": "2",
        "Name of this source": "",
    }
    walked = ("sources", "add", "pages", "--no-watch")
    result = await house.shell.on_terminal(*walked, answers=answers)
    assert result.code == 0, result.out
    for told in (
        "Before you start: App review.",
        "The shortest way: Your own account needs none.",
        "/connect/pages/callback",
        "  2  sister Page sister (id id-sister)",
        "Account: sister, id id-sister",
        "Uses:    about 24 reads a day (one read an hour); at most 100 reads a day",
        "sister is connected (source 1).",
    ):
        assert told in result.out
    assert SECRET not in result.out
    assert "access-1" not in result.out
    (source,) = await house.sources()
    assert source["settings"] == {"api_url": house.base, "page": "sister"}


async def test_scripts_give_the_app_by_stdin_and_say_which_account(house: House) -> None:
    house.server.people["ann"] = ["brand", "sister"]
    house.browse()
    said = (*ADD, f"api_url={house.base}", "--browser", "--client-file", "-")
    result = await house.shell.run(*said, "--name", "s", "--account", "sister", "--budget", "9",
                                   "--label", "vip", "--json", stdin=CLIENT)  # fmt: skip
    source = result.json()
    assert (source["name"], source["budget"], source["labels"]) == ("s", 9, ["vip"])
    unknown = await house.shell.run(*said, "--name", "t", "--account", "other", stdin=CLIENT)
    assert (unknown.code, "There is no account 'other'" in unknown.err) == (1, True)
    open_choice = await house.shell.run(*said, "--name", "t", stdin=CLIENT)
    assert (open_choice.code, "say --account ID" in open_choice.err) == (1, True)
    assert len(await house.sources()) == 1


async def test_a_browser_elsewhere_is_served_by_a_pasted_address(house: House) -> None:
    async def paste(screen: str) -> str:
        found = re.findall(r"(http://\S+/oauth/authorize\S+)", screen.replace("\r\n", "\n"))
        return await at_the_page(found[-1])

    answers: dict[str, Typed] = {
        "client_id": "app-1",
        "client_secret": SECRET,
        "paste its address": paste,
    }
    said = (*ADD, f"api_url={house.base}", "--no-browser", "--name", "shop", "--no-watch")
    result = await house.shell.on_terminal(*said, answers=answers)
    assert result.code == 0, result.out
    assert len(await house.sources()) == 1


async def test_a_refusal_saves_nothing(house: House) -> None:
    house.server.refuses = "access_denied"
    house.browse()
    said = (*ADD, f"api_url={house.base}", "--browser", "--client-file", "-", "--name", "x")
    result = await house.shell.run(*said, stdin=CLIENT)
    assert result.code == 1
    assert "Not connected.\n  access_denied: It was not allowed" in result.err
    assert await house.sources() == []


async def test_what_cannot_be_asked_for_is_a_usage_error(house: House) -> None:
    said = (*ADD, f"api_url={house.base}", "--name", "x")
    needs = await house.shell.run(*said, "--no-browser")
    assert (needs.code, "--client-file FILE or -" in needs.err) == (2, True)
    none = await house.shell.run("sources", "add", "hackernews", "--browser", "--name", "x",
                                 "--set", "query=a")  # fmt: skip
    assert (none.code, "has no page" in none.err) == (2, True)
    pasted = await house.shell.run(*said)
    assert (pasted.code, "page=" in pasted.err) == (2, True), "with a token the page is needed"


async def test_a_token_can_still_be_pasted(house: House) -> None:
    token = house.server.issue("ann")[2]["access_token"]
    said = (*ADD, f"api_url={house.base}", "--set", "page=brand", "--name", "shop")
    result = await house.shell.run(*said, "--credential-file", "-", stdin=f"access_token={token}")
    assert result.code == 0, result.err
    assert len(await house.sources()) == 1


async def test_ctrl_c_gives_up_what_was_begun(house: House) -> None:
    answers = {"client_id": "app-1", "client_secret": SECRET}
    said = (*ADD, f"api_url={house.base}", "--no-browser", "--name", "x")
    result = await house.shell.on_terminal(*said, answers=answers, interrupt_at="paste its address")
    assert result.code == 130, result.out
    assert (await house.api.get("/api/v1/connect/pages/1")).status_code == 404


async def test_connecting_again_through_the_page(house: House) -> None:
    house.browse()
    said = (*ADD, f"api_url={house.base}", "--browser", "--client-file", "-", "--name", "shop")
    assert (await house.shell.run(*said, stdin=CLIENT)).code == 0
    process = await house.shell.start(
        "sources", "reconnect", "shop", "--no-browser",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        while b"/open?ticket=" not in (line := await process.stderr.readline()):
            assert line, "the address was never told"
        async with httpx.AsyncClient() as browser:
            page = (await browser.get(line.decode().strip())).text
            (address,) = re.findall('href="([^"]+)"', page)
            back = await at_the_page(unescape(address))
            assert (await browser.get(back)).status_code == 200
        out, _ = await process.communicate()
    except BaseException:
        process.kill()
        raise
    assert process.returncode == 0
    assert "shop is connected again." in out.decode()
    (source,) = await house.sources()
    assert source["id"] == 1
