"""Start-up: a list needs neither the server's libraries nor a table drawer."""

from __future__ import annotations

import re

import pytest

from app.cli.root import COMMANDS
from tests.cli.conftest import Shell
from tests.cli.service import Service, item, listed

HEAVY = {"fastapi", "starlette", "sqlalchemy", "alembic", "pydantic", "pydantic_settings", "rich",
         "pygments", "structlog", "uvicorn", "apscheduler", "asyncio", "cryptography"}  # fmt: skip


def imported(told: str) -> set[str]:
    return {line.rpartition("|")[2].strip() for line in told.splitlines() if "|" in line}


async def test_a_list_as_json_imports_nothing_heavy(shell: Shell, service: Service) -> None:
    service.on("GET /items", listed(item(1)))
    result = await shell.run("list", "--json", python=["-X", "importtime"])
    names = imported(result.err)
    assert "httpx" in names  # the measure measures
    assert names & HEAVY <= {"asyncio"}
    assert len(names) < 420


async def test_a_table_in_a_pipe_draws_without_rich(shell: Shell, service: Service) -> None:
    service.on("GET /items", listed(item(1)))
    result = await shell.run("list", python=["-X", "importtime"])
    assert "rich" not in imported(result.err)


async def test_help_and_version(shell: Shell) -> None:
    told = await shell.run("--help")
    assert told.code == 0
    assert all(re.search(rf"^  {word} ", told.out, re.MULTILINE) for word in COMMANDS)
    version = await shell.run("--version")
    assert (version.code, version.out.startswith("unanswered, version ")) == (0, True)
    bare = await shell.run()
    assert bare.code == 2


@pytest.mark.parametrize("words", [["lits"], ["show"], ["sources", "ad"], ["--nope", "list"]])
async def test_unknown_words_are_usage_errors(shell: Shell, words: list[str]) -> None:
    result = await shell.run(*words)
    assert result.code == 2
    assert "Traceback" not in result.err


async def test_the_shell_can_complete_words(shell: Shell) -> None:
    shell.env |= {"_UNANSWERED_COMPLETE": "bash_complete", "COMP_WORDS": "unanswered cou",
                  "COMP_CWORD": "1"}  # fmt: skip
    assert (await shell.run()).out.split() == ["plain,counts"]
