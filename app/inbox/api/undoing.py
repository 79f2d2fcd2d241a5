"""What was done, and undoing it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.inbox.actions import examples, repository
from app.inbox.actions.schemas import ActionList, UndoOut, action_out, undo_out
from app.inbox.actions.service import undo
from app.inbox.api.actions import Triaging
from app.inbox.api.lists import Seeing
from app.outbox.events import acting
from app.web.answers import answer, answers
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.paging import CURSOR, LIMIT, decode_cursor, encode_cursor, next_link
from app.web.params import BOOLEAN, Param, Params, PathId
from app.web.routes import Routes

router = Routes(tags=["inbox"])
WIRE = (ActionList, UndoOut)

ACTIONS = Params(
    (
        Param("mine", BOOLEAN, "Only what the caller did.", default=False),
        Param("undone", BOOLEAN, "`false`: only what can be undone; `true`: what was."),
        LIMIT,
        CURSOR,
    )
)


@router.get(
    "/actions",
    summary="What was done to items, newest first",
    openapi_extra=ACTIONS.openapi(),
    responses=answers(ActionList, example=examples.ACTIONS),
)
async def list_actions(principal: Seeing, db: Reader, request: Request) -> Response:
    values = ACTIONS.parse(request)
    limit = values["limit"]
    after = None
    if values["cursor"] is not None:
        after = decode_cursor(values["cursor"], int, "newest", values)
    rows = await repository.page(
        db,
        principal.scope,
        actor_ref=principal.actor if values["mine"] else None,
        undone=values["undone"],
        after=after,
        limit=limit + 1,
    )
    more = len(rows) > limit
    cursor = encode_cursor(rows[limit - 1].id, "newest", values) if more else None
    page = ActionList(items=[action_out(row) for row in rows[:limit]], next_cursor=cursor)
    return answer(page, headers=next_link(request, cursor, request.app.state.public_url))


@router.post(
    "/actions/{action_id}/undo",
    summary="Undo an action where nothing has happened since",
    responses={**answers(UndoOut, example=examples.UNDO), **problems(NotFound)},
)
async def undo_action(principal: Triaging, tx: Writer, now: Now, action_id: PathId) -> Response:
    done = await undo(tx, principal.scope, acting(principal), action_id, now)
    return answer(undo_out(done, now))
