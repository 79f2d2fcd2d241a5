"""Single fields of foreign JSON."""

from __future__ import annotations

from typing import Any

import pytest

from app.connectors import fields
from app.connectors.failures import BadResponse


@pytest.mark.parametrize(("value", "text"), [(7, "7"), ("7", "7"), ("007", "7"), (2**63 - 1, None)])
def test_an_id_is_a_whole_number_however_written(value: Any, text: str | None) -> None:
    assert fields.get_id({"id": value}, "id") == (text or str(value))


@pytest.mark.parametrize(
    "value", [0, -1, True, 7.0, 2**63, "", "-7", "\u0667", "9" * 5000, None, [7]]
)
def test_anything_else_is_no_id(value: Any) -> None:
    assert fields.find_id({"id": value}) is None
    with pytest.raises(fields.Unreadable, match="id is not an id"):
        fields.get_id({"id": value}, "id")


def test_zero_is_an_id_where_it_means_nobody() -> None:
    assert fields.get_id({"author": 0}, "author", zero=True) == "0"


@pytest.mark.parametrize("row", [None, [], "text", 7])
def test_what_is_no_object_holds_nothing(row: Any) -> None:
    assert fields.find_id(row) is None
    with pytest.raises(BadResponse):
        fields.as_object(row)


def test_text_is_cleaned_and_must_not_be_empty_where_it_is_needed() -> None:
    assert fields.get_text({"name": "a\0b"}, "name") == "ab"
    assert fields.find_text({"name": ["a"]}, "name") == ""
    with pytest.raises(fields.Unreadable):
        fields.get_text({"name": ""}, "name")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:,x", "//x.org", "x.org", None])
def test_only_addresses_of_the_web_are_kept(url: Any) -> None:
    assert fields.find_url({"url": url}, "url") == ""
    assert fields.find_url({"url": "HTTPS://x.org"}, "url") == "HTTPS://x.org"


def test_base_url_ends_without_a_slash() -> None:
    assert fields.as_base_url("https://x.org/blog/") == "https://x.org/blog"


@pytest.mark.parametrize(
    "url", ["x.org", "ftp://x.org", "https://", "https://a:b@x.org", "http://x/?q"]
)
def test_base_url_is_a_bare_address(url: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        fields.as_base_url(url)


@pytest.mark.parametrize(
    ("value", "among"), [(1, True), ("1", False), (None, True), ([1], False), ({"a": 1}, False)]
)
def test_a_list_or_an_object_is_none_of_those_known(value: Any, *, among: bool) -> None:
    assert fields.is_among({"type": value}, "type", {1, None}) is among
    assert fields.is_among({}, "type", {1}) is False
