"""Routes of labels."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, NotFound, VersionMismatch
from app.inbox.actions import examples
from app.inbox.api.actions import LabelName, Triaging
from app.inbox.api.lists import Seeing
from app.inbox.labels import repository, service
from app.inbox.labels.schemas import LabelList, LabelOut, label_out
from app.inbox.policies.service import keep_due_times
from app.team.reach import check_reaches_all
from app.web.answers import answer, answers
from app.web.conditional import etag, if_match
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.params import PathId
from app.web.routes import Routes
from app.web.wire import Body

router = Routes(tags=["inbox"])
WIRE = (LabelList, LabelOut)

_REACH = "A label is the same on the items of every source"
_Colour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
_ASKED = {
    "requestBody": {
        "content": {"application/json": {"example": {"name": "press", "colour": "#d73a4a"}}}
    }
}


class LabelNew(Body):
    """A label; also made by putting a new name on an item."""

    name: LabelName
    colour: _Colour | None = None


class LabelChanged(Body):
    """Another name or colour; what is not given stays."""

    name: LabelName | None = None
    colour: _Colour | None = None


@router.get(
    "/labels", summary="Every label, by name", responses=answers(LabelList, example=examples.LABELS)
)
async def list_labels(principal: Seeing, db: Reader) -> Response:  # noqa: ARG001  # the gate
    rows = await repository.every(db)
    return answer(LabelList(items=[label_out(row) for row in rows], next_cursor=None))


@router.post(
    "/labels",
    status_code=201,
    summary="Make a label",
    openapi_extra=_ASKED,
    responses={
        **answers(LabelOut, example=examples.LABEL, status=201, description="Made."),
        **problems(Conflict),
    },
)
async def create_label(
    principal: Triaging,  # noqa: ARG001  # the gate
    tx: Writer,
    now: Now,
    body: LabelNew,
) -> Response:
    row = await service.create(tx, body.name, _lower(body.colour), now)
    return _answer(row, 201)


@router.patch(
    "/labels/{label_id}",
    summary="Rename or recolour a label, on all its items; due times follow at once",
    openapi_extra=_ASKED,
    responses={
        **answers(LabelOut, example=examples.LABEL),
        **problems(NotFound, Conflict, VersionMismatch),
    },
)
async def change_label(
    principal: Triaging,
    db: Reader,
    request: Request,
    label_id: PathId,
    body: LabelChanged,
) -> Response:
    check_reaches_all(principal.scope, _REACH)
    versions = if_match(request).versions
    values = {name: getattr(body, name) for name in body.model_fields_set}
    if "colour" in values:
        values["colour"] = _lower(values["colour"])
    if values.get("name", "") is None:
        del values["name"]
    async with db.write() as tx:
        row = await service.change(tx, label_id, values, versions)
    await keep_due_times(db)
    return _answer(row)


@router.delete(
    "/labels/{label_id}",
    status_code=204,
    summary="Delete a label and take it from all its items; due times follow at once",
    responses=problems(NotFound, VersionMismatch),
)
async def delete_label(
    principal: Triaging,
    db: Reader,
    request: Request,
    label_id: PathId,
) -> Response:
    check_reaches_all(principal.scope, _REACH)
    versions = if_match(request).versions
    async with db.write() as tx:
        await service.remove(tx, label_id, versions)
    await keep_due_times(db)
    return Response(status_code=204)


def _answer(row: Row[Any], status: int = 200) -> Response:
    return answer(label_out(row), status=status, headers={"ETag": etag(row.version)})


def _lower(colour: str | None) -> str | None:
    return None if colour is None else colour.lower()
