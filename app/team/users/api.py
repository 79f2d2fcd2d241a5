"""Routes of the people of the team."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Conflict, NotFound, VersionMismatch
from app.team import examples
from app.team.asked import Display, Rights, SourceIds, columns_of, managing, shown
from app.team.schemas import UserList, UserOut, user_out
from app.team.users import service
from app.team.users.names import Name
from app.web.answers import answer, answers
from app.web.auth import Permission, Principal, Role, needs
from app.web.conditional import etag, if_match
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.paging import CURSOR, LIMIT, next_link, page_by_id, place_by_id
from app.web.params import ID, Param, Params, PathId, one_of
from app.web.routes import Routes
from app.web.wire import Body, Flag

router = Routes()

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
Staffing = Annotated[Principal, Depends(needs(Permission.MANAGE_USERS))]
_FILTERS = Params(
    (
        Param("source_id", ID, "Only who may see this source, so can be given its items."),
        Param("disabled", one_of(("exclude", "include", "only")), "Who left.", default="exclude"),
        LIMIT,
        CURSOR,
    )
)
_DISABLED = {"exclude": False, "include": None, "only": True}


class UserNew(Body):
    """A person to add. `name` is short and unique without case; `source_ids` null: all sources."""

    name: Name
    display_name: Display | None = None
    role: Role
    rights: Rights = Field(default_factory=list)
    source_ids: SourceIds | None = None


class UserPatch(Body):
    """What to change; what is left out stays. `disabled` false gives back a person's access."""

    name: Name | None = None
    display_name: Display | None = None
    role: Role | None = None
    rights: Rights | None = None
    source_ids: SourceIds | None = None
    disabled: Flag | None = None


def _whole(principal: Principal) -> bool:
    return principal.may(Permission.MANAGE_USERS) and principal.scope.sources is None


@router.get(
    "/users",
    summary="The people of the team, for example to offer assignees",
    openapi_extra=_FILTERS.openapi(),
    responses=answers(UserList, example=examples.USER_LIST),
)
async def list_users(principal: Seeing, db: Reader, request: Request) -> Response:
    values = _FILTERS.parse(request)
    rows = await service.page_users(
        db,
        principal.scope,
        disabled=_DISABLED[values["disabled"]],
        source_id=values["source_id"],
        after=place_by_id(values) or 0,
        limit=values["limit"] + 1,
    )
    rows, cursor = page_by_id(rows, values)
    whole = _whole(principal)
    page = UserList(items=[user_out(row, whole=whole) for row in rows], next_cursor=cursor)
    return answer(page, headers=next_link(request, cursor, request.app.state.public_url))


@router.post(
    "/users",
    status_code=201,
    summary="Add a person to the team",
    openapi_extra=shown(examples.NEW_USER),
    responses={
        **answers(UserOut, example=examples.USER, status=201, description="Added."),
        **problems(Conflict),
    },
)
async def create_user(
    principal: Staffing, tx: Writer, now: Now, request: Request, body: UserNew
) -> Response:
    row = await service.add_user(managing(request, tx, principal, now), columns_of(body))
    headers = {"Location": f"/api/v1/users/{row.id}", "ETag": etag(row.version)}
    return answer(user_out(row, whole=True), status=201, headers=headers)


@router.get(
    "/users/{user_id}",
    summary="One person of the team",
    responses={**answers(UserOut, example=examples.USER), **problems(NotFound)},
)
async def get_user(principal: Seeing, db: Reader, user_id: PathId) -> Response:
    row = await service.get_user(db, principal.scope, user_id)
    return answer(user_out(row, whole=_whole(principal)), headers={"ETag": etag(row.version)})


@router.patch(
    "/users/{user_id}",
    summary="Change a person, or give back their access",
    openapi_extra=shown(examples.USER_PATCH),
    responses={
        **answers(UserOut, example=examples.USER),
        **problems(NotFound, Conflict, VersionMismatch),
    },
)
async def update_user(
    principal: Staffing,
    tx: Writer,
    now: Now,
    request: Request,
    user_id: PathId,
    body: UserPatch,
) -> Response:
    changes: dict[str, Any] = columns_of(body, may_be_null={"source_ids"})
    staffing = managing(request, tx, principal, now)
    row = await service.change_user(staffing, user_id, changes, if_match(request).versions)
    return answer(user_out(row, whole=True), headers={"ETag": etag(row.version)})


@router.delete(
    "/users/{user_id}",
    status_code=204,
    summary="End a person's access; history and items keep the name",
    responses=problems(NotFound, Conflict, VersionMismatch),
)
async def delete_user(
    principal: Staffing, tx: Writer, now: Now, request: Request, user_id: PathId
) -> Response:
    staffing = managing(request, tx, principal, now)
    await service.disable_user(staffing, user_id, if_match(request).versions)
    return Response(status_code=204)
