"""What a request looks like before it is sent."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connectors.failures import AuthFailed, BadResponse
from app.connectors.outgoing import body_of, headers_for, with_params


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.text(min_size=1), st.text())))
def test_parameters_arrive_as_they_were_given(params: list[tuple[str, str]]) -> None:
    url = with_params("https://a.example/path?first=1", params)
    assert url.isascii()
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert query == [("first", "1"), *params]


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("https://a.example", "https://a.example?a=b"),
        ("https://a.example/?", "https://a.example/?a=b"),
        ("https://a.example/?x&", "https://a.example/?x&a=b"),
    ],
)
def test_parameters_come_after_those_of_the_url(url: str, whole: str) -> None:
    assert with_params(url, [("a", "b")]) == whole
    assert with_params(url, []) == url


def test_a_lone_surrogate_in_a_cursor_breaks_nothing() -> None:
    assert with_params("https://a.example", [("cursor", "\ud800")]).endswith("?cursor=%3F")


@pytest.mark.parametrize("value", ["a\nb", "a\r", "a\x00", "\ud800", "é", " a", "a ", "\x7f"])
def test_a_value_that_no_header_carries_is_refused_unspoken(value: str) -> None:
    for name, failure in (("Authorization", AuthFailed), ("X-Api-Key", AuthFailed)):
        with pytest.raises(failure, match="not copied as it is"):
            headers_for({name: value}, user_agent="x", json_body=False)
    with pytest.raises(BadResponse, match="if-none-match"):
        headers_for({"If-None-Match": value}, user_agent="x", json_body=False)


@pytest.mark.parametrize("name", ["Host", "cookie", "Content-Length", "bad name", "", "a\nb"])
def test_what_the_door_sets_is_not_set_by_a_caller(name: str) -> None:
    with pytest.raises(ValueError, match="no header"):
        headers_for({name: "x"}, user_agent="x", json_body=False)


def test_a_caller_may_ask_for_another_form() -> None:
    headers = headers_for({"Accept": "text/xml", "Empty": ""}, user_agent="me", json_body=True)
    assert headers == {
        "accept": "text/xml",
        "empty": "",
        "user-agent": "me",
        "content-type": "application/json",
        "accept-encoding": "gzip, deflate",
    }


def test_a_body_is_json_or_bytes_as_they_are() -> None:
    assert body_of(None, None) is None
    assert body_of(None, b"raw") == b"raw"
    assert body_of([], None) == b"[]"
    assert body_of({"a": "\ud800é"}, None) == b'{"a":"\\ud800\\u00e9"}'
