"""Presence: who else looks at an item, or writes an answer to it, right now."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.inbox.actions import examples
from app.inbox.api.actions import Triaging
from app.inbox.api.lists import Seeing
from app.inbox.presence import repository, service
from app.inbox.presence.schemas import PresenceList, PresenceOut, by_item
from app.inbox.presence.service import State
from app.web.answers import answer, answers
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.params import ID, Param, Params
from app.web.routes import Routes
from app.web.wire import Body, Id

router = Routes(tags=["inbox"])
WIRE = (PresenceList, PresenceOut)

NARROWING = Params((Param("item_id", ID, "Only who is at this item."),))
_ASKED = {
    "requestBody": {
        "content": {"application/json": {"example": {"item_id": 7, "state": "viewing"}}}
    }
}


class PresenceNew(Body):
    """Where the caller is. It holds for 30 seconds: say it again while it holds."""

    item_id: Id
    state: State


@router.get(
    "/presence",
    summary="Who is at which item now",
    openapi_extra=NARROWING.openapi(),
    responses=answers(PresenceList, example=examples.PRESENCE_LIST),
)
async def list_presence(principal: Seeing, db: Reader, now: Now, request: Request) -> Response:
    item_id = NARROWING.parse(request)["item_id"]
    rows = await repository.present(db, principal.scope, now, item_id=item_id)
    return answer(PresenceList(items=by_item(rows), next_cursor=None))


@router.post(
    "/presence",
    summary="Say that you look at an item, answer it, or have gone",
    openapi_extra=_ASKED,
    responses={
        **answers(PresenceOut, example=examples.PRESENCE, description="Who is at the item."),
        **problems(NotFound),
    },
)
async def say_presence(principal: Triaging, tx: Writer, now: Now, body: PresenceNew) -> Response:
    told = await service.say(
        tx, principal.scope, principal.user_id, body.item_id, state=body.state, now=now
    )
    return answer(told)
