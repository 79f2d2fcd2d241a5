"""Request Tracker 5 against ours: 50 open tickets as JSON, one request after the other.

    python -m benchmarks.peers.tracker [--rows N]

It is Debian's package, with a PostgreSQL of the bench's own, settings in a temporary folder and one
worker of Starman. The items become tickets of one queue: the first open ones over REST 2.0, as a
person would make them, the others as copies in SQL. Who asks is its administrator, signed in once,
so that no rights are checked.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from benchmarks.data import FOLDER, item_rows, sqlite_data
from benchmarks.peers.asking import compare, options, wait
from benchmarks.report import Report
from benchmarks.service import dead_port, service
from tests.postgres import Postgres, breakable_postgres

SETUP = Path("/usr/sbin/rt-setup-database-5")
SERVER = Path("/usr/share/request-tracker5/libexec/rt-server")
STARMAN = Path("/usr/bin/starman")
INSTALL = """Request Tracker 5 is missing. On Debian 12, as root:
    echo request-tracker5 request-tracker5/dbconfig-install boolean false | debconf-set-selections
    apt-get install -y --no-install-recommends request-tracker5 rt5-db-postgresql rt5-standalone \\
        starman"""
MADE = 200
"""Tickets that are made over REST 2.0, which takes from 150 ms each."""
FIELDS = (
    *("Subject", "Status", "Queue", "Type", "Priority", "Requestor", "Owner", "Creator"),
    *("LastUpdatedBy", "Created", "Started", "Due", "Resolved", "LastUpdated", "TimeWorked"),
)
WANTED = {"query": "Status='new'", "per_page": "50", "fields": ",".join(FIELDS)}
_PASSWORD = "of a bench"  # noqa: S105  # of a server that ends with the bench
_SETTINGS = """
Set($rtname, "bench");
Set($WebDomain, "127.0.0.1");
Set($WebPort, {web_port});
Set($DatabaseType, "Pg");
Set($DatabaseHost, "{database.host}");
Set($DatabasePort, "{database.port}");
Set($DatabaseName, "rt5");
Set($DatabaseUser, "{database.user}");
Set($DatabasePassword, "none");
Set($MailCommand, "testfile");
Set($LogToSyslog, undef);
Set($LogToSTDERR, "error");
$RT::VarPath = "{folder}";
$RT::MasonDataDir = "{folder}/mason";
$RT::MasonSessionDir = "{folder}/sessions";
1;
"""
_TOLD = "CREATE TEMP TABLE told (n bigint, title text, text text, at timestamp, status text)"
_COPY = """
CREATE TEMP TABLE pattern AS SELECT max(id) AS id FROM tickets;
CREATE TEMP TABLE roles AS SELECT groups.id FROM groups, pattern
    WHERE domain = 'RT::Ticket-Role' AND instance = pattern.id;
CREATE TEMP TABLE changes AS SELECT transactions.id FROM transactions, pattern
    WHERE objecttype = 'RT::Ticket' AND objectid = pattern.id
    OR objecttype = 'RT::Group' AND objectid IN (SELECT id FROM roles);
INSERT INTO tickets SELECT (jsonb_populate_record(t, jsonb_build_object(
        'id', t.id + n * 20, 'effectiveid', t.id + n * 20, 'subject', title, 'status', told.status,
        'created', at, 'lastupdated', at,
        'resolved', CASE told.status WHEN 'resolved' THEN at ELSE t.resolved END))).*
    FROM tickets t, told WHERE t.id IN (SELECT id FROM pattern);
INSERT INTO principals SELECT (jsonb_populate_record(t, jsonb_build_object(
        'id', t.id + n * 20))).*
    FROM principals t, told WHERE t.id IN (SELECT id FROM roles);
INSERT INTO groups SELECT (jsonb_populate_record(t, jsonb_build_object(
        'id', t.id + n * 20, 'instance', t.instance + n * 20))).*
    FROM groups t, told WHERE t.id IN (SELECT id FROM roles);
INSERT INTO groupmembers SELECT (jsonb_populate_record(t, jsonb_build_object(
        'id', t.id + n * 20, 'groupid', t.groupid + n * 20))).*
    FROM groupmembers t, told WHERE t.groupid IN (SELECT id FROM roles);
INSERT INTO cachedgroupmembers SELECT (jsonb_populate_record(t, jsonb_build_object(
        'id', t.id + n * 20, 'via', t.via + n * 20, 'groupid', t.groupid + n * 20,
        'immediateparentid', t.immediateparentid + n * 20,
        'memberid', CASE t.memberid WHEN t.groupid THEN n * 20 ELSE 0 END + t.memberid))).*
    FROM cachedgroupmembers t, told WHERE t.groupid IN (SELECT id FROM roles);
INSERT INTO transactions SELECT (jsonb_populate_record(t, jsonb_build_object(
        'id', t.id + n * 20, 'objectid', t.objectid + n * 20, 'created', at))).*
    FROM transactions t, told WHERE t.id IN (SELECT id FROM changes);
INSERT INTO attachments SELECT (jsonb_populate_record(t, jsonb_build_object(
        'id', t.id + n * 20, 'transactionid', t.transactionid + n * 20,
        'subject', title, 'content', told.text, 'created', at))).*
    FROM attachments t, told WHERE t.transactionid IN (SELECT id FROM changes);
