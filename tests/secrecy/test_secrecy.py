"""No secret is where it should not be: in no answer, no log, no file, in no spelling."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import sys
from base64 import b64encode, urlsafe_b64encode
from contextlib import AsyncExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import Connection, select

from app.connectors.registry import PLATFORMS
from app.settings import Settings
from app.team.secrets import KEY_CHECK_COLUMN, SEALED_COLUMNS
from tests.cli.conftest import Shell
from tests.databases import on_database, reflected
from tests.secrecy.canaries import Canaries
from tests.secrecy.walk import NEVER_SENT, Walk, settings_with

ENVELOPE = re.compile(r"v1\.[0-9a-f]{16}\.")
COMMANDS = (
    ("list", "--json"), ("sources", "list", "--json"), ("tokens", "list", "--json"), ("doctor",),
    ("audit", "--export", "csv"), ("backup", "copy.db"), ("secrets", "rotate"),
    ("export", "-o", "all.ndjson", "--status", "any", "--backlog", "include"),
)  # fmt: skip


SEEN = {
    "control name": {
        "GET /api/v1/labels 200", "GET /api/v1/items/1 200", "all.ndjson", "copy.db",
        "unanswered.db",
    },
    "control request": {
        "POST /api/v1/labels 201", "GET /api/v1/audit 200", "GET /api/v1/audit/export 200",
        "audit --export csv", "copy.db", "err", "unanswered.db",
    },
}  # fmt: skip
"""Where the controls must be found: else what was looked through is not what it seems."""


@pytest.mark.parametrize(
    "form",
    [
        str.encode,
        lambda s: b64encode(s.encode()),
        lambda s: b64encode(f"x:{s}".encode()),
        lambda s: urlsafe_b64encode(f"xy:{s}z".encode()),
        lambda s: quote(s, safe="").encode(),
        lambda s: json.dumps({"a": s + '"'}).encode(),
        lambda s: s.encode().hex().encode(),
    ],
)
def test_a_secret_is_found_in_every_spelling(form: Any) -> None:
    canaries = Canaries()
    secret = canaries.make("x access_token")
    canaries.make("another")
    assert canaries.found_in(b"before " + form(secret) + b" after") == {"x access_token"}
    assert canaries.found_in(b"innocent") == frozenset()


def test_no_secret_setting_is_forgotten() -> None:
    given = settings_with(Canaries()).keys() | {"UNANSWERED_DATABASE_URL"}  # below, with a command
    assert {f"UNANSWERED_{name.upper()}" for name in Settings.secrets} == given


async def serve(shell: Shell) -> tuple[asyncio.subprocess.Process, str]:
    """A service that logs everything; and its address, once it is ready."""
    out, err = (shell.folder / "out").open("wb"), (shell.folder / "err").open("wb")
    with out, err:
        process = await shell.start("serve", "--port", "0", "--no-demo", stdout=out, stderr=err)
    for _ in range(600):
        if (told := (shell.folder / "out").read_text()).count("\n") > 1:
            return process, told.split()[3]
        await asyncio.sleep(0.1)
    raise AssertionError((shell.folder / "err").read_text()[-2000:])


async def command_line(walk: Walk, shell: Shell) -> None:
    """Commands that work, and some that fail with a secret in hand."""
    for words in COMMANDS:
        done = await shell.run(*words)
        walk.keep(" ".join(words), done.out + done.err)
    password, typed = walk.canaries.make("database password"), walk.canaries.make("typed token")
    url = f"postgresql://desk:{quote(password, safe='')}@127.0.0.1:1/inbox"
    for words, more in (
        (("migrate",), {"UNANSWERED_DATABASE_URL": url}),
        (("doctor",), {"UNANSWERED_DATABASE_URL": url}),
        (("copy", "--to", url), {}),
        (("sources", "list"), {"UNANSWERED_TOKEN": typed}),
    ):
        kept, shell.env = shell.env, shell.env | more
        done = await shell.run(*words)
        shell.env = kept
        assert done.code == 1, (words, done.out, done.err)
        walk.keep(f"{' '.join(words)} with a secret", done.out + done.err)


def keep_process(walk: Walk, pid: int) -> None:
    """What everybody on the machine sees of it."""
    walk.keep("arguments", Path(f"/proc/{pid}/cmdline").read_bytes())


def keep_files(walk: Walk, shell: Shell) -> None:
    """Logs, databases, backups, exports: all but the file that holds the command line's token."""
    for path in shell.folder.rglob("*"):
        if path.is_file() and path.name != "cli.json":
            walk.keep(path.name, path.read_bytes())


