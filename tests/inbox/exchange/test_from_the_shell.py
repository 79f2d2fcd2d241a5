"""`export` and `import`: whole files, told lines, nothing that looks complete and is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.clock import FrozenClock
from tests.cli.conftest import Shell
from tests.inbox.exchange.test_exchange import served
from tests.service import ADMIN_TOKEN
from tests.serving import serving
from tests.world import Watched


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    folder = tmp_path / "shell"
    folder.mkdir()
    return Shell(folder)


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


async def test_a_list_goes_into_a_file_and_comes_back(watched: Watched, shell: Shell) -> None:
    async with serving(served(watched.service.app)) as url:
        shell.know(url, ADMIN_TOKEN)
        written = await shell.run("export", "blue", "-o", "blue.ndjson")
        assert written.code == 0, written.err
        file = shell.folder / "blue.ndjson"
        assert file.stat().st_mode & 0o777 == 0o600
        item, end = lines_of(file)
        assert (item["text"], end["items"]) == ("And the blue one?", 1)
        again = await shell.run("export", "-o", "blue.ndjson")
        assert (again.code, lines_of(file)) == (1, [item, end])
        assert "--force" in again.err
        piped = await shell.run("export", "--format", "csv")
        assert piped.out.count("\r\n") == 4
        known = await shell.run("import", "blue.ndjson")
        assert (known.code, known.out) == (0, "0 new, 1 known, 0 failed.\n")
        item["external_id"] = "another"
        body = f"{json.dumps(item)}\nnonsense\n"
        mixed = await shell.run("import", "-", "--source", "shop", stdin=body)
        assert (mixed.code, mixed.out) == (1, "1 new, 0 known, 1 failed.\n")
        assert "line 2: malformed" in mixed.err
        assert "may have been cut off" in mixed.err


async def test_an_export_that_breaks_off_leaves_no_file(
    watched: Watched, shell: Shell, clock: FrozenClock
) -> None:
    for n in range(201):
        watched.world.insert("mentions", clock.now(), f"Question {n}")
    await watched.poll()
    watched.service.app.state.stopping = True
    async with serving(served(watched.service.app)) as url:
        shell.know(url, ADMIN_TOKEN)
        cut = await shell.run("export", "-o", "items.ndjson")
        assert cut.code == 1
        assert "broke off before the end" in cut.err
        assert "Traceback" not in cut.err
        assert list(shell.folder.glob("items*")) == []


async def test_a_file_that_is_not_there(shell: Shell) -> None:
    shell.know("http://127.0.0.1:9", ADMIN_TOKEN)
    result = await shell.run("import", "nowhere.ndjson")
    assert result.code == 1
    assert result.err.startswith("nowhere.ndjson can't be read")
