"""Databases at a revision, with rows in every table: made once for a kind, then copied."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from app.schema import migrate
from tests.databases import on_database
from tests.populating import populate
from tests.postgres import Postgres, create_database, drop_database

ROWS = 60
"""Each status, and each kind of emptiness of a column, several times over."""
Filled = Callable[[str], str]
"""From a revision to the URL of a database of the test's own."""


def _fill(url: str, revision: str) -> None:
    migrate(url, revision)
    on_database(url, lambda c: populate(c, ROWS))


@dataclass(frozen=True, slots=True)
class SqliteStages:
    folder: Path

    def copy(self, revision: str, folder: Path) -> str:
        made = self.folder / f"{revision}.db"
        if not made.exists():
            _fill(f"sqlite:///{made}", revision)
        return f"sqlite:///{shutil.copy(made, folder)}"


@dataclass(frozen=True, slots=True)
class PostgresStages:
    server: Postgres
    names: dict[str, str] = field(default_factory=dict)

    def copy(self, revision: str, name: str) -> str:
        if revision not in self.names:
            made = f"stage_{uuid.uuid4().hex}"
            _fill(asyncio.run(create_database(self.server, made)), revision)
            self.names[revision] = made
        return asyncio.run(create_database(self.server, name, self.names[revision]))

    def drop(self) -> None:
        for name in self.names.values():
            asyncio.run(drop_database(self.server, name))
