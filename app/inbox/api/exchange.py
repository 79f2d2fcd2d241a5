"""Items as a file: exporting a list of any length, importing the lines of an export."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.errors import Conflict, NotFound
from app.inbox.api.filters import FILTERS, wanted_items
from app.inbox.exchange import examples
from app.inbox.exchange.exporting import CSV, NDJSON, export
from app.inbox.exchange.importing import Importing
from app.inbox.exchange.schemas import EndLine, Imported, ItemLine
from app.outbox.events import acting
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.deps import Now, Reader
from app.web.openapi import problems
from app.web.params import ID, Param, Params, one_of
from app.web.routes import Routes

router = Routes(tags=["inbox"])
WIRE = (ItemLine, EndLine, Imported)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
Managing = Annotated[Principal, Depends(needs(Permission.MANAGE_SOURCES))]

_PAGED = {"limit", "cursor"}
_FORMAT = Param("format", one_of(("ndjson", "csv")), "What a line is.", default="ndjson")
_EXPORT = Params((_FORMAT, *(p for p in FILTERS.params if p.name not in _PAGED)))
_IMPORT = Params((Param("source_id", ID, "Every line goes to this source."),))


@router.get(
    "/items/export",
    summary="Every item of a list as a file, streamed",
    response_class=StreamingResponse,
    openapi_extra=_EXPORT.openapi(),
    responses={
        200: {
            "description": "The items, each on a line of its own.",
            "content": {
                NDJSON: {"schema": {"type": "string"}, "example": examples.NDJSON},
                "text/csv": {"schema": {"type": "string"}, "example": examples.CSV},
            },
        }
    },
)
async def export_items(principal: Seeing, db: Reader, now: Now, request: Request) -> Response:
    values = _EXPORT.parse(request)
    given = frozenset(request.query_params.keys())
    wanted, _ = await wanted_items(db, principal, values, given, now)
    kind = values["format"]
    name = f"unanswered-{now:%Y%m%dT%H%M%SZ}.{kind}"
    state = request.app.state
    return StreamingResponse(
        export(db, principal.scope, wanted, now, kind, stopping=lambda: state.stopping),
        media_type=CSV if kind == "csv" else NDJSON,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


_BODY: dict[str, Any] = {
    "required": True,
    "content": {NDJSON: {"schema": {"type": "string"}, "example": examples.NDJSON}},
}


@router.post(
    "/items/import",
    summary="Take in the lines of an export; what is known stays as it is",
    openapi_extra={**_IMPORT.openapi(), "requestBody": _BODY},
    responses={
        **answers(Imported, example=examples.IMPORTED, description="What became of each line."),
        **problems(NotFound, Conflict),
    },
)
async def import_items(principal: Managing, db: Reader, now: Now, request: Request) -> Response:
    source_id = _IMPORT.parse(request)["source_id"]
    actor = acting(principal)
    importing = await Importing.begin(db, principal.scope, actor, now, source_id)
    return answer(await importing.take_in(await request.body()))
