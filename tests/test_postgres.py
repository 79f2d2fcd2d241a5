"""The PostgreSQL of the tests starts, answers, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.postgres import (
    Postgres,
    create_database,
    drop_database,
    parse_url,
    running_postgres,
)

ROOT = Path(__file__).resolve().parent.parent
HOLDS_A_SERVER = """
from pathlib import Path
import sys, time
from tests.postgres import running_postgres
with running_postgres(Path(sys.argv[1])):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _own_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNANSWERED_TEST_POSTGRES_URL", raising=False)


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that everybody can reach, with a blank and letters beyond ASCII."""
    parent = Path(tempfile.mkdtemp(prefix="unanswered-"))
    parent.chmod(0o755)
    folder = parent / "pg ü "
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(parent)


def servers_in(folder: Path) -> list[int]:
    """Processes whose command line names the folder (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue  # it has just ended
        if (
            command.startswith(b"/")
            and os.fsencode(folder) in command
            and b"postgres\0-D" in command
        ):
            found.append(int(entry.name))
    return found


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def value(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_it_answers_copies_databases_and_leaves_nothing(base: Path) -> None:
    with running_postgres(base) as server:
        assert servers_in(base)
        template = await create_database(server, "tpl")
        await value(template, "CREATE TABLE t AS SELECT 41 AS x")
        copy = await create_database(server, "copy 1", template="tpl")
        assert await value(copy, "SELECT x + 1 FROM t") == 42
        await drop_database(server, "copy 1")
        await drop_database(server, "copy 1")
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await value(copy, "SELECT 1")
    assert servers_in(base) == []
    assert files_in(base) == []


async def test_dropping_ends_open_connections(base: Path) -> None:
    with running_postgres(base) as server:
        url = await create_database(server, "busy")
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        await drop_database(server, "busy")
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.fetchval("SELECT 1")
        connection.terminate()


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux tells a child of its parent's death"
)
def test_it_ends_when_the_tests_are_killed(base: Path) -> None:
    command = [sys.executable, "-c", HOLDS_A_SERVER, str(base)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        assert servers_in(base)
        holder.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while servers_in(base) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert servers_in(base) == []


def test_a_given_server_is_used(monkeypatch: pytest.MonkeyPatch, base: Path) -> None:
    given = "postgresql+asyncpg://some%40one:s%2Fcret@127.0.0.1:5499/postgres"
    monkeypatch.setenv("UNANSWERED_TEST_POSTGRES_URL", given)
    with running_postgres(base) as server:
        assert server == Postgres("127.0.0.1", 5499, "some@one", "s/cret")
        assert server.url("postgres") == given
    assert (
        parse_url("postgresql://[::1]/x").url("y") == "postgresql+asyncpg://postgres@[::1]:5432/y"
    )
