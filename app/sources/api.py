"""Routes of what we watch: platforms, sources, checks, coverage."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from pydantic import AfterValidator, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from app.clock import stamp
from app.connectors.failures import ConnectorError
from app.connectors.registry import PLATFORMS
from app.errors import Conflict, InvalidRequest, NotFound, VersionMismatch
from app.outbox.events import acting
from app.sources import examples, overview
from app.sources.connecting import platform_named
from app.sources.coverage import Coverage, is_complete, read_coverage
from app.sources.drafts import Changes, NewSource
from app.sources.offers import PlatformList, platform_out
from app.sources.repository import get_source as get_source_row
from app.sources.schemas import (
    CheckOut,
    SourceList,
    SourceOut,
    budget_out,
    check_out,
    failed_check,
)
from app.sources.service import Sources
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.conditional import etag, if_match
from app.web.deps import Now, Reader
from app.web.openapi import problems
from app.web.params import PathId
from app.web.routes import Routes
from app.web.wire import WHOLE, Body, Duration

router = Routes(tags=["sources"])
WIRE = (PlatformList, SourceList, SourceOut, CheckOut, Coverage)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
Managing = Annotated[Principal, Depends(needs(Permission.MANAGE_SOURCES))]

_Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]

_Label = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)]


def _names_somebody(value: str) -> str:
    if not value.removeprefix("bot:").lstrip("@"):
        raise ValueError("write an author id or a handle, with bot: before it for a bot")
    return value


_Us = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300, strip_whitespace=True),
    AfterValidator(_names_somebody),
]
_Interval = Annotated[int, Field(ge=1, le=7 * 86400, strict=True), WHOLE]
_Budget = Annotated[float, Field(gt=0, le=1e12, strict=True)]
_Secret = dict[str, Annotated[str, StringConstraints(max_length=10_000)]]


class SourceDraft(Body):
    """What to look at before it is saved."""

    platform: _Name
    settings: dict[str, Any] = Field(default_factory=dict)
    credential: _Secret | None = None


class SourceDetails(Body):
    """How a source is to be read, where that differs from what is usual. `also_us` lists further
    author ids or handles that are us; `bot:` before one says that it is automated, so that its
    replies are never answers.
    """

    poll_interval: _Interval | None = None
    backfill: Duration | None = None
    backlog_after: Duration | None = None
    also_us: list[_Us] = Field(default_factory=list, max_length=500)
    labels: list[_Label] = Field(default_factory=list, max_length=50)
    budget: _Budget | None = None


class SourceNew(SourceDraft, SourceDetails):
    """A source to connect. `also_us` lists further author ids or handles that are us; `bot:`
    before one says that it is automated, so that its replies are never answers.
    """

    name: _Name


class SourcePatch(Body):
    """What to change; what is left out stays. A new credential reconnects the same source."""

    name: _Name | None = None
    settings: dict[str, Any] | None = None
    credential: _Secret | None = None
    poll_interval: _Interval | None = None
    backlog_after: Duration | None = None
    also_us: list[_Us] | None = Field(default=None, max_length=500)
    labels: list[_Label] | None = Field(default=None, max_length=50)
    budget: _Budget | None = None


def _sources(request: Request) -> Sources:
    sources: Sources = request.app.state.sources
    return sources


def _shown(example: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


@router.get(
    "/platforms",
    summary="What can be connected, and with which fields",
    responses=answers(PlatformList, example=examples.PLATFORM_LIST),
)
async def list_platforms(_principal: Seeing) -> Response:
    offered = sorted(PLATFORMS.values(), key=lambda platform: platform.title.lower())
    shown = [platform_out(platform) for platform in offered if not platform.hidden]
    return answer(PlatformList(items=shown))


@router.get(
    "/sources",
    summary="Every source and how it fares",
    responses=answers(SourceList, example=examples.SOURCE_LIST),
)
async def list_sources(principal: Seeing, db: Reader, now: Now) -> Response:
    return answer(SourceList(items=await overview.sources(db, principal.scope, now)))


@router.post(
    "/sources/check",
    summary="Look at a credential before saving it",
    openapi_extra=_shown(examples.DRAFT),
    responses={**answers(CheckOut, example=examples.CHECK), **problems(InvalidRequest)},
)
async def check_source_draft(_principal: Managing, request: Request, body: SourceDraft) -> Response:
    quota = platform_named(body.platform).quota
    try:
        check = await _sources(request).check(body.platform, body.settings, body.credential)
    except ConnectorError as error:
        return answer(failed_check(error, budget_out(quota)))
    return answer(check_out(check, budget_out(quota)))


@router.post(
    "/sources",
    status_code=201,
    summary="Connect a source; it is checked first and polled at once",
    openapi_extra=_shown(examples.NEW),
    responses={
        **answers(SourceOut, example=examples.SOURCE, status=201, description="Connected."),
        **problems(Conflict),
    },
)
async def create_source(
    principal: Managing, db: Reader, now: Now, request: Request, body: SourceNew
) -> Response:
    asked = NewSource(**{name: getattr(body, name) for name in SourceNew.model_fields})
    with overview.told_as_problem():
        source_id = await _sources(request).connect(asked, acting(principal))
    made = await overview.source(db, principal.scope, source_id, now)
    headers = {"Location": f"/api/v1/sources/{source_id}", "ETag": etag(made.version)}
    return answer(made, status=201, headers=headers)


@router.get(
    "/sources/{source_id}",
    summary="One source with its streams",
    responses={**answers(SourceOut, example=examples.SOURCE), **problems(NotFound)},
)
async def get_source(principal: Seeing, db: Reader, now: Now, source_id: PathId) -> Response:
    found = await overview.source(db, principal.scope, source_id, now)
    return answer(found, headers={"ETag": etag(found.version)})


@router.patch(
    "/sources/{source_id}",
    summary="Change a source in place, or reconnect it with a new credential",
    openapi_extra=_shown(examples.PATCH),
    responses={
        **answers(SourceOut, example=examples.SOURCE),
        **problems(NotFound, Conflict, VersionMismatch),
    },
)
async def update_source(
    principal: Managing,
    db: Reader,
    now: Now,
    request: Request,
    source_id: PathId,
    body: SourcePatch,
) -> Response:
    present = await overview.source(db, principal.scope, source_id, now)
    overview.agreed_version(present, if_match(request))
    asked = Changes(**{name: getattr(body, name) for name in SourcePatch.model_fields})
    with overview.told_as_problem():
        await _sources(request).change(
            principal.scope, source_id, asked, acting(principal), present.version
        )
    changed = await overview.source(db, principal.scope, source_id, now)
    return answer(changed, headers={"ETag": etag(changed.version)})


@router.delete(
    "/sources/{source_id}",
    status_code=204,
    summary="Remove a source with everything that was read from it",
    responses=problems(NotFound, VersionMismatch),
)
async def delete_source(
    principal: Managing, db: Reader, now: Now, request: Request, source_id: PathId
) -> Response:
    present = await overview.source(db, principal.scope, source_id, now)
    version = overview.agreed_version(present, if_match(request))
    actor = acting(principal)
    await _sources(request).remove(principal.scope, source_id, actor, version=version)
    return Response(status_code=204)


@router.post(
    "/sources/{source_id}/check",
    summary="Look at the credential of a source again",
    responses={**answers(CheckOut, example=examples.CHECK), **problems(NotFound)},
)
async def check_source(
    principal: Managing, db: Reader, request: Request, source_id: PathId
) -> Response:
    row = await get_source_row(db, principal.scope, source_id)
    budget = budget_out(platform_named(row.platform).quota, row.budget)
    try:
        check = await _sources(request).check_stored(principal.scope, source_id)
    except ConnectorError as error:
        return answer(failed_check(error, budget))
    return answer(check_out(check, budget))


@router.get(
    "/coverage",
    summary="What has been read and what has not, stream by stream",
    responses=answers(Coverage, example=examples.COVERAGE),
)
async def get_coverage(principal: Seeing, db: Reader, now: Now) -> Response:
    rows = await read_coverage(db, principal.scope, now)
    complete = all(is_complete(row) for row in rows)
    return answer(Coverage(as_of=stamp(now), complete=complete, streams=rows))
