"""`sources add` and `reconnect`: fields, check, save; secrets are never seen nor said."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Shell
from tests.cli.service import PLATFORMS, Answer, Service, checked, problem, source, sources, stream

SECRET = "s3cr3t-token"
ADD = ("sources", "add", "mastodon", "--name", "acme", "--set", "instance=https://example.social")
BAD = checked(
    ok=False, identity=None, rights=[], sample=None,
    error={"code": "auth_failed", "detail": "The token is unknown.", "since": None},
)  # fmt: skip


@pytest.fixture(autouse=True)
def _offers(service: Service) -> None:
    service.on("GET /platforms", PLATFORMS)
    service.on("POST /sources/check", checked())
    service.on("POST /sources", Answer(source(), 201))
    service.on("GET /sources/1", source())


async def test_check_comes_before_saving(shell: Shell, service: Service) -> None:
    (shell.folder / "c.json").write_text(json.dumps({"access_token": SECRET}))
    result = await shell.run(
        *ADD, "--set", "limit=40", "--set", "tags=a,b", "--set", "tags=c", "--set", "boosts=yes",
        "--credential-file", "c.json", "--also-us", "@sister", "--also-us", "bot:helper",
        "--label", "vip", "--backfill", "10d", "--backlog-after", "P2D", "--poll-interval", "90",
    )  # fmt: skip
    assert result.code == 0, result.err
    settings = {"instance": "https://example.social", "limit": 40, "tags": ["a", "b", "c"],
                "boosts": True}  # fmt: skip
    credential = {"access_token": SECRET}
    check, save = service.calls("POST /sources/check")[0], service.calls("POST /sources")[0]
    assert service.heard.index(check) < service.heard.index(save)
    assert check.body == {"platform": "mastodon", "settings": settings, "credential": credential}
    assert save.body == {
        "platform": "mastodon", "name": "acme", "settings": settings, "credential": credential,
        "also_us": ["@sister", "bot:helper"], "labels": ["vip"], "backfill": "PT864000S",
        "backlog_after": "PT172800S", "poll_interval": 90,
    }  # fmt: skip
    assert len(save.headers["idempotency-key"]) == 36
    assert result.out.splitlines() == [
        "Account: @acme@example.social (Acme), id 9",
        "May:     read",
        *[line for line in result.out.splitlines() if line.startswith("Found:   12 on the first")],
        "acme is connected (source 1).",
    ]


@pytest.mark.parametrize("content", [json.dumps({"access_token": SECRET}),
                                     f"# mine\n\naccess_token = {SECRET}\n"])  # fmt: skip
async def test_a_credential_can_come_from_stdin(
    shell: Shell, service: Service, content: str
) -> None:
    result = await shell.run(*ADD, "--credential-file", "-", "--json", stdin=content)
    assert result.json() == source()
    assert service.calls("POST /sources")[0].body["credential"] == {"access_token": SECRET}


async def test_a_failed_check_saves_nothing(shell: Shell, service: Service) -> None:
    service.on("POST /sources/check", BAD)
    result = await shell.run(*ADD, "--credential-file", "-", stdin=f"access_token={SECRET}")
    assert result.code == 1
    assert "Not saved: the check failed.\n  auth_failed: The token is unknown." in result.err
    assert service.calls("POST /sources") == []
    assert SECRET not in result.out + result.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (["sources", "add", "mastodon", "--name", "a"], "", "--set instance="),
        ([*ADD], "", "A credential is needed (access_token): --credential-file"),
        ([*ADD, "--set", "instence=x"], "", "Did you mean instance?"),
        ([*ADD, "--set", "limit=many"], "", "is no integer"),
        ([*ADD, "--set", "boosts=perhaps"], "", "say true or false"),
        ([*ADD, "--set", "novalue"], "", "write --set key=value"),
        ([*ADD, "--set", f"access_token={SECRET}"], "", "never stands on the command line"),
        ([*ADD, "--credential-file", "absent"], "", "absent cannot be read"),
        ([*ADD, "--credential-file", "-"], f"{SECRET}", "neither a JSON object nor lines"),
        ([*ADD, "--credential-file", "-"], f'{{"acess_token": "{SECRET}"}}', "unknown: acess"),
        ([*ADD, "--credential-file", "-"], "access_token=", "missing: access_token"),
        ([*ADD, "--backfill", "long"], "", "is no duration"),
        (["sources", "add", "hackernews", "--name", "h", "--credential-file", "-"], "x=1",
         "takes no credential"),
    ],
)  # fmt: skip
async def test_usage_errors_save_nothing_and_show_no_secret(
    shell: Shell, service: Service, arguments: list[str], stdin: str, told: str
) -> None:
    result = await shell.run(*arguments, stdin=stdin)
    assert result.code == 2
    assert told in result.err
    assert SECRET not in result.out + result.err
    assert service.calls("POST /sources") == []


async def test_unknown_platforms_are_named(shell: Shell, service: Service) -> None:
    result = await shell.run("sources", "add", "mastadon")
    assert (result.code, "Did you mean mastodon?" in result.err) == (1, True)


async def test_a_person_is_walked_through_and_the_secret_is_not_echoed(
    shell: Shell, service: Service
) -> None:
    answers = {"instance": "https://example.social", "limit": "", "tags": "", "boosts": "true",
               "access_token": SECRET, "Name of this source": ""}  # fmt: skip
    result = await shell.on_terminal("sources", "add", "mastodon", answers=answers)
    assert result.code == 0, result.out
    saved = service.calls("POST /sources")[0].body
    assert saved["name"] == "@acme@example.social"
    assert saved["settings"]["instance"] == "https://example.social"
    assert saved["settings"]["boosts"] is True
    assert "limit" not in saved["settings"]
    assert saved["credential"] == {"access_token": SECRET}
    assert SECRET not in result.out
    assert "History is read: 1,240 read, back to 3 Nov" in result.out


async def test_a_mistyped_secret_can_be_typed_again(shell: Shell, service: Service) -> None:
    service.on("POST /sources/check", Answer(BAD), Answer(BAD), Answer(BAD))
    process = shell.on_terminal(*ADD, answers={"access_token": SECRET}, interrupt_at="Try again")
    result = await process
    assert result.code == 130
    assert "auth_failed: The token is unknown." in result.out
    assert len(service.calls("POST /sources/check")) == 1
    assert service.calls("POST /sources") == []


async def test_progress_is_shown_until_the_past_is_read(shell: Shell, service: Service) -> None:
    def at(read: int, back_to: str, *, done: bool = False) -> Answer:
        backfill = {"done": done, "read": read, "back_to": back_to, "paused": False}
        return Answer(source(streams=[stream(backfill=backfill)]))

    service.on(
        "GET /sources/1",
        at(0, "2020-11-20T00:00:00Z"),
        at(1240, "2020-11-03T00:00:00Z"),
        at(2000, "2020-10-24T00:00:00Z", done=True),
    )
    result = await shell.run(
        *ADD, "--credential-file", "-", "--watch", stdin=f"access_token={SECRET}"
    )
    assert result.code == 0
    assert result.err.splitlines() == [
        "0 read, back to 20 Nov 2020",
        "1,240 read, back to 3 Nov 2020",
        "2,000 read, back to 24 Oct 2020",
        "History is read: 2,000 read, back to 24 Oct 2020.",
    ]


async def test_ctrl_c_stops_watching_not_reading(shell: Shell, service: Service) -> None:
    backfill = {"done": False, "read": 40, "back_to": "2020-11-03T00:00:00Z", "paused": False}
    service.on("GET /sources/1", source(streams=[stream(backfill=backfill)]))
    result = await shell.on_terminal(
        *ADD, answers={"access_token": SECRET}, interrupt_at="40 read, back to 3 Nov 2020"
    )
    assert result.code == 0
    assert "The service goes on reading." in result.out


async def test_watching_ends_when_reading_cannot_go_on(shell: Shell, service: Service) -> None:
    backfill = {"done": False, "read": 40, "back_to": None, "paused": False}
    dead = stream(backfill=backfill, state="auth_failed", error=BAD["error"])
    service.on("GET /sources/1", source(streams=[dead]))
    result = await shell.run(
        *ADD, "--credential-file", "-", "--watch", stdin=f"access_token={SECRET}"
    )
    assert result.code == 0
    assert "notifications: auth_failed: The token is unknown." in result.err
    assert "History is read" not in result.err


async def test_without_a_credential_where_none_is_taken(shell: Shell, service: Service) -> None:
    await shell.run("sources", "add", "hackernews", "--name", "hn", "--set", "query=acme")
    saved = service.calls("POST /sources")[0].body
    assert saved == {"platform": "hackernews", "name": "hn", "settings": {"query": "acme"}}


async def test_a_taken_name_is_told(shell: Shell, service: Service) -> None:
    service.on("POST /sources", problem(409, "conflict", "Taken", "There is one of that name."))
    result = await shell.run(*ADD, "--credential-file", "-", stdin=f"access_token={SECRET}")
    assert (result.code, "There is one of that name." in result.err) == (1, True)


async def test_reconnect_checks_then_replaces_the_credential(
    shell: Shell, service: Service
) -> None:
    service.on("GET /sources", sources())
    service.on("PATCH /sources/1", source())
    result = await shell.on_terminal("sources", "reconnect", "acme",
                                     answers={"access_token": SECRET})  # fmt: skip
    assert result.code == 0
    assert SECRET not in result.out
    assert service.calls("POST /sources/check")[0].body["settings"] == source()["settings"]
    (patched,) = service.calls("PATCH /sources/1")
    assert patched.body == {"credential": {"access_token": SECRET}}


async def test_a_platform_that_is_not_offered_is_reconnected_with_its_token(
    shell: Shell, service: Service
) -> None:
    service.on("GET /sources", sources(source(platform="demo", name="demo")))
    service.on("PATCH /sources/1", source())
    result = await shell.run("sources", "reconnect", "demo", "--credential-file", "-",
                             stdin=f"token={SECRET}")  # fmt: skip
    assert result.code == 0
    assert service.calls("PATCH /sources/1")[0].body == {"credential": {"token": SECRET}}
