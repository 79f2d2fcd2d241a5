"""The client: where it finds the service, and what it says when something is wrong."""

from __future__ import annotations

import asyncio
import json
import socket

import pytest

from tests.cli.conftest import Shell
from tests.cli.service import TOKEN, Answer, Service, item, listed, problem
from tests.serving import serving


async def test_no_service_known(shell: Shell) -> None:
    result = await shell.run("list")
    assert result.code == 1
    assert result.err.startswith("No running service is known.\n  Start one: ")
    assert "UNANSWERED_URL" in result.err


async def test_nothing_answers_there(shell: Shell) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        shell.know(url)
        result = await shell.run("list")
    assert result.code == 1
    assert f"No service answers at {url}" in result.err
    assert "serve" in result.err
    assert "Traceback" not in result.err


async def test_options_beat_the_environment_and_that_the_file(
    shell: Shell, service: Service
) -> None:
    service.on("GET /items", listed(item(7)))
    url = shell.url
    shell.know("http://127.0.0.1:9", "una_wrong")
    shell.env |= {"UNANSWERED_URL": "http://127.0.0.1:9", "UNANSWERED_TOKEN": "una_wrong"}
    for arguments in (
        ["list", "--url", url, "--token", TOKEN],
        ["--url", f"{url}/api/v1/", "--token", TOKEN, "list"],
    ):
        assert "Question 7?" in (await shell.run(*arguments)).out
    shell.env |= {"UNANSWERED_URL": url, "UNANSWERED_TOKEN": TOKEN}
    assert "Question 7?" in (await shell.run("list")).out


async def test_a_token_can_come_from_a_file_and_the_place_from_a_dotenv(
    shell: Shell, service: Service
) -> None:
    service.on("GET /items", listed(item(7)))
    (shell.folder / "token").write_text(f"{TOKEN}\n")
    (shell.folder / ".env").write_text(f"UNANSWERED_URL={shell.url}\nUNANSWERED_TOKEN_FILE=token\n")
    (shell.data / "cli.json").unlink()
    assert "Question 7?" in (await shell.run("list")).out


async def test_the_files_token_is_sent_to_the_files_service_only(
    shell: Shell, service: Service
) -> None:
    stranger = Service()
    async with serving(stranger) as url:
        result = await shell.run("list", "--url", url)
    assert result.code == 1
    assert f"A token is needed for {url}." in result.err
    assert stranger.heard == []
    service.on("GET /items", listed(item(7)))
    same = shell.url.replace("127.0.0.1", "localhost")
    assert "Question 7?" in (await shell.run("list", "--url", same)).out


async def test_a_refused_token_says_where_it_came_from(shell: Shell, service: Service) -> None:
    shell.env["UNANSWERED_TOKEN"] = "una_secretvalue"
    result = await shell.run("list")
    assert result.code == 1
    assert "A valid token is needed" in result.err
    assert "The token came from UNANSWERED_TOKEN" in result.err
    assert "secretvalue" not in result.err + result.out
    del shell.env["UNANSWERED_TOKEN"]
    shell.know(shell.url, "una_old")
    assert "start the service again" in (await shell.run("list")).err


@pytest.mark.parametrize("content", ["", "[]", '{"url": "http://x"}', "\ufeff{"])
async def test_a_broken_file_is_told(shell: Shell, content: str) -> None:
    shell.data.mkdir()
    (shell.data / "cli.json").write_text(content)
    result = await shell.run("list")
    assert result.code == 1
    assert "cli.json cannot be used (it is not what serve writes)" in result.err


@pytest.mark.parametrize("url", ["ftp://h", "localhost:8000", "http://u:pw@h", "http://h:x", "/"])
async def test_addresses_that_are_none(shell: Shell, url: str) -> None:
    result = await shell.run("list", "--url", url, "--token", "x")
    assert result.code == 1
    assert "is no address of a service" in result.err


async def test_a_problem_is_told_with_everything_a_person_needs(
    shell: Shell, service: Service
) -> None:
    service.on(
        "POST /items/7/dismiss",
        problem(
            409, "conflict", "Not possible in the present state", "7 is removed.\x1b[2J",
            current_status="removed", allowed_actions=["note", "label"],
        ),
    )  # fmt: skip
    result = await shell.run("dismiss", "7", "--reason", "duplicate")
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines() == [
        "Not possible in the present state: 7 is removed.",
        "  Now removed; possible: note, label.",
        "  (request req-1)",
    ]


async def test_wrong_input_names_the_fields(shell: Shell, service: Service) -> None:
    errors = [{"pointer": "/until", "code": "too_late", "detail": "At most 90 days."}]
    refusal = problem(422, "invalid-request", "The request is malformed", "See errors.")
    refusal.body["errors"] = errors
    service.on("POST /items/7/snooze", refusal)
    result = await shell.run("snooze", "7", "--for", "50w")
    assert result.code == 1
    assert "  /until: At most 90 days." in result.err


async def test_too_many_requests_says_how_long(shell: Shell, service: Service) -> None:
    busy = problem(429, "too-many-requests", "Too many requests", "Slow down.")
    busy.headers["retry-after"] = "7"
    service.on("GET /counts", busy)
    assert "Try again in 7 s." in (await shell.run("counts")).err


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"<html>hello</html>", 200, "text/html"),
        Answer(b"<html>gone</html>", 404, "text/html"),
        Answer({"message": "other API"}, 500),
        Answer([], 400),
        Answer(None, 302, headers={"location": "https://login.example/"}),
    ],
)
async def test_something_else_answers(shell: Shell, service: Service, answer: Answer) -> None:
    service.on("GET /items", answer)
    result = await shell.run("list")
    assert result.code == 1
    assert "answers, but not as Unanswered does" in result.err
    assert len(result.err.splitlines()) == 2


async def test_json_is_not_printed_for_a_failure(shell: Shell, service: Service) -> None:
    result = await shell.run("show", "7", "--json")
    assert (result.code, result.out) == (1, "")
    assert "/items/7 is not there." in result.err


async def test_a_closed_pipe_is_no_reason_to_complain(shell: Shell, service: Service) -> None:
    service.on("GET /items", listed(*(item(n, text="x" * 2000) for n in range(200))))
    reading, writing = socket.socketpair()
    process = await shell.start("list", stdout=writing, stderr=-1)
    writing.close()
    reading.close()
    _, told = await process.communicate()
    assert (process.returncode, told) == (0, b"")


async def test_ctrl_c_is_quiet(shell: Shell) -> None:
    with socket.socket() as silent:  # accepts, and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.settimeout(30)
        shell.know(f"http://127.0.0.1:{silent.getsockname()[1]}")
        process = await shell.start("list", stdout=-1, stderr=-1)
        connection, _ = await asyncio.to_thread(silent.accept)
        process.send_signal(2)
        out, told = await process.communicate()
        connection.close()
    assert (process.returncode, out, told) == (130, b"", b"")


async def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    shell: Shell, service: Service
) -> None:
    service.on("GET /items", listed(item(7)))
    shell.env |= {"HTTP_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9"}
    assert "Question 7?" in (await shell.run("list")).out


async def test_settings_of_the_service_may_be_set_beside(shell: Shell, service: Service) -> None:
    service.on("GET /items", listed(item(7)))
    (shell.folder / ".env").write_text('UNANSWERED_PORT="1\n')
    broken = await shell.run("list")
    assert broken.code == 1
    assert ".env, line 1" in broken.err
    assert json.loads((shell.data / "cli.json").read_text())["token"] not in broken.err
