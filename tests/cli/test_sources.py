"""`sources` and `platforms`: what is watched, and what to do about trouble."""

from __future__ import annotations

import pytest

from app.cli.started import command
from tests.cli.conftest import Shell
from tests.cli.service import (
    PLATFORMS,
    Answer,
    Service,
    checked,
    run_of,
    source,
    sources,
    stream,
)

DEAD = {"code": "auth_failed", "detail": "The token is dead.\x1b[2J", "since": None}


async def test_sources_are_listed_with_their_trouble(shell: Shell, service: Service) -> None:
    reading = {"done": False, "read": 40, "back_to": "2020-11-03T00:00:00Z", "paused": False}
    service.on(
        "GET /sources",
        sources(
            source(state="auth_failed", error=DEAD),
            source(id=2, name="new", streams=[stream(backfill=reading)]),
            source(id=3, name="quiet", paused=True, state="paused", identity=None),
        ),
    )
    result = await shell.run("sources", "list")
    _, first, second, third = result.out.splitlines()
    assert first.endswith("auth_failed: The token is dead.")
    assert second.endswith("reading history (40 read, back to 3 Nov 2020)")
    assert "paused" in third
    assert "\x1b" not in result.out
    assert len((await shell.run("sources", "list", "--json")).json()["items"]) == 3


async def test_no_sources_yet(shell: Shell, service: Service) -> None:
    service.on("GET /sources", {"items": [], "next_cursor": None})
    assert command("sources add PLATFORM") in (await shell.run("sources", "list")).out
    assert "There are no sources yet." in (await shell.run("sources", "show", "x")).err


async def test_one_source_is_shown_with_its_streams(shell: Shell, service: Service) -> None:
    service.on("GET /sources", sources(source(streams=[stream(error=DEAD, state="auth_failed")])))
    out = (await shell.run("sources", "show", "acme")).out
    assert "1 mastodon/acme, ok" in out
    assert "instance=https://example.social" in out
    assert "auth_failed: The token is dead." in out


async def test_check_tells_identity_and_fails_with_advice(shell: Shell, service: Service) -> None:
    service.on("GET /sources", sources())
    service.on("POST /sources/1/check", checked())
    good = await shell.run("sources", "check", "acme")
    assert good.code == 0
    assert "Account: @acme@example.social (Acme), id 9" in good.out
    service.on("POST /sources/1/check", checked(ok=False, identity=None, sample=None, error=DEAD))
    bad = await shell.run("sources", "check", "acme")
    assert bad.code == 1
    assert command("sources reconnect acme") in bad.err


async def test_poll_waits_for_the_run(shell: Shell, service: Service) -> None:
    service.on("GET /sources", sources())
    service.on("POST /sources/1/poll", run_of())
    result = await shell.run("sources", "poll", "acme")
    assert result.out == "acme: ok, 2 pages, 4 new, 1 changed, 2 replies of ours\n"
    assert service.calls("POST /sources/1/poll")[0].query == [("wait", "30")]


async def test_poll_that_goes_on_and_poll_that_fails(shell: Shell, service: Service) -> None:
    service.on("GET /sources", sources())
    service.on("POST /sources/1/poll", Answer(run_of(finished_at=None, outcome=None), 202))
    result = await shell.run("sources", "poll", "acme", "--wait", "0")
    assert "acme is being read." in result.out
    assert service.calls("POST /sources/1/poll")[0].query == []
    service.on("POST /sources/1/poll", run_of(outcome="failed", error=DEAD))
    failed = await shell.run("sources", "poll", "1")
    assert (failed.code, "auth_failed: The token is dead." in failed.err) == (1, True)


@pytest.mark.parametrize(("word", "told"), [("pause", "is paused"), ("resume", "is read again")])
async def test_pause_and_resume(shell: Shell, service: Service, word: str, told: str) -> None:
    service.on("GET /sources", sources())
    service.on(f"POST /sources/1/{word}", source())
    assert told in (await shell.run("sources", word, "acme")).out
    assert (await shell.run("sources", word, "acme", "--json")).json() == source()


async def test_remove_asks_first(shell: Shell, service: Service) -> None:
    service.on("GET /sources", sources())
    service.on("DELETE /sources/1", Answer(None, 204))
    unasked = await shell.run("sources", "remove", "acme")
    assert (unasked.code, "--yes" in unasked.err) == (2, True)
    no = await shell.on_terminal("sources", "remove", "acme", answers={"Remove mastodon": "n"})
    assert (no.code, "Nothing was removed." in no.out) == (1, True)
    assert service.calls("DELETE /sources/1") == []
    yes = await shell.on_terminal("sources", "remove", "acme", answers={"Remove mastodon": "y"})
    assert yes.code == 0
    assert (await shell.run("sources", "remove", "1", "--yes")).code == 0
    assert len(service.calls("DELETE /sources/1")) == 2


async def test_runs(shell: Shell, service: Service) -> None:
    running = run_of(outcome=None, finished_at=None)
    service.on("GET /sources", sources())
    service.on("GET /sources/1/runs", {"items": [running, run_of(error=DEAD)], "next_cursor": None})
    lines = (await shell.run("sources", "runs", "acme", "--limit", "2")).out.splitlines()
    assert "running" in lines[1]
    assert lines[2].endswith("auth_failed: The token is dead.")


async def test_platforms(shell: Shell, service: Service) -> None:
    service.on("GET /platforms", PLATFORMS)
    out = (await shell.run("platforms")).out
    assert "instance*, limit, tags, boosts" in out
    assert "access_token*" in out
    assert (await shell.run("platforms", "--json")).json() == PLATFORMS
