"""Every operation keeps its contract, whatever it is sent: Schemathesis, all checks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.web.openapi import operations
from tests.contract.stocked import Stocked, stocked
from tests.documents import DOCS
from tests.long_results import part

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SEED = 20261127
EXAMPLES, EXAMPLES_LONG = 100, 1000
TAGS = (
    "inbox", "authors", "sources", "connecting", "policies", "rules", "events", "webhooks", "team",
    "reports",
)  # fmt: skip
FEW_EXAMPLES = {"all": 10, "desk": 3, "wall": 3}
FEW = ("--phases", "examples,fuzzing")

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Stocked]:
    async with stocked(database_url, tmp_path / "data") as started:
        yield started


@pytest.fixture
async def embedded(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Stocked]:
    async with stocked(sqlite_url, tmp_path / "data") as started:
        yield started


@pytest.fixture
async def at_postgresql(postgres_url: str, tmp_path: Path) -> AsyncIterator[Stocked]:
    async with stocked(postgres_url, tmp_path / "data") as started:
        yield started


def test_every_operation_has_one_of_the_tags() -> None:
    document = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    assert {tag for _, o in operations(document) for tag in o["tags"]} == set(TAGS)
    assert all(len(o["tags"]) == 1 for _, o in operations(document))


@pytest.mark.long
@pytest.mark.parametrize("tag", TAGS)
async def test_an_admin_meets_no_server_error_and_no_breach(embedded: Stocked, tag: str) -> None:
    """At least 100 examples for each operation, those of its schema's edges, and sequences."""
    told = await schemathesis(embedded, "all", EXAMPLES, "--include-tag", tag)
    assert not re.search("Selected: 0/", told)


@pytest.mark.long
@pytest.mark.parametrize("caller", ["all", "desk", "wall"])
async def test_nor_does_anybody_on_postgresql(at_postgresql: Stocked, caller: str) -> None:
    await schemathesis(at_postgresql, caller, FEW_EXAMPLES[caller], *FEW)


async def test_a_breach_is_told(embedded: Stocked, tmp_path: Path) -> None:
    """The control: the same run against a document that promises something else."""
    wrong = json.loads((DOCS / "openapi.json").read_text(encoding="utf-8"))
    del wrong["paths"]["/api/v1/items/{item_id}"]["get"]["responses"]["404"]
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(wrong), encoding="utf-8")
    with pytest.raises(AssertionError, match="Undocumented status code"):
        await schemathesis(
            embedded, "all", 5, *FEW, "--include-operation-id", "get_item", document=document
        )


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("tag", TAGS)
async def test_the_same_a_thousand_times(service: Stocked, tag: str, seed: int) -> None:
    with part(f"schemathesis {tag} {seed} {service.database}") as figures:
        told = await schemathesis(service, "all", EXAMPLES_LONG, "--include-tag", tag, seed=seed)
        figures["cases"] = int(re.findall(r"(\d+) generated", told)[0])


async def schemathesis(
    service: Stocked,
    caller: str,
    examples: int,
    *options: str,
    seed: int = SEED,
    document: Path | None = None,
) -> str:
    """What it told of a run that found nothing. Fails with all that it told where it did."""
    inherited = {n: v for n, v in os.environ.items() if not n.startswith("COVERAGE")}
    found = {"SCHEMATHESIS_HOOKS": "tests.contract.hooks", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", HERE / "schemathesis.toml"),
        *("run", document or f"{service.base}/openapi.json", "--url", service.base),
        *("--checks", "all", "--no-color"),
        *("-H", f"Authorization: Bearer {service.secrets[caller]}", "--continue-on-failure"),
        *("--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none"),
        *("--request-timeout", "30", *options),
        env=inherited | found | service.environment,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode(errors="replace")
    return told.decode(errors="replace")
