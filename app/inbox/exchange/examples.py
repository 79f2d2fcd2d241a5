"""Examples of exports and imports for the OpenAPI document."""

from __future__ import annotations

import msgspec

from app.inbox import examples
from app.inbox.exchange.schemas import (
    EndLine,
    Imported,
    ItemLine,
    LineError,
    LineResult,
    ThreadLine,
    WriterLine,
)
from app.web.cells import lines

_AT = "2026-11-23T14:02:11.000Z"
_MIRA = WriterLine(
    external_id="9001",
    instance="social.example",
    handle="mira@social.example",
    display_name="Mira",
    url="https://social.example/@mira",
    followers=112,
)
_LINE = ItemLine(
    **{name: getattr(examples.ITEM, name) for name in examples.ITEM.__struct_fields__},
    writer=_MIRA,
    thread=ThreadLine(external_id="112"),
    dismissed_note=None,
    replies=[],
)
_END = EndLine(end=True, items=1, exported_at=_AT)

NDJSON = "".join(f"{msgspec.json.encode(line).decode()}\n" for line in (_LINE, _END))
CSV = lines([("id", "text"), (42, "@shop When will the blue teapot be back?")]).decode()
IMPORTED = Imported(
    new=1,
    known=0,
    failed=1,
    complete=None,
    results=[
        LineResult(line=1, result="new", id=42, error=None),
        LineResult(
            line=2,
            result="failed",
            id=None,
            error=LineError(code="malformed", detail="This is no line of an export."),
        ),
    ],
)
