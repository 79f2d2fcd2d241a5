"""Answers of the service in which every text that somebody could have chosen attacks.

It stands between the page and the service, as a database would that was filled past all checks:
what the page shows is hostile in each field, also in those that a form or a platform's rules keep
short and clean. Lists have many entries, each with other attacks.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

from playwright.async_api import Route

from tests.hostile import PAYLOADS


def _sendable(text: str) -> str:
    """Half of a surrogate pair is no text of UTF-8: no answer over HTTP can hold it."""
    return text.encode("utf-8", "replace").decode("utf-8")


TEXTS = (*map(_sendable, PAYLOADS), "__proto__", "constructor", "prototype")
_CHOSEN = """
    account actor address also_us answered_by api_url author author_handle author_name avatar_url by
    colour created_by description detail display_name external_id external_links handle instance
    labels language last4 name note notes parent_external_id permalink person raw reason reasons
    reply_url source_name stream text text_raw thread_title title unit url user_agent warnings
"""
_SOUND = """
    action actor_kind allowed_actions as_of at back_to backfill backlog_after cause code
    covered_from covered_through disabled_reason dismissed_reason end evidence first_at from
    from_status id kind next_cursor origin outcome period permissions platform query rights role
    shape since start state status text_format time_zone to to_status type types
    until visibility way weekday
"""
CHOSEN = frozenset(_CHOSEN.split())
"""Members that hold what a stranger, a platform or a colleague wrote; others have words of ours."""
SOUND = frozenset(_SOUND.split())
"""Members whose words the service chooses or checks; times end in `_at`."""
LIFTED = 1000
"""The id of the entry for attack n is that of a real one, and n thousands."""
_UNTOUCHED = ("/events/stream", "/platforms", "/openapi.json")
_NUMBER = re.compile(r"(?<=s/)[0-9]+")


@dataclass(slots=True)
class Impostor:
    """Answers in the service's place; `unknown` collects members that are in neither table.

    Of the attacks each member is given every `step`th, and different members different ones;
    with every `first` from 0 to `step` - 1, each member has been given all of them.
    """

    step: int
    first: int = 0
    trouble: str | None = None
    unknown: set[str] = field(default_factory=set)
    _turn: Any = field(default_factory=count)

    async def answer(self, route: Route) -> None:
        request = route.request
        path = urlsplit(request.url).path
        if path.endswith(_UNTOUCHED) or request.method != "GET":
            return await route.continue_()
        if self.trouble is not None and path.endswith("/items"):
            return await route.fulfill(status=422, json=problem(self.trouble))
        found = _NUMBER.search(urlsplit(request.url).path)
        lifted, real = divmod(int(found[0]), LIFTED) if found else (next(self._turn), 0)
        url = _NUMBER.sub(str(real), request.url, count=1) if found else request.url
        answered = await route.fetch(url=url)
        if answered.status != 200 or "json" not in answered.headers.get("content-type", ""):
            return await route.fulfill(response=answered)
        document = self.hostile(await answered.json(), lifted % self.entries)
        if found and "id" in document:
            document["id"] = int(found[0])
        return await route.fulfill(response=answered, body=json.dumps(document))

    @property
    def entries(self) -> int:
        return -(-len(TEXTS) // self.step)

    def text(self, number: int, name: str) -> str:
        """What the member of that name says in the entry of that number."""
        start = (crc32(name.encode()) + self.first) % self.step
        return TEXTS[(number * self.step + start) % len(TEXTS)]

    def hostile(self, value: Any, number: int, name: str = "") -> Any:
        """The same with attack `number` for every text that was chosen, and lists made long."""
        if isinstance(value, dict):
            made = {key: self.hostile(each, number, key) for key, each in value.items()}
            for entries in ("items", "entries"):
                if isinstance(value.get(entries), list) and value[entries]:
                    made[entries] = [self._entry(value[entries], n) for n in range(self.entries)]
                    made["next_cursor"] = None
            return made
        if isinstance(value, list):
            return [self.hostile(each, number, name) for each in value]
        return self._text(value, number, name) if isinstance(value, str) else value

    def _entry(self, entries: list[Any], number: int) -> Any:
        made = self.hostile(entries[number % len(entries)], number)
        for each in (made, made.get("item"), made.get("reply")):
            if isinstance(each, dict) and isinstance(each.get("id"), int):
                each["id"] += LIFTED * number
        return made

    def _text(self, value: str, number: int, name: str) -> str:
        if name in CHOSEN:
            return self.text(number, name)
        if name not in SOUND and not name.endswith(("_at", "_since", "_until")):
            self.unknown.add(name)
        return value


def problem(detail: str) -> dict[str, Any]:
    """A refusal that quotes what was sent."""
    error = {"pointer": "#q", "code": "malformed", "detail": detail, "offset": 0, "length": 1}
    told = {"code": "invalid-request", "title": detail, "detail": detail, "errors": [error]}
    return {"type": "about:blank", "status": 422, **told}
