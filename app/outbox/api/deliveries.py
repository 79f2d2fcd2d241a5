"""Routes of deliveries: what was sent, what waits, what was given up."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.errors import NotFound
from app.outbox.webhooks import deliveries, examples, repository
from app.outbox.webhooks.schemas import DeliveryList, DeliveryOut, delivery_out
from app.outbox.webhooks.service import Webhooks
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.deps import Reader
from app.web.openapi import problems
from app.web.paging import CURSOR, LIMIT, decode_cursor, encode_cursor, next_link
from app.web.params import ID, Param, Params, PathId, one_of
from app.web.routes import Routes

router = Routes(tags=["webhooks"])
WIRE = (DeliveryList, DeliveryOut)

Managing = Annotated[Principal, Depends(needs(Permission.MANAGE_INTEGRATIONS))]

_NEWEST = "newest"
FILTERS = Params(
    (
        Param("webhook_id", ID, "Only those of this webhook."),
        Param("state", one_of(deliveries.STATES), "Only those in this state."),
        LIMIT,
        CURSOR,
    )
)


@router.get(
    "/deliveries",
    summary="What is sent to webhooks, newest first",
    openapi_extra=FILTERS.openapi(),
    responses=answers(DeliveryList, example=examples.DELIVERY_LIST),
)
async def list_deliveries(principal: Managing, db: Reader, request: Request) -> Response:
    values = FILTERS.parse(request)
    before = None
    if values["cursor"] is not None:
        (before,) = decode_cursor(values["cursor"], tuple[int], _NEWEST, values)
    seen = [row.id for row in await repository.all_of(db, principal.scope)]
    wanted = values["webhook_id"]
    webhook_ids = [each for each in seen if wanted in {None, each}]
    limit = values["limit"]
    rows = await deliveries.page(db, webhook_ids, values["state"], before, limit + 1)
    shown, more = rows[:limit], len(rows) > limit
    cursor = encode_cursor((shown[-1].id,), _NEWEST, values) if more else None
    page = DeliveryList(items=[delivery_out(row) for row in shown], next_cursor=cursor)
    return answer(page, headers=next_link(request, cursor, request.app.state.public_url))


@router.post(
    "/deliveries/{delivery_id}/retry",
    summary="Send an event once more now, under the same id",
    responses={**answers(DeliveryOut, example=examples.DELIVERY), **problems(NotFound)},
)
async def retry_delivery(principal: Managing, request: Request, delivery_id: PathId) -> Response:
    webhooks: Webhooks = request.app.state.webhooks
    return answer(delivery_out(await webhooks.retry(principal.scope, delivery_id)))
