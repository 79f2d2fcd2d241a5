"""Runs `unanswered` as its own process, with or without a terminal, against `Service`."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.service import TOKEN, Service
from tests.serving import serving

ROOT = Path(__file__).parent.parent.parent


Typed = str | Callable[[str], Awaitable[str]]
"""What is typed, or what makes it of the screen."""


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


class Shell:
    """A person's shell: a working directory, an environment, and the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "UNANSWERED_DATA_DIR": str(self.data),
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            "COLUMNS": "120",
        }
        for name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def know(self, url: str, token: str = TOKEN) -> None:
        """Leaves the file that `serve` leaves."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        (self.data / "cli.json").write_text(json.dumps({"url": url, "token": token}))
        (self.data / "cli.json").chmod(0o600)

    @property
    def url(self) -> str:
        return str(json.loads((self.data / "cli.json").read_text())["url"])

    async def start(self, *arguments: str, python: Sequence[str] = (), **streams: Any) -> Any:
        command = [sys.executable, *python, "-m", "app.cli", *arguments]
        return await asyncio.create_subprocess_exec(
            *command, env=self.env, cwd=self.folder, **streams
        )

    async def run(self, *arguments: str, stdin: str = "", python: Sequence[str] = ()) -> Result:
        pipe = asyncio.subprocess.PIPE
        process = await self.start(*arguments, python=python, stdin=pipe, stdout=pipe, stderr=pipe)
        out, err = await process.communicate(stdin.encode())
        return Result(process.returncode, out.decode(), err.decode())

    async def on_terminal(
        self,
        *arguments: str,
        answers: Mapping[str, Typed] | None = None,
        interrupt_at: str | None = None,
    ) -> Result:
        """Runs on a terminal. Each of `answers` is typed once its prompt (a regular expression)
        stands at the end, or what it makes of the screen; `interrupt_at` presses Ctrl-C when that
        text has appeared.
        """
        outside, inside = pty.openpty()
        process = await self.start(
            *arguments, stdin=inside, stdout=inside, stderr=inside, start_new_session=True
        )
        os.close(inside)
        screen, waiting = "", dict(answers or {})
        loop = asyncio.get_running_loop()
        try:
            while piece := await loop.run_in_executor(None, _read, outside):
                screen += piece.decode(errors="replace")
                for prompt in list(waiting):
                    if re.search(prompt + r"[^\n]*: $", screen):
                        said = waiting.pop(prompt)
                        typed = said if isinstance(said, str) else await said(screen)
                        os.write(outside, typed.encode() + b"\n")
                        break
                if interrupt_at is not None and interrupt_at in screen:
                    interrupt_at = None
                    await asyncio.to_thread(_until_it_waits, process.pid)
                    process.send_signal(signal.SIGINT)
        except BaseException:
            process.kill()  # else nobody would end it, and the read of its terminal never return
            raise
        os.close(outside)
        code = await process.wait()
        assert not waiting, f"never asked: {waiting}\n{screen}"
        return Result(code, screen, "")


def _until_it_waits(pid: int) -> None:
    """`input` writes its prompt, and then begins to read: a signal in between, for which no person
    is quick enough, is lost until the next one.
    """
    if sys.platform != "linux":
        time.sleep(1)
        return
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        time.sleep(0.01)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other end is closed
        return b""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
async def service(shell: Shell) -> AsyncIterator[Service]:
    """The small service, running, and known to the shell."""
    app = Service()
    async with serving(app) as url:
        shell.know(url)
        yield app
