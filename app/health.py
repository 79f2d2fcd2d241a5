"""What says whether the process lives and whether it is ready; outside /api, without a token."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.errors import AppError
from app.schema import HEAD
from app.web.routes import Routes

router = Routes(include_in_schema=False)
_REVISION = text("SELECT version_num FROM alembic_version")


@router.get("/healthz")
async def healthz() -> Response:
    """The process answers; nothing else is looked at."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
async def readyz(request: Request) -> Response:
    """200 when requests can be served and sources are polled and stored, else 503 with the reasons.

    Trouble with a source is no reason: it needs a person, not a restart.
    """
    reasons = await _reasons(request)
    status = 503 if reasons else 200
    return JSONResponse({"ready": not reasons, "reasons": reasons}, status_code=status)


async def _reasons(request: Request) -> list[str]:
    state = request.app.state
    try:
        rows = await state.db.rows(_REVISION)
    except AppError as error:
        return [error.detail]
    except SQLAlchemyError:
        return ["The database does not answer as it should; the log of the database tells more."]
    found = [] if rows and rows[0][0] == HEAD else ["The database is at another revision."]
    if state.runner is not None and not state.runner.alive:
        found.append("Polling has stopped ticking.")
    if state.runner is not None and state.runner.trouble:
        found.append(state.runner.trouble)
    return found
