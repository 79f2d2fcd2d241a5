"""Routes of signing in and out, of links that let in, and of one's own password."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from app.clock import stamp
from app.errors import Conflict, NotFound, TooManyRequests
from app.team.asked import Display, managing, shown
from app.team.entering import examples, setting_up
from app.team.entering.schemas import OidcWay, SessionState, SignInLink, Ways
from app.team.entering.service import SignedIn, SignInRefused
from app.team.entering.setting_up import LinkOver, SetUp
from app.team.entering.visiting import entrance_of, give_cookie, visitor_of
from app.team.schemas import Me, me_out
from app.team.sessions.service import principal_of
from app.team.users.names import Name
from app.web import cookies
from app.web.answers import answer, answers
from app.web.auth import OPEN, Permission, Principal, find_caller, needs
from app.web.cookies import HttpsNeeded
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.origins import CrossSite, check_own_page
from app.web.params import PathId
from app.web.routes import Routes
from app.web.wire import Body

router = Routes()
WIRE = (SessionState, SignInLink)

Seeing = Annotated[Principal, Depends(needs(Permission.READ))]
Staffing = Annotated[Principal, Depends(needs(Permission.MANAGE_USERS))]
_NO_STORE = {"Cache-Control": "no-store"}
_Password = Annotated[str, Field(min_length=1, max_length=1000, repr=False)]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class SessionNew(Body):
    """Who wants to come in. The name counts in upper and lower case alike."""

    name: _Text
    password: _Password


class SetUpBody(Body):
    """What to set up with the ticket of a link. Names are for the first admin; a person who was
    invited may change how they are shown.
    """

    ticket: Annotated[str, Field(min_length=1, max_length=200, repr=False)]
    name: Name | None = None
    display_name: Display | None = None
    password: _Password


class PasswordChange(Body):
    """One's present password and the new one: 8 to 128 characters of any kind."""

    current: _Password
    new: _Password


def _come_in(request: Request, found: SignedIn) -> Response:
    me = me_out(principal_of(found.session))
    response = answer(me, status=201, headers=_NO_STORE)
    give_cookie(request, response, found)
    return response


@router.get(
    "/session",
    summary="Who is signed in here, and how one can sign in",
    dependencies=[OPEN],
    responses={**answers(SessionState, example=examples.STATE), **problems(TooManyRequests)},
)
async def get_session(request: Request, db: Reader) -> Response:
    caller, state = await find_caller(request), request.app.state
    by_proxy = state.proxied is not None
    oidc = None if state.oidc is None else OidcWay(name=state.oidc.name, url="/auth/oidc")
    told = SessionState(
        signed_in=None if caller is None else me_out(caller),
        set_up_needed=not by_proxy and await setting_up.is_needed(db),
        ways=Ways(password=entrance_of(request).by_password, oidc=oidc, proxy=by_proxy),
    )
    return answer(told, headers=_NO_STORE)


@router.post(
    "/session",
    status_code=201,
    summary="Sign in with name and password",
    dependencies=[OPEN],
    openapi_extra=shown(examples.SIGN_IN),
    responses={
        **answers(Me, example=examples.ME, status=201, description="Signed in; a cookie is set."),
        **problems(SignInRefused, CrossSite, HttpsNeeded, Conflict, TooManyRequests),
    },
)
async def sign_in(request: Request, body: SessionNew) -> Response:
    check_own_page(request, ambient=False)
    cookies.check_cookie_can_be_set(request)
    found = await entrance_of(request).sign_in(body.name, body.password, visitor_of(request))
    return _come_in(request, found)


@router.delete(
    "/session",
    status_code=204,
    summary="Sign out: end this session",
    dependencies=[OPEN],
    responses=problems(CrossSite),
)
async def sign_out(request: Request, tx: Writer) -> Response:
    found = cookies.session_id(request)
    if found is not None:
        check_own_page(request, ambient="authorization" not in request.headers)
        request.state.principal = await find_caller(request)
        await entrance_of(request).sessions.end(tx, found)
    response = Response(status_code=204)
    cookies.take_back(request, response)
    return response


@router.post(
    "/setup",
    status_code=201,
    summary="Set a password with the ticket of a link, and come in",
    dependencies=[OPEN],
    openapi_extra=shown(examples.SET_UP),
    responses={
        **answers(Me, example=examples.ME, status=201, description="Signed in; a cookie is set."),
        **problems(LinkOver, CrossSite, HttpsNeeded, Conflict, TooManyRequests),
    },
)
async def set_up(request: Request, body: SetUpBody) -> Response:
    check_own_page(request, ambient=False)
    cookies.check_cookie_can_be_set(request)
    asked = SetUp(body.ticket, body.password, body.name, body.display_name)
    found = await setting_up.set_up(entrance_of(request), asked, visitor_of(request))
    return _come_in(request, found)


@router.put(
    "/me/password",
    status_code=204,
    summary="Change one's own password; other sessions end",
    openapi_extra=shown(examples.CHANGE),
    responses=problems(Conflict, TooManyRequests),
)
async def change_password(principal: Seeing, request: Request, body: PasswordChange) -> Response:
    found = await entrance_of(request).change_password(
        principal, body.current, body.new, visitor_of(request)
    )
    response = Response(status_code=204)
    if found is not None:
        give_cookie(request, response, found)
    return response


@router.post(
    "/users/{user_id}/sign-in-link",
    status_code=201,
    summary="Make a link that lets a person in once, to set a password",
    responses={
        **answers(SignInLink, example=examples.LINK, status=201, description="Made."),
        **problems(NotFound, Conflict),
    },
)
async def create_sign_in_link(
    principal: Staffing, tx: Writer, now: Now, request: Request, user_id: PathId
) -> Response:
    entrance_of(request).check_passwords_are_used()
    asked = managing(request, tx, principal, now)
    url, ends = await setting_up.link_for(
        asked, user_id, request.app.state.own_url, secrets.token_bytes
    )
    made = SignInLink(url=url, expires_at=stamp(ends))
    return answer(made, status=201, headers=_NO_STORE)
