"""Routes of saved filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from app.clock import stamp
from app.errors import AppError, Conflict, NotFound, VersionMismatch
from app.inbox import listing
from app.inbox.actions import examples
from app.inbox.api.actions import Triaging
from app.inbox.api.filters import FilterBody, pairs_of, parse_filter
from app.inbox.api.lists import Seeing
from app.inbox.views import repository
from app.inbox.views.schemas import COUNTED_AT_MOST, ViewList, ViewOut, view_list, view_out
from app.inbox.views.service import PLACES, Keeping, view_not_found
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal
from app.web.conditional import etag, if_match
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.params import BOOLEAN, Param, Params, PathId
from app.web.routes import Routes
from app.web.wire import WHOLE, Body, Flag

router = Routes(tags=["inbox"])
WIRE = (ViewList, ViewOut)

COUNTING = Params((Param("counts", BOOLEAN, "Also how many items match now.", default=False),))
_Name = Annotated[str, StringConstraints(min_length=1, max_length=100, strip_whitespace=True)]
_Place = Annotated[int, Field(ge=0, le=PLACES, strict=True), WHOLE]
_Filter = Annotated[FilterBody, Field(max_length=50)]
_ASKED = {
    "requestBody": {
        "content": {
            "application/json": {
                "example": {"name": "Press", "filter": {"label": ["press"]}, "shared": True}
            }
        }
    }
}


class ViewNew(Body):
    """A filter with a name: the parameters of `GET /items`, lists where they are repeated."""

    name: _Name
    filter: _Filter
    shared: Flag = False
    place: _Place | None = None


class ViewChanged(Body):
    """What is different; what is not given stays."""

    name: _Name | None = None
    filter: _Filter | None = None
    shared: Flag | None = None
    place: _Place | None = None


def _keeping(principal: Triaging, tx: Writer, now: datetime, request: Request) -> Keeping:
    owner = principal.actor
    return Keeping(
        tx,
        owner,
        now,
        admin=principal.may(Permission.MANAGE_TOKENS),
        versions=if_match(request).versions,
        shown=lambda row: _out(row, owner),
    )


def _answer(row: Any, owner: str, count: int | None = None, *, status: int = 200) -> Response:
    headers = {"ETag": etag(row.version)}
    return answer(_out(row, owner, count), status=status, headers=headers)


def _out(row: Any, owner: str, count: int | None = None) -> ViewOut:
    return view_out(row, owner, urlencode(pairs_of(row.filter)), count)


async def _count(
    db: Reader, principal: Principal, wanted: Mapping[str, Any], now: datetime
) -> int | None:
    """How many match, up to one more than is told; `None` for a filter that is no longer one."""
    try:
        parsed = await parse_filter(db, principal, wanted, now)
    except AppError:
        return None
    scope = principal.scope
    return await listing.count_matching(db, scope, parsed, now=now, at_most=COUNTED_AT_MOST + 1)


@router.get(
    "/views",
    summary="Saved filters: one's own and the shared ones",
    openapi_extra=COUNTING.openapi(),
    responses=answers(ViewList, example=examples.VIEWS),
)
async def list_views(principal: Seeing, db: Reader, now: Now, request: Request) -> Response:
    counting = COUNTING.parse(request)["counts"]
    found = []
    for row in await repository.every(db, principal.actor):
        count = await _count(db, principal, row.filter, now) if counting else None
        found.append(_out(row, principal.actor, count))
    coverage = await request.app.state.coverage.block(principal.scope)
    return answer(view_list(found, stamp(now), coverage))


@router.get(
    "/views/{view_id}",
    summary="One saved filter, with how many items match now",
    responses={**answers(ViewOut, example=examples.VIEW), **problems(NotFound)},
)
async def get_view(principal: Seeing, db: Reader, now: Now, view_id: PathId) -> Response:
    row = await repository.find(db, principal.actor, view_id)
    if row is None:
        raise view_not_found(view_id)
    count = await _count(db, principal, row.filter, now)
    return _answer(row, principal.actor, count)


@router.post(
    "/views",
    status_code=201,
    summary="Save a filter",
    openapi_extra=_ASKED,
    responses={
        **answers(ViewOut, example=examples.VIEW, status=201, description="Saved."),
        **problems(Conflict),
    },
)
async def create_view(
    principal: Triaging, tx: Writer, now: Now, request: Request, body: ViewNew
) -> Response:
    await parse_filter(tx, principal, body.filter, now)
    row = await _keeping(principal, tx, now, request).create(
        body.name, body.filter, shared=body.shared, place=body.place
    )
    return _answer(row, principal.actor, status=201)


@router.patch(
    "/views/{view_id}",
    summary="Change a saved filter; who made it, or an admin",
    openapi_extra=_ASKED,
    responses={
        **answers(ViewOut, example=examples.VIEW),
        **problems(NotFound, VersionMismatch),
    },
)
async def change_view(
    principal: Triaging,
    tx: Writer,
    now: Now,
    request: Request,
    view_id: PathId,
    body: ViewChanged,
) -> Response:
    given = {name: getattr(body, name) for name in body.model_fields_set}
    values = {name: value for name, value in given.items() if value is not None}
    if "filter" in values:
        await parse_filter(tx, principal, values["filter"], now)
    row = await _keeping(principal, tx, now, request).change(view_id, values)
    return _answer(row, principal.actor)


@router.delete(
    "/views/{view_id}",
    status_code=204,
    summary="Delete a saved filter; who made it, or an admin",
    responses=problems(NotFound, VersionMismatch),
)
async def delete_view(
    principal: Triaging, tx: Writer, now: Now, request: Request, view_id: PathId
) -> Response:
    await _keeping(principal, tx, now, request).remove(view_id)
    return Response(status_code=204)
