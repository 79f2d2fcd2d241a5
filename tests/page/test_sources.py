"""The page's own files: types, catalogues, the vendored library, the sections."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from app.page.api import SECTIONS
from tests.page.tools import HERE, MODULES, PAGE, TYPES, make_types, node


@pytest.mark.usefixtures("npm")
def test_types_hold() -> None:
    """JSDoc, checked as strictly as TypeScript can."""
    code, said = node(str(MODULES / "typescript" / "bin" / "tsc"), "--project", str(HERE))
    assert code == 0, said


@pytest.mark.usefixtures("npm")
def test_the_types_of_the_api_are_current() -> None:
    assert TYPES.read_text(encoding="utf-8") == make_types(), "run `python -m tests.page.tools`"


@pytest.mark.usefixtures("npm")
def test_the_vendored_library_is_what_its_script_makes(tmp_path: Path) -> None:
    place = PAGE / "vendor" / "regenerate.py"
    spec = importlib.util.spec_from_file_location("regenerate", place)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.bundle(tmp_path / "preact.js")
    made = (tmp_path / "preact.js").read_text(encoding="utf-8")
    assert made == (PAGE / "vendor" / "preact.js").read_text(encoding="utf-8")
    assert script.licences() == (PAGE / "vendor" / "LICENSES").read_text(encoding="utf-8")


def test_the_lock_names_no_address() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, each in lock["packages"].items() if "resolved" in each]
    assert all("integrity" in each for name, each in lock["packages"].items() if name)


def test_both_sides_know_the_same_sections() -> None:
    text = (PAGE / "shell" / "sections.js").read_text(encoding="utf-8")
    known = re.findall(r"^  (\w+): \{ title:", text, re.MULTILINE)
    assert set(known) <= set(SECTIONS)


def test_nothing_of_the_page_makes_markup_of_text() -> None:
    """Trusted Types stop it in the browser; here it is found before."""
    for path in PAGE.rglob("*.js"):
        if path.parent.name != "vendor":
            text = path.read_text(encoding="utf-8")
            assert not re.search(
                r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text
            ), path
            assert " style=" not in text, path


LANGUAGES = ("de", "es")


def entries(name: str) -> dict[str, str]:
    """The keys of a catalogue, each with the source of its text."""
    text = (PAGE / "i18n" / f"{name}.js").read_text(encoding="utf-8")
    return dict(re.findall(r'^  "?([\w.<>-]+)"?: (.+),$', text, re.MULTILINE))


@pytest.mark.parametrize("part", ["", "_sections"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_say_the_same(language: str, part: str) -> None:
    """Every key, and in every text the same places for values."""
    english, other = entries(f"en{part}"), entries(f"{language}{part}")
    assert list(other) == list(english)
    differing = [
        key
        for key, text in other.items()
        if set(re.findall(r"\{\w+\}", text)) != set(re.findall(r"\{\w+\}", english[key]))
    ]
    assert differing == []
