"""Routes of the team: who is calling, and tokens."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, NotFound, VersionMismatch
from app.team import examples, granting, repository
from app.team.asked import Display, Rights, SourceIds, columns_of, managing, shown
from app.team.audit import api as audit
from app.team.entering import api as entering
from app.team.managing import check_sees_all
from app.team.oidc import api as oidc
from app.team.repository import NewToken
from app.team.schemas import (
    Me,
    TokenList,
    TokenMade,
    TokenOut,
    UserList,
    UserOut,
    me_out,
    token_made,
    token_out,
)
from app.team.sessions import api as sessions
from app.team.users import api as users
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, Role, needs
from app.web.conditional import etag, if_match
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.paging import CURSOR, LIMIT, next_link, page_by_id, place_by_id
from app.web.params import Param, Params, PathId, one_of
from app.web.routes import Routes
from app.web.wire import Body, Id, Time

router = Routes(tags=["team"])
WIRE = (
    Me,
    UserList,
    UserOut,
    TokenList,
    TokenOut,
    TokenMade,
    *entering.WIRE,
    *oidc.WIRE,
    *sessions.WIRE,
    *audit.WIRE,
)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
Granting = Annotated[Principal, Depends(needs(Permission.MANAGE_TOKENS))]
_FILTERS = Params(
    (
        Param("revoked", one_of(("exclude", "include", "only")), "What ended.", default="exclude"),
        LIMIT,
        CURSOR,
    )
)
_REVOKED = {"exclude": False, "include": None, "only": True}


class TokenNew(Body):
    """A token to make. With `user_id` it is that person's and may no more than they; without, it
    stands for an integration. `source_ids` null: all sources. `expires_at` null: it lasts.
    """

    name: Display
    role: Role
    rights: Rights = Field(default_factory=list)
    source_ids: SourceIds | None = None
    expires_at: Time | None = None
    user_id: Id | None = None


class TokenPatch(Body):
    """What to change; what is left out stays, and so does the secret."""

    name: Display | None = None
    role: Role | None = None
    rights: Rights | None = None
    source_ids: SourceIds | None = None
    expires_at: Time | None = None
    user_id: Id | None = None


@router.get(
    "/me",
    summary="Who am I, and what may I do?",
    responses=answers(Me, example=examples.ME),
)
async def get_me(principal: Seeing) -> Response:
    return answer(me_out(principal))


@router.get(
    "/tokens",
    summary="The tokens, without their secrets",
    openapi_extra=_FILTERS.openapi(),
    responses=answers(TokenList, example=examples.TOKEN_LIST),
)
async def list_tokens(principal: Granting, db: Reader, request: Request) -> Response:
    check_sees_all(principal)
    values = _FILTERS.parse(request)
    rows = await repository.page_tokens(
        db,
        revoked=_REVOKED[values["revoked"]],
        after=place_by_id(values) or 0,
        limit=values["limit"] + 1,
    )
    rows, cursor = page_by_id(rows, values)
    page = TokenList(items=[token_out(row) for row in rows], next_cursor=cursor)
    return answer(page, headers=next_link(request, cursor, request.app.state.public_url))


@router.post(
    "/tokens",
    status_code=201,
    summary="Make a token; its secret is shown this once",
    openapi_extra=shown(examples.NEW_TOKEN),
    responses=answers(TokenMade, example=examples.TOKEN_MADE, status=201, description="Made."),
)
async def create_token(
    principal: Granting, tx: Writer, now: Now, request: Request, body: TokenNew
) -> Response:
    new = NewToken(
        name=body.name,
        role=body.role,
        created_by=principal.actor,
        rights=frozenset(body.rights),
        source_ids=None if body.source_ids is None else frozenset(body.source_ids),
        expires_at=body.expires_at,
        user_id=body.user_id,
    )
    asked = managing(request, tx, principal, now)
    row, secret = await granting.grant(asked, new, secrets.token_bytes)
    headers = {
        "Location": f"/api/v1/tokens/{row.id}",
        "Cache-Control": "no-store",
        "ETag": etag(row.version),
    }
    return answer(token_made(row, secret), status=201, headers=headers)


@router.get(
    "/tokens/{token_id}",
    summary="One token, without its secret",
    responses={**answers(TokenOut, example=examples.TOKEN), **problems(NotFound)},
)
async def get_token(principal: Granting, db: Reader, token_id: PathId) -> Response:
    check_sees_all(principal)
    row = await granting.get_token(db, token_id)
    return answer(token_out(row), headers={"ETag": etag(row.version)})


@router.patch(
    "/tokens/{token_id}",
    summary="Change what a token may do; its secret stays",
    openapi_extra=shown(examples.TOKEN_PATCH),
    responses={
        **answers(TokenOut, example=examples.TOKEN),
        **problems(NotFound, Conflict, VersionMismatch),
    },
)
async def update_token(
    principal: Granting, tx: Writer, now: Now, request: Request, token_id: PathId, body: TokenPatch
) -> Response:
    changes = columns_of(body, may_be_null={"source_ids", "expires_at", "user_id"})
    asked = managing(request, tx, principal, now)
    row = await granting.change_token(asked, token_id, changes, if_match(request).versions)
    return answer(token_out(row), headers={"ETag": etag(row.version)})


@router.delete(
    "/tokens/{token_id}",
    status_code=204,
    summary="Revoke a token, at once and for good",
    responses=problems(NotFound, Conflict, VersionMismatch),
)
async def delete_token(
    principal: Granting, tx: Writer, now: Now, request: Request, token_id: PathId
) -> Response:
    asked = managing(request, tx, principal, now)
    await granting.revoke(asked, token_id, if_match(request).versions)
    return Response(status_code=204)


router.include_router(users.router)
router.include_router(entering.router)
router.include_router(sessions.router)
router.include_router(oidc.router)
router.include_router(audit.router)
