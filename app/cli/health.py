"""What `doctor` looks at on this machine: files, database, disk, clock, port."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.cli.started import command
from app.clock import SystemClock

if TYPE_CHECKING:
    from app.settings import Settings

MIB = 1024 * 1024
ROOM_NEEDED, ROOM_WANTED = 100 * MIB, 1024 * MIB
WIDE = 16
"""Addresses that a network of proxies has, at most, before the doctor wonders."""
SKEW_SECONDS = 60
BUILT = datetime(2026, 11, 1, tzinfo=UTC)
NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph-fuse", "fuse.gcsfuse",
     "fuse.glusterfs", "fuse.juicefs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "gfs2",
     "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb2", "smb3",
     "smbfs"}
)  # fmt: skip
LOCAL_BELOW = frozenset({"9p"})
"""How sandboxes show a local disk, too: told, not refused."""
MOUNTS = Path("/proc/self/mounts")
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. `help` is the command, or the sentence, that repairs it."""

    level: Literal["ok", "warn", "fail"]
    subject: str
    told: str
    help: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def refuse_network_share(settings: Settings, mounts: Path = MOUNTS) -> None:
    """Raises `Failure` where SQLite would lose data: its journal needs shared memory and locks
    that shares don't have.
    """
    from app.cli.failure import Failure
    from app.db_url import sqlite_path

    path = sqlite_path(settings.database)
    kind = None if path is None else file_system_of(path, mounts)
    if kind in NETWORK_FILE_SYSTEMS - LOCAL_BELOW:
        raise Failure(
            f"{path} lies on {kind}, a network share, where SQLite loses data.",
            ["Move it to a local disk (UNANSWERED_DATA_DIR), or use PostgreSQL."],
        )


def fail(subject: str, told: str, advice: str) -> Finding:
    return Finding("fail", subject, told, advice)


def files(settings: Settings) -> Iterator[Finding]:
    """The data folder, and what only its owner may read."""
    folder = settings.data_dir
    if not folder.exists():
        yield Finding("ok", "data folder", f"{folder} will be made at the first start")
        return
    if not folder.is_dir():
        yield fail("data folder", f"{folder} is no folder", "set UNANSWERED_DATA_DIR")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield fail("data folder", f"{folder} cannot be written", f"chown -R $USER {folder}")
        return
    yield _private(folder, "data folder", 0o700)
    for name, subject in (("secret.key", "key"), ("cli.json", "token of the command line")):
        if (folder / name).exists():
            yield _private(folder / name, subject, 0o600)
    if not (folder / "secret.key").exists() and settings.secret_key is None:
        yield Finding("ok", "key", "will be made at the first start")


def _private(path: Path, subject: str, mode: int) -> Finding:
    found = stat.S_IMODE(path.stat().st_mode)
    if os.name != "posix" or not found & 0o077:
        return Finding("ok", subject, str(path))
    told = f"others on this machine can open {path} (mode {found:o})"
    if path.is_dir():
        return Finding("warn", subject, told, f"chmod {mode:o} '{path}'")
    return fail(subject, told, f"chmod {mode:o} '{path}'")


def database(settings: Settings) -> Iterator[Finding]:
    """Whether it answers, and whether it is at this version's revision."""
    from app import schema
    from app.cli.failure import Failure
    from app.cli.migrating import asked
    from app.db_url import sqlite_path

    path = sqlite_path(settings.database)
    if path is not None:
        yield file_system(path)
        if path.exists():
            yield _database_file(path)
    name = f"SQLite, {path}" if path is not None else "PostgreSQL"
    try:
        revision = asked(settings, schema.current_revision)
    except Failure as trouble:
        yield fail("database", trouble.sentence, "see UNANSWERED_DATABASE_URL")
        return
    if revision is None:
        yield Finding("ok", "database", f"{name}: still empty; serve fills it")
        return
    yield Finding("ok", "database", f"{name}: answers")
    yield _migrations(settings, revision)
    if path is None:
        yield clocks(asked(settings, schema.server_time), SystemClock().now())


def clocks(there: datetime, here: datetime) -> Finding:
    """Leases and due times are the database's; ages are ours."""
    apart = abs((there - here).total_seconds())
    if apart > SKEW_SECONDS:
        return Finding("warn", "clock of the database", f"differs by {apart:.0f} s from this one",
                       "timedatectl set-ntp true")  # fmt: skip
    return Finding("ok", "clock of the database", "as this one's")


def _migrations(settings: Settings, revision: str) -> Finding:
    from app import schema

    try:
        schema.check_revision(settings.database)
    except schema.SchemaTooNew as refusal:
        return fail("migrations", refusal.detail, "install the newer version again")
    except schema.SchemaTooOld as refusal:
        level: Literal["warn", "fail"] = "warn" if settings.migrate else "fail"
        return Finding(level, "migrations", refusal.detail, command("migrate"))
    return Finding("ok", "migrations", f"at {revision}")


def _database_file(path: Path) -> Finding:
    """It may lie outside of the data folder, where nothing else keeps others away."""
    if path.parent.stat().st_mode & 0o077 == 0:
        return Finding("ok", "database file", str(path))
    return _private(path, "database file", 0o600)


