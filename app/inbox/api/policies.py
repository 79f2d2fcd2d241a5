"""Response-time policies: how soon an answer is promised, and within which hours."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, NotFound, VersionMismatch
from app.inbox.policies import changing, schemas
from app.inbox.policies.repository import all_policies
from app.inbox.policies.schemas import PolicyList, PolicyNew, PolicyOut, PolicyPatch, policy_out
from app.inbox.policies.service import keep_due_times
from app.outbox.events import Actor
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, needs
from app.web.conditional import etag, if_match
from app.web.deps import Now, Reader
from app.web.openapi import problems
from app.web.params import PathId
from app.web.routes import Routes

router = Routes(tags=["policies"])
WIRE = (PolicyList, PolicyOut)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
Managing = Annotated[Principal, Depends(needs(Permission.MANAGE_POLICIES))]


def _shown(example: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


@router.get(
    "/policies",
    summary="The response-time policies",
    responses=answers(PolicyList, example=schemas.LIST),
)
async def list_policies(principal: Seeing, db: Reader) -> Response:
    found = [
        policy_out(row)
        for row in await all_policies(db)
        if row.source_id is None or principal.scope.allows(row.source_id)
    ]
    return answer(PolicyList(items=found, next_cursor=None))


@router.post(
    "/policies",
    status_code=201,
    summary="Promise answers within a time; due times follow at once",
    openapi_extra=_shown(schemas.NEW),
    responses={
        **answers(PolicyOut, example=schemas.EXAMPLE, status=201),
        **problems(Conflict),
    },
)
async def create_policy(principal: Managing, db: Reader, now: Now, body: PolicyNew) -> Response:
    actor = Actor("person", principal.name)
    async with db.write() as tx:
        row = await changing.add_policy(tx, principal.scope, body, actor, now)
    await keep_due_times(db)
    headers = {"Location": f"/api/v1/policies/{row.id}", "ETag": etag(row.version)}
    return answer(policy_out(row), status=201, headers=headers)


@router.get(
    "/policies/{policy_id}",
    summary="One response-time policy",
    responses={**answers(PolicyOut, example=schemas.EXAMPLE), **problems(NotFound)},
)
async def get_policy(principal: Seeing, db: Reader, policy_id: PathId) -> Response:
    row = await changing.get_policy(db, principal.scope, policy_id)
    return answer(policy_out(row), headers={"ETag": etag(row.version)})


@router.patch(
    "/policies/{policy_id}",
    summary="Change a policy; due times follow at once",
    openapi_extra=_shown({"target": "PT2H"}),
    responses={
        **answers(PolicyOut, example=schemas.EXAMPLE),
        **problems(NotFound, Conflict, VersionMismatch),
    },
)
async def update_policy(
    principal: Managing,
    db: Reader,
    now: Now,
    request: Request,
    policy_id: PathId,
    body: PolicyPatch,
) -> Response:
    actor, versions = Actor("person", principal.name), if_match(request).versions
    async with db.write() as tx:
        row = await changing.change_policy(
            tx, principal.scope, policy_id, body, actor=actor, now=now, versions=versions
        )
    await keep_due_times(db)
    return answer(policy_out(row), headers={"ETag": etag(row.version)})


@router.delete(
    "/policies/{policy_id}",
    status_code=204,
    summary="Take a policy away; due times follow at once",
    responses=problems(NotFound, VersionMismatch),
)
async def delete_policy(
    principal: Managing, db: Reader, now: Now, request: Request, policy_id: PathId
) -> Response:
    actor, versions = Actor("person", principal.name), if_match(request).versions
    async with db.write() as tx:
        await changing.remove_policy(
            tx, principal.scope, policy_id, actor=actor, now=now, versions=versions
        )
    await keep_due_times(db)
    return Response(status_code=204)
