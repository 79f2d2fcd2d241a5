"""Cursors carry a position and refuse everything that is not theirs."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from app.errors import InvalidRequest
from app.web import paging
from app.web.paging import (
    MAX_CURSOR,
    decode_cursor,
    encode_cursor,
    next_link,
    page_by_id,
    place_by_id,
)

Position = tuple[datetime, int]
AT = (datetime(2026, 3, 1, 9, 30, 0, 123_456, UTC), 7)
FILTERS = {
    "status": ("unanswered",),
    "q": "café",
    "older_than": timedelta(hours=4),
    "after": AT[0],
    "overdue": None,
}
moments = st.datetimes(timezones=st.just(UTC))
ids = st.integers(1, 2**63 - 1)
filters = st.dictionaries(
    st.text(max_size=5),
    st.none() | st.booleans() | st.integers(0, 99) | st.text(max_size=5) | moments,
    max_size=4,
)


def refused(cursor: str, kind: Any = Position, order: str = "oldest", **changed: Any) -> bool:
    try:
        decode_cursor(cursor, kind, order, FILTERS | changed)
    except InvalidRequest as error:
        return [(e.pointer, e.code) for e in error.errors] == [("?cursor", "invalid_cursor")]
    return False


@given(moments, ids, filters)
def test_a_cursor_gives_its_position_back(at: datetime, row: int, bound: dict[str, Any]) -> None:
    cursor = encode_cursor((at, row), "oldest", bound)
    assert decode_cursor(cursor, Position, "oldest", bound) == (at, row)


@given(moments, ids)
def test_a_cursor_fits_into_an_url_as_it_is(at: datetime, row: int) -> None:
    cursor = encode_cursor((at, row), "oldest", FILTERS)
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in cursor)
    assert len(cursor) < MAX_CURSOR


def test_positions_of_other_kinds_survive_too() -> None:
    for position in ((1.5, 2), (None, 2), ("a", 2)):
        kind = tuple[float | str | None, int]
        cursor = encode_cursor(position, "value", {})
        assert decode_cursor(cursor, kind, "value", {}) == position


def test_limit_and_cursor_are_no_filters() -> None:
    cursor = encode_cursor(AT, "oldest", {**FILTERS, "limit": 50, "cursor": None})
    changed = {**FILTERS, "limit": 7, "cursor": cursor}
    assert decode_cursor(cursor, Position, "oldest", changed) == AT


@pytest.mark.parametrize(
    "changed",
    [
        {"status": ("replied",)},
        {"status": ("unanswered", "replied")},
        {"q": None},
        {"older_than": timedelta(hours=5)},
        {"after": None},
        {"overdue": False},
        {"more": 1},
    ],
)
def test_other_filters_refuse_the_cursor(changed: dict[str, Any]) -> None:
    assert refused(encode_cursor(AT, "oldest", FILTERS), **changed)


def test_another_order_refuses_the_cursor() -> None:
    assert refused(encode_cursor(AT, "oldest", FILTERS), order="newest")


def test_a_position_of_another_shape_is_refused() -> None:
    for position in (7, (1,), ("x", "y"), (AT[0], 7, 8), None, {"a": 1}):
        assert refused(encode_cursor(position, "oldest", FILTERS))


@given(st.data())
def test_a_changed_cursor_is_refused(data: st.DataObject) -> None:
    cursor = encode_cursor(AT, "oldest", FILTERS)
    place = data.draw(st.integers(0, len(cursor) - 1))
    other = data.draw(st.sampled_from("ABCabc019-_=%/+ é\x00"))
    changed = cursor[:place] + other + cursor[place + 1 :]
    assert changed == cursor or refused(changed)


@given(st.integers(0, 200))
def test_a_cut_or_lengthened_cursor_is_refused(length: int) -> None:
    cursor = encode_cursor(AT, "oldest", FILTERS)
    changed = (cursor + "A" * 200)[:length]
    assert changed == cursor or refused(changed)


@given(st.text(max_size=200) | st.binary(max_size=100).map(lambda b: urlsafe_b64encode(b).decode()))
def test_foreign_text_is_refused(text: str) -> None:
    assert refused(text)


def test_a_cursor_of_another_version_is_refused() -> None:
    cursor = encode_cursor(AT, "oldest", FILTERS)
    raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    assert raw[8:].startswith(b"[1,")
    other = urlsafe_b64encode(raw[:8] + b"[2," + raw[11:]).rstrip(b"=").decode()
    assert refused(other)


def listing(query: bytes, path: str = "/api/v1/items", root: str = "") -> Request:
    scope = {
        "type": "http",
        "path": path,
        "root_path": root,
        "query_string": query,
        "headers": [(b"host", b"evil.example")],
    }
    return Request(scope)


def test_the_link_keeps_the_filters_and_replaces_the_cursor() -> None:
    request = listing(b"status=a&status=b&q=caf%C3%A9%20%26&cursor=old&limit=2")
    expected = "/api/v1/items?status=a&status=b&q=caf%C3%A9+%26&limit=2&cursor=new"
    assert next_link(request, "new", None) == {"Link": f'<{expected}>; rel="next"'}


def test_the_link_starts_with_the_public_address_and_never_with_the_host_header() -> None:
    link = next_link(listing(b""), "new", "https://inbox.example.org/base/")["Link"]
    assert link == '<https://inbox.example.org/base/api/v1/items?cursor=new>; rel="next"'


def test_a_path_can_not_break_out_of_the_link() -> None:
    link = next_link(listing(b"", path='/a>; rel="x"\r\n<'), "new", None)["Link"]
    assert link.count(">") == 1
    assert "\r" not in link
    assert '"x"' not in link


def test_the_last_page_has_no_link() -> None:
    assert next_link(listing(b""), None, None) == {}


@pytest.mark.parametrize("position", [(2**63, 1), ("a\x00", 1), (-(2**64), 1)])
def test_a_forged_position_never_reaches_the_database(position: Any) -> None:
    cursor = encode_cursor(position, "oldest", FILTERS)
    assert refused(cursor, kind=tuple[int | str, int])


def test_the_limits_of_pages_and_positions() -> None:
    limit, cursor = paging.LIMIT, paging.CURSOR
    assert (limit.default, paging.DEFAULT_LIMIT, paging.MAX_LIMIT) == (50, 50, 200)
    assert limit.kind.parse("1") == 1
    assert limit.kind.parse("200") == 200
    for wrong in ("0", "201"):
        with pytest.raises(ValueError, match="from 1 to 200"):
            limit.kind.parse(wrong)
    assert len(cursor.kind.parse("a" * 1000)) == 1000
    with pytest.raises(ValueError, match="1 to 1000 characters"):
        cursor.kind.parse("a" * 1001)
    assert (limit.name, cursor.name) == ("limit", "cursor")
    largest = (2**63 - 1, 1 - 2**63)
    assert decode_cursor(encode_cursor(largest, "x", {}), tuple[int, int], "x", {}) == largest


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_a_list_in_the_order_of_its_ids_is_paged_to_its_end(order: str) -> None:
    rows: Any = tuple(SimpleNamespace(id=number) for number in (3, 5, 8))
    values: dict[str, Any] = {"limit": 2, "cursor": None, "platform": "x"}
    assert place_by_id(values, order) is None
    page, cursor = page_by_id(rows, values, order)
    assert page == rows[:2]
    values["cursor"] = cursor
    assert place_by_id(values, order) == 5
    for last in (rows[2:], rows[:2], ()):
        assert page_by_id(last, values, order) == (last, None)
    with pytest.raises(InvalidRequest, match="does not belong to this list"):
        place_by_id(values, "another")
    with pytest.raises(InvalidRequest):
        place_by_id(values | {"platform": "y"}, order)


def test_a_list_of_ids_begins_with_the_oldest() -> None:
    values: dict[str, Any] = {"limit": 1, "cursor": None}
    rows: Any = tuple(SimpleNamespace(id=number) for number in (1, 2))
    values["cursor"] = page_by_id(rows, values)[1]
    assert place_by_id(values) == place_by_id(values, "oldest") == 1


def test_odd_paths_and_roots_are_kept_whole() -> None:
    scope = {
        "type": "http", "path": "/a~b:@!$&'()*+,;=-._/\u00fc", "root_path": "/r \u00fc",
        "query_string": b"", "headers": [],
    }  # fmt: skip
    link = next_link(Request(scope), "c", None)["Link"]
    assert link == '</r%20%C3%BC/a~b:@!$&\'()*+,;=-._/%C3%BC?cursor=c>; rel="next"'
    del scope["root_path"]
    assert next_link(Request(scope), "c", "")["Link"].startswith("</a~b")
    assert next_link(Request(scope), "c", "https://x/")["Link"].startswith("<https://x/a~b")
