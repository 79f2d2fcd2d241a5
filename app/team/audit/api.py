"""Routes of the audit trail: a page of it, or all of it as a file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.team.audit import exporting, repository, schemas
from app.team.audit.repository import TrailFilter
from app.team.audit.schemas import ACTOR_KINDS, OUTCOMES, AuditList, AuditRow, audit_row
from app.team.managing import check_sees_all
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.deps import Now, Reader
from app.web.formats import MAX_ID, parse_whole
from app.web.paging import CURSOR, LIMIT, next_link, page_by_id, place_by_id
from app.web.params import TIME, Kind, Param, Params, one_of, text
from app.web.routes import Routes

router = Routes()
WIRE = (AuditList, AuditRow)

Looking = Annotated[Principal, Depends(needs(Permission.READ_AUDIT))]


def _actor(given: str) -> tuple[str, int | None]:
    kind, _, number = given.partition(":")
    if kind not in ACTOR_KINDS:
        raise ValueError(f"write one of {', '.join(ACTOR_KINDS)}, or one with an id, like user:3")
    return kind, parse_whole(number, minimum=1, maximum=MAX_ID) if number else None


_ACTOR = Kind(
    _actor,
    {"type": "string", "pattern": rf"^({'|'.join(ACTOR_KINDS)})(:[1-9][0-9]{{0,17}})?$"},
)
_NARROWING = (
    Param("actor", _ACTOR, "Who it was: a kind, or one of it, like `user:3`."),
    Param("operation", text(100), "What was asked for: an operationId or a command."),
    Param("object", text(100), "What it was about, like `item:5`."),
    Param("outcome", one_of(OUTCOMES), "What became of it."),
    Param("after", TIME, "Later than this moment."),
    Param("before", TIME, "Earlier than this moment."),
)
_LIST = Params((*_NARROWING, LIMIT, CURSOR))
_EXPORT = Params(
    (
        Param("format", one_of(("ndjson", "csv")), "What a line is.", default="ndjson"),
        *_NARROWING,
    )
)
_ORDER = "newest"


def _wanted(values: dict[str, Any]) -> TrailFilter:
    return TrailFilter(**{param.name: values[param.name] for param in _NARROWING})


@router.get(
    "/audit",
    summary="Who did what, newest first",
    openapi_extra=_LIST.openapi(),
    responses=answers(AuditList, example=schemas.LIST),
)
async def list_audit(principal: Looking, db: Reader, request: Request) -> Response:
    check_sees_all(principal)
    values = _LIST.parse(request)
    below = place_by_id(values, _ORDER)
    rows = await repository.page(db, _wanted(values), below=below, limit=values["limit"] + 1)
    rows, cursor = page_by_id(rows, values, _ORDER)
    page = AuditList(items=[audit_row(row) for row in rows], next_cursor=cursor)
    return answer(page, headers=next_link(request, cursor, request.app.state.public_url))


@router.get(
    "/audit/export",
    summary="The trail as a file, oldest first, streamed",
    response_class=StreamingResponse,
    openapi_extra=_EXPORT.openapi(),
    responses={
        200: {
            "description": "The rows, each on a line of its own.",
            "content": {
                exporting.NDJSON: {"schema": {"type": "string"}, "example": schemas.NDJSON},
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": ",".join(exporting.COLUMNS) + "\r\n",
                },
            },
        }
    },
)
async def export_audit(principal: Looking, db: Reader, now: Now, request: Request) -> Response:
    check_sees_all(principal)
    values = _EXPORT.parse(request)
    kind, state = values["format"], request.app.state
    name = f"unanswered-audit-{now:%Y%m%dT%H%M%SZ}.{kind}"
    return StreamingResponse(
        exporting.export(db, _wanted(values), kind, stopping=lambda: state.stopping),
        media_type=exporting.CSV if kind == "csv" else exporting.NDJSON,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