def file_system(path: Path, mounts: Path = MOUNTS) -> Finding:
    """Whether SQLite is safe where its file lies."""
    kind = file_system_of(path, mounts)
    if kind is None:
        return Finding("ok", "file system", "its kind is not known on this system")
    advice = "move it to a local disk (UNANSWERED_DATA_DIR), or use PostgreSQL"
    if kind in LOCAL_BELOW:
        told = f"{path} lies on {kind}: a local disk in a sandbox, else SQLite loses data"
        return Finding("warn", "file system", told, advice)
    if kind in NETWORK_FILE_SYSTEMS:
        told = f"{path} lies on {kind}, where SQLite loses data"
        return fail("file system", told, advice)
    return Finding("ok", "file system", f"{kind}, local")


def file_system_of(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of file system a path lies on; `None` where the system does not tell."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    target = path.absolute().resolve()
    best: tuple[str, str | None] = ("", None)
    for line in lines:
        parts = line.split(" ")
        if len(parts) < 3:  # noqa: PLR2004  # device, folder, kind
            continue
        # Blanks and the like stand as octal escapes (fstab(5)), every other character as it is.
        folder = _OCTAL.sub(lambda found: chr(int(found[1], 8)), parts[1])
        if target.is_relative_to(folder) and len(folder) >= len(best[0]):
            best = (folder, parts[2])
    return best[1]


def room(settings: Settings) -> Iterator[Finding]:
    """Free space where the data lies, and the database, which may lie on another disk."""
    from app.db_url import sqlite_path

    seen = set()
    for path in (settings.data_dir, sqlite_path(settings.database)):
        if path is None:
            continue
        folder = path.absolute()
        while not folder.is_dir():
            folder = folder.parent
        disk = folder.stat().st_dev
        if disk not in seen:
            yield room_on(folder, shutil.disk_usage(folder).free)
        seen.add(disk)


def room_on(folder: Path, free: int) -> Finding:
    told = f"{free // MIB:,} MiB free at {folder}"
    advice = "make room, or move the data: UNANSWERED_DATA_DIR"
    if free < ROOM_NEEDED:
        return fail("disk", told, advice)
    if free < ROOM_WANTED:
        return Finding("warn", "disk", told, advice)
    return Finding("ok", "disk", told)


def clock(now: datetime | None = None) -> Finding:
    """Ages are wrong with a wrong clock; one before this version was made certainly is."""
    now = now or SystemClock().now()
    told = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now < BUILT:
        return fail("clock", f"{told} is before this version was made", "timedatectl set-ntp true")
    synchronised = Path("/run/systemd/timesync/synchronized")
    if synchronised.parent.is_dir() and not synchronised.exists():
        return Finding("warn", "clock", f"{told}, not synchronised", "timedatectl set-ntp true")
    return Finding("ok", "clock", told)


def listening(settings: Settings, *, running: bool) -> Iterator[Finding]:
    """Whether the port is free, and who could reach it."""
    from app.cli.failure import Failure
    from app.cli.server import PortBusy, bind

    where = f"{settings.host}, port {settings.port}"
    try:
        bind(settings.host, settings.port, chosen=True).close()
        yield Finding("ok", "port", f"{where} is free")
    except Failure as trouble:
        busy = isinstance(trouble, PortBusy)
        if busy and running:
            yield Finding("ok", "port", f"{where} is in use, as it should be: a service runs here")
        elif busy and not settings.port_chosen:
            yield Finding("warn", "port", f"{where} is busy: serve will take the next free one",
                          command("serve --port N"))  # fmt: skip
        else:
            yield fail("port", trouble.sentence, command("serve --port N"))
    yield from _reach(settings)


def _reach(settings: Settings) -> Iterator[Finding]:
    if settings.loopback:
        yield Finding("ok", "reach", "this machine only")
    elif settings.public_url is None or not settings.public_url.startswith("https://"):
        yield Finding(
            "warn",
            "reach",
            f"{settings.host} can be reached from other machines without encryption",
            "put a proxy with TLS before it and set UNANSWERED_PUBLIC_URL=https://…",
        )
    else:
        yield Finding("ok", "reach", f"other machines, as {settings.public_url}")
    yield from _named_by_proxy(settings)
    if settings.demo and not settings.loopback:
        yield Finding("warn", "demo", "never runs on an address others can reach",
                      "unset UNANSWERED_DEMO")  # fmt: skip


def _named_by_proxy(settings: Settings) -> Iterator[Finding]:
    """A header that names people is worth as much as the networks it counts from."""
    header = settings.proxy_user_header
    if header is None:
        return
    where = ", ".join(settings.proxy_networks)
    told = f"whoever is at {where} names people by {header}"
    sizes = [ip_network(each, strict=False).num_addresses for each in settings.proxy_networks]
    if max(sizes) > WIDE:
        advice = "list the address of the proxy alone: UNANSWERED_PROXY_NETWORKS"
        yield Finding("warn", "proxy header", told, advice)
    else:
        yield Finding("ok", "proxy header", told)
