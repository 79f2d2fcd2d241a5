"""What is shipped with us: known by hash, licensed so that it may be, and past its known holes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.supply import ALLOWED, ROOT, licence_of, locked, sbom

FLOORS = {
    "starlette": (1, 6),
    "fastapi": (0, 165),
    "uvicorn": (0, 11, 7),
    "httpx": (0, 23),
    "httpcore": (1, 0, 9),
    "cryptography": (50, 0),
    "sqlalchemy": (2, 1, 9),
    "authlib": (1, 9),
}
"""The first version without a weakness that is known: `pip-audit` finds none in silence where it
can't reach its service, so that it is no gate.
"""
UNWANTED = ("python-multipart", "pyyaml", "requests", "python-jose", "orjson", "jinja2")
"""What the service does without, and some of whose past weaknesses would be ours."""
LOOK_ALIKE = {
    ("app/cli/root.py", "Secret Keyword"),  # where the command `secrets` is found
    ("app/connectors/atproto/tid.py", "Base64 High Entropy String"),  # an alphabet
    ("app/connectors/wordpress/comments.py", "Hex High Entropy String"),  # a hash of nothing
    ("app/outbox/webhooks/examples.py", "Secret Keyword"),  # examples in the documentation
    ("app/team/audit/schemas.py", "Hex High Entropy String"),
    ("app/team/entering/examples.py", "Base64 High Entropy String"),
    ("app/team/entering/examples.py", "Secret Keyword"),
    ("app/setting_values.py", "Basic Auth Credentials"),  # the form of a database's address
    ("app/settings.py", "Basic Auth Credentials"),
    ("app/team/sessions/service.py", "Secret Keyword"),  # the name of a way in
}
TEXTS = "app/page/i18n/"
"""What the page says: how fields for secrets are labelled."""
TRACKED = (
    subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    .stdout.decode()
    .split("\0")[:-1]
)


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


@pytest.mark.parametrize("name", FLOORS)
def test_a_package_is_newer_than_its_known_weaknesses(name: str) -> None:
    (found,) = [each for each in locked() if each.name == name]
    assert numbers(found.version) >= FLOORS[name]


def test_what_is_not_needed_is_not_there() -> None:
    assert {each.name for each in locked()} & set(UNWANTED) == set()


def test_every_licence_is_one_that_we_may_ship() -> None:
    told = {each.name: licence_of(each.name) for each in locked()}
    assert len(told) > 25
    parts = {
        name: set(re.split(r" (?:AND|OR) ", licence))
        for name, licence in told.items()
        if licence is not None
    }
    assert {name: found for name, found in parts.items() if not found <= ALLOWED} == {}
    assert {name for name, licence in told.items() if licence is None} <= {"colorama", "winloop"}


def test_the_list_of_what_runs_names_every_package_with_its_hashes() -> None:
    document = json.loads(sbom())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    found = {each["name"]: each for each in document["components"]}
    assert found.keys() == {each.name for each in locked()}
    for each in locked():
        component = found[each.name]
        assert component["purl"] == f"pkg:pypi/{each.name}@{each.version}"
        assert {one["content"] for one in component["hashes"]} == set(each.hashes)
        assert component["licenses"]


def test_the_promise_about_weaknesses_has_a_date_that_has_come() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    promised = re.search(r"As of (\d+ \w+ \d{4}) we promise", text)
    assert promised is not None
    months = "January February March April May June July August September October November December"
    day, month, year = promised[1].split()
    told = date(int(year), months.split().index(month) + 1, int(day))
    assert date(2026, 11, 1) <= told <= date.today()  # noqa: DTZ011 - a day, not a moment
    assert re.search(r"within \d+ working days", text)


def test_no_secret_is_in_the_code() -> None:
    """Tests and recordings are full of invented ones, which other tests look at."""
    where = ("app", "migrations", ".ci", "run.py", "compose.yaml", "Dockerfile", "pyproject.toml")
    made = r"__pycache__|app/page/vendor/|app/page/api-types"
    how = ("-c", "1", "scan", "--no-verify", "--exclude-files", made)
    scan = [sys.executable, "-m", "detect_secrets", *how, *where]
    told = subprocess.run(scan, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    results = json.loads(told.stdout)["results"]
    found = {(name, hit["type"]) for name, hits in results.items() for hit in hits}
    texts = {(name, kind) for name, kind in found if name.startswith(TEXTS)}
    assert found - texts == LOOK_ALIKE
    assert {kind for _, kind in texts} == {"Secret Keyword"}


@pytest.mark.skipif(not TRACKED, reason="looks at what git tracks")
def test_nothing_is_tracked_that_is_made_by_a_command_or_holds_secrets() -> None:
    unwanted = re.compile(r"(^|/)(\.sbom|\.venv|\.long|secrets)/|\.(key|pem|db|env)$|(^|/)\.env")
    assert [name for name in TRACKED if unwanted.search(name)] == []
    assert ".sbom/" in Path(ROOT / ".gitignore").read_text().split()