def envelopes_in(database: Path) -> set[tuple[str, str]]:
    """The columns of a database that hold envelopes."""
    found = set()
    with closing(sqlite3.connect(database)) as raw:
        raw.row_factory = sqlite3.Row
        tables = raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in raw.execute(f'SELECT * FROM "{table}"'):
                found |= {(table, k) for k in row.keys() if ENVELOPE.search(str(row[k]))}  # noqa: SIM118
    return found


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
async def test_no_secret_is_seen_anywhere(shell: Shell) -> None:
    canaries = Canaries()
    shell.env |= settings_with(canaries) | {
        "UNANSWERED_LOG_LEVEL": "debug",
        "UNANSWERED_ALLOW_NETWORKS": "127.0.0.0/8",
        "UNANSWERED_REQUESTS_PER_SECOND": "500",
    }
    process, base = await serve(shell)
    token = shell.env["UNANSWERED_BOOTSTRAP_TOKEN"]
    try:
        async with (
            AsyncExitStack() as stack,
            httpx.AsyncClient(
                base_url=base, headers={"authorization": f"Bearer {token}"}, timeout=60
            ) as api,
        ):
            walk = Walk(api, canaries, stack)
            await walk.platforms()
            await walk.controls()
            await walk.consents()
            await walk.own()
            await walk.people()
            await walk.refused()
            await walk.everything()
            await command_line(walk, shell)
            keep_process(walk, process.pid)
            keep_files(walk, shell)
    finally:
        process.terminate()
        await process.wait()
    keep_files(walk, shell)
    assert '"level": "debug"' in (shell.folder / "err").read_text()
    assert walk.leaks() == set()
    found = walk.controls_in()
    assert {slot: places & SEEN[slot] for slot, places in found.items()} == SEEN
    heard = canaries.found_in(b"".join(mirror.heard for mirror in walk.mirrors.values()))
    kept_back = {slot for slot in canaries.slots if slot.split()[0] in PLATFORMS} - heard
    assert kept_back == NEVER_SENT, "never sent, so nothing was proven of these"
    assert envelopes_in(shell.data / "unanswered.db") == {*SEALED_COLUMNS, KEY_CHECK_COLUMN}


def of_columns(connection: Connection) -> bytes:
    """Every value of every table as the database has it."""
    found = []
    for table in reflected(connection).sorted_tables:
        for row in connection.execute(select(table)):
            found += [bytes(v) if isinstance(v, bytes) else str(v).encode() for v in row]
    return b"\n".join(found)


@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="as above")
async def test_no_secret_is_seen_on_postgresql(shell: Shell, postgres_url: str) -> None:
    """A shorter walk: what differs is how values lie in the tables, and what the driver logs."""
    canaries = Canaries()
    shell.env |= settings_with(canaries) | {
        "UNANSWERED_DATABASE_URL": postgres_url,
        "UNANSWERED_LOG_LEVEL": "debug",
        "UNANSWERED_ALLOW_NETWORKS": "127.0.0.0/8",
    }
    process, base = await serve(shell)
    bearer = {"authorization": f"Bearer {shell.env['UNANSWERED_BOOTSTRAP_TOKEN']}"}
    try:
        async with (
            AsyncExitStack() as stack,
            httpx.AsyncClient(base_url=base, headers=bearer, timeout=60) as api,
        ):
            walk = Walk(api, canaries, stack)
            await walk.platforms("mastodon")
            await walk.controls()
            await walk.own()
            await walk.people()
    finally:
        process.terminate()
        await process.wait()
    keep_files(walk, shell)
    walk.keep("tables", await asyncio.to_thread(on_database, postgres_url, of_columns))
    assert walk.leaks() == set()
    found = walk.controls_in()
    assert "tables" in found["control name"]
    assert {"tables", "err"} <= found["control request"]
