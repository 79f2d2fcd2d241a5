"""Opaque cursors, the limit, and the Link to the next page."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NoReturn
from urllib.parse import quote, urlencode

import msgspec
from sqlalchemy import Row
from starlette.requests import Request

from app.errors import FieldError
from app.web.formats import MAX_ID, bad_character
from app.web.params import Param, text, whole
from app.web.problems import invalid_request

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 1000
VERSION = 1

LIMIT = Param("limit", whole(1, MAX_LIMIT), "How many at most.", default=DEFAULT_LIMIT)
CURSOR = Param("cursor", text(MAX_CURSOR), "`next_cursor` of the page before; same filters.")
_SIZE = 8
_OUTSIDE = frozenset({"limit", "cursor"})

_canonical = msgspec.json.Encoder(order="deterministic")


def encode_cursor(position: object, direction: str, filters: Mapping[str, Any]) -> str:
    """A cursor for the page after `position`, the sort values of the last row given: a tuple of
    numbers, text and times. `direction` is the name of the order.

    `filters` are the parsed parameters; `limit` and `cursor` among them don't count.
    """
    payload = msgspec.json.encode([VERSION, direction, position])
    return urlsafe_b64encode(_digest(payload, filters) + payload).rstrip(b"=").decode()


def decode_cursor(cursor: str, kind: Any, direction: str, filters: Mapping[str, Any]) -> Any:
    """The position, of the type `kind`, e.g. `tuple[datetime, int]`.

    Raises 422 at `?cursor` when it was cut, changed, made by another version, in another order or
    with other filters. The check value finds mistakes; it is no signature and needs none, since a
    position gives nobody a right to see a row.
    """
    try:
        raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        digest, payload = raw[:_SIZE], raw[_SIZE:]
        if digest != _digest(payload, filters) or _text_of(raw) != cursor:
            _refuse()
        version, made_for, position = msgspec.json.decode(payload)
        if version != VERSION or made_for != direction or not _can_be_asked(position):
            _refuse()
        return msgspec.convert(position, kind)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        _refuse(error)


def _can_be_asked(position: Any) -> bool:
    """Whether a database takes every part of it; only a forged one holds anything else."""
    parts = position if isinstance(position, list) else [position]
    return not any(
        (isinstance(part, int) and not -MAX_ID <= part <= MAX_ID)
        or (isinstance(part, str) and bad_character(part))
        for part in parts
    )


def _text_of(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _digest(payload: bytes, filters: Mapping[str, Any]) -> bytes:
    bound = {name: value for name, value in filters.items() if name not in _OUTSIDE}
    return blake2b(payload + b"\x00" + _canonical.encode(bound), digest_size=_SIZE).digest()


def _refuse(cause: Exception | None = None) -> NoReturn:
    detail = "This cursor does not belong to this list with these filters. Start without it."
    raise invalid_request([FieldError("?cursor", "invalid_cursor", detail)]) from cause


def next_link(request: Request, next_cursor: str | None, public_url: str | None) -> dict[str, str]:
    """The `Link` header of a list, empty at its end.

    The address starts with the configured public one or is relative to the host: the Host header
    is the caller's word and never repeated.
    """
    if next_cursor is None:
        return {}
    kept = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    path = quote(request.scope["path"], safe="/~:@!$&'()*+,;=-._")
    base = (public_url or "").rstrip("/") or quote(request.scope.get("root_path", ""))
    query = _query([*kept, ("cursor", next_cursor)])
    return {"Link": f'<{base}{path}?{query}>; rel="next"'}


def _query(pairs: Iterable[tuple[str, str]]) -> str:
    return urlencode(list(pairs))


def place_by_id(values: Mapping[str, Any], order: str = "oldest") -> int | None:
    """The id beyond which a list in the order of its ids goes on; `None`: from its beginning."""
    given = values["cursor"]
    return None if given is None else decode_cursor(given, int, order, values)


def page_by_id(
    rows: Sequence[Row[Any]], values: Mapping[str, Any], order: str = "oldest"
) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of such a list, read with one row more than `limit`, and the cursor of the next."""
    limit: int = values["limit"]
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode_cursor(rows[limit - 1].id, order, values)
