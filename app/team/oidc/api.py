"""Routes of OpenID Connect: the way there and back, and what people are recognised by."""

from __future__ import annotations

import re
from html import escape
from typing import Annotated

from fastapi import Depends
from pydantic import StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import AppError, Conflict, NotFound
from app.team.asked import managing, shown
from app.team.entering.visiting import give_cookie, visitor_of
from app.team.managing import check_sees_all
from app.team.oidc import identities
from app.team.oidc.schemas import KnownBy, known_by
from app.team.oidc.service import LASTS, CameIn, Oidc, OidcRefused
from app.web import cookies
from app.web.answers import answer, answers
from app.web.audited import asked_of
from app.web.auth import Permission, Principal, needs
from app.web.deps import Now, Reader, Writer
from app.web.openapi import problems
from app.web.origins import OURS, CrossSite
from app.web.params import PathId
from app.web.routes import Routes
from app.web.trail import Trail
from app.web.wire import Body

router = Routes()
public = Routes(include_in_schema=False)
"""Outside /api: a browser goes here by itself, and comes back from somewhere else."""
WIRE = (KnownBy,)

Staffing = Annotated[Principal, Depends(needs(Permission.MANAGE_USERS))]
SIGN_IN = "sign_in_oidc"
"""What the trail calls it."""
SECURE, PLAIN = "__Host-unanswered-oidc", "unanswered-oidc"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_OWN_CHOICE = "Signing in begins on the page of this service. Go there and choose it."
_EXAMPLE = KnownBy(
    user_id=3,
    email="mira@example.org",
    issuer="https://login.example.org",
    subject="248289761001",
    linked_at="2026-11-23T14:02:11.000Z",
)


class IdentityPut(Body):
    """What the person is recognised by: a verified address, or at once by their subject there."""

    email: (
        Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,189}$", max_length=254)]
        | None
    ) = None
    subject: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> IdentityPut:
        if self.email is None and self.subject is None:
            raise PydanticCustomError("nothing", "Give an address, a subject, or both.")
        return self


def _oidc(request: Request) -> Oidc | None:
    oidc: Oidc | None = request.app.state.oidc
    return oidc


@public.get("/auth/oidc")
async def set_out(request: Request) -> Response:
    """Sends the browser to the other service; `return_to` is a path of ours."""
    oidc = _oidc(request)
    try:
        if request.headers.get("sec-fetch-site", "none") not in OURS:
            raise CrossSite(_OWN_CHOICE)
        if oidc is None:
            raise NotFound("Signing in through another service is not set up here.")
        cookies.check_cookie_can_be_set(request)
        wanted = request.query_params.get("return_to", "")
        begun = await oidc.begin(wanted, _browser(request), visitor_of(request))
    except AppError as refusal:
        return _told(refusal)
    response = RedirectResponse(begun.address, status_code=303)
    seconds = int(LASTS.total_seconds())
    cookies.give(request, response, begun.browser, seconds, name=_name(request))
    return response


@public.get("/auth/oidc/callback")
async def come_back(request: Request) -> Response:
    """Where the other service sends people back to."""
    asked = asked_of(request, SIGN_IN)
    trail: Trail = request.app.state.trail
    row = await trail.open(asked, None)  # no route below /api, where this is done for all
    try:
        came = await _come_in(request)
    except AppError as refusal:
        if refusal.status == OidcRefused.status:
            await trail.refused(asked, refusal.status, None)
        return _told(refusal)
    finally:
        row.close()
    response = RedirectResponse(came.return_to, status_code=303)
    give_cookie(request, response, came.signed_in)
    return response  # the other cookie stays for its ten minutes: another tab may be on its way


async def _come_in(request: Request) -> CameIn:
    oidc = _oidc(request)
    if oidc is None:
        raise NotFound("Signing in through another service is not set up here.")
    cookies.check_cookie_can_be_set(request)
    returned = request.query_params.multi_items()
    return await oidc.come_back(returned, _browser(request), visitor_of(request))


def _name(request: Request) -> str:
    return cookies.cookie_name(request, SECURE, PLAIN) or PLAIN


def _browser(request: Request) -> str | None:
    found = request.cookies.get(_name(request), "")
    return found if _SECRET.fullmatch(found) else None


def _told(refusal: AppError) -> Response:
    """A page that needs nothing: no script, no style."""
    title, text = escape(refusal.title), escape(refusal.detail)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title></head><body><h1>{title}</h1><p>{text}</p>"
        '<p><a href="/">Back</a></p></body></html>\n'
    )
    return Response(
        page, status_code=refusal.status, media_type="text/html", headers=refusal.headers
    )


@router.get(
    "/users/{user_id}/identity",
    summary="By what a person is recognised when they come through another service",
    responses={**answers(KnownBy, example=_EXAMPLE), **problems(NotFound)},
)
async def get_identity(principal: Staffing, db: Reader, user_id: PathId) -> Response:
    check_sees_all(principal)
    return answer(known_by(user_id, await identities.get(db, user_id)))


@router.put(
    "/users/{user_id}/identity",
    summary="Say by what a person is recognised",
    openapi_extra=shown({"email": "mira@example.org"}),
    responses={**answers(KnownBy, example=_EXAMPLE), **problems(NotFound, Conflict)},
)
async def put_identity(
    principal: Staffing, tx: Writer, now: Now, request: Request, user_id: PathId, body: IdentityPut
) -> Response:
    oidc = _oidc(request)
    asked = managing(request, tx, principal, now)
    issuer = None if oidc is None else oidc.provider.issuer
    row = await identities.put(
        asked, user_id, email=body.email, subject=body.subject, issuer=issuer
    )
    return answer(known_by(user_id, row))


@router.delete(
    "/users/{user_id}/identity",
    status_code=204,
    summary="Recognise a person through no other service any more",
    responses=problems(NotFound, Conflict),
)
async def delete_identity(
    principal: Staffing, tx: Writer, now: Now, request: Request, user_id: PathId
) -> Response:
    await identities.remove(managing(request, tx, principal, now), user_id)
    return Response(status_code=204)
