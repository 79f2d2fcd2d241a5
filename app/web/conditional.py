"""ETag, If-Match and If-None-Match (RFC 9110, 8.8.3 and 13.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.requests import Request

from app.errors import FieldError
from app.web.problems import invalid_request

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"[ \t,]*{_TAG}(?:[ \t]*,[ \t,]*{_TAG})*[ \t,]*")
_ONE = re.compile(_TAG)
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
