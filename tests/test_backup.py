"""A backup is whole whatever is written meanwhile, and what is restored works."""

from __future__ import annotations

import asyncio
import shlex
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, update

from app.backup import WAYS_IN, back_up, postgres_lines, restore
from app.clock import monotonic
from app.db import open_database
from app.db_url import sqlite_path
from app.errors import Conflict
from app.main import only_poller
from app.outbox.events import POLLER, Event, record
from app.outbox.models import event_counter
from app.outbox.webhooks.models import delivery
from app.schema import HEAD, SchemaTooNew, current_revision, migrate
from app.sources.models import source
from app.sqlite_file import NotIntact, look_into
from tests.databases import contents, on_database
from tests.long_results import part
from tests.populating import populate
from tests.service import NOON, running_service

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


@pytest.fixture
def database(sqlite_url: str) -> Path:
    path = sqlite_path(sqlite_url)
    assert path is not None
    return path


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*.new*")]


def row(number: int) -> dict[str, Any]:
    columns = ("name", "host", "platform", "origin")
    texts = {name: f"{name} {number}" for name in columns} | {"platform": "demo"}
    whole = {"poll_interval": 60, "backfill": 0, "backlog_after": 0}
    times = {"created_at": NOON, "updated_at": NOON}
    return {**texts, **whole, **times, "settings": {}, "warnings": [], "labels": []}


async def backed_up_during_writes(
    database: Path, sqlite_url: str, tmp_path: Path, copies_wanted: int, *, at_once: int = 1
) -> int:
    """Each transaction adds as many sources as events: a copy has as many of the one as of the
    other, without a hole, or it was not taken at one moment. Returns how many were written.
    """
    db = open_database(sqlite_url)
    stop = asyncio.Event()
    written = 0

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            async with db.write() as tx:
                for number in range(written, written + at_once):
                    await tx.execute(insert(source).values(**row(number)))
                    record(tx, Event(type="source.added", at=NOON, actor=POLLER, source_id=number))
            written += at_once

    writing = asyncio.create_task(write())
    copies = []
    for number in range(copies_wanted):
        before = written
        while written < before + 4:  # noqa: ASYNC110  # copies are taken amid writes
            await asyncio.sleep(0.001)
        before = written
        target = tmp_path / f"copy {number} ü.db"
        copied = await asyncio.to_thread(back_up, database, target, replace=False)
        assert copied.last_event >= before
        copies.append((target, copied))
    stop.set()
    await writing
    await db.close()
    assert written > 10
    for target, copied in copies:
        assert mode(target) == 0o600
        with closing(sqlite3.connect(target)) as raw:
            assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            seqs = [seq for (seq,) in raw.execute("SELECT seq FROM event ORDER BY seq")]
            assert seqs == list(range(1, copied.last_event + 1))
            assert raw.execute("SELECT count(*) FROM source").fetchone() == (len(seqs),)
            assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
    assert left_over(tmp_path) == []
    return written


async def test_a_backup_during_writes_is_a_prefix_of_what_was_written(
    database: Path, sqlite_url: str, tmp_path: Path
) -> None:
    await backed_up_during_writes(database, sqlite_url, tmp_path, 3)


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_twenty_backups_during_writes_are_each_a_prefix(
    database: Path, sqlite_url: str, tmp_path: Path
) -> None:
    with part("20 backups during writes") as figures:
        began = monotonic()
        figures["written"] = await backed_up_during_writes(
            database, sqlite_url, tmp_path, 20, at_once=20
        )
        figures["written_per_second"] = round(figures["written"] / (monotonic() - began))