"""
"""Copies of the last ticket with all that belongs to it: every id rises by 20 from one to the next,
as no table has more rows of one ticket.
"""


@dataclass(frozen=True, slots=True)
class Tracker:
    """Who is signed in, and the versions that answer."""

    client: httpx.Client
    versions: str

    def ask(self) -> httpx.Response:
        return self.client.get("/REST/2.0/tickets", params=WANTED)


def main(arguments: Sequence[str]) -> int:
    offered = options("tracker", __doc__)
    offered.set_defaults(rounds=21, requests=10)  # short rounds: both see the same load
    chosen = offered.parse_args(arguments)
    if not all(program.exists() for program in (SETUP, SERVER, STARMAN)):
        sys.exit(INSTALL)
    data = Path(asyncio.run(sqlite_data(chosen.rows)).removeprefix("sqlite:///"))
    report = Report("tracker", {"rows": chosen.rows}, unit="ms")
    with (
        _tracker(chosen.rows) as theirs,
        service(data, FOLDER / "home") as running,
        running.client() as api,
    ):
        shown = theirs.ask().raise_for_status().json()["items"]
        assert len(shown) == 50, f"it shows {len(shown)} tickets"
        assert all(field in ticket for ticket in shown for field in FIELDS), shown[0]
        report.notes.append(theirs.versions)
        asked = {"ours": lambda: api.get("/items"), "Request Tracker": theirs.ask}
        compare(report, "L7-tracker", asked, chosen)
    return 0


@contextmanager
def _tracker(rows: int) -> Iterator[Tracker]:
    port = dead_port()
    with (
        tempfile.TemporaryDirectory() as made,
        breakable_postgres(shared_buffers="128MB") as own,
    ):
        folder, database = Path(made), own.server
        env = _set_up(folder, database, port)
        url = database.url("rt5", scheme="postgresql")
        asyncio.run(_execute(url, "UPDATE scrips SET disabled = 1"))  # who would get mail
        with _serving(folder, env, port) as client:
            asyncio.run(_fill(url, client, rows))
            yield Tracker(client, _versions(url, client))


def _set_up(folder: Path, database: Postgres, port: int) -> Mapping[str, str]:
    """Makes its database and returns the environment in which its programs find it."""
    for name in ("mason", "sessions"):
        (folder / name).mkdir()
    settings, password = folder / "RT_SiteConfig.pm", folder / "password"
    told = _SETTINGS.format(web_port=port, database=database, folder=folder)
    settings.write_text(told.lstrip(), encoding="utf-8")
    password.write_text(f"{_PASSWORD}\n", encoding="utf-8")
    more = {"RT_SITE_CONFIG": str(settings), "RT_SITE_CONFIG_DIR": str(folder / "none")}
    env = {**os.environ, **more}
    words = [str(SETUP), "--action", "init", "--dba", database.user, "--dba-password", "none"]
    words += ["--root-password-file", str(password)]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Request Tracker was not set up: {done.stderr}")
    return env


@contextmanager
def _serving(folder: Path, env: Mapping[str, str], port: int) -> Iterator[httpx.Client]:
    words = [str(SERVER), "--server", "Starman", "--host", "127.0.0.1", "--port", str(port)]
    words += ["--workers", "1", "--max-requests", "1000000", "--env", "deployment"]
    base = f"http://127.0.0.1:{port}"
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(words, env=env, stdout=log, stderr=log) as process,
    ):
        try:
            wait(base)
            with httpx.Client(base_url=base, timeout=60) as client:
                told = {"user": "root", "pass": _PASSWORD}
                client.post("/NoAuth/Login.html", data=told).raise_for_status()
                yield client
        finally:
            process.terminate()
            process.wait(15)


async def _fill(url: str, client: httpx.Client, rows: int) -> None:
    """The first open ones over REST, the others as copies of the last of these."""
    made: list[tuple[datetime, int]] = []
    copied: list[tuple[int, str, str, datetime, str]] = []
    for row in item_rows(rows, seed=1):
        at = row["occurred_at"].astimezone(UTC).replace(tzinfo=None)  # as it keeps them
        is_open = row["status"] == "unanswered"
        if is_open and len(made) < MADE:
            made.append((at, _make(client, row)))
        else:
            status = "new" if is_open else "resolved"
            copied.append((len(copied) + 1, row["text"][:100], row["text"], at, status))
    connection = await asyncpg.connect(url)
    try:
        await connection.executemany(
            "UPDATE tickets SET created = $1, lastupdated = $1 WHERE id = $2", made
        )
        await connection.execute(_TOLD)
        await connection.copy_records_to_table("told", records=copied)
        await connection.execute(_COPY)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _make(client: httpx.Client, row: Mapping[str, Any]) -> int:
    ticket = {
        "Queue": "General", "Subject": row["text"][:100], "Content": row["text"],
        "ContentType": "text/plain", "Requestor": f"person{row['author_id']}@example.org",
    }  # fmt: skip
    answer = client.post("/REST/2.0/ticket", json=ticket).raise_for_status()
    return int(answer.json()["id"])


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _versions(url: str, client: httpx.Client) -> str:
    """What answers, and how many tickets it has."""
    tracker = client.get("/REST/2.0/rt").raise_for_status().json()["Version"]
    starman = subprocess.run([STARMAN, "--version"], capture_output=True, text=True, check=True)
    postgres, tickets, is_open = asyncio.run(_counted(url))
    what = f"Request Tracker {tracker}, {starman.stdout.splitlines()[0]}, PostgreSQL {postgres}"
    return f"{what}: {tickets} tickets, {is_open} of them open"


async def _counted(url: str) -> tuple[str, int, int]:
    connection = await asyncpg.connect(url)
    try:
        version: str = await connection.fetchval("SHOW server_version")
        tickets: int = await connection.fetchval("SELECT count(*) FROM tickets")
        is_open = "SELECT count(*) FROM tickets WHERE status = 'new'"
        return version, tickets, await connection.fetchval(is_open)
    finally:
        await connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
