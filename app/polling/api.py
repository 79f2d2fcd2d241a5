"""Routes about polling a source: now, pause, resume, and what the polls did."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import Depends
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import Response

from app.clock import monotonic
from app.db import Database
from app.errors import Conflict, NotFound, VersionMismatch
from app.outbox.events import acting
from app.sources import examples, overview, quarantine, repository, runs
from app.sources.quarantine import QuarantineList
from app.sources.schemas import RunList, RunOut, SourceOut, run_out
from app.sources.service import Sources
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.conditional import etag, if_match
from app.web.deps import Now, Reader
from app.web.openapi import problems
from app.web.paging import CURSOR, LIMIT, decode_cursor, encode_cursor, next_link
from app.web.params import ID, Param, Params, PathId, whole
from app.web.routes import Routes

router = Routes(tags=["sources"])
WIRE = (RunOut, RunList, QuarantineList)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
Triaging = Annotated[Principal, Depends(needs(Permission.TRIAGE))]
Managing = Annotated[Principal, Depends(needs(Permission.MANAGE_SOURCES))]

MAX_WAIT = 60
LOOK_SOON, LOOK_EVERY = 0.01, 0.1
_WAIT = Params((Param("wait", whole(0, MAX_WAIT), "Seconds to wait for its end.", default=0),))
_PAGE = Params((LIMIT, CURSOR))
_QUARANTINE = Params((Param("source_id", ID, "Only of this source."), LIMIT, CURSOR))


def _sources(request: Request) -> Sources:
    sources: Sources = request.app.state.sources
    return sources


async def _changed(
    request: Request,
    principal: Principal,
    db: Database,
    now: datetime,
    source_id: int,
    change: Callable[..., Awaitable[None]],
) -> Response:
    """Makes a change of a source where If-Match allows it; the source as it is then."""
    present = await overview.source(db, principal.scope, source_id, now)
    version = overview.agreed_version(present, if_match(request))
    actor = acting(principal)
    await change(principal.scope, source_id, actor, version=version)
    changed = await overview.source(db, principal.scope, source_id, now)
    return answer(changed, headers={"ETag": etag(changed.version)})


@router.post(
    "/sources/{source_id}/poll",
    summary="Poll a source now",
    openapi_extra=_WAIT.openapi(),
    responses={
        **answers(RunOut, example=examples.RUN, description="The poll has ended."),
        **answers(RunOut, example=examples.RUN, status=202, description="It runs, or will."),
        **problems(NotFound, Conflict),
    },
)
async def poll_source(
    principal: Managing, db: Reader, request: Request, source_id: PathId
) -> Response:
    wait = _WAIT.parse(request)["wait"]
    run_id = await _sources(request).poll_soon(principal.scope, source_id)
    row = await _wait_for(db, run_id, wait)
    return answer(run_out(row), status=202 if row.finished_at is None else 200)


async def _wait_for(db: Database, run_id: int, seconds: float) -> Row[tuple[int, ...]]:
    """The run when it has ended, or as it is when the time is over. The poll may happen in
    another process, so the table is the only place to look.
    """
    until, pause = monotonic() + seconds, LOOK_SOON
    while True:
        row = await runs.find_run(db, run_id)
        if row is None:
            raise NotFound("The source was removed meanwhile.")
        if row.finished_at is not None or monotonic() >= until:
            return row
        await asyncio.sleep(pause)
        pause = min(2 * pause, LOOK_EVERY)


@router.post(
    "/sources/{source_id}/pause",
    summary="Stop polling a source; nothing is forgotten",
    responses={
        **answers(SourceOut, example=examples.SOURCE),
        **problems(NotFound, VersionMismatch),
    },
)
async def pause_source(
    principal: Managing, db: Reader, now: Now, request: Request, source_id: PathId
) -> Response:
    change = partial(_sources(request).pause, paused=True)
    return await _changed(request, principal, db, now, source_id, change)


@router.post(
    "/sources/{source_id}/resume",
    summary="Poll a paused source again, from where it stood",
    responses={
        **answers(SourceOut, example=examples.SOURCE),
        **problems(NotFound, VersionMismatch),
    },
)
async def resume_source(
    principal: Managing, db: Reader, now: Now, request: Request, source_id: PathId
) -> Response:
    change = partial(_sources(request).pause, paused=False)
    return await _changed(request, principal, db, now, source_id, change)


@router.get(
    "/sources/{source_id}/runs",
    summary="What each poll of a source did, newest first",
    openapi_extra=_PAGE.openapi(),
    responses={**answers(RunList, example=examples.RUN_LIST), **problems(NotFound)},
)
async def list_runs(principal: Seeing, db: Reader, request: Request, source_id: PathId) -> Response:
    await repository.get_source(db, principal.scope, source_id)
    values = _PAGE.parse(request)
    filters = {"source_id": source_id}
    before = None
    if values["cursor"] is not None:
        before = decode_cursor(values["cursor"], int, "newest", filters)
    limit = values["limit"]
    rows = await runs.page_runs(db, source_id, before, limit + 1)
    more = len(rows) > limit
    cursor = encode_cursor(rows[limit - 1].id, "newest", filters) if more else None
    page = RunList(items=[run_out(row) for row in rows[:limit]], next_cursor=cursor)
    return answer(page, headers=next_link(request, cursor, request.app.state.public_url))


@router.post(
    "/sources/{source_id}/backfill/pause",
    summary="Stop reading back the history; new messages are read on",
    responses={
        **answers(SourceOut, example=examples.SOURCE),
        **problems(NotFound, VersionMismatch),
    },
)
async def pause_backfill(
    principal: Managing, db: Reader, now: Now, request: Request, source_id: PathId
) -> Response:
    change = partial(_sources(request).pause_backfill, paused=True)
    return await _changed(request, principal, db, now, source_id, change)


@router.post(
    "/sources/{source_id}/backfill/resume",
    summary="Go on reading back the history",
    responses={
        **answers(SourceOut, example=examples.SOURCE),
        **problems(NotFound, VersionMismatch),
    },
)
async def resume_backfill(
    principal: Managing, db: Reader, now: Now, request: Request, source_id: PathId
) -> Response:
    change = partial(_sources(request).pause_backfill, paused=False)
    return await _changed(request, principal, db, now, source_id, change)


@router.get(
    "/quarantine",
    summary="Messages that could not be read, with the reason",
    openapi_extra=_QUARANTINE.openapi(),
    responses=answers(QuarantineList, example=quarantine.EXAMPLE),
)
async def list_quarantine(principal: Triaging, db: Reader, request: Request) -> Response:
    values = _QUARANTINE.parse(request)
    before = None
    if values["cursor"] is not None:
        before = decode_cursor(values["cursor"], int, "newest", values)
    limit = values["limit"]
    rows = await quarantine.page_quarantine(
        db, principal.scope, values["source_id"], before, limit + 1
    )
    more = len(rows) > limit
    cursor = encode_cursor(rows[limit - 1].id, "newest", values) if more else None
    shown = [quarantine.quarantined_out(row) for row in rows[:limit]]
    page = QuarantineList(items=shown, next_cursor=cursor)
    return answer(page, headers=next_link(request, cursor, request.app.state.public_url))


@router.post(
    "/quarantine/{entry_id}/retry",
    status_code=202,
    summary="Try to read a message again, with everything else its source holds back",
    responses={
        **answers(RunOut, example=examples.RUN, status=202, description="The poll that tries it."),
        **problems(NotFound, Conflict),
    },
)
async def retry_quarantined(
    principal: Triaging, db: Reader, now: Now, request: Request, entry_id: PathId
) -> Response:
    entry = await quarantine.get_quarantined(db, principal.scope, entry_id)
    run_id = await _sources(request).poll_soon(
        principal.scope, entry.source_id, also=partial(quarantine.read_anew, entry, now)
    )
    return answer(run_out(await _wait_for(db, run_id, 0)), status=202)
