"""Routes of the reports."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.connectors.base import Kind
from app.errors import FieldError
from app.inbox.exchange.exporting import CSV
from app.reports import examples, files, service
from app.reports.periods import FIRST, LAST, Unit, first_by_default, trouble_with
from app.reports.schemas import BacklogReport, ResponseReport
from app.reports.service import Narrowing, Range
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.deps import Now, Reader
from app.web.params import ID, Param, Params, one_of, text
from app.web.params import Kind as ParamKind
from app.web.problems import invalid_request
from app.web.routes import Routes

router = Routes(tags=["reports"])
WIRE = (ResponseReport, BacklogReport)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(given: str) -> date:
    try:
        found = date.fromisoformat(given) if _DATE.fullmatch(given) else None
    except ValueError:
        found = None
    if found is None or not FIRST <= found <= LAST:
        raise ValueError("write a day like 2026-11-23, from the year 1971 on")
    return found


def _zone(given: str) -> ZoneInfo:
    try:
        return ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("name a time zone like Europe/Berlin") from error


DAY = ParamKind(_day, {"type": "string", "format": "date"})
ZONE = ParamKind(_zone, text(60).schema)
_FORMAT = Param("format", one_of(("json", "csv")), "`csv`: for a spreadsheet.", default="json")
_SHARED = (
    Param("from", DAY, "The first day. Not given: twelve weeks, by day thirty days."),
    Param("to", DAY, "The last day. Not given: today."),
    Param("time_zone", ZONE, "Whose days and hours, like Europe/Berlin. Not given: UTC."),
    Param("platform", text(40), "Only these platforms. Repeatable.", many=True),
    Param("source_id", ID, "Only these sources. Repeatable.", many=True),
)
RESPONSE = Params(
    (
        *_SHARED,
        Param("kind", one_of(Kind), "Only these kinds. Repeatable.", many=True),
        Param("period", one_of(("day", "week", "all")), "A row for each.", default="week"),
        Param(
            "by",
            one_of(("all", "platform", "source", "person")),
            "A row for each; `person`: who answered, or has it.",
            default="all",
        ),
        _FORMAT,
    )
)
BACKLOG = Params(
    (
        *_SHARED,
        _FORMAT,
        Param("table", one_of(("ages", "hours")), "Which table a CSV is of.", default="ages"),
    )
)


def _days(values: dict[str, Any], unit: Unit, now: datetime) -> Range:
    """The range asked for; 422 where it is none."""
    zone = values["time_zone"] or ZoneInfo("UTC")
    last = values["to"] or now.astimezone(zone).date()
    first = values["from"] or first_by_default(last, unit)
    if trouble := trouble_with(first, last, unit):
        raise invalid_request([FieldError("?from", "out_of_range", trouble)])
    return Range(first, last, zone)


def _narrowing(values: dict[str, Any]) -> Narrowing:
    return Narrowing(values["platform"] or (), values["source_id"] or ())


def _shown(shape: Any, example: Any, csv: str) -> dict[int | str, dict[str, Any]]:
    found = answers(shape, example=example, description="The report.")
    found[200]["content"]["text/csv"] = {"schema": {"type": "string"}, "example": csv}
    return found


def _file(body: bytes, name: str, now: datetime) -> Response:
    disposition = f'attachment; filename="unanswered-{name}-{now:%Y%m%dT%H%M%SZ}.csv"'
    headers = {"Content-Disposition": disposition, "Cache-Control": "private, no-cache"}
    return Response(body, media_type=CSV, headers=headers)


@router.get(
    "/reports/response",
    summary="How soon we answer: share, median and 90th percentile",
    openapi_extra=RESPONSE.openapi(),
    responses=_shown(ResponseReport, examples.RESPONSE, examples.RESPONSE_CSV),
)
async def report_response(principal: Seeing, db: Reader, now: Now, request: Request) -> Response:
    values = RESPONSE.parse(request)
    report = await service.response(
        db,
        await service.narrowed(db, principal.scope, _narrowing(values)),
        _days(values, values["period"], now),
        unit=values["period"],
        by=values["by"],
        kinds=values["kind"] or (),
        now=now,
        coverage=await request.app.state.coverage.block(principal.scope),
    )
    if values["format"] == "csv":
        return _file(files.response_csv(report), "response", now)
    return answer(report)


@router.get(
    "/reports/backlog",
    summary="How long the unanswered wait, and at which hours people write",
    openapi_extra=BACKLOG.openapi(),
    responses=_shown(BacklogReport, examples.BACKLOG, examples.BACKLOG_CSV),
)
async def report_backlog(principal: Seeing, db: Reader, now: Now, request: Request) -> Response:
    values = BACKLOG.parse(request)
    report = await service.backlog(
        db,
        await service.narrowed(db, principal.scope, _narrowing(values)),
        _days(values, "all", now),
        now,
        await request.app.state.coverage.block(principal.scope),
    )
    if values["format"] == "csv":
        table = values["table"]
        body = files.ages_csv(report) if table == "ages" else files.hours_csv(report)
        return _file(body, table, now)
    return answer(report)
