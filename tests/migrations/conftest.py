"""Databases of each kind: empty ones, and ones at a revision that are full."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.migrations.stages import Filled, PostgresStages, SqliteStages
from tests.postgres import Postgres, create_database, drop_database


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"empty_{uuid.uuid4().hex}"
    yield asyncio.run(create_database(server, name))
    asyncio.run(drop_database(server, name))


@pytest.fixture(scope="session")
def sqlite_stages(tmp_path_factory: pytest.TempPathFactory) -> SqliteStages:
    return SqliteStages(tmp_path_factory.mktemp("stages"))


@pytest.fixture(scope="session")
def postgres_stages(postgres: Postgres) -> Iterator[PostgresStages]:
    stages = PostgresStages(postgres)
    yield stages
    stages.drop()


@pytest.fixture
def filled(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Filled]:
    """Makes a full database at a revision; one in a test."""
    if kind == "sqlite":
        files: SqliteStages = request.getfixturevalue("sqlite_stages")
        yield lambda revision: files.copy(revision, tmp_path)
        return
    stages: PostgresStages = request.getfixturevalue("postgres_stages")
    name = f"filled_{uuid.uuid4().hex}"
    yield lambda revision: stages.copy(revision, name)
    asyncio.run(drop_database(stages.server, name))
