"""The form in which an operator lists the apps he has made on platforms."""

from __future__ import annotations

import re

_ENTRIES = re.compile(r"\s*[,\n]\s*")
_APP = re.compile(r"(?P<platform>[a-z0-9_]{1,40})\s*=\s*(?P<id>[!-9;-~]+)(:(?P<secret>[!-~]+))?")


def parse_apps(text: str) -> dict[str, tuple[str, str]]:
    """Platform to (id, secret) of `platform=id:secret` entries, on lines of their own or with
    commas between them; a public app has no secret, "" then. `ValueError` says what is wrong and
    quotes no secret.
    """
    found: dict[str, tuple[str, str]] = {}
    for number, entry in enumerate(_ENTRIES.split(text.strip()), 1):
        matched = _APP.fullmatch(entry)
        if matched is None:
            raise ValueError(f"entry {number} is not of the form platform=id:secret")
        if matched["platform"] in found:
            raise ValueError(f"{matched['platform']} stands there twice")
        found[matched["platform"]] = (matched["id"], matched["secret"] or "")
    return found
