"""Routes of sessions: where one is signed in, and ending that."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotAllowed, NotFound
from app.team.managing import check_sees_all
from app.team.schemas import PersonOut
from app.team.sessions import repository
from app.team.sessions.schemas import SessionList, SessionOut, session_out
from app.team.sessions.service import KIND, Sessions
from app.web import cookies
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.deps import Now, Reader, Writer
from app.web.formats import MAX_ID, parse_whole
from app.web.openapi import problems
from app.web.paging import CURSOR, LIMIT, next_link, page_by_id, place_by_id
from app.web.params import Kind, Param, Params, PathId, one_of
from app.web.routes import Routes

router = Routes()
WIRE = (SessionList, SessionOut)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
ANY = "any"


def _whose(given: str) -> str | int:
    return ANY if given == ANY else parse_whole(given, minimum=1, maximum=MAX_ID)


_WHOSE = Param(
    "user_id",
    Kind(_whose, {"type": "string", "pattern": f"^({ANY}|[1-9][0-9]{{0,18}})$"}),
    "Whose: an id, or `any`. For who manages people; not given: the caller's own.",
)
_FILTERS = Params((_WHOSE, LIMIT, CURSOR))
_ENDING = Params(
    (_WHOSE, Param("keep", one_of(("current",)), "`current`: all but the one that asks."))
)
_EXAMPLE = SessionList(
    items=[
        SessionOut(
            id=12,
            user=PersonOut(id=3, name="mira", display_name="Mira"),
            way="password",
            address="192.0.2.7",
            user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
            created_at="2026-11-23T14:02:11.000Z",
            last_seen_at="2026-11-23T16:40:02.000Z",
            expires_at="2026-11-30T14:02:11.000Z",
            current=True,
        )
    ],
    next_cursor=None,
)


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.sessions
    return sessions


def _own(principal: Principal) -> int | None:
    """The session that asks; `None`: it was a token."""
    return principal.id if principal.kind == KIND else None


def _asked_for(principal: Principal, whose: str | int | None) -> int | None:
    """The person whose sessions are meant, `None` for everybody; 0, nobody, for an integration."""
    if whose is None or whose == principal.user_id:
        return principal.user_id or 0
    if not principal.may(Permission.MANAGE_USERS):
        raise NotAllowed("Other people's sessions are for those who manage people.")
    check_sees_all(principal)
    return None if whose == ANY else int(whose)


@router.get(
    "/sessions",
    summary="Where one is signed in",
    openapi_extra=_FILTERS.openapi(),
    responses=answers(SessionList, example=_EXAMPLE),
)
async def list_sessions(principal: Seeing, db: Reader, now: Now, request: Request) -> Response:
    values = _FILTERS.parse(request)
    rows = await repository.page_sessions(
        db,
        user_id=_asked_for(principal, values["user_id"]),
        alive=now,
        idle=_sessions(request).lasting.idle,
        after=place_by_id(values) or 0,
        limit=values["limit"] + 1,
    )
    rows, cursor = page_by_id(rows, values)
    own = _own(principal)
    page = SessionList(items=[session_out(row, own) for row in rows], next_cursor=cursor)
    return answer(page, headers=next_link(request, cursor, request.app.state.public_url))


@router.delete(
    "/sessions",
    status_code=204,
    summary="End all sessions of one's own, or all but this one",
    openapi_extra=_ENDING.openapi(),
)
async def end_sessions(principal: Seeing, tx: Writer, request: Request) -> Response:
    values = _ENDING.parse(request)
    whose, own = _asked_for(principal, values["user_id"]), _own(principal)
    kept = own if values["keep"] == "current" else None
    await repository.end_sessions_of(tx, whose, but=kept)
    is_over = kept is None and whose in {None, principal.user_id}
    return _ended(request, is_own=own is not None and is_over)


@router.delete(
    "/sessions/{session_id}",
    status_code=204,
    summary="End a session, at once",
    responses=problems(NotFound),
)
async def end_session(
    principal: Seeing, tx: Writer, request: Request, session_id: PathId
) -> Response:
    manages = principal.may(Permission.MANAGE_USERS) and principal.scope.sources is None
    owner = None if manages else principal.user_id or 0
    if not await repository.end_session(tx, session_id, owner):
        raise NotFound(f"There is no session {session_id} that you may end.")
    return _ended(request, is_own=session_id == _own(principal))


def _ended(request: Request, *, is_own: bool) -> Response:
    response = Response(status_code=204)
    if is_own:
        cookies.take_back(request, response)
    return response
