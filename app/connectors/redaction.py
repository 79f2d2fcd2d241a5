"""Keeps secrets out of sentences: of failures, of logs, of everything a person may read."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from urllib.parse import quote, quote_plus

HIDDEN = "[hidden]"

_SHORTEST = 4  # hiding shorter ones would only garble the sentence around them
_NAMED = re.compile(
    r"(?i)([?&;](?:[a-z0-9_.-]*(?:token|key|secret|password|passwd|signature|sig|auth|code|"
    r"credential|session|jwt)[a-z0-9_.-]*)=)[^&;#\s\"'<>]+"
)
_USER = re.compile(r"(?i)(https?://)[^/\s@]+@")
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(\s*[:=]\s*)[^\r\n]+")
_SCHEME = re.compile(r"(?i)\b(bearer|basic|token)(\s+)[a-z0-9._~+/=-]{16,}")


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """`text` without the given secrets (also as they look in URLs and in base64), without values
    of query parameters with key-like names, without users of URLs and authorization headers.
    """
    for form in forms_of(secrets):
        text = text.replace(form, HIDDEN)
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    text = _USER.sub(rf"\1{HIDDEN}@", text)
    text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    return _SCHEME.sub(rf"\1\2{HIDDEN}", text)


def forms_of(secrets: Iterable[str]) -> Sequence[str]:
    """Every way in which one of `secrets` may show up, the longest first."""
    forms: set[str] = set()
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            raw = secret.encode("utf-8", errors="replace")
            encoded = base64.b64encode(raw).decode("ascii")
            safe = base64.urlsafe_b64encode(raw).decode("ascii")
            plain = raw.decode("utf-8")
            forms |= {secret, quote(plain, safe=""), quote(plain), quote_plus(plain)}
            forms |= {encoded, safe, encoded.rstrip("="), safe.rstrip("=")}
    return sorted(forms, key=lambda form: (-len(form), form))