async def test_a_restored_service_has_what_the_backup_had_and_starts(
    database: Path, sqlite_url: str, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    async with running_service(sqlite_url, data, poll=False) as service:
        await service.api.post("/api/v1/tokens", json={"name": "kept", "role": "viewer"})
        await asyncio.to_thread(back_up, database, tmp_path / "copy", replace=False)
        await service.api.post("/api/v1/tokens", json={"name": "later", "role": "viewer"})
        with pytest.raises(Conflict, match="A service uses"):
            await asyncio.to_thread(restore, tmp_path / "copy", database, NOW)
    found, aside = await asyncio.to_thread(restore, tmp_path / "copy", database, NOW)
    assert found.revision == HEAD
    assert aside == database.with_name(f"{database.name}.before-restore-20261127T080000Z")
    assert mode(database) == 0o600
    async with running_service(sqlite_url, data, poll=False) as service:
        listed = (await service.api.get("/api/v1/tokens")).json()["items"]
        names = {each["name"] for each in listed}
        assert "kept" in names
        assert "later" not in names
    with closing(sqlite3.connect(aside)) as raw:
        assert raw.execute("SELECT count(*) FROM token WHERE name = 'later'").fetchone() == (1,)


def test_what_waited_for_a_webhook_is_not_sent_a_second_time(
    database: Path, sqlite_url: str, tmp_path: Path
) -> None:
    def fill(connection: Connection) -> None:
        populate(connection, 6)
        waiting = {"state": "pending", "error_code": None}
        connection.execute(update(delivery).where(delivery.c.id <= 4).values(waiting))
        done = {"state": "delivered", "error_code": None}
        connection.execute(update(delivery).where(delivery.c.id > 4).values(done))
        connection.execute(update(event_counter).values(last=77))

    on_database(sqlite_url, fill)
    back_up(database, tmp_path / "copy", replace=False)
    restore(tmp_path / "copy", database, NOW)
    found = on_database(sqlite_url, contents)
    states = [(each["state"], each["error_code"]) for each in found["delivery"]]
    assert states == [("dead", "restored")] * 4 + [("delivered", None)] * 2
    assert {each["read_through"] for each in found["webhook"]} == {77}
    assert all("replay it" in each["error_detail"] for each in found["delivery"][:4])
    original = on_database(f"sqlite:///{tmp_path / 'copy'}", contents)
    assert [each["state"] for each in original["delivery"][:4]] == ["pending"] * 4


def test_nobody_is_signed_in_or_half_way_in_a_restored_database(
    database: Path, sqlite_url: str, tmp_path: Path
) -> None:
    on_database(sqlite_url, lambda c: populate(c, 3))
    back_up(database, tmp_path / "copy", replace=False)
    restore(tmp_path / "copy", database, NOW)
    found = on_database(sqlite_url, contents)
    rows = {table: len(found[table]) for table in (*WAYS_IN, "user", "token", "password")}
    assert rows == dict.fromkeys(WAYS_IN, 0) | {"user": 3, "token": 3, "password": 3}
    original = on_database(f"sqlite:///{tmp_path / 'copy'}", contents)
    assert {len(original[table]) for table in WAYS_IN} == {3}


def test_the_line_after_a_restore_does_the_same_on_postgresql(postgres_url: str) -> None:
    def fill(connection: Connection) -> None:
        populate(connection, 2)
        waiting = {"state": "pending", "error_code": None}
        connection.execute(update(delivery).values(waiting))

    on_database(postgres_url, fill)
    *_, after = postgres_lines(postgres_url, "copy.dump")
    statements = shlex.split(after)[-1].removeprefix("--command=")

    def hold_back(connection: Connection) -> None:
        for statement in statements.split("; "):
            connection.exec_driver_sql(statement)

    on_database(postgres_url, hold_back)
    found = on_database(postgres_url, contents)
    assert {table: len(found[table]) for table in WAYS_IN} == dict.fromkeys(WAYS_IN, 0)
    assert {(each["state"], each["error_code"]) for each in found["delivery"]} == {
        ("dead", "restored")
    }
    assert len(found["user"]) == 2


def test_nothing_is_restored_while_somebody_polls(
    database: Path, sqlite_url: str, tmp_path: Path
) -> None:
    back_up(database, tmp_path / "copy", replace=False)
    before = database.read_bytes()
    with only_poller(sqlite_url), pytest.raises(Conflict, match="Stop every one"):
        restore(tmp_path / "copy", database, NOW)
    assert database.read_bytes() == before


def test_a_file_is_replaced_only_when_asked(database: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy"
    target.write_text("a letter")
    with pytest.raises(Conflict, match="--force"):
        back_up(database, target, replace=False)
    assert target.read_text() == "a letter"
    back_up(database, target, replace=True)
    assert look_into(target).revision == HEAD
    with pytest.raises(Conflict, match="itself"):
        back_up(database, database, replace=True)


@pytest.mark.parametrize("content", [b"", b"a letter", b"SQLite format 3\x00" + b"x" * 5000])
def test_what_is_no_backup_changes_nothing(database: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "letter").write_bytes(content)
    before = database.read_bytes()
    with pytest.raises((NotIntact, Conflict)):
        restore(tmp_path / "letter", database, NOW)
    assert database.read_bytes() == before
    assert [each.name for each in database.parent.iterdir()] == [database.name]


def test_a_damaged_backup_is_told(database: Path, sqlite_url: str, tmp_path: Path) -> None:
    on_database(sqlite_url, lambda c: populate(c, 50))
    copy = tmp_path / "copy"
    back_up(database, copy, replace=False)
    whole = bytearray(copy.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 9000] = b"\xff" * 9000
    copy.write_bytes(whole)
    with pytest.raises(NotIntact, match="copy is"):
        restore(copy, database, NOW)


def test_a_backup_of_a_newer_version_is_refused(database: Path, tmp_path: Path) -> None:
    back_up(database, tmp_path / "copy", replace=False)
    with closing(sqlite3.connect(tmp_path / "copy")) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = 'from-the-future'")
    with pytest.raises(SchemaTooNew):
        restore(tmp_path / "copy", database, NOW)


def test_a_damaged_database_can_be_replaced(
    database: Path, sqlite_url: str, tmp_path: Path
) -> None:
    back_up(database, tmp_path / "copy", replace=False)
    database.write_bytes(b"rubbish" * 1000)
    _, aside = restore(tmp_path / "copy", database, NOW)
    assert look_into(database).revision == HEAD
    assert aside is not None
    assert aside.read_bytes().startswith(b"rubbish")


def test_a_database_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "unanswered.db"
    url = f"sqlite:///{path}"
    migrate(url, "0003")
    assert list(tmp_path.glob("*.at-*")) == []  # there was nothing to lose
    on_database(url, lambda c: populate(c, 3))
    before = on_database(url, contents)
    migrate(url)
    copy = tmp_path / "unanswered.db.at-0003"
    assert mode(copy) == 0o600
    assert current_revision(f"sqlite:///{copy}") == "0003"
    assert on_database(f"sqlite:///{copy}", contents) == before
    migrate(url)
    assert [each.name for each in tmp_path.glob("*.at-*")] == [copy.name]


def test_the_lines_for_postgresql_hold_no_password() -> None:
    url = "postgresql://desk:geheim@db.example:5433/inbox"
    out, back, after = postgres_lines(url, "copy.dump")
    where = "--host=db.example --port=5433 --username=desk --dbname=inbox"
    assert out == f"pg_dump --format=custom --file=copy.dump {where}"
    assert back == f"pg_restore --clean --if-exists --single-transaction {where} copy.dump"
    assert after.startswith(f"psql --single-transaction {where} --command='")
    assert "geheim" not in out + back + after
