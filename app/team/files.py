"""Files that only their owner may read, written at once as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.sqlite_file import sync_folder


def write_cli_file(path: Path, url: str, token: str) -> None:
    """`{"url", "token"}` for the CLI; replaces the one of the last start."""
    with _fresh_file(path, json.dumps({"url": url, "token": token}) + "\n") as fresh:
        fresh.replace(path)


def create_private(path: Path, content: str) -> bool:
    """Writes a file that must not exist yet; `False`, and nothing changed, when it does."""
    with _fresh_file(path, content) as fresh:
        try:
            os.link(fresh, path)  # unlike a rename it never replaces what another process wrote
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            if path.exists():
                return False
            fresh.replace(path)
    sync_folder(path.parent)
    return True


def replace_private(path: Path, content: str) -> None:
    """Writes a file anew in one step, behind its links and with the owner that it has."""
    path = path.resolve(strict=True)
    owner = path.stat()
    with _fresh_file(path, content) as fresh:
        made = fresh.stat()
        if (made.st_uid, made.st_gid) != (owner.st_uid, owner.st_gid):
            os.chown(fresh, owner.st_uid, owner.st_gid)  # the service must still be able to read it
        fresh.replace(path)
    sync_folder(path.parent)


@contextmanager
def _fresh_file(path: Path, content: str) -> Iterator[Path]:
    """A neighbour of `path` with the content on the disk and mode 0600; gone afterwards."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)
