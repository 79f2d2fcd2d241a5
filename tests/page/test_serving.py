"""How the page is served: its addresses, its policy, its files, and nothing else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.main import create_app
from app.page import assets
from app.settings import Settings
from app.web.headers import PAGE_POLICY
from tests.service import BASE

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def anybody(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without a session; the page needs nothing of the service that is open."""
    app = create_app(Settings(data_dir=tmp_path), bind=("127.0.0.1", 8000))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        yield client


async def test_every_address_of_the_page_answers_with_the_document(
    anybody: httpx.AsyncClient,
) -> None:
    bodies = set()
    for path in ("/", "/?view=mine&item=4", "/health", "/sources/new", "/settings"):
        answered = await anybody.get(path)
        assert (answered.status_code, answered.headers["content-type"]) == (
            200,
            "text/html; charset=utf-8",
        )
        bodies.add(answered.text)
    assert len(bodies) == 1


async def test_an_address_of_nothing_is_a_problem(anybody: httpx.AsyncClient) -> None:
    for path in ("/nothing", "/index.html", "/inboxes", "/api/v1/nothing", "/assets/"):
        answered = await anybody.get(path)
        assert answered.status_code == 404, path
        assert answered.headers["content-type"] == "application/problem+json"


async def test_the_document_brings_a_strict_policy_and_nothing_inline(
    anybody: httpx.AsyncClient,
) -> None:
    answered = await anybody.get("/")
    policy = answered.headers["content-security-policy"]
    assert policy == PAGE_POLICY
    assert "unsafe" not in policy
    assert {"default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"} <= set(
        policy.split("; ")
    )
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.headers["referrer-policy"] == "no-referrer"
    assert answered.headers["cross-origin-opener-policy"] == "same-origin"
    assert not re.search(r"<script(?![^>]*src=)|<style|style=|\son\w+=|https?://", answered.text)


async def test_the_document_is_asked_for_anew_and_its_files_never(
    anybody: httpx.AsyncClient,
) -> None:
    first = await anybody.get("/")
    assert first.headers["cache-control"] == "no-cache"
    tag = first.headers["etag"]
    again = await anybody.get("/", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == PAGE_POLICY
    script = re.findall(r'<script type="module" src="([^"]+)"', first.text)[0]
    loaded = await anybody.get(script)
    assert loaded.headers["content-type"] == "text/javascript; charset=utf-8"
    assert loaded.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await anybody.head(script)).content == b""


async def test_files_are_packed_for_who_takes_them_so(anybody: httpx.AsyncClient) -> None:
    path = f"/assets/{assets.load().version}/vendor/preact.js"
    packed = await anybody.get(path, headers={"Accept-Encoding": "gzip"})
    plain = await anybody.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == (assets.HERE / "vendor/preact.js").read_bytes()
    assert "Accept-Encoding" in plain.headers["vary"]


async def test_nothing_but_the_page_is_served(anybody: httpx.AsyncClient) -> None:
    version = assets.load().version
    for name in (
        "../api.py",
        "%2e%2e/api.py",
        "..%2fapi.py",
        "api.py",
        "assets.py",
        "index.html",
        "shapes.d.ts",
        "api-types.d.ts",
        "vendor/entry.js",
        "vendor/regenerate.py",
        "vendor/LICENSES",
        "//etc/passwd",
        "",
    ):
        assert (await anybody.get(f"/assets/{version}/{name}")).status_code == 404, name
    assert (await anybody.get("/assets/0123456789abcdef/main.js")).status_code == 404


async def test_the_page_is_only_read(anybody: httpx.AsyncClient) -> None:
    for path in ("/", f"/assets/{assets.load().version}/main.js"):
        answered = await anybody.post(path)
        assert answered.status_code == 405
        assert set(answered.headers["allow"].split(", ")) == {"GET", "HEAD"}


def test_every_module_that_is_loaded_at_first_is_preloaded_and_there_once() -> None:
    page = assets.load()
    preloaded = re.findall(r'modulepreload" href="/assets/\w+/([^"]+)"', page.index.body.decode())
    assert preloaded[0] == "main.js"
    assert len(preloaded) == len(set(preloaded))
    assert set(preloaded) <= set(page.files)
    styles = re.findall(r'stylesheet" href="/assets/\w+/([^"]+)"', page.index.body.decode())
    later = {"styles/sections.css"}  # with the first section but the inbox
    assert set(styles) | later == {name for name in page.files if name.endswith(".css")}


def test_the_page_weighs_little() -> None:
    """What a browser loads to show the inbox, packed; and all there is in one language."""
    page = assets.load()
    document = page.index.body.decode()
    first = re.findall(r'(?:modulepreload|stylesheet)" href="/assets/\w+/([^"]+)"', document)
    assert sum(len(page.files[name].zipped) for name in first) <= 70_000
    english = [
        name
        for name in page.files
        if name.endswith((".js", ".css")) and not re.match(r"i18n/(?!en)", name)
    ]
    assert sum(len(page.files[name].zipped) for name in english) <= 114_000


def test_comments_stay_at_home_and_lines_where_they_are() -> None:
    for name, asset in assets.load().files.items():
        source = (assets.HERE / name).read_bytes()
        assert asset.body.count(b"\n") == source.count(b"\n"), name
        if name.endswith(".js") and not name.startswith("vendor/"):
            assert not re.search(rb"^[ \t]*(?://|/\*)|@param", asset.body, re.MULTILINE), name
            assert b"import" in asset.body or b"export" in asset.body, name


def test_files_of_the_page_stay_small() -> None:
    for path in assets.HERE.rglob("*"):
        if (
            path.suffix in {".js", ".css"}
            and not path.match("vendor/*")
            and "i18n" not in path.parts
        ):
            assert len(path.read_text(encoding="utf-8").splitlines()) < 500, path
