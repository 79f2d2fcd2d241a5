"""ETag, If-Match and If-None-Match (RFC 9110, 8.8.3 and 13.1).

Every list and count has a weak ETag, made of its answer without `as_of` and `age_seconds`: these
move by themselves and can be reckoned from what is there. Everything else the answer shows is in
it, whatever made it change: a poll, a colleague, another process, or time (a snooze that ended, an
age bucket, a stream that has become late).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from app.errors import FieldError
from app.web.around import Call, lay_around
from app.web.problems import invalid_request

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_ONE = re.compile(_TAG)
# Within a text the quotes are escaped, so that only members of the document are found.
_MOVING = re.compile(rb'"(?:as_of":("[^"]*")|age_seconds":([0-9]+))')
_AGE = 2  # its group of an age; the other one is of a moment
_VARY = "Authorization, Cookie"
_VERSION = re.compile(r'"v([0-9]{1,18})"')


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The versions a caller accepts; `None`: any (no header, or `*`)."""

    versions: frozenset[int] | None

    def allows(self, version: int) -> bool:
        return self.versions is None or version in self.versions


def etag(version: int) -> str:
    """The strong ETag of a row's version."""
    return f'"v{version}"'


def if_match(request: Request) -> IfMatch:
    """The If-Match header. Weak tags never match (strong comparison); malformed ones are 422."""
    lines = request.headers.getlist("if-match")
    if not lines or [line.strip(" \t") for line in lines] == ["*"]:
        return IfMatch(None)
    joined = ", ".join(lines)
    if _TAGS.fullmatch(joined) is None:
        detail = 'Send an entity tag in quotes as it was given in ETag, like "v7", or *.'
        raise invalid_request([FieldError("#If-Match", "malformed", detail)])
    found = (_VERSION.fullmatch(tag) for tag in _ONE.findall(joined))
    return IfMatch(frozenset(int(match[1]) for match in found if match))


def none_match(request: Request, tag: str) -> bool:
    """Whether If-None-Match names this tag (weak comparison), so that 304 is the answer."""
    joined = ", ".join(request.headers.getlist("if-none-match"))
    if joined.strip(" \t") == "*":
        return True
    wanted = tag.removeprefix("W/")
    return any(given.removeprefix("W/") == wanted for given in _ONE.findall(joined))


@dataclass(frozen=True, slots=True)
class Parted:
    """An answer without what moves by itself. `still`: the parts between; `ages`: for each of the
    gaps, whether an age stands there (else a moment).
    """

    still: Sequence[bytes]
    ages: Sequence[bool]

    @classmethod
    def of(cls, body: bytes) -> Parted:
        still, ages, end = [], [], 0
        for found in _MOVING.finditer(body):
            still.append(body[end : found.start(found.lastindex or 0)])
            ages.append(found.lastindex == _AGE)
            end = found.end()
        return cls((*still, body[end:]), ages)

    @property
    def tag(self) -> str:
        """The weak ETag. BLAKE2 takes a seventh of SHA-256 where no processor helps that."""
        return f'W/"{blake2b(b"".join(self.still), digest_size=16).hexdigest()}"'


def content_tag(body: bytes) -> str:
    """The weak ETag of an answer."""
    return Parted.of(body).tag


def has_content_tag(path: str) -> bool:
    """Whether this is the path of a list or count; one thing alone has its version, or none."""
    return not path.endswith("}")


class Conditional(Response):
    """An answer that has its tag, and was compared with what the caller holds."""


def tagged(
    request: Request, tag: str, body: Callable[[], bytes], headers: Mapping[str, str]
) -> Response:
    """JSON with that tag, or 304 where the caller holds it; then `body` is not called."""
    told = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": _VARY, **headers}
    if none_match(request, tag):
        return Conditional(status_code=HTTPStatus.NOT_MODIFIED, headers=told)
    return Conditional(body(), headers=told, media_type="application/json")


async def _conditional(request: Request, _: Mapping[str, Any], call: Call) -> Response:
    response = await call()
    if isinstance(response, Conditional):
        return response
    if response.media_type != "application/json" or response.status_code != HTTPStatus.OK:
        return response
    if response.headers.get("Cache-Control") == "no-store":
        return response
    tag = content_tag(bytes(response.body))
    response.headers.setdefault("ETag", tag)
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers.add_vary_header(_VARY)
    if not none_match(request, tag):
        return response
    kept = {name: value for name, value in response.headers.items() if name[:8] != "content-"}
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=kept)


def make_conditional(app: FastAPI, prefix: str) -> None:
    """Lays the ETag around every list and count below the prefix; when all routes are there."""

    def fits(path: str) -> bool:
        return path.startswith(f"{prefix}/") and has_content_tag(path)

    lay_around(app, "GET", fits, _conditional)
