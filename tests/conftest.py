"""What every test shares: the option `--long`, and whether packages can be fetched."""

from __future__ import annotations

import asyncio
import gc
import logging
import shutil
import signal
import subprocess
import sys
import uuid
import warnings
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, is_hypothesis_test
from hypothesis import settings as hypothesis_settings

from app.clock import FrozenClock
from app.db import Database, open_database
from app.logs import set_up_logs
from app.schema import migrate
from tests.postgres import Postgres, create_database, drop_database, running_postgres
from tests.postgres_reuse import Supply
from tests.secrecy.listening import ListensToEveryTest
from tests.service import NOON, Service, running_service
from tests.world import Watched, watching

# A machine with two busy cores is slow now and then; that is no finding.
hypothesis_settings.register_profile(
    "unanswered", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("unanswered")

set_up_logs("json", "info")

# Who starts the tests in the background of a script leaves them deaf to Ctrl-C, and so every
# program that they start and press Ctrl-C on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

KINDS = ("sqlite", "postgresql")
SHRINKING = 900
"""Seconds: Hypothesis may make a failure smaller for 300 itself, and must be left to say which."""

BASE_PYTHON: str = getattr(sys, "_base_executable", sys.executable)
"""The Python that a person starts: the environment of the tests need not have pip."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked long as well")
    parser.addoption(
        "--debug-logs", action="store_true", help="look for secrets in every log record, at debug"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--debug-logs"):
        config.pluginmanager.register(ListensToEveryTest(), "debug-logs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `long` are deselected, not skipped: a skip is something to look at."""
    for item in items:
        own = item.get_closest_marker("timeout")
        if own is None and is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker(pytest.mark.timeout(SHRINKING))
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


def pytest_collection_finish() -> None:
    """What is there now stays to the end: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A long test logs more than memory should keep for a report: gigabytes, and what a test of
    memory would measure.
    """
    root = logging.getLogger()
    keeping = [h for h in root.handlers if type(h).__module__.startswith("_pytest")]
    if not item.get_closest_marker("long"):
        keeping = []
    for handler in keeping:
        root.removeHandler(handler)
    try:
        return (yield)
    finally:
        for handler in keeping:
            root.addHandler(handler)


@pytest.fixture(scope="session")
def package_index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """For tests marked `network`: skips them where pip, set up as it is here, fetches nothing."""
    fetch = [BASE_PYTHON, "-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir", "idna"]
    folder = tmp_path_factory.mktemp("probe")
    fetched = subprocess.run([*fetch, "-d", str(folder)], capture_output=True, check=False)
    if fetched.returncode:
        pytest.skip("NO NETWORK: pip fetches nothing here, so what installs packages is not tested")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of this run's own (or the one of UNANSWERED_TEST_POSTGRES_URL)."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> Iterator[str]:
    """The name of a migrated database that others are copied from."""
    name = f"template_{uuid.uuid4().hex}"
    migrate(asyncio.run(create_database(postgres, name)))
    yield name
    asyncio.run(drop_database(postgres, name))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file that others are copied from."""
    path = tmp_path_factory.mktemp("template") / "unanswered.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated SQLite database of this test's own."""
    folder = tmp_path / "database"
    folder.mkdir()
    return f"sqlite:///{shutil.copy(sqlite_template, folder)}"


@pytest.fixture(scope="session")
def postgres_supply(postgres: Postgres, postgres_template: str) -> Iterator[Supply]:
    """Copies of that database, each for one test after another."""
    supply = Supply(postgres, postgres_template)
    yield supply
    asyncio.run(supply.close())


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_supply: Supply) -> Iterator[str]:
    """A migrated PostgreSQL database that nobody else uses during this test."""
    name = asyncio.run(postgres_supply.take())
    yield postgres.url(name)
    asyncio.run(postgres_supply.give_back(name))


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of this test's own, of each kind."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """That database, open."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """For tests that set the logs up in another way: later ones find them as they were."""
    root, show = logging.getLogger(), warnings.showwarning
    handlers, level = list(root.handlers), root.level
    yield
    set_up_logs("json", "info")
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    warnings.showwarning = show
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def clock() -> FrozenClock:
    """Stands at noon until it is moved."""
    return FrozenClock(NOON)


@pytest.fixture
async def service(database_url: str, tmp_path: Path, clock: FrozenClock) -> AsyncIterator[Service]:
    """The whole service on that database, with that clock."""
    async with running_service(database_url, tmp_path / "data", clock=clock) as started:
        yield started


@pytest.fixture
async def watched(service: Service, clock: FrozenClock) -> AsyncIterator[Watched]:
    """That service with a source of a scripted platform, read once."""
    async with watching(service, clock) as ready:
        yield ready


@pytest.fixture
async def sqlite_service(
    sqlite_url: str, tmp_path: Path, clock: FrozenClock
) -> AsyncIterator[Service]:
    """The whole service on SQLite, where the kind of database makes no difference."""
    async with running_service(sqlite_url, tmp_path / "data", clock=clock) as started:
        yield started
