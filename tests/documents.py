"""Renders the pages of docs/ that are made from code: `python -m tests.documents` writes them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.main import create_app
from app.settings import Settings
from app.settings_told import settings_table
from app.web.openapi import Api, operations, write_snapshot
from tests.platform_pages import platforms_page

DOCS = Path(__file__).parent.parent / "docs"

_SETTINGS_HEAD = """# Settings

<!-- Made from app/settings.py by `python -m tests.documents`; a test compares the two. -->

Nothing has to be set. What is set comes from, first to last:

1. options of the command (`unanswered serve --port 9000`),
2. environment variables,
3. a file `.env` in the working directory (`NAME=value` lines; only the owner should be able to
   read it: `chmod 600 .env`),
4. the defaults below.

An empty value counts as not set. An unknown `UNANSWERED_…` name stops `serve` and `migrate` with
the name that was probably meant; everything that is wrong is told at once. Lists are separated by
commas. Each secret can also be given as a file, by the name with `_FILE` at its end.

| name | type | default | meaning |
|---|---|---|---|
"""

_SETTINGS_FOOT = """
The client side of the command line has more, see [the command line](cli.md): `UNANSWERED_URL` and
`UNANSWERED_TOKEN` (or `UNANSWERED_TOKEN_FILE`). The tests read `UNANSWERED_TEST_POSTGRES_URL` and
`UNANSWERED_TEST_RECORDINGS`.
"""


def settings_page() -> str:
    rows = (
        f"| `{name}` | {kind} | {default} | {told} |\n"
        for name, kind, default, told in settings_table()
    )
    return _SETTINGS_HEAD + "".join(rows) + _SETTINGS_FOOT


def _app() -> Api:
    return create_app(Settings(data_dir=Path(tempfile.gettempdir()) / "nothing-is-opened"))


def document() -> dict[str, Any]:
    """The OpenAPI document as the service shows it."""
    return _app().openapi()


_API_HEAD = """# The REST API, operation by operation

<!-- Made from docs/openapi.json by `python -m tests.documents`; a test compares the two. -->

Every operation of this version; [openapi.json](openapi.json) has the schemas and an example of
each. All of them need `Authorization: Bearer <token>` and may answer with the
[problems](problems.md) 401, 403, 413, 421, 422, 500 and 503 beside those named.

**Repeating.** Give every POST an `Idempotency-Key` (1 to 255 visible ASCII characters, a UUID say).
Repeated within 24 hours by the same token, it is done once, and answered as the first time with
`Idempotency-Replayed: true`. The same key with another path, query, body or `If-Match` is 422
`idempotency-key-reused`; while the first request runs, its repeat waits or is 409 `still-running`
with `Retry-After`. Refusals 404, 409, 410 and 412 are kept as well; after any other error the same
key is tried anew.

**Unchanged.** Every list and count has an `ETag`. Sent back in `If-None-Match`, it is answered with
304 and no body while nothing has changed but `as_of` and `age_seconds`, which follow from
`occurred_at`. Whatever else the answer shows changes it, also what time does: a snooze that ends,
an age bucket, a source that is late.

**Concurrent changes.** A single thing has its version as `ETag`; in `If-Match` of a change it is
412 with the present state when somebody else was faster.
"""


def api_page() -> str:
    return _API_HEAD + "".join(_operation(*found) for found in operations(document()))


def _operation(place: str, operation: dict[str, Any]) -> str:
    lines = [f"\n## `{place}`\n", f"{operation['summary']}.\n"]
    parameters = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
    if parameters:
        lines += ["| parameter | values | default | meaning |", "|---|---|---|---|"]
        lines += [_parameter(parameter) for parameter in parameters]
        lines.append("")
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is not None:
        lines.append(f"Body: `{_schema_name(content['schema'])}`.\n")
    lines.append(f"Answers: {', '.join(_answers(operation['responses']))}.\n")
    return "\n".join(lines)


_SHARED = frozenset({"401", "403", "413", "421", "422", "500", "503"})


def _answers(responses: dict[str, Any]) -> Iterator[str]:
    for status, response in responses.items():
        content = response.get("content", {}).get("application/json")
        if "text/event-stream" in response.get("content", {}):
            yield f"{status} text/event-stream"
        elif content is not None:
            yield f"{status} `{_schema_name(content['schema'])}`"
        elif status not in _SHARED:
            yield status


def _schema_name(schema: dict[str, Any]) -> str:
    kinds = [schema, *schema.get("anyOf", ())]
    return next(str(kind["$ref"]).rsplit("/", 1)[1] for kind in kinds if "$ref" in kind)


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    default = schema.get("default", "")
    shown = ", ".join(default) if isinstance(default, list) else default
    values = _values(schema.get("items", schema))
    return f"| `{parameter['name']}` | {values} | {shown} | {parameter['description']} |"


def _values(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return str(schema.get("format", schema["type"])).replace("int64", "id")


_EVENTS_HEAD = """# Events

<!-- Made from the code by `python -m tests.documents`; a test compares the two. -->

Everything that happens is an event: one row with a number (`seq`), the time, who did it
(`actor_kind`: `person`, `rule`, `platform`, `poller`, `helpdesk`; `actor`: the name at that time;
`actor_user_id`: the person of the team, where it was one), the item or source, the status before
and after, the evidence of an answer, and `details` such as a person's note. `id` names an event
everywhere. `GET /api/v1/items/{item_id}/events` shows those of one item.

There are three ways to hear of them. They read the same table, and each misses nothing:

- [poll the feed](following.md#poll), with curl, n8n, Make or Zapier,
- [keep a stream open](following.md#keep-a-stream-open), as the page and `unanswered watch` do,
- [have them sent](webhooks.md) to an address of yours.

Direct messages are told to those who may see them. A token that is limited to some sources hears of
these only, and not of what belongs to no source.

The list of types may grow.

| type |
|---|
"""
_TYPE = re.compile(r'"((?:item|source|webhook)\.[a-z_]+)"')
_NOT_EVENTS = frozenset({
    "source.id", "item.id", "item.needs_reply", "webhook.id", "webhook.test",
})  # fmt: skip


def event_types() -> list[str]:
    """Every type of event that the code can write."""
    app = Path(__file__).parent.parent / "app"
    listed = app / "outbox/types.py"
    paths = (path for path in app.rglob("*.py") if path != listed)
    texts = (path.read_text(encoding="utf-8") for path in paths)
    return sorted({found for text in texts for found in _TYPE.findall(text)} - _NOT_EVENTS)


def events_page() -> str:
    return _EVENTS_HEAD + "".join(f"| `{name}` |\n" for name in event_types())


def write() -> None:
    """Writes every page that is made from code."""
    (DOCS / "settings.md").write_text(settings_page(), encoding="utf-8")
    write_snapshot(_app(), DOCS / "openapi.json")
    (DOCS / "api.md").write_text(api_page(), encoding="utf-8")
    (DOCS / "events.md").write_text(events_page(), encoding="utf-8")
    (DOCS / "platforms" / "README.md").write_text(platforms_page(), encoding="utf-8")


if __name__ == "__main__":
    write()
