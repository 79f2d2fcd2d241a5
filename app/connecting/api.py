"""Routes of connecting through a platform's page; the return comes without a token of ours."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any

from fastapi import Depends, Path
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from app.connecting import examples
from app.connecting.browsers import COOKIE_SECONDS, name_of
from app.connecting.fitting import with_oauth
from app.connecting.returning import NOT_OPEN, Outcome, Returning
from app.connecting.schemas import ConnectionOut, WayIn, connection_out
from app.connecting.service import Begin, Begun, Connections, Finish
from app.connectors.failures import ConnectorError
from app.connectors.oauth import Client
from app.errors import Conflict, NotFound
from app.outbox.events import acting
from app.sources import examples as source_examples
from app.sources import overview
from app.sources.api import SourceDetails
from app.sources.schemas import CheckOut, SourceOut, budget_out, check_out, failed_check
from app.web.answers import answer, answers
from app.web.audited import asked_of
from app.web.auth import Permission, Principal, needs
from app.web.conditional import etag
from app.web.cookies import give
from app.web.deps import Now, Reader
from app.web.networks import network_of
from app.web.openapi import problems
from app.web.origins import client_address
from app.web.params import PathId
from app.web.routes import Routes
from app.web.trail import Trail
from app.web.wire import Body, Id

router = Routes(tags=["connecting"])
public = Routes(include_in_schema=False)
"""Outside /api, where every call needs a token: a platform sends a browser, and none of ours."""
RETURN = "return_from_platform"
"""What the trail calls it."""
WIRE = (WayIn, ConnectionOut)

Managing = Annotated[Principal, Depends(needs(Permission.MANAGE_SOURCES))]
PlatformName = Annotated[
    str, Path(min_length=1, max_length=40, description="The name of a platform.")
]
_ClientText = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[!-~]+$")]


class ConnectionNew(Body):
    """What to begin with: the settings that say where, or a source that is connected again. The id
    and secret of your app are needed where the platform wants one and none is configured.
    """

    settings: dict[str, Any] = Field(default_factory=dict)
    client_id: _ClientText | None = None
    client_secret: _ClientText | None = None
    source_id: Id | None = None


class ConnectionCheck(Body):
    """Which account, where several were opened."""

    account: Annotated[str, StringConstraints(min_length=1, max_length=500)] | None = None


class ConnectionFinish(ConnectionCheck, SourceDetails):
    """Which account, where several were opened, and what a new source is to be; all of it is left
    out where a source is connected again.
    """

    name: (
        Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
        | None
    ) = None


def _connections(request: Request) -> Connections:
    connections: Connections = request.app.state.connections
    return connections


@router.get(
    "/connect/{platform}",
    summary="What connecting a platform through its own page takes",
    responses={**answers(WayIn, example=examples.WAY_IN), **problems(NotFound, Conflict)},
)
async def get_way_in(_principal: Managing, request: Request, platform: PlatformName) -> Response:
    found, oauth = with_oauth(platform)
    connections = _connections(request)
    return answer(
        WayIn(
            platform=found.name,
            redirect_uri=connections.redirect_uri(found.name),
            client=connections.clients.source_of(found),
            scopes=list(oauth.scopes),
            chosen=list(oauth.chosen),
        )
    )


@router.post(
    "/connect/{platform}",
    status_code=201,
    summary="Begin to connect: the address to open in a browser",
    openapi_extra={"requestBody": {"content": {"application/json": {"example": examples.BEGIN}}}},
    responses={
        **answers(ConnectionOut, example=examples.BEGUN, status=201, description="Begun."),
        **problems(NotFound, Conflict),
    },
)
async def begin_connection(
    principal: Managing, now: Now, request: Request, platform: PlatformName, body: ConnectionNew
) -> Response:
    client = None
    if body.client_id is not None:
        client = Client(body.client_id, body.client_secret or "")
    asked = Begin(body.settings, client, body.source_id)
    with overview.told_as_problem():
        begun = await _connections(request).begin(
            principal.scope, platform, asked, acting(principal)
        )
    row, proof = begun.row, begun.proof
    shown = connection_out(row, now, proof.address, _connections(request).open_url(row, proof))
    headers = {"Location": f"/api/v1/connect/{platform}/{row.id}"}
    return _with_cookie(answer(shown, status=201, headers=headers), request, begun)


def _with_cookie(response: Response, request: Request, begun: Begun) -> Response:
    """Ties the way to the browser that gets this answer."""
    name = name_of(begun.row.id, secure=_connections(request).secure)
    give(request, response, begun.proof.browser, COOKIE_SECONDS, name)
    return response


@router.get(
    "/connect/{platform}/{connection_id}",
    summary="How far it has come, and which accounts it opened",
    responses={**answers(ConnectionOut, example=examples.ALLOWED), **problems(NotFound)},
)
async def get_connection(
    principal: Managing, now: Now, request: Request, platform: PlatformName, connection_id: PathId
) -> Response:
    row = await _connections(request).get(platform, connection_id, acting(principal))
    return answer(connection_out(row, now))


@router.post(
    "/connect/{platform}/{connection_id}",
    summary="Finish: choose an account, check it, store the source",
    openapi_extra={"requestBody": {"content": {"application/json": {"example": examples.FINISH}}}},
    responses={
        **answers(SourceOut, example=source_examples.SOURCE),
        **problems(NotFound, Conflict),
    },
)
async def finish_connection(
    principal: Managing,
    db: Reader,
    now: Now,
    request: Request,
    platform: PlatformName,
    connection_id: PathId,
    body: ConnectionFinish,
) -> Response:
    given = {name: getattr(body, name) for name in ConnectionFinish.model_fields}
    asked = Finish(**{**given, "also_us": tuple(body.also_us), "labels": tuple(body.labels)})
    with overview.told_as_problem():
        source_id = await _connections(request).finish(
            principal.scope, platform, connection_id, asked, acting(principal)
        )
    made = await overview.source(db, principal.scope, source_id, now)
    headers = {"Location": f"/api/v1/sources/{source_id}", "ETag": etag(made.version)}
    return answer(made, headers=headers)


@router.post(
    "/connect/{platform}/{connection_id}/check",
    summary="Look at an account that was opened, before it is stored",
    openapi_extra={"requestBody": {"content": {"application/json": {"example": {"account": "1"}}}}},
    responses={
        **answers(CheckOut, example=source_examples.CHECK),
        **problems(NotFound, Conflict),
    },
)
async def check_connection(
    principal: Managing,
    request: Request,
    platform: PlatformName,
    connection_id: PathId,
    body: ConnectionCheck,
) -> Response:
    asked, actor = Finish(account=body.account), acting(principal)
    budget = budget_out(with_oauth(platform)[0].quota)
    try:
        check = await _connections(request).check(
            principal.scope, platform, connection_id, asked, actor
        )
    except ConnectorError as error:
        return answer(failed_check(error, budget))
    return answer(check_out(check, budget))


@router.delete(
    "/connect/{platform}/{connection_id}",
    status_code=204,
    summary="Give up: forget what was allowed",
    responses=problems(NotFound),
)
async def give_up_connection(
    principal: Managing, request: Request, platform: PlatformName, connection_id: PathId
) -> Response:
    await _connections(request).give_up(platform, connection_id, acting(principal))
    return Response(status_code=204)


@public.get("/connect/{platform}/callback/")
@public.get("/connect/{platform}/callback")
async def come_back(request: Request, platform: PlatformName) -> Response:
    """Where platforms send people back to."""
    returning: Returning = request.app.state.returning
    trail: Trail = request.app.state.trail
    row = await trail.open(asked_of(request, RETURN), None)  # no route below /api
    try:
        outcome = await returning.come_back(
            platform, request.query_params.multi_items(), request.cookies
        )
    finally:
        row.close()
    return _paged(request, outcome)


@public.get("/connect/{platform}/{connection_id}/open")
async def open_connection(
    request: Request, platform: PlatformName, connection_id: PathId, ticket: str = ""
) -> Response:
    """Where a browser is sent that did not begin: what is about to happen, and the way there."""
    begun = await _connections(request).open(platform, connection_id, ticket)
    if begun is None:
        return _paged(request, NOT_OPEN)
    title, base = with_oauth(platform)[0].title, _connections(request).base_url
    told = Outcome(
        ok=True,
        title=f"Connect {title}?",
        text=f"Somebody has begun to connect an account of {title} to the inbox at {base}. What it "
        "receives will be read there. Go on only if it was you, just now.",
    )
    return _with_cookie(_paged(request, told, begun.proof.address), request, begun)


def _paged(request: Request, outcome: Outcome, link: str = "") -> Response:
    if not outcome.ok:
        network = network_of(client_address(request))
        request.app.state.rates.fail(network, request.scope)
    status = 200 if outcome.ok else 400
    return Response(_page(outcome, link), status_code=status, media_type="text/html")


def _page(outcome: Outcome, link: str) -> str:
    """A page that needs nothing: no script, no style."""
    title, text = escape(outcome.title), escape(outcome.text)
    on = f'<p><a rel="noreferrer" href="{escape(link)}">Go on</a></p>' if link else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title></head><body><h1>{title}</h1><p>{text}</p>{on}</body></html>\n"
    )
