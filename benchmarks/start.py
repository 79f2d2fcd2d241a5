"""From exec to the first 200 against a bare FastAPI application; memory; the CLI's list."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Report
from benchmarks.rounds import Ratio, Rounds, in_turn
from benchmarks.service import ROOT

PATIENCE = 60.0
_SERVE = ["-m", "app.cli", "serve", "--no-demo"]


@dataclass(frozen=True, slots=True)
class Start:
    """Wall and processor milliseconds until the first 200."""

    wall: float
    cpu: float


def main(arguments: Sequence[str]) -> Report:
    options = argparse.ArgumentParser(prog="run.py bench start", description=__doc__)
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--requests", type=int, default=3000, help="for memory after load")
    chosen = options.parse_args(arguments)
    report = Report("start", unit="ms")
    with tempfile.TemporaryDirectory() as folder:
        env = environment(Path(folder))
        _until_200([*_SERVE, "--port", "0"], env, "/healthz")  # migrates
        wall, cpu = Rounds("start", chosen.rounds), Rounds("start", chosen.rounds, quiet=True)
        for number in range(chosen.rounds):
            for name in in_turn(("bare", "ours"), number):
                began = _bare(env) if name == "bare" else _ours(env)
                wall.add(name, began.wall)
                cpu.add(name, began.cpu)
            wall.show(number + 1)
        report.take(wall, "wall, ")
        report.take(cpu, "processor, ")
        report.goal("S1", cpu.ratio("ours", "bare"))
        report.notes.append(f"wall, ours against bare: {wall.ratio('ours', 'bare')}")
        _while_running(report, env, chosen.requests, chosen.rounds)
    return report


def environment(data: Path) -> dict[str, str]:
    """For a service on a database of its own, with compiled modules as anybody has them."""
    kept = {name: value for name, value in os.environ.items() if "DONTWRITE" not in name}
    own = {"UNANSWERED_DATA_DIR": str(data), "UNANSWERED_LOG_LEVEL": "error"}
    return {**kept, **own, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def _ours(env: dict[str, str]) -> Start:
    with _free_port() as port:
        pass
    return _until_200([*_SERVE, "--port", str(port)], env, "/healthz", port)


def _bare(env: dict[str, str]) -> Start:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        env = {**env, "BENCH_FD": str(listener.fileno())}
        port = listener.getsockname()[1]
        return _until_200(
            ["-m", "benchmarks.refs.const_fastapi"], env, "/items", port, fd=listener.fileno()
        )


@contextlib.contextmanager
def _free_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def _until_200(
    words: Sequence[str], env: dict[str, str], path: str, port: int = 0, fd: int | None = None
) -> Start:
    """Starts it, asks until it answers, and ends it."""
    began = time.perf_counter()
    with _process(words, env, fd) as process:
        port = port or _port_of(process)
        while not _answers(port, path):
            if process.poll() is not None or time.perf_counter() - began > PATIENCE:
                raise RuntimeError("it did not start")
            time.sleep(0.003)
        wall = (time.perf_counter() - began) * 1000
        return Start(wall, cpu_of(process.pid))


@contextlib.contextmanager
def _process(
    words: Sequence[str], env: dict[str, str], fd: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", *words]
    kept = () if fd is None else (fd,)
    with subprocess.Popen(
        command, env=env, pass_fds=kept, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(15)


def _port_of(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        if " is at http" in line:
            return int(line.rpartition(":")[2])
    raise RuntimeError("it did not say where it is")


def _answers(port: int, path: str, token: str = "") -> bool:
    asked = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(asked.encode())
            return connection.recv(65536).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def cpu_of(pid: int) -> float:
    """Processor milliseconds a process has used (Linux, sched(7): nanoseconds on the run queue)."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e6


def memory_of(pid: int) -> float:
    """Resident megabytes of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _while_running(report: Report, env: dict[str, str], requests: int, rounds: int) -> None:
    """Memory when idle and after load, and what a person waits for `unanswered list --json`."""
    with _process([*_SERVE, "--port", "0"], env) as process:
        port = _port_of(process)
        time.sleep(2)
        idle = memory_of(process.pid)
        times = [_list(env) for _ in range(rounds)]
        token = _token(Path(env["UNANSWERED_DATA_DIR"]))
        for _ in range(requests):
            assert _answers(port, "/api/v1/items", token)
        loaded = memory_of(process.pid)
    report.add("memory idle (MB)", idle)
    report.add("memory after load (MB)", loaded)
    report.goal("S2", idle)
    report.goal("S2-load", loaded / idle)
    report.goal("CLI", Ratio(statistics.median(times), min(times), max(times)))


def _list(env: dict[str, str]) -> float:
    """Processor milliseconds: on a quiet machine the clock on the wall shows about as many."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-P", "-m", "app.cli", "list", "--json"]
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def _token(data: Path) -> str:

    return str(json.loads((data / "cli.json").read_text())["token"])
