"""Loaded by Schemathesis: what its cases ask for, and which refusals no schema can foretell."""

from __future__ import annotations

import json
import os
import re
from itertools import count
from typing import Any

import schemathesis

KNOWN_IDS = 4
"""Ids below are there at the start, so that cases meet something."""
OWN = {name: int(os.environ.get(f"CONTRACT_{name}", "0")) for name in ("token_id", "user_id")}
"""Who asks: a caller that disables itself would be told 401 for the rest of the run."""
NUMBERS = count(1)
LINES = "application/x-ndjson"
STORED = (
    r"invalid_cursor \?cursor .*",
    r"reused #Idempotency-Key .*",
    r"unknown_event (\?after|/after|#Last-Event-ID) .*",
    r"unknown_person (\?assignee|/assignee|/user_id|/filter/assignee) .*",
    r"(unknown_source|not_found) /source_ids?(/\d+)? .*",
    r"unknown \?source_id .*",
    r"beyond_person /(role|rights|source_ids) .*",
)
"""What is there and what is not, and what the person of a token may."""
TIMES = (
    r"out_of_range /(until|replied_at) .*",
    r"in_the_past /expires_at .*",
    r"out_of_range /target .*",
    r"duration /\S+ .*(no years, months, fractions|at most 100 years).*",
    r"\w+ /calendar/\S+ .*",
    r"\S+ (\?\w+|/filter/\w+) .*(time|duration|year).*",
    r"out_of_range \?from .*",
)
"""Times that are too early or too late, now or ever."""
PARTS = (
    r"missing /note Say in `note` why.*",
    r"(missing|value_error) \S* [Gg]ive either .*",
    r"(one_choice|nothing)  Give .*",
    r"invalid_value (\?order|/filter/order) The order .* is for status=unanswered alone.*",
    r"no_condition /(rule/)?conditions .*",
    r"(missing|not_allowed|invalid_value) /(rule/)?effect .*",
    r"business_hours /calendar .*",
    r"(value_error|one_rule)  .*[Gg]ive either .*",
)
"""One field that asks for another."""
PLATFORMS = (
    r"unknown /platform .*",
    r"below_floor /poll_interval .*",
    r"\S+ /(credential|settings)(/.*)? .*",
    r"address_refused /url .*",
)
"""Every platform has fields of its own: `GET /platforms` tells them. Addresses must lead out."""
TEXTS = (
    r"\S+ \S* .*can't be stored.*",
    r"\S+ \S* .*[Aa] label (holds printable characters|has a name).*",
    r"too_short \S+ It needs at least 1 characters.*",
    r"\S+ \?q .*",
    r"(phrase|host) /(rule/)?conditions/\S+ .*",
    r"\S+ (/filter/\w+|/params(/.*)?) .*",
)
"""Characters no database keeps, blanks around a name, and small languages inside of a string."""
REFUSED = re.compile("|".join((*STORED, *TIMES, *PARTS, *PLATFORMS, *TEXTS)), re.DOTALL)


ENDED = frozenset({"revoked_at", "disabled"})
"""Tokens and people stay, so that what they did has a name."""


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Keeps every failure but three: a schema-valid request was refused for one of those reasons,
    what is kept with the time of its end was read after it, and a body of lines that is "no string"
    before it is sent (on its way it is one: the lines are looked at one by one, and told so).
    """
    if type(failure).__name__ == "AcceptedNegativeData" and case.media_type == LINES:
        return not _tells_of_each_line(response)
    if type(failure).__name__ == "UseAfterFree":
        return not ENDED & response.json().keys()
    if type(failure).__name__ != "RejectedPositiveData" or response.status_code != 422:
        return True
    told = (f"{e['code']} {e['pointer']} {e['detail']}" for e in response.json()["errors"])
    return not all(REFUSED.fullmatch(each) for each in told)


def _tells_of_each_line(response: Any) -> bool:
    told = response.json()
    failed = [each for each in told["results"] if each["result"] == "failed"]
    return len(failed) == int(told["failed"]) > 0


@schemathesis.hook
def map_path_parameters(_context: Any, path_parameters: dict[str, Any] | None) -> Any:
    """Three of four ids are those of something."""
    for name, value in (path_parameters or {}).items():
        if isinstance(value, int) and value > KNOWN_IDS and value % 4:
            path_parameters[name] = value % KNOWN_IDS + 1  # type: ignore[index]  # it has items
    return path_parameters


@schemathesis.hook
def before_call(_context: Any, case: Any, _kwargs: dict[str, Any]) -> None:
    """In a sequence each key is new: one used before is told the answer of then, also of what has
    been deleted since.
    """
    key = (case.headers or {}).get("Idempotency-Key")
    in_sequence = case.meta is not None and case.meta.phase.name.value == "stateful"
    if in_sequence and isinstance(key, str) and re.fullmatch(r"[!-~]{1,200}", key):
        case.headers["Idempotency-Key"] = f"{next(NUMBERS)}-{key}"


@schemathesis.serializer(LINES)
def lines(_context: Any, value: Any) -> bytes:
    """A text as it is, anything else as one line."""
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace")


@schemathesis.hook
def map_query(_context: Any, query: dict[str, Any] | None) -> Any:
    """7.0 is a whole number of JSON, but nobody writes it into an address."""
    return {name: _plain(value) for name, value in (query or {}).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def filter_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> bool:
    if context.operation is None or context.operation.method == "get":
        return True
    return all((path_parameters or {}).get(name) != own for name, own in OWN.items())
