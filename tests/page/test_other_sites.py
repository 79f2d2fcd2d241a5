"""Pages of other sites, in the browser of somebody who is signed in: nothing is theirs to do."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Response

from tests.page.stage import Stage, Tab, staging, stocked
from tests.service import ADMIN_TOKEN
from tests.serving import serving

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def blank(scope: Any, _: Any, send: Any) -> None:
    """A site of which every page is empty: what it does is told to the browser by the tests."""
    if scope["type"] == "http":
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"<!doctype html><title>x</title>"})


@dataclass(slots=True)
class Town:
    """Our service with Mira signed in, and the origins of other pages in the same browser."""

    stage: Stage
    tab: Tab
    origins: dict[str, str]
    answers: list[Response] = field(default_factory=list)

    async def visit(self, origin: str) -> Page:
        page = await self.tab.context.new_page()
        page.on("response", lambda answered: self._note(answered))  # noqa: PLW0108
        await page.goto(f"{self.origins[origin]}/")
        return page

    def _note(self, answered: Response) -> None:
        if answered.url.startswith(self.stage.base):
            self.answers.append(answered)

    async def everything(self) -> dict[str, Any]:
        """What somebody could want to change, and how many changes were made."""
        api = self.stage.service.api
        found: dict[str, Any] = {}
        for name in ("labels", "views", "tokens", "users", "webhooks", "sessions?user_id=any"):
            found[name] = [
                each["id"] for each in (await api.get(f"/api/v1/{name}")).json()["items"]
            ]
        found["items"] = {
            each["id"]: (each["status"], each["version"])
            for each in await self.stage.service.items(status="any")
        }
        trail = await api.get("/api/v1/audit", params={"outcome": "done", "limit": 200})
        found["changes"] = len(trail.json()["items"])
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def town(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> AsyncIterator[Town]:
    """Three origins that are not ours: another site; another port of the same host, with which a
    browser shares cookies; and one that the settings allow to read with a token.
    """
    folder = tmp_path_factory.mktemp("town")
    async with AsyncExitStack() as stack:
        foe, friend = [await stack.enter_async_context(serving(blank)) for _ in range(2)]
        url = f"sqlite:///{shutil.copy(sqlite_template, folder)}"
        stage = await stack.enter_async_context(
            staging(url, folder / "data", browser, cors_origins=(friend,))
        )
        await stocked(stage)
        tab = await stage.open()
        origins = {
            "another site": foe.replace("127.0.0.1", "localhost"),
            "another port": foe,
            "an allowed page": friend,
        }
        yield Town(stage, tab, origins)


FETCH = """async ([url, how]) => {
  try {
    const answer = await fetch(url, how);
    return [answer.type, answer.status, (await answer.text()).length];
  } catch (error) {
    return ["refused", 0, 0];
  }
}"""
ACTION, LABELS, VIEWS = "/api/v1/items/1/mark-replied", "/api/v1/labels", "/api/v1/views"
JSON, PLAIN = {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}
COOKIES: dict[str, Any] = {"credentials": "include"}
SENT = '{"name":"owned"}'
FETCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "nothing": (ACTION, {"method": "POST"}),
    "nothing, unread": (ACTION, {"method": "POST", "mode": "no-cors"}),
    "text": (LABELS, {"method": "POST", "body": SENT, "headers": PLAIN}),
    "text, unread": (LABELS, {"method": "POST", "body": SENT, "mode": "no-cors"}),
    "JSON": (LABELS, {"method": "POST", "body": SENT, "headers": JSON}),
    "JSON, unread": (
        LABELS,
        {"method": "POST", "body": SENT, "headers": JSON, "mode": "no-cors"},
    ),
    "a bulk": (
        "/api/v1/items/actions",
        {"method": "POST", "body": '{"ids":[1],"action":"spam"}', "mode": "no-cors"},
    ),
    "a token": (
        "/api/v1/tokens",
        {"method": "POST", "body": '{"name":"x","role":"admin"}', "mode": "no-cors"},
    ),
    "signing out": ("/api/v1/session", {"method": "DELETE"}),
    "signing in": (
        "/api/v1/session",
        {"method": "POST", "body": '{"name":"x","password":"y"}', "mode": "no-cors"},
    ),
    "removing": ("/api/v1/sources/1", {"method": "DELETE", "headers": JSON}),
    "changing": ("/api/v1/users/1", {"method": "PATCH", "body": '{"role":"viewer"}'}),
    "another method": (ACTION, {"method": "POST", "headers": {"X-HTTP-Method-Override": "PUT"}}),
    "reading": ("/api/v1/items", {"method": "GET"}),
    "reading, unread": ("/api/v1/items", {"method": "GET", "mode": "no-cors"}),
}
"""What a script of another page may try: the address, and how it asks."""

FORM = """([action, type, name, target]) => {
  const frame = document.createElement('iframe');
  frame.name = 'hidden';
  const form = Object.assign(document.createElement('form'), { action, target });
  Object.assign(form, { method: 'POST', enctype: type });
  const field = Object.assign(document.createElement('input'), { name, value: '"}' });
  form.append(field);
  document.body.append(frame, form);
  const answered = new Promise((resolve) => (frame.onload = resolve));
  form.submit();
  return target === '_top' ? undefined : answered.then(() => frame.remove());
}"""
TYPES = ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data")

ELEMENTS = """async (addresses) => {
  const settled = [];
  for (const address of addresses) {
    for (const name of ['img', 'script', 'link', 'object', 'embed', 'video']) {
      const element = document.createElement(name);
      if (name === 'link') element.rel = 'stylesheet';
      element[{ link: 'href', object: 'data' }[name] ?? 'src'] = address;
      settled.push(new Promise((resolve) => {
        element.onload = () => resolve(name === 'embed' ? '' : `${name} ${address}`);
        element.onerror = () => resolve('');
        setTimeout(resolve, 1500, '');
      }));
      document.body.append(element);
    }
  }
  return (await Promise.all(settled)).filter(Boolean);
}"""


@pytest.mark.parametrize("origin", ["another site", "another port", "an allowed page"])
async def test_another_page_changes_nothing_and_reads_nothing(town: Town, origin: str) -> None:
    before, base = await town.everything(), town.stage.base
    page = await town.visit(origin)
    town.answers.clear()
    for name, (path, how) in FETCHES.items():
        kind, status, length = await page.evaluate(FETCH, [base + path, {**COOKIES, **how}])
        assert (kind in {"refused", "opaque"} or status >= 400, length) == (True, 0), name
    sent = await page.evaluate(
        "([url, text]) => navigator.sendBeacon(url, new Blob([text], { type: 'text/plain' }))",
        [base + VIEWS, SENT],
    )
    assert sent
    for kind in TYPES:
        for path in (ACTION, LABELS):
            await page.evaluate(FORM, [base + path, kind, '{"name":"x","a":"', "hidden"])
    for path in (ACTION, LABELS):
        async with page.expect_navigation(url=base + path):
            await page.evaluate(FORM, [base + path, TYPES[1], '{"name":"x","a":"', "_top"])
        await page.go_back()
    addresses = [base + path for path in (ACTION, LABELS, "/api/v1/items", "/api/v1/session")]
    assert await page.evaluate(ELEMENTS, addresses) == []
    assert [frame.url for frame in page.frames if frame.url.startswith(base)] == []
    assert await town.everything() == before
    told = {got.status for got in town.answers if got.request.method not in {"GET", "OPTIONS"}}
    assert {401, 403} & told, "nothing arrived, so nothing was tried"
    assert all(status >= 400 for status in told), told
    if origin != "another site":  # these are sent with the cookie, and refused all the same
        assert 403 in told
    await page.close()


async def test_our_own_page_does_what_others_tried(town: Town) -> None:
    before, page = await town.everything(), town.tab.page
    for path, body in ((ACTION, None), (LABELS, '{"name":"ours"}')):
        how = {"method": "POST", "body": body, "headers": JSON if body else {}}
        kind, status, _ = await page.evaluate(FETCH, [path, how])
        assert (kind, status // 100) == ("basic", 2), path
    after = await town.everything()
    assert after["changes"] == before["changes"] + 2
    assert after["items"][1][0] == "replied"
    assert len(after["labels"]) == len(before["labels"]) + 1


async def test_nobody_else_frames_the_page_or_holds_its_window(town: Town) -> None:
    page = await town.visit("another port")
    for path in ("/", "/settings", "/api/v1/items", "/api/v1/session"):
        await page.evaluate(
            """(url) => new Promise((resolve) => {
              const frame = Object.assign(document.createElement('iframe'), { src: url });
              frame.onload = resolve;
              document.body.append(frame);
            })""",
            town.stage.base + path,
        )
        assert page.frames[-1].url.startswith("chrome-error:"), path
    async with page.context.expect_page() as opening:
        await page.evaluate("(url) => void (window.opened = window.open(url))", town.stage.base)
    opened = await opening.value
    await opened.wait_for_selector(".rail")
    assert await page.evaluate("window.opened.closed")  # COOP: as good as closed
    assert await opened.evaluate("window.opener") is None
    await opened.close()
    await page.close()


async def test_a_page_that_is_allowed_reads_with_a_token_and_others_do_not(town: Town) -> None:
    how = {"headers": {"Authorization": f"Bearer {ADMIN_TOKEN}"}}
    for origin in town.origins:
        page = await town.visit(origin)
        kind, status, _ = await page.evaluate(FETCH, [f"{town.stage.base}/api/v1/items", how])
        expected = ("cors", 200) if origin == "an allowed page" else ("refused", 0)
        assert (kind, status) == expected, origin
        assert urlsplit(page.url).netloc != urlsplit(town.stage.base).netloc
        await page.close()
