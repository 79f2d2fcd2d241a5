"""Routes of webhooks: whom to tell, and of what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, FieldError, NotFound, VersionMismatch
from app.outbox.events import acting
from app.outbox.types import TYPES
from app.outbox.webhooks import examples
from app.outbox.webhooks.schemas import (
    AttemptError,
    WebhookList,
    WebhookOut,
    WebhookSecret,
    WebhookTest,
)
from app.outbox.webhooks.service import Asking, NewWebhook, Webhooks
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.conditional import etag, if_match
from app.web.formats import MAX_ID
from app.web.openapi import problems
from app.web.params import PathId
from app.web.problems import invalid_request
from app.web.routes import Routes
from app.web.wire import WHOLE, Body, Flag, Id

router = Routes(tags=["webhooks"])
WIRE = (WebhookList, WebhookOut, WebhookSecret, WebhookTest)

Managing = Annotated[Principal, Depends(needs(Permission.MANAGE_INTEGRATIONS))]

_Url = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
_Words = Annotated[str, StringConstraints(max_length=500)]
_Type = Annotated[str, Field(json_schema_extra={"enum": list(TYPES)}, max_length=60)]
_Types = Annotated[list[_Type], Field(min_length=1, max_length=100)]
_Sources = Annotated[list[Id], Field(min_length=1, max_length=200)]


class WebhookNew(Body):
    """Whom to tell. Without `types` of everything, without `source_ids` of every source; of
    direct messages only with `direct`.
    """

    url: _Url
    description: _Words = ""
    types: _Types | None = None
    source_ids: _Sources | None = None
    direct: Flag = False
    enabled: Flag = True


class WebhookPatch(Body):
    """What to change; what is left out stays. `null` for `types` or `source_ids` means all."""

    url: _Url = ""
    description: _Words = ""
    types: _Types | None = None
    source_ids: _Sources | None = None
    direct: Flag = False
    enabled: Flag = True


class Replay(Body):
    """The `seq` after which the webhook reads on; 0: from the oldest event that is kept."""

    after: Annotated[int, Field(ge=0, le=MAX_ID, strict=True), WHOLE]


def _webhooks(request: Request) -> Webhooks:
    webhooks: Webhooks = request.app.state.webhooks
    return webhooks


def _asking(principal: Principal) -> Asking:
    return Asking(principal.scope, acting(principal), principal.actor)


def _shown(example: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


def _refuse_unknown(types: list[str] | None) -> None:
    unknown = [name for name in types or () if name not in TYPES]
    if unknown:
        detail = f"There is no type of event {unknown[0][:60]!r}; see docs/events.md."
        raise invalid_request([FieldError("/types", "unknown_type", detail)])


async def _answer(request: Request, principal: Principal, webhook_id: int) -> Response:
    found = await _webhooks(request).shown(principal.scope, webhook_id)
    return answer(found, headers={"ETag": etag(found.version)})


@router.get(
    "/webhooks",
    summary="Every webhook and how it fares",
    responses=answers(WebhookList, example=examples.WEBHOOK_LIST),
)
async def list_webhooks(principal: Managing, request: Request) -> Response:
    found = await _webhooks(request).listed(principal.scope)
    return answer(WebhookList(items=found, next_cursor=None))


@router.post(
    "/webhooks",
    status_code=201,
    summary="Tell an address of what happens; its secret is shown once",
    openapi_extra=_shown(examples.NEW),
    responses={
        **answers(WebhookSecret, example=examples.SECRET, status=201, description="Made."),
        **problems(Conflict),
    },
)
async def create_webhook(principal: Managing, request: Request, body: WebhookNew) -> Response:
    _refuse_unknown(body.types)
    asked = NewWebhook(**{name: getattr(body, name) for name in WebhookNew.model_fields})
    webhook_id, secret = await _webhooks(request).create(_asking(principal), asked)
    made = await _webhooks(request).shown(principal.scope, webhook_id)
    headers = {"Location": f"/api/v1/webhooks/{webhook_id}", "ETag": etag(made.version)}
    return answer(WebhookSecret(secret=secret, webhook=made), status=201, headers=headers)


@router.get(
    "/webhooks/{webhook_id}",
    summary="One webhook and how it fares",
    responses={**answers(WebhookOut, example=examples.WEBHOOK), **problems(NotFound)},
)
async def get_webhook(principal: Managing, request: Request, webhook_id: PathId) -> Response:
    return await _answer(request, principal, webhook_id)


@router.patch(
    "/webhooks/{webhook_id}",
    summary="Change a webhook, or enable it again",
    openapi_extra=_shown(examples.PATCH),
    responses={
        **answers(WebhookOut, example=examples.WEBHOOK),
        **problems(NotFound, VersionMismatch),
    },
)
async def update_webhook(
    principal: Managing, request: Request, webhook_id: PathId, body: WebhookPatch
) -> Response:
    _refuse_unknown(body.types)
    asked = {name: getattr(body, name) for name in body.model_fields_set}
    if asked.get("types") is not None:
        asked["types"] = sorted(set(asked["types"]))
    await _webhooks(request).change(
        _asking(principal), webhook_id, asked, if_match(request).versions
    )
    return await _answer(request, principal, webhook_id)


@router.delete(
    "/webhooks/{webhook_id}",
    status_code=204,
    summary="Remove a webhook with its deliveries",
    responses=problems(NotFound, VersionMismatch),
)
async def delete_webhook(principal: Managing, request: Request, webhook_id: PathId) -> Response:
    versions = if_match(request).versions
    await _webhooks(request).remove(_asking(principal), webhook_id, versions)
    return Response(status_code=204)


@router.post(
    "/webhooks/{webhook_id}/test",
    summary="Send one test message now and say how it was received",
    responses={**answers(WebhookTest, example=examples.TEST), **problems(NotFound)},
)
async def send_test(principal: Managing, request: Request, webhook_id: PathId) -> Response:
    message_id, outcome = await _webhooks(request).test(principal.scope, webhook_id)
    error = outcome.error
    shown = WebhookTest(
        ok=error is None,
        message_id=message_id,
        status=outcome.status,
        error=None if error is None else AttemptError(code=error[0], detail=error[1]),
        milliseconds=round(outcome.seconds * 1000),
    )
    return answer(shown)


@router.post(
    "/webhooks/{webhook_id}/rotate-secret",
    summary="A new secret; the former one signs beside it for a day",
    responses={
        **answers(WebhookSecret, example=examples.SECRET),
        **problems(NotFound, Conflict, VersionMismatch),
    },
)
async def rotate_secret(principal: Managing, request: Request, webhook_id: PathId) -> Response:
    versions = if_match(request).versions
    secret = await _webhooks(request).rotate(_asking(principal), webhook_id, versions)
    found = await _webhooks(request).shown(principal.scope, webhook_id)
    headers = {"ETag": etag(found.version)}
    return answer(WebhookSecret(secret=secret, webhook=found), headers=headers)


@router.post(
    "/webhooks/{webhook_id}/replay",
    summary="Send what happened since a number once more, under the same ids",
    openapi_extra=_shown(examples.REPLAY),
    responses={
        **answers(WebhookOut, example=examples.WEBHOOK),
        **problems(NotFound, Conflict, VersionMismatch),
    },
)
async def replay_events(
    principal: Managing, request: Request, webhook_id: PathId, body: Replay
) -> Response:
    versions = if_match(request).versions
    await _webhooks(request).replay(_asking(principal), webhook_id, body.after, versions)
    return await _answer(request, principal, webhook_id)
