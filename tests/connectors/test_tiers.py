"""The published tiers are true: every rule has its test, every connector the tier it has earned."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from app.connectors.base import Platform
from app.connectors.registry import PLATFORMS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "platforms" / "tiers.md"
TIERS = ("bronze", "silver", "gold", "platinum")
OWN_PACKAGE = re.compile(
    r"from app\.connectors\.(\w+) import|from app\.connectors\.(\w+)\.\w+ import"
)


def rows(width: int) -> Iterator[list[str]]:
    """The rows of the page's tables with so many columns, without heads and rules."""
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == width and not set(cells[0]) <= {"-"}:
            yield cells


RULES = [row for row in rows(3) if row[0] in TIERS]
PUBLISHED: Mapping[str, str] = {name: tier for name, tier, _ in rows(3) if tier in TIERS}


def page_of(platform: Platform) -> str:
    found = [ROOT / platform.docs, ROOT / "docs" / platform.docs]
    return next((path.read_text("utf-8") for path in found if path.is_file()), "")


def is_documented(platform: Platform) -> bool:
    return bool(platform.docs) and platform.title.lower() in page_of(platform).lower()


def documents_limits(platform: Platform) -> bool:
    return bool(re.search(r"(?i)\blimits?\b", page_of(platform)))


def was_held_against_real_answers(platform: Platform) -> bool:
    """A test over recorded answers lies beside the package that does its parsing."""
    source = inspect.getsource(inspect.getmodule(platform.connector))  # type: ignore[arg-type]  # a class has one
    packages = {one for found in OWN_PACKAGE.findall(source) for one in found if one}
    folder = ROOT / "tests" / "connectors"
    return any((folder / package / "test_recorded.py").exists() for package in packages)


def earned(platform: Platform) -> str:
    """The highest tier: what is not asked here is kept by all, or the build fails."""
    if not is_documented(platform):
        return "none"
    if not documents_limits(platform):
        return "silver"
    return "platinum" if was_held_against_real_answers(platform) else "gold"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule[1])
def test_every_rule_names_a_test_that_is_there(rule: list[str]) -> None:
    file, _, name = rule[2].partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    functions = {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert name in functions


def test_every_tier_has_rules() -> None:
    assert {rule[0] for rule in RULES} == set(TIERS)


def test_every_connector_has_the_tier_it_has_earned() -> None:
    assert {name: earned(platform) for name, platform in PLATFORMS.items()} == PUBLISHED


@pytest.mark.parametrize("platform", PLATFORMS.values(), ids=PLATFORMS.keys())
def test_bronze_is_documented(platform: Platform) -> None:
    assert is_documented(platform)


@pytest.mark.parametrize("name", [n for n, tier in PUBLISHED.items() if tier in TIERS[2:]])
def test_gold_documents_its_limits(name: str) -> None:
    assert documents_limits(PLATFORMS[name])


@pytest.mark.parametrize("name", [n for n, tier in PUBLISHED.items() if tier == TIERS[3]])
def test_platinum_was_held_against_real_answers(name: str) -> None:
    assert was_held_against_real_answers(PLATFORMS[name])
