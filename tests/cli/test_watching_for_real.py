"""`watch` as a process against `serve` as a process: on after a restart, clean at Ctrl-C."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

from app.db import open_database
from tests.cli.free_port import free_port
from tests.outbox.test_events import about, record_all
from tests.polling.test_workers import process, until
from tests.service import ADMIN_TOKEN


def seqs(log: Path) -> list[int]:
    """The numbers of the events that were shown."""
    lines = log.read_text().splitlines()
    return [json.loads(line)["seq"] for line in lines if line.startswith("{")]


async def test_it_goes_on_after_a_restart_and_ends_at_ctrl_c(
    sqlite_url: str, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "watch.log"
    environment = {
        "UNANSWERED_DATABASE_URL": sqlite_url,
        "UNANSWERED_DATA_DIR": str(tmp_path / "data"),
        "UNANSWERED_BOOTSTRAP_TOKEN": ADMIN_TOKEN,
        "UNANSWERED_URL": f"http://127.0.0.1:{port}",
        "UNANSWERED_TOKEN": ADMIN_TOKEN,
    }

    def command(name: str, *words: str) -> Any:
        return process(["-m", "app.cli", *words], tmp_path / f"{name}.log", **environment)

    serve = ("serve", "--port", str(port), "--no-demo", "--no-poll", "--no-migrate")
    db = open_database(sqlite_url)
    async with command("watch", "watch", "--json", "--after", "0") as watching:
        async with command("first", *serve) as service:
            await record_all(db, about(None, 1))
            await until(lambda: 1 in seqs(log))
            service.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(service.wait(), 20) == 0
        await record_all(db, about(None, 2))
        async with command("second", *serve):
            await until(lambda: 2 in seqs(log))
            await record_all(db, about(None, 3))
            await until(lambda: 3 in seqs(log))
            watching.send_signal(signal.SIGINT)
            assert await asyncio.wait_for(watching.wait(), 20) == 130
    await db.close()
    assert seqs(log) == [1, 2, 3]
    assert "Traceback" not in log.read_text()
