"""What every test shares: the option `--long`, and whether packages can be fetched."""

from __future__ import annotations

import subprocess
import sys

import pytest

BASE_PYTHON: str = getattr(sys, "_base_executable", sys.executable)
"""The Python that a person starts: the environment of the tests need not have pip."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked long as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `long` are deselected, not skipped: a skip is something to look at."""
    if config.getoption("--long"):
        return
    long = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def package_index(tmp_path_factory: pytest.TempPathFactory) -> None:
    """For tests marked `network`: skips them where pip, set up as it is here, fetches nothing."""
    fetch = [BASE_PYTHON, "-m", "pip", "download", "-q", "--no-deps", "--no-cache-dir", "idna"]
    folder = tmp_path_factory.mktemp("probe")
    fetched = subprocess.run([*fetch, "-d", str(folder)], capture_output=True, check=False)
    if fetched.returncode:
        pytest.skip("NO NETWORK: pip fetches nothing here, so what installs packages is not tested")
