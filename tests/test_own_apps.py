"""The list of an operator's apps, as a setting or a file holds it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.errors import Unavailable
from app.main import create_app, running
from app.own_apps import parse_apps
from tests.service import settings_for


@pytest.mark.parametrize(
    ("text", "apps"),
    [
        ("x=a:b", {"x": ("a", "b")}),
        ("x=a", {"x": ("a", "")}),
        ("x = a:b , youtube=c:d=", {"x": ("a", "b"), "youtube": ("c", "d=")}),
        ("x=a:b\nyoutube=1-2.apps.example:GO-_C:X==\n", {
            "x": ("a", "b"), "youtube": ("1-2.apps.example", "GO-_C:X=="),
        }),
    ],
)  # fmt: skip
def test_entries_are_told_apart(text: str, apps: dict[str, tuple[str, str]]) -> None:
    assert parse_apps(text) == apps


@pytest.mark.parametrize("text", ["", "x", "x=", "=a:b", "x=a:", "X=a:b", "x=a b:c", "x=a:b,,y=c"])
def test_what_is_none_is_refused_without_its_secret(text: str) -> None:
    with pytest.raises(ValueError, match=r"entry \d is not of the form") as refusal:
        parse_apps(text)
    assert "b" not in str(refusal.value).replace("platform", "").replace("of the", "")


def test_a_platform_stands_there_once() -> None:
    with pytest.raises(ValueError, match="x stands there twice"):
        parse_apps("x=a:b,x=c:d")


async def test_a_platform_without_use_for_it_stops_the_start(
    sqlite_url: str, tmp_path: Path
) -> None:
    settings = settings_for(sqlite_url, tmp_path, oauth_clients=SecretStr("hackernews=a:b"))
    with pytest.raises(Unavailable, match="names hackernews"):
        async with running(create_app(settings)):
            pass
