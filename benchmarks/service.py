"""A service as a process, the writer of events, and the crowd that listens or receives."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Running:
    """Where it is and how to speak to it."""

    pid: int
    data: Path
    url: str
    token: str

    def cpu_seconds(self) -> float:
        """Processor time it has used so far (Linux, proc(5): utime and stime)."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, verify=False)


@contextmanager
def service(
    database: Path | None = None, home: Path | None = None, url: str | None = None
) -> Iterator[Running]:
    """`unanswered serve` with the demo, on a database of its own; or without demo and polling on a
    copy of `database`, or on the one at `url`, whose key lies in `home`.
    """
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        more: list[str] = []
        if database is not None:
            shutil.copy(database, data / "unanswered.db")
        if database is not None or url is not None:
            more = ["--no-demo", "--no-poll"]
        if home is not None and (home / "secret.key").exists():
            shutil.copy(home / "secret.key", data)
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "UNANSWERED_DATA_DIR": folder,
            "UNANSWERED_ALLOW_NETWORKS": "127.0.0.0/8",
            "UNANSWERED_STREAMS_PER_TOKEN": "10000",
            "UNANSWERED_LOG_LEVEL": "error",
        }
        if url is not None:
            env["UNANSWERED_DATABASE_URL"] = url
        command = [sys.executable, "-P", "-m", "app.cli", "serve", "--port", "0", *more]
        with subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.DEVNULL) as process:
            try:
                yield _ready(process.pid, data)
            finally:
                process.terminate()
                process.wait(15)


def _ready(pid: int, data: Path) -> Running:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        time.sleep(0.2)
        try:
            place = json.loads((data / "cli.json").read_text())
            if httpx.get(f"{place['url']}/healthz", verify=False).status_code == httpx.codes.OK:
                return Running(pid, data, place["url"], place["token"])
        except (OSError, ValueError, httpx.TransportError):
            continue
    raise RuntimeError("the service did not start")


@contextmanager
def beside(*words: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m benchmarks.crowd <words>`; it says `ready` when it is."""
    command = [sys.executable, "-m", "benchmarks.crowd", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def dead_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say_ready() -> None:
    print("ready", flush=True)


async def for_ever() -> None:
    await asyncio.Event().wait()
